"""Peers that never stop talking: every wait of the blocking client ends when it should, whatever comes in."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Self

import pytest

import c1222
from c1222.client.clock import SystemClock
from c1222.conformance.probe import Probe
from c1222.conformance.reply import NoAnswer
from c1222.conformance.target import Target
from c1222.errors import PeerSilent
from c1222.message.aptitle import ApTitle
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.message.segmentation import cut
from c1222.protocol.message import Message
from c1222.services import TableData, identify, tables
from c1222.transport.tcp import TcpClient
from c1222.transport.udp import UdpClient
from tests.c1222.client.rig import KEY, METER, READER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1222.client.sync import Endpoint

LONG = 20.0
"""How long a peer talks if nobody stops it, seconds: far above what a test takes."""
SOON = 10.0
"""A wait of half a second is over by then on any machine, seconds."""


def unrelated(number: int) -> bytes:
    """Return a valid answer to a question that nobody asked."""
    return c1222.encode(
        Message(
            called=ApTitle(READER),
            calling=ApTitle(METER),
            called_invocation_id=number,
            calling_invocation_id=number,
            services=[tables.ReadResponse(TableData(bytes(40)))],
        )
    )


def junk() -> Iterator[bytes]:
    while True:
        yield b"\x60\x00"


def answers() -> Iterator[bytes]:
    for number in count(1):
        yield unrelated(number)


def segments() -> Iterator[bytes]:
    """First segments of ever new messages, and nothing that completes them."""
    for number in count(1):
        yield cut(unrelated(number), 20)[0]


def one_by_one() -> Iterator[bytes]:
    """An APDU that is never complete, octet by octet."""
    yield b"\x60\x83" + (MAX_APDU_OCTETS - 5).to_bytes(3)
    while True:
        time.sleep(0.001)
        yield b"\x00"


class Talker:
    """A peer that waits for the first octets and then talks until it is stopped."""

    def __init__(self, scheme: str, say: Callable[[], Iterator[bytes]]) -> None:
        kind = socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM
        self._say = say
        self._stop = threading.Event()
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.settimeout(LONG)
        self._socket.bind(("127.0.0.1", 0))
        if scheme == "tcp":
            self._socket.listen(4)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._over_udp if scheme == "udp" else self._over_tcp, daemon=True)
        self._thread.start()

    def _talk(self, send: Callable[[bytes], object]) -> None:
        until = time.monotonic() + LONG
        for octets in self._say():
            if self._stop.is_set() or time.monotonic() > until:
                return
            send(octets)

    def _over_udp(self) -> None:
        _, client = self._socket.recvfrom(4096)
        try:
            self._talk(lambda octets: self._socket.sendto(octets, client))
        except OSError:
            return  # the client is gone

    def _over_tcp(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.settimeout(LONG)
            try:
                self._talk(connection.sendall)
            except OSError:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()


WAYS = [
    ("udp", junk),
    ("udp", answers),
    ("udp", segments),
    ("tcp", junk),
    ("tcp", answers),
    ("tcp", segments),
    ("tcp", one_by_one),
]
every_way = pytest.mark.parametrize(("scheme", "say"), WAYS, ids=[f"{scheme}-{say.__name__}" for scheme, say in WAYS])


@every_way
def test_silence_is_noticed_while_the_peer_talks(scheme: str, say: Callable[[], Iterator[bytes]]) -> None:
    started = time.monotonic()
    with (
        Talker(scheme, say) as peer,
        c1222.connect(peer.url, called=METER, calling=READER, key=KEY, timeout=0.2, attempts=2) as meter,
        pytest.raises(PeerSilent, match="asked 2 times"),
    ):
        meter.read("ST1")
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize("scheme", ["udp", "tcp"])
def test_a_session_of_which_the_end_is_not_answered(scheme: str) -> None:
    """Closing waits, too: for the answer to the Logon that went before, and for that to what ends it."""
    started = time.monotonic()
    with Talker(scheme, answers) as peer:
        meter = c1222.connect(peer.url, called=METER, calling=READER, session=True, timeout=0.3, attempts=1)
        with pytest.raises(PeerSilent):
            meter.read("ST1")
        meter.close()
    assert time.monotonic() - started < SOON


@every_way
def test_the_probe_stops_waiting(scheme: str, say: Callable[[], Iterator[bytes]]) -> None:
    def way() -> Endpoint:
        return (TcpClient if scheme == "tcp" else UdpClient)("127.0.0.1", peer.port)

    target = Target(called=ApTitle(METER), calling=ApTitle(READER), timeout=0.2, quiet=0.1, attempts=1)
    started = time.monotonic()
    with Talker(scheme, say) as peer:
        probe = Probe(target, way, SystemClock())
        try:
            sent = probe.compose(identify.IdentifyRequest())
            with suppress(NoAnswer):  # or it takes the answer to another question, and says so
                probe.exchange(sent)
            probe.pause(0.2)
        finally:
            probe.hang_up()
    assert time.monotonic() - started < SOON
