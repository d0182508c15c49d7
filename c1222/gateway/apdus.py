"""APDUs of an association and of GET: read from a client, made for it.

Sources: Gurux.DLMS, dlms-cosem; octets that both took [V]. The form of an exception-response is from Gurux.DLMS [1].
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.cosem.names import LogicalName
from c1222.errors import DecodeError
from c1222.gateway.axdr import Reader
from c1222.message.ber import encode_length, read_length, tlv

if TYPE_CHECKING:
    from c1219.cosem.data import Data

__all__ = [
    "AARQ", "GET", "NO_SECURITY", "PASSWORD", "RLRE", "RLRQ", "AccessResult", "AssociationDiagnostic",
    "AssociationRequest", "Conformance", "Descriptor", "ExceptionReason", "GetRequest", "NextRequest", "Selection",
    "accepted", "block", "exception", "parse_association", "parse_get", "refused", "response",
]  # fmt: skip

AARQ: Final = 0x60
RLRQ: Final = 0x62
GET: Final = 0xC0
RLRE: Final = bytes.fromhex("6303800100")
"""Answer to the end of an association."""
_GET_RESPONSE: Final = 0xC4
_CONTEXT: Final = bytes.fromhex("60857405080101")
_MECHANISM: Final = bytes.fromhex("608574050802")
NO_SECURITY: Final = 0
PASSWORD: Final = 1
"""Mechanisms: the lowest one, and LLS."""
_VERSION: Final = 6
_VAA_NAME: Final = bytes.fromhex("0007")


class Conformance(IntFlag):
    """Services that both sides offer: 24 bits, the first is bit 0."""

    BLOCK_TRANSFER_GET = 1 << (23 - 11)
    GET = 1 << (23 - 19)
    SELECTIVE_ACCESS = 1 << (23 - 21)


class AccessResult(IntEnum):
    """Why an attribute is not given."""

    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    BLOCK_UNAVAILABLE = 14
    OTHER = 250


class AssociationDiagnostic(IntEnum):
    """Why an association is refused."""

    NO_REASON = 1
    CONTEXT_NOT_SUPPORTED = 2
    MECHANISM_NOT_RECOGNISED = 11
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class ExceptionReason(IntEnum):
    """Why a service is not carried out."""

    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER = 3


class AssociationRequest(NamedTuple):
    """What an AARQ asks for.

    Attributes:
        context: object identifier of the application context, content octets.
        mechanism: of authentication: 0 none, 1 LLS, more HLS.
        password: of LLS; None if there is none.
        conformance: services that the client proposes.
        max_pdu: largest APDU that it takes, 0 for any.
        version: of DLMS.
    """

    context: bytes
    mechanism: int
    password: bytes | None
    conformance: int
    max_pdu: int
    version: int

    def __repr__(self) -> str:
        return f"<association request, mechanism {self.mechanism}, conformance {self.conformance:06x}>"

    @property
    def plain_context(self) -> bool:
        """Whether it asks for logical names without ciphering."""
        return self.context == _CONTEXT


def parse_association(apdu: bytes) -> AssociationRequest:
    """Read an AARQ.

    Raises:
        DecodeError: it is none.
    """
    if not apdu or apdu[0] != AARQ:
        raise DecodeError("aarq", 0, "no AARQ begins here")
    at, size = _content(apdu, 0, len(apdu))
    context, mechanism, password, user = b"", NO_SECURITY, None, b""
    end = at + size
    if end != len(apdu):
        raise DecodeError("aarq", end, f"{len(apdu) - end} octets are left over")
    while at < end:
        tag, (start, length) = apdu[at], _content(apdu, at, end)
        inner = apdu[start : start + length]
        if tag == 0xA1:
            context = _inside(inner, 0x06, start)
        elif tag == 0x8B:
            if inner[:-1] != _MECHANISM:
                raise DecodeError("aarq.mechanism-name", start, f"{inner.hex()} is no mechanism of authentication")
            mechanism = inner[-1]
        elif tag == 0xAC:
            password = _inside(inner, 0x80, start)
        elif tag == 0xBE:
            user = _inside(inner, 0x04, start)
        at = start + length
    return _initiate(user, context, mechanism, password)


def _content(octets: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the content of an element starts, and its length."""
    length, start = read_length(octets, at + 1, end, "aarq")
    return start, length


def _inside(octets: bytes, tag: int, offset: int) -> bytes:
    if not octets or octets[0] != tag:
        raise DecodeError("aarq", offset, f"an element with tag {tag:02X} is needed here")
    length, start = read_length(octets, 1, len(octets), "aarq")
    return octets[start : start + length]


def _initiate(user: bytes, context: bytes, mechanism: int, password: bytes | None) -> AssociationRequest:
    reader = Reader(user, "aarq.initiate-request")
    if reader.number() != 0x01:
        raise reader.error("no initiate request: ciphered ones are not taken")
    if reader.number():
        reader.take(reader.length())  # dedicated key
    if reader.number():
        reader.take(1)  # response allowed
    if reader.number():
        reader.take(1)  # quality of service
    version = reader.number()
    if reader.take(2) != b"\x5f\x1f" or reader.number() != 4 or reader.number():
        raise reader.error("no conformance block")
    conformance, max_pdu = reader.number(3), reader.number(2)
    reader.end()
    return AssociationRequest(context, mechanism, password, conformance, max_pdu, version)


def accepted(conformance: int, max_pdu: int, mechanism: int = NO_SECURITY) -> bytes:
    """Return the AARE that accepts an association.

    Args:
        conformance: services that are granted, 24 bits.
        max_pdu: largest APDU that is taken, octets.
        mechanism: of authentication.
    """
    initiate = bytes((0x08, 0x00, _VERSION)) + b"\x5f\x1f\x04\x00" + conformance.to_bytes(3, "big")
    initiate += max_pdu.to_bytes(2, "big") + _VAA_NAME
    return _aare(0, 0, mechanism, tlv(0xBE, tlv(0x04, initiate)))


def refused(diagnostic: AssociationDiagnostic) -> bytes:
    """Return the AARE that refuses an association for good."""
    return _aare(1, diagnostic, NO_SECURITY, b"")


def _aare(result: int, diagnostic: int, mechanism: int, user: bytes) -> bytes:
    content = tlv(0xA1, tlv(0x06, _CONTEXT)) + tlv(0xA2, tlv(0x02, bytes((result,))))
    content += tlv(0xA3, tlv(0xA1, tlv(0x02, bytes((diagnostic,)))))
    if mechanism:
        content += bytes.fromhex("88020780") + tlv(0x89, _MECHANISM + bytes((mechanism,)))
    return tlv(0x61, content + user)


def exception(reason: ExceptionReason) -> bytes:
    """Return the answer to a service that is not carried out."""
    state = 2 if reason is ExceptionReason.SERVICE_NOT_SUPPORTED else 1
    return bytes((0xD8, state, reason))


class Descriptor(NamedTuple):
    """Which attribute is asked for.

    Attributes:
        interface: number of its class.
        name: logical name of its object.
        attribute: its number, signed as on the wire.
    """

    interface: int
    name: LogicalName
    attribute: int


class Selection(NamedTuple):
    """Which part of an attribute is asked for.

    Attributes:
        selector: 1 by a range of values, 2 by numbers of entries.
        parameter: what it says.
    """

    selector: int
    parameter: Data


class GetRequest(NamedTuple):
    """GET of one attribute.

    Attributes:
        invoke: invoke-id-and-priority, which the answer repeats.
        descriptor: which attribute.
        selection: which part of it; None for all.
    """

    invoke: int
    descriptor: Descriptor
    selection: Selection | None


class NextRequest(NamedTuple):
    """GET of the next block.

    Attributes:
        invoke: invoke-id-and-priority.
        block: number of the block that the client has.
    """

    invoke: int
    block: int


def parse_get(apdu: bytes) -> GetRequest | NextRequest | None:
    """Read a GET request; None if it is one with a list, or a kind that is not known.

    Raises:
        DecodeError: it is none.
    """
    reader = Reader(apdu, "get")
    if reader.number() != GET:
        raise reader.error("no GET request begins here")
    kind, invoke = reader.number(), reader.number()
    if kind == 2:
        number = reader.number(4)
        reader.end()
        return NextRequest(invoke, number)
    if kind != 1:
        return None
    interface, name = reader.number(2), LogicalName.of(reader.take(6))
    attribute = int.from_bytes(reader.take(1), "big", signed=True)
    selection = None
    if reader.number():
        selection = Selection(reader.number(), reader.data())
    reader.end()
    return GetRequest(invoke, Descriptor(interface, name, attribute), selection)


def response(invoke: int, result: bytes | AccessResult) -> bytes:
    """Return the answer to a GET.

    Args:
        invoke: of the request.
        result: the value, encoded, or why there is none.
    """
    tail = bytes((1, result)) if isinstance(result, AccessResult) else b"\0" + result
    return bytes((_GET_RESPONSE, 1, invoke)) + tail


def block(invoke: int, number: int, octets: bytes | AccessResult, *, last: bool) -> bytes:
    """Return one block of a value.

    Args:
        invoke: of the request.
        number: of the block, 1 for the first.
        octets: its part of the value, or why there is none.
        last: it is the last one.
    """
    head = bytes((_GET_RESPONSE, 2, invoke, last)) + number.to_bytes(4, "big")
    if isinstance(octets, AccessResult):
        return head + bytes((1, octets))
    return head + b"\0" + encode_length(len(octets)) + octets
