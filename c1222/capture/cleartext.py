"""A capture as one that needs no key: verified messages in cleartext, for Wireshark and others that read captures.

Every packet of the capture is in the file, at its place and time. A packet that holds the end of a verified message
holds that message, whole and in cleartext, with a comment that says so; what else there was of the message, in other
packets, is gone from them. TCP is numbered anew to fit. All other octets stay as they were.

Such a file is no evidence: nothing in it can be verified.
"""

from __future__ import annotations

import os
from collections import deque
from typing import IO, TYPE_CHECKING, Final

from c1219.caches import BoundedDict
from c1222.capture.clear_apdu import clear_apdu
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.files.compression import CaptureError
from c1222.capture.files.writer import PcapngWriter, private_file
from c1222.capture.network.framing import Apdu
from c1222.capture.network.layers import SYN
from c1222.capture.network.rebuilding import TcpNumbers, can_rebuild, rebuild_tcp, rebuild_udp, tcp_numbers
from c1222.capture.network.renumbering import Renumbering
from c1222.capture.network.streams import C1222_PORT, MAX_STREAMS
from c1222.capture.tally import Tally
from c1222.errors import DecodeError, Level
from c1222.message.acse import decode_acse
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

    from c1222.capture.decoder import Traced
    from c1222.capture.message import CapturedMessage, Counters
    from c1222.capture.network.layers import Segment
    from c1222.capture.network.tcp import StreamDirection
    from c1222.errors import Finding
    from c1222.message.acse import Acse
    from c1222.security.keys import Keys

    Source = str | os.PathLike[str] | IO[bytes]
    _Way = tuple[str, str]

__all__ = ["MAX_HELD_NS", "MAX_HELD_PACKETS", "MAX_HELD_PACKET_OCTETS", "ClearCapture", "write_clear"]

MAX_HELD_PACKETS: Final = 4096
"""Packets held until it is known whether what they hold of a message is verified."""
MAX_HELD_PACKET_OCTETS: Final = 1 << 24
"""Octets of these."""
MAX_HELD_NS: Final = 60_000_000_000
"""Nanoseconds of packet time that they are held."""

_NO_EVIDENCE: Final = "Messages that were verified are in cleartext here, without their MACs. This file proves nothing."
_PART: Final = "c1222: part of a message that is whole in another packet"
_REASONS: Final[dict[str, tuple[Level, str] | None]] = {
    "not-rewritten": ("warning", "verified messages left as they were, in links or tunnels that are not rewritten"),
    "held-too-long": ("warning", "verified messages left as they were, spread over too many packets or too much time"),
    "not-redacted": (
        "warning",
        "verified messages left as they were, their services and so their secrets being malformed",
    ),
    "not-renumbered": ("warning", "TCP segments left as they were where others of their connection were numbered anew"),
}


class _Held:
    """A packet on its way to the file."""

    __slots__ = ("ahead", "back", "direction", "end", "parts", "remarks", "segments", "start", "traced", "waits")

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.direction: StreamDirection | None = None
        self.ahead: Renumbering | None = None  # of its direction of TCP
        self.back: Renumbering | None = None  # of the other
        self.start = self.end = 0  # positions of its octets there
        self.parts: list[bytes] = []  # the APDUs of UDP
        self.remarks: list[str] = []
        self.waits = 0  # of these, those of which it is not known yet what becomes of them
        self.segments: list[Hashable] = []  # keys of the messages that some of its APDUs are segments of


class _Part:
    """Where an APDU is: in UDP with its place among those of the packet, in TCP with its positions."""

    __slots__ = ("ahead", "end", "held", "index", "start")

    def __init__(self, held: _Held, index: int, ahead: Renumbering | None, start: int, end: int) -> None:
        self.held = held
        self.index = index
        self.ahead = ahead
        self.start = start
        self.end = end

    def wait(self) -> None:
        """Have the packet wait."""
        if self.ahead is None:
            self.held.waits += 1
        else:
            self.ahead.wait(self.start)

    def go_on(self) -> None:
        """Take that back."""
        if self.ahead is None:
            self.held.waits -= 1
        else:
            self.ahead.go_on(self.start)

    def put(self, octets: bytes, remark: str) -> bool:
        """Put octets in its place; tell whether that could be done."""
        if self.ahead is not None:
            return self.ahead.change(self.start, self.end, octets, remark)
        self.held.parts[self.index] = octets
        self.held.remarks.append(remark)
        return True


class ClearCapture:
    """Writes one capture in cleartext; iterate it once, for its messages as they are decoded.

    Args:
        source: as for `c1222.decode_capture`; packets, no hex.
        file: a binary file object; pcapng is written.
        keys: a store, a single key, or octets by key id.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        show_secrets: leave passwords, keys, and tables that may hold them, readable; their octets are filled else.
        max_packets: packets held until it is known what becomes of them.
        max_octets: octets of these.
        max_wait_ns: nanoseconds of packet time that they are held.

    Attributes:
        counters: what was met so far.
        rewritten: messages in cleartext now that were not.
        filled: services of these whose secrets were filled.
        packets: packets written.
        tally: messages and packets left as they were, though verified.

    Raises:
        CaptureError: the file is no capture of packets.
        OSError: a file cannot be opened, read or written.
        InvalidKey: the keys cannot be used.
    """

    def __init__(
        self,
        source: Source | Sequence[Source],
        file: IO[bytes],
        *,
        keys: Keys = None,
        ports: Collection[int] = (C1222_PORT,),
        by_content: bool = True,
        show_secrets: bool = False,
        max_packets: int = MAX_HELD_PACKETS,
        max_octets: int = MAX_HELD_PACKET_OCTETS,
        max_wait_ns: int = MAX_HELD_NS,
    ) -> None:
        self._decoder = CaptureDecoder(source, keys=keys, ports=ports, by_content=by_content, early_ns=0)
        if self._decoder.reader.format == "hex":
            self._decoder.close()
            raise CaptureError("hex", 0, "octets in hex are no packets that could be written")
        self._writer = PcapngWriter(file, comment=_NO_EVIDENCE)
        self._show_secrets = show_secrets
        self._limits = max_packets, max_octets, max_wait_ns
        self._queue: deque[_Held] = deque()
        self._octets = 0
        self._directions: BoundedDict[_Way, tuple[StreamDirection, Renumbering]] = BoundedDict(MAX_STREAMS)
        self._segments: dict[Hashable, list[_Part]] = {}
        self.rewritten = self.filled = self.packets = 0
        self.tally = Tally("capture.cleartext", _REASONS)

    @property
    def counters(self) -> Counters:
        """What was met so far."""
        return self._decoder.counters

    @property
    def octets_read(self) -> int:
        """Octets taken from the files so far, before inflating; for a progress bar."""
        return self._decoder.reader.octets_read

    def findings(self) -> list[Finding]:
        """Return what concerns the capture as a whole; complete once all messages were taken."""
        return [*self._decoder.findings(), *self.tally.findings()]

    def close(self) -> None:
        """Close the files that were read."""
        self._decoder.close()

    def __iter__(self) -> Iterator[CapturedMessage]:
        for traced in self._decoder.traced():
            held = _Held(traced)
            segment = traced.segment
            former: dict[_Way, Renumbering] = {}
            if segment is not None and segment.transport == "tcp":
                former = self._number(held, segment, traced.direction)
            if traced.packet is not None:
                self._queue.append(held)
                self._octets += len(traced.packet.data)
            offset = 0
            for item, message in traced.completed:
                if isinstance(item, Apdu):
                    part = self._part(held, item, former)
                    offset += len(item.octets) if item.transport == "udp" else 0
                    if part is not None:
                        self._place(part, item, message)
                if message is not None:
                    yield message
            if held.parts and segment is not None:
                held.parts.append(segment.payload[offset:])
            if traced.packet is not None:
                self._write_ready(traced.packet.time_ns)
        self._write_ready(None)

    def _number(self, held: _Held, segment: Segment, direction: StreamDirection | None) -> dict[_Way, Renumbering]:
        """Find or make the numbers of both directions; return those that held before, by the ends."""
        ends = (segment.flow.src, segment.flow.dst)
        known = self._directions.get(ends)
        former = {} if known is None else {ends: known[1]}
        start = (segment.sequence + (segment.flags & SYN != 0)) & 0xFFFFFFFF
        if direction is not None and (known is None or (known[0] is not direction and segment.flags & SYN)):
            known = (direction, Renumbering(start))
        elif known is not None:
            known = (direction or known[0], known[1])
        other = self._directions.get(ends[::-1])
        held.back = None if other is None else other[1]
        if known is None:
            return former
        self._directions.pop(ends, None)
        self._directions[ends] = known  # as the last one used
        held.direction, held.ahead = known
        held.start = held.ahead.position(start)
        held.end = held.start + len(segment.payload)
        if segment.payload:
            held.ahead.seen(held.end)
        assert held.traced.packet is not None and held.traced.datagram is not None  # noqa: S101, PT018 - of a segment
        if not can_rebuild(held.traced.packet, held.traced.datagram):
            held.ahead.fix(held.end)
        return former

    def _part(self, held: _Held, item: Apdu, former: dict[_Way, Renumbering]) -> _Part | None:
        """Return where an APDU is."""
        if item.transport == "udp":
            held.parts.append(item.octets)
            return _Part(held, len(held.parts) - 1, None, 0, 0)
        ahead = held.ahead
        if held.traced.packet is None or held.traced.packet.number not in item.frames:
            # read out of what was held: of a connection that has ended, or of one given up
            ends = (item.src, item.dst)
            known = self._directions.get(ends)
            ahead = former.get(ends) or (None if known is None else known[1])
        if ahead is None:
            return None
        start = ahead.position(item.sequence)
        return _Part(held, 0, ahead, start, start + len(item.octets))

    def _place(self, part: _Part, item: Apdu, message: CapturedMessage | None) -> None:
        """Put a verified message in the place of its APDU; have its segments wait until it is whole."""
        if message is None or not message.is_message:
            key = _segmented(item.octets)
            if key is None:
                return
            parts = self._segments.setdefault(key, [])
            if message is None:
                part.wait()
                part.held.segments.append(key)
                parts.append(part)
                return
            self._leave(self._segments.pop(key))  # what it would have made is no message
            return
        others = [] if message.segments is None else self._segments.pop(_message_key(message.acse), [])
        self._leave(others)
        if message.verdict is not Verdict.VERIFIED:
            return
        packet, datagram = part.held.traced.packet, part.held.traced.datagram
        if packet is not None and datagram is not None and not can_rebuild(packet, datagram):
            self.tally.note("not-rewritten", message.frame)
            return
        made = clear_apdu(message, show_secrets=self._show_secrets)
        if made is None:
            self.tally.note("not-redacted", message.frame)
            return
        if not part.put(made.octets, _remark(message, made.filled)):
            self.tally.note("held-too-long", message.frame)
            return
        self.rewritten += 1
        self.filled += made.filled
        for other in others:
            other.put(b"", _PART)

    def _leave(self, parts: list[_Part]) -> None:
        for part in parts:
            part.go_on()

    def _forget(self, held: _Held) -> None:
        """Forget the segments in a packet that is written."""
        for key in held.segments:
            parts = [part for part in self._segments.get(key, ()) if part.held is not held]
            if parts:
                self._segments[key] = parts
            else:
                self._segments.pop(key, None)

    def _write_ready(self, now_ns: int | None) -> None:
        """Write the packets of which it is known what becomes of them, in order."""
        most, octets, wait_ns = self._limits
        queue = self._queue
        while queue:
            held = queue[0]
            packet = held.traced.packet
            assert packet is not None  # noqa: S101 - others are not held
            if not _is_ready(held):
                late = now_ns is None or now_ns - packet.time_ns > wait_ns
                if not late and len(queue) <= most and self._octets <= octets:
                    return
                if held.ahead is not None:
                    held.ahead.fix(held.end)
            queue.popleft()
            self._octets -= len(packet.data)
            self._write(held)

    def _write(self, held: _Held) -> None:
        packet, segment, datagram = held.traced.packet, held.traced.segment, held.traced.datagram
        assert packet is not None  # noqa: S101 - others are not held
        self._forget(held)
        data: bytes | None = None
        remarks = held.remarks
        missing = 0
        changed = False
        if segment is not None and datagram is not None:
            missing = segment.missing
            if segment.transport == "udp":
                if changed := bool(remarks):
                    data = rebuild_udp(packet, datagram, b"".join(held.parts), missing=missing)
            else:
                old = tcp_numbers(datagram)
                new, payload, remarks = _renumbered(held, segment, old)
                if changed := (new, payload) != (old, segment.payload):
                    data = rebuild_tcp(packet, datagram, payload, new, missing=missing)
                if held.ahead is not None and segment.payload:
                    held.ahead.wrote(held.end)
        if changed and data is None:
            self.tally.note("not-renumbered", packet.number)
            remarks = []
        self.packets += 1
        self._writer.write(
            packet.time_ns,
            packet.data if data is None else data,
            link_type=packet.link_type,
            length=packet.length if data is None else len(data) + missing,
            comment="\n".join(dict.fromkeys(remarks)),
        )


def write_clear(
    source: Source | Sequence[Source],
    out: str | os.PathLike[str] | IO[bytes],
    *,
    keys: Keys = None,
    ports: Collection[int] = (C1222_PORT,),
    by_content: bool = True,
    show_secrets: bool = False,
) -> ClearCapture:
    """Write a capture in which the verified messages are in cleartext, so that Wireshark needs no keys.

    Passwords and keys, and tables that may hold them, are filled with ``*``. Such a file is no evidence: nothing in it
    can be verified.

    Args:
        source: as for `c1222.decode_capture`; packets, no hex.
        out: path of a pcapng file, which only its owner may read and which is there as a whole or not at all; or a
            binary file object.
        keys: a store, a single key, or octets by key id.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        show_secrets: leave passwords and keys readable.

    Returns:
        What was written: how many messages were rewritten, what was left, and findings.

    Raises:
        CaptureError: the file is no capture of packets.
        EncodeError: a packet has a time that pcapng cannot hold.
        OSError: a file cannot be opened, read or written.
        InvalidKey: the keys cannot be used.
    """
    if isinstance(out, str | os.PathLike):
        with private_file(out) as file:
            return write_clear(source, file, keys=keys, ports=ports, by_content=by_content, show_secrets=show_secrets)
    made = ClearCapture(source, out, keys=keys, ports=ports, by_content=by_content, show_secrets=show_secrets)
    try:
        for _ in made:
            pass
    finally:
        made.close()
    return made


def _is_ready(held: _Held) -> bool:
    if held.waits:
        return False
    direction, ahead = held.direction, held.ahead
    if direction is None or ahead is None or held.start == held.end:
        return True
    return held.end <= ahead.position(direction.settled) and not ahead.waits(held.end)


def _renumbered(held: _Held, segment: Segment, old: TcpNumbers) -> tuple[TcpNumbers, bytes, list[str]]:
    """Return what a TCP segment becomes: its numbers, its payload, and the remarks on it."""
    ahead, back = held.ahead, held.back
    sequence, payload = old.sequence, segment.payload
    remarks: list[str] = []
    if ahead is not None and not ahead.is_plain:
        payload, remarks = ahead.octets(held.start, payload)
        place = ahead.new(held.start)
        if held.start + 1 == ahead.written_end and held.end <= ahead.written_end:  # a keep-alive
            place, payload = ahead.new(held.start + 1) - 1, payload[-1:]
        sequence = (old.sequence + place - held.start) & 0xFFFFFFFF
    if back is None or back.is_plain:
        return old._replace(sequence=sequence), payload, remarks
    told = [(back.new(back.position(number)) & 0xFFFFFFFF) for number in (old.acknowledged or 0, *old.blocks)]
    acknowledged = None if old.acknowledged is None else told[0]
    return TcpNumbers(sequence, acknowledged, tuple(told[1:])), payload, remarks


def _remark(message: CapturedMessage, filled: int) -> str:
    key = "" if message.key is None else f" under key {message.key.id}"
    secrets = f"; secrets filled with * in {filled} of its services" if filled else ""
    return f"c1222: verified{key}, then written in cleartext without its MAC ({message.security_mode.label}){secrets}"


def _segmented(octets: bytes) -> Hashable:
    """Return what the segments of one message share; None for what is no segment."""
    try:
        acse = decode_acse(octets, max_size=len(octets))
        return _message_key(acse) if acse.is_segment else None
    except DecodeError:
        return None


def _message_key(acse: Acse | None) -> Hashable:
    if acse is None:
        return None
    size = acse.called_ae_qualifier if acse.is_segment else len(acse.octets)
    return acse.called, acse.calling, acse.calling_invocation_id, size
