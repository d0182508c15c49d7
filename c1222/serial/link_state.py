"""Where a link is, and what leads to another place: one machine for both ends, as data.

**An end of the line** (``LINK``). What is to be said goes out packet by packet, and each is acknowledged by one octet
(SENDING); a refusal or silence sends the same octets again, which changes nothing here, until the retries are used up.
Who asks then waits for the answer (AWAITING); who answers is done (IDLE). A peer that sends its next request has
received the answer, whatever became of its acknowledgement. After any doubt the link is DOWN: a late answer would be
taken for the answer to the next question, so it carries nothing until it is restarted, and who asks drops what comes
in until the line is quiet (DRAINING) before it asks again.

What is not in the table cannot happen: it is a mistake of the caller, a StateError.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from c1222.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LINK", "LinkChange", "LinkState", "next_link_state"]


class LinkState(StrEnum):
    """Where an end of the line is."""

    IDLE = "idle"
    SENDING = "sending"
    AWAITING = "awaiting an answer"
    DRAINING = "draining"
    DOWN = "down"


class LinkChange(StrEnum):
    """What happens to a link."""

    SENT = "message sent"
    PART_ACKNOWLEDGED = "packet acknowledged, more to send"
    ACKNOWLEDGED = "message acknowledged, no answer wanted"
    ACKNOWLEDGED_ASKING = "message acknowledged, answer wanted"
    PASSED_OVER = "the peer goes on without an acknowledgement"
    REPEATED = "packet refused or not acknowledged, retries left"
    GIVEN_UP = "packet refused or not acknowledged, no retries left"
    ANSWERED = "answer received"
    BROKEN = "parts of the answer missing"
    OVERDUE = "answer overdue"
    READ_ON = "the answer was to an older question"
    ASKED_AGAIN = "request received again, answer repeated"
    DRAIN = "input to be dropped"
    QUIET = "line quiet"
    NEVER_QUIET = "line never quiet"
    RESTARTED = "restarted"


LINK: Final[Mapping[LinkState, Mapping[LinkChange, LinkState]]] = {
    LinkState.IDLE: {
        LinkChange.SENT: LinkState.SENDING,
        LinkChange.ASKED_AGAIN: LinkState.SENDING,
        LinkChange.READ_ON: LinkState.AWAITING,
        LinkChange.DRAIN: LinkState.DRAINING,
        LinkChange.RESTARTED: LinkState.IDLE,
    },
    LinkState.SENDING: {
        LinkChange.PART_ACKNOWLEDGED: LinkState.SENDING,
        LinkChange.ACKNOWLEDGED: LinkState.IDLE,
        LinkChange.ACKNOWLEDGED_ASKING: LinkState.AWAITING,
        LinkChange.PASSED_OVER: LinkState.IDLE,
        LinkChange.REPEATED: LinkState.SENDING,
        LinkChange.GIVEN_UP: LinkState.DOWN,
        LinkChange.DRAIN: LinkState.DRAINING,
        LinkChange.RESTARTED: LinkState.IDLE,
    },
    LinkState.AWAITING: {
        LinkChange.ANSWERED: LinkState.IDLE,
        LinkChange.BROKEN: LinkState.DOWN,
        LinkChange.OVERDUE: LinkState.DOWN,
        LinkChange.DRAIN: LinkState.DRAINING,
        LinkChange.RESTARTED: LinkState.IDLE,
    },
    LinkState.DRAINING: {
        LinkChange.QUIET: LinkState.IDLE,
        LinkChange.NEVER_QUIET: LinkState.DOWN,
        LinkChange.RESTARTED: LinkState.IDLE,
    },
    LinkState.DOWN: {
        LinkChange.DRAIN: LinkState.DRAINING,
        LinkChange.RESTARTED: LinkState.IDLE,
    },
}


def next_link_state(state: LinkState, change: LinkChange) -> LinkState:
    """Return the state that a change leads to.

    Raises:
        StateError: it cannot happen in this state.
    """
    try:
        return LINK[state][change]
    except KeyError:
        raise StateError(f"{change} is not possible while the link is {state}") from None
