"""Wall times and instants: a wall time, a hint and a zone make an instant; an instant makes a wall time again.

Nothing else in these packages knows of time zones. Instants are aware and have a fixed offset: two times that share a
`zoneinfo.ZoneInfo` would be compared and subtracted by their wall clocks (PEP 495; Python, datetime, supported
operations). Wall times are naive; ``fold`` says which of the two is meant in an hour that occurs twice.

How ST52 and ST55 say what a time is, by TIME_DATE_QUAL (a reading of ours): with GMT_FLAG it is UTC; otherwise UTC is
the time minus ST53.TIME_ZONE_OFFSET if TM_ZN_APPLIED_FLAG, and minus ST53.DST_TIME_AMT if DST_APPLIED_FLAG while
daylight saving time is in effect.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.caches import remembered
from c1219.errors import UnknownZone

if TYPE_CHECKING:
    from c1219.rules.calendar import Calendar

__all__ = [
    "ClockOffsets",
    "TimeQuality",
    "Timekeeping",
    "clock_offsets",
    "counts",
    "dst_shown",
    "naive_utc",
    "time_quality",
    "utc",
    "without_zone",
    "zone_named",
    "zone_offset",
]

_NONE = dt.timedelta(0)
_DAY = dt.timedelta(days=1)
_WIDEST = dt.timedelta(hours=23)
_QUARTERS = tuple(dt.timedelta(days=days) for days in (-182, -91, 91, 182))
"""Where to look for the other half of the year."""


def zone_named(name: str) -> dt.tzinfo:
    """Return a time zone of the IANA database.

    Args:
        name: for example ``America/Denver``.

    Raises:
        UnknownZone: there is no such zone, or no database on this machine.
    """
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        if not zoneinfo.available_timezones():
            text = "this machine has no database of time zones; the Python package tzdata brings one"
            raise UnknownZone(text) from None
        raise UnknownZone(f"there is no time zone {name!r}") from None


def naive_utc(time: dt.datetime) -> dt.datetime:
    """Return an aware time in UTC, naive."""
    return without_zone(time.astimezone(dt.UTC))


def utc(time: dt.datetime) -> dt.datetime:
    """Return a naive time in UTC, aware."""
    return time.replace(tzinfo=dt.UTC)


def without_zone(time: dt.datetime) -> dt.datetime:
    """Return a time as a clock shows it, naive."""
    return time.replace(tzinfo=None)


@remembered(256)
def _fixed(offset: dt.timedelta) -> dt.timezone:
    return dt.timezone(offset)


def _at_offset(time: dt.datetime, offset: dt.timedelta) -> dt.datetime:
    """Give a time in UTC (naive) an offset."""
    return (time + offset).replace(tzinfo=_fixed(offset))


def zone_offset(zone: dt.tzinfo, time: dt.datetime) -> tuple[dt.timedelta, dt.timedelta]:
    """Return the standard offset of a zone, and what daylight saving time adds to it.

    A zone whose winter time counts as the shifted one (Europe/Dublin) is taken like the others.

    Args:
        zone: the zone.
        time: in UTC, naive.
    """

    def at(moment: dt.datetime) -> tuple[dt.timedelta, dt.timedelta]:
        local = utc(moment).astimezone(zone)
        return local.utcoffset() or _NONE, local.dst() or _NONE

    offset, shift = at(time)
    if not shift and not isinstance(zone, dt.timezone):
        shift = -min(_NONE, *(at(time + quarter)[1] for quarter in _QUARTERS))
    shift = max(_NONE, shift)
    return offset - shift, shift


class ClockOffsets(NamedTuple):
    """What ST53 says of the place of a meter.

    Attributes:
        zone: local standard time minus UTC; None if that is not known, or is no time zone.
        dst_amount: what daylight saving time adds.
    """

    zone: dt.timedelta | None
    dst_amount: dt.timedelta


def clock_offsets(st53: Any) -> ClockOffsets:
    """Return the time zone of a meter, and its daylight saving shift.

    Args:
        st53: value of ST53, None if it is not here.
    """
    if st53 is None:
        return ClockOffsets(None, _NONE)
    amount = dt.timedelta(minutes=st53.DST_TIME_AMT)
    if not isinstance(st53.TIME_ZONE_OFFSET, int):
        return ClockOffsets(None, amount)
    zone = dt.timedelta(minutes=st53.TIME_ZONE_OFFSET)
    return ClockOffsets(zone if -_WIDEST < zone < _WIDEST - amount else None, amount)


class TimeQuality(NamedTuple):
    """What a time is, by TIME_DATE_QUAL.

    Attributes:
        utc: it is UTC.
        zone_applied: the offset of the zone is in it.
        dst_applied: the daylight saving shift is in it while it is in effect.
        dst: daylight saving time is in effect.
        has_dst: the device may switch to daylight saving time at all.
    """

    utc: bool
    zone_applied: bool
    dst_applied: bool
    dst: bool
    has_dst: bool


def counts(st0: Any) -> bool:
    """Say whether times of a device are counters (TM_FORMAT 3 and 4), which count UTC.

    Args:
        st0: value of ST0.
    """
    return st0.FORMAT_CONTROL_2.TM_FORMAT in (3, 4)


def dst_shown(qualifier: Any) -> bool | None:
    """Say whether what a clock shows is daylight saving time.

    Args:
        qualifier: TIME_DATE_QUAL; None if it is not known.
    """
    return None if qualifier is None else bool(qualifier.DST_FLAG)


def time_quality(qualifier: Any, *, counter: bool, version: int = 0) -> TimeQuality:
    """Say what a time is. Counters are UTC whatever the flags say.

    Args:
        qualifier: TIME_DATE_QUAL.
        counter: the time is a counter of UTC.
        version: ST0.STD_VERSION_NO; before 2 there was no DST_SUPPORTED_FLAG.
    """
    utc, dst = counter or bool(qualifier.GMT_FLAG), bool(dst_shown(qualifier))
    return TimeQuality(
        utc,
        not utc and bool(qualifier.TM_ZN_APPLIED_FLAG),
        not utc and bool(qualifier.DST_APPLIED_FLAG),
        dst,
        version <= 1 or dst or bool(qualifier.DST_SUPPORTED_FLAG),
    )


class Timekeeping:
    """How the times of one meter relate to UTC.

    Attributes:
        utc: its times are UTC.
        zone: local standard time minus UTC; None if that is not known.
        zone_applied: the zone is in its times.
        dst_applied: the daylight saving shift is in its times while it is in effect.
        dst_amount: that shift.
        dst_now: daylight saving time was in effect when ST52 or ST55 was read; None if neither is here.
        calendar: its calendar, which says when daylight saving time begins and ends; None if there is none.
        local: zone that the caller gave; overrides what the tables say.
    """

    def __init__(
        self,
        *,
        utc: bool = False,
        zone: dt.timedelta | None = None,
        zone_applied: bool = True,
        dst_applied: bool = True,
        dst_amount: dt.timedelta = _NONE,
        dst_now: bool | None = None,
        calendar: Calendar | None = None,
        local: dt.tzinfo | None = None,
    ) -> None:
        self.utc = utc
        self.zone = zone
        self.zone_applied = zone_applied
        self.dst_applied = dst_applied
        self.dst_amount = dst_amount
        self.dst_now = dst_now
        self.calendar = calendar
        self.local = local

    @property
    def has_rule(self) -> bool:
        """Whether it is known when daylight saving time is in effect, now and at other times."""
        if not self.dst_amount or self.local is not None:
            return True
        return self.calendar is not None and self.calendar.tells_dst

    @property
    def known(self) -> bool:
        """Whether times can be made aware: `instant` gives a time, if need be with a hint on daylight saving time."""
        return self.utc or self.local is not None or self.zone is not None or not self.zone_applied

    def in_dst(self, wall: dt.datetime, *, second: bool = False) -> bool | None:
        """Say whether the calendar has daylight saving time in effect at a local wall time, None if it does not say.

        Args:
            wall: naive.
            second: of an hour that occurs twice the second is meant; so it is if ``wall.fold`` is 1.
        """
        if not self.dst_amount:
            return False
        if self.calendar is None:
            return None
        return self.calendar.is_dst(wall, self.dst_amount if second or wall.fold else _NONE)

    def _in_dst_standard(self, standard: dt.datetime) -> bool | None:
        """Say the same for a time that is always standard time."""
        return self.in_dst(standard, second=True)

    def in_effect(self, time: dt.datetime) -> bool | None:
        """Say whether daylight saving time is in effect at an instant, None if that is not known."""
        moment = naive_utc(time)
        if self.local is not None:
            return zone_offset(self.local, moment)[1] > _NONE
        return None if self.zone is None else self._in_dst_standard(moment + self.zone)

    def shift_around(self, time: dt.datetime) -> dt.timedelta:
        """Return by how much the offset from UTC changes at most within half a year of an instant."""
        if self.local is None:
            return self.dst_amount
        around = [sum(zone_offset(self.local, naive_utc(time) + away), _NONE) for away in (_NONE, *_QUARTERS)]
        return max(around) - min(around)

    def instant(self, time: dt.datetime, dst: bool | None = None) -> dt.datetime | None:
        """Make a time of the meter aware.

        Args:
            time: naive, as decoded. Of two instants that it may mean, it is the first, or the second if ``fold`` is 1.
            dst: whether daylight saving time was in effect then, if that is known; None to use the rule. With
                a zone of the caller it only decides between two instants that have the same wall time.

        Returns:
            The time with the offset of the meter's place, or in UTC if only that is known; None if the offset from
            UTC is not known, or whether daylight saving time was in effect.
        """
        try:
            if self.utc:
                return self.localize(time, dst)
            if self.local is not None:
                moment = _in_utc(time, self.local, dst, zone_applied=self.zone_applied, dst_applied=self.dst_applied)
                return self.localize(moment)
            standard = time
            if self.dst_applied and self.dst_amount:
                if dst is None:
                    dst = self.in_dst(time) if self.zone_applied else self._in_dst_standard(time)
                if dst is None:
                    return None
                if dst:
                    standard = time - self.dst_amount
            if not self.zone_applied:
                return self.localize(standard, dst)
            return None if self.zone is None else self.localize(standard - self.zone, dst)
        except OverflowError:
            return None

    def candidates(self, time: dt.datetime) -> tuple[dt.datetime, ...]:
        """Return the instants that a time of the meter may mean, the earlier first; two where no rule decides.

        Args:
            time: naive, as decoded.
        """
        by_rule = [self.instant(time.replace(fold=fold)) for fold in (0, 1)]
        if None in by_rule:
            by_rule = [self.instant(time, dst) for dst in (True, False)]
        return tuple(sorted({moment for moment in by_rule if moment is not None}))

    def localize(self, time: dt.datetime, dst: bool | None = None) -> dt.datetime:
        """Give a time in UTC (naive) the offset of the meter's place; UTC if that is not known.

        Args:
            time: in UTC, naive.
            dst: whether daylight saving time was in effect then, if that is known; None to use the rule.
        """
        if self.local is not None:
            return _at_offset(time, utc(time).astimezone(self.local).utcoffset() or _NONE)
        if self.zone is None:
            return utc(time)
        if dst is None:
            dst = self._in_dst_standard(time + self.zone)
        return _at_offset(time, self.zone + self.dst_amount if dst else self.zone)

    def placed(self, aware: dt.datetime) -> dt.datetime:
        """Give an instant the offset of the meter's place, as `localize` does."""
        return self.localize(naive_utc(aware))

    def wall(self, aware: dt.datetime) -> dt.datetime | None:
        """Return the local wall time of the meter's place at an instant, naive; None if the zone is not known."""
        if self.local is not None:
            return without_zone(aware.astimezone(self.local))
        if self.zone is None:
            return None
        return without_zone(self.localize(naive_utc(aware)))

    def of_wall(self, wall: dt.datetime) -> dt.datetime:
        """Return the instant of a local wall time of the meter's place, in UTC; an unknown zone counts as none.

        Args:
            wall: naive; of an hour that occurs twice the first is meant, the second if ``fold`` is 1.
        """
        if self.local is not None:
            return utc(_in_utc(wall, self.local))
        shift = self.dst_amount if self.in_dst(wall) else _NONE
        return utc(wall - (self.zone or _NONE) - shift)

    def shown(self, aware: dt.datetime) -> dt.datetime | None:
        """Return what the clock of the meter shows at an instant, naive; None if its zone is not known."""
        moment = naive_utc(aware)
        if self.utc:
            return moment
        if self.local is not None:
            standard, shift = zone_offset(self.local, moment)
        elif self.zone is not None:
            standard, shift = self.zone, self.dst_amount if self._in_dst_standard(moment + self.zone) else _NONE
        elif not self.zone_applied:
            standard, shift = _NONE, self.dst_amount if self.dst_now else _NONE
        else:
            return None
        return moment + (standard if self.zone_applied else _NONE) + (shift if self.dst_applied else _NONE)


def _in_utc(
    time: dt.datetime,
    zone: dt.tzinfo,
    dst: bool | None = None,
    *,
    zone_applied: bool = True,
    dst_applied: bool = True,
) -> dt.datetime:
    """Return the instant of a time in a zone, in UTC and naive.

    Where the time occurs twice, or is skipped, `dst` says which is meant; without it, ``fold`` does.

    Args:
        time: naive.
        zone: where it was shown.
        dst: whether daylight saving time was in effect then; None if that is not known.
        zone_applied: the standard offset of the zone is in the time.
        dst_applied: the daylight saving shift is in the time while it is in effect.
    """

    def offset(moment: dt.datetime) -> tuple[dt.timedelta, bool]:
        standard, shift = zone_offset(zone, moment)
        applied = (standard if zone_applied else _NONE) + (shift if dst_applied else _NONE)
        return applied, shift > _NONE

    plain = time.replace(fold=0)
    sides = [offset(plain - _DAY), offset(plain + _DAY)]  # before and after a change of offset, if there is one near
    fits = [side for side in sides if offset(plain - side[0])[0] == side[0]]
    if len(fits) == 1:
        return plain - fits[0][0]
    if dst is not None and sides[0][1] != sides[1][1]:
        return plain - sides[sides[0][1] != dst][0]
    return plain - sides[time.fold][0]
