"""Tables of one meter: octets, layouts, values; what views and rules read.

tables = TableSet({0: st0_octets, 21: st21_octets, "ST23": st23_octets, "MT1": mt1_octets})
tables[23].value.TOT_DATA_BLOCK.SUMMATIONS[0]
tables.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")      # what to read for this one number
tables.missing()                                        # what to read next to understand what is here
"""

from __future__ import annotations

from typing import Any

from c1219.engine.declared import DeclaredNothing, DeclaredRecord, dependencies, in_record
from c1219.engine.layout import Decoded, Element, Layout, bind, bind_outline
from c1219.errors import DecodeError, UnknownElement
from c1219.tableid import table_label
from c1219.tableimages import TableImage, TableImages

__all__ = ["TableImage", "TableSet"]


class TableSet(TableImages):
    """Tables of one meter, with each element by name. Arguments are those of `TableImages`."""

    # --- elements by name

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
