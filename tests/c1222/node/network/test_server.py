"""Nodes on real sockets of this machine: UDP and TCP, IPv4 and IPv6, many meters, and how they end."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from c1222.errors import ConnectionLost, StateError, Unreachable
from c1222.message.aptitle import ApTitle
from c1222.node import RunningNode, running
from c1222.node.network.faults import FaultPlan
from c1222.node.network.fleet import Delivery
from c1222.node.network.server import NodeServer
from c1222.node.network.uplinks import notify, register
from c1222.protocol.composing import encode
from c1222.protocol.events import Completed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.message import Message
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK, UDP_LINK
from c1222.security.keys import KeyStore
from c1222.services import identify, session, tables
from c1222.services.tables import TableData
from c1222.transport.aiotcp import TcpConnection
from c1222.transport.schemes import parse_url
from c1222.transport.tcp import TcpClient
from c1222.transport.tcpserver import TcpLimits
from c1222.transport.udp import UdpClient
from tests.c1222.node.rig import DEVICES, KEY, MASTER, POLYPHASE, profile

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from c1222.services import Request, Response


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
            six.bind(("::1", 0))
    except OSError:
        return False
    return True


class Client:
    """The core over a blocking endpoint."""

    def __init__(self, node: RunningNode, url: str = "", *, called: str = "", mode: int = 2) -> None:
        where = parse_url(url or node.url)
        kind = UdpClient if where.scheme == "udp" else TcpClient
        self.endpoint: Any = kind(where.host, where.port)
        link = UDP_LINK if where.scheme == "udp" else TCP_LINK
        identity = Identity(f".9.{time.monotonic_ns() % 1_000_000}", node.keys)
        key = {"mode": mode, "key_id": 2} if mode else {}
        self.initiator = Initiator(identity, called or node.title, link=link, **key)

    def ask(self, *services: Request, wait: float = 5.0) -> tuple[Response, ...]:
        initiator = self.initiator
        exchange = initiator.request(*services, now=time.monotonic(), utc=time.time())
        for apdu in initiator.apdus_to_send():
            self.endpoint.send(apdu)
        end = time.monotonic() + wait
        while (left := end - time.monotonic()) > 0:
            octets = self.endpoint.receive(left)
            if octets is not None:
                initiator.receive(octets, now=time.monotonic(), utc=time.time())
            for event in initiator.events():
                if isinstance(event, Completed):
                    return event.responses
        initiator.cancel(exchange, now=time.monotonic(), utc=time.time())
        return ()

    def close(self) -> None:
        self.endpoint.close()


URLS = ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"] + (["udp://[::1]:0", "tcp://[::1]:0"] if has_ipv6() else [])


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("mode", [0, 1, 2])
def test_a_node_answers_on_every_transport_in_every_mode(url: str, mode: int) -> None:
    with running(DEVICES / f"{POLYPHASE}.json", keys={2: KEY}, listen=[url], cleartext=True, history_days=0) as node:
        client = Client(node, mode=mode)
        (response,) = client.ask(tables.ReadRequest(1))
        assert response.data == profile().tables["ST1"]
        client.ask(session.LogonRequest.of(4, "M", 60), session.SecurityRequest.of(MASTER[POLYPHASE]))
        assert client.ask(tables.WriteOffsetRequest(6, 0, TableData(b"HERE".ljust(20))))
        (response,) = client.ask(tables.ReadOffsetRequest(6, 0, 20))
        assert response.data == b"HERE".ljust(20)
        client.close()


def test_large_tables_come_whole_over_tcp_and_in_pieces_over_udp() -> None:
    with running(profile(), cleartext=True, history_days=0) as node:
        over_tcp, over_udp = Client(node, node.tcp_url, mode=0), Client(node, mode=0)
        login = session.SecurityRequest.of(MASTER[POLYPHASE], 4)
        _, whole = over_tcp.ask(login, tables.ReadRequest(64))
        assert len(whole.data) == 17_808
        pieces = b""
        while len(pieces) < 4000:
            _, piece = over_udp.ask(login, tables.ReadOffsetRequest(64, len(pieces), 1000))
            pieces += piece.data
        assert whole.data.startswith(pieces)
        _, refused = over_udp.ask(login, tables.ReadRequest(64))
        assert refused.error().name == "rstl"
        over_tcp.close()
        over_udp.close()


def test_every_connection_may_number_its_messages_from_0() -> None:
    """Queue mode of Elster's programs: Logon, Security, work and Logoff in one message, with the id 0 each time."""

    def ask(node: RunningNode, services: tuple[Request, ...], title: str) -> list[Response]:
        request = Message(called=None, calling=ApTitle(title), calling_invocation_id=0, services=services)
        octets = encode(request)
        url = parse_url(node.tcp_url)
        with socket.create_connection((url.host, url.port), timeout=10) as connection:
            connection.sendall(octets)
            return list(decode(connection.recv(4096), request=decode(octets)).services)

    with running(profile(), history_days=0, simulate=False) as node:
        logon = (session.LogonRequest.of(4, "", 60), session.SecurityRequest.of(MASTER[POLYPHASE]))
        for title, letter in ((".123.82", b"A"), (".123.83", b"B"), (".123.82", b"A")):
            write = tables.WriteOffsetRequest(6, 0, TableData(letter * 20))
            services = (*logon, write, session.LogoffRequest())
            assert [response.code for response in ask(node, services, title)] == [0] * 4
        read = (session.SecurityRequest.of(MASTER[POLYPHASE], 4), tables.ReadOffsetRequest(6, 0, 20))
        assert ask(node, read, ".123.84")[1].data == b"A" * 20
        assert node.call(lambda fleet: fleet.counters["repeated"]) == 0


def test_a_thousand_meters_answer_in_one_process() -> None:
    with running(profile(), keys={2: KEY}, count=1000, history_days=0) as node:
        assert len(node.titles) == 1000
        for number in (0, 499, 999):
            client = Client(node, called=node.titles[number])
            (response,) = client.ask(identify.IdentifyRequest())
            assert response.features[-1].text == f"METER-{8437 + number:06}"
            client.close()
        assert node.call(lambda fleet: fleet.counters["received"]) == 3


def test_sessions_of_a_connection_end_with_it_and_disconnect_closes_it() -> None:
    with running(profile(), cleartext=True, history_days=0) as node:
        client = Client(node, node.tcp_url, mode=0)
        assert client.ask(session.LogonRequest.of(4, "M", 60))
        assert node.call(lambda fleet: fleet.sessions()) == 1
        client.close()
        deadline = time.monotonic() + 5
        while node.call(lambda fleet: fleet.sessions()) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert node.call(lambda fleet: fleet.sessions()) == 0
        client = Client(node, node.tcp_url, mode=0)
        assert client.ask(session.DisconnectRequest())
        with pytest.raises(ConnectionLost):
            client.endpoint.receive(5.0)
        client.close()


def test_only_verified_messages_keep_a_connection() -> None:
    limits = TcpLimits(stranger_timeout=0.3)
    with running(profile(), keys={2: KEY}, history_days=0, tcp_limits=limits) as node:
        known, forger = Client(node, node.tcp_url), Client(node, node.tcp_url)
        assert known.ask(tables.ReadRequest(1))
        forger.initiator.identity = Identity(".9.9", KeyStore.of({2: bytes(16)}))

        def forge() -> None:
            for _ in range(100):
                forger.ask(tables.ReadRequest(1), wait=0.05)

        with pytest.raises(ConnectionLost):
            forge()
        assert known.ask(tables.ReadRequest(1))
        assert node.call(lambda fleet: fleet.counters["wrong-mac"]) >= 2
        known.close()
        forger.close()


def test_strangers_take_no_connection_from_who_may_talk() -> None:
    limits = TcpLimits(max_connections=20)
    with running(profile(), keys={2: KEY}, history_days=0, tcp_limits=limits) as node:
        known = Client(node, node.tcp_url)
        assert known.ask(tables.ReadRequest(1))
        where = parse_url(node.tcp_url)
        strangers = [socket.create_connection((where.host, where.port), 5) for _ in range(60)]
        newcomer = Client(node, node.tcp_url)
        assert newcomer.ask(tables.ReadRequest(1))
        assert known.ask(tables.ReadRequest(1))
        for one in [*strangers, newcomer, known]:
            one.close()


def test_delayed_answers_come_later() -> None:
    faults = FaultPlan.from_dict({"fault": [{"kind": "delay", "seconds": 0.3}]})
    with running(profile(), faults=faults, history_days=0) as node:
        client = Client(node, mode=0)
        start = time.monotonic()
        assert client.ask(tables.ReadRequest(1))
        assert time.monotonic() - start >= 0.29
        client.close()


def test_answers_that_cannot_be_sent_are_counted() -> None:
    class Echo:
        """Answers every APDU with itself, once later and once at once."""

        def __init__(self) -> None:
            self.answers: list[Delivery] = []

        def receive(self, apdu: bytes, *, source: Hashable, **_: Any) -> bool:
            self.answers += [Delivery(source, apdu, 0.05), Delivery(source, apdu, 0.0)]
            return True

        def apdus_to_send(self) -> list[Delivery]:
            answers, self.answers = self.answers, []
            return answers

        def released(self) -> list[Hashable]:
            return []

        def lost(self, source: Hashable) -> None: ...
        def tick(self, *, now: float, utc: float) -> None: ...
        def close(self) -> None: ...

    async def main() -> dict[str, int]:
        server = NodeServer(Echo())
        url = await server.listen("tcp://127.0.0.1:0")
        echoed: asyncio.Queue[bytes] = asyncio.Queue()
        client = await TcpConnection.open(url.host, url.port, receive=lambda apdu, _: echoed.put_nowait(apdu))
        async with asyncio.timeout(10):
            client.send(b"\x60\x02hi")
            assert [await echoed.get(), await echoed.get()] == [b"\x60\x02hi"] * 2
            assert not server.counters
            client.send(b"\x60\x02hi")
            await echoed.get()
            client.close()
            while not server.counters:
                await asyncio.sleep(0.01)
            await server.close()
        return dict(server.counters)

    assert asyncio.run(main()) == {"undelivered": 1}


def test_what_was_written_is_there_after_an_orderly_end(tmp_path: Path) -> None:
    for run in range(2):
        with running(profile(), store=tmp_path / "store", history_days=0) as node:
            client = Client(node, mode=0)
            login = session.SecurityRequest.of(MASTER[POLYPHASE], 4)
            if not run:
                client.ask(login, tables.WriteOffsetRequest(6, 0, TableData(b"KEPT".ljust(20))))
            _, response = client.ask(login, tables.ReadOffsetRequest(6, 0, 20))
            assert response.data == b"KEPT".ljust(20)
            client.close()


def test_a_store_that_is_in_use_is_refused(tmp_path: Path) -> None:
    with (
        running(profile(), store=tmp_path),
        pytest.raises(StateError, match="locked"),
        running(profile(), store=tmp_path),
    ):
        pass


def test_a_node_whose_store_fails_ends_and_says_so(tmp_path: Path) -> None:
    def run() -> None:
        with running(profile(), store=tmp_path, history_days=0) as node:
            node.call(lambda fleet: fleet.store._db.execute("PRAGMA query_only = ON"))
            client = Client(node, mode=0)
            login = session.SecurityRequest.of(MASTER[POLYPHASE], 4)
            assert client.ask(login, tables.WriteOffsetRequest(6, 0, TableData(b"X")), wait=0.5) == ()
            client.close()

    with pytest.raises(StateError, match="cannot be written"):
        run()


def test_ports_that_are_taken() -> None:
    with (
        running(profile(), history_days=0) as node,
        pytest.raises(Unreachable),
        running(profile(), listen=[node.tcp_url]),
    ):
        pass


def test_what_fails_in_the_thread_of_the_node_comes_back() -> None:
    with running(profile(), history_days=0) as node:
        with pytest.raises(ZeroDivisionError):
            node.call(lambda _: 1 // 0)
        assert node.meter().title == node.call(lambda fleet: next(iter(fleet.stations)))


def test_registering_and_notifying_over_sockets() -> None:
    import asyncio

    from c1222.node.network.relay import Relay
    from c1222.node.settings import Settings, make_fleet
    from c1222.services.network import ResolveRequest

    async def run() -> None:
        relay = Relay(".1")
        relay_server = NodeServer(relay)
        place = await relay_server.listen("udp://127.0.0.1:0")
        heard: list[bytes] = []
        host = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        host.bind(("127.0.0.1", 0))
        host.setblocking(False)
        fleet = make_fleet(Settings(profile=profile(), count=2, history_days=0), utc=time.time())
        server = NodeServer(fleet)
        await server.listen("udp://127.0.0.1:0")
        registrations = await register(server, fleet, str(place), ".1")
        await notify(server, fleet, f"udp://127.0.0.1:{host.getsockname()[1]}", ".77")
        with pytest.raises(StateError, match="family"):
            await server.ask(registrations[0], "udp://[::1]:1")
        for _ in range(100):
            if all(one.is_registered for one in registrations):
                break
            await asyncio.sleep(0.02)
        assert len(relay.nodes) == 2
        first = next(iter(fleet.stations.values())).meter
        first.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {20})
        from c1219.codes.events import EventCode

        first.log(EventCode.DEMAND_RESET)
        server._schedule()
        await asyncio.sleep(0.05)
        heard.append(host.recv(2000))
        assert heard[0][0] == 0x60
        assert first.network is not None
        assert first.network("deregister")
        server._schedule()
        for _ in range(100):
            if len(relay.nodes) == 1:
                break
            await asyncio.sleep(0.02)
        assert len(relay.nodes) == 1
        assert ResolveRequest
        host.close()
        await server.close()
        await relay_server.close()

    asyncio.run(run())
