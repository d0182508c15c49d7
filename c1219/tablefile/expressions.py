"""Expressions of a table file: read as Python's syntax, walked, and never evaluated.

They say what the declarations in Python say: integers; ``ST21.NBR_TIERS``, full paths, a member of a set or an entry of
an array as ``ST0.STD_TBLS_USED[64]``; ``this.NAME``, an earlier element of the same record; ``+ - * // % >>``, one
comparison, ``and``, ``or``, ``not``.
"""

from __future__ import annotations

import ast
import operator
import re
from typing import Any, Final

from c1219.engine.expressions import this
from c1219.errors import DeclarationError
from c1219.schema import device

__all__ = ["MAX_CHARACTERS", "MAX_LEVELS", "parse_expression"]

MAX_CHARACTERS: Final = 500
"""Characters of an expression."""
MAX_LEVELS: Final = 64
"""Operations inside each other."""
_MAX_INTEGER: Final = 1 << 64

_OPERATORS: Final[dict[type[ast.AST], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.RShift: operator.rshift, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.And: operator.and_, ast.Or: operator.or_,
    ast.Not: operator.invert, ast.USub: operator.neg,
}  # fmt: skip
_TABLE: Final = re.compile(r"[SM]T\d{1,4}")
_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")


def parse_expression(words: str | int) -> Any:
    """Return an expression of a table file as declarations take it.

    Args:
        words: the expression, or an int.

    Raises:
        DeclarationError: it is none.
    """
    if isinstance(words, int) and not isinstance(words, bool):
        return _integer(words)
    if not isinstance(words, str):
        raise DeclarationError(f"an expression is text or an integer, not {words!r}")
    if len(words) > MAX_CHARACTERS:
        raise DeclarationError(f"an expression of {len(words)} characters; the limit is {MAX_CHARACTERS}")
    try:
        tree = ast.parse(words.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise DeclarationError(f"{words!r} is no expression") from None
    return _walk(tree.body, words, MAX_LEVELS)


def _walk(node: ast.expr, words: str, levels: int) -> Any:
    if not levels:
        raise DeclarationError(f"{words!r} has more than {MAX_LEVELS} levels")
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return _integer(node.value)
    if isinstance(node, ast.Attribute | ast.Subscript):
        return _path(node, words, levels)
    if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATORS:
        operand = _walk(node.operand, words, levels - 1)
        if isinstance(operand, int) and isinstance(node.op, ast.Not):
            raise DeclarationError(f"{words!r}: `not` stands before a condition")
        return _OPERATORS[type(node.op)](operand)
    if isinstance(node, ast.BoolOp):
        operands = [_walk(value, words, levels - 1) for value in node.values]
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        operands = [_walk(node.left, words, levels - 1), _walk(node.right, words, levels - 1)]
    elif isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPERATORS:
        operands = [_walk(node.left, words, levels - 1), _walk(node.comparators[0], words, levels - 1)]
    else:
        raise DeclarationError(f"{words!r}: {ast.unparse(node)!r} is not allowed")
    if all(isinstance(operand, int) for operand in operands):
        raise DeclarationError(f"{words!r}: write the number that {ast.unparse(node)!r} is")
    apply = _OPERATORS[type(node.ops[0] if isinstance(node, ast.Compare) else node.op)]
    result = operands[0]
    for other in operands[1:]:
        result = apply(result, other)
    return result


def _path(node: ast.expr, words: str, levels: int) -> Any:
    if isinstance(node, ast.Name):
        if node.id == "this":
            return this
        if _TABLE.fullmatch(node.id):
            return getattr(device, node.id)
    elif levels and isinstance(node, ast.Attribute) and _NAME.fullmatch(node.attr):
        return getattr(_path(node.value, words, levels - 1), node.attr)
    elif levels and isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        step = node.slice.value
        if type(step) is int:
            return _path(node.value, words, levels - 1)[_integer(step)]
    raise DeclarationError(f"{words!r}: {ast.unparse(node)!r} is no path such as ST21.NBR_TIERS or this.NAME")


def _integer(number: int) -> int:
    if not -_MAX_INTEGER < number < _MAX_INTEGER:
        raise DeclarationError(f"an integer of {number.bit_length()} bits in an expression")
    return number
