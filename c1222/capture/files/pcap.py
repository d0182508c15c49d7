"""The form of pcap files, and their packets many at a time.

In both byte orders, with microseconds or nanoseconds, and the variant with longer record headers.
Format: draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["PCAP_MAGIC", "FindPackets", "PcapForm", "PcapRun", "walk"]

PCAP_MAGIC: Final = {
    bytes.fromhex("a1b2c3d4"): (">", 1000, 0),
    bytes.fromhex("d4c3b2a1"): ("<", 1000, 0),
    bytes.fromhex("a1b23c4d"): (">", 1, 0),
    bytes.fromhex("4d3cb2a1"): ("<", 1, 0),
    bytes.fromhex("a1b2cd34"): (">", 1000, 8),
    bytes.fromhex("34cdb2a1"): ("<", 1000, 8),
}
"""First four octets of a pcap: byte order, nanoseconds in one unit of the fraction, octets after each record header."""


class PcapForm(NamedTuple):
    """How the packets of a pcap are recorded.

    Attributes:
        order: of the octets of numbers, as `struct` writes it.
        unit: nanoseconds of the fraction.
        head_size: octets before a packet, of which the first 16 are four numbers: seconds, fraction, octets captured,
            octets on the wire.
        link_type: LINKTYPE of the packets.
    """

    order: str
    unit: int
    head_size: int
    link_type: int

    @property
    def head(self) -> struct.Struct:
        """The four numbers."""
        return struct.Struct(self.order + "IIII")


class FindPackets(Protocol):
    """What finds packets, as `walk` does."""

    def __call__(self, buffer: bytes, pos: int, form: PcapForm, limit: int, /) -> tuple[Sequence[int], int, int]: ...


class PcapRun(NamedTuple):
    """Packets of a pcap that were read at once, one behind the other.

    Attributes:
        buffer: octets of the file.
        places: where in them the heads of the packets are; all of each packet is there.
        first: number of the first packet.
        form: how they are recorded.
    """

    buffer: bytes
    places: Sequence[int]
    first: int
    form: PcapForm

    def packets(self) -> Iterator[tuple[int, int, int, bytes, int]]:
        """Yield number, time in nanoseconds, link type, octets and length on the wire of each packet."""
        (_, unit, head_size, link_type), buffer = self.form, self.buffer
        unpack = self.form.head.unpack_from
        for number, place in enumerate(self.places, self.first):
            seconds, fraction, captured, length = unpack(buffer, place)
            start = place + head_size
            yield (
                number,
                seconds * 1_000_000_000 + fraction * unit,
                link_type,
                buffer[start : start + captured],
                length,
            )


def walk(buffer: bytes, pos: int, form: PcapForm, limit: int, count: int | None = None) -> tuple[list[int], int, int]:
    """Find the packets that are whole in the octets of a file.

    Args:
        buffer: the octets.
        pos: where the head of the first packet is.
        form: how packets are recorded.
        limit: octets of a packet, at most.
        count: packets to find, at most.

    Returns:
        Where their heads are; where that of the first is that is not whole or too large, and how many octets it
        announces.
    """
    size_of = struct.Struct(form.order + "8xI").unpack_from
    head, end = form.head_size, len(buffer)
    last = end - head
    places: list[int] = []
    captured = 0
    while pos <= last and len(places) != count:
        (captured,) = size_of(buffer, pos)
        after = pos + head + captured
        if after > end or captured > limit:
            break
        places.append(pos)
        pos = after
    return places, pos, captured
