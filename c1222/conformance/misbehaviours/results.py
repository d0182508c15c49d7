"""Responses that say the wrong thing, or are not those to the requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour, arriving, leaving, opened, remade, serving
from c1222.message.acse import decode_acse
from c1222.services import ErrorResponse, UnpairedResponse
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Bsy, Err, Iar, Isss, Rstl, Sns
from c1222.services.session import LogonRequest, LogonResponse, SecurityRequest, TerminateRequest, WaitRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1222.conformance.misbehaviours.misbehaviour import Subject
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response, Service

__all__ = [
    "bare_messages_dropped",
    "busy",
    "embedded_dropped",
    "iar_is_ok",
    "no_identify_in_session",
    "no_idle_time",
    "no_limit",
    "no_terminate",
    "no_wait",
    "order_reversed",
    "padding_served",
    "security_unanswered",
    "session_forgotten",
    "session_kept",
    "state_ignored",
    "stops_at_errors",
    "talks_in_errors",
    "unknown_service_err",
]


def _recoded(code: int, instead: Service) -> Callable[[list[Service]], list[Service]]:
    def change(services: list[Service]) -> list[Service]:
        return [instead if service.code == code else service for service in services]

    return change


@leaving("unknown-service-err", "Unknown services get err", "Does without the service.", "C-ERR-04", "C-READ-04")
def unknown_service_err(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Instead of sns."""
    yield remade(answer, node.keys, _recoded(Sns.code, ErrorResponse.of(Err()))), 0.0


@leaving("state-ignored", "Logoff without a session is ok", "Takes the session for ended.", "C-ERR-06", "C-SESS-03")
def state_ignored(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Instead of isss."""
    yield remade(answer, node.keys, _recoded(Isss.code, UnpairedResponse())), 0.0


@leaving("talks-in-errors", "Refusals have octets behind the code", "Reads the code.", "C-ERR-07")
def talks_in_errors(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Some text."""

    def change(services: list[Service]) -> list[Service]:
        return [ErrorResponse(one.code, b"sorry") if one.code else one for one in services]

    yield remade(answer, node.keys, change), 0.0


@leaving("no-limit", "rstl does not tell the largest size", "Asks for less by itself.", "C-READ-05")
def no_limit(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Without parameters."""
    yield remade(answer, node.keys, _recoded(Rstl.code, ErrorResponse(Rstl.code))), 0.0


@leaving("stops-at-errors", "Services behind a failed one get no response", "Knows which are missing.", "C-LIST-03")
def stops_at_errors(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """The list ends with the first error."""

    def change(services: list[Service]) -> list[Service]:
        end = next((index + 1 for index, service in enumerate(services) if service.code), len(services))
        return services[:end]

    yield remade(answer, node.keys, change), 0.0


@leaving("order-reversed", "Three or more responses come in reverse", "Says that they do not fit.", "C-LIST-01")
def order_reversed(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """The last first."""
    yield remade(answer, node.keys, lambda services: services[::-1] if len(services) > 2 else services), 0.0


@serving("busy", "Every third message gets bsy", "Asks again for what was refused, after a pause.")
def busy(request: Request, context: Context, node: Subject) -> Response:
    """All of its services."""
    if node.scratch.get("message") is not context.message:
        node.scratch["message"] = context.message
        node.scratch["count"] = node.scratch.get("count", 0) + 1
    if node.scratch["count"] % 3 == 0:
        raise Bsy
    return node.serve(request, context)


@serving("no-idle-time", "The answer to Logon tells no idle time", "Assumes what it asked for.", "C-SESS-01")
def no_idle_time(request: Request, context: Context, node: Subject) -> Response:
    """As in C12.18."""
    response = node.serve(request, context)
    return LogonResponse(None) if isinstance(request, LogonRequest) else response


@leaving("session-kept", "Sessions never end by themselves", "Logs off when it is done.", "C-SESS-10")
def session_kept(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Without a deadline."""
    for session in node.responder.sessions:
        session.timeout, session.deadline = 0, None
    yield answer, 0.0


@leaving(
    "session-forgotten",
    "A session is forgotten after its first message",
    "Says that the session is lost; opens another one.",
    "C-SESS-02",
)
def session_forgotten(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """Closed at once."""
    node.responder.close_sessions()
    yield answer, 0.0


@leaving("iar-is-ok", "What gets iar elsewhere gets ok", "Sees that there are no data.", "C-ERR-05", "C-ERR-08")
def iar_is_ok(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    """A bare ok."""
    yield remade(answer, node.keys, _recoded(Iar.code, UnpairedResponse())), 0.0


def _note_security(request: Request, context: Context, node: Subject) -> Response:
    if isinstance(request, SecurityRequest):
        node.scratch["security"] = context.message.calling_invocation_id
    return node.serve(request, context)


def _leave_security_out(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
    message = opened(answer, node.keys)
    if message.called_invocation_id == node.scratch.get("security") and len(message.services) > 1:
        answer = remade(answer, node.keys, lambda services: services[1:])
    yield answer, 0.0


security_unanswered = Misbehaviour(
    "security-unanswered",
    "Security gets no response where others follow, as in example 8 of the standard",
    "Takes it for ok.",
    ("C-LIST-02",),
    serve=_note_security,
    leave=_leave_security_out,
)


@arriving("padding-served", "It takes what follows a length of 0 for services", "Sends no padding.", "C-LIST-04")
def padding_served(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Where something follows, all is done twice."""
    message = opened(apdu, node.keys)
    if len(message.body) > sum(1 + len(octets) for octets in message.service_octets):
        apdu = remade(apdu, node.keys, lambda services: services + services)
    yield apdu


@arriving("embedded-dropped", "Requests with a response among them are dropped", "Sends none.", "C-LIST-05")
def embedded_dropped(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Without a word."""
    kinds = {service.kind for service in opened(apdu, node.keys).services}
    if kinds != {"request", "response"}:
        yield apdu


@arriving("bare-messages-dropped", "Messages without AC are dropped", "Puts it into each.", "C-SESS-11", secured=True)
def bare_messages_dropped(apdu: bytes, _node: Subject) -> Iterator[bytes]:
    """In sessions, too."""
    acse = decode_acse(apdu)
    if acse.is_segment or acse.authentication is not None or not acse.payload or not acse.payload[0] >> 2 & 3:
        yield apdu


@serving("no-identify-in-session", "Identify is refused in a session", "Asks before.", "C-IDENT-07")
def no_identify_in_session(request: Request, context: Context, node: Subject) -> Response:
    """Isss."""
    if isinstance(request, IdentifyRequest) and context.session is not None:
        raise Isss
    return node.serve(request, context)


@serving("no-terminate", "Terminate is not supported", "Logs off.", "C-SESS-04")
def no_terminate(request: Request, context: Context, node: Subject) -> Response:
    """Sns."""
    if isinstance(request, TerminateRequest):
        raise Sns
    return node.serve(request, context)


@serving("no-wait", "Wait is not supported", "Does without.", "C-SESS-05")
def no_wait(request: Request, context: Context, node: Subject) -> Response:
    """Sns."""
    if isinstance(request, WaitRequest):
        raise Sns
    return node.serve(request, context)
