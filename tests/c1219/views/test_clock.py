from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.views.calendar import TierChange
from c1219.views.clock import Timekeeping, clock, timekeeping
from tests.c1219.views.meter import OFFSET, TOU, meter, zoned

UTC = dt.UTC
INSTANT = dt.datetime(2024, 3, 10, 6, 59, 30, tzinfo=UTC)
HOUR = dt.timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")


def at(text, zone=None):
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def codes(found):
    return [finding.code for finding in found.findings if finding.level != "note"]


@pytest.mark.parametrize(
    ("time", "octets", "offset"),
    [(2, "18 03 0A 01 3B 1E E0", OFFSET), (3, "A3 E3 B2 01 1E E0", None), (4, "52 5A ED 65 E0", None)],
)
def test_worked_example(time, octets, offset):
    seconds = "20 1C 00 00 3C D4 FE 20 1C 00 00"  # 02:00:00 as seconds of the day
    found = clock(meter(zoned(ST52=octets, ST53=offset or seconds), time=time), now=INSTANT + HOUR)
    assert found.time == INSTANT
    assert found.time.utcoffset() == -5 * HOUR
    assert found.drift == -HOUR
    assert (found.weekday, found.dst) == (0, False)
    assert codes(found) == []


def test_state_and_calendar():
    tables = zoned(ST55="18 06 03 09 0F 00 E9 01 1F", ST56="DF 02 1B", ST52="18 06 03 09 0F 00 E9")
    found = clock(meter(tables))
    assert found.time == at("2024-06-03 13:15", UTC)
    assert found.time.utcoffset() == -4 * HOUR
    assert (found.tier, found.demand_tier, found.season, found.special) == (1, None, 1, None)
    assert (found.tier_minutes, found.demand_tier_minutes, found.self_read_days) == (735, None, 27)
    assert found.next_switches[0] == TierChange(at("2024-06-03 21:30"), 0, 0)
    assert found.tier_minutes == (found.next_switches[0].time - found.wall) / dt.timedelta(minutes=1)
    assert found.calendar.season(dt.date(2024, 6, 3)) == 1
    assert codes(found) == []
    assert found.drift is None


def test_what_does_not_fit_is_said():
    wrong_day = clock(meter(zoned(ST52="18 03 0A 01 3B 1E E1")))
    assert codes(wrong_day) == ["weekday"]
    wrong_dst = clock(meter(zoned(ST52="18 07 0A 01 3B 1E E3")))
    assert codes(wrong_dst) == ["dst"]
    wrong_tier = clock(meter(zoned(ST55="18 06 03 09 0F 00 E9 02 1F", ST52="18 06 03 09 0F 00 E9")))
    assert codes(wrong_tier) == ["tier"]
    driven = clock(meter(zoned(ST55="18 06 03 09 0F 00 E9 42 1F", ST52="18 06 03 09 0F 00 E9")))
    assert codes(driven) == []
    wrong_size = clock(meter(zoned(ST51=TOU[:-5] + "23 00")))
    assert codes(wrong_size) == ["calendar-size"]
    no_zone = clock(meter(zoned(ST53="02 00 00 3C D4 7E 02 00 00")))
    assert codes(no_zone) == ["zone", "zone-unknown"]
    assert no_zone.time is None


def test_without_tables():
    nothing = clock(meter({}), now=INSTANT)
    assert (nothing.time, nothing.wall, nothing.drift, nothing.tier, nothing.next_switches) == (None,) * 4 + ((),)
    assert {finding.path for finding in nothing.findings} >= {"ST51", "ST52"}
    only = clock(meter({52: "18 03 0A 01 3B 1E E0"}), now=INSTANT)
    assert (only.time, only.wall) == (None, at("2024-03-10 01:59:30"))
    assert "zone-unknown" in codes(only)
    short = clock(meter({52: "18 03"}))
    assert short.time is None
    assert codes(short) == ["short"]
    damaged = clock(meter({52: "18 0D 0A 01 3B 1E E0"}))
    assert damaged.wall is None
    assert codes(damaged) == ["no-value"]


def test_gmt_flag():
    found = clock(meter(zoned(ST52="18 03 0A 06 3B 1E 90")))
    assert found.time == INSTANT
    assert found.time.utcoffset() == -5 * HOUR
    bare = clock(meter({52: "18 03 0A 06 3B 1E 90"}))
    assert (bare.time, bare.time.utcoffset()) == (INSTANT, dt.timedelta(0))


def test_zone_that_is_not_applied():
    found = clock(meter(zoned(ST52="18 03 0A 06 3B 1E C0")))
    assert found.time == INSTANT


def test_zone_of_the_caller():
    bare = meter({52: "18 07 0A 01 3B 1E E3"})
    found = clock(bare, zone=NEW_YORK)
    assert found.time == at("2024-07-10 05:59:30", UTC)
    assert found.time.tzinfo == dt.timezone(-4 * HOUR)
    standard = timekeeping(meter({52: "18 07 0A 01 3B 1E A3"}), zone=NEW_YORK)  # the shift is not in its times
    assert standard.instant(at("2024-07-10 01:59:30")) == at("2024-07-10 06:59:30", UTC)
    assert standard.wall(INSTANT) == at("2024-03-10 01:59:30")
    utc = timekeeping(meter({52: "18 07 0A 01 3B 1E 93"}), zone=NEW_YORK)
    assert utc.instant(at("2024-07-10 01:59:30")).hour == 21


def test_counters_of_local_time():
    device = meter(zoned(ST52="77 E2 B2 01 1E E0", ST53="20 1C 00 00 3C D4 FE 20 1C 00 00"), time=3)
    assert clock(device).time == at("2024-03-10 01:59:30", UTC)
    assert clock(device, local_counters=True).time == INSTANT


def test_daylight_saving_time_of_the_rule():
    times = timekeeping(meter(zoned()))
    assert times.has_rule
    assert times.instant(at("2024-03-10 01:59")) == at("2024-03-10 06:59", UTC)
    assert times.instant(at("2024-03-10 03:00")) == at("2024-03-10 07:00", UTC)
    assert times.instant(at("2024-11-03 01:30")) == at("2024-11-03 05:30", UTC)
    assert times.instant(at("2024-11-03 01:30").replace(fold=1)) == at("2024-11-03 06:30", UTC)
    assert times.instant(at("2024-11-03 01:30"), dst=False) == at("2024-11-03 06:30", UTC)
    assert times.instant(at("2024-11-03 02:00")) == at("2024-11-03 07:00", UTC)
    assert times.instant(at("2025-01-01 00:00")).utcoffset() == -5 * HOUR
    assert times.instant(at("2025-07-01 00:00")).utcoffset() == -4 * HOUR


def test_daylight_saving_time_that_is_not_known():
    times = timekeeping(meter({51: TOU, 52: "18 03 0A 01 3B 1E E0", 53: OFFSET}))
    assert not times.has_rule
    assert times.instant(at("2024-03-10 01:59")) is None
    assert times.instant(at("2024-03-10 01:59"), dst=False) == at("2024-03-10 06:59", UTC)
    without = timekeeping(meter({51: TOU, 52: "18 03 0A 01 3B 1E 60", 53: OFFSET}))  # it knows no such thing
    assert without.instant(at("2024-07-10 01:59")) == at("2024-07-10 06:59", UTC)


@settings(max_examples=100, deadline=None)
@given(some.datetimes(dt.datetime(2008, 1, 1), dt.datetime(2060, 1, 1)))
def test_rule_equals_another_implementation(moment):
    """10 March and 3 November are the days of change in New York in 2024 only: shift the year."""
    times = timekeeping(meter(zoned()))
    moment = moment.replace(year=2024, microsecond=0)
    aware = moment.replace(tzinfo=UTC).astimezone(NEW_YORK)
    assert times.localize(moment) == moment.replace(
        tzinfo=UTC
    )  # a time of the doubled hour equals none of another zone
    assert times.localize(moment).utcoffset() == aware.utcoffset()
    wall = times.wall(aware)
    assert wall == aware.replace(tzinfo=None)
    assert times.instant(wall.replace(fold=aware.fold)) == moment.replace(tzinfo=UTC)


def test_ends_of_time():
    times = Timekeeping(zone=-5 * HOUR, dst_amount=HOUR)
    assert times.instant(dt.datetime.max, dst=False) is None
    assert times.instant(dt.datetime.min, dst=True) is None


def test_json():
    tables = zoned(ST55="18 06 03 09 0F 00 E9 01 1F", ST56="DF 02 1B", ST52="18 06 03 09 0F 00 E9")
    found = json.loads(json.dumps(clock(meter(tables), now=INSTANT).as_dict()))
    assert (found["time"], found["tier"], found["special"]) == ("2024-06-03T09:15:00-04:00", 1, None)
    assert found["next_switches"][0] == {"time": "2024-06-03T21:30:00", "tier": 0, "schedule": 0}
    assert found["drift"] == 7366530.0


def test_utc_has_no_daylight_saving_time_whatever_the_flags_say():
    """With GMT_FLAG, TM_ZN_APPLIED_FLAG and DST_APPLIED_FLAG set no rule of daylight saving time is missed."""
    times = timekeeping(meter({51: TOU, 52: "18 03 0A 06 3B 1E F0", 53: OFFSET}))
    assert (times.utc, times.zone_applied, times.dst_applied, times.dst_amount) == (True, False, False, HOUR)
    assert times.instant(at("2024-03-10 06:59:30")) == INSTANT
    local = timekeeping(meter({51: TOU, 52: "18 03 0A 06 3B 1E E0", 53: OFFSET}))
    assert (local.utc, local.zone_applied, local.dst_applied) == (False, True, True)
    standard = timekeeping(meter({51: TOU, 52: "18 03 0A 06 3B 1E A0", 53: OFFSET}))
    assert (standard.zone_applied, standard.dst_applied) == (True, False)
