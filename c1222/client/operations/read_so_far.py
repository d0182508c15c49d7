"""What a read has brought so far, so that it can tell how far it is, and go on after an interruption."""

from __future__ import annotations

from typing import Protocol

from c1219.stretches import Stretches

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
        known: what is known of tables that came in pieces, by identifier.
        whole: octets of tables that came in one piece, by identifier.
        done: octets that are here.
        total: octets that are wanted; None while that is not known.
    """

    __slots__ = ("_earlier", "_progress", "done", "known", "total", "whole")

    def __init__(self, progress: Progress | None = None, earlier: ReadSoFar | None = None) -> None:
        self.known: dict[int, Stretches] = {}
        self.whole: dict[int, bytes] = {}
        self.done = 0
        self.total: int | None = None
        self._progress = progress
        self._earlier = earlier

    @property
    def pieces(self) -> dict[int, dict[int, bytes]]:
        """Table identifier, offset, octets; pieces that touch are one."""
        whole = {table: {0: octets} for table, octets in self.whole.items()}
        return whole | {table: known.pieces for table, known in self.known.items()}

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
        if whole:
            self.whole[table] = octets
            self.known.pop(table, None)
        else:
            known = self.known.get(table)
            if known is None:
                known = self.known[table] = Stretches({0: self.whole.get(table, b"")})
            known.put(offset, octets)
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
        whole = source.whole.get(table)
        if count is None and whole is not None:
            return whole
        if count is not None:
            known = source.known.get(table)
            if known is None:
                known = Stretches({0: whole or b""})
            if found := known.run(offset, count):
                return found
        return source.earlier(table, offset, count)
