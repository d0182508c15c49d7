"""Whether the write-ahead log of an SQLite file is whole.

SQLite itself reads a log up to the first frame that is not right and leaves the rest aside without a word: it cannot
tell damage from a last transaction that a crash cut off. Here, what stands behind the first wrong frame tells.
Source: the file format of SQLite, https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

from array import array
from sys import byteorder
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_damaged"]

_HEADER, _FRAME_HEADER = 32, 24
_MAGIC: Final = {0x377F0682: "little", 0x377F0683: "big"}
_MASK: Final = 0xFFFFFFFF


def is_damaged(path: Path) -> bool:
    """Return whether transactions are in a write-ahead log that SQLite will not find.

    Args:
        path: the log; one that is not there, or empty, is whole.

    Raises:
        OSError: it cannot be read.
    """
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return False
    if not octets:
        return False
    order = _MAGIC.get(int.from_bytes(octets[:4]))
    if order is None or len(octets) < _HEADER:
        return True
    check = _checksum(octets[:24], order, (0, 0))
    if check != _pair(octets, 24):
        return True
    size = _FRAME_HEADER + int.from_bytes(octets[8:12])
    frames = range(_HEADER, len(octets) - size + 1, size)
    # Frames with other salts are left over from before the log was restarted.
    ours = [at for at in frames if octets[at + 8 : at + 16] == octets[16:24]]
    for index, at in enumerate(ours):
        check = _checksum(octets[at : at + 8] + octets[at + _FRAME_HEADER : at + size], order, check)
        if at != frames[index] or check != _pair(octets, at + 16):
            # What a crash cut off is one transaction: the last.
            return sum(any(octets[later + 4 : later + 8]) for later in ours[index:]) > 1
    return False


def _pair(octets: bytes, at: int) -> tuple[int, int]:
    return int.from_bytes(octets[at : at + 4]), int.from_bytes(octets[at + 4 : at + 8])


def _checksum(octets: bytes, order: str, start: tuple[int, int]) -> tuple[int, int]:
    words = array("I", octets)
    if order != byteorder:
        words.byteswap()
    one, two = start
    numbers = iter(words)
    for number, other in zip(numbers, numbers, strict=True):
        one = one + number + two & _MASK
        two = two + other + one & _MASK
    return one, two
