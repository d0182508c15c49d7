"""Segmentation: an APDU cut into slices, and put together again in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.message.acse import Acse, Authentication, decode_acse
from c1222.message.aptitle import CONTEXT_OID, ApTitle
from c1222.message.ber import tlv
from c1222.message.segmentation import cut
from c1222.vectors.families.parts import apdu_of, elements_of, iv, number, relative_title, user_information

if TYPE_CHECKING:
    from random import Random

    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "segments"
PURPOSE = "APDUs cut into segments, and segments put together; the whole is secured, not the segments"


def cases(author: Author) -> None:
    rng = author.rng
    wholes = [_whole(rng, size) for size in (20, 100, 300, 700)]
    author.group("cut", "segments.cut", "Slices of `size` octets of the whole APDU, its 60 and length included.")
    for whole in wholes:
        for size in (1, 16, 48, 64, 127, 128, 200, 255, 256, 600):
            if len(whole) / size < 40:
                flags = ["Segment"] + ["LengthBoundary"] * (size in (127, 128, 255, 256))
                author.valid(f"{len(whole)} octets in slices of {size}", *flags, apdu=whole.hex(), size=size)
    exact = wholes[1]
    author.valid("slices as large as the whole: nothing to cut", apdu=exact.hex(), size=len(exact))
    author.valid("one octet less: two segments", "Segment", apdu=exact.hex(), size=len(exact) - 1)
    first = cut(exact, 48)[0]
    author.invalid("a segment is not cut again", "Segment", apdu=first.hex(), size=20)
    author.invalid("slices of no octets", "BadInteger", apdu=exact.hex(), size=0)
    author.invalid("octets that are no APDU", "BadTag", apdu="0102030405", size=2)
    _join(author, wholes)
    _refused(author, exact)


def _whole(rng: Random, size: int) -> bytes:
    fields = {
        "called": ApTitle(relative_title(rng)),
        "calling": ApTitle(relative_title(rng)),
        "calling_ae_qualifier": rng.choice((None, 4)),
        "calling_invocation_id": number(rng, 2),
        "authentication": Authentication("c12.22", 2, iv(rng)),
        "application_context": rng.choice((None, CONTEXT_OID)),
    }
    return Acse.build(user_information=b"\x88" + rng.randbytes(size), **fields).octets  # type: ignore[arg-type]


def _join(author: Author, wholes: list[bytes]) -> None:
    rng = author.rng
    author.group("join", "segments.join", "Segments in the order they come; `apdu` is null while octets are missing.")
    for whole in wholes:
        for size in (48, 100):
            parts = cut(whole, size)
            if len(parts) < 2:
                continue
            author.valid(f"{len(parts)} segments in order", "Segment", segments=_hex(parts))
            author.valid(f"{len(parts)} segments in reverse", "Segment", segments=_hex(parts[::-1]))
            mixed = list(parts)
            for place in range(len(mixed) - 1, 0, -1):
                other = rng.randrange(place + 1)
                mixed[place], mixed[other] = mixed[other], mixed[place]
            author.valid(f"{len(parts)} segments in another order", "Segment", segments=_hex(mixed))
            author.valid("the first one alone", "SegmentGap", segments=_hex(parts[:1]))
            author.valid("all but one", "SegmentGap", segments=_hex(parts[:-1]))
            author.valid("all but the first", "SegmentGap", segments=_hex(parts[1:]))
            author.valid("one of them twice", "SegmentOverlap", segments=_hex([parts[0], *parts]))
    whole = wholes[2]
    narrow, wide = cut(whole, 60), cut(whole, 90)
    author.acceptable(
        "slices that overlap, with equal octets", "SegmentOverlap", segments=_hex([wide[0], narrow[1], *wide[1:]])
    )


def _hex(parts: list[bytes]) -> list[str]:
    return [part.hex() for part in parts]


def _refused(author: Author, whole: bytes) -> None:
    author.group("refused", "segments.join", "Segments that contradict each other, or themselves.")
    parts = cut(whole, 48)
    size = len(whole)

    def refused(comment: str, *segments: bytes, flag: str = "Segment") -> None:
        author.invalid(comment, flag, segments=_hex(list(segments)))

    refused("no segment at all, a whole message", whole)
    refused("the second tells another size", parts[0], _with(parts[1], size=size + 1))
    refused("the second is for another node", parts[0], _with(parts[1], called=".9.9"))
    refused("other octets for the same place", parts[0], _changed(parts[0]), flag="SegmentOverlap")
    refused("a slice that ends behind the whole", _with(parts[-1], offset=size - 1))
    refused("a slice that starts behind the whole", _with(parts[-1], offset=size))
    refused("an empty slice", _with(parts[0], string=b""))
    refused("a size of 0", _with(parts[0], size=0))
    number_in = elements_of(parts[0])[0xA8]
    for tag, element in (
        (0xA4, tlv(0xA4, b"\2\1\1")),
        (0x8B, bytes.fromhex("8b09607c86f75401160201")),
        (0xAC, bytes.fromhex("ac0fa20da00ba109800102810448f3d061")),
    ):
        if tag == 0xA4:
            refused("A4 in a segment", _with(parts[0], before=(0xA6, element)))
        else:
            refused(f"{tag:02X} in a segment", _with(parts[0], before=(0xBE, element)))
    other = parts[0].replace(number_in, tlv(0xA8, tlv(2, b"\x11\x22")))
    author.valid("the number of another message: nothing is complete", "SegmentGap", segments=_hex([other, *parts[1:]]))
    joined = whole.replace(elements_of(whole)[0xA8], tlv(0xA8, tlv(2, b"\x11\x22")))
    refused("the whole has another number than its segments", *_slices(parts, joined))
    spoilt = b"\x61" + whole[1:]
    refused("the whole does not start with 60", *_slices(parts, spoilt))
    refused("the whole is longer than it says", *_slices(parts, bytes((0x60, whole[1] - 1)) + whole[2:]))


def _slices(parts: list[bytes], whole: bytes) -> list[bytes]:
    return [_with(part, string=whole[48 * n : 48 * n + 48]) for n, part in enumerate(parts)]


def _changed(part: bytes) -> bytes:
    return part[:-1] + bytes((part[-1] ^ 1,))


def _with(
    part: bytes,
    *,
    size: int | None = None,
    offset: int | None = None,
    called: str | None = None,
    string: bytes | None = None,
    before: tuple[int, bytes] | None = None,
) -> bytes:
    """Return a segment with something changed; an element can be put in before another one."""
    elements = elements_of(part)
    if size is not None:
        elements[0xA3] = tlv(0xA3, tlv(2, size.to_bytes(2)))
    if called is not None:
        elements[0xA2] = tlv(0xA2, ApTitle(called).tlv())
    if offset is not None or string is not None:
        acse = decode_acse(part)
        old = acse.user_information.indirect_reference or 0, acse.payload
        place = old[0] if offset is None else offset
        reference = tlv(2, place.to_bytes(max(1, (place.bit_length() + 7) // 8)))
        elements[0xBE] = user_information(old[1] if string is None else string, reference=reference)
    found: list[bytes] = []
    for tag, octets in elements.items():
        if before is not None and tag == before[0]:
            found.append(before[1])
        found.append(octets)
    return apdu_of(*found)
