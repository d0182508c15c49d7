"""The durable store: one SQLite file with a write-ahead log."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from c1222.errors import StateError
from c1222.node.store.store import PRUNE_EVERY, Taken
from c1222.node.store.wal import is_damaged
from c1222.security.receiving import KEPT_BEHIND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

__all__ = ["SQLiteStore"]

_APPLICATION: Final = 0x43313232
_VERSION: Final = 2
_OWNER_ONLY: Final = 0o600
_ITEMS: Final = """
CREATE TABLE item (meter TEXT NOT NULL, name TEXT NOT NULL, octets BLOB NOT NULL, PRIMARY KEY (meter, name));
CREATE TABLE vector (scope TEXT PRIMARY KEY, vector INTEGER NOT NULL) WITHOUT ROWID;
"""
_MEMORY: Final = """
CREATE TABLE answer (
    meter TEXT NOT NULL, request BLOB NOT NULL, period INTEGER NOT NULL, octets BLOB NOT NULL,
    PRIMARY KEY (meter, request)
) WITHOUT ROWID;
CREATE TABLE taken (
    meter TEXT NOT NULL, calling TEXT NOT NULL, key_id INTEGER NOT NULL, vector INTEGER NOT NULL,
    invocation_id INTEGER NOT NULL, in_session INTEGER NOT NULL,
    PRIMARY KEY (meter, calling, key_id, vector, invocation_id, in_session)
) WITHOUT ROWID;
"""
_FROM_1: Final = (
    "DROP TABLE answer",
    "ALTER TABLE taken RENAME TO taken_1",
    *_MEMORY.split(";"),
    "INSERT INTO taken SELECT meter, calling, key_id, vector, invocation_id, 0 FROM taken_1",
    "DROP TABLE taken_1",
)
_PRUNE: Final = f"""
DELETE FROM taken WHERE vector < -{KEPT_BEHIND} + (
    SELECT max(vector) FROM taken AS other
    WHERE other.meter = taken.meter AND other.calling = taken.calling AND other.key_id = taken.key_id
)
"""  # noqa: S608 - a constant


_K = TypeVar("_K", str, bytes)


class SQLiteStore:
    """A store in one SQLite file with a write-ahead log.

    A change is a transaction: after a crash it is there as a whole or not at all. One process at a time has the file,
    and only its owner may read it: there are passwords in it.

    Args:
        path: the file, made when it is not there.
        sync: wait for the disk at every change, so that it also outlasts a power failure. Without it a change outlasts
            the death of the process, ``kill -9`` included, but perhaps not that of the machine.

    Raises:
        StateError: the file cannot be opened, is empty, damaged or of another kind, or another process has it.
    """

    def __init__(self, path: str | os.PathLike[str], *, sync: bool = False) -> None:
        self._path = Path(path)
        self._held = False
        self._broken: StateError | None = None
        self._remembered = 0
        self._period = 0
        try:
            if not self._path.exists():
                self._make()
            self._path.chmod(_OWNER_ONLY)
            if is_damaged(self._path.with_name(f"{self._path.name}-wal")):
                raise StateError(
                    f"{self._path}-wal: the write-ahead log is damaged, and what was last written is lost with it;"
                    " restore the store, or remove this file to go on without"
                )
            self._db: sqlite3.Connection | None = sqlite3.connect(self._path, isolation_level=None, timeout=0.5)
        except (OSError, sqlite3.Error) as error:
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

    def _make(self) -> None:
        """Make the file at once as a whole: one that is there and holds nothing was damaged."""
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
            db = sqlite3.connect(fresh, isolation_level=None)
            try:
                db.executescript(
                    f"BEGIN; {_ITEMS} {_MEMORY} PRAGMA application_id = {_APPLICATION};"
                    f" PRAGMA user_version = {_VERSION}; COMMIT"
                )
            finally:
                db.close()
            with suppress(FileExistsError):  # another process was quicker
                os.link(fresh, self._path)
        finally:
            fresh.unlink(missing_ok=True)

    def _prepare(self, db: sqlite3.Connection) -> None:
        # A write at once takes the exclusive lock; a second process fails here, and not in the middle of its work.
        db.execute("BEGIN IMMEDIATE")
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not tables:
            raise StateError(f"{self._path}: the store is empty; restore it, or remove the file to start over")
        if (application, version) == (_APPLICATION, 1):
            for statement in _FROM_1:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {_VERSION}")
        elif (application, version) != (_APPLICATION, _VERSION):
            raise StateError(f"{self._path}: this is no store of meters, or one of another version")
        db.execute("COMMIT")
        (damage,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if damage != "ok":
            raise StateError(f"{self._path}: the store is damaged: {damage}")
        (self._period,) = db.execute("SELECT coalesce(max(period), 0) + 1 FROM answer").fetchone()

    def load(self, meter: str) -> dict[str, bytes]:
        """Return all items of a meter.

        Raises:
            StateError: the file cannot be read.
        """
        return self._octets("SELECT name, octets FROM item WHERE meter = ?", meter, str)

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
            StateError: the file cannot be read, or is damaged.
        """
        for (vector,) in self._read("SELECT vector FROM vector WHERE scope = ?", scope):
            if not isinstance(vector, int) or not 0 <= vector < 1 << 32:
                raise StateError(f"{self._path}: the last vector of {scope} is damaged")
            return vector
        return None

    def save_vector(self, scope: str, vector: int) -> None:
        """Save a vector.

        Raises:
            StateError: the file cannot be written.
        """
        self._write("INSERT OR REPLACE INTO vector VALUES (?, ?)", [(scope, vector)])

    def remember(self, meter: str, taken: Taken) -> None:
        """Remember a request, see `Store.remember`.

        Raises:
            StateError: the file cannot be written.
        """
        self._remembered += 1
        prune = self._remembered % PRUNE_EVERY == 0
        self._write("INSERT OR IGNORE INTO taken VALUES (?, ?, ?, ?, ?, ?)", [(meter, *taken)], last=not prune)
        if prune:
            self._write(_PRUNE, [()])

    def taken(self, meter: str) -> list[Taken]:
        """Return the requests remembered, oldest first.

        Raises:
            StateError: the file cannot be read, or is damaged.
        """
        found = self._read(
            "SELECT calling, key_id, vector, invocation_id, in_session FROM taken WHERE meter = ? ORDER BY vector",
            meter,
        )
        rows = [Taken(*row) for row in found]
        for row in rows:
            if [type(value) for value in row] != [str, int, int, int, int]:
                raise StateError(f"{self._path}: a request that the store remembers is damaged")
        return rows

    def keep_answer(self, meter: str, request: bytes, answer: bytes) -> None:
        """Keep the answer to a request, see `Store.keep_answer`.

        Raises:
            StateError: the file cannot be written.
        """
        self._write("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)", [(meter, request, self._period, answer)])

    def answers(self, meter: str) -> dict[bytes, bytes]:
        """Return the answers kept.

        Raises:
            StateError: the file cannot be used, or is damaged.
        """
        return self._octets("SELECT request, octets FROM answer WHERE meter = ?", meter, bytes)

    def end_period(self) -> None:
        """Forget the answers kept before this period, and begin another one.

        Raises:
            StateError: the file cannot be written.
        """
        self._write("DELETE FROM answer WHERE period < ?", [(self._period,)])
        self._period += 1

    def hold(self) -> None:
        """Gather what comes until `flush`."""
        self._held = True

    def flush(self) -> None:
        """Make everything durable.

        Raises:
            StateError: that failed. Memory is ahead of the store: stop and start over.
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

    def _octets(self, query: str, meter: str, kind: type[_K]) -> dict[_K, bytes]:
        found = dict(self._read(query, meter))
        for key, octets in found.items():
            if not isinstance(key, kind) or not isinstance(octets, bytes):
                raise StateError(f"{self._path}: what the store holds of {meter} is damaged")
        return found

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
