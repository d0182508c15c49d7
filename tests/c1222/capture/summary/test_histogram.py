"""Quantiles in bounded memory are those of all times, to 1 in 128."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.summary.histogram import Histogram

TIMES = st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=60)


@given(TIMES, st.sampled_from([0.5, 0.95, 1.0]))
def test_quantiles_are_those_of_all_times(times: list[int], share: float) -> None:
    found = Histogram()
    for time in times:
        found.add(time)
    exact = sorted(times)[max(-(-round(share * 100) * len(times) // 100), 1) - 1]
    assert abs(found.quantile(share) - exact) <= abs(exact) / 128 + 1
    assert (found.count, found.least, found.largest) == (len(times), min(times), max(times))


def test_the_same_time_again_is_exact_and_none_is_nothing() -> None:
    found = Histogram()
    assert (found.count, found.quantile(0.5)) == (0, 0)
    for _ in range(7):
        found.add(123_456_789)
        assert found.quantile(0.5) == found.quantile(0.95) == 123_456_789


def test_its_memory_does_not_grow_with_times() -> None:
    found = Histogram()
    for time in range(1_000_000, 2_000_000, 7):
        found.add(time)
    assert len(found._bins) <= 2 * 128
