"""What a device at a serial line can do wrong on purpose: data with hooks.

``arrive`` takes octets that came in and gives those that the device hears; ``leave`` takes a packet or an
acknowledgement and gives those that go out; ``prepare`` changes the device itself, once. A specimen is what hooks get.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from c1222.errors import DecodeError
from c1222.serial.packet import MAX_PACKET_SIZE, CrcOrder, SerialPacket, read_packet

__all__ = ["Arrive", "Leave", "LineMisbehaviour", "packet_in"]

Arrive = Callable[[bytes, Any], bytes]
Leave = Callable[[bytes, Any], Iterator[bytes]]
"""What hooks get besides the octets is a `LineSpecimen`, which knows of misbehaviours, and not the other way round."""


class LineMisbehaviour(NamedTuple):
    """Something that a device does wrong.

    Attributes:
        id: stable, lower-case, hyphenated.
        title: what the device does.
        caught: ids of the checks that notice it.
        arrive: see the module.
        leave: see the module.
        prepare: see the module.
    """

    id: str
    title: str
    caught: tuple[str, ...]
    arrive: Arrive | None = None
    leave: Leave | None = None
    prepare: Callable[[Any], None] | None = None


def packet_in(octets: bytes) -> SerialPacket | None:
    """Return the packet that octets are, None if they are none."""
    try:
        found = read_packet(octets, max_size=MAX_PACKET_SIZE, crc_order=CrcOrder.EITHER)
    except DecodeError:
        return None
    return None if found is None or found[1] != len(octets) else found[0]
