"""What several families make messages of: titles, elements as octets, and the elements of an APDU one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.message.acse import decode_acse
from c1222.message.aptitle import DEFAULT_BASE
from c1222.message.ber import length_size, tlv

if TYPE_CHECKING:
    from random import Random

__all__ = [
    "MECHANISM",
    "absolute_title",
    "apdu_of",
    "elements_of",
    "filling",
    "iv",
    "keys",
    "number",
    "relative_title",
    "user_information",
]

MECHANISM: Final = "2.16.124.113620.1.22.2.1"
"""The security mechanism of C12.22 [1]."""


def keys(rng: Random) -> list[bytes]:
    """Return a key for each key id, so that all messages of a family can be opened with one table."""
    return [rng.randbytes(16) for _ in range(256)]


def number(rng: Random, octets: int) -> int:
    """Return an invocation id of so many octets that signed and unsigned readers agree on."""
    low = 1 << 8 * octets - 8 if octets > 1 else 1
    return low + rng.randrange((1 << 8 * octets - 1) - low)


def iv(rng: Random) -> bytes:
    """Return an initialisation vector: seconds since 1970 UTC, somewhere from 2020 to 2029."""
    return (1_577_836_800 + rng.randrange(315_360_000)).to_bytes(4)


def relative_title(rng: Random, arcs: int = 2) -> str:
    """Return a relative title whose last arc is not 0."""
    return "." + ".".join(str(1 + rng.randrange(20_000)) for _ in range(arcs))


def absolute_title(rng: Random, *, default_base: bool = False) -> str:
    """Return an absolute title, under the default base or elsewhere."""
    if default_base:
        return str(DEFAULT_BASE) + relative_title(rng)
    return f"1.3.6.1.4.1.{1 + rng.randrange(60_000)}{relative_title(rng)}"


def filling(rng: Random, octets: int) -> list[bytes]:
    """Return services that with their lengths take so many octets: one, or a small one before it where one cannot."""
    size = next((octets - head for head in (1, 2, 3) if length_size(octets - head) == head), 0)
    return [b"\x4e" + rng.randbytes(size - 1)] if size else [b"\x52", *filling(rng, octets - 2)]


def elements_of(octets: bytes) -> dict[int, bytes]:
    """Return the elements of an APDU by tag, in order."""
    acse = decode_acse(octets)
    return {tag: octets[begin:end] for tag, (begin, _, end) in acse.spans.items()}


def apdu_of(*elements: bytes) -> bytes:
    """Return an APDU of these elements."""
    return tlv(0x60, b"".join(elements))


def user_information(string: bytes, *, reference: bytes = b"") -> bytes:
    """Return the element BE around a string.

    Args:
        string: the octet-aligned string.
        reference: the element of an indirect reference, or nothing.
    """
    return tlv(0xBE, tlv(0x28, reference + tlv(0x81, string)))
