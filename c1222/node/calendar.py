"""The calendar of ST54: what happens on a day, which tier holds at a moment, and when daylight saving time is on.

Origin: rules of recurring dates from Elster's tools and a time-of-use reader [1]; the codes of CALENDAR_CTRL from
recollection, with which a sample of a meter agrees [?]. Of a switch before the first one of a day the last one of the
days before holds (ours).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.rules.recurring import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1222.node.shape import Shape

__all__ = ["Calendar", "Day", "Tiers", "calendar_of"]

_DAY: Final = dt.timedelta(days=1)
_END_OF_LIST: Final = 31
_BACK: Final = 400
_REMEMBERED: Final = 4096
_REMEMBERED_YEARS: Final = 64


class Tiers(NamedTuple):
    """The tiers in effect: of summations and of demands; they differ only where the device switches them apart."""

    summation: int = 0
    demand: int = 0


class Day(NamedTuple):
    """What the calendar says about one day.

    Attributes:
        season: in effect on it, 0..15.
        special: special schedule of the day, None for none.
        switches: minute of the day with the tiers from then on, in order.
        demand_reset: ordered for the beginning of the day.
        self_read: likewise.
        dst: True when daylight saving time begins on it, False when it ends, None for neither.
    """

    season: int = 0
    special: int | None = None
    switches: tuple[tuple[int, Tiers], ...] = ()
    demand_reset: bool = False
    self_read: bool = False
    dst: bool | None = None


class Calendar:
    """The calendar of one configuration. Dates and times are local, as the clock on a wall shows them.

    Args:
        st51: value of ST51, or None.
        st53: of ST53, or None.
        st54: of ST54, or None.

    Attributes:
        zone: local standard time minus GMT, seconds.
        dst_shift: what daylight saving time adds, seconds.
        has_dst: whether the device switches daylight saving time.
    """

    def __init__(self, st51: Any, st53: Any, st54: Any) -> None:
        self.zone = 60 * (getattr(st53, "TIME_ZONE_OFFSET", None) or 0)
        self.dst_shift = 60 * (getattr(st53, "DST_TIME_AMT", None) or 0)
        self._dst_begins = getattr(st53, "DST_TIME_EFF", None) or dt.time(2)
        self._dst_ends = getattr(st53, "STD_TIME_EFF", None) or self._dst_begins
        self._separate = st51 is not None and bool(st51.TIME_FUNC_FLAG2.SEPARATE_SUM_DEMANDS_FLAG)
        anchor = getattr(st54, "ANCHOR_DATE", None)
        self._anchor = anchor if isinstance(anchor, dt.date) else None
        self._dates = _until_end(getattr(st54, "NON_RECURR_DATES", None) or ())
        self._recurring = _until_end(getattr(st54, "RECURR_DATES", None) or ())
        self._matrix: tuple[Any, ...] = getattr(st54, "DAILY_SCHEDULE_ID_MATRIX", None) or ()
        self._schedules: dict[int, list[tuple[int, Any]]] = {}
        for entry in getattr(st54, "TIER_SWITCHES", None) or ():
            switch = entry.TIER_SWITCH
            if switch.SWITCH_HOUR < 24 and switch.SWITCH_MIN < 60:
                self._schedules.setdefault(entry.DAY_SCH_NUM, []).append(
                    (60 * switch.SWITCH_HOUR + switch.SWITCH_MIN, switch)
                )
        automatic = st51 is not None and bool(st51.TIME_FUNC_FLAG2.CAP_DST_AUTO_FLAG)
        self.has_dst = automatic and bool(self.dst_shift) and any(_control(a) in (1, 2) for a in self._all_actions())
        self._years: dict[int, dict[dt.date, list[Any]]] = {}
        self._days: dict[dt.date, Day] = {}
        self._dst: dict[dt.date, bool] = {}

    def _all_actions(self) -> Iterator[Any]:
        yield from self._dates
        yield from self._recurring

    @property
    def has_tiers(self) -> bool:
        """Whether tiers switch at all."""
        return bool(self._schedules and self._matrix)

    def day(self, date: dt.date) -> Day:
        """Return what the calendar says about a day."""
        found = self._days.get(date)
        if found is None:
            if len(self._days) >= _REMEMBERED:
                self._days.clear()
            found = self._days[date] = self._make(date)
        return found

    def _make(self, date: dt.date) -> Day:
        actions = [action for entry in self._on(date) if (action := entry.CALENDAR_ACTION)]
        controls = [action.CALENDAR_CTRL for action in actions]
        special = next((control - 19 for control in controls if 19 <= control <= 30), None)
        season = self._season(date)
        return Day(
            season,
            special,
            self._switches(date, season, special),
            demand_reset=any(action.DEMAND_RESET_FLAG for action in actions),
            self_read=any(action.SELF_READ_FLAG for action in actions),
            dst=next((control == 1 for control in controls if control in (1, 2)), None),
        )

    def _on(self, date: dt.date) -> list[Any]:
        """Return the entries of a day, first the one that outdoes the others."""
        fixed = [entry for entry in self._dates if date == entry.NON_RECURR_DATE]
        return [*reversed(fixed), *reversed(self._recurring_in(date.year).get(date, []))]

    def _recurring_in(self, year: int) -> dict[dt.date, list[Any]]:
        """Return the recurring entries of a year by date, in the order of the list."""
        found = self._years.get(year)
        if found is None:
            if len(self._years) >= _REMEMBERED_YEARS:
                self._years.clear()
            found = self._years[year] = {}
            for entry in self._recurring:
                for date in resolve(entry.RECURR_DATE, year, self._anchor) if entry.RECURR_DATE is not None else ():
                    found.setdefault(date, []).append(entry)
        return found

    def _season(self, date: dt.date) -> int:
        if not any(3 <= _control(entry) <= 18 for entry in self._all_actions()):
            return 0
        for _ in range(_BACK):
            known = self._days.get(date)
            if known is not None:
                return known.season
            for entry in self._on(date):
                if 3 <= _control(entry) <= 18:
                    return _control(entry) - 3
            date -= _DAY
        return 0

    def _switches(self, date: dt.date, season: int, special: int | None) -> tuple[tuple[int, Tiers], ...]:
        if season >= len(self._matrix):
            return ()
        row = self._matrix[season]
        if special is not None and special < len(row.SPECIAL_SCHEDULE or ()):
            number = row.SPECIAL_SCHEDULE[special]
        else:
            number = _of_weekday(row, date)
        tiers = Tiers()
        switches = []
        for minute, switch in sorted(self._schedules.get(number, ()), key=lambda entry: entry[0]):
            both = not self._separate
            tiers = Tiers(
                switch.NEW_TIER if both or switch.SUMMATION_SWITCH_FLAG else tiers.summation,
                switch.NEW_TIER if both or switch.DEMANDS_SWITCH_FLAG else tiers.demand,
            )
            switches.append((minute, tiers))
        return tuple(switches)

    def tiers(self, when: dt.datetime) -> Tiers:
        """Return the tiers in effect at a local time."""
        if not self.has_tiers:
            return Tiers()
        minute = 60 * when.hour + when.minute
        date = when.date()
        for _ in range(8):
            passed = [tiers for start, tiers in self.day(date).switches if start <= minute]
            if passed:
                return passed[-1]
            date -= _DAY
            minute = 24 * 60
        return Tiers()

    def next_switch(self, when: dt.datetime) -> dt.datetime:
        """Return the local time of the next switch or midnight, whichever comes first."""
        today, now = when.replace(hour=0, minute=0, second=0, microsecond=0), 60 * when.hour + when.minute
        for minute, _ in self.day(when.date()).switches if self.has_tiers else ():
            if minute > now:
                return today + dt.timedelta(minutes=minute)
        return today + _DAY

    def is_dst(self, standard: dt.datetime) -> bool:
        """Return whether daylight saving time is in effect.

        Args:
            standard: local standard time.
        """
        if not self.has_dst:
            return False
        date = standard.date()
        begins = self.day(date).dst
        if begins is None:
            return self._dst_before(date)
        # It ends at a time of day that the clock on the wall shows while it is still on.
        shift = dt.timedelta() if begins else dt.timedelta(seconds=self.dst_shift)
        effective = dt.datetime.combine(date, self._dst_begins if begins else self._dst_ends) - shift
        return begins if standard >= effective else not begins

    def _dst_before(self, date: dt.date) -> bool:
        """Return whether it is on when a day begins."""
        found = self._dst.get(date)
        if found is None:
            if len(self._dst) >= _REMEMBERED:
                self._dst.clear()
            earlier = (self.day(date - back * _DAY).dst for back in range(1, _BACK))
            found = self._dst[date] = next((begins for begins in earlier if begins is not None), False)
        return found


def calendar_of(shape: Shape) -> Calendar:
    """Return the calendar of a configuration. For `Shape.derived`."""
    return Calendar(shape.value("ST51"), shape.value("ST53"), shape.value("ST54"))


def _until_end(entries: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    for entry in entries:
        if _control(entry) == _END_OF_LIST:
            break
        kept.append(entry)
    return kept


def _control(entry: Any) -> int:
    return int(entry.CALENDAR_ACTION.CALENDAR_CTRL)


def _weekday(date: dt.date) -> int:
    return date.isoweekday() % 7


_NAMES: Final = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")


def _of_weekday(row: Any, date: dt.date) -> int:
    name = _NAMES[_weekday(date)]
    number = getattr(row, f"{name}_SCHEDULE", None)
    return int(row.WEEKDAY_SCHEDULE if number is None else number)
