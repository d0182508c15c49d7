"""Freshness: no pair twice, whatever clock, ids, restarts and threads do; no message taken twice."""

import json
import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from c1222.errors import C1222Error, EncodeError, StateError
from c1222.message.aptitle import ApTitle
from c1222.security.freshness import (
    ACCEPTANCE_WINDOW,
    KEPT_BEHIND,
    FileStore,
    Freshness,
    ReplayGuard,
    SendGuard,
    SessionGuard,
)

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


def check(guard: ReplayGuard, seconds: int, number: int = 1, now: float = NOW, **options: Any) -> Freshness:
    return guard.check(METER, 2, vector(seconds), number, now, **options)


def test_window() -> None:
    guard = ReplayGuard(window=ACCEPTANCE_WINDOW)
    assert check(guard, NOW - 900) is Freshness.FRESH
    assert check(guard, NOW - 901) is Freshness.TOO_OLD
    assert check(guard, NOW + 900) is Freshness.FRESH
    assert check(guard, NOW + 901) is Freshness.TOO_NEW
    assert len(guard) == 2


def test_a_message_is_taken_once_and_each_part_of_its_name_counts() -> None:
    for guard in (ReplayGuard(window=900), ReplayGuard(window=None)):
        names = [
            (METER, 2, vector(NOW), 1),
            (ApTitle(".123.4"), 2, vector(NOW), 1),
            (None, 2, vector(NOW), 1),
            (METER, 3, vector(NOW), 1),
            (METER, 2, vector(NOW + 1), 1),
            (METER, 2, vector(NOW), 2),
        ]
        assert {guard.check(*name, NOW) for name in names} == {Freshness.FRESH}
        assert {guard.check(*name, NOW) for name in names} == {Freshness.REPLAYED}
        assert guard.check(METER.absolute(), 2, vector(NOW), 1, NOW) is Freshness.REPLAYED


def test_recovery_session_lifts_the_check_of_the_time_alone() -> None:
    guard = ReplayGuard(window=900)
    for seconds in (5, NOW + 5000):
        assert check(guard, seconds, recovery=True) is Freshness.FRESH
        assert check(guard, seconds, recovery=True) is Freshness.REPLAYED
    assert check(guard, NOW) is Freshness.FRESH  # what was taken at 5 is forgotten
    assert check(guard, 5, recovery=True) is Freshness.TOO_OLD
    assert check(guard, 6, recovery=True) is Freshness.FRESH


def test_without_a_window_any_time_is_taken_and_the_oldest_make_room() -> None:
    guard = ReplayGuard(window=None, max_seen=10)
    for number in range(100):
        assert check(guard, 100 - number, now=0) is Freshness.FRESH
    assert (len(guard), guard.evicted) == (10, 90)
    assert check(guard, 1) is Freshness.REPLAYED
    assert check(guard, 100) is Freshness.FRESH


def test_what_left_the_window_is_dropped() -> None:
    guard = ReplayGuard(window=10)
    for second in range(1000):
        assert check(guard, NOW + second, now=NOW + second) is Freshness.FRESH
        assert len(guard) <= 12
    assert guard.evicted == 0


def test_a_clock_set_ahead_and_back_lets_no_replay_in() -> None:
    guard = ReplayGuard(window=900)
    assert check(guard, NOW, 5) is Freshness.FRESH
    assert check(guard, NOW + 5000, now=NOW + 5000) is Freshness.FRESH
    assert [check(guard, NOW, number) for number in (5, 4, 6)] == [
        Freshness.TOO_OLD,
        Freshness.TOO_OLD,
        Freshness.FRESH,
    ]
    assert check(guard, NOW - 1) is Freshness.TOO_OLD
    assert check(guard, NOW + 1) is Freshness.FRESH


def test_the_clock_of_one_sender_shuts_out_no_other() -> None:
    guard = ReplayGuard(window=900)
    years = NOW + 10 * 365 * 86_400
    assert check(guard, years, now=years) is Freshness.FRESH
    assert check(guard, years + 5000, now=years + 5000) is Freshness.FRESH  # the first is forgotten
    assert guard.check(ApTitle(".123.4"), 2, vector(NOW), 1, NOW) is Freshness.FRESH
    assert guard.check(METER, 3, vector(NOW), 1, NOW) is Freshness.FRESH
    assert check(guard, NOW) is Freshness.TOO_OLD


def test_marks_are_bounded_and_those_made_one_hold_for_all() -> None:
    guard = ReplayGuard(window=900, max_seen=4)
    titles = [ApTitle(f".123.{number}") for number in range(12)]
    for second, title in enumerate(titles):
        assert guard.check(title, 2, vector(NOW + second), 1, NOW) is Freshness.FRESH
    assert (len(guard), len(guard._marks) <= 4) == (4, True)
    assert guard._floor > (b"", -1)
    again = {guard.check(title, 2, vector(NOW + second), 1, NOW) for second, title in enumerate(titles)}
    assert again == {Freshness.TOO_OLD, Freshness.REPLAYED}
    assert guard.check(METER, 2, vector(NOW + 12), 1, NOW) is Freshness.FRESH


def test_a_full_guard_refuses_rather_than_takes_twice() -> None:
    guard = ReplayGuard(window=900, max_seen=5)
    for second in range(5):
        assert check(guard, NOW + second) is Freshness.FRESH
    assert guard.evicted == 0
    assert check(guard, NOW + 9) is Freshness.FRESH
    assert (guard.evicted, len(guard)) == (1, 5)
    assert check(guard, NOW) is Freshness.TOO_OLD
    assert check(guard, NOW, number=2) is Freshness.FRESH  # and forgotten at once
    assert check(guard, NOW, number=2) is Freshness.TOO_OLD
    assert check(guard, NOW + 1) is Freshness.REPLAYED


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(0, 60)), max_size=60),
    st.integers(1, 12),
    st.integers(0, 20),
)
@settings(max_examples=100)
def test_nothing_is_taken_twice_whatever_the_clock_does(messages: Any, max_seen: int, window: int) -> None:
    guard = ReplayGuard(window=window, max_seen=max_seen)
    taken = [m[:2] for m in messages if check(guard, m[0], m[1], now=m[2]) is Freshness.FRESH]
    assert len(set(taken)) == len(taken)
    assert len(guard) <= max_seen


@pytest.mark.parametrize("wrong", [-20 * 365 * 86_400, -901, 0, 901, 20 * 365 * 86_400])
def test_what_is_restored_is_not_judged_by_the_clock(wrong: int) -> None:
    guard = ReplayGuard(window=900)
    guard.restore(METER, 2, vector(NOW), 5)
    guard.restore(METER, 2, vector(NOW), 5)
    guard.restore(METER, 2, vector(NOW + 1), 5, in_session=True)
    guard.restore(METER, 2, vector(NOW + 1), 3, in_session=True)
    assert len(guard) == 2
    found = check(guard, NOW + wrong, 77, now=NOW + wrong)
    assert found is (Freshness.TOO_OLD if wrong < -KEPT_BEHIND else Freshness.FRESH)
    assert check(guard, NOW, 5) in {Freshness.REPLAYED, Freshness.TOO_OLD}
    assert guard.check_in_session(METER, 2, vector(NOW + 1), 5) is Freshness.REPLAYED or (
        check(guard, NOW + 1, 99) is Freshness.TOO_OLD  # no session can be opened there any more
    )
    if wrong <= 0:
        assert check(guard, NOW + 2) is Freshness.FRESH


def test_what_a_store_may_have_pruned_is_not_taken_again() -> None:
    guard = ReplayGuard(window=10 * KEPT_BEHIND)
    guard.restore(METER, 2, vector(NOW), 5)
    assert check(guard, NOW - KEPT_BEHIND - 1, 99) is Freshness.TOO_OLD
    assert check(guard, NOW - KEPT_BEHIND) is Freshness.FRESH
    assert guard.check(METER, 3, vector(NOW - KEPT_BEHIND - 1), 99, NOW) is Freshness.FRESH
    ReplayGuard(window=900).restore(METER, 2, vector(KEPT_BEHIND), 5)  # below 1970 there is nothing


def inside(guard: ReplayGuard, seconds: int, number: int, title: ApTitle = METER, key_id: int = 2) -> Freshness:
    return guard.check_in_session(title, key_id, vector(seconds), number)


def test_ids_under_the_vector_of_a_session_grow_beyond_its_end() -> None:
    guard = ReplayGuard(window=900)
    verdicts = [inside(guard, NOW, number) for number in (3, 3, 2, 9, 4, 10)]
    fresh, replayed = Freshness.FRESH, Freshness.REPLAYED
    assert verdicts == [fresh, replayed, replayed, fresh, replayed, fresh]
    assert inside(guard, NOW + 1, 1) is fresh
    assert inside(guard, NOW, 1, ApTitle(".123.4")) is fresh
    assert inside(guard, NOW, 1, key_id=3) is fresh
    assert check(guard, NOW, 3) is fresh  # its header has another shape
    assert len(guard) == 5


def test_once_ids_of_a_session_are_forgotten_none_can_be_opened_under_its_vector() -> None:
    guard = ReplayGuard(window=900)
    assert inside(guard, NOW, 3) is Freshness.FRESH
    assert check(guard, NOW + 901, now=NOW + 901) is Freshness.FRESH
    assert len(guard) == 1
    assert check(guard, NOW, 2**32 - 1) is Freshness.TOO_OLD
    assert inside(guard, NOW, 4) is Freshness.FRESH  # the session may be open still
    assert len(guard) == 1


def test_sessions_count_among_what_is_remembered() -> None:
    guard = ReplayGuard(window=900, max_seen=3)
    for second in range(10):
        assert inside(guard, NOW + second, 5) is Freshness.FRESH
    assert (len(guard), guard.evicted) == (3, 7)
    unlimited = ReplayGuard(window=None, max_seen=1)
    assert [inside(unlimited, second, 5) for second in (1, 2, 1)] == [Freshness.FRESH] * 3


@pytest.mark.parametrize("options", [{"window": -1}, {"window": 900, "max_seen": 0}])
def test_guards_that_cannot_be(options: Any) -> None:
    with pytest.raises(C1222Error):
        ReplayGuard(**options)


def test_ids_of_a_session_grow() -> None:
    guard = SessionGuard(10)
    verdicts = [guard.check(number) for number in (10, 11, 11, 20, 12, 21)]
    fresh, replayed = Freshness.FRESH, Freshness.REPLAYED
    assert verdicts == [replayed, fresh, replayed, fresh, replayed, fresh]
