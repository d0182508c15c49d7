"""How many failed tries a responder puts up with, and from whom.

Over datagrams anybody may write any sender's address. So failures of addresses that have shown no key yet are not
counted one by one, where a new address would have a new start: all of them share one budget. An address that has shown
its key has a budget of its own, which strangers do not touch; only tries in its own name use it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["KNOWN_FOR", "Origin", "Rate", "Throttle"]

KNOWN_FOR: Final = 3600.0
"""Seconds an address counts as known after it was right for the last time."""


class Origin(NamedTuple):
    """Whose tries are counted together.

    Attributes:
        way: what the message came by; the strangers of each way share a budget. Only a few values are expected.
        peer: the address.
    """

    way: Hashable
    peer: Hashable


class Rate(NamedTuple):
    """A budget of failures.

    Attributes:
        at_once: how many there may be at once.
        per_second: how many more each second.
    """

    at_once: int
    per_second: float


class _Budget:
    __slots__ = ("_level", "_rate", "_reported", "_when", "right_at")

    def __init__(self, rate: Rate, now: float) -> None:
        self.right_at = now
        self._rate = rate
        self._level = 0.0
        self._when = now
        self._reported = False

    def _level_at(self, now: float) -> float:
        return max(0.0, self._level - (now - self._when) * self._rate.per_second)

    def is_used_up(self, now: float) -> bool:
        return self._level_at(now) > self._rate.at_once - 1

    def spend(self, now: float, cost: float = 1.0) -> bool:
        """Count a failure; return whether it was the last one allowed, once until half of the budget is back."""
        level = self._level_at(now)
        if level <= self._rate.at_once / 2:
            self._reported = False
        self._level, self._when = level + cost, now
        if self._reported or not self.is_used_up(now):
            return False
        self._reported = True
        return True


class Throttle:
    """Counts failed tries: of all unknown addresses together, and of each known one by itself.

    An address is known after it was right (`succeeded`), for an hour. Who has used up the budget is not heard, right or
    wrong, until the next try is due. Failures make no address known, so nobody can push known ones out of the table by
    failing.

    Args:
        strangers: budget of all unknown addresses of one way together.
        known: budget of each known address.
        known_for: seconds an address stays known.
        max_known: known addresses; when there are more, the one that was right longest ago goes.
    """

    __slots__ = ("_known", "_known_for", "_known_rate", "_max_known", "_strangers", "_strangers_rate")

    def __init__(self, *, strangers: Rate, known: Rate, max_known: int, known_for: float = KNOWN_FOR) -> None:
        self._strangers_rate = strangers
        self._known_rate = known
        self._known_for = known_for
        self._max_known = max_known
        self._strangers: dict[Hashable, _Budget] = {}
        self._known: dict[Origin, _Budget] = {}  # in the order in which they were right

    def is_known(self, origin: Origin, now: float) -> bool:
        """Return whether an address was right lately."""
        budget = self._known.get(origin)
        return budget is not None and now - budget.right_at <= self._known_for

    def is_blocked(self, origin: Origin, now: float) -> bool:
        """Return whether an address is not to be heard now."""
        budget = self._known[origin] if self.is_known(origin, now) else self._strangers.get(origin.way)
        return budget is not None and budget.is_used_up(now)

    def failed(self, origin: Origin, now: float, cost: float = 1.0) -> bool:
        """Count a failure, or so many.

        Returns:
            Whether it has used up a budget that was not used up lately.
        """
        if self.is_known(origin, now):
            return self._known[origin].spend(now, cost)
        budget = self._strangers.get(origin.way)
        if budget is None:
            budget = self._strangers[origin.way] = _Budget(self._strangers_rate, now)
        return budget.spend(now, cost)

    def succeeded(self, origin: Origin, now: float) -> None:
        """Note that an address was right: its key or password, and not a repetition of somebody else's message."""
        budget = self._known.pop(origin, None)
        if budget is None:
            budget = _Budget(self._known_rate, now)
            if len(self._known) >= self._max_known:
                del self._known[next(iter(self._known))]
        budget.right_at = now
        self._known[origin] = budget

    def __len__(self) -> int:
        return len(self._known)
