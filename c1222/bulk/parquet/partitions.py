"""Rows by day, and by a hash of their meter, as Parquet files that appear together or not at all.

``FOLDER/date=2026-11-30/part=3/NAME.parquet``, as Hive, Spark, DuckDB and Polars take it.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, Self, cast
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from c1219.tabular.arrow import BATCH
from c1222.capture.files.writer import private_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

__all__ = ["MAX_BUFFERED_ROWS", "NO_DATE", "PARTS", "PartitionedFiles", "part_of_meter"]

PARTS: Final = 4
"""Parts of a day that readings are in."""
NO_DATE: Final = "__HIVE_DEFAULT_PARTITION__"
"""Stands for the date of rows without time."""
MAX_BUFFERED_ROWS: Final = 1 << 20
"""Rows that are held until there are enough of a partition."""
_DAY: Final = 86_400
_NEVER: Final = np.iinfo(np.int64).min


def part_of_meter(meter: str) -> int:
    """Return the part that a meter is in."""
    return crc32(meter.encode("utf-8", "surrogatepass")) % PARTS


class PartitionedFiles:
    """Takes batches and writes them; use it in a ``with``. The files are there when it ends without an error.

    Args:
        folder: where the partitions go; it is made.
        name: of the files, without suffix.
        schema: of the batches.
        time: column with the time that tells the day.
        unit: of it if it is an integer: how many make a second.
        meter: column that tells the part; None for no parts.

    Attributes:
        rows: written so far, or held.
        files: names of the files, below the folder.
    """

    def __init__(
        self, folder: Path, name: str, schema: pa.Schema, *, time: str, unit: int = 1_000_000, meter: str | None = None
    ) -> None:
        self.rows = 0
        self.files: list[str] = []
        self._folder = folder
        self._name = name
        self._schema = schema
        self._time, self._unit, self._meter = time, unit, meter
        self._held: dict[tuple[int, int], list[pa.RecordBatch]] = {}
        self._count: dict[tuple[int, int], int] = {}
        self._buffered = 0
        self._writers: dict[tuple[int, int], Any] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            try:
                if error is None:
                    for key in list(self._held):
                        self._flush(key)
            finally:
                failures = [failure for writer in self._writers.values() if (failure := _closed(writer)) is not None]
            if error is not None or failures:
                raise error or failures[0]

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a batch."""
        self.rows += batch.num_rows
        for key, part in self._parts(batch):
            self._held.setdefault(key, []).append(part)
            self._count[key] = count = self._count.get(key, 0) + part.num_rows
            self._buffered += part.num_rows
            if count >= BATCH:
                self._flush(key)
        while self._buffered > MAX_BUFFERED_ROWS:
            self._flush(max(self._count, key=self._count.__getitem__))

    def _parts(self, batch: pa.RecordBatch) -> Iterator[tuple[tuple[int, int], pa.RecordBatch]]:
        """Yield the rows of each partition."""
        if not batch.num_rows:
            return
        keys = self._days(batch) * PARTS + self._numbers(batch)
        if (np.diff(keys) < 0).any():
            order = np.argsort(keys, kind="stable")
            keys, batch = keys[order], batch.take(pa.array(order))
        starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(keys)], strict=True):
            day, part = divmod(int(keys[start]), PARTS)
            yield (day, part), batch.slice(start, end - start)

    def _days(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        column = batch.column(self._time)
        times: NDArray[np.int64] = column.cast(pa.int64()).fill_null(_NEVER).to_numpy()
        days: NDArray[np.int64] = np.floor_divide(times, self._unit * _DAY)
        days[times == _NEVER] = _NO_DAY
        return days

    def _numbers(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        if self._meter is None:
            return np.zeros(batch.num_rows, np.int64)
        meters = batch.column(self._meter).dictionary_encode()
        numbers = np.array([part_of_meter(meter) for meter in meters.dictionary.to_pylist()], np.int64)
        chosen: NDArray[np.int64] = numbers[meters.indices.to_numpy()]
        return chosen

    def _flush(self, key: tuple[int, int]) -> None:
        held = self._held.pop(key)
        self._buffered -= self._count.pop(key)
        writer = self._writers.get(key)
        if writer is None:
            writer = self._writers[key] = self._writer(*key)
        writer.write_table(pa.Table.from_batches(held).unify_dictionaries().combine_chunks())

    def _writer(self, day: int, part: int) -> Any:
        date = NO_DATE if day == _NO_DAY else str(np.datetime64(day, "D"))
        name = f"date={date}/" + ("" if self._meter is None else f"part={part}/") + f"{self._name}.parquet"
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self.files.append(name)
        return pq.ParquetWriter(
            cast("Any", self._stack.enter_context(private_file(path))), self._schema, compression="zstd"
        )


def _closed(writer: Any) -> OSError | None:
    """Close a writer, which it tries again itself if it is not; return what failed."""
    try:
        writer.close()
    except OSError as failure:
        return failure
    return None


_NO_DAY: Final = -(1 << 40)
"""Stands for the day of a time that is not known."""
