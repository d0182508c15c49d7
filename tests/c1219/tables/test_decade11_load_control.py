from __future__ import annotations

import pytest

from c1219.engine.layout import bind
from c1219.errors import DecodeError
from c1219.tables.decade11_load_control import ACT_LOAD_CONTROL, DIM_LOAD_CONTROL, TABLES
from tests.c1219.tables.oracle import round_trip, st0, undocumented


@pytest.mark.parametrize("table", [DIM_LOAD_CONTROL, ACT_LOAD_CONTROL])
def test_the_known_octets(table):
    value = round_trip(table, bytes.fromhex("01 00 03 AA BB"), ST0=st0())
    assert (
        value.LOAD_CONTROL_FLAGS.DURATION_SUPPORTED_FLAG,
        value.LOAD_CONTROL_FLAGS.RANDOMIZATION_SUPPORTED_FLAG,
    ) == (
        True,
        False,
    )
    assert (value.NBR_OF_CONTROL_POINTS, value.REST) == (3, b"\xaa\xbb")


def test_flags_follow_the_order_of_octets():
    value = round_trip(ACT_LOAD_CONTROL, bytes.fromhex("00 02 08"), ST0=st0(order=1))
    assert value.LOAD_CONTROL_FLAGS.RANDOMIZATION_SUPPORTED_FLAG
    assert (value.NBR_OF_CONTROL_POINTS, value.REST) == (8, b"")


def test_two_octets_are_too_few():
    with pytest.raises(DecodeError):
        bind(ACT_LOAD_CONTROL, {"ST0": st0()}).decode(b"\x01\x00")


def test_everything_is_documented():
    assert [table.number for table in TABLES] == list(range(110, 119))
    assert [undocumented(table) for table in TABLES] == [[]] * 9
