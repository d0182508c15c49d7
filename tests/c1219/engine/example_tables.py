"""The octets of an ST23 whose places are worked out by hand, and a table of many types."""

from c1219 import Table
from c1219.datatypes import BFLD, BOOL, FILL, NI_FMAT2, SET, STIME_DATE, STRING, UINT, UINT8, UINT16
from c1219.schema import Array, Record

ST23 = bytes.fromhex(
    "07 40 E2 01 00 00 00 1A 0B 16 0E 1E 31 D4 00 00 00 00 68 10 00 00 CC 5D 00 00"
    "A0 5B 00 00 00 00 1A 0B 14 09 0F E1 10 00 00 00 00 1C 0C 00 00 B6 5D 00 00"
)


MIXED = Table(
    number=7,
    manufacturer=True,
    name="MIXED",
    record=Record(
        "MIXED_RCD",
        "FLAGS" / BFLD("F", UINT16, "A" / BOOL(0), FILL(1, 7), "B" / UINT(8, 10), FILL(11, 15)),
        "TEXT" / STRING(4),
        "WHEN" / Array(2, STIME_DATE),
        "NUMBER" / NI_FMAT2,
        "SETS" / SET(2),
        "AFTER" / UINT8,
    ),
)
