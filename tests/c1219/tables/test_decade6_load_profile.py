from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.codes.status import ChannelStatus, CommonStatus, channel_nibble
from c1219.engine.layout import bind
from c1219.errors import LayoutError, LimitExceeded
from c1219.tables.decade6_load_profile import (
    ACT_LP_TBL,
    DIM_LP_TBL,
    LP_CTRL_TBL,
    LP_DATA_SET1_TBL,
    LP_DATA_SET3_TBL,
    LP_STATUS_TBL,
    TABLES,
)
from c1219.values import MemberSet
from tests.c1219.tables.generated import holds, values
from tests.c1219.tables.oracle import parse, round_trip, st0, undocumented

BLOCK0 = (
    "18 03 0A 0A 00 4B C7 12 00 62 02 00 00 81 1D 00 00 2B 01 00 00 0F 00 00 64 00 1E 00 00 00"
    "65 00 1F 00 00 00 63 00 1E 00 00 00 64 00 1E 00"
)
BLOCK1 = (
    "18 03 0A 0A 2D 2B D3 12 00 42 0E 00 00 E6 1D 00 00 90 01 00 00 07"
    "00 00 7B 00 28 00  22 20 3D 00 14 00  00 00 78 00 29 00  00 00 00 00 00 00"
)
FORMS = {1: 1, 2: 2, 4: 4, 8: 1, 16: 2, 32: 4, 64: 4, 128: 8}
END_READ, END_PULSE, SCALED, EXTENDED, SIMPLE, BIT12 = 1 << 4, 1 << 5, 1 << 6, 1 << 10, 1 << 11, 1 << 12


def general(*, sets=(1,), **formats):
    value = st0(**formats)
    value.STD_TBLS_USED = MemberSet(63 + n for n in sets)
    return value


def actual(flags, *dimensions, sets=(1,), **formats):
    """ST0 and ST61, from (blocks, intervals, channels, minutes) of each set."""
    zero = general(sets=sets, **formats)
    end = "big" if formats.get("order") else "little"
    octets = bytes(4) + flags.to_bytes(2, end) + b"\xff"
    for blocks, intervals, channels, minutes in dimensions:
        octets += blocks.to_bytes(2, end) + intervals.to_bytes(2, end) + bytes([channels, minutes])
    return {"ST0": zero, "ST61": round_trip(ACT_LP_TBL, octets, ST0=zero)}


def control(tables, code, n=1, scaled=False):
    channels = tables["ST61"][f"NBR_CHNS_SET{n}"]
    octets = bytes(3 * channels) + bytes([code]) + bytes(4 * channels) * scaled
    return {**tables, "ST62": round_trip(LP_CTRL_TBL, octets, **tables)}


@pytest.fixture
def device():
    zero = general()
    act = round_trip(ACT_LP_TBL, bytes.fromhex("E8 03 00 00 70 0C 02 02 00 04 00 02 0F"), ST0=zero)
    octets = bytes.fromhex("01 00 00  01 04 04  02  01 00 01 00  0A 00 01 00")
    return {"ST0": zero, "ST61": act, "ST62": round_trip(LP_CTRL_TBL, octets, ST0=zero, ST61=act)}


def test_worked_dimensions(device):
    act = device["ST61"]
    flags = act.LP_FLAGS
    assert act.LP_MEMORY_LEN == 1000
    assert [name for name, bit in flags.items() if bit and name != "_io"] == [
        "BLK_END_READ_FLAG",
        "BLK_END_PULSE_FLAG",
        "SCALAR_DIVISOR_FLAG_SET1",
        "EXTENDED_INT_STATUS_FLAG",
        "SIMPLE_INT_STATUS_FLAG",
    ]
    assert [name for name, bit in act.LP_FMATS.items() if bit] == ["INV_UINT16_FLAG"]
    assert (act.NBR_BLKS_SET1, act.NBR_BLK_INTS_SET1, act.NBR_CHNS_SET1, act.MAX_INT_TIME_SET1) == (2, 4, 2, 15)
    assert act.NBR_BLKS_SET2 is None


def test_worked_control(device):
    value = device["ST62"]
    sources = [(c.CHNL_FLAG.END_RDG_FLAG, c.LP_SOURCE_SELECT, c.END_BLK_RDG_SOURCE_SELECT) for c in value.LP_SEL_SET1]
    assert sources == [(True, 0, 0), (True, 4, 4)]
    assert (value.INT_FMT_CDE1, list(value.SCALARS_SET1), list(value.DIVISOR_SET1)) == (2, [1, 1], [10, 1])


def test_worked_status(device):
    octets = bytes.fromhex("24 02 00 01 00 39 00 00 00 01 00 03 00")
    status = round_trip(LP_STATUS_TBL, octets, **device).LP_STATUS_SET1
    flags = status.LP_SET_STATUS_FLAGS
    assert (flags.BLOCK_ORDER, flags.LIST_TYPE, flags.INTERVAL_ORDER, flags.ACTIVE_MODE_FLAG) == (0, 1, 0, True)
    assert (status.NBR_VALID_BLOCKS, status.LAST_BLOCK_ELEMENT, status.LAST_BLOCK_SEQ_NBR) == (2, 1, 57)
    assert (status.NBR_UNREAD_BLOCKS, status.NBR_VALID_INT) == (1, 3)


def test_worked_data(device):
    value = round_trip(LP_DATA_SET1_TBL, bytes.fromhex(BLOCK0 + BLOCK1), **device)
    zero, one = value.LP_DATA_SETS1
    assert zero.BLK_END_TIME == dt.datetime(2024, 3, 10, 10)
    assert one.BLK_END_TIME == dt.datetime(2024, 3, 10, 10, 45)
    readings = [(r.BLOCK_END_READ, r.BLOCK_END_PULSE) for r in one.END_READINGS]
    assert readings == [(1233707, 3650), (7654, 400)]
    assert one.CLOSURE_STATUS is None
    assert one.SIMPLE_INT_STATUS == {0, 1, 2}
    assert [list(interval.INT_DATA) for interval in one.LP_INT] == [[123, 40], [61, 20], [120, 41], [0, 0]]
    status = one.LP_INT[1].EXTENDED_INT_STATUS
    assert channel_nibble(status, 0) == CommonStatus.POWER_FAIL
    assert channel_nibble(status, 1) == channel_nibble(status, 2) == ChannelStatus.PARTIAL_INTERVAL
    layout = bind(LP_DATA_SET1_TBL, device)
    assert layout.element("LP_DATA_SETS1[1]").offset == 46
    assert layout.element("LP_DATA_SETS1[1].LP_INT[2]").offset == 46 + 22 + 2 * 6


def test_bit_12_is_closure_status_in_1997_only():
    for version, closure in ((1, True), (2, False)):
        tables = control(actual(BIT12, (1, 4, 3, 15), version=version), 1)
        layout = bind(LP_DATA_SET1_TBL, tables)
        assert layout.size == 5 + 6 * closure + 12
        octets = bytes.fromhex("18 03 0A 0A 00") + bytes.fromhex("42 00 40 00 31 00") * closure + bytes(12)
        (block,) = round_trip(LP_DATA_SET1_TBL, octets, **tables).LP_DATA_SETS1
        if closure:
            assert [(c.STATUS, c.NBR_VALID_INTERVAL) for c in block.CLOSURE_STATUS] == [(2, 4), (0, 4), (1, 3)]
        else:
            assert block.CLOSURE_STATUS is None


def test_sets_follow_each_other_without_gap():
    tables = actual(SCALED << 2, (1, 2, 1, 5), (3, 4, 2, 15), sets=(1, 3))
    act = tables["ST61"]
    assert (act.NBR_BLKS_SET1, act.NBR_BLKS_SET2, act.NBR_BLKS_SET3, act.MAX_INT_TIME_SET3) == (1, None, 3, 15)
    octets = bytes.fromhex("00 07 FF 04  00 01 FF 01 02 FF 02  01 00 02 00  03 00 04 00")
    tables["ST62"] = round_trip(LP_CTRL_TBL, octets, **tables)
    assert tables["ST62"].LP_SEL_SET1[0].LP_SOURCE_SELECT == 7
    assert (tables["ST62"].INT_FMT_CDE1, tables["ST62"].INT_FMT_CDE3) == (4, 2)
    assert (tables["ST62"].SCALARS_SET1, list(tables["ST62"].DIVISOR_SET3)) == (None, [3, 4])
    assert bind(LP_STATUS_TBL, tables).size == 26
    assert bind(LP_DATA_SET3_TBL, tables).size == 3 * (5 + 4 * 2 * 2)
    with pytest.raises(LayoutError, match="NBR_BLKS_SET2"):
        bind(TABLES[5], tables)


def test_code_without_form_is_refused():
    with pytest.raises(LayoutError, match="INT_FMT_CDE1"):
        bind(LP_DATA_SET1_TBL, control(actual(0, (1, 1, 1, 15)), 3))


def test_hostile_dimensions_are_refused_at_once():
    tables = control(actual(END_READ | EXTENDED | SIMPLE, (65535, 65535, 255, 1)), 32)
    with pytest.raises(LimitExceeded):
        bind(LP_DATA_SET1_TBL, tables)


@some.composite
def configurations(draw, most=3):
    formats = {"order": draw(some.integers(0, 1)), "time": draw(some.integers(0, 4)), "ni2": 11}
    flags = draw(some.integers(0, (1 << 13) - 1))
    size = some.integers(0, most)
    tables = actual(
        flags,
        (draw(size), draw(some.integers(0, 3 * most)), draw(size), 15),
        version=draw(some.integers(1, 2)),
        **formats,
    )
    return control(tables, draw(some.sampled_from(sorted(FORMS))), scaled=bool(flags & SCALED))


@settings(max_examples=80, deadline=None)
@given(configurations(most=9))
def test_size_is_the_formula(tables):
    act, zero = tables["ST61"], tables["ST0"]
    flags, channels, intervals = act.LP_FLAGS, act.NBR_CHNS_SET1, act.NBR_BLK_INTS_SET1
    readings = channels * (4 * flags.BLK_END_READ_FLAG + 4 * flags.BLK_END_PULSE_FLAG)
    closure = 2 * channels * flags.get("CLOSURE_STATUS_FLAG", 0)
    simple = -(-intervals // 8) * flags.SIMPLE_INT_STATUS_FLAG
    head = {0: 0, 1: 5, 2: 5, 3: 4, 4: 4}[zero.FORMAT_CONTROL_2.TM_FORMAT] + readings + closure + simple
    interval = (channels // 2 + 1) * flags.EXTENDED_INT_STATUS_FLAG + channels * FORMS[tables["ST62"].INT_FMT_CDE1]
    layout = bind(LP_DATA_SET1_TBL, tables)
    assert layout.size == act.NBR_BLKS_SET1 * (head + intervals * interval)
    if act.NBR_BLKS_SET1 > 1 and intervals > 1 and channels:
        place = layout.element("LP_DATA_SETS1[1].LP_INT[1]").offset
        assert place == head + intervals * interval + head + interval


@settings(max_examples=60, deadline=None)
@given(configurations(), some.data())
def test_any_profile(tables, data):
    value = data.draw(values(bind(LP_DATA_SET1_TBL, tables)))
    holds(LP_DATA_SET1_TBL, tables, value, data.draw(some.integers(0, 200)))


@settings(max_examples=60, deadline=None)
@given(some.lists(some.sampled_from([1, 2, 3, 4]), unique=True), some.integers(1, 2), some.data())
def test_any_dimensions_control_and_status(sets, version, data):
    sets = sorted(sets)
    zero = general(sets=sets, version=version, order=data.draw(some.integers(0, 1)))
    layout = bind(ACT_LP_TBL, {"ST0": zero})
    assert layout.size == 7 + 6 * len(sets)
    act = data.draw(values(layout))
    holds(DIM_LP_TBL, {"ST0": zero}, act, data.draw(some.integers(0, 32)))
    few = {f"NBR_CHNS_SET{n}": data.draw(some.integers(0, 4)) for n in sets}
    tables = {"ST0": zero, "ST61": parse(ACT_LP_TBL, layout.encode(act._replace(**few)), ST0=zero)}
    for table in (LP_CTRL_TBL, LP_STATUS_TBL):
        holds(table, tables, data.draw(values(bind(table, tables))), data.draw(some.integers(0, 60)))
    assert bind(LP_STATUS_TBL, tables).size == 13 * len(sets)


def test_everything_is_documented():
    assert [(table.label, undocumented(table)) for table in TABLES if undocumented(table)] == []
    assert [table.number for table in TABLES] == list(range(60, 68))
