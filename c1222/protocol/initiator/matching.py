"""What makes a message the answer to a request, and which response in it answers which service.

Over datagrams anybody can send anything, so an answer counts only if it is secured at least as well as the question.
Origin: Elster MeteringSDK lets authentication answer for encryption; that is refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.errors import SecurityRefused, SessionLost
from c1222.message.epsem import SecurityMode
from c1222.services import SERVICE_ERRORS, ErrorResponse, Request, Response, align
from c1222.services.malformed import Answer, MalformedService
from c1222.services.results import Sme
from c1222.services.session import SecurityResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.errors import C1222Error
    from c1222.message.aptitle import ApTitle
    from c1222.message.envelope import Envelope
    from c1222.protocol.identity import Identity
    from c1222.protocol.initiator.exchange import Exchange
    from c1222.protocol.initiator.request_queue import RequestQueue
    from c1222.protocol.message import Message

__all__ = ["Distrust", "asked_by", "distrust", "hint", "pair", "wrong_titles"]

_REQUESTS_FROM: Final = 0x20


class Distrust(NamedTuple):
    """Why a message does not count.

    Attributes:
        reason: one word, for a counter.
        text: what is wrong, for people.
    """

    reason: str
    text: str


def asked_by(
    acse: Envelope, turns: RequestQueue, identity: Identity, called: ApTitle | None, *, lenient: bool
) -> Exchange | Distrust:
    """Return the exchange that waits for an APDU, or why none does.

    Args:
        acse: what came in.
        turns: the exchanges that wait.
        identity: who asked.
        called: who was asked; None for the node directly attached.
        lenient: take what quotes no id, if one exchange waits.

    Raises:
        DecodeError: an element is malformed.
    """
    quoted = acse.called_invocation_id
    waiting = turns.in_flight
    if quoted is not None:
        exchange = waiting.get(quoted)
    elif lenient and len(waiting) == 1:
        exchange = next(iter(waiting.values()))
    else:
        return Distrust("no-answer", "it quotes no id")
    if exchange is None:
        if quoted is not None and turns.was_used(quoted):
            return Distrust("late", f"an answer to {quoted}, which waits no more")
        return Distrust("unasked", f"an answer to {quoted}, which was not asked")
    return wrong_titles(acse, identity, called) or exchange


def wrong_titles(acse: Envelope, identity: Identity, called: ApTitle | None) -> Distrust | None:
    """Return why an APDU is not from who was asked to who asked, by its titles; None when it is.

    Args:
        acse: what came in; a segment has its titles, too, but quotes no id.
        identity: who asked.
        called: who was asked; None for the node directly attached.
    """
    to_us = identity.title is None or identity.same(acse.called, identity.title)
    if to_us and (called is None or identity.same(acse.calling, called)):
        return None
    return Distrust("wrong-titles", f"from {acse.calling} to {acse.called}")


def distrust(message: Message, mode: SecurityMode, *, utc: float = 0.0, window: int | None = None) -> Distrust | None:
    """Return why a message does not count as the answer to a request; None when it does.

    Args:
        message: quotes the id of the request, and was opened.
        mode: how the request was secured.
        utc: true time, seconds since 1970 UTC.
        window: seconds a vector may be away from it; None for any.
    """
    if message.security_mode is SecurityMode.CLEARTEXT:
        if mode is not SecurityMode.CLEARTEXT:
            return Distrust("downgrade", "a cleartext answer to a secured request")
    elif not message.authenticated:
        finding = next((finding for finding in message.findings if finding.level == "error"), None)
        return Distrust(str(message.verdict), "not verified" if finding is None else finding.text)
    elif message.security_mode < mode:
        return Distrust("downgrade", f"an answer in {message.security_mode.label} to a request in {mode.label}")
    elif message.envelope is not None and message.envelope.unknown:
        return Distrust("unknown-elements", "there are elements that the MAC does not cover")
    elif window is not None and message.carries_authentication and _age(message, utc) > window:
        return Distrust("stale", f"its vector is more than {window} s away from the time")
    if any(octets[0] >= _REQUESTS_FROM for octets in message.service_octets):
        return Distrust("request-in-answer", "it quotes an id as answers do, and holds a request")
    return None


def _age(message: Message, utc: float) -> float:
    return abs(int.from_bytes(message.iv or b"") - utc)


def pair(requests: Sequence[Request], message: Message) -> list[Answer] | None:
    """Return what a message answers to each request; None when that is not certain.

    A response to Security that was left out counts as ok, and a refusal of the whole message as one of each request.
    Responses beyond the requests are left aside.
    """
    services = [service for service in message.services if isinstance(service, (Response, MalformedService))]
    wanted = len(requests)
    if len(services) == wanted:
        return list(services)
    indices = align(requests, message.service_octets)
    first = services[0] if services else None
    if indices == [None] and isinstance(first, ErrorResponse) and SERVICE_ERRORS[first.code].whole_message:
        return [first] * wanted
    answers: list[Answer] = [None] * wanted
    placed = False
    for index, service in zip(indices, services, strict=True):
        if index is not None:
            answers[index] = service
            placed = True
    if not placed:
        return None
    if indices[0] == 1:
        answers[0] = SecurityResponse()
    return answers


def hint(message: Message, *, in_session: bool) -> C1222Error | None:
    """Return what a refusal in cleartext says about a secured request, if this is one.

    It is not to be believed, but when nothing better comes it tells more than silence.
    """
    answer = message.services[0] if message.services else None
    if not isinstance(answer, ErrorResponse):
        return None
    if in_session and answer.code == Sme.code:
        text = "the peer refuses what belongs to the session, which it may have forgotten"
        return SessionLost(f"{text}; it answered in cleartext: {answer.error()}")
    return SecurityRefused(f"the peer refuses in cleartext: {answer.error()}")
