"""Files that earlier versions wrote open, and their columns are those of today, with more at the end at most."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from c1219.tabular.arrow import arrow_schema
from c1219.tabular.readings import READINGS
from c1222.bulk.schema import BULK_MESSAGES
from tests.conftest import absent

SAMPLES = Path(__file__).parent / "samples"
SCHEMAS = {"bulk.message-1": BULK_MESSAGES, "readings-1": READINGS}


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_only_grow(name: str) -> None:
    was, now = pq.read_schema(SAMPLES / f"{name}.parquet"), arrow_schema(SCHEMAS[name])
    assert was.metadata[b"schema"] == SCHEMAS[name].name.encode()
    grown = pa.schema([now.field(number) for number in range(len(was))])
    assert grown.equals(pa.schema(list(was)))
    table = pq.read_table(SAMPLES / f"{name}.parquet")
    table.validate(full=True)
    assert table.num_rows == 40


def test_readings_mean_what_they_meant() -> None:
    rows = pq.read_table(SAMPLES / "readings-1.parquet").to_pylist()
    assert {row["verified"] for row in rows} == {True}
    assert (rows[0]["meter"], rows[0]["path"]) == ("0000000000085020", "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert (str(rows[0]["value"]), rows[0]["unit"]) == ("3632666.000000000", "Wh")


def test_tables_say_what_they_are() -> None:
    table = pq.read_table(SAMPLES / "table-st1.parquet")
    assert table.schema.metadata[b"table"] == b"ST1"
    assert {"meter", "node", "read_at", "verified", "MFG_SERIAL_NUMBER"} <= set(table.schema.names)


def opened_by_polars(path: Path) -> list[dict[str, Any]]:
    import polars as pl

    return pl.read_parquet(path).to_dicts()


def opened_by_duckdb(path: Path) -> list[dict[str, Any]]:
    import duckdb

    found = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("program", ["polars", "duckdb"])
@pytest.mark.parametrize("name", [*SCHEMAS, "table-st1"])
def test_others_open_them(program: str, name: str) -> None:
    if importlib.util.find_spec(program) is None:
        absent(program)
    opened = {"polars": opened_by_polars, "duckdb": opened_by_duckdb}[program](SAMPLES / f"{name}.parquet")
    wanted = pq.read_table(SAMPLES / f"{name}.parquet").to_pylist()
    assert len(opened) == len(wanted)
    for column in ("meter", "path", "value", "verified", "frame", "called", "MFG_SERIAL_NUMBER"):
        if column in wanted[0]:
            assert [row[column] for row in opened] == [row[column] for row in wanted]
