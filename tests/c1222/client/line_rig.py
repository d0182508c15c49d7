"""A blocking meter at one end of a line in memory, a simulated meter at the other; the time is that of the line."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

from c1219.device import Device
from c1222.client.operations.operations import Operations
from c1222.client.serial_line import SerialLine, line_of
from c1222.client.sync import Meter
from c1222.node.meter.profile import Profile
from c1222.node.network.serial_station import SerialStation
from c1222.node.settings import Settings, make_fleet
from c1222.serial.link_events import ChangeRate, Transmit
from tests.c1222.client.rig import DEVICES

UTC = 1_780_000_000.0


class LineClock:
    now = 0.0

    @property
    def utc(self) -> float:
        return UTC + self.now


class MemoryLine:
    """An endpoint: what is sent reaches the station at once, unless a filter takes it; waiting is free.

    Attributes:
        to_meter, to_client: filters: octets and the instant in, octets out.
        rate: that the client has set.
    """

    reliable, max_size = True, 1 << 16

    def __init__(self, station: Any, clock: LineClock) -> None:
        self.station, self.clock = station, clock
        self.to_meter: Callable[[bytes], bytes] = lambda octets: octets
        self.to_client: Callable[[bytes], bytes] = lambda octets: octets
        self.rate = 9600
        self.sent: list[bytes] = []
        self.came: list[bytes] = []
        self.closed = False
        self._due: list[tuple[float, int, bytes]] = []
        self._order = count()

    def send(self, item: bytes | ChangeRate) -> None:
        if isinstance(item, ChangeRate):
            self.rate = item.rate
            return
        self.sent.append(item)
        octets = self.to_meter(item)
        if octets:
            self._do(self.station.receive(octets, self.clock.now, self.clock.utc))

    def receive(self, timeout: float | None) -> bytes | None:
        assert timeout is not None or self._due, "would wait for ever"
        until = float("inf") if timeout is None else self.clock.now + max(timeout, 0)
        while True:
            deadline = self.station.deadline
            due = self._due[0][0] if self._due else float("inf")
            if deadline is not None and deadline <= min(due, until):
                self.clock.now = max(self.clock.now, deadline)
                self._do(self.station.tick(self.clock.now, self.clock.utc))
                continue
            if due > until:
                self.clock.now = until
                return None
            self.clock.now = max(self.clock.now, due)
            octets = heapq.heappop(self._due)[2]
            self.came.append(octets)
            return octets

    def _do(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, Transmit):
                octets = self.to_client(event.octets)
                if octets:
                    heapq.heappush(self._due, (event.at, next(self._order), octets))

    def close(self) -> None:
        self.closed = True


def line_meter(
    name: str = "polyphase-tou",
    *,
    options: dict[str, str] | None = None,
    c1221: bool = False,
    station: Any = None,
    **arguments: Any,
) -> tuple[Meter, MemoryLine]:
    """Return a client, and the line between it and a simulated meter."""
    clock = LineClock()
    if station is None:
        profile = Profile(Device.from_json((DEVICES / f"{name}.json").read_text("utf-8")))
        fleet = make_fleet(Settings(profile=profile, simulate=False), utc=UTC)
        station = SerialStation(next(iter(fleet.stations.values())), fleet, c1221=c1221)
    line = MemoryLine(station, clock)
    settings: SerialLine = line_of(options or {}, c1221=c1221)
    return Meter(Operations(settings, clock=clock, **arguments), line), line
