"""UDP, blocking: one APDU a datagram, without framing.

Origin: RFC 6142 as Wireshark and icsnpp-c1222 read it [V]. The asyncio side is in :mod:`c1222.transport.aioudp`.
"""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Self

from c1222.errors import ConnectionLost, DecodeError, EncodeError, Unreachable
from c1222.message.envelope import is_secured, read_apdu
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
_REPORT_ERRORS: Final = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""The options of Linux that have a socket without a fixed peer told that nobody listens: IP_RECVERR, IPV6_RECVERR."""
_PASSING: Final = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH})
"""What routers report on their way to another try."""


class UdpClient:
    """A socket that talks to one peer and waits for what it says.

    A peer with several addresses, or one behind a relay, may answer from another address or port than the one that was
    asked. From there only what says that it is sealed is handed over: whoever asked checks the MAC. The rest is counted
    (stranger). On systems other than Linux and Windows nothing tells that nobody listens there.

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
        self._socket, self._address = _open(host, port, local)

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
        for tries_left in (1, 0):
            try:
                self._socket.sendto(apdu, self._address)
            except BlockingIOError:
                self.counters["send-buffer-full"] += 1
            except OSError as error:
                if self._is_report(error) and tries_left and error.errno in _PASSING:
                    continue  # about an earlier datagram: this one was not sent
                raise self._failure(error) from None
            return

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
        left = timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                self._socket.settimeout(None if left is None else max(left, 0.0))
                octets, address = self._socket.recvfrom(MAX_DATAGRAM + 1)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError as error:
                if not self._is_report(error) or error.errno not in _PASSING:
                    raise self._failure(error) from None
                self.counters["network-error"] += 1
            else:
                if address == self._address or _says_it_is_sealed(octets):
                    return octets
                self.counters["stranger"] += 1
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None

    def _is_report(self, error: OSError) -> bool:
        """Return whether the network reported about an earlier datagram; such reports are taken, or it is not quiet."""
        found = False
        while sys.platform == "linux" and error.errno is not None and self._socket.fileno() >= 0:
            try:
                self._socket.recvmsg(0, 0, socket.MSG_ERRQUEUE | socket.MSG_DONTWAIT)
            except OSError:
                break
            found = True
        return found

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


def _open(host: str, port: int, local: tuple[str, int] | None) -> tuple[socket.socket, Any]:
    """Return a socket, and the first address of the host that there is a way to."""
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
            with socket.socket(family, kind, protocol) as probe:  # sends nothing: it tells which way there is
                if local is not None:
                    probe.bind((local[0], 0))
                probe.connect(address)
                own, peer = probe.getsockname(), probe.getpeername()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            if sys.platform == "linux" and family in _REPORT_ERRORS:
                opened.setsockopt(*_REPORT_ERRORS[family], 1)
            opened.bind(local if local is not None else (own[0], 0, *own[2:]))
        except OSError as error:
            opened.close()
            failure = error
        else:
            return opened, peer
    raise unreachable(host, port, failure)


def _says_it_is_sealed(octets: bytes) -> bool:
    try:
        apdu = read_apdu(octets)
        return not apdu.is_segment and is_secured(apdu)
    except DecodeError:
        return False
