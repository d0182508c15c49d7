"""What is declared: the outline of a table, as plain nodes, and what can be said of it without a device.

`c1219.engine.shapes` makes the outline when a table is declared; binding, documentation and dependencies read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.engine.expressions import Steps, path_text, references, text
from c1219.values import record_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "DeclaredArray",
    "DeclaredChoice",
    "DeclaredField",
    "DeclaredLeaf",
    "DeclaredLine",
    "DeclaredNode",
    "DeclaredNothing",
    "DeclaredProcedure",
    "DeclaredRecord",
    "DeclaredRefusal",
    "DeclaredTail",
    "dependencies",
    "describe",
    "holds_secret",
    "in_record",
    "needs_own_octets",
    "table_order",
    "text_of_case",
    "walk",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class DeclaredLeaf:
    """An element with a type of the standard; `type` is a `c1219.datatypes.WireType`."""

    type: Any


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """A named element of a record; `index` is its number in an index path."""

    name: str
    index: int
    node: DeclaredNode
    doc: str


@dataclass(frozen=True, slots=True)
class DeclaredRecord:
    """Elements one after the other; `value_type` is the NamedTuple of its values."""

    name: str
    fields: tuple[DeclaredField, ...]
    value_type: Any


@dataclass(frozen=True, slots=True)
class DeclaredArray:
    """Equal entries; `count` is an int or an expression."""

    count: Any
    item: DeclaredNode


@dataclass(frozen=True, slots=True)
class DeclaredChoice:
    """If, IfThenElse or Switch: `key` picks one of `cases` (True and False for a condition)."""

    key: Any
    cases: Mapping[Any, DeclaredNode]
    default: DeclaredNode
    condition: bool


@dataclass(frozen=True, slots=True)
class DeclaredTail:
    """An element at the end that a device of an older edition leaves out."""

    condition: Any
    node: DeclaredNode


@dataclass(frozen=True, slots=True)
class DeclaredProcedure:
    """The record of the procedure that the element PROC names, or `unknown` if nobody declared it.

    `side` is ``parameters`` or ``response``.
    """

    side: str
    unknown: DeclaredLeaf


@dataclass(frozen=True, slots=True)
class DeclaredNothing:
    """No octets."""


@dataclass(frozen=True, slots=True)
class DeclaredRefusal:
    """A case that has no layout."""


DeclaredNode = (
    DeclaredLeaf | DeclaredRecord | DeclaredArray | DeclaredChoice | DeclaredTail | DeclaredProcedure | DeclaredNothing
    | DeclaredRefusal
)  # fmt: skip


def _inner(node: DeclaredNode) -> list[DeclaredNode]:
    if isinstance(node, DeclaredRecord):
        return [part.node for part in node.fields]
    if isinstance(node, DeclaredArray):
        return [node.item]
    if isinstance(node, DeclaredChoice):
        return [*node.cases.values(), node.default]
    return [node.node] if isinstance(node, DeclaredTail) else []


def walk(node: DeclaredNode) -> Iterator[DeclaredNode]:
    """Yield a node and all nodes below it."""
    yield node
    for inner in _inner(node):
        yield from walk(inner)


def expressions_of(node: DeclaredNode) -> list[Any]:
    """Return the expressions that decide the form of this one node."""
    if isinstance(node, DeclaredArray):
        return [node.count]
    if isinstance(node, DeclaredChoice):
        return [node.key]
    if isinstance(node, DeclaredTail):
        return [node.condition]
    return [node.type.length] if isinstance(node, DeclaredLeaf) else []


def table_order(label: str) -> tuple[str, int]:
    """Sort key of table labels: standard tables first, then by number."""
    return ("0" if label.startswith("ST") else label[:2], int(label[2:]))


def dependencies(node: DeclaredNode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the tables that a declaration depends on, and the elements of them that it reads, in a fixed order."""
    paths: set[Steps] = set()
    formats: set[str] = set()
    for inner in walk(node):
        paths.update(steps for expression in expressions_of(inner) for steps in references(expression))
        if isinstance(inner, DeclaredLeaf):
            formats |= inner.type.formats
    outside = {steps for steps in paths if steps[0] == "_params"}
    tables = {str(steps[1]) for steps in outside} | ({"ST0"} if formats else set())
    elements = {path_text(steps) for steps in outside} | {f"ST0.{name}" for name in formats}
    return tuple(sorted(tables, key=table_order)), tuple(sorted(elements, key=_element_order))


def holds_secret(node: DeclaredNode) -> bool:
    """Return whether an element is declared a password or key."""
    return any(isinstance(inner, DeclaredLeaf) and inner.type.secret for inner in walk(node))


def in_record(node: DeclaredNode) -> DeclaredRecord:
    """Return a node as a record of its own, which has one element if the node is none."""
    if isinstance(node, DeclaredRecord):
        return node
    return DeclaredRecord("VALUE_RCD", (DeclaredField("VALUE", 0, node, ""),), record_type("VALUE_RCD", ("VALUE",)))


def needs_own_octets(node: DeclaredNode) -> bool:
    """Whether the form of a table depends on its own octets."""
    for inner in walk(node):
        if isinstance(inner, DeclaredProcedure) or (isinstance(inner, DeclaredLeaf) and inner.type.type == "OPAQUE"):
            return True
        if any(steps[0] != "_params" for expression in expressions_of(inner) for steps in references(expression)):
            return True
    return False


def _element_order(element: str) -> tuple[tuple[str, int], str]:
    table, _, rest = element.partition(".")
    return table_order(table), rest


class DeclaredLine(NamedTuple):
    """One line of the documentation of a table.

    Attributes:
        index_path: with letters for array entries, for example ``5.i.2``.
        path: element path with empty brackets for arrays, for example ``ENTRIES[].EVENT_TIME``.
        type: type as in the standard, a bit field with its integer; ``record NAME`` for records.
        dimension: of the arrays around it as expressions, or "".
        condition: when the element is present, or "" for always.
        doc: what it means; a `c1219.schema.Doc` where there is more to say.
        bits: ``3..5`` for a sub-field of a bit field, or "".
    """

    index_path: str
    path: str
    type: str
    dimension: str
    condition: str
    doc: str
    bits: str = ""


@dataclass(slots=True)
class _Place:
    index: str = ""
    path: str = ""
    count: str = ""
    conditions: list[str] = field(default_factory=list)
    doc: str = ""
    letter: str = "i"


def describe(node: DeclaredNode) -> list[DeclaredLine]:
    """Return the documentation of a declaration, line by line, without a device."""
    return list(_rows(node, _Place()))


def _rows(node: DeclaredNode, place: _Place) -> Iterator[DeclaredLine]:
    condition = " and ".join(place.conditions)
    if isinstance(node, DeclaredRecord):
        if place.path:
            yield DeclaredLine(place.index, place.path, f"record {node.name}", place.count, condition, place.doc)
        for part in node.fields:
            yield from _rows(part.node, _below(place, part))
    elif isinstance(node, DeclaredArray):
        count = f"{place.count}, {text(node.count)}" if place.count else text(node.count)
        below = _Place(
            f"{place.index}.{place.letter}", f"{place.path}[]", count, place.conditions, place.doc,
            chr(ord(place.letter) + 1),
        )  # fmt: skip
        yield from _rows(node.item, below)
    elif isinstance(node, DeclaredChoice):
        cases = [(text_of_case(node, key), case) for key, case in node.cases.items()]
        others = [("otherwise", node.default)] if not node.condition else []
        for words, case in cases + others:
            yield from _rows(case, _under(place, words))
    elif isinstance(node, DeclaredTail):
        words = text(node.condition)
        yield from _rows(node.node, _under(place, f"{f'({words})' if ' or ' in words else words} and octets remain"))
    elif isinstance(node, DeclaredProcedure):
        yield DeclaredLine(place.index, place.path, f"record of the procedure: {node.side}", "", condition, place.doc)
    elif isinstance(node, DeclaredLeaf):
        yield from _leaf_rows(node.type, place, condition)


def _leaf_rows(type_: Any, place: _Place, condition: str) -> Iterator[DeclaredLine]:
    words = type_.type if type_.length is None else f"{type_.type}({text(type_.length)})"
    words += f" ({type_.base.type})" if hasattr(type_, "spans") else ""
    yield DeclaredLine(place.index, place.path, words, place.count, condition, place.doc)
    for number, span in enumerate(getattr(type_, "spans", ())):
        bits = str(span.low) if span.low == span.high else f"{span.low}..{span.high}"
        yield DeclaredLine(
            f"{place.index}.{number}", f"{place.path}.{span.name}", span.kind, "", "", type_.docs_of[span.name], bits
        )


def text_of_case(node: DeclaredChoice, key: Any) -> str:
    """Return the condition of one case in words."""
    if not node.condition:
        return f"{text(node.key)} = {key}"
    return text(node.key) if key else f"not ({text(node.key)})"


def _under(place: _Place, condition: str) -> _Place:
    return _Place(
        place.index, place.path, place.count, [*place.conditions, condition], place.doc, place.letter
    )  # fmt: skip


def _below(place: _Place, part: DeclaredField) -> _Place:
    index = f"{place.index}.{part.index}" if place.index else str(part.index)
    path = f"{place.path}.{part.name}" if place.path else part.name
    return _Place(index, path, "", place.conditions if not place.path else [], part.doc, place.letter)
