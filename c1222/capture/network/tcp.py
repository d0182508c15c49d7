"""One direction of a TCP connection: segments in any order to octets in order.

Where segments overlap, the octets that came first stay. A hole is waited for until the octets held, or the packet time
they waited, pass a limit; then it is reported, and the reading goes on behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.capture.network.framing import Framer, fills
from c1222.capture.network.layers import FIN, RST, SYN
from c1222.capture.network.pieces import Pieces
from c1222.errors import Finding

if TYPE_CHECKING:
    from c1222.capture.network.framing import Apdu, StreamRemark
    from c1222.capture.network.layers import Segment
    from c1222.capture.tally import Tally

__all__ = ["MAX_STREAM_OCTETS", "MAX_WAIT_NS", "WINDOW", "StreamDirection"]

MAX_STREAM_OCTETS: Final = 262_144
"""Octets held behind a hole in one direction of a connection."""
MAX_WAIT_NS: Final = 60_000_000_000
"""Nanoseconds of packet time that a hole is waited for: TCP retransmits with up to a minute between."""
WINDOW: Final = 1 << 24
"""Octets that a sequence number may lie behind the expected one and still belong to the same connection."""

_MODULUS: Final = 1 << 32
_PIECE_OVERHEAD: Final = 128  # octets of memory for each piece held, about


class StreamDirection:
    """Puts the segments of one direction in order and cuts them into APDUs.

    Args:
        first: the first segment seen; ``push`` it too.
        tally: where segments that add nothing are counted.
        max_apdu_size: octets of the largest APDU accepted.
        max_octets: octets held behind a hole.
        max_wait_ns: nanoseconds of packet time that a hole is waited for.
    """

    __slots__ = (
        "_end",
        "_framer",
        "_hole_since",
        "_initial",
        "_max_octets",
        "_max_wait_ns",
        "_pieces",
        "_position",
        "_sequence",
        "_started",
        "_tally",
    )

    def __init__(self, first: Segment, tally: Tally, *, max_apdu_size: int, max_octets: int, max_wait_ns: int) -> None:
        self._tally = tally
        self._max_octets = max_octets
        self._max_wait_ns = max_wait_ns
        self._framer = Framer(first.flow, max_apdu_size=max_apdu_size)
        self._pieces = Pieces()
        self._position = 0  # of the next octet expected, counted from the first one seen
        self._sequence = self._framer.origin = _start(first)  # its sequence number
        self._initial = self._sequence if first.flags & SYN else None
        self._started = self._initial is not None  # the framer knows where it is
        self._end: int | None = None  # position of the FIN
        self._hole_since = 0

    @property
    def settled(self) -> int:
        """The sequence number before which it is known of all octets what they are."""
        return (self._sequence - self._framer.unread) % _MODULUS

    @property
    def held(self) -> int:
        """Octets of memory in use for what waits, about."""
        pieces = self._pieces
        return self._framer.held + pieces.octets + _PIECE_OVERHEAD * len(pieces)

    def is_other_connection(self, segment: Segment) -> bool:
        """Tell whether a segment with SYN opens a new connection between the same ends."""
        if self._initial is not None:
            return _start(segment) != self._initial
        return not 0 <= (self._sequence - _start(segment)) % _MODULUS <= WINDOW

    def push(self, segment: Segment) -> list[Apdu | StreamRemark]:
        """Take in a segment; return what it completes.

        Args:
            segment: a segment of this direction.
        """
        payload, flags, time_ns = segment.payload, segment.flags, segment.time_ns
        framer = self._framer
        framer.frame, framer.time_ns = segment.frame, time_ns
        if flags & SYN and self._initial is None:
            self._initial = _start(segment)  # it came late
        items: list[Apdu | StreamRemark] = []
        start = self._position_of(segment)
        if payload:
            if self._is_far(start):
                items += self._pass_holes()
                if self._is_far(start):
                    items += self._jump(start, segment)
                    start = self._position
            if self._end is not None and start + len(payload) > self._end:
                self._end = None  # something follows the FIN, so it was none
            self._place(start, payload, segment.frames or (segment.frame,), time_ns)
            items += framer.take()
            while self._pieces and self._is_overdue(time_ns):
                items += self._pass_hole()
        else:
            self._tally.note("no-payload", segment.frame)
        if flags & FIN and self._end is None:
            self._end = start + len(payload) + segment.missing
        if flags & RST:
            items += self.finish()
        elif self._end == self._position:
            items += framer.finish()
        return items

    def finish(self) -> list[Apdu | StreamRemark]:
        """Return what can still be made of the octets held. More may follow: it is read as from mid-stream."""
        items = self._pass_holes()
        items += self._framer.finish()
        self._started = False
        return items

    def _position_of(self, segment: Segment) -> int:
        """Tell the position of the first octet of a segment; it may lie before the first octet seen."""
        distance = (_start(segment) - self._sequence) % _MODULUS
        return self._position + (distance if distance < _MODULUS // 2 else distance - _MODULUS)

    def _is_far(self, start: int) -> bool:
        return not self._position - WINDOW <= start <= self._position + self._max_octets

    def _place(self, start: int, payload: bytes, frames: tuple[int, ...], time_ns: int) -> None:
        """Put octets where they belong: to the framer when they are next, otherwise aside."""
        if start < self._position:
            old = self._position - start
            if old >= len(payload):
                early = start < 0 and self._initial is None
                self._tally.note("before-start" if early else "old-octets", frames[-1])
                return
            start, payload = self._position, payload[old:]
        pieces = self._pieces
        if start == self._position and not pieces:
            self._feed(payload, frames, time_ns)
            return
        if not pieces:
            self._hole_since = time_ns
        if not pieces.insert(start, payload, frames, time_ns):
            self._tally.note("old-octets", frames[-1])
        elif start == self._position:
            self._drain()
            self._hole_since = time_ns

    def _advance(self, octets: int) -> None:
        self._position += octets
        self._sequence = (self._sequence + octets) % _MODULUS

    def _feed(self, data: bytes, frames: tuple[int, ...], time_ns: int) -> None:
        """Give the framer the octets that are next."""
        if not self._started:
            self._started = True
            self._framer.restart(self._position, in_step=fills(data, len(data)))
        self._framer.append(data, frames, time_ns)
        self._advance(len(data))

    def _drain(self) -> None:
        for piece in self._pieces.take(self._position):
            self._feed(piece.data, piece.frames, piece.time_ns)

    def _is_overdue(self, time_ns: int) -> bool:
        pieces = self._pieces
        if pieces.octets + _PIECE_OVERHEAD * len(pieces) > self._max_octets:
            return True
        return time_ns - self._hole_since > self._max_wait_ns

    def _pass_holes(self) -> list[Apdu | StreamRemark]:
        items: list[Apdu | StreamRemark] = []
        while self._pieces:
            items += self._pass_hole()
        return items

    def _pass_hole(self) -> list[Apdu | StreamRemark]:
        """Give up waiting for what is missing before the first piece, and go on with that."""
        missing = self._pieces.first.start - self._position
        items = self._lose(f"octets missing: {missing}")
        self._advance(missing)
        self._drain()
        return items + self._framer.take()

    def _jump(self, start: int, segment: Segment) -> list[Apdu | StreamRemark]:
        """Go on at a segment far from the one expected."""
        if start > self._position:
            items = self._lose(f"octets missing: {start - self._position}")
            self._advance(start - self._position)
        else:
            items = self._lose("the sequence numbers jump back: another connection between the same ends")
            self._sequence = _start(segment)
            self._framer.origin = (self._sequence - self._position) % _MODULUS
            self._initial = None
        self._end = None
        return items

    def _lose(self, text: str) -> list[Apdu | StreamRemark]:
        """Finish what came before a loss, and report the loss."""
        items = self._framer.finish()
        items.append(self._framer.remark(Finding("error", "gap", "tcp", self._position, text)))
        self._started = False
        return items


def _start(segment: Segment) -> int:
    """Return the sequence number of the first octet of payload; a SYN takes a number of its own before it."""
    return (segment.sequence + (segment.flags & SYN != 0)) % _MODULUS
