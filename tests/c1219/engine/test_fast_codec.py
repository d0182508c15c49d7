"""The generated codec is what decodes and encodes plain tables: nothing is left to the slow way behind it."""

from __future__ import annotations

import datetime as dt
import json
import random
from decimal import Decimal
from typing import Any

import pytest

from c1219 import EncodeError, Table
from c1219.datatypes import (
    BCD,
    BFLD,
    BOOL,
    CODED,
    DATE,
    HTIME_DATE,
    INT24,
    INT40,
    LTIME_DATE,
    NI_FMAT1,
    NI_FMAT2,
    RDATE,
    SET,
    STIME_DATE,
    STRING,
    TIME,
    UINT,
    UINT8,
    UINT16,
    UINT64,
)
from c1219.device import Device
from c1219.engine import columns, stepwise
from c1219.engine.generated import FAILURES, compile_codec
from c1219.engine.layout import Layout, bind
from c1219.engine.shown import compile_shown
from c1219.schema import Array, If, Record, device
from c1219.values import MemberSet, Raw, RecurringDate
from tests.c1219.engines import DEMO, formats
from tests.c1219.wire.test_every_type import Colour

MOMENT = dt.datetime(2026, 11, 22, 14, 30)
FLAGS = BFLD("FLAGS_BFLD", UINT16, "A" / BOOL(0), "N" / UINT(4, 11))
ENTRY = Record("ENTRY_RCD", "WHEN" / STIME_DATE, "VALUE" / NI_FMAT1, "FLAGS" / FLAGS)
PLAIN = Table(
    number=2,
    manufacturer=True,
    name="PLAIN",
    record=Record(
        "PLAIN_RCD",
        "A" / UINT8,
        "B" / INT24,
        "C" / INT40,
        "D" / UINT64,
        "E" / CODED(UINT8, Colour),
        "F" / FLAGS,
        "G" / STRING(5),
        "H" / BCD(3),
        "I" / SET(2),
        "J" / LTIME_DATE,
        "K" / HTIME_DATE,
        "L" / TIME,
        "M" / DATE,
        "N" / RDATE,
        "O" / NI_FMAT2,
        "P" / If(device.ST0.FORMAT_CONTROL_1.DATA_ORDER > 1, UINT8),
        "Q" / BCD(0),
        "FEW" / Array(2, ENTRY),
        "NUMBERS" / Array(40, UINT16),
        "TIMES" / Array(40, LTIME_DATE),
        "MANY" / Array(30, ENTRY),
        "LARGE" / Array(3, Record("LARGE_RCD", "X" / Array(60, UINT8), "Y" / Array(30, ENTRY))),
    ),
)


def plain_value(ni1: int) -> tuple[Any, ...]:
    number = {1: 1.5, 4: Decimal("-12.3456"), 5: Decimal("12.5"), 10: -123456}[ni1]
    entries = [(MOMENT + dt.timedelta(minutes=n), number, (n % 2 == 0, n)) for n in range(30)]
    return (
        1, -2, -(1 << 33), 1 << 63, Colour.BLUE, (True, 99), "abc", "001234", MemberSet({0, 9}),
        MOMENT.replace(second=9), MOMENT.replace(second=8, microsecond=70_000), dt.time(1, 2, 3),
        dt.date(2026, 11, 22), RecurringDate(14, WEEKDAY=5), 77, None, "", tuple(entries[:2]), tuple(range(40)),
        tuple(MOMENT + dt.timedelta(seconds=n) for n in range(40)), tuple(entries),
        tuple((tuple(range(n, n + 60)), tuple(reversed(entries))) for n in range(3)),
    )  # fmt: skip


@pytest.fixture
def no_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make whatever does not go the fast way fail."""

    def refuse(*_: Any) -> None:
        raise AssertionError("the slow way was taken")

    monkeypatch.setattr(stepwise, "decode", refuse)
    monkeypatch.setattr(stepwise, "encode", refuse)
    monkeypatch.setattr(columns, "_one_by_one", refuse)


def plain(**kinds: int) -> Layout:
    return bind(PLAIN, {"ST0": Device({0: formats(**kinds)})[0].value})


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("ints", [0, 1, 2])
@pytest.mark.parametrize("tm", [1, 2, 3, 4])
@pytest.mark.parametrize("ni1", [1, 4, 5, 10])
def test_every_plain_table_goes_the_fast_way(order: int, ints: int, tm: int, ni1: int, request: Any) -> None:
    layout = plain(order=order, ints=ints, tm=tm, ni1=ni1)
    value = plain_value(ni1)
    octets = stepwise.encode(layout.root, value, "MT2")
    request.getfixturevalue("no_slow_way")
    assert layout.encode(value) == octets
    assert layout.decode(octets) == value
    decoded, findings = layout.examine(octets)
    assert decoded == value
    assert findings == ()
    assert layout.encode(decoded._replace(A=2)) == b"\2" + octets[1:]
    for path, expected in (("F", (True, 99)), ("F.N", 99), ("B", -2), ("MANY[7].WHEN", MOMENT.replace(minute=37)),
                           ("NUMBERS", tuple(range(40))), ("LARGE[1].Y[0].FLAGS", (False, 29)), ("E", 7)):  # fmt: skip
        assert layout.element(path).get(octets) == expected, path


@pytest.mark.parametrize("number", [0, 11, 21, 22, 23, 26])
def test_tables_of_the_standard_go_the_fast_way(number: int, request: Any) -> None:
    meter = Device(DEMO)
    layout = meter.bind(number)
    octets = DEMO.get(number, bytes(layout.size))
    expected = stepwise.decode(layout.root, octets, 0, "", None)
    request.getfixturevalue("no_slow_way")
    value = layout.decode(octets)
    assert value == expected
    assert layout.encode(value._make(value)) == octets


@pytest.mark.parametrize("tm", [1, 2, 3, 4])
@pytest.mark.usefixtures("no_slow_way")
def test_numbers_and_times_become_columns_without_python_objects(tm: int) -> None:
    pytest.importorskip("numpy")
    layout = plain(tm=tm)
    octets = layout.encode(plain_value(10))
    found = layout.columns(octets, paths=("B", "C", "D", "E", "F", "J", "MANY[].WHEN", "MANY[].VALUE", "NUMBERS[]"))
    assert [found[name].values[0] for name in "BCDEF"] == [-2, -(1 << 33), 1 << 63, 7, 1 | 99 << 4]
    assert found["J"].values[0].astype(object) == MOMENT.replace(second=9)
    assert found["MANY[].WHEN"].values[0].astype(object).tolist() == [e[0] for e in plain_value(10)[20]]
    assert found["MANY[].VALUE"].values[0].tolist() == [-123456] * 30
    assert found["NUMBERS[]"].values[0].tolist() == list(range(40))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("A", 256), ("B", 1 << 23), ("C", -(1 << 39) - 1), ("D", -1), ("F", (True, 256)), ("G", "abcdef"),
        ("H", "1234567"), ("I", {16}), ("J", MOMENT.replace(microsecond=10_000)), ("L", "x"), ("P", 0), ("FEW", ()),
        ("NUMBERS", (1,) * 39), ("NUMBERS", b"a" * 40), ("TIMES", (MOMENT.replace(microsecond=1),) * 40),
        ("MANY", [1] * 30),
    ],
)  # fmt: skip
@pytest.mark.parametrize("tm", [2, 4])
def test_the_fast_way_gives_up_on_what_has_no_form(name: str, wrong: Any, tm: int) -> None:
    """It may not write anything in its place: what is wrong is said by the slow way."""
    layout = plain(tm=tm)
    _, encode, _ = compile_codec(layout.root, layout.order, "MT2")
    value = layout.root.value_type._make(plain_value(10))
    assert encode(value) == stepwise.encode(layout.root, value, "MT2")
    with pytest.raises(FAILURES):
        encode(value._replace(**{name: wrong}))
    with pytest.raises(EncodeError, match=rf"MT2\.{name}"):
        layout.encode(value._replace(**{name: wrong}))


@pytest.mark.parametrize("ints", [0, 1, 2])
@pytest.mark.parametrize("tm", [1, 2, 3, 4])
@pytest.mark.parametrize("ni1", [1, 4, 5, 10])
def test_values_are_shown_as_the_slow_way_shows_them(ints: int, tm: int, ni1: int) -> None:
    layout = plain(ints=ints, tm=tm, ni1=ni1)
    octets = layout.encode(plain_value(ni1))
    rng = random.Random(ints * 100 + tm * 10 + ni1)
    for damage in (0, 0, 1, 20, 200, 2000):
        changed = bytearray(octets)
        for _ in range(damage):
            changed[rng.randrange(len(changed))] = rng.choice([0, 0xFF, rng.randrange(256)])
        value = layout.examine(bytes(changed)).value
        for one in (value, tuple(value), list(value), value._replace(FEW=None), value._replace(A=Raw(b"\1"), O=True)):
            expected = stepwise.to_json(layout.root, one)
            assert json.dumps(layout.to_json(one)) == json.dumps(expected)
    assert compile_shown(layout.root, "MT2", type(value))(value) == stepwise.to_json(layout.root, value)
