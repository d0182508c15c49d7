r"""Octets written in hex, as people paste them: lines of digits, and the dumps that programs print.

A line of digits is an APDU, or a whole frame; it may be spaced, comma- or colon-separated, with ``0x`` or ``\x``, and
an APDU may go on in the next lines until its length is reached. A dump has offsets in front: those of ``xxd``,
``hexdump -C``, ``tshark -x``, and what Wireshark copies; the text at its right is left out. A dump ends with an empty
line, or where the offsets begin anew. ``#`` starts a comment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.errors import DecodeError
from c1222.message.ber import APDU_TAG, MAX_APDU_OCTETS, apdu_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAX_LINE", "BadLine", "Pasted", "is_hex_text", "is_text", "pasted"]

MAX_LINE: Final = 1 << 20
"""Octets of one line."""

_LOOKED_AT: Final = 4096  # octets that tell hex from what is no text
_TEXT: Final = re.compile(rb"(?:\xef\xbb\xbf)?[\t\r\n\x20-\x7e\x80-\xff]*")
_OFFSET: Final = re.compile(r"([0-9A-Fa-f]{4,8})(:?)\s+(\S.*)")
_GROUP: Final = re.compile(r"(\s*)([0-9A-Fa-f]+)(?=\s|$)")
_END: Final = re.compile(r"[0-9A-Fa-f]{4,8}")
_NOISE: Final = re.compile(r"0[xX]|\\x|[\s:,;._\-'\"{}()\[\]]")
_DIGITS: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
# what tshark -x prints besides: the summary of a frame, and the name of what was put together of several
_SUMMARY: Final = re.compile(r"\d+\s+\d+\.\d+\s.*(?:→|->)")
_TITLE: Final = re.compile(r"([A-Z][\w /.]*) \(\d+ (?:bytes?|octets?)\):")
_OF_FRAMES: Final = ("Frame", "Packet")
_ROW: Final = 16  # octets of a row in all dumps but that of xxd


class Pasted(NamedTuple):
    """Octets, and the number of the line where they start, from 1."""

    line: int
    octets: bytes


class BadLine(NamedTuple):
    """A line that was not read, and why; ``foreign`` is what other programs print around their dumps."""

    line: int
    reason: str
    foreign: bool = False


def is_text(start: bytes) -> bool:
    """Tell by the start of a file whether it is text."""
    return _TEXT.fullmatch(start[:_LOOKED_AT]) is not None


def is_hex_text(start: bytes) -> bool:
    """Tell by the start of a file whether it is text with hex in it."""
    start = start[:_LOOKED_AT]
    if not is_text(start):
        return False
    return any(isinstance(item, Pasted) for item in pasted(start.decode("utf-8", "replace").splitlines()[:64]))


def pasted(lines: Iterable[str], *, max_size: int = MAX_APDU_OCTETS) -> Iterator[Pasted | BadLine]:
    """Yield what is written in lines, in their order.

    Args:
        lines: the lines.
        max_size: octets of the largest APDU, and of the largest frame.
    """
    parser = _Parser(max_size)
    for number, line in enumerate(lines, 1):
        yield from parser.line(number, line.lstrip("\ufeff").split("#")[0].strip(), empty=not line.strip())
    yield from parser.flush()


class _Parser:
    """What is known of the octets that are being read."""

    def __init__(self, max_size: int) -> None:
        self._max_size = max_size
        self._octets = bytearray()
        self._start = 0
        self._dump = self._repeats = self._derived = False
        self._row = b""

    def flush(self) -> list[Pasted | BadLine]:
        """Return the octets that are complete now."""
        found = [Pasted(self._start, bytes(self._octets))] if self._octets and not self._derived else []
        self._octets.clear()
        self._dump = self._repeats = False
        return list(found)

    def line(self, number: int, text: str, *, empty: bool) -> Iterator[Pasted | BadLine]:
        """Read one line."""
        if not text:
            if empty:
                yield from self.flush()
            return
        match = _OFFSET.fullmatch(text)
        if match is not None and (int(match[1], 16) == 0 or self._dump):
            yield from self._dumped(number, int(match[1], 16), match[3], colon=bool(match[2]))
        elif self._dump and text == "*":
            self._repeats = True
        elif self._dump and _END.fullmatch(text):
            self._fill_to(int(text, 16))
            yield from self.flush()
        elif title := _TITLE.fullmatch(text):
            yield from self.flush()
            self._derived = title[1] not in _OF_FRAMES
            yield BadLine(number, "the title of a dump", foreign=True)
        elif _SUMMARY.match(text):
            yield from self.flush()
            self._derived = False
            yield BadLine(number, "the summary of a frame", foreign=True)
        else:
            yield from self._plain(number, text)

    def _plain(self, number: int, text: str) -> Iterator[Pasted | BadLine]:
        digits = _NOISE.sub("", text)
        if not _DIGITS.fullmatch(digits):
            yield from self.flush()
            yield BadLine(number, "an odd number of digits" if re.fullmatch(r"[0-9A-Fa-f]+", digits) else "no hex")
            return
        octets = bytes.fromhex(digits)
        if self._dump or not self._goes_on(octets):
            yield from self.flush()
            if len(octets) == 1:  # which might be anything
                yield BadLine(number, "one octet")
                return
            self._start = number
            self._derived = False
        self._octets += octets
        if self._octets[0] != APDU_TAG or self._missing(self._octets) == 0:
            yield from self.flush()

    def _goes_on(self, octets: bytes) -> bool:
        """Tell whether octets complete the APDU of the lines before."""
        if not self._octets or (octets[0] == APDU_TAG and self._missing(octets) == 0):
            return False
        missing = self._missing(self._octets)
        return missing is not None and len(octets) <= missing

    def _missing(self, octets: bytes | bytearray) -> int | None:
        """Return how many octets an APDU lacks, negative if there are too many; None if it is none."""
        try:
            size = apdu_size(octets, max_size=self._max_size)
        except DecodeError:
            return None
        return (self._max_size if size is None else size) - len(octets)

    def _dumped(self, number: int, offset: int, rest: str, *, colon: bool) -> Iterator[Pasted | BadLine]:
        if offset == 0:
            yield from self.flush()
            self._start, self._dump = number, True
        self._fill_to(offset)
        if offset != len(self._octets):
            there = len(self._octets)
            yield from self.flush()
            yield BadLine(number, f"offset {offset:x} where {there:x} was to come")
            return
        row = _row(rest, colon=colon)
        if not row:
            yield from self.flush()
            yield BadLine(number, "no octets of two digits each behind the offset")
            return
        self._row = row
        self._octets += row

    def _fill_to(self, offset: int) -> None:
        """Repeat the row where ``*`` says so; drop what was text at the right of a row, not octets."""
        there = len(self._octets)
        if self._repeats and self._row and there < offset <= self._max_size:
            self._octets += (self._row * ((offset - there) // len(self._row) + 1))[: offset - there]
        elif there - len(self._row) < offset < there:
            del self._octets[offset:]
        self._repeats = False


def _row(text: str, *, colon: bool) -> bytes:
    """Return the octets at the left of a row of a dump."""
    octets = bytearray()
    pos = 0
    while group := _GROUP.match(text, pos):
        gap = len(group[1])
        # one wide gap in the middle is usual; behind any other the text begins
        if octets and (gap > 2 or (gap == 2 and (colon or len(octets) != _ROW // 2))):
            break
        if len(group[2]) % 2 or (len(group[2]) != 2 and not colon) or (len(octets) >= _ROW and not colon):
            break
        octets += bytes.fromhex(group[2])
        pos = group.end()
    return bytes(octets)
