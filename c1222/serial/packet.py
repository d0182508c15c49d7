"""A packet of C12.18, C12.21 and the local port of C12.22: ``EE identity control sequence length data CRC``.

All numbers stand most significant octet first but the CRC, which is CRC-16/X-25 with the low octet first. Nothing is
stuffed: EE, 06 and 15 may occur in data and in the CRC, so a packet is found by state, never by looking for EE [V].

Origin: Elster MeteringSDK, termineter, NIST's n0mcli, Itron's stack and amsreader [V].
"""

from __future__ import annotations

from binascii import crc_hqx
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from c1222.errors import DecodeError, EncodeError, LimitExceeded

__all__ = [
    "DATA_FORMAT",
    "DEFAULT_PACKETS",
    "DEFAULT_PACKET_SIZE",
    "FIRST_PACKET",
    "HEADER",
    "MAX_DATA",
    "MAX_PACKETS",
    "MAX_PACKET_SIZE",
    "MULTI_PACKET",
    "OVERHEAD",
    "STP",
    "TOGGLE",
    "BadCrc",
    "CrcOrder",
    "LinkOctet",
    "SerialPacket",
    "crc16",
    "cut",
    "data_room",
    "read_packet",
]

STP: Final = 0xEE
"""First octet of a packet."""
HEADER: Final = 6
"""Octets before the data."""
OVERHEAD: Final = 8
"""Octets of a packet that are not data; a packet size counts them [V]."""
MAX_DATA: Final = 8183
"""Most octets of data in a packet [V]."""
MAX_PACKET_SIZE: Final = MAX_DATA + OVERHEAD
DEFAULT_PACKET_SIZE: Final = 64
"""Octets of a whole packet before Negotiate: 56 of data [V]."""
DEFAULT_PACKETS: Final = 1
MAX_PACKETS: Final = 255
"""Most packets of one message: the sequence number counts down to 0 in one octet, Negotiate has one octet [V]."""

MULTI_PACKET: Final = 0x80
"""Bit of control: the packet is one of a series."""
FIRST_PACKET: Final = 0x40
"""Bit of control: it is the first of the series."""
TOGGLE: Final = 0x20
"""Bit of control: flips with every new packet, and stays when a packet is repeated."""
DATA_FORMAT: Final = 0x03
"""Bits of control: 0 for C12.18 and C12.21, 1 for C12.22; 2 is invalid and 3 reserved [V]."""


class LinkOctet(IntEnum):
    """What stands alone on the line, between packets."""

    ACK = 0x06
    NAK = 0x15


class CrcOrder(StrEnum):
    """Which octet of the CRC comes first: the low one by the rule; some modules in the field swap them [1]."""

    LOW = "low"
    HIGH = "high"
    EITHER = "either"
    """Send the low octet first, and take both."""


class BadCrc(DecodeError):
    """The CRC of a packet is wrong.

    Attributes:
        swapped: whether it would be right with its octets swapped.
    """

    swapped: bool = False


_MIRRORED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def crc16(octets: bytes) -> int:
    """Return CRC-16/X-25 (906E for "123456789"); over a packet with its CRC it is 0F47 [V]."""
    # The same polynomial as that of binascii, with the bits of octets and result in the other direction.
    register = crc_hqx(octets.translate(_MIRRORED), 0xFFFF) ^ 0xFFFF
    return int.from_bytes(register.to_bytes(2, "big").translate(_MIRRORED), "little")


class SerialPacket(NamedTuple):
    """One packet.

    Attributes:
        data: up to 8183 octets; none only on the local port of C12.22.
        identity: of the device, 0..255; 0 with C12.18.
        control: series, toggle, acknowledgement, data format.
        sequence: packets of the series still to come.
        swapped_crc: whether the CRC came high octet first.
    """

    data: bytes
    identity: int = 0
    control: int = 0
    sequence: int = 0
    swapped_crc: bool = False

    @property
    def toggle(self) -> int:
        """The toggle bit, 0 or 1."""
        return 1 if self.control & TOGGLE else 0

    @property
    def data_format(self) -> int:
        """What the data are: 0 a service, 1 an APDU of C12.22."""
        return self.control & DATA_FORMAT

    @property
    def acknowledgement(self) -> int:
        """What the packet says of the last one from here: 0 nothing, 1 well received, 2 damaged [1]."""
        return self.control >> 2 & 0x03

    def encode(self) -> bytes:
        """Return the octets.

        Raises:
            EncodeError: too many octets of data, or a number that takes more than its octet.
        """
        if len(self.data) > MAX_DATA:
            raise EncodeError(f"{len(self.data)} octets of data; a packet takes {MAX_DATA}")
        if not all(0 <= value <= 0xFF for value in (self.identity, self.control, self.sequence)):
            raise EncodeError("identity, control and sequence of a packet are 0..255")
        octets = (
            bytes((STP, self.identity, self.control, self.sequence)) + len(self.data).to_bytes(2, "big") + self.data
        )
        return octets + crc16(octets).to_bytes(2, "big" if self.swapped_crc else "little")


def read_packet(
    octets: bytes, *, max_size: int = DEFAULT_PACKET_SIZE, crc_order: CrcOrder = CrcOrder.LOW
) -> tuple[SerialPacket, int] | None:
    """Read the packet that octets start with.

    Args:
        octets: from EE on; what follows the packet is left alone.
        max_size: most octets of the whole packet, which is looked at before the announced octets are waited for.
        crc_order: order of the CRC's octets; taken in the other one only with ``EITHER``.

    Returns:
        The packet and its size, or None if more octets are needed.

    Raises:
        BadCrc: the CRC is wrong.
        LimitExceeded: the packet announces more than the limit.
        DecodeError: no packet starts here, or its header contradicts itself.
    """
    if octets and octets[0] != STP:
        raise DecodeError("packet.start", 0, f"{octets[0]:02X} is not {STP:02X}")
    if len(octets) < HEADER:
        return None
    identity, control, sequence = octets[1:4]
    length = octets[4] << 8 | octets[5]
    size = length + OVERHEAD
    if length > MAX_DATA or size > max_size:
        raise LimitExceeded("packet.length", 4, f"{length} octets announced; {min(max_size - OVERHEAD, MAX_DATA)} fit")
    if len(octets) < size:
        return None
    swapped = _swapped(octets[:size], crc_order)
    if not control & MULTI_PACKET:
        if control & FIRST_PACKET:
            raise DecodeError("packet.control", 2, "first of a series, but of no series")
        if sequence:
            raise DecodeError("packet.sequence", 3, f"{sequence} more packets to come, but of no series")
    packet = SerialPacket(octets[HEADER : size - 2], identity, control, sequence, swapped)
    if not length and not packet.data_format:
        raise DecodeError("packet.length", 4, "a service has at least one octet")
    return packet, size


def _swapped(packet: bytes, crc_order: CrcOrder) -> bool:
    low_first = crc16(packet[:-2]).to_bytes(2, "little")
    found = packet[-2:]
    swapped = found != low_first and found == low_first[::-1]
    if (found == low_first and crc_order != CrcOrder.HIGH) or (swapped and crc_order != CrcOrder.LOW):
        return swapped
    if crc_order == CrcOrder.HIGH and found == low_first[::-1]:
        return True
    other = found in {low_first, low_first[::-1]}
    hint = "; with its octets swapped it would be right" if other else ""
    error = BadCrc("packet.crc", len(packet) - 2, f"{found.hex().upper()} is not the CRC{hint}")
    error.swapped = other
    raise error


def data_room(packet_size: int) -> int:
    """Return how many octets of data a packet of this size holds."""
    return min(packet_size - OVERHEAD, MAX_DATA)


def cut(
    message: bytes,
    toggle: int,
    *,
    packet_size: int = DEFAULT_PACKET_SIZE,
    packets: int = DEFAULT_PACKETS,
    identity: int = 0,
    control: int = 0,
    swapped_crc: bool = False,
) -> list[bytes]:
    """Return the octets of the packets of a message; the toggle flips from one to the next.

    Args:
        message: one service, at least one octet.
        toggle: that of the first packet, 0 or 1.
        packet_size: octets of a whole packet, more than 8.
        packets: how many the peer takes.
        identity: of the device.
        control: further bits of control.
        swapped_crc: send the high octet of the CRC first.

    Raises:
        EncodeError: the message is empty or does not fit.
    """
    room = data_room(packet_size)
    count = -(-len(message) // room)
    if not 1 <= count <= packets:
        raise EncodeError(
            f"{len(message)} octets: {packets} packets of {packet_size} octets take 1 to {packets * room}"
        )
    found = []
    for number in range(count):
        series = MULTI_PACKET | (0 if number else FIRST_PACKET) if count > 1 else 0
        bits = control | series | (TOGGLE if (toggle + number) & 1 else 0)
        part = message[number * room : (number + 1) * room]
        found.append(SerialPacket(part, identity, bits, count - 1 - number, swapped_crc).encode())
    return found
