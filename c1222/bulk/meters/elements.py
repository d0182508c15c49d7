"""Tables out of decoded batches, and out of devices, with a column for each element."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa

from c1219.errors import C1219Error, DecodeError, UnknownTable
from c1219.export.element_columns import ElementColumns
from c1219.secrecy import may_be_secret
from c1219.tableid import table_id
from c1219.views.origin import origin
from c1222.bulk.meters.configurations import Configurations, MeterConfiguration, kind_of
from c1222.bulk.meters.told import ToldTables
from c1222.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1219.device import Device
    from c1219.tabular.readings import MeterOrigin

__all__ = ["DeviceTables", "TableBatches", "TableKind", "TablesByKind", "device_tables", "table_batches", "tables"]

_ST0: Final = "ST0"
_MAX_LISTED: Final = 10


class TableKind(NamedTuple):
    """Tables whose elements are the same.

    Attributes:
        table: label, such as ``ST23``.
        kind: hex digits that tell the configuration of the meters from others.
    """

    table: str
    kind: str


class _Held(NamedTuple):
    """Images of one kind; `own` are the octets that decide their layout, if they do."""

    configuration: MeterConfiguration
    own: bytes | None
    images: list[bytes]
    origins: list[MeterOrigin]


class _Groups:
    """Images of tables by kind, until they are made into batches."""

    def __init__(self) -> None:
        self._held: dict[TableKind, _Held] = {}
        self._counts: Counter[str] = Counter()

    def add(self, configuration: MeterConfiguration, label: str, octets: bytes, whence: MeterOrigin) -> None:
        own = octets if self._by_itself(configuration.device, label) else None
        kind = kind_of(f"{configuration.kind}{len(octets)}".encode() if own is None else own)
        held = self._held.setdefault(TableKind(label, kind), _Held(configuration, own, [], []))
        held.images.append(octets)
        held.origins.append(whence)

    def _by_itself(self, device: Device, label: str) -> bool:
        """Return whether the octets of a table decide its layout."""
        try:
            return device.declaration(label).needs_own_octets
        except UnknownTable:
            return False

    def batches(self) -> Iterator[tuple[TableKind, pa.RecordBatch]]:
        groups, self._held = self._held, {}
        for key, (configuration, own, images, origins) in groups.items():
            if own is not None and key.table != _ST0:
                self._counts[f"{key.table} is laid out otherwise each time"] += len(images)
                continue
            known, size = configuration.made, len(images[0])
            try:
                columns = known.get((own, size))
                if columns is None:
                    columns = known[own, size] = ElementColumns(configuration.device, key.table, size, own)
            except C1219Error as error:
                self._counts[f"{key.table} could not be told: {error}"] += len(images)
                continue
            if size == columns.size:
                for batch in self._made(columns, images, origins):
                    yield key, batch
            else:
                self._counts[f"{key.table} has another size than its layout"] += len(images)

    def _made(
        self, columns: ElementColumns, images: list[bytes], origins: list[MeterOrigin]
    ) -> Iterator[pa.RecordBatch]:
        try:
            batch = columns.batch(images, origins)
        except DecodeError as error:
            if len(images) == 1:
                self._counts[str(error)] += 1
                return
            middle = len(images) // 2
            yield from self._made(columns, images[:middle], origins[:middle])
            yield from self._made(columns, images[middle:], origins[middle:])
        else:
            yield batch

    def findings(self) -> list[Finding]:
        listed = self._counts.most_common(_MAX_LISTED)
        found = [Finding("warning", "not-told", "bulk.tables", None, f"{count} times {text}") for text, count in listed]
        rest = self._counts.total() - sum(count for _, count in listed)
        if rest:
            found.append(Finding("warning", "more-findings", "bulk.tables", None, f"{rest} more tables were not told"))
        return found


class TableBatches:
    """Batches of tables with their kind; iterate it once. See `table_batches`, which takes the same.

    Attributes:
        meters: what is known of the meters.
    """

    def __init__(
        self,
        batches: Iterable[pa.RecordBatch],
        devices: Mapping[str, Device] | Iterable[Device] = (),
        **options: Any,
    ) -> None:
        self.meters = ToldTables(devices, **options)
        self._batches = batches
        self._groups = _Groups()
        self._pieces = 0

    def __iter__(self) -> Iterator[tuple[TableKind, pa.RecordBatch]]:
        for batch in self._batches:
            for label, row in self.meters.rows(batch):
                if row.shown.part.offset is None and row.shown.part.indices is None:
                    told = self.meters.told(label, row)
                    if told is not None:
                        self._groups.add(told.configuration, label, told.octets, told.origin)
                else:
                    self._pieces += 1
            yield from self._groups.batches()
        for told in self.meters.waited():
            self._groups.add(told.configuration, told.label, told.octets, told.origin)
        yield from self._groups.batches()

    def findings(self) -> list[Finding]:
        """Return what was left out, or could not be told; complete once all batches were taken."""
        found = [*self.meters.findings(), *self._groups.findings()]
        if self._pieces:
            text = f"{self._pieces} pieces of tables are in no column: whole tables are"
            found.append(Finding("note", "pieces", "bulk.tables", None, text))
        return found


class DeviceTables:
    """Batches of the tables of devices with their kind; iterate it once. See `device_tables`, which takes the same."""

    def __init__(self, devices: Mapping[Any, Device] | Iterable[Device]) -> None:
        self._devices = devices.values() if isinstance(devices, Mapping) else devices
        self._configurations = Configurations()
        self._groups = _Groups()
        self._secret = 0

    def __iter__(self) -> Iterator[tuple[TableKind, pa.RecordBatch]]:
        for device in self._devices:
            whence = origin(device)
            for label in device:
                image = device[label]
                if may_be_secret(table_id(label), image.raw, registry=device.registry):
                    self._secret += 1
                elif image.pieces is None:
                    configuration = self._configurations.of(device, label)
                    self._groups.add(configuration, label, image.raw, whence.of(label))
        yield from self._groups.batches()

    def findings(self) -> list[Finding]:
        """Return what could not be told; complete once all devices were taken."""
        found = self._groups.findings()
        if self._secret:
            text = f"{self._secret} tables hold passwords or keys: they are left out"
            found.append(Finding("note", "concealed", "bulk.tables", None, text))
        return found


class TablesByKind(dict[TableKind, pa.RecordBatch]):
    """Tables by kind.

    Attributes:
        findings: what was left out, or could not be told.
    """

    findings: list[Finding]


def table_batches(
    batches: Iterable[pa.RecordBatch], devices: Mapping[str, Device] | Iterable[Device] = (), **options: Any
) -> TableBatches:
    """Tell the whole tables that decoded batches show, kind by kind, in memory that batches bound.

    Args:
        batches: as `c1222.bulk.decode` gives them, in the order of capture.
        devices: tables that the batches may lack, as for `c1222.capture_devices`; or what that found before.
        options: as for `c1222.bulk.readings`.

    Returns:
        An iterator of kinds and batches: ``meter``, ``node``, ``read_at`` and ``verified``, and a column for each
        element, as `c1219.export.element_columns` has them. Batches of one kind have one schema.
    """
    return TableBatches(batches, devices, **options)


def device_tables(devices: Mapping[Any, Device] | Iterable[Device]) -> DeviceTables:
    """Tell the whole tables of devices, kind by kind; tables of passwords and keys are left out.

    Args:
        devices: the meters, or a mapping to them.

    Returns:
        As `table_batches`.
    """
    return DeviceTables(devices)


def tables(
    batches: Iterable[pa.RecordBatch], devices: Mapping[str, Device] | Iterable[Device] = (), **options: Any
) -> TablesByKind:
    """Tell the whole tables that decoded batches show, all of them; takes what `table_batches` takes.

    Returns:
        A batch for each kind of table, and `findings`.
    """
    found = TableBatches(batches, devices, **options)
    parts: dict[TableKind, list[pa.RecordBatch]] = {}
    for kind, batch in found:
        parts.setdefault(kind, []).append(batch)
    made = TablesByKind()
    for kind, some in parts.items():
        (made[kind],) = pa.Table.from_batches(some).combine_chunks().to_batches()
    made.findings = found.findings()
    return made
