"""What the tests here start from."""

import pytest

from c1222.transport.memory import Wire
from tests.c1222.protocol.initiator.answers import STEADY


@pytest.fixture
def wire() -> Wire:
    return Wire(mishaps=STEADY)
