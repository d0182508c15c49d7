"""What a link tells its owner, in the order in which it happened and has to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from c1222.errors import Finding

if TYPE_CHECKING:
    from c1222.errors import RemoteError

__all__ = ["ChangeRate", "LineQuiet", "LinkDown", "LinkEvent", "MessageAcknowledged", "MessageArrived", "Transmit"]


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send these octets.

    Attributes:
        octets: a packet, or an acknowledgement of one octet.
        at: not before this instant, seconds on the caller's clock.
    """

    octets: bytes
    at: float


@dataclass(frozen=True, slots=True)
class ChangeRate:
    """Set another rate, once all that was to be transmitted has left: else the last acknowledgement is destroyed [V].

    Attributes:
        rate: bits per second.
    """

    rate: int


@dataclass(frozen=True, slots=True)
class MessageAcknowledged:
    """The peer has received the whole message.

    Attributes:
        implied: it never said so, but goes on.
    """

    implied: bool = False


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A whole message: to who asks the answer, to who answers a request.

    Attributes:
        message: the octets of one service.
        again: the octets of the last packet once more, taken as new because it is Identify.
    """

    message: bytes
    again: bool = False


@dataclass(frozen=True, slots=True)
class LineQuiet:
    """The line is quiet, and what came in meanwhile is dropped.

    Attributes:
        dropped: number of octets.
    """

    dropped: int


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link carries nothing until it is restarted; who answers has restarted it already.

    Attributes:
        error: why.
        acknowledged: whether the peer had received the whole message that was sent last: it may have acted on it.
    """

    error: RemoteError
    acknowledged: bool = False


LinkEvent: TypeAlias = Transmit | ChangeRate | MessageAcknowledged | MessageArrived | LineQuiet | LinkDown | Finding
