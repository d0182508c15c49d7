"""The time-of-use calendar (ST51, ST53, ST54): seasons, day schedules, tier switches, daylight saving time.

All times here are local wall times of the meter, naive; `c1219.rules.timekeeping.Timekeeping` makes them from aware
ones.

Readings of ours: a season begins at midnight; before the first season with a date, the season is not known (if there is
only one, it is that); actions on one date take precedence over those on recurring dates, and of two of a kind the later
in the list counts; a tier stays until the next switch, past midnight too; standard time returns at DST_TIME_EFF where
there is no STD_TIME_EFF, and both are wall times before the change; daylight saving time is known only where
CAP_DST_AUTO_FLAG says that the device switches it.

Tables may be written to make a reader slow. So a year is laid out once for each kind of action, an octet a day, and of
several switches of a schedule at one minute only the last is kept: a query takes as long with a full calendar as with
any other.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from c1219.caches import BoundedDict
from c1219.errors import Finding
from c1219.rules.recurring import only_day, ordinals, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1219.values import RecurringDate

__all__ = ["Action", "Calendar", "Day", "DstChange", "Register", "SeasonChange", "Switch", "TierChange"]

Register = Literal["summation", "demand"]
"""What a tier is of: with SEPARATE_SUM_DEMANDS_FLAG summations and demands have tiers of their own."""

_Order = Literal["dst", "season", "special", "demand-reset", "self-read"]
"""What an action does: each kind is looked up by itself."""

_DAY: Final = dt.timedelta(days=1)
_NO_TIME: Final = dt.timedelta(0)
_LOOK_BACK: Final = 400
"""Days to search back for the switch that began a tier."""
_YEARS_BACK: Final = 9
"""Years within which a recurring date falls at least once: 29 February may leave out seven."""
_REMEMBERED: Final = 256
_NOTHING: Final = 0xFF
"""In the layout of a year: nothing of the kind on this day."""


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
        demand_reset: demand is reset when it begins.
        self_read: registers are read and kept when it begins.
    """

    date: dt.date
    season: int | None
    special: int | None
    schedule: int | None
    switches: tuple[Switch, ...]
    demand_reset: bool = False
    self_read: bool = False


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


class Calendar:
    """The calendar of a meter.

    Args:
        actual: value of ST51.
        table: value of ST54.
        offset: value of ST53, None if it is not here.
        assumed: where the tables do not say, take what a meter starts with: season 0, tier 0, standard time, changes
            at 2:00. A meter is always in some season and tier, even if a reader of its tables cannot know which.

    Attributes:
        separate: summations and demands have tiers of their own.
        anchor: day 0 of periodic dates.
        schedules: tier switches by DAY_SCH_NUM, in order of time.
        seasons: day schedules of each season: seven of the weekdays from Sunday on, then those of special days.
        tells_dst: whether it gives the beginning and end of daylight saving time.
        findings: what could not be used.
    """

    def __init__(self, actual: Any, table: Any, offset: Any = None, *, assumed: bool = False) -> None:
        self.separate: bool = actual.TIME_FUNC_FLAG2.SEPARATE_SUM_DEMANDS_FLAG
        self.anchor: dt.date | None = table.ANCHOR_DATE if isinstance(table.ANCHOR_DATE, dt.date) else None
        self.findings: list[Finding] = []
        self._first = 0 if assumed else None
        begins, ends = (
            time if isinstance(time, dt.time) else None
            for time in (getattr(offset, "DST_TIME_EFF", None), getattr(offset, "STD_TIME_EFF", None))
        )
        if begins is None and assumed:
            begins = dt.time(2)
        self._dst_times = None if begins is None else (ends or begins, begins)
        self._fixed = list(self._one_time(table.NON_RECURR_DATES))
        self._recurring = list(self._rules(table.RECURR_DATES))
        self._orders: dict[_Order, tuple[list[tuple[RecurringDate, int]], dict[int, int]]] = {
            order: self._ordered(order) for order in ("dst", "season", "special", "demand-reset", "self-read")
        }
        self._once = {order: sorted(self._single(order)) for order in self._orders}
        self._years: BoundedDict[tuple[_Order, int], bytes] = BoundedDict(_REMEMBERED)
        self._plans: BoundedDict[int, list[int | None]] = BoundedDict(_REMEMBERED)
        self.schedules = self._schedules(table.TIER_SWITCHES)
        self._tracks = {register: self._tracked(register) for register in ("summation", "demand")}
        self.seasons = tuple(self._season_row(row) for row in table.DAILY_SCHEDULE_ID_MATRIX)
        automatic = bool(actual.TIME_FUNC_FLAG2.CAP_DST_AUTO_FLAG)
        self.tells_dst = automatic and self._dst_times is not None and any(self._orders["dst"])

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
        by_schedule: dict[int, list[Switch]] = {}
        for number, entry in enumerate(entries):
            switch = entry.TIER_SWITCH
            if switch.SWITCH_HOUR > 23 or switch.SWITCH_MIN > 59:
                if (switch.SWITCH_HOUR, switch.SWITCH_MIN, switch.NEW_TIER) != (31, 63, 7):  # not FFFF, an unused entry
                    text = f"{switch.SWITCH_HOUR}:{switch.SWITCH_MIN:02} is no time of day; the switch is left out"
                    self._find("no-time", f"ST54.TIER_SWITCHES[{number}]", text)
                continue
            both = not self.separate
            by_schedule.setdefault(entry.DAY_SCH_NUM, []).append(
                Switch(
                    dt.time(switch.SWITCH_HOUR, switch.SWITCH_MIN), switch.NEW_TIER,
                    both or switch.SUMMATION_SWITCH_FLAG, both or switch.DEMANDS_SWITCH_FLAG,
                )
            )  # fmt: skip
        return {
            schedule: tuple(sorted(switches, key=lambda switch: switch.time))
            for schedule, switches in sorted(by_schedule.items())
        }

    def _tracked(self, register: Register) -> dict[int, tuple[list[dt.time], list[int]]]:
        """Return the times and tiers of one register by schedule; of two switches at one minute the later holds."""
        tracks = {}
        for schedule, switches in self.schedules.items():
            track = {switch.time: switch.tier for switch in switches if _acts_on(switch, register)}
            if track:
                tracks[schedule] = (list(track), list(track.values()))
        return tracks

    def _ordered(self, order: _Order) -> tuple[list[tuple[RecurringDate, int]], dict[int, int]]:
        """Return what orders something: recurring dates, and single days, each with the number that it orders."""
        recurring = [
            (action.rule, number)
            for action in self._recurring
            if action.rule is not None and (number := _number(action, order)) is not None
        ]
        fixed = {
            action.date.toordinal(): number for action in self._fixed if (number := _number(action, order)) is not None
        }
        return recurring, fixed

    def _single(self, order: _Order) -> set[int]:
        """Return the days on which something is ordered that no year has again."""
        recurring, fixed = self._orders[order]
        once = (only_day(rule, self.anchor) for rule, _ in recurring)
        return {*fixed, *(day for day in once if day is not None)}

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

    def actions(self, year: int) -> tuple[Action, ...]:
        """Return what the calendar does in a year, by date; on one date the later action counts."""
        if not 1 <= year <= 9999:
            return ()
        dates = [
            action._replace(date=date)
            for action in self._recurring
            for date in resolve(action.rule, year, self.anchor)  # type: ignore[arg-type]  # a recurring action has one
        ]
        dates += [action for action in self._fixed if action.date.year == year]
        return tuple(sorted(dates, key=lambda action: action.date))

    def _year(self, order: _Order, year: int) -> bytes:
        """Return what is ordered on each day of a year, `_NOTHING` where nothing is."""
        layout = self._years.get((order, year))
        if layout is None:
            first, last = dt.date(year, 1, 1).toordinal(), dt.date(year, 12, 31).toordinal()
            days = bytearray([_NOTHING]) * (last - first + 1)
            recurring, fixed = self._orders[order]
            for rule, number in recurring:
                falls = ordinals(rule, year, self.anchor)
                if isinstance(falls, range):
                    days[falls.start - first : max(falls.stop, falls.start) - first : falls.step] = bytes(
                        [number]
                    ) * len(falls)
                else:
                    for day in falls:
                        days[day - first] = number
            for day, number in fixed.items():
                if first <= day <= last:
                    days[day - first] = number
            layout = self._years[order, year] = bytes(days)
        return layout

    def _on(self, order: _Order, date: dt.date) -> int | None:
        """Return what is ordered on a day."""
        number = self._year(order, date.year)[_day_of_year(date)]
        return None if number == _NOTHING else number

    def _last(self, order: _Order, date: dt.date) -> tuple[dt.date, int] | None:
        """Return the last day not after a day on which something is ordered, with what it is."""
        if not any(self._orders[order]):
            return None
        days = _day_of_year(date) + 1
        for year in range(date.year, max(0, date.year - _YEARS_BACK), -1):
            ordered = self._year(order, year)[:days].rstrip(bytes([_NOTHING]))
            if ordered:
                return dt.date(year, 1, 1) + _DAY * (len(ordered) - 1), ordered[-1]
            days = 366
        older = bisect_right(self._once[order], date.toordinal())
        if not older:
            return None
        last = dt.date.fromordinal(self._once[order][older - 1])
        return last, self._year(order, last.year)[_day_of_year(last)]

    def season(self, date: dt.date) -> int | None:
        """Return the season of a day, None if it is not known."""
        last = self._last("season", date)
        if last is not None:
            return last[1]
        return 0 if len(self.seasons) == 1 else self._first

    def _plan(self, year: int) -> list[int | None]:
        """Return the day schedule of each day of a year, None where it is not known."""
        plan = self._plans.get(year)
        if plan is None:
            first = dt.date(year, 1, 1)
            season, weekday = self.season(first), first.isoweekday() % 7
            plan = []
            for begins, special in zip(self._year("season", year), self._year("special", year), strict=True):
                season = season if begins == _NOTHING else begins
                schedule = None
                if season is not None and season < len(self.seasons):
                    days, specials = self.seasons[season]
                    schedule = specials[special] if special < len(specials) else days[weekday]
                plan.append(schedule)
                weekday = (weekday + 1) % 7
            self._plans[year] = plan
        return plan

    def day(self, date: dt.date) -> Day:
        """Return what holds on a day."""
        schedule = self._plan(date.year)[_day_of_year(date)]
        switches = self.schedules.get(schedule, ()) if schedule is not None else ()
        return Day(
            date, self.season(date), self._on("special", date), schedule, switches,
            self._on("demand-reset", date) is not None, self._on("self-read", date) is not None,
        )  # fmt: skip

    def _schedules_before(self, date: dt.date) -> Iterator[int | None]:
        """Yield the schedules of the days before a day, the last first, back to the limit of the search for a tier."""
        left, end = _LOOK_BACK - 1, _day_of_year(date)
        for year in range(date.year, max(0, date.year - 3), -1):
            days = self._plan(year)[:end][::-1][:left]
            yield from days
            left, end = left - len(days), 366

    def tier(self, at: dt.datetime, register: Register = "summation") -> int | None:
        """Return the tier at a moment.

        Args:
            at: local wall time, naive.
            register: whether the tier is that of summations or of demands; it matters only if `separate`.

        Returns:
            0..7; None if no switch before the moment is known.
        """
        tracks = self._tracks[register]
        if not tracks:
            return self._first
        times, tiers = tracks.get(self._plan(at.year)[_day_of_year(at)], _NO_TRACK)  # type: ignore[arg-type]
        passed = bisect_right(times, at.time())
        if passed:
            return tiers[passed - 1]
        for schedule in self._schedules_before(at):
            if schedule in tracks:
                return tracks[schedule][1][-1]
        return self._first

    def next_switches(
        self, at: dt.datetime, count: int = 4, register: Register = "summation", *, days: int = _LOOK_BACK
    ) -> tuple[TierChange, ...]:
        """Return the next tier switches after a moment.

        Args:
            at: local wall time, naive.
            count: how many.
            register: whether the tier is that of summations or of demands; it matters only if `separate`.
            days: how many days to look at, the moment's the first.

        Returns:
            At most `count` of them, fewer if the calendar has no more within these days.
        """
        changes: list[TierChange] = []
        date, after = at.date(), at.time()
        for _ in range(days if self._tracks[register] else 0):
            schedule = self._plan(date.year)[_day_of_year(date)]
            times, tiers = self._tracks[register].get(schedule, _NO_TRACK)  # type: ignore[arg-type]
            begin = bisect_right(times, after) if date == at.date() else 0
            for time, tier in zip(times[begin : begin + count], tiers[begin:], strict=False):
                changes.append(TierChange(dt.datetime.combine(date, time), tier, schedule))
                if len(changes) >= count:
                    return tuple(changes)
            if date == dt.date.max:
                break
            date += _DAY
        return tuple(changes)

    def next_season(self, at: dt.date) -> SeasonChange | None:
        """Return the next day after a day (or a moment) on which another season begins; None if none within 2 years."""
        date = at.date() if isinstance(at, dt.datetime) else at
        season = self.season(date)
        for year in range(date.year, min(date.year + 3, 10_000)):
            for day, begins in enumerate(self._year("season", year)):
                if begins not in (_NOTHING, season) and (year, day) > (date.year, _day_of_year(date)):
                    return SeasonChange(dt.date(year, 1, 1) + day * _DAY, begins)
        return None

    def dst_changes(self, year: int) -> tuple[DstChange, ...]:
        """Return the changes of daylight saving time in a year; none if it does not say."""
        if not self.tells_dst or not 1 <= year <= 9999:
            return ()
        first = dt.date(year, 1, 1)
        return tuple(
            self._dst_change(first + day * _DAY, on) for day, on in enumerate(self._year("dst", year)) if on != _NOTHING
        )

    def _dst_change(self, date: dt.date, on: int) -> DstChange:
        time = self._dst_times[on] if self._dst_times is not None else dt.time()
        return DstChange(dt.datetime.combine(date, time), bool(on))

    def is_dst(self, at: dt.datetime, shift: dt.timedelta = _NO_TIME) -> bool | None:
        """Say whether daylight saving time is in effect, None if the calendar does not say.

        Args:
            at: local wall time, naive; of an hour that occurs twice the first is meant. With `shift`, standard time.
            shift: what daylight saving time adds, less than a day: standard time returns so much earlier.
        """
        date, last = at.date(), None
        if self.tells_dst:
            date = date if date == dt.date.max else date + _DAY  # the shift may take a change to the day before
            last = self._last("dst", date)
        while last is not None:
            change = self._dst_change(*last)
            if at - change.time >= (_NO_TIME if change.on else -shift):
                return change.on
            last = self._last("dst", last[0] - _DAY) if last[0] > dt.date.min else None
        return None if self._first is None else False


_NO_TRACK: Final[tuple[Sequence[dt.time], Sequence[int]]] = ((), ())


def _day_of_year(date: dt.date) -> int:
    return date.toordinal() - dt.date(date.year, 1, 1).toordinal()


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


def _number(action: Action, order: _Order) -> int | None:
    """Return the number of what an action orders, None if it orders nothing of this kind."""
    if order == "demand-reset":
        return 1 if action.demand_reset else None
    if order == "self-read":
        return 1 if action.self_read else None
    if order == "dst":
        return {"dst-on": 1, "dst-off": 0}.get(action.kind)
    return action.number if action.kind == order else None
