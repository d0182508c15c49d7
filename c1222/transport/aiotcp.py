"""TCP for asyncio: connections that hand every APDU to a function, and take APDUs to send without waiting.

Answers go back on the connection their request came on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from c1222.errors import ConnectionLost, DecodeError, EncodeError, Unreachable
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.transport.tcp import CONNECT_TIMEOUT, ApduCutter
from c1222.transport.url import DEFAULT_PORT, Url, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_CONNECTIONS", "MAX_UNSENT", "PARTIAL_TIMEOUT", "TcpConnection", "TcpServer"]

MAX_CONNECTIONS: Final = 1024
"""Connections a server holds; more are closed as they come."""
MAX_UNSENT: Final = 1 << 20
"""Octets a slow peer may leave unread before its connection is closed."""
PARTIAL_TIMEOUT: Final = 60.0
"""How long an APDU may take from its first octet to its last, seconds."""


class TcpConnection(asyncio.Protocol):
    """One TCP connection, either end. Make it with :meth:`open`, or get it from a :class:`TcpServer`.

    Args:
        receive: called with the octets of every APDU and this connection.
        lost: called once with this connection when it has ended; ``error`` tells why.
        made: called with this connection when it is open.
        max_size: limit for one APDU in either direction, octets.
        max_unsent: octets the peer may leave unread.
        partial_timeout: how long an APDU may take from its first octet to its last, seconds.

    Attributes:
        reliable: True: what arrives, arrives once and in order.
        peer: address of the other end, as the socket module has it.
        error: why the connection ended; None while it is open, and after our own :meth:`close`.
        reason: the same as one word, for counters: closed, out-of-step, too-slow, unread, full, or empty.
    """

    reliable: Final = True

    def __init__(
        self,
        receive: Callable[[bytes, TcpConnection], None],
        lost: Callable[[TcpConnection], None] | None = None,
        *,
        made: Callable[[TcpConnection], None] | None = None,
        max_size: int = MAX_APDU_OCTETS,
        max_unsent: int = MAX_UNSENT,
        partial_timeout: float = PARTIAL_TIMEOUT,
    ) -> None:
        self.max_size = max_size
        self.peer: Any = None
        self.error: ConnectionLost | None = None
        self.reason = ""
        self._receive = receive
        self._lost = lost
        self._made = made
        self._max_unsent = max_unsent
        self._partial_timeout = partial_timeout
        self._partial: asyncio.TimerHandle | None = None
        self._cutter = ApduCutter(max_size=max_size)
        self._transport: asyncio.Transport | None = None
        self._closing = False

    @classmethod
    async def open(
        cls,
        host: str,
        port: int = DEFAULT_PORT,
        *,
        receive: Callable[[bytes, TcpConnection], None],
        lost: Callable[[TcpConnection], None] | None = None,
        timeout: float = CONNECT_TIMEOUT,
        max_size: int = MAX_APDU_OCTETS,
    ) -> TcpConnection:
        """Connect to a peer.

        Args:
            host: name or address.
            port: its port.
            receive: see the class.
            lost: see the class.
            timeout: how long it may take, seconds.
            max_size: limit for one APDU, octets.

        Raises:
            Unreachable: nobody accepts connections there, in time.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, made = await loop.create_connection(lambda: cls(receive, lost, max_size=max_size), host, port)
        except TimeoutError:
            raise Unreachable(f"no connection to {Url('tcp', host, port)} within {timeout:g} s") from None
        except (OSError, UnicodeError) as error:
            raise unreachable(host, port, error) from None
        return made

    @property
    def is_open(self) -> bool:
        """Whether APDUs can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, apdu: bytes) -> None:
        """Send one APDU, or hold it until the peer takes it.

        Raises:
            EncodeError: it is larger than the limit.
            ConnectionLost: the connection has ended, or ends now because the peer reads too slowly.
        """
        if len(apdu) > self.max_size:
            raise EncodeError(f"an APDU of {len(apdu)} octets, the limit is {self.max_size}")
        if self._transport is None or self._transport.is_closing():
            raise self.error or ConnectionLost("the connection is closed")
        self._transport.write(apdu)
        if self._transport.get_write_buffer_size() > self._max_unsent:
            raise self.abort("unread", f"the peer left more than {self._max_unsent} octets unread")

    def close(self) -> None:
        """Close the connection when what was sent is out. May be called twice."""
        if self._transport is not None:
            self._closing = True
            self._transport.close()

    def abort(self, reason: str, text: str) -> ConnectionLost:
        """Drop the connection at once.

        Args:
            reason: one word for counters.
            text: why, for people.

        Returns:
            The error the connection has from now on.
        """
        if self.error is None:
            self.reason = reason
            self.error = ConnectionLost(f"the connection is lost: {text}")
        if self._transport is not None:
            self._transport.abort()
        return self.error

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (called by asyncio)."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
        self.peer = transport.get_extra_info("peername")
        if self._made is not None:
            self._made(self)

    def data_received(self, data: bytes) -> None:
        """Cut APDUs from the stream (called by asyncio)."""
        if self.error is not None:
            return
        complete = False
        try:
            for apdu in self._cutter.feed(data):
                complete = True
                self._receive(apdu, self)
        except DecodeError as error:
            self.abort("out-of-step", f"the stream is out of step: {error.reason}")
        if self._partial is not None and complete:
            self._partial.cancel()
            self._partial = None
        if self._cutter.pending and self._partial is None:
            self._partial = asyncio.get_running_loop().call_later(
                self._partial_timeout, self.abort, "too-slow", "an APDU was begun and not finished"
            )

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner (called by asyncio)."""
        if self._partial is not None:
            self._partial.cancel()
            self._partial = None
        if self.error is None and not self._closing:
            self.reason = "closed"
            self.error = ConnectionLost(f"the connection is lost: {exc or 'closed by the peer'}")
        if self._lost is not None:
            self._lost(self)


class TcpServer:
    """Accepts connections and hands every APDU with its connection to a function. Make it with :meth:`open`.

    Attributes:
        connections: those open now.
        counters: how many were accepted, and why they ended: closed, out-of-step, too-slow, unread, full.
    """

    def __init__(
        self,
        receive: Callable[[bytes, TcpConnection], None],
        lost: Callable[[TcpConnection], None] | None,
        max_size: int,
        max_connections: int,
        partial_timeout: float,
    ) -> None:
        self.connections: set[TcpConnection] = set()
        self.counters: Counter[str] = Counter()
        self._receive = receive
        self._lost = lost
        self._max_size = max_size
        self._max_connections = max_connections
        self._partial_timeout = partial_timeout
        self._server: asyncio.Server | None = None

    @classmethod
    async def open(
        cls,
        receive: Callable[[bytes, TcpConnection], None],
        *,
        local: tuple[str, int] = ("127.0.0.1", DEFAULT_PORT),
        lost: Callable[[TcpConnection], None] | None = None,
        max_size: int = MAX_APDU_OCTETS,
        max_connections: int = MAX_CONNECTIONS,
        partial_timeout: float = PARTIAL_TIMEOUT,
    ) -> TcpServer:
        """Listen.

        Args:
            receive: called with the octets of every APDU and the connection it came on, which takes the answer.
            local: address and port to listen at, ``("::", 1153)`` for IPv6.
            lost: called with every connection that has ended.
            max_size: limit for one APDU in either direction, octets.
            max_connections: more are closed as they come.
            partial_timeout: how long an APDU may take from its first octet to its last, seconds.

        Raises:
            Unreachable: the address is not ours, or the port is taken.
        """
        self = cls(receive, lost, max_size, max_connections, partial_timeout)
        try:
            self._server = await asyncio.get_running_loop().create_server(self._accept, *local)
        except (OSError, UnicodeError) as error:
            raise unreachable(*local, error) from None
        return self

    @property
    def local_address(self) -> tuple[str, int]:
        """Address and port we listen at."""
        if self._server is None or not self._server.sockets:
            raise ConnectionLost("the server is closed")
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    def _accept(self) -> TcpConnection:
        return TcpConnection(
            self._receive,
            self._ended,
            made=self._made,
            max_size=self._max_size,
            partial_timeout=self._partial_timeout,
        )

    def _made(self, connection: TcpConnection) -> None:
        self.counters["accepted"] += 1
        if len(self.connections) >= self._max_connections:
            connection.abort("full", "the server holds as many connections as it may")
        else:
            self.connections.add(connection)

    def _ended(self, connection: TcpConnection) -> None:
        self.connections.discard(connection)
        if connection.reason:
            self.counters[connection.reason] += 1
        if self._lost is not None:
            self._lost(connection)

    async def close(self) -> None:
        """Stop listening and close all connections. May be called twice."""
        if self._server is not None:
            self._server.close()
            for connection in tuple(self.connections):
                connection.close()
            await self._server.wait_closed()
