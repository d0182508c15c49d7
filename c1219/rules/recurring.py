"""Recurring dates (RDATE) as dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1219.values import RecurringDate

__all__ = ["Monthly", "monthly", "only_day", "ordinals", "resolve"]

_DAY = dt.timedelta(days=1)
_SATURDAY, _SUNDAY = 6, 0

_EVERY_MONTH: Final = 13
_FROM_DAY: Final = range(2, 6)
"""OFFSET: the first, second, third or fourth such weekday from DAY on."""
_LAST_OF_MONTH: Final = 6


def _weekday(date: dt.date) -> int:
    """Return the weekday as the standard counts: 0 Sunday .. 6 Saturday."""
    return date.isoweekday() % 7


def resolve(rule: RecurringDate, year: int, anchor: dt.date | None = None) -> tuple[dt.date, ...]:
    """Return the dates of one year on which a recurring date falls, in order; see `ordinals`."""
    return tuple(map(dt.date.fromordinal, ordinals(rule, year, anchor)))


def ordinals(rule: RecurringDate, year: int, anchor: dt.date | None = None) -> Sequence[int]:
    """Return the days of one year on which a recurring date falls, in order.

    A date that the calendar does not have (30 February) does not occur. Readings of ours: OFFSET 1 leaves a date that
    is the weekday already where it is, and a PERIOD of 0 is one date. OFFSET is known from one source.

    Args:
        rule: the RDATE.
        year: 1..9999.
        anchor: ST54.ANCHOR_DATE, from which a periodic date (MONTH 15) counts.

    Returns:
        Proleptic ordinals (`datetime.date.toordinal`), a range where the days are equally far apart; none if MONTH is 0
        (a period in minutes), if the weekday that is needed is unassigned (7), or if there is no anchor for a periodic
        date.
    """
    first, last = dt.date(year, 1, 1).toordinal(), dt.date(year, 12, 31).toordinal()
    if rule.MONTH == 15:
        return _periodic(rule, first, last, anchor)
    if rule.MONTH == 14:
        if rule.WEEKDAY is None or rule.WEEKDAY > 6:
            return ()
        return range(first + (rule.WEEKDAY - first) % 7, last + 1, 7)  # ordinal 7 is a Sunday
    days: set[int] = set()
    # An offset may lead into the next year, or the last.
    for near, month in ((year - 1, 12), *((year, month) for month in range(1, 13)), (year + 1, 1)):
        if rule.MONTH in (month, 13):
            try:
                date = dt.date(near, month, rule.DAY or 0)
                days.update(day.toordinal() for day in _moved(date, rule.OFFSET or 0, rule.WEEKDAY))
            except (ValueError, OverflowError):
                continue
    return sorted(day for day in days if first <= day <= last)


def only_day(rule: RecurringDate, anchor: dt.date | None = None) -> int | None:
    """Return the day (a proleptic ordinal) of a date that comes only once, None if it recurs or never comes."""
    if rule.MONTH != 15 or rule.PERIOD or anchor is None:
        return None
    return anchor.toordinal() + (rule.DELTA or 0)


class Monthly(NamedTuple):
    """A date of one month, or of every month.

    Attributes:
        month: 1..12; None for every month.
        day: the day, or with a weekday the first that it may be; None for the last of the month.
        weekday: 0 Sunday .. 6 Saturday, or as the standard counts above that; None where the day alone decides.
    """

    month: int | None
    day: int | None
    weekday: int | None


def monthly(rule: RecurringDate) -> Monthly | None:
    """Return a recurring date as the weekday of a month that it is; None if it is of another kind."""
    if not 1 <= rule.MONTH <= _EVERY_MONTH or rule.DAY is None or rule.OFFSET is None:
        return None
    month = None if rule.MONTH == _EVERY_MONTH else rule.MONTH
    if rule.OFFSET == 0:
        return Monthly(month, rule.DAY, None)
    if rule.OFFSET in _FROM_DAY:
        return Monthly(month, rule.DAY + 7 * (rule.OFFSET - _FROM_DAY[0]), rule.WEEKDAY)
    return Monthly(month, None, rule.WEEKDAY) if rule.OFFSET == _LAST_OF_MONTH else None


def _periodic(rule: RecurringDate, first: int, last: int, anchor: dt.date | None) -> Sequence[int]:
    if anchor is None:
        return ()
    period, begin = rule.PERIOD or 0, anchor.toordinal() + (rule.DELTA or 0)
    if not period:
        return range(begin, begin + (first <= begin <= last))
    return range(max(begin, first + (begin - first) % period), last + 1, period)


def _moved(date: dt.date, offset: int, weekday: int | None) -> Iterator[dt.date]:
    """Yield the dates that OFFSET makes of a date."""
    own = _weekday(date)
    if offset == 0:
        yield date
    elif offset <= 6:
        if weekday is None or weekday > 6:
            return
        if offset == 1:
            yield date - _DAY * ((own - weekday) % 7)
        elif offset == 6:
            last = (date.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
            yield last - _DAY * ((_weekday(last) - weekday) % 7)
        else:
            yield date + _DAY * ((weekday - own) % 7 + 7 * (offset - 2))
    elif offset == 7:
        yield from (date, date + _DAY)
    elif offset == 15:
        yield date + _DAY
    else:
        yield date + _DAY * _OFF_WEEKEND[offset].get(own, 0)


_OFF_WEEKEND: dict[int, dict[int, int]] = {
    8: {_SUNDAY: 1},
    9: {_SUNDAY: -2},
    10: {_SATURDAY: 2},
    11: {_SATURDAY: -1},
    12: {_SATURDAY: 2, _SUNDAY: 1},
    13: {_SATURDAY: -1, _SUNDAY: -2},
    14: {_SATURDAY: -1, _SUNDAY: 1},
}
"""Days by which OFFSET 8..14 moves a date that is a Saturday or a Sunday."""
