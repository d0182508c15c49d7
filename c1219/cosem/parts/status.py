"""Identity, status, control and logs as COSEM objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import NULL, Data, DataType, array, enum, octet_string, structure, u16, u32
from c1219.cosem.event_codes import cosem_event
from c1219.cosem.names import LogicalName
from c1219.cosem.objects import CosemProfile, ProfileEntry
from c1219.cosem.parts.builder import CLOCK_NAME
from c1219.cosem.parts.registers import capture_attributes
from c1219.cosem.parts.times import END_OF_BILLING
from c1219.cosem.quantities import ROWS
from c1219.cosem.units import unit_code
from c1219.rules.offer import procedures
from c1219.tableid import TableId
from c1219.views.event_log import events
from c1219.views.identity import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1219.cosem.parts.builder import Builder

__all__ = ["DEVICE_NAME", "identity_objects", "log_objects", "status_objects"]

DEVICE_NAME: Final = LogicalName(0, 0, 42, 0, 0)
_MOST_LETTERS: Final = 16
_LOG: Final = LogicalName(0, 0, 99, 98, 0)
_CODE: Final = LogicalName(0, 0, 96, 11, 0)
_ARGUMENT: Final = LogicalName(0, 0, 96, 11, 10)
_USER: Final = LogicalName(0, 0, 96, 11, 11)
_OWN: Final = LogicalName(0, 0, 96, 11, 12)
_ID = [LogicalName(0, 0, 96, 1, number) for number in range(11)]
_UTILITY: Final = (
    ("M110", "SERVICE_POINT_ID", _ID[10]), ("M111", "UTIL_SER_NO", _ID[2]), ("M111", "DEVICE_ID", _ID[3]),
    ("M111", "CUSTOMER_ID", _ID[4]), ("M111", "TARIFF_ID", _ID[5]),
)  # fmt: skip
_SCRIPTS: Final = (
    ("M116", 9, END_OF_BILLING), ("M118", 3, LogicalName(0, 0, 10, 0, 0)), ("M119", 6, LogicalName(0, 0, 10, 0, 101)),
    ("M119", 6, LogicalName(0, 0, 10, 0, 102)),
)  # fmt: skip
_DISCONNECT: Final = (21, LogicalName(0, 0, 96, 3, 10))
_HERTZ: Final = {2: 50, 4: 60}


def _text(text: str) -> Data:
    return octet_string(text.encode("utf-8"))


def identity_objects(builder: Builder, logical_device_name: str | None) -> None:
    """Map ST1, ST2, ST5 and ST6."""
    who = identity(builder.device)
    builder.findings.extend(who.findings)
    data = InterfaceClass.DATA
    name = logical_device_name or f"{(who.manufacturer or 'XXX')[:3]}{(who.serial or '').lstrip('0')}"
    builder.plain("M112", data, DEVICE_NAME, "ST1.MFG_SERIAL_NUMBER", {2: _text(name[:_MOST_LETTERS])})
    for row, path, logical, text in (
        ("M107", "ST1.MFG_SERIAL_NUMBER", _ID[0], who.serial),
        ("M109", "ST5.IDENTIFICATION", _ID[1], who.identification),
        ("M108", "ST1.FW_VERSION_NUMBER", LogicalName(1, 0, 0, 2, 0), who.firmware),
        *((row, f"ST6.{element}", logical, who.utility.get(element)) for row, element, logical in _UTILITY),
    ):
        if text:
            builder.plain(row, data, logical, path, {2: _text(str(text).strip())})
    _nameplate(builder, who.nameplate)
    _ratios(builder)


def _nameplate(builder: Builder, nameplate: Any) -> None:
    try:
        constant = float(nameplate.get("E_KH", ""))
    except (TypeError, ValueError):
        constant = 0.0
    per_wh = _scaler_unit("1/Wh")
    if constant > 0:
        value = {2: Data(DataType.FLOAT64, 1 / constant), 3: per_wh}
        builder.plain("M81", InterfaceClass.REGISTER, LogicalName(1, 0, 0, 3, 0), "ST2.E_KH", value)
    hertz = _HERTZ.get(nameplate.get("E_FREQ"))
    if hertz is not None:
        value = {2: u16(hertz), 3: _scaler_unit("Hz")}
        builder.plain("M81", InterfaceClass.REGISTER, LogicalName(1, 0, 0, 6, 2), "ST2.E_FREQ", value)


def _scaler_unit(unit: str) -> Data:
    return structure(Data(DataType.INT8, 0), enum(unit_code(unit) or 0))


def _ratios(builder: Builder) -> None:
    """Map the ratios of instrument transformers, if all sources have the same."""
    table = builder.record(15)
    sets = [
        (f"ST15.SELECTION[{number}].SET1_CONSTANTS", entry.SET1_CONSTANTS)
        for number, entry in enumerate(() if table is None else table.SELECTION)
        if getattr(entry, "SET1_CONSTANTS", None) is not None
    ]
    for element, name in (("RATIO_F1", LogicalName(1, 0, 0, 4, 2)), ("RATIO_P1", LogicalName(1, 0, 0, 4, 3))):
        values = {getattr(ratios, element) for _, ratios in sets}
        if len(values) > 1:
            builder.leave("M80", f"ST15.SELECTION.SET1_CONSTANTS.{element}", "ratio", "sources have different ratios")
        for path, ratios in sets[:1] if len(values) == 1 else ():
            number = float(getattr(ratios, element))
            whole = number.is_integer() and 0 <= number < 1 << 32
            value = u32(int(number)) if whole else Data(DataType.FLOAT64, number)
            builder.plain("M80", InterfaceClass.REGISTER, name, f"{path}.{element}", {2: value, 3: _scaler_unit("")})


def status_objects(builder: Builder) -> None:
    """Map ST3, and what the procedures of ST0 can do."""
    table = builder.record(3, cut=True)
    for row, element, name in (
        ("M113", "ED_STD_STATUS1", LogicalName(0, 0, 97, 97, 0)),
        ("M114", "ED_MODE", LogicalName(0, 0, 96, 5, 1)),
    ):
        if table is not None and getattr(table, element) is not None:
            octets = builder.device.layout(f"ST3.{element}").encode(getattr(table, element))
            value = u32(int.from_bytes(octets, "little"))
            builder.plain(row, InterfaceClass.DATA, name, f"ST3.{element}", {2: value})
    offered = frozenset() if builder.st0 is None else procedures(builder.st0)
    for row, number, name in _SCRIPTS:
        if number in offered:
            scripts = array((structure(u16(1), array(())),))
            builder.plain(row, InterfaceClass.SCRIPT_TABLE, name, f"SP{number}", {2: scripts})
    number, name = _DISCONNECT
    if number in offered:
        builder.plain("M120", InterfaceClass.DISCONNECT_CONTROL, name, f"SP{number}", {})


def log_objects(builder: Builder) -> None:
    """Map ST74 and ST76 to one log, in order of time."""
    tables = [f"ST{number}" for number in (74, 76) if builder.device.get(number) is not None]
    if not tables:
        return
    data = InterfaceClass.DATA
    columns = (
        (InterfaceClass.CLOCK, CLOCK_NAME, 2), (data, _CODE, 2), (data, _OWN, 2), (data, _USER, 2),
        (data, _ARGUMENT, 2),
    )  # fmt: skip
    made: list[Sequence[ProfileEntry]] = []

    def entries() -> Sequence[ProfileEntry]:
        if not made:
            view = events(builder.device, **builder.options)
            made.append([_event(builder, one) for one in view.rows])
        return made[0]

    attributes: dict[int, Any] = capture_attributes(columns, 0, 0, 0)
    attributes[7] = attributes[8] = lambda: u32(len(entries()))
    facts = ROWS["M115"]
    remarks = (facts.residue, "0.0.96.11.12 is the code of ST72, a manufacturer's with 2048 added")
    builder.add(
        CosemProfile(
            _LOG, tables[0], attributes, columns, entries, rows=("M115",), fidelity=facts.fidelity, remarks=remarks
        )
    )


def _event(builder: Builder, one: Any) -> ProfileEntry:
    code = cosem_event(one.code, manufacturer=one.manufacturer)
    own = TableId.of(one.code, manufacturer=one.manufacturer)
    common = NULL if code is None else u16(code)
    cells = (builder.time_data(one.time), common, u16(int(own)), u16(one.user), octet_string(one.raw))
    return ProfileEntry(one.time, cells)
