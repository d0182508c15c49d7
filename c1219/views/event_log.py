"""History and event log (ST71 to ST76) as rows, in order, and what is missing between them.

Sequence numbers count down from LAST_ENTRY_SEQ_NBR; the low halves that entries carry themselves go before that, and a
jump in them is lost events. A meter that counts LAST_ENTRY_ELEMENT and LAST_ENTRY_SEQ_NBR one too high (a Hexing
sample) is noticed if its entries carry sequence numbers.
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from c1219.codes.events import event
from c1219.engine.declared import dependencies
from c1219.engine.layout import Layout, bind_outline
from c1219.errors import C1219Error, Finding
from c1219.rules.lists import newest_first
from c1219.rules.timekeeping import utc, without_zone
from c1219.schema import outline
from c1219.tableid import TableId
from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.views.clock import Timekeeping, timekeeping
from c1219.views.origin import MeterOrigin, origin
from c1219.views.records import record
from c1219.views.rows import RowView, csv_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from c1219.tableset import TableSet

__all__ = ["Event", "EventLog", "Log", "Lost", "events"]

Log = Literal["history", "event"]

_TABLES: dict[Log, tuple[int, str]] = {"history": (74, "HISTORY"), "event": (76, "EVENT")}


class Event(NamedTuple):
    """One entry of a log.

    Attributes:
        time: aware if the offset from UTC is known, else by the meter's clock; None if the entry has none.
        sequence: its sequence number in its log.
        user: USER_ID; believed to be 0 for the device itself and 1 for an action by hand.
        code: number of the event, 0..2047.
        manufacturer: it is an event of the manufacturer's.
        name: what happened, in words.
        arguments: record of the argument; None if it has none, or if what it means is not known.
        raw: octets of the argument.
        number: EVENT_NUMBER, common to both logs; None if entries have none.
        log: ``history`` or ``event``.
        unread: it is one of NBR_UNREAD_ENTRIES.
        element: its index in the array of entries.
    """

    time: dt.datetime | None
    sequence: int
    user: int
    code: int
    manufacturer: bool
    name: str
    arguments: Any
    raw: bytes
    number: int | None
    log: Log
    unread: bool
    element: int

    @property
    def text(self) -> str:
        """The event and its arguments in one line, for example ``table written to: ST54``."""
        if self.arguments is None:
            return self.name
        words = [str(value) for value in _argument_dict(self.arguments).values() if value is not None]
        return f"{self.name}: {', '.join(words)}" if words else self.name

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        items: dict[str, Any] = self._asdict()
        items["time"] = self.time and self.time.isoformat()
        items["raw"] = self.raw.hex()
        items["arguments"] = None if self.arguments is None else _argument_dict(self.arguments)
        return items


class Lost(NamedTuple):
    """Events that are missing.

    Attributes:
        log: from which log.
        after: sequence number before the first that is missing; None if that is not known.
        count: how many; None if that is not known.
    """

    log: Log
    after: int | None
    count: int | None  # type: ignore[assignment]  # tuple.count is not needed


EVENTS: Final = RowSchema(
    "c1219.events/1",
    "One entry of the history or event log.",
    (
        *METER,
        RowColumn("time", "time", "when it happened"),
        RowColumn("local_offset", "int16", "minutes that the meter's place is ahead of UTC then; null if not known"),
        RowColumn("wall_time", "bool", "the time is what the meter's clock shows, taken as UTC", null=False),
        RowColumn("log", "word", "`history` or `event`", null=False),
        RowColumn("sequence", "int64", "sequence number in its log", null=False),
        RowColumn("user", "int32", "who did it", "USER_ID", null=False),
        RowColumn("code", "int16", "number of the event", null=False),
        RowColumn("manufacturer", "bool", "it is an event of the manufacturer's", null=False),
        RowColumn("name", "word", "what happened", null=False),
        RowColumn("arguments", "json", "elements of the argument by name"),
        RowColumn("raw", "string", "octets of the argument in hex", null=False),
        RowColumn("number", "int32", "number common to both logs", "EVENT_NUMBER"),
        RowColumn("unread", "bool", "it had not been read", null=False),
        RowColumn("element", "int32", "index in the array of entries", null=False),
    ),
    key=("meter", "log", "sequence"),
)


class EventLog(RowView[Event]):
    """The entries of the logs, in order.

    Attributes:
        rows: the entries, the oldest first.
        lost: events that are missing.
        findings: what is missing, tolerated or wrong.
        origin: which meter they are of.
    """

    __slots__ = ("findings", "lost", "origin", "rows")

    schema = EVENTS

    def __init__(
        self,
        rows: tuple[Event, ...],
        lost: tuple[Lost, ...],
        findings: tuple[Finding, ...],
        origin: MeterOrigin | None = None,
    ) -> None:
        self.rows = rows
        self.lost = lost
        self.findings = findings
        self.origin = origin or MeterOrigin()

    def __repr__(self) -> str:
        return f"<event log: {len(self.rows)} entries>"

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        return {
            "events": [row.as_dict() for row in self.rows],
            "lost": [lost._asdict() for lost in self.lost],
            "findings": [finding._asdict() for finding in self.findings],
        }

    def to_csv(self) -> str:
        """Return the entries as CSV with a head line; arguments are words."""
        shown = []
        for row in self.rows:
            items = row.as_dict()
            items["arguments"] = "; ".join(f"{name}={value}" for name, value in (items["arguments"] or {}).items())
            shown.append(items)
        return csv_text(Event._fields, shown)

    def table_rows(self) -> Iterator[Sequence[Any]]:
        source = self.origin
        for row in self.rows:
            wall = row.time is not None and row.time.tzinfo is None
            yield (
                source.meter, source.node, row.time, source.offset_of(row.time), wall, row.log, row.sequence, row.user,
                row.code, row.manufacturer, row.name, None if row.arguments is None else _argument_dict(row.arguments),
                row.raw.hex(), row.number, row.unread, row.element,
            )  # fmt: skip


def events(
    device: TableSet,
    *,
    logs: tuple[Log, ...] = ("history", "event"),
    seen: Mapping[Log, int] | None = None,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
) -> EventLog:
    """Return the entries of the logs; none, and findings, where tables are absent.

    Args:
        device: the tables of the meter.
        logs: which logs. The entries of two are put together by time; each log keeps its own order.
        seen: newest sequence number of each log that the caller has already, to report what was lost since.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
    """
    findings: list[Finding] = []
    actual = record(device, 71, findings, level="error")
    if actual is None:
        return EventLog((), (), tuple(findings), origin(device))
    times = timekeeping(device, zone=zone, local_counters=local_counters, findings=findings)
    supported = record(device, 72, findings)
    lost: list[Lost] = []
    placed: list[tuple[dt.datetime, int, Event]] = []
    for log in logs:
        reader = _Reader(device, log, times, findings, lost)
        rows = reader.rows((seen or {}).get(log))
        latest = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
        for row in rows:
            if row.time is not None:
                latest = max(latest, row.time if row.time.tzinfo is not None else utc(row.time))
            placed.append((latest, len(placed), row))
        if supported is not None:
            _note_unsupported(rows, supported, reader.label, findings)
    if any(row.time is not None and row.time.tzinfo is None for _, _, row in placed):
        text = "the offset from UTC is not known for all of it: times are the meter's own, naive"
        findings.append(Finding("note", "zone-unknown", "ST52", None, text))
        placed = [(at, n, row._replace(time=row.time and without_zone(row.time))) for at, n, row in placed]
    if len(logs) > 1:
        placed.sort(key=lambda item: item[:2])
    return EventLog(tuple(row for _, _, row in placed), tuple(lost), tuple(findings), origin(device, times))


class _Reader:
    """What is needed to read one log."""

    def __init__(
        self, device: TableSet, log: Log, times: Timekeeping, findings: list[Finding], lost: list[Lost]
    ) -> None:
        number, self.prefix = _TABLES[log]
        self.device, self.log, self.times, self.findings, self.lost = device, log, times, findings, lost
        self.label = f"ST{number}"
        self.table = record(device, number, findings, cut=True)
        self.partial = self.table is not None and device[number].pieces is not None
        self.arguments: dict[int, Layout | None] = {}
        self.cases: Mapping[int, Any] = {}
        self.possible: dict[int, tuple[dt.datetime, ...]] = {}  # instants that the time of an entry may mean
        if self.table is not None and self.table.ENTRIES:
            node: Any = device.bind(number).element(f"ENTRIES[0].{self.prefix}_ARGUMENT").node
            self.cases = node.declared.cases

    def rows(self, seen: int | None) -> list[Event]:
        table = self.table
        if table is None or None in table[: table._fields.index("ENTRIES")]:
            return []
        flags = table[0]
        if flags.OVERFLOW_FLAG:
            reason = "logging has stopped" if flags.INHIBIT_OVERFLOW_FLAG else "unread entries were lost"
            self._remark("warning", "overflow", f"the log overflowed: {reason}")
            self.lost.append(Lost(self.log, None, None))
        path = f"{self.label}.{'HIST' if self.log == 'history' else 'EVENT'}_FLAGS"
        size = self.device.bind(self.label).element("ENTRIES").count
        last, newest = self._newest(size)
        order = newest_first(
            last, table.NBR_VALID_ENTRIES, size, descending=bool(flags.ORDER), circular=bool(flags.LIST_TYPE)
        )  # fmt: skip
        self.findings += [Finding(level, code, path, None, text) for level, code, text in order.misfits]
        events: list[Event] = []
        sequence = newest
        for age, element in enumerate(order.indices):
            entry = table.ENTRIES[element] if element < len(table.ENTRIES) else None
            if not hasattr(getattr(entry, f"{self.prefix}_CODE", None), "TBL_PROC_NBR") or (
                self.partial and not self.device.holds(f"{self.label}.ENTRIES[{element}]")
            ):
                continue  # it is not here, which is a finding already
            sequence = self._sequence(events[-1].sequence if events else None, newest - age & 0xFFFFFFFF, entry)
            events.append(self._event(entry, element, sequence, unread=age < table.NBR_UNREAD_ENTRIES))
        events.reverse()
        events = self._in_order(events)
        self._note_lost(events, seen)
        return events

    def _in_order(self, rows: list[Event]) -> list[Event]:
        """Take the later of two instants that an entry may have, where the earlier is before the entry before it."""
        ordered: list[Event] = []
        latest: dt.datetime | None = None
        for row in rows:
            possible = self.possible.get(row.element, ())
            if latest is not None and len(possible) > 1 and row.time == possible[0] < latest <= possible[1]:
                row = row._replace(time=possible[1])  # noqa: PLW2901
            latest = row.time if row.time is not None and row.time.tzinfo is not None else latest
            ordered.append(row)
        return ordered

    def _remark(self, level: Any, code: str, text: str, below: str = "") -> None:
        self.findings.append(Finding(level, code, f"{self.label}.{below}".rstrip("."), None, text))

    def _own(self, entry: Any) -> int | None:
        """Return the low half of an entry's sequence number, None if it has none."""
        low = getattr(entry, f"{self.prefix}_SEQ_NBR")
        return low if isinstance(low, int) else None

    def _newest(self, size: int) -> tuple[int, int]:
        """Return index and sequence number of the newest entry."""
        last, newest = self.table.LAST_ENTRY_ELEMENT, self.table.LAST_ENTRY_SEQ_NBR
        entries = self.table.ENTRIES
        if not self.table.NBR_VALID_ENTRIES or not 0 < last <= len(entries):
            return last, newest
        here = self._own(entries[last]) if last < len(entries) else None
        before = self._own(entries[last - 1])
        if here == newest & 0xFFFF or (last < size and here is None):
            return last, newest
        if before not in {newest & 0xFFFF, newest - 1 & 0xFFFF} and last < size:
            return last, newest
        text = f"LAST_ENTRY_ELEMENT is {last}, but by the sequence numbers the newest entry is {last - 1}"
        self._remark("warning", "off-by-one", text, "LAST_ENTRY_ELEMENT")
        return last - 1, newest - 1 & 0xFFFFFFFF if before == newest - 1 & 0xFFFF else newest

    def _sequence(self, newer: int | None, counted: int, entry: Any) -> int:
        """Return the sequence number of an entry from that of the next newer one, its own low half, or by counting."""
        own = self._own(entry)
        if own is None:
            return counted if newer is None else newer - 1 & 0xFFFFFFFF
        if newer is None:
            near = counted - (counted - own & 0xFFFF)
            return (near if counted - near < 0x8000 else near + 0x10000) & 0xFFFFFFFF
        return newer - (newer - own & 0xFFFF) & 0xFFFFFFFF

    def _note_lost(self, rows: list[Event], seen: int | None) -> None:
        if seen is not None and rows:
            self._note_gap(seen, rows[0].sequence, "since the last one seen")
        for older, newer in pairwise(rows):
            self._note_gap(older.sequence, newer.sequence, f"before entry {newer.element}")

    def _note_gap(self, older: int, newer: int, where: str) -> None:
        missing = (newer - older & 0xFFFFFFFF) - 1
        if 0 < missing < 0x80000000 and (missing < 0x8000 or where.startswith("since")):
            self.lost.append(Lost(self.log, older, missing))
            self._remark("warning", "lost-events", f"{missing} events are missing {where}, after number {older}")
        elif missing and not where.startswith("since"):
            text = f"sequence number {newer} follows {older}: the log was cleared, or an entry is damaged"
            self._remark("warning", "disorder", text)

    def _event(self, entry: Any, element: int, sequence: int, *, unread: bool) -> Event:
        code = getattr(entry, f"{self.prefix}_CODE")
        wall = getattr(entry, f"{self.prefix}_TIME")
        raw = bytes(entry[-1] or b"")  # none if the table ends before it
        time = None
        if isinstance(wall, dt.datetime):
            self.possible[element] = self.times.candidates(wall) if self.times.known else ()
            time = self.times.instant(wall) or wall if self.times.known else wall
        facts = event(code.TBL_PROC_NBR, manufacturer=code.STD_VS_MFG_FLAG)
        key = TableId.of(code.TBL_PROC_NBR, manufacturer=code.STD_VS_MFG_FLAG)
        return Event(
            time, sequence, entry.USER_ID, code.TBL_PROC_NBR, code.STD_VS_MFG_FLAG, facts.text,
            self._argument(key, raw, element), raw, entry.EVENT_NUMBER, self.log, unread, element,
        )  # fmt: skip

    def _argument(self, key: int, raw: bytes, element: int) -> Any:
        """Decode the argument of an event; the rest of the octets is padding."""
        case = self.cases.get(key)
        if case is None:
            return None
        path = f"ENTRIES[{element}].{self.prefix}_ARGUMENT"
        if key not in self.arguments:
            self.arguments[key] = None
            declared = outline(case, f"argument of event {key}")
            needs = dependencies(declared)[0]
            try:
                values = {name: self.device[name].value for name in needs}
                self.arguments[key] = bind_outline(f"{self.label}.{path}", declared, needs, values)
            except C1219Error as error:
                self._remark("warning", "no-layout", f"the argument of event {key} cannot be laid out: {error}", path)
        layout = self.arguments[key]
        if layout is None:
            return None
        if len(raw) < layout.size:
            text = f"the argument of event {key} has {layout.size} octets, of which the log keeps {len(raw)}"
            self._remark("note", "argument-cut", text, path)
        value, findings = layout.examine(raw[: layout.size])
        self.findings += [finding for finding in findings if finding.code == "no-value"]
        return value


def _note_unsupported(rows: list[Event], supported: Any, label: str, findings: list[Finding]) -> None:
    """Report events that ST72 does not list, each code once."""
    known = (supported.STD_EVENTS_SUPPORTED, supported.MFG_EVENTS_SUPPORTED)
    for manufacturer, code in sorted({(row.manufacturer, row.code) for row in rows}):
        if code not in known[manufacturer] and (code or manufacturer):
            kind = "manufacturer" if manufacturer else "standard"
            findings.append(
                Finding("note", "unsupported-event", label, None, f"ST72 does not list {kind} event {code}")
            )


def _argument_dict(arguments: Any) -> dict[str, Any]:
    return {name: _plain(value) for name, value in arguments._asdict().items()}


def _plain(value: Any) -> Any:
    """Return one element of an argument in terms of JSON; a table or procedure as its short name."""
    if hasattr(value, "TBL_PROC_NBR"):
        one = TableId.of(value.TBL_PROC_NBR, manufacturer=value.STD_VS_MFG_FLAG)
        return one.procedure_label if getattr(value, "PROC_FLAG", False) else one.label
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value.name.lower().replace("_", " ") if isinstance(value, IntEnum) else value
