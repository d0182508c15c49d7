"""Packets out of what was recorded of one direction, or of both in one: by state, and after damage by their CRC.

An end of the line skips a damaged packet by its length, and has it sent again. A listener has what follows already, so
it looks there for the next packet: a start whose header can be, and whose CRC is right once all of it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.errors import DecodeError
from c1222.serial.line import DamagedPacket, LineReader
from c1222.serial.packet import MAX_PACKET_SIZE, OVERHEAD, STP, BadCrc, CrcOrder, read_packet
from c1222.serial.profile import C1221_TIMING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.serial.line import LineItem
    from c1222.serial.packet import SerialPacket

__all__ = ["MAX_STARTS", "HeardLine"]

MAX_STARTS: Final = 64
"""Places in a damaged packet at which the next one is looked for; past that, all that it claims is passed over."""


class HeardLine(LineReader):
    """Takes octets that somebody else received, glued or split.

    Args:
        pause: longest pause inside a packet, seconds; that of C12.21 serves both.
    """

    def __init__(self, pause: float = C1221_TIMING.inter_character) -> None:
        super().__init__(pause, CrcOrder.EITHER)
        self.max_size = MAX_PACKET_SIZE

    def finish(self) -> Iterator[LineItem]:
        """Yield what can still be made of what is held: nothing more belongs to it."""
        held = self._held
        while held:
            yield from self._items()
            if held:
                text = f"nothing after {len(held)} octets"
                yield self._skip(DecodeError("packet", len(held), text), whole=True)
        self.forget()

    def _items(self) -> Iterator[LineItem]:
        held = self._held
        while held:
            if held[0] != STP:
                yield self._between()
                continue
            try:
                found = self._read(0)
            except DecodeError as error:
                yield self._skip(error)
                continue
            if found is None:
                return
            packet, size = found
            del held[:size]
            yield packet

    def _skip(self, error: DecodeError, *, whole: bool = False) -> DamagedPacket:
        """Go on at the next start of a packet, or of a whole one."""
        held = self._held
        end = (held[4] << 8 | held[5]) + OVERHEAD if isinstance(error, BadCrc) else len(held)
        at = 0
        for _ in range(MAX_STARTS):
            at = held.find(STP, at + 1, end)
            if at < 0 or self._starts(at, whole=whole):
                break
        else:
            at = -1
        del held[: at if at >= 0 else end]
        return DamagedPacket(error)

    def _starts(self, at: int, *, whole: bool) -> bool:
        try:
            return self._read(at) is not None or not whole
        except DecodeError:
            return False

    def _read(self, at: int) -> tuple[SerialPacket, int] | None:
        octets = bytes(self._held[at : at + MAX_PACKET_SIZE])
        return read_packet(octets, max_size=MAX_PACKET_SIZE, crc_order=CrcOrder.EITHER)
