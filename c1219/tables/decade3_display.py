"""Decade 3: the local display (ST30 to ST34)."""

from __future__ import annotations

from c1219.datatypes import BFLD, BINARY, BOOL, FILL, UINT, UINT8, UINT16
from c1219.schema import Array, Doc, Record, Table, device

__all__ = [
    "ACT_DISP_TBL", "DIM_DISP_TBL", "DISP_LIST_DESC_RCD", "DISP_SOURCE_TBL", "PRI_DISP_LIST_TBL", "SEC_DISP_LIST_TBL",
    "TABLES",
]  # fmt: skip

ST31 = device.ST31

DISP_RCD = Record(
    "DISP_RCD",
    "DISPLAY_CTRL" / BFLD(
        "DISP_FLAG_BFLD", UINT8,
        "ON_TIME_FLAG" / BOOL(0) * "How long an item is shown can be set (ST30), is set by the lists (ST31).",
        "OFF_TIME_FLAG" / BOOL(1) * "The same for the blank time between items.",
        "HOLD_TIME_FLAG" / BOOL(2) * "The same for the time that a held item stays.",
        FILL(3, 7),
    ) * "Which times the lists control.",
    "NBR_DISP_SOURCES" / UINT16 * "Entries of ST32.",
    "WIDTH_DISP_SOURCES" / UINT8 * Doc("Length of an entry of ST32.", unit="octet"),
    "NBR_PRI_DISP_LIST_ITEMS" / UINT16 * "Items over all primary lists.",
    "NBR_PRI_DISP_LISTS" / UINT8 * "Primary lists.",
    "NBR_SEC_DISP_LIST_ITEMS" / UINT16 * "Items over all secondary lists.",
    "NBR_SEC_DISP_LISTS" / UINT8 * "Secondary lists.",
)  # fmt: skip

DISP_SOURCE_DESC_RCD = Record(
    "DISP_SOURCE_DESC_RCD",
    "DISPLAY_SOURCE" / BINARY(ST31.WIDTH_DISP_SOURCES) * "What is shown; only the manufacturer knows the meaning.",
)

DISP_LIST_DESC_RCD = Record(
    "DISP_LIST_DESC_RCD",
    "DISP_SCROLL1" / BFLD(
        "DISP_SCROLL1_BFLD", UINT8,
        "ON_TIME" / UINT(0, 3) * Doc("How long an item is shown.", unit="s (unit ?)", range="0..15"),
        "OFF_TIME" / UINT(4, 7) * Doc("Blank time between items.", unit="s (unit ?)", range="0..15"),
    ) * "Times of automatic scrolling.",
    "DISP_SCROLL2" / BFLD(
        "DISP_SCROLL2_BFLD", UINT8,
        "HOLD_TIME" / UINT(0, 3) * Doc("How long a held item stays.", unit="min (unit ?)", range="0..15"),
        "DEFAULT_LIST" / UINT(4, 7) * Doc(
            "Mode whose default this list is: 0 none, 1 normal, 2 alternate, 3 test.", range="0..3", confidence="?"
        ),
    ) * "Hold time and use of the list.",
    "NBR_LIST_ITEMS" / UINT8 * Doc(
        "Items of this list. The lists share the item array one after the other: this one starts at the sum of "
        "NBR_LIST_ITEMS of the lists before it (sharing rule ?).",
        range="0..255",
    ),
)  # fmt: skip

DIM_DISP_TBL = Table(
    number=30,
    name="DIM_DISP_TBL",
    title="Dimension Display",
    role="limiting",
    since="1997",
    confidence="V",
    source="termineter; Yukon; Hexing",
    record=DISP_RCD,
)

ACT_DISP_TBL = Table(
    number=31,
    name="ACT_DISP_TBL",
    title="Actual Display",
    role="actual",
    since="1997",
    confidence="V",
    source="termineter; Yukon; Hexing, with a meter's own 10 octets",
    record=DISP_RCD,
)

DISP_SOURCE_TBL = Table(
    number=32,
    name="DISP_SOURCE_TBL",
    title="Display Source",
    role="control",
    since="1997",
    confidence="V",
    source="Hexing; the sizes follow from ST31",
    record=Record(
        "DISP_SOURCE_RCD",
        "DISP_SOURCES" / Array(ST31.NBR_DISP_SOURCES, DISP_SOURCE_DESC_RCD) * "Everything that can be shown.",
    ),
)

PRI_DISP_LIST_TBL = Table(
    number=33,
    name="PRI_DISP_LIST_TBL",
    title="Primary Display List",
    role="control",
    since="1997",
    confidence="V",
    source="termineter; Yukon",
    record=Record(
        "PRI_DISP_LIST_RCD",
        "PRI_DISP_LIST" / Array(ST31.NBR_PRI_DISP_LISTS, DISP_LIST_DESC_RCD) * "The lists.",
        "PRI_DISP_SOURCES" / Array(ST31.NBR_PRI_DISP_LIST_ITEMS, UINT16)
        * Doc("Items of all lists: indices into ST32.", range="0..ST31.NBR_DISP_SOURCES-1"),
    ),
)  # fmt: skip

SEC_DISP_LIST_TBL = Table(
    number=34,
    name="SEC_DISP_LIST_TBL",
    title="Secondary Display List",
    role="control",
    since="1997",
    confidence="1",
    source="termineter; by analogy with ST33",
    record=Record(
        "SEC_DISP_LIST_RCD",
        "SEC_DISP_LIST" / Array(ST31.NBR_SEC_DISP_LISTS, DISP_LIST_DESC_RCD) * "The lists.",
        "SEC_DISP_SOURCES" / Array(ST31.NBR_SEC_DISP_LIST_ITEMS, UINT16)
        * Doc("Items of all lists: indices into ST32.", range="0..ST31.NBR_DISP_SOURCES-1"),
    ),
)  # fmt: skip

TABLES = (DIM_DISP_TBL, ACT_DISP_TBL, DISP_SOURCE_TBL, PRI_DISP_LIST_TBL, SEC_DISP_LIST_TBL)
