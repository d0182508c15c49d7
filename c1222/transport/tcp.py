"""TCP, blocking, and the cutting of a stream into APDUs, which the asyncio side shares.

APDUs stand back to back; each tells its own size, and nothing stands between them. A stream that is out of step cannot
be distinguished from one that an attacker fills: there is no search for the next 60, the connection is closed.
Origin: RFC 6142 as Wireshark's reassembly and Elster MeteringSDK's reader have it [V].
"""

from __future__ import annotations

import socket
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, Self

from c1222.errors import ConnectionLost, DecodeError, EncodeError, in_words
from c1222.message.ber import MAX_APDU_OCTETS, MAX_LENGTH_OCTETS, apdu_size
from c1222.transport.url import DEFAULT_PORT, unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["CONNECT_TIMEOUT", "READ_SIZE", "SEND_TIMEOUT", "ApduCutter", "TcpClient", "open_socket"]

CONNECT_TIMEOUT: Final = 10.0
"""How long a connection may take to open, seconds."""
SEND_TIMEOUT: Final = 60.0
"""How long a peer may refuse to take octets, seconds; Itron's stack waits as long."""
READ_SIZE: Final = 65536
"""Octets taken from a socket at once."""
_LONGEST_HEAD: Final = 2 + MAX_LENGTH_OCTETS


class ApduCutter:
    """Cuts a stream of octets into APDUs, however the octets are split.

    Args:
        max_size: limit for one APDU, octets.
    """

    __slots__ = ("_buffer", "_size", "max_size")

    def __init__(self, *, max_size: int = MAX_APDU_OCTETS) -> None:
        self.max_size = max_size
        self._buffer = bytearray()
        self._size: int | None = None

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Take the next octets of the stream and yield the APDUs that are complete now. To be run to its end.

        Raises:
            DecodeError: the stream is out of step: what follows is no APDU, and no more can be cut from it.
            LimitExceeded: an APDU is larger than the limit.
        """
        buffer = self._buffer
        if not buffer and apdu_size(octets, max_size=self.max_size) == len(octets):
            yield octets
            return
        buffer += octets
        while True:
            if self._size is None:
                self._size = apdu_size(buffer[:_LONGEST_HEAD], max_size=self.max_size)
            if self._size is None or len(buffer) < self._size:
                return
            apdu = bytes(buffer[: self._size])
            del buffer[: self._size]  # moves a pointer, not the octets behind
            self._size = None
            yield apdu

    @property
    def pending(self) -> int:
        """Octets of an APDU that is not complete yet."""
        return len(self._buffer)


class TcpClient:
    """A connection to one peer.

    Args:
        host: name or address of the peer.
        port: its port.
        timeout: how long the connection may take to open, seconds, over all addresses of the host.
        send_timeout: how long the peer may refuse to take octets, seconds.
        max_size: limit for one APDU in either direction, octets.

    Attributes:
        reliable: True: what arrives, arrives once and in order.
        counters: why the connection ended, and what was dropped.

    Raises:
        Unreachable: nobody accepts connections there.
    """

    reliable: Final = True

    def __init__(
        self,
        host: str,
        port: int = DEFAULT_PORT,
        *,
        timeout: float = CONNECT_TIMEOUT,
        send_timeout: float = SEND_TIMEOUT,
        max_size: int = MAX_APDU_OCTETS,
    ) -> None:
        self.max_size = max_size
        self.counters: Counter[str] = Counter()
        self._send_timeout = send_timeout
        self._cutter = ApduCutter(max_size=max_size)
        self._ready: deque[bytes] = deque()
        self._failure: ConnectionLost | None = None
        try:
            self._socket = open_socket(host, port, timeout)
        except (OSError, UnicodeError) as error:
            raise unreachable(host, port, error) from None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def local_address(self) -> tuple[str, int]:
        """Address and port of our end."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def send(self, apdu: bytes) -> None:
        """Send one APDU.

        Raises:
            EncodeError: it is larger than the limit.
            ConnectionLost: the peer is gone, or takes nothing.
        """
        if len(apdu) > self.max_size:
            raise EncodeError(f"an APDU of {len(apdu)} octets, the limit is {self.max_size}")
        try:
            self._socket.settimeout(self._send_timeout)
            self._socket.sendall(apdu)
        except OSError as error:  # TimeoutError too: part of the APDU may be out, so the stream is of no more use
            reason = "closed" if isinstance(error, ConnectionError) else "send-failed"
            raise self._lost(reason, in_words(error)) from None

    def receive(self, timeout: float | None) -> bytes | None:
        """Wait for one APDU.

        Args:
            timeout: how long, seconds; None for ever, 0 or less only looks.

        Returns:
            The octets, or None when no complete APDU came in time.

        Raises:
            ConnectionLost: the peer closed, or sent something else than APDUs; then the connection is closed.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ready:
            if self._failure is not None:
                raise self._failure
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            try:
                self._socket.settimeout(left)
                octets = self._socket.recv(READ_SIZE)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError as error:
                raise self._lost("closed", in_words(error)) from None
            if not octets:
                raise self._lost("closed", "closed by the peer" + " within an APDU" * bool(self._cutter.pending))
            try:
                self._ready.extend(self._cutter.feed(octets))
            except DecodeError as error:  # raised once the APDUs before it are taken
                self._lost("out-of-step", f"the stream is out of step: {error.reason}")
            if not left and left is not None and not self._ready and self._failure is None:
                return None  # the peer talks, and there is no APDU yet
        return self._ready.popleft()

    def _lost(self, reason: str, text: str) -> ConnectionLost:
        self.counters[reason] += 1
        self.close()
        self._failure = ConnectionLost(f"the connection is lost: {text}")
        return self._failure

    def close(self) -> None:
        """Close the connection. May be called twice."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_socket(host: str, port: int, timeout: float) -> socket.socket:
    """Return a connection to the first address of a host that takes one; each has its share of the time."""
    deadline = time.monotonic() + timeout
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure = OSError("no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(max(deadline - time.monotonic(), 0.001) / (len(addresses) - tried))
            connection.connect(address)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure
