"""Messages that no client sends: any body, sealed by the book; octets damaged on purpose; segments of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.conformance.reply import Sent
from c1222.message.acse import Acse, decode_acse
from c1222.message.epsem import Control, SecurityMode
from c1222.security.sealing import seal

if TYPE_CHECKING:
    from c1222.conformance.probe import Probe
    from c1222.message.acse_fields import Fields
    from c1222.protocol.message import Message
    from c1222.security.keys import Key
    from c1222.services import Request

__all__ = ["flipped", "last_octet_of", "segment", "with_body"]


def with_body(probe: Probe, body: bytes, *services: Request) -> Sent:
    """Make a request whose EPSEM body is given, well sealed.

    Args:
        probe: the probe that sends it.
        body: the list of services as octets, without control octet and MAC.
        services: what the node should take it for, to read its answer by.
    """
    message = probe.compose(*services).message
    fields: Fields = {
        "called": message.called,
        "calling": message.calling,
        "calling_invocation_id": message.calling_invocation_id,
    }
    mode = message.security_mode
    control = Control(mode, ed_class=message.ed_class is not None)
    body = (message.ed_class or b"") + body
    if mode is SecurityMode.CLEARTEXT:
        octets = Acse.build(user_information=bytes((control.octet,)) + body, **fields).octets
    else:
        key: Key = probe.target.keys.get(message.called, message.calling, message.key_id or 0)
        iv = message.iv or b""
        octets = seal(fields, key, iv=iv, control=control, body=body, base=probe.target.keys.base_oid)
    return Sent(message, octets)


def flipped(sent: Sent, place: int, bit: int = 0) -> bytes:
    """Return the octets of a request with one bit changed.

    Args:
        sent: the request.
        place: which octet; negative ones count from the end.
        bit: 0..7, the least significant being 0.
    """
    octets = bytearray(sent.octets)
    octets[place] ^= 1 << bit
    return bytes(octets)


def last_octet_of(sent: Sent, element: str) -> int:
    """Return the place of the last octet of an element of a request, such as ``calling-AP-invocation-id``."""
    span = decode_acse(sent.octets).span(element)
    if span is None:
        raise KeyError(element)
    return span.end - 1


def segment(sent: Sent, octets: bytes, *, offset: int, total: int | None = None) -> bytes:
    """Return one segment of a request, right or wrong.

    Args:
        sent: the request.
        octets: the slice.
        offset: where it is said to belong.
        total: what the whole is said to have; as it has when None.
    """
    message: Message = sent.message
    fields: Any = {
        "called": message.called,
        "called_ae_qualifier": len(sent.octets) if total is None else total,
        "calling": message.calling,
        "calling_invocation_id": message.calling_invocation_id,
        "indirect_reference": offset,
    }
    return Acse.build(user_information=octets, **fields).octets
