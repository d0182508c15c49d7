"""Messages on their way out: put together, sealed, and cut where the link demands it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.errors import EncodeError
from c1222.message.acse_fields import encode as encode_apdu
from c1222.message.epsem import Control, ResponseControl, SecurityMode, encode_body
from c1222.message.segmentation import cut, slice_size
from c1222.protocol.message import Message
from c1222.security.keys import KeyStore
from c1222.security.sealing import seal
from c1222.services.session import LogonRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.message.acse_fields import Fields
    from c1222.message.aptitle import ApTitle
    from c1222.protocol.identity import Identity
    from c1222.protocol.policy import Link
    from c1222.security.keys import Key, Keys
    from c1222.security.sealing import SessionSecurity
    from c1222.services import Service

__all__ = ["compose", "encode", "pieces"]


def compose(
    identity: Identity,
    called: ApTitle | None,
    services: Sequence[Service],
    *,
    utc: float,
    mode: SecurityMode = SecurityMode.CLEARTEXT,
    key_id: int | None = None,
    key: Key | None = None,
    session: SessionSecurity | None = None,
    answers: int | None = None,
    calling: ApTitle | None = None,
    response_control: ResponseControl = ResponseControl.ALWAYS,
    ed_class: bytes | None = None,
    application_context: str | None = None,
    qualifier: int | None = None,
) -> tuple[Message, bytes]:
    """Put a message together under a new invocation id, and seal it.

    Args:
        identity: who sends.
        called: the node it is for, in the form it shall have on the wire.
        services: requests or responses.
        utc: true time, seconds since 1970 UTC.
        mode: how to secure it.
        key_id: which key, in modes 1 and 2.
        key: the key itself; found by the titles when None.
        session: what our first message of the session carried: this one does without, where that is safe.
        answers: id of the request, in an answer.
        calling: our title in another form than the identity has it.
        response_control: when an answer is wanted.
        ed_class: 4 octets, or None.
        application_context: object identifier, or None.
        qualifier: bits of the calling AE qualifier, or None.

    Raises:
        EncodeError: something has no form on the wire.
        UnknownKey: there is no such key for these titles.
        StateError: no vector is left, or it cannot be saved.
        ShortHeader: the header is too short to be secured.
    """
    invocation_id = identity.next_id(utc, answers=answers)
    iv: bytes | None = None
    carries = True
    if mode is not SecurityMode.CLEARTEXT and key_id is not None:
        (_, iv), carries = identity.secure(
            key_id,
            invocation_id,
            utc,
            called=called,
            session=session,
            opens_session=LogonRequest in map(type, services),
        )
    message = Message(
        called=called,
        calling=identity.title if calling is None else calling,
        calling_invocation_id=invocation_id,
        services=services,
        called_invocation_id=answers,
        security_mode=mode,
        key_id=key_id,
        iv=iv,
        carries_authentication=carries,
        response_control=response_control,
        ed_class=ed_class,
        application_context=application_context,
        calling_ae_qualifier=qualifier,
    )
    return message, encode(message, keys=identity.keys, sealed_with=key)


def encode(
    message: Message,
    *,
    keys: Keys = None,
    session: Message | SessionSecurity | None = None,
    sealed_with: Key | None = None,
) -> bytes:
    """Encode a message from its parts; seal it if its mode says so.

    Args:
        message: made from its parts, or decoded.
        keys: where the key of a secured message is found by titles and key id.
        session: what a message of a session without an authentication value inherits, where it does not say so itself.
        sealed_with: the key itself; looked for among the keys, those of the called node first, when None.

    Returns:
        The octets of the APDU.

    Raises:
        EncodeError: a value has no form on the wire, or key id or vector of a secured message is missing.
        UnknownKey: there is no key with that id for these nodes.
        ShortHeader: the header is too short to be secured.
    """
    mode, ed_class = message.security_mode, message.ed_class
    if message.envelope is None and ed_class is None:
        body = message.request_body
    else:
        body = encode_body([service.encode() for service in message.services], ed_class)
    control = Control(
        mode, message.response_control, ed_class is not None, message.proxy_service_used, message.recovery_session
    )
    fields: Fields = {
        "application_context": message.application_context,
        "called": message.called,
        "called_invocation_id": message.called_invocation_id,
        "calling": message.calling,
        "calling_ae_qualifier": message.calling_ae_qualifier,
        "calling_invocation_id": message.calling_invocation_id,
        "mechanism": message.mechanism,
    }
    if mode is SecurityMode.CLEARTEXT:
        return encode_apdu(fields, bytes((control.octet,)) + body)
    if isinstance(session, Message):
        session = session.session_security
    key_id, iv = message.key_id, message.iv
    if session is not None and not message.carries_authentication:
        key_id, iv = session
    if key_id is None or iv is None:
        raise EncodeError("a secured message needs a key id and an initialisation vector")
    store = KeyStore.of(keys)
    key = store.get(message.called, message.calling, key_id) if sealed_with is None else sealed_with
    in_session = not message.carries_authentication
    return seal(fields, key, iv=iv, control=control, body=body, in_session=in_session, base=store.base_oid)


def pieces(apdu: bytes, link: Link) -> list[bytes]:
    """Return what to give to the link: the APDU, or its segments.

    Raises:
        EncodeError: it is too large for the link.
    """
    if len(apdu) <= link.max_size:
        return [apdu]
    if not link.segments:
        raise EncodeError(f"a message of {len(apdu)} octets; the link takes {link.max_size} at a time")
    return cut(apdu, slice_size(apdu, link.max_size))
