import asyncio
import socket
from collections.abc import Coroutine
from typing import Any

import pytest

from c1222.errors import EncodeError, Unreachable
from c1222.transport.aioudp import BURST, Address, UdpListener, UdpPeer, UdpSocket, resolve
from c1222.transport.url import Url


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_one_socket_talks_to_many(host: str) -> None:
    async def main() -> None:
        try:
            server = await UdpSocket.open(lambda apdu, source: server.send(apdu[::-1], source), local=(host, 0))
        except Unreachable:
            pytest.skip("no IPv6 here")
        done = asyncio.Event()
        got: list[tuple[bytes, Address]] = []

        def receive(apdu: bytes, source: Address) -> None:
            got.append((apdu, source))
            if len(got) == 3 * BURST:
                done.set()

        clients = [await UdpSocket.open(receive, local=(host, 0)) for _ in range(3)]
        _, address = await resolve(*server.local_address)
        for number in range(BURST):
            for index, client in enumerate(clients):
                client.send(bytes((index, number)), address)
        await done.wait()
        assert {apdu for apdu, _ in got} == {bytes((n, i)) for n in range(BURST) for i in range(3)}
        assert {source[:2] for _, source in got} == {server.local_address}
        for opened in (server, *clients):
            assert not opened.reliable
            assert not opened.counters
            opened.close()
            opened.close()

    run(main())


def test_closing_while_a_burst_is_read() -> None:
    async def main() -> None:
        got: list[bytes] = []

        def receive(apdu: bytes, _source: Address) -> None:
            got.append(apdu)
            server.close()

        server = await UdpSocket.open(receive, local=("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(3):
                sender.sendto(b"x", server.local_address)
        await asyncio.sleep(0.05)
        assert got == [b"x"]
        assert not server.counters

    run(main())


def test_limits_and_failures() -> None:
    async def main() -> None:
        client = await UdpSocket.open(lambda *_: None, local=("127.0.0.1", 0), max_size=10)
        with pytest.raises(EncodeError):
            client.send(bytes(11), ("127.0.0.1", 9))
        client.send(b"x", ("192.0.2.1", 9))  # a socket bound to loopback has no way there
        assert client.counters["network-error"] == 1
        with pytest.raises(Unreachable):
            await UdpSocket.open(lambda *_: None, local=client.local_address)
        with pytest.raises(Unreachable):
            await UdpSocket.open(lambda *_: None, local=("192.0.2.1", 0))
        client.close()
        with pytest.raises(Unreachable):
            await resolve("no-such-host.invalid")

    run(main())


def test_a_port_can_be_shared() -> None:
    async def main() -> None:
        one = await UdpSocket.open(lambda *_: None, local=("127.0.0.1", 0), reuse_port=True)
        two = await UdpSocket.open(lambda *_: None, local=one.local_address, reuse_port=True)
        assert one.local_address == two.local_address
        one.close()
        two.close()

    run(main())


def test_a_full_send_buffer_drops_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        client = await UdpSocket.open(lambda *_: None, local=("127.0.0.1", 0))

        class Full:
            def sendto(self, *_: object) -> None:
                raise BlockingIOError

        opened = client._socket
        monkeypatch.setattr(client, "_socket", Full())
        client.send(b"x", ("127.0.0.1", 9))
        assert client.counters["send-buffer-full"] == 1
        monkeypatch.setattr(client, "_socket", opened)
        client.close()

    run(main())


def test_where_a_datagram_came_from_is_named_by_addresses_alone() -> None:
    """A node tells repetitions by it, after a restart too."""
    peer = UdpPeer(UdpListener(Url("udp", "127.0.0.1", 1153)), ("192.0.2.1", 7))
    assert repr(peer) == "(udp://127.0.0.1:1153, ('192.0.2.1', 7))"
    assert peer.peer_key == "192.0.2.1"
