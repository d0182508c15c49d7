"""What moves agrees with itself, however often one looks; and with the views, which know nothing of the simulation."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219.device import Device
from c1222.node.meter.meter import SimulatedMeter
from c1222.node.simulation import simulation
from c1222.node.simulation.flows import LoadCurve
from c1222.node.store.store import MemoryStore
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, SINGLE, UTC, Rig, profile

ALL = [POLYPHASE, SINGLE, BIG]
HOUR, DAY = 3600, 86_400


@given(
    seed=st.integers(0, 1 << 32),
    start=st.integers(1_600_000_000, 2_000_000_000),
    spans=st.lists(st.integers(1, 10_000), min_size=1, max_size=5),
)
def test_energy_is_the_integral_of_power_and_power_is_never_negative(seed: int, start: int, spans: list[int]) -> None:
    curve = LoadCurve(seed, watts=500.0)
    for span in spans:
        end = start + span
        energy = curve.energy(end) - curve.energy(start)
        steps = 200
        sampled = sum(curve.power(start + (i + 0.5) * span / steps) for i in range(steps)) * span / steps / 3600
        assert energy == pytest.approx(sampled, rel=0.01, abs=0.05)
        assert curve.power(start) > 0
        start = end


def test_seeds_set_meters_apart_and_repeat() -> None:
    one, same, other = LoadCurve(1), LoadCurve(1), LoadCurve(2)
    assert one.energy(UTC) == same.energy(UTC)
    assert one.energy(UTC) != other.energy(UTC)
    first, second = Rig(count=2).meters
    first.advance(UTC + DAY + HOUR)
    second.advance(UTC + DAY + HOUR)
    assert first.simulation
    assert second.simulation
    assert first.simulation.flows.counts != second.simulation.flows.counts


@pytest.mark.parametrize("name", ALL)
def test_intervals_add_up_to_what_the_registers_gained(name: str) -> None:
    """The views compare end readings and pulse counts with the sums of the intervals, block by block."""
    rig = Rig(name, utc=UTC + 700)
    for _ in range(5):
        rig.passes(13 * HOUR + 1234)
        device = rig.device()
        for number in (1, 2, 3, 4):
            if 63 + number in device:
                found = device.load_profile(number)
                assert not [f for f in found.findings if f.code in ("reading-mismatch", "no-value", "gap")], (
                    found.findings
                )
                assert found.rows


@pytest.mark.parametrize("name", [POLYPHASE, BIG])
def test_tiers_add_up_to_the_total(name: str) -> None:
    rig = Rig(name, utc=UTC + 700)
    before = rig.device()[23].value
    rig.passes(3 * DAY + 4567)
    after = rig.device()[23].value
    places = 4 if name == BIG else 0
    for k in range(len(before.TOT_DATA_BLOCK.SUMMATIONS)):
        total = after.TOT_DATA_BLOCK.SUMMATIONS[k] - before.TOT_DATA_BLOCK.SUMMATIONS[k]
        tiers = sum(
            new.SUMMATIONS[k] - old.SUMMATIONS[k]
            for new, old in zip(after.TIER_DATA_BLOCK, before.TIER_DATA_BLOCK, strict=True)
        )
        # Each register is rounded down by itself, so that as many last digits may be missing as there are tiers.
        assert abs(total - tiers) <= len(after.TIER_DATA_BLOCK) * Decimal(1).scaleb(-places)
        assert total


@pytest.mark.parametrize("name", ALL)
def test_it_does_not_matter_how_often_one_looks(name: str) -> None:
    often, once = Rig(name), Rig(name)
    for step in (1, 59, 61, 899, 901, 3599, 7, 86_399, 50_000, 17):
        often.passes(step)
        often.device()
    once.passes(often.utc - once.utc)
    seen, unseen = often.device(), once.device()
    assert {label: seen[label].raw for label in seen} == {label: unseen[label].raw for label in unseen}


@pytest.mark.parametrize("name", ALL)
def test_a_meter_that_was_saved_goes_on_as_if_it_had_run(name: str) -> None:
    store = MemoryStore()
    rig = Rig(name, store=store)
    other = Rig(name)
    for seconds in (1234, 40_000, 5):
        rig.passes(seconds)
        other.passes(seconds)
        rig.device()
        rig.meter.save()
        rig = Rig(name, store=store, utc=rig.utc)
    rig.passes(90_000)
    other.passes(90_000)
    seen, unseen = rig.device(), other.device()
    assert {label: seen[label].raw for label in seen} == {label: unseen[label].raw for label in unseen}


def test_what_was_not_saved_is_made_again_the_same() -> None:
    store = MemoryStore()
    rig = Rig(store=store)
    rig.caller().log_in(MASTER).write(6, b"SAVED".ljust(230))
    rig.passes(100_000)
    before = rig.device()[23].value  # seen by somebody, and then the process dies
    again = Rig(store=store, utc=rig.utc)
    assert again.device()[23].value == before


@pytest.mark.parametrize("name", ALL)
def test_demands_are_averages_over_the_interval_of_the_profile(name: str) -> None:
    rig = Rig(name, utc=UTC + 700)
    rig.caller().log_in(MASTER).call(9, b"\1")
    rig.passes(2 * DAY)
    device = rig.device()
    st23 = device[23].value
    peak = st23.TOT_DATA_BLOCK.DEMANDS[0]
    assert peak.DEMAND[0] > 0
    moving = rig.meter.simulation
    assert moving is not None
    plan = moving.registers.plan.demands[0]
    curve = LoadCurve(rig.meter._seed, watts=rig.profile.options.watts, zone=moving.formats.zone)
    when = moving.formats.device(peak.EVENT_TIME[0])
    length = plan.step * plan.steps
    energy = curve.energy(when) - curve.energy(when - length)
    expected = Decimal(energy * plan.signal.share * 3600 / length)
    shown = (
        Decimal(str(peak.DEMAND[0])) * Decimal(plan.signal.multiplier.numerator) / plan.signal.multiplier.denominator
    )
    assert float(shown) == pytest.approx(float(expected), rel=0.01)


def test_peaks_are_kept_in_order_with_their_times() -> None:
    rig = Rig(BIG, utc=UTC + 700)
    rig.caller().log_in(MASTER).call(9, b"\1")
    rig.passes(DAY)
    for demand in rig.device()[23].value.TOT_DATA_BLOCK.DEMANDS:
        assert list(demand.DEMAND) == sorted(demand.DEMAND, reverse=True)
        assert len(set(demand.EVENT_TIME)) == 3
        assert demand.DEMAND[0] > 0


def test_an_accelerated_clock_runs_fast_and_so_does_the_load() -> None:
    rig, slow = Rig(rate=60.0), Rig()
    start = rig.device().value("ST52.CLOCK_CALENDAR")
    first, same = rig.device()[23].value, slow.device()[23].value
    assert first == same
    rig.passes(60)
    slow.passes(3600)
    assert rig.device().value("ST52.CLOCK_CALENDAR") - start == dt.timedelta(hours=1)
    assert rig.device()[23].value == slow.device()[23].value


def test_registers_never_go_back_whatever_true_time_does() -> None:
    rig = Rig()
    rig.passes(1000)
    before = rig.device()
    rig.utc -= 5000
    after = rig.device()
    assert after[23].value == before[23].value
    assert after.value("ST52.CLOCK_CALENDAR") <= before.value("ST52.CLOCK_CALENDAR")


def test_it_begins_where_the_clock_of_the_profile_stands() -> None:
    made = profile()
    meter = SimulatedMeter(made, MemoryStore(), utc=UTC + DAY, history_days=40)
    meter.advance(UTC + DAY)
    device = Device(dict(meter.tables.all()))
    ends = [row.end for row in device.load_profile(1).rows if row.channel == 1]
    assert all((b - a) == dt.timedelta(minutes=15) for a, b in zip(ends[-200:], ends[-199:], strict=False))
    assert ends[-1].timestamp() > UTC + DAY - 900


def test_days_long_past_are_left_out() -> None:
    made = profile()
    meter = SimulatedMeter(made, MemoryStore(), utc=UTC + 300 * DAY, history_days=2)
    meter.advance(UTC + 300 * DAY)
    device = Device(dict(meter.tables.all()))
    ends = [row.end.timestamp() for row in device.load_profile(1).rows if row.channel == 1]
    assert UTC + 298 * DAY - 900 <= ends[-150] <= UTC + 300 * DAY
    found = device.load_profile(1)
    assert not [f for f in found.findings if f.code == "reading-mismatch"]


def test_a_profile_from_the_future_begins_with_an_empty_load_profile() -> None:
    rig = Rig(utc=UTC - 100 * DAY)
    status = rig.device()[63].value.LP_STATUS_SET1
    assert status.NBR_VALID_BLOCKS == 0
    assert status.LP_SET_STATUS_FLAGS.ACTIVE_MODE_FLAG


def test_frozen_meters_stay_as_they_are() -> None:
    rig = Rig(simulate=False)
    rig.passes(10 * DAY)
    device = rig.device()
    assert {label: device[label].raw for label in device} == dict(rig.profile.tables)


def test_self_reads_and_seasons_follow_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "MAX_CATCH_UP", 4 * DAY)
    rig = Rig(utc=UTC + 700)
    before = rig.device()[26].value
    rig.passes(3 * DAY)
    device = rig.device()
    after = device[26].value
    assert after.LAST_ENTRY_SEQ_NBR == before.LAST_ENTRY_SEQ_NBR + 3, "a daily self read"
    entry = after.SELF_READS_ENTRIES[after.LAST_ENTRY_ELEMENT]
    assert entry.REGISTER_INFO.END_DATE_TIME.time() == dt.time(0, 0)
    season = rig.meter.simulation.registers.season
    rig.passes(250 * DAY)
    device = rig.device()
    seasons = {rig.meter.simulation.registers.season, season}
    assert len(seasons) == 2, "half a year later it is another season"
    assert device[24].value.REGISTER_INFO.SEASON in seasons


@pytest.mark.parametrize("seconds", [-20, -600, -4000, 20, 600, 4000, 90_000, -200_000])
def test_a_clock_that_is_set_leaves_its_marks_in_the_load_profile(seconds: int) -> None:
    rig = Rig(utc=UTC + 700)
    rig.passes(5 * HOUR + 300)
    rig.device()
    before = rig.meter.tables["ST63"]
    rig.meter.set_clock(rig.meter.device + seconds)
    rig.passes(3 * HOUR)
    device = rig.device()
    assert rig.meter.tables["ST63"] != before
    marks = 0
    for block in device[64].value.LP_DATA_SETS1:
        for interval in block.LP_INT:
            marks |= interval.EXTENDED_INT_STATUS[0] >> 4
    assert marks & (4 if seconds > 0 else 8)
    status = device[63].value.LP_STATUS_SET1
    ended = device[64].value.LP_DATA_SETS1[status.LAST_BLOCK_ELEMENT].BLK_END_TIME
    assert dt.timedelta() <= device.value("ST52.CLOCK_CALENDAR") - ended < dt.timedelta(minutes=15)
    if seconds > -100_000:  # otherwise there are two stretches of the same time, which no view can put in order
        assert not [f for f in device.load_profile(1).findings if f.code == "reading-mismatch"]


def test_a_list_that_must_not_overflow_stops() -> None:
    rig = Rig(BIG, utc=UTC + 700)
    status = rig.device()[63].value.LP_STATUS_SET4
    assert status.LP_SET_STATUS_FLAGS.BLOCK_INHIBIT_OVERFLOW_FLAG
    rig.passes(20 * DAY)
    full = rig.device()[63].value.LP_STATUS_SET4
    assert full.NBR_UNREAD_BLOCKS == 30
    assert full.LP_SET_STATUS_FLAGS.OVERFLOW_FLAG
    rig.passes(2 * DAY)
    assert full == rig.device()[63].value.LP_STATUS_SET4
    assert rig.caller().log_in(MASTER).call(5, bytes((6, 0, 30)))[0] == 0
    rig.passes(2 * DAY)
    assert rig.device()[63].value.LP_STATUS_SET4.LAST_BLOCK_SEQ_NBR > full.LAST_BLOCK_SEQ_NBR
