"""Decade 6: load profile (ST60 to ST67).

There are up to four independent sets; set n exists if the device has ST(63 + n). ST60 to ST63 have only the parts of
the sets that exist, one after the other. What differs between 1997 and 2008 is bit 12 of LP_FLAGS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1219.datatypes import (
    BFLD,
    BINARY,
    BOOL,
    FILL,
    INT8,
    INT16,
    INT32,
    NI_FMAT1,
    NI_FMAT2,
    SET,
    SOURCE_SELECT,
    STIME_DATE,
    UINT,
    UINT8,
    UINT16,
    UINT32,
)
from c1219.schema import Array, Doc, Error, If, IfThenElse, Record, Switch, Table, device

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ACT_LP_TBL", "DIM_LP_TBL", "LP_CTRL_TBL", "LP_DATA_SET1_TBL", "LP_DATA_SET2_TBL", "LP_DATA_SET3_TBL",
    "LP_DATA_SET4_TBL", "LP_STATUS_TBL", "TABLES",
]  # fmt: skip

ST0, ST61, ST62 = device.ST0, device.ST61, device.ST62
SETS = (1, 2, 3, 4)


def _of_each_set(fields: Callable[[int], list[Any]]) -> list[Any]:
    return [field for number in SETS for field in fields(number)]


def _exists(number: int) -> Any:
    return ST0.STD_TBLS_USED[63 + number]


def _flags(name: str, bit12: Any) -> BFLD:
    return BFLD(
        name, UINT16,
        *(
            f"LP_SET{n}_INHIBIT_OVF_FLAG" / BOOL(n - 1) * f"Set {n} stops rather than overwrite unread blocks."
            for n in SETS
        ),
        "BLK_END_READ_FLAG" / BOOL(4) * "Blocks have BLOCK_END_READ.",
        "BLK_END_PULSE_FLAG" / BOOL(5) * "Blocks have BLOCK_END_PULSE.",
        *(f"SCALAR_DIVISOR_FLAG_SET{n}" / BOOL(n + 5) * f"ST62 has scalars and divisors of set {n}." for n in SETS),
        "EXTENDED_INT_STATUS_FLAG" / BOOL(10) * "Intervals have EXTENDED_INT_STATUS.",
        "SIMPLE_INT_STATUS_FLAG" / BOOL(11) * "Blocks have SIMPLE_INT_STATUS.",
        bit12,
        FILL(13, 15),
    )  # fmt: skip


LP_SET_RCD = Record(
    "LP_SET_RCD",
    "LP_MEMORY_LEN" / UINT32 * Doc("Storage of all sets together.", unit="octet"),
    "LP_FLAGS" / IfThenElse(
        ST0.STD_VERSION_NO > 1,
        _flags(
            "LP_FLAGS_BFLD",
            "BLK_END_RD_INDICATOR_FLAG" / BOOL(12) * Doc(
                "End readings are the sum over their block, not a running register.", since="2008",
                source="NIST n0mcli; EPRI c12test",
            ),
        ),
        _flags(
            "LP_FLAGS_1997_BFLD",
            "CLOSURE_STATUS_FLAG" / BOOL(12) * Doc(
                "Blocks have CLOSURE_STATUS.", confidence="1", source="Cannon Yukon"
            ),
        ),
    ) * "What the blocks of all sets have, and how they overflow.",
    "LP_FMATS" / BFLD(
        "LP_FMATS_BFLD", UINT8,
        "INV_UINT8_FLAG" / BOOL(0) * "UINT8 is possible.",
        "INV_UINT16_FLAG" / BOOL(1) * "UINT16 is possible.",
        "INV_UINT32_FLAG" / BOOL(2) * "UINT32 is possible.",
        "INV_INT8_FLAG" / BOOL(3) * "INT8 is possible.",
        "INV_INT16_FLAG" / BOOL(4) * "INT16 is possible.",
        "INV_INT32_FLAG" / BOOL(5) * "INT32 is possible.",
        "INV_NI_FMAT1_FLAG" / BOOL(6) * "NI_FMAT1 is possible.",
        "INV_NI_FMAT2_FLAG" / BOOL(7) * "NI_FMAT2 is possible.",
    ) * "Forms that interval data can have; ST62.INT_FMT_CDEn is the one in use.",
    *_of_each_set(
        lambda n: [
            f"NBR_BLKS_SET{n}" / If(_exists(n), UINT16) * f"Blocks of set {n}.",
            f"NBR_BLK_INTS_SET{n}" / If(_exists(n), UINT16) * f"Intervals in a block of set {n}.",
            f"NBR_CHNS_SET{n}" / If(_exists(n), UINT8) * f"Channels of set {n}.",
            f"MAX_INT_TIME_SET{n}" / If(_exists(n), UINT8) * Doc(f"Length of an interval of set {n}.", unit="min"),
        ]
    ),
)  # fmt: skip

DIM_LP_TBL = Table(
    number=60,
    name="DIM_LP_TBL",
    title="Dimension Load Profile",
    role="limiting",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EPRI c12test; EnergyICT Connexo; Cannon Yukon",
    record=LP_SET_RCD,
)

ACT_LP_TBL = Table(
    number=61,
    name="ACT_LP_TBL",
    title="Actual Load Profile",
    role="actual",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EPRI c12test; EnergyICT Connexo; Cannon Yukon; Hexing head-end, with a sample of a meter",
    record=LP_SET_RCD,
)

LP_SOURCE_SEL_RCD = Record(
    "LP_SOURCE_SEL_RCD",
    "CHNL_FLAG" / BFLD(
        "LP_CTRL_FLAGS_BFLD", UINT8,
        "END_RDG_FLAG" / BOOL(0) * "The channel has an end reading.",
        "NO_MULTIPLIER_FLAG" / BOOL(1) * Doc(
            "Constants are still to be applied; filler to all other readers.", confidence="1", source="Cannon Yukon"
        ),
        "LP_ALGORITHM" / UINT(2, 4) * Doc(
            "Codes not known; filler to all other readers.", confidence="1", source="Cannon Yukon"
        ),
        FILL(5, 7),
    ) * "What the channel has.",
    "LP_SOURCE_SELECT" / SOURCE_SELECT * Doc("Source of the interval data, in ST16.", range="0..ST11.NBR_SOURCES - 1"),
    "END_BLK_RDG_SOURCE_SELECT" / SOURCE_SELECT * Doc(
        "Source of the end reading, in ST16; 255 none (Hexing).", range="0..255"
    ),
)  # fmt: skip


def _control(n: int) -> list[Any]:
    channels = getattr(ST61, f"NBR_CHNS_SET{n}")
    scaled = getattr(ST61.LP_FLAGS, f"SCALAR_DIVISOR_FLAG_SET{n}")
    return [
        f"LP_SEL_SET{n}" / If(_exists(n), Array(channels, LP_SOURCE_SEL_RCD)) * f"Channels of set {n}.",
        f"INT_FMT_CDE{n}" / If(_exists(n), UINT8) * Doc(
            "Form of interval data: 1 UINT8, 2 UINT16, 4 UINT32, 8 INT8, 16 INT16, 32 INT32, 64 NI_FMAT1, 128 NI_FMAT2."
            " GE KV up to firmware 5.2 has INT16 whatever the code.",
        ),
        f"SCALARS_SET{n}" / If(_exists(n), If(scaled, Array(channels, UINT16)))
        * "The stored value is source units times scalar, divided by divisor; 0 is taken as 1.",
        f"DIVISOR_SET{n}" / If(_exists(n), If(scaled, Array(channels, UINT16))) * "Divisor of each channel.",
    ]  # fmt: skip


LP_CTRL_TBL = Table(
    number=62,
    name="LP_CTRL_TBL",
    title="Load Profile Control",
    role="control",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon; Hexing head-end",
    record=Record("LP_CTRL_RCD", *_of_each_set(_control)),
)

LP_SET_STATUS_RCD = Record(
    "LP_SET_STATUS_RCD",
    "LP_SET_STATUS_FLAGS" / BFLD(
        "LP_SET_STATUS_BFLD", UINT8,
        "BLOCK_ORDER" / UINT(0, 0) * Doc("0 ascending: block n is older than n + 1; 1 descending.", range="0..1"),
        "OVERFLOW_FLAG" / BOOL(1) * "There were more unread blocks than there is storage for.",
        "LIST_TYPE" / UINT(2, 2) * Doc("0 FIFO, 1 circular.", range="0..1"),
        "BLOCK_INHIBIT_OVERFLOW_FLAG" / BOOL(3) * "Collection stops rather than overwrite unread blocks.",
        "INTERVAL_ORDER" / UINT(4, 4) * Doc("In a block: 0 ascending, 1 descending.", range="0..1"),
        "ACTIVE_MODE_FLAG" / BOOL(5) * "Data are being collected.",
        "TEST_MODE" / BOOL(6) * "Data of the test mode are being collected.",
        FILL(7, 7),
    ) * "State and order of the set.",
    "NBR_VALID_BLOCKS" / UINT16 * "Blocks in use; a block counts from its first interval on.",
    "LAST_BLOCK_ELEMENT" / UINT16 * "Index of the newest block; means nothing when NBR_VALID_BLOCKS is 0.",
    "LAST_BLOCK_SEQ_NBR" / UINT32 * "Sequence number of the newest block.",
    "NBR_UNREAD_BLOCKS" / UINT16 * "Changed by procedures 4 and 5 only.",
    "NBR_VALID_INT" / UINT16 * "Intervals in the newest block.",
)  # fmt: skip

LP_STATUS_TBL = Table(
    number=63,
    name="LP_STATUS_TBL",
    title="Load Profile Status",
    role="data",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon; Hexing head-end",
    doc="A Hexing meter counts LAST_BLOCK_ELEMENT from 1: check it against the end times of the blocks.",
    record=Record(
        "LP_STATUS_RCD",
        *(f"LP_STATUS_SET{n}" / If(_exists(n), LP_SET_STATUS_RCD) * f"State of set {n}." for n in SETS),
    ),
)

READINGS_RCD = Record(
    "READINGS_RCD",
    "BLOCK_END_READ" / If(ST61.LP_FLAGS.BLK_END_READ_FLAG, NI_FMAT1)
    * "Register of END_BLK_RDG_SOURCE_SELECT at BLK_END_TIME, or the sum over the block (BLK_END_RD_INDICATOR_FLAG).",
    "BLOCK_END_PULSE" / If(ST61.LP_FLAGS.BLK_END_PULSE_FLAG, UINT32)
    * Doc("Pulses counted up to BLK_END_TIME, modulo 2^32.", unit="pulse"),
)  # fmt: skip

CLOSURE_STATUS_BFLD = BFLD(
    "CLOSURE_STATUS_BFLD", UINT16,
    "STATUS" / UINT(0, 3) * Doc(
        "How the block ended: 0 normally, 1 adjusted, 2 clock set forward, 3 backward, 4 clock set and data inhibited,"
        " 5 test mode and data inhibited.",
        range="0..5", confidence="?",
    ),
    "NBR_VALID_INTERVAL" / UINT(4, 15) * Doc("Intervals of the channel in the block.", range="0..4095"),
)  # fmt: skip

_FORMS = {1: UINT8, 2: UINT16, 4: UINT32, 8: INT8, 16: INT16, 32: INT32, 64: NI_FMAT1, 128: NI_FMAT2}


def _data(n: int) -> Table:
    channels, intervals = getattr(ST61, f"NBR_CHNS_SET{n}"), getattr(ST61, f"NBR_BLK_INTS_SET{n}")
    interval = Record(
        f"INT_SET{n}_RCD",
        "EXTENDED_INT_STATUS" / If(ST61.LP_FLAGS.EXTENDED_INT_STATUS_FLAG, BINARY(channels // 2 + 1))
        * "Nibbles, the high one of an octet first: common status, channel 1, channel 2 …",
        "INT_DATA" / Array(channels, Switch(getattr(ST62, f"INT_FMT_CDE{n}"), _FORMS, default=Error))
        * "Value of each channel; in the unit of its source after times divisor, divided by scalar.",
    )  # fmt: skip
    block = Record(
        f"LP_BLK{n}_DAT_RCD",
        "BLK_END_TIME" / STIME_DATE * "End of the last interval of the block, by the clock of the device.",
        "END_READINGS" / Array(channels, READINGS_RCD) * "Of every channel, whatever its END_RDG_FLAG.",
        "CLOSURE_STATUS" / If(
            ST0.STD_VERSION_NO <= 1, If(ST61.LP_FLAGS.CLOSURE_STATUS_FLAG, Array(channels, CLOSURE_STATUS_BFLD))
        ) * Doc("How the block ended for each channel.", confidence="1", source="Cannon Yukon"),
        "SIMPLE_INT_STATUS" / If(ST61.LP_FLAGS.SIMPLE_INT_STATUS_FLAG, SET((intervals + 7) // 8))
        * Doc("Member i: interval i of the array is valid.", source="EnergyICT Connexo"),
        "LP_INT" / Array(intervals, interval) * "Intervals, in the order that INTERVAL_ORDER says.",
    )  # fmt: skip
    return Table(
        number=63 + n,
        name=f"LP_DATA_SET{n}_TBL",
        title=f"Load Profile Data Set {n}",
        role="data",
        since="1997",
        confidence="V",
        source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
        record=Record(
            f"LP_DATA_SET{n}_RCD",
            f"LP_DATA_SETS{n}" / Array(getattr(ST61, f"NBR_BLKS_SET{n}"), block) * "Blocks; ST63 tells their order.",
        ),
    )


LP_DATA_SET1_TBL, LP_DATA_SET2_TBL, LP_DATA_SET3_TBL, LP_DATA_SET4_TBL = (_data(n) for n in SETS)

TABLES = (
    DIM_LP_TBL, ACT_LP_TBL, LP_CTRL_TBL, LP_STATUS_TBL, LP_DATA_SET1_TBL, LP_DATA_SET2_TBL, LP_DATA_SET3_TBL,
    LP_DATA_SET4_TBL,
)  # fmt: skip
