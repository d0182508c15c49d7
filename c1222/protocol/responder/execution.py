"""Carrying out the services of one request, in order, through the handler of a node.

There is exactly one response for each service. After an error the rest goes on, except that a failed Logon, Security
or Authenticate leaves it without rights (isc). Origin: one access for all services of a message, and going on after
errors, as in Itron's stack [1]; the exception is ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from c1222.errors import ServiceError
from c1222.protocol.session import Grants
from c1222.protocol.state import END_SERVICES, NODE, NodeState
from c1222.services import Effect, ErrorResponse, Request, Response, services_that
from c1222.services.results import Bsy, Err, Iar, Isc
from c1222.services.session import LogonRequest, LogonResponse, SecurityRequest, WaitRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from c1222.message.aptitle import ApTitle
    from c1222.protocol.message import Message
    from c1222.protocol.responder.arrival import Arrival
    from c1222.protocol.session import Session

__all__ = ["GATES", "Context", "Handler", "Outcome", "carry_out"]

GATES: Final = services_that(Effect.OPENS, Effect.PROVES)
"""Services that give rights: when one fails, nothing behind it in the message is carried out."""

_TEST, _NOTIFICATION = 1, 4
_NOT_WHO_IT_SAYS: Final = frozenset({Err.code, Isc.code})


class Context:
    """What a handler knows about the message a service came in.

    Attributes:
        message: the whole message.
        access: what the peer may do, for the handler to fill in: in a session until its end, else for this message.
        session: the session, None outside of one.
        arrival: how the message came: its last piece, if it came in several.
        is_test: whether nothing shall change (TEST).
        is_notification: whether a write tells of an event (NOTIFICATION).

    Raises:
        DecodeError: the qualifier of the message is malformed.
    """

    __slots__ = ("access", "arrival", "is_notification", "is_test", "message", "session")

    def __init__(self, message: Message, access: Grants, session: Session | None, arrival: Arrival) -> None:
        self.message = message
        self.access = access
        self.session = session
        self.arrival = arrival
        qualifier = message.calling_ae_qualifier or 0
        self.is_test = bool(qualifier & _TEST)
        self.is_notification = bool(qualifier & _NOTIFICATION)

    @property
    def source(self) -> Hashable:
        """Where the message came from."""
        return self.arrival.source

    @property
    def now(self) -> float:
        """The clock when it came, seconds."""
        return self.arrival.now

    @property
    def utc(self) -> float:
        """True time when it came, seconds since 1970 UTC."""
        return self.arrival.utc

    @property
    def calling(self) -> ApTitle | None:
        """Who asks."""
        return self.message.calling


class Handler(Protocol):
    """What a node does with a service."""

    def __call__(self, request: Request, context: Context, /) -> Response:
        """Carry out a service and return its response, or raise a ServiceError, which becomes one.

        Logon: check the user, fill in ``context.access``, return the idle time granted. Security: check the password,
        fill in ``context.access.rights``. Logoff, Terminate, Disconnect and Wait: only say whether they are allowed,
        the core does the rest.
        """


class Outcome:
    """What came of a message.

    Attributes:
        responses: one for each service.
        ended: name of the service that ended the session the message came in; None if none did.
        opened: idle time granted by the Logon of a session that is open now, seconds; None without one.
        stretch: seconds that a Wait asked for.
        failures: how often a Logon or Security was refused to the peer as not being who it says.
        identified: whether a Security was granted to it.
        faults: what the handler raised that is no service error, each with the request.
        released: whether Disconnect was carried out.
    """

    __slots__ = ("ended", "failures", "faults", "identified", "opened", "released", "responses", "stretch")

    def __init__(self) -> None:
        self.responses: list[Response] = []
        self.ended: str | None = None
        self.opened: int | None = None
        self.stretch = 0
        self.failures = 0
        self.identified = False
        self.faults: list[tuple[Request, Exception]] = []
        self.released = False


def carry_out(message: Message, handler: Handler, context: Context, *, may_open: Callable[[], bool]) -> Outcome:
    """Carry out the services of a message.

    Args:
        message: a request, to be trusted.
        handler: what does it.
        context: for the handler.
        may_open: tells whether there is room for another session.
    """
    outcome = Outcome()
    state = NodeState.IDLE if context.session is None else NodeState.SESSION
    closed = False
    for service in message.services:
        if service.kind != "request":
            continue  # a response among requests is nothing to answer
        name = service.service or "unknown"
        rule = NODE.get(name, NODE["unknown"])[state is NodeState.SESSION]
        if closed:
            response: Response = ErrorResponse.of(Isc(), service.service)
        elif not isinstance(service, Request):
            response = ErrorResponse.of(Iar(), service.service)  # malformed
        elif not isinstance(rule, NodeState):
            response = ErrorResponse.of(rule(), service.service)
        elif isinstance(service, LogonRequest) and not (outcome.ended or may_open()):
            response = ErrorResponse.of(Bsy(), service.service)
        else:
            response = _handle(service, handler, context, outcome)
            if not response.code:
                _take_effect(service, response, context, outcome)
                state = rule
        if response.code and name in GATES:
            closed = True
            outcome.failures += response.code in _NOT_WHO_IT_SAYS
        outcome.responses.append(response)
    return outcome


def _handle(service: Request, handler: Handler, context: Context, outcome: Outcome) -> Response:
    if isinstance(service, LogonRequest):
        context.access = Grants()  # what was granted before the Logon is not the new session's
    try:
        response: object = handler(service, context)
    except ServiceError as error:
        return ErrorResponse.of(error, service.service)
    except Exception as error:  # noqa: BLE001 - whatever a handler does wrong, the peer gets an answer, and only once
        outcome.faults.append((service, error))
        return ErrorResponse.of(Err(), service.service)
    if not isinstance(response, Response):
        outcome.faults.append((service, TypeError(f"the handler returned {type(response).__name__}, no response")))
        return ErrorResponse.of(Err(), service.service)
    return response


def _take_effect(service: Request, response: Response, context: Context, outcome: Outcome) -> None:
    if isinstance(service, LogonRequest):
        context.access.user_id = service.user_id
        context.access.user = service.user
        granted = response.timeout if isinstance(response, LogonResponse) else service.timeout
        outcome.opened = granted or 0
    elif service.service in END_SERVICES:
        if context.session is not None:
            outcome.ended = service.service
        outcome.released = outcome.released or service.service == "disconnect"
        outcome.opened = None
        context.session = None
        context.access = Grants()
    elif isinstance(service, WaitRequest):
        outcome.stretch = service.seconds
    elif isinstance(service, SecurityRequest):
        outcome.identified = True
        if service.user_id is not None:
            context.access.user_id = service.user_id
