"""What a listener keeps of the tables of one node: octets, since when, from which frames, verified or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.stretches import Stretches
from c1222.capture.captured_device import TableSeen, instant
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1222.capture.message import CapturedMessage

__all__ = ["MAX_FRAMES", "KnownTable", "verified_by"]

MAX_FRAMES: Final = 8
"""Frames listed for a table: the last that brought octets of it."""
_OVERHEAD: Final = 512
"""What a table, and each stretch of one, costs beside its octets, about."""


def verified_by(message: CapturedMessage) -> bool | None:
    """Return what stands for what a message says: see `TableSeen.verified`.

    A response is worth no more than the request that it answers, since that tells which table its octets are of.
    """
    authenticated = message.authenticated
    if authenticated and message.is_response and not message.request_verified:
        return False
    if authenticated is None and message.verdict is not Verdict.CLEARTEXT:
        return False
    return authenticated


class KnownTable:
    """The octets of one table.

    Attributes:
        octets: the whole table, or what is known of it.
        verified: see `TableSeen.verified`.
    """

    __slots__ = ("_first_ns", "_frames", "last_ns", "octets", "verified")

    def __init__(self, octets: bytes | Stretches, verified: bool | None, time_ns: int, frame: int) -> None:
        self.octets = octets
        self.verified = verified
        self._first_ns = self.last_ns = time_ns
        self._frames: tuple[int, ...] = (frame,)

    @property
    def size(self) -> int:
        """What it costs to keep, about."""
        octets = self.octets
        if isinstance(octets, Stretches):
            return octets.octets + _OVERHEAD * (octets.count + 1)
        return len(octets) + _OVERHEAD

    @property
    def seen(self) -> TableSeen:
        """Where it comes from."""
        return TableSeen(instant(self._first_ns), instant(self.last_ns), self._frames, self.verified)

    def again(self, time_ns: int, frame: int) -> None:
        """Note that the same octets were seen once more, or others of the table."""
        self.last_ns = time_ns
        self._frames = (*self._frames[-MAX_FRAMES + 1 :], frame)

    def put(self, offset: int, octets: bytes) -> None:
        """Put octets into the table."""
        own, end = self.octets, offset + len(octets)
        if isinstance(own, Stretches):
            own.put(offset, octets)
        elif end <= len(own):
            if own[offset:end] != octets:
                self.octets = own[:offset] + octets + own[end:]
        else:
            self.octets = Stretches({0: own, offset: octets})

    def forget(self, stretches: Iterable[tuple[int, int]]) -> None:
        """Forget octets, each from one offset to another."""
        own = self.octets
        known = own if isinstance(own, Stretches) else Stretches({0: own})
        before = known.octets
        for start, end in stretches:
            known.remove(start, end)
        if known.octets != before:
            self.octets = known

    def differs(self, offset: int | None, octets: bytes) -> bool:
        """Tell whether octets that are known here have other values there.

        Args:
            offset: where they start; None for a whole table.
            octets: the others.
        """
        own = self.octets
        if isinstance(own, bytes) and offset is None:
            return own != octets
        first = offset or 0
        for start, known in (own.pieces if isinstance(own, Stretches) else {0: own}).items():
            low, high = max(start, first), min(start + len(known), first + len(octets))
            if low < high and known[low - start : high - start] != octets[low - first : high - first]:
                return True
        return False
