"""Transparency: packets whose octets are stuffed, so that EE only stands at a start [1].

Bit 4 of control says so. From the sequence on, the CRC among it, EE and 1B become 1B and the octet with bit 5 flipped;
the CRC is that of the packet before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.errors import DecodeError
from c1222.serial.line import DamagedPacket, LineReader
from c1222.serial.packet import HEADER, OVERHEAD, STP, read_packet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.serial.line import LineItem

__all__ = ["TRANSPARENCY", "PortReader", "stuffed"]

TRANSPARENCY: Final = 0x10
"""Bit of control."""
_ESCAPE: Final = 0x1B
_FLIP: Final = 0x20
_PLAIN: Final = 3
"""Octets at the start that are never stuffed; identity and control cannot be EE."""


def stuffed(packet: bytes) -> bytes:
    """Return the octets of a packet as they go over the line; its control must have the bit."""
    out = bytearray(packet[:_PLAIN])
    for octet in packet[_PLAIN:]:
        out += bytes((_ESCAPE, octet ^ _FLIP)) if octet in {STP, _ESCAPE} else bytes((octet,))
    return bytes(out)


def _plain(octets: bytes, limit: int) -> tuple[bytes, int]:
    """Return what stuffed octets stand for, up to a size or the end, and how many they were."""
    out, at = bytearray(octets[:_PLAIN]), _PLAIN
    while at < len(octets) and len(out) < limit:
        if octets[at] != _ESCAPE:
            out.append(octets[at])
            at += 1
        elif at + 1 < len(octets):
            out.append(octets[at + 1] ^ _FLIP)
            at += 2
        else:
            break
    return bytes(out), at


class PortReader(LineReader):
    """Takes octets of a local port, stuffed or not."""

    def _items(self) -> Iterator[LineItem]:
        held = self._held
        while held:
            if held[0] != STP or len(held) < _PLAIN or not held[2] & TRANSPARENCY:
                before = len(held)
                yield from self._one()
                if len(held) == before:
                    return
                continue
            head, _ = _plain(bytes(held), HEADER)
            if len(head) < HEADER:
                return
            size = (head[4] << 8 | head[5]) + OVERHEAD
            octets, used = _plain(bytes(held), min(size, self.max_size))
            try:
                found = read_packet(octets, max_size=self.max_size, crc_order=self._crc_order)
            except DecodeError as error:
                del held[:used]
                yield DamagedPacket(error)
                continue
            if found is None:
                return
            del held[:used]
            yield found[0]

    def _one(self) -> Iterator[LineItem]:
        """Yield what stands first, if that is not stuffed."""
        for item in super()._items():
            yield item
            held = self._held
            if len(held) >= _PLAIN and held[0] == STP and held[2] & TRANSPARENCY:
                return
