"""Sessions that one side knows of and the other does not: the client finds its way out at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import c1222
from c1222.client.aio_meter import AsyncMeter
from c1222.client.errors import LogonRefused
from c1222.client.operations.operations import Operations
from c1222.client.sync import connect
from c1222.errors import PeerSilent, SecurityRefused, StateError
from c1222.message.aptitle import ApTitle
from c1222.protocol.message import Message
from c1222.protocol.policy import UDP_LINK
from c1222.services import ErrorResponse, Request, Response
from c1222.services.results import Err, Isss
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.client.rig import KEY, METER, PASSWORD, READER, Bench, drive

both = pytest.mark.parametrize("kind", ["sync", "aio"])
DEAF, FINE = Mishaps(loss=1.0), Mishaps()


def asked(bench: Bench, since: int = 0) -> list[str | None]:
    """Return the names of the services that the meter carried out."""
    return [request.service for request in bench.store.requests[since:]]


def lose_the_answer_to(bench: Bench, service: str) -> None:
    """Carry a service out once, and let nothing come through from then on."""

    def lose(request: Request) -> Response | None:
        if request.service == service:
            bench.wire.mishaps = DEAF
            bench.store.plan.clear()
        return None

    bench.store.plan.append(lose)


def bench_of(kind: str, **settings: Any) -> Bench:
    bench = Bench(kind, session=True, user_id=7, password=PASSWORD, attempts=2, **settings)
    bench.store.needs_password = {5}
    return bench


@both
@pytest.mark.parametrize("mode", [0, 1, 2])
def test_the_answer_to_the_logon_is_lost(kind: str, mode: int) -> None:
    bench = bench_of(kind, mode=mode, node_key=KEY if mode else None, key=KEY if mode else None)
    lose_the_answer_to(bench, "logon")
    with pytest.raises(PeerSilent):
        bench.meter.read_octets(5)
    bench.wire.mishaps = FINE
    assert bench.meter.read_octets(5) == bench.store.tables[5]
    assert asked(bench) == ["logon", "terminate", "logon", "security", "read"]


@both
def test_the_answer_to_the_password_is_lost(kind: str) -> None:
    """A session without the rights that were asked for is of no use: it is begun anew."""
    bench = bench_of(kind)
    bench.store.plan.append(lambda request: _forget(bench, request))
    with pytest.raises(PeerSilent):
        bench.meter.read_octets(5)
    bench.wire.mishaps = FINE
    assert bench.meter.read_octets(5) == bench.store.tables[5]
    assert asked(bench) == ["logon", "security", "terminate", "logon", "security", "read"]


def _forget(bench: Bench, request: Request) -> Response | None:
    """Lose the first Security as if it had never come."""
    if request.service != "security":
        return None
    bench.wire.mishaps = DEAF
    bench.store.plan.clear()
    return ErrorResponse.of(Err())


@both
def test_a_program_that_is_gone_shuts_the_next_one_not_out(kind: str) -> None:
    bench = bench_of(kind)
    bench.meter.read_octets(5)
    before = len(bench.store.requests)
    bench.connect()  # the first is gone without a word
    assert bench.meter.read_octets(5) == bench.store.tables[5]
    assert asked(bench, before) == ["terminate", "logon", "security", "read"]


@both
def test_closing_ends_what_may_be_open(kind: str) -> None:
    bench = bench_of(kind)
    lose_the_answer_to(bench, "logon")
    with pytest.raises(PeerSilent):
        bench.meter.read_octets(5)
    bench.wire.mishaps = FINE
    assert len(bench.node.responder.sessions) == 1
    started = bench.wire.now
    bench.meter.close()
    assert bench.wire.now - started < 1  # nobody waits for an answer
    bench.wire.run(until=bench.wire.now + 1)
    assert not len(bench.node.responder.sessions)


@both
def test_closing_waits_for_no_answer_of_a_meter_that_is_silent(kind: str) -> None:
    bench = bench_of(kind)
    bench.meter.read_octets(5)
    bench.wire.mishaps = DEAF
    with pytest.raises(PeerSilent):
        bench.meter.read_octets(5)
    bench.wire.mishaps = FINE
    assert len(bench.node.responder.sessions) == 1
    started = bench.wire.now
    bench.meter.close()
    assert bench.wire.now == started
    bench.wire.run(until=bench.wire.now + 1)
    assert asked(bench)[-1] == "logoff"
    assert not len(bench.node.responder.sessions)


@both
def test_closing_waits_again_once_the_meter_has_answered(kind: str) -> None:
    bench = bench_of(kind)
    bench.meter.read_octets(5)
    bench.wire.mishaps = DEAF
    with pytest.raises(PeerSilent):
        bench.meter.read_octets(5)
    bench.wire.mishaps = FINE
    bench.meter.read_octets(5)
    bench.wire.mishaps = DEAF
    started = bench.wire.now
    bench.meter.close()
    assert 1 < bench.wire.now - started <= 3


@both
def test_ended_by_hand(kind: str) -> None:
    bench = bench_of(kind)
    lose_the_answer_to(bench, "logon")
    with pytest.raises(PeerSilent):
        bench.meter.logon()
    bench.wire.mishaps = FINE
    bench.meter.terminate()
    bench.meter.read_octets(5)
    assert asked(bench) == ["logon", "terminate", "logon", "security", "read"]
    with pytest.raises(StateError, match="log off first"):
        bench.meter.logon()


@both
def test_a_meter_that_never_opens_a_session(kind: str) -> None:
    bench = bench_of(kind)
    bench.store.plan.append(lambda request: ErrorResponse.of(Isss()) if request.service == "logon" else None)
    with pytest.raises(LogonRefused, match="isss"):
        bench.meter.read_octets(5)
    assert asked(bench) == ["logon", "terminate", "logon"]
    bench.meter.close()
    assert asked(bench) == ["logon", "terminate", "logon"]


@both
def test_any_other_refusal_ends_nothing(kind: str) -> None:
    bench = bench_of(kind)
    bench.store.plan.append(lambda request: ErrorResponse.of(Err()) if request.service == "logon" else None)
    with pytest.raises(LogonRefused, match="err"):
        bench.meter.read_octets(5)
    bench.meter.close()
    assert asked(bench) == ["logon"]


@pytest.mark.parametrize("mode", [1, 2])
def test_in_a_secured_mode_nobody_else_makes_the_client_terminate(mode: int) -> None:
    """A refusal in cleartext may come from anybody: it is no reason to end a session."""
    wire = Wire(seed=1)
    heard: list[list[str | None]] = []

    def forge(apdu: bytes, source: Any) -> None:
        message = c1222.decode(apdu, keys=KEY)
        heard.append([service.service for service in message.services])
        answer = Message(
            called=ApTitle(READER),
            calling=ApTitle(METER),
            called_invocation_id=message.calling_invocation_id,
            calling_invocation_id=len(heard),
            services=[ErrorResponse.of(Isss())],
        )
        wire.send(c1222.encode(answer), source="node", to=source)

    wire.attach("node", forge)
    meter = connect(
        wire.endpoint("reader", "node"), clock=wire, called=METER, calling=READER, key=KEY, mode=mode, session=True
    )
    with pytest.raises(SecurityRefused):
        meter.read_octets(5)
    assert heard
    assert all(services == ["logon"] for services in heard)


def test_a_logon_that_is_cancelled() -> None:
    async def main() -> None:
        bench = bench_of("sync")
        bench.store.needs_password = {5}
        operations = Operations(UDP_LINK, called=METER, calling=READER, key=KEY, session=True, password=PASSWORD)
        meter = AsyncMeter(operations, lambda apdu: bench.wire.send(apdu, source="aio", to="node"), bench.wire)
        bench.wire.attach("aio", lambda apdu, _source: meter.receive(apdu))
        task = asyncio.create_task(meter.read_octets(5))
        await asyncio.sleep(0)
        task.cancel()
        assert isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)
        bench.wire.run(until=bench.wire.now + 1)
        assert asked(bench) == ["logon"]  # which the meter has carried out
        assert await drive(bench.wire, meter.read_octets(5)) == bench.store.tables[5]
        assert asked(bench) == ["logon", "terminate", "logon", "security", "read"]

    asyncio.run(main())
