"""Registers: every value of ST23 to ST28 as a row that says what it is.

ST22 (for ST28: ST27) names the source of each value, ST12 to ST16 say what the source measures; how values are scaled
is in `c1219.rules.sources`. A coincident value carries the time of the demand it is tied to. What is not known is
None, and a remark of the row says why.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from c1219.caches import BoundedDict
from c1219.errors import Finding
from c1219.rules.lists import newest_first
from c1219.rules.offer import lists
from c1219.tabular.readings import READINGS, reading
from c1219.values import Raw
from c1219.views.clock import timekeeping
from c1219.views.origin import MeterOrigin, origin
from c1219.views.records import record
from c1219.views.register_row import Kind, Period, Register
from c1219.views.rows import RowView, csv_text
from c1219.views.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from c1219.codes.units import Direction, Segmentation
    from c1219.rules.sources import Source, Sources
    from c1219.tableset import TableSet

__all__ = [
    "Kind", "Period", "Register", "RegisterReader", "Registers", "elements_of_times", "registers",
]  # fmt: skip

_TABLES: dict[int, tuple[Period, str]] = {
    23: ("current", ""),
    24: ("previous season", "PREV_SEASON_REG_DATA"),
    25: ("previous demand reset", "PREV_DEMAND_RESET_DATA"),
}
_CUMULATIVES: tuple[tuple[Kind, str], ...] = (
    ("cumulative", "CUM_DEMAND"), ("continuous cumulative", "CONT_CUM_DEMAND"),
)  # fmt: skip
_SECOND_FORMAT = {"demand", "coincident", "present demand"}
"""Kinds of values that are NI_FMAT2; the others are NI_FMAT1."""
_Place = tuple[str | None, int | None, int | None]
"""Block, tier and occurrence of a row."""
_FLOAT32 = 1
_MAX_NUMBERS = 4096
"""Values of a column that are kept; registers of many meters and times repeat some, zero above all."""
_NO_EVENT_TIME = "there is no event time: nothing may have been recorded yet"
_INVALID_EVENT_TIME = "the event time is invalid"


class Registers(RowView[Register]):
    """The registers of a meter.

    Attributes:
        rows: in the order of the tables; self reads from the oldest to the newest.
        findings: what is missing, wrong or not known.
        origin: which meter they are of.
        obis: names in COSEM by path; empty unless they were asked for (`c1219.Device.registers`).
        sources: what they measure, by index.
    """

    __slots__ = ("findings", "obis", "origin", "rows", "sources")

    schema = READINGS

    def __init__(
        self,
        rows: tuple[Register, ...],
        findings: tuple[Finding, ...],
        origin: MeterOrigin | None = None,
        sources: Mapping[int, Source] = MappingProxyType({}),
    ) -> None:
        self.rows = rows
        self.findings = findings
        self.origin = origin or MeterOrigin()
        self.sources = sources
        self.obis: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"<{len(self.rows)} registers>"

    def as_dict(self) -> dict[str, Any]:
        """Return them in terms of JSON: Decimal as string, times as ISO 8601."""
        named = [{"obis": self.obis.get(row.path)} if self.obis else {} for row in self.rows]
        return {
            "registers": [row.as_dict() | name for row, name in zip(self.rows, named, strict=True)],
            "findings": [finding._asdict() for finding in self.findings],
        }

    def to_csv(self) -> str:
        """Return the rows as CSV with a head line; several quadrants and remarks with blanks and semicolons between."""
        shown = []
        for row in self.rows:
            items = row.as_dict()
            items["quadrants"] = " ".join(map(str, row.quadrants))
            items["remarks"] = "; ".join(row.remarks)
            items["raw"] = row.raw.hex() if isinstance(row.raw, Raw) else items["raw"]
            shown.append(items)
        return csv_text(Register._fields, shown)

    def table_rows(self) -> Iterator[Sequence[Any]]:
        sources = {table: self.origin.of(table) for table in {row.table for row in self.rows}}
        types: dict[tuple[Any, ...], str | None] = {}
        for row in self.rows:
            source = sources[row.table]
            key = (row.source, row.kind, row.tier, row.occurrence, row.extreme, row.period)
            if key not in types:
                found = row.reading_type(self.sources)
                types[key] = None if found is None else str(found)
            yield reading(
                source, path=row.path, end=row.period_end or source.read_at or source.clock, source=row.source,
                quantity=row.quantity, unit=row.unit, kind=row.kind, tier=row.tier, occurrence=row.occurrence,
                value=row.value if row.valid else None, raw=row.raw, event_time=row.event_time, extreme=row.extreme,
                obis=self.obis.get(row.path), reading_type=types[key],
            )  # fmt: skip


def registers(device: TableSet, *, zone: dt.tzinfo | None = None, local_counters: bool = False) -> Registers:
    """Return every value of ST23 to ST28 that is here; without such tables no rows, and findings.

    Args:
        device: the tables of the meter.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
    """
    reader = RegisterReader(device, zone=zone, local_counters=local_counters)
    rows, findings = reader.read()
    return Registers(rows, findings, origin(device, reader.times), reader.sources)


def elements_of_times(device: TableSet, register: Register) -> tuple[str | None, str | None]:
    """Return the paths of the elements that `event_time` and `period_end` of a register are read from.

    Args:
        device: the tables of the meter.
        register: one of its rows.
    """
    event = period = None
    place = _OCCURRED.fullmatch(register.path)
    if place is not None:
        if place["demand"] is not None:
            demand: int | None = int(place["demand"])
        else:
            selection = record(device, 22, [])
            demand = _selected(selection and selection.COIN_DEMAND_ASSOC, int(place["coincident"]))
        if demand is not None:
            event = f"{place['block']}.DEMANDS[{demand}].EVENT_TIME[{register.occurrence}]"
    for data in _WITHIN_PERIOD:
        before, found, _ = register.path.partition(f".{data}.")
        if found:
            period = f"{before}.REGISTER_INFO.END_DATE_TIME"
    return event, period


_OCCURRED: Final = re.compile(
    r"(?P<block>.*)\.(DEMANDS\[(?P<demand>\d+)\]\.DEMAND|COINCIDENTS\[(?P<coincident>\d+)\]\.COINCIDENT_VALUES)\[\d+\]"
)
_WITHIN_PERIOD: Final = (*(name for _, name in _TABLES.values() if name), "SELF_READ_REGISTER_DATA")


class RegisterReader:
    """Reads the registers of one meter again and again; what its other tables say is found out once.

    Args:
        device: the tables of the meter. Between two reads ST23 to ST26 and ST28 may be put in and taken out.
        zone: as for `registers`.
        local_counters: likewise.
    """

    def __init__(self, device: TableSet, *, zone: dt.tzinfo | None = None, local_counters: bool = False) -> None:
        self.device = device
        self.times = timekeeping(device, zone=zone, local_counters=local_counters)
        self.sources: dict[int, Source] = {}
        self._described: Sources | None = None
        self._remarks: list[Finding] = []  # on what is found out once
        self._columns: dict[tuple[Kind, int], _Column] = {}

    def read(self) -> tuple[tuple[Register, ...], tuple[Finding, ...]]:
        """Return the rows that are here now, and the findings of this and earlier reads on the sources."""
        self.findings: list[Finding] = []
        self._prepare(self.device, self.findings)
        rows = tuple(self.rows())
        return rows, tuple(dict.fromkeys(self.findings))

    def _prepare(self, device: TableSet, findings: list[Finding]) -> None:
        self.here = {number for number in range(23, 29) if device.get(number) is not None}
        self.partial = {label for label in device if device[label].pieces is not None}
        self._times: dict[dt.datetime, dt.datetime] = {}
        self.limits = self.selection = self.present = None
        self.singles = (False, False)
        if not self.here - {27}:
            text = "none of the register tables ST23 to ST26 and ST28 is here"
            findings.append(Finding("warning", "absent", "ST23", None, text))
            return
        if self._described is None:
            self._described = sources_of(device, self._remarks)
        findings += self._remarks
        st0 = record(device, 0, findings)
        if st0 is not None:
            control = st0.FORMAT_CONTROL_3
            self.singles = (control.NI_FORMAT1 == _FLOAT32, control.NI_FORMAT2 == _FLOAT32)
            for number in sorted({23, 24, 25, 26, 28} - self.here):
                if lists(st0, number):
                    text = f"ST{number} is not here, although ST0 lists it"
                    findings.append(Finding("note", "absent", f"ST{number}", None, text))
        self.limits = record(device, 21, findings, level="error")
        if self.here & {23, 24, 25, 26}:
            self.selection = record(device, 22, findings, level="warning")
        if 28 in self.here:
            self.present = record(device, 27, findings, level="warning")

    def rows(self) -> Iterator[Register]:
        """Yield every register, in the order of the tables."""
        for number in sorted(self.here - {26, 27, 28}):
            table = record(self.device, number, self.findings, cut=True)
            if table is None:
                continue
            period, name = _TABLES[number]
            label = f"ST{number}"
            yield from _Data(
                self, period, f"{label}.{name}" if name else label, table.REGISTER_INFO if name else None
            ).read(getattr(table, name) if name else table)
        if 26 in self.here:
            yield from self._self_reads()
        if 28 in self.here:
            yield from self._present()
        for index in sorted(self.sources):
            for text in self.sources[index].unresolved:
                self.findings.append(Finding("warning", "unresolved", f"ST16.SOURCES_LINK[{index}]", None, text))

    def time(self, time: Any) -> dt.datetime | None:
        """Return a time as rows have it: aware if the offset from UTC is known."""
        if not isinstance(time, dt.datetime):
            return None
        if time not in self._times:
            self._times[time] = self.times.instant(time) or time
        return self._times[time]

    def column(self, kind: Kind, selector: str, number: int) -> _Column:
        """Return what values of a kind have in common that an entry of ST22 or ST27 names."""
        key = kind, number
        if key not in self._columns:
            table, selection = ("ST27", self.present) if kind.startswith("present") else ("ST22", self.selection)
            index = _selected(selection and getattr(selection, selector), number)
            single = self.singles[kind in _SECOND_FORMAT]
            self._columns[key] = _Column(kind, self._source(index), table=table, single=single)
        return self._columns[key]

    def _source(self, index: int | None) -> Source | None:
        if index is None:
            return None
        if self._described is None:
            return None
        self.sources[index] = source = self._described.describe(index)
        return source

    def trigger(self, coincident: int) -> int | None:
        """Return the demand that a coincident value is tied to, None if ST22 does not say."""
        return _selected(self.selection and self.selection.COIN_DEMAND_ASSOC, coincident)

    def extreme(self, demand: int | None) -> Literal["maximum", "minimum"] | None:
        """Say whether a demand is a maximum or a minimum, None if ST22 does not say."""
        if self.selection is None or demand is None:
            return None
        return "maximum" if self.selection.MIN_OR_MAX_FLAGS[demand] else "minimum"

    def _self_reads(self) -> Iterator[Register]:
        table = record(self.device, 26, self.findings, cut=True)
        if table is None or self.limits is None or None in table[: table._fields.index("SELF_READS_ENTRIES")]:
            return
        status = table.LIST_STATUS
        if status.OVERFLOW_FLAG:
            text = "OVERFLOW_FLAG is set: self reads were lost"
            self.findings.append(Finding("warning", "overflow", "ST26.LIST_STATUS", 0, text))
        order = newest_first(
            table.LAST_ENTRY_ELEMENT, table.NBR_VALID_ENTRIES, self.limits.NBR_SELF_READS,
            descending=bool(status.ORDER), circular=bool(status.LIST_TYPE),
        )  # fmt: skip
        self.findings += [Finding(level, code, "ST26.LIST_STATUS", None, text) for level, code, text in order.misfits]
        for age, index in reversed(list(enumerate(order.indices))):
            if index >= len(table.SELF_READS_ENTRIES):
                continue  # the table ends before it
            entry = table.SELF_READS_ENTRIES[index]
            number = entry.SELF_READ_SEQ_NBR
            if number is None:
                number = (table.LAST_ENTRY_SEQ_NBR - age) & 0xFFFF
            path = f"ST26.SELF_READS_ENTRIES[{index}].SELF_READ_REGISTER_DATA"
            data = _Data(self, "self read", path, entry.REGISTER_INFO, self_read=number)
            yield from data.read(entry.SELF_READ_REGISTER_DATA)

    def _present(self) -> Iterator[Register]:
        table = record(self.device, 28, self.findings, cut=True)
        if table is None:
            return
        data = _Data(self, "present", "ST28", None)
        for number, entry in enumerate(table.PRESENT_DEMAND):
            remaining = entry.TIME_REMAINING
            column = self.column("present demand", "PRESENT_DEMAND_SELECT", number)
            remaining = remaining if isinstance(remaining, dt.time) else None
            data.add(f"PRESENT_DEMAND[{number}].DEMAND_VALUE", column, entry.DEMAND_VALUE, remaining=remaining)
        for number, raw in enumerate(table.PRESENT_VALUE):
            column = self.column("present value", "PRESENT_VALUE_SELECT", number)
            data.add(f"PRESENT_VALUE[{number}]", column, raw)
        yield from data.rows


class _Column:
    """What the values that one selector names have in common.

    Args:
        kind: what sort of values.
        source: what they measure; None if no table says.
        table: the one that names the source.
        single: floats have 32 bits.
    """

    __slots__ = ("_numbers", "_single", "_source", "_unresolved", "described", "electric", "kind")

    def __init__(self, kind: Kind, source: Source | None, *, table: str, single: bool) -> None:
        self.kind = kind
        self._source = source
        self._single = single
        self._numbers: BoundedDict[int, Decimal | None] = BoundedDict(_MAX_NUMBERS)
        self.described: tuple[int | None, str | None, str | None] = (None, None, None)
        self.electric: tuple[int | None, Segmentation | None, Direction | None, tuple[int, ...]]
        self.electric = (None, None, None, ())
        self._unresolved: tuple[str, ...] = (f"{table} does not name the source",)
        if source is not None:
            interval = source.interval if "demand" in kind or "cumulative" in kind else None
            uom = source.uom
            self.described = (source.index, source.quantity, source.unit)
            self.electric = (interval, uom.phase, uom.direction, uom.quadrants) if uom else (interval, None, None, ())
            self._unresolved = source.unresolved

    def value(self, raw: Any) -> tuple[Decimal | None, tuple[str, ...]]:
        """Return the number of a raw value, None if there is none, and remarks on it."""
        source = self._source
        if source is None:
            return None, self._unresolved
        number = self._number(source, raw) if source.unit is not None else None
        if isinstance(raw, Raw):
            return number, (*self._unresolved, f"{raw.hex(' ')} is no number")
        if number is None and source.unit is not None:
            return number, (*self._unresolved, f"{raw} is no number")
        return number, self._unresolved

    def _number(self, source: Source, raw: Any) -> Decimal | None:
        if type(raw) is not int:
            return source.value(raw, single=self._single)
        if raw not in self._numbers:
            self._numbers[raw] = source.value(raw)
        return self._numbers[raw]


class _Data:
    """Makes the rows of one register record.

    Args:
        reader: what is known of the meter.
        period: which table the record is of.
        path: where the record is.
        info: REGISTER_INFO of its period, if it has one.
        self_read: sequence number of a self read.

    Attributes:
        rows: those made so far.
    """

    def __init__(
        self, reader: RegisterReader, period: Period, path: str, info: Any, self_read: int | None = None
    ) -> None:
        self.rows: list[Register] = []
        self._reader = reader
        self._partial = path.partition(".")[0] in reader.partial
        self._period = period
        self._path = path
        period_end = None if info is None else reader.time(info.END_DATE_TIME)
        season: int | None = None if info is None else info.SEASON
        self._period_fields = period_end, season, self_read

    def read(self, data: Any) -> list[Register]:
        """Return the registers of a REGISTER_DATA_RCD, block by block."""
        resets = data.NBR_DEMAND_RESETS
        if resets is not None:
            self.rows.append(
                Register(
                    f"{self._path}.NBR_DEMAND_RESETS", self._period, "demand resets", "total", None, None, None,
                    "number of demand resets", "", Decimal(resets), resets, None, None, None, None, (), None, None,
                    *self._period_fields, True, (),
                )
            )  # fmt: skip
        self._block(data.TOT_DATA_BLOCK, "TOT_DATA_BLOCK", "total", None)
        for tier, block in enumerate(data.TIER_DATA_BLOCK):
            self._block(block, f"TIER_DATA_BLOCK[{tier}]", f"tier {tier}", tier)
        return self.rows

    def _block(self, block: Any, path: str, name: str, tier: int | None) -> None:
        reader, place = self._reader, (name, tier, None)
        for number, raw in enumerate(block.SUMMATIONS):
            self.add(f"{path}.SUMMATIONS[{number}]", reader.column("summation", "SUMMATION_SELECT", number), raw, place)
        for number, demand in enumerate(block.DEMANDS):
            self._demand(demand, number, f"{path}.DEMANDS[{number}]", place)
        for number, coincident in enumerate(block.COINCIDENTS):
            column = reader.column("coincident", "COINCIDENT_SELECT", number)
            trigger, times = reader.trigger(number), None
            remarks: tuple[str, ...] = ()
            if trigger is not None and trigger < len(block.DEMANDS):
                times = block.DEMANDS[trigger].EVENT_TIME
            elif trigger is not None:
                remarks = (f"ST22.COIN_DEMAND_ASSOC says demand {trigger}, which there is not",)
            where = f"{path}.COINCIDENTS[{number}].COINCIDENT_VALUES"
            for occurrence, raw in enumerate(coincident.COINCIDENT_VALUES):
                self._occurred(f"{where}[{occurrence}]", column, raw, (name, tier, occurrence), trigger, times, remarks)

    def _demand(self, demand: Any, number: int, path: str, place: _Place) -> None:
        reader = self._reader
        for kind, name in _CUMULATIVES:
            self.add(f"{path}.{name}", reader.column(kind, "DEMAND_SELECT", number), getattr(demand, name), place)
        column, times = reader.column("demand", "DEMAND_SELECT", number), demand.EVENT_TIME
        for occurrence, raw in enumerate(demand.DEMAND):
            self._occurred(f"{path}.DEMAND[{occurrence}]", column, raw, (*place[:2], occurrence), number, times)

    def _occurred(
        self,
        path: str,
        column: _Column,
        raw: Any,
        place: _Place,
        demand: int | None,
        times: Any,
        remarks: tuple[str, ...] = (),
    ) -> None:
        """Add a value that occurred with a demand: when, and whether that is a maximum or minimum."""
        event_time, occurrence = None, place[2]
        if times is not None and occurrence is not None and occurrence < len(times):
            time = times[occurrence]
            event_time = self._reader.time(time)
            if event_time is None and not (time is None and self._partial):  # else its octets may not be known
                remarks = (*remarks, _NO_EVENT_TIME if time is None else _INVALID_EVENT_TIME)
        self.add(path, column, raw, place, self._reader.extreme(demand), event_time, remarks)

    def add(
        self,
        path: str,
        column: _Column,
        raw: Any,
        place: _Place = (None, None, None),
        extreme: Literal["maximum", "minimum"] | None = None,
        event_time: dt.datetime | None = None,
        remarks: tuple[str, ...] = (),
        *,
        remaining: dt.time | None = None,
    ) -> None:
        """Add the row of a value, unless the table has no such value or ends before it."""
        if raw is None:
            return
        value, doubts = column.value(raw)
        interval, phase, direction, quadrants = column.electric
        self.rows.append(
            Register(
                f"{self._path}.{path}", self._period, column.kind, *place, *column.described, value, raw, extreme,
                interval, phase, direction, quadrants, event_time, remaining, *self._period_fields, value is not None,
                (*doubts, *remarks) if remarks else doubts,
            )
        )  # fmt: skip


def _selected(selectors: Any, number: int) -> int | None:
    """Return an entry of ST22 or ST27, None if they are not here or too few."""
    if selectors is None or number >= len(selectors):
        return None
    index: int = selectors[number]
    return index
