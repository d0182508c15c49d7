"""Text of strangers, made safe to print: a meter must neither steer a terminal nor write a line of its own (CWE-150).

What is not printable in the sense of `str.isprintable` is escaped: control characters C0 and C1, DEL, separators of
lines and paragraphs, format characters, which turn the direction of text or are not to be seen, lone surrogates, and
what Unicode assigns no character to.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["code_units", "inert", "printable", "printable_json"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)


def printable(text: str) -> str:
    r"""Return text with what is not printable, line ends too, escaped as in Python: ``\x1b``, ``\n``, ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


def printable_json(text: str) -> str:
    r"""Return JSON text that says the same, with what is not printable escaped as ``\uXXXX``; line ends stay.

    Args:
        text: JSON as `json.dumps` makes it: line ends are not part of a value.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else code_units(one) for one in text)


def code_units(text: str) -> str:
    r"""Return text as escapes ``\uXXXX``, a pair of surrogates for what is above FFFF, as JSON has it."""
    octets = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{octets[at]:02x}{octets[at + 1]:02x}" for at in range(0, len(octets), 2))


def inert(text: str) -> str:
    """Return text for a cell of a spreadsheet: printable, with an apostrophe before a formula; a number stays one."""
    formula = text.startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return printable(f"'{text}" if formula else text)
