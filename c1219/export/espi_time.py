"""LocalTimeParameters of ESPI: offset from UTC, and the rules of daylight saving time as 32 bits.

A rule is a number of bit spans: 0..11 seconds of the hour, 12..16 hour, 17..19 weekday (1 Monday .. 7 Sunday, 0 none),
20..24 day of the month, 25..27 operator, 28..31 month. Operators: 0 on the day of the month, 1 on the weekday on or
after it, 2..6 on the first .. fifth weekday of the month, 7 on the last. FFFFFFFF is no rule. From memory of the
schema; the numbers in use in the United States, 360E2000 and B40E2000, are the second Sunday of March and the first of
November at 2:00 by it.
"""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from c1219.errors import Finding
from c1219.rules.timekeeping import zone_offset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.rules.timekeeping import Timekeeping

__all__ = ["NO_RULE", "LocalTime", "local_time", "rule"]

NO_RULE = 0xFFFFFFFF
_YEARS = range(-2, 6)
"""Years around that of the data in which a rule has to hold."""
_FIRST, _LAST, _ON_OR_AFTER, _ON_DAY = 2, 7, 1, 0


class LocalTime(NamedTuple):
    """The four values of LocalTimeParameters.

    Attributes:
        zone: local standard time minus UTC, in seconds.
        dst_amount: shift while daylight saving time is in effect, in seconds.
        dst_start: rule of its beginning, by wall time before it.
        dst_end: rule of its end, likewise.
    """

    zone: int
    dst_amount: int
    dst_start: int
    dst_end: int


def local_time(times: Timekeeping, year: int, findings: list[Finding]) -> LocalTime | None:
    """Return what is known of local time, None if the offset from UTC is not known.

    Args:
        times: how the times of the meter relate to UTC.
        year: of the data.
        findings: where to say what has no form in ESPI.
    """
    year = min(max(year, 1970), 9000)  # a clock that is far out says nothing of its place
    years = [year + near for near in _YEARS]
    if times.local is not None:
        return _of_zone(times.local, year, years, findings)
    if times.zone is None:
        text = "the offset of local time from UTC is not known: there are no LocalTimeParameters"
        findings.append(Finding("note", "zone-unknown", "ST53.TIME_ZONE_OFFSET", None, text))
        return None
    zone, amount = int(times.zone.total_seconds()), int(times.dst_amount.total_seconds())
    if not amount:
        return LocalTime(zone, 0, NO_RULE, NO_RULE)
    plan = times.calendar
    changes = [change for other in years for change in plan.dst_changes(other)] if plan is not None else []
    starts = [change.time for change in changes if change.on]
    ends = [change.time for change in changes if not change.on]
    return _with_rules(zone, amount, year, starts, ends, findings)


def _of_zone(local: dt.tzinfo, year: int, years: list[int], findings: list[Finding]) -> LocalTime:
    offsets = sorted({offset for _, offset in _days(local, year)})
    zone, amount = offsets[0], offsets[-1] - offsets[0]
    starts: list[dt.datetime] = []
    ends: list[dt.datetime] = []
    for other in years:
        before: tuple[dt.datetime, int] | None = None
        for utc, offset in _days(local, other):
            if before is not None and before[1] != offset:
                moment = _change(local, before[0], utc) + dt.timedelta(seconds=before[1])
                (starts if offset > before[1] else ends).append(moment)
            before = utc, offset
    if not amount:
        return LocalTime(zone, 0, NO_RULE, NO_RULE)
    return _with_rules(zone, amount, year, starts, ends, findings)


def _days(local: dt.tzinfo, year: int) -> Iterator[tuple[dt.datetime, int]]:
    """Yield midnight UTC of each day of a year, naive, and the offset there in seconds."""
    start = dt.datetime(year, 1, 1)  # noqa: DTZ001  UTC
    for day in range(366 if calendar.isleap(year) else 365):
        utc = start + dt.timedelta(days=day)
        yield utc, _offset(local, utc)


def _offset(local: dt.tzinfo, utc: dt.datetime) -> int:
    return int(sum(zone_offset(local, utc), dt.timedelta(0)).total_seconds())


def _change(local: dt.tzinfo, before: dt.datetime, after: dt.datetime) -> dt.datetime:
    """Return when the offset changes between two times, to the minute."""
    offset = _offset(local, before)
    low, high = 0, int((after - before).total_seconds()) // 60
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(local, before + dt.timedelta(minutes=middle)) == offset:
            low = middle
        else:
            high = middle
    return before + dt.timedelta(minutes=high)


def _with_rules(
    zone: int, amount: int, year: int, starts: list[dt.datetime], ends: list[dt.datetime], findings: list[Finding]
) -> LocalTime:
    now = [moment for moment in (*starts, *ends) if moment.year == year]
    start, end = rule(starts), rule(ends)
    if len(now) != 2 or start is None or end is None:
        text = f"when daylight saving time is in effect follows no rule of ESPI in and around {year}"
        findings.append(Finding("warning", "dst-rule", "ST54", None, text))
        return LocalTime(zone, 0, NO_RULE, NO_RULE)
    return LocalTime(zone, amount, start, end)


def rule(moments: list[dt.datetime]) -> int | None:
    """Return the rule that moments of several years follow, None if there is none.

    Args:
        moments: wall times before the change, one a year.
    """
    if not moments:
        return None
    first = moments[0]
    common = set.intersection(*(set(_candidates(moment)) for moment in moments))
    if len({(moment.month, moment.time()) for moment in moments}) > 1:
        return None
    for candidate in _candidates(first):
        if candidate in common:
            operator, day, weekday = candidate
            seconds = 60 * first.minute + first.second
            return first.month << 28 | operator << 25 | day << 20 | weekday << 17 | first.hour << 12 | seconds
    return None


def _candidates(moment: dt.datetime) -> Iterator[tuple[int, int, int]]:
    """Yield operator, day and weekday of the rules that one moment follows, the likeliest first."""
    weekday = moment.isoweekday()
    yield _FIRST + (moment.day - 1) // 7, 0, weekday
    if moment.day + 7 > calendar.monthrange(moment.year, moment.month)[1]:
        yield _LAST, 0, weekday
    for day in range(max(1, moment.day - 6), moment.day + 1):
        yield _ON_OR_AFTER, day, weekday
    yield _ON_DAY, moment.day, 0
