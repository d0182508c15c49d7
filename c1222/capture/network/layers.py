"""Packets to transport segments: from the link layer through IP to UDP and TCP.

Links are read by ``links``, tunnels over IP by ``tunnels``; what these carry goes through the same layers again. IPv4
with options, IPv6 with extension headers, fragments of both put together, in tunnels and around them. Checksums are not
verified: where a capture is taken on the sending host, they are not computed yet.
"""

from __future__ import annotations

import functools
import ipaddress
import struct
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from c1219.caches import BoundedDict, remembered
from c1222.capture.network.fragments import (
    FRAGMENT_AGE_NS,
    MAX_DATAGRAMS,
    MAX_FRAGMENTS,
    Fragment,
    Fragments,
)
from c1222.capture.network.links import IPV4, IPV6, Skip, check_header, first_header, next_header, u16
from c1222.capture.network.tunnels import tunnelled
from c1222.capture.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from c1222.capture.files.reader import Packet
    from c1222.errors import Finding, Level

__all__ = [
    "FIN",
    "FLOWS",
    "MAX_HEADERS",
    "RST",
    "SYN",
    "Datagram",
    "Flow",
    "Layers",
    "Segment",
    "end_text",
    "ends",
    "pass_extensions",
]

FLOWS: Final = 16384
"""Flows whose ends are remembered as text."""
MAX_HEADERS: Final = 32
"""Headers taken off one packet before UDP or TCP: links, tags, tunnels, IP."""

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04

_UDP: Final = 17
_TCP: Final = 6
# IPv6 headers between the fixed one and the transport: hop-by-hop, routing, destination, mobility, HIP, shim6
_EXTENSIONS: Final = {0, 43, 60, 135, 139, 140}
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51

_REASONS: Final[dict[str, tuple[Level, str] | None]] = {
    "link-type": ("error", "packets of a link type that is not read"),
    "not-ip": ("note", "packets that are not IP"),
    "not-transport": ("note", "IP packets that are neither UDP nor TCP"),
    "truncated": ("warning", "packets captured so short that a header or a fragment is incomplete"),
    "malformed": ("warning", "packets whose headers contradict themselves"),
    "nested": ("warning", "packets with more headers than the limit"),
    "fragment": None,  # held, part of a segment that came or will come
    "fragment-timeout": ("warning", "fragmented datagrams of which a part never came"),
    "fragment-evicted": ("warning", "fragmented datagrams given up because too many were incomplete"),
    "fragment-conflict": ("warning", "fragmented datagrams given up because a fragment lies behind the last one"),
    "fragment-overlap": ("warning", "IP fragments that repeat or overlap others; the octets that came first were kept"),
}

_PORTS: Final = struct.Struct(">HH")


class Flow:
    """The two ends of a segment.

    Attributes:
        key: source address, destination address, source port, destination port, as on the wire: 12 octets for IPv4,
            36 for IPv6.
        source_port: 0..65535.
        destination_port: 0..65535.
        src: the source as ``address:port``, IPv6 as ``[address]:port``.
        dst: the destination, written like the source.
    """

    __slots__ = ("destination_port", "dst", "key", "source_port", "src")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.source_port, self.destination_port = _PORTS.unpack_from(key, len(key) - 4)
        self.src, self.dst = _ends(key)

    def __repr__(self) -> str:
        return f"<Flow {self.src} > {self.dst}>"

    @property
    def reverse_key(self) -> bytes:
        """The key of the other direction."""
        key, size = self.key, len(self.key) // 2 - 2
        return key[size:-4] + key[:size] + key[-2:] + key[-4:-2]


@remembered(FLOWS)
def ends(key: bytes) -> tuple[str, str]:
    """Return source and destination of a flow as text, the same objects for long.

    Args:
        key: see `Flow`.
    """
    return _ends(key)


def _ends(key: bytes) -> tuple[str, str]:
    size = len(key) // 2 - 2
    source, destination = _PORTS.unpack_from(key, 2 * size)
    return end_text(key[:size], source), end_text(key[size:-4], destination)


def end_text(address: bytes, port: int) -> str:
    """Return one end of a flow as text.

    Args:
        address: 4 or 16 octets.
        port: 0..65535.
    """
    if len(address) == 4:
        first, second, third, fourth = address
        return f"{first}.{second}.{third}.{fourth}:{port}"
    return f"[{ipaddress.IPv6Address(address)}]:{port}"


class Segment(NamedTuple):
    """One UDP datagram or TCP segment.

    Attributes:
        frame: number of the frame that completed it.
        time_ns: time of that frame.
        transport: ``"udp"`` or ``"tcp"``.
        flow: its ends.
        payload: what it carries.
        missing: octets of payload that were on the wire but not captured.
        sequence: TCP sequence number; 0 for UDP.
        flags: TCP flags (``SYN``, ``FIN``, ``RST`` …); 0 for UDP.
        frames: the frames that contributed to it, when there are several.
    """

    frame: int
    time_ns: int
    transport: Literal["udp", "tcp"]
    flow: Flow
    payload: bytes
    missing: int
    sequence: int
    flags: int
    frames: tuple[int, ...] | None


_Fields = tuple[int, int, Literal["udp", "tcp"], Flow, bytes, int, int, int, tuple[int, ...] | None]
# tuple.__new__ without the wrapper of the class: half the cost, and it is paid for every packet
_segment = cast("Callable[[_Fields], Segment]", functools.partial(tuple.__new__, Segment))


class Datagram(NamedTuple):
    """What an IP datagram carries: ``data[start:end]``, of which the end may not be captured.

    Attributes:
        addresses: source and destination as on the wire.
        protocol: number of the IP protocol.
        data: the packet, or the datagram where it was put together of fragments.
        start: where the payload starts.
        end: where it ends.
        frames: the frames that contributed.
    """

    addresses: bytes
    protocol: int
    data: bytes
    start: int
    end: int
    frames: tuple[int, ...]


class Layers:
    """Takes packets apart, and puts fragmented IP datagrams together.

    Where fragments overlap, the octets that came first stay. Every packet gives a segment or is counted in ``tally``.

    Args:
        max_flows: flows whose ends are remembered as text.
        max_headers: headers taken off one packet before UDP or TCP.
        max_datagrams: fragmented datagrams held at the same time; the oldest is given up for a new one.
        max_fragments: pieces of one datagram; it is given up when it has more.
        fragment_age_ns: nanoseconds of packet time after which an incomplete datagram is given up.

    Attributes:
        tally: what was skipped, by reason; ``"fragment"`` counts packets held for the segment of a later one.
        datagram: the innermost IP datagram of the segment that was returned last.
    """

    def __init__(
        self,
        *,
        max_flows: int = FLOWS,
        max_headers: int = MAX_HEADERS,
        max_datagrams: int = MAX_DATAGRAMS,
        max_fragments: int = MAX_FRAGMENTS,
        fragment_age_ns: int = FRAGMENT_AGE_NS,
    ) -> None:
        self.tally = Tally("capture.layers", _REASONS)
        self.datagram: Datagram | None = None
        self._flows: BoundedDict[bytes, Flow] = BoundedDict(max_flows)
        self._max_headers = max_headers
        self._fragments = Fragments(
            self.tally, max_datagrams=max_datagrams, max_fragments=max_fragments, age_ns=fragment_age_ns
        )

    def findings(self) -> list[Finding]:
        """Return what was skipped and why; complete once ``finish`` was called."""
        return self.tally.findings()

    def finish(self) -> None:
        """Give up the datagrams that are still incomplete: no packet follows."""
        self._fragments.finish()

    def segments(self, packets: Iterable[Packet]) -> Iterator[Segment]:
        """Yield the UDP and TCP segments in packets, and ``finish``.

        Args:
            packets: packets in the order of capture.
        """
        for packet in packets:
            segment = self.segment(packet)
            if segment is not None:
                yield segment
        self.finish()

    def segment(self, packet: Packet) -> Segment | None:
        """Return the UDP or TCP segment that a packet carries or completes.

        Args:
            packet: a packet; its number and time go into the segment.

        Returns:
            The segment, or None when the packet was counted in ``tally`` instead.
        """
        frames: tuple[int, ...] = (packet.number,)
        data, way = packet.data, b""
        try:
            kind, pos, end = first_header(packet.link_type, data)
            for _ in range(self._max_headers):
                if kind == IPV4:
                    datagram = self._ipv4(packet, data, pos, end, way, frames)
                elif kind == IPV6:
                    datagram = self._ipv6(packet, data, pos, end, way, frames)
                else:
                    kind, pos, end = next_header(kind, data, pos, end)
                    continue
                if datagram is None:
                    return None
                addresses, protocol, data, pos, end, frames = datagram
                inner = tunnelled(protocol, data, pos, end)
                if inner is None:
                    self.datagram = datagram
                    return self._transport(packet, datagram)
                kind, pos, end = inner
                way += addresses
            raise Skip("nested", f"limit {self._max_headers}")
        except Skip as skip:
            reason, detail = skip.args
            self.tally.note(reason, packet.number, detail)
            return None

    def _flow(self, key: bytes) -> Flow:
        flow = self._flows.get(key)
        if flow is None:
            flow = self._flows[key] = Flow(key)
        return flow

    def _ipv4(
        self, packet: Packet, data: bytes, pos: int, limit: int, way: bytes, frames: tuple[int, ...]
    ) -> Datagram | None:
        check_header("IPv4 header", data, pos, limit, 20)
        version, total, ident, fragmentation, protocol, addresses = struct.unpack_from(">BxH2sHxB2x8s", data, pos)
        head = (version & 0x0F) * 4
        if total == 0:  # left to the network card, which cuts the segment to size
            total = min(len(data), limit) - pos
        start, end = pos + head, pos + total
        if version >> 4 != 4 or head < 20 or total < head or end > limit:
            raise Skip("malformed", "IPv4 header")
        if start > len(data):
            raise Skip("truncated", "IPv4 options")
        if not fragmentation & 0x3FFF:
            return Datagram(addresses, protocol, data, start, end, frames)
        if end > len(data):
            raise Skip("truncated", "IPv4 fragment")
        offset, more = (fragmentation & 0x1FFF) * 8, fragmentation & 0x2000 != 0
        fragment = Fragment(offset, more, protocol, data[start:end], frames, packet.time_ns)
        whole = self._fragments.add(way + addresses + ident + bytes((protocol,)), fragment)
        if whole is None:
            return None
        return Datagram(addresses, protocol, whole.data, 0, len(whole.data), whole.frames)

    def _ipv6(
        self, packet: Packet, data: bytes, pos: int, limit: int, way: bytes, frames: tuple[int, ...]
    ) -> Datagram | None:
        check_header("IPv6 header", data, pos, limit, 40)
        version, size, header, addresses = struct.unpack_from(">B3xHBx32s", data, pos)
        if version >> 4 != 6:
            raise Skip("malformed", "IPv6 header")
        pos += 40
        end = pos + size if size else min(len(data), limit)  # a jumbogram, or left to the network card
        if end > limit:
            raise Skip("malformed", "IPv6 header")
        header, pos, _ = pass_extensions(data, header, pos, end)
        if header != _FRAGMENT:
            return Datagram(addresses, header, data, pos, end, frames)
        check_header("IPv6 fragment header", data, pos, end, 8)
        if end > len(data):
            raise Skip("truncated", "IPv6 fragment")
        header, fragmentation, ident = struct.unpack_from(">BxH4s", data, pos)
        offset, more = fragmentation & 0xFFF8, fragmentation & 1 != 0
        fragment = Fragment(offset, more, header, data[pos + 8 : end], frames, packet.time_ns)
        whole = self._fragments.add(way + addresses + ident, fragment)
        if whole is None:
            return None
        header, pos, _ = pass_extensions(whole.data, whole.protocol, 0, len(whole.data))
        return Datagram(addresses, header, whole.data, pos, len(whole.data), whole.frames)

    def _transport(self, packet: Packet, datagram: Datagram) -> Segment:
        addresses, protocol, data, pos, end, frames = datagram
        sequence = flags = 0
        if protocol == _UDP:
            transport: Literal["udp", "tcp"] = "udp"
            check_header("UDP header", data, pos, end, 8)
            size = u16(data, pos + 4) or end - pos  # 0: a jumbogram, or left to the network card
            if not 8 <= size <= end - pos:
                raise Skip("malformed", "UDP length")
            start, end = pos + 8, pos + size
        elif protocol == _TCP:
            transport = "tcp"
            check_header("TCP header", data, pos, end, 20)
            sequence, words, flags = struct.unpack_from(">4xI4xBB", data, pos)
            start = pos + (words >> 4) * 4
            if start < pos + 20:
                raise Skip("malformed", "TCP header")
            check_header("TCP options", data, pos, end, start - pos)
        else:
            raise Skip("not-transport", f"protocol {protocol}")
        flow = self._flow(addresses + data[pos : pos + 4])
        payload = data[start:end]
        missing = end - start - len(payload)
        several = frames if len(frames) > 1 else None
        return _segment((packet.number, packet.time_ns, transport, flow, payload, missing, sequence, flags, several))


def pass_extensions(data: bytes, header: int, pos: int, end: int) -> tuple[int, int, int]:
    """Pass over the IPv6 extension headers.

    Returns:
        The first header that is none, where it starts, and where the last of those passed over starts, -1 if none.

    Raises:
        Skip: a header is not all there.
    """
    last = -1
    while header in _EXTENSIONS or header == _AUTHENTICATION:
        check_header("IPv6 extension header", data, pos, end, 8)
        size = data[pos + 1]
        last = pos
        header, pos = data[pos], pos + (size * 4 + 8 if header == _AUTHENTICATION else size * 8 + 8)
    return header, pos, last
