"""What the symbolic expressions of a declaration refer to, what they say as text, and what they give.

construct's ``this`` builds trees of ``Path``, ``BinExpr`` and ``UniExpr``. They are read here by their attributes:
a path is a tuple of steps, for example ``("_params", "ST21", "NBR_SUMMATIONS")``.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from c1219.errors import DeclarationError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Steps", "check", "evaluate", "is_expression", "path_text", "references", "text"]

Steps = tuple[str | int, ...]

_BINARY: dict[Any, str] = {
    operator.add: "+", operator.sub: "-", operator.mul: "*", operator.floordiv: "//", operator.mod: "%",
    operator.and_: "and", operator.or_: "or", operator.xor: "^", operator.rshift: ">>", operator.gt: ">",
    operator.ge: ">=", operator.lt: "<", operator.le: "<=", operator.eq: "==", operator.ne: "!=",
}  # fmt: skip
_UNARY: dict[Any, str] = {operator.not_: "not ", operator.neg: "-", operator.pos: ""}
_FIELD, _PARENT = "_Path__field", "_Path__parent"


def _parts(expression: Any) -> dict[str, Any] | None:
    """Return the attributes of a node of an expression, or None if this is something else."""
    if not callable(expression) or isinstance(expression, type):
        return None
    found = getattr(type(expression), "__dictoffset__", 0) and object.__getattribute__(expression, "__dict__")
    return found if found and ("op" in found or _PARENT in found) else None


def is_expression(value: Any) -> bool:
    """Whether this is an expression on ``this``, as opposed to a constant or a function."""
    return _parts(value) is not None


def steps_of(parts: dict[str, Any]) -> Steps:
    """Return the steps of a path."""
    steps: list[str | int] = []
    while parts[_PARENT] is not None:
        steps.append(parts[_FIELD])
        parts = object.__getattribute__(parts[_PARENT], "__dict__")
    return tuple(reversed(steps))


def references(expression: Any) -> list[Steps]:
    """Return the paths that an expression reads, in order."""
    parts = _parts(expression)
    if parts is None:
        return []
    if "op" not in parts:
        return [steps_of(parts)]
    operands = (parts["operand"],) if "operand" in parts else (parts["lhs"], parts["rhs"])
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
    parts = _parts(expression)
    if parts is None:
        if not isinstance(expression, int):
            raise DeclarationError(f"{what} is {expression!r}: write an int or an expression on `this`, not a function")
        return
    if "op" in parts:
        known = _UNARY if "operand" in parts else _BINARY
        if parts["op"] not in known:
            raise DeclarationError(f"{what}: operator {getattr(parts['op'], '__name__', parts['op'])} is not allowed")
        for operand in (parts["operand"],) if "operand" in parts else (parts["lhs"], parts["rhs"]):
            if not isinstance(operand, bool):
                check(operand, what)


def path_text(steps: Steps) -> str:
    """Return a path as people write it, for example ``ST0.STD_TBLS_USED[64]``."""
    words = ""
    for step in steps[1:] if steps and steps[0] == "_params" else steps:
        words += f"[{step}]" if isinstance(step, int) else f".{step}" if words else step
    return words


def text(expression: Any) -> str:
    """Return an expression as people write it, for example ``(ST61.NBR_BLK_INTS_SET1 + 7) // 8``."""
    return _text(expression, outermost=True)


def _text(expression: Any, *, outermost: bool) -> str:
    parts = _parts(expression)
    if parts is None:
        return str(expression)
    if "op" not in parts:
        return path_text(steps_of(parts))
    if "operand" in parts:
        return _UNARY[parts["op"]] + _text(parts["operand"], outermost=False)
    words = " ".join((_text(parts["lhs"], outermost=False), _BINARY[parts["op"]], _text(parts["rhs"], outermost=False)))
    return words if outermost else f"({words})"


def evaluate(expression: Any, lookup: Callable[[Steps], Any]) -> Any:
    """Compute an expression; `lookup` gives the value at a path.

    Raises:
        ZeroDivisionError, TypeError: the values do not fit the operators.
    """
    parts = _parts(expression)
    if parts is None:
        return expression
    if "op" not in parts:
        return lookup(steps_of(parts))
    if "operand" in parts:
        return parts["op"](evaluate(parts["operand"], lookup))
    return parts["op"](evaluate(parts["lhs"], lookup), evaluate(parts["rhs"], lookup))
