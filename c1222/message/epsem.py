"""EPSEM: the control octet, the ED class and the list of services inside the user information.

What follows the control octet is the protected part: in mode 2 the ED class is encrypted too [V]. The functions here
read cleartext or decrypted octets, without the MAC.
Origin: C12.22-2008 with errata as implemented by Elster MeteringSDK, Itron's stack, Wireshark; EAX' (2011) vectors 1
and 2 for the place of the ED class [V].
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.errors import DecodeError, EncodeError, Finding, LimitExceeded
from c1222.message.ber import Octets, encode_length, read_length

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ED_CLASS_SIZE",
    "MAC_SIZE",
    "MAX_SERVICES",
    "Control",
    "Epsem",
    "ResponseControl",
    "SecurityMode",
    "encode_body",
    "split_services",
]

ED_CLASS_SIZE: Final = 4
"""Octets of an ED class."""
MAC_SIZE: Final = 4
"""Octets of the MAC that ends the user information in modes 1 and 2."""
MAX_SERVICES: Final = 1024
"""Default limit for the services of one message."""


class SecurityMode(IntEnum):
    """Bits 3..2 of the control octet. Ordered: a higher mode protects more, but 3 has no meaning [?]."""

    CLEARTEXT = 0
    CLEARTEXT_AUTHENTICATION = 1
    CIPHERTEXT_AUTHENTICATION = 2
    RESERVED = 3

    @property
    def label(self) -> str:
        """The name in JSON and text."""
        return self.name.lower().replace("_", "-")


class ResponseControl(IntEnum):
    """Bits 1..0 of the control octet: when the sender wants an answer. Responses carry 0 or 2, without meaning."""

    ALWAYS = 0
    ON_EXCEPTION = 1
    NEVER = 2
    RESERVED = 3

    @property
    def label(self) -> str:
        """The name in JSON and text."""
        return self.name.lower().replace("_", "-")


class Control(NamedTuple):
    """The control octet: never encrypted, always authenticated.

    Attributes:
        mode: how the rest is protected.
        response_control: when an answer is wanted.
        ed_class: an ED class goes before the services.
        proxy: the message was sent through a proxy relay.
        recovery: opens a recovery session, in which the checks of time and playback are lifted [1].
    """

    mode: SecurityMode = SecurityMode.CLEARTEXT
    response_control: ResponseControl = ResponseControl.ALWAYS
    ed_class: bool = False
    proxy: bool = False
    recovery: bool = False

    @property
    def octet(self) -> int:
        """The octet on the wire; bit 7 is always 1."""
        flags = self.recovery << 6 | self.proxy << 5 | self.ed_class << 4
        return 0x80 | flags | self.mode << 2 | self.response_control

    @classmethod
    def from_octet(cls, octet: int, *, path: str = "epsem.control", offset: int = 0) -> Control:
        """Read the octet.

        Raises:
            DecodeError: bit 7 is 0.
        """
        if not 0x80 <= octet <= 0xFF:
            raise DecodeError(path, offset, f"bit 7 of the control octet {octet:02X} is 0")
        return _CONTROLS[octet & 0x7F]

    def findings(self, *, path: str = "epsem.control", offset: int = 0) -> tuple[Finding, ...]:
        """Return remarks on values that have no meaning."""
        findings: list[Finding] = []
        if self.mode is SecurityMode.RESERVED:
            text = "security mode 3 has no meaning; what follows is not read"
            findings.append(Finding("error", "reserved-security-mode", path, offset, text))
        if self.response_control is ResponseControl.RESERVED:
            text = "response control 3 has no meaning"
            findings.append(Finding("warning", "reserved-response-control", path, offset, text))
        return tuple(findings)


_CONTROLS: Final = tuple(
    Control(
        SecurityMode(octet >> 2 & 3),
        ResponseControl(octet & 3),
        ed_class=bool(octet & 0x10),
        proxy=bool(octet & 0x20),
        recovery=bool(octet & 0x40),
    )
    for octet in range(0x80)
)


def split_services(
    buf: Octets, start: int, end: int, *, path: str = "epsem", max_services: int = MAX_SERVICES
) -> list[tuple[int, int]]:
    """Find the services in the list, each of which has a BER length before it. A length of 0 ends the list.

    Args:
        buf: the octets, in cleartext.
        start: where the list starts: behind the control octet and the ED class.
        end: where it ends: before the MAC.
        path: where we are, for errors.
        max_services: limit for the number of services.

    Returns:
        Start and end of every service, without its length.

    Raises:
        DecodeError: a length is malformed or runs past the end.
        LimitExceeded: there are too many services.
    """
    if 1 < end - start <= 0x80 and buf[start] == end - start - 1:
        return [(start + 1, end)]  # one service, as most messages have
    services: list[tuple[int, int]] = []
    pos = start
    while pos < end:
        length = buf[pos]
        pos += 1
        if length >= 0x80:
            length, pos = read_length(buf, pos - 1, end, f"{path}.services[{len(services)}]")
        if not length:
            break
        stop = pos + length
        if stop > end:
            reason = f"{length} octets announced, {end - pos} there"
            raise DecodeError(f"{path}.services[{len(services)}]", pos, reason)
        if len(services) == max_services:
            raise LimitExceeded(path, pos, f"more than {max_services} services")
        services.append((pos, stop))
        pos = stop
    return services


def encode_body(services: Iterable[bytes], ed_class: bytes | None = None) -> bytes:
    """Return what is protected: the ED class and the services with their lengths.

    Args:
        services: in order, each without the length before it.
        ed_class: 4 octets, or None.

    Raises:
        EncodeError: the ED class has not 4 octets, or a service is empty, which would end the list.
    """
    parts = []
    if ed_class is not None:
        if len(ed_class) != ED_CLASS_SIZE:
            raise EncodeError(f"an ED class of {len(ed_class)} octets, it has {ED_CLASS_SIZE}")
        parts.append(ed_class)
    for service in services:
        if not service:
            raise EncodeError("an empty service would end the list")
        parts += (encode_length(len(service)), service)
    return b"".join(parts)


class Epsem(NamedTuple):
    """One EPSEM envelope in cleartext: the control octet's flags, the ED class, the services without their lengths.

    Attributes:
        services: the services in order, each without the length before it.
        mode: how the message is, or shall be, protected; the octets here are in cleartext in any case.
        response_control: when an answer is wanted.
        ed_class: 4 octets that name the device type, or None.
        proxy: the message was sent through a proxy relay.
        recovery: opens a recovery session.
        findings: remarks of the decoder.
    """

    services: tuple[bytes, ...]
    mode: SecurityMode = SecurityMode.CLEARTEXT
    response_control: ResponseControl = ResponseControl.ALWAYS
    ed_class: bytes | None = None
    proxy: bool = False
    recovery: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def control(self) -> Control:
        """The control octet."""
        return Control(self.mode, self.response_control, self.ed_class is not None, self.proxy, self.recovery)

    @property
    def body(self) -> bytes:
        """What is protected: the ED class and the services with their lengths.

        Raises:
            EncodeError: the ED class has not 4 octets, or a service is empty, which would end the list.
        """
        return encode_body(self.services, self.ed_class)

    def encode(self) -> bytes:
        """Return the control octet and the body, in cleartext and without a MAC.

        Raises:
            EncodeError: see :attr:`body`.
        """
        return bytes((self.control.octet,)) + self.body

    @classmethod
    def decode(cls, octets: bytes, *, offset: int = 0, max_services: int = MAX_SERVICES) -> Epsem:
        """Read the control octet and the body.

        Args:
            octets: the octets in cleartext, without the MAC.
            offset: where they start in the APDU, for errors and findings.
            max_services: limit for the number of services.

        Returns:
            The envelope. With the reserved security mode it has no services, and a finding of level error says so.

        Raises:
            DecodeError: these octets are no EPSEM.
            LimitExceeded: there are too many services.
        """
        if not octets:
            raise DecodeError("epsem.control", offset, "the control octet is missing")
        control = Control.from_octet(octets[0], offset=offset)
        start = 1
        ed_class = None
        spans: list[tuple[int, int]] = []
        if control.mode is not SecurityMode.RESERVED:
            if control.ed_class:
                start += ED_CLASS_SIZE
                ed_class = octets[1:start]
                if len(ed_class) != ED_CLASS_SIZE:
                    raise DecodeError("epsem.ed-class", offset + 1, f"{len(ed_class)} octets, it has {ED_CLASS_SIZE}")
            try:
                spans = split_services(octets, start, len(octets), max_services=max_services)
            except DecodeError as error:
                raise type(error)(error.path, offset + error.offset, error.reason) from None
        return cls(
            tuple(octets[first:last] for first, last in spans),
            control.mode,
            control.response_control,
            ed_class,
            control.proxy,
            control.recovery,
            control.findings(offset=offset),
        )
