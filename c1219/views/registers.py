"""Registers: every value of ST23 to ST28 as a row that says what it is.

ST22 (for ST28: ST27) names the source of each value, ST12 to ST16 say what the source measures; how values are scaled
is in `c1219.rules.sources`. A coincident value carries the time of the demand it is tied to. What cannot be told stays
None, and the row says why.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from c1219.errors import Finding
from c1219.rules.lists import newest_first
from c1219.rules.offer import lists
from c1219.values import Raw
from c1219.views.clock import Timekeeping, timekeeping
from c1219.views.records import record
from c1219.views.register_row import Kind, Period, Register
from c1219.views.rows import RowView, csv_text
from c1219.views.sources import describe_source, describe_sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.rules.sources import Source
    from c1219.tableset import TableSet

__all__ = ["Kind", "Period", "Register", "Registers", "registers"]

_TABLES: dict[int, tuple[Period, str]] = {
    23: ("current", ""),
    24: ("previous season", "PREV_SEASON_REG_DATA"),
    25: ("previous demand reset", "PREV_DEMAND_RESET_DATA"),
}
_FLOAT32 = 1


class Registers(RowView[Register]):
    """The registers of a meter.

    Attributes:
        rows: in the order of the tables; self reads from the oldest to the newest.
        findings: what is missing, wrong or could not be told.
    """

    __slots__ = ("findings", "rows")

    def __init__(self, rows: tuple[Register, ...], findings: tuple[Finding, ...]) -> None:
        self.rows = rows
        self.findings = findings

    def __repr__(self) -> str:
        return f"<{len(self.rows)} registers>"

    def as_dict(self) -> dict[str, Any]:
        """Return them in terms of JSON: Decimal as string, times as ISO 8601."""
        return {
            "registers": [row.as_dict() for row in self.rows],
            "findings": [finding._asdict() for finding in self.findings],
        }

    def to_csv(self) -> str:
        """Return the rows as CSV with a head line; several quadrants and remarks with blanks and semicolons between."""
        shown = []
        for row in self.rows:
            found = row.as_dict()
            found["quadrants"] = " ".join(map(str, row.quadrants))
            found["remarks"] = "; ".join(row.remarks)
            found["raw"] = row.raw.hex() if isinstance(row.raw, Raw) else found["raw"]
            shown.append(found)
        return csv_text(Register._fields, shown)


def registers(device: TableSet, *, zone: dt.tzinfo | None = None, local_counters: bool = False) -> Registers:
    """Return every value of ST23 to ST28 that is here; without such tables no rows, and findings.

    Args:
        device: the tables of the meter.
        zone: where the meter is, if the caller knows; goes before what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
    """
    findings: list[Finding] = []
    reader = _Reader(device, timekeeping(device, zone=zone, local_counters=local_counters), findings)
    return Registers(tuple(reader.rows()), tuple(dict.fromkeys(findings)))


class _Reader:
    """What is needed to read one meter's registers."""

    def __init__(self, device: TableSet, times: Timekeeping, findings: list[Finding]) -> None:
        self.device = device
        self.times = times
        self.findings = findings
        self.here = {number for number in range(23, 29) if device.get(number) is not None}
        self.partial = {label for label in device if device[label].pieces is not None}
        self.sources: dict[int, Source] = {}
        self.limits = self.selection = self.present = None
        self.singles = (False, False)
        if not self.here - {27}:
            text = "none of the register tables ST23 to ST26 and ST28 is here"
            findings.append(Finding("warning", "absent", "ST23", None, text))
            return
        describe_sources(device, findings)
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
        for number in sorted(self.here - {26, 27, 28}):
            table = record(self.device, number, self.findings, cut=True)
            if table is None:
                continue
            period, name = _TABLES[number]
            label = f"ST{number}"
            yield from _Data(
                self, period, f"{label}.{name}" if name else label, table.REGISTER_INFO if name else None
            ).rows(getattr(table, name) if name else table)
        if 26 in self.here:
            yield from self._self_reads()
        if 28 in self.here:
            yield from self._present()
        for index in sorted(self.sources):
            for text in self.sources[index].unresolved:
                self.findings.append(Finding("warning", "unresolved", f"ST16.SOURCES_LINK[{index}]", None, text))

    def time(self, time: Any) -> dt.datetime | None:
        """Return a time as rows have it: aware if that can be told."""
        return (self.times.instant(time) or time) if isinstance(time, dt.datetime) else None

    def source(self, index: int) -> Source:
        """Describe a source, once."""
        found = self.sources.get(index)
        if found is None:
            found = self.sources[index] = describe_source(self.device, index)
        return found

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
            yield from data.rows(entry.SELF_READ_REGISTER_DATA)

    def _present(self) -> Iterator[Register]:
        table = record(self.device, 28, self.findings, cut=True)
        if table is None:
            return
        data = _Data(self, "present", "ST28", None)
        demands, values = (None, None)
        if self.present is not None:
            demands, values = self.present.PRESENT_DEMAND_SELECT, self.present.PRESENT_VALUE_SELECT
        for number, entry in enumerate(table.PRESENT_DEMAND):
            remaining = entry.TIME_REMAINING
            yield from data.register(
                f"PRESENT_DEMAND[{number}].DEMAND_VALUE", "present demand", entry.DEMAND_VALUE,
                _selected(demands, number), table="ST27", format_=2,
                time_remaining=remaining if isinstance(remaining, dt.time) else None,
            )  # fmt: skip
        for number, raw in enumerate(table.PRESENT_VALUE):
            path = f"PRESENT_VALUE[{number}]"
            yield from data.register(path, "present value", raw, _selected(values, number), table="ST27")


class _Data:
    """Makes the rows of one register record.

    Args:
        reader: what is known of the meter.
        period: which table the record is of.
        path: where the record is.
        info: REGISTER_INFO of its period, if it has one.
        self_read: sequence number of a self read.
    """

    def __init__(self, reader: _Reader, period: Period, path: str, info: Any, self_read: int | None = None) -> None:
        self.reader = reader
        self.period = period
        self.path = path
        self.period_end = None if info is None else reader.time(info.END_DATE_TIME)
        self.season = None if info is None else info.SEASON
        self.self_read = self_read

    def rows(self, data: Any) -> Iterator[Register]:
        """Yield the registers of a REGISTER_DATA_RCD, block by block."""
        resets = data.NBR_DEMAND_RESETS
        if resets is not None:
            row = self._row("NBR_DEMAND_RESETS", "demand resets", resets, None)
            yield row._replace(
                block="total", quantity="number of demand resets", unit="", value=Decimal(resets), valid=True
            )
        blocks: list[tuple[int | None, str, Any]] = [(None, "TOT_DATA_BLOCK", data.TOT_DATA_BLOCK)]
        blocks += [(tier, f"TIER_DATA_BLOCK[{tier}]", block) for tier, block in enumerate(data.TIER_DATA_BLOCK)]
        for tier, path, block in blocks:
            name = "total" if tier is None else f"tier {tier}"
            for row in self._block(block, path):
                yield row._replace(block=name, tier=tier)

    def _block(self, block: Any, path: str) -> Iterator[Register]:
        select = self.reader.selection
        for number, raw in enumerate(block.SUMMATIONS):
            source = _selected(select and select.SUMMATION_SELECT, number)
            yield from self.register(f"{path}.SUMMATIONS[{number}]", "summation", raw, source)
        for number, demand in enumerate(block.DEMANDS):
            yield from self._demand(demand, number, f"{path}.DEMANDS[{number}]")
        for number, coincident in enumerate(block.COINCIDENTS):
            trigger = _selected(select and select.COIN_DEMAND_ASSOC, number)
            times = None
            if trigger is not None and trigger < len(block.DEMANDS):
                times = block.DEMANDS[trigger].EVENT_TIME
            for occurrence, raw in enumerate(coincident.COINCIDENT_VALUES):
                where = f"{path}.COINCIDENTS[{number}].COINCIDENT_VALUES[{occurrence}]"
                source = _selected(select and select.COINCIDENT_SELECT, number)
                for row in self.register(where, "coincident", raw, source, format_=2):
                    if trigger is not None and times is None and trigger >= len(block.DEMANDS):
                        text = f"ST22.COIN_DEMAND_ASSOC says demand {trigger}, which there is not"
                        row = row._replace(remarks=(*row.remarks, text))  # noqa: PLW2901
                    yield self._timed(row._replace(occurrence=occurrence), times, trigger)

    def _demand(self, demand: Any, number: int, path: str) -> Iterator[Register]:
        select = self.reader.selection
        source = _selected(select and select.DEMAND_SELECT, number)
        cumulatives: tuple[tuple[Kind, str], ...] = (
            ("cumulative", "CUM_DEMAND"), ("continuous cumulative", "CONT_CUM_DEMAND"),
        )  # fmt: skip
        for kind, name in cumulatives:
            yield from self.register(f"{path}.{name}", kind, getattr(demand, name), source)
        for occurrence, raw in enumerate(demand.DEMAND):
            for row in self.register(f"{path}.DEMAND[{occurrence}]", "demand", raw, source, format_=2):
                yield self._timed(row._replace(occurrence=occurrence), demand.EVENT_TIME, number)

    def _timed(self, row: Register, times: Any, demand: int | None) -> Register:
        """Add when a demand occurred, and whether it is a maximum or minimum."""
        select = self.reader.selection
        if select is not None and demand is not None:
            row = row._replace(extreme="maximum" if select.MIN_OR_MAX_FLAGS[demand] else "minimum")
        if times is None or row.occurrence is None or row.occurrence >= len(times):
            return row
        time = times[row.occurrence]
        if isinstance(time, dt.datetime):
            return row._replace(event_time=self.reader.time(time))
        if time is None and row.table in self.reader.partial:
            return row  # its octets may not be known
        text = (
            "there is no event time: nothing may have been recorded yet"
            if time is None
            else "the event time is invalid"
        )
        return row._replace(remarks=(*row.remarks, text))

    def register(
        self,
        path: str,
        kind: Kind,
        raw: Any,
        index: int | None,
        *,
        table: str = "ST22",
        format_: int = 1,
        time_remaining: dt.time | None = None,
    ) -> Iterator[Register]:
        """Yield the row of a value, or nothing if the table has no such value or ends before it."""
        if raw is None:
            return
        row = self._row(path, kind, raw, time_remaining)
        if index is None:
            yield row._replace(remarks=(f"{table} does not tell the source",))
            return
        source = self.reader.source(index)
        value = source.value(raw, single=self.reader.singles[format_ - 1]) if source.unit is not None else None
        remarks = list(source.unresolved)
        if isinstance(raw, Raw):
            remarks.append(f"{raw.hex(' ')} is no number")
        elif value is None and source.unit is not None:
            remarks.append(f"{raw} is no number")
        uom = source.uom
        yield row._replace(
            source=index, quantity=source.quantity, unit=source.unit, value=value,
            interval=source.interval if "demand" in kind or "cumulative" in kind else None,
            phase=uom.phase if uom else None, direction=uom.direction if uom else None,
            quadrants=uom.quadrants if uom else (), valid=value is not None, remarks=tuple(remarks),
        )  # fmt: skip

    def _row(self, path: str, kind: Kind, raw: Any, remaining: dt.time | None) -> Register:
        return Register(
            f"{self.path}.{path}", self.period, kind, None, None, None, None, None, None, None, raw, None, None, None,
            None, (), None, remaining, self.period_end, self.season, self.self_read, False, (),
        )  # fmt: skip


def _selected(selectors: Any, number: int) -> int | None:
    """Return an entry of ST22 or ST27, None if they are not here or too few."""
    if selectors is None or number >= len(selectors):
        return None
    index: int = selectors[number]
    return index
