"""What a responder remembers of its peers: the answers it gave.

An answer is kept with the octets of its request and with where that came from. The same octets from there again,
because the answer was lost or the request was doubled on its way, get the same answer and carry out nothing. From
elsewhere they are no repetition: in cleartext a request of its own, secured a replay. Origin: Itron's stack drops
repetitions for 120 s [1]; answering them is ours, and so is the source: peers number the messages of every connection
from 0 (Elster [1]), and what one address asked is not sent to another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["AnswerMemory", "Asker"]


class Asker(NamedTuple):
    """Who asked, and from where.

    Attributes:
        source: UDP address and port, or the connection.
        title: content of the calling title; None without one.
    """

    source: Hashable
    title: bytes | None


class _Entry(NamedTuple):
    request: bytes
    answer: tuple[bytes, ...]
    until: float
    size: int


class AnswerMemory:
    """The recent answers, by asker and invocation id.

    Args:
        window: how long they are kept, seconds.
        max_answers: how many are kept.
        max_octets: of answers and requests together.

    Attributes:
        evicted: answers forgotten before their time because there was no room left.
    """

    __slots__ = ("_kept", "_loose", "_max_answers", "_max_octets", "_octets", "_window", "evicted")

    def __init__(self, *, window: float, max_answers: int, max_octets: int) -> None:
        self.evicted = 0
        self._window = window
        self._max_answers = max_answers
        self._max_octets = max_octets
        self._octets = 0
        # Both in the order in which they run out.
        self._kept: dict[tuple[Asker, int], _Entry] = {}
        self._loose: dict[tuple[Asker, int], _Entry] = {}

    def find(self, asker: Asker, invocation_id: int, now: float) -> tuple[bytes, tuple[bytes, ...]] | None:
        """Return the request with this id and what was answered to it; None if it is not remembered."""
        key = (asker, invocation_id)
        entry = self._loose.get(key) or self._kept.get(key)
        if entry is None or entry.until <= now:
            return None
        return entry.request, entry.answer

    def has_room(self, now: float) -> bool:
        """Return whether one more that must be kept can be."""
        self._expire(now)
        return len(self._kept) < self._max_answers and self._octets - self._loose_octets() < self._max_octets

    def add(
        self, asker: Asker, invocation_id: int, request: bytes, answer: tuple[bytes, ...], now: float, *, keep: bool
    ) -> None:
        """Remember an answer; an empty one, where none was wanted.

        Args:
            asker: whom the request is from.
            invocation_id: its id.
            request: its octets.
            answer: the octets of the answer, or of its segments.
            now: the clock.
            keep: it must not make room for others: nothing else keeps the request from being carried out twice.
        """
        self._expire(now)
        key = (asker, invocation_id)
        self._remove(key)
        entry = _Entry(request, answer, now + self._window, len(request) + sum(map(len, answer)))
        (self._kept if keep else self._loose)[key] = entry
        self._octets += entry.size
        while self._loose and (len(self) > self._max_answers or self._octets > self._max_octets):
            self._octets -= self._loose.pop(next(iter(self._loose))).size
            self.evicted += 1

    def forget(self, asker: Asker) -> None:
        """Forget the answers to who numbers its messages anew."""
        self._forget([key for entries in (self._kept, self._loose) for key in entries if key[0] == asker])

    def forget_source(self, source: Hashable) -> None:
        """Forget the answers to a connection that has ended."""
        self._forget([key for entries in (self._kept, self._loose) for key in entries if key[0].source == source])

    def _forget(self, keys: list[tuple[Asker, int]]) -> None:
        for key in keys:
            self._remove(key)

    def _remove(self, key: tuple[Asker, int]) -> None:
        for entries in (self._kept, self._loose):
            entry = entries.pop(key, None)
            if entry is not None:
                self._octets -= entry.size

    def _expire(self, now: float) -> None:
        for entries in (self._kept, self._loose):
            while entries:
                key, entry = next(iter(entries.items()))
                if entry.until > now:
                    break
                del entries[key]
                self._octets -= entry.size

    def _loose_octets(self) -> int:
        return sum(entry.size for entry in self._loose.values())

    def __len__(self) -> int:
        return len(self._kept) + len(self._loose)
