"""Tables of one meter: octets, layouts, values; what views and rules read.

tables = TableSet({0: st0_octets, 21: st21_octets, "ST23": st23_octets, "MT1": mt1_octets})
tables[23].value.TOT_DATA_BLOCK.SUMMATIONS[0]
tables.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")      # what to read for this one number
tables.missing()                                        # what to read next to understand what is here
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from c1219.engine.binding import MAX_SIZE, MAX_VALUES
from c1219.engine.declared import DeclaredNothing, DeclaredRecord, dependencies, in_record, table_order
from c1219.engine.layout import Decoded, Element, Layout, bind, bind_outline
from c1219.engine.sharing import TableValues, shared
from c1219.errors import C1219Error, DecodeError, LayoutError, MissingTables, UnknownElement, UnknownTable
from c1219.registry import Registry, default_registry
from c1219.stretches import Stretches
from c1219.tableid import table_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.engine.declared import DeclaredNode
    from c1219.errors import Finding
    from c1219.schema import Procedure, Table

__all__ = ["TableImage", "TableSet"]


class TableImage:
    """One table of a set.

    Attributes:
        label: short name, for example ``ST23``.
        raw: its octets; where only parts of it are known, those that are known from its start on.
        pieces: octets by offset, where only parts of it are known; else None.
    """

    __slots__ = ("_known", "_tables", "label", "pieces", "raw")

    def __init__(self, tables: TableSet, label: str, octets: bytes | Stretches) -> None:
        self._tables = tables
        self.label = label
        self._known = octets
        self.raw: bytes = octets.head if isinstance(octets, Stretches) else octets
        self.pieces: Mapping[int, bytes] | None = octets.pieces if isinstance(octets, Stretches) else None

    def __repr__(self) -> str:
        if self.pieces is None:
            return f"<{self.label}: {len(self.raw)} octets>"
        return f"<{self.label}: {sum(map(len, self.pieces.values()))} octets in {len(self.pieces)} pieces>"

    def read(self, start: int, end: int) -> bytes | None:
        """Return the octets from one offset to another, None if they are not all here."""
        if isinstance(self._known, Stretches):
            return self._known.read(start, end)
        return self.raw[start:end] if end <= len(self.raw) else None

    def examine(self) -> Decoded:
        """Decode it anew; see `TableSet.decoded`."""
        layout = self.layout
        known = self._known
        return layout.examine_stretches(known) if isinstance(known, Stretches) else layout.examine(known)

    @property
    def table(self) -> Table:
        """Its declaration.

        Raises:
            UnknownTable: nobody declared it.
        """
        return self._tables.declaration(self.label)

    @property
    def layout(self) -> Layout:
        """Its layout here.

        Raises:
            UnknownTable, MissingTables, LayoutError: it cannot be laid out.
        """
        return self._tables.bind(self.label)

    @property
    def value(self) -> Any:
        """Its record. Elements without a value are `Raw`, and `findings` says why; a strict set raises instead.

        Raises:
            UnknownTable, MissingTables, LayoutError: it cannot be laid out; DecodeError: in a strict set.
        """
        if self._tables.strict:
            size = self.layout.size
            if self.pieces is not None and self.read(0, size) is None:
                raise DecodeError(self.label, len(self.raw), f"not all of its {size} octets are known")
            return self.layout.decode(self.raw)
        return self._tables.decoded(self.label).value

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong or unusual in it.

        Raises:
            UnknownTable, MissingTables, LayoutError: it cannot be laid out.
        """
        return self._tables.decoded(self.label).findings

    def to_json(self) -> Any:
        """Return its value in terms of JSON; see `Layout.to_json`."""
        return self.layout.to_json(self.value)


class _Values(Mapping[str, Any]):
    """The values of tables by label, decoded when asked for."""

    def __init__(self, tables: TableSet) -> None:
        self._tables = tables

    def __getitem__(self, label: str) -> Any:
        return self._tables.decoded(label).value

    def __contains__(self, label: object) -> bool:
        return isinstance(label, str) and label in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class TableSet:
    """Tables of one meter. Layouts and values are made when asked for, and again when what they depend on changes.

    Args:
        tables: octets by number, ``"STn"`` or ``"MTn"``.
        registry: declared tables; the default registry if None.
        strict: whether `TableImage.value` raises on elements without a value, instead of giving `Raw`.
        node: what else is known of the meter, for example its ApTitle; kept in the device file.
        max_size: octets of the largest table that is laid out.
        max_values: leaf values of the largest table that is laid out.
    """

    def __init__(
        self,
        tables: Mapping[int | str, bytes] | None = None,
        *,
        registry: Registry | None = None,
        strict: bool = False,
        node: Mapping[str, Any] | None = None,
        max_size: int = MAX_SIZE,
        max_values: int = MAX_VALUES,
    ) -> None:
        self.registry = registry or default_registry()
        self.strict = strict
        self.node: dict[str, Any] = dict(node or {})
        self.max_size = max_size
        self.max_values = max_values
        self._images: dict[str, TableImage] = {}
        self._layouts: dict[str, Layout] = {}
        self._decoded: dict[str, Decoded] = {}
        for key, octets in (tables or {}).items():
            self.put(key, octets)

    def __getstate__(self) -> dict[str, Any]:
        """Pickle and copy the octets; layouts and values are made again when asked for."""
        octets = {label: image.pieces or image.raw for label, image in self._images.items()}
        return self.__dict__ | {"node": dict(self.node), "_images": octets, "_layouts": {}, "_decoded": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._images = {
            label: TableImage(self, label, octets if isinstance(octets, bytes) else Stretches(octets))
            for label, octets in state["_images"].items()
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} with {', '.join(self) or 'no tables'}>"

    # --- the tables

    def put(self, key: int | str, octets: bytes) -> TableImage:
        """Set the octets of a table; layouts that depend on it are made anew.

        Raises:
            UnknownTable: the key names no table.
        """
        label = table_label(key)
        raw = bytes(octets)
        image = self._images.get(label)
        if image is None or image.raw != raw or image.pieces is not None:
            image = self._images[label] = TableImage(self, label, raw)
            self._forget(label)
        return image

    def put_pieces(self, key: int | str, pieces: Mapping[int, bytes]) -> TableImage:
        """Set what is known of a table of which only parts are; elements that are not known are None in its value.

        Args:
            key: the table.
            pieces: octets by offset; a later one goes before an earlier one.

        Raises:
            UnknownTable: the key names no table.
        """
        label = table_label(key)
        known = Stretches(pieces)
        image = self._images.get(label)
        if image is None or image.pieces != known.pieces:
            image = self._images[label] = TableImage(self, label, known)
            self._forget(label)
        return image

    def drop(self, key: int | str) -> None:
        """Forget a table, if it is here."""
        label = table_label(key)
        if self._images.pop(label, None) is not None:
            self._forget(label)

    def get(self, key: int | str) -> TableImage | None:
        """Return a table, or None if it is not here."""
        return self._images.get(table_label(key))

    def __getitem__(self, key: int | str) -> TableImage:
        """Return a table.

        Raises:
            UnknownTable: it is not here, or the key names no table.
        """
        label = table_label(key)
        image = self._images.get(label)
        if image is None:
            raise UnknownTable(f"{label} is not here")
        return image

    def __contains__(self, key: int | str) -> bool:
        return table_label(key) in self._images

    def __iter__(self) -> Iterator[str]:
        """Yield the labels of the tables that are here, by number."""
        return iter(sorted(self._images, key=table_order))

    def __len__(self) -> int:
        return len(self._images)

    def _forget(self, label: str) -> None:
        """Drop what was made from this table, and from tables that depend on it."""
        gone = {label}
        if label == "ST0":
            self._layouts.clear()
            self._decoded.clear()
            return
        grown = True
        while grown:
            grown = False
            for name, layout in self._layouts.items():
                if name not in gone and layout.table is not None and gone.intersection(layout.table.depends_on):
                    gone.add(name)
                    grown = True
        for name in gone:
            self._decoded.pop(name, None)
            if name != label or self._needs_own(name):
                self._layouts.pop(name, None)

    def _needs_own(self, label: str) -> bool:
        layout = self._layouts.get(label)
        return layout is not None and layout.table is not None and layout.table.needs_own_octets

    # --- declarations and layouts

    @property
    def device_class(self) -> bytes | None:
        """ST0.DEVICE_CLASS (1997: MANUFACTURER), four octets; None without ST0."""
        image = self._images.get("ST0")
        return image.raw[3:7] if image is not None and len(image.raw) >= 7 else None

    def declaration(self, key: int | str) -> Table:
        """Return the declaration of a table, of this device's class if there is one.

        Raises:
            UnknownTable: nobody declared it.
        """
        return self.registry.table(key, self.device_class)

    def bind(self, key: int | str) -> Layout:
        """Return the layout of a table, whether its octets are here or not.

        Raises:
            UnknownTable: nobody declared it.
            MissingTables: it depends on tables that are not here; names what to read first.
            LayoutError: it cannot be laid out; LimitExceeded: it would be too large.
            DecodeError: octets that its layout depends on are invalid.
        """
        label = table_label(key)
        layout = self._layouts.get(label)
        if layout is None:
            table = self.declaration(label)
            image = self._images.get(label)
            layout = self._bound(table, image.raw if image is not None and table.needs_own_octets else None)
            self._layouts[label] = layout
        return layout

    def _bound(self, table: Table, own: Any) -> Layout:
        needs = table.depends_on
        self._check_for(table.label, needs)
        limits = self._limits
        if table.needs_own_octets and not (table.label == "ST0" and isinstance(own, bytes)):
            return bind(table, _Values(self), own=own, procedures=self._procedure_outline, **limits)

        def make() -> Layout:
            values = TableValues(needs, lambda label: self.decoded(label).value)
            layout = bind(table, values, own=own, **limits)
            values.keep()
            return layout

        images = [self._images[name] for name in self._closure(needs)]
        octets = tuple([one.raw if one.pieces is None else tuple(one.pieces.items()) for one in images])
        return shared((id(table), own, *limits.values(), octets), make)

    @property
    def _limits(self) -> dict[str, Any]:
        return {"max_size": self.max_size, "max_values": self.max_values}

    def _closure(self, needs: tuple[str, ...]) -> tuple[str, ...]:
        """Return tables that are needed, and those that these need, in a fixed order."""
        found: dict[str, None] = {}
        for name in needs:
            found.update(dict.fromkeys(self._closure(self.declaration(name).depends_on)))
            found[name] = None
        return tuple(found)

    def _values_for(self, label: str, needs: tuple[str, ...]) -> _Values:
        self._check_for(label, needs)
        return _Values(self)

    def _check_for(self, label: str, needs: tuple[str, ...]) -> None:
        missing = self._missing_for(needs, [label])
        if missing:
            raise MissingTables(label, tuple(missing))

    def _missing_for(self, needs: tuple[str, ...], above: list[str]) -> list[str]:
        """Return what must be read before these tables can be used, dependencies first."""
        missing: list[str] = []
        for name in needs:
            if name in above:
                raise LayoutError(above[0], f"its layout depends on itself: {' -> '.join([*above, name])}")
            found = self._missing_for(self.declaration(name).depends_on, [*above, name])
            if name not in self._images:
                found.append(name)
            missing += [other for other in found if other not in missing]
        return missing

    def decoded(self, key: int | str) -> Decoded:
        """Return value and findings of a table that is here; elements without a value are `Raw`.

        Raises:
            UnknownTable, MissingTables, LayoutError, DecodeError: it is not here or cannot be laid out.
        """
        label = table_label(key)
        found = self._decoded.get(label)
        if found is None:
            found = self._decoded[label] = self[label].examine()
        return found

    def layout(self, path: str) -> Element:
        """Find an element, record, array, slice or table by its full name.

        Args:
            path: for example ``ST23.TOT_DATA_BLOCK.SUMMATIONS[0]``, ``ST26.SELF_READS_ENTRIES[0:2]`` or ``ST23``.

        Returns:
            Where it is: offset, size, count, index path, type; with its own decode and encode.

        Raises:
            UnknownTable, UnknownElement: there is none; AbsentElement: it takes no octets in this device.
            MissingTables, LayoutError, DecodeError: the table cannot be laid out.
        """
        return self._find(path)[1]

    def _find(self, path: str) -> tuple[Layout, Element]:
        label, _, below = path.partition(".")
        bracket = label.find("[")
        if bracket >= 0:
            raise UnknownElement(f"{label[:bracket]} is a record and no array")
        layout = self.bind(label)
        return layout, layout.element(below)

    def value(self, path: str) -> Any:
        """Return the value of one element, record, array or slice by its full name.

        Raises:
            what `layout` raises; UnknownTable: the table is not here; DecodeError: the element has no value.
        """
        layout, element = self._find(path)
        image = self[element.table]
        if image.pieces is not None:
            return element.decode(self._own(image, element))
        raw = image.raw
        fitting = layout.fitting(len(raw))
        if fitting is not None and fitting is not layout:
            element = fitting.element(path.partition(".")[2])
        return element.get(raw)

    def change(self, path: str, value: Any) -> TableImage:
        """Set the value of one element, record, array or slice; the rest of its table stays as it is.

        Raises:
            what `value` raises; EncodeError: the value has no form on the wire.
        """
        element = self.layout(path)
        image = self[element.table]
        if image.pieces is None:
            return self.put(element.table, element.put(image.raw, value))
        changed = element.put(bytes(element.offset) + self._own(image, element), value)[element.offset :]
        return self.put_pieces(element.table, {**image.pieces, element.offset: changed})

    def holds(self, path: str) -> bool:
        """Return whether all octets of an element, record, array or slice are here.

        Raises:
            what `layout` raises.
        """
        element = self.layout(path)
        image = self.get(element.table)
        return image is not None and image.read(element.offset, element.offset + element.size) is not None

    def _own(self, image: TableImage, element: Element) -> bytes:
        own = image.read(element.offset, element.offset + element.size)
        if own is None:
            raise DecodeError(element.path, element.offset, "its octets are not known")
        return own

    def variant(self, path: str) -> Decoded | None:
        """Decode octets that mean different things, as the element beside them says.

        ST4's EVENT_STORAGE and the arguments of log entries are such octets.

        Args:
            path: for example ``ST76.ENTRIES[0].EVENT_ARGUMENT``.

        Returns:
            Value and findings; None if nothing is known of this case. Octets after a shorter form are not looked at;
            a longer form is cut where the octets end.

        Raises:
            UnknownElement: it has no variants; and what `value` raises.
        """
        element = self.layout(path)
        declared: Any = getattr(element.node, "declared", None)
        if not hasattr(declared, "outlines"):
            raise UnknownElement(f"{path} has no variants")
        outline = declared.chosen(self.value(path.rpartition(".")[0]))
        if outline is None:
            return None
        needs, _ = dependencies(outline)
        values = self._values_for(element.table, needs)
        layout = bind_outline(path, in_record(outline), needs, values, **self._limits)
        octets = self.value(path)[: layout.size]
        value, findings = layout.examine(octets)
        offset = element.offset
        moved = tuple(finding._replace(offset=(finding.offset or 0) + offset) for finding in findings)
        return Decoded(value if isinstance(outline, DeclaredRecord) else value[0], moved)

    # --- octets that are not put into the device

    def decode(self, key: int | str, octets: bytes) -> Decoded:
        """Decode octets as a table of this device, without keeping them.

        Raises:
            UnknownTable, MissingTables, LayoutError, DecodeError: the table cannot be laid out.
        """
        return self.layout_of(key, octets).examine(octets)

    def encode(self, key: int | str, value: Any) -> bytes:
        """Make the octets of a table of this device from a record.

        Raises:
            UnknownTable, MissingTables, LayoutError: the table cannot be laid out.
            EncodeError: the value has no form on the wire.
        """
        return self.layout_of(key, value).encode(value)

    def layout_of(self, key: int | str, own: Any) -> Layout:
        """Return the layout of a table for octets, or a value, that are not in the device.

        Only for ST0, ST7, ST8 and opaque tables it is another one than `bind` gives.

        Raises:
            what `bind` raises.
        """
        table = self.declaration(key)
        return self._bound(table, own) if table.needs_own_octets else self.bind(key)

    def layout_of_piece(
        self, key: int | str, octets: bytes, *, offset: int = 0, indices: tuple[int, ...] | None = None
    ) -> tuple[Layout, int]:
        """Return the layout for a piece of a table, and the offset where the piece starts.

        Of ST0, ST7 and ST8 that are not here, a piece that starts with the table, or lies before all that depends on
        its octets, has a layout. Raises what `bind` raises; UnknownElement: the table has no such index path.
        """
        label = table_label(key)
        table = self.declaration(label)
        if label in self._images or not table.needs_own_octets:
            layout = self.bind(label)
            return layout, offset if indices is None else layout.at_index(indices).offset
        values = self._values_for(label, table.depends_on)
        head = bind(table, values, procedures=self._procedure_outline, head=True, **self._limits)
        if indices is not None:
            offset = head.at_index(indices).offset if indices[0] < len(head.root.parts) else head.size
        if offset + len(octets) <= head.size:
            return head, offset
        return self.layout_of(label, octets) if offset == 0 else self.bind(label), offset

    def decode_partial(self, key: int | str, offset: int, octets: bytes) -> Decoded:
        """Decode a piece of a table, as an offset read gives it; see `Layout.partial`.

        Raises:
            UnknownTable, MissingTables, LayoutError, DecodeError: the table cannot be laid out.
        """
        layout, start = self.layout_of_piece(key, octets, offset=offset)
        return layout.partial(start, octets)

    # --- procedures

    def procedure(self, number: int, *, manufacturer: bool = False) -> Procedure:
        """Return the declaration of a procedure, of this device's class if there is one.

        Raises:
            UnknownTable: nobody declared it.
        """
        return self.registry.procedure(number, manufacturer=manufacturer, device_class=self.device_class)

    def _procedure_outline(self, number: int, manufacturer: bool, side: str) -> DeclaredNode | None:
        try:
            procedure = self.procedure(number, manufacturer=manufacturer)
        except UnknownTable:
            return None
        outline = procedure.outlines[side]
        self._values_for(procedure.label, dependencies(outline)[0])
        return outline

    def procedure_layout(self, number: int, side: str, *, manufacturer: bool = False) -> Layout | None:
        """Return the layout of a procedure's ``parameters`` or ``response`` alone; None if it has none.

        Raises:
            UnknownTable: nobody declared the procedure; MissingTables, LayoutError: it cannot be laid out.
        """
        procedure = self.procedure(number, manufacturer=manufacturer)
        outline = procedure.outlines[side]
        if isinstance(outline, DeclaredNothing):
            return None
        needs, _ = dependencies(outline)
        values = self._values_for(procedure.label, needs)
        label = f"{procedure.label}.{side}"
        return bind_outline(label, outline, needs, values, **self._limits)

    # --- the whole device

    def missing(self) -> tuple[str, ...]:
        """Return the tables to read next to understand what is here, dependencies first; ST0 first of all."""
        found: list[str] = []
        for label in self:
            try:
                needs = (*self.declaration(label).depends_on, "ST0")
                missing = self._missing_for(needs if label != "ST0" else (), [label])
            except C1219Error:
                continue
            found += [name for name in missing if name not in found]
        return tuple(sorted(found, key=lambda name: name != "ST0"))
