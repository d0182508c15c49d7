"""The calendar of a simulated meter: what `c1219.rules.calendar` says, looked up fast, and standard values without one.

A meter is always in some season and tier; before the first that its calendar gives it takes what `Calendar` assumes.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.caches import BoundedDict
from c1219.rules.calendar import Calendar

if TYPE_CHECKING:
    from c1222.node.meter.configuration import Shape

__all__ = ["MeterCalendar", "MeterDay", "Tiers", "calendar_of"]

_DAY: Final = dt.timedelta(days=1)
_REMEMBERED: Final = 4096


class Tiers(NamedTuple):
    """The tiers in effect: of summations and of demands; they differ only where the device switches them apart."""

    summation: int = 0
    demand: int = 0


class MeterDay(NamedTuple):
    """What the calendar says about one day.

    Attributes:
        season: in effect on it, 0..15.
        special: special schedule of the day, None for none.
        demand_reset: ordered for the beginning of the day.
        self_read: likewise.
    """

    season: int = 0
    special: int | None = None
    demand_reset: bool = False
    self_read: bool = False


class MeterCalendar:
    """The calendar of one configuration. Dates and times are local, as the clock on a wall shows them.

    Args:
        st51: value of ST51, or None.
        st53: of ST53, or None.
        st54: of ST54, or None.

    Attributes:
        rules: what the tables say; None without them.
    """

    def __init__(self, st51: Any, st53: Any, st54: Any) -> None:
        self.rules = None if st51 is None or st54 is None else Calendar(st51, st54, st53, assumed=True)
        self._days: BoundedDict[dt.date, MeterDay] = BoundedDict(_REMEMBERED)

    def day(self, date: dt.date) -> MeterDay:
        """Return what the calendar says about a day."""
        if self.rules is None:
            return MeterDay()
        found = self._days.get(date)
        if found is None:
            day = self.rules.day(date)
            found = self._days[date] = MeterDay(day.season or 0, day.special, day.demand_reset, day.self_read)
        return found

    def tiers(self, when: dt.datetime) -> Tiers:
        """Return the tiers in effect at a local time."""
        if self.rules is None:
            return Tiers()
        return Tiers(self.rules.tier(when) or 0, self.rules.tier(when, "demand") or 0)

    def next_switch(self, when: dt.datetime) -> dt.datetime:
        """Return the local time of the next switch or midnight, whichever comes first."""
        midnight = when.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        if self.rules is None:
            return midnight
        coming = (*self.rules.next_switches(when, 1, days=1), *self.rules.next_switches(when, 1, "demand", days=1))
        return min((change.time for change in coming), default=midnight)


def calendar_of(shape: Shape) -> MeterCalendar:
    """Return the calendar of a configuration. For `Shape.derived`."""
    return MeterCalendar(shape.value("ST51"), shape.value("ST53"), shape.value("ST54"))
