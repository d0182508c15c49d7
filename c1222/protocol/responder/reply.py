"""Answers of a node: composed for the request they answer, and made to fit.

Peers are particular. An answer quotes the request's id; it names both nodes in the very form of the request; it is
secured as the request was, with key id and vector only if the request had them; and its vector is the request's when
the clocks agree, so that both readings of which vector a session goes on with come to the same.
Origin: Elster MeteringSDK insists on ids and titles [1]; captured meters answer under the vector of the request [V].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.composing import compose, pieces
from c1222.protocol.state import REPEATABLE
from c1222.services import ErrorResponse
from c1222.services.results import Rstl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.message.aptitle import ApTitle
    from c1222.message.envelope import Envelope
    from c1222.protocol.identity import Identity
    from c1222.protocol.message import Message
    from c1222.protocol.policy import Link, NodePolicy
    from c1222.security.sealing import SessionSecurity
    from c1222.services import Response, Service

__all__ = ["refuse_in_clear", "reply"]

_ECHOED: Final = 0b101  # TEST and NOTIFICATION, not URGENT, as Itron's stack answers


def reply(
    identity: Identity,
    message: Message,
    responses: Sequence[Response],
    *,
    session: SessionSecurity | None,
    link: Link,
    policy: NodePolicy,
    utc: float,
) -> tuple[Message, list[bytes]]:
    """Return the answer to a trusted message, and its octets in pieces that the link takes.

    Args:
        identity: who answers.
        message: the request.
        responses: one for each of its services.
        session: what our first answer of the session carried, if the message is of a session.
        link: what carries the answer.
        policy: largest answer, and when to take over a vector.
        utc: true time, seconds since 1970 UTC.

    Raises:
        EncodeError: it does not fit, or has no form on the wire.
        UnknownKey: there is no such key for these titles.
        StateError: no vector is left, or it cannot be saved.
    """
    answer, apdu = _compose(identity, message, responses, session, policy, utc)
    limit = policy.max_response or len(apdu)
    if not link.segments:
        limit = min(limit, link.max_size)
    if len(apdu) > limit:
        responses = _shorten(message.services, responses, len(apdu) - limit, ErrorResponse.of(Rstl.of(limit)))
        answer, apdu = _compose(identity, message, responses, session, policy, utc)
    return answer, pieces(apdu, link)


def _compose(
    identity: Identity,
    message: Message,
    responses: Sequence[Response],
    session: SessionSecurity | None,
    policy: NodePolicy,
    utc: float,
) -> tuple[Message, bytes]:
    mode = message.security_mode
    carried = mode is not SecurityMode.CLEARTEXT and message.carries_authentication
    if carried and message.iv is not None:
        sent = int.from_bytes(message.iv)
        if abs(sent - utc) <= policy.same_vector:
            utc = sent + utc % 1  # ids begin with the time within the second
    return compose(
        identity,
        message.calling,
        responses,
        utc=utc,
        mode=mode,
        key_id=message.key_id,
        key=message.key,
        session=None if carried else session,
        answers=message.calling_invocation_id,
        calling=_echoed(identity, message.called),
        response_control=ResponseControl.NEVER if mode is SecurityMode.CLEARTEXT else ResponseControl.ALWAYS,
        application_context=message.application_context,
        qualifier=(message.calling_ae_qualifier or 0) & _ECHOED or None,
    )


def refuse_in_clear(
    identity: Identity, acse: Envelope, response: ErrorResponse, *, link: Link, utc: float
) -> list[bytes]:
    """Return a refusal of a message that is not trusted: in cleartext, and saying nothing else.

    Raises:
        EncodeError: it has no form on the wire.
    """
    _, apdu = compose(
        identity,
        acse.calling,
        [response],
        utc=utc,
        answers=acse.calling_invocation_id,
        calling=_echoed(identity, acse.called),
        response_control=ResponseControl.NEVER,
        application_context=acse.application_context,
    )
    return pieces(apdu, link)


def _echoed(identity: Identity, called: ApTitle | None) -> ApTitle | None:
    """Return our title in the form the peer used; in our own after a broadcast."""
    return called if called is not None and identity.same(called, identity.title) else identity.title


def _shorten(
    services: Sequence[Service], responses: Sequence[Response], excess: int, refusal: ErrorResponse
) -> list[Response]:
    """Put a refusal (rstl) for what was read, the largest first, until so many octets are saved.

    Of those that are as large the last goes first. What was done keeps its answer: its peer must know. If that does not
    save enough, the refusal stands for all.
    """
    asked = [service for service in services if service.kind == "request"]
    shorter = list(responses)
    size = len(refusal.encode())
    saved = [
        (len(response.encode()) - size, index)
        for index, response in enumerate(responses)
        if asked[index].service in REPEATABLE
    ]
    for octets, index in sorted(saved, reverse=True):
        if excess <= 0 or octets <= 0:
            break
        shorter[index] = refusal
        excess -= octets
    return shorter if excess <= 0 else [refusal]
