from pathlib import Path

import pytest

SPECS = Path(__file__).parents[3] / "specs"


@pytest.fixture
def devices() -> Path:
    """The folder of sample devices."""
    return SPECS / "devices"


@pytest.fixture
def demo() -> Path:
    """The example of a table file."""
    return SPECS / "tablefiles" / "demo.toml"
