"""Expressions of table files are walked, never evaluated."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219.engine.expressions import evaluate, text
from c1219.errors import DeclarationError
from c1219.tablefile.expressions import MAX_CHARACTERS, MAX_LEVELS, parse_expression

VALUES = {
    ("_params", "ST0", "SET", 64): True, ("_params", "ST0", "SET", 65): False, ("_params", "ST21", "N"): 7,
    ("_params", "ST21", "FLAGS", "F"): False, ("_params", "MT5", "K"): 3, ("A",): 5, ("B",): 2,
}  # fmt: skip


def value(words: str | int) -> object:
    return evaluate(parse_expression(words), VALUES.__getitem__)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (3, 3), ("3", 3), ("ST21.N", 7), ("ST0.SET[64]", True), ("ST21.FLAGS.F", False), ("this.A", 5), ("MT5.K", 3),
        ("(ST21.N + 7) // 8", 1), ("ST21.N - 1", 6), ("this.A * this.B", 10), ("this.A % 3", 2), ("this.A >> 1", 2),
        ("this.A > 4", True), ("this.A >= 6", False), ("this.A < 6", True), ("this.A <= 4", False),
        ("this.A == 5", True), ("this.A != 5", False), ("not ST0.SET[65]", True), ("-this.A", -5),
        ("ST0.SET[64] and this.A > 4", True), ("ST0.SET[65] or this.A > 4", True),
        ("ST0.SET[65] and this.A > 4 or this.B == 2", True), ("ST0.SET[65] and (this.A > 4 or this.B == 2)", False),
    ],
)  # fmt: skip
def test_what_is_said(words: str | int, expected: object) -> None:
    assert value(words) == expected


@pytest.mark.parametrize(
    "words",
    [
        "__import__('os')", "lambda: 1", "this.A()", "this.A ** 2", "this.A if this.B else 1", "[1]", "{}", "'a'", "1.5",
        "True", "None", "f''", "this.a", "this.__class__", "this._params.ST0.X", "ST0", "x", "ST21.N[this.A]", "ST21.N[-1]",
        "ST21.N['A']", "1 < this.A < 3", "this.A & this.B", "this.A ^ 1", "~this.A", "this.A / 2", "this.A @ 2", "1 + 2",
        "not 1", "", " ", "1 +", "this.A;this.B", "this.A\nthis.B", "a := 1", "ST21.N.", "\0", "this.A in this.B", "*this.A",
        "1" * 400, "ST99999.N", "QT1.N",
    ],
)  # fmt: skip
def test_what_is_refused(words: str) -> None:
    with pytest.raises(DeclarationError):
        evaluate(parse_expression(words), lambda steps: VALUES[steps])


@pytest.mark.parametrize("words", [None, 1.5, True, [], {}])
def test_what_is_no_text_is_refused(words: object) -> None:
    with pytest.raises(DeclarationError):
        parse_expression(words)  # type: ignore[arg-type]


def test_its_length_and_its_levels_are_limited() -> None:
    assert parse_expression("this.A" + " + 1" * 40) is not None
    with pytest.raises(DeclarationError, match="levels"):
        parse_expression("this.A" + " + 1" * (MAX_LEVELS + 1))
    with pytest.raises(DeclarationError, match="limit"):
        parse_expression("this.A" + " " * MAX_CHARACTERS)
    for deep in ("(" * 240 + "this.A" + ")" * 240, "-" * 480 + "this.A", "this" + ".A" * 200, "not " * 100 + "this.A"):
        with pytest.raises(DeclarationError):
            parse_expression(deep)


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_an_error(words: str) -> None:
    with suppress(DeclarationError):
        parse_expression(words)


PATHS = st.sampled_from(["ST21.N", "this.A", "MT5.K", "this.B", "3", "ST0.SET[64]"])
EXPRESSIONS = st.recursive(
    PATHS,
    lambda inner: st.builds(
        lambda left, op, right: f"({left} {op} {right})",
        inner, st.sampled_from(["+", "-", "*", "//", "%", ">>", "==", ">", "and", "or"]), inner,
    ),
    max_leaves=6,
)  # fmt: skip


@given(EXPRESSIONS)
def test_what_is_written_means_what_was_read(words: str) -> None:
    try:
        once = parse_expression(words)
    except DeclarationError:  # of constants alone
        return
    again = parse_expression(text(once, own="this."))
    assert text(again, own="this.") == text(once, own="this.")
