"""That no message is taken twice.

What a message is known by is its sender's title, key id, vector and invocation id. Nothing here has a clock: ``now`` is
an argument.
Source: acceptance within 15 minutes of true time: Elster MeteringSDK [1]; recovery sessions lift the check of the time:
Elster, icsnpp-c1222 [1], which lift that of replays, too. The low-water marks are this project's own.
"""

from __future__ import annotations

import heapq
from enum import StrEnum
from typing import TYPE_CHECKING

from c1222.errors import StateError

if TYPE_CHECKING:
    from c1222.message.aptitle import ApTitle

__all__ = ["ACCEPTANCE_WINDOW", "KEPT_BEHIND", "MAX_SEEN", "Freshness", "ReplayGuard", "SessionGuard"]

ACCEPTANCE_WINDOW = 900
"""Seconds a vector may be away from the receiver's clock, either way."""
MAX_SEEN = 65536
"""Messages a receiver remembers, about 500 octets each."""
KEPT_BEHIND = 86_400
"""Seconds for which a store keeps requests behind the largest vector taken of their sender: far beyond any window."""

_LARGEST = 0xFFFFFFFF


class Freshness(StrEnum):
    """What a receiver makes of an authenticated message."""

    FRESH = "fresh"
    REPLAYED = "replayed"
    TOO_OLD = "too-old"
    TOO_NEW = "too-new"


_Sender = tuple[bytes | None, int]
"""The content octets of the calling title, made absolute, and the key id."""


class ReplayGuard:
    """Remembers the messages a receiver took. Ask it only after the MAC was right, or anybody can fill it.

    What is forgotten is not taken again, whatever the clock says: of each sender and key the largest pair of vector and
    id forgotten is a low-water mark, and what is not above it is too old. The marks are a sender's own: nobody's clock
    shuts out others. Without a window only repetitions are noticed, among the messages still remembered.

    Args:
        window: seconds a vector may be away from the clock; None for a decoder, which has no clock.
        max_seen: messages remembered, and marks.

    Attributes:
        evicted: messages forgotten to make room.
    """

    def __init__(self, *, window: int | None, max_seen: int = MAX_SEEN) -> None:
        if (window is not None and window < 0) or max_seen < 1:
            raise StateError("a window is not negative, and at least one message is remembered")
        self.evicted = 0
        self._window = window
        self._max_seen = max_seen
        self._seen: dict[tuple[_Sender, bytes, int], None] = {}
        self._in_session: dict[tuple[_Sender, bytes], int] = {}  # the largest id under each vector
        self._oldest: list[tuple[bytes, int, int, _Sender, bool]] = []
        self._count = 0
        self._marks: dict[_Sender, tuple[bytes, int]] = {}
        self._floor = (b"", -1)  # the mark of all that have none

    def check(
        self, calling: ApTitle | None, key_id: int, iv: bytes, invocation_id: int, now: float, *, recovery: bool = False
    ) -> Freshness:
        """Judge a message that carried its own vector, and remember it when it is fresh.

        Args:
            calling: the sender, made absolute.
            key_id: 0..255.
            iv: 4 octets.
            invocation_id: the calling invocation id.
            now: seconds since 1970 UTC; any number where there is no window.
            recovery: the message asks for a recovery session: the time is not looked at, what was taken is. What such a
                session may do is for the caller to restrict.
        """
        sender = _sender(calling, key_id)
        if (sender, iv, invocation_id) in self._seen:
            return Freshness.REPLAYED
        if self._window is not None:
            sent = int.from_bytes(iv)
            if not recovery and sent > now + self._window:
                return Freshness.TOO_NEW
            if not recovery and sent < now - self._window:
                return Freshness.TOO_OLD
            if (iv, invocation_id) <= self._mark(sender):
                return Freshness.TOO_OLD
            while self._oldest and int.from_bytes(self._oldest[0][0]) < now - self._window:
                self._forget()
        self._take(sender, iv, invocation_id)
        return Freshness.FRESH

    def check_in_session(self, calling: ApTitle | None, key_id: int, iv: bytes, invocation_id: int) -> Freshness:
        """Judge a message under the vector of a session, and remember it when it is fresh; any is without a window.

        Under one vector the ids grow, beyond the end of the session: the next one may have been opened under it, too.

        Args:
            calling: the sender, made absolute.
            key_id: 0..255.
            iv: 4 octets, of the session.
            invocation_id: the calling invocation id.
        """
        sender = _sender(calling, key_id)
        if invocation_id <= self._in_session.get((sender, iv), -1):
            return Freshness.REPLAYED
        self._take_in_session(sender, iv, invocation_id)
        return Freshness.FRESH

    def is_used(self, calling: ApTitle | None, key_id: int, iv: bytes, invocation_id: int) -> bool:
        """Return whether what a session would say next under a vector, with a larger id, may have been said before.

        Args:
            calling: the sender, made absolute.
            key_id: 0..255.
            iv: 4 octets, that the session is to go on under.
            invocation_id: the calling invocation id of the message that brings it.
        """
        return invocation_id <= self._in_session.get((_sender(calling, key_id), iv), -1)

    def restore(
        self, calling: ApTitle | None, key_id: int, iv: bytes, invocation_id: int, *, in_session: bool = False
    ) -> None:
        """Remember a message taken before a restart, whatever its time: the clock may be wrong.

        What lies further behind it than a store keeps (`KEPT_BEHIND`) is not taken from its sender again.

        Args:
            calling: the sender, made absolute.
            key_id: 0..255.
            iv: 4 octets, its own or that of its session.
            invocation_id: the calling invocation id.
            in_session: whether the vector was that of its session.
        """
        sender = _sender(calling, key_id)
        behind = int.from_bytes(iv) - KEPT_BEHIND - 1
        if behind >= 0:
            self._set_mark(sender, (behind.to_bytes(4), _LARGEST))
        if in_session:
            largest = max(invocation_id, self._in_session.get((sender, iv), -1))
            self._take_in_session(sender, iv, largest)
        elif (sender, iv, invocation_id) not in self._seen:
            self._take(sender, iv, invocation_id)

    def __len__(self) -> int:
        return len(self._seen) + len(self._in_session)

    def _take(self, sender: _Sender, iv: bytes, invocation_id: int) -> None:
        self._seen[sender, iv, invocation_id] = None
        self._note(sender, iv, invocation_id, in_session=False)

    def _take_in_session(self, sender: _Sender, iv: bytes, invocation_id: int) -> None:
        if self._window is None or (iv, _LARGEST) <= self._mark(sender):
            return  # no other session can be opened under this vector
        is_known = (sender, iv) in self._in_session
        self._in_session[sender, iv] = invocation_id
        if not is_known:
            self._note(sender, iv, _LARGEST, in_session=True)

    def _note(self, sender: _Sender, iv: bytes, invocation_id: int, *, in_session: bool) -> None:
        if self._window is not None:
            # The count keeps the heap from comparing titles.
            self._count += 1
            heapq.heappush(self._oldest, (iv, invocation_id, self._count, sender, in_session))
        while len(self) > self._max_seen:
            self.evicted += 1
            self._forget()

    def _mark(self, sender: _Sender) -> tuple[bytes, int]:
        return self._marks.get(sender, self._floor)

    def _set_mark(self, sender: _Sender, mark: tuple[bytes, int]) -> None:
        self._marks[sender] = max(mark, self._mark(sender))
        if len(self._marks) > self._max_seen:
            # The lower half become one, for all that have none.
            marks = sorted(self._marks.items(), key=lambda item: item[1])
            half = len(marks) // 2 + 1
            self._floor = max(self._floor, marks[half - 1][1])
            self._marks = dict(marks[half:])

    def _forget(self) -> None:
        if self._window is None:
            del self._seen[next(iter(self._seen))]
            return
        iv, invocation_id, _, sender, in_session = heapq.heappop(self._oldest)
        if in_session:
            del self._in_session[sender, iv]
        else:
            del self._seen[sender, iv, invocation_id]
        self._set_mark(sender, (iv, invocation_id))


def _sender(calling: ApTitle | None, key_id: int) -> _Sender:
    return (None if calling is None else calling.absolute_content(), key_id)


class SessionGuard:
    """Judges the messages of one session that carry no vector: their invocation ids must grow.

    Args:
        opened_by: the calling invocation id of the message that opened the session.
    """

    def __init__(self, opened_by: int) -> None:
        self._last = opened_by

    def check(self, invocation_id: int) -> Freshness:
        """Judge an authenticated message, and remember its id when it is fresh."""
        if invocation_id <= self._last:
            return Freshness.REPLAYED
        self._last = invocation_id
        return Freshness.FRESH
