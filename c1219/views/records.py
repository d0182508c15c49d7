"""The record of a table as views use it: a value, or None and a finding that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.errors import C1219Error, Finding
from c1219.rules import records

if TYPE_CHECKING:
    from c1219.errors import Level
    from c1219.tableset import TableSet

__all__ = ["CALENDAR", "CLOCK", "SOURCES", "record"]

SOURCES: Final = (11, 12, 13, 14, 15, 16)
"""Tables that say what the sources of a meter measure."""
CALENDAR: Final = (51, 53, 54)
"""Tables that say how the times of a meter are meant, besides those of its clock."""
CLOCK: Final = (52, 55)
"""Tables with the clock of a meter; either says how its times are meant."""


def record(device: TableSet, table: int, findings: list[Finding], *, level: Level = "note", cut: bool = False) -> Any:
    """Return the record of a standard table, or None if there is none that can be used.

    Args:
        device: the tables of the meter.
        table: number of the table.
        findings: where to report what is missing or wrong with it.
        level: how much it matters that the table is not here.
        cut: whether a table that ends early, or is known in part, can be used; what is not here of it is then None.
    """
    label = f"ST{table}"
    image = device.get(table)
    if image is None:
        findings.append(Finding(level, "absent", label, None, f"{label} is not here"))
        return None
    try:
        _, remarks = device.decoded(table)
    except C1219Error as error:
        findings.append(Finding("error", "no-layout", label, None, f"{label} cannot be decoded: {error}"))
        return None
    findings.extend(remark for remark in remarks if remark not in findings)
    return records.record(device, table, cut=cut)
