"""Symbolic expressions of declarations: what they refer to, what they say as text, and what they give.

`this` makes them. construct takes them as it takes its own (they are functions of its context), but they refuse to be
asked for their truth, which for construct's own is silently True. construct's own ``this`` can be used as well.
A reference is a tuple of steps, for example ``("_params", "ST21", "NBR_SUMMATIONS")``.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from c1219.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Steps", "check", "evaluate", "is_expression", "path_text", "references", "text", "this"]

Steps = tuple[str | int, ...]

_BINARY: dict[Any, str] = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.floordiv: "//", operator.mod: "%",
    operator.and_: "and", operator.or_: "or", operator.xor: "^", operator.rshift: ">>", operator.gt: ">",
    operator.ge: ">=", operator.lt: "<", operator.le: "<=", operator.eq: "==", operator.ne: "!=",
}  # fmt: skip
_UNARY: dict[Any, str] = {operator.not_: "not ", operator.neg: "-", operator.pos: ""}


class Expression:
    """A function of construct's context, written with operators."""

    def __call__(self, context: Any, *_: Any) -> Any:
        return evaluate(self, lambda steps: _follow(context, steps))

    def __repr__(self) -> str:
        return text(self)

    def __bool__(self) -> bool:
        raise DeclarationError("`and`, `or` and `not` do not work on `this`: write &, | and ~")

    def __contains__(self, other: object) -> bool:
        raise DeclarationError("`in` does not work on `this`: write SET[64]")

    def __iter__(self) -> Any:
        raise DeclarationError("an expression on `this` has no entries to walk over")


def _follow(value: Any, steps: Steps) -> Any:
    for step in steps:
        value = value[step]
    return value


class _Operation(Expression):
    def __init__(self, op: Any, *operands: Any) -> None:
        self.op = op
        self.operands = operands


class _Reference(Expression):
    def __init__(self, *steps: str | int) -> None:
        self._steps = steps

    def __getattr__(self, name: str) -> _Reference:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Reference(*self._steps, name)

    def __getitem__(self, step: str | int) -> _Reference:
        return _Reference(*self._steps, step)


def _give_operators() -> None:
    def binary(op: Any) -> Callable[[Any, Any], Any]:
        return lambda self, other: _Operation(op, self, other)

    def reflected(op: Any) -> Callable[[Any, Any], Any]:
        return lambda self, other: _Operation(op, other, self)

    def unary(op: Any) -> Callable[[Any], Any]:
        return lambda self: _Operation(op, self)

    compared = ("gt", "ge", "lt", "le", "eq", "ne")
    for name in ("add", "sub", "mul", "floordiv", "truediv", "mod", "pow", "xor", "rshift", "lshift", "and", "or"):
        op = getattr(operator, f"{name}_" if name in ("and", "or") else name)
        setattr(Expression, f"__{name}__", binary(op))
        setattr(Expression, f"__r{name}__", reflected(op))
    for name in compared:
        setattr(Expression, f"__{name}__", binary(getattr(operator, name)))
    for name, op in (("neg", operator.neg), ("pos", operator.pos), ("invert", operator.not_)):
        setattr(Expression, f"__{name}__", unary(op))


_give_operators()

this: Any = _Reference()
"""The root of expressions: ``this.NAME`` is an earlier element of the same record."""

_FIELD, _PARENT = "_Path__field", "_Path__parent"


def _node(expression: Any) -> tuple[Any, tuple[Any, ...]] | None:
    """Return operator and operands; for a reference, None and its steps. None if this is no expression."""
    if isinstance(expression, _Operation):
        return expression.op, expression.operands
    if isinstance(expression, _Reference):
        return None, object.__getattribute__(expression, "_steps")
    if type(expression).__module__ != "construct.expr":
        return None
    parts = object.__getattribute__(expression, "__dict__")
    if "op" in parts:
        return parts["op"], (parts["operand"],) if "operand" in parts else (parts["lhs"], parts["rhs"])
    if _PARENT not in parts:
        return None
    steps: list[Any] = []
    while parts[_PARENT] is not None:
        steps.append(parts[_FIELD])
        parts = object.__getattribute__(parts[_PARENT], "__dict__")
    return None, tuple(reversed(steps))


def is_expression(value: Any) -> bool:
    """Whether this is an expression on ``this``, as opposed to a constant or a function."""
    return _node(value) is not None


def references(expression: Any) -> list[Steps]:
    """Return the paths that an expression reads, in order."""
    node = _node(expression)
    if node is None:
        return []
    op, operands = node
    if op is None:
        return [operands]
    return [steps for operand in operands for steps in references(operand)]


def check(expression: Any, what: str) -> None:
    """Refuse what cannot be derived from: functions, bare truth values, and operators that have no plain meaning.

    Raises:
        DeclarationError: with advice.
    """
    if isinstance(expression, bool):
        raise DeclarationError(
            f"{what} is the constant {expression}: `in`, `not`, `and` and `or` do not work on `this`;"
            " write SET[64], ~, & and |"
        )
    node = _node(expression)
    if node is None:
        if not isinstance(expression, int):
            raise DeclarationError(f"{what} is {expression!r}: write an int or an expression on `this`, not a function")
        return
    op, operands = node
    if op is None:
        return
    if op not in (_UNARY if len(operands) == 1 else _BINARY):
        raise DeclarationError(f"{what}: operator {getattr(op, '__name__', op)} is not allowed")
    for operand in operands:
        if not isinstance(operand, bool):
            check(operand, what)


def path_text(steps: Steps) -> str:
    """Return a path as people write it, for example ``ST0.STD_TBLS_USED[64]``."""
    words = ""
    for step in steps[1:] if steps and steps[0] == "_params" else steps:
        words += f"[{step}]" if isinstance(step, int) else f".{step}" if words else step
    return words


def text(expression: Any, *, own: str = "") -> str:
    """Return an expression as people write it, for example ``(ST61.NBR_BLK_INTS_SET1 + 7) // 8``.

    Args:
        expression: an int or an expression.
        own: what to write before an element of the same record.
    """
    return _text(expression, own, outermost=True)


def _text(expression: Any, own: str, *, outermost: bool) -> str:
    node = _node(expression)
    if node is None:
        return str(expression)
    op, operands = node
    if op is None:
        return path_text(operands) if operands[:1] == ("_params",) else own + path_text(operands)
    if len(operands) == 1:
        return _UNARY.get(op, "? ") + _text(operands[0], own, outermost=False)
    left, right = (_text(operand, own, outermost=False) for operand in operands)
    words = f"{left} {_BINARY.get(op, '?')} {right}"
    return words if outermost else f"({words})"


def evaluate(expression: Any, lookup: Callable[[Steps], Any]) -> Any:
    """Compute an expression; `lookup` gives the value at a path.

    Raises:
        ZeroDivisionError, TypeError: the values do not fit the operators.
    """
    node = _node(expression)
    if node is None:
        return expression
    op, operands = node
    if op is None:
        return lookup(operands)
    return op(*(evaluate(operand, lookup) for operand in operands))
