"""What a packet can be wrapped in: links, tags, tunnels, each a function from (Ethernet type, octets) to the same."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from c1222.capture.files.writer import ethernet, ipv4, ipv6, udp_packet

if TYPE_CHECKING:
    from collections.abc import Callable

IP4: Final = 0x0800
IP6: Final = 0x86DD
_OUTER: Final = (bytes((172, 16, 0, 1)), bytes((172, 16, 0, 2)))
_OUTER6: Final = (b"\xfd" + bytes(14) + b"\1", b"\xfd" + bytes(14) + b"\2")

Wrapped = tuple[int, bytes]


def over_ipv4(protocol: int, payload: bytes) -> Wrapped:
    return IP4, ipv4(*_OUTER, protocol, payload)


def over_ipv6(header: int, payload: bytes) -> Wrapped:
    return IP6, ipv6(*_OUTER6, header, payload)


def vlan(kind: int, data: bytes) -> Wrapped:
    return 0x8100, struct.pack(">HH", 7, kind) + data


def provider_vlan(kind: int, data: bytes) -> Wrapped:
    return 0x88A8, struct.pack(">HH", 8, kind) + data


def provider_backbone(kind: int, data: bytes) -> Wrapped:
    return 0x88E7, struct.pack(">I", 0x00ABCDEF) + ethernet(data, kind)


def mpls(kind: int, data: bytes) -> Wrapped:
    """Wrap in two labels: IP as it is, all else as a pseudowire."""
    labels = struct.pack(">II", 1000 << 12 | 64, 1001 << 12 | 0x100 | 64)
    return 0x8847, labels + (data if kind in {IP4, IP6} else bytes(4) + ethernet(data, kind))


def mpls_without_control_word(kind: int, data: bytes) -> Wrapped:
    return 0x8848, struct.pack(">I", 1000 << 12 | 0x100 | 64) + ethernet(data, kind)


def gre(kind: int, data: bytes) -> Wrapped:
    return over_ipv4(47, struct.pack(">HH", 0, kind) + data)


def gre_with_everything(kind: int, data: bytes) -> Wrapped:
    return over_ipv6(47, struct.pack(">HHHHII", 0xB000, 0x6558, 0, 0, 99, 1) + ethernet(data, kind))


def erspan_1(kind: int, data: bytes) -> Wrapped:
    return over_ipv4(47, struct.pack(">HH", 0, 0x88BE) + ethernet(data, kind))


def erspan_2(kind: int, data: bytes) -> Wrapped:
    return over_ipv4(47, struct.pack(">HHIII", 0x1000, 0x88BE, 5, 0x10010002, 0) + ethernet(data, kind))


def erspan_3(kind: int, data: bytes) -> Wrapped:
    head = struct.pack(">HHIHHIHH", 0x1000, 0x22EB, 6, 0x2001, 2, 77, 0, 0)
    return over_ipv4(47, head + ethernet(data, kind))


def erspan_3_with_more(kind: int, data: bytes) -> Wrapped:
    head = struct.pack(">HHIHHIHHII", 0x1000, 0x22EB, 6, 0x2001, 2, 77, 0, 1, 0x14000000, 0)
    return over_ipv4(47, head + ethernet(data, kind))


def vxlan(kind: int, data: bytes) -> Wrapped:
    inner = struct.pack(">II", 0x08000000, 42 << 8) + ethernet(data, kind)
    return IP4, udp_packet("172.16.0.3:40000", "172.16.0.4:4789", inner)[14:]


def ip_in_ip(kind: int, data: bytes) -> Wrapped:
    """Wrap IP in IPv4 (as 6in4 does for IPv6); all else goes into GRE."""
    return over_ipv4({IP4: 4, IP6: 41}[kind], data) if kind in {IP4, IP6} else gre(kind, data)


def ip_in_ipv6(kind: int, data: bytes) -> Wrapped:
    return over_ipv6({IP4: 4, IP6: 41}[kind], data) if kind in {IP4, IP6} else gre_with_everything(kind, data)


def ppp(kind: int, data: bytes) -> bytes:
    return struct.pack(">H", {IP4: 0x0021, IP6: 0x0057, 0x8847: 0x0281}[kind]) + data


def pppoe(kind: int, data: bytes) -> Wrapped:
    if kind not in {IP4, IP6, 0x8847}:
        kind, data = gre(kind, data)
    inner = ppp(kind, data)
    return 0x8864, struct.pack(">BBHH", 0x11, 0, 9, len(inner)) + inner


def pptp(kind: int, data: bytes) -> Wrapped:
    if kind not in {IP4, IP6, 0x8847}:
        kind, data = gre(kind, data)
    inner = b"\xff\3" + ppp(kind, data)
    return over_ipv4(47, struct.pack(">HHHHII", 0x3081, 0x880B, len(inner), 1, 5, 6) + inner)


WRAPS: Final[list[Callable[[int, bytes], Wrapped]]] = [
    vlan,
    provider_vlan,
    provider_backbone,
    mpls,
    mpls_without_control_word,
    gre,
    gre_with_everything,
    erspan_1,
    erspan_2,
    erspan_3,
    erspan_3_with_more,
    vxlan,
    ip_in_ip,
    ip_in_ipv6,
    pppoe,
    pptp,
]


def snap(kind: int, data: bytes) -> bytes:
    """Return an 802.3 frame, padded, with its length and LLC/SNAP in place of the type."""
    inner = b"\xaa\xaa\3\0\0\0" + struct.pack(">H", kind) + data
    return ethernet(inner, len(inner)) + bytes(9)


LINKS: Final[list[tuple[int, Callable[[int, bytes], bytes]]]] = [
    (1, lambda kind, data: ethernet(data, kind)),
    (1, snap),
    (9, lambda kind, data: b"\xff\3" + ppp(kind, data)),
    (50, lambda kind, data: b"\xff\3" + ppp(kind, data)),
    (100, lambda kind, data: b"\xaa\xaa\3\0\0\0" + struct.pack(">H", kind) + data),
    (104, lambda kind, data: b"\x0f\0" + struct.pack(">H", kind) + data),
    (113, lambda kind, data: bytes(14) + struct.pack(">H", kind) + data),
    (276, lambda kind, data: struct.pack(">H", kind) + bytes(18) + data),
]
_ONLY_IP: Final = {9, 50}


def linked(link: int, kind: int, data: bytes) -> tuple[int, bytes]:
    """Return the link type and the packet of ``LINKS[link]``; what PPP cannot carry goes through GRE."""
    link_type, wrap = LINKS[link]
    if link_type in _ONLY_IP and kind not in {IP4, IP6, 0x8847}:
        kind, data = gre(kind, data)
    return link_type, wrap(kind, data)
