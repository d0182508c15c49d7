"""Layout: one table in one device. Where every element is, and the codec made for it.

layout = bind(table, {"ST0": st0, "ST21": st21})      # or device.bind(23)
layout.decode(octets)                                 # -> value; layout.examine(octets) goes on past errors
layout.element("TOT_DATA_BLOCK.SUMMATIONS[0]")        # -> Element: offset, size, count, index path, type
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.caches import BoundedDict, remembered
from c1219.engine import stepwise
from c1219.engine.binding import MAX_SIZE, MAX_VALUES, Binding, Tree
from c1219.engine.bound import BoundArray, BoundLeaf, BoundLine, BoundRecord, BoundTable, leaves, locate, rows
from c1219.engine.element import Element
from c1219.engine.generated import FAILURES, compile_codec
from c1219.engine.shown import compile_shown
from c1219.errors import DecodeError, EncodeError, Finding, LayoutError, UnknownElement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from c1219.engine.columns import Column
    from c1219.engine.declared import DeclaredNode
    from c1219.schema import Table
    from c1219.stretches import Stretches

__all__ = ["Decoded", "Element", "Layout", "bind", "bind_outline"]

_PATHS = 4096
_LENGTHS = 16
"""Element paths that a layout remembers."""


class Decoded(NamedTuple):
    """What lenient decoding gives.

    Attributes:
        value: the record; elements without a value are `Raw`, elements past the end of the octets None.
        findings: what was wrong or unusual.
    """

    value: Any
    findings: tuple[Finding, ...]


class Layout:
    """One table in one device; immutable.

    Attributes:
        table: the declaration, or None for the record of a procedure.
        label: what it is called, for example ``ST23``.
        root: the strided tree.
        size: octets.
        cuts: offsets at which an older edition may end.
        open_end: the last element takes what is left, however much: `size` is that of the octets it was bound with.
        order: ``<`` or ``>``, the order of octets in numbers.
    """

    __slots__ = (
        "_bound", "_codec", "_elements", "_rebind", "_root_type", "_shown", "_variants", "cuts", "label", "open_end",
        "order", "root", "size", "table",
    )  # fmt: skip

    def __init__(
        self, label: str, tree: Tree, order: str, table: Table | None, rebind: Callable[[int, bool], Tree]
    ) -> None:
        self.label = label
        self.table = table
        self.root: BoundRecord = tree.root
        self.size = tree.root.size
        self.cuts = tree.cuts
        self.open_end = tree.open_end
        self.order = order
        self._bound = BoundTable(label, tree.root, order)
        self._rebind = rebind
        self._variants: BoundedDict[int, Layout | None] = BoundedDict(_LENGTHS)
        self._codec: tuple[Callable[[bytes, int], Any], Callable[[Any], bytes], str] | None = None
        self._shown: Callable[[Any], Any] | bool = False
        self._elements: BoundedDict[str, Element] = BoundedDict(_PATHS)
        self._root_type = _origin_type(tree.root.value_type)

    def __repr__(self) -> str:
        return f"<layout of {self.label}: {self.size} octets, {self.root.values} values>"

    # --- the codec

    @property
    def __source__(self) -> str:
        """Python source of the generated codec."""
        return self._compiled()[2]

    def _compiled(self) -> tuple[Callable[[bytes, int], Any], Callable[[Any], bytes], str]:
        if self._codec is None:
            self._codec = compile_codec(self.root, self.order, self.label, self._root_type)
        return self._codec

    def fitting(self, length: int) -> Layout | None:
        """Return the layout of a table of this length, or None if none has it.

        It is this one, or one whose tail an older edition leaves out, or one with a tail that the device has although
        its ST0 names an older edition.
        """
        if length == self.size:
            return self
        if length not in self._variants:
            self._variants[length] = self._variant(length)
        return self._variants[length]

    def _variant(self, length: int) -> Layout | None:
        for force in (False, True):
            if force or length in self.cuts or self.open_end:
                try:
                    tree = self._rebind(length, force)
                except (LayoutError, DecodeError):
                    continue
                if tree.root.size == length:
                    return Layout(self.label, tree, self.order, self.table, self._rebind)
        return None

    def decode(self, octets: bytes) -> Any:
        """Make the value of a table.

        Args:
            octets: the whole table. An end at one of `cuts` is tolerated: the elements after it are None.

        Returns:
            The record: a NamedTuple with the names of the standard. It remembers its octets, so that `encode` gives
            back what was not changed exactly as it was.

        Raises:
            DecodeError: an element has no value, or the table is shorter or longer than its layout.
        """
        if len(octets) == self.size:
            if octets.__class__ is not bytes:
                octets = bytes(octets)
            value = self._read(octets, None)
            value.origin_ = (self, octets, True)
            return value
        other = self.fitting(len(octets))
        if other is not None:
            return other.decode(octets)
        stepwise.decode(self.root, bytes(octets), 0, self.label, None)
        surplus = len(octets) - self.size
        raise DecodeError(self.label, self.size, f"{surplus} octets more than the {self.size} of its layout")

    def examine(self, octets: bytes) -> Decoded:
        """Return the value of a table, as much as can be decoded, and findings; never fails."""
        octets = bytes(octets)
        layout = self.fitting(len(octets))
        findings: list[Finding] = []
        if layout is None:
            layout = self
            findings.append(self._misfit(len(octets)))
        elif layout is not self and not self.open_end:
            findings.append(self._tail_finding(layout.size))
        value = layout._read(octets, findings)
        value.origin_ = (layout, octets, True)
        return Decoded(value, tuple(findings))

    def examine_stretches(self, known: Stretches) -> Decoded:
        """Make the value of a table of which not all octets are known; elements that are not known are None."""
        whole = known.read(0, len(known)) if len(known) >= self.size else None
        if whole is not None:
            return self.examine(whole)
        text = f"{known.octets} of the {self.size} octets of its layout are known"
        findings = [Finding("warning", "partial", self.label, None, text)]
        items = stepwise.decode(self.root, known, 0, self.label, findings)
        return Decoded(tuple.__new__(self._root_type, items), tuple(findings))

    def _read(self, octets: bytes, findings: list[Finding] | None) -> Any:
        """Make the value: fast if all is plain, otherwise element by element, which says what is wrong and where."""
        if len(octets) == self.size:
            codec = self._codec or self._compiled()
            try:
                return codec[0](octets, 0)
            except FAILURES:
                pass
        return tuple.__new__(self._root_type, stepwise.decode(self.root, octets, 0, self.label, findings))

    def _misfit(self, length: int) -> Finding:
        if length > self.size:
            text = (
                f"the table has {length} octets, {length - self.size} more than its layout; they are kept as they are"
            )
            return Finding("warning", "long", self.label, self.size, text)
        first = self._first_from(length)
        text = f"the table has {length} of the {self.size} octets of its layout, and ends at {first}"
        return Finding("error", "short", f"{self.label}.{first}", length, text)

    def _first_from(self, offset: int) -> str:
        """Return the path of the first leaf that has octets from an offset on."""
        return next((path for path, _, _ in leaves(self.root, "", 0, offset, self.size)), "")

    def _tail_finding(self, length: int) -> Finding:
        if length < self.size:
            first = self._first_from(length)
            text = f"the table ends after {length} of {self.size} octets, before {first}: an older edition"
            return Finding("note", "tail-absent", self.label, length, text)
        text = f"the table has the tail of a later edition than its ST0 says: {length} octets, not {self.size}"
        return Finding("note", "tail-present", self.label, self.size, text)

    def encode(self, value: Any) -> bytes:
        """Make the octets of a table.

        Args:
            value: a record. If it comes from `decode` or `examine` of this layout, or from `_replace` on such a
                record, elements that were not changed keep their octets: filler, blanks, odd forms of no value.
                The table ends before the elements at one of `cuts` that are None.

        Raises:
            EncodeError: a value has no form on the wire.
        """
        origin = getattr(value, "origin_", None)
        if origin is not None:
            layout: Layout = origin[0]
            octets, untouched = origin[1:]
            if layout is self or layout in self._variants.values():
                if untouched:
                    return bytes(octets)
                try:
                    return layout._kept(value, octets)
                except EncodeError:
                    if layout is self and self._end(value) == self.size:
                        raise
        shorter: Layout = self.fitting(self._end(value)) or self
        return shorter._canonical(value)

    def _end(self, value: Any) -> int:
        """Return where the octets of a value end: before the tails that it has not."""
        node: Any = self.root
        start, end = 0, self.size
        while isinstance(node, BoundRecord) and isinstance(value, (tuple, list)) and len(value) == len(node.parts):
            last: tuple[Any, Any] = (None, None)
            for part, item in zip(reversed(node.parts), reversed(value), strict=True):
                if not part.node.size:
                    continue
                if item is not None:
                    last = (part, item)
                    break
                if start + part.offset not in self.cuts:
                    break
                end = start + part.offset
            part, value = last
            if part is None or start + part.offset + part.node.size < end:
                break
            node, start = part.node, start + part.offset
        return end

    def _canonical(self, value: Any) -> bytes:
        codec = self._codec or self._compiled()
        try:
            return codec[1](value)
        except FAILURES:
            pass  # what is wrong, and where, is found element by element
        return stepwise.encode(self.root, value, self.label)

    def _kept(self, value: Any, octets: bytes) -> bytes:
        """Encode, but keep the octets of the elements that say what they said before."""
        new = self._canonical(value)
        if new == octets:
            return new
        old = self._canonical(self._read(octets, []))
        if old == octets:
            return new
        kept = bytearray(octets)
        for start, end in _differences(old, new):
            for _, offset, leaf in leaves(self.root, "", 0, start, end):
                own = slice(offset, offset + leaf.size)
                if old[own] != new[own]:
                    kept[own] = new[own]
        return bytes(kept)

    def to_json(self, value: Any) -> Any:
        """Return a value of this table in terms of JSON.

        Element names are keys; a Decimal is a string, a time ISO 8601 without zone, a SET the list of its members,
        octets are hex, and an element without a value is ``{"raw": hex}``. Absent elements are left out.
        """
        origin = getattr(value, "origin_", None)
        root = self.root if origin is None else origin[0].root
        if self._shown is False or root is not self.root:  # most layouts show one value, which is not worth the text
            self._shown = self._shown or True
            return stepwise.to_json(root, value)
        if self._shown is True:
            self._shown = compile_shown(self.root, self.label, self._root_type)
        return self._shown(value)

    def from_json(self, value: Any) -> Any:
        """Return the record that `to_json` showed.

        Raises:
            EncodeError: it shows no value of this table.
        """
        return stepwise.from_json(self.root, value, self.label)

    # --- elements

    def element(self, path: str) -> Element:
        """Find an element, record, array or slice by name.

        Args:
            path: for example ``TOT_DATA_BLOCK.SUMMATIONS[0]``, ``TIER_DATA_BLOCK[1]``, ``SUMMATIONS[2:5]``; the label
                of the table may stand in front; "" or the label alone is the whole table.

        Raises:
            UnknownElement: there is none; AbsentElement: it takes no octets in this device.
        """
        found = self._elements.get(path)
        if found is None:
            below = path.removeprefix(self.label)
            below = below.removeprefix(".") if below != path else path
            found = self._elements[path] = Element(self._bound, below, locate(self.root, below, self.label))
        return found

    def at_index(self, index_path: tuple[int, ...]) -> Element:
        """Find an element by its C12.19 index path; a shorter path is the record or array that encloses it.

        Raises:
            UnknownElement: there is none; AbsentElement: it takes no octets in this device.
        """
        node: Any = self.root
        path = ""
        for number in index_path:
            if isinstance(node, BoundRecord) and number < len(node.parts):
                path += f".{node.parts[number].name}"
                node = node.parts[number].node
            elif isinstance(node, BoundArray):
                path += f"[{number}]"
                node = node.item
            elif isinstance(node, BoundLeaf) and number < len(getattr(node.declared, "spans", ())):
                path += f".{node.declared.spans[number].name}"
                node = None
            else:
                raise UnknownElement(f"{self.label}{path} has no element {number}")
        return self.element(path.removeprefix("."))

    def at_offset(self, offset: int) -> Element:
        """Find the leaf element that has the octet at this offset.

        Raises:
            UnknownElement: the table has no such octet.
        """
        for path, _, _ in leaves(self.root, "", 0, offset, offset + 1):
            return self.element(path)
        raise UnknownElement(f"{self.label} has {self.size} octets: there is none at offset {offset}")

    def elements(self, first: int = 0, end: int | None = None) -> Iterator[Element]:
        """Yield the leaf elements that have octets between two offsets, in order; all of them by default."""
        for path, _, _ in leaves(self.root, "", 0, first, self.size if end is None else end):
            yield Element(self._bound, path, locate(self.root, path, self.label))

    def partial(self, offset: int, octets: bytes) -> Decoded:
        """Decode a piece of the table, as a partial read gives it.

        Args:
            offset: where the piece starts.
            octets: the piece.

        Returns:
            Full paths of the leaf elements that lie in the piece with their values, and findings: elements that are
            cut at its ends, octets past the end of the table, elements without a value.
        """
        octets = bytes(octets)
        values: dict[str, Any] = {}
        findings: list[Finding] = []
        end = offset + len(octets)
        for path, start, leaf in leaves(self.root, self.label, 0, offset, end):
            own = octets[max(0, start - offset) : start - offset + leaf.size]
            if len(own) < leaf.size or start < offset:
                text = f"only {len(own)} of its {leaf.size} octets are in the piece"
                findings.append(Finding("note", "cut", path, start, text))
                values[path] = leaf.form.raw(own)
                continue
            found: list[Finding] = []
            values[path] = stepwise.decode(leaf, own, 0, path, found)
            findings.extend(finding._replace(offset=start) for finding in found)
        if end > self.size:
            text = f"{end - max(offset, self.size)} octets are past the end of the layout"
            findings.append(Finding("warning", "long", self.label, self.size, text))
        return Decoded(values, tuple(findings))

    def describe(self) -> list[BoundLine]:
        """Return the layout line by line, as many lines as the declaration has elements."""
        return rows(self.root)

    # --- many images at once

    @property
    def dtype(self) -> Any:
        """NumPy dtype of one image of this table; needs the extra ``arrow``."""
        from c1219.engine.columns import dtype_of  # needs NumPy

        return dtype_of(self._bound)

    def columns(self, images: bytes | list[bytes], paths: tuple[str, ...] | None = None) -> dict[str, Column]:
        """Decode many images of this layout at once; needs the extra ``arrow``.

        Args:
            images: images one after the other, or a list of them.
            paths: element paths to decode; all leaves by default.

        Returns:
            A `c1219.engine.columns.Column` by element path.

        Raises:
            DecodeError: the octets are no whole number of images.
        """
        from c1219.engine.columns import columns_of  # needs NumPy

        return columns_of(self._bound, images, paths)


def _differences(old: bytes, new: bytes) -> Iterator[tuple[int, int]]:
    """Yield the stretches in which two strings of the same length differ."""
    spans = [(0, len(old))]
    while spans:
        start, end = spans.pop()
        if old[start:end] == new[start:end]:
            continue
        if end - start <= 8:
            yield start, end
            continue
        middle = (start + end) // 2
        spans += [(middle, end), (start, middle)]


class _Origin:
    """What a decoded record remembers: its layout, its octets, and whether it is as it was decoded."""

    origin_: tuple[Layout, bytes, bool]

    def _replace(self, **changes: Any) -> Any:
        changed = super()._replace(**changes)  # type: ignore[misc]
        origin = getattr(self, "origin_", None)
        if origin is not None:
            changed.origin_ = (origin[0], origin[1], False)
        return changed

    def __reduce__(self) -> Any:
        """Pickle the record alone: its layout stays here, and `encode` makes canonical octets of what is unpickled."""
        record: Any = self
        kind: Any = type(self).__mro__[2]  # the class that _origin_type was given
        return kind._make, (tuple(record),)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


@remembered(1024)
def _origin_type(value_type: Any) -> Any:
    """Return the class of root records: the record's own class, with a memory."""
    return type(value_type.__name__, (_Origin, value_type), {})


def bind_outline(
    label: str,
    declared: DeclaredNode,
    needs: tuple[str, ...],
    tables: Mapping[str, Any],
    *,
    own: Any = None,
    table: Table | None = None,
    procedures: Callable[[int, bool, str], DeclaredNode | None] | None = None,
    max_size: int = MAX_SIZE,
    max_values: int = MAX_VALUES,
    head: bool = False,
) -> Layout:
    """Lay out any outline; see `bind`."""
    binding = Binding(label, declared, tables, procedures, max_size, max_values)
    tree = binding.run(needs, own=own, head=head)
    st0 = tables.get("ST0") if "ST0" in needs else None
    order = ">" if st0 is not None and st0.FORMAT_CONTROL_1.DATA_ORDER else "<"

    def rebind(length: int, force_tails: bool) -> Tree:
        return binding.run(needs, own=own, length=length, force_tails=force_tails, head=head)

    return Layout(label, tree, order, table, rebind)


def bind(table: Table, tables: Mapping[str, Any], **options: Any) -> Layout:
    """Lay out a table for one device.

    Args:
        table: its declaration.
        tables: decoded values of the tables it depends on (`Table.depends_on`), by label.
        options: ``own``: octets or value of the table itself, for the few whose layout depends on them (ST0, ST7,
            ST8); ``procedures``: finds a procedure's outline; ``max_size`` octets and ``max_values`` values allowed;
            ``head``: end before the first element that cannot be laid out.

    Raises:
        MissingTables: names what to read first.
        LayoutError: a dimension has no value, or a format code no layout; LimitExceeded: larger than allowed.
        DecodeError: the table's own octets, which decide its layout, end too early or are invalid.
    """
    return bind_outline(table.label, table.outline, table.depends_on, tables, table=table, **options)
