"""New sequence numbers for one direction of a TCP connection whose messages change their size.

Every octet of the old stream has its place in the new one: octets between messages that change stay as they are, and a
message that changes goes, whole, where its last octet was. So whatever cut of the old stream a packet held, sent again
or out of order, there is one cut of the new stream that stands for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Final

__all__ = ["REMEMBERED_OCTETS", "Renumbering"]

REMEMBERED_OCTETS: Final = 16_384
"""Octets of a direction, behind those written last, that are still written anew when they come again."""

_MODULUS: Final = 1 << 32
_HALF: Final = 1 << 31


class Renumbering:
    """The places of one direction. Positions are sequence numbers that go on behind 2^32.

    Args:
        sequence: a sequence number of the direction, from which positions are counted.

    Attributes:
        written_end: position behind the octets of the packets written so far.
    """

    __slots__ = ("_before", "_changed", "_ends", "_fixed", "_latest", "_shift", "_starts", "_waiting", "written_end")

    def __init__(self, sequence: int) -> None:
        self._latest = self.written_end = sequence
        self._shift = 0  # of what is behind all changes
        self._fixed = sequence - _HALF  # what is before it was written, or cannot be
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._changed: list[tuple[bytes, str]] = []
        self._before: list[int] = []  # the shift before each change
        self._waiting: list[int] = []

    def position(self, sequence: int) -> int:
        """Return the position of a sequence number, the nearest to what was seen last."""
        return self._latest + (sequence - self._latest + _HALF) % _MODULUS - _HALF

    def seen(self, position: int) -> None:
        """Note that octets there were seen."""
        self._latest = position

    def change(self, start: int, end: int, octets: bytes, remark: str) -> bool:
        """Put other octets in place of those from ``start`` to ``end``.

        Args:
            start: position of the first octet of a message.
            end: position behind its last.
            octets: what stands there from now on, at its end.
            remark: on the packet that holds them.

        Returns:
            Whether that can be done: not where a packet with some of them was written already.
        """
        if start < self._fixed:
            return False
        at = bisect_left(self._starts, start)
        self._starts.insert(at, start)
        self._ends.insert(at, end)
        self._changed.insert(at, (octets, remark))
        self._before.insert(at, self._before[at - 1] + self._difference(at - 1) if at else self._base())
        difference = self._difference(at)
        for later in range(at + 1, len(self._before)):
            self._before[later] += difference
        self._shift += difference
        return True

    def wait(self, start: int) -> None:
        """Have all from there on wait, until `go_on`: whether it changes is not known yet."""
        insort(self._waiting, start)

    def go_on(self, start: int) -> None:
        """Take back a `wait`."""
        if start in self._waiting:
            self._waiting.remove(start)

    def waits(self, end: int) -> bool:
        """Tell whether octets before ``end`` wait."""
        return bool(self._waiting) and self._waiting[0] < end

    def fix(self, end: int) -> None:
        """Leave octets before ``end`` as they are, if no change was made of them so far."""
        self._fixed = max(self._fixed, end)
        while self._waiting and self._waiting[0] < end:
            del self._waiting[0]

    @property
    def is_plain(self) -> bool:
        """Whether nothing changes."""
        return not self._shift and not self._starts

    def new(self, position: int) -> int:
        """Return the position that one of the old stream has in the new."""
        at = bisect_right(self._starts, position) - 1
        if at < 0:
            return position + self._base()
        if position < self._ends[at]:
            return self._starts[at] + self._before[at]
        return position + self._before[at] + self._difference(at)

    def octets(self, start: int, data: bytes) -> tuple[bytes, list[str]]:
        """Return what a packet of the new stream holds, and the remarks on it.

        Args:
            start: position of the first octet that the old packet holds.
            data: its octets.
        """
        parts: list[bytes] = []
        remarks: list[str] = []
        place, end = start, start + len(data)
        for at in range(max(0, bisect_right(self._starts, start) - 1), len(self._starts)):
            first, last = self._starts[at], self._ends[at]
            if first >= end:
                break
            if last <= place:
                continue
            octets, remark = self._changed[at]
            parts.append(data[place - start : max(0, first - start)])
            if last <= end:
                parts.append(octets)
                if octets:
                    remarks.append(remark)
            if last > end or not octets:
                remarks.append(_ELSEWHERE)
            place = min(last, end)
        parts.append(data[place - start :])
        return b"".join(parts), list(dict.fromkeys(remarks))

    def wrote(self, end: int) -> None:
        """Note that a packet with octets before ``end`` was written, and forget changes far behind."""
        self.written_end = max(self.written_end, end)
        self.fix(end)
        count = bisect_right(self._ends, self.written_end - REMEMBERED_OCTETS)
        if count:
            for each in (self._starts, self._ends, self._changed, self._before):
                del each[:count]

    def _difference(self, at: int) -> int:
        return len(self._changed[at][0]) - (self._ends[at] - self._starts[at])

    def _base(self) -> int:
        """Return the shift before all changes that are remembered."""
        return self._before[0] if self._before else self._shift


_ELSEWHERE: Final = "c1222: octets of a message that is whole in another packet"
