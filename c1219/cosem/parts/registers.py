"""Registers as COSEM objects: those of now, of the previous demand reset, and profiles of seasons and self reads."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import NULL, Data, DataType, array, enum, name_data, structure, u16, u32
from c1219.cosem.names import CURRENT, LogicalName
from c1219.cosem.numbers import wire_type
from c1219.cosem.objects import CosemObject, CosemProfile, ProfileEntry
from c1219.cosem.parts.builder import CLOCK_NAME, ValueColumn
from c1219.cosem.quantities import ROWS
from c1219.cosem.row import worst
from c1219.views.registers import registers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.cosem.parts.builder import Builder
    from c1219.cosem.quantities import ValueKind
    from c1219.views.register_row import Register

__all__ = ["capture_attributes", "register_columns", "register_objects"]

_RESETS: Final = LogicalName(1, 0, 0, 1, 0)
_RESET_TIME: Final = LogicalName(1, 0, 0, 1, 2)
_INTERVAL: Final = LogicalName(1, 0, 0, 8, 0)
_PREVIOUS: Final = 101
"""Value group F of one billing period ago."""
_PERIOD_F: Final = {"previous demand reset": _PREVIOUS}
_PROFILES: Final = {
    "self read": ("M78", LogicalName(0, 0, 98, 1, 0)),
    "previous season": ("M77", LogicalName(0, 0, 98, 2, 0)),
}
_PERIOD_ROWS: Final = {"previous demand reset": ("M76",), "self read": ("M78",), "previous season": ("M77",)}
_SECOND_FORMAT: Final = ("demand maximum", "demand minimum", "coincident", "present demand")
_RANK_1: Final = "M69"
_FIFO: Final = 1
_MINUTES: Final = 6
_Cell = tuple[InterfaceClass, LogicalName, int]


_Placed = list[tuple["Register", "ValueKind | None", ValueColumn | str]]


def register_columns(builder: Builder) -> _Placed:
    """Return every row of the registers, and how its value is named and written, or why that is not known."""
    view = registers(builder.device, **builder.options)
    builder.findings.extend(view.findings)
    if builder.st0 is None:
        return []
    wires = {second: wire_type(builder.st0, second=second) for second in (False, True)}
    extremes = {row.path[: row.path.rindex(".")]: row.extreme for row in view.rows if row.kind == "demand"}
    placed: _Placed = []
    for row in view.rows:
        kind = _kind(row, extremes)
        column: ValueColumn | str = "ST22 does not say whether it is a maximum or a minimum"
        if kind is not None:
            column = builder.column(kind, row.source, wires[kind in _SECOND_FORMAT])
        placed.append((row, kind, column))
    return placed


def register_objects(builder: Builder, placed: _Placed) -> None:
    """Map the rows of the registers."""
    periods: dict[str, list[tuple[Register, ValueColumn]]] = {}
    for row, _, column in placed:
        if row.kind == "demand resets":
            _resets(builder, row)
        elif isinstance(column, str):
            builder.leave("M65", row.path, row.quantity or row.kind, column)
        elif column.scale is None or row.occurrence:
            rows = (_RANK_1,) if column.scale is not None else column.named.rows
            reason = ROWS[_RANK_1].residue if column.scale is not None else column.reason
            builder.leave(rows[0] if rows else "M64", row.path, row.quantity or row.kind, reason)
        elif row.tier is not None and column.name.e:
            builder.leave("M66", row.path, row.quantity or row.kind, "value group E says something else than the rate")
        elif row.period in _PROFILES:
            periods.setdefault(row.period, []).append((row, column))
            builder.paths.setdefault(row.path, column.name_of(row.tier, CURRENT))
        else:
            _register(builder, row, column)
    for period, past in periods.items():
        _profile(builder, period, past)


def _kind(row: Register, extremes: dict[str, Any]) -> ValueKind | None:
    if row.kind == "demand":
        return None if row.extreme is None else "demand maximum" if row.extreme == "maximum" else "demand minimum"
    if row.kind == "cumulative":
        extreme = extremes.get(row.path[: row.path.rindex(".")])
        return None if extreme is None else "cumulative maximum" if extreme == "maximum" else "cumulative minimum"
    return row.kind if row.kind != "demand resets" else None


def _resets(builder: Builder, row: Register) -> None:
    if row.period != "current":
        if row.period == "previous demand reset":
            _reset_time(builder, row)
        builder.leave("M73", row.path, "number of demand resets", "the number of another period is not kept")
        return
    value = {2: u32(int(row.raw)), 3: structure(Data(DataType.INT8, 0), enum(255))}
    builder.plain("M73", InterfaceClass.REGISTER, _RESETS, row.path, value)


def _reset_time(builder: Builder, row: Register) -> None:
    if row.period_end is not None:
        path = row.path.replace("PREV_DEMAND_RESET_DATA.NBR_DEMAND_RESETS", "REGISTER_INFO.END_DATE_TIME")
        value = {2: builder.time_data(row.period_end)}
        builder.plain("M76", InterfaceClass.DATA, _RESET_TIME, path, value)


def _name(row: Register, column: ValueColumn) -> LogicalName:
    return column.name_of(row.tier, _PERIOD_F.get(row.period, CURRENT))


def _register(builder: Builder, row: Register, column: ValueColumn) -> None:
    name, named = _name(row, column), column.named
    interface = named.interface
    if column.scale is None or interface is None:
        return
    value = column.scale.data(row.value)
    attributes: dict[int, Any] = {2: value, 3: column.scale.scaler_unit}
    if interface is InterfaceClass.EXTENDED_REGISTER:
        attributes[4], attributes[5] = NULL, builder.time_data(row.event_time)
    elif interface is InterfaceClass.DEMAND_REGISTER:
        attributes = _demand_register(builder, row, column, value)
    rows = (*named.rows, *(("M66",) if row.tier is not None else ()), *_PERIOD_ROWS.get(row.period, ()))
    remarks = (*named.remarks, *column.scale.remarks, *row.remarks)
    if column.channel:
        remarks = (*remarks, f"other sources have this name too: this is channel {column.channel}")
    fidelity = worst(("C" if column.channel else named.fidelity, named.fidelity))
    found = CosemObject(interface, name, row.path, attributes, rows=rows, fidelity=fidelity, remarks=remarks)
    builder.add(found)
    if row.period == "present" and column.source.interval and _INTERVAL not in {key[1] for key in builder.objects}:
        _interval(builder, column)


def _demand_register(builder: Builder, row: Register, column: ValueColumn, value: Data) -> dict[int, Any]:
    length, steps = column.source.interval or 0, column.source.subintervals
    start = None
    if builder.clock.time is not None and row.time_remaining is not None and length:
        left = dt.timedelta(hours=row.time_remaining.hour, minutes=row.time_remaining.minute)
        start = builder.clock.time - (dt.timedelta(minutes=length) - left)
    unit = column.scale.scaler_unit if column.scale is not None else NULL
    return {
        2: value, 3: NULL, 4: unit, 5: NULL, 6: builder.time_data(None), 7: builder.time_data(start),
        8: u32(length * 60 // steps), 9: u16(steps),
    }  # fmt: skip


def _interval(builder: Builder, column: ValueColumn) -> None:
    entry = column.source.entries[1]
    path = "" if entry is None else f"ST13.INTERVAL_VALUE[{entry}]"
    value = {2: u32(column.source.interval or 0), 3: structure(Data(DataType.INT8, 0), enum(_MINUTES))}
    builder.plain("M79", InterfaceClass.REGISTER, _INTERVAL, path, value)


# --- past periods as rows


def _profile(builder: Builder, period: str, rows: list[tuple[Register, ValueColumn]]) -> None:
    number, name = _PROFILES[period]
    facts = ROWS[number]
    table = "ST26" if period == "self read" else "ST24"
    kinds = dict.fromkeys((column, row.tier) for row, column in rows)
    columns = tuple(dict.fromkeys(cell for column, tier in kinds for cell in _cells(column, tier)))
    captured = ((InterfaceClass.CLOCK, CLOCK_NAME, 2), *columns)
    attributes: dict[int, Any] = capture_attributes(captured, 0, 0, 0)
    attributes[7] = attributes[8] = lambda: u32(len({(row.self_read, row.period_end) for row, _ in rows}))
    profile = CosemProfile(
        name, table, attributes, captured, lambda: _entries(builder, rows, columns),
        rows=(number,), fidelity=facts.fidelity, remarks=(facts.residue,),
    )  # fmt: skip
    builder.add(profile)


def _cells(column: ValueColumn, tier: int | None) -> tuple[_Cell, ...]:
    """Return the capture objects of a value: the value, and when it occurred if it has a time of its own."""
    interface, name = column.named.interface, column.name_of(tier, CURRENT)
    if interface is None:
        return ()
    both = interface is InterfaceClass.EXTENDED_REGISTER
    return ((interface, name, 2), (interface, name, 5)) if both else ((interface, name, 2),)


def _entries(
    builder: Builder, rows: list[tuple[Register, ValueColumn]], columns: tuple[_Cell, ...]
) -> list[ProfileEntry]:
    periods: dict[tuple[Any, ...], dict[_Cell, Data]] = {}
    for row, column in rows:
        cells = periods.setdefault((row.self_read, row.period_end), {})
        for cell in _cells(column, row.tier):
            if cell[2] == 2 and column.scale is not None:
                cells.setdefault(cell, column.scale.data(row.value))
            else:
                cells.setdefault(cell, builder.time_data(row.event_time))
    return [
        ProfileEntry(time, (builder.time_data(time), *(cells.get(column, NULL) for column in columns)))
        for (_, time), cells in periods.items()
    ]


def capture_attributes(columns: tuple[_Cell, ...], period: int, in_use: int, most: int) -> dict[int, Any]:
    """Return attributes 3 to 8 of a profile that is kept in order of time.

    Args:
        columns: its capture objects.
        period: seconds from one row to the next; 0 if they come when they come.
        in_use: rows that it has.
        most: rows that it can have.
    """
    return {
        3: lambda: array(_captured(columns)), 4: u32(period), 5: enum(_FIFO), 6: lambda: next(_captured(columns)),
        7: u32(in_use), 8: u32(most),
    }  # fmt: skip


def _captured(columns: tuple[_Cell, ...]) -> Iterator[Data]:
    for interface, name, attribute in columns:
        yield structure(u16(int(interface)), name_data(name), Data(DataType.INT8, attribute), u16(0))
