"""The durable store: one SQLite file with a write-ahead log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from c1222.errors import StateError
from c1222.node.store import Taken

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

__all__ = ["SQLiteStore"]

_APPLICATION: Final = 0x43313232
_VERSION: Final = 1
_PRUNE_EVERY: Final = 1000
_ANSWERS_LAST: Final = 600
_SCHEMA: Final = """
CREATE TABLE item (meter TEXT NOT NULL, name TEXT NOT NULL, octets BLOB NOT NULL, PRIMARY KEY (meter, name));
CREATE TABLE vector (scope TEXT PRIMARY KEY, vector INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE answer (
    meter TEXT NOT NULL, request BLOB NOT NULL, utc INTEGER NOT NULL, octets BLOB NOT NULL, PRIMARY KEY (meter, request)
) WITHOUT ROWID;
CREATE TABLE taken (
    meter TEXT NOT NULL, vector INTEGER NOT NULL, invocation_id INTEGER NOT NULL, key_id INTEGER NOT NULL,
    calling TEXT NOT NULL, PRIMARY KEY (meter, vector, invocation_id, key_id, calling)
) WITHOUT ROWID;
"""


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
        self._remembered = self._kept = 0
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

    def keep_answer(self, meter: str, request: bytes, utc: int, answer: bytes) -> None:
        """Keep the answer to a request, see `Store.keep_answer`.

        Raises:
            StateError: the file cannot be written.
        """
        self._kept += 1
        prune = self._kept % _PRUNE_EVERY == 0
        self._write(
            "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", [(meter, request, utc, answer)], last=not prune
        )
        if prune:
            self._write("DELETE FROM answer WHERE utc < ?", [(utc - _ANSWERS_LAST,)])

    def answers(self, meter: str, since: int) -> dict[bytes, bytes]:
        """Return the answers kept at or after a time; forget the others.

        Raises:
            StateError: the file cannot be used.
        """
        self._write("DELETE FROM answer WHERE meter = ? AND utc < ?", [(meter, since)])
        return dict(self._read("SELECT request, octets FROM answer WHERE meter = ?", meter))

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
