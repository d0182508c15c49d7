"""Stores: what was put is there, all of it or nothing, after whatever happened in between."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.errors import StateError
from c1222.node.store.sqlite import SQLiteStore
from c1222.node.store.store import MemoryStore, Store, StoredVectors, Taken
from c1222.security.receiving import KEPT_BEHIND
from c1222.security.sending import SendGuard
from tests.c1222.node.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Callable
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


def test_requests_taken_are_remembered_by_meter(store: Store) -> None:
    one, two, inside = Taken(".1", 2, 100, 7), Taken(".1", 2, 200, 8), Taken(".1", 2, 200, 8, in_session=True)
    for taken in (two, one, two):
        store.remember("a", taken)
    assert store.taken("a") == [one, two]
    store.remember("a", inside)
    store.remember("b", Taken("", 0, 150, 1))
    assert sorted(store.taken("a")) == [one, two, inside]
    assert store.taken("b") == [Taken("", 0, 150, 1)]


def test_requests_far_below_the_largest_of_their_sender_are_pruned_and_no_others(store: Store) -> None:
    store.hold()
    slow, other_key = Taken("slow", 1, 5, 0), Taken("t", 2, 6, 0)
    store.remember("a", slow)
    store.remember("a", other_key)
    requests = [Taken("t", 1, 90_000 * (number > 500) + number, number) for number in range(998)]
    for taken in requests:
        store.remember("a", taken)
    left = [taken for taken in requests if taken.vector >= requests[-1].vector - KEPT_BEHIND]
    assert len(left) == 497
    assert sorted(store.taken("a")) == sorted([slow, other_key, *left])


def test_within_the_time_that_is_kept_all_requests_are(store: Store) -> None:
    store.hold()
    requests = [Taken("t", 1, number * 86, number) for number in range(1000)]
    for taken in requests:
        store.remember("a", taken)
    assert store.taken("a") == requests


def test_answers_are_kept_until_the_end_of_the_next_period(store: Store) -> None:
    store.keep_answer("a", b"one", b"1")
    store.keep_answer("b", b"one", b"other")
    store.end_period()
    store.keep_answer("a", b"two", b"")
    assert store.answers("a") == {b"one": b"1", b"two": b""}
    store.end_period()
    assert store.answers("a") == {b"two": b""}
    assert store.answers("b") == {}
    store.keep_answer("a", b"two", b"again")
    store.end_period()
    assert store.answers("a") == {b"two": b"again"}


def test_opening_a_store_begins_a_period(tmp_path: Path) -> None:
    with SQLiteStore(tmp_path / "s") as first:
        first.keep_answer("a", b"one", b"1")
    with SQLiteStore(tmp_path / "s") as second:
        assert second.answers("a") == {b"one": b"1"}
        second.keep_answer("a", b"two", b"2")
        second.end_period()
        assert second.answers("a") == {b"two": b"2"}


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
        assert store.taken("a") == [Taken("t", 1, 2, 3)]


def test_what_is_gathered_is_seen_at_once_and_lost_if_never_flushed(tmp_path: Path) -> None:
    code = """
import os, sys
from c1222.node.store.sqlite import SQLiteStore
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
        code = "import sys; from c1222.node.store.sqlite import SQLiteStore; SQLiteStore(sys.argv[1])"
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


def test_after_a_flush_changes_are_durable_by_themselves_again(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "s")
    store.hold()
    store.put("a", {"ST1": b"1"})
    assert store._db.in_transaction
    store.flush()
    store.put("a", {"ST2": b"2"})
    assert not store._db.in_transaction
    store.close()


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    def modes() -> set[int]:
        return {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    with SQLiteStore(tmp_path / "s") as store:
        store.put("a", {"ST42": b"passwords"})
        assert len(list(tmp_path.iterdir())) > 1, "the log is there, too"
        assert modes() == {0o600}
    (tmp_path / "s").chmod(0o644)
    with SQLiteStore(tmp_path / "s") as store:
        store.put("a", {"ST42": b"passwords"})
        assert modes() == {0o600}


def test_a_store_that_holds_nothing_is_not_begun_anew(tmp_path: Path) -> None:
    for octets in (b"", None):
        path = tmp_path / "s"
        SQLiteStore(path).close()
        if octets is None:
            path.unlink()
            sqlite3.connect(path).executescript("VACUUM").close()
        else:
            path.write_bytes(octets)
        with pytest.raises(StateError, match="empty"):
            SQLiteStore(path)
        path.unlink()
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_the_first_version_goes_on(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "s") as db:
        db.executescript("""
            CREATE TABLE item (meter TEXT, name TEXT, octets BLOB, PRIMARY KEY (meter, name));
            CREATE TABLE vector (scope TEXT PRIMARY KEY, vector INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE answer (meter TEXT, request BLOB, utc INTEGER, octets BLOB, PRIMARY KEY (meter, request));
            CREATE TABLE taken (meter TEXT, vector INTEGER, invocation_id INTEGER, key_id INTEGER, calling TEXT,
                PRIMARY KEY (meter, vector, invocation_id, key_id, calling)) WITHOUT ROWID;
            INSERT INTO item VALUES ('a', 'ST1', x'01');
            INSERT INTO vector VALUES ('x', 5);
            INSERT INTO answer VALUES ('a', x'02', 100, x'03');
            INSERT INTO taken VALUES ('a', 100, 7, 2, 'ff');
            PRAGMA application_id = 0x43313232; PRAGMA user_version = 1;
        """)
    db.close()
    for _ in range(2):
        with SQLiteStore(tmp_path / "s") as store:
            assert store.load("a") == {"ST1": b"\1"}
            assert store.load_vector("x") == 5
            assert store.answers("a") == {}
            assert store.taken("a") == [Taken("ff", 2, 100, 7)]
    with sqlite3.connect(tmp_path / "s") as db:
        db.execute("PRAGMA user_version = 3")
    db.close()
    with pytest.raises(StateError, match="version"):
        SQLiteStore(tmp_path / "s")


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("UPDATE taken SET vector = 'x'", lambda store: store.taken("a")),
        ("UPDATE taken SET invocation_id = 1.5", lambda store: store.taken("a")),
        ("UPDATE taken SET key_id = x'02'", lambda store: store.taken("a")),
        ("UPDATE taken SET calling = x'02'", lambda store: store.taken("a")),
        ("UPDATE item SET octets = 'text'", lambda store: store.load("a")),
        ("UPDATE item SET name = x'01'", lambda store: store.load("a")),
        ("UPDATE vector SET vector = 'x'", lambda store: store.load_vector("x")),
        ("UPDATE vector SET vector = -1", lambda store: store.load_vector("x")),
        ("UPDATE vector SET vector = 4294967296", lambda store: store.load_vector("x")),
        ("UPDATE answer SET octets = 7", lambda store: store.answers("a")),
        ("UPDATE answer SET request = 'x'", lambda store: store.answers("a")),
    ],
)
def test_a_damaged_row_is_told(tmp_path: Path, change: str, read: Callable[[SQLiteStore], Any]) -> None:
    store = SQLiteStore(tmp_path / "s")
    store.remember("a", Taken("ff", 2, 100, 7))
    store.put("a", {"ST1": b"1"})
    store.save_vector("x", 0xFFFFFFFF)
    store.keep_answer("a", b"1", b"2")
    assert read(store)
    store._db.execute(change)
    with pytest.raises(StateError, match="damaged"):
        read(store)
    store.close()


@pytest.mark.parametrize(
    "octets",
    [b"{", b"\xff", b"[]", b"null", b"7", b"{}", b"[" * 100_000, None],
)
def test_a_damaged_state_of_a_meter_is_told(octets: bytes | None) -> None:
    store = MemoryStore()
    rig = Rig(store=store)
    store.put(rig.meter.name, {"#state": octets, "ST5": b"x"})
    with pytest.raises(StateError, match=r"damaged|another profile"):
        Rig(store=store)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("event", "x"), ("failures", []), ("due", 7), ("due", {"PST5": "x"}), ("later", "x")],
        *[("simulation", 7), ("simulation", {}), ("simulation", {"clock": {"start": "x"}})],
    ],
)
def test_a_damaged_part_of_the_state_is_told(name: str, value: object) -> None:
    store = MemoryStore()
    rig = Rig(store=store)
    state = json.loads(store.load(rig.meter.name)["#state"])
    assert name in state
    store.put(rig.meter.name, {"#state": json.dumps({**state, name: value}).encode()})
    with pytest.raises(StateError, match="damaged"):
        Rig(store=store)


class TestWriteAheadLog:
    def log(self, path: Path, transactions: int) -> bytes:
        """Write some transactions and leave as a process does that is killed; return the log."""
        store = SQLiteStore(path)
        for number in range(transactions):
            store.put("a", {f"ST{number}": bytes(100)})
        copy = path.with_name("copy")
        copy.write_bytes(path.read_bytes())
        octets = path.with_name(f"{path.name}-wal").read_bytes()
        store.close()
        copy.rename(path)
        return octets

    def tables(self, path: Path, log: bytes) -> int:
        path.with_name(f"{path.name}-wal").write_bytes(log)
        with SQLiteStore(path) as store:
            return len(store.load("a"))

    def test_whole_or_cut_off(self, tmp_path: Path) -> None:
        log = self.log(tmp_path / "s", 5)
        kept = (tmp_path / "s").read_bytes()
        for cut, left in ((0, 5), (1, 4), (5000, 4), (9000, 3)):
            assert self.tables(tmp_path / "s", log[: len(log) - cut]) == left
            (tmp_path / "s").write_bytes(kept)
        torn = bytearray(log)
        torn[-1] ^= 1  # the last transaction did not get to the disk
        assert self.tables(tmp_path / "s", bytes(torn)) == 4

    @pytest.mark.parametrize("at", [0, 4, 9, 16, 24, 31, 40, 48, 100, 4200, 9000])
    def test_damage_is_told_and_told_again(self, tmp_path: Path, at: int) -> None:
        log = bytearray(self.log(tmp_path / "s", 5))
        log[at] ^= 1
        for _ in range(2):
            with pytest.raises(StateError, match=r"write-ahead log is damaged.*restore the store"):
                self.tables(tmp_path / "s", bytes(log))

    def test_what_is_no_log(self, tmp_path: Path) -> None:
        self.log(tmp_path / "s", 5)
        for octets in (b"\0", b"no log at all" * 500, bytes.fromhex("377f0682")):
            with pytest.raises(StateError, match="damaged"):
                self.tables(tmp_path / "s", octets)
        assert self.tables(tmp_path / "s", b"") == 0

    def test_frames_of_an_earlier_round_are_no_damage(self, tmp_path: Path) -> None:
        path = tmp_path / "s"
        store = SQLiteStore(path)
        for number in range(50):
            store.put("a", {f"ST{number}": bytes(3000)})
        assert store._db is not None
        store._db.execute("PRAGMA wal_checkpoint(RESTART)")
        store.put("a", {"ST99": b"1"})
        (tmp_path / "copy").write_bytes(path.read_bytes())
        log = path.with_name("s-wal").read_bytes()
        store.close()
        (tmp_path / "copy").rename(path)
        assert len(log) > 100_000
        assert self.tables(path, log) == 51
