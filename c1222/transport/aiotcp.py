"""TCP for asyncio: connections that hand every APDU to a function, and take APDUs to send without waiting."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from c1222.errors import ConnectionLost, DecodeError, EncodeError, Unreachable
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.transport.peers import peer_of
from c1222.transport.tcp import CONNECT_TIMEOUT, ApduCutter
from c1222.transport.url import DEFAULT_PORT, Url, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LINGER", "MAX_UNSENT", "PARTIAL_TIMEOUT", "TcpConnection"]

LINGER: Final = 5.0
"""How long a connection that we close waits for the peer to take what was sent, seconds."""
MAX_UNSENT: Final = 1 << 20
"""Octets a slow peer may leave unread before its connection is closed."""
PARTIAL_TIMEOUT: Final = 60.0
"""How long an APDU may take from its first octet to its last, seconds."""


class TcpConnection(asyncio.Protocol):
    """One TCP connection, either end. Make it with :meth:`open`, or get it from a `TcpServer`.

    Args:
        receive: called with the octets of every APDU and this connection.
        lost: called once with this connection when it has ended; ``error`` tells why.
        made: called with this connection when it is open.
        max_size: limit for one APDU in either direction, octets.
        max_unsent: octets the peer may leave unread.
        partial_timeout: how long an APDU may take from its first octet to its last, seconds.
        linger: how long `close` waits for the peer to take what was sent, seconds.
        raw: hand over octets as they come; they are no APDUs.

    Attributes:
        reliable: True: what arrives, arrives once and in order.
        peer: address of the other end, as the socket module has it.
        peer_key: what limits for each peer count by, see `peer_of`.
        error: why the connection ended; None while it is open, and after our own :meth:`close`.
        reason: the same as one word, for counters: closed, out-of-step, too-slow, unread, the one given to `abort`, or
            empty.
        confirmed: whether a message that came on it was one to answer; see `confirm`.
        heard_at: when that was last, or when it was opened, on the clock of the event loop.
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
        linger: float = LINGER,
        raw: bool = False,
    ) -> None:
        self._raw = raw
        self.max_size = max_size
        self.peer: Any = None
        self.peer_key: str | bytes | None = None
        self.confirmed = False
        self.heard_at = 0.0
        self.error: ConnectionLost | None = None
        self.reason = ""
        self._receive = receive
        self._lost = lost
        self._made = made
        self._max_unsent = max_unsent
        self._partial_timeout = partial_timeout
        self._partial: asyncio.TimerHandle | None = None
        self._linger = linger
        self._lingering: asyncio.TimerHandle | None = None
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

    def confirm(self) -> None:
        """Tell that a message that came on the connection was one to answer: its peer is no stranger."""
        self.confirmed = True
        self.heard_at = asyncio.get_running_loop().time()

    def close(self) -> None:
        """Close the connection when what was sent is out, or after a while if it is not. May be called twice."""
        if self._transport is not None and not self._closing:
            self._closing = True
            self._transport.close()
            self._lingering = asyncio.get_running_loop().call_later(self._linger, self._transport.abort)

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
        self.peer_key = peer_of(self.peer[0]) if self.peer else None
        self.heard_at = asyncio.get_running_loop().time()
        if self._made is not None:
            self._made(self)

    def data_received(self, data: bytes) -> None:
        """Cut APDUs from the stream (called by asyncio)."""
        if self.error is not None:
            return
        if self._raw:
            self._receive(data, self)
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
        for timer in (self._partial, self._lingering):
            if timer is not None:
                timer.cancel()
        self._partial = self._lingering = None
        if self.error is None and not self._closing:
            self.reason = "closed"
            self.error = ConnectionLost(f"the connection is lost: {exc or 'closed by the peer'}")
        if self._lost is not None:
            self._lost(self)
