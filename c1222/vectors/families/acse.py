"""The ACSE APDU: every element, built and taken apart; malformed ones with one defect each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.message.acse import Acse, Authentication
from c1222.message.aptitle import CONTEXT_OID, ApTitle
from c1222.message.ber import tlv
from c1222.vectors.families.parts import (
    MECHANISM,
    absolute_title,
    apdu_of,
    elements_of,
    iv,
    number,
    relative_title,
    user_information,
)

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "acse"
PURPOSE = "The ACSE APDU around a message: elements to octets and back; malformed ones"

_IDS: Final = (0, 1, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 8388607, 8388608, 16777215, 16777216,
               2147483647, 2147483648, 4294967295)  # fmt: skip


def cases(author: Author) -> None:
    encoded = _encode(author)
    author.group("decode", "acse.decode", "Octets to elements; the same messages.")
    for comment, flags, octets in encoded:
        author.valid(comment, *flags, apdu=octets)
    _unusual(author)
    _malformed(author)


def _encode(author: Author) -> list[tuple[str, tuple[str, ...], str]]:
    rng = author.rng
    author.group("encode", "acse.encode", "Elements to octets: the order of the wire, minimal lengths and integers.")
    made: list[tuple[str, tuple[str, ...], str]] = []

    def case(comment: str, *flags: str, string: bytes = b"\x80\3\x30\0\1", **fields: Any) -> None:
        ends = {"called": relative_title(rng), "calling": relative_title(rng), "calling_invocation_id": number(rng, 2)}
        given = {name: value for name, value in (ends | fields).items() if value is not None}
        made.append((comment, flags, author.valid(comment, *flags, user_information=string.hex(), **given)["apdu"]))

    case("a request")
    case("a response", called_invocation_id=number(rng, 2))
    case("no titles", "AbsentElement", called=None, calling=None)
    case("no called title", "AbsentElement", called=None)
    case("no calling title", "AbsentElement", calling=None)
    case("absolute titles", called=absolute_title(rng), calling=absolute_title(rng, default_base=True))
    case("the context of C12.22", application_context=CONTEXT_OID)
    case(
        "another context", application_context="1.2.840.10066", called=absolute_title(rng), calling=absolute_title(rng)
    )
    case("a mechanism name", "MechanismName", mechanism=MECHANISM)
    for value in (0, 1, 2, 4, 7):
        case(f"calling AE qualifier {value}", calling_ae_qualifier=value)
    for value in _IDS:
        flags = ("UnsignedInteger",) * (value > 0 and value.bit_length() % 8 == 0)
        case(f"invocation ids {value}", *flags, calling_invocation_id=value, called_invocation_id=value)
    for key_id in (0, 2, 128, 255):
        case(f"key id {key_id}", authentication={"key_id": key_id, "iv": iv(rng).hex()})
    case("a segment: size and offset", "Segment", called_ae_qualifier=300, indirect_reference=200)
    case("a segment at offset 0", "Segment", called_ae_qualifier=70000, indirect_reference=0)
    case("everything", application_context=CONTEXT_OID, called_invocation_id=number(rng, 4), calling_ae_qualifier=4,
         mechanism=MECHANISM, authentication={"key_id": 1, "iv": iv(rng).hex()})  # fmt: skip
    for size in (0, 1, 100, *range(113, 134), 250, 255, 256, 257, 1000):
        case(
            f"a string of {size} octets",
            "LengthBoundary",
            string=bytes([0x80])[:size] + rng.randbytes(max(size - 1, 0)),
        )
    for title in ("2.999.1", ".18446744073709551615", ".0", ".16384.1"):
        case(f"called title {title}", "LargeArc", called=title)
    return made


class _Sample:
    """One message with all usual elements, to be spoilt."""

    def __init__(self, author: Author) -> None:
        rng = author.rng
        self.string = b"\x80\3\x30\0\1"
        self.acse = Acse.build(
            user_information=self.string,
            called=ApTitle(relative_title(rng)),
            called_invocation_id=number(rng, 2),
            calling=ApTitle(relative_title(rng)),
            calling_ae_qualifier=4,
            calling_invocation_id=number(rng, 2),
            mechanism=MECHANISM,
            authentication=Authentication("c12.22", 2, iv(rng)),
        )
        self.octets = self.acse.octets
        self.elements = elements_of(self.octets)

    def but(self, tag: int, octets: bytes) -> str:
        """Return the message with one element replaced; no octets leave it out."""
        return apdu_of(*{**self.elements, tag: octets}.values()).hex()


def _unusual(author: Author) -> None:
    author.group("unusual", "acse.decode", "Odd but perhaps tolerable.")
    sample = _Sample(author)
    octets, elements = sample.octets, sample.elements
    author.acceptable("length of the APDU as 81 xx", "NonMinimalLength", apdu=(b"\x60\x81" + octets[1:]).hex())
    author.acceptable(
        "length of the APDU as 83 00 00 xx", "NonMinimalLength", apdu=(b"\x60\x83\0\0" + octets[1:]).hex()
    )
    a8 = elements[0xA8]
    author.acceptable("length of A8 as 81 xx", "NonMinimalLength", apdu=sample.but(0xA8, b"\xa8\x81" + a8[1:]))
    author.acceptable(
        "0D in A2", "RelativeTag0D", apdu=sample.but(0xA2, elements[0xA2][:2] + b"\x0d" + elements[0xA2][3:])
    )
    author.acceptable("an empty title", "EmptyTitle", apdu=sample.but(0xA2, b"\xa2\2\x80\0"))
    author.valid("A8 with a leading zero", "LeadingZero", apdu=sample.but(0xA8, b"\xa8\4\2\2\0\7"))
    author.valid("A8 of five octets", "LeadingZero", apdu=sample.but(0xA8, b"\xa8\7\2\5\0\xff\0\0\1"))
    reference = user_information(sample.string, reference=b"\2\1\0")
    author.acceptable("indirect reference 0 in BE", "IndirectReference", apdu=sample.but(0xBE, reference))
    direct = tlv(0xBE, tlv(0x28, b"\6\2\x2a\3" + tlv(0x81, sample.string)))
    author.acceptable("a direct reference in BE", "DirectReference", apdu=sample.but(0xBE, direct))
    keyless = tlv(0xAC, tlv(0xA2, tlv(0xA0, tlv(0xA1, b"\x81\4\1\2\3\4"))))
    author.acceptable("no key id", "NoKeyId", apdu=sample.but(0xAC, keyless))
    for comment, inside in (
        ("vector of 8 octets", tlv(0xA0, tlv(0xA1, b"\x80\1\2\x81\x08" + bytes(8)))),
        ("a user element", tlv(0xA0, tlv(0xA1, b"\x80\1\2\x81\4\1\2\3\4\x82\4user"))),
        ("opaque", tlv(0x81, b"opaque")),
        ("C12.21", tlv(0xA0, tlv(0xA0, tlv(0x81, b"\1\2\3")))),
    ):
        author.acceptable(
            f"authentication: {comment}", "DraftAuthentication", apdu=sample.but(0xAC, tlv(0xAC, tlv(0xA2, inside)))
        )
    order = (0xA6, 0xA2, 0xA4, 0xA7, 0xA8, 0x8B, 0xAC, 0xBE)
    author.acceptable("A6 before A2", "ElementOrder", apdu=apdu_of(*[elements[tag] for tag in order]).hex())
    author.acceptable("an element AF", "UnknownElement", apdu=sample.but(0xA2, elements[0xA2] + b"\xaf\2hi"))
    author.acceptable("a tag of two octets", "UnknownElement", apdu=sample.but(0xA2, elements[0xA2] + b"\xbf\x2a\2hi"))


def _malformed(author: Author) -> None:
    sample = _Sample(author)
    octets, elements = sample.octets, sample.elements
    author.group("malformed", "acse.decode", "One defect each; `at` is where it is.")

    def spoilt(comment: str, flag: str, tag: int, element: str | bytes) -> None:
        content = bytes.fromhex(element) if isinstance(element, str) else element
        author.invalid(comment, flag, apdu=sample.but(tag, content))

    author.invalid("an octet follows the APDU", "TrailingOctets", apdu=octets.hex() + "00")
    for tag in (0x61, 0x40, 0x30, 0x00):
        author.invalid(f"starts with {tag:02x}", "BadTag", apdu=(bytes((tag,)) + octets[1:]).hex())
    author.invalid("the indefinite length", "IndefiniteLength", apdu=(b"\x60\x80" + octets[2:] + b"\0\0").hex())
    author.invalid("the length octet FF", "IndefiniteLength", apdu=(b"\x60\xff" + octets[2:]).hex())
    for tag, name in ((0xA8, "the calling invocation id"), (0xBE, "the user information")):
        spoilt(f"without {name}", "MissingElement", tag, b"")
    for tag in (0xA2, 0xA4, 0xA6, 0xA7, 0xA8, 0x8B, 0xAC):
        spoilt(f"{tag:02X} twice", "RepeatedElement", tag, elements[tag] * 2)
    spoilt("BE twice", "RepeatedElement", 0xBE, elements[0xBE] * 2)
    last = apdu_of(*elements.values(), elements[0xA2]).hex()
    author.invalid("A2 again behind BE", "RepeatedElement", apdu=last)
    without = [element for tag, element in elements.items() if tag != 0xA7]
    author.invalid("A7 behind BE", "ElementOrder", apdu=apdu_of(*without, elements[0xA7]).hex())
    for tag in (0xA2, 0xA6):
        for comment, flag, inside in (
            ("no title in it", "BadTag", ""),
            ("tag 05", "BadTag", "05017b"),
            ("tag 04", "BadTag", "04017b"),
            ("two titles", "TrailingOctets", "80017b80017b"),
            ("a title that runs past the element", "Truncated", "80037b04"),
            ("an arc that starts with 80", "BadIdentifier", "80028001"),
            ("an arc that does not end", "BadIdentifier", "80027bc1"),
            ("an absolute title without octets", "BadIdentifier", "0600"),
            ("the indefinite length", "IndefiniteLength", "80807b0000"),
        ):
            spoilt(f"{tag:02X}: {comment}", flag, tag, tlv(tag, bytes.fromhex(inside)))
    for tag in (0xA4, 0xA7, 0xA8):
        for comment, flag, inside in (
            ("no integer", "BadInteger", ""),
            ("an integer of no octets", "BadInteger", "0200"),
            ("an integer of six octets", "BadInteger", "0206010203040506"),
            ("tag 04", "BadTag", "040101"),
            ("two integers", "TrailingOctets", "020101020101"),
            ("an integer that runs past the element", "Truncated", "020201"),
            ("the indefinite length", "IndefiniteLength", "0280010000"),
        ):
            spoilt(f"{tag:02X}: {comment}", flag, tag, tlv(tag, bytes.fromhex(inside)))
    spoilt("8B: no octets", "BadIdentifier", 0x8B, "8b00")
    spoilt("8B: an arc that does not end", "BadIdentifier", 0x8B, "8b027cc1")
    spoilt("8B: an arc that starts with 80", "BadIdentifier", 0x8B, "8b037c8001")
    _spoilt_authentication(spoilt)
    _spoilt_information(spoilt, sample.string)
    author.group("prefixes", "acse.decode", "Every beginning of one message: octets are missing at the end.")
    for size in range(len(octets)):
        author.invalid(f"the first {size} of {len(octets)} octets", "Truncated", apdu=octets[:size].hex())


def _spoilt_authentication(spoilt: Any) -> None:
    pair = bytes.fromhex("80010281 0448f3d061")
    for comment, flag, inside in (
        ("empty", "BadAuthentication", b""),
        ("A0 instead of A2", "BadTag", tlv(0xA0, tlv(0xA0, tlv(0xA1, pair)))),
        ("nothing in A2", "BadAuthentication", tlv(0xA2, b"")),
        ("A1 instead of A0", "BadTag", tlv(0xA2, tlv(0xA1, tlv(0xA1, pair)))),
        ("A2 instead of A1", "BadTag", tlv(0xA2, tlv(0xA0, tlv(0xA2, pair)))),
        ("key id of two octets", "BadAuthentication", _single(b"\x80\2\0\2" + pair[3:])),
        ("key id of no octets", "BadAuthentication", _single(b"\x80\0" + pair[3:])),
        ("vector of three octets", "BadAuthentication", _single(pair[:3] + b"\x81\3\1\2\3")),
        ("vector of nine octets", "BadAuthentication", _single(pair[:3] + b"\x81\x09" + bytes(9))),
        ("vector before key id", "ElementOrder", _single(pair[3:] + pair[:3])),
        ("key id twice", "RepeatedElement", _single(pair[:3] + pair)),
        ("vector twice", "RepeatedElement", _single(pair + pair[3:])),
        ("octets left over in A2", "TrailingOctets", tlv(0xA2, tlv(0xA0, tlv(0xA1, pair)) + b"\1\0")),
        ("octets left over in AC", "TrailingOctets", _single(pair) + b"\1\0"),
        ("indirect reference 1", "BadAuthentication", tlv(0xA2, b"\2\1\1" + tlv(0xA0, tlv(0xA1, pair)))),
        ("the vector runs past its element", "Truncated", _single(pair[:3] + b"\x81\5\1\2\3\4")),
    ):
        spoilt(f"AC: {comment}", flag, 0xAC, tlv(0xAC, inside))


def _single(elements: bytes) -> bytes:
    return tlv(0xA2, tlv(0xA0, tlv(0xA1, elements)))


def _spoilt_information(spoilt: Any, string: bytes) -> None:
    octets = tlv(0x81, string)
    for comment, flag, inside in (
        ("empty", "MissingElement", b""),
        ("no EXTERNAL", "BadTag", octets),
        ("nothing in the EXTERNAL", "MissingElement", tlv(0x28, b"")),
        ("04 instead of 81", "BadTag", tlv(0x28, tlv(0x04, string))),
        ("A0 instead of 81", "BadTag", tlv(0x28, tlv(0xA0, string))),
        ("two strings", "TrailingOctets", tlv(0x28, octets + octets)),
        ("octets left over in BE", "TrailingOctets", tlv(0x28, octets) + b"\1\0"),
        ("the string runs past the EXTERNAL", "Truncated", tlv(0x28, b"\x81" + bytes((len(string) + 1,)) + string)),
        ("the EXTERNAL runs past BE", "Truncated", b"\x28" + bytes((len(octets) + 1,)) + octets),
        ("an indirect reference of no octets", "BadInteger", tlv(0x28, b"\2\0" + octets)),
        ("an indirect reference of six octets", "BadInteger", tlv(0x28, b"\2\6" + bytes(6) + octets)),
        ("the indefinite length", "IndefiniteLength", b"\x28\x80" + octets + b"\0\0"),
    ):
        spoilt(f"BE: {comment}", flag, 0xBE, tlv(0xBE, inside))
