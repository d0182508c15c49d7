"""What strangers can do to a TCP server: nothing to others, and not for long."""

import ast
import asyncio
import gc
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from c1222.message.ber import tlv
from c1222.transport.aiotcp import TcpConnection
from c1222.transport.tcpserver import RESERVED_DESCRIPTORS, TcpLimits, TcpServer

HELLO, JUNK, LARGE = tlv(0x60, b"hello"), tlv(0x60, b"junk"), tlv(0x60, bytes(30_000))


def answer(apdu: bytes, connection: TcpConnection) -> None:
    if apdu == HELLO:
        connection.confirm()
        connection.send(HELLO)


class Client:
    def __init__(self, server: TcpServer) -> None:
        self.server = server
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def start(self, host: str = "127.0.0.1") -> "Client":
        port = self.server.local_address[1]
        before = self.server.counters["accepted"] + self.server.counters["full"]
        self.connection = await TcpConnection.open(host, port, receive=lambda a, _: self.heard.put_nowait(a))
        await until(lambda: self.server.counters["accepted"] + self.server.counters["full"] > before)
        return self

    async def hello(self) -> "Client":
        self.connection.send(HELLO)
        assert await self.heard.get() == HELLO
        return self

    @property
    def is_open(self) -> bool:
        return self.connection.is_open


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.002)


def serve(limits: TcpLimits, work: Callable[[TcpServer], Awaitable[None]], **options: Any) -> TcpServer:
    async def main() -> TcpServer:
        server = await TcpServer.open(options.pop("receive", answer), local=("127.0.0.1", 0), limits=limits, **options)
        async with asyncio.timeout(20):
            await work(server)
            await server.close()
        return server

    return asyncio.run(main())


def test_when_it_is_full_the_stranger_that_was_idle_longest_gives_way() -> None:
    async def work(server: TcpServer) -> None:
        known = await (await Client(server).start()).hello()
        strangers = [await Client(server).start() for _ in range(2)]
        strangers[0].connection.send(JUNK)  # which is nothing to answer, and keeps it no place
        newcomer = await (await Client(server).start()).hello()
        await until(lambda: not strangers[0].is_open)
        assert known.is_open
        assert strangers[1].is_open
        assert newcomer.is_open
        assert len(server.connections) == 3

    counters = serve(TcpLimits(max_connections=3), work).counters
    assert counters["pushed-out"] == 1
    assert counters["full"] == 0


def test_who_was_answered_lately_stays_and_a_newcomer_has_no_place() -> None:
    async def work(server: TcpServer) -> None:
        known = [await (await Client(server).start()).hello() for _ in range(2)]
        stranger = await Client(server).start()
        await until(lambda: not stranger.is_open)
        assert all(client.is_open for client in known)

    counters = serve(TcpLimits(max_connections=2), work).counters
    assert counters["full"] == 1
    assert counters["pushed-out"] == 0


def test_of_those_that_were_answered_the_longest_idle_gives_way_after_a_while() -> None:
    async def work(server: TcpServer) -> None:
        first, second = [await (await Client(server).start()).hello() for _ in range(2)]
        await first.hello()
        await Client(server).start()
        await until(lambda: not second.is_open)
        assert first.is_open

    assert serve(TcpLimits(max_connections=2, stays_for=0.0), work).counters["pushed-out"] == 1


def test_one_address_has_so_many_and_takes_no_place_of_others() -> None:
    async def work(server: TcpServer) -> None:
        other = await Client(server).start("127.0.0.1")
        server_side = next(iter(server.connections))
        server_side.peer_key = "192.0.2.1"
        greedy = [await Client(server).start() for _ in range(3)]
        await until(lambda: not greedy[0].is_open)
        assert other.is_open
        assert [client.is_open for client in greedy] == [False, True, True]

    assert serve(TcpLimits(max_connections=10, max_per_peer=2), work).counters["pushed-out"] == 1


def test_connections_without_a_message_to_answer_are_closed_and_others_stay() -> None:
    async def work(server: TcpServer) -> None:
        known = await (await Client(server).start()).hello()
        silent = await Client(server).start()
        junk = await Client(server).start()
        loop = asyncio.get_running_loop()
        opened = loop.time()
        while silent.is_open or junk.is_open:
            if junk.is_open:
                junk.connection.send(JUNK)  # which puts nothing off
            await asyncio.sleep(0.01)
        assert loop.time() - opened >= 0.15
        assert known.is_open
        later = await Client(server).start()
        await until(lambda: not later.is_open)
        assert known.is_open

    assert serve(TcpLimits(stranger_timeout=0.2), work).counters["idle"] == 3


def test_a_known_connection_is_closed_when_nothing_is_asked_for_long() -> None:
    async def work(server: TcpServer) -> None:
        known = await (await Client(server).start()).hello()
        await until(lambda: not known.is_open)

    assert serve(TcpLimits(stranger_timeout=0.05, idle_timeout=0.15), work).counters["idle"] == 1


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_end_closes_connections_that_are_being_taken(turns: int) -> None:
    async def work(server: TcpServer) -> None:
        with socket.create_connection(server.local_address) as client:
            while not server._opening:
                await asyncio.sleep(0)
            for _ in range(turns):
                await asyncio.sleep(0)
            await server.close()
            client.settimeout(5)
            assert client.recv(1) == b""

    with warnings.catch_warnings(record=True) as unclosed:
        warnings.simplefilter("always")
        serve(TcpLimits(), work)
        gc.collect()
    assert [str(one.message) for one in unclosed] == []


def test_after_the_end_the_sockets_of_dropped_connections_are_closed() -> None:
    async def work(server: TcpServer) -> None:
        await Client(server).start()
        (connection,) = server.connections
        assert connection._transport is not None
        accepted = connection._transport.get_extra_info("socket")
        server._drop(connection, "idle", "a test")
        await server.close()
        assert accepted.fileno() == -1

    assert serve(TcpLimits(), work).counters["idle"] == 1


def test_an_end_waits_for_nobody_who_does_not_read() -> None:
    def flood(_: bytes, connection: TcpConnection) -> None:
        for _ in range(1000):
            connection.send(LARGE)

    async def work(server: TcpServer) -> None:
        _, writer = await asyncio.open_connection(*server.local_address)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(HELLO)
        await until(lambda: any(one._transport.get_write_buffer_size() for one in server.connections))
        await server.close()
        assert not server.connections
        writer.transport.abort()

    serve(TcpLimits(linger=0.1, max_unsent=1 << 30), work, receive=flood)


# A server in a process that may have 96 descriptors: it prints its port and, when its standard input says so, uses up
# all descriptors, gives them back, and ends with its counters.
_POOR = """
import asyncio, os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
from c1222.transport.tcpserver import RESERVED_DESCRIPTORS, TcpLimits, TcpServer

def answer(apdu, connection):
    connection.confirm()
    connection.send(apdu)

async def main():
    server = await TcpServer.open(answer, local=("127.0.0.1", 0), limits=TcpLimits(stays_for=0.0))
    line = lambda: asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    print(server.local_address[1], server.limits.max_connections, flush=True)
    await line()
    print(len(server.connections), flush=True)
    taken = []
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        print("none left", flush=True)
    await line()
    for one in taken:
        os.close(one)
    await line()
    print(dict(server.counters))
    await server.close()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_process_with_few_descriptors_goes_on_and_fills_no_log() -> None:
    with subprocess.Popen(
        [sys.executable, "-bb", "-W", "error", "-c", _POOR],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as poor:
        assert poor.stdin is not None
        assert poor.stdout is not None

        def say() -> None:
            poor.stdin.write("\n")  # type: ignore[union-attr]
            poor.stdin.flush()  # type: ignore[union-attr]

        port, most = map(int, poor.stdout.readline().split())
        assert most == 96 - RESERVED_DESCRIPTORS
        sockets = []

        def connect() -> socket.socket:
            sockets.append(socket.create_connection(("127.0.0.1", port), 10))
            return sockets[-1]

        def is_answered(one: socket.socket) -> bool:
            one.sendall(HELLO)
            return one.recv(100) == HELLO

        try:
            for _ in range(150):
                connect()
            assert is_answered(connect())
            say()
            assert int(poor.stdout.readline()) <= most
            assert poor.stdout.readline() == "none left\n"
            for _ in range(40):
                connect()
            time.sleep(0.3)
            say()
            assert is_answered(connect())
            say()
            out, err = poor.communicate(timeout=20)
        finally:
            for one in sockets:
                one.close()
            poor.kill()
    assert err == ""
    counters = ast.literal_eval(out)
    assert 1 <= counters["accept-failed"] <= 5
    assert counters["pushed-out"] >= 150 - most


@pytest.mark.parametrize("soft", [1000, 40, 10])
def test_no_more_connections_than_the_process_may_have(monkeypatch: pytest.MonkeyPatch, soft: int) -> None:
    monkeypatch.setattr("c1222.transport.tcpserver.descriptor_limit", lambda: soft)

    async def main() -> int:
        server = await TcpServer.open(answer, local=("127.0.0.1", 0), limits=TcpLimits(max_connections=500))
        await server.close()
        return server.limits.max_connections

    assert asyncio.run(main()) == min(500, max(1, soft - RESERVED_DESCRIPTORS))
