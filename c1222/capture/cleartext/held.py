"""Packets held until it is known what becomes of the APDUs in them, and where these are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.capture.network.rebuilding import TcpNumbers

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.capture.decoder import Traced
    from c1222.capture.network.layers import Segment
    from c1222.capture.network.renumbering import Renumbering
    from c1222.capture.network.tcp import StreamDirection

__all__ = ["HeldApdu", "HeldPacket"]


class HeldPacket:
    """A packet on its way to the file.

    Args:
        traced: the packet, and what it carries.

    Attributes:
        traced: as given.
        direction: of the TCP connection, if that is followed.
        ahead: the numbers of its direction of TCP.
        back: those of the other direction.
        start: position of its first octet there.
        end: position behind its last.
        parts: the APDUs of UDP.
        remarks: for the comment on it.
        waits: how many of its parts wait: it is not known yet what becomes of them.
        segments: keys of the messages that some of its APDUs are segments of.
    """

    __slots__ = ("ahead", "back", "direction", "end", "parts", "remarks", "segments", "start", "traced", "waits")

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.direction: StreamDirection | None = None
        self.ahead: Renumbering | None = None
        self.back: Renumbering | None = None
        self.start = self.end = 0
        self.parts: list[bytes] = []
        self.remarks: list[str] = []
        self.waits = 0
        self.segments: list[Hashable] = []

    @property
    def is_ready(self) -> bool:
        """Whether it is known what becomes of it."""
        if self.waits:
            return False
        direction, ahead = self.direction, self.ahead
        if direction is None or ahead is None or self.start == self.end:
            return True
        return self.end <= ahead.position(direction.settled) and not ahead.waits(self.end)

    def renumbered(self, segment: Segment, old: TcpNumbers) -> tuple[TcpNumbers, bytes, list[str]]:
        """Return what the TCP segment in it becomes: its numbers, its payload, and the remarks on it.

        Args:
            segment: the segment.
            old: the numbers of the segment.
        """
        ahead, back = self.ahead, self.back
        sequence, payload = old.sequence, segment.payload
        remarks: list[str] = []
        if ahead is not None and not ahead.is_plain:
            payload, remarks = ahead.octets(self.start, payload)
            place = ahead.new(self.start)
            if self.start + 1 == ahead.written_end and self.end <= ahead.written_end:  # a keep-alive
                place, payload = ahead.new(self.start + 1) - 1, payload[-1:]
            sequence = (old.sequence + place - self.start) & 0xFFFFFFFF
        if back is None or back.is_plain:
            return old._replace(sequence=sequence), payload, remarks
        told = [(back.new(back.position(number)) & 0xFFFFFFFF) for number in (old.acknowledged or 0, *old.blocks)]
        acknowledged = None if old.acknowledged is None else told[0]
        return TcpNumbers(sequence, acknowledged, tuple(told[1:])), payload, remarks


class HeldApdu:
    """Where an APDU is: in UDP by its place among those of the packet, in TCP by its positions.

    Args:
        held: the packet that completed it.
        index: its place among the parts of the packet.
        ahead: the numbers of its direction of TCP; None in UDP.
        start: position of its first octet there.
        end: position behind its last.
    """

    __slots__ = ("ahead", "end", "held", "index", "start")

    def __init__(self, held: HeldPacket, index: int, ahead: Renumbering | None, start: int, end: int) -> None:
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
