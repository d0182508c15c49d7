from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.engine.layout import bind
from c1219.errors import EncodeError
from c1219.schema import parameters
from c1219.tables.decade7_logs import (
    ACT_LOG_TBL,
    DIM_LOG_TBL,
    EVENT_COUNTERS_TBL,
    EVENT_LOG_CTRL_TBL,
    EVENT_LOG_DATA_TBL,
    EVENTS_ID_TBL,
    HISTORY_LOG_CTRL_TBL,
    HISTORY_LOG_DATA_TBL,
    TABLES,
)
from c1219.values import MemberSet
from tests.c1219.tables.generated import holds, values
from tests.c1219.tables.oracle import parse, round_trip, st0, undocumented

ACT = "07 0A 02 02 03 02 00 02 00 00 00 00"
HISTORY = (
    "04 02 00 01 00 05 01 00 00 01 00"
    "18 03 0A 09 00 05  0C 00  04 01  02 00  0A 00  36 00"
    "18 03 0A 09 01 00  0D 00  05 01  02 00  0C 00  00 00"
)
EVENTS = (
    "04 02 00 01 00 21 00 00 00 02 00"
    "18 03 0A 0A 11 02  0E 00  20 00  00 00  01 00  00 00 00"
    "18 03 0A 0A 19 28  0F 00  21 00  00 00  03 08  5A 00 00"
)


@pytest.fixture
def device():
    return {"ST0": st0(), "ST71": round_trip(ACT_LOG_TBL, bytes.fromhex(ACT), ST0=st0())}


def test_worked_dimensions(device):
    act = device["ST71"]
    assert [name for name, bit in act.LOG_FLAGS.items() if bit and name != "_io"] == [
        "EVENT_NUMBER_FLAG",
        "HIST_DATE_TIME_FLAG",
        "HIST_SEQ_NBR_FLAG",
    ]
    assert (act.NBR_STD_EVENTS, act.NBR_MFG_EVENTS, act.HIST_DATA_LENGTH, act.EVENT_DATA_LENGTH) == (10, 2, 2, 3)
    assert (act.NBR_HISTORY_ENTRIES, act.NBR_EVENT_ENTRIES) == (2, 2)
    assert (act.EXT_LOG_FLAGS, act.NBR_PROGRAM_TABLES) == (0, 0)


def test_tail_is_of_2008_and_may_be_left_out():
    octets = bytes.fromhex(ACT)
    old = round_trip(DIM_LOG_TBL, octets[:9], ST0=st0(version=1))
    assert (old.EXT_LOG_FLAGS, old.NBR_PROGRAM_TABLES) == (None, None)
    new = bind(ACT_LOG_TBL, {"ST0": st0()})
    assert (new.size, new.cuts) == (12, (9, 10))
    value, findings = new.examine(octets[:9])  # as a real meter of version 2 sends it
    assert (value.NBR_EVENT_ENTRIES, value.EXT_LOG_FLAGS) == (2, None)
    assert [finding.code for finding in findings] == ["tail-absent"]
    assert "before EXT_LOG_FLAGS" in findings[0].text
    assert new.encode(value) == new.encode(tuple(value)) == octets[:9]
    assert new.encode((*value[:-2], 0, None)) == octets[:10]
    with pytest.raises(EncodeError, match="EXT_LOG_FLAGS"):
        new.encode((*value[:-2], None, 0))
    whole = new.decode(octets)
    assert new.encode(whole._replace(EXT_LOG_FLAGS=None, NBR_PROGRAM_TABLES=None)) == octets[:9]
    assert parameters(value) == ACT_LOG_TBL.record.parse(octets[:9], ST0=st0())


def test_worked_history(device):
    value = round_trip(HISTORY_LOG_DATA_TBL, bytes.fromhex(HISTORY), **device)
    assert (value.HIST_FLAGS.ORDER, value.HIST_FLAGS.LIST_TYPE, value.HIST_FLAGS.OVERFLOW_FLAG) == (0, 1, False)
    assert (value.NBR_VALID_ENTRIES, value.LAST_ENTRY_ELEMENT, value.LAST_ENTRY_SEQ_NBR) == (2, 1, 0x105)
    assert value.NBR_UNREAD_ENTRIES == 1
    written, ended = value.ENTRIES
    assert written.HISTORY_TIME == dt.datetime(2024, 3, 10, 9, 0, 5)
    assert (written.EVENT_NUMBER, written.HISTORY_SEQ_NBR, written.USER_ID) == (12, 0x104, 2)
    assert (written.HISTORY_CODE.TBL_PROC_NBR, written.HISTORY_ARGUMENT) == (10, b"\x36\x00")
    assert (ended.EVENT_NUMBER, ended.HISTORY_SEQ_NBR, ended.HISTORY_CODE.TBL_PROC_NBR) == (13, 0x105, 12)
    assert bind(HISTORY_LOG_DATA_TBL, device).element("ENTRIES[1]").offset == 11 + 16


def test_worked_events(device):
    value = round_trip(EVENT_LOG_DATA_TBL, bytes.fromhex(EVENTS), **device)
    assert (value.LAST_ENTRY_ELEMENT, value.LAST_ENTRY_SEQ_NBR, value.NBR_UNREAD_ENTRIES) == (1, 0x21, 2)
    down, own = value.ENTRIES
    assert down.EVENT_TIME == dt.datetime(2024, 3, 10, 10, 17, 2)
    assert (down.EVENT_NUMBER, down.EVENT_SEQ_NBR, down.USER_ID, down.EVENT_CODE.TBL_PROC_NBR) == (14, 0x20, 0, 1)
    assert (own.EVENT_CODE.TBL_PROC_NBR, own.EVENT_CODE.STD_VS_MFG_FLAG) == (3, True)
    assert own.EVENT_ARGUMENT == b"\x5a\0\0"
    assert bind(EVENT_LOG_DATA_TBL, device).element("ENTRIES[1]").offset == 11 + 17


def test_size_of_a_real_meter():
    act = bytes([0, 0, 0, 0, 2]) + bytes(2) + (50).to_bytes(2, "little")
    tables = {"ST0": st0(), "ST71": parse(ACT_LOG_TBL, act + bytes(3), ST0=st0())}
    assert bind(EVENT_LOG_DATA_TBL, tables).size == 711


def test_sets(device):
    octets = bytes.fromhex("FE 01 00 00 00 00 00 00 00 10 08 00")
    value = round_trip(EVENTS_ID_TBL, octets, **device)
    assert value.STD_EVENTS_SUPPORTED == {1, 2, 3, 4, 5, 6, 7, 8, 76}
    assert value.MFG_EVENTS_SUPPORTED == {3}
    zero = device["ST0"]
    zero.update({"DIM_STD_TBLS_USED": 2, "DIM_MFG_TBLS_USED": 1, "DIM_STD_PROC_USED": 1})
    for table in (HISTORY_LOG_CTRL_TBL, EVENT_LOG_CTRL_TBL):
        control = round_trip(table, octets + bytes.fromhex("80 01 02 FF"), **device)
        assert control.STD_TBLS_MONITORED_FLAGS == {7, 8}
        assert (control.MFG_TBLS_MONITORED_FLAGS, control.MFG_PROC_MONITORED_FLAGS) == ({1}, MemberSet())
        assert control.STD_PROC_MONITORED_FLAGS == set(range(8))


def test_unknown_layouts_are_octets():
    assert parse(EVENT_COUNTERS_TBL, b"\x01\x02").DATA == b"\x01\x02"
    assert [table.number for table in TABLES if table.confidence == "name only"] == [77, 78, 79]


@some.composite
def configurations(draw):
    order = draw(some.integers(0, 1))
    end = "big" if order else "little"
    sizes = [draw(some.integers(0, 4)) for _ in range(4)]
    entries = [draw(some.integers(0, 5)).to_bytes(2, end) for _ in range(2)]
    octets = bytes([draw(some.integers(0, 31)), *sizes]) + b"".join(entries)
    zero = st0(order=order, time=draw(some.integers(0, 4)), version=1)
    return {"ST0": zero, "ST71": parse(ACT_LOG_TBL, octets, ST0=zero)}


@settings(max_examples=80, deadline=None)
@given(configurations())
def test_sizes_are_the_formula(tables):
    act = tables["ST71"]
    flags = act.LOG_FLAGS
    time = {0: 0, 1: 6, 2: 6, 3: 5, 4: 4}[tables["ST0"].FORMAT_CONTROL_2.TM_FORMAT]
    number = 2 * flags.EVENT_NUMBER_FLAG
    history = time * flags.HIST_DATE_TIME_FLAG + number + 2 * flags.HIST_SEQ_NBR_FLAG + 4 + act.HIST_DATA_LENGTH
    event = time + number + 6 + act.EVENT_DATA_LENGTH
    assert bind(HISTORY_LOG_DATA_TBL, tables).size == 11 + act.NBR_HISTORY_ENTRIES * history
    assert bind(EVENT_LOG_DATA_TBL, tables).size == 11 + act.NBR_EVENT_ENTRIES * event


@settings(max_examples=80, deadline=None)
@given(configurations(), some.sampled_from([HISTORY_LOG_DATA_TBL, EVENT_LOG_DATA_TBL, EVENTS_ID_TBL]), some.data())
def test_any_log(tables, table, data):
    holds(table, tables, data.draw(values(bind(table, tables))), data.draw(some.integers(0, 100)))


def test_everything_is_documented():
    assert [(table.label, undocumented(table)) for table in TABLES if undocumented(table)] == []
    assert [table.number for table in TABLES] == list(range(70, 80))
