import socket
from collections.abc import Iterator

import pytest

from c1222.errors import ConnectionLost, EncodeError, Unreachable
from c1222.transport.udp import MAX_DATAGRAM, UdpClient


@pytest.fixture(params=["127.0.0.1", "::1"])
def server(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as opened:
        try:
            opened.bind((request.param, 0))
        except OSError:
            pytest.skip("no IPv6 here")
        opened.settimeout(5)
        yield opened


def test_sends_and_receives_datagrams(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    with UdpClient(host, port) as client:
        assert not client.reliable
        assert client.receive(0) is None
        assert client.receive(0.01) is None
        client.send(b"request")
        octets, source = server.recvfrom(100)
        assert octets == b"request"
        assert source[:2] == client.local_address
        server.sendto(b"", source)
        server.sendto(b"a" * 2000, source)
        assert client.receive(5) == b""
        assert client.receive(None) == b"a" * 2000
        with pytest.raises(EncodeError):
            client.send(bytes(MAX_DATAGRAM + 1))
    client.close()
    with pytest.raises(ConnectionLost):
        client.send(b"x")
    with pytest.raises(ConnectionLost):
        client.receive(1)


def test_sends_from_where_it_is_told() -> None:
    with UdpClient("127.0.0.1", 9, local=("127.0.0.1", 0), max_size=10) as client:
        assert client.local_address[0] == "127.0.0.1"
        with pytest.raises(EncodeError):
            client.send(bytes(11))


def test_only_the_peer_is_heard(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    with UdpClient(host, port) as client, socket.socket(server.family, socket.SOCK_DGRAM) as stranger:
        client.send(b"x")
        _, source = server.recvfrom(100)
        stranger.sendto(b"stranger", source)
        server.sendto(b"peer", source)
        assert client.receive(5) == b"peer"
        assert client.receive(0.01) is None


def test_nobody_listens(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    server.close()
    with UdpClient(host, port) as client:
        client.send(b"x")
        with pytest.raises(Unreachable):
            client.receive(1)
        assert client.counters["network-error"] == 1


def test_no_such_name_and_no_way() -> None:
    with pytest.raises(Unreachable):
        UdpClient("no-such-host.invalid")
    with pytest.raises(Unreachable):
        UdpClient("127.0.0.1", 9, local=("192.0.2.1", 0))
