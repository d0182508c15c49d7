"""Times in few numbers: how often those of like size occurred, so that quantiles take bounded memory."""

from __future__ import annotations

from typing import Final

__all__ = ["Histogram"]

_BITS: Final = 8
"""Leading bits in which like times agree: quantiles are within 1 in 128 of the truth."""


class Histogram:
    """A number of times; the least, the largest and what occurs again and again are exact, the rest to 1 in 128.

    Attributes:
        count: how many there are.
        least: the least of them, 0 if there are none.
        largest: the largest of them, likewise.
    """

    __slots__ = ("_bins", "count", "largest", "least")

    def __init__(self) -> None:
        self.count = self.least = self.largest = 0
        self._bins: dict[int, list[int]] = {}  # by their least time: how many, and their sum

    def add(self, nanoseconds: int) -> None:
        """Add one.

        Args:
            nanoseconds: the time, of either sign.
        """
        if not self.count or nanoseconds < self.least:
            self.least = nanoseconds
        if not self.count or nanoseconds > self.largest:
            self.largest = nanoseconds
        self.count += 1
        shift = nanoseconds.bit_length() - _BITS
        like = nanoseconds >> shift << shift if shift > 0 else nanoseconds
        alike = self._bins.get(like)
        if alike is None:
            alike = self._bins[like] = [0, 0]
        alike[0] += 1
        alike[1] += nanoseconds

    def quantile(self, share: float) -> int:
        """Return the time that this share of all do not exceed; 0 if there are none.

        Args:
            share: 0..1; 0.5 for the median, the lower of two.
        """
        wanted = share * self.count
        seen = 0
        for least in sorted(self._bins):
            count, total = self._bins[least]
            seen += count
            if seen >= wanted:
                return min(max(total // count, self.least), self.largest)
        return self.largest
