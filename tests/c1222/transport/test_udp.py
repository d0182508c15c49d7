import socket
import threading
import time
from collections.abc import Iterator

import pytest

from c1222 import connect
from c1222.errors import ConnectionLost, EncodeError, PeerSilent, Unreachable
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.protocol.composing import compose
from c1222.protocol.identity import Identity
from c1222.protocol.policy import NodePolicy
from c1222.protocol.responder.responder import Responder
from c1222.services import tables
from c1222.services.table_data import TableData
from c1222.transport.udp import MAX_DATAGRAM, UdpClient


def one_apdu(mode: int) -> bytes:
    key = {2: bytes(16)} if mode else None
    sealing = {"mode": SecurityMode(mode), "key_id": 2 if mode else None}
    return compose(Identity(".9", key), ApTitle(".4"), [tables.ReadRequest(1)], utc=1.8e9, **sealing)[1]


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


def test_from_elsewhere_only_what_says_that_it_is_sealed(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    with UdpClient(host, port) as client, socket.socket(server.family, socket.SOCK_DGRAM) as other:
        client.send(b"x")
        _, source = server.recvfrom(100)
        answers = {mode: one_apdu(mode) for mode in (0, 1, 2)}
        for octets in (b"", b"\x60", bytes(100), answers[0]):
            other.sendto(octets, source)
        for mode in (1, 2):
            other.sendto(answers[mode], source)
            assert client.receive(5) == answers[mode]
        assert client.receive(0.01) is None
        assert client.counters["stranger"] == 4


def test_strangers_do_not_move_the_end_of_a_wait(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    with UdpClient(host, port) as client, socket.socket(server.family, socket.SOCK_DGRAM) as stranger:
        client.send(b"x")
        _, source = server.recvfrom(100)
        ended = threading.Event()

        def talk() -> None:
            while not ended.wait(0.01):
                stranger.sendto(b"stranger", source)

        thread = threading.Thread(target=talk)
        thread.start()
        started = time.monotonic()
        assert client.receive(0.3) is None
        assert 0.25 < time.monotonic() - started < 3
        ended.set()
        thread.join()
        assert client.counters["stranger"] > 3


def test_an_answer_from_another_port_reaches_the_blocking_client() -> None:
    policy = NodePolicy(cleartext=True)
    identity = Identity(".9", {2: bytes(16)})
    node = Responder(identity, lambda _request, _context: tables.ReadResponse(TableData(b"abc")), policy=policy)
    outcomes = {}
    for mode in (2, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.bind(("127.0.0.1", 0))
            asked.settimeout(5)

            def answer(asked: socket.socket = asked) -> None:
                apdu, source = asked.recvfrom(2000)
                node.receive(apdu, source=source, now=time.monotonic(), utc=time.time())
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                    for out in node.apdus_to_send():
                        other.sendto(out.apdu, source)

            thread = threading.Thread(target=answer)
            thread.start()
            key = {"key": {2: bytes(16)}, "key_id": 2} if mode else {}
            where = f"udp://127.0.0.1:{asked.getsockname()[1]}"
            with connect(where, called=".9", calling=".4", mode=mode, timeout=0.5, attempts=1, **key) as meter:
                try:
                    outcomes[mode] = meter.read_octets(1)
                except PeerSilent:
                    outcomes[mode] = None
            thread.join()
    assert outcomes == {2: b"abc", 0: None}, "in cleartext nothing tells who it is from"


def test_nobody_listens(server: socket.socket) -> None:
    host, port = server.getsockname()[:2]
    server.close()
    with UdpClient(host, port) as client:
        cpu = time.process_time()
        client.send(b"x")
        with pytest.raises(Unreachable):
            client.receive(1)
        assert client.counters["network-error"] == 1
        started = time.monotonic()
        assert client.receive(0.2) is None, "each report is taken once"
        assert time.process_time() - cpu < 0.15
        assert time.monotonic() - started >= 0.19


def test_no_such_name_and_no_way() -> None:
    with pytest.raises(Unreachable):
        UdpClient("no-such-host.invalid")
    with pytest.raises(Unreachable):
        UdpClient("127.0.0.1", 9, local=("192.0.2.1", 0))
