"""Headers in front of IP: link types, Ethernet with tags, LLC/SNAP, PPP, PPPoE, MPLS, Ethernet in Ethernet.

Each function takes one header off and returns what follows it: an Ethernet type (0 where there is none for it), where
it starts, and where it ends as far as the headers tell.
Sources: the registry of link types of tcpdump.org; IEEE 802.1Q and 802.1ah; RFC 1042, 1332, 1661, 2516, 3032, 4385,
5072. How tshark reads the same octets is the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.errors import C1222Error

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "IPV4",
    "IPV6",
    "MPLS",
    "OPEN",
    "PPP",
    "Place",
    "Skip",
    "bridged",
    "by_look",
    "check_header",
    "first_header",
    "next_header",
    "u16",
]

IPV4: Final = 0x0800
IPV6: Final = 0x86DD
MPLS: Final = 0x8847
PPP: Final = 0x880B
"""Ethernet type of PPP, as GRE names it."""

Place = tuple[int, int, int]
"""Ethernet type of what comes next, where it starts, and where it ends at the latest."""

OPEN: Final = 1 << 32
"""Where the payload of a link ends that does not say so; there may be padding."""

# LINKTYPE numbers; raw IP has been written under several
_NULL: Final = 0
_ETHERNET: Final = 1
_PPP: Final = {9, 50}
_PPP_ETHER: Final = 51
_LLC: Final = 100
_RAW: Final = {12, 14, 101, 228, 229}
_CISCO_HDLC: Final = 104
_LOOP: Final = 108
_COOKED: Final = 113
_COOKED_2: Final = 276

_AF_INET: Final = 2
_AF_INET6: Final = {10, 24, 28, 30}  # Linux, NetBSD and OpenBSD, FreeBSD, macOS
_MAX_LENGTH: Final = 1500  # up to here the type of an Ethernet frame is its length, and LLC follows
_SNAP: Final = {b"\xaa\xaa\x03\0\0\0", b"\xaa\xaa\x03\0\0\xf8"}  # RFC 1042, and bridged from Ethernet (802.1H)
_LLC_IP: Final = b"\x06\x06\x03"
_PPP_PROTOCOLS: Final = {0x0021: IPV4, 0x0057: IPV6, 0x0281: MPLS, 0x0283: 0x8848}
_PPP_ALL_STATIONS: Final = b"\xff\x03"


class Skip(C1222Error):
    """The packet gives no segment, for this reason."""


def first_header(link_type: int, data: bytes) -> Place:
    """Take off the header of the link.

    Raises:
        Skip: the link type is not read, or the header is not all there.
    """
    if link_type == _ETHERNET:
        return bridged(data, 0, OPEN)
    if link_type == _COOKED:
        kind, pos = u16(data, 14), 16
    elif link_type == _COOKED_2:
        kind, pos = u16(data, 0), 20
    elif link_type in _RAW:
        return by_look(data, 0, OPEN)
    elif link_type in {_NULL, _LOOP}:
        pos = 4
        family = int.from_bytes(data[:4], "big")
        if family > 0xFFFF:  # in the byte order of the host that captured, and all families are small
            family = int.from_bytes(data[:4], "little")
        kind = IPV4 if family == _AF_INET else IPV6 if family in _AF_INET6 else 0
    elif link_type in _PPP:
        return _ppp(data, 0, OPEN)
    elif link_type == _PPP_ETHER:
        return _pppoe(data, 0, OPEN)
    elif link_type == _LLC:
        return _llc(data, 0, OPEN)
    elif link_type == _CISCO_HDLC:
        kind, pos = u16(data, 2), 4
    else:
        raise Skip("link-type", f"link type {link_type}")
    if kind < 0 or len(data) < pos:
        raise Skip("truncated", "link header")
    return kind, pos, OPEN


def next_header(kind: int, data: bytes, pos: int, end: int) -> Place:
    """Take off a header that is neither the first nor IP.

    Args:
        kind: its Ethernet type.
        data: the packet.
        pos: where it starts.
        end: where it ends at the latest.

    Raises:
        Skip: it leads to no IP, is not all there, or contradicts itself.
    """
    take = _HEADERS.get(kind)
    if take is None:
        raise Skip("not-ip", f"type {kind:#06x}")
    return take(data, pos, end)


def bridged(data: bytes, pos: int, end: int) -> Place:
    """Take off the header of an Ethernet frame."""
    check_header("link header", data, pos, end, 14)
    kind = data[pos + 12] << 8 | data[pos + 13]
    pos += 14
    if kind > _MAX_LENGTH:
        return kind, pos, end
    return _llc(data, pos, min(end, pos + kind), otherwise=kind)


def _llc(data: bytes, pos: int, end: int, *, otherwise: int = 0) -> Place:
    if data[pos : pos + 3] == _LLC_IP:
        return IPV4, pos + 3, end
    if data[pos : pos + 6] not in _SNAP:
        return otherwise, pos, end
    check_header("SNAP header", data, pos, end, 8)
    return u16(data, pos + 6), pos + 8, end


def _vlan(data: bytes, pos: int, end: int) -> Place:
    check_header("link header", data, pos, end, 4)
    kind = u16(data, pos + 2)
    return (kind, pos + 4, end) if kind > _MAX_LENGTH else _llc(data, pos + 4, min(end, pos + 4 + kind), otherwise=kind)


def _provider_backbone(data: bytes, pos: int, end: int) -> Place:
    """Take off the service tag of 802.1ah, and the Ethernet header behind it."""
    check_header("802.1ah tag", data, pos, end, 4)
    return bridged(data, pos + 4, end)


def _mpls(data: bytes, pos: int, end: int) -> Place:
    """Take off a label stack. What follows it says what it is only by its look.

    In a pseudowire, Ethernet may have a control word in front, whose first four bits are 0; but so may be those of an
    address. Where a type that is read stands in its place without control word, there is none.
    """
    while True:
        check_header("MPLS label", data, pos, end, 4)
        bottom = data[pos + 2] & 1
        pos += 4
        if bottom:
            break
    place = by_look(data, pos, end)
    if place[0]:
        return place
    kind = u16(data, pos + 12)
    if data[pos] >> 4 == 0 and kind not in _HEADERS and kind not in {IPV4, IPV6}:
        check_header("MPLS control word", data, pos, end, 4)
        pos += 4
    return bridged(data, pos, end)


def _pppoe(data: bytes, pos: int, end: int) -> Place:
    check_header("PPPoE header", data, pos, end, 6)
    if data[pos] != 0x11 or data[pos + 1]:  # version and type; 0 is a session
        raise Skip("malformed", "PPPoE header")
    size = u16(data, pos + 4)
    if size > end - pos - 6:
        raise Skip("malformed", "PPPoE length")
    return _ppp(data, pos + 6, pos + 6 + size)


def _ppp(data: bytes, pos: int, end: int) -> Place:
    check_header("PPP header", data, pos, end, 2)
    if data[pos : pos + 2] == _PPP_ALL_STATIONS:
        pos += 2
        check_header("PPP header", data, pos, end, 2)
    if data[pos] & 1:  # compressed to one octet
        protocol, size = data[pos], 1
    else:
        protocol, size = u16(data, pos), 2
    kind = _PPP_PROTOCOLS.get(protocol)
    if kind is None:
        raise Skip("not-ip", f"PPP protocol {protocol:#06x}")
    return kind, pos + size, end


_HEADERS: Final[dict[int, Callable[[bytes, int, int], Place]]] = {
    0x8100: _vlan,  # 802.1Q
    0x88A8: _vlan,  # 802.1ad
    0x9100: _vlan,  # and two in use before it
    0x9200: _vlan,
    0x88E7: _provider_backbone,
    MPLS: _mpls,
    0x8848: _mpls,  # with labels given from upstream
    0x8864: _pppoe,
    PPP: _ppp,
    0x6558: bridged,  # Ethernet in GRE and elsewhere
}


def by_look(data: bytes, pos: int, end: int) -> Place:
    """Take off nothing: tell which version of IP starts here."""
    check_header("link header", data, pos, end, 1)
    return {4: IPV4, 6: IPV6}.get(data[pos] >> 4, 0), pos, end


def check_header(name: str, data: bytes, pos: int, end: int, size: int) -> None:
    """Make sure that a header of ``size`` octets lies at ``pos`` of something that ends at ``end``.

    Raises:
        Skip: it does not.
    """
    if end - pos < size:
        raise Skip("malformed", name)
    if len(data) - pos < size:
        raise Skip("truncated", name)


def u16(data: bytes, pos: int) -> int:
    """Read an unsigned integer of two octets, or -1 when they are not there."""
    return data[pos] << 8 | data[pos + 1] if len(data) >= pos + 2 else -1
