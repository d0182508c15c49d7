"""Tables that batches show, each with the configuration of its meter: learned from the batches, or known before.

A table is told with what was known of its meter when it came. What cannot be told yet, because tables of its
configuration or the name of its meter were not seen, waits for the end of the batches, within bounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from c1219.caches import BoundedDict
from c1219.errors import C1219Error
from c1219.registry import default_registry
from c1219.rules.offer import lists
from c1219.tableid import IDS, table_id, table_label
from c1219.views.origin import origin
from c1219.views.records import record
from c1222.bulk.meters.configurations import Configurations, MeterConfiguration
from c1222.bulk.meters.shown import ShownRows
from c1222.capture.captured_device import instant
from c1222.capture.devices import MAX_METERS, CapturedDevices
from c1222.capture.tables.readings import MEANING
from c1222.errors import Finding
from c1222.message.aptitle import DEFAULT_BASE, ApTitle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from c1219.device import Device
    from c1219.registry import Registry
    from c1219.tabular.readings import MeterOrigin
    from c1222.bulk.meters.shown import ShownByRow
    from c1222.capture.captured_meter import CapturedMeter
    from c1222.errors import Level

__all__ = ["MAX_WAITING_OCTETS", "NAMES", "Told", "ToldTables"]

MAX_WAITING_OCTETS: Final = 64 << 20
"""Octets of tables that wait, with what they cost besides."""
_COST: Final = 512
"""What a piece costs beside its octets, about."""
NAMES: Final = ("ST1", "ST5")
"""Tables that name the meter."""


class Told(NamedTuple):
    """A table, or a piece of one, of a meter whose configuration is known.

    Attributes:
        configuration: of the meter, for this table.
        label: of the table.
        offset: of a piece; None for a whole table.
        octets: the octets.
        origin: the meter, and when and how it was read.
    """

    configuration: MeterConfiguration
    label: str
    offset: int | None
    octets: bytes
    origin: MeterOrigin


class _Meter(NamedTuple):
    """What is made of a meter, until something new is learned of it.

    Attributes:
        device: its tables.
        origin: what it is called.
        nameless: a table that names it was not seen, although it has one.
        configurations: by label of a table.
    """

    device: Device
    origin: MeterOrigin
    nameless: bool
    configurations: dict[str, MeterConfiguration]


class ToldTables:
    """Learns what meters are from the tables that decoded batches show, and tells tables with that.

    Args:
        devices: tables that the batches may lack, as for `c1222.capture_devices`; or what that found.
        base: what makes relative titles absolute.
        registry: declared tables; the default registry if None.
        max_waiting_octets: octets of tables that wait, with what they cost besides.

    Attributes:
        captured: what is known of the meters.
    """

    def __init__(
        self,
        devices: Mapping[str, Device] | Iterable[Device] = (),
        *,
        base: ApTitle = DEFAULT_BASE,
        registry: Registry | None = None,
        max_waiting_octets: int = MAX_WAITING_OCTETS,
    ) -> None:
        given = devices.values() if isinstance(devices, Mapping) else devices
        self.captured = CapturedDevices(given, base=base, registry=registry)
        self._registry = registry or default_registry()
        behind = chain.from_iterable(table.depends_on for table in self._registry.tables())
        self._learned = frozenset((*behind, *MEANING, *NAMES))
        self._rows = ShownRows()
        self._configurations = Configurations()
        self._meters: BoundedDict[tuple[str | None, str], _Meter] = BoundedDict(MAX_METERS)
        self._titles: BoundedDict[str, ApTitle] = BoundedDict(MAX_METERS, ApTitle)
        self._waiting: list[tuple[str, ShownByRow]] = []
        self._room = max_waiting_octets
        self._counts: Counter[str] = Counter()

    def rows(self, batch: pa.RecordBatch) -> Iterator[tuple[str, ShownByRow]]:
        """Yield the tables, and pieces of tables, that a batch shows, with their labels; learn from them.

        Args:
            batch: with the columns of `c1222.bulk.schema.BULK_MESSAGES`.
        """
        for row in self._rows.of(batch):
            part, octets, intact, _ = row.shown
            if not intact:
                self._counts["checksum"] += 1
            elif part.table not in IDS or not octets:
                self._counts["other-tables"] += bool(octets)
            else:
                label = table_label(part.table)
                yield label, row
                if label in self._learned:
                    self.keep(row)

    def keep(self, row: ShownByRow) -> CapturedMeter:
        """Put what a row shows to what is known of its meter, and return that."""
        self.forget(row)
        return self.captured.put([row.shown], (self._title(row), row.address), row, verified=row.verified)

    def forget(self, row: ShownByRow) -> None:
        """Forget what was made of the meter of a row, since what is known of it has changed."""
        self._meters.pop(_named(row), None)

    def meter(self, row: ShownByRow) -> CapturedMeter:
        """Return what is known of the meter of a row."""
        return self.captured.seen(self._title(row), row.address)

    def told(self, label: str, row: ShownByRow, *, wait: bool = True) -> Told | None:
        """Return a table with its configuration; None if it waits, or its place is not known.

        Args:
            label: of the table.
            row: which shows it.
            wait: whether it may wait.
        """
        meter = self._meters.get(_named(row)) or self._made(row)
        configuration = meter.configurations.get(label)
        if configuration is None:
            configuration = meter.configurations[label] = self._configurations.of(meter.device, label)
        if wait and (configuration.lacking or meter.nameless):
            cost = len(row.shown.octets) + _COST
            if cost <= self._room:
                self._room -= cost
                self._waiting.append((label, row))
                return None
            self._counts["told-early"] += 1
        part, octets, *_ = row.shown
        offset = part.offset
        if part.indices is not None:
            try:
                _, offset = configuration.device.layout_of_piece(label, octets, indices=part.indices)
            except C1219Error:
                self._counts["not-placed"] += 1
                return None
        read = meter.origin._replace(read_at=instant(row.time_ns), verified=row.verified)
        return Told(configuration, label, offset, octets, read)

    def waited(self) -> Iterator[Told]:
        """Yield what waited, with what is known by now."""
        waiting, self._waiting = self._waiting, []
        for label, row in waiting:
            told = self.told(label, row, wait=False)
            if told is not None:
                yield told

    def findings(self) -> list[Finding]:
        """Return what was left out, or could not be told."""
        self._counts["unpaired"] = self._rows.unpaired
        found = [
            Finding(level, code, "bulk.meters", None, f"{self._counts[code]} {text}")
            for code, level, text in _COUNTED
            if self._counts[code]
        ]
        return [*self.captured.findings(), *found]

    def _made(self, row: ShownByRow) -> _Meter:
        device = self.meter(row).device()
        st0 = record(device, 0, [])
        whence = origin(device)
        nameless = whence.meter in {"", whence.node} and st0 is not None
        nameless = nameless and any(lists(st0, table_id(name)) and name not in device for name in NAMES)
        meter = self._meters[_named(row)] = _Meter(device, whence._replace(tables=None), nameless, {})
        return meter

    def _title(self, row: ShownByRow) -> ApTitle | None:
        return None if row.title is None else self._titles[row.title]


def _named(row: ShownByRow) -> tuple[str | None, str]:
    return row.title, row.address if row.title is None else ""


_COUNTED: Final[tuple[tuple[str, Level, str], ...]] = (
    ("checksum", "error", "times the checksum of table data was wrong; they are left out"),
    ("other-tables", "note", "times pending or user-defined tables came, which are left out"),
    ("not-placed", "warning", "pieces by index could not be placed: the layout of their table was not known"),
    ("told-early", "warning", "tables were told with what was known of their meter then: the memory is bounded"),
    ("unpaired", "warning", "answers whose request is in another partition, or was forgotten: taken as not verified"),
)
