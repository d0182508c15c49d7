"""The canonical header by a second hand: plain BER from the octets, nothing of the library."""

from __future__ import annotations

BASE = bytes.fromhex("607c86f7540116") + b"\0"


def element(octets: bytes, at: int) -> tuple[int, int, int]:
    """Return tag, start of the content, end of an element."""
    tag, first = octets[at], octets[at + 1]
    if first < 0x80:
        return tag, at + 2, at + 2 + first
    start = at + 2 + (first & 0x7F)
    return tag, start, start + int.from_bytes(octets[at + 2 : start], "big")


def elements(octets: bytes, at: int, end: int) -> dict[int, tuple[int, int, int]]:
    """Return begin, start of the content, end of each element by tag; a tag of several octets is skipped."""
    found = {}
    while at < end:
        tag, start, stop = element(octets, at)
        found[tag] = (at, start, stop)
        at = stop
    return found


def minimal(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = (
        bytes([size]) if size < 0x80 else bytes([0x81, size]) if size < 0x100 else b"\x82" + size.to_bytes(2, "big")
    )
    return bytes([tag]) + length + content


def oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    return b"".join(map(base_128, [40 * first + second, *rest]))


def base_128(arc: int) -> bytes:
    octets = [arc & 0x7F]
    while arc := arc >> 7:
        octets.append(arc & 0x7F | 0x80)
    return bytes(octets[::-1])


def canonical(apdu: bytes, key_id: int | None, iv: bytes, base: str | None = None) -> bytes:
    """Return N: A1 A2 A4 A7 A8 8B AC BE A6, key id, vector."""
    _, start, end = element(apdu, 0)
    found = elements(apdu, start, end)
    root = BASE if base is None else oid(base)
    if 0xA1 in found:
        _, inner, stop = found[0xA1]
        _, first, last = element(apdu, inner)
        assert last == stop
        root = apdu[first:last] + b"\0"
    result = b""
    for tag in (0xA1, 0xA2, 0xA4, 0xA7, 0xA8, 0x8B, 0xAC, 0xBE, 0xA6):
        if tag not in found:
            continue
        begin, start, end = found[tag]
        if tag in (0xA2, 0xA6):
            kind, first, last = element(apdu, start)
            content = apdu[first:last] if kind == 6 else root + apdu[first:last]
            result += minimal(tag, minimal(6, content))
        elif tag == 0xBE:
            _, external, stop = element(apdu, start)
            string = elements(apdu, external, stop)[0x81]
            result += apdu[begin : string[1] + 1]
        else:
            result += apdu[begin:end]
    return result + (b"" if key_id is None else bytes([key_id])) + iv


def string_of(apdu: bytes) -> bytes:
    """Return the octet-aligned string of the user information."""
    _, start, end = element(apdu, 0)
    _, start, end = elements(apdu, start, end)[0xBE]
    _, start, end = element(apdu, start)
    _, start, end = elements(apdu, start, end)[0x81]
    return apdu[start:end]
