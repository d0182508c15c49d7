"""Core and transports together, over real sockets: a node behind asyncio endpoints, blocking clients in threads."""

import asyncio
import time
from typing import Any

import pytest

from c1222.errors import ConnectionLost, Unreachable
from c1222.protocol.events import Completed, Failed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import TCP_LINK, TCP_TIMING, UDP_LINK, UDP_TIMING, NodePolicy, Timing
from c1222.protocol.responder.responder import Responder
from c1222.services import Request, TableData, session, tables
from c1222.transport.aiotcp import TcpConnection
from c1222.transport.aioudp import UdpSocket
from c1222.transport.tcp import TcpClient
from c1222.transport.tcpserver import TcpServer
from c1222.transport.udp import UdpClient
from tests.c1222.protocol.rig import KEY, METER, READER, Store


class Meter:
    """A blocking client."""

    def __init__(self, endpoint: UdpClient | TcpClient, mode: int, **options: Any) -> None:
        self.endpoint = endpoint
        options.setdefault("timing", TCP_TIMING if endpoint.reliable else UDP_TIMING)
        self.initiator = Initiator(
            Identity(READER, KEY),
            METER,
            mode=mode,
            key_id=2 if mode else None,
            link=TCP_LINK if endpoint.reliable else UDP_LINK,
            **options,
        )

    def ask(self, *services: Request) -> Any:
        initiator = self.initiator
        exchange = initiator.request(*services, now=time.monotonic(), utc=time.time())
        while True:
            for apdu in initiator.apdus_to_send():
                self.endpoint.send(apdu)
            for event in initiator.events():
                if isinstance(event, Completed):
                    return event.responses
                if isinstance(event, Failed):
                    raise event.error
            deadline = initiator.next_deadline()
            assert deadline is not None
            try:
                apdu = self.endpoint.receive(deadline - time.monotonic())
            except (ConnectionLost, Unreachable) as error:
                initiator.lost(error, now=time.monotonic())
                continue
            if apdu is None:
                initiator.tick(now=time.monotonic(), utc=time.time())
            else:
                initiator.receive(apdu, now=time.monotonic(), utc=time.time())
            assert exchange is not None


def visit(meter: Meter) -> None:
    with meter.endpoint:
        assert meter.ask(session.LogonRequest.of(2, "USER", 60))[0].timeout == 60
        assert meter.ask(session.SecurityRequest.of("secret"), tables.ReadRequest(1))[1].data == b"MANUFACTURER SN "
        data = bytes(range(256)) * 3
        assert meter.ask(tables.WriteRequest(5, TableData(data)), tables.ReadRequest(5))[1].data == data
        assert meter.ask(session.LogoffRequest())[0].code == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_sessions_in_every_mode(kind: str, host: str) -> None:
    store = Store()
    node = Responder(Identity(METER, KEY), store, policy=NodePolicy(cleartext=True))

    async def main() -> None:
        opened: Any
        if kind == "udp":

            def heard(apdu: bytes, source: Any) -> None:
                node.receive(apdu, source=source, peer=source[0], now=time.monotonic(), utc=time.time(), link=UDP_LINK)
                for to, answer in node.apdus_to_send():
                    opened.send(answer, to)

            make = UdpSocket.open(heard, local=(host, 0))
        else:

            def on_connection(apdu: bytes, connection: TcpConnection) -> None:
                node.receive(
                    apdu,
                    source=connection,
                    peer=connection.peer[0],
                    now=time.monotonic(),
                    utc=time.time(),
                    link=TCP_LINK,
                )
                for to, answer in node.apdus_to_send():
                    assert isinstance(to, TcpConnection)
                    to.send(answer)

            make = TcpServer.open(on_connection, local=(host, 0))
        try:
            opened = await make
        except Unreachable:
            pytest.skip("no IPv6 here")
        endpoint = UdpClient if kind == "udp" else TcpClient
        for mode in range(3):
            await asyncio.to_thread(lambda m=mode: visit(Meter(endpoint(*opened.local_address), m)))
        done = opened.close()
        if done is not None:
            await done

    asyncio.run(asyncio.wait_for(main(), 20))
    assert len(store.writes) == 3
    assert node.counters == {"requests": 12}


def test_nobody_at_the_port() -> None:
    with UdpClient("127.0.0.1", 9) as endpoint:
        meter = Meter(endpoint, 2, timing=Timing(timeout=30.0, second_opinion=0.05))
        with pytest.raises(Unreachable):
            meter.ask(tables.ReadRequest(1))
