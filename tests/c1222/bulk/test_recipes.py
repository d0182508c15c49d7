"""The recipes of ``specs/howto-bulk.md``: workers that take files, whatever starts them."""

from __future__ import annotations

import importlib.util
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c1219.tabular.arrow import arrow_schema
from c1219.tabular.readings import READINGS
from c1222 import bulk
from tests.c1222.bulk.test_decoding import CAPTURES
from tests.conftest import absent

PATHS = [str(CAPTURES / "registers.pcap"), str(CAPTURES / "meters.pcap")]
PROVIDER = str(CAPTURES / "keys.toml")


def readings_of(path: str) -> pa.Table:
    return pa.Table.from_batches(bulk.readings(bulk.decode(bulk.frames(path), PROVIDER)), arrow_schema(READINGS))


def alone() -> list[int]:
    return [readings_of(path).num_rows for path in PATHS]


def test_a_process_pool() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        tables = list(pool.map(readings_of, PATHS))
    assert [table.num_rows for table in tables] == alone()
    assert sum(alone()) > 90


def test_dask() -> None:
    if importlib.util.find_spec("dask") is None:
        absent("dask")
    import dask.bag

    found = dask.bag.from_sequence(PATHS, npartitions=len(PATHS)).map(readings_of).compute(scheduler="synchronous")
    assert [table.num_rows for table in found] == alone()


@pytest.mark.parametrize("program", ["polars", "duckdb"])
def test_partitioned_files(program: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(program) is None:
        absent(program)
    table = readings_of(PATHS[0])
    pq.write_to_dataset(table, tmp_path, partition_cols=["meter"])
    wanted = {}
    for row in table.to_pylist():
        if row["value"] is not None:
            wanted[row["meter"]] = wanted.get(row["meter"], 0) + row["value"]
    if program == "polars":
        import polars as pl

        frame = pl.read_parquet(tmp_path / "**" / "*.parquet", hive_partitioning=True)
        found = dict(frame.group_by("meter").agg(pl.col("value").sum()).rows())
    else:
        import duckdb

        files = f"read_parquet('{tmp_path}/**/*.parquet', hive_partitioning=true, hive_types_autocast=false)"
        found = dict(duckdb.sql(f"SELECT meter, sum(value) FROM {files} GROUP BY meter").fetchall())
    assert {int(meter): value for meter, value in found.items()} == {
        int(meter): value for meter, value in wanted.items()
    }
