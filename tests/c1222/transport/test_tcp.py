import socket
import threading
from collections.abc import Iterator
from random import Random

import pytest

from c1222.errors import ConnectionLost, DecodeError, EncodeError, LimitExceeded, Unreachable
from c1222.message.ber import tlv
from c1222.transport.tcp import ApduCutter, TcpClient

APDUS = [tlv(0x60, bytes([n % 256]) * n) for n in (0, 1, 5, 127, 128, 255, 256, 300, 5000)]


@pytest.mark.parametrize("seed", range(20))
def test_cuts_however_the_octets_are_dealt_out(seed: int) -> None:
    chance = Random(seed)
    stream = b"".join(APDUS)
    cutter = ApduCutter()
    got: list[bytes] = []
    at = 0
    while at < len(stream):
        step = chance.choice((1, 2, 3, 100, 2000, len(stream)))
        got += cutter.feed(stream[at : at + step])
        at += step
    assert got == APDUS
    assert cutter.pending == 0


def test_cutter_tells_what_is_pending() -> None:
    cutter = ApduCutter()
    assert list(cutter.feed(APDUS[4][:50])) == []
    assert cutter.pending == 50
    assert list(cutter.feed(APDUS[4][50:] + APDUS[1])) == [APDUS[4], APDUS[1]]
    assert cutter.pending == 0


@pytest.mark.parametrize("garbage", [b"\x00", b"\x61\x00", b"\x60\x80", b"\x60\xff", b"GET / HTTP/1.1\r\n"])
def test_cutter_yields_what_came_before_garbage_and_then_raises(garbage: bytes) -> None:
    cutter = ApduCutter()
    got: list[bytes] = []
    with pytest.raises(DecodeError):
        got.extend(cutter.feed(APDUS[3] + garbage))
    assert got == [APDUS[3]]


def test_cutter_refuses_a_huge_apdu_at_its_head() -> None:
    with pytest.raises(LimitExceeded):
        list(ApduCutter(max_size=100).feed(b"\x60\x82\x01\x00"))


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        yield server


def serve(listener: socket.socket, talk: list[bytes], *, close: bool) -> threading.Thread:
    """Accept one connection, read one octet or more before each thing said, then close or wait for the client."""

    def run() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            for octets in talk:
                connection.recv(1000)
                connection.sendall(octets)
            if not close:
                connection.recv(1000)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_client_sends_and_receives(listener: socket.socket) -> None:
    thread = serve(listener, [APDUS[1] + APDUS[2] + APDUS[3][:20], APDUS[3][20:]], close=False)
    with TcpClient(*listener.getsockname()) as client:
        assert client.reliable
        client.send(APDUS[1])
        assert client.receive(5) == APDUS[1]
        assert client.receive(0) == APDUS[2]
        assert client.receive(0.05) is None
        client.send(APDUS[1])
        assert client.receive(None) == APDUS[3]
        assert client.local_address[0] == "127.0.0.1"
    thread.join(5)
    assert not thread.is_alive()


def test_client_tells_a_close_from_an_apdu_cut_short(listener: socket.socket) -> None:
    serve(listener, [APDUS[1] + APDUS[3][:20]], close=True)
    with TcpClient(*listener.getsockname()) as client:
        client.send(APDUS[1])
        assert client.receive(5) == APDUS[1]
        with pytest.raises(ConnectionLost, match="within an APDU"):
            client.receive(5)
        assert client.counters == {"closed": 1}
        with pytest.raises(ConnectionLost):
            client.receive(5)
        with pytest.raises(ConnectionLost):
            client.send(APDUS[1])


def test_client_closes_a_stream_out_of_step(listener: socket.socket) -> None:
    serve(listener, [APDUS[2] + b"\x00" + APDUS[1]], close=False)
    with TcpClient(*listener.getsockname()) as client:
        client.send(APDUS[1])
        assert client.receive(5) == APDUS[2]
        with pytest.raises(ConnectionLost, match="out of step"):
            client.receive(5)
        assert client.counters["out-of-step"] == 1


def test_client_refuses_what_is_too_large(listener: socket.socket) -> None:
    with TcpClient(*listener.getsockname(), max_size=100) as client, pytest.raises(EncodeError):
        client.send(bytes(101))


def test_nobody_listens(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    with pytest.raises(Unreachable, match=str(port)):
        TcpClient("127.0.0.1", port, timeout=5)


def test_no_such_name() -> None:
    with pytest.raises(Unreachable):
        TcpClient("no-such-host.invalid", 1, timeout=5)
    with pytest.raises(Unreachable):
        TcpClient("x" * 70 + ".invalid", 1, timeout=5)


def flood(client: TcpClient) -> None:
    for _ in range(64):
        client.send(bytes(1 << 20))


def test_client_that_cannot_send_gives_up(listener: socket.socket) -> None:
    with TcpClient(*listener.getsockname(), send_timeout=0.05, max_size=1 << 22) as client:
        with pytest.raises(ConnectionLost):
            flood(client)
        assert client.counters["send-failed"] == 1
