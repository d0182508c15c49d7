"""Writes of which nobody knows how they ended, by both pumps over a wire in memory."""

from __future__ import annotations

import pytest

from c1222.client.errors import HalfWritten, WriteUnknown
from c1222.errors import ConnectionLost, EncodeError, PeerSilent, StateError
from c1222.services import Request, Response, tables
from c1222.services.results import Isc
from c1222.transport.memory import Mishaps
from tests.c1222.client.failures import both, cut, heal, says
from tests.c1222.client.rig import READER, Bench


@both
def test_a_write_without_an_answer_is_unknown_and_repeated_safely(kind: str) -> None:
    bench = Bench(kind, attempts=2)
    bench.meter.read(6)
    cut(bench, lambda: isinstance(bench.store.requests[-1], tables.WriteOffsetRequest))
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write("ST6.OWNER_NAME", "new")
    error = caught.value
    says(error, "unknown whether ST6 was written", "no answer", "`repeat`", "not carry out twice")
    assert error.can_be_repeated
    assert error.table == 6
    with pytest.raises(WriteUnknown) as again:
        bench.meter.repeat(error)
    assert len(bench.store.writes) == 1
    heal(bench)
    bench.store.plan.clear()
    assert bench.meter.repeat(again.value) is None
    assert len(bench.store.writes) == 1  # it was carried out the first time, and only then
    assert bench.meter.device.value("ST6.OWNER_NAME") == "new"


@both
def test_repeating_too_late_is_refused(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    cut(bench, lambda: isinstance(bench.store.requests[-1], tables.WriteRequest))
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    heal(bench)
    bench.wire.run(until=bench.wire.now + 200)
    with pytest.raises(StateError, match="longer than the peer remembers"):
        bench.meter.repeat(caught.value)


@both
def test_a_repeated_write_can_be_refused(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.wire.mishaps = Mishaps(loss=1.0)
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    heal(bench)
    bench.store.needs_password = {5}
    with pytest.raises(Isc):
        bench.meter.repeat(caught.value)


@both
def test_a_write_on_a_connection_that_is_lost(kind: str) -> None:
    bench = Bench(kind, reliable=True)

    def lose(request: Request) -> Response | None:
        bench.lose_connection(ConnectionLost("the connection is lost: closed by the peer"))
        return None

    bench.store.plan.append(lose)
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    says(caught.value, "unknown whether ST5 was written", "closed by the peer", "read the table back before")
    assert not caught.value.can_be_repeated
    with pytest.raises(StateError, match="read the table back"):
        bench.meter.repeat(caught.value)


@both
def test_a_write_that_was_never_sent_is_not_unknown(kind: str) -> None:
    bench = Bench(kind, session=True)
    bench.wire.detach("node")
    with pytest.raises(PeerSilent):
        bench.meter.write_octets(5, bytes(20))  # the logon was not answered


@both
def test_a_table_that_is_half_written(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.store.tables[2048 + 700] = bytes(5000)
    octets = b"\xff" * 5000
    cut(bench, lambda: len(bench.store.writes) == 2)
    with pytest.raises(HalfWritten) as caught:
        bench.meter.write_octets("MT700", octets)
    error = caught.value
    says(error, "MT700 is partly written", "2480 of 5000 octets", "unknown whether MT700", "from the start")
    assert isinstance(error.reason, WriteUnknown)
    assert (error.written, error.total, error.table) == (2480, 5000, 2748)
    assert bench.store.tables[2748][: error.written] == octets[: error.written]
    heal(bench)
    bench.store.plan.clear()
    bench.meter.write_octets("MT700", octets)
    assert bench.store.tables[2748] == octets


@both
def test_a_table_that_is_half_written_for_a_refusal(kind: str) -> None:
    bench = Bench(kind)
    bench.store.tables[2048 + 700] = bytes(3000)

    def refuse(request: Request) -> Response | None:
        if isinstance(request, tables.WriteOffsetRequest) and request.offset:
            raise Isc
        return None

    bench.store.plan.append(refuse)
    with pytest.raises(HalfWritten, match="isc"):
        bench.meter.write_octets("MT700", bytes(3000))
    bench.store.plan.clear()
    bench.store.needs_password = {2748}
    with pytest.raises(Isc):  # nothing of it was written
        bench.meter.write_octets("MT700", bytes(3000))


@both
def test_a_table_too_large_for_a_message_where_it_cannot_be_divided(kind: str) -> None:
    bench = Bench(kind)
    with pytest.raises(EncodeError, match="the link takes 1400"):
        bench.meter.write_octets(7, bytes(3000))
    assert not bench.store.requests


@both
def test_a_procedure_without_an_answer_runs_once(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.meter.read(0)
    cut(bench, lambda: isinstance(bench.store.requests[-1], tables.WriteRequest))
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.procedure(4, 1)
    says(caught.value, "unknown whether ST7 was written")
    heal(bench)
    bench.store.plan.clear()
    result = bench.meter.repeat(caught.value)
    assert (result.procedure, result.is_done) == ("SP4", True)
    assert len(bench.store.procedures) == 1


@both
def test_a_registration_without_an_answer_is_unknown(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    bench.wire.mishaps = Mishaps(loss=1.0)
    with pytest.raises(WriteUnknown, match="unknown whether the request was carried out") as caught:
        bench.meter.deregister()
    heal(bench)
    answers = bench.meter.repeat(caught.value)
    assert str(answers[0].ap_title) == READER
