"""Stretches of octets: held against an array in which each octet is known or not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from c1219.stretches import Stretches

PIECES = st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=12)), max_size=12)


@given(PIECES)
def test_the_last_octets_put_are_those_read(pieces: list[tuple[int, bytes]]) -> None:
    known = Stretches()
    model: dict[int, int] = {}
    for offset, octets in pieces:
        known.put(offset, octets)
        model.update(enumerate(octets, offset))
    assert known.octets == len(model)
    assert len(known) == max(model, default=-1) + 1
    for start in range(56):
        for end in range(start + 1, 56):
            held = [model.get(index) for index in range(start, end)]
            assert known.read(start, end) == (None if None in held else bytes(held))  # type: ignore[arg-type]
    starts = [index for index in model if index - 1 not in model]
    assert sorted(starts) == list(known.pieces)
    assert known.count == len(starts)
    assert known.head == known.pieces.get(0, b"")
    assert Stretches(known.pieces).pieces == known.pieces


@given(PIECES, st.integers(0, 40), st.integers(0, 20))
def test_what_is_removed_is_gone_and_nothing_else(pieces: list[tuple[int, bytes]], start: int, count: int) -> None:
    known = Stretches()
    for offset, octets in pieces:
        known.put(offset, octets)
    model = {index: known.read(index, index + 1) for index in range(56)}
    run = known.run(start, count)
    assert run == b"".join(known.read(index, index + 1) or b"" for index in range(start, start + len(run)))
    assert len(run) == count or model.get(start + len(run)) is None
    known.remove(start, start + count)
    for index, octet in model.items():
        assert known.read(index, index + 1) == (None if start <= index < start + count else octet)


def test_a_slice_that_is_not_known_is_empty() -> None:
    known = Stretches({2: b"cd", 6: b"g"})
    assert known[2:4] == b"cd"
    assert known[3:7] == known[0:1] == b""
    assert repr(known) == "<3 octets in 2 stretches>"
