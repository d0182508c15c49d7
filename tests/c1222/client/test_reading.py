"""Elements, tables and large tables, read by both pumps over a wire in memory."""

from __future__ import annotations

from typing import Any

import pytest

from c1219.errors import AbsentElement, UnknownElement, UnknownTable
from c1222.services import Request, Response, tables
from c1222.services.results import Dnr, Onp, Rstl, Sns
from tests.c1222.client.reads import asked, no_offsets
from tests.c1222.client.rig import Bench, Tiny, known, profile

pytestmark = pytest.mark.parametrize("kind", ["sync", "aio"])


# --- reading


def test_an_element_costs_its_own_octets_only(kind: str) -> None:
    bench = Bench(kind)
    value = bench.meter.read("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    device = known(bench.store)
    element = device.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert value == device.value("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert asked(bench) == [(0, None, None), (21, None, None), (23, element.offset, element.size)]
    bench.store.requests.clear()
    bench.meter.read("ST23.TOT_DATA_BLOCK.SUMMATIONS[1]")
    assert len(bench.store.requests) == 1  # dimensions are known


def test_paths_slices_flags_and_tables_together(kind: str) -> None:
    bench = Bench(kind)
    device = known(bench.store)
    paths = ["ST6.OWNER_NAME", "ST26.SELF_READS_ENTRIES[0:2]", "ST52.TIME_DATE_QUAL.DST_FLAG", "ST3.ED_MODE"]
    bench.meter.read(0, 21)
    before = bench.wire.counters["sent"]
    values = bench.meter.read(*paths, 5, "ST1")
    assert values[:4] == [device.value(path) for path in paths]
    assert values[4:] == [device[5].value, device[1].value]
    assert bench.wire.counters["sent"] - before <= 4  # few messages, since few octets


def test_many_tables_go_in_few_messages(kind: str) -> None:
    bench = Bench(kind)
    wanted = sorted(number for number in bench.store.tables if number not in {7, 8} and number < 60)
    values = bench.meter.read(*wanted)
    device = known(bench.store)
    assert values == [device[number].value for number in wanted]
    requests = bench.wire.counters["sent"] // 2
    assert requests <= len(wanted) // 2
    assert bench.meter.device[23].raw == bench.store.tables[23]


def test_the_same_element_twice_is_asked_once(kind: str) -> None:
    bench = Bench(kind)
    one, two = bench.meter.read("ST6.OWNER_NAME", "ST6.OWNER_NAME")
    assert one == two == "Demo Light and Power"
    assert len(asked(bench, tables.ReadOffsetRequest)) == 1


def test_tables_that_nobody_declared_come_as_octets(kind: str) -> None:
    bench = Bench(kind)
    bench.store.tables[2048 + 900] = b"own"
    assert bench.meter.read("MT900") == b"own"
    assert bench.meter.read(2048 + 900) == b"own"


def test_octets_as_they_are(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.read_octets(23) == bench.store.tables[23]
    assert bench.meter.read_octets("ST23", 5, 7) == bench.store.tables[23][5:12]
    assert bench.meter.read_octets(23, 300) == bench.store.tables[23][300:]
    assert bench.meter.read_octets(23, 3, 0) == b""


def test_elements_whose_place_depends_on_the_table_itself(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.read("ST0.DEVICE_CLASS") == known(bench.store).value("ST0.DEVICE_CLASS")
    assert asked(bench) == [(0, None, None)]


def test_names_that_are_none(kind: str) -> None:
    bench = Bench(kind)
    for wrong, error in (
        ("ST5000", UnknownTable), ("bad", UnknownTable), (5000, UnknownTable), ("ST23.NONE", UnknownElement),
        ("ST23.TIER_DATA_BLOCK[99]", UnknownElement), ("ST900.X", UnknownTable),
    ):  # fmt: skip
        with pytest.raises(error):
            bench.meter.read(wrong)


def test_an_element_that_is_absent_is_not_asked_for(kind: str) -> None:
    bench = Bench(kind, store=Tiny(profile("single-phase")))
    absent = next(row.path for row in known(bench.store).bind(23).describe() if row.offset is None)
    with pytest.raises(AbsentElement):
        bench.meter.read(f"ST23.{absent.replace('[]', '[0]')}")
    assert (23, None, None) not in asked(bench)


@pytest.mark.parametrize("refusal", [Onp, Sns])
def test_meters_that_give_whole_tables_only(kind: str, refusal: type[Exception]) -> None:
    bench = Bench(kind)
    bench.store.plan.append(no_offsets(refusal))
    device = known(bench.store)
    paths = ["ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", "ST6.OWNER_NAME", "ST23.TOT_DATA_BLOCK.SUMMATIONS[1]"]
    assert bench.meter.read(*paths) == [device.value(path) for path in paths]
    assert asked(bench).count((23, None, None)) == 1
    before = len(asked(bench, tables.ReadOffsetRequest))
    assert bench.meter.read(paths[0]) == device.value(paths[0])
    assert len(asked(bench, tables.ReadOffsetRequest)) == before  # it is known now
    bench.meter.write("ST6.OWNER_NAME", "other")
    assert known(bench.store).value("ST6.OWNER_NAME") == "other"
    assert known(bench.store).value("ST6.UTILITY_DIV") == device.value("ST6.UTILITY_DIV")


def test_st0_says_that_there_is_no_partial_access(kind: str) -> None:
    store = Tiny()
    st0 = bytearray(store.tables[0])
    st0[1] &= 0b11100111
    store.tables[0] = bytes(st0)
    bench = Bench(kind, store=store)
    bench.meter.read(0)
    assert bench.meter.read("ST6.OWNER_NAME") == "Demo Light and Power"
    assert not asked(bench, tables.ReadOffsetRequest)


def test_no_octets_are_not_asked_for(kind: str) -> None:
    bench = Bench(kind)
    assert bench.meter.read_octets("ST6", 3, 0) == bench.meter.read_octets("ST6", 0, 0) == b""
    assert not bench.store.requests


# --- large tables


@pytest.mark.parametrize("size", [3, 200, 1239, 1240, 1241, 5000, 70000])
def test_tables_of_any_size_whose_size_is_not_known(kind: str, size: int) -> None:
    bench = Bench(kind)
    octets = bytes(number % 251 for number in range(size))
    bench.store.tables[2048 + 700] = octets
    assert bench.meter.read_octets("MT700") == octets


@pytest.mark.parametrize("told", [True, False])
def test_pieces_fit_what_the_meter_can_send(kind: str, told: bool) -> None:
    bench = Bench(kind)
    octets = bench.store.tables[2048 + 700] = bytes(range(256)) * 5
    largest: list[int] = []

    def small(request: Request) -> Response | None:
        if isinstance(request, (tables.ReadRequest, tables.ReadOffsetRequest)) and request.table == 2048 + 700:
            count = getattr(request, "count", 1280)
            if count > 100:
                raise Rstl.of(260) if told else Rstl
            largest.append(count)
        return None

    bench.store.plan.append(small)
    assert bench.meter.read_octets("MT700") == octets
    assert max(largest) <= 100
    before = len(bench.store.requests)
    assert bench.meter.read_octets("MT700", 0, 1000) == octets[:1000]
    assert all(request.count <= 100 for request in bench.store.requests[before:])  # type: ignore[attr-defined]


def test_pieces_of_a_known_table_with_progress(kind: str) -> None:
    bench = Bench(kind)
    seen: list[tuple[int, int | None]] = []
    bench.meter.read(61)
    value = bench.meter.read(64, progress=lambda done, total: seen.append((done, total)))
    device = known(bench.store)
    assert value == device[64].value
    size = len(bench.store.tables[64])
    assert {total for _, total in seen} == {size}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == size
    assert len(seen) > 10


def test_a_chunk_size_of_ones_own(kind: str) -> None:
    bench = Bench(kind, chunk=50)
    bench.meter.read(61)
    bench.meter.read(64)
    assert max(count or 0 for _, _, count in asked(bench, tables.ReadOffsetRequest)) == 50


def test_a_meter_that_likes_no_company(kind: str) -> None:
    """Meters refuse messages of several services with onp; then each goes alone."""
    bench = Bench(kind)
    bench.meter.read(0)
    original = bench.node.responder.handler

    class Alone:
        def __call__(self, request: Request, context: Any) -> Response:
            if len(context.message.services) > 1:
                raise Onp
            return original(request, context)

    bench.node.responder.handler = Alone()
    one, two, three = bench.meter.read(1, 5, 6)
    assert (one.ED_MODEL, two.IDENTIFICATION) == ("POLY-TOU", "METER-008437")
    assert three.OWNER_NAME == "Demo Light and Power"


def test_a_meter_that_is_busy_is_asked_again(kind: str) -> None:
    bench = Bench(kind, busy_pause=1.5)
    answers = [Dnr, Dnr]

    def busy(request: Request) -> Response | None:
        if answers:
            raise answers.pop()
        return None

    bench.store.plan.append(busy)
    started = bench.wire.now
    assert bench.meter.read(1).ED_MODEL == "POLY-TOU"
    assert bench.wire.now - started >= 3.0
