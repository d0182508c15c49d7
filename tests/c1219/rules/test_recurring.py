from __future__ import annotations

import calendar
import datetime as dt
import re
from pathlib import Path

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


def test_over_the_new_year():
    assert resolve(RecurringDate(12, OFFSET=15, WEEKDAY=0, DAY=31), 2024) == (dt.date(2024, 1, 1),)
    assert resolve(RecurringDate(1, OFFSET=11, WEEKDAY=0, DAY=1), 2021)[-1] == dt.date(2021, 12, 31)  # Saturday, 2022


@settings(max_examples=150, deadline=None)
@given(some.integers(0, 0xFFFF), some.integers(1, 9999))
def test_any_octets_give_dates_of_the_year_in_order(bits, year):
    found = resolve(rule(bits.to_bytes(2, "little").hex()) or RecurringDate(1), year, ANCHOR)
    assert list(found) == sorted(set(found))
    assert all(date.year == year for date in found)


def test_there_is_one_reader_of_recurring_dates():
    root = Path(__file__).parents[3]
    files = [path for package in ("c1219", "c1222") for path in (root / package).rglob("*.py")]
    readers = [
        path for path in files if re.search(r"\b(rule|\w*[Dd]ate)\.(PERIOD|DELTA|OFFSET)\b", path.read_text("utf-8"))
    ]
    assert [path.relative_to(root).as_posix() for path in readers] == ["c1219/rules/recurring.py"]
