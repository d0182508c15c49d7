"""Messages on their way out: put together, sealed, and cut where the link demands it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.errors import EncodeError
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.message.segmentation import cut, slice_size
from c1222.protocol.messages import Message, encode
from c1222.services.session import LogonRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.message.aptitle import ApTitle
    from c1222.protocol.identity import Identity
    from c1222.protocol.policy import Link
    from c1222.security.keys import Key
    from c1222.security.sealing import SessionSecurity
    from c1222.services import Service

__all__ = ["compose", "pieces"]


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
            opens_session=any(isinstance(service, LogonRequest) for service in services),
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
