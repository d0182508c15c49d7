"""Calendars against a model that goes from day to day, and the work that full ones make."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.device import Device
from c1219.rules.calendar import Calendar
from c1219.rules.recurring import resolve
from tests.c1219.rules.calendars import Tables, calendars, date, recurring, switch, tables, yearly
from tests.c1219.rules.counting import work
from tests.c1219.views.meter import meter

DAY = dt.timedelta(days=1)
BEGIN, END = dt.date(2018, 1, 1), dt.date(2028, 1, 1)
RECENT = dt.date(2026, 1, 1)


def values(octets: Tables) -> tuple[Any, Any, Any]:
    device: Device = meter(dict(octets.all))
    return device[51].value, device[54].value, device[53].value if 53 in device else None


def read(octets: Tables, *, assumed: bool = False) -> Calendar:
    st51, st54, st53 = values(octets)
    return Calendar(st51, st54, st53, assumed=assumed)


def codes_by_day(st54: Any) -> dict[dt.date, list[int]]:
    """The codes of each day, that which counts last; lists end at code 31."""
    found: dict[dt.date, list[int]] = {}

    def used(entries: Any) -> list[Any]:
        codes = [entry.CALENDAR_ACTION.CALENDAR_CTRL for entry in entries]
        return list(entries)[: codes.index(31) if 31 in codes else None]

    for entry in used(st54.RECURR_DATES):
        for year in range(BEGIN.year, END.year):
            for day in resolve(entry.RECURR_DATE, year, st54.ANCHOR_DATE) if entry.RECURR_DATE else ():
                found.setdefault(day, []).append(entry.CALENDAR_ACTION.CALENDAR_CTRL)
    for entry in used(st54.NON_RECURR_DATES):
        found.setdefault(entry.NON_RECURR_DATE, []).append(entry.CALENDAR_ACTION.CALENDAR_CTRL)
    return found


def days_of(row: Any, weekday: int) -> int:
    names = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
    own = getattr(row, f"{names[weekday]}_SCHEDULE", None)
    return int(row.WEEKDAY_SCHEDULE if own is None else own)


@settings(max_examples=60, deadline=None)
@given(calendars(), some.booleans(), some.integers(0, 1000))
def test_season_tier_and_daylight_saving_time_go_from_day_to_day(octets: Tables, assumed: bool, seed: int) -> None:
    """Each day takes over what the day before left: the season, the tiers, and the last change of the clock."""
    chance = random.Random(seed)
    st51, st54, st53 = values(octets)
    plan, codes = Calendar(st51, st54, st53, assumed=assumed), codes_by_day(st54)
    separate, first = st51.TIME_FUNC_FLAG2.SEPARATE_SUM_DEMANDS_FLAG, 0 if assumed else None
    season = 0 if len(st54.DAILY_SCHEDULE_ID_MATRIX) == 1 else first
    tiers: dict[str, tuple[int | None, dt.date]] = dict.fromkeys(("summation", "demand"), (first, dt.date.max))
    changes: list[tuple[dt.datetime, bool]] = []
    begins = st53.DST_TIME_EFF if st53 is not None else None
    ends = st53.STD_TIME_EFF if st53 is not None else None
    begins = begins or (dt.time(2) if assumed else None)
    for number in range((END - BEGIN).days):
        day = BEGIN + number * DAY
        today = codes.get(day, [])
        season = next((code - 3 for code in reversed(today) if 3 <= code <= 18), season)
        special = next((code - 19 for code in reversed(today) if 19 <= code <= 30), None)
        on = next((code == 1 for code in reversed(today) if code in (1, 2)), None)
        if on is not None and begins is not None and st51.TIME_FUNC_FLAG2.CAP_DST_AUTO_FLAG:
            changes.append((dt.datetime.combine(day, begins if on else ends or begins), on))
        if day < RECENT - 400 * DAY:
            continue
        switches = []
        if season is not None and season < len(st54.DAILY_SCHEDULE_ID_MATRIX):
            row = st54.DAILY_SCHEDULE_ID_MATRIX[season]
            schedule = days_of(row, day.isoweekday() % 7)
            if special is not None and special < len(row.SPECIAL_SCHEDULE):
                schedule = row.SPECIAL_SCHEDULE[special]
            switches = [entry.TIER_SWITCH for entry in st54.TIER_SWITCHES if entry.DAY_SCH_NUM == schedule]
        moments = [dt.datetime.combine(day, dt.time(hour, minute)) for hour in (0, 6, 7, 23) for minute in (0, 30, 59)]
        probe = day >= RECENT and chance.random() < 0.1
        for moment in moments:
            for one in switches:
                if (one.SWITCH_HOUR, one.SWITCH_MIN) == (moment.hour, moment.minute):
                    for register in ("summation", "demand"):
                        flag = one.SUMMATION_SWITCH_FLAG if register == "summation" else one.DEMANDS_SWITCH_FLAG
                        if flag or not separate:
                            tiers[register] = (one.NEW_TIER, day)
            if probe:
                for register, (tier, since) in tiers.items():
                    expected = tier if since == dt.date.max or (day - since).days < 400 else first
                    assert plan.tier(moment, register) == expected, (moment, register)  # type: ignore[arg-type]  # one of the two
        if probe:
            assert (plan.season(day), plan.day(day).special) == (season, special), day
    for _ in range(60):
        moment = dt.datetime.combine(RECENT, dt.time()) + dt.timedelta(minutes=chance.randrange(525_600))
        for shift in (dt.timedelta(0), dt.timedelta(hours=1)):
            passed = [on for time, on in changes if time - (dt.timedelta(0) if on else shift) <= moment]
            assert plan.is_dst(moment, shift) == (passed[-1] if passed else None if first is None else False), moment


def test_dates_that_seldom_come_are_found() -> None:
    """29 February leaves out 2100, a date that does not recur lies far back, and so may that of a PERIOD of 0."""
    rows = (bytes(3),) * 3
    leap = read(tables(rules=(yearly(2, 29) + bytes([4]),), rows=rows))
    assert leap.season(dt.date(2104, 2, 28)) == 1
    old = read(tables(dates=(date(dt.date(1990, 5, 1)) + bytes([5]),), rows=rows))
    assert (old.season(dt.date(1990, 4, 30)), old.season(dt.date(2089, 1, 1))) == (None, 2)
    once = read(tables(anchor=dt.date(1995, 1, 1), rules=(recurring(15, 2 << 6) + bytes([4]),), rows=rows))
    assert (once.season(dt.date(1995, 1, 2)), once.season(dt.date(2030, 1, 1))) == (None, 1)


def test_the_last_day_of_a_leap_year_is_one() -> None:
    plan = read(tables(rules=(yearly(12, 30) + bytes([5]), yearly(12, 31) + bytes([4])), rows=(bytes(3),) * 3))
    assert (plan.season(dt.date(2024, 12, 30)), plan.season(dt.date(2025, 1, 1))) == (2, 1)


def test_each_season_has_its_schedules_and_a_tier_is_followed_back_400_days() -> None:
    """Season 1 switches, season 2 does not: its days are in the tier that the last day of season 1 left."""
    dates = (date(dt.date(2024, 1, 1)) + bytes([4]), date(dt.date(2025, 6, 1)) + bytes([5]))
    plan = read(tables(dates=dates, rows=(b"\0" * 3, b"\1" * 3, b"\2" * 3), switches=(switch(7, 0, 3, 1),)))
    assert plan.day(dt.date(2025, 6, 2)).schedule == 2
    last = dt.datetime(2025, 5, 31, 12)
    assert (plan.tier(last + 399 * DAY), plan.tier(last + 400 * DAY)) == (3, None)
    assert plan.next_switches(last) == ()


def test_of_two_switches_at_one_minute_the_later_in_the_list_holds() -> None:
    both = (switch(7, 0, 5, 0), switch(7, 0, 2, 0))
    for switches, tier in ((both, 2), (both[::-1], 5)):
        plan = read(tables(switches=switches, rows=(bytes(3),)))
        assert plan.tier(dt.datetime(2026, 1, 1, 7)) == tier
        assert [change.tier for change in plan.next_switches(dt.datetime(2026, 1, 1), 2)] == [tier, tier]


def test_a_clock_change_at_midnight_ends_on_the_day_before() -> None:
    """Standard time returns at 0:30 of 1 November: the standard clock shows 23:30 of 31 October then."""
    action = (yearly(4, 1) + b"\x01", yearly(11, 1) + b"\x02")
    plan = read(tables(rules=action, offset=bytes.fromhex("00 1E 00 3C D4 FE 00 1E 00")))
    hour = dt.timedelta(hours=1)
    assert plan.is_dst(dt.datetime(2026, 11, 1, 0, 29)) is True
    assert plan.is_dst(dt.datetime(2026, 10, 31, 23, 29), hour) is True
    assert plan.is_dst(dt.datetime(2026, 10, 31, 23, 30), hour) is False


def test_a_device_that_does_not_switch_the_clock_tells_no_daylight_saving_time() -> None:
    rules = (yearly(3, 8) + b"\x01", yearly(11, 1) + b"\x02")
    summer = dt.datetime(2026, 7, 1)
    assert read(tables(rules=rules)).is_dst(summer) is True
    plan = read(tables(rules=rules, flags=0, offset=bytes.fromhex("02 00 00 3C 02 00 00")))
    assert (plan.tells_dst, plan.dst_changes(2026), plan.is_dst(summer)) == (False, (), None)


NEVER = recurring(2, 30 << 7)
EVERY_DAY = recurring(15, 1)
EVERY_MONTH = yearly(13, 31, 5, 3)
FULL = {
    "every day": tables(
        anchor=dt.date(2026, 1, 1), dates=(date(dt.date(1990, 1, 1)) + bytes([19]),) * 255,
        rules=(EVERY_DAY + bytes([20]),) * 255, rows=(bytes(18),) * 15, special=15,
    ),
    "seasons and changes that never come": tables(
        anchor=dt.date(2026, 1, 1), dates=(date(dt.date(1990, 1, 1)) + bytes([19]),) * 255,
        rules=(NEVER + bytes([3]), NEVER + bytes([1])) * 2 + (EVERY_DAY + bytes([20]),) * 251,
        rows=(bytes(18),) * 15, special=15,
    ),
    "every month": tables(rules=(EVERY_MONTH + bytes([3]),) * 255, rows=(bytes(3),) * 15),
    "one day of many switches": tables(
        switches=tuple(switch(n // 60 % 24, n % 60, n % 8, 0) for n in range(20_000)), rows=(bytes(3),),
    ),
    "switches of no day": tables(switches=(switch(7, 0, 1, 1),) * 20_000, rows=(bytes(3),)),
}  # fmt: skip
"""Calendars as full as they get, or that make a search go on and on."""


@pytest.mark.parametrize("name", FULL)
def test_a_full_calendar_is_asked_as_quickly_as_any(name: str) -> None:
    """Years are laid out when they are first asked for; then a question takes few steps, whatever the tables hold."""

    def ask(plan: Calendar, moment: dt.datetime) -> None:
        plan.day(moment.date())
        plan.is_dst(moment, dt.timedelta(hours=1))
        plan.next_switches(moment, 1, days=1)
        for register in ("summation", "demand"):
            plan.tier(moment, register)  # type: ignore[arg-type]  # one of the two

    plan, moment = read(FULL[name], assumed=True), dt.datetime(2026, 11, 22, 16)
    assert work(lambda: ask(plan, moment)) < 120_000
    ask(plan, moment + 40 * DAY)
    assert work(lambda: [ask(plan, moment + n * DAY) for n in range(40)]) < 40 * 2000
