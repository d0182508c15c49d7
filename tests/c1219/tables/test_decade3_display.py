from __future__ import annotations

import struct

import pytest
from construct import StreamError
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.tables.decade3_display import (
    ACT_DISP_TBL,
    DIM_DISP_TBL,
    DISP_SOURCE_TBL,
    PRI_DISP_LIST_TBL,
    SEC_DISP_LIST_TBL,
    TABLES,
)
from tests.c1219.tables.oracle import parse, round_trip, st0, undocumented

ST31 = bytes.fromhex("01 03 00 02 03 00 01 00 00 00")


def test_worked_example():
    formats = st0()
    act = round_trip(ACT_DISP_TBL, ST31, ST0=formats)
    assert (act.DISPLAY_CTRL.ON_TIME_FLAG, act.DISPLAY_CTRL.OFF_TIME_FLAG, act.DISPLAY_CTRL.HOLD_TIME_FLAG) == (1, 0, 0)
    assert (act.NBR_DISP_SOURCES, act.WIDTH_DISP_SOURCES, act.NBR_PRI_DISP_LIST_ITEMS) == (3, 2, 3)
    assert (act.NBR_PRI_DISP_LISTS, act.NBR_SEC_DISP_LIST_ITEMS, act.NBR_SEC_DISP_LISTS) == (1, 0, 0)

    sources = round_trip(DISP_SOURCE_TBL, bytes.fromhex("01 00 02 00 10 00"), ST0=formats, ST31=act)
    assert [entry.DISPLAY_SOURCE.hex() for entry in sources.DISP_SOURCES] == ["0100", "0200", "1000"]

    lists = round_trip(PRI_DISP_LIST_TBL, bytes.fromhex("06 10 03 00 00 01 00 02 00"), ST0=formats, ST31=act)
    (only,) = lists.PRI_DISP_LIST
    assert (only.DISP_SCROLL1.ON_TIME, only.DISP_SCROLL1.OFF_TIME) == (6, 0)
    assert (only.DISP_SCROLL2.HOLD_TIME, only.DISP_SCROLL2.DEFAULT_LIST, only.NBR_LIST_ITEMS) == (0, 1, 3)
    assert list(lists.PRI_DISP_SOURCES) == [0, 1, 2]

    assert round_trip(SEC_DISP_LIST_TBL, b"", ST0=formats, ST31=act).SEC_DISP_SOURCES == []


def test_most_significant_octet_first():
    formats = st0(order=1)
    act = round_trip(ACT_DISP_TBL, bytes.fromhex("07 00 03 02 00 03 01 00 02 01"), ST0=formats)
    assert (act.NBR_DISP_SOURCES, act.NBR_PRI_DISP_LIST_ITEMS, act.NBR_SEC_DISP_LIST_ITEMS) == (3, 3, 2)
    lists = round_trip(SEC_DISP_LIST_TBL, bytes.fromhex("21 43 02 00 10 01 00"), ST0=formats, ST31=act)
    assert (lists.SEC_DISP_LIST[0].DISP_SCROLL1.ON_TIME, lists.SEC_DISP_LIST[0].DISP_SCROLL1.OFF_TIME) == (1, 2)
    assert (lists.SEC_DISP_LIST[0].DISP_SCROLL2.HOLD_TIME, lists.SEC_DISP_LIST[0].DISP_SCROLL2.DEFAULT_LIST) == (3, 4)
    assert list(lists.SEC_DISP_SOURCES) == [16, 256]


@given(
    order=some.sampled_from([0, 1]),
    flags=some.integers(0, 7),
    sources=some.integers(0, 300),
    width=some.integers(0, 8),
    items=some.tuples(some.integers(0, 300), some.integers(0, 300)),
    lists=some.tuples(some.integers(0, 20), some.integers(0, 20)),
    data=some.data(),
)
@settings(max_examples=60, deadline=None)
def test_sizes(order, flags, sources, width, items, lists, data):
    layout = ">" if order else "<"
    octets = struct.pack(layout + "BHBHBHB", flags, sources, width, items[0], lists[0], items[1], lists[1])
    others = {"ST0": st0(order=order)}
    others["ST31"] = round_trip(ACT_DISP_TBL, octets, **others)
    assert round_trip(DIM_DISP_TBL, octets, **others) == others["ST31"]
    random = data.draw(some.randoms(use_true_random=False))
    for table, size in (
        (DISP_SOURCE_TBL, sources * width),
        (PRI_DISP_LIST_TBL, 3 * lists[0] + 2 * items[0]),
        (SEC_DISP_LIST_TBL, 3 * lists[1] + 2 * items[1]),
    ):
        content = random.randbytes(size)
        round_trip(table, content, **others)
        if size:
            with pytest.raises(StreamError):
                parse(table, content[:-1], **others)


def test_everything_is_documented():
    assert {table.label: undocumented(table) for table in TABLES} == {table.label: [] for table in TABLES}


def test_what_each_table_depends_on():
    assert {table.label: table.depends_on for table in TABLES} == {
        "ST30": ("ST0",),
        "ST31": ("ST0",),
        "ST32": ("ST31",),
        "ST33": ("ST0", "ST31"),
        "ST34": ("ST0", "ST31"),
    }
