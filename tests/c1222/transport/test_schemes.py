"""The table of transports: what is entered there, everything uses by its addresses."""

import asyncio
import itertools
import queue
from collections.abc import Callable
from functools import partial

import pytest

import c1222
import c1222.aio
from c1222.conformance.opening import way_to
from c1222.errors import C1222Error, InvalidUrl, Unreachable
from c1222.node.network.runner import running
from c1222.transport.schemes import SCHEMES, Source, Transport, parse_url, transport_of
from c1222.transport.url import Url
from tests.c1222.node.rig import profile

# What a newcomer writes for a new transport: a module such as this one, and its entry in the table. Two files.

LISTENERS: dict[int, "Listener"] = {}
PORTS = itertools.count(1)


class Listener:
    """Takes APDUs from other threads of the process."""

    def __init__(self, receive: Callable[[bytes, Source], None]) -> None:
        self.loop = asyncio.get_running_loop()
        self.receive = receive
        self.confirmed = 0
        self.local_address = "here", next(PORTS)
        LISTENERS[self.local_address[1]] = self

    async def close(self) -> None:
        del LISTENERS[self.local_address[1]]


class Peer:
    """The node's view of a client."""

    peer_key = "here"

    def __init__(self, listener: Listener, take: Callable[[bytes], object]) -> None:
        self.listener = listener
        self.send = take

    def confirm(self) -> None:
        self.listener.confirmed += 1

    def close(self) -> None:
        pass


class Way:
    """The client's end."""

    reliable = True
    max_size = 300

    def __init__(self, port: int, take: Callable[[bytes], object]) -> None:
        if port not in LISTENERS:
            raise Unreachable(f"nobody listens at {port}")
        self.listener = LISTENERS[port]
        self.peer = Peer(self.listener, take)

    def send(self, apdu: bytes) -> None:
        self.listener.loop.call_soon_threadsafe(self.listener.receive, apdu, self.peer)

    def close(self) -> None:
        pass


class Endpoint(Way):
    """The client's end, blocking."""

    def __init__(self, host: str, port: int, timeout: float | None) -> None:
        self.inbox: queue.Queue[bytes] = queue.Queue()
        self.opened_with = host, timeout
        super().__init__(port, self.inbox.put)

    def receive(self, timeout: float | None) -> bytes | None:
        try:
            return self.inbox.get(timeout=None if timeout is None else max(timeout, 0.0))
        except queue.Empty:
            return None


async def open_async(
    host: str,
    port: int,
    timeout: float | None,
    receive: Callable[[bytes], None],
    lost: Callable[[C1222Error], None],
) -> Way:
    return Way(port, partial(asyncio.get_running_loop().call_soon_threadsafe, receive))


async def listen(
    url: Url, receive: Callable[[bytes, Source], None], lost: Callable[[Source], None], limits: object
) -> Listener:
    return Listener(receive)


@pytest.fixture(autouse=True)
def entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SCHEMES, "post", Transport(True, Endpoint, open_async, listen))


def test_a_new_transport_is_used_by_its_addresses() -> None:
    with running(profile(), listen=["post://here:0"], cleartext=True, history_days=0, simulate=False) as node:
        assert node.url == f"post://here:{node.port}"
        assert node.port in LISTENERS
        with c1222.connect(node.url, called=node.title, calling=".123.4") as meter:
            blocking = meter.read_octets(1)

        async def read() -> bytes:
            async with c1222.aio.connect(node.url, called=node.title, calling=".123.4") as meter:
                return bytes(await meter.read_octets(1))

        assert blocking == asyncio.run(read()) == node.call(lambda _: node.meter().tables["ST1"])
        assert LISTENERS[node.port].confirmed == 2
        way = way_to(node.url, timeout=3.0)()
        assert isinstance(way, Endpoint)
        assert way.opened_with == ("here", 3.0)
    assert not LISTENERS
    with pytest.raises(Unreachable):
        c1222.connect("post://here:7", called=".123.8437", calling=".123.4")


def test_a_scheme_that_is_not_entered_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    where = parse_url("POST://here")
    assert where == Url("post", "here", 1153)
    monkeypatch.delitem(SCHEMES, "post")
    with pytest.raises(InvalidUrl, match="post://here"):
        parse_url("post://here")
    with pytest.raises(InvalidUrl, match="not one of udp, tcp"):
        transport_of(where)
