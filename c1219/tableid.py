"""Numbers of tables and procedures: as they are on the wire, and as people write them.

One identifier of 16 bits stands for a table or a procedure in services, in elements of tables, and in arguments of
events: bits 0 to 10 are the number, bit 11 says whose it is, and what is above depends on where it stands: bit 12 is
the pending copy of a table, or tells a procedure from a table; bit 13 is a user-defined table [V]; 14 and 15 have no
known use. In ST7 the four of them are one number, the selector.
"""

from __future__ import annotations

import re
from enum import IntFlag
from typing import Final

from c1219.caches import remembered
from c1219.errors import UnknownTable

__all__ = [
    "IDS",
    "MANUFACTURER",
    "NUMBERS",
    "PLAIN",
    "TableBits",
    "TableId",
    "procedure_id",
    "table_id",
    "table_label",
    "table_name",
]

NUMBERS: Final = range(0x800)
"""Numbers of the standard's tables and procedures, and of a manufacturer's."""
IDS: Final = range(0x1000)
"""Identifiers with nothing above whose it is."""
MANUFACTURER: Final = 0x800
"""What is added to the number of a manufacturer's."""
PLAIN: Final = 0xFFF
"""The bits of number and whose it is."""
_NUMBER: Final = 0x7FF
_FLAG: Final = 0x1000
_BEYOND: Final = 0xE000
_NO_KNOWN_USE: Final = 0xC000

_TABLE = re.compile(r"(?:(ST|MT)\s*|)(\d{1,4})", re.ASCII | re.IGNORECASE)
_PROCEDURE = re.compile(r"(SP|MP)?(\d{1,4})", re.ASCII | re.IGNORECASE)


class TableBits(IntFlag):
    """What the high bits of a table identifier say; bits 0..10 are the number, bits 14 and 15 have no known use [V]."""

    MANUFACTURER = MANUFACTURER
    PENDING = _FLAG
    USER_DEFINED = 0x2000


class TableId(int):
    """Identifier of a table or procedure, 0..65535: an int that can tell its parts."""

    __slots__ = ()

    @classmethod
    def of(cls, number: int, *, manufacturer: bool = False, flag: bool = False) -> TableId:
        """Return the identifier with these parts.

        Args:
            number: 0..2047, the standard's or the manufacturer's.
            manufacturer: whether it is the manufacturer's.
            flag: bit 12: the pending copy of a table, or a procedure where others are tables.
        """
        return cls(number | MANUFACTURER * manufacturer | _FLAG * flag)

    @property
    def number(self) -> int:
        """Number, 0..2047, of the standard or the manufacturer."""
        return self & _NUMBER

    @property
    def manufacturer(self) -> bool:
        """Whether it is the manufacturer's."""
        return self & MANUFACTURER != 0

    @property
    def plain(self) -> TableId:
        """The identifier with nothing above whose it is, 0..4095: that of the table itself."""
        return TableId(self & PLAIN)

    @property
    def flag(self) -> bool:
        """Bit 12: the pending copy of a table is meant, or a procedure where others are tables."""
        return self & _FLAG != 0

    @property
    def flagged(self) -> TableId:
        """The identifier with bit 12 set."""
        return TableId(self | _FLAG)

    @property
    def beyond(self) -> bool:
        """Whether bits above bit 12 are set: no table of the standard or the manufacturer."""
        return self & _BEYOND != 0

    @property
    def selector(self) -> int:
        """Bits 12 to 15 as a number: in ST7, when the response is wanted."""
        return self >> 12

    @property
    def label(self) -> str:
        """Short name of the table, ``ST23`` or ``MT1``."""
        return f"{'MT' if self & MANUFACTURER else 'ST'}{self & _NUMBER}"

    @property
    def procedure_label(self) -> str:
        """Short name of the procedure, ``SP3`` or ``MP22``."""
        return f"{'MP' if self & MANUFACTURER else 'SP'}{self & _NUMBER}"


@remembered(8192)
def table_id(key: int | str) -> TableId:
    """Return the number on the wire of a table: 2048 is added for a manufacturer's.

    Args:
        key: the number itself, or ``"ST23"``, ``"MT1"``, ``"23"``.

    Raises:
        UnknownTable: this names no table.
    """
    number = key if isinstance(key, int) else _parsed(_TABLE, key)
    if number is None:
        raise UnknownTable(f"{key!r} names no table: write ST23, MT1 or a number")
    if number not in IDS:
        raise UnknownTable(f"table number {number} is outside 0..{IDS[-1]}")
    return TableId(number)


@remembered(8192)
def table_label(key: int | str) -> str:
    """Return the short name of a table: ``ST23`` or ``MT1``.

    Raises:
        UnknownTable: this names no table.
    """
    return table_id(key).label


def table_name(table: int) -> str:
    """Return the name of a table identifier as the field writes it: ST1, MT5, pending PST1, user-defined UDT3.

    Args:
        table: the identifier, 0..65535.
    """
    if table & _NO_KNOWN_USE:
        return f"table {table:04X}"
    one = TableId(table)
    label = f"{'MUDT' if one.manufacturer else 'UDT'}{one.number}" if one.beyond else one.label
    return f"P{label}" if one.flag else label


def procedure_id(key: int | str) -> TableId:
    """Return the number on the wire of a procedure: 2048 is added for a manufacturer's.

    Args:
        key: the number itself, or ``"SP10"``, ``"MP3"``, ``"10"``.

    Raises:
        UnknownTable: this is the number of no procedure.
    """
    number = key if isinstance(key, int) else _parsed(_PROCEDURE, key)
    if number is None:
        raise UnknownTable(f"no procedure is called {key!r}: use its number, such as 10, SP10 or MP3")
    if number not in IDS:
        raise UnknownTable(f"procedure number {number} is outside 0..{IDS[-1]}")
    return TableId(number)


def _parsed(form: re.Pattern[str], text: str) -> int | None:
    match = form.fullmatch(text)
    if match is None or (match[1] and int(match[2]) not in NUMBERS):
        return None
    return int(match[2]) + MANUFACTURER * (match[1] or "").upper().startswith("M")
