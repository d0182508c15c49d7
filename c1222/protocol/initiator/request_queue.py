"""The request queue: the exchanges of one initiator that wait to be sent, for an answer, or for a busy peer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from c1222.protocol.session import concerns_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.protocol.initiator.exchange import Exchange

__all__ = ["RequestQueue"]

_REMEMBERED: Final = 32


class RequestQueue:
    """The exchanges that are not over.

    Args:
        outstanding: how many may wait for answers at a time, outside of sessions. Inside one, or with a message that
            opens or ends one, they go one by one: the ids of a session grow, and datagrams overtake each other.

    Attributes:
        in_flight: those that wait for an answer, by invocation id.
    """

    __slots__ = ("_outstanding", "_past", "_queue", "_resting", "in_flight")

    def __init__(self, outstanding: int) -> None:
        self._outstanding = outstanding
        self.in_flight: dict[int, Exchange] = {}
        self._queue: deque[Exchange] = deque()
        self._resting: list[Exchange] = []
        self._past: deque[int] = deque(maxlen=_REMEMBERED)

    @property
    def queued(self) -> int:
        """How many wait for their turn."""
        return len(self._queue)

    def enqueue(self, exchange: Exchange) -> None:
        """Let an exchange wait for its turn."""
        self._queue.append(exchange)

    def rest(self, exchange: Exchange) -> None:
        """Let an exchange wait for its deadline and then for its turn, before all others."""
        self._resting.append(exchange)

    def next(self, *, in_session: bool) -> Exchange | None:
        """Remove and return the next exchange to send; None when nothing may be sent now."""
        if not self._queue:
            return None
        if in_session or concerns_session(self._queue[0].services):
            may_send = not self.in_flight and not self._resting
        else:
            may_send = len(self.in_flight) < self._outstanding
            may_send = may_send and not any(concerns_session(one.services) for one in self._resting)
        return self._queue.popleft() if may_send else None

    def overdue(self, now: float) -> list[Exchange]:
        """Return those whose answer is overdue."""
        return [exchange for exchange in self.in_flight.values() if exchange.deadline <= now]

    def rested(self, now: float) -> None:
        """Let those whose rest is over wait for their turn."""
        for exchange in [one for one in self._resting if one.deadline <= now]:
            self._resting.remove(exchange)
            self._queue.appendleft(exchange)

    def next_deadline(self) -> float | None:
        """Return when an answer is overdue or a rest over."""
        if not self._resting:
            if len(self.in_flight) == 1:
                return next(iter(self.in_flight.values())).deadline
            if not self.in_flight:
                return None
        return min(exchange.deadline for exchange in (*self.in_flight.values(), *self._resting))

    def leave(self, exchange: Exchange) -> None:
        """Take an exchange out of wherever it waits."""
        if self.in_flight.get(exchange.invocation_id) is exchange:
            del self.in_flight[exchange.invocation_id]
            self._past.append(exchange.invocation_id)
        elif exchange in self._resting:
            self._resting.remove(exchange)
        elif exchange in self._queue:
            self._queue.remove(exchange)

    def remember(self, invocation_id: int) -> None:
        """Note an id that was used, so that an answer to it is known as late."""
        self._past.append(invocation_id)

    def was_used(self, invocation_id: int) -> bool:
        """Return whether an id was used lately."""
        return invocation_id in self._past

    def __iter__(self) -> Iterator[Exchange]:
        return iter((*self.in_flight.values(), *self._resting, *self._queue))

    def __bool__(self) -> bool:
        return bool(self.in_flight or self._resting or self._queue)
