"""Packets of a serial line: read, built, and messages cut into them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.serial.packet import MAX_DATA, OVERHEAD, SerialPacket
from c1222.services.session import LogoffRequest

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "serial-packets"
PURPOSE = "Packets of C12.18 and C12.21: header, CRC, sizes, series"
_SIZES = (1, 2, 55, 56, 57, 255, 256, 1016)


def cases(author: Author) -> None:
    rng = author.rng
    author.group(
        "encode", "packet.encode", "Packets out of their parts; identity, control and sequence are 0 if absent."
    )
    made = [
        author.valid(f"{size} octets of data", "Crc16", data=rng.randbytes(size).hex())["octets"] for size in _SIZES
    ]
    for control in (0x20, 0x80, 0xA0, 0xC0, 0xE0, 0x01, 0x05):
        sequence = rng.randrange(1, 256) if control & 0x80 else 0
        parts = {"data": rng.randbytes(8).hex(), "control": control, "sequence": sequence}
        made.append(author.valid(f"control {control:02X}", "SeriesOfPackets", **parts)["octets"])
    made += [
        author.valid(f"identity {identity:02X}", data="20", identity=identity)["octets"]
        for identity in (1, 2, 0x40, 0xEE, 0xFF)
    ]
    inside = SerialPacket(LogoffRequest().encode()).encode() + b"\x06\x15\xee"
    made.append(author.valid("data that look like a packet", "NoStuffing", data=inside.hex())["octets"])
    author.invalid(f"{MAX_DATA + 1} octets of data", "PacketSize", data=bytes(MAX_DATA + 1).hex())
    author.invalid("an identity of 256", "BadNumber", data="20", identity=256)
    author.group("decode", "packet.decode", "Exactly one packet. `packet_size` counts the whole of it.")
    for octets in made:
        author.valid("as built", "Crc16", octets=octets)
    _refused(author)
    _cut(author)


def _refused(author: Author) -> None:
    rng = author.rng
    packet = SerialPacket(rng.randbytes(12)).encode()
    size = len(packet)
    for bit in range(0, 8 * size, 5):
        octets = bytearray(packet)
        octets[bit // 8] ^= 1 << bit % 8
        author.invalid(f"bit {bit % 8} of octet {bit // 8} flipped", "Crc16", octets=octets.hex())
    for end in (0, 1, 5, 6, size - 2, size - 1):
        author.invalid(f"cut off after {end} octets", "Truncated", octets=packet[:end].hex())
    author.invalid("an octet behind", "TrailingOctets", octets=(packet + b"\x06").hex())
    swapped = SerialPacket(rng.randbytes(12), swapped_crc=True).encode().hex()
    author.invalid("the high octet of the CRC first", "SwappedCrc", octets=swapped)
    author.valid("the same, where both orders are taken", "SwappedCrc", octets=swapped, crc_order="either")
    fits = SerialPacket(rng.randbytes(64 - OVERHEAD)).encode()
    author.valid("as large as a packet may be", "PacketSize", octets=fits.hex(), packet_size=64)
    one_more = SerialPacket(rng.randbytes(65 - OVERHEAD)).encode()
    author.invalid("one octet larger", "PacketSize", octets=one_more.hex(), packet_size=64)
    author.invalid("65535 octets announced", "PacketSize", octets=f"ee000000ffff{rng.randbytes(8).hex()}")
    author.invalid("a service without an octet", "EmptyPacket", octets=SerialPacket(b"").encode().hex())
    empty = SerialPacket(b"", control=0x21).encode().hex()
    author.valid("an empty packet of the local port, which supervises the line", "EmptyPacket", octets=empty)
    alone = SerialPacket(b"\x20", control=0x40).encode().hex()
    author.invalid("first of a series, and of none", "SeriesOfPackets", octets=alone)
    more = SerialPacket(b"\x20", sequence=1).encode().hex()
    author.invalid("packets to come, and no series", "SeriesOfPackets", octets=more)


def _cut(author: Author) -> None:
    rng = author.rng
    author.group("cut", "packet.cut", "A message as packets: full but the last, numbered down to 0, toggle flipping.")
    for size, packets, length in (
        (64, 1, 56),
        (64, 4, 57),
        (64, 4, 112),
        (64, 4, 224),
        (128, 4, 480),
        (1024, 16, 2048),
    ):
        given = {"packet_size": size, "packets": packets, "message": rng.randbytes(length).hex()}
        author.valid(
            f"{length} octets, {packets} packets of {size}", "SeriesOfPackets", **given, toggle=rng.randrange(2)
        )
    author.valid(
        "255 packets", "SeriesOfPackets", packet_size=64, packets=255, message=rng.randbytes(255 * 56).hex(), identity=2
    )
    for size, packets, length in ((64, 1, 57), (64, 4, 225), (64, 255, 255 * 56 + 1), (64, 1, 0)):
        given = {"packet_size": size, "packets": packets, "message": bytes(length).hex()}
        author.invalid(f"{length} octets do not fit {packets} packets of {size}", "PacketSize", **given)
