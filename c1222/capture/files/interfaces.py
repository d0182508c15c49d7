"""The interface description block of pcapng: what the packets of an interface are, and how its times are to be read."""

from __future__ import annotations

import struct
from typing import Final, Literal, NamedTuple

__all__ = ["Interface", "byte_order", "read_interface"]

_IF_TSRESOL: Final = 9
_IF_TSOFFSET: Final = 14


class Interface(NamedTuple):
    """One interface of a section.

    Attributes:
        link_type: LINKTYPE of its packets.
        snaplen: octets kept of a packet; 0 for all.
        factor: a time stamp times this, divided by ``divisor``, is in nanoseconds.
        divisor: see ``factor``.
        offset_ns: nanoseconds to add to every time.
    """

    link_type: int
    snaplen: int
    factor: int
    divisor: int
    offset_ns: int


def byte_order(magic: bytes) -> Literal["<", ">"] | None:
    """Read the byte-order magic of a section header, 4 octets; None when it is none."""
    if magic == b"\x4d\x3c\x2b\x1a":
        return "<"
    return ">" if magic == b"\x1a\x2b\x3c\x4d" else None


def read_interface(block: bytes, order: Literal["<", ">"]) -> tuple[Interface | None, bool]:
    """Read an interface description block.

    Args:
        block: the block, both its lengths included.
        order: byte order of the section.

    Returns:
        The interface, or None when the block is too short to describe one; and whether the block is in order.
    """
    end = len(block) - 4
    if end < 16:
        return None, False
    link_type, snaplen = struct.unpack_from(order + "8xHxxI", block)
    factor, divisor, offset_ns = 1000, 1, 0
    good = True
    pos = 16
    while pos + 4 <= end:
        code, size = struct.unpack_from(order + "HH", block, pos)
        pos += 4
        if code == 0:
            break
        if pos + size > end:
            good = False
            break
        if code == _IF_TSRESOL and size == 1:
            exponent = block[pos] & 0x7F
            factor, divisor = 1_000_000_000, 1 << exponent if block[pos] & 0x80 else 10**exponent
            if factor % divisor == 0:
                factor, divisor = factor // divisor, 1
        elif code == _IF_TSOFFSET and size == 8:
            offset_ns = struct.unpack_from(order + "q", block, pos)[0] * 1_000_000_000
        pos += size + (-size & 3)
    return Interface(link_type, snaplen, factor, divisor, offset_ns), good
