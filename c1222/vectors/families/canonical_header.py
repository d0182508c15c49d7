"""The canonical header N: each element there or not, titles in both forms, authentication values, lengths."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Final

from c1222.message.acse import Acse, Authentication
from c1222.message.aptitle import CONTEXT_OID, DEFAULT_BASE, ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import Epsem
from c1222.vectors.families.parts import (
    MECHANISM,
    absolute_title,
    apdu_of,
    elements_of,
    filling,
    iv,
    number,
    relative_title,
    user_information,
)

if TYPE_CHECKING:
    from random import Random

    from c1222.vectors.author import Author

__all__ = ["LENGTHS", "NAME", "PURPOSE", "cases"]

NAME = "canonical-header"
PURPOSE = "The canonified cleartext N that EAX' authenticates, cut from a message, with its pieces by name"

LENGTHS: Final = (*range(122, 134), *range(248, 263))
"""Octets of the octet-aligned string around the edges of the three lengths of the user information."""


def cases(author: Author) -> None:
    _presence(author)
    _titles(author)
    _contexts(author)
    _authentications(author)
    _numbers(author)
    _lengths(author)
    _as_sent(author)
    _orders(author)


class _Message:
    """Elements of a message, all of which can be there."""

    def __init__(self, rng: Random) -> None:
        self.iv = iv(rng)
        self.key_id = rng.randrange(256)
        self.body = Epsem(tuple(filling(rng, 12))).body
        self.fields: dict[str, Any] = {
            "called": ApTitle(relative_title(rng)),
            "called_invocation_id": number(rng, 2),
            "calling": ApTitle(relative_title(rng)),
            "calling_ae_qualifier": 4,
            "calling_invocation_id": number(rng, 4),
            "mechanism": MECHANISM,
            "authentication": Authentication("c12.22", self.key_id, self.iv),
        }

    def octets(self, control: int = 0x88, body: bytes | None = None, **fields: Any) -> bytes:
        """Return the APDU, with other elements or without some."""
        string = bytes((control,)) + (self.body if body is None else body) + b"MAC!"
        return Acse.build(user_information=string, **{**self.fields, **fields}).octets

    def case(self, apdu: bytes) -> dict[str, Any]:
        """Return the parameters of a case."""
        return {"apdu": apdu.hex(), "key_id": self.key_id, "iv": self.iv.hex()}


_OPTIONAL: Final = (
    ("called", "A2"),
    ("called_invocation_id", "A4"),
    ("calling", "A6"),
    ("calling_ae_qualifier", "A7"),
    ("mechanism", "8B"),
    ("authentication", "AC"),
)


def _presence(author: Author) -> None:
    author.group("presence", "canonical-header", "Every choice of the elements that need not be there.")
    for choice in product((True, False), repeat=len(_OPTIONAL)):
        message = _Message(author.rng)
        absent: dict[str, Any] = {name: None for (name, _), there in zip(_OPTIONAL, choice, strict=True) if not there}
        tags = [tag for (_, tag), there in zip(_OPTIONAL, choice, strict=True) if there]
        flags = ["AbsentElement"] * bool(absent) + ["RelativeTitle"] * bool({"A2", "A6"} & {*tags})
        flags += ["NoCalledTitle"] * ("called" in absent)
        if "authentication" in absent:
            flags.append("SessionWithoutAuthentication")
        elif "mechanism" not in absent:
            flags.append("MechanismName")
        author.valid(f"with {', '.join([*tags, 'A8', 'BE'])}", *flags, **message.case(message.octets(**absent)))


def _titles(author: Author) -> None:
    rng = author.rng
    author.group("titles", "canonical-header", "Titles in both forms; under the default base both give the same N.")
    for called, calling in product(("relative", "absolute"), repeat=2):
        message = _Message(rng)
        ends: dict[str, Any] = {"called": ApTitle(".77.3"), "calling": ApTitle(".77.4004")}
        forms = {"called": called, "calling": calling}
        ends = {end: title.absolute() if forms[end] == "absolute" else title for end, title in ends.items()}
        flags = ["RelativeTitle"] * (called != calling or called == "relative")
        author.valid(f"called {called}, calling {calling}", *flags, **message.case(message.octets(**ends)))
    for comment, flag, title in (
        ("elsewhere", None, absolute_title(rng)),
        ("an arc of one octet at its end: 127", "LargeArc", ".127"),
        ("an arc of two octets at its start: 128", "LargeArc", ".128"),
        ("an arc of two octets at its end: 16383", "LargeArc", ".16383"),
        ("an arc of three octets: 16384", "LargeArc", ".16384"),
        ("an arc of 32 bits", "LargeArc", ".4294967295"),
        ("an arc of 64 bits", "LargeArc", ".18446744073709551615"),
        ("that ends in 0", None, f"{absolute_title(rng)}.0"),
        ("under 2.999", "FirstArc2", "2.999.3"),
        ("of one arc 0", None, ".0"),
        ("so long that its element has a length of two octets", "LengthBoundary", "." + ".".join(["300"] * 60)),
        ("empty", "EmptyTitle", "."),
    ):
        message = _Message(rng)
        flags = ([flag] if flag else []) + ["RelativeTitle"] * title.startswith(".")
        for end in ("called", "calling"):
            named: dict[str, Any] = {end: ApTitle(title)}
            parameters = message.case(message.octets(**named))
            if flag == "EmptyTitle":
                author.acceptable(f"{end} title {comment}", *flags, **parameters)
            else:
                author.valid(f"{end} title {comment}", *flags, **parameters)
    message = _Message(rng)
    elements = elements_of(message.octets())
    for tag, end in ((0xA2, "called"), (0xA6, "calling")):
        changed = {**elements, tag: elements[tag].replace(bytes((tag, len(elements[tag]) - 2, 0x80)),
                                                          bytes((tag, len(elements[tag]) - 2, 0x0D)))}  # fmt: skip
        author.acceptable(f"{end} title with the tag 0D", "RelativeTag0D", **message.case(apdu_of(*changed.values())))
    for base in ("1.3.6.1.4.1.33507", "2.16.840.1.114223"):
        message = _Message(rng)
        author.valid(f"under {base}", "RelativeTitle", "OtherBase", base=base, **message.case(message.octets()))
        others: dict[str, Any] = {"called": ApTitle(f"{base}.5"), "calling": ApTitle(f"{DEFAULT_BASE}.6")}
        author.valid(
            f"absolute, where the base is {base}", "OtherBase", base=base, **message.case(message.octets(**others))
        )


def _contexts(author: Author) -> None:
    author.group("contexts", "canonical-header", "An application context, with absolute titles.")
    for context in (CONTEXT_OID, "1.2.840.10066", "2.999.1"):
        message = _Message(author.rng)
        ends: dict[str, Any] = {
            "called": ApTitle(absolute_title(author.rng)),
            "calling": ApTitle(absolute_title(author.rng)),
        }
        apdu = message.octets(application_context=context, **ends)
        author.valid(f"the context {context}", **message.case(apdu))
    author.group("context-bases", "canonical-header", "An application context, with relative titles: readers differ.")
    for context in (CONTEXT_OID, "1.2.840.10066"):
        message = _Message(author.rng)
        apdu = message.octets(application_context=context)
        author.acceptable(f"the context {context}", "ContextBase", "RelativeTitle", **message.case(apdu))


def _authentications(author: Author) -> None:
    author.group("authentication", "canonical-header", "Forms of the authentication value; all stand in N as sent.")
    for key_id in (0, 1, 127, 128, 255):
        message = _Message(author.rng)
        message.key_id = key_id
        given = Authentication("c12.22", key_id, message.iv)
        author.valid(f"key id {key_id}", **message.case(message.octets(authentication=given)))
    message = _Message(author.rng)
    vector = b"\x81\x04" + message.iv
    both = bytes((0x80, 1, message.key_id)) + vector
    for comment, flag, inside in (
        ("indirect reference 0", "IndirectReference", b"\x02\x01\x00" + tlv(0xA0, tlv(0xA1, both))),
        ("lengths of two octets", "NonMinimalLength", b"\xa0\x81\x0b" + tlv(0xA1, both)),
        ("vector of 8 octets", "DraftAuthentication", tlv(0xA0, tlv(0xA1, both[:3] + b"\x81\x08" + bytes(8)))),
        ("opaque", "DraftAuthentication", tlv(0x81, b"opaque")),
        ("C12.21", "DraftAuthentication", tlv(0xA0, tlv(0xA0, tlv(0x81, b"\1\2\3")))),
    ):
        raw = Authentication("opaque", raw=tlv(0xA2, inside))
        author.acceptable(comment, flag, **message.case(message.octets(authentication=raw)))
    bare = Authentication("c12.22", None, message.iv)
    parameters = message.case(message.octets(authentication=bare))
    author.acceptable("no key id; its octet left out of N", "NoKeyId", **{**parameters, "key_id": None})
    author.acceptable("no key id; 00 in N", "NoKeyId", **{**parameters, "key_id": 0})
    author.group(
        "session", "canonical-header", "Messages inside a session: key id and vector are those of the session."
    )
    for _ in range(3):
        message = _Message(author.rng)
        apdu = message.octets(authentication=None, mechanism=None, calling_ae_qualifier=None)
        author.valid("no authentication value", "SessionWithoutAuthentication", "RelativeTitle", **message.case(apdu))
    alone: dict[str, Any] = dict.fromkeys([name for name, _ in _OPTIONAL])
    apdu = message.octets(body=b"\3\x30\0\1", **{**alone, "calling_invocation_id": 1})
    author.valid(
        "the shortest N there is: 17 octets", "SessionWithoutAuthentication", "NoCalledTitle", **message.case(apdu)
    )


def _numbers(author: Author) -> None:
    author.group("numbers", "canonical-header", "Integers stand in N as they were sent.")
    message = _Message(author.rng)
    elements = elements_of(message.octets())
    for value in (0, 127, 128, 255, 256, 32767, 32768, 65535, 8388608, 16777216, 2147483647, 2147483648, 4294967295):
        flags = ["UnsignedInteger"] * (value.bit_length() % 8 == 0 and value > 0)
        apdu = message.octets(calling_invocation_id=value, called_invocation_id=value)
        author.valid(f"invocation ids {value}", *flags, **message.case(apdu))
    for tag in (0xA4, 0xA8):
        for octets in ("0007", "000000 07", "00000000 07", "00ff", "00ffffffff"):
            changed = {**elements, tag: tlv(tag, tlv(2, bytes.fromhex(octets)))}
            author.valid(f"{tag:02X} as {octets}", "LeadingZero", **message.case(apdu_of(*changed.values())))
    for value in (0, 1, 2, 4, 7, 255):
        apdu = message.octets(calling_ae_qualifier=value)
        author.valid(f"calling AE qualifier {value}", **message.case(apdu))


def _lengths(author: Author) -> None:
    author.group("lengths", "canonical-header", "The lengths of the user information, which count body and MAC.")
    message = _Message(author.rng)
    for size in (5, 7, *LENGTHS, 1000, 32000):
        services = filling(author.rng, size - 5) if size > 5 else []
        apdu = message.octets(body=Epsem(tuple(services)).body)
        author.valid(f"a string of {size} octets", "LengthBoundary", **message.case(apdu))
    author.group("controls", "canonical-header", "The control octet ends the user information in N.")
    for control in (0x80, 0x82, 0x84, 0x88, 0x8A, 0x98, 0x9A, 0xA8, 0xC8, 0xF8):
        ed_class = b"TEMP" if control & 0x10 else b""
        apdu = message.octets(control=control, body=ed_class + message.body)
        author.valid(f"control octet {control:02x}", **message.case(apdu))


def _as_sent(author: Author) -> None:
    author.group(
        "as-sent", "canonical-header", "Lengths longer than they need be, and more: N has the octets that were sent."
    )
    message = _Message(author.rng)
    elements = elements_of(message.octets())
    string = b"\x88" + message.body + b"MAC!"
    external = tlv(0x28, tlv(0x81, string))

    def told(comment: str, flag: str, **changes: bytes) -> None:
        tags = {int(name[1:], 16): octets for name, octets in changes.items()}
        author.acceptable(comment, flag, **message.case(apdu_of(*{**elements, **tags}.values())))

    told("BE 81 xx", "NonMinimalLength", tBE=b"\xbe\x81" + bytes((len(external),)) + external)
    inner = b"\x28\x81" + external[1:]
    told("28 81 xx", "NonMinimalLength", tBE=tlv(0xBE, inner))
    inner = b"\x81\x81" + bytes((len(string),)) + string
    told("81 81 xx", "NonMinimalLength", tBE=tlv(0xBE, tlv(0x28, inner)))
    told("all three in 82 00 xx", "NonMinimalLength", tBE=_long(0xBE, _long(0x28, _long(0x81, string))))
    told("indirect reference 0 in BE", "IndirectReference", tBE=user_information(string, reference=b"\2\1\0"))
    told("A8 81 xx", "NonMinimalLength", tA8=b"\xa8\x81" + elements[0xA8][1:])
    told("A2 81 xx: the title is made anew", "NonMinimalLength", tA2=b"\xa2\x81" + elements[0xA2][1:])
    told("80 81 xx in A6: the title is made anew", "NonMinimalLength",
         tA6=tlv(0xA6, b"\x80\x81" + elements[0xA6][3:]))  # fmt: skip


def _long(tag: int, content: bytes) -> bytes:
    return bytes((tag, 0x82)) + len(content).to_bytes(2) + content


def _orders(author: Author) -> None:
    author.group("orders", "canonical-header", "The order of N does not depend on the order of the message.")
    message = _Message(author.rng)
    elements = elements_of(message.octets())
    for comment, order in (
        ("A6 before A2", (0xA6, 0xA2, 0xA4, 0xA7, 0xA8, 0x8B, 0xAC, 0xBE)),
        ("AC before A8", (0xA2, 0xA4, 0xA6, 0xA7, 0xAC, 0xA8, 0x8B, 0xBE)),
        ("all in reverse but BE", (0xAC, 0x8B, 0xA8, 0xA7, 0xA6, 0xA4, 0xA2, 0xBE)),
    ):
        apdu = apdu_of(*[elements[tag] for tag in order])
        author.acceptable(comment, "ElementOrder", **message.case(apdu))
    for tag in (0xAF, 0xA9):
        apdu = apdu_of(elements[0xA2], tlv(tag, b"\2\1\1"), *[octets for t, octets in elements.items() if t != 0xA2])
        author.acceptable(f"an element {tag:02X}, outside of N", "UnknownElement", **message.case(apdu))
    segment = apdu_of(elements[0xA2], tlv(0xA3, b"\2\1\x7f"), elements[0xA6], elements[0xA8], elements[0xBE])
    author.invalid("a segment has no N", "Segment", **message.case(segment))
    empty = apdu_of(*[octets for tag, octets in elements.items() if tag != 0xBE], user_information(b""))
    author.invalid("no control octet", "MissingElement", **message.case(empty))
