"""The blocking client: one thread at a time, pauses that end with the connection, and times that follow the time-out."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

import c1222
from c1222.client import aio
from c1222.client.steps import Pause
from c1222.errors import ConnectionLost, StateError, Unreachable
from c1222.transport import aiotcp, tcp
from tests.c1222.client.rig import METER, READER, Bench

if TYPE_CHECKING:
    from c1222.client.steps import Operation


class Gate:
    """An endpoint of a peer that is silent until it is told to fail."""

    max_size = 1000

    def __init__(self, *, reliable: bool = True) -> None:
        self.reliable = reliable
        self.waits = self.closed = 0
        self.waiting, self.fails = threading.Event(), threading.Event()

    def send(self, apdu: bytes) -> None:
        del apdu

    def receive(self, timeout: float | None) -> bytes | None:
        self.waits += 1
        self.waiting.set()
        assert self.fails.wait(timeout)
        raise ConnectionLost("it is gone")

    def close(self) -> None:
        self.closed += 1


def test_one_verb_at_a_time() -> None:
    gate = Gate()
    meter = c1222.connect(gate, called=METER, calling=READER)
    ended: list[BaseException] = []

    def other() -> None:
        try:
            meter.identify()
        except ConnectionLost as error:
            ended.append(error)

    thread = threading.Thread(target=other)
    thread.start()
    assert gate.waiting.wait(30)
    for verb in (meter.identify, lambda: meter.read(1), meter.close):
        with pytest.raises(StateError, match="another thread"):
            verb()
    assert not gate.closed
    gate.fails.set()
    thread.join(30)
    assert ended
    with pytest.raises(ConnectionLost):
        meter.identify()  # it may be used again
    meter.close()
    meter.close()
    assert gate.closed == 1
    with pytest.raises(StateError, match="closed"):
        meter.identify()


def test_a_verb_inside_another_is_refused() -> None:
    bench = Bench("sync")
    caught: list[StateError] = []

    def progress(_done: int, _total: int | None) -> None:
        with pytest.raises(StateError) as error:
            bench.meter.identify()
        caught.append(error.value)

    bench.meter.read(5, progress=progress)
    assert len(caught) == 1
    bench.meter.identify()


@pytest.mark.parametrize("reliable", [True, False])
def test_a_pause_ends_when_the_connection_is_lost(reliable: bool) -> None:
    gate = Gate(reliable=reliable)
    gate.fails.set()
    meter = c1222.connect(gate, called=METER, calling=READER)

    def polls() -> Operation[str]:
        yield Pause(3600)
        return "done"

    assert meter._run(polls()) == "done"
    assert gate.waits == 1


def test_a_refused_datagram_does_not_end_a_pause() -> None:
    bench = Bench("sync")
    receive, refused = bench.endpoint.receive, []

    def once(timeout: float | None) -> bytes | None:
        if not refused:
            refused.append(bench.wire.now)
            raise Unreachable("nobody is there")
        return receive(timeout)

    bench.endpoint.receive = once  # type: ignore[method-assign]
    bench.meter._credit = 1  # a datagram is on its way

    def polls() -> Operation[float]:
        yield Pause(50)
        return bench.wire.now

    assert bench.meter._run(polls()) >= refused[0] + 50


@pytest.mark.parametrize(
    ("given", "opening", "sending"),
    [({}, 10.0, 60.0), ({"timeout": 20}, 10.0, 20), ({"timeout": 1.5}, 1.5, 1.5), ({"timeout": 99}, 10.0, 60.0)],
)
def test_tcp_follows_the_time_out(
    given: dict[str, float], opening: float, sending: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    class Client(Gate):
        def __init__(self, host: str, port: int, *, timeout: float, send_timeout: float) -> None:
            super().__init__()
            seen.append((host, port, timeout, send_timeout))

    class Connection:
        @staticmethod
        async def open(host: str, port: int, *, timeout: float, **_: object) -> object:
            seen.append((host, port, timeout))
            raise Unreachable("no")

    monkeypatch.setattr(tcp, "TcpClient", Client)
    monkeypatch.setattr(aiotcp, "TcpConnection", Connection)
    c1222.connect("tcp://meter:99", called=METER, calling=READER, **given)

    async def main() -> None:
        async with aio.connect("tcp://meter:99", called=METER, calling=READER, **given):
            pass

    with pytest.raises(Unreachable):
        asyncio.run(main())
    assert seen == [("meter", 99, opening, sending), ("meter", 99, opening)]


def test_all_addresses_of_a_host_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    tried: list[tuple[Any, float]] = []

    class Socket:
        def __init__(self, *_: object) -> None:
            self.limit = 0.0

        def settimeout(self, limit: float) -> None:
            self.limit = limit

        def connect(self, address: Any) -> None:
            tried.append((address, self.limit))
            if address == "refuses":
                raise ConnectionRefusedError
            if address != "takes":
                clock[0] += self.limit
                raise TimeoutError

        def setsockopt(self, *_: object) -> None: ...

        def close(self) -> None: ...

    def known(*names: str) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", name) for name in names])

    monkeypatch.setattr(socket, "socket", Socket)
    monkeypatch.setattr(tcp.time, "monotonic", lambda: clock[0])
    known("silent", "refuses", "takes", "never tried")
    tcp.TcpClient("host", 1, timeout=8)
    assert tried == [("silent", 2.0), ("refuses", 2.0), ("takes", 3.0)]
    known("silent", "silent")
    before = clock[0]
    with pytest.raises(Unreachable):
        tcp.TcpClient("host", 1, timeout=8)
    assert clock[0] - before == pytest.approx(8)
    known()
    with pytest.raises(Unreachable):
        tcp.TcpClient("host", 1, timeout=8)
