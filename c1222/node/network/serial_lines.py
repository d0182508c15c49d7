"""The serial lines of a node: each connection, and each pseudo terminal, is a line with a meter at its end."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from c1222.errors import C1222Error, InvalidUrl, StateError
from c1222.node.network.line_faults import LineFaults
from c1222.node.network.serial_station import SerialStation
from c1222.serial.link_events import Transmit
from c1222.transport.lines.line_url import LineUrl, parse_line_url
from c1222.transport.lines.pty import PtyListener
from c1222.transport.tcpserver import TcpLimits, TcpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from c1222.node.network.fleet import Fleet
    from c1222.serial.link_events import LinkEvent
    from c1222.transport.schemes import Listener, Source

__all__ = ["SerialLines"]

_OPTIONS: Final = {"meter": "which meter is at the line, the first being 1", "identity": "its identity, 0..255"}


class SerialLines:
    """The lines of a node. Use it in one event loop.

    Args:
        fleet: the meters.
        now: a clock that does not run backwards.
        utc: true time.
        failed: called when the store failed: nothing may be sent any more.
    """

    def __init__(
        self,
        fleet: Fleet,
        now: Callable[[], float],
        utc: Callable[[], float],
        failed: Callable[[StateError], None],
    ) -> None:
        self._fleet, self._now, self._utc, self._failed = fleet, now, utc, failed
        self._lines: dict[Hashable, _Line] = {}

    async def listen(self, text: str, limits: TcpLimits) -> tuple[Listener, LineUrl]:
        """Listen, and return what listens, and the address that clients use.

        Args:
            text: the address: ``pty:``, ``c1218+tcp://host:port``, ``c1221+tcp://host:port``.
            limits: what connections may be.

        Raises:
            InvalidUrl: it is no address, or there is no such meter.
            Unreachable: that cannot be listened on.
        """
        url = parse_line_url(text, _OPTIONS)
        if not url.kind.can_listen or (url.scheme == "pty" and url.host):
            raise InvalidUrl(f"{text[:120]!r}: a node listens on pty:, c1218+tcp:// and c1221+tcp://")
        number, identity = (_whole(url, name, default) for name, default in (("meter", 1), ("identity", 0)))
        stations = list(self._fleet.stations.values())
        if not 1 <= number <= len(stations) or identity > 0xFF:
            raise InvalidUrl(f"{text[:120]!r}: meter is 1..{len(stations)}, identity 0..255")

        def received(octets: bytes, source: Source) -> None:
            line = self._lines.get(source)
            if line is None:
                station = SerialStation(stations[number - 1], self._fleet, c1221=url.kind.c1221, identity=identity)
                faults = LineFaults(self._fleet.faults, stations[number - 1].meter.title)
                line = self._lines[source] = _Line(station, source, faults, (self._now, self._utc, self._failed))
            line.receive(octets)

        if url.scheme == "pty":
            pty = PtyListener(cast("Callable[[bytes, PtyListener], None]", received))
            return cast("Listener", pty), LineUrl("serial", pty.path)
        server = await TcpServer.open(received, local=(url.host, url.port), lost=self._lost, limits=limits, raw=True)
        return server, url._replace(port=server.local_address[1], options={})

    def _lost(self, source: Hashable) -> None:
        line = self._lines.pop(source, None)
        if line is not None:
            line.end()

    def close(self) -> None:
        """End all lines."""
        for source in tuple(self._lines):
            self._lost(source)


class _Line:
    """One line: sends what is due, in order, and keeps time."""

    def __init__(
        self,
        station: SerialStation,
        source: Source,
        faults: LineFaults,
        clocks: tuple[Callable[[], float], Callable[[], float], Callable[[StateError], None]],
    ) -> None:
        self._station, self._source, self._faults = station, source, faults
        self._now, self._utc, self._failed = clocks
        self._loop = asyncio.get_running_loop()
        self._out: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def receive(self, octets: bytes) -> None:
        echo = self._faults.came(octets)
        if echo:
            self._out.append((0.0, echo))
        self._do(lambda: self._station.receive(octets, self._now(), self._utc()))

    def _tick(self) -> None:
        self._timer = None
        self._do(lambda: self._station.tick(self._now(), self._utc()))

    def _do(self, step: Callable[[], list[LinkEvent]]) -> None:
        events = step()
        if self._station.failure is not None:
            self._failed(self._station.failure)
            return
        for event in events:
            if isinstance(event, Transmit):
                octets, delay = self._faults.sent(event.octets)
                self._out.append((event.at + delay, octets))
        if self._station.takes_requests:
            self._source.confirm()
        self._send()

    def _send(self) -> None:
        now = self._now()
        with suppress(C1222Error):  # the peer has left
            while self._out and self._out[0][0] <= now:
                octets = self._out.popleft()[1]
                if octets:
                    self._source.send(octets)
        waits = [at for at in (self._out[0][0] if self._out else None, self._station.deadline) if at is not None]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if waits:
            self._timer = self._loop.call_later(max(0.0, min(waits) - now), self._tick)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _whole(url: LineUrl, name: str, default: int) -> int:
    text = url.options.get(name, str(default))
    if not text.isdecimal():
        raise InvalidUrl(f"{name}={text[:40]}: {_OPTIONS[name]}")
    return int(text)
