"""Meters that say nonsense: every verb ends, in a value or in a typed error."""

from __future__ import annotations

import contextlib
import datetime as dt
from random import Random
from typing import Any

import pytest

from c1219.errors import C1219Error
from c1222.client.errors import CutShort
from c1222.errors import C1222Error, DecodeError
from c1222.protocol.responder import responder as responder_module
from c1222.services import ErrorResponse, Request, Response, TableData, tables
from c1222.services.results import Isc, Onp, Rstl, Sns
from tests.c1222.client.rig import Bench, Tiny, known, profile

NAMES = ["polyphase-tou", "big-endian", "single-phase"]


def verbs(meter: Any, chance: Random) -> None:
    """Call verbs one after the other; those that raise typed errors are done."""
    since = dt.datetime(2026, 11, 20, tzinfo=chance.choice([None, dt.UTC]))
    for call in (
        lambda: meter.read("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", 5),
        lambda: meter.read(23),
        lambda: meter.registers(),
        lambda: meter.load_profile(chance.choice([1, 2, 4])),
        lambda: meter.load_profile(1, since),
        lambda: meter.events(),
        lambda: meter.clock(),
        lambda: meter.identity(),
        lambda: meter.set_clock(),
        lambda: meter.procedure(9, {"ACTION_FLAG": {}}, polls=2, pause=0.1),
        lambda: meter.procedure(4, 1, polls=2, pause=0.1),
        lambda: meter.write("ST51.TIME_FUNC_FLAG1.SORT_DATES_FLAG", True),
        lambda: meter.read_octets("MT7", 3),
    ):
        with contextlib.suppress(C1222Error, C1219Error):
            call()


@pytest.mark.parametrize("seed", range(24))
def test_tables_of_random_octets(seed: int) -> None:
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
    verbs(bench.meter, chance)


@pytest.mark.parametrize("seed", range(24))
def test_answers_that_are_random(seed: int) -> None:
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

    bench.store.plan.append(nonsense)
    verbs(bench.meter, chance)
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
        with pytest.raises(CutShort, match="10 octets from 15 on: 5 octets came, 10 were due"):
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
