"""Fragmented IP datagrams, put together within bounds of number, pieces and packet time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.capture.network.pieces import Pieces

if TYPE_CHECKING:
    from c1222.capture.tally import Tally

__all__ = ["FRAGMENT_AGE_NS", "MAX_DATAGRAMS", "MAX_FRAGMENTS", "Fragment", "Fragments", "Whole"]

MAX_DATAGRAMS: Final = 256
"""Fragmented IP datagrams put together at the same time, each of at most 65535 octets."""
MAX_FRAGMENTS: Final = 256
"""Fragments of one IP datagram."""
FRAGMENT_AGE_NS: Final = 60_000_000_000
"""Nanoseconds of packet time that the rest of a fragmented IP datagram may take (RFC 8200, section 4.5)."""


class Fragment(NamedTuple):
    """A piece of a fragmented datagram, and the frames that brought it: several where a tunnel has fragments too."""

    offset: int
    more: bool
    protocol: int
    data: bytes
    frames: tuple[int, ...]
    time_ns: int


class Whole(NamedTuple):
    """A datagram put together: the protocol its first fragment names, its octets, and the frames of its fragments."""

    protocol: int
    data: bytes
    frames: tuple[int, ...]


class _Partial:
    """A datagram of which a part is there."""

    __slots__ = ("count", "first_frame", "frames", "pieces", "protocol", "since_ns", "total")

    def __init__(self, frame: int, time_ns: int) -> None:
        self.first_frame = frame
        self.since_ns = time_ns
        self.pieces = Pieces()
        self.count = 0
        self.frames: list[int] = []
        self.total: int | None = None  # known once the last fragment is there
        self.protocol: int | None = None  # of the fragment at offset 0; in IPv6 the others may name another


class Fragments:
    """Holds fragments until their datagram is whole. Where fragments overlap, the octets that came first stay.

    Args:
        tally: where every fragment that completes nothing is counted, and every datagram given up.
        max_datagrams: datagrams held at the same time; the oldest is given up for a new one.
        max_fragments: fragments of one datagram; it is given up when it has more.
        age_ns: nanoseconds of packet time after which an incomplete datagram is given up.
    """

    def __init__(
        self,
        tally: Tally,
        *,
        max_datagrams: int = MAX_DATAGRAMS,
        max_fragments: int = MAX_FRAGMENTS,
        age_ns: int = FRAGMENT_AGE_NS,
    ) -> None:
        self._tally = tally
        self._max_datagrams = max_datagrams
        self._max_fragments = max_fragments
        self._age_ns = age_ns
        self._partial: dict[bytes, _Partial] = {}

    def add(self, key: bytes, fragment: Fragment) -> Whole | None:
        """Add a fragment.

        Args:
            key: what the fragments of one datagram share.
            fragment: the fragment.

        Returns:
            The datagram when this fragment completes it. Otherwise the fragment is counted: as ``fragment`` when it is
            held, as ``malformed`` when it can be part of no datagram.
        """
        offset, more, protocol, data, frames, time_ns = fragment
        frame = frames[-1]
        size = len(data)
        if not size or offset + size > 0xFFFF or (more and size % 8):
            self._tally.note("malformed", frame, "IP fragment")
            return None
        partial = self._of(key, frame, time_ns)
        pieces = partial.pieces
        if pieces.insert(offset, data, frames, time_ns) < size:
            self._tally.note("fragment-overlap", frame)
        partial.count += 1
        partial.frames += frames
        if offset == 0 and partial.protocol is None:
            partial.protocol = protocol
        if not more and partial.total is None:
            partial.total = offset + size
        if partial.total is not None and pieces.end > partial.total:
            self._give_up(key, "fragment-conflict")
        elif pieces.octets == partial.total and partial.protocol is not None:
            del self._partial[key]
            whole = b"".join(piece.data for piece in pieces.take(0))
            return Whole(partial.protocol, whole, tuple(sorted(partial.frames)))
        elif partial.count >= self._max_fragments:
            self._give_up(key, "fragment-evicted")
        self._tally.note("fragment", frame)
        return None

    def finish(self) -> None:
        """Give up all that is incomplete: nothing follows."""
        while self._partial:
            self._give_up(next(iter(self._partial)), "fragment-timeout")

    def _of(self, key: bytes, frame: int, time_ns: int) -> _Partial:
        while self._partial:
            oldest = next(iter(self._partial))
            if time_ns - self._partial[oldest].since_ns <= self._age_ns:
                break
            self._give_up(oldest, "fragment-timeout")
        partial = self._partial.get(key)
        if partial is None:
            if len(self._partial) >= self._max_datagrams:
                self._give_up(next(iter(self._partial)), "fragment-evicted")
            partial = self._partial[key] = _Partial(frame, time_ns)
        return partial

    def _give_up(self, key: bytes, reason: str) -> None:
        self._tally.note(reason, self._partial.pop(key).first_frame)
