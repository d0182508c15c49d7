"""The time-of-use calendar of a meter's tables; what it says is `c1219.rules.calendar.Calendar`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.errors import Finding
from c1219.rules.calendar import Action, Calendar, Day, DstChange, Register, SeasonChange, Switch, TierChange
from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.tabular.view import Tabular
from c1219.views.origin import MeterOrigin, origin
from c1219.views.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1219.tableset import TableSet

__all__ = [
    "Action",
    "Calendar",
    "Day",
    "DstChange",
    "MeterCalendar",
    "Register",
    "SeasonChange",
    "Switch",
    "TierChange",
    "calendar",
]

_WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_NO_SWITCHES: Final = (None,)

CALENDAR: Final = RowSchema(
    "c1219.calendar/1",
    "One tier switch of one kind of day in one season; a day without switches is a row too.",
    (
        *METER,
        RowColumn("season", "int16", "season", null=False),
        RowColumn("day", "word", "`Sunday` to `Saturday`, or `special 0` and so on", null=False),
        RowColumn("schedule", "int16", "day schedule that holds on it", null=False),
        RowColumn("time", "string", "local time of day of the switch, as 06:00"),
        RowColumn("tier", "int8", "tier that begins"),
        RowColumn("summation", "bool", "it is a tier of summations"),
        RowColumn("demand", "bool", "it is a tier of demands"),
    ),
)


class MeterCalendar(Calendar, Tabular):
    """The calendar of a meter, whose tier switches are rows.

    Attributes:
        origin: which meter it is of.
    """

    schema = CALENDAR
    origin = MeterOrigin()

    def table_rows(self) -> Iterator[Sequence[Any]]:
        for season, (days, specials) in enumerate(self.seasons):
            special = (f"special {number}" for number in range(len(specials)))
            for day, schedule in zip((*_WEEKDAYS, *special), (*days, *specials), strict=True):
                for switch in self.schedules.get(schedule, _NO_SWITCHES):
                    time = None if switch is None else f"{switch.time:%H:%M}"
                    rest = (None, None, None) if switch is None else switch[1:]
                    yield (self.origin.meter, self.origin.node, season, day, schedule, time, *rest)


def calendar(device: TableSet) -> MeterCalendar | None:
    """Return the calendar of a meter, None if ST51 or ST54 is not here or cannot be decoded.

    Args:
        device: the tables of the meter.
    """
    return read_calendar(device, [])


def read_calendar(device: TableSet, findings: list[Finding]) -> MeterCalendar | None:
    """Return the calendar, and say in `findings` what is missing or wrong."""
    actual = record(device, 51, findings)
    table = record(device, 54, findings) if actual is not None else None
    if actual is None or table is None:
        return None
    offset = record(device, 53, findings)
    plan = MeterCalendar(actual, table, offset)
    plan.origin = origin(device)
    size = len(device[54].raw)
    if actual.CALENDAR_TBL_SIZE not in {0, size}:
        text = f"ST51.CALENDAR_TBL_SIZE is {actual.CALENDAR_TBL_SIZE}, but ST54 has {size} octets"
        findings.append(Finding("warning", "calendar-size", "ST54", None, text))
    findings.extend(plan.findings)
    return plan
