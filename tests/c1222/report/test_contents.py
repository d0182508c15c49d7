"""What the page says of registers, rates, profiles, events and traffic, before it is text."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219 import Device
from c1222.amounts import amount_text, rate_text
from c1222.capture.decoder import decode_capture
from c1222.report.charts import _runs, event_chart, profile_charts, traffic_chart
from c1222.report.meter import Detail, meter_report
from c1222.report.registers import peaks, period_tables, shares
from c1222.report.timeline import Timeline
from c1222.services import ErrorResponse, TableData, tables
from tests.c1222.capture.conversation import KEY, Conversation
from tests.c1222.report.pages import sample


def test_registers_stand_beside_their_rates() -> None:
    rows = sample().registers().rows
    current = period_tables(rows)[0]
    assert current.title == "current"
    assert current.columns == ("total", "rate A", "rate B", "rate C", "rate D")
    line = next(line for line in current.lines if line.name == "active energy delivered")
    total = next(row for row in rows if row.path == "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert line.unit == "kWh"
    assert line.cells[0].value == "388,381.680"
    assert total.value == Decimal(line.cells[0].value.replace(",", "")) * 1000


def test_every_register_is_in_a_table() -> None:
    rows = sample().registers().rows
    cells = [cell for table in period_tables(rows) for line in table.lines for cell in line.cells if cell.value]
    assert len(cells) == len(rows)


def test_peaks_have_their_times() -> None:
    rows = sample().registers().rows
    first = peaks(rows)[0]
    row = next(row for row in rows if row.kind == "demand" and row.extreme == "maximum")
    assert first.value == amount_text(row.value, row.unit) if row.value is not None else None
    assert row.event_time is not None
    assert first.time == row.event_time.isoformat(" ", "minutes")
    assert max(one.part for one in peaks(rows) if one.quantity == first.quantity) == 100.0
    assert {one.period for one in peaks(rows)} == {"current", "previous season", "previous demand reset"}


def test_shares_of_rates_are_those_of_the_registers() -> None:
    rows = sample().registers().rows
    own = shares(rows)[0]
    tiers = [
        row.value
        for row in rows
        if row.period == "current"
        and row.kind == "summation"
        and row.tier is not None
        and row.quantity == own.quantity
        and row.value is not None
    ]
    assert [part.percent for part in own.parts] == [round(float(100 * value / sum(tiers)), 1) for value in tiers]
    assert shares(sample("single-phase").registers().rows) == ()


def points(chart: object) -> list[int]:
    data = chart.data  # type: ignore[attr-defined]
    json.dumps(data)
    count = len(data["times"]) if "times" in data else sum(run[1] for run in data["runs"])
    assert {len(one["v"]) for one in data["series"]} == {count}
    return [count, len(data["series"])]


def test_a_chart_of_a_profile_has_a_point_an_interval() -> None:
    profile = sample().load_profile(1)
    energy, reactive, volts = profile_charts(profile, max_points=10_000)
    intervals = len({row.start for row in profile.rows})
    assert points(energy) == [intervals, 2]
    assert points(reactive) == [intervals, 1]
    assert points(volts)[1] == 3
    first = next(row for row in profile.rows if row.channel == 1)
    assert first.start is not None
    assert first.value is not None
    offset = first.start.utcoffset()
    assert offset is not None
    assert energy.data["runs"][0][0] == first.start.timestamp() + offset.total_seconds()
    assert energy.data["series"][0]["v"][0] == float(first.value) / 1000


def test_the_band_holds_every_voltage() -> None:
    profile = sample().load_profile(1)
    highest, lowest, mean = profile_charts(profile, max_points=10_000)[2].data["series"]
    volts = [float(row.value) for row in profile.rows if row.channel == 4 and row.value is not None]
    assert max(value for value in highest["v"] if value is not None) == max(volts)
    assert min(value for value in lowest["v"] if value is not None) == min(volts)
    for top, bottom, middle in zip(highest["v"], lowest["v"], mean["v"], strict=True):
        assert top is None or bottom <= middle <= top


def test_fewer_points_are_told_and_lose_no_energy() -> None:
    profile = sample().load_profile(1)
    whole, fewer = (profile_charts(profile, max_points=most)[0] for most in (10_000, 200))
    assert points(fewer)[0] <= 201
    assert any("each point is made from up to" in text for text in fewer.about)
    assert not any("each point" in text for text in whole.about)
    for one, other in zip(whole.data["series"], fewer.data["series"], strict=True):
        sums = [sum(value for value in series["v"] if value is not None) for series in (one, other)]
        assert sums[0] == pytest.approx(sums[1])


@given(st.lists(st.integers(0, 400), unique=True).map(sorted), st.integers(1, 5))
def test_runs_are_the_times(times: list[int], step: int) -> None:
    assert [start + number * step for start, count in _runs(times, step) for number in range(count)] == times


def test_events_have_a_point_each() -> None:
    log = sample().events()
    chart = event_chart(log.rows)
    assert chart is not None
    drawn = sum(value is not None for one in chart.data["series"] for value in one["v"])
    kinds = len(chart.data["lines"]) - 1
    known = set(chart.data["lines"][:kinds])
    assert drawn == len({(row.time, row.name if row.name in known else "") for row in log.rows if row.time})
    assert event_chart([]) is None


def test_what_is_cut_is_counted() -> None:
    report = meter_report(sample(), "m", Detail(points=100, periods=2, events=3, findings=0))
    whole = meter_report(sample(), "m", Detail(points=10_000, periods=1000, events=1000, findings=1000))
    assert len(report.periods) + report.more_periods == len(whole.periods)
    assert len(report.events) + report.more_events == len(whole.events)
    assert report.more_findings == len(whole.findings)
    assert report.events == whole.events[:3]


def test_a_meter_of_which_nothing_is_known() -> None:
    report = meter_report(Device(), "m", Detail(10, 10, 10, 10))
    assert report.charts == report.periods == report.rights == ()
    assert report.findings


def test_rights_and_identity() -> None:
    report = meter_report(sample(), "m", Detail(10, 10, 10, 10))
    assert dict(report.identity)["serial"] == "0000000012345678"
    anyone = next(rights for rights in report.rights if (rights.read, rights.write) == ("anyone", "nobody"))
    assert ("ST0", "General Configuration") in anyone.labels
    assert sum(len(rights.labels) for rights in report.rights) == len(sample().access().permissions)


# --- traffic


def timeline(reads: int, refused: int, **options: int) -> Timeline:
    talk = Conversation()
    for _ in range(reads):
        talk.ask([tables.ReadRequest(1)], [tables.ReadResponse(TableData(b"x"))])
    for _ in range(refused):
        talk.ask([tables.ReadRequest(1)], [ErrorResponse(0x05)])
    made = Timeline(**options)
    for message in decode_capture(io.BytesIO(talk.octets), keys=KEY):
        made.add(message)
    return made


def test_services_are_counted_by_time() -> None:
    made = timeline(20, 5)
    assert made.services == ["read"]
    assert sum(made.requests("read")) == 25
    assert sum(made.failures()) == len(made.errors) == 5
    assert made.errors[0].what == "iar: inappropriate action requested"
    assert made.errors[0].service == "read"
    chart = traffic_chart(made)
    assert chart is not None
    assert points(chart) == [len(made.slots), 2]


@pytest.mark.parametrize("most", [2, 7, 40])
def test_spans_are_bounded_and_lose_nothing(most: int) -> None:
    made = timeline(60, 60, max_spans=most, max_errors=50)
    assert len(made.slots) <= most
    assert sum(made.requests("read")) == 120
    assert sum(made.failures()) == 60
    assert (len(made.errors), made.more_errors) == (50, 10)


def test_rates() -> None:
    assert [rate_text(0), rate_text(7), rate_text(8)] == ["rate A", "rate H", "tier 9"]
