"""The time-of-use calendar of a meter's tables; what it says is `c1219.rules.calendar.Calendar`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1219.errors import Finding
from c1219.rules.calendar import Action, Calendar, Day, DstChange, Register, SeasonChange, Switch, TierChange
from c1219.views.records import record

if TYPE_CHECKING:
    from c1219.tableset import TableSet

__all__ = ["Action", "Calendar", "Day", "DstChange", "Register", "SeasonChange", "Switch", "TierChange", "calendar"]


def calendar(device: TableSet) -> Calendar | None:
    """Return the calendar of a meter, None if ST51 or ST54 is not here or cannot be decoded.

    Args:
        device: the tables of the meter.
    """
    return read_calendar(device, [])


def read_calendar(device: TableSet, findings: list[Finding]) -> Calendar | None:
    """Return the calendar, and say in `findings` what is missing or wrong."""
    actual = record(device, 51, findings)
    table = record(device, 54, findings) if actual is not None else None
    if actual is None or table is None:
        return None
    offset = record(device, 53, findings)
    plan = Calendar(actual, table, offset)
    size = len(device[54].raw)
    if actual.CALENDAR_TBL_SIZE not in {0, size}:
        text = f"ST51.CALENDAR_TBL_SIZE is {actual.CALENDAR_TBL_SIZE}, but ST54 has {size} octets"
        findings.append(Finding("warning", "calendar-size", "ST54", None, text))
    findings.extend(plan.findings)
    return plan
