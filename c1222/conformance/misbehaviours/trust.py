"""Requests that are served although they should not be trusted."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour, arriving, remade
from c1222.errors import DecodeError, InvalidTag
from c1222.message.acse import Acse, Authentication, decode_acse
from c1222.message.epsem import MAC_SIZE, SecurityMode
from c1222.protocol.opening import decode
from c1222.security.canonical import canonical_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.misbehaviours.misbehaviour import Subject

__all__ = [
    "any_key_id",
    "any_time",
    "clear_served",
    "downgrade_taken",
    "elements_skipped",
    "forgets",
    "header_mac",
    "mac_unchecked",
    "relative_dropped",
]

_FOR_EVER: Final = 1 << 32

clear_served = Misbehaviour(
    "clear-served",
    "Requests in cleartext are served, too",
    "Secures its requests all the same.",
    ("C-SEC-04",),
    secured=True,
    policy={"cleartext": True},
)

any_time = Misbehaviour(
    "any-time",
    "Vectors may be of any time",
    "Sends the true time.",
    ("C-SEC-10", "C-SEC-11"),
    secured=True,
    policy={"window": _FOR_EVER},
)

forgets = Misbehaviour(
    "forgets",
    "It forgets what it has carried out: repeated requests are carried out again",
    "Cannot know; repeats only what does no harm.",
    ("C-DUP-01", "C-DUP-02", "C-WRITE-05", "C-SEC-09"),
    policy={"answer_window": 0.0},
    forgets=True,
)


def _mode(acse: Acse) -> SecurityMode:
    _, start, end = acse.user_information
    if start == end:
        raise DecodeError("acse.user-information", start, "the control octet is missing")
    return SecurityMode(acse.octets[start] >> 2 & 3)


def _sealed_again(acse: Acse, node: Subject, *, header_only: bool = False) -> bytes:
    """Return a request with the right MAC for whatever it holds."""
    _, start, end = acse.user_information
    authentication = acse.authentication
    if authentication is None or authentication.iv is None or end - start <= MAC_SIZE:
        raise DecodeError("acse", 0, "key id and vector are not in it")
    keys = tuple(node.keys)
    key = next((one for one in keys if one.id == authentication.key_id), keys[0])
    header = canonical_header(acse, key_id=authentication.key_id, iv=authentication.iv, base=node.keys.base_oid)
    sealed = acse.octets[start + 1 : end]
    body = sealed[:-MAC_SIZE]
    if header_only:
        key.eax.verify(header, sealed[-MAC_SIZE:])
    if _mode(acse) is SecurityMode.CIPHERTEXT_AUTHENTICATION:
        plain = key.eax.encrypt(header, body)[:-MAC_SIZE]  # the keystream undoes itself
        sealed = key.eax.encrypt(header, plain)
    else:
        sealed = body + key.eax.mac(header + body)
    return acse.with_user_information(acse.octets[start : start + 1] + sealed).octets


@arriving("mac-unchecked", "The MAC of requests is not checked", "Cannot know.", "C-SEC-05", "C-SEC-07", secured=True)
def mac_unchecked(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Sealed again with whatever it holds."""
    acse = decode_acse(apdu)
    if _mode(acse):
        apdu = _sealed_again(acse, node)
    yield apdu


@arriving("any-key-id", "Unknown key ids stand for the first key, unchecked", "Cannot know.", "C-SEC-06", secured=True)
def any_key_id(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Sealed again under a key that is known."""
    acse = decode_acse(apdu)
    authentication, known = acse.authentication, {key.id for key in node.keys}
    if authentication is not None and authentication.key_id not in known:
        fields = acse.fields()
        fields["authentication"] = Authentication("c12.22", min(known), authentication.iv)
        apdu = _sealed_again(Acse.build(user_information=acse.payload, **fields), node)
    yield apdu


@arriving("header-mac", "In mode 1 a MAC over the header alone is taken", "Cannot know.", "C-SEC-08", secured=True)
def header_mac(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Sealed again where that is so."""
    acse = decode_acse(apdu)
    if _mode(acse) is SecurityMode.CLEARTEXT_AUTHENTICATION:
        with suppress(InvalidTag):
            apdu = _sealed_again(acse, node, header_only=True)
    yield apdu


@arriving("downgrade-taken", "In a session, requests in cleartext are served", "Cannot know.", "C-SEC-12", secured=True)
def downgrade_taken(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Sealed on the node's own account."""
    message = decode(apdu, keys=node.keys)
    if len(node.responder.sessions) and message.security_mode is SecurityMode.CLEARTEXT:
        vector = node.scratch["vector"] = node.scratch.get("vector", int(node.meter.device)) + 1
        key = next(iter(node.keys))
        apdu = remade(
            apdu,
            node.keys,
            security_mode=SecurityMode.CIPHERTEXT_AUTHENTICATION,
            key_id=key.id,
            iv=vector.to_bytes(4),
            carries_authentication=True,
        )
    yield apdu


@arriving(
    "elements-skipped", "Elements that the MAC does not cover are skipped", "Cannot know.", "C-SEC-13", secured=True
)
def elements_skipped(apdu: bytes, _node: Subject) -> Iterator[bytes]:
    """Taken out."""
    acse = decode_acse(apdu)
    if acse.unknown:
        apdu = Acse.build(user_information=acse.payload, **acse.fields()).octets
    yield apdu


@arriving(
    "relative-dropped", "Requests with relative titles are dropped", "Uses absolute ones.", "C-SEC-03", secured=True
)
def relative_dropped(apdu: bytes, _node: Subject) -> Iterator[bytes]:
    """Those whose called title is relative."""
    called = decode_acse(apdu).called
    if called is None or not called.is_relative:
        yield apdu
