"""However the old stream was cut, sent again and put out of order: the new packets make the new stream."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.network.renumbering import REMEMBERED_OCTETS, Renumbering

_MODULUS = 1 << 32


@st.composite
def streams(draw: st.DrawFn) -> tuple[int, list[tuple[bytes, bytes | None]], list[tuple[int, int]]]:
    """Draw the first number, the parts with what stands for those that change, and cuts of the whole in any order."""
    part = st.tuples(st.binary(min_size=1, max_size=12), st.none() | st.binary(max_size=9))
    parts = draw(st.lists(part, min_size=1, max_size=8))
    size = sum(len(old) for old, _ in parts)
    marks = sorted({0, size, *draw(st.lists(st.integers(0, size), max_size=8))})
    cuts = list(pairwise(marks))
    again = draw(st.lists(st.sampled_from(cuts), max_size=4))
    return draw(st.sampled_from([5, 0xFFFFFFF0])), parts, draw(st.permutations(cuts + again))


@given(streams())
def test_any_cut_in_any_order(drawn: tuple[int, list[tuple[bytes, bytes | None]], list[tuple[int, int]]]) -> None:
    first, parts, cuts = drawn
    old = b"".join(part for part, _ in parts)
    new = b"".join(part if changed is None else changed for part, changed in parts)
    numbers = Renumbering(first)
    start, changes = first, []
    for part, changed in parts:
        if changed is not None:
            changes.append((start, start + len(part), changed))
        start += len(part)
    for change in [*changes[1::2], *changes[::2]]:  # also in between, as those of segments come
        assert numbers.change(*change, "changed")
    made: dict[int, int] = {}
    for begin, end in cuts:
        place = numbers.new(numbers.position((first + begin) % _MODULUS)) - first
        octets, remarks = numbers.octets(first + begin, old[begin:end])
        assert octets == new[place : place + len(octets)]
        assert bool(remarks) == any(at < first + end and last > first + begin for at, last, _ in changes)
        made |= {place + at: octet for at, octet in enumerate(octets)}
    assert bytes(made[at] for at in range(len(new))) == new
    assert numbers.new(first + len(old)) == first + len(new)


def test_what_was_written_changes_no_more() -> None:
    numbers = Renumbering(100)
    numbers.wrote(120)
    assert not numbers.change(110, 130, b"", "")
    assert numbers.change(120, 130, b"abc", "")
    assert (numbers.new(125), numbers.new(130)) == (120, 123)


def test_what_waits() -> None:
    numbers = Renumbering(0)
    numbers.wait(50)
    assert (numbers.waits(50), numbers.waits(51)) == (False, True)
    numbers.go_on(50)
    assert not numbers.waits(99)
    numbers.wait(60)
    numbers.fix(70)
    assert not numbers.waits(99)


def test_changes_far_behind_are_forgotten_and_the_numbers_stay() -> None:
    numbers = Renumbering(0)
    for start in range(0, 10 * REMEMBERED_OCTETS, 100):
        assert numbers.change(start, start + 50, bytes(46), "")
        numbers.wrote(start + 100)
    assert len(numbers._starts) <= REMEMBERED_OCTETS // 100 + 1
    end = numbers.written_end
    assert end - numbers.new(end) == 4 * len(range(0, 10 * REMEMBERED_OCTETS, 100))
