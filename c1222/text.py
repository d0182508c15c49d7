"""Text of files that a person edits, and values in terms of JSON as a person reads them."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["leaves", "read_text", "without_mark"]


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


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the elements of a value in terms of JSON, each with its path: ``SUMMATIONS[0].VALUE``.

    A list of scalars is one element, and so is an empty mapping.
    """
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for number, part in enumerate(value):
            yield from leaves(part, f"{path}[{number}]")
    else:
        yield path, value
