"""Expressions on `this`: what they mean, and the traps that are taken out of them."""

import construct
import pytest

from c1219 import DeclarationError
from c1219.engine.expressions import check, evaluate, is_expression, references, text, this
from c1219.values import MemberSet


class Context(dict):
    __getattr__ = dict.__getitem__


CONTEXT = Context(_params=Context(ST0=Context(SETS=MemberSet({64}), N=7)), A=3, B=Context(C=True))


def lookup(steps: tuple) -> object:
    value: object = CONTEXT
    for step in steps:
        value = value[step]
    return value


@pytest.mark.parametrize("root", [this, construct.this], ids=["ours", "construct's"])
def test_values_texts_and_references(root: object) -> None:
    st0 = root._params.ST0
    cases = [
        (st0.N + 1, 8, "ST0.N + 1"),
        (1 + st0.N, 8, "1 + ST0.N"),
        ((st0.N + 7) // 8, 1, "(ST0.N + 7) // 8"),
        (2 * root.A - st0.N % 4, 3, "(2 * A) - (ST0.N % 4)"),
        (st0.SETS[64], True, "ST0.SETS[64]"),
        (~st0.SETS[65], True, "not ST0.SETS[65]"),
        ((st0.N > 1) & root.B.C, True, "(ST0.N > 1) and B.C"),
        ((st0.N == 1) | (root.A != 3), False, "(ST0.N == 1) or (A != 3)"),
        ((st0.N >= 7) & (st0.N <= 7) & (root.A < 4), True, "((ST0.N >= 7) and (ST0.N <= 7)) and (A < 4)"),
        (-root.A, -3, "-A"),
        (st0.N >> 1, 3, "ST0.N >> 1"),
    ]
    for expression, value, words in cases:
        check(expression, "it")
        assert evaluate(expression, lookup) == value
        assert expression(CONTEXT) == value
        assert text(expression) == words
        assert is_expression(expression)
    assert references((st0.N + root.A) * st0.SETS[2]) == [
        ("_params", "ST0", "N"),
        ("A",),
        ("_params", "ST0", "SETS", 2),
    ]


def test_constants() -> None:
    check(5, "it")
    assert evaluate(5, lookup) == 5
    assert text(5) == "5"
    assert references(5) == []
    assert not is_expression(5)


@pytest.mark.parametrize(
    "trap",
    [
        lambda: 64 in this._params.ST0.SETS,
        lambda: this.A and this.B,
        lambda: this.A or this.B,
        lambda: not this.A,
        lambda: list(this.A),
        lambda: bool(this.A > 1),
    ],
    ids=["in", "and", "or", "not", "iterate", "bool"],
)
def test_traps_are_sprung_at_once(trap: object) -> None:
    with pytest.raises(DeclarationError):
        trap()


def test_traps_of_constructs_own_this_are_found_as_far_as_they_can_be() -> None:
    for trap in (64 in construct.this.A, not construct.this.A):
        with pytest.raises(DeclarationError, match="constant"):
            check(trap, "it")


@pytest.mark.parametrize("wrong", [lambda c: 1, len, "3", 2.5, None, construct.len_(construct.this.A)])
def test_functions_and_other_things_are_refused(wrong: object) -> None:
    with pytest.raises(DeclarationError, match="not a function"):
        check(wrong, "it")


@pytest.mark.parametrize("wrong", [this.A / 2, 2**this.A, this.A << 2, construct.this.A / 2])
def test_operators_without_plain_meaning_are_refused(wrong: object) -> None:
    with pytest.raises(DeclarationError, match="operator"):
        check(wrong, "it")


def test_comparison_with_a_flag_is_no_trap() -> None:
    check(this.A == True, "it")  # noqa: E712
    assert repr(this.A.B[3]) == "A.B[3]"
