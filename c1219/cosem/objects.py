"""COSEM objects that a meter's tables map to, and what of the tables cannot be mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import Data, DataType, array, name_data
from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.views.rows import RowView

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from c1219.cosem.names import LogicalName
    from c1219.cosem.row import Fidelity
    from c1219.errors import Finding
    from c1219.views.origin import MeterOrigin

__all__ = ["COSEM", "CosemObject", "CosemObjects", "CosemProfile", "ProfileEntry", "Residue"]

COSEM: Final = RowSchema(
    "c1219.cosem/1",
    "One COSEM object that tables of a meter map to.",
    (
        *METER,
        RowColumn("obis", "string", "its logical name", null=False),
        RowColumn("class_id", "int16", "number of its interface class", null=False),
        RowColumn("version", "int16", "version of that class", null=False),
        RowColumn("path", "string", "the element or table that it is made of", null=False),
        RowColumn("map", "word", "E exact, L with a named loss, C by a convention of ours", null=False),
        RowColumn("rows", "words", "rows of the mapping that say so", "specs/cosem.md", null=False),
        RowColumn("remarks", "words", "what is lost or doubtful", null=False),
        RowColumn("attributes", "json", "values by name of the attribute, without buffers", null=False),
    ),
    key=("meter", "class_id", "obis"),
)


class CosemObject:
    """One object.

    Attributes:
        interface: its interface class.
        name: its logical name.
        path: the element or table that it is made of; "" for what stands in several.
        rows: rows of the mapping that say so.
        fidelity: how exact the mapping is.
        remarks: what is lost or doubtful.
    """

    __slots__ = ("_attributes", "fidelity", "interface", "name", "path", "remarks", "rows")

    def __init__(
        self,
        interface: InterfaceClass,
        name: LogicalName,
        path: str,
        attributes: Mapping[int, Data | Callable[[], Data]],
        *,
        rows: tuple[str, ...],
        fidelity: Fidelity,
        remarks: tuple[str, ...] = (),
    ) -> None:
        self.interface = interface
        self.name = name
        self.path = path
        self.rows = rows
        self.fidelity = fidelity
        self.remarks = remarks
        self._attributes = dict(attributes)

    def __repr__(self) -> str:
        return f"<{self.interface.facts.title} {self.name}: {self.path}>"

    @property
    def attributes(self) -> tuple[int, ...]:
        """Numbers of its attributes that have a value, in order; 1 is the logical name."""
        return (1, *sorted(self._attributes))

    def attribute(self, number: int) -> Data | None:
        """Return the value of an attribute; None if it has none.

        Args:
            number: 1 for the logical name.
        """
        if number == 1:
            return name_data(self.name)
        value = self._attributes.get(number)
        return value() if callable(value) else value

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        names = self.interface.facts.attributes
        shown: dict[str, Any] = {}
        for number in self.attributes[1:]:
            value = self.attribute(number)
            if value is not None:
                shown[names[number - 1]] = {"type": value.type.name.lower(), "value": value.plain()}
        return {
            "class_id": int(self.interface), "version": self.interface.facts.version, "obis": str(self.name),
            "path": self.path, "map": self.fidelity, "rows": list(self.rows), "remarks": list(self.remarks),
            "attributes": shown,
        }  # fmt: skip


class ProfileEntry(NamedTuple):
    """One row of a profile.

    Attributes:
        time: when it was captured; None if that is not known.
        cells: a value for each capture object.
    """

    time: dt.datetime | None
    cells: tuple[Data, ...]


class CosemProfile(CosemObject):
    """A profile (class 7), whose rows are made when they are asked for.

    Attributes:
        columns: its capture objects: class, logical name, attribute.
    """

    __slots__ = ("_entries", "_made", "columns")

    def __init__(
        self,
        name: LogicalName,
        path: str,
        attributes: Mapping[int, Data | Callable[[], Data]],
        columns: tuple[tuple[InterfaceClass, LogicalName, int], ...],
        entries: Callable[[], Sequence[ProfileEntry]],
        *,
        rows: tuple[str, ...],
        fidelity: Fidelity,
        remarks: tuple[str, ...] = (),
    ) -> None:
        buffer = {2: lambda: array(Data(DataType.STRUCTURE, entry.cells) for entry in self.entries())}
        super().__init__(
            InterfaceClass.PROFILE_GENERIC, name, path, {**buffer, **attributes},
            rows=rows, fidelity=fidelity, remarks=remarks,
        )  # fmt: skip
        self.columns = columns
        self._entries = entries
        self._made: Sequence[ProfileEntry] | None = None

    def entries(self) -> Sequence[ProfileEntry]:
        """Return its rows, the oldest first."""
        if self._made is None:
            self._made = self._entries()
        return self._made


class Residue(NamedTuple):
    """Something that cannot be mapped.

    Attributes:
        path: the element or table.
        what: what it is, in words.
        rows: rows of the mapping that say so.
        reason: why it cannot be mapped.
    """

    path: str
    what: str
    rows: tuple[str, ...]
    reason: str


class CosemObjects(RowView[CosemObject]):
    """What a meter is in COSEM.

    Attributes:
        rows: its objects, in order of class and name.
        residue: what cannot be mapped, with the reason.
        findings: what is missing or wrong.
        origin: which meter they are of.
        names: logical names by element, or by channel such as ``LP1.CH2``.
    """

    __slots__ = ("_by_name", "findings", "names", "origin", "residue", "rows")

    schema = COSEM

    def __init__(
        self,
        rows: tuple[CosemObject, ...],
        residue: tuple[Residue, ...],
        findings: tuple[Finding, ...],
        origin: MeterOrigin,
        names: Mapping[str, LogicalName],
    ) -> None:
        self.rows = rows
        self.residue = residue
        self.findings = findings
        self.origin = origin
        self._by_name: dict[tuple[int, LogicalName], CosemObject] = {(row.interface, row.name): row for row in rows}
        self.names = names

    def __repr__(self) -> str:
        return f"<{len(self.rows)} COSEM objects, {len(self.residue)} elements without one>"

    def get(self, interface: int, name: LogicalName) -> CosemObject | None:
        """Return the object of a class and name; None if there is none."""
        return self._by_name.get((interface, name))

    def path_of(self, name: LogicalName) -> str | None:
        """Return the element or table that a logical name stands for in this meter; None if it has no such object."""
        return next((row.path for row in self.rows if row.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """Return them in terms of JSON; a buffer is an array of rows."""
        return {
            "objects": [row.as_dict() for row in self.rows],
            "residue": [{**one._asdict(), "rows": list(one.rows)} for one in self.residue],
            "findings": [finding._asdict() for finding in self.findings],
        }

    def table_rows(self) -> Iterator[Sequence[Any]]:
        for row in self.rows:
            facts = row.interface.facts
            values = {number: row.attribute(number) for number in row.attributes[1:] if not _is_buffer(row, number)}
            shown = {
                facts.attributes[number - 1]: value.plain() for number, value in values.items() if value is not None
            }
            yield (
                self.origin.meter, self.origin.node, str(row.name), int(row.interface), facts.version, row.path,
                row.fidelity, row.rows, row.remarks, shown,
            )  # fmt: skip


def _is_buffer(row: CosemObject, number: int) -> bool:
    return row.interface.facts.attributes[number - 1] == "buffer"
