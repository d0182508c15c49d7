"""What table data in messages measures: rows of the views of `c1219`, over what is known of the node.

A piece of a table gives the rows that it holds; where a table is read piece by piece, what a piece makes whole with
those before it. Of a list the head is remembered, since it tells the order of the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219 import C1219Error, Device
from c1219.caches import BoundedDict
from c1219.rules.offer import lists
from c1219.tableid import table_id
from c1219.views.records import CALENDAR, CLOCK, SOURCES, record
from c1219.views.register_row import raw_as_json
from c1219.views.registers import RegisterReader
from c1222.errors import Finding

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from c1219 import Registry
    from c1219.views.register_row import Register

__all__ = ["MAX_CONFIGURED", "MAX_PARTLY_READ", "MEANING", "Readings", "measured_by", "needs", "readable"]

MAX_CONFIGURED: Final = 64
"""Configurations that are kept decoded."""
MAX_PARTLY_READ: Final = 1024
"""Tables read piece by piece that are remembered."""
_MAX_HEAD: Final = 256
"""Octets kept of the head of a list."""
_MAX_BEFORE: Final = 4096
"""Octets kept that were read before a piece: where a block of a load profile is longer, its rows are not told."""

_Row = dict[str, Any]  # without what is not known
_Found = tuple[Iterable[_Row], Iterable[Finding]]
_Tables = tuple[tuple[str, bytes], ...]


def _registers(configured: _Configured, label: str, _: dt.datetime | None) -> _Found:
    found, findings = configured.registers.read()
    start = f"{label}."
    return [_register(row) for row in found if row.path.startswith(start)], findings


def _register(row: Register) -> _Row:
    """Return what `Register.as_dict` says of a row, as far as it matters in a message."""
    value, time, end = row.value, row.event_time, row.period_end
    cells = (
        row.path, row.quantity, row.unit, None if value is None else f"{value:f}", raw_as_json(row.raw), row.kind,
        row.tier, row.occurrence, row.extreme, row.source, time and time.isoformat(), end and end.isoformat(),
        row.self_read, list(row.remarks) or None,
    )  # fmt: skip
    return {name: cell for name, cell in zip(_OF_REGISTER, cells, strict=True) if cell is not None}


_OF_REGISTER: Final = (
    "path", "quantity", "unit", "value", "raw", "kind", "tier", "occurrence", "extreme", "source", "time", "end",
    "self_read", "remarks",
)  # fmt: skip


def _intervals(configured: _Configured, label: str, _: dt.datetime | None) -> _Found:
    number = _SETS[label]
    found = configured.device.load_profile(number)
    rows = found.as_dict()["intervals"]
    paths = {channel.number: f"LP{number}.CH{channel.number}" for channel in found.channels}
    return [
        {"path": paths[row["channel"]]}
        | {name: cell for name in _OF_INTERVAL if (cell := row[name]) is not None and cell != []}
        for row in rows
    ], found.findings


_OF_INTERVAL: Final = ("quantity", "unit", "value", "raw", "source", "start", "end", "status")


def _events(configured: _Configured, label: str, _: dt.datetime | None) -> _Found:
    found = configured.device.events(logs=("history" if label == "ST74" else "event",))
    rows = ((row, row.as_dict()) for row in found)
    return _without_nulls(
        {"path": f"{label}.ENTRIES[{row.element}]", "text": row.text, **{name: shown[name] for name in _OF_EVENT}}
        for row, shown in rows
    ), found.findings


_OF_EVENT: Final = ("time", "sequence", "user", "code", "manufacturer")


def _clock(configured: _Configured, label: str, now: dt.datetime | None) -> _Found:
    found = configured.device.clock(now=now)
    shown = found.as_dict()
    row = {name: shown[name] for name in ("weekday", "dst", "tier", "season", "drift")}
    time = shown["time"] or shown["wall"]
    rows = [{"path": f"{label}.CLOCK_CALENDAR", "quantity": "time", "time": time, **row}] if time else []
    return _without_nulls(rows), ()


class _View(NamedTuple):
    """How rows are made of a table.

    Attributes:
        rows: makes them, of a configured device, a label and the time of the message; with the findings of the view.
        needs: numbers of the tables that say what is in it.
        measures: whether the rows have quantity and unit.
    """

    rows: Callable[[_Configured, str, dt.datetime | None], _Found]
    needs: tuple[int, ...]
    measures: bool = False


_REGISTERS: Final = _View(_registers, (0, *SOURCES, 21, 22, 27, *CALENDAR, *CLOCK), measures=True)
_PROFILE: Final = _View(_intervals, (0, *SOURCES, 61, 62, 63, *CALENDAR, *CLOCK), measures=True)
_LOG: Final = _View(_events, (0, 71, *CALENDAR, *CLOCK))
_TIME: Final = _View(_clock, (0, *CALENDAR))
_SETS: Final = {f"ST{63 + number}": number for number in range(1, 5)}
_VIEWS: Final = {
    **{f"ST{number}": _REGISTERS for number in (23, 24, 25, 26, 28)},
    **dict.fromkeys(_SETS, _PROFILE),
    **{f"ST{number}": _LOG for number in (74, 76)},
    **{f"ST{number}": _TIME for number in CLOCK},
}
_NUMBERS: Final = frozenset(map(table_id, _VIEWS))
_LISTS: Final = frozenset({"ST26", "ST74", "ST76"})
"""Tables whose head tells the order of their entries."""
MEANING: Final = frozenset(f"ST{number}" for view in _VIEWS.values() for number in view.needs)
"""Labels of the tables that say what others measure."""


_SELECTIONS: Final = {"ST28": frozenset({27})}
"""What names the sources of values, where that is not ST22; the other of the two means nothing there."""
_BESIDE: Final = frozenset({0, 63, *CALENDAR, *CLOCK})
"""What changes while the meter works, and ST0, whose changes are another matter."""


def measured_by(label: str) -> frozenset[str]:
    """Return the labels of the tables that say what the values of a table measure; times aside."""
    view = _VIEWS.get(label)
    if view is None or not view.measures:
        return frozenset()
    selections = _SELECTIONS.get(label, frozenset({22}))
    return frozenset(f"ST{number}" for number in set(view.needs) - _BESIDE - ({22, 27} - selections))


def needs(label: str) -> tuple[str, ...]:
    """Return the labels of the tables that say what a table measures; empty if nothing is measured there."""
    view = _VIEWS.get(label)
    return tuple(f"ST{number}" for number in view.needs) if view is not None and view.measures else ()


def readable(table: int) -> bool:
    """Tell whether rows can be made of a table, by its identifier on the wire."""
    return table in _NUMBERS


class _Configured:
    """A device with the tables that say what others measure, and what cannot be told with them."""

    def __init__(self, tables: _Tables, registry: Registry) -> None:
        self.device = Device(dict(tables), registry=registry)
        self.unknown: dict[str, Finding] = {}

    @cached_property
    def registers(self) -> RegisterReader:
        """What reads registers, with what these tables say found out once."""
        return RegisterReader(self.device)


class _Partly(NamedTuple):
    """What was read of a table whose pieces come one after the other.

    Attributes:
        head: the first octets, of a list.
        offset: where the last of the octets start that were read in a row.
        octets: these.
        told: keys of the rows that were told of them.
    """

    head: bytes = b""
    offset: int = 0
    octets: bytes = b""
    told: frozenset[tuple[str, str | None]] = frozenset()


_NOTHING: Final = _Partly()


class Readings:
    """Makes rows of table data, within bounds."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._configured: BoundedDict[_Tables, _Configured] = BoundedDict(MAX_CONFIGURED)
        self._partly: BoundedDict[tuple[object, str], _Partly] = BoundedDict(MAX_PARTLY_READ)

    def of(
        self,
        node: object,
        known: Mapping[str, bytes],
        label: str,
        octets: bytes,
        *,
        offset: int | None = None,
        now: dt.datetime | None = None,
    ) -> tuple[list[_Row], Finding | None]:
        """Return the rows of a table or of a piece of one, in terms of JSON, and what keeps them from being known.

        Args:
            node: whose it is.
            known: octets of the tables that are known of the node.
            label: the table, of those that are `readable`.
            octets: the table, or a piece of it.
            offset: where the piece starts; None for a whole table.
            now: aware time of the message, if it is known.
        """
        view = _VIEWS[label]
        needs = [name for name in map("ST{}".format, view.needs) if name != label]
        configured = self._device(tuple([(name, known[name]) for name in needs if name in known]))
        if label in configured.unknown:
            return [], configured.unknown[label]
        device = configured.device
        partly = _NOTHING if offset is None else self._read_on(node, label, offset, octets)
        try:
            if offset is None:
                device.put(label, octets)
            else:
                device.put_pieces(label, {0: partly.head[: partly.offset], partly.offset: partly.octets})
            found, findings = view.rows(configured, label, now)
            rows = [row for row in found if not partly.head or _starts(device, row) >= partly.offset]
        except C1219Error:
            return [], None  # the table cannot be decoded, which is said already
        finally:
            device.drop(label)
        if offset is not None:
            keys = [(row["path"], row.get("start")) for row in rows]
            self._partly[node, label] = partly._replace(told=frozenset(keys))
            rows = [row for row, key in zip(rows, keys, strict=True) if key not in partly.told]
        measured = [row for row in rows if view.measures and row.get("kind") != "demand resets"]
        certain = any("unit" in row for row in measured)
        if (rows and all("unit" in row for row in measured)) or not (rows or label in _SETS):
            return rows, None
        # Of a profile without rows only what no row can be made without: this piece may hold no interval.
        levels = {"note", "warning", "error"} if rows else {"error"}
        absent = {finding.path for finding in findings if finding.code == "absent" and finding.level in levels}
        lacking = [name for name in needs if name in absent and _has(device, name)]
        if not lacking:
            return rows if certain else [], None
        were, tell = ("was", "tells") if len(lacking) == 1 else ("were", "tell")
        text = f"{', '.join(lacking)} of this node {were} not seen, which {tell} what {label} measures"
        finding = Finding("note", "not-seen", label, None, text)
        if certain:
            return rows, finding
        configured.unknown[label] = finding
        return [], finding

    def _device(self, tables: _Tables) -> _Configured:
        found = self._configured.pop(tables, None) or _Configured(tables, self._registry)
        self._configured[tables] = found  # as the last one used
        return found

    def _read_on(self, node: object, label: str, offset: int, octets: bytes) -> _Partly:
        """Put a piece behind those that end where it starts."""
        last = self._partly.pop((node, label), _NOTHING)
        head = octets[:_MAX_HEAD] if label in _LISTS and not offset else last.head
        if last.octets and last.offset + len(last.octets) == offset:
            before = last.octets[-_MAX_BEFORE:]
            partly = _Partly(head, offset - len(before), before + octets, last.told)
        else:
            partly = _Partly(head, offset, octets)
        self._partly[node, label] = partly
        return partly


def _starts(device: Device, row: _Row) -> int:
    return device.layout(row["path"]).offset


def _has(device: Device, label: str) -> bool:
    """Tell whether a meter has a table, as far as its ST0 is known."""
    st0 = record(device, 0, [])
    return st0 is None or bool(lists(st0, table_id(label)))


def _without_nulls(rows: Iterable[_Row]) -> list[_Row]:
    return [{name: value for name, value in row.items() if value is not None and value != []} for row in rows]
