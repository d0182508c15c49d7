"""Tunnels over IP: IP in IP, 6in4, GRE with its kinds of payload (ERSPAN, PPTP, MPLS, Ethernet), MPLS, VXLAN.

Sources: RFC 2003, 4213, 2784 and 2890 (GRE), 2637 (PPTP), 4023 (MPLS in IP), 7348 (VXLAN); draft-foschiano-erspan.
How tshark reads the same octets is the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.capture.network.links import IPV4, IPV6, MPLS, PPP, Skip, bridged, by_look, check_header, next_header, u16

if TYPE_CHECKING:
    from c1222.capture.network.links import Place

__all__ = ["VXLAN_PORT", "tunnelled"]

VXLAN_PORT: Final = 4789
"""UDP port of VXLAN, registered with IANA."""

_IN_IP: Final = {4: IPV4, 41: IPV6, 137: MPLS}
_GRE: Final = 47
_UDP: Final = 17
_ERSPAN: Final = 0x88BE  # type I without a header of its own, type II with one of 8 octets
_ERSPAN_3: Final = 0x22EB
_BARE_IP: Final = 2  # the kind of frame of ERSPAN type III that has no Ethernet header
_VXLAN_HEADER: Final = 8
_HAS_NETWORK: Final = 0x08  # the flag that every VXLAN header has; an APDU, which starts with 60, has it not


def tunnelled(protocol: int, data: bytes, pos: int, end: int) -> Place | None:
    """Take off the header of a tunnel.

    Args:
        protocol: number of the IP protocol.
        data: the packet.
        pos: where the payload of IP starts.
        end: where it ends.

    Returns:
        What the tunnel carries, or None where it is no tunnel.

    Raises:
        Skip: its header is not all there, or contradicts itself, or leads to no IP.
    """
    if protocol == _UDP:
        return _vxlan(data, pos) if u16(data, pos + 2) == VXLAN_PORT else None
    if protocol == _GRE:
        return _gre(data, pos, end)
    kind = _IN_IP.get(protocol)
    return None if kind is None else (kind, pos, end)


def _vxlan(data: bytes, pos: int) -> Place | None:
    size = u16(data, pos + 4)
    start = pos + 8
    if size < 8 + _VXLAN_HEADER or len(data) < start + _VXLAN_HEADER or not data[start] & _HAS_NETWORK:
        return None
    return bridged(data, start + _VXLAN_HEADER, pos + size)


def _gre(data: bytes, pos: int, end: int) -> Place:
    check_header("GRE header", data, pos, end, 4)
    flags, kind = u16(data, pos), u16(data, pos + 2)
    version = flags & 7
    if version > 1 or flags & 0x4000 or (version == 1 and kind != PPP):  # source routes are no more
        raise Skip("not-ip", f"GRE version {version}, type {kind:#06x}")
    # checksum, key, sequence number, acknowledgement number (of PPTP)
    size = 4 * (1 + sum(flags & flag != 0 for flag in (0x8000, 0x2000, 0x1000, 0x0080 * version)))
    check_header("GRE header", data, pos, end, size)
    pos += size
    if version == 1 and pos == end:
        raise Skip("not-ip", "an acknowledgement of PPTP")
    if kind == _ERSPAN:
        return bridged(data, pos + 8 if flags & 0x1000 else pos, end)
    if kind == _ERSPAN_3:
        check_header("ERSPAN header", data, pos, end, 12)
        bare = data[pos + 10] >> 2 & 0x1F == _BARE_IP
        pos += 20 if data[pos + 11] & 1 else 12  # with eight octets that depend on the platform
        return by_look(data, pos, end) if bare else bridged(data, pos, end)
    if kind in {IPV4, IPV6}:
        return kind, pos, end
    return next_header(kind, data, pos, end)
