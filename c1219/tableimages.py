"""The tables of one meter: their octets, and the layouts and values that are made of them when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from c1219.engine.binding import MAX_SIZE, MAX_VALUES
from c1219.engine.declared import dependencies, table_order
from c1219.engine.layout import Decoded, Layout, bind
from c1219.engine.sharing import TableValues, shared
from c1219.errors import C1219Error, DecodeError, LayoutError, MissingTables, UnknownTable
from c1219.registry import Identity, Registry, default_registry
from c1219.stretches import Stretches
from c1219.tableid import table_label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.engine.declared import DeclaredNode
    from c1219.errors import Finding
    from c1219.schema import Procedure, Table

__all__ = ["TableImage", "TableImages"]


class TableImage:
    """One table of a meter.

    Attributes:
        label: short name, for example ``ST23``.
        raw: its octets; where only parts of it are known, those that are known from its start on.
        pieces: octets by offset, where only parts of it are known; else None.
    """

    __slots__ = ("_known", "_tables", "label", "pieces", "raw")

    def __init__(self, tables: TableImages, label: str, octets: bytes | Stretches) -> None:
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
        """Decode it anew; see `TableImages.decoded`."""
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
        """Its record. Elements without a value are `Raw`, and `findings` says why; a strict device raises instead.

        Raises:
            UnknownTable, MissingTables, LayoutError: it cannot be laid out; DecodeError: in a strict device.
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

    def __init__(self, tables: TableImages) -> None:
        self._tables = tables

    def __getitem__(self, label: str) -> Any:
        return self._tables.decoded(label).value

    def __contains__(self, label: object) -> bool:
        return isinstance(label, str) and label in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


class TableImages:
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
        if label == "ST0" or label in self.registry.conditions:
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
        return self._known(table_label(key)).table(key, self.device_class)

    def _known(self, label: str = "") -> Registry:
        """Return the declarations for this device; those of the tables that decide on them are for all devices."""
        registry = self.registry
        conditions = registry.conditions
        if not conditions or label == "ST0" or label in conditions:
            return registry
        return registry.fitting(self._identity())

    def _identity(self) -> Identity | None:
        try:
            said = self.decoded("ST1").value
            maker, model = [text.rstrip(" \0") for text in (said.MANUFACTURER, said.ED_MODEL)]
            return Identity(maker, model, (said.FW_VERSION_NUMBER, said.FW_REVISION_NUMBER))
        except (C1219Error, AttributeError):  # not here, or with octets that are no text
            return None

    def is_bound(self, key: int | str) -> bool:
        """Return whether the layout of a table was asked for, and what it depends on is as it was then."""
        return table_label(key) in self._layouts

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
        needed: dict[str, None] = {}
        for name in needs:
            needed.update(dict.fromkeys(self._closure(self.declaration(name).depends_on)))
            needed[name] = None
        return tuple(needed)

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
            first = self._missing_for(self.declaration(name).depends_on, [*above, name])
            if name not in self._images:
                first.append(name)
            missing += [other for other in first if other not in missing]
        return missing

    def decoded(self, key: int | str) -> Decoded:
        """Return value and findings of a table that is here; elements without a value are `Raw`.

        Raises:
            UnknownTable, MissingTables, LayoutError, DecodeError: it is not here or cannot be laid out.
        """
        label = table_label(key)
        decoded = self._decoded.get(label)
        if decoded is None:
            decoded = self._decoded[label] = self[label].examine()
        return decoded

    # --- procedures

    def procedure(self, number: int, *, manufacturer: bool = False) -> Procedure:
        """Return the declaration of a procedure, of this device's class if there is one.

        Raises:
            UnknownTable: nobody declared it.
        """
        return self._known().procedure(number, manufacturer=manufacturer, device_class=self.device_class)

    def _procedure_outline(self, number: int, manufacturer: bool, side: str) -> DeclaredNode | None:
        try:
            procedure = self.procedure(number, manufacturer=manufacturer)
        except UnknownTable:
            return None
        outline = procedure.outlines[side]
        self._values_for(procedure.label, dependencies(outline)[0])
        return outline

    # --- what is not here yet

    def missing(self) -> tuple[str, ...]:
        """Return the tables to read next to understand what is here, dependencies first; ST0 first of all."""
        wanted: list[str] = []
        for label in self:
            try:
                needs = (*self.declaration(label).depends_on, "ST0")
                missing = self._missing_for(needs if label != "ST0" else (), [label])
            except C1219Error:
                continue
            wanted += [name for name in missing if name not in wanted]
        return tuple(sorted(wanted, key=lambda name: name != "ST0"))
