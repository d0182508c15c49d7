"""The device files of specs/devices: made by their script, complete, and of one story."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pytest

from c1219 import Device
from c1219.schema import parameters
from c1219.views.calendar import calendar
from c1219.views.load_profile import IntervalStatus

FOLDER = Path(__file__).resolve().parents[2] / "specs" / "devices"
NAMES = ("single-phase", "polyphase-tou", "big-endian")
TABLES = [
    (name, label)
    for name in NAMES
    for label in json.loads((FOLDER / f"{name}.json").read_text("ascii"))["tables"]
    if label != "MT0"
]
LIMITS = (10, 20, 30, 40, 50, 60, 70)
SETS = [("single-phase", 1), ("polyphase-tou", 1), ("polyphase-tou", 2), ("big-endian", 2), ("big-endian", 4)]
TOLERATED = {("big-endian", 53), ("big-endian", 70), ("big-endian", 71)}
"""Tables that lack what 2008 added."""


@lru_cache
def device(name):
    return Device.from_json((FOLDER / f"{name}.json").read_text("ascii"))


@lru_cache
def profile(name, number):
    return device(name).load_profile(number)


@lru_cache
def registers(name):
    return {row.path: row for row in device(name).registers()}


def readings(name, number, channel):
    return [reading for reading in profile(name, number).readings if reading.channel == channel]


# --- the files


def test_the_script_makes_the_same_files_again(tmp_path):
    subprocess.run([sys.executable, "-B", str(FOLDER / "make_devices.py"), str(tmp_path)], check=True, cwd=tmp_path)
    for name in NAMES:
        assert (tmp_path / f"{name}.json").read_bytes() == (FOLDER / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_files_are_small_and_say_where_the_node_is(name):
    path = FOLDER / f"{name}.json"
    assert path.stat().st_size < 300_000
    content = json.loads(path.read_text("ascii"))
    assert content["schema"] == "c1219.device/1"
    assert content["node"]["ap_title"].startswith(".123.8")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_what_the_device_writes(name):
    assert device(name).to_json() == (FOLDER / f"{name}.json").read_text("ascii")


# --- the tables


@pytest.mark.parametrize("name", NAMES)
def test_every_table_of_st0_is_there_and_no_other(name):
    meter, config = device(name), device(name)[0].value
    held = {f"ST{n}" for n in config.STD_TBLS_USED} | {f"MT{n}" for n in config.MFG_TBLS_USED}
    assert set(meter) == held
    assert config.STD_TBLS_WRITE <= config.STD_TBLS_USED
    assert meter.missing() == ()


@pytest.mark.parametrize(("name", "number"), TABLES)
def test_every_table_decodes_and_encodes_to_the_same_octets(name, number):
    meter = device(name)
    image = meter[number]
    assert all(finding.code == "tail-absent" for finding in image.findings)
    assert bool(image.findings) == ((name, int(number)) in TOLERATED)
    layout = meter.layout_of(number, image.raw).fitting(len(image.raw))
    assert layout.size == len(image.raw)
    assert layout.decode(image.raw) == image.value
    assert layout.encode(tuple(image.value)) == image.raw


@pytest.mark.parametrize(("name", "number"), TABLES)
def test_construct_reads_the_same(name, number):
    meter = device(name)
    table = meter.declaration(number)
    others = {label: parameters(meter[label].value) for label in ("ST0", *table.depends_on) if label != table.label}
    assert table.record.parse(meter[number].raw, **others) == parameters(meter[number].value) or number in {"7", "8"}


@pytest.mark.parametrize("name", NAMES)
def test_limits_are_what_is_in_force(name):
    meter = device(name)
    present = [number for number in LIMITS if number in meter]
    assert present
    assert all(meter[number].raw == meter[number + 1].raw for number in present)


@pytest.mark.parametrize("name", NAMES)
def test_procedures_are_declared_and_st8_answers_st7(name):
    meter = device(name)
    for number in meter[0].value.STD_PROC_USED:
        assert meter.procedure(number).confidence[1] != "name only"
    asked, answered = meter[7].value, meter[8].value
    assert asked.PROC.TBL_PROC_NBR in meter[0].value.STD_PROC_USED
    assert (answered.PROC, answered.SEQ_NBR, answered.RESULT_CODE) == (asked.PROC, asked.SEQ_NBR, 0)
    assert answered.RESP_DATA is not None or asked.PROC.TBL_PROC_NBR == 5


def test_forms_are_far_apart():
    formats = [(d := device(name)[0].value).FORMAT_CONTROL_1[:2] + d.FORMAT_CONTROL_2[:1] for name in NAMES]
    assert formats == [(0, 1, 1), (0, 1, 2), (1, 3, 4)]
    assert [device(name)[0].value.FORMAT_CONTROL_3 for name in NAMES] == [(0, 1), (10, 8), (4, 6)]
    assert [device(name)[0].value.STD_VERSION_NO for name in NAMES] == [1, 2, 2]


def test_passwords_are_in_the_readme():
    text = (FOLDER / "README.md").read_text("utf-8")
    found = 0
    for name in NAMES:
        for entry in device(name)[42].value.SECURITY_ENTRIES:
            assert f"`{bytes(entry.PASSWORD).decode().rstrip()}`" in text
            found += 1
    assert found == 7


# --- one story


@pytest.mark.parametrize("name", NAMES)
def test_every_register_has_a_meaning(name):
    rows = [row for row in registers(name).values() if row.kind != "demand resets"]
    assert [row.path for row in rows if row.unit is None or row.value is None] == []
    used = [row for row in rows if row.kind == "demand" and row.period == "current" and row.value]
    assert used
    assert all(row.event_time is not None for row in used)


@pytest.mark.parametrize("name", ["polyphase-tou", "big-endian"])
def test_tiers_add_up_to_the_total(name):
    sums = defaultdict(Decimal)
    for row in registers(name).values():
        if row.kind == "summation":
            key = (row.period, row.period_end, row.source)
            sums[key] += row.value if row.tier is None else -row.value
    assert len(sums) > 30 if name == "polyphase-tou" else len(sums) > 15
    assert set(sums.values()) == {Decimal(0)}


@pytest.mark.parametrize("name", ["single-phase", "polyphase-tou"])
def test_demand_reset_moves_the_maximum_into_the_cumulative_demand(name):
    rows = registers(name)
    resets = "NBR_DEMAND_RESETS"
    assert rows[f"ST23.{resets}"].value == rows[f"ST25.PREV_DEMAND_RESET_DATA.{resets}"].value + 1
    checked = 0
    for path, row in rows.items():
        if row.kind == "cumulative" and path.startswith("ST23."):
            before = path.replace("ST23", "ST25.PREV_DEMAND_RESET_DATA")
            assert row.value == rows[before].value + rows[before.replace("CUM_DEMAND", "DEMAND[0]")].value
            checked += 1
        if row.kind == "continuous cumulative":
            base = path.replace("CONT_CUM_DEMAND", "")
            assert row.value == rows[f"{base}CUM_DEMAND"].value + rows[f"{base}DEMAND[0]"].value
    assert checked == (1 if name == "single-phase" else 10)


@pytest.mark.parametrize(("name", "number"), SETS)
def test_intervals_follow_each_other_without_a_gap(name, number):
    found = profile(name, number)
    assert {finding.code for finding in found.findings} <= {"absent", "zone-unknown", "tail-absent", "clock-set"}
    assert len(found) > 900
    for channel in found.channels:
        rows = [row for row in found if row.channel == channel.number]
        assert all(row.end - row.start == dt.timedelta(minutes=found.minutes) for row in rows)
        assert all(one.end == two.start for one, two in itertools.pairwise(rows))


@pytest.mark.parametrize(("name", "number"), SETS)
def test_intervals_add_up_to_what_the_registers_gained(name, number):
    found, sums = profile(name, number), bool(name == "big-endian")
    checked = 0
    for channel in found.channels:
        if channel.end_source is None:
            continue
        totals = defaultdict(Decimal)
        for row in found:
            if row.channel == channel.number:
                totals[row.block] += row.value or 0
        own = readings(name, number, channel.number)
        for before, reading in zip([None, *own], own, strict=False):
            if sums or before is not None:
                assert reading.value - (0 if sums else before.value) == totals[reading.block]
                checked += 1
    assert checked >= 20


@pytest.mark.parametrize(("name", "channels"), [("single-phase", (1,)), ("polyphase-tou", (1, 3))])
def test_registers_are_the_last_reading_and_the_interval_that_runs(name, channels):
    rows = registers(name)
    for index, channel in enumerate(channels):
        last = readings(name, 1, channel)[-1]
        now = next(row for row in rows.values() if row.period == "current" and row.source == last.source)
        running = rows[f"ST28.PRESENT_DEMAND[{index}].DEMAND_VALUE"]
        assert running.value > 0
        assert now.value - last.value == running.value * profile(name, 1).minutes / 60


@pytest.mark.parametrize("name", ["single-phase", "polyphase-tou"])
def test_the_maximum_is_that_of_the_intervals(name):
    rows, minutes = registers(name), profile(name, 1).minutes
    maximum = rows["ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]"]
    ends = {row.end: row.value for row in profile(name, 1) if row.channel == 1}
    assert ends[maximum.event_time] * 60 / minutes == maximum.value
    since = rows["ST25.PREV_DEMAND_RESET_DATA.TOT_DATA_BLOCK.SUMMATIONS[0]"].period_end
    assert (
        max(value for end, value in ends.items() if value is not None and end > since) * 60 / minutes == maximum.value
    )


def test_daily_self_reads_differ_by_the_intervals_of_each_tier():
    meter = device("polyphase-tou")
    plan = calendar(meter)
    used = defaultdict(Decimal)
    for row in profile("polyphase-tou", 1):
        if row.channel < 4:
            tier = plan.tier(row.start.replace(tzinfo=None))
            used[row.start.date(), row.channel - 1, tier] += row.value or 0
            used[row.start.date(), row.channel - 1, None] += row.value or 0
    reads = defaultdict(dict)
    for row in registers("polyphase-tou").values():
        if row.period == "self read" and row.kind == "summation":
            reads[row.period_end.date()][row.source, row.tier] = row.value
    days = sorted(reads)
    assert len(days) == 8
    for day, after in itertools.pairwise(days):
        gained = {key: reads[after][key] - reads[day][key] for key in reads[day]}
        assert gained == {key: used[day, *key] for key in gained}
        assert {tier for _, tier in gained if tier is not None and gained[0, tier]} <= {0, 1, 2}


def test_tiers_of_the_net_meter_follow_its_calendar():
    plan = calendar(device("big-endian"))
    used = defaultdict(Decimal)
    reads = {
        (row.period_end, row.tier): row.value
        for row in registers("big-endian").values()
        if row.period == "self read" and row.source == 0 and row.kind == "summation"
    }
    last = max(end for end, _ in reads)
    for row in profile("big-endian", 2):
        if row.channel == 1 and row.start >= last:
            used[plan.tier(row.start.replace(tzinfo=None))] += row.value or 0
    current = {row.tier: row.value for row in registers("big-endian").values() if row.path.endswith("SUMMATIONS[0]")
               and row.period == "current"}  # fmt: skip
    rest = {tier: current[tier] - reads[last, tier] - used[tier] for tier in (0, 1)}
    assert rest[1] == 0
    assert 0 < abs(rest[0]) < 2000, "what came after the last interval"


def test_the_net_meter_went_below_zero():
    values = [row.value for row in profile("big-endian", 2) if row.channel == 1 and row.value is not None]
    assert min(values) < 0 < max(values)
    assert registers("big-endian")["ST23.TIER_DATA_BLOCK[1].SUMMATIONS[0]"].value < 0


@pytest.mark.parametrize("name", NAMES)
def test_power_failures_are_in_the_log_and_in_the_profile(name):
    entries = list(device(name).events(logs=("history",) if name == "single-phase" else ("event",)))
    down = [entry.time for entry in entries if entry.code == 1][-1]
    up = [entry.time for entry in entries if entry.code == 2][-1]
    assert down < up
    number = 2 if name == "big-endian" else 1
    rows = [row for row in profile(name, number) if row.channel == 1]
    dark = [row for row in rows if row.start < up and row.end > down]
    assert len(dark) >= 2
    if name == "single-phase":
        assert [row.value for row in dark if row.status & IntervalStatus.NOT_VALID] == [0]
    else:
        assert dark == [row for row in rows if row.status & IntervalStatus.POWER_FAIL]
    whole = [row for row in dark if row.start >= down and row.end <= up]
    assert all(not row.value for row in whole)


@pytest.mark.parametrize("name", NAMES)
def test_logs_lose_nothing(name):
    log = device(name).events()
    assert log.lost == ()
    assert {finding.code for finding in log.findings} <= {"absent", "zone-unknown", "tail-absent", "argument-cut"}
    assert len(log) >= 10


@pytest.mark.parametrize("name", ["polyphase-tou", "big-endian"])
def test_the_clock_agrees_with_the_calendar(name):
    meter = device(name)
    found, plan, state = meter.clock(), calendar(meter), meter[55].value.STATUS
    local = found.time.replace(tzinfo=None)
    assert {finding.code for finding in found.findings} <= {"tail-absent"}
    assert (found.tier, found.season) == (plan.tier(local), plan.season(local.date()))
    for register, minutes in (("summation", found.tier_minutes), ("demand", found.demand_tier_minutes)):
        if minutes is not None:
            change = plan.next_switches(local, 1, register)[0] if name == "polyphase-tou" else None
            ends = change.time if change else dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time())
            assert ends - local == dt.timedelta(minutes=minutes)
    assert state.SPECIAL_SCHD_ACTIVE == 15
    assert len(meter[54].raw) == meter[51].value.CALENDAR_TBL_SIZE


def test_the_demand_reset_of_the_net_meter_is_on_its_periodic_date():
    meter = device("big-endian")
    times = meter.clock().timekeeping
    reset = times.instant(meter[25].value.REGISTER_INFO.END_DATE_TIME)
    local = reset.replace(tzinfo=None)
    days = [action.date for action in calendar(meter).actions(2026) if action.demand_reset]
    assert local.time() == dt.time()
    assert local.date() == max(day for day in days if day <= dt.date(2026, 11, 22))
