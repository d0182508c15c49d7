"""A simulated meter at a serial line that does one thing wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.conformance.line.misbehaviour import packet_in
from c1222.serial.link_events import LinkEvent, Transmit

if TYPE_CHECKING:
    from c1222.conformance.line.misbehaviour import LineMisbehaviour
    from c1222.node.network.serial_station import SerialStation
    from c1222.serial.link import SerialLink
    from c1222.serial.session_state import SerialState

__all__ = ["LineSpecimen"]

# ruff: noqa: SLF001 - what it does wrong is done where a good station does it right


class LineSpecimen:
    """A station whose octets pass through hooks, both ways.

    Args:
        station: the good one.
        wrong: what is wrong with it; None for nothing.

    Attributes:
        scratch: whatever a misbehaviour remembers.
        asked: code of the last service that was asked for.
    """

    def __init__(self, station: SerialStation, wrong: LineMisbehaviour | None = None) -> None:
        self._station, self._wrong = station, wrong
        self.scratch: dict[str, Any] = {}
        self.asked = -1
        self._came = self._came_before = self._left = self._left_before = b""
        if wrong is not None and wrong.prepare is not None:
            wrong.prepare(self)

    @property
    def link(self) -> SerialLink:
        """Its end of the line."""
        return self._station.link

    @property
    def state(self) -> SerialState:
        """Where its session is; may be set."""
        return self._station._responder.state

    @state.setter
    def state(self, state: SerialState) -> None:
        self._station._responder.state = state

    def takes_packets_of(self, size: int) -> None:
        """Take packets of so many octets, whatever was agreed on."""
        self.link._reader.max_size = size

    def repeats(self, times: int) -> None:
        """Send packets again so often."""
        self.link._base_timing = self.link.timing = self.link.timing._replace(retries=times)

    def forget_last(self) -> None:
        """Forget the last packet that came."""
        self.link._last = None

    def came_again(self, octets: bytes) -> bool:
        """Return whether octets are those of the packet before."""
        return octets == self._came_before

    def left_before(self, octets: bytes) -> bool:
        """Return whether octets are those of the packet that went out before."""
        return octets == self._left_before

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has to be called at the latest; None while nothing is waited for."""
        return self._station.deadline

    def receive(self, octets: bytes, now: float, utc: float) -> list[LinkEvent]:
        """Take octets from the line, and return what is to be done."""
        packet = packet_in(octets)
        if packet is not None and packet.data:
            self._came_before, self._came = self._came, octets
            self.asked = packet.data[0]
        if self._wrong is not None and self._wrong.arrive is not None:
            octets = self._wrong.arrive(octets, self)
        return self._sent(self._station.receive(octets, now, utc) if octets else [])

    def tick(self, now: float, utc: float) -> list[LinkEvent]:
        """Do what is due."""
        return self._sent(self._station.tick(now, utc))

    def _sent(self, events: list[LinkEvent]) -> list[LinkEvent]:
        leave = None if self._wrong is None else self._wrong.leave
        found: list[LinkEvent] = []
        for event in events:
            if not isinstance(event, Transmit):
                found.append(event)
                continue
            if len(event.octets) > 1:
                self._left_before, self._left = self._left, event.octets
            out = [event.octets] if leave is None else leave(event.octets, self)
            found += [Transmit(octets, event.at) for octets in out]
        return found
