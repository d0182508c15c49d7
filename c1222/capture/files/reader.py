"""Capture files to packets: pcap and pcapng, compressed or not, from a path, a file object or standard input.

pcap in both byte orders, with microseconds or nanoseconds, and the variant with longer record headers ("modified",
magic A1B2CD34). pcapng with any number of sections, each in its own byte order, and interfaces, each with its own
resolution and offset of time; enhanced, simple and obsolete packet blocks. Times are integer nanoseconds throughout.

A file that is no capture is a ``CaptureError`` at once. Damage further in is a finding: what was before it is
delivered, and the reading goes on where the file makes sense again, if that is near. The file is read front to back in
blocks, so memory does not grow with its size.
Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng.
"""

from __future__ import annotations

import functools
import re
import struct
from typing import IO, TYPE_CHECKING, Final, Literal, NamedTuple, Self, cast

from c1222.capture.files.hextext import MAX_LINE, BadLine, is_hex_text, pasted
from c1222.capture.files.interfaces import Interface, byte_order, read_interface
from c1222.capture.files.pcap import PCAP_MAGIC, FindPackets, PcapForm, PcapRun, walk
from c1222.capture.files.source import CaptureError, OctetSource
from c1222.capture.tally import Tally
from c1222.errors import Finding, Level

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from types import TracebackType

__all__ = [
    "APDU_ALONE",
    "MAX_BAD_LINES",
    "MAX_INTERFACES",
    "MAX_PACKET_SIZE",
    "BarePacket",
    "CaptureError",
    "CaptureReader",
    "Packet",
    "is_pcap",
    "packet_of",
]

MAX_PACKET_SIZE: Final = 262_144
"""Octets of one packet; the limit of libpcap and Wireshark for the link types read here."""
MAX_INTERFACES: Final = 4096
"""Interfaces of one pcapng section."""
MAX_BAD_LINES: Final = 100
"""Lines that are no hex reported one by one."""
APDU_ALONE: Final = -1
"""Stands for the link type of octets in hex that are no frame, so an APDU."""

_RAW_IP: Final = 101
_ETHERNET: Final = 1
_ETHERNET_TYPES: Final = {0x0800, 0x86DD, 0x8100, 0x88A8}  # by which a frame is known among octets in hex
_SECTION: Final = 0x0A0D0D0A  # reads the same in both byte orders
_INTERFACE: Final = 1
_OBSOLETE_PACKET: Final = 2
_SIMPLE_PACKET: Final = 3
_ENHANCED_PACKET: Final = 6
_PACKET_BLOCKS: Final = {_OBSOLETE_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET}
_BLOCK_OVERHEAD: Final = 4096  # what a packet block may hold besides its packet: header and options
_MAX_BLOCK: Final = 1 << 24  # octets of any block; what claims more is damage, as in Wireshark
_NEAR_SECONDS: Final = 86_400  # from one packet to the next, where damage lies between

_REASONS: Final[dict[str, tuple[Level, str] | None]] = {
    "unknown-block": ("note", "pcapng blocks that hold no packets"),
    "oversized-block": ("warning", "pcapng blocks larger than the limit, skipped"),
    "malformed-packet": ("error", "packet blocks whose content does not fit their length, skipped"),
    "malformed-block": ("error", "interface descriptions whose content does not fit their length"),
    "oversized-packet": ("error", "packets larger than the limit, skipped"),
    "damaged": ("error", "places where the file makes no sense, skipped to the next where it does"),
    "unknown-interface": ("error", "packets of an interface that the file does not describe, skipped"),
    "too-many-interfaces": ("warning", "interfaces beyond the limit, their packets are skipped"),
    "bad-line": ("error", "more lines that are no hex"),
    "foreign-line": ("note", "lines that other programs print around their dumps"),
    "untimed-packet": ("note", "packets without a time, given the time of the packet before"),
}


def is_pcap(start: bytes) -> bool:
    """Tell by the start of a file whether it is pcap or pcapng."""
    return start[:4] in PCAP_MAGIC or start[:4] == _SECTION.to_bytes(4)


class Packet(NamedTuple):
    """One packet as captured.

    Attributes:
        number: number of the frame in the file, from 1.
        time_ns: nanoseconds since 1970-01-01 UTC.
        link_type: LINKTYPE of the interface (1 is Ethernet).
        data: the octets that were kept.
        length: octets the packet had on the wire.
    """

    number: int
    time_ns: int
    link_type: int
    data: bytes
    length: int


BarePacket = tuple[int, int, int, bytes, int]
"""What a `Packet` has, in its order, without the names: quicker to make and to take apart, and there is one a frame."""

packet_of = cast("Callable[[BarePacket], Packet]", functools.partial(tuple.__new__, Packet))
"""Makes a packet of a bare one, without the wrapper of the class, which costs twice as much."""


class CaptureReader:
    """Reads the packets of one capture file, once, front to back.

    Iterating yields ``Packet`` and never raises on damaged content: ``findings`` tells of it.
    A context manager; a file that the reader opened is closed at the end of the packets too.

    Args:
        source: path of the file, ``"-"`` for standard input, or a binary file object (need not be seekable).
        max_packet_size: octets of the largest packet accepted.
        max_interfaces: interfaces accepted in one pcapng section.

    Attributes:
        format: ``"pcap"``, ``"pcapng"``, or ``"hex"`` for octets written in hex: their packets are numbered by the
            lines where they start, and have no time.
        packets: packets met so far, the skipped ones included: the number of the last frame.
        tally: what was skipped, by reason.

    Raises:
        CaptureError: the file is empty, cut in its header, or no capture file.
        OSError: the file cannot be opened or read.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | IO[bytes],
        *,
        max_packet_size: int = MAX_PACKET_SIZE,
        max_interfaces: int = MAX_INTERFACES,
    ) -> None:
        self.packets = 0
        self.tally = Tally("capture", _REASONS)
        self._damage: list[Finding] = []
        self._max_packet_size = max_packet_size
        self._max_interfaces = max_interfaces
        self._walk: FindPackets = walk
        self._source = OctetSource(source)
        try:
            self._packets = self._open(self._source.more(b"", 0, 24))
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Packet]:
        return map(packet_of, self._packets)

    def bare(self) -> Iterator[BarePacket]:
        """Return the packets without names, in place of iterating."""
        return self._packets

    def runs(self, walk: FindPackets = walk) -> Iterator[PcapRun]:
        """Return the packets of a pcap many at a time, in place of iterating.

        Args:
            walk: finds where they are.
        """
        self._walk = walk
        return self._runs

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file if the reader opened it."""
        self._source.close()

    @property
    def octets_read(self) -> int:
        """Octets taken from the file so far, before inflating; for a progress bar."""
        return self._source.octets_read

    def findings(self) -> list[Finding]:
        """Return what was wrong with the file, and what was skipped; complete once all packets are read."""
        damage = self._source.damage
        compressed = [] if damage is None else [damage.finding(f"damaged-{damage.path}")]
        return [*compressed, *self._damage, *self.tally.findings()]

    def _stop(self, code: str, path: str, offset: int, text: str) -> None:
        self._damage.append(Finding("error", code, path, self._source.base + offset, text))

    def _recover(
        self, buffer: bytes, pos: int, pattern: bytes, check: Callable[[bytes, int], bool], path: str, text: str
    ) -> tuple[bytes, int]:
        """Find where the reading can go on after damage, or -1; count it or report it."""
        offset = self._source.base + pos
        found = -1
        if self.packets:
            size = self._max_packet_size + _BLOCK_OVERHEAD
            buffer, found = self._source.search(buffer, pos, re.compile(pattern, re.DOTALL), check, size)
        if found < 0:
            text = f"{text}; the rest of the file is not read"
            self._damage.append(Finding("error", "absurd-length", path, offset, text))
        else:
            skipped = self._source.base + found - offset
            self.tally.note("damaged", self.packets, f"{path} at octet {offset}: {text}; octets skipped: {skipped}")
        return buffer, found

    def _open(self, head: bytes) -> Iterator[BarePacket]:
        magic = head[:4]
        if magic in PCAP_MAGIC:
            self.format: Literal["pcap", "pcapng", "hex"] = "pcap"
            if len(head) < 24:
                raise CaptureError("pcap", len(head), "the file ends inside its header")
            self._runs = self._pcap_runs(head, *PCAP_MAGIC[magic])
            return self._read_pcap(self._runs)
        if magic == b"\x0a\x0d\x0d\x0a":
            self.format = "pcapng"
            if byte_order(head[8:12]) is None:
                raise CaptureError("pcapng", 8, "no byte-order magic in the section header")
            return self._read_pcapng(head)
        if not head and self._source.damage is not None:
            raise self._source.damage
        if is_hex_text(head):
            self.format = "hex"
            return self._read_hex(head)
        if not head:
            raise CaptureError("capture", 0, "the file is empty")
        raise CaptureError("capture", 0, f"neither pcap nor pcapng nor hex: the file starts with {magic.hex(' ')}")

    def _read_hex(self, buffer: bytes) -> Iterator[BarePacket]:
        try:
            for item in pasted(self._source.lines(buffer, MAX_LINE), max_size=self._max_packet_size):
                self.packets = line = item.line
                if not isinstance(item, BadLine):
                    yield line, 0, _link_type(item.octets), item.octets, len(item.octets)
                elif item.foreign:
                    self.tally.note("foreign-line", line, item.reason)
                elif len(self._damage) >= MAX_BAD_LINES:
                    self.tally.note("bad-line", line)
                else:
                    text = f"line {line} is not read: {item.reason}"
                    self._damage.append(Finding("error", "bad-line", f"hex.line[{line}]", None, text))
        finally:
            self.close()

    def _read_pcap(self, runs: Iterator[PcapRun]) -> Iterator[BarePacket]:
        for run in runs:
            for packet in run.packets():
                self.packets = packet[0]
                yield packet

    def _pcap_runs(self, buffer: bytes, order: str, unit: int, extra: int) -> Iterator[PcapRun]:
        major, minor, link_type = struct.unpack_from(order + "HH12xI", buffer, 4)
        if (major, minor) != (2, 4):
            text = f"pcap version {major}.{minor}, read as 2.4"
            self._damage.append(Finding("warning", "version", "pcap", 4, text))
        link_type &= 0x03FFFFFF  # above it: the length of the frame check sequence
        form = PcapForm(order, unit, 16 + extra, link_type)
        unpack, head = form.head.unpack_from, form.head_size
        limit = self._max_packet_size
        big_or_little: Literal["big", "little"] = "big" if order == ">" else "little"
        number = first = latest = 0
        pos = 24

        def is_record(buffer: bytes, pos: int) -> bool:
            """Tell whether two records that make sense, or one at the end, lie there."""
            for _ in range(2):
                if pos + head > len(buffer):
                    return pos == len(buffer)
                seconds, fraction, captured, length = unpack(buffer, pos)
                sane = captured <= limit and captured <= length <= _MAX_BLOCK and fraction < 1_000_000_000
                if not sane or min(abs(seconds - first), abs(seconds - latest)) > _NEAR_SECONDS:
                    return False
                pos += head + captured
            return pos <= len(buffer)

        try:
            while True:
                last = len(buffer) - head
                places, pos, captured = self._walk(buffer, pos, form, limit)
                if len(places):
                    yield PcapRun(buffer, places, number + 1, form)
                    self.packets = number = number + len(places)
                    latest = unpack(buffer, places[-1])[0]
                    first = first or next(filter(None, (unpack(buffer, place)[0] for place in places)), 0)
                need = head
                if pos <= last:
                    if captured > limit:
                        # the high half of the seconds is the same for hours, or one more; the latest may be damage too
                        halves = {half & 0xFFFF for half in (first >> 16, latest >> 16, (latest >> 16) + 1)}
                        near = b"|".join(re.escape(half.to_bytes(2, big_or_little)) for half in sorted(halves))
                        pattern = (b"(?:%b)" if order == ">" else b"..(?:%b)") % near
                        text = f"a packet of {captured} octets, the limit is {limit}"
                        buffer, pos = self._recover(buffer, pos, pattern, is_record, f"pcap.packet[{number + 1}]", text)
                        if pos < 0:
                            return None
                        continue
                    need += captured
                buffer = self._source.more(buffer, pos, need)
                pos = 0
                if len(buffer) < need:
                    if buffer:
                        if len(buffer) >= head:
                            need = head + unpack(buffer, 0)[2]
                        text = f"the file ends inside the packet: {len(buffer)} of at least {need} octets are there"
                        self._stop("cut-short", f"pcap.packet[{number + 1}]", len(buffer), text)
                    return None
        finally:
            self.close()

    def _read_pcapng(self, buffer: bytes) -> Iterator[BarePacket]:
        order: Literal["<", ">"] = "<"
        interfaces: list[Interface | None] = []
        limit = self._max_packet_size
        number = time_ns = index = pos = 0
        tally = self.tally
        epb = b""

        def is_block(buffer: bytes, pos: int) -> bool:
            """Tell whether a block lies there whose two lengths agree."""
            if len(buffer) - pos < 32:
                return False
            total = header(buffer, pos)[1]
            after = pos + total
            sane = total >= 28 and not total & 3 and after <= len(buffer)
            return sane and buffer[after - 4 : after] == buffer[pos + 4 : pos + 8]

        try:
            while True:
                if len(buffer) - pos < 12:
                    buffer = self._source.more(buffer, pos, 12)
                    pos = 0
                    if len(buffer) < 12:
                        if buffer:
                            text = "the file ends inside the block"
                            self._stop("cut-short", f"pcapng.block[{index + 1}]", len(buffer), text)
                        return None
                index += 1
                if buffer[pos : pos + 4] == b"\x0a\x0d\x0d\x0a":
                    found = byte_order(buffer[pos + 8 : pos + 12])
                    if found is None:
                        text = "no byte-order magic in the section header; the rest of the file is not read"
                        return self._stop("malformed-section", f"pcapng.block[{index}]", pos + 8, text)
                    order = found
                    header = struct.Struct(order + "II").unpack_from
                    enhanced = struct.Struct(order + "8xIIIII").unpack_from
                    epb = struct.pack(order + "I", _ENHANCED_PACKET)
                kind, total = header(buffer, pos)
                if total < 12 or total & 3 or total > _MAX_BLOCK:
                    text = f"a block cannot have {total} octets"
                    buffer, pos = self._recover(buffer, pos, epb, is_block, f"pcapng.block[{index}]", text)
                    if pos < 0:
                        return None
                    continue
                if total > limit + _BLOCK_OVERHEAD and kind != _SECTION:
                    if kind in _PACKET_BLOCKS:
                        self.packets = number = number + 1
                        tally.note("oversized-packet", number, f"block of {total} octets")
                    else:
                        tally.note("oversized-block", number, f"type {kind:#x}, {total} octets")
                        if kind == _INTERFACE:
                            interfaces.append(None)
                    buffer, missing = self._source.pass_over(buffer, pos, total)
                    pos = 0
                    if missing:
                        text = f"the file ends inside the block: {missing} octets are missing"
                        return self._stop("cut-short", f"pcapng.block[{index}]", 0, text)
                    continue
                after = pos + total
                if after > len(buffer):
                    buffer = self._source.more(buffer, pos, total)
                    pos = 0
                    after = total
                    if after > len(buffer):
                        text = f"the file ends inside the block: {total - len(buffer)} octets are missing"
                        return self._stop("cut-short", f"pcapng.block[{index}]", len(buffer), text)
                if buffer[after - 4 : after] != buffer[pos + 4 : pos + 8]:
                    text = "the two lengths of the block differ"
                    buffer, pos = self._recover(buffer, pos, epb, is_block, f"pcapng.block[{index}]", text)
                    if pos < 0:
                        return None
                    continue
                start = pos
                pos = after
                if kind == _ENHANCED_PACKET and total >= 32:
                    which, high, low, captured, length = enhanced(buffer, start)
                    start += 28
                elif kind == _INTERFACE:
                    if len(interfaces) < self._max_interfaces:
                        interface, good = read_interface(buffer[start:after], order)
                        if not good:
                            tally.note("malformed-block", number, f"block {index}")
                        interfaces.append(interface)
                    else:
                        tally.note("too-many-interfaces", number)
                    continue
                elif kind == _SIMPLE_PACKET and total >= 16:
                    (length,) = struct.unpack_from(order + "8xI", buffer, start)
                    start += 12
                    which = 0
                    captured = min(length, after - 4 - start)
                    if interfaces and interfaces[0] is not None and 0 < interfaces[0].snaplen < captured:
                        captured = interfaces[0].snaplen
                elif kind == _OBSOLETE_PACKET and total >= 32:
                    which, high, low, captured, length = struct.unpack_from(order + "8xHxxIIII", buffer, start)
                    start += 28
                elif kind == _SECTION:
                    interfaces = []
                    if total < 28 or struct.unpack_from(order + "12xH", buffer, start)[0] != 1:
                        text = "a section of a version that is not 1; the rest of the file is not read"
                        return self._stop("malformed-section", f"pcapng.block[{index}]", start + 12, text)
                    continue
                else:
                    if kind in _PACKET_BLOCKS:
                        self.packets = number = number + 1
                        tally.note("malformed-packet", number, f"a block of {total} octets")
                    else:
                        tally.note("unknown-block", number, f"type {kind:#x}")
                    continue
                self.packets = number = number + 1
                interface = interfaces[which] if which < len(interfaces) else None
                if captured > after - 4 - start:
                    tally.note("malformed-packet", number, f"{captured} octets announced, {after - 4 - start} there")
                elif interface is None:
                    tally.note("unknown-interface", number, f"interface {which}")
                elif captured > limit:
                    tally.note("oversized-packet", number, f"{captured} octets")
                else:
                    if kind == _SIMPLE_PACKET:
                        tally.note("untimed-packet", number)
                    else:
                        time_ns = (high << 32 | low) * interface.factor // interface.divisor + interface.offset_ns
                    yield number, time_ns, interface.link_type, buffer[start : start + captured], length
        finally:
            self.close()


def _link_type(octets: bytes) -> int:
    """Tell by its look what was written in hex: an Ethernet frame, an IP datagram, otherwise an APDU."""
    size = len(octets)
    ipv4 = octets[:1] == b"\x45" and int.from_bytes(octets[2:4]) == size
    ipv6 = octets[0] >> 4 == 6 and size > 40 and int.from_bytes(octets[4:6]) == size - 40
    if ipv4 or ipv6:
        return _RAW_IP
    return _ETHERNET if size > 34 and int.from_bytes(octets[12:14]) in _ETHERNET_TYPES else APDU_ALONE
