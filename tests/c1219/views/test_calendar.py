from __future__ import annotations

import datetime as dt

import pytest

from c1219.views.calendar import DstChange, SeasonChange, Switch, TierChange, calendar
from tests.c1219.views.meter import CALENDAR, OFFSET, TOU, meter, zoned


@pytest.fixture
def plan():
    return calendar(meter(zoned()))


def tou(flag1=0, flag2=0, seasons=0, special=0, dates=0, recurring=0, switches=0):
    return bytes([flag1, flag2, seasons | special << 4, dates, recurring]) + switches.to_bytes(2, "little") + bytes(2)


def switch(hour, minute, tier, schedule, flags=0):
    bits = tier | flags << 3 | minute << 5 | hour << 11
    return bits.to_bytes(2, "little") + bytes([schedule])


def at(text):
    return dt.datetime.fromisoformat(text)


def test_worked_example(plan):
    assert plan.findings == []
    assert plan.schedules == {
        0: (Switch(dt.time(7), 1, True, True), Switch(dt.time(21, 30), 0, True, True)),
        1: (Switch(dt.time(0), 0, True, True), Switch(dt.time(12), 2, True, True)),
    }
    kinds = [(str(action.date), action.kind, action.number) for action in plan.actions(2024)]
    assert kinds == [
        ("2024-03-10", "dst-on", None),
        ("2024-06-01", "season", 1),
        ("2024-11-03", "dst-off", None),
        ("2024-11-28", "special", 0),
    ]
    june = plan.actions(2024)[1]
    assert (june.demand_reset, june.self_read, june.path) == (True, True, "ST54.RECURR_DATES[2]")


@pytest.mark.parametrize(
    ("moment", "tier"),
    [
        ("2024-03-11 06:59", 2),  # a Monday: Sunday's tier stays until the first switch
        ("2024-03-11 07:00", 1),
        ("2024-03-11 21:29", 1),
        ("2024-03-11 21:30", 0),
        ("2024-03-12 03:00", 0),
        ("2024-03-09 11:59", 0),  # a Saturday
        ("2024-03-09 12:00", 2),
        ("2024-11-28 12:00", 2),  # a Thursday, but a special day
        ("2024-11-27 12:00", 1),
    ],
)
def test_tiers(plan, moment, tier):
    assert plan.tier(at(moment)) == tier


def test_days(plan):
    day = plan.day(dt.date(2024, 11, 28))
    assert (day.season, day.special, day.schedule, len(day.switches)) == (1, 0, 1, 2)
    assert plan.day(dt.date(2024, 11, 27)).schedule == 0


def test_next_switches(plan):
    assert plan.next_switches(at("2024-03-08 21:00"), 3) == (
        TierChange(at("2024-03-08 21:30"), 0, 0),
        TierChange(at("2024-03-09 00:00"), 0, 1),
        TierChange(at("2024-03-09 12:00"), 2, 1),
    )
    assert plan.next_switches(at("2024-03-09 00:00"), 1) == (TierChange(at("2024-03-09 12:00"), 2, 1),)


def test_daylight_saving_time(plan):
    assert plan.dst_changes(2024) == (
        DstChange(at("2024-03-10 02:00"), on=True),
        DstChange(at("2024-11-03 02:00"), on=False),
    )
    assert plan.tells_dst
    bare = calendar(meter({51: TOU, 54: CALENDAR}))
    assert not bare.tells_dst
    assert bare.dst_changes(2024) == ()


def test_standard_time_returns_when_the_tail_says():
    later = OFFSET[:-8] + "03 1E 00"
    assert calendar(meter(zoned(ST53=later))).dst_changes(2024)[1].time == at("2024-11-03 03:30")
    old = meter(zoned(ST53=OFFSET[:-9]), version=1)
    assert calendar(old).dst_changes(2024)[1].time == at("2024-11-03 02:00")


def test_seasons():
    rules = bytes.fromhex("04 08 23  0A 08 64")  # 1 April: season 0 with demand reset; 1 October: season 1
    plan = calendar(meter({51: tou(seasons=2, recurring=2), 54: rules + bytes([1, 2, 3, 4, 5, 6])}))
    assert plan.season(dt.date(2024, 4, 1)) == 0
    assert plan.season(dt.date(2024, 3, 31)) == 1
    assert plan.season(dt.date(2024, 12, 31)) == 1
    assert plan.next_season(dt.date(2024, 4, 1)) == SeasonChange(dt.date(2024, 10, 1), 1)
    assert plan.next_season(at("2024-10-01 08:00")) == SeasonChange(dt.date(2025, 4, 1), 0)
    assert plan.day(dt.date(2024, 4, 6)).schedule == 1  # a Saturday in season 0
    assert plan.day(dt.date(2024, 10, 6)).schedule == 5  # a Sunday in season 1
    assert plan.day(dt.date(2024, 10, 7)).schedule == 6


def test_a_date_outdoes_a_recurring_date():
    dates = bytes.fromhex("98 08 14")  # 2024-01-01: special schedule 1
    rules = bytes.fromhex("01 08 13")  # 1 January: special schedule 0
    matrix = bytes([10, 11, 12, 20, 21])
    plan = calendar(meter({51: tou(seasons=1, special=2, dates=1, recurring=1), 54: dates + rules + matrix}))
    assert (plan.day(dt.date(2024, 1, 1)).special, plan.day(dt.date(2024, 1, 1)).schedule) == (1, 21)
    assert (plan.day(dt.date(2025, 1, 1)).special, plan.day(dt.date(2025, 1, 1)).schedule) == (0, 20)


def test_seven_weekdays():
    plan = calendar(meter({51: tou(flag2=2, seasons=1), 54: bytes(range(7))}))
    days = [plan.day(dt.date(2024, 3, 10) + dt.timedelta(days=n)).schedule for n in range(7)]  # from a Sunday on
    assert days == list(range(7))


def test_separate_tiers():
    octets = switch(8, 0, 1, 0, 1) + switch(9, 0, 2, 0, 2) + switch(10, 0, 3, 0, 3) + bytes(3)
    plan = calendar(meter({51: tou(flag2=4, seasons=1, switches=3), 54: octets}))
    assert [plan.tier(at(f"2024-03-10 {hour}"), "summation") for hour in ("08:00", "09:00", "10:00")] == [1, 1, 3]
    assert [plan.tier(at(f"2024-03-10 {hour}"), "demand") for hour in ("08:00", "09:00", "10:00")] == [3, 2, 3]
    (next_demand,) = plan.next_switches(at("2024-03-10 08:00"), 1, "demand")
    assert (next_demand.time, next_demand.tier) == (at("2024-03-10 09:00"), 2)


def test_what_cannot_be_used_is_said():
    dates = bytes.fromhex("18 00 03")  # month 0
    rules = bytes.fromhex("C0 03 04  CF 0D 05  FF FF FF  06 08 64")  # minutes; no anchor; end of the list
    octets = dates + rules + b"\xff\xff\xff" + switch(24, 0, 1, 0) + bytes(3)
    plan = calendar(meter({51: tou(seasons=1, dates=1, recurring=4, switches=2), 54: octets}))
    assert [(finding.code, finding.path) for finding in plan.findings] == [
        ("no-date", "ST54.NON_RECURR_DATES[0]"),
        ("no-date", "ST54.RECURR_DATES[0]"),
        ("no-anchor", "ST54.RECURR_DATES[1]"),
        ("no-time", "ST54.TIER_SWITCHES[1]"),
    ]
    assert plan.actions(2024) == ()
    assert plan.tier(at("2024-03-10 12:00")) is None
    assert plan.next_switches(at("2024-03-10 12:00")) == ()
    assert plan.next_season(dt.date(2024, 3, 10)) is None
    assert plan.season(dt.date(2024, 3, 10)) == 0


def test_season_before_the_first_is_not_known():
    plan = calendar(meter({51: tou(seasons=2, dates=1), 54: bytes.fromhex("98 08 04") + bytes(6)}))
    assert plan.season(dt.date(2023, 12, 31)) is None
    assert plan.day(dt.date(2023, 12, 31)).schedule is None
    assert plan.season(dt.date(2030, 12, 31)) == 1


def test_extremes_of_the_calendar(plan):
    for date in (dt.date.min, dt.date.max):
        assert plan.day(date).date == date
        moment = dt.datetime.combine(date, dt.time(12))
        plan.tier(moment)
        plan.next_switches(moment)
        plan.next_season(moment)


def test_absent():
    assert calendar(meter({})) is None
    assert calendar(meter({51: TOU})) is None
    assert calendar(meter({51: TOU, 54: CALENDAR[:20]})) is None


@pytest.mark.parametrize(("first", "second"), [(0x13, 0x14), (0x14, 0x13)])
def test_the_later_of_two_actions_on_a_date_outdoes_the_earlier(first, second):
    """Special schedules 0 and 1 on 1 January 2024, both as dates and both as recurring ones."""
    matrix = bytes([10, 11, 12, 20, 21])
    dates = bytes([0x98, 0x08, first, 0x98, 0x08, second])
    plan = calendar(meter({51: tou(seasons=1, special=2, dates=2), 54: dates + matrix}))
    assert plan.day(dt.date(2024, 1, 1)).special == second - 0x13
    rules = bytes([0x01, 0x08, first, 0x01, 0x08, second])
    plan = calendar(meter({51: tou(seasons=1, special=2, recurring=2), 54: rules + matrix}))
    assert plan.day(dt.date(2024, 1, 1)).special == second - 0x13
    assert [action.number for action in plan.actions(2024)] == [first - 0x13, second - 0x13]


def test_lists_go_as_far_as_their_end():
    """Action 31 ends the list that it is in, and no other."""
    matrix = bytes([10, 11, 12, 20])
    dates = bytes.fromhex("98 08 13  00 00 1F  98 10 13")  # 1 January; the end; 2 January 2024
    rules = bytes.fromhex("01 18 13  00 00 1F  01 20 13")  # 3 January; the end; 4 January
    plan = calendar(meter({51: tou(seasons=1, special=1, dates=3, recurring=3), 54: dates + rules + matrix}))
    assert [str(action.date) for action in plan.actions(2024)] == ["2024-01-01", "2024-01-03"]
    assert [plan.day(dt.date(2024, 1, day)).special for day in (1, 2, 3, 4)] == [0, None, 0, None]
