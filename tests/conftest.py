"""What all tests share."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

# the machines that run these tests are shared: an example may take long without anything being wrong
settings.register_profile("c1222", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("c1222")


@pytest.fixture(scope="session")
def tshark() -> str:
    """The path of tshark; the test is skipped without it, or fails when C1222_REQUIRE_TSHARK is 1."""
    path = shutil.which("tshark")
    if path is None:
        if os.environ.get("C1222_REQUIRE_TSHARK") == "1":
            pytest.fail("tshark is required and not on PATH")
        pytest.skip("tshark is not on PATH")
    return path
