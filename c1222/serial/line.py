"""Octets from the line, as packets and acknowledgements; noise between them is skipped and counted.

Never holds more than one packet of the agreed size. What announces more is not waited for: the octets are dropped until
the line is quiet for as long as a pause inside a packet may last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from c1222.errors import DecodeError, LimitExceeded
from c1222.serial.packet import (
    DEFAULT_PACKET_SIZE,
    OVERHEAD,
    STP,
    BadCrc,
    CrcOrder,
    LinkOctet,
    SerialPacket,
    read_packet,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DamagedPacket", "LineItem", "LineNoise", "LineReader"]

_MARKS = {mark.value: mark for mark in LinkOctet}


@dataclass(frozen=True, slots=True)
class DamagedPacket:
    """Octets that are no packet, though they started as one.

    Attributes:
        error: what is wrong.
    """

    error: DecodeError


@dataclass(frozen=True, slots=True)
class LineNoise:
    """Octets between packets that mean nothing.

    Attributes:
        count: how many.
    """

    count: int


LineItem: TypeAlias = SerialPacket | LinkOctet | DamagedPacket | LineNoise


class LineReader:
    """Takes octets as they come, glued or split.

    Args:
        inter_character: longest pause inside a packet, seconds.
        crc_order: order of the CRC's octets.

    Attributes:
        inter_character: longest pause inside a packet, seconds; may be set.
        max_size: most octets of a packet; may be set.
        deadline: when the packet under way counts as cut off; None between packets.
    """

    __slots__ = ("_crc_order", "_held", "_too_long", "deadline", "inter_character", "max_size")

    def __init__(self, inter_character: float, crc_order: CrcOrder = CrcOrder.LOW) -> None:
        self.inter_character = inter_character
        self.max_size = DEFAULT_PACKET_SIZE
        self.deadline: float | None = None
        self._crc_order = crc_order
        self._held = bytearray()
        self._too_long: DecodeError | None = None

    def feed(self, octets: bytes, now: float) -> Iterator[LineItem]:
        """Take octets and yield what they make, one by one: what is done about an item counts for those after it.

        Args:
            octets: as they came from the line.
            now: seconds on any clock that only goes forward.
        """
        if not octets:
            return
        if self._too_long is not None:
            self.deadline = now + self.inter_character
            return
        self._held += octets
        self.deadline = None
        yield from self._items()
        if self._held or self._too_long is not None:
            self.deadline = now + self.inter_character

    def expire(self, now: float) -> DamagedPacket | None:
        """Return the packet that was cut off or too long, if the line has been quiet for long enough."""
        if self.deadline is None or now < self.deadline:
            return None
        error = self._too_long
        if error is None:
            count = len(self._held)
            error = DecodeError("packet", count, f"nothing after {count} octets for {self.inter_character:g} s")
        self.forget()
        return DamagedPacket(error)

    def forget(self) -> None:
        """Drop what is held of a packet."""
        self._held.clear()
        self._too_long = None
        self.deadline = None

    def _items(self) -> Iterator[LineItem]:
        held = self._held
        while held:
            if held[0] != STP:
                yield self._between()
                continue
            try:
                found = read_packet(bytes(held[: self.max_size]), max_size=self.max_size, crc_order=self._crc_order)
            except LimitExceeded as error:
                self._too_long = error
                held.clear()
                return
            except DecodeError as error:
                # A device that leaves out an octet of the CRC and then repeats itself: the EE of the repetition stands
                # where the CRC should end. Only there is EE looked for, as data may hold what looks like a packet.
                size = (held[4] << 8 | held[5]) + OVERHEAD
                again = held.find(STP, size - 2, size) if isinstance(error, BadCrc) else -1
                del held[: size if again < 0 else again]
                if again < 0:
                    yield DamagedPacket(error)
                continue
            if found is None:
                return
            packet, size = found
            del held[:size]
            yield packet

    def _between(self) -> LineItem:
        held = self._held
        if mark := _MARKS.get(held[0]):
            del held[0]
            return mark
        stop = next((at for at, octet in enumerate(held) if octet == STP or octet in _MARKS), len(held))
        del held[:stop]
        return LineNoise(stop)
