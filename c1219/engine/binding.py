"""From a declaration and the values of other tables to the strided tree of one device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.engine.bound import Absent, BoundArray, BoundField, BoundLeaf, BoundNode, BoundRecord
from c1219.engine.declared import (
    DeclaredArray,
    DeclaredChoice,
    DeclaredLeaf,
    DeclaredNode,
    DeclaredNothing,
    DeclaredProcedure,
    DeclaredRecord,
    DeclaredRefusal,
    DeclaredTail,
    text_of_case,
)
from c1219.engine.expressions import Steps, evaluate, path_text, text
from c1219.errors import DecodeError, LayoutError, LimitExceeded, MissingTables
from c1219.values import Raw
from c1219.wire import Formats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["MAX_SIZE", "MAX_VALUES", "Binding", "Tree"]

MAX_SIZE = 1 << 24
"""Octets of the largest table that is laid out: what an offset of three octets reaches."""
MAX_VALUES = 1 << 22
"""Leaf values of the largest table that is laid out."""


class Tree(NamedTuple):
    """A bound tree.

    Attributes:
        root: the record of the table.
        cuts: offsets at which the table may end because an older edition has no more.
        open_end: the last element takes all octets that are left, however many.
    """

    root: BoundRecord
    cuts: tuple[int, ...]
    open_end: bool


class Binding(NamedTuple):
    """What is needed to lay out one table, and the work of doing it.

    Attributes:
        label: name of the table in errors.
        declared: the outline of its record.
        tables: decoded values of the tables it depends on, by label.
        procedures: finds a declared procedure's outline by (number, manufacturer, side).
        max_size: octets allowed.
        max_values: leaf values allowed.
    """

    label: str
    declared: DeclaredNode
    tables: Mapping[str, Any]
    procedures: Callable[[int, bool, str], DeclaredNode | None] | None = None
    max_size: int = MAX_SIZE
    max_values: int = MAX_VALUES

    def run(
        self,
        needs: tuple[str, ...],
        *,
        own: Any = None,
        length: int | None = None,
        force_tails: bool = False,
        head: bool = False,
    ) -> Tree:
        """Lay the table out.

        Args:
            needs: tables that the declaration depends on.
            own: the table's own octets or value, for the few tables whose layout depends on them.
            length: octets that there are, if tails that do not fit are to be left out.
            force_tails: lay out tails even where ST0 says that the edition has none.
            head: end before the first element of the table that cannot be laid out.

        Raises:
            MissingTables: tables in `needs` are not here.
            LayoutError: a dimension has no value, a code has no layout; LimitExceeded: it would be too large.
            DecodeError: the table's own octets, which decide its layout, end too early or are invalid.
        """
        missing = tuple(name for name in needs if name not in self.tables)
        if missing:
            raise MissingTables(self.label, missing)
        st0 = self.tables.get("ST0") if "ST0" in needs else None
        try:
            formats = Formats.of(st0) if st0 is not None else Formats()
        except (AttributeError, TypeError) as error:
            raise LayoutError("ST0", "its formats have no value") from error
        return _Walk(self, formats, own, length, force_tails=force_tails, head=head).tree()


class _Scope:
    """One record on the way down: its parts so far, where it starts, and its own value if there is one."""

    __slots__ = ("offset", "parts", "value")

    def __init__(self, offset: int | None, value: Any) -> None:
        self.offset = offset
        self.parts: dict[str, BoundField] = {}
        self.value = value


class _Walk:
    def __init__(
        self, binding: Binding, formats: Formats, own: Any, length: int | None, *, force_tails: bool, head: bool
    ) -> None:
        self.binding = binding
        self.head = head
        self.formats = formats
        self.octets = bytes(own) if isinstance(own, (bytes, bytearray, memoryview)) else None
        self.value = None if self.octets is not None else own
        self.length = length
        self.force_tails = force_tails
        self.scopes: list[_Scope] = []
        self.cuts: list[int] = []
        self.open_end = False

    def tree(self) -> Tree:
        root = self.node(self.binding.declared, self.binding.label, 0, self.value)
        if not isinstance(root, BoundRecord):
            reason = root.reason if isinstance(root, Absent) else "the record is not a record"
            raise LayoutError(self.binding.label, reason)
        return Tree(root, tuple(cut for cut in self.cuts if cut < root.size), self.open_end)

    # offset is None below an array, where there is no one place in the octets
    def node(self, declared: DeclaredNode, path: str, offset: int | None, value: Any) -> BoundNode:
        if isinstance(declared, DeclaredLeaf):
            return self.leaf(declared, path, offset, value)
        if isinstance(declared, DeclaredRecord):
            return self.record(declared, path, offset, value)
        if isinstance(declared, DeclaredArray):
            return self.array(declared, path)
        if isinstance(declared, DeclaredChoice):
            key = self.evaluate(declared.key, path)
            if declared.condition:
                key = bool(key)
                chosen = declared.cases[key]
                reason = text_of_case(declared, key)
            else:
                chosen = declared.cases.get(key, declared.default)
                reason = f"{text(declared.key)} is {key!r}"
            if isinstance(chosen, DeclaredNothing):
                return Absent(reason)
            if isinstance(chosen, DeclaredRefusal):
                raise LayoutError(path, f"no layout is known where {reason}")
            return self.node(chosen, path, offset, value)
        if isinstance(declared, DeclaredTail):
            return self.tail(declared, path, offset, value)
        if isinstance(declared, DeclaredProcedure):
            return self.procedure(declared, path, offset, value)
        if isinstance(declared, DeclaredNothing):
            return Absent("it has no octets")
        raise LayoutError(path, "it is refused")

    def leaf(self, declared: DeclaredLeaf, path: str, offset: int | None, value: Any) -> BoundLeaf:
        kind = declared.type
        length = None
        if kind.length is not None:
            length = self.number(kind.length, path)
        elif kind.type == "OPAQUE":
            return self.rest(kind, offset or 0, value)
        try:
            form = kind.form(self.formats, length)
        except ValueError as error:
            raise LayoutError(path, str(error)) from error
        return BoundLeaf(form, kind)

    def rest(self, kind: Any, offset: int, value: Any) -> BoundLeaf:
        self.open_end = True
        if self.length is not None:
            size = max(0, self.length - offset)
        elif self.octets is not None:
            size = max(0, len(self.octets) - offset)
        else:
            size = len(value) if isinstance(value, bytes) else 0
        return BoundLeaf(kind.form(self.formats, size), kind)

    def record(self, declared: DeclaredRecord, path: str, offset: int | None, value: Any) -> BoundRecord:
        value = _named(declared, value)
        scope = _Scope(offset, value)
        self.scopes.append(scope)
        size = values = 0
        for field in declared.fields:
            below = f"{path}.{field.name}"
            start = None if offset is None else offset + size
            inner = getattr(value, field.name, None) if value is not None else None
            try:
                node = self.node(field.node, below, start, inner)
            except (LayoutError, DecodeError):
                if self.head and len(self.scopes) == 1:
                    break
                raise
            scope.parts[field.name] = BoundField(field.name, field.index, field.doc, node, size)
            size += node.size
            values += node.values
            self.limit(below, size, values)
        self.scopes.pop()
        return BoundRecord(declared.name, tuple(scope.parts.values()), declared.value_type, size)

    def array(self, declared: DeclaredArray, path: str) -> BoundArray:
        count = self.number(declared.count, path)
        item = self.node(declared.item, f"{path}[]", None, None)
        return BoundArray(count, item, text(declared.count))

    def tail(self, declared: DeclaredTail, path: str, offset: int | None, value: Any) -> BoundNode:
        offset = offset or 0
        if not self.force_tails and not self.evaluate(declared.condition, path):
            return Absent(f"not ({text(declared.condition)})")
        if self.length is not None and offset >= self.length:
            return Absent("the table ends before it")
        self.cuts.append(offset)
        return self.node(declared.node, path, offset, value)

    def procedure(self, declared: DeclaredProcedure, path: str, offset: int | None, value: Any) -> BoundNode:
        offset = offset or 0
        ends = self.octets is not None and len(self.octets) <= offset
        if ends or (self.octets is None and self.value is not None and value is None):
            return Absent(f"no {declared.side}")
        find = self.binding.procedures
        outline = None
        if find is not None and (self.octets is not None or self.value is not None):
            number = self.own(("PROC", "TBL_PROC_NBR"), path)
            manufacturer = bool(self.own(("PROC", "STD_VS_MFG_FLAG"), path))
            outline = find(number, manufacturer, declared.side) if isinstance(number, int) else None
        if outline is None or isinstance(outline, DeclaredNothing) or isinstance(value, bytes):
            return self.rest(declared.unknown.type, offset, value)
        self.cuts.append(offset)
        return self.node(outline, path, offset, value)

    def limit(self, path: str, size: int, values: int) -> None:
        if size > self.binding.max_size:
            raise LimitExceeded(path, f"{size} octets are more than the limit of {self.binding.max_size}")
        if values > self.binding.max_values:
            raise LimitExceeded(path, f"{values} values are more than the limit of {self.binding.max_values}")

    def number(self, expression: Any, path: str) -> int:
        number = self.evaluate(expression, path)
        if not isinstance(number, int) or number < 0:
            raise LayoutError(path, f"{text(expression)} is {number!r}, which is no count")
        return int(number)

    def evaluate(self, expression: Any, path: str) -> Any:
        if isinstance(expression, int):
            return expression
        try:
            return evaluate(expression, lambda steps: self.lookup(steps, path))
        except (ZeroDivisionError, TypeError) as error:
            raise LayoutError(path, f"{text(expression)} has no value: {error}") from error

    def lookup(self, steps: Steps, path: str) -> Any:
        if steps[0] != "_params":
            return self.own(steps, path)
        return _follow(self.binding.tables[str(steps[1])], steps, 2, path)

    def own(self, steps: Steps, path: str) -> Any:
        up = 0
        while steps[up] == "_":
            up += 1
        scope = self.scopes[-1 - up]
        name = str(steps[up])
        if self.octets is None:
            if scope.value is None:
                raise LayoutError(path, f"the layout depends on the table's own octets: {path_text(steps)}")
            return _follow(scope.value, steps, up, path)
        part = scope.parts[name]
        if scope.offset is None or not isinstance(part.node, BoundLeaf):
            raise LayoutError(path, f"{name} is no single element of the table")
        offset = scope.offset + part.offset
        octets = self.octets[offset : offset + part.node.size]
        where = f"{path.rpartition('.')[0]}.{name}"
        if len(octets) < part.node.size:
            raise DecodeError(where, len(self.octets), "the table ends before an element that its layout depends on")
        try:
            value = part.node.form.decode(octets)
        except ValueError as error:
            raise DecodeError(where, offset, str(error)) from error
        return _follow(value, steps, up + 1, path)


def _named(declared: DeclaredRecord, value: Any) -> Any:
    """Return the record's own value with names, where it came as a plain sequence; None if it is no such record."""
    if not isinstance(value, (tuple, list)) or len(value) != len(declared.fields):
        return None
    items = []
    for field, item in zip(declared.fields, value, strict=True):
        kind: Any = getattr(field.node.type, "value_type", None) if isinstance(field.node, DeclaredLeaf) else None
        fits = kind is not None and isinstance(item, (tuple, list)) and len(item) == len(kind._fields)
        items.append(kind._make(item) if fits else item)
    return declared.value_type._make(items)


def _follow(value: Any, steps: Steps, start: int, path: str) -> Any:
    """Follow the rest of a path into a value."""
    for number in range(start, len(steps)):
        step = steps[number]
        try:
            value = value[step] if isinstance(step, int) else getattr(value, step)
        except (AttributeError, IndexError, TypeError):
            value = None
        if value is None or isinstance(value, Raw):
            raise LayoutError(path, f"{path_text(steps[: number + 1])}, which decides its form, has no value")
    return value
