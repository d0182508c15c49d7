"""Meters that say nonsense: every verb ends, in a value or in a typed error."""

from __future__ import annotations

import datetime as dt
from itertools import count, takewhile, zip_longest
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from c1219.device import Device
from c1219.errors import C1219Error
from c1219.registry import table_id
from c1219.views.clock import clock
from c1219.views.event_log import events
from c1219.views.identity import identity
from c1219.views.load_profile import load_profile
from c1219.views.registers import registers
from c1222.client.errors import CutShort
from c1222.errors import C1222Error, DecodeError
from c1222.protocol.responder import responder as responder_module
from c1222.services import ErrorResponse, Request, Response, TableData, tables
from c1222.services.results import Isc, Onp, Rstl, Sns
from tests.c1222.client.rig import Bench, Tiny, known, profile

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ["polyphase-tou", "big-endian", "single-phase"]


class Heard:
    """What a node was asked, and what it answered."""

    def __init__(self) -> None:
        self.pairs: list[tuple[Any, Any]] = []

    def listen(self, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[list[Any]], None] = lambda _: None) -> Heard:
        """Stand between a node and its answers.

        Args:
            monkeypatch: undoes it.
            spoil: changes the answers to a message in place.
        """
        original = responder_module.carry_out  # type: ignore[attr-defined]  # imported there, for its own use

        def listening(message: Any, *arguments: Any, **options: Any) -> Any:
            outcome = original(message, *arguments, **options)
            spoil(outcome.responses)
            self.pairs += zip_longest(message.services, outcome.responses)
            return outcome

        monkeypatch.setattr(responder_module, "carry_out", listening)
        return self

    def told(self, table: int, since: int = 0) -> list[tuple[int | None, bytes]]:
        """Offset (None for the whole table) and octets of all that was read, or written and acknowledged."""
        found = []
        for request, answer in self.pairs[since:]:
            if getattr(request, "table", None) != table:
                continue
            if isinstance(answer, tables.TableResponse) and answer.table_data.checksum_ok:
                found.append((getattr(request, "offset", None), answer.table_data.data))
            elif isinstance(answer, (tables.WriteResponse, tables.WriteOffsetResponse)):
                found.append((getattr(request, "offset", None), request.data))
        return found

    def octets(self, table: int, since: int) -> dict[int, int]:
        """The octets told last, by place."""
        return {
            place: octet for offset, data in self.told(table, since) for place, octet in enumerate(data, offset or 0)
        }

    def check_device(self, device: Device) -> None:
        """Hold each table of a device against what was told of that very table."""
        for label in device:
            raw, told = device[label].raw, self.told(table_id(label))
            if raw not in [octets for offset, octets in told if offset is None]:
                places: dict[int, set[int]] = {}
                for offset, octets in told:
                    for place, octet in enumerate(octets, offset or 0):
                        places.setdefault(place, set()).add(octet)
                assert any(offset is not None for offset, _ in told), label
                assert all(octet in places.get(place, ()) for place, octet in enumerate(raw)), label


def verbs(meter: Any, chance: Random, told: Heard | None = None) -> int:
    """Call verbs one after the other, and hold what they return against what the octets say.

    Args:
        meter: the client.
        chance: draws some of their arguments.
        told: what the octets were; None where they are not known, and nothing is held against them.

    Returns:
        How many returned; the others raise typed errors.
    """
    since = dt.datetime(2026, 11, 20, tzinfo=chance.choice([None, dt.UTC]))
    number = chance.choice([1, 2, 4])
    path = "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"
    heard = told or Heard()
    begun = returned = 0

    def device() -> Device:
        return Device({label: meter.device[label].raw for label in meter.device})

    def stretch(table: int, first: int, size: int) -> bytes:
        octets = heard.octets(table, begun)
        return bytes(octets[place] for place in range(first, first + size))

    def check_elements(value: Any) -> None:
        element = device().layout(path)
        assert repr(value[0]) == repr(element.decode(stretch(23, element.offset, element.size)))
        assert (None, meter.device[5].raw) == heard.told(5, begun)[-1]
        assert repr(value[1]) == repr(device()[5].value)

    def check_table(value: Any) -> None:
        octets = heard.octets(23, begun)
        assert meter.device[23].raw == bytes(octets[place] for place in sorted(octets))
        assert repr(value) == repr(device()[23].value)

    def check_profile(own: int, after: dt.datetime | None) -> Callable[[Any], None]:
        def check(value: Any) -> None:
            octets = heard.octets(63 + own, begun)
            starts = [place for place in sorted(octets) if place - 1 not in octets]
            pieces = {
                place: bytes(octets[at] for at in takewhile(octets.__contains__, count(place))) for place in starts
            }
            assert repr(value.rows) == repr(load_profile(device(), own, pieces=pieces, since=after).rows)

        return check

    def check_rows(view: Callable[[Device], Any]) -> Callable[[Any], None]:
        def check(value: Any) -> None:
            assert repr(value.rows) == repr(view(device()).rows)

        return check

    def check_identity(value: Any) -> None:
        plain = identity(device())._replace(findings=())
        assert value._replace(findings=(), ap_title=plain.ap_title) == plain

    def check_octets(value: Any) -> None:
        assert value == stretch(64, 3, len(value))

    def check_clock(value: Any) -> None:
        plain = clock(device())
        assert repr(value[:2] + value[3:14]) == repr(plain[:2] + plain[3:14])

    def check_procedure(value: Any) -> None:
        (started,) = {request.data for request, _ in heard.pairs[begun:] if is_write(request)}
        assert any(octets[:3] == started[:3] and octets[3] == value.code for _, octets in heard.told(8, begun))

    def check_write(_: Any) -> None:
        writes = [answer for request, answer in heard.pairs[begun:] if is_write(request)]
        assert isinstance(writes[-1], (tables.WriteResponse, tables.WriteOffsetResponse))

    verbs_and_checks: list[tuple[Callable[[], Any], Callable[[Any], None]]] = [
        (lambda: meter.read(path, 5), check_elements),
        (lambda: meter.read(23), check_table),
        (lambda: meter.registers(), check_rows(registers)),
        (lambda: meter.load_profile(number), check_profile(number, None)),
        (lambda: meter.load_profile(1, since), check_profile(1, since)),
        (lambda: meter.events(), check_rows(events)),
        (lambda: meter.clock(), check_clock),
        (lambda: meter.identity(), check_identity),
        (lambda: meter.set_clock(), check_procedure),
        (lambda: meter.procedure(9, {"ACTION_FLAG": {}}, polls=2, pause=0.1), check_procedure),
        (lambda: meter.procedure(4, 1, polls=2, pause=0.1), check_procedure),
        (lambda: meter.write("ST51.TIME_FUNC_FLAG1.SORT_DATES_FLAG", True), check_write),
        (lambda: meter.write_octets(6, bytes(9)), check_write),
        (lambda: meter.read_octets(64, 3), check_octets),
    ]
    for call, check in verbs_and_checks:
        begun = len(heard.pairs)
        try:
            value = call()
        except (C1222Error, C1219Error):
            pass
        else:
            returned += 1
            if told is not None:
                check(value)
        if told is not None:
            told.check_device(meter.device)
    return returned


def is_write(request: Any) -> bool:
    return isinstance(request, (tables.WriteRequest, tables.WriteOffsetRequest))


@pytest.mark.parametrize("seed", range(24))
def test_tables_of_random_octets(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(seed)
    store = Tiny(profile(chance.choice(NAMES)))
    for number in list(store.tables):
        fate = chance.random()
        octets = bytearray(store.tables[number])
        if fate < 0.3:
            for _ in range(chance.randrange(1, 6)):
                if octets:
                    octets[chance.randrange(len(octets))] = chance.randrange(256)
        elif fate < 0.5:
            del octets[chance.randrange(len(octets) + 1) :]
        elif fate < 0.6:
            octets += chance.randbytes(chance.randrange(40))
        elif fate < 0.65:
            del store.tables[number]
            continue
        store.tables[number] = bytes(octets)
    bench = Bench("sync", store=store, mode=0, key=None, node_key=None)
    assert verbs(bench.meter, chance, Heard().listen(monkeypatch))


@pytest.mark.parametrize("seed", range(24))
def test_answers_that_are_random(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(seed)
    bench = Bench("sync", mode=0, key=None, node_key=None, busy_tries=1, busy_pause=0.1)

    def nonsense(request: Request) -> Response | None:
        fate = chance.random()
        if fate < 0.7:
            return None
        if fate < 0.85:
            return ErrorResponse(chance.randrange(1, 0x20), chance.randbytes(chance.choice([0, 0, 1, 4])))
        if isinstance(request, (tables.ReadRequest, tables.ReadOffsetRequest)):
            assert request.answer is not None
            octets = chance.randbytes(chance.randrange(60))
            return request.answer(TableData(octets) if fate < 0.95 else TableData(octets, b"\x01"))
        return None

    def spoil(responses: list[Any]) -> None:
        if responses and chance.random() < 0.2:
            del responses[chance.randrange(len(responses)) :]

    bench.store.plan.append(nonsense)
    assert verbs(bench.meter, chance, Heard().listen(monkeypatch, spoil))
    assert len(bench.store.requests) < 3000


def test_a_meter_that_answers_the_first_service_only(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench("sync", mode=0, key=None, node_key=None)
    device = known(bench.store)
    original = responder_module.carry_out

    def first_only(*arguments: Any, **options: Any) -> Any:
        outcome = original(*arguments, **options)
        del outcome.responses[1:]
        return outcome

    monkeypatch.setattr(responder_module, "carry_out", first_only)
    assert bench.meter.read(5, "ST6.OWNER_NAME") == [device[5].value, "Demo Light and Power"]
    assert bench.meter.procedure(4, 1).is_done
    with pytest.raises(DecodeError, match="which is which"):
        bench.meter.ask(tables.ReadRequest(1), tables.ReadRequest(5))


def test_an_answer_that_is_always_too_large() -> None:
    for refusal in (Rstl(), Rstl.of(3)):
        bench = Bench("sync", mode=0, key=None, node_key=None)

        def large(request: Request, refusal: Rstl = refusal) -> Response | None:
            if isinstance(request, (tables.ReadRequest, tables.ReadOffsetRequest)) and request.table == 5:
                raise refusal
            return None

        bench.store.plan.append(large)
        with pytest.raises(Rstl, match="ST5"):
            bench.meter.read(5)
        assert len(bench.store.requests) < 20


def test_a_meter_that_is_too_small_for_whole_tables_and_knows_no_pieces() -> None:
    bench = Bench("sync", mode=0, key=None, node_key=None)

    def neither(request: Request) -> Response | None:
        if isinstance(request, tables.ReadOffsetRequest):
            raise Onp
        if isinstance(request, tables.ReadRequest) and request.table == 64:
            raise Rstl.of(600)
        return None

    bench.store.plan.append(neither)
    with pytest.raises(Rstl):
        bench.meter.read_octets(64)
    with pytest.raises(Rstl):
        bench.meter.read("ST64.LP_DATA_SETS1[3].BLK_END_TIME")


def test_a_stretch_past_the_end_of_a_table() -> None:
    for offsets in (True, False):
        bench = Bench("sync", mode=0, key=None, node_key=None)
        bench.store.offsets = offsets
        with pytest.raises(CutShort, match="10 octets from 15 on: 5 octets came, 10 were expected"):
            bench.meter.read_octets(5, 15, 10)
        assert bench.meter.read_octets(5, 15) == bench.store.tables[5][15:]


def test_a_large_part_of_a_meter_that_refuses_pieces_once_asked() -> None:
    for refusal in (Onp, Sns):
        bench = Bench("sync", reliable=True, chunk=1000)
        bench.store.plan.append(
            lambda request, refusal=refusal: _raise(refusal) if isinstance(request, tables.ReadOffsetRequest) else None
        )
        device = known(bench.store)
        assert bench.meter.read(64) == device[64].value
        bench.store.needs_password = {64}
        with pytest.raises(Isc):
            bench.meter.read("ST64.LP_DATA_SETS1[3].BLK_END_TIME")


def _raise(error: type[Exception]) -> None:
    raise error
