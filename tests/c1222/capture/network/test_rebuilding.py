"""Packets made anew: lengths, checksums and numbers, and nothing else, changes."""

from __future__ import annotations

import struct

import pytest

from c1222.capture.files.reader import Packet
from c1222.capture.files.writer import ethernet, internet_checksum, ipv4, ipv6, tcp_packet, udp_packet
from c1222.capture.network.layers import Datagram, Layers, Segment
from c1222.capture.network.rebuilding import TcpNumbers, rebuild_tcp, rebuild_udp, tcp_numbers

ENDS = ("10.0.0.1:1153", "10.0.0.2:50000")
SIX = ("[fe80::1]:1153", "[fe80::2]:50000")


def taken(data: bytes, link_type: int = 1) -> tuple[Packet, Segment, Datagram]:
    layers = Layers()
    packet = Packet(1, 0, link_type, data, len(data))
    segment = layers.segment(packet)
    assert segment is not None
    assert layers.datagram is not None
    return packet, segment, layers.datagram


@pytest.mark.parametrize("ends", [ENDS, SIX])
@pytest.mark.parametrize("payload", [b"", b"\0", b"other octets", bytes(1400)])
def test_the_writer_of_packets_is_the_oracle(ends: tuple[str, str], payload: bytes) -> None:
    packet, _, datagram = taken(udp_packet(*ends, b"some octets"))
    assert rebuild_udp(packet, datagram, payload) == udp_packet(*ends, payload)
    packet, _, datagram = taken(tcp_packet(*ends, b"some octets", sequence=5, acknowledged=6))
    new = tcp_packet(*ends, payload, sequence=1 << 31, acknowledged=(1 << 32) - 1)
    assert rebuild_tcp(packet, datagram, payload, TcpNumbers(1 << 31, (1 << 32) - 1, ())) == new
    assert tcp_numbers(taken(new)[2]) == TcpNumbers(1 << 31, (1 << 32) - 1, ())


def test_udp_without_checksum_has_none_after() -> None:
    data = bytearray(udp_packet(*ENDS, b"some octets"))
    data[40:42] = bytes(2)
    packet, _, datagram = taken(bytes(data))
    made = rebuild_udp(packet, datagram, b"others")
    assert made is not None
    assert made[40:42] == bytes(2)
    assert made[:40] == udp_packet(*ENDS, b"others")[:40]


def test_selective_acknowledgements_are_numbers_too() -> None:
    options = bytes((1, 1, 5, 18)) + struct.pack(">IIII", 100, 200, 300, 400)
    head = struct.pack(">HHIIBBHHH", 1153, 50000, 7, 8, (20 + len(options)) // 4 << 4, 0x10, 99, 0, 0) + options
    source, destination = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
    packet, segment, datagram = taken(ethernet(ipv4(source, destination, 6, head), 0x0800))
    assert tcp_numbers(datagram) == TcpNumbers(7, 8, (100, 200, 300, 400))
    made = rebuild_tcp(packet, datagram, segment.payload, TcpNumbers(1, 2, (3, 4, 5, 6)))
    assert made is not None
    again = taken(made)[2]
    assert tcp_numbers(again) == TcpNumbers(1, 2, (3, 4, 5, 6))
    octets = again.data[again.start :]
    assert internet_checksum(again.addresses + struct.pack(">II", len(octets), 6) + octets) == 0


@pytest.mark.parametrize("options", [b"\x05", b"\x05\x00", b"\x05\x0a\x00", b"\x00\x05\x0a", b"\x03\x01\x05\x0a"])
def test_malformed_options_have_no_numbers(options: bytes) -> None:
    head = struct.pack(">HHIIBBHHH", 1153, 50000, 7, 8, 0x60, 0x10, 99, 0, 0) + options.ljust(4, b"\0")
    datagram = taken(ethernet(ipv4(bytes(4), bytes(4), 6, head), 0x0800))[2]
    assert tcp_numbers(datagram).blocks == ()


def test_what_was_captured_in_part_keeps_its_checksum() -> None:
    whole = tcp_packet(*ENDS, bytes(100), sequence=5)
    packet, segment, datagram = taken(whole[:-40])
    assert segment.missing == 40
    made = rebuild_tcp(packet, datagram, b"abc", TcpNumbers(9, 0, ()), missing=40)
    assert made is not None
    assert len(made) == 54 + 3
    assert int.from_bytes(made[16:18]) == 40 + 3 + 40
    assert made[50:52] == whole[50:52]


def test_other_headers_stay() -> None:
    inner = udp_packet(*ENDS, b"some octets")[14:]
    tagged = ethernet(inner, 0x0800, vlans=(5, 6))
    packet, _, datagram = taken(tagged + b"padding")
    made = rebuild_udp(packet, datagram, b"x")
    assert made == ethernet(udp_packet(*ENDS, b"x")[14:], 0x0800, vlans=(5, 6))
    udp = udp_packet(*SIX, b"some octets")[54:]
    hops = bytes((17, 0, 1, 4, 0, 0, 0, 0))
    addresses = udp_packet(*SIX, b"")[22:54]
    packet, _, datagram = taken(ethernet(ipv6(addresses[:16], addresses[16:], 0, hops + udp), 0x86DD))
    made = rebuild_udp(packet, datagram, b"x")
    assert made == ethernet(ipv6(addresses[:16], addresses[16:], 0, hops + udp_packet(*SIX, b"x")[54:]), 0x86DD)


def test_what_has_no_room() -> None:
    packet, _, datagram = taken(udp_packet(*ENDS, b"some octets"))
    assert rebuild_udp(packet, datagram, bytes(65_508)) is None
    packet, _, datagram = taken(udp_packet(*SIX, b"some octets"))
    assert rebuild_udp(packet, datagram, bytes(65_528)) is None
