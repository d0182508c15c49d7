"""Python source for one tree: decoding in a few merged `struct` reads, encoding in a few merged writes.

The source handles the plain case only, and raises anything on the rest: the caller then walks the tree element by
element (`c1219.engine.stepwise`) to say what is wrong and where. It is kept on the layout as ``__source__``.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from c1219.caches import remembered
from c1219.engine.bound import BoundArray, BoundLeaf, BoundNode, BoundRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

__all__ = ["FAILURES", "code", "compile_codec"]

FAILURES = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, ArithmeticError, struct.error)
"""What generated code raises when the case is not plain."""

_UNROLL = 24
"""Struct items up to which an array is written out entry by entry."""


def conform(value: Any, kind: Any, count: int) -> tuple[Any, ...]:
    """Return the items of a record or array that came as another type of sequence."""
    if not isinstance(value, (tuple, list)) or len(value) != count:
        raise ValueError(f"{count} items are needed for {kind}")
    return tuple(value)


def items(node: BoundNode) -> int:
    """Return how many struct items a node is when it is written out."""
    if isinstance(node, BoundLeaf):
        return len(node.form.codes)
    if isinstance(node, BoundArray):
        return node.count * items(node.item)
    return sum(items(part.node) for part in node.parts) if isinstance(node, BoundRecord) else 0


class _Source:
    """The module under construction: constants by name, and finished functions."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.names: dict[str, Any] = {"new": tuple.__new__, "conform": conform, "join": b"".join}
        self.known: dict[tuple[str, Any], str] = {}
        self.functions: list[str] = []
        self.count = 0

    def fresh(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def constant(self, letter: str, key: Any, value: Any) -> str:
        name = self.known.get((letter, key))
        if name is None:
            name = self.known[letter, key] = self.fresh(letter)
            self.names[name] = value
        return name

    def struct(self, codes: list[str]) -> str:
        text = self.order + "".join(codes)
        return self.constant("S", text, struct.Struct(text))

    def helper(self, form: Any, side: str) -> str:
        return self.constant("f", (id(form), side), getattr(form, side))

    def kind(self, node: BoundRecord) -> str:
        return self.constant("C", id(node.value_type), node.value_type)


def _merged(codes: list[str]) -> list[str]:
    """Write runs of one code with a count: I I I -> 3I."""
    runs: list[list[Any]] = []
    for code in codes:
        if runs and runs[-1][1] == code and len(code) == 1:
            runs[-1][0] += 1
        else:
            runs.append([1, code])
    return [f"{count}{code}" if count > 1 else code for count, code in runs]


# --- decoding -------------------------------------------------------------------------------------------------------


class _Reader:
    """One run of struct items in one function; big arrays are skipped in it and read by expressions of their own."""

    def __init__(self, source: _Source, octets: str, start: str) -> None:
        self.source = source
        self.octets = octets
        self.start = start
        self.codes: list[str] = []
        self.targets: list[str] = []

    def expression(self, node: BoundNode, offset: int) -> str:
        """Add a node to the run and return the expression of its value."""
        if isinstance(node, BoundLeaf):
            return self.leaf(node)
        if isinstance(node, BoundRecord):
            parts = "".join(f"{self.expression(part.node, offset + part.offset)}, " for part in node.parts)
            return f"new({self.source.kind(node)}, ({parts}))"
        if isinstance(node, BoundArray):
            return self.array(node, offset)
        return "None"

    def leaf(self, node: BoundLeaf) -> str:
        form = node.form
        names = [self.source.fresh("v") for _ in form.codes]
        self.codes.extend(form.codes)
        self.targets.extend(names)
        text = form.load.format(*names, f=self.source.helper(form, "loader") if "{f}" in form.load else "")
        return text if len(names) == 1 or not names else f"({text})"

    def array(self, node: BoundArray, offset: int) -> str:
        if not node.size:
            empty = self.expression(node.item, offset) if node.count else ""
            return f"({empty},) * {node.count}" if node.count else "()"
        if items(node) <= _UNROLL:
            parts = [self.expression(node.item, offset + number * node.stride) for number in range(node.count)]
            return f"({', '.join(parts)},)"
        self.codes.append(f"{node.size}x")
        return self.loop(node, offset)

    def loop(self, node: BoundArray, offset: int) -> str:
        item, source = node.item, self.source
        begin = f"{self.start} + {offset}" if offset else self.start
        if isinstance(item, BoundLeaf) and len(item.form.codes) == 1 and len(item.form.codes[0]) == 1:
            run = source.struct([f"{node.count}{item.form.codes[0]}"])
            whole = f"{run}.unpack_from({self.octets}, {begin})"
            if item.form.load == "{0}":
                return whole
            text = item.form.load.format("x", f=source.helper(item.form, "loader"))
            return f"tuple([{text} for x in {whole}])"
        if items(item) <= 2 * _UNROLL and not _has_loop(item):
            inner = _Reader(source, self.octets, self.start)
            text = inner.expression(item, 0)
            names = ", ".join(inner.targets)
            rows = f"{source.struct(_merged(inner.codes))}.iter_unpack({self.octets}[{begin}:{begin} + {node.size}])"
            return f"tuple([{text} for {names}, in {rows}])"
        function = _decoder(source, item)
        return f"tuple([{function}(b, p) for p in range({begin}, {begin} + {node.size}, {node.stride})])"


def _has_loop(node: BoundNode) -> bool:
    if isinstance(node, BoundArray):
        return items(node) > _UNROLL or _has_loop(node.item)
    return isinstance(node, BoundRecord) and any(_has_loop(part.node) for part in node.parts)


def _decoder(source: _Source, node: BoundNode) -> str:
    """Add a function (octets, offset) -> value and return its name."""
    name = source.fresh("d")
    reader = _Reader(source, "b", "o")
    text = reader.expression(node, 0)
    lines = [f"def {name}(b, o):"]
    if reader.targets:
        codes = source.struct(_merged(reader.codes))
        lines.append(f"    {', '.join(reader.targets)}, = {codes}.unpack_from(b, o)")
    lines.append(f"    return {text}")
    source.functions.append("\n".join(lines))
    return name


# --- encoding -------------------------------------------------------------------------------------------------------


class _Writer:
    """The body of one encoding function: statements that take the value apart, and pieces of octets to join."""

    def __init__(self, source: _Source) -> None:
        self.source = source
        self.lines: list[str] = []
        self.pieces: list[str] = []
        self.codes: list[str] = []
        self.items: list[str] = []
        self.absent: list[str] = []

    def flush(self) -> None:
        if self.codes:
            self.pieces.append(f"{self.source.struct(_merged(self.codes))}.pack({', '.join(self.items)})")
            self.codes, self.items = [], []

    def add(self, node: BoundNode, name: str) -> None:
        """Take the value `name` of a node apart."""
        if isinstance(node, BoundLeaf):
            self.leaf(node, name)
        elif isinstance(node, BoundRecord):
            kind = self.source.kind(node)
            self.lines.append(f"if {name}.__class__ is not {kind}: {name} = conform({name}, {kind}, {len(node.parts)})")
            self.take_apart(name, [part.node for part in node.parts])
        elif isinstance(node, BoundArray):
            self.array(node, name)
        else:
            self.absent.append(name)

    def leaf(self, node: BoundLeaf, name: str) -> None:
        form = node.form
        helper = (
            self.source.helper(form, "storer") if not form.codes or any("{f}" in text for text in form.store) else ""
        )
        if not form.codes:
            self.lines.append(f"{helper}({name})")
            return
        if helper and len(form.codes) > 1:
            stored = self.source.fresh("n")
            self.lines.append(f"{stored} = {helper}({name})")
            self.items.extend(text.replace("{f}({v})", stored) for text in form.store)
        else:
            self.items.extend(text.format(v=name, f=helper) for text in form.store)
        self.codes.extend(form.codes)

    def take_apart(self, name: str, nodes: list[BoundNode]) -> None:
        names = [self.source.fresh("v") for _ in nodes]
        if nodes:
            self.lines.append(f"{', '.join(names)}, = {name}")
        for inner, node in zip(names, nodes, strict=True):
            self.add(node, inner)

    def array(self, node: BoundArray, name: str) -> None:
        item = node.item
        test = f"{name}.__class__ is not tuple or len({name}) != {node.count}"
        self.lines.append(f"if {test}: {name} = conform({name}, tuple, {node.count})")
        if isinstance(item, BoundLeaf) and len(item.form.codes) == 1 and item.form.store == ("{v}",):
            if node.count:
                self.codes.extend(item.form.codes * node.count if len(item.form.codes[0]) > 1 else [])
                if len(item.form.codes[0]) == 1:
                    self.codes.append(f"{node.count}{item.form.codes[0]}")
                self.items.append(f"*{name}")
        elif items(node) <= _UNROLL and node.count <= _UNROLL:
            self.take_apart(name, [item] * node.count)
        else:
            self.flush()
            self.pieces.append(f"join([{_encoder(self.source, item)}(x) for x in {name}])")


def _encoder(source: _Source, node: BoundNode) -> str:
    """Add a function value -> octets and return its name."""
    name = source.fresh("e")
    writer = _Writer(source)
    writer.add(node, "value")
    writer.flush()
    lines = [f"def {name}(value):", *(f"    {line}" for line in writer.lines)]
    if writer.absent:
        lines.append(f"    if not ({' is '.join(writer.absent)} is None): raise ValueError")
    lines.append(f"    return {' + '.join(writer.pieces) or repr(b'')}")
    source.functions.append("\n".join(lines))
    return name


# --- both -----------------------------------------------------------------------------------------------------------


@remembered(256)
def code(text: str, label: str) -> CodeType:
    """Compile source; devices of one configuration have the same."""
    return compile(text, f"<layout of {label}>", "exec")


def compile_codec(
    node: BoundNode, order: str, label: str, root_type: Any = None
) -> tuple[Callable[[bytes, int], Any], Callable[[Any], bytes], str]:
    """Generate and compile the codec of a tree.

    Args:
        node: the tree.
        order: ``<`` or ``>``, from DATA_ORDER.
        label: name for tracebacks.
        root_type: class of the value of the whole tree, if not the record's own.

    Returns:
        decode(octets, offset), encode(value), and their source. Both raise one of `FAILURES` when the case is not
        plain. decode does not check that all octets are there, nor that nothing follows: the caller does.
    """
    source = _Source(order)
    if root_type is not None and isinstance(node, BoundRecord):
        source.constant("C", id(node.value_type), root_type)
    decode, encode = _decoder(source, node), _encoder(source, node)
    text = "\n\n".join(source.functions) + "\n"
    exec(code(text, label), source.names)  # noqa: S102  our own text, no input in it
    return source.names[decode], source.names[encode], text
