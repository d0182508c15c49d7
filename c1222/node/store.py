"""Where meters keep their tables: what was answered with ok is here, whole, whatever happens to the process.

Several meters share one store. Changes of one request are put in one call and become durable together; a node that
serves many requests at a time gathers them (``held``) and lets no answer go before ``flush`` has returned.
With the tables go the last vectors that were sent (a `VectorStore`) and the secured requests that changed something:
after a restart neither is a vector used again nor such a request taken again.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

from c1222.errors import StateError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

__all__ = ["MemoryStore", "SQLiteStore", "Store", "StoredVectors", "Taken"]

_APPLICATION: Final = 0x43313232
_VERSION: Final = 1
_PRUNE_EVERY: Final = 1000
_SCHEMA: Final = """
CREATE TABLE item (meter TEXT NOT NULL, name TEXT NOT NULL, octets BLOB NOT NULL, PRIMARY KEY (meter, name));
CREATE TABLE vector (scope TEXT PRIMARY KEY, vector INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE taken (
    meter TEXT NOT NULL, vector INTEGER NOT NULL, invocation_id INTEGER NOT NULL, key_id INTEGER NOT NULL,
    calling TEXT NOT NULL, PRIMARY KEY (meter, vector, invocation_id, key_id, calling)
) WITHOUT ROWID;
"""


class Taken(NamedTuple):
    """A secured request that was carried out and must not be a second time.

    Attributes:
        calling: the sender's title, absolute, as text.
        key_id: 0..255.
        vector: the initialisation vector as a number, UTC seconds.
        invocation_id: the calling invocation id.
    """

    calling: str
    key_id: int
    vector: int
    invocation_id: int


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
        """Remember a request."""

    def taken(self, meter: str, since: int) -> list[Taken]:
        """Return the requests remembered whose vectors are not below ``since``, oldest first; forget the others."""

    def hold(self) -> None:
        """Gather what comes until `flush`."""

    def flush(self) -> None:
        """Make everything durable. Until it returns, no answer may leave that tells of it."""

    def close(self) -> None:
        """Flush and close. May be called twice."""


class StoredVectors:
    """The vectors of a store as a `c1222.security.freshness.VectorStore`.

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
        """Remember a request."""
        self._taken.setdefault(meter, set()).add(taken)

    def taken(self, meter: str, since: int) -> list[Taken]:
        """Return the requests remembered, see `Store.taken`."""
        kept = {one for one in self._taken.get(meter, ()) if one.vector >= since}
        self._taken[meter] = kept
        return sorted(kept, key=lambda one: one.vector)

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


class SQLiteStore:
    """A store in one SQLite file with a write-ahead log.

    A change is a transaction: after a crash it is there as a whole or not at all. One process at a time has the file.

    Args:
        path: the file, made when it is not there.
        sync: wait for the disk at every change, so that it also outlasts a power failure. Without it a change outlasts
            the death of the process, ``kill -9`` included, but perhaps not that of the machine.

    Raises:
        StateError: the file cannot be opened, is of another kind, or another process has it.
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = False) -> None:
        self._path = Path(path)
        self._held = False
        self._broken: StateError | None = None
        self._remembered = 0
        try:
            self._db: sqlite3.Connection | None = sqlite3.connect(self._path, isolation_level=None, timeout=0.5)
        except sqlite3.Error as error:
            raise StateError(f"{self._path}: the store cannot be opened: {error}") from None
        try:
            self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
            self._prepare(self._db)
        except sqlite3.Error as error:
            self._db.close()
            raise StateError(f"{self._path}: the store cannot be used: {error}") from None
        except StateError:
            self._db.close()
            raise

    def _prepare(self, db: sqlite3.Connection) -> None:
        # A write at once takes the exclusive lock; a second process fails here, and not in the middle of its work.
        db.execute("BEGIN IMMEDIATE")
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            for statement in _SCHEMA.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {_VERSION}")
        elif (application, version) != (_APPLICATION, _VERSION):
            raise StateError(f"{self._path}: this is no store of meters, or one of another version")
        db.execute("COMMIT")

    def load(self, meter: str) -> dict[str, bytes]:
        """Return all items of a meter.

        Raises:
            StateError: the file cannot be read.
        """
        return dict(self._read("SELECT name, octets FROM item WHERE meter = ?", meter))

    def put(self, meter: str, changes: Mapping[str, bytes | None]) -> None:
        """Set items of a meter, all together; None removes one.

        Raises:
            StateError: the file cannot be written; nothing of it is done.
        """
        kept = [(meter, name, octets) for name, octets in changes.items() if octets is not None]
        gone = [(meter, name) for name, octets in changes.items() if octets is None]
        if kept:
            self._write("INSERT OR REPLACE INTO item VALUES (?, ?, ?)", kept, last=not gone)
        if gone:
            self._write("DELETE FROM item WHERE meter = ? AND name = ?", gone)

    def load_vector(self, scope: str) -> int | None:
        """Return the vector last saved under a scope, or None.

        Raises:
            StateError: the file cannot be read.
        """
        for (vector,) in self._read("SELECT vector FROM vector WHERE scope = ?", scope):
            return int(vector)
        return None

    def save_vector(self, scope: str, vector: int) -> None:
        """Save a vector.

        Raises:
            StateError: the file cannot be written.
        """
        self._write("INSERT OR REPLACE INTO vector VALUES (?, ?)", [(scope, vector)])

    def remember(self, meter: str, taken: Taken) -> None:
        """Remember a request.

        Raises:
            StateError: the file cannot be written.
        """
        self._remembered += 1
        prune = self._remembered % _PRUNE_EVERY == 0
        row = (meter, taken.vector, taken.invocation_id, taken.key_id, taken.calling)
        self._write("INSERT OR IGNORE INTO taken VALUES (?, ?, ?, ?, ?)", [row], last=not prune)
        if prune:
            # Far beyond any window: those within it are needed.
            self._write("DELETE FROM taken WHERE meter = ? AND vector < ?", [(meter, taken.vector - 86_400)])

    def taken(self, meter: str, since: int) -> list[Taken]:
        """Return the requests remembered, see `Store.taken`.

        Raises:
            StateError: the file cannot be used.
        """
        self._write("DELETE FROM taken WHERE meter = ? AND vector < ?", [(meter, since)])
        found = self._read(
            "SELECT calling, key_id, vector, invocation_id FROM taken WHERE meter = ? ORDER BY vector", meter
        )
        return [Taken(*row) for row in found]

    def hold(self) -> None:
        """Gather what comes until `flush`."""
        self._held = True

    def flush(self) -> None:
        """Make everything durable.

        Raises:
            StateError: that failed. What is in memory is ahead of what is kept: give up and start anew.
        """
        self._held = False
        if self._broken is not None:
            raise self._broken
        if self._db is not None and self._db.in_transaction:
            try:
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise self._failure(error) from None

    def close(self) -> None:
        """Flush and close. May be called twice.

        Raises:
            StateError: what was gathered cannot be written.
        """
        if self._db is not None:
            try:
                self.flush()
            finally:
                self._db.close()
                self._db = None

    def _open(self) -> sqlite3.Connection:
        if self._broken is not None:
            raise self._broken
        if self._db is None:
            raise StateError(f"{self._path}: the store is closed")
        return self._db

    def _read(self, query: str, *values: str) -> Iterator[Any]:
        try:
            yield from self._open().execute(query, values)
        except sqlite3.Error as error:
            raise StateError(f"{self._path}: the store cannot be read: {error}") from None

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]], *, last: bool = True) -> None:
        db = self._open()
        try:
            if not db.in_transaction:
                db.execute("BEGIN IMMEDIATE")
            db.executemany(statement, rows)
            if last and not self._held:
                db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def _failure(self, error: sqlite3.Error) -> StateError:
        if self._db is not None and self._db.in_transaction:
            self._db.rollback()
        # What was gathered is gone with it, so the answers that tell of it must not leave: no flush from now on.
        self._broken = StateError(f"{self._path}: the store cannot be written: {error}")
        return self._broken

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
