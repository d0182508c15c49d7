"""Coded numbers and bit fields."""

from enum import IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.datatypes import BFLD, BOOL, CODED, FILL, UINT, UINT8, UINT16, UINT32
from c1219.errors import DeclarationError
from c1219.wire import Formats


class Colour(IntEnum):
    RED = 1
    BLUE = 3


FIELD = BFLD("F_BFLD", UINT16, "A" / BOOL(0), "B" / UINT(1, 3, Colour), FILL(4, 11), "C" / UINT(12, 15))


def test_bits_are_split_after_the_order_of_octets() -> None:
    little, big = FIELD.form(Formats()), FIELD.form(Formats(DATA_ORDER=1))
    value = little.decode(bytes.fromhex("07F0"))
    assert value == (True, Colour.BLUE, 15)
    assert value.B is Colour.BLUE
    assert value._fields == ("A", "B", "C")
    assert big.decode(bytes.fromhex("F007")) == value
    assert little.encode(value) == bytes.fromhex("07F0")
    assert big.encode(value) == bytes.fromhex("F007")


def test_filler_is_no_value() -> None:
    form = FIELD.form(Formats())
    assert form.decode(bytes.fromhex("F10F")) == form.decode(bytes.fromhex("0100"))
    assert form.encode(form.decode(bytes.fromhex("F10F"))) == bytes.fromhex("0100")


def test_unknown_codes_stay_numbers() -> None:
    form = FIELD.form(Formats())
    value = form.decode(bytes.fromhex("0400"))
    assert value.B == 2
    assert type(value.B) is int
    coded = CODED(UINT8, Colour).form(Formats())
    assert coded.decode(b"\1") is Colour.RED
    assert coded.decode(b"\2") == 2
    assert coded.encode(Colour.BLUE) == coded.encode(3) == b"\3"
    assert coded.from_json(coded.to_json(Colour.BLUE)) is Colour.BLUE


@given(some.integers(0, 0xFFFF))
def test_split_and_join(number: int) -> None:
    form = FIELD.form(Formats())
    assert form.join(form.split(number)) == number & 0xF00F
    assert form.loader[number] == form.split(number)
    assert form.storer[form.split(number)] == number & 0xF00F


def test_caches_stay_small() -> None:
    form = BFLD("BIG", UINT32, "ALL" / UINT(0, 31)).form(Formats())
    for number in range(10_000):
        assert form.loader[number] == (number,)
    assert len(form.loader) <= 4096


def test_values_that_do_not_fit() -> None:
    form = FIELD.form(Formats())
    for wrong in ((1, 8, 0), (2, 0, 0), (1, 0), None, 7, (1, -1, 0), (1, 0.5, 0)):
        with pytest.raises((ValueError, TypeError)):
            form.encode(wrong)


def test_json() -> None:
    form = FIELD.form(Formats())
    value = form.decode(bytes.fromhex("07F0"))
    assert form.to_json(value) == {"A": True, "B": 3, "C": 15}
    assert form.from_json(form.to_json(value)) == value
    with pytest.raises(ValueError, match="A, B, C"):
        form.from_json({"A": True})


@pytest.mark.parametrize(
    "parts",
    [
        ("A" / BOOL(0), "B" / BOOL(0)),
        ("A" / BOOL(8),),
        ("A" / UINT(6, 8),),
        ("A" / BOOL(0), "A" / BOOL(1)),
        (BOOL(0),),
        ("A" / UINT8,),
    ],
    ids=["overlap", "past the end", "across the end", "same name", "no name", "no bits"],
)
def test_bit_fields_that_cannot_be(parts: tuple) -> None:
    with pytest.raises(DeclarationError):
        BFLD("X", UINT8, *parts)


def test_bit_fields_lie_over_unsigned_integers() -> None:
    from c1219.datatypes import INT8

    with pytest.raises(DeclarationError):
        BFLD("X", INT8, "A" / BOOL(0))
    with pytest.raises(DeclarationError):
        UINT(3, 2)
