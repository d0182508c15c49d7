"""Octets that arrive in pieces, in any order, some of them twice: IP fragments and TCP segments alike."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

__all__ = ["Pieces", "StreamPiece"]


class StreamPiece(NamedTuple):
    """Some octets, where they belong, and the frames that brought them."""

    start: int
    data: bytes
    frames: tuple[int, ...]
    time_ns: int


class Pieces:
    """Pieces that do not overlap, in order. Where two claim the same octets, those that came first stay.

    Attributes:
        octets: octets held.
    """

    __slots__ = ("_pieces", "_starts", "octets")

    def __init__(self) -> None:
        self.octets = 0
        self._starts: list[int] = []
        self._pieces: list[StreamPiece] = []

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def first(self) -> StreamPiece:
        """The first piece; there must be one."""
        return self._pieces[0]

    @property
    def end(self) -> int:
        """Where the last piece ends; there must be one."""
        last = self._pieces[-1]
        return last.start + len(last.data)

    def insert(self, start: int, data: bytes, frames: tuple[int, ...], time_ns: int) -> int:
        """Add what is new in some octets.

        Args:
            start: where they belong, 0 or more.
            data: the octets.
            frames: numbers of the frames that brought them.
            time_ns: time of the last of these.

        Returns:
            How many octets were new.
        """
        origin = start
        end = start + len(data)
        new = 0
        index = bisect_right(self._starts, start)
        if index:
            before = self._pieces[index - 1]
            start = max(start, before.start + len(before.data))
        while start < end:
            stop = min(end, self._starts[index]) if index < len(self._starts) else end
            if start < stop:
                self._starts.insert(index, start)
                self._pieces.insert(index, StreamPiece(start, data[start - origin : stop - origin], frames, time_ns))
                new += stop - start
                index += 1
            if index == len(self._pieces):
                break
            start = self._starts[index] + len(self._pieces[index].data)
            index += 1
        self.octets += new
        return new

    def take(self, position: int) -> list[StreamPiece]:
        """Remove and return the pieces that follow each other without a hole from ``position`` on."""
        count = 0
        for piece in self._pieces:
            if piece.start != position:
                break
            position += len(piece.data)
            count += 1
        taken = self._pieces[:count]
        del self._pieces[:count], self._starts[:count]
        self.octets -= sum(len(piece.data) for piece in taken)
        return taken
