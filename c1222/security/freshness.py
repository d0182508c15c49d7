"""That no message is sealed twice alike, and none is taken twice.

The initialisation vector is the time of sending, in seconds since 1970 UTC. The header N, which EAX' takes for a nonce,
holds it together with the sender's title and the invocation id; so N is new under a key whenever the pair (vector,
invocation id) of one sender is. Nothing here has a clock: ``now`` is an argument.
Source: vectors are plausible times in all published messages and captures [V]; one second more when two messages fall
into the same second, acceptance within 15 minutes of true time: Elster MeteringSDK [1]; recovery sessions lift the
check of the time: Elster, icsnpp-c1222 [1], which lift that of replays, too. The order of pairs, the low-water marks
and the stores are this project's own.
"""

from __future__ import annotations

import heapq
import json
import os
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from c1222.errors import EncodeError, StateError
from c1222.message.aptitle import DEFAULT_BASE

if TYPE_CHECKING:
    from c1222.message.aptitle import ApTitle

__all__ = [
    "ACCEPTANCE_WINDOW",
    "KEPT_BEHIND",
    "MAX_SEEN",
    "FileStore",
    "Freshness",
    "ReplayGuard",
    "SendGuard",
    "SessionGuard",
    "VectorStore",
]

ACCEPTANCE_WINDOW = 900
"""Seconds a vector may be away from the receiver's clock, either way."""
MAX_SEEN = 65536
"""Messages a receiver remembers, about 500 octets each."""
KEPT_BEHIND = 86_400
"""Seconds for which a store keeps requests behind the largest vector taken of their sender: far beyond any window."""

_LARGEST = 0xFFFFFFFF


class VectorStore(Protocol):
    """What remembers the last vector of each sender over a restart. A scope is text that names sender and key id."""

    def load(self, scope: str) -> int | None:
        """Return the vector last saved, or None."""

    def save(self, scope: str, vector: int) -> None:
        """Save a vector. It must be durable on return: it is in no message before."""


class FileStore:
    """A small JSON file as a `VectorStore`, replaced as a whole at each save; for one process at a time.

    Args:
        path: the file; its directory must exist.

    Raises:
        StateError: there is such a file, but it cannot be read. Sealing on would risk a repetition.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._vectors: dict[str, int] = {}
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError):
            raise StateError(f"{self._path}: the last vectors cannot be read") from None
        if not isinstance(content, dict) or not all(type(v) is int and 0 <= v <= _LARGEST for v in content.values()):
            raise StateError(f"{self._path}: this is no file of last vectors")
        self._vectors = content

    def load(self, scope: str) -> int | None:
        """Return the vector last saved, or None."""
        return self._vectors.get(scope)

    def save(self, scope: str, vector: int) -> None:
        """Save a vector durably.

        Raises:
            StateError: the file cannot be written.
        """
        self._vectors[scope] = vector
        fresh = self._path.with_name(self._path.name + ".new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(self._vectors, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError as error:
            raise StateError(f"{self._path}: the last vector cannot be saved: {error.strerror}") from None


class _Scope:
    """A sender and its key.

    Attributes:
        least: no vector below it for who was not called yet, as far as is remembered.
        latest: the vector given out last; before the first, the least.
        saved: the largest in the store.
    """

    __slots__ = ("latest", "least", "saved")

    def __init__(self, saved: int) -> None:
        self.saved = saved
        self.least = self.latest = saved + 1


class _Last(NamedTuple):
    """What was given out for one node called.

    Attributes:
        vector: the last vector.
        invocation_id: the last id.
        oldest: the oldest vector that sessions may go on with.
        session: the largest vector that a session was opened under, or went on with.
    """

    vector: int
    invocation_id: int
    oldest: int
    session: int


class SendGuard:
    """Gives out vectors so that no sender seals the same header twice; safe to share between threads.

    A header holds both titles. For each node called the pairs (vector, invocation id) of a scope only ever grow: the
    vector is the time, or the last vector when the clock stands or has been set back, and one more than the last when
    the invocation id would not grow either. A Logon has a vector that no session with that node had, so that nothing of
    one session can be taken for the next one's. Whoever calls a thousand nodes in a second, with one guard, stays with
    the time. After a restart the vector is more than the largest one saved under the scope, so the store is written
    only when that grows.

    Args:
        store: what remembers over a restart; None remembers nothing, and then it rests on the clock alone that vectors
            are new after a restart.
        max_called: nodes remembered; who is called again after being forgotten gets a vector above that of then.
    """

    def __init__(self, store: VectorStore | None = None, *, max_called: int = MAX_SEEN) -> None:
        self._store = store
        self._max_called = max_called
        self._scopes: dict[str, _Scope] = {}
        self._last: dict[tuple[str, bytes], _Last] = {}  # who was called last comes last
        self._lock = Lock()

    @staticmethod
    def scope(calling: ApTitle | None, key_id: int, base: ApTitle = DEFAULT_BASE) -> str:
        """Return the text that names a sender and its key, for the methods below and the store.

        Args:
            calling: the sender.
            key_id: 0..255.
            base: what makes a relative title absolute.
        """
        return f"{'' if calling is None else calling.absolute(base)}#{key_id}"

    def issue(
        self, scope: str, invocation_id: int, now: float, *, called: bytes = b"", opens_session: bool = False
    ) -> bytes:
        """Return the vector for a message that will carry it.

        Args:
            scope: sender and key, see `scope`.
            invocation_id: the calling invocation id of the message.
            now: seconds since 1970 UTC.
            called: content octets of the absolute called title; empty without one.
            opens_session: it holds a Logon.

        Returns:
            4 octets. Seal one message to that node with them and this invocation id, and no second one.

        Raises:
            EncodeError: the time has no form in 4 octets.
            StateError: no larger vector is left, or the store cannot save.
        """
        if not _has_form(now):
            raise EncodeError("the time is not within 1970 to 2106")
        with self._lock:
            known = self._known(scope)
            last = self._last.get((scope, called))
            if last is None:
                vector = oldest = max(int(now), known.least)
                session = -1
            else:
                vector, oldest, session = max(int(now), last.vector), last.oldest, last.session
                if invocation_id <= last.invocation_id:
                    # Sessions opened so far may have used any id below the last one: they end here.
                    vector = oldest = max(vector, last.vector + 1)
            if opens_session:
                vector = session = max(vector, session + 1)
            if vector > _LARGEST:
                raise StateError("no vector is left under this key; it must be changed")
            if self._store is not None and vector > known.saved:
                self._store.save(scope, vector)
                known.saved = vector
            known.latest = vector
            self._remember(scope, called, _Last(vector, invocation_id, oldest, session))
        return vector.to_bytes(4)

    def issue_in_session(self, scope: str, iv: bytes, invocation_id: int, *, called: bytes = b"") -> None:
        """Allow a message without a vector of its own, under that of the session it belongs to.

        Args:
            scope: sender and key, see `scope`.
            iv: the vector of the session, 4 octets, that `issue` gave since the start.
            invocation_id: the calling invocation id; it must be larger than all that were used towards this node.
            called: as with `issue`.

        Raises:
            StateError: the pair may have been used; open a new session.
        """
        vector = int.from_bytes(iv)
        with self._lock:
            last = self._last.get((scope, called))
            if last is None or not last.oldest <= vector <= last.vector or invocation_id <= last.invocation_id:
                raise StateError("the session's vector and this invocation id may have been used: open a new session")
            session = max(last.session, vector)
            self._remember(scope, called, last._replace(invocation_id=invocation_id, session=session))

    def can_issue(self, scope: str, now: float) -> bool:
        """Return whether there is a vector for the next message, whoever it calls."""
        with self._lock:
            return _has_form(now) and self._known(scope).latest < _LARGEST

    def lead(self, scope: str, now: float) -> int:
        """Return by how many seconds the next vector is ahead of the clock: no receiver takes it past its window."""
        with self._lock:
            return max(0, self._known(scope).latest - int(now))

    def _known(self, scope: str) -> _Scope:
        known = self._scopes.get(scope)
        if known is None:
            saved = None if self._store is None else self._store.load(scope)
            known = self._scopes[scope] = _Scope(-1 if saved is None else saved)
        return known

    def _remember(self, scope: str, called: bytes, last: _Last) -> None:
        self._last.pop((scope, called), None)
        self._last[scope, called] = last
        if len(self._last) > self._max_called:
            oldest = next(iter(self._last))
            known = self._scopes[oldest[0]]
            known.least = max(known.least, self._last.pop(oldest).vector + 1)


def _has_form(now: float) -> bool:
    return 0 <= now < _LARGEST + 1


class Freshness(StrEnum):
    """What a receiver makes of an authenticated message."""

    FRESH = "fresh"
    REPLAYED = "replayed"
    TOO_OLD = "too-old"
    TOO_NEW = "too-new"


_Sender = tuple["ApTitle | None", int]
"""The calling title, made absolute, and the key id."""


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
        sender = (calling, key_id)
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
        if self.is_used(calling, key_id, iv, invocation_id):
            return Freshness.REPLAYED
        self._take_in_session((calling, key_id), iv, invocation_id)
        return Freshness.FRESH

    def is_used(self, calling: ApTitle | None, key_id: int, iv: bytes, invocation_id: int) -> bool:
        """Return whether what a session would say next under a vector, with a larger id, may have been said before.

        Args:
            calling: the sender, made absolute.
            key_id: 0..255.
            iv: 4 octets, that the session is to go on under.
            invocation_id: the calling invocation id of the message that brings it.
        """
        return invocation_id <= self._in_session.get(((calling, key_id), iv), -1)

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
        sender = (calling, key_id)
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
