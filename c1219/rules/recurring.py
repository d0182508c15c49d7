"""Recurring dates (RDATE) as dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.values import RecurringDate

__all__ = ["resolve"]

_DAY = dt.timedelta(days=1)
_SATURDAY, _SUNDAY = 6, 0


def _weekday(date: dt.date) -> int:
    """Return the weekday as the standard counts: 0 Sunday .. 6 Saturday."""
    return date.isoweekday() % 7


def resolve(rule: RecurringDate, year: int, anchor: dt.date | None = None) -> tuple[dt.date, ...]:
    """Return the dates of one year on which a recurring date falls, in order.

    A date that the calendar does not have (30 February) does not occur. Readings of ours: OFFSET 1 leaves a date that
    is the weekday already where it is, and a PERIOD of 0 is one date. OFFSET is known from one source.

    Args:
        rule: the RDATE.
        year: 1..9999.
        anchor: ST54.ANCHOR_DATE, from which a periodic date (MONTH 15) counts.

    Returns:
        The dates; none if MONTH is 0 (a period in minutes), if the weekday that is needed is unassigned (7), or if
        there is no anchor for a periodic date.
    """
    if rule.MONTH == 15:
        return tuple(_periodic(rule, year, anchor))
    if rule.MONTH == 14:
        return tuple(_weekly(rule.WEEKDAY, year))
    if not 1 <= rule.MONTH <= 13:
        return ()
    found: set[dt.date] = set()
    for month_year in (year - 1, year, year + 1):  # an offset may lead into the next year, or the last
        for month in range(1, 13) if rule.MONTH == 13 else (rule.MONTH,):
            try:
                date = dt.date(month_year, month, rule.DAY or 0)
                found.update(_moved(date, rule.OFFSET or 0, rule.WEEKDAY))
            except (ValueError, OverflowError):
                continue
    return tuple(sorted(date for date in found if date.year == year))


def _periodic(rule: RecurringDate, year: int, anchor: dt.date | None) -> Iterator[dt.date]:
    if anchor is None:
        return
    period, delta = rule.PERIOD or 0, rule.DELTA or 0
    ordinal = anchor.toordinal() + delta
    first, last = dt.date(year, 1, 1).toordinal(), dt.date(year, 12, 31).toordinal()
    if period and ordinal < first:
        ordinal += -((ordinal - first) // period) * period
    while first <= ordinal <= last:
        yield dt.date.fromordinal(ordinal)
        if not period:
            return
        ordinal += period


def _weekly(weekday: int | None, year: int) -> Iterator[dt.date]:
    if weekday is None or weekday > 6:
        return
    ordinal = dt.date(year, 1, 1).toordinal()
    ordinal += (weekday - _weekday(dt.date(year, 1, 1))) % 7
    last = dt.date(year, 12, 31).toordinal()
    for day in range(ordinal, last + 1, 7):
        yield dt.date.fromordinal(day)


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
