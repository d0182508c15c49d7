"""Stores that are locked, full or gone, a store of one's own, and stores that earlier versions made."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from c1222.collect import StoreError
from c1222.collect.stores.sink import Begun, PollPlan
from c1222.collect.stores.sqlite import SQLiteSink
from tests.c1222.collect.fleet import fleet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c1222.collect.harvest import Harvest

SAMPLES = Path(__file__).parent / "samples"


class OwnSink:
    """A store in memory, that fails so many times."""

    def __init__(self, failures: int = 0, *, passing: bool = True) -> None:
        self.failures, self.passing = failures, passing
        self.kept: list[Harvest] = []
        self.report: Mapping[str, Any] | None = None

    def begin(self, plan: PollPlan) -> Begun:
        return Begun(1, {one.name for one in self.kept}, {one.name: one.state for one in self.kept})

    def put(self, run: int, harvests: Sequence[Harvest]) -> None:
        if self.failures:
            self.failures -= 1
            raise StoreError("disk full", passing=self.passing)
        self.kept += harvests

    def end(self, run: int, report: Mapping[str, Any] | None) -> None:
        self.report = report


def test_a_store_of_ones_own(tmp_path: Path) -> None:
    sink = OwnSink()
    with fleet(tmp_path, 2) as tried:
        report = tried.run(store=sink)
    assert sorted(one.name for one in sink.kept) == ["m0", "m1"]
    assert sum(len(one.readings) for one in sink.kept) == report.readings
    assert sink.report == report.as_dict()


def test_a_store_that_is_full_for_a_moment(tmp_path: Path) -> None:
    sink = OwnSink(failures=2)
    with fleet(tmp_path, 2) as tried:
        assert tried.run(store=sink).exit_code == 0
    assert len(sink.kept) == 2


@pytest.mark.parametrize("passing", [True, False])
def test_a_store_that_is_gone_ends_the_run_and_the_next_has_all(tmp_path: Path, passing: bool) -> None:
    sink = OwnSink(failures=10**6, passing=passing)
    with fleet(tmp_path, 2) as tried:
        report = tried.run(store=sink, store_seconds=0.1)
        assert (report.exit_code, report.unsaved, report.trouble, sink.report) == (1, 2, "disk full", None)
        sink.failures = 0
        assert tried.run(store=sink).outcomes == {"ok": 2}
    assert len(sink.kept) == 2


def test_a_file_that_another_program_has_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c1222.collect.stores.sqlite._LOCKED_SECONDS", 0.1)
    with fleet(tmp_path, 2) as tried:
        tried.run(what=("registers",))
        other = sqlite3.connect(tried.store, isolation_level=None, check_same_thread=False)
        plan = PollPlan("all", ("events",))
        SQLiteSink(tried.store).end(0, None)
        report: list[Any] = []
        lock = threading.Event()

        def tell(_: object) -> None:
            lock.set()

        sink = SQLiteSink(tried.store)
        begun = sink.begin(plan)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked") as locked:
            sink.put(begun.run, [])
        assert locked.value.passing
        threading.Timer(1.0, lambda: other.execute("COMMIT")).start()
        report.append(tried.run(store=_Opened(sink, begun), what=("events",), tell=tell))
        assert report[0].exit_code == 0
        assert lock.is_set()
        other.close()
        assert tried.rows("SELECT count(*) > 50 FROM events") == [(1,)]


class _Opened:
    """A store that has begun its run already."""

    def __init__(self, sink: SQLiteSink, begun: Begun) -> None:
        self.put, self.end, self._begun = sink.put, sink.end, begun

    def begin(self, plan: PollPlan) -> Begun:
        return self._begun


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.db")))
def test_stores_of_earlier_versions_open(tmp_path: Path, name: str) -> None:
    shutil.copy(SAMPLES / name, tmp_path / "readings.db")
    with fleet(tmp_path, 1) as tried:
        before = tried.rows('SELECT meter, path, "end", value FROM readings')
        report = tried.run(what=("registers", "events"))
        assert report.exit_code == 0
        assert report.events == 0, "the sequence numbers of the logs are known"
        assert set(before) < set(tried.rows('SELECT meter, path, "end", value FROM readings'))


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    SQLiteSink(tmp_path / "x.db").end(0, None)
    connection = sqlite3.connect(tmp_path / "x.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="a later version of c1222 made this store"):
        SQLiteSink(tmp_path / "x.db")


def test_there_is_a_sample_of_this_version() -> None:
    connection = sqlite3.connect(f"file:{SAMPLES / 'version-1.db'}?mode=ro", uri=True)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()
