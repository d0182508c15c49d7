"""What a read has brought so far."""

from __future__ import annotations

from c1222.client.operations.read_so_far import ReadSoFar


def test_progress_is_told_after_each_piece() -> None:
    seen: list[tuple[int, int | None]] = []
    gathered = ReadSoFar(lambda done, total: seen.append((done, total)))
    gathered.put(1, 0, b"abc")
    gathered.total = 5
    gathered.put(1, 3, b"de")
    assert seen == [(3, None), (5, 5)]
    assert gathered.pieces == {1: {0: b"abcde"}}


def test_pieces_that_touch_are_found_as_one() -> None:
    first = ReadSoFar()
    first.put(1, 4, b"efgh")
    first.put(1, 0, b"abcd")
    again = ReadSoFar(earlier=first)
    assert again.earlier(1, 2, 4) == b"cdef"
    first.put(1, 0, b"xyz", whole=True)
    assert again.earlier(1, 0, None) == b"xyz"


def test_what_came_earlier_is_found_again() -> None:
    first = ReadSoFar()
    first.put(1, 0, b"whole", whole=True)
    first.put(2, 10, b"0123456789")
    again = ReadSoFar(earlier=first)
    assert again.earlier(1, 0, None) == b"whole"
    assert again.earlier(2, 0, None) is None  # a piece is not the table
    assert again.earlier(2, 12, 3) == b"234"
    assert again.earlier(2, 18, 5) == b"89"  # as far as it goes
    assert again.earlier(2, 20, 1) is None
    assert again.earlier(3, 0, 1) is None
    assert first.earlier(1, 0, None) is None


def test_a_read_that_is_interrupted_twice_loses_nothing() -> None:
    first = ReadSoFar()
    first.put(1, 0, b"abc", whole=True)
    first.put(2, 0, b"de")
    second = ReadSoFar(earlier=first)
    second.put(2, 2, b"fg")
    third = ReadSoFar(earlier=second)
    assert third.earlier(1, 0, None) == b"abc"
    assert third.earlier(2, 0, 2) == b"de"
    assert third.earlier(2, 2, 2) == b"fg"
