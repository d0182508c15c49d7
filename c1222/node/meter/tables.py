"""The tables of one meter, as octets that change: elements read and written by name, and what changed since last asked.

What a meter never changed is the profile's and takes no memory of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1219.errors import C1219Error, LayoutError, UnknownTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from c1219.engine.layout import Element, Layout
    from c1222.node.meter.configuration import Shape
    from c1222.node.meter.profile import Profile

__all__ = ["Tables"]


class Tables:
    """The tables of one meter.

    Args:
        profile: what it is made from.
        number: which of the profile's meters it is, the first being 0.
        saved: what was saved of it, by label; labels that begin with P are pending tables.

    Attributes:
        shape: its configuration.
    """

    __slots__ = ("_changed", "_dirty", "_factory", "_profile", "shape")

    def __init__(self, profile: Profile, number: int, saved: Mapping[str, bytes]) -> None:
        self._profile = profile
        self._factory = profile.own_tables(number)
        self._changed = dict(saved)
        self._dirty: set[str] = set()
        self.shape: Shape = profile.shapes.get(self.all())

    def get(self, label: str) -> bytes | None:
        """Return the octets of a table, None if there is none."""
        octets = self._changed.get(label)
        if octets is None:
            octets = self._factory.get(label)
            if octets is None:
                octets = self._profile.tables.get(label)
        return octets

    def __getitem__(self, label: str) -> bytes:
        """Return the octets of a table.

        Raises:
            UnknownTable: there is none.
        """
        octets = self.get(label)
        if octets is None:
            raise UnknownTable(f"{label} is not here")
        return octets

    def __contains__(self, label: str) -> bool:
        return self.get(label) is not None

    def all(self) -> dict[str, bytes]:
        """Return all tables that are in effect."""
        changed = {label: octets for label, octets in self._changed.items() if label[0] != "P"}
        return {**self._profile.tables, **self._factory, **changed}

    def pending(self) -> list[str]:
        """Return the labels of the pending tables, such as ``PST54``."""
        return [label for label in self._changed if label[0] == "P"]

    def put(self, label: str, octets: bytes) -> None:
        """Set the octets of a table.

        Raises:
            C1219Error: with these octets some table could not be laid out. Nothing is changed then.
        """
        if self.get(label) == octets:
            return
        if label in self._profile.shapes.labels:
            self._reshape({**self.all(), label: octets})
        self._changed[label] = octets
        self._dirty.add(label)

    def remove(self, label: str) -> None:
        """Forget a pending table."""
        if self._changed.pop(label, None) is not None:
            self._dirty.add(label)

    def restore(self, labels: Iterable[str] | None = None) -> None:
        """Give tables back the octets they were made with; all of them, and no pending ones, when None."""
        for label in list(self._changed) if labels is None else labels:
            self.remove(label)
        self.shape = self._profile.shapes.get(self.all())

    def _reshape(self, tables: dict[str, bytes]) -> None:
        """Take another configuration; tables whose size changes start over, filled with zeros."""
        shape = self._profile.shapes.get(tables)
        if shape.value("ST0") is None:
            raise LayoutError("ST0", "an element of it has no value")
        emptied: dict[str, bytes] = {}
        for label, octets in tables.items():
            before = self.shape.layout(label)
            if before is None or before.open_end or before.fitting(len(octets)) is None:
                continue
            after = shape.device.bind(label)
            if after.size != before.size:
                emptied[label] = bytes(after.size)
        self.shape = shape
        for label, octets in emptied.items():
            if label not in self._profile.shapes.labels:
                self._changed[label] = octets
                self._dirty.add(label)

    def take_changes(self) -> dict[str, bytes | None]:
        """Return what changed since the last call, None for what is gone."""
        changes = {label: self._changed.get(label) for label in self._dirty}
        self._dirty.clear()
        return changes

    def is_whole(self, label: str) -> bool:
        """Return whether a table is here, with as many octets as its layout has."""
        layout, octets = self.shape.layout(label), self.get(label)
        return layout is not None and octets is not None and layout.size == len(octets)

    # Elements by name.

    def layout(self, label: str) -> Layout | None:
        """Return the layout of a table, None if there is none for it."""
        return self.shape.layout(label)

    def element(self, path: str) -> Element:
        """Find an element by its full name, such as ``ST3.ED_MODE``; see `Shape.element`."""
        return self.shape.element(path)

    def has(self, path: str) -> bool:
        """Return whether there is such an element, and the table has its octets."""
        if not self.shape.has(path):
            return False
        element = self.shape.element(path)
        return element.offset + element.size <= len(self.get(element.table) or b"")

    def value(self, path: str) -> Any:
        """Return the value of an element.

        Raises:
            C1219Error: there is no such element, or it has no value.
        """
        element = self.shape.element(path)
        return element.get(self[element.table])

    def find(self, path: str, default: Any = None) -> Any:
        """Return the value of an element; a default when there is none."""
        try:
            return self.value(path)
        except C1219Error:
            return default

    def set(self, path: str, value: Any) -> None:
        """Set the value of an element.

        Raises:
            C1219Error: there is no such element, or the value has no form in it.
        """
        element = self.shape.element(path)
        self.put(element.table, element.put(self[element.table], value))

    def splice(self, label: str, offset: int, octets: bytes) -> None:
        """Replace octets of a table; it keeps its length.

        Raises:
            UnknownTable: there is none.
        """
        whole = self[label]
        self.put(label, whole[:offset] + octets + whole[offset + len(octets) :])
