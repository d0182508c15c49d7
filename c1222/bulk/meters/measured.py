"""Readings out of decoded batches, and out of devices: the rows of ``c1219.readings/1``, decoded by columns.

Registers are told read by read. The octets of load profiles are kept until they are whole, as far as they come: their
intervals are told at the end of the batches, or before what says where they are (ST61 to ST63) changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from c1219.errors import C1219Error
from c1219.export.profile_columns import profile_readings
from c1219.export.register_columns import RegisterColumns
from c1219.rules.profile_set import SETS, set_label
from c1219.tabular.arrow import BATCH, arrow_table
from c1219.tabular.readings import READINGS
from c1219.views.clock import timekeeping
from c1219.views.origin import origin
from c1219.views.registers import Registers, registers
from c1222.bulk.meters.configurations import CLOCKS, Configurations, MeterConfiguration
from c1222.bulk.meters.told import NAMES, Told, ToldTables
from c1222.capture.devices import MAX_METER_OCTETS, MAX_TOTAL_OCTETS
from c1222.capture.tables.readings import needs
from c1222.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from c1219.device import Device
    from c1219.tabular.arrow import Decimals
    from c1219.tabular.readings import MeterOrigin
    from c1222.bulk.meters.shown import ShownByRow
    from c1222.capture.captured_meter import CapturedMeter

__all__ = ["DeviceReadings", "ReadingBatches", "device_readings", "readings"]

_PROFILES: Final = {set_label(number): number for number in SETS}
_REGISTERS: Final = tuple(label for label in (f"ST{n}" for n in range(23, 29)) if needs(label))
_BEHIND: Final = frozenset((*needs(set_label(1)), *NAMES)).difference(CLOCKS)
"""Tables that say what the octets of a load profile are, and of which meter."""
_MAX_LISTED: Final = 10
"""Findings of meters that are listed; others are counted."""


class ReadingBatches:
    """Batches of readings; iterate it once. See `readings`, which takes the same.

    Attributes:
        meters: what is known of the meters.
    """

    def __init__(
        self,
        batches: Iterable[pa.RecordBatch],
        devices: Mapping[str, Device] | Iterable[Device] = (),
        *,
        decimals: Decimals = "decimal128",
        **options: Any,
    ) -> None:
        self.meters = ToldTables(devices, **options)
        self._batches = batches
        self._registers = _RegisterGroups(decimals)
        self._decimals: Decimals = decimals
        self._profiles: dict[int, tuple[CapturedMeter, ShownByRow, set[str]]] = {}
        self._findings: Counter[tuple[str, str, str]] = Counter()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            for label, row in self.meters.rows(batch):
                if label in _BEHIND or label in _PROFILES:
                    yield from self._profile(label, row)
                elif label in _REGISTERS:
                    self._take(self.meters.told(label, row))
            yield from self._registers.batches()
        for told in self.meters.waited():
            self._take(told)
            if self._registers.full:
                yield from self._registers.batches()
        yield from self._registers.batches()
        for key in list(self._profiles):
            yield from self._told_profile(key)

    def findings(self) -> list[Finding]:
        """Return what was left out, or could not be told; complete once all batches were taken."""
        return [*self.meters.findings(), *self._registers.findings(), *_listed(self._findings)]

    def _take(self, told: Told | None) -> None:
        if told is not None:
            self._registers.add(told.configuration, told.label, told.offset, told.octets, told.origin)

    # --- load profiles

    def _profile(self, label: str, row: ShownByRow) -> Iterator[pa.RecordBatch]:
        """Keep octets of a load profile; tell what is known of it before that changes."""
        meter, part, octets = self.meters.meter(row), row.shown.part, row.shown.octets
        known = meter.tables.get(label)
        changes = known is not None and (part.indices is not None or known.differs(part.offset, octets))
        crowded = meter.octets + len(octets) > MAX_METER_OCTETS or self.meters.captured.octets > MAX_TOTAL_OCTETS // 2
        if changes or (crowded and id(meter) in self._profiles):
            yield from self._told_profile(id(meter))
        if label in _PROFILES:
            meter = self.meters.keep(row)
            self._profiles.setdefault(id(meter), (meter, row, set()))[2].add(label)

    def _told_profile(self, key: int) -> Iterator[pa.RecordBatch]:
        """Yield the intervals of a meter, and forget their octets."""
        if key not in self._profiles:
            return
        meter, row, labels = self._profiles.pop(key)
        device = meter.device()
        for label in sorted(labels):
            yield from _profile(device, label, self._decimals, self._findings)
            self.meters.captured.forget_table(meter, label)
        self.meters.forget(row)


def _profile(
    device: Device, label: str, decimals: Decimals, counts: Counter[tuple[str, str, str]]
) -> Iterator[pa.RecordBatch]:
    findings: list[Finding] = []
    batch = profile_readings(device, _PROFILES[label], findings=findings, decimals=decimals)
    if batch.num_rows:
        yield batch
    else:
        for finding in findings:
            if finding.level == "error":
                counts[finding.level, finding.code, f"no intervals of {label} could be told: {finding.text}"] += 1


class _RegisterGroups:
    """Images of register tables, by what they have in common, until they are told together."""

    def __init__(self, decimals: Decimals) -> None:
        self._decimals: Decimals = decimals
        self._groups: dict[tuple[int, str, int | None], tuple[MeterConfiguration, list[bytes], list[MeterOrigin]]] = {}
        self._images = 0
        self._counts: Counter[tuple[str, str, str]] = Counter()

    @property
    def full(self) -> bool:
        """Whether there are so many that they should be told."""
        return self._images >= BATCH

    def add(
        self, configuration: MeterConfiguration, label: str, offset: int | None, octets: bytes, whence: MeterOrigin
    ) -> None:
        """Take an image, or a piece of one."""
        key = id(configuration), label, offset
        _, images, origins = self._groups.setdefault(key, (configuration, [], []))
        images.append(octets)
        origins.append(whence)
        self._images += 1

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the readings of what was taken since the last time."""
        groups, self._groups, self._images = self._groups, {}, 0
        for (_, label, offset), (configuration, images, origins) in groups.items():
            columns = configuration.made.get((label, offset))
            if columns is None:
                try:
                    columns = RegisterColumns(configuration.device, label, offset, decimals=self._decimals)
                except C1219Error as error:
                    self._counts["warning", "not-told", f"{label} could not be told: {error}"] += len(images)
                    continue
                configuration.made[label, offset] = columns
            yield from columns.batches(images, origins)

    def findings(self) -> list[Finding]:
        """Return what could not be told."""
        return _listed(self._counts)


def _listed(counts: Counter[tuple[str, str, str]]) -> list[Finding]:
    found = []
    listed = counts.most_common(_MAX_LISTED)
    for (level, code, text), count in listed:
        found.append(Finding(level, code, "bulk.readings", None, f"{count} times {text}"))  # type: ignore[arg-type]
    rest = counts.total() - sum(count for _, count in listed)
    if rest:
        found.append(Finding("warning", "more-findings", "bulk.readings", None, f"{rest} more tables were not told"))
    return found


def readings(
    batches: Iterable[pa.RecordBatch],
    devices: Mapping[str, Device] | Iterable[Device] = (),
    *,
    decimals: Decimals = "decimal128",
    **options: Any,
) -> ReadingBatches:
    """Tell the readings that decoded batches show: registers read by read, and the intervals of load profiles.

    Args:
        batches: as `c1222.bulk.decode` gives them, in the order of capture.
        devices: tables that the batches may lack, as for `c1222.capture_devices`; or what that found before.
        decimals: what decimal numbers become: ``decimal128``, exact, or ``float64``.
        options: of `c1222.bulk.meters.told.ToldTables`: ``base``, ``registry``, ``max_waiting_octets``.

    Returns:
        An iterator of batches in the schema ``c1219.readings/1``, with `findings` when it is through.
    """
    return ReadingBatches(batches, devices, decimals=decimals, **options)


class DeviceReadings:
    """Batches of readings of devices; iterate it once. See `device_readings`, which takes the same."""

    def __init__(self, devices: Mapping[Any, Device] | Iterable[Device], *, decimals: Decimals = "decimal128") -> None:
        self._devices = devices.values() if isinstance(devices, Mapping) else devices
        self._decimals: Decimals = decimals
        self._groups = _RegisterGroups(decimals)
        self._configurations = Configurations()
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for device in self._devices:
            yield from self._of(device)
            if self._groups.full:
                yield from self._groups.batches()
        yield from self._groups.batches()

    def findings(self) -> list[Finding]:
        """Return what could not be told; complete once all devices were taken."""
        return [*self._groups.findings(), *_listed(self._counts)]

    def _of(self, device: Device) -> Iterator[pa.RecordBatch]:
        """Yield what is told of a device alone, and keep the rest for others like it."""
        whence = origin(device, timekeeping(device))
        partial: list[str] = []
        for label in _REGISTERS:
            image = device.get(label)
            if image is not None and image.pieces is not None:
                partial.append(label)
            elif image is not None:
                configuration = self._configurations.of(device, label)
                self._groups.add(configuration, label, None, image.raw, whence.of(label))
        if partial:
            view = registers(device)
            rows = Registers(tuple(row for row in view if row.table in partial), (), view.origin, view.sources)
            yield from arrow_table(READINGS, rows.table_rows(), self._decimals).to_batches()
        for label in _PROFILES:
            if label in device:
                yield from _profile(device, label, self._decimals, self._counts)


def device_readings(
    devices: Mapping[Any, Device] | Iterable[Device], *, decimals: Decimals = "decimal128"
) -> DeviceReadings:
    """Tell the readings of devices, of their registers and of all sets of their load profiles.

    Args:
        devices: the meters, or a mapping to them; they may come one by one.
        decimals: as for `readings`.

    Returns:
        An iterator of batches in the schema ``c1219.readings/1``, with `findings` when it is through: what
        `c1219.export.readings.readings_table` tells, by columns.
    """
    return DeviceReadings(devices, decimals=decimals)
