"""The calendar: recurring dates against dates looked up by hand, daylight saving time against the zone database."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from c1219.rules.recurring import resolve
from c1219.values import RecurringDate
from c1222.node.calendar import Calendar, Tiers, calendar_of
from c1222.node.clock import Clock, faces_of
from tests.c1222.node.rig import BIG, POLYPHASE, SINGLE, UTC, profile

EVERY_DAY_OF_TWO_YEARS = [dt.date(2026, 1, 1) + dt.timedelta(n) for n in range(730)]


def dates(rule: RecurringDate, anchor: dt.date | None = None) -> list[str]:
    """The days of two years on which a rule says something."""
    action = SimpleNamespace(CALENDAR_CTRL=0, DEMAND_RESET_FLAG=True, SELF_READ_FLAG=False)
    entry = SimpleNamespace(RECURR_DATE=rule, CALENDAR_ACTION=action)
    st54: Any = SimpleNamespace(ANCHOR_DATE=anchor, RECURR_DATES=(entry,))
    calendar = Calendar(None, None, st54)
    return [str(date) for date in EVERY_DAY_OF_TWO_YEARS if calendar.day(date).demand_reset]


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


def test_a_meter_and_a_reader_of_its_tables_agree_on_every_recurring_date() -> None:
    """Any month, OFFSET, weekday and day, those without a meaning among them: DAY 0 and WEEKDAY 7 are no dates."""
    action = SimpleNamespace(CALENDAR_CTRL=0, DEMAND_RESET_FLAG=True, SELF_READ_FLAG=False)
    year, differ = 2027, 0
    rules = [
        RecurringDate(month, offset, weekday, day)
        for month in (2, 6, 12, 13)
        for offset in range(16)
        for weekday in (0, 3, 6, 7)
        for day in (0, 1, 15, 31)
    ] + [RecurringDate(14, WEEKDAY=weekday) for weekday in range(8)]
    days = [dt.date(year, 1, 1) + dt.timedelta(n) for n in range(365)]
    for rule in rules:
        entry = SimpleNamespace(RECURR_DATE=rule, CALENDAR_ACTION=action)
        meter = Calendar(None, None, SimpleNamespace(ANCHOR_DATE=None, RECURR_DATES=(entry,)))
        differ += tuple(date for date in days if meter.day(date).demand_reset) != resolve(rule, year)
    assert differ == 0
    assert (
        dates(RecurringDate(7, 0, 0, 0))
        == dates(RecurringDate(7, 2, 7, 4))
        == dates(RecurringDate(14, WEEKDAY=7))
        == []
    )


@pytest.mark.parametrize("specials", [(0, 1), (1, 0)])
def test_of_two_actions_on_a_day_the_later_in_the_list_holds(specials: tuple[int, int]) -> None:
    """As in the view of the calendar; one on the date alone goes before one that recurs."""
    day = dt.date(2026, 1, 1)

    def entry(special: int, **when: Any) -> SimpleNamespace:
        action = SimpleNamespace(CALENDAR_CTRL=19 + special, DEMAND_RESET_FLAG=False, SELF_READ_FLAG=False)
        return SimpleNamespace(CALENDAR_ACTION=action, **when)

    fixed = [entry(special, NON_RECURR_DATE=day) for special in specials]
    recurring = [entry(special, RECURR_DATE=RecurringDate(1, 0, 0, 1)) for special in specials]
    for st54 in (
        SimpleNamespace(NON_RECURR_DATES=fixed),
        SimpleNamespace(RECURR_DATES=recurring),
        SimpleNamespace(NON_RECURR_DATES=fixed[1:], RECURR_DATES=[recurring[1], recurring[0]]),
    ):
        assert Calendar(None, None, st54).day(day).special == specials[1]


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


@pytest.mark.parametrize(("name", "zone"), [(POLYPHASE, "America/New_York"), (BIG, "America/St_Johns")])
def test_the_wall_clock_agrees_with_the_zone_database(name: str, zone: str) -> None:
    made = profile(name)
    faces = made.shapes.get(made.tables).derived(faces_of)
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    for _ in range(2 * 365 * 4):
        when += 6 * 3600 + 17
        expected = dt.datetime.fromtimestamp(when, ZoneInfo(zone)).replace(tzinfo=None)
        assert faces.local(when) == expected, expected


@pytest.mark.parametrize("name", [POLYPHASE, BIG, SINGLE])
def test_what_a_clock_shows_can_be_read_back(name: str) -> None:
    made = profile(name)
    faces = made.shapes.get(made.tables).derived(faces_of)
    for hours in range(0, 366 * 24, 7):
        device = UTC + 3600 * hours
        qualifier = SimpleNamespace(
            **dict(
                zip(
                    ("DAY_OF_WEEK", "DST_FLAG", "GMT_FLAG", "TM_ZN_APPLIED_FLAG", "DST_APPLIED_FLAG", "DST_SUPPORTED"),
                    faces.qualifier(device),
                    strict=True,
                )
            )
        )
        shown = faces.long(device)
        assert faces.device(shown, qualifier) == device
        if (hours + 2) % 8760 > 4:  # in the hour that comes twice the qualifier alone can tell
            assert faces.device(shown) in (device, device - 3600, device + 3600)
        assert shown.isoweekday() % 7 == qualifier.DAY_OF_WEEK


def test_tiers_follow_the_schedules_of_the_season_and_the_day() -> None:
    made = profile()
    calendar = made.shapes.get(made.tables).derived(calendar_of)
    matrix = made.shapes.get(made.tables).value("ST54").DAILY_SCHEDULE_ID_MATRIX
    assert calendar.has_tiers
    for days in range(0, 365, 9):
        date = dt.date(2026, 3, 1) + dt.timedelta(days)
        day = calendar.day(date)
        schedule = calendar._schedules
        row = matrix[day.season]
        if day.special is not None:
            number = row.SPECIAL_SCHEDULE[day.special]
        else:
            weekday = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")[date.weekday()]
            number = getattr(row, f"{weekday}_SCHEDULE", None)
            number = row.WEEKDAY_SCHEDULE if number is None else number
        for minute, switch in schedule.get(number, ()):
            at = dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=minute)
            assert calendar.tiers(at) == Tiers(switch.NEW_TIER, switch.NEW_TIER)


def test_before_the_first_switch_of_a_day_the_last_of_the_day_before_holds() -> None:
    switch = SimpleNamespace(
        NEW_TIER=2, SUMMATION_SWITCH_FLAG=False, DEMANDS_SWITCH_FLAG=False, SWITCH_MIN=0, SWITCH_HOUR=7
    )
    row = SimpleNamespace(SUNDAY_SCHEDULE=1, SATURDAY_SCHEDULE=1, WEEKDAY_SCHEDULE=0, SPECIAL_SCHEDULE=())
    st54: Any = SimpleNamespace(
        TIER_SWITCHES=(SimpleNamespace(TIER_SWITCH=switch, DAY_SCH_NUM=0),), DAILY_SCHEDULE_ID_MATRIX=(row,)
    )
    calendar = Calendar(None, None, st54)
    monday = dt.datetime(2026, 11, 23, 6, 59)
    assert calendar.tiers(monday) == Tiers(2, 2), "since Friday"
    assert calendar.next_switch(monday) == dt.datetime(2026, 11, 23, 7)
    assert calendar.next_switch(dt.datetime(2026, 11, 23, 7)) == dt.datetime(2026, 11, 24)


def test_separate_tiers_switch_by_themselves() -> None:
    made = profile(BIG)
    calendar = made.shapes.get(made.tables).derived(calendar_of)
    seen = set()
    for minutes in range(0, 7 * 1440, 15):
        seen.add(calendar.tiers(dt.datetime(2026, 11, 23) + dt.timedelta(minutes=minutes)))
    assert any(tiers.summation != tiers.demand for tiers in seen)


def test_a_clock_keeps_running_at_its_rate_from_where_it_was() -> None:
    clock = Clock(1000.0, 50.0, rate=10.0, offset=5.0)
    assert (clock.simulated(60.0), clock.device(60.0)) == (1100.0, 1105.0)
    assert clock.simulated(40.0) == 1000.0, "true time ran backwards"
    slower = Clock.from_state(clock.as_state()).with_rate(60.0, 1.0)
    assert (slower.simulated(60.0), slower.simulated(61.0)) == (1100.0, 1101.0)
    assert slower.offset == 5.0
