"""Stretches of a table: the octets that are known where not all of them are, as partial reads and writes give them."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Stretches"]


class Stretches:
    """Octets by offset, with holes. What is put later takes the place of what was there.

    It can be decoded like octets: a slice (with both ends) that is not all known is empty, and the length is where the
    last stretch ends.

    Args:
        pieces: octets by offset, to begin with.
    """

    __slots__ = ("_held", "_starts")

    def __init__(self, pieces: Mapping[int, bytes] | None = None) -> None:
        self._starts: list[int] = []
        self._held: list[bytearray] = []
        for offset, octets in (pieces or {}).items():
            self.put(offset, octets)

    def put(self, offset: int, octets: bytes) -> None:
        """Add octets from an offset on, 0 or more."""
        if not octets:
            return
        starts, held = self._starts, self._held
        index = bisect_right(starts, offset) - 1
        if index >= 0 and offset <= starts[index] + len(held[index]):
            own, at = held[index], offset - starts[index]
            own[at : at + len(octets)] = octets
        else:
            index += 1
            own = bytearray(octets)
            starts.insert(index, offset)
            held.insert(index, own)
        end = starts[index] + len(own)
        after = index + 1
        while after < len(starts) and starts[after] <= end:
            own += held[after][end - starts[after] :]
            end = starts[index] + len(own)
            after += 1
        del starts[index + 1 : after], held[index + 1 : after]

    def remove(self, start: int, end: int) -> None:
        """Forget the octets from one offset to another."""
        pieces = self.pieces
        self._starts, self._held = [], []
        for offset, octets in pieces.items():
            self.put(offset, octets[: max(start - offset, 0)])
            self.put(max(offset, end), octets[max(end - offset, 0) :])

    def run(self, start: int, count: int) -> bytes:
        """Return at most so many octets from an offset on, as far as they are known."""
        index = bisect_right(self._starts, start) - 1
        at = start - self._starts[index] if index >= 0 else 0
        return bytes(self._held[index][at : at + count]) if index >= 0 else b""

    def read(self, start: int, end: int) -> bytes | None:
        """Return the octets from one offset to another, None if they are not all known."""
        index = bisect_right(self._starts, start) - 1
        if index < 0:
            return b"" if start == end else None
        at = start - self._starts[index]
        own = self._held[index]
        return bytes(own[at : at + end - start]) if at + end - start <= len(own) else None

    @property
    def pieces(self) -> dict[int, bytes]:
        """The octets by offset, in order; no two of them touch."""
        return {start: bytes(own) for start, own in zip(self._starts, self._held, strict=True)}

    @property
    def head(self) -> bytes:
        """The octets that are known from the start on."""
        return bytes(self._held[0]) if self._starts and not self._starts[0] else b""

    @property
    def count(self) -> int:
        """How many stretches there are."""
        return len(self._starts)

    @property
    def octets(self) -> int:
        """How many octets are known."""
        return sum(map(len, self._held))

    def __len__(self) -> int:
        return self._starts[-1] + len(self._held[-1]) if self._starts else 0

    def __getitem__(self, part: slice) -> bytes:
        return self.read(part.start, part.stop) or b""

    def __repr__(self) -> str:
        return f"<{self.octets} octets in {self.count} stretches>"
