"""Text from outside: of files that a person edits."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

__all__ = ["read_text", "without_mark"]


def without_mark(octets: bytes) -> bytes:
    """Return octets of text without the byte order mark EF BB BF, which some editors put first."""
    return octets.removeprefix(codecs.BOM_UTF8)


def read_text(path: str | os.PathLike[str]) -> str:
    """Read a text file that a person may have edited: UTF-8, with or without a byte order mark.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    return without_mark(Path(path).read_bytes()).decode("utf-8")
