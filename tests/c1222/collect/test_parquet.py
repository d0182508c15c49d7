"""A folder of Parquet files as a store: the same rows, each once, whatever was left behind."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds
import pytest

from c1219.tabular.arrow import arrow_schema
from c1219.tabular.readings import READINGS
from c1222.collect import StoreError
from c1222.collect.stores import parquet
from c1222.collect.stores.opening import open_sink
from c1222.collect.stores.parquet import ParquetSink
from c1222.collect.stores.sink import PollPlan
from tests.c1222.collect.fleet import TriedFleet, fleet

if TYPE_CHECKING:
    from pathlib import Path


def rows(folder: Path, kind: str = "readings") -> Any:
    return ds.dataset(folder / kind, partitioning="hive").to_table()


def profile(folder: Path) -> list[Any]:
    table = rows(folder).select(["meter", "path", "end", "value"])
    found = [
        (m, p, e.replace(tzinfo=None).isoformat(" "), v) for m, p, e, v in zip(*table.to_pydict().values(), strict=True)
    ]
    return sorted(row for row in found if row[1].startswith("LP"))


def test_the_same_rows_as_in_sqlite(tmp_path: Path) -> None:
    store = tmp_path / "store"
    with fleet(tmp_path) as tried:
        assert tried.run(store=str(store)).exit_code == 0
        tried.run()
        known = [(meter, path, end, value) for meter, path, end, value, _, _ in tried.series()]
        found = profile(store)
        assert [row[:3] for row in found] == [row[:3] for row in known]
        assert [row[3] and float(row[3]) for row in found] == [value and float(value) for *_, value in known]
        assert rows(store, "events").num_rows == tried.rows("SELECT count(*) FROM events")[0][0]
    schema = rows(store).schema
    assert [field.name for field in schema][-2:] == ["date", "part"]
    assert schema.names[:-2] == arrow_schema(READINGS).names
    for file in store.glob("readings/*/*/*.parquet"):
        date = file.parent.parent.name.removeprefix("date=")
        ends = ds.dataset(file).to_table()["end"].to_pylist()
        assert {end.date().isoformat() for end in ends} == {date}


def test_what_is_asked_for_again_is_there_once(tmp_path: Path) -> None:
    store, now = tmp_path / "store", time.time()
    with fleet(tmp_path, 1, simulate=True, history_days=1, utc=lambda: now) as tried:
        tried.run(store=str(store), what=("load-profile",))
        first = profile(store)
        again = tried.run(store=str(store), what=("load-profile",))
        assert again.readings > 0, "a hole in the series is asked for again"
        assert profile(store) == first
        assert len(set(first)) == len(first)


def test_files_that_no_run_finished_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    with fleet(tmp_path, 2) as tried:
        calm = _calm(tried, tmp_path)

        def fails(self: Any, run: int, harvests: Any) -> None:
            raise RuntimeError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(parquet.Journal, "put", fails)  # killed after the files are there, before they are listed
            broken = tried.run(store=str(store))
        assert (broken.exit_code, broken.unsaved) == (1, 2)
        assert "killed" in broken.trouble
        left = list(store.glob("readings/*/*/*.parquet"))
        assert left
        (left[0].parent / "run-000009-000000.parquet.part").write_bytes(b"half")
        assert tried.run(store=str(store)).exit_code == 0
        assert not list(store.glob("*/*/*/*.part"))
        assert profile(store) == calm


def _calm(tried: TriedFleet, tmp_path: Path) -> list[Any]:
    tried.run(store=str(tmp_path / "calm"))
    return profile(tmp_path / "calm")


def test_one_run_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c1222.collect.stores.sqlite._LOCKED_SECONDS", 0.1)
    sink = ParquetSink(tmp_path / "store")
    begun = sink.begin(PollPlan("all", ("registers",)))
    with pytest.raises(StoreError, match="locked"):
        ParquetSink(tmp_path / "store")
    sink.end(begun.run, None)
    again = ParquetSink(tmp_path / "store")
    assert again.begin(PollPlan("all", ("registers",))).run == begun.run
    again.end(begun.run, {})


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="file"):
        open_sink(str(tmp_path / "file"))
