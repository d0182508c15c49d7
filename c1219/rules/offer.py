"""What a meter offers by ST0: its tables, which of them can be written, its procedures, and how tables are accessed.

Numbers of tables and procedures of the manufacturer have 2048 added. Elements without a value (None, in a table that is
cut short) offer nothing; `lists` distinguishes that from a table that is not there.
"""

from __future__ import annotations

from typing import Any

from c1219.tableid import MANUFACTURER, TableId

__all__ = ["by_index", "by_offset", "lists", "procedures", "tables", "writable"]


def tables(st0: Any) -> frozenset[int]:
    """Return the numbers of the tables that exist."""
    return _numbers(st0.STD_TBLS_USED, st0.MFG_TBLS_USED)


def writable(st0: Any) -> frozenset[int]:
    """Return the numbers of the tables that can be written."""
    return _numbers(st0.STD_TBLS_WRITE, st0.MFG_TBLS_WRITE)


def procedures(st0: Any) -> frozenset[int]:
    """Return the numbers of the procedures."""
    return _numbers(st0.STD_PROC_USED, st0.MFG_PROC_USED)


def lists(st0: Any, table: int) -> bool | None:
    """Say whether a table exists, None if its half of the set has no value.

    Args:
        st0: value of ST0.
        table: its number; bits above the manufacturer's do not matter.
    """
    one = TableId(table)
    used = st0.MFG_TBLS_USED if one.manufacturer else st0.STD_TBLS_USED
    return None if used is None else one.number in used


def by_offset(st0: Any) -> bool:
    """Say whether tables can be read and written by offset."""
    return bool(_access(st0) & 1)


def by_index(st0: Any) -> bool:
    """Say whether tables can be read and written by index."""
    return bool(_access(st0) & 2)


def _access(st0: Any) -> int:
    return getattr(st0.FORMAT_CONTROL_2, "DATA_ACCESS_METHOD", None) or 0


def _numbers(standard: frozenset[int] | None, manufacturer: frozenset[int] | None) -> frozenset[int]:
    return frozenset(standard or ()) | {MANUFACTURER + number for number in manufacturer or ()}
