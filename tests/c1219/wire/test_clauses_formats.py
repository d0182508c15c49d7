"""What the formats of ST0 make of a type: the code lists once more, each with octets and the value they stand for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from c1219 import Device, LayoutError
from c1219.datatypes import (
    BCD,
    BINARY,
    DATE,
    FLOAT32,
    FLOAT64,
    IDENTIFIER,
    INT16,
    LTIME_DATE,
    NI_FMAT1,
    NI_FMAT2,
    RDATE,
    SET,
    STIME_DATE,
    STRING,
    TIME,
    UINT8,
    UINT16,
    UINT24,
    UINT32,
    UINT40,
    UINT48,
    UINT56,
    UINT64,
)
from c1219.values import RecurringDate
from c1219.wire import Formats

# code of NI_FORMAT1 and NI_FORMAT2, octets with the least significant first, value
NUMBERS = [
    (0, "00 00 00 00 00 00 F8 BF", -1.5),
    (1, "00 00 C0 BF", -1.5),
    (2, b"-12.5       ".hex(), Decimal("-12.5")),
    (3, b"-12.5 ".hex(), Decimal("-12.5")),
    (4, "FF FF FF FF", Decimal("-0.0001")),
    (5, "00 00 00 12 34 56", Decimal(123456)),
    (6, "00 12 34 56", Decimal(123456)),
    (7, "FE FF FF", -2),
    (8, "FE FF FF FF", -2),
    (9, "FE FF FF FF FF", -2),
    (10, "FE FF FF FF FF FF", -2),
    (11, "FE FF FF FF FF FF FF FF", -2),
    (12, "00 00 00 00 00 12 34 56", Decimal(123456)),
    (13, b"-12.5".ljust(21).hex(), Decimal("-12.5")),
]
IN_READING_ORDER = {2, 3, 5, 6, 12, 13}


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize(("code", "octets", "value"), NUMBERS, ids=[str(code) for code, _, _ in NUMBERS])
def test_non_integer_numbers(code: int, octets: str, value: object, order: int) -> None:
    raw = bytes.fromhex(octets)
    if order and code not in IN_READING_ORDER:
        raw = raw[::-1]
    other = 8 if code != 8 else 1
    one = NI_FMAT1.form(Formats(DATA_ORDER=order, NI_FORMAT1=code, NI_FORMAT2=other))
    two = NI_FMAT2.form(Formats(DATA_ORDER=order, NI_FORMAT1=other, NI_FORMAT2=code))
    for form in (one, two):
        assert form.size == len(raw)
        assert form.decode(raw) == value
        assert type(form.decode(raw)) is type(value)
        assert form.encode(value) == raw


@pytest.mark.parametrize("code", [14, 15])
def test_reserved_numbers_have_no_size(code: int) -> None:
    for form in (NI_FMAT1, NI_FMAT2):
        with pytest.raises(ValueError, match="reserved"):
            form.form(Formats(NI_FORMAT1=code, NI_FORMAT2=code))


@pytest.mark.parametrize(("signs", "octets"), [(0, "FE FF"), (1, "FD FF"), (2, "02 80")])
def test_the_form_of_signs_is_that_of_integers_and_of_numbers(signs: int, octets: str) -> None:
    formats = Formats(INT_FORMAT=signs, NI_FORMAT1=8)
    assert INT16.form(formats).decode(bytes.fromhex(octets)) == -2
    long = bytes.fromhex(octets[:2]) + (b"\xff\xff\xff" if signs < 2 else b"\0\0\x80")
    assert NI_FMAT1.form(formats).decode(long) == -2


@pytest.mark.parametrize(
    ("kind", "size"),
    [(UINT8, 1), (UINT16, 2), (UINT24, 3), (UINT32, 4), (UINT40, 5), (UINT48, 6), (UINT56, 7), (UINT64, 8)],
)
def test_unsigned_integers_are_as_long_as_they_say(kind, size: int) -> None:
    octets = bytes(range(1, size + 1))
    for order, name in ((0, "little"), (1, "big")):
        form = kind.form(Formats(DATA_ORDER=order, INT_FORMAT=1))
        assert form.size == size
        assert form.decode(octets) == int.from_bytes(octets, name)
        assert form.decode(b"\xff" * size) == (1 << 8 * size) - 1


def test_what_the_order_of_octets_turns_and_what_it_leaves() -> None:
    little, big = Formats(TM_FORMAT=2), Formats(TM_FORMAT=2, DATA_ORDER=1)
    for kind, octets, value in (
        (UINT32, "01 02 03 04", 0x04030201),
        (FLOAT32, "00 00 C0 3F", 1.5),
        (FLOAT64, "00 00 00 00 00 00 F8 3F", 1.5),
        (DATE, "9A B5", dt.date(2026, 11, 22)),
        (RDATE, "0E 05", RecurringDate(14, WEEKDAY=5)),
    ):
        raw = bytes.fromhex(octets)
        assert kind.form(little).decode(raw) == kind.form(big).decode(raw[::-1]) == value
    for kind, length, raw in ((STRING, 3, b"ABC"), (BINARY, 3, b"ABC"), (BCD, 2, b"\x12\x34"), (SET, 2, b"\1\2")):
        form = kind(length)
        assert form.form(little, length).decode(raw) == form.form(big, length).decode(raw)
    for kind, octets in ((LTIME_DATE, "1A 0B 16 0E 1E 2D"), (STIME_DATE, "1A 0B 16 0E 1E"), (TIME, "0E 1E 2D")):
        assert kind.form(little).decode(bytes.fromhex(octets)) == kind.form(big).decode(bytes.fromhex(octets))


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [(LTIME_DATE, (0, 6, 6, 5, 4)), (STIME_DATE, (0, 5, 5, 4, 4)), (TIME, (0, 3, 3, 4, 4)), (DATE, (2,) * 5), (RDATE, (2,) * 5)],
)  # fmt: skip
def test_sizes_of_dates_and_times(kind, sizes: tuple[int, ...]) -> None:
    assert tuple(kind.form(Formats(TM_FORMAT=code)).size for code in range(5)) == sizes


def test_counters_start_in_1970() -> None:
    minutes, seconds = (STIME_DATE.form(Formats(TM_FORMAT=code)) for code in (3, 4))
    assert minutes.decode((24 * 60).to_bytes(4, "little")) == dt.datetime(1970, 1, 2)
    assert seconds.decode((24 * 3600).to_bytes(4, "little")) == dt.datetime(1970, 1, 2)


def test_the_form_of_identifiers() -> None:
    text, digits = (IDENTIFIER(20).form(Formats(ID_FORM=code), 20) for code in (0, 1))
    assert (text.size, digits.size) == (20, 10)
    assert text.decode(b"METER-7".ljust(20)) == "METER-7"
    assert digits.decode(bytes.fromhex("00 00 00 00 00 00 00 00 12 34")) == "00000000000000001234"


def test_the_formats_are_where_st0_says() -> None:
    st0 = bytearray(33)
    st0[0], st0[1], st0[2] = 1 | 3 << 1, 4 | 1 << 5 | 2 << 6, 10 | 5 << 4
    device = Device({0: bytes(st0[:19]), 21: bytes((0, 0, 0, 1, 0, 1, 1, 0, 0, 0))})
    value = device[0].value
    assert Formats.of(value) == Formats(1, 3, 4, 1, 2, 10, 5)
    layout = device.bind(23)
    assert layout.element("TOT_DATA_BLOCK.SUMMATIONS[0]").type == "NI_FMAT1 (INT48)"
    assert layout.element("TOT_DATA_BLOCK.COINCIDENTS[0].COINCIDENT_VALUES[0]").type == "NI_FMAT2 (FIXED_BCD6)"
    st0[2] = 15
    with pytest.raises(LayoutError):
        Device({0: bytes(st0[:19]), 21: bytes((0, 0, 0, 1, 0, 1, 1, 0, 0, 0))}).bind(23)
