"""Values in terms of JSON, as a person reads them."""

import pytest

from c1222.text import leaves


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"A": {"B": 1}, "C": None}, [("A.B", 1), ("C", None)]),
        ({"A": [1, 2]}, [("A", [1, 2])]),
        ({"A": [{"B": 1}, 2, []]}, [("A[0].B", 1), ("A[1]", 2), ("A[2]", [])]),
        ({"A": {}, "B": []}, [("A", {}), ("B", [])]),
        (7, [("", 7)]),
    ],
)
def test_elements_with_their_paths(value: object, expected: list[tuple[str, object]]) -> None:
    assert list(leaves(value)) == expected


def test_paths_begin_where_the_value_stands() -> None:
    assert list(leaves([{"B": 1}], "ST1.A")) == [("ST1.A[0].B", 1)]
    assert list(leaves({}, "ST1.A")) == [("ST1.A", {})]
