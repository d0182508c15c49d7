"""Transport segments to APDUs: which of them are C12.22, one APDU a datagram in UDP, one after the other in TCP.

A UDP datagram with several APDUs breaks that rule; each of them is read, and a finding on each says so.

C12.22 is what goes to or comes from port 1153 or a port given, and on other ports what is a whole APDU by its look.
Origin: RFC 6142; what is on the wire, by captures of several vendors' meters.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from c1222.capture.network.framing import Apdu, StreamRemark, is_apdu, make_apdu
from c1222.capture.network.layers import SYN
from c1222.capture.network.tcp import MAX_STREAM_OCTETS, MAX_WAIT_NS, StreamDirection
from c1222.capture.tally import Tally
from c1222.errors import DecodeError, Finding, Level
from c1222.message.ber import MAX_APDU_OCTETS, apdu_size

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from c1222.capture.network.layers import Segment

__all__ = [
    "C1222_PORT",
    "MAX_APDUS",
    "MAX_HELD_OCTETS",
    "MAX_STREAMS",
    "Apdu",
    "StreamRemark",
    "Streams",
    "apdu_ends",
    "apdus_of",
]

C1222_PORT: Final = 1153
"""UDP and TCP port of C12.22, registered with IANA."""
MAX_STREAMS: Final = 4096
"""Directions of TCP connections followed at the same time."""
MAX_APDUS: Final = 256
"""APDUs read of one datagram, which is to hold one."""
MAX_HELD_OCTETS: Final = 1 << 24
"""Octets held for all directions together."""

_REASONS: Final[dict[str, tuple[Level, str] | None]] = {
    "other-port": ("note", "segments of other ports that are no C12.22 by their look"),
    "no-payload": None,  # acknowledgements, and empty datagrams
    "old-octets": ("note", "TCP segments that bring only octets seen before, or given up"),
    "before-start": ("warning", "TCP segments that lie before the first octets seen of their stream, not read"),
    "cut-segment": ("warning", "TCP segments captured in part only"),
    "stream-evicted": ("note", "TCP streams forgotten because too many, or too much of them, were held"),
}


class Streams:
    """Turns segments into APDUs and remarks; memory does not grow with the capture.

    Every segment becomes an ``Apdu``, part of one, a ``StreamRemark``, or is counted in ``tally``. Items come when they
    are known: an APDU that waited behind a hole in its TCP stream comes after others with higher frame numbers.

    Args:
        ports: UDP and TCP ports of C12.22.
        by_content: also read on other ports what is an APDU by its look: in UDP the whole datagram, in TCP at the start
            of a segment; both directions of that connection are followed from there on.
        max_apdu_size: octets of the largest APDU accepted.
        max_streams: directions of TCP connections followed at the same time; the one unused for longest goes first.
        max_stream_octets: octets held behind a hole in one direction.
        max_held_octets: octets held for all directions together; the one unused for longest goes first.
        max_wait_ns: nanoseconds of packet time that a hole in a TCP stream is waited for.

    Attributes:
        tally: what gave neither APDU nor remark, by reason.
    """

    def __init__(
        self,
        *,
        ports: Collection[int] = (C1222_PORT,),
        by_content: bool = True,
        max_apdu_size: int = MAX_APDU_OCTETS,
        max_streams: int = MAX_STREAMS,
        max_stream_octets: int = MAX_STREAM_OCTETS,
        max_held_octets: int = MAX_HELD_OCTETS,
        max_wait_ns: int = MAX_WAIT_NS,
    ) -> None:
        self.tally = Tally("capture.streams", _REASONS)
        self._ports = frozenset(ports)
        self._by_content = by_content
        self._max_apdu_size = max_apdu_size
        self._max_streams = max_streams
        self._max_stream_octets = max_stream_octets
        self._max_held_octets = max_held_octets
        self._max_wait_ns = max_wait_ns
        # None: the other direction of a connection known by its content, of which nothing was seen yet
        self._directions: OrderedDict[bytes, StreamDirection | None] = OrderedDict()
        self._held = 0

    def findings(self) -> list[Finding]:
        """Return what was not read and why; complete once ``finish`` was called."""
        return self.tally.findings()

    def items(self, segments: Iterable[Segment]) -> Iterator[Apdu | StreamRemark]:
        """Yield the APDUs and remarks of segments, and ``finish``.

        Args:
            segments: segments in the order of capture.
        """
        for segment in segments:
            yield from self.push(segment)
        yield from self.finish()

    def push(self, segment: Segment) -> list[Apdu | StreamRemark]:
        """Take in a segment; return what it completes, nothing or more.

        Args:
            segment: the next segment of the capture.
        """
        flow = segment.flow
        named = flow.source_port in self._ports or flow.destination_port in self._ports
        if segment.transport == "tcp":
            return self._tcp(segment, named=named)
        return self._udp(segment, named=named)

    def following(self, segment: Segment) -> StreamDirection | None:
        """Return the direction of a TCP connection that a segment is of, if it is followed.

        Args:
            segment: a segment that was pushed.
        """
        return self._directions.get(segment.flow.key) if segment.transport == "tcp" else None

    def finish(self) -> list[Apdu | StreamRemark]:
        """Return what can still be made of the streams: no segment follows."""
        items: list[Apdu | StreamRemark] = []
        for direction in self._directions.values():
            if direction is not None:
                items += direction.finish()
        self._directions.clear()
        self._held = 0
        return items

    def _udp(self, segment: Segment, *, named: bool) -> list[Apdu | StreamRemark]:
        payload = segment.payload
        if not payload and not segment.missing:
            self.tally.note("no-payload", segment.frame)
            return []
        if not named and not (self._by_content and payload[:1] == b"\x60" and self._are_apdus(payload)):
            self.tally.note("other-port", segment.frame, repr(segment.flow))
            return []
        lost = f", captured without its last {segment.missing} octets" if segment.missing else ""
        ends = apdu_ends(payload, self._max_apdu_size)
        if not ends:
            return [self._remark_on(segment, lost)]
        frame, time_ns, flow = segment.frame, segment.time_ns, segment.flow
        frames = segment.frames or (frame,)
        return [
            make_apdu((frame, time_ns, flow.src, flow.dst, "udp", octets, frames, findings, 0))
            for octets, findings in apdus_of(payload, ends, "udp", "datagram", lost)
        ]

    def _are_apdus(self, payload: bytes) -> bool:
        """Tell whether a datagram is nothing but APDUs by their look."""
        if is_apdu(payload):
            return True
        ends = apdu_ends(payload, self._max_apdu_size)
        starts = [0, *ends[:-1]]
        whole = bool(ends) and ends[-1] == len(payload)
        return whole and all(is_apdu(payload[start:end]) for start, end in zip(starts, ends, strict=True))

    def _remark_on(self, segment: Segment, lost: str) -> StreamRemark:
        """Say why a datagram does not start with an APDU."""
        there = len(segment.payload)
        try:
            size = apdu_size(segment.payload, max_size=self._max_apdu_size)
        except DecodeError as error:
            return _remark(segment, Finding("error", "not-an-apdu", "udp", error.offset, error.reason))
        of = "" if size is None else f" of {size}"
        text = f"an APDU is incomplete, {there}{of} octets are in the datagram{lost}"
        return _remark(segment, Finding("error", "incomplete-apdu", "udp", there, text))

    def _tcp(self, segment: Segment, *, named: bool) -> list[Apdu | StreamRemark]:
        key = segment.flow.key
        directions = self._directions
        if segment.missing:
            self.tally.note("cut-segment", segment.frame, repr(segment.flow))
        direction = directions.get(key)
        if direction is None:
            if not segment.payload and not segment.flags & SYN:
                self.tally.note("no-payload", segment.frame)
                return []
            if not named and key not in directions:
                if not self._opens_with_apdu(segment):
                    self.tally.note("other-port", segment.frame, repr(segment.flow))
                    return []
                directions[segment.flow.reverse_key] = None
        items: list[Apdu | StreamRemark] = []
        if direction is not None:
            self._held -= direction.held
            if segment.flags & SYN and direction.is_other_connection(segment):
                items = direction.finish()
                direction = None
        if direction is None:
            direction = directions[key] = StreamDirection(
                segment,
                self.tally,
                max_apdu_size=self._max_apdu_size,
                max_octets=self._max_stream_octets,
                max_wait_ns=self._max_wait_ns,
            )
        directions.move_to_end(key)
        items += direction.push(segment)
        self._held += direction.held
        while len(directions) > self._max_streams or self._held > self._max_held_octets:
            items += self._evict(segment.frame)
        return items

    def _opens_with_apdu(self, segment: Segment) -> bool:
        payload = segment.payload
        if not self._by_content or payload[:1] != b"\x60":
            return False
        try:
            size = apdu_size(payload, max_size=self._max_apdu_size)
        except DecodeError:
            return False
        return size is not None and is_apdu(payload[:size])

    def _evict(self, frame: int) -> list[Apdu | StreamRemark]:
        direction = self._directions.popitem(last=False)[1]
        if direction is None:
            return []
        self._held -= direction.held
        self.tally.note("stream-evicted", frame)
        return direction.finish()


def apdu_ends(octets: bytes, max_size: int) -> list[int]:
    """Return where each of the whole APDUs at the start of some octets ends.

    Args:
        octets: what a datagram carries.
        max_size: octets of the largest APDU.
    """
    ends: list[int] = []
    start = 0
    rest = memoryview(octets)
    while start < len(octets) and len(ends) < MAX_APDUS:
        try:
            size = apdu_size(rest[start:], max_size=max_size)
        except DecodeError:
            break
        if size is None or start + size > len(octets):
            break
        start += size
        ends.append(start)
    return ends


def apdus_of(
    octets: bytes, ends: list[int], path: str, what: str, lost: str = ""
) -> list[tuple[bytes, tuple[Finding, ...]]]:
    """Return the APDUs at the start of some octets, each with the findings on how it is carried.

    Args:
        octets: what a datagram, or the like, carries.
        ends: where the APDUs end, at least one.
        path: of the findings.
        what: the datagram, or the like, in words.
        lost: words on what was not captured.
    """
    trailing: tuple[Finding, ...] = ()
    if ends[-1] < len(octets) or lost:
        after = "APDU" if len(ends) == 1 else "APDUs"
        text = f"{len(octets) - ends[-1]} octets follow the {after} in its {what}{lost}"
        trailing = (Finding("warning", "trailing-octets", path, ends[-1], text),)
    found = []
    start = 0
    for number, end in enumerate(ends, 1):
        findings = trailing if number == len(ends) else ()
        if len(ends) > 1:
            text = f"APDU {number} of {len(ends)} in one {what}, which is to hold one"
            findings = (Finding("note", "several-apdus", path, start, text), *findings)
        found.append((octets[start:end], findings))
        start = end
    return found


def _remark(segment: Segment, finding: Finding) -> StreamRemark:
    return StreamRemark(segment.frame, segment.time_ns, segment.flow.src, segment.flow.dst, "udp", finding)
