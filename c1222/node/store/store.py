"""Where meters keep their tables: what was answered with ok is here, whole, whatever happens to the process.

Several meters share one store. Changes of one request are put in one call and become durable together; a node that
serves many requests at a time gathers them (``held``) and lets no answer go before ``flush`` has returned.
With the tables go the last vectors that were sent, the secured requests that changed something, and the answers to such
requests: after a restart no vector is used again, no such request is carried out again, and who repeats one because its
answer was lost gets that answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, Self

from c1222.security.receiving import KEPT_BEHIND

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

__all__ = ["PRUNE_EVERY", "MemoryStore", "Store", "StoredVectors", "Taken"]

PRUNE_EVERY: Final = 1000
"""How many requests are remembered from one pruning to the next."""


class Taken(NamedTuple):
    """A secured request that was carried out and must not be a second time.

    Attributes:
        calling: content octets of the sender's absolute title, in hex.
        key_id: 0..255.
        vector: the initialisation vector as a number, UTC seconds.
        invocation_id: the calling invocation id.
        in_session: whether the vector was that of its session.
    """

    calling: str
    key_id: int
    vector: int
    invocation_id: int
    in_session: bool = False


class Store(Protocol):
    """What a node keeps its meters in. Names of items are table labels (``ST23``, pending ``PST23``) or begin with #.

    One thread uses it.
    """

    def load(self, meter: str) -> dict[str, bytes]:
        """Return all items of a meter."""

    def put(self, meter: str, changes: Mapping[str, bytes | None]) -> None:
        """Set items of a meter, all together; None removes one."""

    def load_vector(self, scope: str) -> int | None:
        """Return the vector last saved under a scope, or None."""

    def save_vector(self, scope: str, vector: int) -> None:
        """Save a vector."""

    def remember(self, meter: str, taken: Taken) -> None:
        """Remember a request. It may be forgotten once its sender is `KEPT_BEHIND` past it; the largest never is."""

    def taken(self, meter: str) -> list[Taken]:
        """Return the requests remembered, oldest first."""

    def keep_answer(self, meter: str, request: bytes, answer: bytes) -> None:
        """Keep the answer to a request until the end of the next period.

        Args:
            meter: the meter they belong to.
            request: what identifies it, such as a hash.
            answer: its octets; empty where none was wanted.
        """

    def answers(self, meter: str) -> dict[bytes, bytes]:
        """Return the answers kept."""

    def end_period(self) -> None:
        """Forget the answers kept before this period, and begin another one. Opening a store begins one, too."""

    def hold(self) -> None:
        """Gather what comes until `flush`."""

    def flush(self) -> None:
        """Make everything durable. Until it returns, no answer about it may be sent."""

    def close(self) -> None:
        """Flush and close. May be called twice."""


class StoredVectors:
    """The vectors of a store as a `c1222.security.sending.VectorStore`.

    While the store gathers, a vector is durable after the next `Store.flush`, which goes before the message.

    Args:
        store: where they are.
    """

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, scope: str) -> int | None:
        """Return the vector last saved, or None."""
        return self._store.load_vector(scope)

    def save(self, scope: str, vector: int) -> None:
        """Save a vector."""
        self._store.save_vector(scope, vector)


class MemoryStore:
    """A store that lasts as long as the process; for tests."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, bytes]] = {}
        self._vectors: dict[str, int] = {}
        self._taken: dict[str, set[Taken]] = {}
        self._remembered = 0
        self._answers: dict[str, dict[bytes, bytes]] = {}
        self._answers_before: dict[str, dict[bytes, bytes]] = {}

    def load(self, meter: str) -> dict[str, bytes]:
        """Return all items of a meter."""
        return dict(self._items.get(meter, {}))

    def put(self, meter: str, changes: Mapping[str, bytes | None]) -> None:
        """Set items of a meter."""
        items = self._items.setdefault(meter, {})
        for name, octets in changes.items():
            if octets is None:
                items.pop(name, None)
            else:
                items[name] = octets

    def load_vector(self, scope: str) -> int | None:
        """Return the vector last saved under a scope, or None."""
        return self._vectors.get(scope)

    def save_vector(self, scope: str, vector: int) -> None:
        """Save a vector."""
        self._vectors[scope] = vector

    def remember(self, meter: str, taken: Taken) -> None:
        """Remember a request, see `Store.remember`."""
        kept = self._taken.setdefault(meter, set())
        kept.add(taken)
        self._remembered += 1
        if self._remembered % PRUNE_EVERY == 0:
            largest: dict[tuple[str, int], int] = {}
            for one in kept:
                sender = (one.calling, one.key_id)
                largest[sender] = max(one.vector, largest.get(sender, 0))
            kept -= {one for one in kept if one.vector < largest[one.calling, one.key_id] - KEPT_BEHIND}

    def taken(self, meter: str) -> list[Taken]:
        """Return the requests remembered, oldest first."""
        return sorted(self._taken.get(meter, ()), key=lambda one: one.vector)

    def keep_answer(self, meter: str, request: bytes, answer: bytes) -> None:
        """Keep the answer to a request, see `Store.keep_answer`."""
        self._answers.setdefault(meter, {})[request] = answer

    def answers(self, meter: str) -> dict[bytes, bytes]:
        """Return the answers kept."""
        return self._answers_before.get(meter, {}) | self._answers.get(meter, {})

    def end_period(self) -> None:
        """Forget the answers kept before this period, and begin another one."""
        self._answers_before, self._answers = self._answers, {}

    def hold(self) -> None:
        """Do nothing: there is nothing to gather."""

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
