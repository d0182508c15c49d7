"""UDP, blocking: one APDU a datagram, without framing.

Origin: RFC 6142 as Wireshark and icsnpp-c1222 read it [V]. The asyncio side is in :mod:`c1222.transport.aioudp`.
"""

from __future__ import annotations

import socket
from collections import Counter
from typing import TYPE_CHECKING, Final, Self

from c1222.errors import ConnectionLost, EncodeError, Unreachable
from c1222.transport.url import DEFAULT_PORT, unreachable

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["ADVISED_SIZE", "MAX_DATAGRAM", "RECEIVE_BUFFER", "UdpClient"]

MAX_DATAGRAM: Final = 65507
"""Octets that a datagram over IPv4 can carry: no APDU above this goes over UDP."""
ADVISED_SIZE: Final = 1400
"""Octets of an APDU that fit an Ethernet frame behind the headers of IP: above it, datagrams come in fragments."""
RECEIVE_BUFFER: Final = 4 << 20
"""What the kernel is asked to hold for us, octets; it may grant less."""


class UdpClient:
    """A socket that talks to one peer and waits for what it says.

    Args:
        host: name or address of the peer.
        port: its port.
        local: address and port to send from; any when None.
        max_size: largest APDU to send, octets, at most 65507. Advice for cores: see ``ADVISED_SIZE``.

    Attributes:
        reliable: False: what is sent may get lost, doubled and overtaken.
        counters: what was dropped, by reason.

    Raises:
        Unreachable: the name has no address, or there is no way there.
    """

    reliable: Final = False

    def __init__(
        self, host: str, port: int = DEFAULT_PORT, *, local: tuple[str, int] | None = None, max_size: int = MAX_DATAGRAM
    ) -> None:
        self.max_size = min(max_size, MAX_DATAGRAM)
        self.counters: Counter[str] = Counter()
        self._peer = host, port
        self._socket = _connected(host, port, local)

    @property
    def local_address(self) -> tuple[str, int]:
        """Address and port we send from."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def fileno(self) -> int:
        """Return the file descriptor, for event loops that watch it; -1 when closed."""
        return self._socket.fileno()

    def send(self, apdu: bytes) -> None:
        """Send one APDU.

        Raises:
            EncodeError: it does not fit a datagram.
            Unreachable: the network says that nobody is there.
            ConnectionLost: the socket is closed.
        """
        if len(apdu) > self.max_size:
            raise EncodeError(f"an APDU of {len(apdu)} octets, a datagram takes {self.max_size}")
        try:
            self._socket.send(apdu)
        except BlockingIOError:
            self.counters["send-buffer-full"] += 1
        except OSError as error:
            raise self._failure(error) from None

    def receive(self, timeout: float | None) -> bytes | None:
        """Wait for one datagram from the peer.

        Args:
            timeout: how long, seconds; None for ever, 0 or less only looks.

        Returns:
            The octets, or None when nothing came in time.

        Raises:
            Unreachable: the network says that nobody is there.
            ConnectionLost: the socket is closed.
        """
        try:
            self._socket.settimeout(None if timeout is None else max(timeout, 0.0))
            return self._socket.recv(MAX_DATAGRAM + 1)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError as error:
            raise self._failure(error) from None

    def _failure(self, error: OSError) -> Unreachable | ConnectionLost:
        if self._socket.fileno() < 0:
            return ConnectionLost("the socket is closed")
        self.counters["network-error"] += 1
        return unreachable(*self._peer, error)

    def close(self) -> None:
        """Close the socket. May be called twice."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _connected(host: str, port: int, local: tuple[str, int] | None) -> socket.socket:
    """Return a socket for the first address of the host that there is a way to."""
    failure = OSError("it has no address")
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise unreachable(host, port, error) from None
    for family, kind, protocol, _, address in addresses:
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError as error:
            failure = error
            continue
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            if local is not None:
                opened.bind(local)
            opened.connect(address)
        except OSError as error:
            opened.close()
            failure = error
        else:
            return opened
    raise unreachable(host, port, failure)
