"""Logical names (OBIS): six octets that say what a COSEM object is, and those of the tables themselves.

Sources: object lists of Gurux.DLMS, DSMR and IDIS profiles [V]; the number rule of utility tables: Gurux.DLMS [1].
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

from c1219.caches import remembered
from c1219.errors import DecodeError
from c1219.tableid import NUMBERS, TableId

__all__ = ["CURRENT", "LogicalName", "table_of", "utility_table"]

CURRENT: Final = 255
"""Value group F of a value that is not of a past billing period."""
_DOTTED = re.compile(r"(\d{1,3})[.-](\d{1,3})[.:](\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:[.*](\d{1,3}))?", re.ASCII)
_UTILITY: Final = 65
_TABLES_OF_D: Final = 128
_OWNERS: Final = NUMBERS.stop // _TABLES_OF_D


class LogicalName(NamedTuple):
    """A logical name: value groups A to F, each 0..255."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int = CURRENT

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``1.0.1.8.0.255``, ``1-0:1.8.0*255`` or either without its last group.

        Raises:
            DecodeError: it is no logical name.
        """
        match = _DOTTED.fullmatch(text.strip())
        groups = [CURRENT if group is None else int(group) for group in match.groups()] if match else [256]
        if max(groups) > 255:
            raise DecodeError("logical name", 0, f"{text!r} is not six numbers such as 1.0.1.8.0.255")
        return cls(*groups)

    @classmethod
    def of(cls, octets: bytes) -> Self:
        """Read the six octets of a logical name.

        Raises:
            DecodeError: they are not six.
        """
        if len(octets) != 6:
            raise DecodeError("logical name", 0, f"it has 6 octets, not {len(octets)}")
        return cls(*octets)

    @property
    def octets(self) -> bytes:
        """The name as six octets."""
        return bytes(self)

    def __str__(self) -> str:
        return ".".join(map(str, self))


@remembered(8192)
def utility_table(table: int, channel: int = 0) -> LogicalName:
    """Return the name of a table as a COSEM object of class 26.

    Args:
        table: identifier of 13 bits: number, bit 11 for a manufacturer's, bit 12 for the pending copy.
        channel: value group B.
    """
    one = TableId(table)
    blocks = _OWNERS * (one.manufacturer + 2 * one.flag)
    return LogicalName(0, channel, _UTILITY, blocks + one.number // _TABLES_OF_D, one.number % _TABLES_OF_D)


def table_of(name: LogicalName) -> TableId | None:
    """Return the table of which a name is; None if it is not the name of a table."""
    if (name.a, name.c, name.f) != (0, _UTILITY, CURRENT) or name.d >= 4 * _OWNERS or name.e >= _TABLES_OF_D:
        return None
    owner, block = divmod(name.d, _OWNERS)
    return TableId.of(block * _TABLES_OF_D + name.e, manufacturer=bool(owner & 1), flag=bool(owner & 2))
