"""What a read has brought so far, so that it can tell how far it is, and go on after an interruption."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Progress", "ReadSoFar"]


class Progress(Protocol):
    """Called while a read goes on."""

    def __call__(self, done: int, total: int | None, /) -> None:
        """Take how many octets of table data are here, of how many; None while that is not known."""


class ReadSoFar:
    """The octets of tables that a read has brought, piece by piece.

    Args:
        progress: called after each answer.
        earlier: what an interrupted read brought.

    Attributes:
        pieces: table identifier, offset, octets.
        whole: identifiers of tables that came in one piece.
        done: octets that are here.
        total: octets that are wanted; None while that is not known.
    """

    __slots__ = ("_earlier", "_progress", "done", "pieces", "total", "whole")

    def __init__(self, progress: Progress | None = None, earlier: ReadSoFar | None = None) -> None:
        self.pieces: dict[int, dict[int, bytes]] = {}
        self.whole: set[int] = set()
        self.done = 0
        self.total: int | None = None
        self._progress = progress
        self._earlier = earlier

    @property
    def resumes(self) -> bool:
        """Whether there was an interrupted read."""
        return self._earlier is not None

    def put(self, table: int, offset: int, octets: bytes, *, whole: bool = False) -> None:
        """Keep a piece.

        Args:
            table: identifier of the table.
            offset: of its first octet.
            octets: the piece.
            whole: whether it is all of the table.
        """
        self.pieces.setdefault(table, {})[offset] = octets
        if whole:
            self.whole.add(table)
        self.done += len(octets)
        if self._progress is not None:
            self._progress(self.done, self.total)

    def earlier(self, table: int, offset: int, count: int | None) -> bytes | None:
        """Return octets that the interrupted read brought, from an offset on; None if it brought none.

        Args:
            table: identifier of the table.
            offset: of the first octet that is wanted.
            count: how many are wanted at most; None for the whole table, which only a whole table serves.
        """
        source = self._earlier
        if source is None:
            return None
        pieces: Mapping[int, bytes] = source.pieces.get(table, {})
        if count is None:
            return pieces[0] if table in source.whole else source.earlier(table, offset, count)
        for start, octets in pieces.items():
            if start <= offset < start + len(octets):
                return octets[offset - start : offset - start + count]
        return source.earlier(table, offset, count)
