"""UDP for asyncio: one socket that serves any number of peers, as a client and as a server.

It hands every datagram to a function, and takes datagrams to send without waiting.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from c1222.errors import C1222Error, EncodeError, Unreachable
from c1222.transport.peers import peer_of
from c1222.transport.udp import MAX_DATAGRAM, RECEIVE_BUFFER, UdpClient
from c1222.transport.url import DEFAULT_PORT, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.transport.url import Url

__all__ = ["BURST", "Address", "UdpConnection", "UdpListener", "UdpPeer", "UdpSocket", "resolve"]

Address = tuple[str, int] | tuple[str, int, int, int]
"""Where a datagram goes to or comes from, as the socket module has it for IPv4 and IPv6."""

BURST: Final = 64
"""Datagrams taken from a socket before others get their turn; one at a time would cost a select call each."""


async def resolve(host: str, port: int = DEFAULT_PORT, *, family: int = socket.AF_UNSPEC) -> tuple[int, Address]:
    """Look up the family and the first address of a peer for :class:`UdpSocket`.

    Raises:
        Unreachable: the name has no address of the family.
    """
    try:
        addresses = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise unreachable(host, port, error) from None
    address = addresses[0][4]
    if not isinstance(address[0], str):
        raise Unreachable(f"{host}: this Python speaks no {socket.AddressFamily(addresses[0][0]).name}")
    return int(addresses[0][0]), address


class UdpSocket:
    """One UDP socket, any number of peers. Needs an event loop that watches sockets (on Windows: the selector loop).

    Make it with :meth:`open`.

    Attributes:
        reliable: False: what is sent may get lost, doubled and overtaken.
        max_size: largest APDU to send, octets.
        counters: what was dropped, by reason.
        settle: called when all datagrams that are here were handed over, or `BURST` of them.
    """

    reliable: Final = False

    def __init__(
        self, opened: socket.socket, receive: Callable[[bytes, Address], None], max_size: int = MAX_DATAGRAM
    ) -> None:
        self.max_size = min(max_size, MAX_DATAGRAM)
        self.counters: Counter[str] = Counter()
        self._socket = opened
        self._receive = receive
        self.settle: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(opened.fileno(), self._read)

    @classmethod
    async def open(
        cls,
        receive: Callable[[bytes, Address], None],
        *,
        local: tuple[str, int] = ("0.0.0.0", 0),  # noqa: S104 - a client's socket must be reachable from its peers
        max_size: int = MAX_DATAGRAM,
        reuse_port: bool = False,
    ) -> UdpSocket:
        """Open a socket.

        Args:
            receive: called with the octets of every datagram and where it came from.
            local: address and port to bind, ``("::", 1153)`` for IPv6.
            max_size: largest APDU to send, octets, at most 65507.
            reuse_port: let several processes share the port.

        Raises:
            Unreachable: the address is not ours, or the port is taken.
        """
        family, address = await resolve(*local)
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            if reuse_port:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            opened.bind(address)
        except OSError as error:
            opened.close()
            raise unreachable(*local, error) from None
        return cls(opened, receive, max_size)

    @property
    def local_address(self) -> tuple[str, int]:
        """Address and port of the socket."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def send(self, apdu: bytes, address: Address) -> None:
        """Send one APDU. What the network does not take is dropped and counted, as it may drop it later anyway.

        Raises:
            EncodeError: it does not fit a datagram.
        """
        if len(apdu) > self.max_size:
            raise EncodeError(f"an APDU of {len(apdu)} octets, a datagram takes {self.max_size}")
        try:
            self._socket.sendto(apdu, address)
        except BlockingIOError:
            self.counters["send-buffer-full"] += 1
        except OSError:
            self.counters["network-error"] += 1

    def _read(self) -> None:
        try:
            self._read_burst()
        finally:
            if self.settle is not None:
                self.settle()

    def _read_burst(self) -> None:
        for _ in range(BURST):
            try:
                octets, address = self._socket.recvfrom(MAX_DATAGRAM + 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                if self._socket.fileno() < 0:
                    return
                # A report about an earlier datagram, or a closed socket; the loop calls again if more is there.
                self.counters["network-error"] += 1
                return
            self._receive(octets, address)

    def close(self) -> None:
        """Close the socket. May be called twice."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()


class UdpConnection:
    """A socket that talks to one peer, and learns from the network when nobody is there. Make it with :meth:`open`."""

    def __init__(self, client: UdpClient, receive: Callable[[bytes], None], lost: Callable[[C1222Error], None]) -> None:
        self._client = client
        self._receive = receive
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(client, self._read)

    @classmethod
    async def open(
        cls, host: str, port: int, receive: Callable[[bytes], None], lost: Callable[[C1222Error], None]
    ) -> Self:
        """Open a socket to a peer.

        Args:
            host: name or address.
            port: its port.
            receive: called with the octets of every datagram.
            lost: called with the error when the network says that nobody is there.

        Raises:
            Unreachable: the name has no address, or there is no way there.
        """
        return cls(await asyncio.get_running_loop().run_in_executor(None, UdpClient, host, port), receive, lost)

    def send(self, apdu: bytes) -> None:
        """Send one APDU; see `UdpClient.send`."""
        self._client.send(apdu)

    def _read(self) -> None:
        """Take the datagrams that are there, and let others have their turn."""
        try:
            for _ in range(BURST):
                apdu = self._client.receive(0)
                if apdu is None:
                    return
                self._receive(apdu)
        except C1222Error as error:
            self._lost(error)

    def close(self) -> None:
        """Close the socket. May be called twice."""
        if self._client.fileno() >= 0:
            self._loop.remove_reader(self._client)
            self._client.close()


class UdpListener:
    """One UDP socket of a node. Make it with :meth:`open`.

    Attributes:
        socket: the socket.
    """

    __slots__ = ("socket", "url")

    socket: UdpSocket

    def __init__(self, url: Url) -> None:
        self.url = url

    @classmethod
    async def open(cls, url: Url, receive: Callable[[bytes, UdpPeer], None]) -> Self:
        """Listen.

        Args:
            url: address and port to listen at.
            receive: called with the octets of every datagram and where it came from.

        Raises:
            Unreachable: the address is not ours, or the port is taken.
        """
        self = cls(url)
        self.socket = await UdpSocket.open(
            lambda octets, address: receive(octets, UdpPeer(self, address)), local=(url.host, url.port)
        )
        return self

    @property
    def local_address(self) -> tuple[str, int]:
        """Address and port of the socket."""
        return self.socket.local_address

    async def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def __repr__(self) -> str:
        return str(self.url)  # the same after a restart: part of what tells a repetition from others


class UdpPeer(NamedTuple):
    """Where a datagram came from.

    Attributes:
        listener: what it came to.
        address: who sent it.
    """

    listener: UdpListener
    address: Address

    @property
    def peer_key(self) -> str | bytes:
        """What limits for each peer count by, see `peer_of`."""
        return peer_of(self.address[0])

    def send(self, apdu: bytes) -> None:
        """Send one APDU; see `UdpSocket.send`."""
        self.listener.socket.send(apdu, self.address)

    def confirm(self) -> None:
        """Do nothing: there is no connection to keep."""

    def close(self) -> None:
        """Do nothing: there is no connection to close."""

    def __repr__(self) -> str:
        return tuple.__repr__(self)
