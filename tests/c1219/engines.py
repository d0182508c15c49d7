"""Both engines side by side: construct on the declaration, and the bound layout. They must agree on any octets."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from construct import ConstructError

from c1219.datatypes import OPAQUE
from c1219.errors import DecodeError, EncodeError, UnknownTable
from c1219.schema import parameters

if TYPE_CHECKING:
    from c1219.device import Device
    from c1219.schema import Table

DEMO: dict[int | str, bytes] = {
    number: bytes.fromhex(octets)
    for number, octets in {
        0: "02 1A 8A 44 45 4D 4F 02 00 10 10 02 00 04 01 03 01 01 01 FF FD F1 1E 01 79 06 00 00 E0 00 00 00 00",
        11: "2B 03 02 02 01 01 02 04",
        21: "57 12 02 01 01 01 01 01 01 02",
    }.items()
}
"""ST0 and the ACT tables of decades 1 and 2 of the worked examples' meter."""


def formats(
    *, order: int = 0, chars: int = 1, tm: int = 2, ids: int = 0, ints: int = 0, ni1: int = 10, ni2: int = 8
) -> bytes:
    """ST0 of the demo meter with other formats."""
    head = bytes((order | chars << 1, tm | 3 << 3 | ids << 5 | ints << 6, ni1 | ni2 << 4))
    return head + DEMO[0][3:]


class Wrong(Exception):
    """An engine refused."""


def parameters_for(table: Table, device: Device) -> dict[str, Any]:
    """What construct is given beside the octets: the other tables, and where to find procedures."""

    def procedures(number: int, manufacturer: bool, side: str) -> Any:
        try:
            procedure = device.procedure(number, manufacturer=manufacturer)
        except UnknownTable:
            return OPAQUE
        return getattr(procedure, side) or OPAQUE

    others: dict[str, Any] = {name: parameters(device[name].value) for name in device if name != table.label}
    return others | {"procedures": procedures}


def by_construct(table: Table, octets: bytes, device: Device) -> Any:
    """Parse with construct, which ignores what follows the record: refuse that here."""
    others = parameters_for(table, device)
    stream = io.BytesIO(octets)
    try:
        value = table.record.parse_stream(stream, **others)
    except ConstructError as error:
        raise Wrong(str(error)) from error
    if stream.read(1):
        raise Wrong("octets follow")
    return value


def by_layout(table: Table, octets: bytes, device: Device) -> Any:
    try:
        return device.layout_of(table.label, octets).decode(octets)
    except DecodeError as error:
        wrong = error
    assert wrong.path.startswith(table.label)
    assert 0 <= wrong.offset <= len(octets)
    raise Wrong(str(wrong))


def outcome(engine: Any, *arguments: Any) -> tuple[bool, Any]:
    try:
        return True, engine(*arguments)
    except Wrong as error:
        return False, str(error)


def agree(table: Table, octets: bytes, device: Device) -> Any:
    """Decode with both engines; both give the same value, or both refuse. Returns the value, or None if refused."""
    good, value = outcome(by_layout, table, octets, device)
    expected_good, expected = outcome(by_construct, table, octets, device)
    assert good == expected_good, (table.label, octets.hex(" "), value, expected)
    try:
        layout = device.layout_of(table.label, octets)
    except DecodeError:
        assert not good  # too short for what decides its layout: not even lenient decoding has one
        return None
    decoded = layout.examine(octets)
    assert not good or not any(finding.level == "error" for finding in decoded.findings)
    assert good or decoded.findings
    assert layout.encode(decoded.value) == octets
    if not good:
        return None
    assert same(parameters(value), expected), (table.label, value, expected)
    encode_agrees(table, value, device)
    return value


def encode_agrees(table: Table, value: Any, device: Device) -> None:
    """Encode with both engines, canonically."""
    others = parameters_for(table, device)
    plain = type(value).__mro__[2]._make(value)  # the record without the memory of its octets
    try:
        built = table.record.build(parameters(plain), **others)
    except ConstructError as error:
        try:
            device.encode(table.label, plain)
        except EncodeError:
            return
        raise AssertionError(f"only construct refuses: {error}") from error
    layout = device.layout_of(table.label, plain)
    layout = layout.fitting(len(built)) or layout
    assert layout.encode(plain) == built


def same(one: Any, other: Any) -> bool:
    """Equal, with NaN equal to NaN, and of the same types where it matters."""
    if isinstance(one, dict):
        names = set(other) - {"_io"}
        return isinstance(other, dict) and set(one) == names and all(same(one[name], other[name]) for name in names)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and one != one:
        return isinstance(other, float) and other != other
    return bool(one == other) and type(one) is type(other)
