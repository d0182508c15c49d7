"""Secured messages, sealed and opened: all that EAX' and the canonical header come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.message.acse import Acse, Authentication, decode_acse
from c1222.message.aptitle import CONTEXT_OID, ApTitle
from c1222.message.ber import tlv
from c1222.security.canonical import canonical_header, pieces
from c1222.security.eax_prime import EAXPrime
from c1222.vectors.deviations import Deviating
from c1222.vectors.families.canonical_header import LENGTHS
from c1222.vectors.families.parts import (
    MECHANISM,
    absolute_title,
    apdu_of,
    elements_of,
    filling,
    iv,
    keys,
    number,
    relative_title,
    user_information,
)

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "messages"
PURPOSE = "Secured messages: from values to a sealed APDU, and from the APDU to verified services"

_READ: Final = "300001"


def cases(author: Author) -> None:
    known = keys(author.rng)
    sealed = _seal(author, known)
    author.group("open", "message.open", "The same messages: verified and, in mode 2, decrypted.")
    for comment, flags, given, apdu in sealed:
        parameters = {"apdu": apdu, "keys": {str(given["key_id"]): given["key"]}}
        if "base" in given:
            parameters["base"] = given["base"]
        if given.get("in_session"):
            parameters["session"] = {"key_id": given["key_id"], "iv": given["iv"]}
        author.valid(comment, *flags, **parameters)
    sample = _Sample(author, known)
    _readings(author, sample)
    _tolerable(author, sample)
    _refused(author, sample)


_Sealed = list[tuple[str, tuple[str, ...], dict[str, Any], str]]


def _seal(author: Author, known: list[bytes]) -> _Sealed:
    rng = author.rng
    author.group("seal", "message.seal", "Values to a sealed APDU; services without the length before them.")
    made: _Sealed = []

    def case(comment: str, *flags: str, **changes: Any) -> None:
        given: dict[str, Any] = {
            "key_id": rng.randrange(256),
            "iv": iv(rng).hex(),
            "mode": 2,
            "called": relative_title(rng),
            "calling": relative_title(rng),
            "calling_invocation_id": number(rng, 1 + rng.randrange(4)),
            "services": [_READ],
        }
        given = {name: value for name, value in {**given, **changes}.items() if value is not None}
        given["key"] = known[given["key_id"]].hex()
        made.append((comment, flags, given, author.valid(comment, *flags, **given)["apdu"]))

    for mode in (1, 2):
        case(f"mode {mode}: a read", "RelativeTitle", *["Mode1"] * (mode == 1), mode=mode)
        case(f"mode {mode}: no services", "EmptyBody", mode=mode, services=[])
        case(
            f"mode {mode}: several services", mode=mode, services=["51" + "50" * 20 + "0002", _READ, "3f00010000100010"]
        )
        case(f"mode {mode}: ED class", "EdClass", mode=mode, ed_class=rng.randbytes(4).hex())
        case(f"mode {mode}: ED class alone", "EdClass", mode=mode, ed_class="54454d50", services=[])
        case(f"mode {mode}: in a session", "SessionWithoutAuthentication", mode=mode, in_session=True)
    case("a response", called_invocation_id=number(rng, 2), services=["00" + "0002" + "4142" + "7d"])
    case("absolute titles", called=absolute_title(rng), calling=absolute_title(rng))
    case("one relative and one absolute title", "RelativeTitle", called=absolute_title(rng, default_base=True))
    case("another base", "RelativeTitle", "OtherBase", base="1.3.6.1.4.1.33507")
    case("no called title", "NoCalledTitle", called=None)
    case("no calling title", "AbsentElement", calling=None)
    case(
        "an application context",
        application_context=CONTEXT_OID,
        called=absolute_title(rng),
        calling=absolute_title(rng),
    )
    case("a mechanism name", "MechanismName", mechanism=MECHANISM)
    case("a notification", "EdClass", calling_ae_qualifier=4, response_control=2, ed_class="54454d50",
         services=["40000700051a00000200e4"])  # fmt: skip
    case("every element", "EdClass", calling_ae_qualifier=7, called_invocation_id=number(rng, 4), mechanism=MECHANISM,
         application_context=CONTEXT_OID, called=absolute_title(rng), calling=absolute_title(rng), ed_class="00000001",
         proxy=True, recovery=True, response_control=1)  # fmt: skip
    for key_id in (0, 255):
        case(f"key id {key_id}", key_id=key_id)
    for value in (0, 255, 4294967295):
        case(f"invocation id {value}", "UnsignedInteger", calling_invocation_id=value)
    for mode in (1, 2):
        for size in LENGTHS:
            flags = ["LengthBoundary"] + ["Mode1"] * (mode == 1)
            case(
                f"mode {mode}: a string of {size} octets",
                *flags,
                mode=mode,
                services=[octets.hex() for octets in filling(rng, size - 5)],
            )
    case("a service of 4000 octets", services=["4e" + rng.randbytes(3999).hex()])
    return made


class _Sample:
    """One message of mode 2, to be spoilt, and what it was sealed with."""

    def __init__(self, author: Author, known: list[bytes]) -> None:
        rng = author.rng
        self.key, self.key_id, self.iv = known[2], 2, iv(rng)
        self.eax = EAXPrime(self.key)
        self.body = bytes.fromhex("17" + "51" + "50" * 20 + "0002" + "083f00010000100010")
        self.fields: dict[str, Any] = {
            "called": ApTitle(relative_title(rng)),
            "calling": ApTitle(relative_title(rng)),
            "calling_invocation_id": number(rng, 2),
        }

    @property
    def authentication(self) -> Authentication:
        """The usual authentication value."""
        return Authentication("c12.22", self.key_id, self.iv)

    def blank(self, control: int = 0x88, body: bytes | None = None, **fields: Any) -> Acse:
        """Return the APDU with zeros where MAC and ciphertext shall be."""
        string = bytes((control,)) + (self.body if body is None else body) + bytes(4)
        return Acse.build(user_information=string, **{"authentication": self.authentication, **self.fields, **fields})

    def header(self, acse: Acse, key_id: int | None = 2) -> bytes:
        """Return N."""
        return canonical_header(acse, key_id=key_id, iv=self.iv)

    def case(self, apdu: bytes) -> dict[str, Any]:
        """Return the parameters of a case."""
        return {"apdu": apdu.hex(), "keys": {str(self.key_id): self.key.hex()}}

    def sealed(self, acse: Acse, sealed: bytes) -> dict[str, Any]:
        """Return the parameters of a case with this behind the control octet."""
        return self.case(acse.with_user_information(acse.payload[:1] + sealed).octets)

    def right(self, acse: Acse, header: bytes | None = None) -> dict[str, Any]:
        """Return the parameters of a case, sealed by EAX' as it is under this header."""
        header = self.header(acse) if header is None else header
        body = acse.payload[1:-4]
        mode_1 = acse.payload[0] & 0x0C == 4
        return self.sealed(acse, body + self.eax.mac(header + body) if mode_1 else self.eax.encrypt(header, body))


def _readings(author: Author, sample: _Sample) -> None:
    author.group("readings", "message.open", "Where sources read the standard differently, a case for each reading.")
    bare = sample.blank(authentication=Authentication("c12.22", None, sample.iv))
    under = {"keys": {"0": sample.key.hex()}}
    for comment, key_id in (("no key id, and no octet for it in N", None), ("no key id, 00 in N", 0)):
        author.acceptable(comment, "NoKeyId", **{**sample.right(bare, sample.header(bare, key_id)), **under})
    within = sample.blank(authentication=None)
    session = {"session": {"key_id": 2, "iv": sample.iv.hex()}}
    without = canonical_header(within, key_id=None, iv=b"")
    author.acceptable(
        "in a session, key id and vector left out of N",
        "SessionWithoutAuthentication",
        **{**sample.right(within, without), **session},
    )
    context = ApTitle("1.2.840.10066")
    for dot_zero in (True, False):
        acse = sample.blank(application_context=str(context))
        root = ApTitle(f"{context}.0") if dot_zero else context
        header = _under(acse, sample, {name: sample.fields[name].absolute(root) for name in ("called", "calling")})
        how = "and an arc 0" if dot_zero else "without the arc 0"
        author.acceptable(f"relative titles below the application context {how}", "ContextBase",
                          **sample.right(acse, header))  # fmt: skip


def _under(acse: Acse, sample: _Sample, titles: dict[str, ApTitle]) -> bytes:
    """Return N with other titles than those that belong there."""
    forms = {"called-AP-title": titles["called"], "calling-AP-title": titles["calling"]}
    parts = pieces(acse, key_id=sample.key_id, iv=sample.iv)
    return b"".join(
        tlv(part.octets[0], forms[part.name].tlv()) if part.name in forms else part.octets for part in parts
    )


def _tolerable(author: Author, sample: _Sample) -> None:
    author.group("as-sent", "message.open", "Sealed with lengths, integers and orders that others would not send.")
    elements = elements_of(sample.blank().octets)
    string = sample.blank().payload
    external = tlv(0x28, tlv(0x81, string))

    def told(comment: str, flag: str, changes: dict[int, bytes], order: tuple[int, ...] = ()) -> None:
        found = {**elements, **changes}
        acse = decode_acse(apdu_of(*[found[tag] for tag in order or found]))
        author.acceptable(comment, flag, **sample.right(acse))

    told("BE 81 xx", "NonMinimalLength", {0xBE: b"\xbe\x81" + bytes((len(external),)) + external})
    told("28 81 xx", "NonMinimalLength", {0xBE: tlv(0xBE, b"\x28\x81" + external[1:])})
    told("81 81 xx", "NonMinimalLength", {0xBE: tlv(0xBE, tlv(0x28, b"\x81\x81" + bytes((len(string),)) + string))})
    told("A8 with leading zeros", "LeadingZero", {0xA8: tlv(0xA8, tlv(2, b"\0\0\0\7"))})
    told("an indirect reference 0", "IndirectReference", {0xBE: user_information(string, reference=b"\2\1\0")})
    told("A6 before A2", "ElementOrder", {}, (0xA6, 0xA2, 0xA8, 0xAC, 0xBE))
    told("titles with the tag 0D", "RelativeTag0D",
         {tag: elements[tag][:2] + b"\x0d" + elements[tag][3:] for tag in (0xA2, 0xA6)})  # fmt: skip


def _refused(author: Author, sample: _Sample) -> None:
    author.group("refused", "message.open", "What must not be taken for authentic.")
    acse = sample.blank()
    header, body = sample.header(acse), sample.body
    good = sample.right(acse)
    octets = bytes.fromhex(good["apdu"])
    author.valid("as it was sent", "RelativeTitle", **good)
    for name, place in _places(octets):
        changed = bytearray(octets)
        changed[place] ^= 1
        author.invalid(f"the last bit of {name}", "WrongMac", **sample.case(bytes(changed)))
    swapped = {**sample.fields, "called": sample.fields["calling"], "calling": sample.fields["called"]}
    other = sample.blank(**swapped)
    author.invalid(
        "sent back with the titles exchanged", "WrongMac", **sample.sealed(other, sample.eax.encrypt(header, body))
    )
    longer = sample.blank(calling_ae_qualifier=0)
    author.invalid("an element put in", "WrongMac", **sample.sealed(longer, sample.eax.encrypt(header, body)))
    author.invalid("another key", "WrongMac", **{**good, "keys": {"2": author.rng.randbytes(16).hex()}})
    author.invalid("no key with this id", "WrongMac", **{**good, "keys": {"3": sample.key.hex()}})
    clear = sample.blank(control=0x84)
    author.invalid("mode 1, MAC over the header alone", "HeaderOnlyMac", "Mode1",
                   **sample.sealed(clear, body + sample.eax.encrypt(sample.header(clear), b"")))  # fmt: skip
    author.invalid("mode 1, MAC of mode 2", "WrongMac", "Mode1",
                   **sample.sealed(clear, body + sample.eax.encrypt(sample.header(clear), body)[-4:]))  # fmt: skip
    ordinary, printed = Deviating(sample.key, big_endian=True), Deviating(sample.key, masked=(1, 3), reversed_mac=True)
    author.invalid(
        "subkeys doubled as in CMAC", "BigEndianDoubling", **sample.sealed(acse, b"".join(ordinary.seal(header, body)))
    )
    author.invalid(
        "as first printed in 2008", "Erratum2008", **sample.sealed(acse, b"".join(printed.seal(header, body)))
    )
    relative = _under(acse, sample, {name: sample.fields[name] for name in ("called", "calling")})
    author.invalid("titles left relative in N", "RelativeTitle", **sample.right(acse, relative))
    root = {name: sample.fields[name].absolute(ApTitle(CONTEXT_OID)) for name in ("called", "calling")}
    author.invalid(
        f"titles made absolute under {CONTEXT_OID}", "RelativeTitle", **sample.right(acse, _under(acse, sample, root))
    )
    parts = {part.name: part.octets for part in pieces(acse, key_id=2, iv=sample.iv)}
    author.invalid("calling title in N where it stands in the message", "WrongMac", **sample.right(acse, b"".join(
        parts[name] for name in ("called-AP-title", "calling-AP-title", "calling-AP-invocation-id",
                                 "calling-authentication-value", "user-information", "key-id", "iv"))))  # fmt: skip
    author.invalid("key id and vector left out of N", "WrongMac", **sample.right(acse, header[:-5]))
    author.invalid("vector before key id in N", "WrongMac", **sample.right(acse, header[:-5] + sample.iv + b"\2"))
    author.invalid("no vector known", "SessionWithoutAuthentication", **sample.right(sample.blank(authentication=None)))
    for size in range(4):
        string = b"\x88" + bytes(size)
        cut = Acse.build(user_information=string, authentication=sample.authentication, **sample.fields)
        author.invalid(f"{size} octets behind the control octet", "Truncated", **sample.case(cut.octets))
    author.invalid(
        "mode 3", "ReservedMode", **sample.sealed(sample.blank(control=0x8C), sample.eax.encrypt(header, body))
    )
    author.invalid("in cleartext", "Downgrade", **sample.sealed(sample.blank(control=0x80), body + bytes(4)))


def _places(octets: bytes) -> list[tuple[str, int]]:
    """Return octets of each part of a message that can be changed without making it malformed."""
    acse = decode_acse(octets)
    last = {tag: end - 1 for tag, (_, _, end) in acse.spans.items()}
    start = acse.user_information.start
    return [
        ("the called title", last[0xA2]),
        ("the calling title", last[0xA6]),
        ("the invocation id", last[0xA8]),
        ("the vector", last[0xAC]),
        ("the control octet", start),
        ("the first octet of the ciphertext", start + 1),
        ("the last octet of the ciphertext", len(octets) - 5),
        ("the MAC", len(octets) - 1),
    ]
