"""Decade 1: where measured data come from, and in which units (ST10 to ST17)."""

from __future__ import annotations

from c1219.datatypes import BFLD, BOOL, UINT8
from c1219.schema import Doc, Record, Table

__all__ = ["ACT_SOURCES_LIM_TBL", "DIM_SOURCES_LIM_TBL", "TABLES"]

SOURCE_RCD = Record(
    "SOURCE_RCD",
    "SOURCE_FLAGS" / BFLD(
        "SOURCE_FLAGS_BFLD", UINT8,
        "PF_EXCLUDE_FLAG" / BOOL(0) * "Power-fail exclusion: ST13 has its elements.",
        "RESET_EXCLUDE_FLAG" / BOOL(1) * "Reset exclusion: ST13 has its element.",
        "BLOCK_DEMAND_FLAG" / BOOL(2) * "Block demand.",
        "SLIDING_DEMAND_FLAG" / BOOL(3) * "Sliding demand: selects the interval form of ST13.",
        "THERMAL_DEMAND_FLAG" / BOOL(4) * "Thermal demand.",
        "SET1_PRESENT_FLAG" / BOOL(5) * "ST15 has the first set of electric constants.",
        "SET2_PRESENT_FLAG" / BOOL(6) * "ST15 has the second set of electric constants.",
        "CONVERSION_ALG_FLAG" / BOOL(7) * Doc(
            "The conversion of annex K applies; filler if STD_VERSION_NO is 1.", since="2008"
        ),
    ) * "What the sources can do.",
    "NBR_UOM_ENTRIES" / UINT8 * "Entries of ST12.",
    "NBR_DEMAND_CTRL_ENTRIES" / UINT8 * "Entries of ST13.INTERVAL_VALUE.",
    "DATA_CTRL_LENGTH" / UINT8 * Doc("Length of an entry of ST14.", unit="octet"),
    "NBR_DATA_CTRL_ENTRIES" / UINT8 * "Entries of ST14.",
    "NBR_CONSTANTS_ENTRIES" / UINT8 * "Entries of ST15.",
    "CONSTANTS_SELECTOR" / UINT8 * Doc("Form of ST15: 0 gas AGA3, 1 gas AGA7, 2 electric.", range="0..2"),
    "NBR_SOURCES" / UINT8 * "Entries of ST16.",
)  # fmt: skip

DIM_SOURCES_LIM_TBL = Table(
    number=10,
    name="DIM_SOURCES_LIM_TBL",
    title="Dimension Sources Limiting",
    role="limiting",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli",
    record=SOURCE_RCD,
)

ACT_SOURCES_LIM_TBL = Table(
    number=11,
    name="ACT_SOURCES_LIM_TBL",
    title="Actual Sources Limiting",
    role="actual",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli",
    record=SOURCE_RCD,
)

TABLES = (DIM_SOURCES_LIM_TBL, ACT_SOURCES_LIM_TBL)
