"""The hour that occurs twice, and the one that is left out, in every view and export, in zones of several kinds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from xml.etree import ElementTree as ET

import pytest

from c1219.export.arrow import load_profile_table
from c1219.export.espi import ESPI, espi
from c1219.views.clock import clock
from c1219.views.event_log import events
from c1219.views.load_profile import load_profile, needed
from c1219.views.registers import registers
from tests.c1219.rules.calendars import switch, tables
from tests.c1219.rules.changes import CHANGES, MINUTE, NAMES, UTC, ZONES, at
from tests.c1219.views.example_meter import meter as register_meter
from tests.c1219.views.meter import CALENDAR, OFFSET, TOU, Truth, general, meter

LENGTH = 15 * MINUTE
each_change = pytest.mark.parametrize(("zone", "change"), CHANGES, ids=NAMES)
QUALITY = (7, False, False, True, True, True)
"""Times have the zone and the daylight saving shift in them."""


def codes(found):
    return [finding.code for finding in found.findings if finding.level != "note"] + [
        finding.code for finding in found.findings if finding.code in {"gap", "overlap"}
    ]


def wall(instant, zone):
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def starts(change):
    """Starts of intervals from three hours before a change to three hours after it."""
    return [change + LENGTH * number for number in range(-12, 12)]


def recorded(zone, change, *, per_block=2, standard=False, status=False):
    """A meter that recorded them, with block ends in the hour that occurs twice."""
    clock_table = (None, (7, False, False, True, not standard, True))
    shown = standard_wall if standard else wall
    times = starts(change)
    blocks = [times[n : n + per_block] for n in range(0, len(times), per_block)]
    marks = [[bytes([16 * in_summer(zone, time)]) for time in block] for block in blocks] if status else None
    truth = Truth(
        [[[times.index(time)] for time in block] for block in blocks],
        [shown(block[-1] + LENGTH, zone) for block in blocks],
        per_block=per_block,
        status=marks,
        tables={52: meter({}).encode(52, clock_table)},
    )
    return truth.device()


def in_summer(zone, instant):
    shift = bool(instant.astimezone(zone).dst())
    return shift if str(zone) != "Europe/Dublin" else not shift


def standard_wall(instant, zone):
    """The time of a clock that never goes forward: Dublin's law has the shift in winter."""
    local = instant.astimezone(zone)
    shift = local.dst() if str(zone) != "Europe/Dublin" else local.utcoffset()
    return wall(instant, zone) - shift


@each_change
@pytest.mark.parametrize("standard", [False, True], ids=["local", "standard"])
@pytest.mark.parametrize("per_block", [2, 24])
def test_rows(zone, change, standard, per_block):
    found = load_profile(recorded(zone, change, per_block=per_block, standard=standard), 1, zone=zone)
    assert [row.start for row in found] == starts(change)
    assert {row.end - row.start for row in found} == {LENGTH}
    assert [row.raw for row in found] == [*range(24)]
    assert [row.start.utcoffset() for row in found] == [time.astimezone(zone).utcoffset() for time in starts(change)]
    assert all(type(time.tzinfo) is dt.timezone for row in found for time in (row.start, row.end))
    assert [block.end for block in found.blocks] == [
        time + LENGTH for time in starts(change)[per_block - 1 :: per_block]
    ]
    assert codes(found) == []


@each_change
def test_the_status_of_intervals_tells_where_a_block_is_missing(zone, change):
    """The first block ends within the doubled hour, after a gap: only the status of its intervals tells the half."""
    times = [change + LENGTH * number for number in (1, 2, 3, 4)]
    ends = [wall(times[1], zone), wall(times[3], zone)]
    marks = [[bytes([16 * in_summer(zone, time)]) for time in times[n : n + 2]] for n in (0, 2)]
    tables = {52: meter({}).encode(52, (None, QUALITY))}
    truth = Truth([[[0], [1]], [[2], [3]]], ends, per_block=2, status=marks, tables=tables)
    found = load_profile(truth.device(), 1, zone=zone)
    if str(zone) == "Europe/Moscow" and change.year == 2014:
        assert found.rows[0].end == times[0] - 60 * MINUTE  # no daylight saving time, so the status tells nothing
    else:
        assert [row.end for row in found] == times


def test_a_status_of_the_end_of_an_interval():
    """A block that ends with the second 1:00, of a meter that keeps the status as it was when the interval ended."""
    new_york, end = ZONES["America/New_York"], at("2026-11-01 06:00", UTC)
    tables = {52: meter({}).encode(52, (None, QUALITY))}
    for mark, expected in ((b"\x00", end), (b"\x10", end - 60 * MINUTE)):
        truth = Truth([[[0]]], [wall(end, new_york)], per_block=1, status=[[mark]], tables=tables)
        assert load_profile(truth.device(), 1, zone=new_york).rows[0].end == expected


def test_a_block_over_most_of_a_year():
    """Its first and last interval have one offset, those of the summer another."""
    new_york, count = ZONES["America/New_York"], 24 * 320
    end = at("2026-12-01 05:00", UTC)
    tables = {52: meter({}).encode(52, (None, QUALITY))}
    truth = Truth([[[0]] * count], [wall(end, new_york)], per_block=count, minutes=60, tables=tables, code=1)
    rows = load_profile(truth.device(), 1, zone=new_york).rows
    assert [row.end for row in rows] == [end - 60 * MINUTE * back for back in range(count - 1, -1, -1)]
    assert all(row.end.utcoffset() == row.end.astimezone(new_york).utcoffset() for row in rows)


@each_change
def test_filters(zone, change):
    device = recorded(zone, change)
    rows = load_profile(device, 1, zone=zone).rows
    image = device[64].raw
    for first in (7, 8, 10, 11, 12, 14, 16):
        since = starts(change)[first]
        for count in (1, 5):
            until = since + LENGTH * count
            own = [row for row in rows if since <= row.start < until]
            assert len(own) == count
            for one, two in (
                (since, until),
                (since.astimezone(zone), until.astimezone(zone)),
                (since.astimezone(zone).replace(tzinfo=None), until.astimezone(zone).replace(tzinfo=None)),  # with fold
            ):
                assert [*load_profile(device, 1, zone=zone, since=one, until=two)] == own
                table = load_profile_table(device, 1, zone=zone, since=one, until=two)
                assert table["start"].to_pylist() == [row.start for row in own]
                need = needed(device, 1, one, two, zone=zone)
                pieces = {piece.offset: image[piece.offset :][: piece.count] for piece in need.pieces}
                found = load_profile(device, 1, zone=zone, since=one, until=two, pieces=pieces)
                assert [row.raw for row in found] == [row.raw for row in own]


@each_change
def test_octets_are_found_by_the_clock_alone(zone, change):
    """Where only the clock tells when blocks ended, no interval is missed, on whichever side of the change it stands."""
    device = recorded(zone, change)
    image = device[64].raw
    read_at = starts(change)[-1] + LENGTH
    device.put(52, device.encode(52, (wall(read_at, zone), QUALITY)))
    device.drop(64)
    for since in starts(change)[6:-4:2]:
        need = needed(device, 1, since, since + 2 * LENGTH, zone=zone)
        assert need.estimated
        pieces = {piece.offset: image[piece.offset :][: piece.count] for piece in need.pieces}
        whole = load_profile(device, 1, zone=zone, pieces={0: image}, since=since, until=since + 2 * LENGTH)
        found = load_profile(device, 1, zone=zone, pieces=pieces)
        assert {row.raw for row in whole} <= {row.raw for row in found}


@each_change
def test_exports(zone, change):
    device = recorded(zone, change)
    profile = load_profile(device, 1, zone=zone)
    seconds = [int(time.timestamp()) for time in starts(change)]
    shown = [time.astimezone(zone).isoformat() for time in starts(change)]
    assert [row["start"] for row in csv.DictReader(io.StringIO(profile.to_csv()))] == shown
    assert [row["start"] for row in json.loads(profile.to_json())["intervals"]] == shown
    table = load_profile_table(device, 1, zone=zone)
    assert table["start"].cast("int64").to_pylist() == seconds
    assert [int(end) for end in table["end"].cast("int64").to_pylist()] == [second + 900 for second in seconds]
    feed = espi(device, updated=change.astimezone(zone), profiles=[profile], zone=zone)
    spans = [
        (int(span.findtext(f"{{{ESPI}}}start")), int(span.findtext(f"{{{ESPI}}}duration")))
        for span in ET.fromstring(feed.xml).iter(f"{{{ESPI}}}timePeriod")
    ]
    assert spans == [(second, 900) for second in seconds]
    assert f"<updated>{change:%Y-%m-%dT%H:%M:%SZ}".encode() in feed.xml


@each_change
def test_clock_and_drift(zone, change):
    device = meter({51: TOU})
    for number in range(-14, 15):
        instant = change + 10 * MINUTE * number
        if str(zone) == "Europe/Moscow" and change.year == 2014 and 0 <= number < 6:
            continue  # it changed its standard time: DST_FLAG tells nothing
        day = wall(instant, zone).isoweekday() % 7
        quality = (day, in_summer(zone, instant), False, True, True, True)
        for table, tail in ((52, ()), (55, (device.bind(55).decode(bytes(9)).STATUS,))):
            shown = device.encode(table, (wall(instant, zone), quality, *tail))
            own = meter({table: shown} | ({51: TOU} if table == 55 else {}))
            for now in (instant + MINUTE, (instant + MINUTE).astimezone(zone)):
                found = clock(own, zone=zone, now=now)
                assert (found.time, found.drift) == (instant, -MINUTE)
                assert found.time.utcoffset() == instant.astimezone(zone).utcoffset()
                assert [code for code in codes(found) if code in {"dst", "weekday"}] == []


@each_change
def test_clock_on_standard_time_all_year(zone, change):
    for number in range(-14, 15):
        instant = change + 10 * MINUTE * number
        shown = standard_wall(instant, zone)
        table = meter({}).encode(52, (shown, (7, False, False, True, False, False)))
        found = clock(meter({52: table}), zone=zone, now=instant)
        if str(zone) == "Europe/Moscow" and change.year == 2014 and 0 <= number < 6:
            assert found.drift == -60 * MINUTE
        elif str(zone) == "Europe/Moscow" and change.year == 2011 and -6 <= number < 0:
            assert found.time in {instant, instant + 60 * MINUTE}
        else:
            assert (found.time, found.drift) == (instant, 0 * MINUTE)
            assert codes(found) == []


def test_the_zone_goes_before_the_flag_and_says_so():
    table = meter({}).encode(52, (at("2026-07-01 12:00"), (3, False, False, True, True, True)))
    found = clock(meter({52: table}), zone=ZONES["America/New_York"])
    assert found.time == at("2026-07-01 16:00", UTC)
    assert codes(found) == ["dst"]


@each_change
def test_events_keep_their_order(zone, change):
    instants = [change + 10 * MINUTE * number for number in range(-20, 20)]
    device = log(instants, zone)
    found = events(device, zone=zone, logs=("event",))
    assert [row.time for row in found] == instants
    assert [row.time.utcoffset() for row in found] == [time.astimezone(zone).utcoffset() for time in instants]
    merged = events(device, zone=zone)  # the history is the same, five minutes later
    pairs = [time for instant in instants for time in (instant, instant + 5 * MINUTE)]
    assert [row.time for row in merged] == pairs


def log(instants, zone):
    """A device with events at these instants, and a history five minutes after each."""
    tables = {52: meter({}).encode(52, (None, QUALITY))}
    device = meter({}).__class__({0: general((52, 71, 74, 76)), **tables})
    count = len(instants)
    device.put(71, bytes([7, 10, 2, 2, 2]) + count.to_bytes(2, "little") * 2 + bytes(3))
    for number, later in ((76, 0 * MINUTE), (74, 5 * MINUTE)):
        entries = tuple(
            (wall(instant + later, zone), place, place, 7, (1, False, 0), bytes(2))
            for place, instant in enumerate(instants)
        )
        device.put(number, device.encode(number, ((0, False, 1, False), count, count - 1, count - 1, 0, entries)))
    return device


@each_change
def test_registers_in_both_hours(zone, change):
    """A register tells nothing of daylight saving time: of a time that occurs twice, the first is meant."""
    for number in range(-14, 15):
        shown = wall(change + 10 * MINUTE * number, zone)
        octets = bytes([shown.year % 100, shown.month, shown.day, shown.hour, shown.minute])
        image = register_meter()[23].raw.replace(bytes.fromhex("1A 0B 16 0E 1E"), octets, 1)
        device = register_meter({23: image})
        rows = registers(device, zone=zone).rows
        expected = shown.replace(tzinfo=zone).astimezone(UTC)
        events = [row.event_time for row in rows if row.path.startswith("ST23") and row.event_time is not None]
        assert events[0] == expected
        assert events[0].utcoffset() == expected.astimezone(zone).utcoffset()


@each_change
def test_tiers_that_begin_within_the_hour(zone, change):
    """A meter switches tiers by its wall clock: at once if the hour is left out, in both halves if it occurs twice."""
    before, after = wall(change - MINUTE, zone) + MINUTE, wall(change, zone)
    begins = min(before, after) + abs(after - before) / 2  # in the hour that is left out, or that occurs twice
    noon = begins.replace(hour=12, minute=0)
    plan = tables(switches=(switch(begins.hour, begins.minute, 2, 0), switch(12, 0, 1, 0)), rows=(bytes(3),))
    days = [dt.timedelta(number) for number in range(-2, 4)]
    switches = sorted([(begins + day, 2) for day in days] + [(noon + day, 1) for day in days])
    for number in range(-14, 15):
        instant = change + 10 * MINUTE * number
        shown = wall(instant, zone)
        quality = (shown.isoweekday() % 7, in_summer(zone, instant), False, True, True, True)
        device = meter(dict(plan.all))
        tier = [tier for time, tier in switches if time <= shown][-1]
        status = device.bind(55).decode(bytes(9)).STATUS._replace(CURR_TIER=tier)
        device.put(55, device.encode(55, (shown, quality, status)))
        found = clock(device, zone=zone, now=instant)
        assert [(change.time, change.tier) for change in found.next_switches] == [
            one for one in switches if one[0] > shown
        ][:4]
        assert found.calendar.tier(shown) == found.tier == tier
        assert "tier" not in codes(found)
        for switched in found.next_switches:
            instant_of_it = found.timekeeping.of_wall(switched.time)
            assert instant_of_it == switched.time.replace(tzinfo=zone).astimezone(UTC)
        status = status._replace(CURR_TIER=3 - tier)
        device.put(55, device.encode(55, (shown, quality, status)))
        assert "tier" in codes(clock(device, zone=zone, now=instant))


def test_registers_have_a_fixed_offset():
    for name in ("America/New_York", "Australia/Lord_Howe"):
        rows = [row for row in registers(register_meter(), zone=ZONES[name]) if row.event_time is not None]
        assert rows
        for row in rows:
            assert type(row.event_time.tzinfo) is dt.timezone
            assert row.event_time.utcoffset() == ZONES[name].utcoffset(row.event_time.replace(tzinfo=None))


@pytest.mark.parametrize("number", range(-14, 15))
def test_calendar_is_asked_for_the_time_on_the_wall(number):
    """The tier that a meter is in is held against its calendar at its own wall time, in both halves of the hour."""
    zone = ZONES["America/New_York"]
    instant = at("2024-11-03 06:00", UTC) + 10 * MINUTE * number
    device = meter({51: TOU, 53: OFFSET, 54: CALENDAR})
    quality = (wall(instant, zone).isoweekday() % 7, in_summer(zone, instant), False, True, True, True)
    shown = wall(instant, zone)
    plan = clock(device).calendar
    status = device.bind(55).decode(bytes(9)).STATUS._replace(CURR_TIER=plan.tier(shown))
    device.put(55, device.encode(55, (shown, quality, status)))
    for given in (None, zone):
        found = clock(device, zone=given, now=instant)
        assert found.drift == 0 * MINUTE
        assert codes(found) == []
        assert found.next_switches == plan.next_switches(shown)
