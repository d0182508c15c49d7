"""The sockets of a node: datagrams and connections in, answers out, and a tick every second.

Answers wait until the event loop has handed over what came in with their requests; then all that they tell is made
durable at once, and they go.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, cast

from c1222.errors import C1222Error, StateError
from c1222.node.network.fleet import Fleet
from c1222.node.network.serial_lines import SerialLines
from c1222.protocol.policy import TCP_LINK, UDP_LINK, Link
from c1222.transport.aioudp import UdpListener, UdpPeer, resolve
from c1222.transport.lines.line_url import is_line_url
from c1222.transport.schemes import parse_url, transport_of
from c1222.transport.tcpserver import TcpLimits

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from c1222.node.network.fleet import Delivery
    from c1222.transport.aioudp import Address, UdpSocket
    from c1222.transport.lines.line_url import LineUrl
    from c1222.transport.schemes import Listener, Source
    from c1222.transport.url import Url

__all__ = ["TICK", "NodeServer", "Requester", "Served"]

TICK: Final = 1.0
"""Seconds between two ticks."""


class Served(Protocol):
    """What a server serves: a `Fleet` or a `Relay`."""

    def receive(self, apdu: bytes, *, source: Hashable, now: float, utc: float, link: Link, peer: Hashable) -> bool:
        """Take an APDU, and return whether it was one to answer or to pass on."""

    def apdus_to_send(self) -> list[Delivery]:
        """Return the APDUs to send, durable what they tell."""

    def released(self) -> list[Hashable]:
        """Return the sources whose connections are to be closed."""

    def lost(self, source: Hashable) -> None:
        """Take note of a connection that has ended."""

    def tick(self, *, now: float, utc: float) -> None:
        """Handle what is due by time; called about every second."""

    def close(self) -> None:
        """Save and close."""


class Requester(Protocol):
    """What sends requests of its own: a `Registration` or `Notices`."""

    def apdus_to_send(self, *, now: float, utc: float) -> list[bytes]:
        """Return the APDUs to send."""

    def tick(self, *, now: float, utc: float) -> None:
        """Send again or give up what is due."""


class NodeServer:
    """Serves a fleet or a relay on any number of addresses. Use it in one event loop.

    Args:
        fleet: the meters, or the relay.
        clock: a clock that does not run backwards.
        utc: true time, seconds since 1970 UTC.
        udp_link: what answers may be over UDP.
        tcp_limits: what connections may be.

    Attributes:
        now: the clock.
        utc: true time.
        urls: where it listens, with the ports it was given.
        failure: why it stopped by itself; None while it runs.
        counters: answers that could not be sent (undelivered).
    """

    def __init__(
        self,
        fleet: Served,
        *,
        clock: Callable[[], float] = time.monotonic,
        utc: Callable[[], float] = time.time,
        udp_link: Link = UDP_LINK,
        tcp_limits: TcpLimits | None = None,
    ) -> None:
        self.fleet = fleet
        self.urls: list[Url | LineUrl] = []
        self.failure: C1222Error | None = None
        self.counters: Counter[str] = Counter()
        self.now = clock
        self.utc = utc
        self._udp_link = udp_link
        self._tcp_limits = TcpLimits() if tcp_limits is None else tcp_limits
        self._listeners: list[Listener] = []
        self._lines: SerialLines | None = None
        self._askers: list[tuple[Requester, UdpSocket, Address]] = []
        self._scheduled = False
        self._ticker: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    # Addresses.

    async def listen(self, url: Url | str) -> Url | LineUrl:
        """Listen on an address.

        Args:
            url: port 0 takes any free one. Of serial lines ``pty:``, ``c1218+tcp://host:port`` and
                ``c1221+tcp://host:port``, with the option ``meter``, which meter is there, the first being 1.

        Returns:
            The address with its port; of a pseudo terminal that of its device.

        Raises:
            InvalidUrl: the text is no address.
            Unreachable: the address is not ours, or the port is taken.
            StateError: a relay has no serial lines.
        """
        listener: Listener
        found: Url | LineUrl
        if isinstance(url, str) and is_line_url(url):
            if not isinstance(self.fleet, Fleet):
                raise StateError(f"{url}: a relay has no serial lines")
            if self._lines is None:
                self._lines = SerialLines(self.fleet, self.now, self.utc, self._store_failed)
            listener, found = await self._lines.listen(url, self._tcp_limits)
        else:
            where = parse_url(url) if isinstance(url, str) else url
            transport = transport_of(where)
            link = TCP_LINK if transport.reliable else self._udp_link
            listener = await transport.listen(where, partial(self._received, link), self.fleet.lost, self._tcp_limits)
            if isinstance(listener, UdpListener):
                listener.socket.settle = self._pump
            found = where._replace(port=listener.local_address[1])
        self._listeners.append(listener)
        self.urls.append(found)
        if self._ticker is None:
            self._ticker = asyncio.get_running_loop().create_task(self._tick())
        return found

    async def ask(self, asker: Requester, to: Url | str) -> None:
        """Send requests of this process's own to a peer, over the first UDP socket of its address family.

        Args:
            asker: what asks. Answers reach it through ``Fleet.answers``.
            to: where the relay or the host is.

        Raises:
            InvalidUrl: the text is no address.
            Unreachable: the name has no address.
            StateError: there is no such socket.
        """
        url = parse_url(to) if isinstance(to, str) else to
        family, address = await resolve(url.host, url.port)
        for socket in [one.socket for one in self._listeners if isinstance(one, UdpListener)]:
            with suppress(C1222Error):
                own_family, _ = await resolve(*socket.local_address)
                if own_family == family:
                    self._askers.append((asker, socket, address))
                    self._schedule()
                    return
        raise StateError(f"{url}: the node listens on no UDP address of that family")

    # What comes in.

    def _received(self, link: Link, apdu: bytes, source: Source) -> None:
        if self.failure is None:
            if not isinstance(source, UdpPeer):  # a UDP socket says itself when it is through
                self._schedule()
            now, utc = self.now(), self.utc()
            if self.fleet.receive(apdu, source=source, now=now, utc=utc, link=link, peer=source.peer_key):
                source.confirm()

    # What goes out.

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        """Make durable what happened, and send what tells of it."""
        self._scheduled = False
        now, utc = self.now(), self.utc()
        requests = [
            (socket, address, apdu)
            for asker, socket, address in self._askers
            for apdu in asker.apdus_to_send(now=now, utc=utc)
        ]
        try:
            deliveries = self.fleet.apdus_to_send()
        except StateError as error:
            self._store_failed(error)
            return
        for socket, address, apdu in requests:
            socket.send(apdu, address)
        for source, apdu, delay in deliveries:
            if delay:
                asyncio.get_running_loop().call_later(delay, self._send, source, apdu)
            else:
                self._send(source, apdu)
        for source in self.fleet.released():
            cast("Source", source).close()

    def _send(self, source: Hashable, apdu: bytes) -> None:
        try:
            cast("Source", source).send(apdu)  # a fleet names no source but those it was given
        except C1222Error:  # the peer has left, or reads too slowly: it asks again or it does not
            self.counters["undelivered"] += 1

    async def _tick(self) -> None:
        while self.failure is None:
            await asyncio.sleep(TICK)
            now, utc = self.now(), self.utc()
            for asker, _, _ in self._askers:
                asker.tick(now=now, utc=utc)
            try:
                self.fleet.tick(now=now, utc=utc)
            except StateError as error:
                self._store_failed(error)
                return
            self._pump()

    # The end.

    def _store_failed(self, error: StateError) -> None:
        # What the meters remember is ahead of what is kept. Nothing they say from now on would hold.
        self.failure = error
        self._stopped.set()

    def stop(self) -> None:
        """Have `serve` return."""
        self._stopped.set()

    async def serve(self) -> None:
        """Serve until `stop`, then close.

        Raises:
            StateError: the store failed.
        """
        try:
            await self._stopped.wait()
        finally:
            await self.close()
        if self.failure is not None:
            raise self.failure

    async def close(self) -> None:
        """Stop listening, save the meters, close the store. May be called twice.

        Raises:
            StateError: the store failed.
        """
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
            self._ticker = None
        if self._lines is not None:
            self._lines.close()
        for listener in self._listeners:
            await listener.close()
        self._listeners.clear()
        if self.failure is None:
            self.fleet.close()
