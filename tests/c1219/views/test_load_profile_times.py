"""Times of load profile: changes of time, times that are UTC, clocks that are set."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from c1219.codes.status import ChannelStatus
from c1219.views.load_profile import IntervalStatus, load_profile
from tests.c1219.views.meter import Truth, zoned
from tests.c1219.views.profile_rows import MINUTE, at, codes, noted, simple

UTC = dt.UTC
NEW_YORK = ZoneInfo("America/New_York")


def test_clock_set_back_between_blocks():
    truth = simple()
    truth.ends[1] = at("2024-06-01 01:15")
    found = load_profile(truth.device(), 1)
    assert codes(found) == ["overlap"]
    assert [row.start for row in found] == sorted(row.start for row in found)
    back = simple(first=1, size=4)
    back.ends[1] = at("2024-06-01 00:00")
    found = load_profile(back.device(), 1)
    assert codes(found) == ["disorder", "overlap"]
    assert [row.raw for row in found] == [5, 6, 7, 8, 1, 2, 3, 4]


def test_clock_set_within_a_block():
    status = [[b"\x00", b"\x43", b"\x00", b"\x83"], [b"\x34"] * 4]
    found = load_profile(simple(status=status).device(), 1)
    (finding,) = (finding for finding in found.findings if finding.code == "clock-set")
    assert finding.path == "ST64.LP_DATA_SETS1[0]"
    assert "interval 1, 3;" in finding.text
    assert found.rows[1].status is IntervalStatus.CLOCK_SET_FORWARD
    assert found.rows[3].status is IntervalStatus.CLOCK_SET_BACKWARD
    assert (found.rows[3].extended, found.rows[3].value) == (ChannelStatus.LONG_INTERVAL, 4)
    assert [row.value for row in found if row.block == 100] == [None] * 4  # skipped


def test_no_clock():
    truth = simple(formats={"time": 0})
    truth.ends = [None, None]
    found = load_profile(truth.device(), 1)
    assert [(row.start, row.raw) for row in found] == [(None, n) for n in range(1, 9)]
    assert "no-clock" in noted(found)
    assert len(load_profile(truth.device(), 1, since=at("2024-06-01"))) == 8


# --- daylight saving time


def over_the_change(spring, *, ends, intervals, **more):
    """Blocks over 10 March or 3 November 2024, in local time with DST."""
    blocks = [[[n] for n in range(count)] for count in intervals]
    return Truth(blocks, [at(end) for end in ends], per_block=max(intervals), tables=zoned(), **more)


def truth_of(first, count):
    return [first + 15 * n * MINUTE for n in range(count)]


def offsets(times):
    return [time.astimezone(NEW_YORK).utcoffset() for time in times]


@pytest.mark.parametrize(
    ("end", "count", "first"),
    [("2024-03-10 04:00", 12, "2024-03-10 05:00"), ("2024-11-03 04:00", 20, "2024-11-03 04:00")],
)
def test_change_of_time_inside_a_block(end, count, first):
    found = load_profile(over_the_change(True, ends=[end], intervals=[count]).device(), 1)
    expected = truth_of(at(first, UTC), count + 1)
    assert [row.start for row in found] == expected[:-1]
    assert [row.start.utcoffset() for row in found] == offsets(expected[:-1])
    assert [row.end.utcoffset() for row in found] == offsets(expected[1:])
    assert codes(found) == []


def test_block_that_ends_in_the_hour_that_occurs_twice():
    ends = ["2024-11-03 00:30", "2024-11-03 01:30", "2024-11-03 01:30", "2024-11-03 02:30"]
    found = load_profile(over_the_change(False, ends=ends, intervals=[4, 4, 4, 4]).device(), 1)
    assert [row.start for row in found] == truth_of(at("2024-11-03 03:30", UTC), 16)
    assert codes(found) == []
    status = [[b"\x10"] * 4, [b"\x00"] * 4]
    twice = over_the_change(False, ends=ends[1:3], intervals=[4, 4], status=status)
    assert [row.start for row in load_profile(twice.device(), 1)] == truth_of(at("2024-11-03 04:30", UTC), 8)


def test_change_of_time_by_the_status_of_intervals():
    status = [[b"\x10"] * 8 + [b"\x00"] * 4]
    truth = over_the_change(False, ends=["2024-11-03 02:00"], intervals=[12], status=status)
    del truth.tables[54]
    found = load_profile(truth.device(), 1)
    assert [row.start for row in found] == truth_of(at("2024-11-03 04:00", UTC), 12)
    assert [row.start.utcoffset() for row in found] == [dt.timedelta(hours=-4)] * 8 + [dt.timedelta(hours=-5)] * 4
    assert found.rows[0].status is IntervalStatus.DST


def test_change_of_time_that_is_not_known():
    truth = over_the_change(True, ends=["2024-03-10 04:00"], intervals=[12])
    del truth.tables[54]
    found = load_profile(truth.device(), 1)
    assert found.rows[0].start == at("2024-03-10 01:00")
    assert codes(found) == ["dst-unknown"]
    known = load_profile(truth.device(), 1, zone=NEW_YORK)
    assert [row.start for row in known] == truth_of(at("2024-03-10 05:00", UTC), 12)
    assert codes(known) == []


def test_times_that_are_utc():
    truth = over_the_change(True, ends=["2024-03-10 08:00"], intervals=[12], formats={"time": 4})
    truth.tables[53] = "20 1C 00 00 3C D4 FE 20 1C 00 00"
    truth.tables[52] = "52 5A ED 65 E0"
    found = load_profile(truth.device(), 1)
    assert [row.start for row in found] == truth_of(at("2024-03-10 05:00", UTC), 12)
    assert found.rows[-1].end.utcoffset() == dt.timedelta(hours=-4)
    local = load_profile(truth.device(), 1, local_counters=True)
    assert local.rows[-1].end == at("2024-03-10 12:00", UTC)


def test_since_and_until_of_both_kinds():
    device = over_the_change(True, ends=["2024-03-10 04:00"], intervals=[12]).device()
    naive = load_profile(device, 1, since=at("2024-03-10 01:45"), until=at("2024-03-10 03:15"))
    assert [row.raw for row in naive] == [7, 8]
    aware = load_profile(device, 1, since=at("2024-03-10 06:45", UTC), until=at("2024-03-10 07:15", UTC))
    assert aware.rows == naive.rows
    bare = load_profile(simple().device(), 1, since=at("2024-06-01 00:45", UTC))
    assert len(bare) == 8
    assert "zone-unknown" in codes(bare)
