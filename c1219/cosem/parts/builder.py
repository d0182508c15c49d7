"""What is needed to map one meter: its tables, how its times are meant, and the objects found so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from c1219.cosem.data import ANY, NOT_GIVEN, Data, clock_octets, octet_string
from c1219.cosem.names import LogicalName
from c1219.cosem.numbers import Scale
from c1219.cosem.objects import CosemObject, Residue
from c1219.cosem.quantities import ROWS, name_of
from c1219.rules.sources import NO_SOURCE
from c1219.views.clock import clock
from c1219.views.records import record
from c1219.views.sources import sources_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Mapping

    from c1219.cosem.classes import InterfaceClass
    from c1219.cosem.quantities import NamedQuantity, ValueKind
    from c1219.errors import Finding
    from c1219.rules.sources import Source
    from c1219.tableset import TableImage, TableSet

__all__ = ["CLOCK_NAME", "STATUS_NAME", "UNKNOWN_TIME", "Builder", "ValueColumn"]

CLOCK_NAME: Final = LogicalName(0, 0, 1, 0, 0)
STATUS_NAME: Final = LogicalName(0, 0, 96, 10, 1)
UNKNOWN_TIME: Final = octet_string(bytes((ANY,) * 9) + NOT_GIVEN)


class ValueColumn:
    """Values of one kind of one source: what they are called, and how they are written.

    Attributes:
        named: what they are called.
        source: what they measure.
        scale: how they are written; None if they cannot be mapped.
        reason: why not.
        channel: value group B.
    """

    __slots__ = ("_names", "channel", "named", "reason", "scale", "source")

    def __init__(self, named: NamedQuantity, source: Source, wire: str, multiplier: Any, offset: Any) -> None:
        self.named = named
        self.source = source
        self.channel = 0
        self._names: dict[tuple[int | None, int], LogicalName] = {}
        self.scale: Scale | None = None
        self.reason = named.remarks[0] if named.name is None else ""
        if named.name is not None and source.pulses:
            self.reason = "they are pulses, and what one is worth is not known"
        elif named.name is not None and source.unit is None:
            self.reason = "; ".join(source.unresolved) or "the unit is not known"
        elif named.name is not None:
            self.scale = Scale(wire, multiplier, offset, signed=named.signed, unit=named.unit)

    @property
    def name(self) -> LogicalName:
        """The logical name of the total."""
        name = self.named.name or LogicalName(0, 0, 0, 0, 0)
        return name._replace(b=self.channel) if self.channel else name

    def name_of(self, tier: int | None, period: int) -> LogicalName:
        """Return the logical name of a tier and period.

        Args:
            tier: of use, 0 for the first; None for the total.
            period: value group F.
        """
        key = tier, period
        found = self._names.get(key)
        if found is None:
            name = self.name
            found = self._names[key] = name._replace(e=name.e if tier is None else tier + 1, f=period)
        return found


class Builder:
    """Collects what one meter maps to.

    Args:
        device: the tables of the meter.
        zone: where the meter is, if the caller knows.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
        undirected: what a power or energy without quadrants counts, if the caller knows.
        fetch: puts a table into the device that is not there yet.
        listed: labels of tables that `fetch` can get.
    """

    def __init__(
        self,
        device: TableSet,
        *,
        zone: dt.tzinfo | None,
        local_counters: bool,
        undirected: Literal["delivered"] | None,
        fetch: Callable[[str], None] | None = None,
        listed: Collection[str] = (),
    ) -> None:
        self.device = device
        self.options: dict[str, Any] = {"zone": zone, "local_counters": local_counters}
        self.undirected = undirected
        self.fetch = fetch
        self.listed = frozenset(listed)
        self.findings: list[Finding] = []
        self.objects: dict[tuple[InterfaceClass, LogicalName], CosemObject] = {}
        self.residue: list[Residue] = []
        self.paths: dict[str, LogicalName] = {}
        self.st0 = self.record(0)
        self.sources = sources_of(device)
        self.clock = clock(device, **self.options)
        self._columns: dict[tuple[ValueKind, int], ValueColumn] = {}

    def record(self, table: int, *, cut: bool = False) -> Any:
        """Return the record of a standard table, None if there is none that can be used."""
        return record(self.device, table, self.findings, cut=cut) if self.device.get(table) is not None else None

    def has(self, table: int) -> bool:
        """Return whether a standard table is here, or can be fetched."""
        label = f"ST{table}"
        return label in self.listed or self.device.get(label) is not None

    def image(self, label: str) -> TableImage:
        """Return a table, which is fetched if it is not here.

        Raises:
            MissingTables: it is not here.
        """
        if self.fetch is not None:
            self.fetch(label)
        return self.device[label]

    # --- what is found

    def add(self, found: CosemObject, *paths: str) -> CosemObject:
        """Keep an object, and the elements that it stands for; of two with one name the first is kept."""
        kept = self.objects.setdefault((found.interface, found.name), found)
        for path in (found.path, *paths):
            if path:
                self.paths[path] = kept.name
        return kept

    def plain(
        self,
        row: str,
        interface: InterfaceClass,
        name: LogicalName,
        path: str,
        attributes: Mapping[int, Data | Callable[[], Data]],
    ) -> None:
        """Keep an object that one row of the mapping names."""
        facts = ROWS[row]
        remarks = (facts.residue,) if facts.residue else ()
        self.add(CosemObject(interface, name, path, attributes, rows=(row,), fidelity=facts.fidelity, remarks=remarks))

    def leave(self, row: str, path: str, what: str, reason: str = "") -> None:
        """Say what cannot be mapped; the reason is that of the row if none is given."""
        self.residue.append(Residue(path, what, (row,), reason or ROWS[row].residue))

    # --- numbers

    def column(self, kind: ValueKind, index: int | None, wire: str, source: Source | None = None) -> ValueColumn | str:
        """Return how values of a source are named and written, or why that is not known.

        Args:
            kind: what sort of values.
            index: of the source; None if no table names it.
            wire: name of the type that they have in the tables.
            source: with what is applied to them before; that of the index if None.
        """
        if index is None or index == NO_SOURCE:
            return "no table names the source"
        key = (kind, index)
        found = self._columns.get(key)
        if found is None:
            source = source or self.sources.describe(index)
            if source.uom is None:
                return "; ".join(source.unresolved) or "the source is not described"
            named = name_of(source.uom, kind, undirected=self.undirected)
            found = self._columns[key] = ValueColumn(named, source, wire, source.multiplier, source.offset)
        return found

    def number_channels(self) -> None:
        """Give sources that would have one name channels (value group B), in order of ST16."""
        users: dict[LogicalName, dict[int, list[ValueColumn]]] = {}
        for (_, index), column in self._columns.items():
            if column.scale is not None:
                users.setdefault(column.name, {}).setdefault(index, []).append(column)
        for sources in users.values():
            if len(sources) > 1:
                for channel, index in enumerate(sorted(sources), 1):
                    for column in sources[index]:
                        column.channel = channel

    # --- times

    def time_data(self, time: dt.datetime | None) -> Data:
        """Return a time as an attribute; wildcards if it is not known."""
        return UNKNOWN_TIME if time is None else octet_string(clock_octets(time, dst=self.in_dst(time)))

    def in_dst(self, time: dt.datetime) -> bool | None:
        """Return whether daylight saving time is in effect at a time of this meter; None if that is not known."""
        times, offset = self.clock.timekeeping, time.utcoffset()
        if times.local is not None and time.tzinfo is not None:
            return times.in_effect(time)
        return None if times.zone is None or offset is None else offset != times.zone
