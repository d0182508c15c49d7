from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.network.pieces import Pieces


def test_what_came_first_stays():
    pieces = Pieces()
    assert pieces.insert(4, b"BBBB", (1,), 10) == 4
    assert pieces.insert(2, b"aaaaaaaa", (2,), 20) == 4
    assert [(p.start, p.data, p.frames, p.time_ns) for p in pieces.take(2)] == [
        (2, b"aa", (2,), 20),
        (4, b"BBBB", (1,), 10),
        (8, b"aa", (2,), 20),
    ]
    assert len(pieces) == 0
    assert pieces.octets == 0


def test_take_stops_at_a_hole():
    pieces = Pieces()
    pieces.insert(0, b"ab", (1,), 0)
    pieces.insert(3, b"d", (2,), 0)
    assert pieces.end == 4
    assert pieces.take(1) == []
    assert [p.data for p in pieces.take(0)] == [b"ab"]
    assert pieces.first.start == 3
    assert pieces.octets == 1


@given(st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=20)), max_size=30))
def test_agrees_with_octets_set_one_by_one(inserts):
    pieces = Pieces()
    model: dict[int, int] = {}
    for frame, (start, data) in enumerate(inserts):
        new = 0
        for position, octet in enumerate(data, start):
            if position not in model:
                model[position] = octet
                new += 1
        assert pieces.insert(start, data, (frame,), 0) == new
        assert pieces.octets == len(model)
    found: dict[int, int] = {}
    while len(pieces):
        for piece in pieces.take(pieces.first.start):
            for position, octet in enumerate(piece.data, piece.start):
                assert position not in found
                found[position] = octet
    assert found == model
