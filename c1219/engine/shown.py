"""Python source that shows the values of one tree in terms of JSON: a dict for each record, a list for each array.

What is not plain, such as octets that express no value, is left to `c1219.engine.stepwise.to_json`, which it equals.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from c1219.engine import stepwise
from c1219.engine.bound import Absent, BoundArray, BoundLeaf, BoundNode, BoundRecord
from c1219.engine.generated import code
from c1219.wire.form import Form
from c1219.wire.numbers import IntForm

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compile_shown"]

_INT: Final = "{0} if {0}.__class__ is int else {1}({0})"
_LIST: Final = "[{2} for x in {0}] if {0}.__class__ is tuple else {1}({0})"


class _Source:
    """The functions made so far, and the constants they use by name."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.functions: list[str] = []

    def name(self, letter: str, value: Any) -> str:
        name = f"{letter}{len(self.names)}"
        self.names[name] = value
        return name

    def expression(self, node: BoundNode, value: str) -> str:
        """Return what shows a value, by the name of that."""
        if isinstance(node, BoundRecord):
            return f"{self.record(node, node.value_type)}({value})"
        other = self.name("g", partial(stepwise.to_json, node))
        if isinstance(node, BoundLeaf) and _shows_ints(node.form):
            return _INT.format(value, other)
        if isinstance(node, BoundArray):
            return _LIST.format(value, other, self.expression(node.item, "x"))
        return f"{other}({value})"

    def record(self, node: BoundRecord, kind: type) -> str:
        """Add a function that shows a record; return its name."""
        parts = [(f"v{number}", part) for number, part in enumerate(node.parts)]
        shown = [
            f"{part.name!r}: {self.expression(part.node, name)}"
            for name, part in parts
            if not isinstance(part.node, Absent)
        ]
        own, other = self.name("C", kind), self.name("g", partial(stepwise.to_json, node))
        name = self.name("r", None)
        lines = [f"def {name}(value):", f"    if value.__class__ is not {own}: return {other}(value)"]
        if parts:
            lines.append(f"    {', '.join(name for name, _ in parts)}, = value")
        self.functions.append("\n".join([*lines, f"    return {{{', '.join(shown)}}}"]))
        return name


def _shows_ints(form: Form) -> bool:
    """Tell whether an int of this form is shown as it is."""
    return type(form).to_json is Form.to_json or (isinstance(form, IntForm) and not form.exponent)


def compile_shown(node: BoundRecord, label: str, root_type: type) -> Callable[[Any], Any]:
    """Generate and compile what shows values of a tree.

    Args:
        node: the tree.
        label: name for tracebacks.
        root_type: class of the value of the whole tree.

    Returns:
        A function from a value to what `c1219.engine.stepwise.to_json` makes of it.
    """
    source = _Source()
    name = source.record(node, root_type)
    text = code("\n\n".join(source.functions), f"{label} in JSON")
    exec(text, source.names)  # noqa: S102  our own text, no input in it
    shown: Callable[[Any], Any] = source.names[name]
    return shown
