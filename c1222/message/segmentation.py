"""Segments: an APDU too large for the layer below is cut into slices, each of which travels in an APDU of its own.

A segment repeats the titles, the calling invocation id, the application context and the calling AE qualifier, says the
size of the whole in the called AE qualifier, and where its slice belongs in the indirect reference. There is no last
mark: the message is complete when nothing is missing. Segments are not authenticated; the whole is.
Origin: Itron's stack for the layout [1]; the caps, and the comparison of the whole with its segments, are ours.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from c1222.errors import DecodeError, EncodeError, LimitExceeded
from c1222.message.acse import Acse, Fields, decode_acse
from c1222.message.ber import MAX_APDU_OCTETS

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.message.aptitle import ApTitle

    _Key = tuple[Hashable, ApTitle | None, int, tuple[int, ApTitle | None] | None]

__all__ = [
    "MAX_AGE",
    "MAX_MESSAGES",
    "MAX_PARTS",
    "MAX_TOTAL",
    "CannotSegment",
    "Incomplete",
    "Reassembled",
    "Reassembler",
    "SegmentError",
    "SegmentLimit",
    "cut",
    "slice_size",
]

MAX_TOTAL: Final = 0xFFFFFF
"""Largest APDU that can be cut, in octets: size and offset have up to three octets [1]."""
MAX_PARTS: Final = 64
"""Default limit for the disjoint ranges of one message held at a time."""
MAX_MESSAGES: Final = 64
"""Default limit for incomplete messages held at a time."""
MAX_AGE: Final = 300.0
"""Default limit for the age of an incomplete message, in seconds since its first segment came."""

_FORBIDDEN: Final = ("called-AP-invocation-id", "mechanism-name", "calling-authentication-value")


class CannotSegment(EncodeError):
    """The APDU does not fit, and cannot be cut so that its segments do: the response code sgnp."""

    code: ClassVar[int] = 0x11


class SegmentError(DecodeError):
    """A segment does not fit what came before it, or what it says itself: the response code sgerr.

    Attributes:
        segment_offset: offset of the slice in the whole, the first parameter of sgerr.
        total: size of the whole in octets, the second.
    """

    code: ClassVar[int] = 0x12

    def __init__(self, path: str, offset: int, reason: str, segment_offset: int = 0, total: int = 0) -> None:
        super().__init__(path, offset, reason)
        self.segment_offset = segment_offset
        self.total = total


class SegmentLimit(SegmentError, LimitExceeded):
    """A segmented message is past a limit."""


class Reassembled(NamedTuple):
    """A complete message.

    Attributes:
        acse: the whole APDU.
        frames: the frames its segments came in, in order of arrival.
    """

    acse: Acse
    frames: tuple[int, ...]


class Incomplete(NamedTuple):
    """A message given up.

    Attributes:
        source: what the caller said about where it came from.
        calling: title of the sender.
        invocation_id: its calling invocation id.
        total: size of the whole in octets.
        received: octets of it that came.
        frames: the frames its segments came in.
    """

    source: Hashable
    calling: ApTitle | None
    invocation_id: int
    total: int
    received: int
    frames: tuple[int, ...]


def cut(apdu: bytes, size: int) -> list[bytes]:
    """Cut an APDU.

    Args:
        apdu: the whole APDU, sealed if it is to be.
        size: octets of it that go into one segment; see :func:`slice_size`.

    Returns:
        The segments in order; the APDU itself, alone, when it has no more octets than that.

    Raises:
        CannotSegment: the APDU is a segment, or too large, or the size is not positive.
        DecodeError: this is no APDU.
    """
    if size < 1:
        raise CannotSegment(f"slices of {size} octets")
    if len(apdu) <= size:
        return [apdu]
    fields = _copied(apdu)
    return [_segment(fields, apdu[offset : offset + size], offset) for offset in range(0, len(apdu), size)]


def slice_size(apdu: bytes, limit: int) -> int:
    """Tell into slices of how many octets to cut an APDU so that no segment is larger than a limit.

    Args:
        apdu: the whole APDU.
        limit: octets the layer below takes at a time.

    Raises:
        CannotSegment: no slice is small enough, or the APDU is a segment or too large.
        DecodeError: this is no APDU.
    """
    if len(apdu) <= limit:
        return len(apdu)
    fields = _copied(apdu)

    def excess(size: int) -> int:
        return len(_segment(fields, bytes(size), len(apdu) - 1)) - limit

    size = limit
    while size > 0 and (over := excess(size)) > 0:
        size -= over
    if size < 1:
        raise CannotSegment(f"segments of this APDU need more than {limit} octets")
    while excess(size + 1) <= 0:  # a smaller slice may have saved an octet of a length
        size += 1
    return size


def _copied(apdu: bytes) -> Fields:
    # What a segment takes over from the whole, with the whole's size.
    if len(apdu) > MAX_TOTAL:
        raise CannotSegment(f"an APDU of {len(apdu)} octets, segments can tell {MAX_TOTAL}")
    whole = decode_acse(apdu, max_size=MAX_TOTAL)
    if whole.is_segment:
        raise CannotSegment("a segment cannot be cut again")
    return {
        "application_context": whole.application_context,
        "called": whole.called,
        "called_ae_qualifier": len(apdu),
        "calling": whole.calling,
        "calling_ae_qualifier": whole.calling_ae_qualifier,
        "calling_invocation_id": whole.calling_invocation_id,
    }


def _segment(fields: Fields, octets: bytes, offset: int) -> bytes:
    return Acse.build(user_information=octets, **(fields | {"indirect_reference": offset})).octets


class _Partial:
    """A message some segments of which are missing."""

    __slots__ = ("buffer", "called", "first", "frames", "peer", "ranges")

    def __init__(self, total: int, called: ApTitle | None, peer: Hashable, now: float) -> None:
        self.buffer = bytearray(total)
        self.called = called
        self.peer = peer
        self.first = now
        self.ranges: list[tuple[int, int]] = []  # in order, apart from each other
        self.frames: list[int] = []

    @property
    def received(self) -> int:
        return sum(end - start for start, end in self.ranges)


class Reassembler:
    """Puts segmented messages together, in whatever order their segments come. It has no clock: ``now`` is given.

    A message is known by its source, the calling title and the calling invocation id. A segment that is refused leaves
    the message it belongs to as it was.

    Where anybody may send segments in another's name, a wrong one that came first must not keep the true ones away, nor
    their repetition. With ``spoofable`` a segment that contradicts others is therefore not refused: what came last
    counts, and segments with another size or called title begin a message of their own. The MAC of the whole tells.

    Args:
        max_octets: limit for the size of a message.
        max_parts: limit for the disjoint ranges of a message held at a time.
        max_messages: limit for incomplete messages; when it is reached the oldest one goes, of who has most of them.
        spoofable: see above.
        max_age: limit for the age of an incomplete message in seconds.

    Attributes:
        evicted: messages given up because no room was left.
        expired: messages given up because of their age.
        refused: segments refused, and messages that were wrong when they were complete.
        lost: the messages given up last, for the caller to take out; as many as incomplete ones are held.
    """

    def __init__(
        self,
        *,
        max_octets: int = MAX_APDU_OCTETS,
        max_parts: int = MAX_PARTS,
        max_messages: int = MAX_MESSAGES,
        max_age: float = MAX_AGE,
        spoofable: bool = False,
    ) -> None:
        self._max_octets = max_octets
        self._max_parts = max_parts
        self._max_messages = max_messages
        self._max_age = max_age
        self._spoofable = spoofable
        self._partials: dict[_Key, _Partial] = {}
        self.evicted = 0
        self.expired = 0
        self.refused = 0
        self.lost: deque[Incomplete] = deque(maxlen=max_messages)

    def __len__(self) -> int:
        return len(self._partials)

    def add(
        self,
        segment: Acse,
        now: float,
        *,
        source: Hashable = None,
        peer: Hashable = None,
        frame: int | None = None,
    ) -> Reassembled | None:
        """Take a segment.

        Args:
            segment: an APDU with a called AE qualifier.
            now: seconds, on any clock that does not run backwards.
            source: keeps apart what came on different ways, if that is wanted.
            peer: the peer to whose share of the memory it counts.
            frame: number of the frame it came in, to be listed in the result.

        Returns:
            The complete message, or None while octets are missing.

        Raises:
            SegmentError: the segment is refused, or the message is wrong now that it is complete; it is dropped then.
            SegmentLimit: the same because of a limit.
            DecodeError: an element of the segment is malformed.
        """
        self.expire(now)
        try:
            return self._add(segment, now, source, peer, frame)
        except DecodeError:
            self.refused += 1
            raise

    def expire(self, now: float) -> None:
        """Give up the messages that are too old."""
        while self._partials:
            key, partial = next(iter(self._partials.items()))
            if now - partial.first <= self._max_age:
                break
            self._give_up(key)
            self.expired += 1

    def close(self) -> None:
        """Give up everything that is incomplete: :attr:`lost` holds it then."""
        for key in tuple(self._partials):
            self._give_up(key)

    def _give_up(self, key: _Key) -> None:
        partial = self._partials.pop(key)
        self.lost.append(Incomplete(*key[:3], len(partial.buffer), partial.received, tuple(partial.frames)))

    def _make_room(self, peer: Hashable) -> None:
        """Give up a message if there is no room for another one of a peer."""
        if len(self._partials) < self._max_messages:
            return
        held = Counter(partial.peer for partial in self._partials.values())
        held[peer] += 1
        most = max(held.values())
        self._give_up(next(key for key, partial in self._partials.items() if held[partial.peer] == most))
        self.evicted += 1

    def _add(
        self, segment: Acse, now: float, source: Hashable, peer: Hashable, frame: int | None
    ) -> Reassembled | None:
        total = segment.called_ae_qualifier
        reference, first, last = segment.user_information
        start = reference or 0
        end = start + last - first

        def refuse(path: str, offset: int, reason: str) -> SegmentError:
            return SegmentError(path, offset, reason, start, total or 0)

        if total is None:
            raise refuse("acse.called-AE-qualifier", 0, "the element is missing: this is no segment")
        for name in _FORBIDDEN:
            if span := segment.span(name):
                raise refuse(f"acse.{name}", span.start, "the element is not allowed in a segment")
        if not start < end <= total:
            raise refuse("acse.user-information", first, f"octets {start} to {end} of {total} are not possible")
        if total > self._max_octets:
            reason = f"a message of {total} octets, the limit is {self._max_octets}"
            raise SegmentLimit("acse.called-AE-qualifier", 0, reason, start, total)
        apart = (total, segment.called) if self._spoofable else None
        key = (source, segment.calling, segment.calling_invocation_id, apart)
        partial = self._partials.get(key) or _Partial(total, segment.called, peer, now)
        if len(partial.buffer) != total:
            raise refuse("acse.called-AE-qualifier", 0, f"the message had {len(partial.buffer)} octets before")
        if partial.called != segment.called:
            raise refuse("acse.called-AP-title", 0, "the message was for another node before")
        octets = segment.octets[first:last]
        before = partial.received
        ranges = [(start, end)]
        for one, other in partial.ranges:
            low, high = max(one, start), min(other, end)
            if not self._spoofable and low < high and partial.buffer[low:high] != octets[low - start : high - start]:
                raise refuse("acse.user-information", first, f"octets {low} to {high} came with another content before")
            if low <= high:  # they overlap or touch
                ranges[0] = (min(ranges[0][0], one), max(ranges[0][1], other))
            else:
                ranges.append((one, other))
        if len(ranges) > self._max_parts:
            reason = f"{len(ranges)} separate parts, the limit is {self._max_parts}"
            raise SegmentLimit("acse.user-information", first, reason, start, total)
        partial.buffer[start:end] = octets
        partial.ranges = sorted(ranges)
        if frame is not None and partial.received > before:
            partial.frames.append(frame)
        if partial.ranges != [(0, total)]:
            if key not in self._partials:
                self._make_room(peer)
                self._partials[key] = partial
            return None
        self._partials.pop(key, None)
        return Reassembled(self._whole(segment, bytes(partial.buffer), start), tuple(partial.frames))

    def _whole(self, segment: Acse, octets: bytes, start: int) -> Acse:
        # What is complete must be an APDU of exactly this size, from and to the same nodes.
        def refuse(path: str, offset: int, reason: str) -> SegmentError:
            return SegmentError(path, offset, reason, start, len(octets))

        try:
            whole = decode_acse(octets, max_size=self._max_octets)
            if whole.is_segment:
                raise refuse("acse.called-AE-qualifier", 0, "a segment of segments")
            for field, path in (
                ("called", "acse.called-AP-title"),
                ("calling", "acse.calling-AP-title"),
                ("calling_invocation_id", "acse.calling-AP-invocation-id"),
            ):
                if getattr(whole, field) != getattr(segment, field):
                    raise refuse(path, 0, "the reassembled message says otherwise than its segments")
        except SegmentError:
            raise
        except DecodeError as error:
            raise refuse(error.path, error.offset, f"the reassembled message: {error.reason}") from None
        return whole
