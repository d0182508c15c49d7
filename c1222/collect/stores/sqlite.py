"""A store in one file of SQLite: tables ``readings`` and ``events``, and what is known of meters and runs.

Columns are those of ``c1219.readings/1`` and ``c1219.events/1``. Times are texts in UTC; decimal numbers are numbers
where SQLite holds them exactly, else texts; lists and mappings are JSON.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from c1219.rules.timekeeping import naive_utc
from c1219.tabular.readings import READINGS
from c1219.views.event_log import EVENTS
from c1222.collect.state import MeterState
from c1222.collect.stores.sink import Begun, StoreError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

    from c1219.tabular.schema import RowSchema
    from c1222.collect.harvest import Harvest
    from c1222.collect.stores.sink import PollPlan

__all__ = ["JOURNAL", "Journal", "SQLiteSink", "StoredStates", "text_of_time"]

_RUNS: Final = (
    "CREATE TABLE runs (run INTEGER PRIMARY KEY, meters TEXT NOT NULL, what TEXT NOT NULL, begun TEXT NOT NULL,"
    " ended TEXT, report TEXT)"
)
_METERS: Final = (
    "CREATE TABLE meters (name TEXT PRIMARY KEY, meter TEXT NOT NULL, run INTEGER NOT NULL, polled TEXT NOT NULL,"
    " outcome TEXT NOT NULL, verdict TEXT NOT NULL, state BLOB NOT NULL) WITHOUT ROWID"
)
_RAW: Final = (
    "CREATE TABLE raw (meter TEXT NOT NULL, run INTEGER NOT NULL, part TEXT NOT NULL, first INTEGER NOT NULL,"
    " read_at TEXT NOT NULL, octets BLOB NOT NULL, PRIMARY KEY (meter, run, part, first)) WITHOUT ROWID"
)
JOURNAL: Final[tuple[tuple[str, ...], ...]] = ((_RUNS, _METERS, _RAW),)
"""What leads from each version of the journal to the next, from an empty file on."""
_EXACT: Final = 1 << 53
"""Integers up to here are exact as numbers of SQL, whatever program reads them."""
_LOCKED_SECONDS: Final = 5.0
"""How long to wait for another program that has locked the file."""


def _create(name: str, schema: RowSchema) -> str:
    columns = [f'"{column.name}"{"" if column.null else " NOT NULL"}' for column in schema.columns]
    return f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(_quoted(schema.key))})) WITHOUT ROWID"


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _upsert(name: str, schema: RowSchema) -> str:
    others = [name for name in schema.names if name not in schema.key]
    return (
        f"INSERT INTO {name} ({', '.join(_quoted(schema.names))}) VALUES ({', '.join('?' * len(schema.names))})"  # noqa: S608 - names of ours
        f" ON CONFLICT ({', '.join(_quoted(schema.key))}) DO UPDATE SET"
        f" {', '.join(f'{one} = excluded.{one}' for one in _quoted(others))}"
    )


_ROWS: Final = ((*JOURNAL[0], _create("readings", READINGS), _create("events", EVENTS)),)
_PUT_READING: Final = _upsert("readings", READINGS)
_PUT_EVENT: Final = _upsert("events", EVENTS)


class StoredStates(Mapping[str, MeterState]):
    """States of meters, unpacked when they are asked for.

    Args:
        packed: by name.
    """

    def __init__(self, packed: dict[str, bytes]) -> None:
        self._packed = packed

    def __getitem__(self, name: str) -> MeterState:
        try:
            return MeterState.unpacked(self._packed[name])
        except ValueError as error:
            raise StoreError(f"what the store knows of {name} is damaged: {error}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


class Journal:
    """What is known of meters and runs, in SQLite.

    Args:
        path: the file; made when it is not there.
        migrations: what leads from each version to the next.
        alone: let no other program use the file meanwhile.

    Raises:
        StoreError: it cannot be opened, or a later version of this library made it.
    """

    def __init__(
        self, path: str | os.PathLike[str], migrations: Sequence[Sequence[str]] = JOURNAL, *, alone: bool = False
    ) -> None:
        self._path = path
        with self._errors():
            self.connection = sqlite3.connect(
                path, timeout=_LOCKED_SECONDS, isolation_level=None, check_same_thread=False
            )
            if alone:
                self.connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")
            with self.transaction():
                (version,) = self.connection.execute("PRAGMA user_version").fetchone()
                if version > len(migrations):
                    raise StoreError(f"{path}: a later version of c1222 made this store ({version})")
                for step in migrations[version:]:
                    for statement in step:
                        self.connection.execute(statement)
                self.connection.execute(f"PRAGMA user_version = {len(migrations)}")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            passing = isinstance(error, sqlite3.OperationalError) and any(
                word in str(error) for word in ("locked", "busy", "full", "disk I/O", "unable to open")
            )
            raise StoreError(f"{self._path}: {error}", passing=passing) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it or nothing.

        Raises:
            StoreError: that failed.
        """
        with self._errors():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.connection.in_transaction:  # a full disk has rolled it back already
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def begin(self, plan: PollPlan) -> Begun:
        """Begin a run, or go on with one of the same plan."""
        place = plan.group, ",".join(plan.what)
        with self.transaction():
            row = self.connection.execute(
                "SELECT max(run) FROM runs WHERE meters = ? AND what = ? AND ended IS NULL", place
            ).fetchone()
            run = row[0]
            if run is None:
                run = self.connection.execute(
                    "INSERT INTO runs (meters, what, begun) VALUES (?, ?, ?)", (*place, text_of_time(_now()))
                ).lastrowid
            done = self.connection.execute("SELECT name FROM meters WHERE run = ?", (run,)).fetchall()
            states = dict(self.connection.execute("SELECT name, state FROM meters"))
        return Begun(int(run), frozenset(name for (name,) in done), StoredStates(states))

    def put(self, run: int, harvests: Iterable[Harvest]) -> None:
        """Keep states, verdicts and raw octets; within a transaction."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO meters (name, meter, run, polled, outcome, verdict, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    one.name, one.state.meter, run, text_of_time(one.read_at), one.verdict.outcome,
                    json.dumps(one.verdict._asdict()), one.state.packed(),
                )
                for one in harvests
                if one.verdict is not None
            ],
        )  # fmt: skip
        self.connection.executemany(
            "INSERT OR REPLACE INTO raw (meter, run, part, first, read_at, octets) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.state.meter, run, part.table, part.offset, text_of_time(one.read_at), part.octets)
                for one in harvests
                for part in one.raw
            ],
        )

    def end(self, run: int, report: Mapping[str, Any] | None) -> None:
        """End a run, or leave it to be gone on with; and close the file."""
        try:
            if report is not None:
                with self.transaction():
                    self.connection.execute(
                        "UPDATE runs SET ended = ?, report = ? WHERE run = ?",
                        (text_of_time(_now()), json.dumps(report), run),
                    )
        finally:
            self.connection.close()


class SQLiteSink:
    """A store in one file of SQLite.

    Args:
        path: the file; made when it is not there.

    Raises:
        StoreError: it cannot be opened, or a later version of this library made it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._journal = Journal(path, _ROWS)

    def begin(self, plan: PollPlan) -> Begun:
        """Begin a run, or go on with one of the same plan; see `Sink`."""
        return self._journal.begin(plan)

    def put(self, run: int, harvests: Sequence[Harvest]) -> None:
        """Keep what polls brought; see `Sink`."""
        readings = [tuple(map(_cell, row)) for one in harvests for row in one.readings]
        events = [tuple(map(_cell, row)) for one in harvests for row in one.events]
        with self._journal.transaction():
            self._journal.connection.executemany(_PUT_READING, readings)
            self._journal.connection.executemany(_PUT_EVENT, events)
            self._journal.put(run, harvests)

    def end(self, run: int, report: Mapping[str, Any] | None) -> None:
        """End a run; see `Sink`."""
        self._journal.end(run, report)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def text_of_time(time: dt.datetime) -> str:
    """Return an instant as the stores have it: UTC, to the microsecond if it has any; naive is taken as UTC."""
    return (time if time.tzinfo is None else naive_utc(time)).isoformat(" ")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dt.datetime):
        return text_of_time(value)
    return json.dumps(value, ensure_ascii=False)


def _number(value: Decimal) -> Any:
    """Return a number that SQLite holds exactly, else its text."""
    whole = int(value)
    if whole == value:
        return whole if abs(whole) <= _EXACT else f"{value:f}"
    near = float(value)
    return near if Decimal(repr(near)) == value else f"{value:f}"
