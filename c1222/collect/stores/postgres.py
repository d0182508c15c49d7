"""A store in PostgreSQL: tables ``readings``, ``events``, ``raw``, and what is known of meters and runs.

Columns are those of ``c1219.readings/1`` and ``c1219.events/1``; decimal numbers are exact. Needs the extra
``postgres``.
"""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg

from c1219.rules.timekeeping import utc
from c1219.tabular.readings import READINGS
from c1219.views.event_log import EVENTS
from c1222.collect.stores.sink import Begun, StoreError
from c1222.collect.stores.sqlite import StoredStates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from c1219.tabular.schema import ColumnType, RowSchema
    from c1222.collect.harvest import Harvest
    from c1222.collect.stores.sink import PollPlan

__all__ = ["PostgresSink"]

_TYPES: Final[Mapping[ColumnType, str]] = {
    "string": "text", "word": "text", "words": "text[]", "json": "jsonb", "int8": "smallint", "int16": "smallint",
    "int32": "integer", "int64": "bigint", "bool": "boolean", "decimal": "numeric", "time": "timestamptz",
}  # fmt: skip
_LOCK: Final = 0x12221219
"""Of the migrations, so that two programs do not make the tables at once."""


def _create(name: str, schema: RowSchema) -> str:
    columns = [f'"{one.name}" {_TYPES[one.type]}{"" if one.null else " NOT NULL"}' for one in schema.columns]
    return f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY ({', '.join(_quoted(schema.key))}))"


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _merge(name: str, schema: RowSchema) -> str:
    key = ", ".join(_quoted(schema.key))
    others = _quoted([column for column in schema.names if column not in schema.key])
    return (
        f"INSERT INTO {name} SELECT DISTINCT ON ({key}) * FROM new_{name} ON CONFLICT ({key}) DO UPDATE SET"  # noqa: S608 - names of ours
        f" {', '.join(f'{one} = excluded.{one}' for one in others)}"
    )


_RUNS: Final = (
    "CREATE TABLE runs (run bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, meters text NOT NULL, what text NOT NULL,"
    " begun timestamptz NOT NULL DEFAULT now(), ended timestamptz, report jsonb)"
)
_METERS: Final = (
    "CREATE TABLE meters (name text PRIMARY KEY, meter text NOT NULL, run bigint NOT NULL, polled timestamptz NOT NULL,"
    " outcome text NOT NULL, verdict jsonb NOT NULL, state bytea NOT NULL)"
)
_RAW: Final = (
    "CREATE TABLE raw (meter text NOT NULL, run bigint NOT NULL, part text NOT NULL, first integer NOT NULL,"
    " read_at timestamptz NOT NULL, octets bytea NOT NULL, PRIMARY KEY (meter, run, part, first))"
)
_MIGRATIONS: Final = ((_RUNS, _METERS, _RAW, _create("readings", READINGS), _create("events", EVENTS)),)


class PostgresSink:
    """A store in PostgreSQL.

    Args:
        address: ``postgresql://…``, as libpq takes it; its search path says in which schema the tables are.

    Raises:
        StoreError: it cannot be reached, or a later version of this library made the tables.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._open: psycopg.Connection[Any] | None = None
        try:
            self._migrate()
        except StoreError:
            self._close()
            raise

    def _migrate(self) -> None:
        with self._transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            cursor.execute("CREATE TABLE IF NOT EXISTS c1222_store (version integer NOT NULL)")
            row = cursor.execute("SELECT max(version) FROM c1222_store").fetchone()
            version = (row and row[0]) or 0
            if version > len(_MIGRATIONS):
                raise StoreError(f"a later version of c1222 made this store ({version})")
            for number, step in enumerate(_MIGRATIONS[version:], version + 1):
                for statement in step:
                    cursor.execute(statement)
                cursor.execute("INSERT INTO c1222_store VALUES (%s)", (number,))

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """Do all of it or nothing, over a new connection if the last one is gone."""
        try:
            if self._open is None or self._open.closed:
                self._open = psycopg.connect(self._address, connect_timeout=10)
            with self._open.transaction(), self._open.cursor() as cursor:
                yield cursor
        except psycopg.Error as error:
            passing = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
            if passing:
                self._close()
            text = str(error).strip().partition("\n")[0]
            raise StoreError(f"PostgreSQL: {text}", passing=passing) from error

    def begin(self, plan: PollPlan) -> Begun:
        """Begin a run, or go on with one of the same plan; see `Sink`."""
        place = plan.group, ",".join(plan.what)
        with self._transaction() as cursor:
            row = cursor.execute(
                "SELECT max(run) FROM runs WHERE meters = %s AND what = %s AND ended IS NULL", place
            ).fetchone()
            if row is None or row[0] is None:
                row = cursor.execute("INSERT INTO runs (meters, what) VALUES (%s, %s) RETURNING run", place).fetchone()
            run = int(row[0]) if row else 0
            done = cursor.execute("SELECT name FROM meters WHERE run = %s", (run,)).fetchall()
            states = cursor.execute("SELECT name, state FROM meters").fetchall()
        return Begun(
            run, frozenset(name for (name,) in done), StoredStates({name: bytes(state) for name, state in states})
        )

    def put(self, run: int, harvests: Sequence[Harvest]) -> None:
        """Keep what polls brought; see `Sink`."""
        with self._transaction() as cursor:
            self._merge(cursor, "readings", READINGS, [row for one in harvests for row in one.readings])
            self._merge(cursor, "events", EVENTS, [row for one in harvests for row in one.events])
            cursor.executemany(
                "INSERT INTO meters VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET meter ="
                " excluded.meter, run = excluded.run, polled = excluded.polled, outcome = excluded.outcome, verdict ="
                " excluded.verdict, state = excluded.state",
                [
                    (
                        one.name, _cell(one.state.meter), run, one.read_at, one.verdict.outcome,
                        json.dumps(_cell(one.verdict._asdict())), one.state.packed(),
                    )
                    for one in harvests
                    if one.verdict is not None
                ],
            )  # fmt: skip
            cursor.executemany(
                "INSERT INTO raw VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [
                    (_cell(one.state.meter), run, part.table, part.offset, one.read_at, part.octets)
                    for one in harvests
                    for part in one.raw
                ],
            )

    @staticmethod
    def _merge(cursor: psycopg.Cursor[Any], name: str, schema: RowSchema, rows: list[Sequence[Any]]) -> None:
        if not rows:
            return
        json_columns = {place for place, column in enumerate(schema.columns) if column.type == "json"}
        cursor.execute(f"CREATE TEMP TABLE new_{name} (LIKE {name}) ON COMMIT DROP")
        with cursor.copy(f"COPY new_{name} FROM STDIN") as copy:
            for row in rows:
                cells = [_cell(value) for value in row]
                for place in json_columns:
                    cells[place] = None if cells[place] is None else json.dumps(cells[place])
                copy.write_row(cells)
        cursor.execute(_merge(name, schema))

    def end(self, run: int, report: Mapping[str, Any] | None) -> None:
        """End a run; see `Sink`."""
        try:
            if report is not None:
                with self._transaction() as cursor:
                    text = json.dumps(_cell(dict(report)))
                    cursor.execute("UPDATE runs SET ended = now(), report = %s WHERE run = %s", (text, run))
        finally:
            self._close()

    def _close(self) -> None:
        if self._open is not None:
            with suppress(psycopg.Error):
                self._open.close()


def _cell(value: Any) -> Any:
    """Return a value as PostgreSQL can have it: instants, and texts without zeros and halves of surrogate pairs."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
    if isinstance(value, dt.datetime) and value.tzinfo is None:
        return utc(value)
    if isinstance(value, (list, tuple)):
        return [_cell(item) for item in value]
    if isinstance(value, dict):
        return {name: _cell(item) for name, item in value.items()}
    return value
