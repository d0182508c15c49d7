"""What is bound: a declaration in one device, as a strided tree.

Records, arrays with count and stride, leaves with a wire form.
A tree has as many nodes as the declaration has, however many elements the table has: entry i of an array starts at
``i * stride``. Offsets are relative to the enclosing node.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.errors import AbsentElement, UnknownElement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.wire import Form

__all__ = [
    "Absent", "BoundArray", "BoundField", "BoundLeaf", "BoundLine", "BoundNode", "BoundRecord", "BoundTable", "Place",
    "leaves", "locate", "rows", "type_name",
]  # fmt: skip


class BoundLeaf:
    """An element with a value of its own.

    Attributes:
        form: its octets.
        declared: the `c1219.datatypes.WireType` it was declared with.
        size: octets.
        values: 1.
    """

    __slots__ = ("declared", "form", "size", "values")

    def __init__(self, form: Form, declared: Any) -> None:
        self.values: int = 1
        self.form = form
        self.declared = declared
        self.size: int = form.size


class BoundField(NamedTuple):
    """An element of a record: name, number in the index path, doc, node, and offset in the record."""

    name: str
    number: int
    doc: str
    node: BoundNode
    offset: int


class BoundRecord:
    """A record.

    Attributes:
        name: name of the record type.
        parts: its elements, absent ones included.
        value_type: NamedTuple class of its values.
        size: octets.
        values: leaf values in it.
    """

    __slots__ = ("by_name", "name", "parts", "size", "value_type", "values")

    def __init__(self, name: str, parts: tuple[BoundField, ...], value_type: Any, size: int) -> None:
        self.name = name
        self.parts = parts
        self.value_type = value_type
        self.size: int = size
        self.values: int = sum(part.node.values for part in parts)
        self.by_name = {part.name: part for part in parts}


class BoundArray:
    """An array.

    Attributes:
        count: entries.
        stride: octets of an entry.
        item: the entry.
        dimension: what gives the count, for example ``ST21.NBR_TIERS``.
        size: octets.
        values: leaf values in it.
    """

    __slots__ = ("count", "dimension", "item", "size", "stride", "values")

    def __init__(self, count: int, item: BoundNode, dimension: str) -> None:
        self.count = count
        self.item = item
        self.stride: int = item.size
        self.dimension = dimension
        self.size: int = count * item.size
        self.values: int = count * max(item.values, 1)


class Absent:
    """An element that takes no octets in this device; its value is None.

    Attributes:
        reason: why, for example ``not (ST21.REG_FUNC1_FLAGS.CUM_DEMAND_FLAG)``.
    """

    __slots__ = ("reason", "size", "values")

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.size: int = 0
        self.values: int = 0


BoundNode = BoundLeaf | BoundRecord | BoundArray | Absent


class BoundTable(NamedTuple):
    """A table that is bound: what it is called in errors, its record, and ``<`` or ``>``, the order of octets."""

    label: str
    root: BoundRecord
    order: str


def type_name(node: BoundNode) -> str:
    """Return the type as in the standard, with its present form."""
    if isinstance(node, BoundLeaf):
        return node.form.type
    if isinstance(node, BoundArray):
        return f"ARRAY[{node.count}] OF {type_name(node.item)}"
    return node.name if isinstance(node, BoundRecord) else "absent"


class Place(NamedTuple):
    """Where an element is.

    Attributes:
        node: the element; for a slice, a part of the array; for a sub-field, its bit field.
        offset: octets from the start of the table.
        index_path: C12.19 index path.
        entries: of an array or slice, else 1.
        bits: number of the sub-field in its bit field, or None.
        doc: what the declaration says about it.
    """

    node: BoundNode
    offset: int
    index_path: tuple[int, ...]
    entries: int
    bits: int | None
    doc: str


_STEP = re.compile(r"(?:^|\.)([A-Za-z]\w*)|\[(\d{1,9})\]|\[(\d{0,9}):(\d{0,9})\]", re.ASCII)


def locate(root: BoundNode, path: str, label: str) -> Place:
    """Find an element by its path below the table, for example ``TIER_DATA_BLOCK[1].SUMMATIONS[0:2]``.

    Raises:
        UnknownElement: there is no such element or entry; AbsentElement: it takes no octets in this device.
    """
    node: BoundNode = root
    offset, position, doc = 0, 0, ""
    index: list[int] = []
    where = label
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise UnknownElement(f"{label}.{path}: not understood from {path[position:]!r} on")
        position = step.end()
        name, entry, first, last = step.groups()
        if name is not None:
            if isinstance(node, BoundLeaf):
                return _sub_field(node, name, where, path[position:], Place(node, offset, tuple(index), 1, None, doc))
            if not isinstance(node, BoundRecord) or name not in node.by_name:
                raise UnknownElement(f"{where} ({type_name(node)}) has no element {name}")
            part = node.by_name[name]
            node, offset, doc = part.node, offset + part.offset, part.doc
            index.append(part.number)
            where += f".{name}"
            if isinstance(node, Absent):
                raise AbsentElement(f"{where} is absent: {node.reason}")
            continue
        if not isinstance(node, BoundArray):
            raise UnknownElement(f"{where} ({type_name(node)}) is no array")
        where += step.group()
        if entry is not None:
            number = int(entry)
            if number >= node.count:
                raise UnknownElement(f"{where}: there are {node.count} entries ({node.dimension})")
            offset += number * node.stride
            node = node.item
            index.append(number)
            continue
        low, high = int(first or 0), int(last) if last else node.count
        if not low <= high <= node.count:
            raise UnknownElement(f"{where}: there are {node.count} entries ({node.dimension})")
        if position < len(path):
            raise UnknownElement(f"{where}: a slice comes last, its entries are not next to each other")
        part_of = BoundArray(high - low, node.item, node.dimension)
        return Place(part_of, offset + low * node.stride, (*index, low), high - low, None, doc)
    return Place(node, offset, tuple(index), node.count if isinstance(node, BoundArray) else 1, None, doc)


def _sub_field(node: BoundLeaf, name: str, where: str, rest: str, place: Place) -> Place:
    for number, span in enumerate(getattr(node.declared, "spans", ())):
        if span.name == name and not rest:
            doc = node.declared.docs_of[name]
            return place._replace(index_path=(*place.index_path, number), bits=number, doc=doc)
    raise UnknownElement(f"{where} ({type_name(node)}) has no element {name}{rest}")


def leaves(node: BoundNode, path: str, offset: int, low: int, high: int) -> Iterator[tuple[str, int, BoundLeaf]]:
    """Yield path, offset and node of the leaves that have octets between low and high, in order."""
    if node.size == 0 or offset >= high or offset + node.size <= low:
        return
    if isinstance(node, BoundLeaf):
        yield path, offset, node
    elif isinstance(node, BoundRecord):
        for part in node.parts:
            below = f"{path}.{part.name}" if path else part.name
            yield from leaves(part.node, below, offset + part.offset, low, high)
    elif isinstance(node, BoundArray) and node.stride:
        first = max(0, (low - offset) // node.stride)
        last = min(node.count, -((offset - high) // node.stride))
        for number in range(first, last):
            yield from leaves(node.item, f"{path}[{number}]", offset + number * node.stride, low, high)


class BoundLine(NamedTuple):
    """One line of a bound layout; an array is one line, and its entries are further lines with the first entry's place.

    Attributes:
        index_path: of the first entry, for example ``1.0.0``.
        path: element path, with empty brackets for arrays.
        type: type with its present form.
        offset: of the first entry, octets from the start of the table; None if absent.
        size: octets of one entry.
        counts: entries of each array around it, from the outside in.
        strides: octets from entry to entry of each of these arrays.
        doc: what it means, or why it is absent.
    """

    index_path: str
    path: str
    type: str
    offset: int | None
    size: int
    counts: tuple[int, ...]
    strides: tuple[int, ...]
    doc: str


def rows(root: BoundNode) -> list[BoundLine]:
    """Return the layout line by line, as many lines as the declaration has elements."""
    return list(_rows(root, BoundLine("", "", "", 0, 0, (), (), "")))


def _rows(node: BoundNode, row: BoundLine) -> Iterator[BoundLine]:
    offset = row.offset or 0
    if isinstance(node, Absent):
        yield row._replace(type="absent", offset=None, doc=node.reason)
    elif isinstance(node, BoundArray):
        counts, strides = (*row.counts, node.count), (*row.strides, node.stride)
        index_path = f"{row.index_path}.0"
        yield from _rows(
            node.item, row._replace(index_path=index_path, path=f"{row.path}[]", counts=counts, strides=strides)
        )
    else:
        if row.path:
            yield row._replace(type=type_name(node), size=node.size)
        for part in node.parts if isinstance(node, BoundRecord) else ():
            path = f"{row.path}.{part.name}" if row.path else part.name
            index_path = f"{row.index_path}.{part.number}" if row.index_path else str(part.number)
            below = row._replace(index_path=index_path, path=path, offset=offset + part.offset, doc=part.doc)
            yield from _rows(part.node, below)
