"""Who is in which state, and what leads to another: three machines, as data.

Two rules hold for this file. All states of the core are here, nowhere else is one invented; and nothing here acts: the
code that drives a machine looks up where an event leads and does the work that belongs to it. What is not in a table
cannot happen: on our side that is a mistake of the caller, a StateError; what the peer does never gets that far, for a
responder looks a service up before it does anything, and an initiator only acts on answers to what it asked.

**An exchange, seen from who asks** (``EXCHANGE``). A request waits its turn (QUEUED) and is sent. Then it waits for its
answer (WAITING); each time the answer is overdue the same octets are sent again, which changes nothing here, until the
attempts are used up. What silence means then depends on what was asked for: with response control "always" nobody knows
whether the request was carried out (SILENT), and the same octets may be sent once more, which is safe because the
responder remembers them; with "on exception" silence is success, and with "never" sending is the end of it (DONE). A
busy answer (bsy, dnr) puts the exchange to rest (RESTING), after which what was refused is sent as a new message.

**A session, seen from who opens it** (``SESSION``). Logon opens it and Logoff, Terminate or Disconnect end it, when
they are answered; between question and answer it is OPENING or CLOSING. It ends by itself when it was idle for the time
that the Logon was granted. An end that is not answered counts as an end: at worst the peer's idle time runs out later.
An end that is refused leaves the session open, except as out of sequence (isss): then there is none. Terminate makes
sense with no session in sight as well: it clears what a lost answer may have left at the peer.

**A session, seen from the node** (``NODE``). For every service the table says what happens outside of a session (IDLE,
where every message stands alone) and inside one: either the state an ok answer leads to, or the refusal. Any other
answer than ok leaves the state as it is. Origin: the split of the two states from captured exchanges [V]; the cells
beyond the obvious ones, Identify inside a session and Register to Trace there among them, are inference [?]. Services
of C12.18 and C12.21 links alone are not supported (sns).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeVar

from c1222.errors import StateError
from c1222.services.codec import services_that
from c1222.services.results import Isss, Sns
from c1222.services.service import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1222.services.results import Refusal

__all__ = [
    "END_SERVICES",
    "EXCHANGE",
    "NODE",
    "REPEATABLE",
    "SESSION",
    "ExchangeState",
    "Exchanging",
    "NodeState",
    "SessionEvent",
    "SessionState",
    "follow",
]


class ExchangeState(StrEnum):
    """Where an exchange is."""

    QUEUED = "queued"
    WAITING = "waiting"
    RESTING = "resting"
    DONE = "done"
    SILENT = "silent"
    FAILED = "failed"


class Exchanging(StrEnum):
    """What happens to an exchange."""

    SENT = "sent"
    SENT_FOR_GOOD = "sent, no answer wanted"
    OVERDUE = "answer overdue, attempts left"
    GIVEN_UP = "answer overdue, no attempts left"
    TAKEN_AS_DONE = "answer overdue, silence means success"
    ANSWERED = "answered"
    BUSY = "answered: busy"
    REPEATED = "the same octets sent again on request"
    BROKEN = "failed"


EXCHANGE: Final[Mapping[ExchangeState, Mapping[Exchanging, ExchangeState]]] = {
    ExchangeState.QUEUED: {
        Exchanging.SENT: ExchangeState.WAITING,
        Exchanging.SENT_FOR_GOOD: ExchangeState.DONE,
        Exchanging.BROKEN: ExchangeState.FAILED,
    },
    ExchangeState.WAITING: {
        Exchanging.OVERDUE: ExchangeState.WAITING,
        Exchanging.GIVEN_UP: ExchangeState.SILENT,
        Exchanging.TAKEN_AS_DONE: ExchangeState.DONE,
        Exchanging.ANSWERED: ExchangeState.DONE,
        Exchanging.BUSY: ExchangeState.RESTING,
        Exchanging.BROKEN: ExchangeState.FAILED,
    },
    ExchangeState.RESTING: {
        Exchanging.SENT: ExchangeState.WAITING,
        Exchanging.BROKEN: ExchangeState.FAILED,
    },
    ExchangeState.SILENT: {
        Exchanging.REPEATED: ExchangeState.WAITING,
    },
    ExchangeState.DONE: {},
    ExchangeState.FAILED: {},
}


class SessionState(StrEnum):
    """Where a session is, for who opens it."""

    IDLE = "idle"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"


class SessionEvent(StrEnum):
    """What happens to a session."""

    LOGON_SENT = "logon sent"
    LOGON_OK = "logon ok"
    LOGON_FAILED = "logon refused or not answered"
    END_SENT = "logoff, terminate or disconnect sent"
    END_OK = "end ok or not answered"
    END_REFUSED = "end refused"
    LOST = "idle for too long, connection lost, or unknown to the peer"


SESSION: Final[Mapping[SessionState, Mapping[SessionEvent, SessionState]]] = {
    SessionState.IDLE: {
        SessionEvent.LOGON_SENT: SessionState.OPENING,
        SessionEvent.END_SENT: SessionState.IDLE,
        SessionEvent.END_OK: SessionState.IDLE,
        SessionEvent.END_REFUSED: SessionState.IDLE,
        SessionEvent.LOST: SessionState.IDLE,
    },
    SessionState.OPENING: {
        SessionEvent.LOGON_OK: SessionState.OPEN,
        SessionEvent.LOGON_FAILED: SessionState.IDLE,
        SessionEvent.LOST: SessionState.IDLE,
    },
    SessionState.OPEN: {
        SessionEvent.END_SENT: SessionState.CLOSING,
        SessionEvent.LOST: SessionState.IDLE,
    },
    SessionState.CLOSING: {
        SessionEvent.END_OK: SessionState.IDLE,
        SessionEvent.END_REFUSED: SessionState.OPEN,
        SessionEvent.LOST: SessionState.IDLE,
    },
}


class NodeState(StrEnum):
    """Where a node is towards one peer."""

    IDLE = "idle"
    SESSION = "session"


_IDLE, _SESSION = NodeState.IDLE, NodeState.SESSION

NODE: Final[Mapping[str, tuple[NodeState | type[Refusal], NodeState | type[Refusal]]]] = {
    # service          while IDLE        in a SESSION
    "identify": (_IDLE, _SESSION),
    "logon": (_SESSION, Isss),
    "security": (_IDLE, _SESSION),
    "logoff": (Isss, _IDLE),
    "terminate": (_IDLE, _IDLE),
    "disconnect": (_IDLE, _IDLE),
    "wait": (Isss, _SESSION),
    "read": (_IDLE, _SESSION),
    "read-index": (_IDLE, _SESSION),
    "read-default": (_IDLE, _SESSION),
    "read-offset": (_IDLE, _SESSION),
    "write": (_IDLE, _SESSION),
    "write-index": (_IDLE, _SESSION),
    "write-default": (_IDLE, _SESSION),
    "write-offset": (_IDLE, _SESSION),
    "register": (_IDLE, _SESSION),
    "deregister": (_IDLE, _SESSION),
    "resolve": (_IDLE, _SESSION),
    "trace": (_IDLE, _SESSION),
    "authenticate": (Sns, Sns),
    "negotiate": (Sns, Sns),
    "timing-setup": (Sns, Sns),
    "unknown": (Sns, Sns),
}
"""Service -> what an ok answer leads to, or the refusal: while idle, and in a session."""

END_SERVICES: Final = services_that(Effect.ENDS)
"""Services that end a session."""

REPEATABLE: Final = services_that(Effect.READS)
"""Services that change nothing: carrying one out twice does no harm."""

_S = TypeVar("_S", ExchangeState, SessionState)
_E = TypeVar("_E", Exchanging, SessionEvent)


def follow(table: Mapping[_S, Mapping[_E, _S]], state: _S, event: _E) -> _S:
    """Return the state that an event leads to.

    Raises:
        StateError: it cannot happen in this state.
    """
    try:
        return table[state][event]
    except KeyError:
        raise StateError(f"{event} is not possible while {state}") from None
