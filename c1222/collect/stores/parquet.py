"""A store in a folder of Parquet files: ``readings/date=…/part=…/run-….parquet``, ``events/…`` likewise.

``date`` is that of the end of a reading, or the time of an event, in UTC; ``part`` a hash of the meter. Files are
written aside, renamed, and then listed in the journal beside them, a file of SQLite; one that is not listed is what a
run left that was killed, and is removed when the next run begins. One run at a time uses the folder.
"""

from __future__ import annotations

import datetime as dt
import os
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow.parquet as pq

from c1219.rules.timekeeping import utc
from c1219.tabular.arrow import write_parquet
from c1219.tabular.readings import READINGS
from c1219.views.event_log import EVENTS
from c1222.collect.stores.sink import StoreError
from c1222.collect.stores.sqlite import JOURNAL, Journal
from c1222.errors import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from c1219.tabular.schema import RowSchema
    from c1222.collect.harvest import Harvest
    from c1222.collect.stores.sink import Begun, PollPlan

__all__ = ["JOURNAL_FILE", "PARTS", "ParquetSink"]

JOURNAL_FILE: Final = "journal.sqlite"
"""Name of the journal in the folder."""
PARTS: Final = 4
"""Parts of a date; which one a meter is in never changes."""
_MIGRATIONS: Final = ((*JOURNAL[0], "CREATE TABLE files (name TEXT PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID"),)
_UNDATED: Final = "none"
_ASIDE: Final = ".part"


class ParquetSink:
    """A store in a folder.

    Args:
        folder: made when it is not there.

    Raises:
        StoreError: it cannot be opened, another run uses it, or a later version of this library made it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: {in_words(error)}") from None
        self._journal = Journal(folder / JOURNAL_FILE, _MIGRATIONS, alone=True)

    def begin(self, plan: PollPlan) -> Begun:
        """Begin a run, or go on with one of the same plan; see `Sink`."""
        begun = self._journal.begin(plan)
        listed = {name for (name,) in self._journal.connection.execute("SELECT name FROM files")}
        with self._errors():
            for kind in ("readings", "events"):
                for path in (self._folder / kind).glob("*/*/run-*.parquet*"):
                    if path.relative_to(self._folder).as_posix() not in listed:
                        path.unlink()
        return begun

    def put(self, run: int, harvests: Sequence[Harvest]) -> None:
        """Keep what polls brought; see `Sink`. Of rows that are here already, the earlier ones stay."""
        with self._journal.transaction(), self._errors():
            (batch,) = self._journal.connection.execute("SELECT count(*) FROM files WHERE run = ?", (run,)).fetchone()
            name = f"run-{run:06d}-{batch:06d}.parquet"
            files = [
                *self._write("readings", READINGS, "end", name, [(one, one.readings) for one in harvests]),
                *self._write("events", EVENTS, "time", name, [(one, one.events) for one in harvests]),
            ]
            self._journal.connection.executemany("INSERT INTO files VALUES (?, ?)", [(file, run) for file in files])
            self._journal.put(run, harvests)

    def end(self, run: int, report: Mapping[str, Any] | None) -> None:
        """End a run; see `Sink`."""
        self._journal.end(run, report)

    def _write(
        self, kind: str, schema: RowSchema, time: str, name: str, brought: list[tuple[Harvest, list[Sequence[Any]]]]
    ) -> list[str]:
        """Write the files of one kind of rows, and return their names in the folder."""
        when = schema.names.index(time)
        keys = [schema.names.index(column) for column in schema.key]
        partitions: dict[str, list[Sequence[Any]]] = {}
        repeats: dict[str, set[str]] = {}
        for harvest, rows in brought:
            part = f"part={zlib.crc32(harvest.state.meter.encode()) % PARTS}"
            dates: dict[Any, str] = {}
            for row in rows:
                end = row[when]
                place = dates.get(end)
                if place is None:
                    place = dates[end] = f"{kind}/date={_date(end)}/{part}"
                partitions.setdefault(place, []).append(row)
            if harvest.repeats:
                for place in set(dates.values()):
                    repeats.setdefault(place, set()).add(harvest.state.meter)
        files = []
        for place, rows in partitions.items():
            here = self._keys(place, schema, repeats[place]) if place in repeats else set()
            once = {tuple(map(_plain, (row[key] for key in keys))): row for row in rows}
            new = [row for key, row in once.items() if key not in here]
            if new:
                self._put_file(Path(place) / name, schema, new)
                files.append(f"{place}/{name}")
        return files

    def _put_file(self, name: Path, schema: RowSchema, rows: list[Sequence[Any]]) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + _ASIDE)
        with aside.open("wb") as file:
            write_parquet(schema, iter(rows), file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)

    def _keys(self, place: str, schema: RowSchema, meters: set[str]) -> set[tuple[Any, ...]]:
        """Return the keys of the rows of meters that are in a partition."""
        listed = self._journal.connection.execute(
            "SELECT name FROM files WHERE name GLOB ?", (f"{place}/*",)
        ).fetchall()
        found: set[tuple[Any, ...]] = set()
        for (name,) in listed:
            table = pq.read_table(self._folder / name, columns=list(schema.key), partitioning=None)
            keys = zip(*(map(_plain, table.column(column).to_pylist()) for column in schema.key), strict=True)
            found.update(key for key in keys if key[0] in meters)
        return found

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"{error.filename or self._folder}: {in_words(error)}", passing=True) from error


def _date(time: dt.datetime | None) -> str:
    if time is None:
        return _UNDATED
    return (time if time.tzinfo is None else time.astimezone(dt.UTC)).date().isoformat()


def _plain(value: Any) -> Any:
    """Return a value of a key that is equal for equal instants, whether naive or read back."""
    if isinstance(value, dt.datetime):
        return utc(value) if value.tzinfo is None else value.astimezone(dt.UTC)
    return value
