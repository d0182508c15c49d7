"""What the core reports to its owner. An event is complete when made, and reported once, in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.errors import C1222Error
    from c1222.protocol.initiator.exchange import Exchange
    from c1222.protocol.message import Message
    from c1222.protocol.session import Session
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = [
    "BudgetUsedUp",
    "Completed",
    "Dropped",
    "Failed",
    "HandlerFailed",
    "InitiatorEvent",
    "Overdue",
    "Refused",
    "Released",
    "ResponderEvent",
    "Resting",
    "SessionClosed",
    "SessionEnded",
    "SessionOpened",
    "SessionStarted",
    "SizeLearned",
    "VectorsAhead",
]


@dataclass(slots=True)
class Completed:
    """An exchange is done: its answer is here, or none was wanted, or its absence means success.

    Attributes:
        exchange: what was asked.
        responses: one for each service asked for, in order; empty when there is no answer.
        message: the answer, the last one if busy services were asked again; None when there is none.
    """

    exchange: Exchange
    responses: tuple[Answer, ...]
    message: Message | None


@dataclass(slots=True)
class Failed:
    """An exchange ended without an answer.

    Attributes:
        exchange: what was asked.
        error: why there is no answer.
        unknown: whether the peer may have done what was asked all the same. See ``Initiator.repeat``.
    """

    exchange: Exchange
    error: C1222Error
    unknown: bool


@dataclass(slots=True)
class Overdue:
    """An answer did not come in time; the same octets are sent again.

    Attributes:
        exchange: what was asked.
        attempt: which attempt this is, the second being 2.
    """

    exchange: Exchange
    attempt: int


@dataclass(slots=True)
class Resting:
    """The peer is busy, or its data are not ready; what it refused so will be sent again.

    Attributes:
        exchange: what was asked.
        until: when, on the clock of ``now``.
    """

    exchange: Exchange
    until: float


@dataclass(slots=True)
class SessionOpened:
    """The peer opened a session.

    Attributes:
        timeout: idle time it granted, seconds; 0 for no limit.
    """

    timeout: int


@dataclass(slots=True)
class SessionClosed:
    """The session is over.

    Attributes:
        reason: ``ended``, ``idle``, ``lost``.
    """

    reason: str


@dataclass(slots=True)
class SizeLearned:
    """The peer named the largest APDU it takes or sends: ask for less, or write less, at a time.

    Attributes:
        max_request: largest request in octets, None while unknown.
        max_response: largest response in octets, None while unknown.
    """

    max_request: int | None
    max_response: int | None


@dataclass(slots=True)
class Dropped:
    """Octets came in that are not the answer to anything; they are counted and forgotten.

    Attributes:
        reason: one word, the name of the counter.
        text: what was wrong, for people.
    """

    reason: str
    text: str


InitiatorEvent = Completed | Failed | Overdue | Resting | SessionOpened | SessionClosed | SizeLearned | Dropped


@dataclass(slots=True)
class SessionStarted:
    """A peer logged on at this node."""

    session: Session


@dataclass(slots=True)
class SessionEnded:
    """A session at this node is over.

    Attributes:
        session: which.
        reason: ``logoff``, ``terminate``, ``disconnect``, ``idle``, ``closed``.
    """

    session: Session
    reason: str


@dataclass(slots=True)
class Refused:
    """A message was refused unheard.

    Attributes:
        reason: one word, the name of the counter.
        source: where it came from.
        text: what was wrong, for people; the peer does not learn it.
    """

    reason: str
    source: Hashable
    text: str


@dataclass(slots=True)
class BudgetUsedUp:
    """Authentication failed too often; reported once, and again when half of the budget was back in between.

    Attributes:
        source: where the last failure came from, or is said to have come from.
        known: whether it was the budget of this one address, which is not heard for now; else that of all unknown ones.
        what: ``authentication`` or ``password``.
    """

    source: Hashable
    known: bool
    what: str


@dataclass(slots=True)
class VectorsAhead:
    """An answer had a vector that peers do not take which look at the time; reported once.

    The clock was wrong once, or is now. Vectors never go back, so a key with another id is the way out.

    Attributes:
        key_id: of the key.
        lead: seconds by which vectors are ahead of the clock.
    """

    key_id: int
    lead: int


@dataclass(slots=True)
class HandlerFailed:
    """The handler raised something else than a service error; the peer got err.

    Attributes:
        request: the service it was to carry out.
        error: what it raised.
    """

    request: Request
    error: Exception


@dataclass(slots=True)
class Released:
    """A peer asked to release the connection (Disconnect) and has its answer coming.

    Attributes:
        source: where it asked from.
    """

    source: Hashable


ResponderEvent = SessionStarted | SessionEnded | Refused | BudgetUsedUp | VectorsAhead | HandlerFailed | Released
