"""Registers, load profile, logs, identity and clock of a meter, by both pumps over a wire in memory."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from c1219.views.load_profile import load_profile
from c1219.views.registers import registers
from c1222.errors import StateError
from c1222.services import Request, Response, tables
from c1222.services.results import Iar, Isc, Onp
from tests.c1222.client.reads import asked, no_offsets
from tests.c1222.client.rig import METER, Bench, Tiny, known, profile

pytestmark = pytest.mark.parametrize("kind", ["sync", "aio"])


def test_registers_are_those_of_the_tables(kind: str) -> None:
    bench = Bench(kind)
    found = bench.meter.registers()
    everything = registers(known(bench.store))
    expected = [row for row in everything.rows if row.path[:4] in {"ST23", "ST28"}]
    assert list(found.rows) == expected
    assert expected
    assert not [finding for finding in found.findings if finding.level == "error"]
    bench.store.requests.clear()
    assert list(bench.meter.registers(23).rows) == [row for row in expected if row.path[:4] == "ST23"]
    assert {table for table, _, _ in asked(bench)} == {23}
    row = bench.meter.registers(23).rows[1]
    assert (row.unit, type(row.value)) == ("Wh", Decimal)


def test_registers_of_earlier_periods(kind: str) -> None:
    bench = Bench(kind)
    rows = bench.meter.registers(24, 26).rows
    assert {row.path[:4] for row in rows} == {"ST24", "ST26"}
    rows = bench.meter.registers(25).rows
    assert {row.path[:4] for row in rows} == {"ST25"}


@pytest.mark.parametrize("name", ["polyphase-tou", "big-endian", "single-phase"])
def test_a_span_of_load_profile_costs_what_it_needs(kind: str, name: str) -> None:
    bench = Bench(kind, store=Tiny(profile(name)))
    device = known(bench.store)
    number = next(n for n in (1, 2, 3, 4) if 63 + n in bench.store.tables)
    whole = load_profile(device, number)
    ends = [row.end for row in whole.rows if row.end is not None]
    until = ends[-1] - dt.timedelta(hours=5)
    since = until - dt.timedelta(hours=6)
    found = bench.meter.load_profile(number, since, until)
    assert found.rows == load_profile(device, number, since=since, until=until).rows
    assert found.rows
    table = 63 + number
    octets = sum(count or 0 for read, _, count in asked(bench, tables.ReadOffsetRequest) if read == table)
    assert octets < len(bench.store.tables[table]) // 6
    assert bench.meter.load_profile(number).rows == whole.rows


def test_load_profile_of_a_meter_without_partial_access(kind: str) -> None:
    bench = Bench(kind, reliable=True)
    bench.store.plan.append(no_offsets(Onp))
    device = known(bench.store)
    whole = load_profile(device, 1)
    since = whole.rows[-1].end - dt.timedelta(hours=3)
    assert bench.meter.load_profile(1, since).rows == load_profile(device, 1, since=since).rows
    assert asked(bench).count((64, None, None)) <= 2


def test_a_meter_without_a_load_profile(kind: str) -> None:
    store = Tiny(profile("single-phase"))
    bench = Bench(kind, store=store)
    found = bench.meter.load_profile(3)
    assert not found.rows
    assert found.findings


def test_events_of_both_logs(kind: str) -> None:
    bench = Bench(kind)
    from c1219.views.event_log import events

    expected = events(known(bench.store))
    found = bench.meter.events()
    assert found.rows == expected.rows
    assert found.rows
    assert bench.meter.events("event").rows == events(known(bench.store), logs=("event",)).rows
    lone = Bench(kind, store=Tiny(profile("single-phase")))
    assert {row.log for row in lone.meter.events().rows} == {"history"}
    with pytest.raises(Iar):
        lone.meter.events("event")


def test_configuration_that_is_refused_is_left_out_with_a_finding(kind: str) -> None:
    bench = Bench(kind)

    def secret(request: Request) -> Response | None:
        if isinstance(request, tables.ReadRequest) and request.table in {12, 16}:
            raise Isc
        return None

    bench.store.plan.append(secret)
    found = bench.meter.registers(23)
    assert found.rows
    assert {finding.path for finding in found.findings if finding.code == "refused"} == {"ST12", "ST16"}


def test_registers_that_are_all_refused_are_an_error(kind: str) -> None:
    bench = Bench(kind)
    bench.store.needs_password = {23, 28}
    with pytest.raises(Isc, match="ST23"):
        bench.meter.registers()
    bench.store.needs_password = {28}
    found = bench.meter.registers()
    assert [finding.path for finding in found.findings if finding.level == "error"] == ["ST28"]
    with pytest.raises(Isc, match="ST28"):
        bench.meter.registers(28)


def test_who_the_meter_is(kind: str) -> None:
    bench = Bench(kind)
    found = bench.meter.identity()
    assert (found.manufacturer, found.model, found.identification) == ("DEMO", "POLY-TOU", "METER-008437")
    assert found.ap_title == METER


def test_the_clock_and_how_far_it_is(kind: str) -> None:
    bench = Bench(kind)
    now = dt.datetime.fromtimestamp(bench.wire.utc, dt.UTC)
    clock = bench.meter.clock()
    assert clock.wall == known(bench.store).value("ST52.CLOCK_CALENDAR")
    assert abs(clock.drift - (clock.time - now)) < dt.timedelta(seconds=1)


@pytest.mark.parametrize("name", ["polyphase-tou", "big-endian", "single-phase"])
def test_the_clock_is_set_in_the_form_that_it_has(kind: str, name: str) -> None:
    bench = Bench(kind, store=Tiny(profile(name)))
    device = known(bench.store)
    zone = ZoneInfo("America/Denver") if name == "single-phase" else None
    for moment in (
        dt.datetime(2026, 1, 15, 12, 30, 20, tzinfo=dt.UTC),
        dt.datetime(2026, 7, 15, 3, 0, 0, 700_000, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    ):
        if name == "single-phase":
            with pytest.raises(StateError, match="zone"):
                bench.meter.set_clock(moment)
        bench.meter.set_clock(moment, zone=zone)
        layout = device.procedure_layout(10, "parameters")
        assert layout is not None
        mask, wall, qualifier = layout.decode(bench.store.procedures[-1][2])
        assert tuple(mask) == (True, True, False)
        assert wall.isoweekday() % 7 == qualifier.DAY_OF_WEEK
        from c1219.views.clock import timekeeping

        rounded = (moment + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        assert timekeeping(device, zone=zone).instant(wall) == rounded
    bench.meter.set_clock(dt.datetime(2030, 5, 6, 7, 8, 9))
    assert layout.decode(bench.store.procedures[-1][2])[1] == dt.datetime(2030, 5, 6, 7, 8, 9)


def test_the_clock_is_set_to_now(kind: str) -> None:
    bench = Bench(kind)
    bench.meter.set_clock()
    layout = known(bench.store).procedure_layout(10, "parameters")
    assert layout is not None
    from c1219.views.clock import timekeeping

    wall = layout.decode(bench.store.procedures[-1][2])[1]
    time = timekeeping(known(bench.store)).instant(wall)
    assert time is not None
    assert abs(time.timestamp() - bench.wire.utc) <= 2
