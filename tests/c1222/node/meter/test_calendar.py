"""The calendar of a simulated meter: its wall clock against the zone database, its tiers against its tables."""

from __future__ import annotations

import datetime as dt
import random
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.views.calendar import calendar
from c1219.views.clock import timekeeping
from c1222.node.meter.calendar import Tiers, calendar_of
from c1222.node.meter.clock import DeviceClock, clock_formats
from c1222.node.meter.configuration import Shape
from tests.c1219.rules.calendars import Tables, calendars
from tests.c1219.views.meter import meter as tables_of
from tests.c1222.node.rig import BIG, POLYPHASE, SINGLE, UTC, profile

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(("name", "zone"), [(POLYPHASE, "America/New_York"), (BIG, "America/St_Johns")])
def test_the_wall_clock_agrees_with_the_zone_database(name: str, zone: str) -> None:
    made = profile(name)
    formats = made.shapes.get(made.tables).derived(clock_formats)
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    for _ in range(2 * 365 * 4):
        when += 6 * 3600 + 17
        expected = dt.datetime.fromtimestamp(when, ZoneInfo(zone)).replace(tzinfo=None)
        assert formats.local(when) == expected, expected


@pytest.mark.parametrize("name", [POLYPHASE, BIG, SINGLE])
def test_what_a_clock_shows_can_be_read_back(name: str) -> None:
    made = profile(name)
    formats = made.shapes.get(made.tables).derived(clock_formats)
    for hours in range(0, 366 * 24, 7):
        device = UTC + 3600 * hours
        qualifier = SimpleNamespace(
            **dict(
                zip(
                    ("DAY_OF_WEEK", "DST_FLAG", "GMT_FLAG", "TM_ZN_APPLIED_FLAG", "DST_APPLIED_FLAG", "DST_SUPPORTED"),
                    formats.qualifier(device),
                    strict=True,
                )
            )
        )
        shown = formats.long(device)
        assert formats.device(shown, qualifier) == device
        if (hours + 2) % 8760 > 4:  # in the hour that comes twice the qualifier alone can tell
            assert formats.device(shown) in (device, device - 3600, device + 3600)
        assert shown.isoweekday() % 7 == qualifier.DAY_OF_WEEK


def test_tiers_follow_the_schedules_of_the_season_and_the_day() -> None:
    made = profile()
    calendar = made.shapes.get(made.tables).derived(calendar_of)
    st54 = made.shapes.get(made.tables).value("ST54")
    matrix = st54.DAILY_SCHEDULE_ID_MATRIX
    switches = [(entry.DAY_SCH_NUM, entry.TIER_SWITCH) for entry in st54.TIER_SWITCHES]
    assert switches
    for days in range(0, 365, 9):
        date = dt.date(2026, 3, 1) + dt.timedelta(days)
        day = calendar.day(date)
        row = matrix[day.season]
        if day.special is not None:
            number = row.SPECIAL_SCHEDULE[day.special]
        else:
            weekday = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")[date.weekday()]
            number = getattr(row, f"{weekday}_SCHEDULE", None)
            number = row.WEEKDAY_SCHEDULE if number is None else number
        for schedule, switch in switches:
            if schedule == number:
                at = dt.datetime.combine(date, dt.time(switch.SWITCH_HOUR, switch.SWITCH_MIN))
                assert calendar.tiers(at) == Tiers(switch.NEW_TIER, switch.NEW_TIER)


def test_separate_tiers_switch_by_themselves() -> None:
    made = profile(BIG)
    calendar = made.shapes.get(made.tables).derived(calendar_of)
    seen = set()
    for minutes in range(0, 7 * 1440, 15):
        seen.add(calendar.tiers(dt.datetime(2026, 11, 23) + dt.timedelta(minutes=minutes)))
    assert any(tiers.summation != tiers.demand for tiers in seen)


def test_a_clock_keeps_running_at_its_rate_from_where_it_was() -> None:
    clock = DeviceClock(1000.0, 50.0, rate=10.0, offset=5.0)
    assert (clock.simulated(60.0), clock.device(60.0)) == (1100.0, 1105.0)
    assert clock.simulated(40.0) == 1000.0, "true time ran backwards"
    slower = DeviceClock.from_state(clock.as_state()).with_rate(60.0, 1.0)
    assert (slower.simulated(60.0), slower.simulated(61.0)) == (1100.0, 1101.0)
    assert slower.offset == 5.0


@settings(max_examples=60, deadline=None)
@given(calendars(), some.integers(0, 1000))
def test_a_meter_and_a_reader_of_its_tables_are_in_one_season_and_tier(octets: Tables, seed: int) -> None:
    """Daylight saving time too. A reader may not know what was before the first date that the tables tell."""
    device = tables_of(dict(octets.all))
    shape = Shape({label: device[label].raw for label in device})
    meter, formats = shape.derived(calendar_of), shape.derived(clock_formats)
    plan, times = calendar(device), timekeeping(device)
    assert plan is not None
    seasons = [action.date for year in range(2010, 2028) for action in plan.actions(year) if action.kind == "season"]
    changes = [change.time for year in range(2010, 2028) for change in plan.dst_changes(year)]
    chance = random.Random(seed)
    for _ in range(100):
        device_time = UTC + chance.randrange(-320 * 86_400, 400 * 86_400)
        local = formats.local(device_time)
        season, tiers = plan.season(local.date()), (plan.tier(local), plan.tier(local, "demand"))
        assert season in {None, meter.day(local.date()).season}
        assert season is not None or (len(plan.seasons) != 1 and not [day for day in seasons if day <= local.date()])
        known = [told if told is not None else own for told, own in zip(tiers, meter.tiers(local), strict=True)]
        assert known == list(meter.tiers(local)), local
        if plan.season(local.date() - 400 * DAY) is not None:
            assert all(told is not None or own == 0 for told, own in zip(tiers, meter.tiers(local), strict=True))
        dst = times.in_effect(dt.datetime.fromtimestamp(device_time, dt.UTC))
        assert dst in {None, formats.is_dst(device_time)}, local
        assert dst is not None or times.zone is None or not [change for change in changes if change < local - DAY]


@pytest.mark.parametrize("form", [2, 3, 4], ids=["discrete", "minutes", "seconds"])
@pytest.mark.parametrize("flags", range(16))
def test_a_meter_takes_a_time_for_what_a_reader_of_its_flags_does(form: int, flags: int) -> None:
    """DST_FLAG, GMT_FLAG, zone and shift applied. Without zone and GMT it is what the meter itself shows."""
    st52 = bytes(4 if form == 4 else 5 if form == 3 else 6) + bytes([flags << 3 | 0x80])
    st53 = bytes.fromhex("02 00 00 3C D4 FE 02 00 00") if form == 2 else bytes(4) + b"\x3c" + b"\xd4\xfe" + bytes(4)
    octets = {51: bytes.fromhex("00 11 00 00 00 00 00 00 00"), 52: st52, 53: st53}
    device = tables_of(dict(octets), time=form)
    quality = device[52].value.TIME_DATE_QUAL
    shape = Shape({label: device[label].raw for label in device if label != "ST52"})
    formats = shape.derived(clock_formats)
    shown = dt.datetime(2026, 7, 1, 12)
    taken = dt.datetime.fromtimestamp(formats.device(shown, quality), dt.UTC)
    if form > 2 or quality.GMT_FLAG or quality.TM_ZN_APPLIED_FLAG:
        assert taken == timekeeping(device).instant(shown, quality.DST_FLAG)
    else:
        assert taken == shown.replace(tzinfo=dt.UTC) + dt.timedelta(hours=5)
