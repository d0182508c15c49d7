"""One end of a local port: both may start, one message is under way in each direction, and the line is supervised.

Without I/O and clock, as the links of C12.18. Packets have data format 1. Each is acknowledged by 06, or, where it is
stuffed, by the acknowledgement bits of a packet; 3 repetitions; after that, or after silence, the link is down and
starts anew at 9600 bit/s with packets of 64 octets. Origin: Itron's stack [1], and what it shares with C12.18 [V].
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from c1222.errors import DecodeError, EncodeError, PeerSilent, SessionLost
from c1222.serial.line import DamagedPacket, LineNoise
from c1222.serial.link_events import ChangeRate, LinkDown, LinkEvent, MessageAcknowledged, MessageArrived, Transmit
from c1222.serial.localport.stuffing import TRANSPARENCY, PortReader, stuffed
from c1222.serial.packet import (
    DEFAULT_PACKET_SIZE,
    DEFAULT_PACKETS,
    TOGGLE,
    CrcOrder,
    LinkOctet,
    SerialPacket,
    cut,
    data_room,
)
from c1222.serial.profile import C1218_TIMING, DEFAULT_RATE, LinkTiming
from c1222.serial.series import Series

if TYPE_CHECKING:
    from c1222.errors import RemoteError
    from c1222.serial.line import LineItem

__all__ = ["KEEP_ALIVE", "MAX_WAITING", "LocalPort"]

KEEP_ALIVE: Final = 2.5
"""Seconds after which a module shows that it is there by an empty packet [1]."""
MAX_WAITING: Final = 64
"""Messages that wait to be sent."""
_FORMAT: Final = 0x01
_RECEIVED: Final = 1
_ACK, _NAK = bytes((LinkOctet.ACK,)), bytes((LinkOctet.NAK,))


class LocalPort:
    """One end.

    Args:
        identity: address of the interface and channel, second octet of packets.
        keep_alive: seconds after which an empty packet is sent; None for the end that does not supervise.
        transparency: stuff what is sent, and have it acknowledged in packets.
        timing: timers and retries.
        crc_order: order of the CRC's octets; some modules swap them.
        max_message: most octets of a message that is put together.

    Attributes:
        packet_size: octets of a whole packet, both ways.
        packets: packets of a message, both ways.
        rate: bits per second.
        counts: what was skipped or repeated, by name.
    """

    def __init__(
        self,
        *,
        identity: int = 0,
        keep_alive: float | None = None,
        transparency: bool = False,
        timing: LinkTiming = C1218_TIMING,
        crc_order: CrcOrder = CrcOrder.EITHER,
        max_message: int = 0x1000F,
    ) -> None:
        self.packet_size, self.packets, self.rate = DEFAULT_PACKET_SIZE, DEFAULT_PACKETS, DEFAULT_RATE
        self.counts: Counter[str] = Counter()
        self._identity, self._keep_alive, self._transparency = identity, keep_alive, transparency
        self._timing, self._swapped = timing, crc_order == CrcOrder.HIGH
        self._reader = PortReader(timing.inter_character, crc_order)
        self._series = Series(max_message)
        self._waiting: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._toggle = self._tries = 0
        self._last: SerialPacket | None = None
        self._again_until = 0.0
        self._overdue: float | None = None
        self._silent: float | None = None
        self._alive_at: float | None = None

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has to be called at the latest; None while nothing is waited for."""
        alive = self._alive_at if not self._parts else None
        waits = (self._reader.deadline, self._overdue, self._silent, alive)
        return min([at for at in waits if at is not None], default=None)

    @property
    def max_message(self) -> int:
        """Octets of the longest message that can be sent."""
        return data_room(self.packet_size) * self.packets

    def start(self, now: float) -> list[LinkEvent]:
        """Begin to supervise the line, if this is the end that does."""
        if self._keep_alive is not None:
            self._alive_at = now + self._keep_alive
        return []

    def agree(self, packet_size: int, packets: int, rate: int | None = None) -> list[LinkEvent]:
        """Use what Negotiate agreed on, both ways, from the next packet on."""
        self.packet_size, self.packets = packet_size, packets
        self._reader.max_size = packet_size
        if rate is None or rate == self.rate:
            return []
        self.rate = rate
        return [ChangeRate(rate)]

    def send(self, message: bytes, now: float) -> list[LinkEvent]:
        """Send a message, or have it wait for those before it.

        Raises:
            EncodeError: it does not fit the packets agreed on, or too many wait.
        """
        if not 1 <= len(message) <= self.max_message:
            raise EncodeError(f"a message of {len(message)} octets; the packets agreed on take 1 to {self.max_message}")
        if len(self._waiting) >= MAX_WAITING:
            raise EncodeError(f"{MAX_WAITING} messages wait already")
        self._waiting.append(message)
        return self._next(now)

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        """Take octets from the line, however they are glued or split."""
        events = self.tick(now)
        for item in self._reader.feed(octets, now):
            events += self._take(item, now)
        return events

    def tick(self, now: float) -> list[LinkEvent]:
        """Do what is due."""
        events: list[LinkEvent] = []
        if (damaged := self._reader.expire(now)) is not None:
            events += self._take(damaged, now)
        if self._overdue is not None and now >= self._overdue:
            events += self._repeat(now)
        if self._silent is not None and now >= self._silent:
            events += self._down(SessionLost(f"nothing received for {self._timing.traffic:g} s"))
        if self._alive_at is not None and now >= self._alive_at and not self._parts and self._keep_alive is not None:
            self._parts = [self._packet(b"", self._toggle)]
            self._toggle ^= 1
            events.append(self._sent(now))
        return events

    # --- out

    def _packet(self, data: bytes, toggle: int, bits: int = 0) -> bytes:
        control = _FORMAT | (TOGGLE if toggle else 0) | (TRANSPARENCY if self._transparency else 0) | bits
        return SerialPacket(data, self._identity, control, swapped_crc=self._swapped).encode()

    def _on_line(self, packet: bytes) -> bytes:
        return stuffed(packet) if packet[2] & TRANSPARENCY else packet

    def _next(self, now: float) -> list[LinkEvent]:
        if self._parts or not self._waiting:
            return []
        message = self._waiting.popleft()
        self._parts = cut(
            message,
            self._toggle,
            packet_size=self.packet_size,
            packets=self.packets,
            identity=self._identity,
            control=_FORMAT | (TRANSPARENCY if self._transparency else 0),
            swapped_crc=self._swapped,
        )
        self._toggle = (self._toggle + len(self._parts)) & 1
        return [self._sent(now)]

    def _sent(self, now: float) -> Transmit:
        octets = self._on_line(self._parts[0])
        self._overdue = now + len(octets) * 10 / self.rate + self._timing.response
        if self._keep_alive is not None:
            self._alive_at = now + self._keep_alive
        return Transmit(octets, now)

    def _acknowledged(self, now: float) -> list[LinkEvent]:
        if not self._parts:
            self.counts["stray"] += 1
            return []
        done = self._parts.pop(0)
        self._tries = 0
        self._silent = now + self._timing.traffic
        if self._parts:
            return [self._sent(now)]
        self._overdue = None
        is_message = len(done) > len(self._packet(b"", 0))
        return [*([MessageAcknowledged()] if is_message else []), *self._next(now)]

    def _repeat(self, now: float) -> list[LinkEvent]:
        if not self._parts:
            self.counts["stray"] += 1
            return []
        if self._tries >= self._timing.retries:
            return self._down(PeerSilent(f"no acknowledgement in {self._tries + 1} attempts"))
        self._tries += 1
        self.counts["repeated"] += 1
        return [self._sent(now)]

    def _down(self, error: RemoteError) -> list[LinkEvent]:
        """Begin anew, with sizes and rate of before; the toggle goes on, so that nothing new looks repeated."""
        self._waiting.clear()
        self._parts, self._tries = [], 0
        self._overdue = self._silent = None
        self._series.drop()
        self._reader.forget()
        return [LinkDown(error), *self.agree(DEFAULT_PACKET_SIZE, DEFAULT_PACKETS, DEFAULT_RATE)]

    # --- in

    def _take(self, item: LineItem, now: float) -> list[LinkEvent]:
        if isinstance(item, LineNoise):
            self.counts["noise"] += item.count
            return []
        if isinstance(item, DamagedPacket):
            self.counts["damaged"] += 1
            return [Transmit(_NAK, now)]  # whether it was stuffed cannot be known [1]
        if isinstance(item, SerialPacket):
            return self._take_packet(item, now)
        return self._acknowledged(now) if item == LinkOctet.ACK else self._repeat(now)

    def _take_packet(self, packet: SerialPacket, now: float) -> list[LinkEvent]:
        if packet.data_format != _FORMAT:
            self.counts["other format"] += 1
            return [Transmit(_NAK, now)]
        events: list[LinkEvent] = []
        self._silent = now + self._timing.traffic
        if packet.acknowledgement:
            events += self._acknowledged(now) if packet.acknowledgement == _RECEIVED else self._repeat(now)
            if not packet.data:
                return events
        events.append(self._acknowledgement(packet, now))
        # Also after silence, in which the link began anew: the other end may still be at its repetitions.
        again = packet == self._last and now <= self._again_until
        self._last, self._again_until = packet, now + (self._timing.retries + 1) * self._timing.response
        if again:
            self.counts["duplicate"] += 1
            return events
        if not packet.data:
            self.counts["empty"] += 1
            return events
        try:
            message = self._series.take(packet, self.packets)
        except DecodeError:
            self.counts["series-broken"] += 1
            return events
        return events if message is None else [*events, MessageArrived(message)]

    def _acknowledgement(self, packet: SerialPacket, now: float) -> Transmit:
        if not packet.control & TRANSPARENCY:
            return Transmit(_ACK, now)
        control = _FORMAT | TRANSPARENCY | _RECEIVED << 2 | (0 if self._toggle else TOGGLE)
        octets = SerialPacket(b"", self._identity, control, swapped_crc=self._swapped).encode()
        return Transmit(stuffed(octets), now)
