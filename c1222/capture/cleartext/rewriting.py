"""A capture as one that needs no key: verified messages in cleartext, for Wireshark and others that read captures.

Every packet of the capture is in the file, at its place and time. A packet that holds the end of a verified message
holds that message, whole and in cleartext, with a comment that says so; what else there was of the message, in other
packets, is gone from them. TCP is numbered anew to fit; a segment that has lost all its octets looks like an
acknowledgement sent twice. Of a fragmented datagram the packet of the last fragment has all, and the others stay.
All else stays octet for octet: what was not verified, and what is in tunnels or in links with a length of their own.

Such a file is no evidence: nothing in it can be verified.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

from c1219.caches import BoundedDict
from c1222.capture.cleartext.apdu import clear_apdu
from c1222.capture.cleartext.held import HeldApdu, HeldPacket
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.files.compression import CaptureError
from c1222.capture.files.writer import LATEST_NS, MAX_LINK_TYPE, PcapngWriter, private_file
from c1222.capture.network.framing import Apdu
from c1222.capture.network.layers import SYN
from c1222.capture.network.rebuilding import can_rebuild, rebuild_tcp, rebuild_udp, tcp_numbers
from c1222.capture.network.renumbering import Renumbering
from c1222.capture.network.streams import C1222_PORT, MAX_STREAMS
from c1222.capture.tally import Tally
from c1222.errors import DecodeError, Level
from c1222.message.acse import decode_acse
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Sequence

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
    "no-form": ("warning", "packets with a time or link type that pcapng cannot hold, written with the nearest"),
    "not-renumbered": ("warning", "TCP segments left as they were where others of their connection were numbered anew"),
}


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
        self._queue: deque[HeldPacket] = deque()
        self._octets = 0
        self._directions: BoundedDict[_Way, tuple[StreamDirection, Renumbering]] = BoundedDict(MAX_STREAMS)
        self._segments: dict[Hashable, list[HeldApdu]] = {}
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
            held = HeldPacket(traced)
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

    def _number(self, held: HeldPacket, segment: Segment, direction: StreamDirection | None) -> dict[_Way, Renumbering]:
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

    def _part(self, held: HeldPacket, item: Apdu, former: dict[_Way, Renumbering]) -> HeldApdu | None:
        """Return where an APDU is."""
        if item.transport == "udp":
            held.parts.append(item.octets)
            return HeldApdu(held, len(held.parts) - 1, None, 0, 0)
        ahead = held.ahead
        if held.traced.packet is None or held.traced.packet.number not in item.frames:
            # read out of what was held: of a connection that has ended, or of one given up
            ends = (item.src, item.dst)
            known = self._directions.get(ends)
            ahead = former.get(ends) or (None if known is None else known[1])
        if ahead is None:
            return None
        start = ahead.position(item.sequence)
        return HeldApdu(held, 0, ahead, start, start + len(item.octets))

    def _place(self, part: HeldApdu, item: Apdu, message: CapturedMessage | None) -> None:
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

    def _leave(self, parts: list[HeldApdu]) -> None:
        for part in parts:
            part.go_on()

    def _forget(self, held: HeldPacket) -> None:
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
            if not held.is_ready:
                late = now_ns is None or now_ns - packet.time_ns > wait_ns
                if not late and len(queue) <= most and self._octets <= octets:
                    return
                if held.ahead is not None:
                    held.ahead.fix(held.end)
            queue.popleft()
            self._octets -= len(packet.data)
            self._write(held)

    def _write(self, held: HeldPacket) -> None:
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
                new, payload, remarks = held.renumbered(segment, old)
                if changed := (new, payload) != (old, segment.payload):
                    data = rebuild_tcp(packet, datagram, payload, new, missing=missing)
                if held.ahead is not None and segment.payload:
                    held.ahead.wrote(held.end)
        if changed and data is None:
            self.tally.note("not-renumbered", packet.number)
            remarks = []
        self.packets += 1
        time_ns = min(max(packet.time_ns, 0), LATEST_NS)
        link_type = min(packet.link_type, MAX_LINK_TYPE)
        if (time_ns, link_type) != (packet.time_ns, packet.link_type):
            self.tally.note("no-form", packet.number)
        self._writer.write(
            time_ns,
            packet.data if data is None else data,
            link_type=link_type,
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


def _remark(message: CapturedMessage, filled: int) -> str:
    key = "" if message.key is None else f" under key {message.key.id}"
    secrets = f"; secrets filled with * in {filled} of its services" if filled else ""
    return f"c1222: verified{key}, then written in cleartext without its MAC ({message.security_mode.label}){secrets}"


def _segmented(octets: bytes) -> Hashable:
    """Return what the segments of one message share; None for what is no segment."""
    try:
        acse = decode_acse(octets, max_size=len(octets))
    except DecodeError:
        return None
    return _message_key(acse) if acse.is_segment else None


def _message_key(acse: Acse | None) -> Hashable:
    """Return what a message shares with its segments; None where that is malformed."""
    if acse is None:
        return None
    with suppress(DecodeError):
        size = acse.called_ae_qualifier if acse.is_segment else len(acse.octets)
        return acse.called, acse.calling, acse.calling_invocation_id, size
    return None
