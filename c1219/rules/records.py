"""Which tables of a meter can be used: those that are here as a whole and can be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1219.errors import C1219Error

if TYPE_CHECKING:
    from c1219.tableset import TableSet

__all__ = ["record"]


def record(device: TableSet, table: int, *, cut: bool = False) -> Any:
    """Return the record of a standard table, None if there is none that can be used.

    Args:
        device: the tables of the meter.
        table: number of the table.
        cut: whether a table that ends early, or is known in part, can be used; what is not here of it is then None.
    """
    try:
        value, remarks = device.decoded(table)
    except C1219Error:
        return None
    lacks = any(remark.code in {"short", "partial"} for remark in remarks)
    return None if lacks and not cut else value
