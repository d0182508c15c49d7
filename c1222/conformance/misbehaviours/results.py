"""Responses that say the wrong thing, or are not those to the requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.conformance.misbehaviour import leaving, remade, serving
from c1222.services import ErrorResponse, UnpairedResponse
from c1222.services.results import Bsy, Err, Isss, Rstl, Sns
from c1222.services.session import LogonRequest, LogonResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1222.conformance.specimen import Specimen
    from c1222.protocol.execution import Context
    from c1222.services import Request, Response, Service

__all__ = [
    "busy",
    "no_idle_time",
    "no_limit",
    "order_reversed",
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


@leaving("unknown-service-err", "Unknown services get err", "Does without the service.", "C-ERR-04")
def unknown_service_err(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
    """Instead of sns."""
    yield remade(answer, node.keys, _recoded(Sns.code, ErrorResponse.of(Err()))), 0.0


@leaving("state-ignored", "Logoff without a session is ok", "Takes the session for ended.", "C-ERR-06")
def state_ignored(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
    """Instead of isss."""
    yield remade(answer, node.keys, _recoded(Isss.code, UnpairedResponse())), 0.0


@leaving("talks-in-errors", "Refusals have octets behind the code", "Reads the code.", "C-ERR-07")
def talks_in_errors(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
    """Some text."""

    def change(services: list[Service]) -> list[Service]:
        return [ErrorResponse(one.code, b"sorry") if one.code else one for one in services]

    yield remade(answer, node.keys, change), 0.0


@leaving("no-limit", "rstl does not tell the largest size", "Asks for less by itself.", "C-READ-05")
def no_limit(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
    """Without parameters."""
    yield remade(answer, node.keys, _recoded(Rstl.code, ErrorResponse(Rstl.code))), 0.0


@leaving("stops-at-errors", "Services behind a failed one get no response", "Knows which are missing.", "C-LIST-03")
def stops_at_errors(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
    """The list ends with the first error."""

    def change(services: list[Service]) -> list[Service]:
        end = next((index + 1 for index, service in enumerate(services) if service.code), len(services))
        return services[:end]

    yield remade(answer, node.keys, change), 0.0


@leaving("order-reversed", "Three or more responses come in reverse", "Says that they do not fit.", "C-LIST-01")
def order_reversed(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
    """The last first."""
    yield remade(answer, node.keys, lambda services: services[::-1] if len(services) > 2 else services), 0.0


@serving("busy", "Every third message gets bsy", "Asks again for what was refused, after a pause.")
def busy(request: Request, context: Context, node: Specimen) -> Response:
    """All of its services."""
    if node.scratch.get("message") is not context.message:
        node.scratch["message"] = context.message
        node.scratch["count"] = node.scratch.get("count", 0) + 1
    if node.scratch["count"] % 3 == 0:
        raise Bsy
    return node.serve(request, context)


@serving("no-idle-time", "The answer to Logon tells no idle time", "Assumes what it asked for.", "C-SESS-01")
def no_idle_time(request: Request, context: Context, node: Specimen) -> Response:
    """As in C12.18."""
    response = node.serve(request, context)
    return LogonResponse(None) if isinstance(request, LogonRequest) else response


@leaving("session-kept", "Sessions never end by themselves", "Logs off when it is done.", "C-SESS-10")
def session_kept(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
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
def session_forgotten(answer: bytes, node: Specimen) -> Iterator[tuple[bytes, float]]:
    """Closed at once."""
    node.responder.close_sessions()
    yield answer, 0.0
