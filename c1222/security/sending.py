"""That no message is sealed twice alike.

The initialisation vector is the time of sending, in seconds since 1970 UTC. The header N, which EAX' takes for a nonce,
holds it together with both titles and the invocation id; so N is new under a key whenever the pair (vector, invocation
id) of one sender is. Nothing here has a clock: ``now`` is an argument.
Source: vectors are plausible times in all published messages and captures [V]; one second more when two messages fall
into the same second: Elster MeteringSDK [1]. The order of pairs and the stores are this project's own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, Protocol

from c1222.errors import EncodeError, StateError
from c1222.message.aptitle import DEFAULT_BASE

if TYPE_CHECKING:
    from c1222.message.aptitle import ApTitle

__all__ = ["MAX_CALLED", "FileStore", "SendGuard", "VectorStore"]

MAX_CALLED = 65536
"""Nodes that a sender remembers."""

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
    one session can be taken for the next one's. A client that calls a thousand nodes in a second, with one guard, stays
    with the time. After a restart the vector is more than the largest one saved under the scope, so the store is
    written only when that grows.

    Args:
        store: what remembers over a restart; None remembers nothing, and then it rests on the clock alone that vectors
            are new after a restart.
        max_called: nodes remembered; who is called again after being forgotten gets a vector above that of then.
    """

    def __init__(self, store: VectorStore | None = None, *, max_called: int = MAX_CALLED) -> None:
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
            self._remember(scope, called, _Last(last.vector, invocation_id, last.oldest, session))

    def can_issue(self, scope: str, now: float) -> bool:
        """Return whether there is a vector for the next message, to any node."""
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
