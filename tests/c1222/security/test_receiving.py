"""Receiving: no message taken twice, whatever its time and the clock say."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import C1222Error
from c1222.message.aptitle import ApTitle
from c1222.security.receiving import ACCEPTANCE_WINDOW, KEPT_BEHIND, Freshness, ReplayGuard, SessionGuard

NOW = 0x48F3D061
METER = ApTitle(".123.8437")


def vector(seconds: int) -> bytes:
    return seconds.to_bytes(4, "big")


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
