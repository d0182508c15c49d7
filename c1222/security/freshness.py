"""That no message is sealed twice alike, and none is taken twice.

The initialisation vector is the time of sending, in seconds since 1970 UTC. The header N, which EAX' takes for a nonce,
holds it together with the sender's title and the invocation id; so N is new under a key whenever the pair (vector,
invocation id) of one sender is. Nothing here has a clock: ``now`` is an argument.
Source: vectors are plausible times in all published messages and captures [V]; one second more when two messages fall
into the same second, acceptance within 15 minutes of true time: Elster MeteringSDK [1]; recovery sessions lift both
checks: Elster, icsnpp-c1222 [1]. The order of pairs, the store and the cache are this project's own.
"""

from __future__ import annotations

import heapq
import json
import os
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from c1222.errors import EncodeError, StateError

if TYPE_CHECKING:
    from c1222.message.aptitle import ApTitle

__all__ = [
    "ACCEPTANCE_WINDOW",
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


class SendGuard:
    """Gives out vectors so that no sender seals the same (vector, invocation id) twice; safe to share between threads.

    The pairs of a scope only ever grow: the vector is the time, or the last vector when the clock stands or has been
    set back, and one more than the last when the invocation id would not grow either. After a restart the vector is
    more than the last one saved, so the store is written only when the vector changes.

    Args:
        store: what remembers over a restart; None remembers nothing, and then it rests on the clock alone that vectors
            are new after a restart.
    """

    def __init__(self, store: VectorStore | None = None) -> None:
        self._store = store
        self._last: dict[str, tuple[int, int, int]] = {}  # vector, invocation id, oldest vector sessions may go on with
        self._lock = Lock()

    @staticmethod
    def scope(calling: ApTitle | None, key_id: int) -> str:
        """Return the text that names a sender and its key, for the methods below and the store."""
        return f"{'' if calling is None else calling.absolute()}#{key_id}"

    def issue(self, scope: str, invocation_id: int, now: float) -> bytes:
        """Return the vector for a message that will carry it.

        Args:
            scope: sender and key, see `scope`.
            invocation_id: the calling invocation id of the message.
            now: seconds since 1970 UTC.

        Returns:
            4 octets. Seal one message with them and this invocation id, and no second one.

        Raises:
            EncodeError: the time has no form in 4 octets.
            StateError: no larger vector is left, or the store cannot save.
        """
        if not 0 <= now < _LARGEST + 1:
            raise EncodeError("the time is not within 1970 to 2106")
        with self._lock:
            last = self._last.get(scope)
            if last is None:
                saved = self._store.load(scope) if self._store is not None else None
                vector = oldest = max(int(now), -1 if saved is None else saved + 1)
            else:
                vector, oldest = max(int(now), last[0]), last[2]
                if invocation_id <= last[1]:
                    # Sessions opened so far may have used any id below the last one: they end here.
                    vector = oldest = max(vector, last[0] + 1)
            if vector > _LARGEST:
                raise StateError("no vector is left under this key; it must be changed")
            if self._store is not None and (last is None or vector != last[0]):
                self._store.save(scope, vector)
            self._last[scope] = (vector, invocation_id, oldest)
        return vector.to_bytes(4)

    def issue_in_session(self, scope: str, iv: bytes, invocation_id: int) -> None:
        """Allow a message without a vector of its own, under that of the session it belongs to.

        Args:
            scope: sender and key, see `scope`.
            iv: the vector of the session, 4 octets, that `issue` gave since the start.
            invocation_id: the calling invocation id; it must be larger than all that this sender used before.

        Raises:
            StateError: the pair may have been used; open a new session.
        """
        vector = int.from_bytes(iv)
        with self._lock:
            last = self._last.get(scope)
            if last is None or not last[2] <= vector <= last[0] or invocation_id <= last[1]:
                raise StateError("the session's vector and this invocation id may have been used: open a new session")
            self._last[scope] = (last[0], invocation_id, last[2])

    def lead(self, scope: str, now: float) -> int:
        """Return by how many seconds the next vector is ahead of the clock: no receiver takes it past its window."""
        with self._lock:
            last = self._last.get(scope)
            saved = self._store.load(scope) if last is None and self._store is not None else None
        vector = last[0] if last else -1 if saved is None else saved + 1
        return max(0, vector - int(now))


class Freshness(StrEnum):
    """What a receiver makes of an authenticated message."""

    FRESH = "fresh"
    REPLAYED = "replayed"
    TOO_OLD = "too-old"
    TOO_NEW = "too-new"


class ReplayGuard:
    """Remembers the messages a receiver took. Ask it only after the MAC was right, or anybody can fill it.

    What is forgotten is not taken again: messages with vectors up to the largest forgotten are too old, whether it
    left the window, made room, or the clock was set ahead and back. Without a window only repetitions are noticed,
    among the messages still remembered.

    Args:
        window: seconds a vector may be away from the clock; None for a decoder, which has no clock.
        max_seen: messages remembered.

    Attributes:
        evicted: messages forgotten to make room.
    """

    def __init__(self, *, window: int | None, max_seen: int = MAX_SEEN) -> None:
        if (window is not None and window < 0) or max_seen < 1:
            raise StateError("a window is not negative, and at least one message is remembered")
        self.evicted = 0
        self._window = window
        self._max_seen = max_seen
        self._seen: dict[tuple[ApTitle | None, int, bytes, int], None] = {}
        self._oldest: list[tuple[bytes, int, tuple[ApTitle | None, int, bytes, int]]] = []
        self._count = 0
        self._forgotten = b""

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
            recovery: the message asks for a recovery session: all checks are lifted, and nothing is remembered. What
                such a session may do is for the caller to restrict.
        """
        if recovery:
            return Freshness.FRESH
        entry = (calling, key_id, iv, invocation_id)
        if entry in self._seen:
            return Freshness.REPLAYED
        if self._window is not None:
            sent = int.from_bytes(iv)
            if sent > now + self._window:
                return Freshness.TOO_NEW
            if sent < now - self._window or iv <= self._forgotten:
                return Freshness.TOO_OLD
            while self._oldest and int.from_bytes(self._oldest[0][0]) < now - self._window:
                self._forget()
        if len(self._seen) >= self._max_seen:
            if self._window is not None and iv <= self._oldest[0][0]:
                return Freshness.TOO_OLD  # this would be the next to be forgotten
            self.evicted += 1
            self._forget()
        self._seen[entry] = None
        if self._window is not None:
            # The count keeps the heap from comparing titles.
            self._count += 1
            heapq.heappush(self._oldest, (iv, self._count, entry))
        return Freshness.FRESH

    def __len__(self) -> int:
        return len(self._seen)

    def _forget(self) -> None:
        if self._window is None:
            del self._seen[next(iter(self._seen))]
        else:
            iv, _, entry = heapq.heappop(self._oldest)
            del self._seen[entry]
            self._forgotten = iv


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
