"""BER as far as C12.22 uses it: definite lengths, object identifiers, and the size of an APDU in a stream.

What is sent is minimal. What comes in may have longer lengths than it needs (public clients send them), never the
indefinite form: every length is known before its content is touched, and nothing is read past the end it was given.
Origin: ISO/IEC 8825-1 sections 8.1.3, 8.19 and 8.20; limits against oversized input as pyasn1 0.6.4 set them after
its advisories of 2026.
"""

from __future__ import annotations

import re
from typing import Final

from c1222.errors import DecodeError, EncodeError, LimitExceeded

__all__ = [
    "APDU_TAG",
    "MAX_APDU_OCTETS",
    "MAX_ARCS",
    "MAX_ARC_OCTETS",
    "MAX_LENGTH_OCTETS",
    "Octets",
    "apdu_size",
    "check_oid",
    "decode_oid",
    "encode_length",
    "encode_oid",
    "length_size",
    "read_length",
    "tlv",
]

Octets = bytes | bytearray | memoryview
"""What a decoder reads from."""

APDU_TAG: Final = 0x60
"""[APPLICATION 0] constructed: the first octet of every APDU."""
MAX_APDU_OCTETS: Final = 32767
"""Default limit for a whole APDU, tag and length included; the default of Elster's MeteringSDK."""
MAX_LENGTH_OCTETS: Final = 8
"""Length octets accepted after the first; minimal lengths never need more than 4 here."""
MAX_ARCS: Final = 128
"""Default limit for the number of arcs of an object identifier."""
MAX_ARC_OCTETS: Final = 21
"""Octets of one arc, 147 bits: an arc that holds a UUID needs 19."""

_ARC = rb"(?:[\x00-\x7f]|[\x81-\xff][\x80-\xff]{0,%d}[\x00-\x7f])" % (MAX_ARC_OCTETS - 2)
_OID = re.compile(_ARC + b"*")


def encode_length(length: int) -> bytes:
    """Return the shortest definite length.

    Args:
        length: octets of content, 0..2^32-1.

    Raises:
        EncodeError: the length is out of range.
    """
    if 0 <= length < 0x80:
        return bytes((length,))
    if not 0 < length <= 0xFFFFFFFF:
        raise EncodeError(f"a length of {length} octets has no form on the wire")
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(octets),)) + octets


def length_size(length: int) -> int:
    """Return how many octets the shortest form of a length takes."""
    return 1 if length < 0x80 else 1 + (length.bit_length() + 7) // 8


def tlv(tag: int, content: bytes) -> bytes:
    """Return one element: a tag of one octet, the shortest length, the content."""
    size = len(content)
    return bytes((tag, size)) + content if size < 0x80 else bytes((tag,)) + encode_length(size) + content


def read_length(buf: Octets, pos: int, end: int, path: str = "ber") -> tuple[int, int]:
    """Read a definite length and check that its content fits.

    Args:
        buf: the octets.
        pos: where the length octets start.
        end: where the enclosing element ends; nothing is read from there on.
        path: where we are, for errors.

    Returns:
        The length, and the position of the first octet of content. The length is minimal if and only if
        ``length_size(length)`` octets were read.

    Raises:
        DecodeError: no length there, the indefinite form, the reserved FF, or content past the end.
    """
    if pos >= end:
        raise DecodeError(path, pos, "the length is missing")
    length = buf[pos]
    pos += 1
    if length >= 0x80:
        count = length & 0x7F
        if count == 0:
            raise DecodeError(path, pos - 1, "the indefinite length is not used in C12.22")
        if count > MAX_LENGTH_OCTETS:
            raise DecodeError(path, pos - 1, f"a length of {count} octets is not accepted")
        if pos + count > end:
            raise DecodeError(path, pos - 1, "the length octets run past the end")
        length = int.from_bytes(buf[pos : pos + count], "big")
        pos += count
    if length > end - pos:
        raise DecodeError(path, pos, f"{length} octets announced, {end - pos} there")
    return length, pos


def apdu_size(buf: Octets, *, max_size: int = MAX_APDU_OCTETS) -> int | None:
    """Tell the total size of the APDU that starts at the first octet.

    Args:
        buf: what a stream has delivered so far.
        max_size: limit for the whole APDU in octets.

    Returns:
        The size of the APDU in octets, tag and length included, whether or not all of it is there already;
        None when more octets are needed to tell.

    Raises:
        DecodeError: no APDU starts here.
        LimitExceeded: the APDU is larger than the limit.
    """
    available = len(buf)
    if not available:
        return None
    if buf[0] != APDU_TAG:
        raise DecodeError("acse", 0, f"an APDU starts with 60, not {buf[0]:02X}")
    if available < 2:
        return None
    length = buf[1]
    size = 2
    if length >= 0x80:
        count = length & 0x7F
        if count == 0:
            raise DecodeError("acse", 1, "the indefinite length is not used in C12.22")
        if count > MAX_LENGTH_OCTETS:
            raise DecodeError("acse", 1, f"a length of {count} octets is not accepted")
        size += count
        length = int.from_bytes(buf[2:size], "big")
        if available < size and length <= max_size:
            return None  # a partial length above the limit only grows
    if size + length > max_size:
        raise LimitExceeded("acse", 1, f"an APDU of {size + length} octets or more, the limit is {max_size}")
    return size + length


def check_oid(content: bytes, *, offset: int = 0, path: str = "oid", max_arcs: int = MAX_ARCS) -> None:
    """Check the content of an OBJECT IDENTIFIER or RELATIVE-OID without computing its arcs.

    Args:
        content: the content octets; may be empty.
        offset: where the content starts, for errors.
        path: where we are, for errors.
        max_arcs: limit for the number of encoded arcs.

    Raises:
        DecodeError: an arc has leading zeros or does not end.
        LimitExceeded: an arc, or the number of arcs, is past the limit.
    """
    if len(content) > max_arcs * MAX_ARC_OCTETS:
        raise LimitExceeded(path, offset, f"an identifier of {len(content)} octets is not accepted")
    valid = _OID.match(content)
    good = valid.end() if valid else 0
    if good != len(content):
        if content[good] == 0x80:
            raise DecodeError(path, offset + good, "an arc starts with the octet 80")
        if len(content) - good >= MAX_ARC_OCTETS:
            raise LimitExceeded(path, offset + good, f"an arc of more than {MAX_ARC_OCTETS} octets is not accepted")
        raise DecodeError(path, offset + good, "the last arc does not end")
    if len(content) > max_arcs and sum(octet < 0x80 for octet in content) > max_arcs:
        raise LimitExceeded(path, offset, f"more than {max_arcs} arcs are not accepted")


def decode_oid(
    content: bytes, *, relative: bool = False, offset: int = 0, path: str = "oid", max_arcs: int = MAX_ARCS
) -> tuple[int, ...]:
    """Turn the content of an object identifier into its arcs.

    The first subidentifier holds two arcs, ``40 * first + second``, in base 128 like any other: under the first arc 2
    the second may be of any size.

    Args:
        content: the content octets.
        relative: the content is that of a RELATIVE-OID, where every arc stands alone.
        offset: where the content starts, for errors.
        path: where we are, for errors.
        max_arcs: limit for the number of encoded arcs.

    Raises:
        DecodeError: the octets are not an object identifier.
        LimitExceeded: it is past a limit.
    """
    check_oid(content, offset=offset, path=path, max_arcs=max_arcs)
    arcs = []
    arc = 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    if relative:
        return tuple(arcs)
    if not arcs:
        raise DecodeError(path, offset, "an absolute object identifier cannot be empty")
    first = min(2, arcs[0] // 40)
    return (first, arcs[0] - 40 * first, *arcs[1:])


def encode_oid(arcs: tuple[int, ...], *, relative: bool = False) -> bytes:
    """Turn arcs into the content of an object identifier.

    Args:
        arcs: the arcs, each 0..2^147-1; of an absolute identifier at least two, the first 0..2, the second below 40
            unless the first is 2.
        relative: make the content of a RELATIVE-OID; it may be empty.

    Raises:
        EncodeError: these arcs have no form on the wire, or are past the limits the decoder has.
    """
    if not relative:
        if len(arcs) < 2 or not 0 <= arcs[0] <= 2 or arcs[1] < 0 or (arcs[0] < 2 and arcs[1] >= 40):
            raise EncodeError(
                "an absolute object identifier starts with 0, 1 or 2, then an arc, below 40 after 0 and 1"
            )
        arcs = (40 * arcs[0] + arcs[1], *arcs[2:])
    if len(arcs) > MAX_ARCS:
        raise EncodeError(f"more than {MAX_ARCS} arcs")
    content = bytearray()
    for arc in arcs:
        if arc < 0 or arc.bit_length() > 7 * MAX_ARC_OCTETS:
            raise EncodeError("an arc is negative or too large")
        shift = max(0, arc.bit_length() - 1) // 7 * 7
        while shift:
            content.append(0x80 | arc >> shift & 0x7F)
            shift -= 7
        content.append(arc & 0x7F)
    return bytes(content)
