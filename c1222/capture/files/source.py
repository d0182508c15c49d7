"""The octets of a capture file, front to back: from a path, a file object or standard input, compressed or not."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from c1222.capture.files.compression import READ_SIZE, CaptureError, inflated

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterator

__all__ = ["READ_SIZE", "CaptureError", "OctetSource"]


class OctetSource:
    """Reads a file once, in blocks, whether or not it can seek.

    Damaged compressed data end the file there, after all that could be inflated, and are kept in ``damage``.

    Args:
        source: path of the file, ``"-"`` for standard input, or a binary file object.

    Attributes:
        base: offset in the inflated file of the first octet that ``more`` returned last.
        octets_read: octets taken from the file so far, before inflating.
        damage: why the file ended early, if it did.

    Raises:
        OSError: the file cannot be opened or read.
    """

    def __init__(self, source: str | os.PathLike[str] | IO[bytes]) -> None:
        self.base = 0
        self.octets_read = 0
        self.damage: CaptureError | None = None
        self._owned: IO[bytes] | None = None
        if not isinstance(source, str | os.PathLike):
            file = source
        elif source == "-":
            file = sys.stdin.buffer
        else:
            file = self._owned = cast("IO[bytes]", Path(source).open("rb", buffering=0))  # noqa: SIM115
        # read1 returns what a pipe has now, where read waits for a whole block
        self._read_file: Callable[[int], bytes] = getattr(file, "read1", file.read)
        self._chunks = inflated(self._read)

    def close(self) -> None:
        """Close the file if it was opened here."""
        if self._owned is not None:
            self._owned.close()

    def more(self, buffer: bytes, pos: int, need: int) -> bytes:
        """Return the octets from ``pos`` on, at least ``need`` of them unless the file ends before.

        Args:
            buffer: what this function returned last.
            pos: how many octets of it are done with.
            need: octets wanted.
        """
        self.base += pos
        parts = [buffer[pos:]]
        have = len(parts[0])
        while have < need:
            try:
                octets = next(self._chunks, b"")
            except CaptureError as error:
                self.damage = error
                break
            if not octets:
                break
            parts.append(octets)
            have += len(octets)
        return b"".join(parts)

    def pass_over(self, buffer: bytes, pos: int, size: int) -> tuple[bytes, int]:
        """Drop ``size`` octets from ``pos`` on without keeping them; return what follows, and how many are missing."""
        while size > len(buffer) - pos:
            size -= len(buffer) - pos
            buffer = self.more(buffer, len(buffer), 1)
            pos = 0
            if not buffer:
                return b"", size
        return self.more(buffer, pos + size, 0), 0

    def search(
        self, buffer: bytes, pos: int, pattern: re.Pattern[bytes], check: Callable[[bytes, int], bool], size: int
    ) -> tuple[bytes, int]:
        """Find a place behind ``pos`` where the reading can go on.

        Args:
            buffer: what ``more`` returned last.
            pos: where it cannot go on.
            pattern: what such a place starts with.
            check: tells whether a place of the buffer that starts so is one.
            size: octets to look through at least, if there are as many.

        Returns:
            A buffer, and the place in it, -1 when there is none.
        """
        if len(buffer) - pos < size:
            buffer = self.more(buffer, pos, size)
            pos = 0
        found = pattern.search(buffer, pos + 1)
        while found is not None and not check(buffer, found.start()):
            found = pattern.search(buffer, found.start() + 1)
        return buffer, -1 if found is None else found.start()

    def lines(self, buffer: bytes, max_line: int) -> Iterator[str]:
        """Yield the lines of a text from here on, without their ends.

        Args:
            buffer: what ``more`` returned last.
            max_line: octets of a line; a longer one is cut in pieces.
        """
        pos = 0
        while True:
            end = buffer.find(b"\n", pos)
            while end < 0 and len(buffer) - pos <= max_line:
                there = len(buffer) - pos
                buffer = self.more(buffer, pos, there + 1)
                pos = 0
                end = buffer.find(b"\n", there)
                if len(buffer) == there:
                    break
            if end < 0:
                end = min(len(buffer), pos + max_line)
            if end == pos == len(buffer):
                return
            yield buffer[pos:end].decode("utf-8", "replace")
            pos = end + (buffer[end : end + 1] == b"\n")

    def _read(self) -> bytes:
        octets = self._read_file(READ_SIZE)
        self.octets_read += len(octets)
        return octets
