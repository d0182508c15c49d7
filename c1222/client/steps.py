"""What an operation asks its pump to do, and what it gets back.

An operation is a generator: it yields steps and is sent their outcome, and its return value is the result of the verb.
It has no socket and no clock; the client that runs it has.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from c1222.message.epsem import ResponseControl
from c1222.protocol.events import Completed, Failed

if TYPE_CHECKING:
    from c1222.client.clock import TimeSource
    from c1222.client.serial_initiator import SerialInitiator
    from c1222.protocol.initiator.exchange import Exchange
    from c1222.protocol.initiator.initiator import Initiator
    from c1222.protocol.policy import Timing
    from c1222.services import Request

__all__ = ["Ask", "Asker", "Operation", "Outcome", "Pause", "Repeat", "Step", "begin"]

_T = TypeVar("_T")

Asker: TypeAlias = "Initiator | SerialInitiator"
"""What asks: messages of C12.22, or services of C12.18 and C12.21."""


class Ask(NamedTuple):
    """Ask the peer for services, all in one message. The outcome is how the exchange ended.

    Attributes:
        services: what to ask for, in order.
        response_control: when an answer is wanted.
        qualifier: bits: 1 TEST, 2 URGENT, 4 NOTIFICATION; None for none.
        timing: another timing than that of the initiator.
        in_session: fail rather than send it outside of a session.
    """

    services: tuple[Request, ...]
    response_control: ResponseControl = ResponseControl.ALWAYS
    qualifier: int | None = None
    timing: Timing | None = None
    in_session: bool = False


class Repeat(NamedTuple):
    """Send an exchange that was left without an answer once more. The outcome is how it ended this time."""

    exchange: Exchange


class Pause(NamedTuple):
    """Let some time pass, in seconds. The outcome is None."""

    seconds: float


Step = Ask | Repeat | Pause
Outcome = Completed | Failed | None
Operation = Generator[Step, Outcome, _T]


def begin(step: Ask | Repeat, initiator: Asker, clock: TimeSource) -> Exchange:
    """Give a step to the core, and return the exchange to wait for.

    Raises:
        StateError: it cannot be sent (again).
    """
    if isinstance(step, Repeat):
        initiator.repeat(step.exchange, now=clock.now)
        return step.exchange
    return initiator.request(
        *step.services,
        now=clock.now,
        utc=clock.utc,
        response_control=step.response_control,
        qualifier=step.qualifier,
        timing=step.timing,
        in_session=step.in_session,
    )
