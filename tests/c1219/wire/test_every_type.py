"""Every type of the standard in every format: a value that has a form on the wire is read back from it as it was."""

from __future__ import annotations

import datetime as dt
import enum
import struct
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219 import EncodeError, Table, datatypes
from c1219.datatypes import BCD, BFLD, BINARY, BOOL, CODED, FILL, IDENTIFIER, SECRET, SET, STRING, UINT, UINT8, UINT16
from c1219.device import Device
from c1219.engine import stepwise
from c1219.engine.generated import compile_codec
from c1219.engine.layout import Layout, bind
from c1219.schema import Array, Record
from c1219.values import MemberSet, RecurringDate
from tests.c1219.engines import formats


class Colour(enum.IntEnum):
    RED = 0
    BLUE = 7


LENGTHS = (0, 1, 3, 8)
SIZED = (BCD, STRING, BINARY, SECRET, SET, IDENTIFIER)
PARTS = ("A" / BOOL(0), FILL(1, 2), "B" / UINT(3, 5), "C" / UINT(6, 6, Colour))
TYPES: dict[str, Any] = {
    name: item for name in datatypes.__all__ if isinstance(item := getattr(datatypes, name), datatypes.WireType)
}
TYPES |= {f"{kind.__name__}({length})": kind(length) for kind in SIZED for length in LENGTHS}
TYPES |= {
    "BFLD": BFLD("A_BFLD", UINT16, *PARTS),
    "CODED": CODED(UINT16, Colour),
    "ARRAY": Array(3, UINT8),
    "ARRAY OF 0": Array(0, UINT8),
    "ARRAY OF 0 RECORDS": Array(0, Record("R", "A" / STRING(2))),
    "ARRAY OF BFLD": Array(30, BFLD("B_BFLD", UINT8, "A" / BOOL(7))),
}
ONLY_PARTS = {"BOOL", "UINT", "FILL", "WireType"}

EDGES = tuple(
    dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    for seconds in (-60, -1, 0, 1, 60, 86399, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, 60 * (1 << 31))
)
instants = some.one_of(
    some.sampled_from(EDGES),
    some.datetimes(),
    some.datetimes(dt.datetime(1989, 12, 30), dt.datetime(2090, 1, 2)).map(lambda t: t.replace(microsecond=0)),
)
moments = some.one_of(
    instants,
    instants.map(lambda t: t.replace(second=0, microsecond=0)),
    instants.map(lambda t: t.replace(microsecond=t.microsecond // 10_000 * 10_000)),
)


def up_to(last: int) -> some.SearchStrategy[int]:
    return some.sampled_from((0, 1, last - 1, last, last + 1)) | some.integers(0, last)


recurring = some.one_of(
    some.builds(RecurringDate, some.just(0), PERIOD_IN_MINUTES=up_to(4095)),
    some.builds(RecurringDate, some.integers(1, 13), up_to(15), up_to(7), up_to(31)),
    some.builds(RecurringDate, some.just(14), WEEKDAY=up_to(7)),
    some.builds(RecurringDate, some.just(15), PERIOD=up_to(63), DELTA=up_to(63)),
    some.builds(RecurringDate, *(some.none() | some.integers(-1, 16) for _ in RecurringDate._fields)),
)
wide = some.integers(0, 64).flatmap(lambda bits: some.integers(-(1 << bits), 1 << bits))
numbers = some.one_of(
    wide,
    some.builds(lambda bits, sign, near: sign * (1 << bits) + near, some.integers(7, 65), some.sampled_from((-1, 1)),
                some.integers(-2, 2)),
    some.builds(lambda number, places: Decimal(number).scaleb(-places), wide, some.integers(0, 6)),
    some.decimals(),
    some.floats(),
)  # fmt: skip
words = some.text("aZ09 \0.-eé€😀", max_size=9) | some.text("0123456789", max_size=18)
octets = some.integers(0, 9).flatmap(lambda size: some.lists(some.integers(0, 255), min_size=size, max_size=size))
POOLS = {
    "times": some.one_of(moments, moments.map(dt.datetime.date), moments.map(dt.datetime.time)),
    "recurring": recurring,
    "numbers": numbers,
    "text": words,
    "octets": octets.map(bytes) | octets.map(bytearray),
    "sets": some.lists(some.integers(-1, 70), max_size=5).map(MemberSet) | some.lists(some.integers(0, 70), max_size=5),
    "tuples": some.tuples(some.booleans(), some.integers(-1, 8), some.integers(0, 2))
    | octets.map(tuple)
    | some.lists(some.tuples(some.booleans()), min_size=30, max_size=30).map(tuple),
    "bits": some.tuples(some.integers(0, 2048), *[some.booleans()] * 5) | some.tuples(numbers, some.booleans(), wide),
    "others": some.sampled_from((None, True, 1j, {1: 2}, object(), "", b"", (), [])),
}


def fitting(name: str) -> some.SearchStrategy[Any]:
    """Values that are likely for a type, among some of every other kind."""
    kinds = {
        "TIME": "times", "DATE": "times", "RDATE": "recurring", "INT": "numbers", "NI_F": "numbers",
        "FLOAT": "numbers", "FIXED": "numbers", "CODED": "numbers", "SOURCE": "numbers", "BCD_OCTET": "numbers", "BCD": "text",
        "STRING": "text", "IDENT": "text", "CHAR": "text", "BINARY": "octets", "SECRET": "octets", "OPAQUE": "octets",
        "SET": "sets", "BFLD": "tuples", "ARRAY": "tuples", "TABLE_ID": "bits",
    }  # fmt: skip
    likely = next((kinds[word] for word in ("RDATE", "TABLE_ID", *kinds) if word in name), "numbers")
    return some.one_of(*[POOLS[likely]] * 3, *POOLS.values())


@lru_cache(maxsize=1024)
def layout_of(kind: Any, **kinds: int) -> Layout:
    """A table of this one element, in a device of these formats."""
    table = Table(number=1, manufacturer=True, name="ONE", record=Record("ONE_RCD", "V" / kind))
    return bind(table, {"ST0": Device({0: formats(**kinds)})[0].value}, own=bytes(5))


def meant(layout: Layout, value: Any) -> Any:
    """What a value says: padding is no part of a text, zeros lead digits, and FLOAT32 rounds."""
    form: Any = layout.root.parts[0].node
    kind = type(getattr(form, "form", None)).__name__
    if kind == "TextForm":
        return value.rstrip(" \0")
    if kind == "DigitsForm":
        return value.zfill(2 * form.size)
    if kind == "SetForm":
        return frozenset(value)
    if kind == "FloatForm":
        return struct.unpack("f" if form.size == 4 else "d", struct.pack("f" if form.size == 4 else "d", value))[0]
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=40)
@given(data=some.data())
def test_what_is_encoded_is_decoded_to_itself(name: str, data: some.DataObject) -> None:
    layout = layout_of(
        TYPES[name],
        order=data.draw(some.integers(0, 1)),
        chars=data.draw(some.integers(0, 7)),
        tm=data.draw(some.integers(0, 4)),
        ids=data.draw(some.integers(0, 1)),
        ints=data.draw(some.integers(0, 3)),
        ni1=data.draw(some.integers(0, 13)),
        ni2=data.draw(some.integers(0, 13)),
    )
    value = data.draw(fitting(name))
    try:
        made = layout.encode((value,))
    except EncodeError:
        return
    expected = meant(layout, value)
    (decoded,) = layout.decode(made)
    assert decoded == expected or (decoded != decoded and expected != expected), (made.hex(" "), value)
    fast_decode, fast_encode, _ = compile_codec(layout.root, layout.order, layout.label)
    again = fast_decode(made, 0)
    assert again.V == decoded or decoded != decoded
    assert len(made) == layout.size
    assert fast_encode(again) == stepwise.encode(layout.root, again, "MT1") == made


def test_all_types_are_here() -> None:
    classes = {name for name in datatypes.__all__ if isinstance(getattr(datatypes, name), type)}
    assert classes - ONLY_PARTS == {kind.__name__ for kind in SIZED} | {"BFLD", "CODED"}


@pytest.mark.parametrize("size", range(1, 10))
@pytest.mark.parametrize(("chars", "width"), [(4, 2), (5, 4)])
@pytest.mark.parametrize("order", [0, 1])
def test_text_of_wide_characters_of_any_number_of_octets(size: int, chars: int, width: int, order: int) -> None:
    """As many characters as are whole, blanks up to there, and 0 after."""
    layout = layout_of(STRING(size), chars=chars, order=order)
    whole = size // width
    codec = f"utf-{8 * width}-{'be' if order else 'le'}"
    for text in ("", "é" * whole, "é"[:whole]):
        made = layout.encode((text,))
        assert made == text.ljust(whole).encode(codec) + bytes(size % width)
        assert layout.decode(made).V == text
    if size % width:
        decoded = layout.examine(made[:-1] + b"!")
        assert [finding.code for finding in decoded.findings] == ["no-value"]
        assert "21 at the end" in decoded.findings[0].text
    with pytest.raises(EncodeError, match="do not fit"):
        layout.encode(("é" * (whole + 1),))


@pytest.mark.parametrize(
    ("name", "tm", "value"),
    [
        ("RDATE", 2, RecurringDate(15, PERIOD=63, DELTA=63)),
        ("RDATE", 2, RecurringDate(0, PERIOD_IN_MINUTES=0)),
        ("STIME_DATE", 3, EDGES[2]),
        ("LTIME_DATE", 3, EDGES[2]),
        ("HTIME_DATE", 4, EDGES[2]),
        ("STIME_DATE", 4, EDGES[2]),
        ("LTIME_DATE", 4, EDGES[7]),
    ],
)
def test_a_value_whose_octets_are_no_value_is_refused(name: str, tm: int, value: Any) -> None:
    layout = layout_of(TYPES[name], tm=tm)
    with pytest.raises(EncodeError, match="no value") as caught:
        layout.encode((value,))
    assert caught.value.path == "MT1.V"
    (none,) = layout.decode(layout.encode((None,)))
    assert none is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SET(3)", b"\1\2"), ("SET(3)", ""), ("ARRAY", b"\1\2\3"), ("ARRAY", {1: 1, 2: 2, 3: 3}), ("ARRAY", "abc"),
        ("ARRAY OF 0", (1,)), ("ARRAY OF 0 RECORDS", (("ab",),)), ("ARRAY OF 0 RECORDS", b""),
        ("FIXED_BCD4", "12"), ("FLOAT_CHAR6", "1.5"), ("NI_FMAT1", "12"), ("NI_FMAT1", (0, (1,), 0)),
    ],
)  # fmt: skip
def test_values_of_another_kind_are_refused(name: str, value: Any) -> None:
    layout = layout_of(TYPES[name], ni1=4)
    with pytest.raises(EncodeError, match=r"MT1\.V"):
        layout.encode((value,))
