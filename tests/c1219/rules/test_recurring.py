from __future__ import annotations

import calendar
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.datatypes import RDATE
from c1219.rules.recurring import resolve
from c1219.values import RecurringDate
from c1219.wire import Formats

DAY = dt.timedelta(days=1)
ANCHOR = dt.date(2024, 1, 1)


def rule(octets):
    return RDATE.form(Formats()).decode(bytes.fromhex(octets))


def test_worked_examples():
    assert resolve(rule("33 08"), 2026) != ()
    for year in range(2020, 2030):
        sundays = [week[6] for week in calendar.monthcalendar(year, 3) if week[6]]
        assert resolve(rule("33 08"), year) == (dt.date(year, 3, sundays[1]),)
    assert resolve(rule("87 20"), 2027) == (dt.date(2027, 7, 5),)  # 4 July 2027 is a Sunday
    assert resolve(rule("87 20"), 2026) == (dt.date(2026, 7, 4),)
    fridays = resolve(rule("0E 05"), 2026)
    assert fridays[0] == dt.date(2026, 1, 2)
    assert {day.weekday() for day in fridays} == {calendar.FRIDAY}
    assert len(fridays) == 52
    periodic = resolve(rule("CF 0D"), 2024, ANCHOR)
    assert periodic[:3] == (dt.date(2024, 1, 4), dt.date(2024, 2, 1), dt.date(2024, 2, 29))
    assert resolve(rule("CF 0D"), 2025, ANCHOR)[0] - periodic[-1] == 28 * DAY
    assert resolve(rule("CF 0D"), 2023, ANCHOR) == ()
    assert resolve(rule("C0 03"), 2024) == ()  # every 60 minutes


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (0, ["2024-06-15"]),
        (1, ["2024-06-12"]),
        (2, ["2024-06-19"]),
        (3, ["2024-06-26"]),
        (4, ["2024-07-03"]),
        (5, ["2024-07-10"]),
        (6, ["2024-06-26"]),
        (7, ["2024-06-15", "2024-06-16"]),
        (8, ["2024-06-15"]),
        (10, ["2024-06-17"]),
        (11, ["2024-06-14"]),
        (12, ["2024-06-17"]),
        (13, ["2024-06-14"]),
        (14, ["2024-06-14"]),
        (15, ["2024-06-16"]),
    ],
)
def test_offsets_of_a_saturday(offset, expected):
    found = resolve(RecurringDate(6, OFFSET=offset, WEEKDAY=3, DAY=15), 2024)  # Wednesday
    assert [date.isoformat() for date in found] == expected


@pytest.mark.parametrize(("offset", "expected"), [(8, 17), (9, 14), (10, 16), (11, 16), (12, 17), (13, 14), (14, 17)])
def test_offsets_of_a_sunday(offset, expected):
    assert resolve(RecurringDate(6, OFFSET=offset, WEEKDAY=0, DAY=16), 2024) == (dt.date(2024, 6, expected),)


@pytest.mark.parametrize("offset", [1, 2])
def test_a_date_that_is_the_weekday_stays(offset):
    assert resolve(RecurringDate(6, OFFSET=offset, WEEKDAY=6, DAY=15), 2024) == (dt.date(2024, 6, 15),)


@pytest.mark.parametrize("weekday", range(7))
def test_every_weekday(weekday):
    """0 is Sunday: each weekday of a year, and each OFFSET that asks for one."""
    days = [dt.date(2024, 1, 1) + DAY * n for n in range(366)]
    own = [day for day in days if day.isoweekday() % 7 == weekday]
    assert resolve(RecurringDate(14, WEEKDAY=weekday), 2024) == tuple(own)
    for offset in range(1, 7):
        (found,) = resolve(RecurringDate(6, OFFSET=offset, WEEKDAY=weekday, DAY=12), 2024)
        expected = {
            1: [day for day in own if day <= dt.date(2024, 6, 12)][-1],
            6: [day for day in own if day.month == 6][-1],
        }
        assert found == expected.get(offset, [day for day in own if day >= dt.date(2024, 6, 12)][offset - 2])


def test_dates_that_do_not_occur():
    assert resolve(RecurringDate(2, OFFSET=0, WEEKDAY=0, DAY=30), 2024) == ()
    assert resolve(RecurringDate(2, OFFSET=0, WEEKDAY=0, DAY=29), 2023) == ()
    assert len(resolve(RecurringDate(13, OFFSET=0, WEEKDAY=0, DAY=31), 2023)) == 7
    assert resolve(RecurringDate(6, OFFSET=2, WEEKDAY=7, DAY=1), 2023) == ()
    assert resolve(RecurringDate(14, WEEKDAY=7), 2023) == ()
    assert resolve(RecurringDate(15, PERIOD=7, DELTA=0), 2023) == ()
    assert resolve(RecurringDate(15, PERIOD=0, DELTA=1), 2024, ANCHOR) == (dt.date(2024, 1, 2),)


def dates(rule: RecurringDate, anchor: dt.date | None = None) -> list[str]:
    """The days of two years on which a rule falls."""
    return [str(date) for year in (2026, 2027) for date in resolve(rule, year, anchor)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RecurringDate(7, 0, 7, 4), ["2026-07-04", "2027-07-04"]),
        (RecurringDate(3, 3, 0, 1), ["2026-03-08", "2027-03-14"]),  # second Sunday of March
        (RecurringDate(11, 2, 0, 1), ["2026-11-01", "2027-11-07"]),  # first Sunday of November
        (RecurringDate(11, 5, 4, 1), ["2026-11-26", "2027-11-25"]),  # fourth Thursday: Thanksgiving
        (RecurringDate(5, 6, 1, 1), ["2026-05-25", "2027-05-31"]),  # last Monday: Memorial Day
        (RecurringDate(7, 8, 0, 4), ["2026-07-04", "2027-07-05"]),  # Monday after, if on a Sunday
        (RecurringDate(7, 14, 0, 4), ["2026-07-03", "2027-07-05"]),  # Saturday: Friday before
        (RecurringDate(7, 10, 0, 4), ["2026-07-06", "2027-07-04"]),  # Saturday: Monday after
        (RecurringDate(7, 13, 0, 4), ["2026-07-03", "2027-07-02"]),
        (RecurringDate(7, 1, 5, 4), ["2026-07-03", "2027-07-02"]),  # Friday on or before
        (RecurringDate(12, 15, 0, 31), ["2026-01-01", "2027-01-01"]),  # the day after New Year's Eve
        (RecurringDate(2, 0, 0, 29), []),  # no such day in either year
    ],
)
def test_yearly_dates(rule: RecurringDate, expected: list[str]) -> None:
    assert dates(rule) == expected


def test_dates_that_recur_oftener() -> None:
    assert dates(RecurringDate(7, 7, 0, 4))[:2] == ["2026-07-04", "2026-07-05"]
    monthly = dates(RecurringDate(13, 0, 0, 31))
    assert len(monthly) == 14
    assert monthly[:3] == ["2026-01-31", "2026-03-31", "2026-05-31"]
    fridays = dates(RecurringDate(14, WEEKDAY=5))
    assert fridays[0] == "2026-01-02"
    assert len(fridays) == 105
    periodic = dates(RecurringDate(15, PERIOD=28, DELTA=3), anchor=dt.date(2026, 1, 1))
    assert periodic[:3] == ["2026-01-04", "2026-02-01", "2026-03-01"]
    assert dates(RecurringDate(15, PERIOD=28, DELTA=3)) == [], "without an anchor there is no such date"
    assert dates(RecurringDate(15, PERIOD=0, DELTA=2), anchor=dt.date(2026, 1, 1)) == ["2026-01-03"]
    assert dates(RecurringDate(0, PERIOD_IN_MINUTES=60)) == [], "that is no date"


def days_by_words(rule: RecurringDate, month: int, year: int) -> list[dt.date]:
    """The days that a rule makes of its day in one month, by steps from day to day."""

    def step(date: dt.date, days: int) -> dt.date:
        while date.isoweekday() % 7 != rule.WEEKDAY:
            date += days * DAY
        return date

    if not 1 <= rule.DAY <= calendar.monthrange(year, month)[1]:
        return []
    date = dt.date(year, month, rule.DAY)
    if 1 <= rule.OFFSET <= 6 and rule.WEEKDAY == 7:
        return []
    if rule.OFFSET == 1:
        return [step(date, -1)]
    if 2 <= rule.OFFSET <= 5:
        date = step(date, 1)
        for _ in range(rule.OFFSET - 2):
            date = step(date + DAY, 1)
        return [date]
    if rule.OFFSET == 6:
        return [step(dt.date(year, month, calendar.monthrange(year, month)[1]), -1)]
    saturday, sunday = date.weekday() == calendar.SATURDAY, date.weekday() == calendar.SUNDAY
    monday, friday = date + (2 if saturday else 1) * DAY, date - (1 if saturday else 2) * DAY
    moved = {
        0: [date],
        7: [date, date + DAY],
        8: [monday if sunday else date],
        9: [friday if sunday else date],
        10: [monday if saturday else date],
        11: [friday if saturday else date],
        12: [monday if saturday or sunday else date],
        13: [friday if saturday or sunday else date],
        14: [friday if saturday else monday if sunday else date],
        15: [date + DAY],
    }
    return moved[rule.OFFSET]


def test_every_recurring_date_of_a_grid() -> None:
    """26,832 pairs of a recurring date and a year: all months, OFFSETs and weekdays, days at the ends of months.

    DAY 0 and WEEKDAY 7, which mean no day and no weekday, are among them.
    """
    asked = 0
    for year in (2026, 2028):
        for offset in range(16):
            for weekday in range(8):
                for day in (0, 1, 4, 15, 28, 29, 30, 31):
                    found: dict[int, set[dt.date]] = {}
                    for month in range(1, 13):
                        rule = RecurringDate(month, offset, weekday, day)
                        around = [days_by_words(rule, month, near) for near in (year - 1, year, year + 1)]
                        found[month] = {date for dates in around for date in dates if date.year == year}
                    found[13] = set().union(*found.values())
                    for month, expected in found.items():
                        asked += 1
                        assert resolve(RecurringDate(month, offset, weekday, day), year) == tuple(sorted(expected))
        every = [dt.date(year, 1, 1) + DAY * n for n in range(365 + calendar.isleap(year))]
        for weekday in range(8):
            asked += 1
            own = [date for date in every if date.isoweekday() % 7 == weekday]
            assert resolve(RecurringDate(14, WEEKDAY=weekday), year) == tuple(own)
        for period in (0, 1, 2, 7, 28, 63):
            for delta in (*range(1, 64, 4),):
                asked += 1
                begin = ANCHOR + delta * DAY
                own = [date for date in every if date >= begin and (date - begin).days % period == 0] if period else []
                assert resolve(RecurringDate(15, PERIOD=period, DELTA=delta), year, ANCHOR) == tuple(own)
    assert asked == 26_832


def test_over_the_new_year():
    assert resolve(RecurringDate(12, OFFSET=15, WEEKDAY=0, DAY=31), 2024) == (dt.date(2024, 1, 1),)
    assert resolve(RecurringDate(1, OFFSET=11, WEEKDAY=0, DAY=1), 2021)[-1] == dt.date(2021, 12, 31)  # Saturday, 2022


@settings(max_examples=150, deadline=None)
@given(some.integers(0, 0xFFFF), some.integers(1, 9999))
def test_any_octets_give_dates_of_the_year_in_order(bits, year):
    found = resolve(rule(bits.to_bytes(2, "little").hex()) or RecurringDate(1), year, ANCHOR)
    assert list(found) == sorted(set(found))
    assert all(date.year == year for date in found)
