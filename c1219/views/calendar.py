"""The time-of-use calendar (ST51, ST53, ST54) as rules: seasons, day schedules, tier switches, daylight saving time.

All times here are local wall times of the meter, naive; `c1219.views.clock.Timekeeping` makes them from aware ones.

Readings of ours: a season begins at midnight; before the first season of which there is a date, the season is not
known (if there is only one, it is that); actions on one date outdo those on recurring dates; a tier stays until the
next switch, over midnight too; standard time returns at DST_TIME_EFF where there is no STD_TIME_EFF, and both are wall
times before the change.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from c1219.errors import Finding
from c1219.rules.recurring import resolve
from c1219.views.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.tableset import TableSet
    from c1219.values import RecurringDate

__all__ = ["Action", "Calendar", "Day", "DstChange", "Register", "SeasonChange", "Switch", "TierChange", "calendar"]

Register = Literal["summation", "demand"]
"""Whose tier: with SEPARATE_SUM_DEMANDS_FLAG summations and demands have tiers of their own."""

_DAY = dt.timedelta(days=1)
_LOOK_BACK = 400
"""Days that a tier is followed back to the switch that began it."""


class Action(NamedTuple):
    """What the calendar does on a date.

    Attributes:
        date: the day.
        kind: ``none``, ``dst-on``, ``dst-off``, ``season``, ``special``.
        number: of the season or special schedule.
        demand_reset: demand is reset.
        self_read: registers are read and kept.
        rule: the recurring date that it comes from, None for one date.
        path: element of ST54.
    """

    date: dt.date
    kind: Literal["none", "dst-on", "dst-off", "season", "special"]
    number: int | None
    demand_reset: bool
    self_read: bool
    rule: RecurringDate | None
    path: str


class Switch(NamedTuple):
    """One tier switch of a day schedule.

    Attributes:
        time: time of day.
        tier: tier that begins, 0..7.
        summation: it is a tier of summations.
        demand: it is a tier of demands.
    """

    time: dt.time
    tier: int
    summation: bool
    demand: bool


class Day(NamedTuple):
    """What holds on one day.

    Attributes:
        date: the day.
        season: its season, None if not known.
        special: its special schedule, None for none.
        schedule: its day schedule (DAY_SCH_NUM), None if not known.
        switches: tier switches of the day in order of time.
    """

    date: dt.date
    season: int | None
    special: int | None
    schedule: int | None
    switches: tuple[Switch, ...]


class TierChange(NamedTuple):
    """A moment at which a tier begins."""

    time: dt.datetime
    tier: int
    schedule: int | None


class SeasonChange(NamedTuple):
    """A day on which a season begins."""

    date: dt.date
    season: int


class DstChange(NamedTuple):
    """A moment, in wall time before the change, at which daylight saving time begins (`on`) or ends."""

    time: dt.datetime
    on: bool


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
    found = Calendar(actual, table, offset)
    size = len(device[54].raw)
    if actual.CALENDAR_TBL_SIZE not in {0, size}:
        text = f"ST51.CALENDAR_TBL_SIZE is {actual.CALENDAR_TBL_SIZE}, but ST54 has {size} octets"
        findings.append(Finding("warning", "calendar-size", "ST54", None, text))
    findings.extend(found.findings)
    return found


class Calendar:
    """The calendar of a meter.

    Attributes:
        separate: summations and demands have tiers of their own.
        anchor: day 0 of periodic dates.
        schedules: tier switches by DAY_SCH_NUM, in order of time.
        seasons: day schedules of each season: seven of the weekdays from Sunday on, then those of special days.
        findings: what could not be used.
    """

    def __init__(self, actual: Any, table: Any, offset: Any = None) -> None:
        self.separate: bool = actual.TIME_FUNC_FLAG2.SEPARATE_SUM_DEMANDS_FLAG
        self.anchor: dt.date | None = table.ANCHOR_DATE if isinstance(table.ANCHOR_DATE, dt.date) else None
        self.findings: list[Finding] = []
        self._dst_times: tuple[dt.time, dt.time] | None = None
        if offset is not None and isinstance(offset.DST_TIME_EFF, dt.time):
            end = offset.STD_TIME_EFF if isinstance(offset.STD_TIME_EFF, dt.time) else offset.DST_TIME_EFF
            self._dst_times = (offset.DST_TIME_EFF, end)
        self._fixed = list(self._one_time(table.NON_RECURR_DATES))
        self._recurring = list(self._rules(table.RECURR_DATES))
        self._years: dict[int, tuple[Action, ...]] = {}
        self.schedules = self._schedules(table.TIER_SWITCHES)
        self.seasons = tuple(self._season_row(row) for row in table.DAILY_SCHEDULE_ID_MATRIX)

    # --- from the tables

    def _one_time(self, entries: Any) -> Iterator[Action]:
        for number, entry in enumerate(entries):
            path = f"ST54.NON_RECURR_DATES[{number}]"
            if entry.CALENDAR_ACTION.CALENDAR_CTRL == 31:
                return
            if type(entry.NON_RECURR_DATE) is dt.date:
                yield _action(entry.NON_RECURR_DATE, entry.CALENDAR_ACTION, None, path)
            elif entry.CALENDAR_ACTION.CALENDAR_CTRL:
                self._find("no-date", path, "the action has no valid date and is left out")

    def _rules(self, entries: Any) -> Iterator[Action]:
        for number, entry in enumerate(entries):
            path = f"ST54.RECURR_DATES[{number}]"
            rule = entry.RECURR_DATE
            if entry.CALENDAR_ACTION.CALENDAR_CTRL == 31:
                return
            if rule is None:
                continue
            if rule.MONTH == 0:
                self._find("no-date", path, "it recurs every so many minutes, which is no date; it is left out")
            elif rule.MONTH == 15 and self.anchor is None:
                self._find("no-anchor", path, "it counts from the anchor date, and there is none; it is left out")
            else:
                yield _action(dt.date.min, entry.CALENDAR_ACTION, rule, path)

    def _schedules(self, entries: Any) -> dict[int, tuple[Switch, ...]]:
        found: dict[int, list[Switch]] = {}
        for number, entry in enumerate(entries):
            switch = entry.TIER_SWITCH
            if switch.SWITCH_HOUR > 23 or switch.SWITCH_MIN > 59:
                if (switch.SWITCH_HOUR, switch.SWITCH_MIN, switch.NEW_TIER) != (31, 63, 7):  # not FFFF, an unused entry
                    text = f"{switch.SWITCH_HOUR}:{switch.SWITCH_MIN:02} is no time of day; the switch is left out"
                    self._find("no-time", f"ST54.TIER_SWITCHES[{number}]", text)
                continue
            both = not self.separate
            found.setdefault(entry.DAY_SCH_NUM, []).append(
                Switch(
                    dt.time(switch.SWITCH_HOUR, switch.SWITCH_MIN), switch.NEW_TIER,
                    both or switch.SUMMATION_SWITCH_FLAG, both or switch.DEMANDS_SWITCH_FLAG,
                )
            )  # fmt: skip
        return {schedule: tuple(sorted(switches)) for schedule, switches in sorted(found.items())}

    @staticmethod
    def _season_row(row: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if hasattr(row, "WEEKDAY_SCHEDULE"):
            days = (row.SUNDAY_SCHEDULE, *[row.WEEKDAY_SCHEDULE] * 5, row.SATURDAY_SCHEDULE)
        else:
            days = tuple(row)[:7]
        return days, tuple(row.SPECIAL_SCHEDULE)

    def _find(self, code: str, path: str, text: str) -> None:
        self.findings.append(Finding("warning", code, path, None, text))

    # --- dates

    @property
    def tells_dst(self) -> bool:
        """Whether it says when daylight saving time begins and ends."""
        kinds = {action.kind for action in (*self._fixed, *self._recurring)}
        return self._dst_times is not None and bool(kinds & {"dst-on", "dst-off"})

    def actions(self, year: int) -> tuple[Action, ...]:
        """Return what the calendar does in a year, by date; on one date the later action outdoes the earlier."""
        found = self._years.get(year)
        if found is None:
            if not 1 <= year <= 9999:
                return ()
            dates = [
                rule._replace(date=date)
                for rule in self._recurring
                for date in resolve(rule.rule, year, self.anchor)  # type: ignore[arg-type]
            ]
            dates += [action for action in self._fixed if action.date.year == year]
            found = tuple(sorted(dates, key=lambda action: action.date))
            if len(self._years) >= 64:
                self._years.clear()
            self._years[year] = found
        return found

    def season(self, date: dt.date) -> int | None:
        """Return the season of a day, None if it is not known."""
        for year in (date.year, date.year - 1):
            for action in reversed(self.actions(year)):
                if action.kind == "season" and action.date <= date:
                    return action.number
        older = [action for action in self._fixed if action.kind == "season" and action.date <= date]
        if older:
            return max(older, key=lambda action: action.date).number
        return 0 if len(self.seasons) == 1 else None

    def day(self, date: dt.date) -> Day:
        """Return what holds on a day."""
        season = self.season(date)
        special = next(
            (a.number for a in reversed(self.actions(date.year)) if a.date == date and a.kind == "special"), None
        )
        schedule = None
        if season is not None and season < len(self.seasons):
            days, specials = self.seasons[season]
            schedule = days[date.isoweekday() % 7]
            if special is not None and special < len(specials):
                schedule = specials[special]
        switches = self.schedules.get(schedule, ()) if schedule is not None else ()
        return Day(date, season, special, schedule, switches)

    def tier(self, at: dt.datetime, register: Register = "summation") -> int | None:
        """Return the tier at a moment.

        Args:
            at: local wall time, naive.
            register: whose tier; it matters only if `separate`.

        Returns:
            0..7; None if no switch before the moment is known.
        """
        if not any(_acts_on(switch, register) for switches in self.schedules.values() for switch in switches):
            return None
        date = at.date()
        for _ in range(_LOOK_BACK):
            for switch in reversed(self.day(date).switches):
                if _acts_on(switch, register) and (date < at.date() or switch.time <= at.time()):
                    return switch.tier
            if date == dt.date.min:
                break
            date -= _DAY
        return None

    def next_switches(
        self, at: dt.datetime, count: int = 4, register: Register = "summation"
    ) -> tuple[TierChange, ...]:
        """Return the next tier switches after a moment.

        Args:
            at: local wall time, naive.
            count: how many.
            register: whose tier; it matters only if `separate`.

        Returns:
            At most `count` of them, fewer if the calendar has no more within 400 days.
        """
        found: list[TierChange] = []
        date = at.date()
        for _ in range(_LOOK_BACK):
            day = self.day(date)
            for switch in day.switches:
                time = dt.datetime.combine(date, switch.time)
                if time > at and _acts_on(switch, register):
                    found.append(TierChange(time, switch.tier, day.schedule))
                    if len(found) >= count:
                        return tuple(found)
            if date == dt.date.max:
                break
            date += _DAY
        return tuple(found)

    def next_season(self, at: dt.date) -> SeasonChange | None:
        """Return the next day after a day (or a moment) on which another season begins; None if none within 2 years."""
        date = at.date() if isinstance(at, dt.datetime) else at
        season = self.season(date)
        for year in range(date.year, date.year + 3):
            for action in self.actions(year):
                begins = action.kind == "season" and action.date > date and action.number != season
                if begins and action.number == self.season(action.date):
                    return SeasonChange(action.date, action.number or 0)
        return None

    def dst_changes(self, year: int) -> tuple[DstChange, ...]:
        """Return the changes of daylight saving time in a year; none if ST53 does not tell the time of day."""
        if self._dst_times is None:
            return ()
        begin, end = self._dst_times
        return tuple(
            DstChange(
                dt.datetime.combine(action.date, begin if action.kind == "dst-on" else end), action.kind == "dst-on"
            )
            for action in self.actions(year)
            if action.kind in {"dst-on", "dst-off"}
        )


def _acts_on(switch: Switch, register: Register) -> bool:
    return switch.summation if register == "summation" else switch.demand


def _action(date: dt.date, bits: Any, rule: RecurringDate | None, path: str) -> Action:
    code = bits.CALENDAR_CTRL
    kind: Literal["none", "dst-on", "dst-off", "season", "special"] = "none"
    number = None
    if code >= 19:
        kind, number = "special", code - 19
    elif code >= 3:
        kind, number = "season", code - 3
    elif code:
        kind = "dst-on" if code == 1 else "dst-off"
    return Action(date, kind, number, bits.DEMAND_RESET_FLAG, bits.SELF_READ_FLAG, rule, path)
