"""A TCP server for asyncio that strangers cannot fill: every connection has a deadline, and every address a share.

Connections on which nothing to be answered has come (see `TcpConnection.confirm`) are a stranger's. They are closed
after some minutes, and when there is no room they give way first. It accepts by itself, since asyncio, when the process
has no descriptor left, writes a traceback for every try.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.errors import ConnectionLost
from c1222.message.ber import MAX_APDU_OCTETS
from c1222.transport.aiotcp import LINGER, MAX_UNSENT, PARTIAL_TIMEOUT, TcpConnection
from c1222.transport.peers import peer_of
from c1222.transport.tcp import CONNECT_TIMEOUT
from c1222.transport.url import DEFAULT_PORT, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

__all__ = ["RESERVED_DESCRIPTORS", "TcpLimits", "TcpServer", "descriptor_limit"]

RESERVED_DESCRIPTORS: Final = 32
"""File descriptors of the process that connections never take."""
_BACKLOG: Final = 128
_BURST: Final = 16
_ACCEPT_PAUSE: Final = 1.0
_NO_DESCRIPTOR: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class TcpLimits(NamedTuple):
    """Limits of a server.

    Attributes:
        max_connections: connections it holds; fewer where the process may have fewer descriptors.
        max_per_peer: connections of one address (IPv6: of 64 bits of it).
        stranger_timeout: how long one may stay on which nothing to be answered has come, seconds.
        idle_timeout: how long one may stay after the last message that was answered, seconds.
        stays_for: how long after that one does not give way to a newcomer when there is no room, seconds.
        partial_timeout: how long an APDU may take from its first octet to its last, seconds.
        max_unsent: octets a peer may leave unread.
        linger: how long a connection that is closed waits for its peer to take what was sent, seconds.
    """

    max_connections: int = 1024
    max_per_peer: int = 256
    stranger_timeout: float = 120.0
    idle_timeout: float = 7200.0
    stays_for: float = 60.0
    partial_timeout: float = PARTIAL_TIMEOUT
    max_unsent: int = MAX_UNSENT
    linger: float = LINGER


_LIMITS: Final = TcpLimits()


def descriptor_limit() -> int | None:
    """Return how many file descriptors the process may have; None where there is no limit to ask for."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


class TcpServer:
    """Accepts connections and hands every APDU with its connection to a function. Make it with :meth:`open`.

    Answers go back on the connection their request came on.

    Attributes:
        connections: those open now.
        limits: as given; ``max_connections`` is what the process can have.
        counters: how many were accepted, why they ended (closed, out-of-step, too-slow, unread, idle, pushed-out), how
            many were not taken (full), and how often accepting failed because no descriptor was left (accept-failed).
    """

    def __init__(
        self,
        receive: Callable[[bytes, TcpConnection], None],
        lost: Callable[[TcpConnection], None] | None,
        max_size: int,
        limits: TcpLimits,
        *,
        raw: bool = False,
    ) -> None:
        self._raw = raw
        self.connections: set[TcpConnection] = set()
        self._dropped: set[TcpConnection] = set()  # they have their sockets for a turn of the loop
        self.counters: Counter[str] = Counter()
        self._descriptors = descriptor_limit()
        if self._descriptors is not None:
            room = max(1, self._descriptors - RESERVED_DESCRIPTORS)
            limits = limits._replace(max_connections=min(limits.max_connections, room))
        self.limits = limits
        self._receive = receive
        self._lost = lost
        self._max_size = max_size
        self._loop = asyncio.get_running_loop()
        self._listening: list[socket.socket] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._none_left = asyncio.Event()

    @classmethod
    async def open(
        cls,
        receive: Callable[[bytes, TcpConnection], None],
        *,
        local: tuple[str, int] = ("127.0.0.1", DEFAULT_PORT),
        lost: Callable[[TcpConnection], None] | None = None,
        max_size: int = MAX_APDU_OCTETS,
        limits: TcpLimits = _LIMITS,
        raw: bool = False,
    ) -> TcpServer:
        """Listen.

        Args:
            receive: called with the octets of every APDU and the connection it came on, which takes the answer. It
                calls ``confirm`` of the connection when the APDU was one to answer.
            local: address and port to listen at, ``("::", 1153)`` for IPv6.
            lost: called with every connection that has ended.
            max_size: limit for one APDU in either direction, octets.
            limits: how many connections, and for how long.
            raw: hand over octets as they come; they are no APDUs.

        Raises:
            Unreachable: the address is not ours, or the port is taken.
        """
        self = cls(receive, lost, max_size, limits, raw=raw)
        host, port = local
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                addresses = await self._loop.getaddrinfo(
                    host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
                )
            for family, address in dict.fromkeys((one[0], one[4]) for one in addresses):
                listening = socket.create_server(address, family=family, backlog=_BACKLOG)
                listening.setblocking(False)
                self._listening.append(listening)
        except (OSError, UnicodeError, TimeoutError) as error:
            for listening in self._listening:
                listening.close()
            raise unreachable(host, port, error) from None
        self._listen()
        return self

    @property
    def local_address(self) -> tuple[str, int]:
        """Address and port we listen at."""
        if not self._listening:
            raise ConnectionLost("the server is closed")
        host, port = self._listening[0].getsockname()[:2]
        return host, port

    # Accepting.

    def _listen(self) -> None:
        self._pause = None
        for listening in self._listening:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(_BURST):
            if self._opening and self._is_full:
                return  # those that are being opened may have to give way: in the next turn of the loop
            try:
                accepted, address = listening.accept()
            except OSError as error:
                if error.errno in _NO_DESCRIPTOR:
                    self._rest()
                return  # nobody is there any more
            accepted.setblocking(False)
            with contextlib.suppress(OSError):  # asyncio sets it only where the socket names its protocol
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._has_room(accepted, peer_of(address[0])):
                task = self._loop.create_task(self._take(accepted))
                self._opening.add(task)
                task.add_done_callback(partial(self._taken, accepted))
            else:
                self.counters["full"] += 1
                accepted.close()

    @property
    def _is_full(self) -> bool:
        return len(self.connections) + len(self._opening) >= self.limits.max_connections

    def _rest(self) -> None:
        """Stop accepting for a moment, as no descriptor is left, and make room by then."""
        self.counters["accept-failed"] += 1
        self._give_way(self.connections)
        for listening in self._listening:
            self._loop.remove_reader(listening.fileno())
        if self._pause is None:
            self._pause = self._loop.call_later(_ACCEPT_PAUSE, self._listen)

    def _has_room(self, accepted: socket.socket, peer: Hashable) -> bool:
        """Return whether a connection can be taken; another may have to give way for it."""
        of_peer = [one for one in self.connections if one.peer_key == peer]
        if len(of_peer) >= self.limits.max_per_peer:
            return self._give_way(of_peer)
        # The system gives out the lowest free number, so this tells how many are open in the whole process.
        scarce = self._descriptors is not None and accepted.fileno() >= self._descriptors - RESERVED_DESCRIPTORS
        if scarce or self._is_full:
            return self._give_way(self.connections)
        return True

    def _give_way(self, candidates: Iterable[TcpConnection]) -> bool:
        """Drop the connection that can best be done without; return False if there is none."""
        spare = min(candidates, key=lambda one: (one.confirmed, one.heard_at), default=None)
        if spare is None or (spare.confirmed and self._loop.time() - spare.heard_at < self.limits.stays_for):
            return False
        self._drop(spare, "pushed-out", "the server needs its place for another one")
        return True

    def _drop(self, connection: TcpConnection, reason: str, text: str) -> None:
        self.connections.discard(connection)
        self._dropped.add(connection)
        connection.abort(reason, text)

    async def _take(self, accepted: socket.socket) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._loop.connect_accepted_socket(self._connection, accepted)
        except (OSError, TimeoutError):
            accepted.close()  # it has left already

    def _taken(self, accepted: socket.socket, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if task.cancelled():  # perhaps before its first step
            accepted.close()

    def _connection(self) -> TcpConnection:
        return TcpConnection(
            self._receive,
            self._ended,
            made=self._made,
            max_size=self._max_size,
            max_unsent=self.limits.max_unsent,
            partial_timeout=self.limits.partial_timeout,
            linger=self.limits.linger,
            raw=self._raw,
        )

    def _made(self, connection: TcpConnection) -> None:
        if not self._listening:
            self._drop(connection, "closed", "the server is closed")
            return
        self.counters["accepted"] += 1
        self.connections.add(connection)
        if self._sweep is None:
            self._sweep_at(self._deadline(connection))

    def _ended(self, connection: TcpConnection) -> None:
        self.connections.discard(connection)
        self._dropped.discard(connection)
        if connection.reason:
            self.counters[connection.reason] += 1
        if not self.connections and not self._dropped:
            self._none_left.set()
        if self._lost is not None:
            self._lost(connection)

    # Idle connections.

    def _deadline(self, connection: TcpConnection) -> float:
        limits = self.limits
        return connection.heard_at + (limits.idle_timeout if connection.confirmed else limits.stranger_timeout)

    def _sweep_at(self, when: float) -> None:
        # Strangers that come later are due later than this one, but sooner than those that are known.
        when = min(when, self._loop.time() + self.limits.stranger_timeout)
        self._sweep = self._loop.call_at(when, self._close_idle)

    def _close_idle(self) -> None:
        now = self._loop.time()
        for connection in tuple(self.connections):
            if self._deadline(connection) <= now:
                self._drop(connection, "idle", "nothing was asked on it for too long")
        self._sweep = None
        if self.connections:
            self._sweep_at(min(map(self._deadline, self.connections)))

    # The end.

    async def close(self) -> None:
        """Stop listening and close all connections; those that do not take what was sent are dropped after a while."""
        for timer in (self._sweep, self._pause):
            if timer is not None:
                timer.cancel()
        for listening in self._listening:
            self._loop.remove_reader(listening.fileno())
            listening.close()
        self._listening.clear()
        opening = tuple(self._opening)
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        self._none_left.clear()
        for connection in tuple(self.connections):
            connection.close()
        if self.connections or self._dropped:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.limits.linger + 1.0):
                    await self._none_left.wait()
