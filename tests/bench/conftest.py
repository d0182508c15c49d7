"""What the measurements share."""

import pytest


@pytest.fixture
def measuring(request: pytest.FixtureRequest) -> bool:
    """Whether speed is what is asked for (--benchmark-enable): only then may a figure fail a test."""
    return bool(request.config.getoption("benchmark_enable"))
