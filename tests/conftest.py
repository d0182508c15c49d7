"""What all tests share."""

from __future__ import annotations

import os
import shutil
import signal
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings

# the machines that run these tests are shared: an example may take long without anything being wrong
settings.register_profile("c1222", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("c1222")

# a shell starts what runs in the background with interrupts ignored, and programs that tests start would inherit that
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def absent(part: str) -> NoReturn:
    """Skip the test if it lacks a real part that it needs, or fail it if C1222_REQUIRE, names with commas, has the part."""
    if part in os.environ.get("C1222_REQUIRE", "").split(","):
        pytest.fail(f"{part} is required, and not here")
    pytest.skip(f"{part} is not here")


@pytest.fixture(scope="session")
def tshark() -> str:
    """The path of tshark."""
    return shutil.which("tshark") or absent("tshark")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium."""
    return shutil.which("chromium") or absent("chromium")
