"""Identify: which standard the peer speaks and what it can do.

Origin: Elster MeteringSDK, Itron's stack, icsnpp-c1222; an older C12.18 text quoted by NIST's n0mcli for standard 01.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from c1222.errors import DecodeError, EncodeError, Finding
from c1222.message.aptitle import ApTitle
from c1222.message.ber import read_length, tlv
from c1222.services.fields import REST, U8, Counted, FieldForm, padded, short
from c1222.services.service import Effect, Request, Response, Value, wire

__all__ = [
    "FEATURES",
    "STANDARDS",
    "AuthenticationFeature",
    "AuthenticationTicket",
    "DeviceClass",
    "DeviceIdentity",
    "Feature",
    "IdentifyRequest",
    "IdentifyResponse",
    "SecurityMechanism",
    "SessionControl",
    "UnknownFeature",
]

STANDARDS = {0x00: "C12.18", 0x01: "reserved", 0x02: "C12.21", 0x03: "C12.22"}
"""Standard octet to name: 00 and 03 [V], 02 [1]; 01 stood for Industry Canada in an older C12.18 text [1]."""


class Feature(Value):
    """An entry of the feature list.

    Attributes:
        tag: its first octet; None for the unknown.
        name: its name in JSON.
    """

    tag: ClassVar[int | None] = None
    name: ClassVar[str]

    def as_dict(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return name and fields as JSON has them."""
        return {"feature": self.name, **self.show(show_secrets=show_secrets)}


class _Uid(FieldForm[ApTitle]):
    """A universal identifier that is an absolute object identifier."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[ApTitle, int]:
        if at < end and octets[at] != 0x06:
            raise DecodeError("tag", at, f"tag {octets[at]:02X} is not 06")
        return ApTitle.read(octets, at, end, path="")

    def write(self, value: ApTitle) -> bytes:
        return value.tlv()

    def check(self, value: ApTitle) -> ApTitle:
        """Take absolute ones."""
        if not isinstance(value, ApTitle):
            raise TypeError(f"an ApTitle is needed, not {type(value).__name__}")
        if value.is_relative:
            raise EncodeError("an absolute object identifier is needed")
        return value

    def show(self, value: ApTitle) -> str:
        return str(value)


class _ClassUid(FieldForm[bytes]):
    """A universal identifier kept as tag and content: the content of a device class need not be an identifier."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[bytes, int]:
        """Read tag, length, content; return tag and content."""
        if at >= end:
            raise short(at, end, 2)
        if octets[at] not in {0x06, 0x0D, 0x80}:
            raise DecodeError("tag", at, f"tag {octets[at]:02X} is none of 06, 80, 0D")
        length, start = read_length(octets, at + 1, end, "length")
        return octets[at : at + 1] + octets[start : start + length], start + length

    def write(self, value: bytes) -> bytes:
        return tlv(value[0], value[1:])

    def check(self, value: bytes) -> bytes:
        """Take octets that start with a tag."""
        if not isinstance(value, bytes):
            raise TypeError(f"bytes are needed, not {type(value).__name__}")
        if value[:1] not in {b"\x06", b"\x0d", b"\x80"}:
            raise EncodeError("starts with none of the tags 06, 80, 0D")
        return value

    def show(self, value: bytes) -> str:
        return value.hex()


class AuthenticationFeature(Feature):
    """C12.21 authentication without a ticket [1].

    Args:
        kind: bit 0 tells that authentication is possible.
        algorithm: 00 DES, FF AES of a vendor.
    """

    tag = 0x01
    name = "authentication"

    kind: int = wire(U8)
    algorithm: int = wire(U8)


class AuthenticationTicket(Feature):
    """C12.21 authentication with a ticket to encrypt [1].

    Args:
        kind: bit 0 tells that authentication is possible.
        algorithm: 00 DES, FF AES of a vendor.
        ticket: up to 255 octets.
    """

    tag = 0x02
    name = "authentication-ticket"

    kind: int = wire(U8)
    algorithm: int = wire(U8)
    ticket: bytes = wire(Counted())


class SecurityMechanism(Feature):
    """A security mechanism that the node understands [V]; may come several times [?].

    Args:
        oid: its object identifier, 2.16.124.113620.1.22.2.1 for that of C12.22.
    """

    tag = 0x04
    name = "security-mechanism"

    oid: ApTitle = wire(_Uid())


class SessionControl(Feature):
    """How many sessions the node keeps, and whether it works without [V].

    Args:
        control: bits 0..6 number of sessions, bit 7 sessionless messages; :meth:`of` builds it.
    """

    tag = 0x05
    name = "session-control"

    control: int = wire(U8, hidden=True)

    @classmethod
    def of(cls, sessions: int, *, sessionless: bool) -> Self:
        """Make the feature from its parts.

        Raises:
            EncodeError: the number of sessions is not in 0..127.
        """
        if not 0 <= sessions <= 0x7F:
            raise EncodeError(f"SessionControl: {sessions} sessions are not in 0..127")
        return cls(sessions | 0x80 * sessionless)

    @property
    def sessions(self) -> int:
        """Number of sessions supported."""
        return self.control & 0x7F

    @property
    def sessionless(self) -> bool:
        """Whether messages without a session are served."""
        return self.control >= 0x80

    def show(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the parts as JSON has them."""
        return {**super().show(show_secrets=show_secrets), "sessions": self.sessions, "sessionless": self.sessionless}


class DeviceClass(Feature):
    """The class of the device, the same as its ED class [V] shape.

    Args:
        uid: tag (06, 80 or 0D) and content; usually 0D and 4 octets. :meth:`of` builds it.
    """

    tag = 0x06
    name = "device-class"

    uid: bytes = wire(_ClassUid())

    @classmethod
    def of(cls, octets: bytes, *, tag: int = 0x0D) -> Self:
        """Make the feature from the content alone."""
        return cls(bytes((tag,)) + octets)

    @property
    def content(self) -> bytes:
        """The class without the tag."""
        return self.uid[1:]

    def show(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return tag and content, and the content alone, as JSON has them."""
        return {**super().show(show_secrets=show_secrets), "device_class": self.content.hex()}


class DeviceIdentity(Feature):
    """The identity of the device [V].

    Args:
        identity: character format (01 for 7-bit ASCII) and the text; :meth:`of` builds it.
    """

    tag = 0x07
    name = "device-identity"

    identity: bytes = wire(Counted(), hidden=True)

    @classmethod
    def of(cls, text: str, *, char_format: int = 0x01, size: int = 0) -> Self:
        """Make the feature from its text.

        Args:
            text: the identity, Latin-1.
            char_format: 01 for 7-bit ASCII.
            size: octets to pad to with spaces.

        Raises:
            EncodeError: the text is longer than 254 octets or not Latin-1, or the format is no octet.
        """
        octets = padded("identity", text, 254, b" ")[: max(len(text), size)]
        return cls(bytes((U8.check(char_format),)) + octets)

    @property
    def char_format(self) -> int | None:
        """Character format; None when the feature is empty."""
        return self.identity[0] if self.identity else None

    @property
    def text(self) -> str:
        """The identity as Latin-1, without padding."""
        return self.identity[1:].rstrip(b" \x00").decode("latin-1")

    def show(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the parts as JSON has them."""
        return {**super().show(show_secrets=show_secrets), "char_format": self.char_format, "identity": self.text}


class UnknownFeature(Feature):
    """A tag that is not known. Features have no length, so everything after it stays unread, the end mark included.

    Args:
        octets: tag and all that follows.
    """

    name = "unknown"

    octets: bytes = wire(REST)


_KNOWN: tuple[type[Feature], ...] = (
    *(AuthenticationFeature, AuthenticationTicket, SecurityMechanism, SessionControl, DeviceClass, DeviceIdentity),
)

FEATURES: dict[int, type[Feature]] = {feature.tag: feature for feature in _KNOWN if feature.tag is not None}
"""Feature tag to class."""


class _Features(FieldForm[tuple[Feature, ...]]):
    """Features up to the end mark 00."""

    __slots__ = ()

    def read(self, octets: bytes, at: int, end: int) -> tuple[tuple[Feature, ...], int]:
        """Read feature after feature; one that is not known takes the rest."""
        features: list[Feature] = []
        while at < end:
            tag = octets[at]
            if tag == 0x00:
                return tuple(features), at + 1
            feature = FEATURES.get(tag)
            if feature is None:
                features.append(UnknownFeature(octets[at:end]))
                return tuple(features), end
            try:
                value, at = feature.read(octets, at + 1, end)
            except DecodeError as error:
                raise type(error)(f"{len(features)}.{error.path}", error.offset, error.reason) from None
            features.append(value)
        raise DecodeError("", at, "the feature list has no end mark 00")

    def write(self, value: tuple[Feature, ...]) -> bytes:
        """Write feature after feature and the end mark, unless an unknown one has taken its place."""
        parts = [
            feature.write() if feature.tag is None else bytes((feature.tag,)) + feature.write() for feature in value
        ]
        return b"".join(parts) + (b"" if value and value[-1].tag is None else b"\x00")

    def check(self, value: tuple[Feature, ...]) -> tuple[Feature, ...]:
        """Take features, an unknown one only at the end."""
        features = tuple(value)
        for place, feature in enumerate(features, 1):
            if not isinstance(feature, Feature):
                raise TypeError(f"a Feature is needed, not {type(feature).__name__}")
            if isinstance(feature, UnknownFeature):
                if place < len(features):
                    raise EncodeError("nothing can follow an unknown feature")
                if not feature.octets or feature.octets[0] in {0x00, *FEATURES}:
                    raise EncodeError("the tag of an unknown feature is none that is known")
        return features

    def show(self, value: tuple[Feature, ...]) -> list[dict[str, Any]]:
        return [feature.as_dict() for feature in value]


class IdentifyRequest(Request):
    """Ask who is there [V]."""

    code = 0x20
    service = "identify"
    effect = Effect.READS


class IdentifyResponse(Response):
    """Which standard, and which features.

    Args:
        standard: see ``STANDARDS``.
        version: version of the standard, 0..255.
        revision: revision of the version, 0..255.
        features: what the peer tells about itself.
    """

    answers = IdentifyRequest

    standard: int = wire(U8)
    version: int = wire(U8)
    revision: int = wire(U8)
    features: tuple[Feature, ...] = wire(_Features(), default=())

    @property
    def standard_name(self) -> str:
        """Name of the standard."""
        return STANDARDS.get(self.standard, "unknown")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the response; offsets count from its first octet."""
        findings = super().findings
        if self.features and isinstance(last := self.features[-1], UnknownFeature):
            at = len(self.encode()) - len(self.trailing) - len(last.octets)
            text = f"feature {last.octets[0]:02X} is not known; it and what follows are kept as they are"
            findings += (
                Finding("warning", "unknown-feature", f"identify.features.{len(self.features) - 1}", at, text),
            )
        return findings
