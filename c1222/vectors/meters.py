"""Operations on what is in a meter: types of the standard, tables, single elements, load profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219 import datatypes
from c1219.caches import remembered
from c1219.datatypes import BFLD, UINT, WireType
from c1219.device import Device
from c1219.errors import C1219Error, EncodeError
from c1219.registry import Registry
from c1219.tableid import table_id
from c1219.values import Raw
from c1219.views.load_profile import load_profile
from c1219.wire.form import Form, Formats
from c1222.services import TableData
from c1222.services.tables import ReadOffsetRequest, WriteOffsetRequest
from c1222.vectors.inputs import Answer, Input
from c1222.vectors.model import BadCase

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["COLUMNS", "OPERATIONS"]

COLUMNS: Final = ("start", "end", "channel", "raw", "value", "status", "extended", "block")
"""What a row of a load profile has, in this order."""


# --- types


def _form(case: Input) -> Form:
    formats = case.below("formats") if "formats" in case else Input({})
    unknown = {name for name, _ in formats.items()} - set(Formats._fields)
    if unknown:
        raise BadCase(f"input.formats: {min(unknown)} is no format of ST0")
    chosen = Formats(**{name: formats.integer(name) for name, _ in formats.items()})
    kind = _type(case)
    if isinstance(kind, type):
        return _checked(kind(None), chosen, case.between("length", 0, 0xFFFF))
    return _checked(kind, chosen, None)


def _checked(kind: WireType, formats: Formats, length: int | None) -> Form:
    try:
        return kind.form(formats, length)
    except ValueError as error:  # a reserved code
        raise EncodeError(kind.type, str(error)) from None


def _type(case: Input) -> Any:
    name = case.text("type")
    if name == "BFLD":
        parts = [(part.text("name"), part.integer("low"), part.integer("high")) for part in case.objects("fields")]
        try:
            return _bit_field(case.text("base_type"), tuple(parts))
        except (C1219Error, AttributeError):
            raise BadCase("input.fields: these are no fields of a bit field") from None
    kind = getattr(datatypes, name, None) if name in datatypes.__all__ else None
    sized = isinstance(kind, type) and issubclass(kind, WireType) and kind not in (BFLD, datatypes.CODED)
    if not isinstance(kind, WireType) and not (sized and kind is not WireType):
        raise BadCase(f"input.type: {name} is no type")
    return kind


@remembered(64)
def _bit_field(base: str, parts: tuple[tuple[str, int, int], ...]) -> BFLD:
    fields = [name / UINT(low, high) for name, low, high in parts]
    return BFLD("BFLD", getattr(datatypes, base), *fields)


def _decode_type(case: Input) -> Answer:
    form, octets = _form(case), case.octets("octets")
    if len(octets) != form.size:
        raise EncodeError(form.type, f"{form.size} octets are needed, not {len(octets)}")
    try:
        return Answer({"value": form.to_json(form.decode(octets))}, {"form": form.type})
    except (ValueError, TypeError) as error:
        raise EncodeError(form.type, str(error)) from None


def _encode_type(case: Input) -> Answer:
    form = _form(case)
    try:
        return Answer({"octets": form.encode(form.from_json(case.get("value"))).hex()}, {"form": form.type})
    except (ValueError, TypeError) as error:
        raise EncodeError(form.type, str(error)) from None


# --- tables


def _device(case: Input) -> Device:
    tables = case.below("tables")
    try:
        return _held(tuple([(name, tables.octets(name)) for name, _ in tables.items()]))
    except C1219Error as error:
        raise BadCase(f"input.tables: {error}") from None


@remembered(32)
def _held(tables: tuple[tuple[str, bytes], ...]) -> Device:
    return Device(dict(tables), registry=Registry(plugins=False))


def _decode_table(case: Input) -> Answer:
    table, octets = case.text("table"), case.octets("octets")
    layout = _device(case).layout_of(table, octets)
    value = layout.decode(octets)
    return Answer({"value": layout.to_json(value)}, {"size": layout.size})


def _encode_table(case: Input) -> Answer:
    table = case.text("table")
    layout = _device(case).bind(table)
    return Answer({"octets": layout.encode(layout.from_json(case.get("value"))).hex()}, {"size": layout.size})


def _read_element(case: Input) -> Answer:
    element = _device(case).layout(case.text("path"))
    number = table_id(element.table)
    output: dict[str, Any] = {
        "table": number,
        "offset": element.offset,
        "count": element.size,
        "request": ReadOffsetRequest(number, element.offset, element.size).encode().hex(),
    }
    if "octets" in case:
        output["value"] = _shown(element.to_json, element.decode(case.octets("octets")))
    return Answer(output, {"type": element.type, "index_path": list(element.index_path)})


def _shown(to_json: Callable[[Any], Any], value: Any) -> Any:
    return {"raw": value.hex()} if isinstance(value, Raw) else to_json(value)


def _write_element(case: Input) -> Answer:
    element = _device(case).layout(case.text("path"))
    octets = element.encode(element.from_json(case.get("value")))
    number = table_id(element.table)
    request = WriteOffsetRequest(number, element.offset, TableData(octets))
    return Answer(
        {"table": number, "offset": element.offset, "octets": octets.hex(), "request": request.encode().hex()}
    )


def _profile(case: Input) -> Answer:
    shown = load_profile(_device(case), case.between("set", 1, 4), local_counters=True).as_dict()
    fatal = [finding for finding in shown["findings"] if finding["level"] == "error"]
    if fatal:
        return Answer(None, refusal=fatal[0]["text"])
    return Answer(
        {
            "minutes": shown["minutes"],
            "channels": [
                {name: channel[name] for name in ("channel", "source", "scalar", "divisor")}
                for channel in shown["channels"]
            ],
            "rows": [[row[name] for name in COLUMNS] for row in shown["intervals"]],
        },
        {"blocks": shown["blocks"]},
    )


OPERATIONS: Final[dict[str, Callable[[Input], Answer]]] = {
    "type.decode": _decode_type,
    "type.encode": _encode_type,
    "table.decode": _decode_table,
    "table.encode": _encode_table,
    "element.read": _read_element,
    "element.write": _write_element,
    "load-profile": _profile,
}
