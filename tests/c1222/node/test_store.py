"""Stores: what was put is there, all of it or nothing, after whatever happened in between."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.errors import StateError
from c1222.node.sqlite_store import SQLiteStore
from c1222.node.store import MemoryStore, Store, StoredVectors, Taken
from c1222.security.freshness import SendGuard

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else SQLiteStore(tmp_path / "s")


def test_items_are_kept_by_meter_and_name(store: Store) -> None:
    store.put("a", {"ST1": b"one", "ST2": b"two"})
    store.put("b", {"ST1": b"other"})
    store.put("a", {"ST1": None, "ST3": b""})
    assert store.load("a") == {"ST2": b"two", "ST3": b""}
    assert store.load("b") == {"ST1": b"other"}
    assert store.load("c") == {}


def test_vectors_are_kept_by_scope(store: Store) -> None:
    vectors = StoredVectors(store)
    assert vectors.load("x") is None
    vectors.save("x", 7)
    vectors.save("x", 9)
    vectors.save("y", 0xFFFFFFFF)
    assert (vectors.load("x"), vectors.load("y")) == (9, 0xFFFFFFFF)


def test_requests_taken_are_remembered_until_they_are_too_old(store: Store) -> None:
    one, two = Taken(".1", 2, 100, 7), Taken(".1", 2, 200, 8)
    for taken in (two, one, two):
        store.remember("a", taken)
    store.remember("b", Taken("", 0, 150, 1))
    assert store.taken("a", 50) == [one, two]
    assert store.taken("a", 150) == [two]
    assert store.taken("a", 0) == [two], "what is too old is gone"
    assert store.taken("b", 0) == [Taken("", 0, 150, 1)]


def test_answers_are_kept_for_a_while(store: Store) -> None:
    store.keep_answer("a", b"one", 100, b"1")
    store.keep_answer("a", b"two", 200, b"")
    store.keep_answer("b", b"one", 100, b"other")
    assert store.answers("a", 0) == {b"one": b"1", b"two": b""}
    assert store.answers("a", 150) == {b"two": b""}
    assert store.answers("a", 0) == {b"two": b""}
    assert store.answers("b", 0) == {b"one": b"other"}


def test_everything_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with SQLiteStore(tmp_path / "s") as store:
        store.put("a", {"ST1": b"one"})
        store.save_vector("x", 5)
        store.remember("a", Taken("t", 1, 2, 3))
        store.hold()
        store.put("a", {"ST2": b"two"})
    with SQLiteStore(tmp_path / "s", sync=True) as store:
        assert store.load("a") == {"ST1": b"one", "ST2": b"two"}
        assert store.load_vector("x") == 5
        assert store.taken("a", 0) == [Taken("t", 1, 2, 3)]


def test_what_is_gathered_is_seen_at_once_and_lost_if_never_flushed(tmp_path: Path) -> None:
    code = """
import os, sys
from c1222.node.sqlite_store import SQLiteStore
store = SQLiteStore(sys.argv[1])
store.put("a", {"ST1": b"kept"})
store.hold()
store.put("a", {"ST1": b"lost", "ST2": b"lost"})
assert store.load("a") == {"ST1": b"lost", "ST2": b"lost"}
os._exit(9)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=False)
    with SQLiteStore(tmp_path / "s") as store:
        assert store.load("a") == {"ST1": b"kept"}


def test_changes_in_both_directions_are_one_transaction(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "s")
    store.put("a", {"ST1": b"1", "ST2": b"2"})
    seen: list[str] = []
    store._db.set_trace_callback(seen.append)
    store.put("a", {"ST1": None, "ST2": b"3"})
    assert [statement for statement in seen if statement in ("COMMIT", "BEGIN IMMEDIATE")] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    store.close()


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with SQLiteStore(tmp_path / "s"):
        code = "import sys; from c1222.node.sqlite_store import SQLiteStore; SQLiteStore(sys.argv[1])"
        other = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "s")], capture_output=True, text=True, check=False
        )
        assert "StateError" in other.stderr
        assert "locked" in other.stderr
    SQLiteStore(tmp_path / "s").close()


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("this is no database, but it is longer than the head of one, which has a hundred octets. " * 3)
    other = tmp_path / "other"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    for path in (text, other, tmp_path / "no" / "such" / "directory"):
        with pytest.raises(StateError):
            SQLiteStore(path)


def test_after_a_failed_write_nothing_is_flushed_any_more(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "s")
    store.put("a", {"ST1": b"kept"})
    store.hold()
    store.put("a", {"ST1": b"answered with ok, soon"})
    store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(StateError):
        store.put("b", {"ST1": b"x"})
    store._db.execute("PRAGMA query_only = OFF")
    with pytest.raises(StateError):
        store.flush()
    with pytest.raises(StateError):
        store.load("a")
    store._db.close()
    with SQLiteStore(tmp_path / "s") as again:
        assert again.load("a") == {"ST1": b"kept"}


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "s")
    store.close()
    store.close()
    with pytest.raises(StateError):
        store.load("a")


@given(restarts=st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=6), max_size=6))
def test_no_vector_is_given_out_twice_over_restarts(restarts: list[list[tuple[int, int]]]) -> None:
    store = MemoryStore()
    given_: set[tuple[bytes, int]] = set()
    now = 1_700_000_000.0
    for run in restarts:
        guard = SendGuard(StoredVectors(store))
        for step, invocation_id in run:
            now += step - 1  # the clock may be set back, too
            pair = (guard.issue("s", invocation_id, now), invocation_id)
            assert pair not in given_
            given_.add(pair)


def test_old_requests_are_pruned_now_and_then(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "s")
    store.hold()
    for number in range(1000):
        store.remember("a", Taken("t", 1, 90_000 * (number > 500) + number, number))
    assert len(store._db.execute("SELECT * FROM taken").fetchall()) < 600
    store.close()
