"""Sending: no pair twice, whatever clock, ids, restarts and threads do."""

import json
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from c1222.errors import EncodeError, StateError
from c1222.message.aptitle import ApTitle
from c1222.security.sending import FileStore, SendGuard

NOW = 0x48F3D061
SCOPE = ".123.4#2"
CALLED = st.sampled_from([b"one", b"two", b"three"])
METER = ApTitle(".123.8437")


def vector(seconds: int) -> bytes:
    return seconds.to_bytes(4, "big")


class Memory:
    """A store that survives its guard."""

    def __init__(self) -> None:
        self.saved: dict[str, int] = {}
        self.writes = 0

    def load(self, scope: str) -> int | None:
        return self.saved.get(scope)

    def save(self, scope: str, vector: int) -> None:
        self.saved[scope] = vector
        self.writes += 1


def test_vector_is_the_time() -> None:
    assert SendGuard().issue(SCOPE, 3, NOW + 0.9) == vector(NOW)


def test_growing_ids_share_a_second_and_others_take_the_next() -> None:
    guard = SendGuard()
    given_out = [guard.issue(SCOPE, number, NOW) for number in (1, 2, 9, 9, 10, 1)]
    assert given_out == [vector(NOW + n) for n in (0, 0, 0, 1, 1, 2)]


def test_a_clock_set_back_changes_nothing() -> None:
    guard = SendGuard()
    assert guard.issue(SCOPE, 1, NOW) == vector(NOW)
    assert guard.issue(SCOPE, 2, NOW - 3600) == vector(NOW)
    assert guard.issue(SCOPE, 2, NOW - 3600) == vector(NOW + 1)
    assert guard.lead(SCOPE, NOW - 3600) == 3601
    assert guard.lead(SCOPE, NOW + 5) == 0
    assert guard.lead("nobody", NOW) == 0


def test_scopes_are_apart() -> None:
    guard = SendGuard()
    one, two = SendGuard.scope(ApTitle(".123.4"), 2), SendGuard.scope(ApTitle(".123.4"), 3)
    assert one == SendGuard.scope(ApTitle(".123.4").absolute(), 2) != two
    assert SendGuard.scope(None, 2) == "#2"
    assert guard.issue(one, 5, NOW) == guard.issue(two, 5, NOW) == vector(NOW)


def test_restart_goes_on_above_what_was_saved_and_saves_only_changes() -> None:
    store = Memory()
    guard = SendGuard(store)
    for number in range(1, 100):
        guard.issue(SCOPE, number, NOW)
    assert (store.saved, store.writes) == ({SCOPE: NOW}, 1)
    again = SendGuard(store)
    assert again.lead(SCOPE, NOW) == 1
    assert again.issue(SCOPE, 500, NOW - 100) == vector(NOW + 1)
    assert store.saved == {SCOPE: NOW + 1}


def test_nothing_is_given_out_when_it_cannot_be_saved() -> None:
    class Full(Memory):
        def save(self, scope: str, vector: int) -> None:
            raise StateError("full")

    guard = SendGuard(Full())
    for _ in range(2):
        with pytest.raises(StateError, match="full"):
            guard.issue(SCOPE, 1, NOW)


@pytest.mark.parametrize("now", [-1, 2**32, float("nan"), float("inf")])
def test_times_without_a_form(now: float) -> None:
    with pytest.raises(EncodeError):
        SendGuard().issue(SCOPE, 1, now)


def test_the_last_vector() -> None:
    guard = SendGuard()
    assert guard.issue(SCOPE, 2, 2**32 - 1) == b"\xff\xff\xff\xff"
    with pytest.raises(StateError, match="no vector is left"):
        guard.issue(SCOPE, 2, NOW)
    assert guard.issue(SCOPE, 3, NOW) == b"\xff\xff\xff\xff"


def test_session_goes_on_under_its_vector_with_growing_ids() -> None:
    guard = SendGuard()
    iv = guard.issue(SCOPE, 10, NOW)
    guard.issue_in_session(SCOPE, iv, 11)
    other = guard.issue(SCOPE, 12, NOW + 60)
    guard.issue_in_session(SCOPE, iv, 13)
    guard.issue_in_session(SCOPE, other, 14)
    for refused in (14, 1):
        with pytest.raises(StateError, match="new session"):
            guard.issue_in_session(SCOPE, iv, refused)
    for foreign in (vector(NOW - 1), vector(NOW + 61)):
        with pytest.raises(StateError):
            guard.issue_in_session(SCOPE, foreign, 20)
    with pytest.raises(StateError):
        guard.issue_in_session("nobody", iv, 20)


def test_ids_that_start_again_end_the_sessions_before() -> None:
    guard = SendGuard()
    iv = guard.issue(SCOPE, 10, NOW)
    fresh = guard.issue(SCOPE, 1, NOW + 60)
    with pytest.raises(StateError):
        guard.issue_in_session(SCOPE, iv, 11)
    guard.issue_in_session(SCOPE, fresh, 2)


def test_whoever_calls_many_nodes_stays_with_the_time() -> None:
    guard = SendGuard(Memory())
    chance = random.Random(5)
    given_out = set()
    for number in range(1000):  # each by a conversation that begins to count somewhere
        called = b"%d" % number
        iv = guard.issue(SCOPE, chance.randrange(1 << 30), NOW, called=called, opens_session=True)
        given_out.add((called, iv))
    assert len(given_out) == 1000
    assert guard.lead(SCOPE, NOW) == 0
    for number in range(1000):
        iv = guard.issue(SCOPE, chance.randrange(1 << 30), NOW, called=b"%d" % number, opens_session=True)
        assert (b"%d" % number, iv) not in given_out
    assert guard.lead(SCOPE, NOW) <= 1


def test_each_session_with_a_node_has_a_vector_of_its_own() -> None:
    guard = SendGuard()

    def logon(number: int, called: bytes = b"one") -> bytes:
        return guard.issue(SCOPE, number, NOW, called=called, opens_session=True)

    first = logon(1)
    guard.issue_in_session(SCOPE, first, 2, called=b"one")
    assert (first, logon(3), logon(4, b"two")) == (vector(NOW), vector(NOW + 1), vector(NOW))
    assert guard.issue(SCOPE, 5, NOW + 5, called=b"one") == vector(NOW + 5)
    assert logon(6) == vector(NOW + 5)  # no session had it
    assert guard.issue(SCOPE, 7, NOW + 9, called=b"one") == vector(NOW + 9)
    guard.issue_in_session(SCOPE, vector(NOW + 9), 8, called=b"one")
    assert logon(9) == vector(NOW + 10)
    with pytest.raises(StateError):
        guard.issue_in_session(SCOPE, first, 10, called=b"three")


def test_a_node_that_was_forgotten_gets_vectors_above_those_of_then() -> None:
    guard = SendGuard(max_called=2)
    assert [guard.issue(SCOPE, 5, NOW, called=called) for called in (b"1", b"2", b"1")] == [
        vector(NOW),
        vector(NOW),
        vector(NOW + 1),
    ]
    assert guard.issue(SCOPE, 5, NOW, called=b"3") == vector(NOW)  # the second is forgotten
    assert guard.issue(SCOPE, 9, NOW, called=b"2") == vector(NOW + 1)
    assert len(guard._last) == 2


def test_after_a_restart_every_node_gets_a_vector_above_all_saved() -> None:
    store = Memory()
    guard = SendGuard(store)
    guard.issue(SCOPE, 5, NOW + 7, called=b"1")
    guard.issue(SCOPE, 5, NOW, called=b"2")
    assert store.saved == {SCOPE: NOW + 7}
    again = SendGuard(store)
    assert [again.issue(SCOPE, 6, NOW, called=called) for called in (b"2", b"1", b"3")] == [vector(NOW + 8)] * 3
    assert (store.saved, store.writes) == ({SCOPE: NOW + 8}, 2)


def test_whether_there_is_a_vector_is_known_before() -> None:
    guard = SendGuard()
    assert [guard.can_issue(SCOPE, now) for now in (-1, 0, 2**32 - 1, 2**32)] == [False, True, True, False]
    guard.issue(SCOPE, 5, 2**32 - 2)
    assert guard.can_issue(SCOPE, NOW)
    guard.issue(SCOPE, 5, 2**32 - 2)
    assert not guard.can_issue(SCOPE, NOW)
    assert guard.can_issue("another", NOW)


class Sender(RuleBasedStateMachine):
    """Whatever happens, no pair is given out twice; messages with and without their own vector count together."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Memory()
        self.guard = SendGuard(self.store, max_called=2)
        self.used: list[tuple[bytes, bytes, int]] = []
        self.opened: list[tuple[bytes, bytes]] = []
        self.sessions: list[tuple[bytes, bytes]] = []

    @rule(called=CALLED, number=st.integers(1, 6), now=st.integers(0, 5), opens=st.booleans())
    def send(self, called: bytes, number: int, now: int, opens: bool) -> None:
        iv = self.guard.issue(SCOPE, number, now, called=called, opens_session=opens)
        self.used.append((called, iv, number))
        self.opened.append((called, iv))
        if opens:
            assert (called, iv) not in self.sessions
            self.sessions.append((called, iv))

    @rule(number=st.integers(1, 8), data=st.data())
    def send_in_session(self, number: int, data: st.DataObject) -> None:
        if not self.opened:
            return
        called, iv = data.draw(st.sampled_from(self.opened))
        try:
            self.guard.issue_in_session(SCOPE, iv, number, called=called)
        except StateError:
            return
        self.used.append((called, iv, number))
        if (called, iv) not in self.sessions:
            self.sessions.append((called, iv))

    @rule()
    def restart(self) -> None:
        self.guard = SendGuard(self.store, max_called=2)

    @invariant()
    def no_pair_twice(self) -> None:
        assert len(set(self.used)) == len(self.used)


Sender.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestSender = Sender.TestCase


def test_threads_get_different_pairs() -> None:
    guard = SendGuard()
    start = threading.Barrier(4)

    def work(_: int) -> list[bytes]:
        start.wait()
        return [guard.issue(SCOPE, 5, NOW) for _ in range(200)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            vectors = [iv for part in pool.map(work, range(4)) for iv in part]
    finally:
        sys.setswitchinterval(interval)
    assert len(set(vectors)) == 800


def test_file_store(tmp_path: Path) -> None:
    path = tmp_path / "vectors.json"
    assert SendGuard(FileStore(path)).issue(SCOPE, 1, NOW) == vector(NOW)
    assert json.loads(path.read_text()) == {SCOPE: NOW}
    assert SendGuard(FileStore(path)).issue(SCOPE, 2, NOW) == vector(NOW + 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["vectors.json"]


@pytest.mark.parametrize("content", ["", "[]", '{"a": -1}', '{"a": 4294967296}', '{"a": true}', "[" * 100000, "\udcff"])
def test_a_file_store_that_cannot_be_trusted_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "vectors.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(StateError, match=r"vectors\.json"):
        FileStore(path)


def test_a_file_store_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "nowhere" / "vectors.json")
    with pytest.raises(StateError, match="cannot be saved"):
        SendGuard(store).issue(SCOPE, 1, NOW)
