"""The same packet with other octets in UDP or TCP: lengths and checksums right, all other headers as they were.

For links without a length of their own and IP right behind them; what is in a tunnel is left alone. A datagram that
came in fragments is whole in the packet of the last one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.capture.files.writer import internet_checksum
from c1222.capture.network.layers import pass_extensions
from c1222.capture.network.links import IPV4, IPV6, OPEN, Skip, first_header, next_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.capture.files.reader import Packet
    from c1222.capture.network.layers import Datagram

__all__ = ["TcpNumbers", "can_rebuild", "rebuild_tcp", "rebuild_udp", "tcp_numbers"]

_MAX_HEADERS: Final = 32
_LARGEST: Final = 0xFFFF
_IPV6_HEADER: Final = 40
_IPV6_FRAGMENT: Final = 44
_DONT_FRAGMENT: Final = 0x4000
_UDP_CHECKSUM: Final = 6
_TCP_HEADER: Final = 20
_TCP_CHECKSUM: Final = 16
_ACK: Final = 0x10
_SACK: Final = 5


class TcpNumbers(NamedTuple):
    """What a TCP header says of both directions; the acknowledgement is None where there is none."""

    sequence: int
    acknowledged: int | None
    blocks: tuple[int, ...]


def can_rebuild(packet: Packet, datagram: Datagram) -> bool:
    """Tell whether a packet is one that can be made anew.

    Args:
        packet: the packet that completed the datagram.
        datagram: what it carries.
    """
    return _framed(packet, datagram, b"") is not None


def rebuild_udp(packet: Packet, datagram: Datagram, payload: bytes, *, missing: int = 0) -> bytes | None:
    """Return the packet with another payload of UDP; None where there is no such packet.

    Args:
        packet: the packet that completed the datagram.
        datagram: what it carries.
        payload: the new payload, as far as it was captured.
        missing: octets of payload that were not captured. The checksum stays what it was then.
    """
    start = datagram.start
    head = bytearray(datagram.data[start : start + 8])
    head[4:6] = (8 + len(payload) + missing & _LARGEST).to_bytes(2)
    if not missing and (any(head[_UDP_CHECKSUM:]) or len(datagram.addresses) > 8):  # IPv4 may do without
        head[_UDP_CHECKSUM:] = bytes(2)
        checksum = _transport_checksum(datagram, bytes(head) + payload) or 0xFFFF
        head[_UDP_CHECKSUM:] = checksum.to_bytes(2)
    return _framed(packet, datagram, bytes(head) + payload, missing)


def tcp_numbers(datagram: Datagram) -> TcpNumbers:
    """Return the numbers in a TCP header."""
    data, start = datagram.data, datagram.start
    sequence, acknowledged, words, flags = struct.unpack_from(">4xIIBB", data, start)
    options = data[start + _TCP_HEADER : start + (words >> 4) * 4]
    blocks = [int.from_bytes(options[at : at + 4]) for at in _blocks(options)]
    return TcpNumbers(sequence, acknowledged if flags & _ACK else None, tuple(blocks))


def rebuild_tcp(
    packet: Packet, datagram: Datagram, payload: bytes, numbers: TcpNumbers, *, missing: int = 0
) -> bytes | None:
    """Return the packet with another payload and other numbers of TCP; None where there is no such packet.

    Args:
        packet: the packet that completed the datagram.
        datagram: what it carries.
        payload: the new payload, as far as it was captured.
        numbers: the new numbers.
        missing: octets of payload that were not captured. The checksum stays what it was then.
    """
    data, start = datagram.data, datagram.start
    size = (data[start + 12] >> 4) * 4
    head = bytearray(data[start : start + size])
    head[4:8] = numbers.sequence.to_bytes(4)
    if numbers.acknowledged is not None:
        head[8:12] = numbers.acknowledged.to_bytes(4)
    for at, number in zip(_blocks(bytes(head[_TCP_HEADER:])), numbers.blocks, strict=True):
        head[_TCP_HEADER + at : _TCP_HEADER + at + 4] = number.to_bytes(4)
    if not missing:
        head[_TCP_CHECKSUM : _TCP_CHECKSUM + 2] = bytes(2)
        checksum = _transport_checksum(datagram, bytes(head) + payload)
        head[_TCP_CHECKSUM : _TCP_CHECKSUM + 2] = checksum.to_bytes(2)
    return _framed(packet, datagram, bytes(head) + payload, missing)


def _blocks(options: bytes) -> list[int]:
    """Return where the numbers of selective acknowledgements lie in the options of TCP."""
    at = 0
    while at + 1 < len(options) and options[at]:
        if options[at] == 1:  # no operation
            at += 1
            continue
        size = options[at + 1]
        if size < 2:
            break
        if options[at] == _SACK:
            return list(range(at + 2, min(at + size, len(options) - 3), 4))
        at += size
    return []


def _transport_checksum(datagram: Datagram, octets: bytes) -> int:
    pseudo = datagram.addresses + struct.pack(">II", len(octets), datagram.protocol)
    return internet_checksum(pseudo + octets)


def _internet(packet: Packet, datagram: Datagram) -> tuple[int, int] | None:
    """Return the version of IP that carries the datagram, right behind the link, and where its header is."""
    data = packet.data
    try:
        kind, pos, end = first_header(packet.link_type, data)
        for _ in range(_MAX_HEADERS):
            if kind in _ADDRESSES:
                break
            kind, pos, end = next_header(kind, data, pos, end)
    except Skip:
        return None
    where = _ADDRESSES.get(kind)
    # a link with an end has a length; other addresses are those around a tunnel
    if where is None or end != OPEN or data[pos + where.start : pos + where.stop] != datagram.addresses:
        return None
    return kind, pos


_ADDRESSES: Final = {IPV4: slice(12, 20), IPV6: slice(8, 40)}


def _framed(packet: Packet, datagram: Datagram, octets: bytes, missing: int = 0) -> bytes | None:
    found = _internet(packet, datagram)
    if found is None:
        return None
    kind, pos = found
    frame = _FRAMED[kind](packet.data, pos, datagram, octets, missing)
    return None if frame is None else packet.data[:pos] + frame


def _ipv4(data: bytes, pos: int, datagram: Datagram, octets: bytes, missing: int) -> bytes | None:
    size = (data[pos] & 0x0F) * 4
    whole = datagram.data is data
    if data[pos + 9] != datagram.protocol or (whole and pos + size != datagram.start):
        return None
    total = size + len(octets) + missing
    if total > _LARGEST:
        return None
    head = bytearray(data[pos : pos + size])
    head[2:4] = total.to_bytes(2)
    if not whole:
        head[6:8] = (int.from_bytes(head[6:8]) & _DONT_FRAGMENT).to_bytes(2)
    head[10:12] = bytes(2)
    head[10:12] = internet_checksum(bytes(head)).to_bytes(2)
    return bytes(head) + octets


def _ipv6(data: bytes, pos: int, datagram: Datagram, octets: bytes, missing: int) -> bytes | None:
    start = pos + _IPV6_HEADER
    try:
        header, after, last = pass_extensions(data, data[pos + 6], start, len(data))
    except Skip:
        return None
    between = bytearray(data[start:after])
    if datagram.data is data:
        if (header, after) != (datagram.protocol, datagram.start):
            return None
        follows = data[pos + 6]
    else:
        if header != _IPV6_FRAGMENT:
            return None
        # what the fragment header stood before: the datagram, or extension headers at its start
        inside = datagram.data[: datagram.start]
        follows = data[after] if inside else datagram.protocol
        if between:
            between[last - start] = follows
            follows = data[pos + 6]
        between += inside
    size = len(between) + len(octets) + missing
    if size > _LARGEST:
        return None
    head = bytearray(data[pos:start])
    head[4:6] = size.to_bytes(2)
    head[6] = follows
    return bytes(head) + bytes(between) + octets


_FRAMED: Final[dict[int, Callable[[bytes, int, Datagram, bytes, int], bytes | None]]] = {IPV4: _ipv4, IPV6: _ipv6}
