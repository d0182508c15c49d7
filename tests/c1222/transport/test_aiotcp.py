import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from c1222.errors import ConnectionLost, EncodeError, Unreachable
from c1222.message.ber import tlv
from c1222.transport.aiotcp import TcpConnection
from c1222.transport.tcpserver import TcpLimits, TcpServer

APDU = tlv(0x60, bytes(300))
LOCAL = ("127.0.0.1", 0)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


def echo(apdu: bytes, connection: TcpConnection) -> None:
    connection.send(apdu)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_come_on_the_same_connection(host: str) -> None:
    async def main() -> None:
        try:
            server = await TcpServer.open(echo, local=(host, 0))
        except Unreachable:
            pytest.skip("no IPv6 here")
        got: asyncio.Queue[tuple[bytes, TcpConnection]] = asyncio.Queue()
        clients = [
            await TcpConnection.open(*server.local_address, receive=lambda a, c: got.put_nowait((a, c)))
            for _ in range(3)
        ]
        for index, client in enumerate(clients):
            for size in (0, 1, 5000):
                client.send(tlv(0x60, bytes([index]) * size))
        received = [await got.get() for _ in range(9)]
        for index, client in enumerate(clients):
            assert [apdu for apdu, where in received if where is client] == [
                tlv(0x60, bytes([index]) * size) for size in (0, 1, 5000)
            ]
        assert len(server.connections) == 3
        assert clients[0].reliable
        assert clients[0].is_open
        assert clients[0].peer[:2] == server.local_address
        clients[0].close()
        clients[0].close()
        with pytest.raises(ConnectionLost):
            clients[0].send(APDU)
        await server.close()
        await server.close()
        for client in clients:
            client.close()
        await asyncio.sleep(0.05)
        assert not server.connections
        with pytest.raises(ConnectionLost):
            server.local_address  # noqa: B018

    run(main())


def test_the_end_of_a_connection_is_told_once_with_its_reason() -> None:
    async def main() -> None:
        lost: list[TcpConnection] = []
        server = await TcpServer.open(echo, local=LOCAL, lost=lost.append)
        gone: list[TcpConnection] = []
        client = await TcpConnection.open(*server.local_address, receive=lambda *_: None, lost=gone.append)
        await asyncio.sleep(0.01)
        client.close()
        await asyncio.sleep(0.05)
        assert gone == [client]
        assert (client.error, client.reason) == (None, "")
        assert [c.reason for c in lost] == ["closed"]
        assert isinstance(lost[0].error, ConnectionLost)
        assert server.counters == {"accepted": 1, "closed": 1}
        await server.close()

    run(main())


def test_the_peer_closes() -> None:
    async def main() -> None:
        server = await TcpServer.open(lambda _, connection: connection.close(), local=LOCAL)
        gone = asyncio.Event()
        client = await TcpConnection.open(*server.local_address, receive=lambda *_: None, lost=lambda _: gone.set())
        client.send(APDU)
        await gone.wait()
        assert client.reason == "closed"
        with pytest.raises(ConnectionLost, match="by the peer"):
            client.send(APDU)
        await server.close()

    run(main())


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    got = bytearray()
    try:
        while piece := await reader.read(1000):
            got += piece
    except ConnectionError:
        pass
    return bytes(got)


async def talk_raw(server: TcpServer, octets: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(*server.local_address)
    writer.write(octets)
    got = await rest_of(reader)
    writer.close()
    return got


@pytest.mark.parametrize("garbage", [b"\x00", b"\x60\x80", b"GET / HTTP/1.1\r\n\r\n", b"\x60\x84\x7f\xff\xff\xff"])
def test_a_stream_out_of_step_is_closed_and_counted(garbage: bytes) -> None:
    async def main() -> None:
        got: list[bytes] = []
        server = await TcpServer.open(lambda apdu, _: got.append(apdu), local=LOCAL)
        assert await talk_raw(server, APDU + garbage) == b""
        assert got == [APDU]
        assert server.counters["out-of-step"] == 1
        await server.close()

    run(main())


def test_an_apdu_begun_and_not_finished() -> None:
    async def main() -> None:
        got: list[bytes] = []
        server = await TcpServer.open(
            lambda apdu, _: got.append(apdu), local=LOCAL, limits=TcpLimits(partial_timeout=0.1)
        )
        reader, writer = await asyncio.open_connection(*server.local_address)
        for octets in (APDU[:100], APDU[100:] + APDU[:1], *(APDU[n : n + 1] for n in range(1, 8))):
            writer.write(octets)  # drop by drop, which does not put the end off
            await asyncio.sleep(0.03)
        assert await rest_of(reader) == b""
        writer.close()
        assert got == [APDU]
        assert server.counters["too-slow"] == 1
        await server.close()

    run(main())


def test_a_peer_that_does_not_read() -> None:
    async def main() -> None:
        failure: list[ConnectionLost] = []

        def flood(_apdu: bytes, connection: TcpConnection) -> None:
            try:
                for _ in range(1000):
                    connection.send(tlv(0x60, bytes(30000)))
            except ConnectionLost as error:
                failure.append(error)

        server = await TcpServer.open(flood, local=LOCAL)
        _, writer = await asyncio.open_connection(*server.local_address)
        writer.write(APDU)
        while not failure:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)
        assert server.counters["unread"] == 1
        assert not server.connections
        writer.transport.abort()
        await server.close()

    run(main())


def test_limits_and_failures() -> None:
    async def main() -> None:
        server = await TcpServer.open(echo, local=LOCAL)
        with pytest.raises(Unreachable):
            await TcpServer.open(echo, local=server.local_address)
        client = await TcpConnection.open(*server.local_address, receive=lambda *_: None, max_size=100)
        with pytest.raises(EncodeError):
            client.send(APDU)
        client.close()
        address = server.local_address
        await server.close()
        with pytest.raises(Unreachable):
            await TcpConnection.open(*address, receive=lambda *_: None)
        with pytest.raises(Unreachable):
            await TcpConnection.open("no-such-host.invalid", receive=lambda *_: None)

    run(main())


def test_a_connection_that_does_not_open_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async def never(*_: object, **__: object) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
        with pytest.raises(Unreachable, match="within"):
            await TcpConnection.open("127.0.0.1", 9, receive=lambda *_: None, timeout=0.01)

    run(main())


def test_a_connection_not_made_yet() -> None:
    connection = TcpConnection(lambda *_: None)
    assert not connection.is_open
    connection.close()
    with pytest.raises(ConnectionLost):
        connection.send(APDU)
