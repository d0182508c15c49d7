"""Numbers on the wire: every width, order and sign form, against arithmetic written out here."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.wire import BcdForm, FixedBcdForm, FloatForm, Formats, IntForm, NumberTextForm


def form(size: int, *, signed: bool = True, order: int = 0, signs: int = 0, exponent: int = 0) -> IntForm:
    return IntForm("INT", size, signed=signed, formats=Formats(DATA_ORDER=order, INT_FORMAT=signs), exponent=exponent)


def generated(one: IntForm, octets: bytes) -> object:
    """What the words for the generated codec say: struct items, then the `load` expression."""
    import struct

    items = struct.unpack(("<" if one._order == "little" else ">") + "".join(one.codes), octets)
    return eval(one.load.format(*(f"({item})" for item in items), f="f"), {"f": one.loader})


def stored(one: IntForm, value: object) -> bytes:
    import struct

    order = "<" if one._order == "little" else ">"
    items = [eval(text.format(v="v", f="f"), {"v": value, "f": one.storer}) for text in one.store]
    return struct.pack(order + "".join(one.codes), *items)


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("size", range(1, 9))
@given(data=some.data())
def test_integers_of_every_width(size: int, order: int, data: some.DataObject) -> None:
    octets = data.draw(some.binary(min_size=size, max_size=size))
    signed = data.draw(some.booleans())
    one = form(size, signed=signed, order=order)
    expected = int.from_bytes(octets, "big" if order else "little", signed=signed)
    assert one.decode(octets) == expected
    assert generated(one, octets) == expected
    assert one.encode(expected) == octets
    assert stored(one, expected) == octets


@pytest.mark.parametrize(
    ("signs", "octets", "value"),
    [
        (0, "FF FF", -1),
        (0, "00 80", -32768),
        (1, "FE FF", -1),
        (1, "00 80", -32767),
        (1, "FF FF", 0),
        (1, "FF 7F", 32767),
        (2, "01 80", -1),
        (2, "FF FF", -32767),
        (2, "00 80", 0),
    ],
)
def test_sign_forms(signs: int, octets: str, value: int) -> None:
    raw = bytes.fromhex(octets)
    one = form(2, signs=signs)
    assert one.decode(raw) == value
    assert generated(one, raw) == value
    canonical = one.encode(value)
    assert one.decode(canonical) == value
    assert stored(one, value) == canonical
    if value:
        assert canonical == raw


@pytest.mark.parametrize("signs", [1, 2])
@pytest.mark.parametrize("order", [0, 1])
@given(number=some.integers(1 - (1 << 31), (1 << 31) - 1))
def test_implied_point_under_every_sign_form(signs: int, order: int, number: int) -> None:
    one = form(4, order=order, signs=signs, exponent=-4)
    wire = number if number >= 0 else (number + (1 << 32) - 1 if signs == 1 else -number | 1 << 31)
    octets = wire.to_bytes(4, "big" if order else "little")
    value = Decimal(number).scaleb(-4)
    assert one.encode(value) == stored(one, value) == octets
    assert one.decode(octets) == generated(one, octets) == value


@given(some.integers(1, 8), some.integers(1, 2), some.data())
def test_sign_forms_round_trip(size: int, signs: int, data: some.DataObject) -> None:
    one = form(size, signs=signs)
    limit = (1 << 8 * size - 1) - 1
    value = data.draw(some.integers(-limit, limit))
    octets = one.encode(value)
    assert one.decode(octets) == generated(one, octets) == value
    for wrong in (-limit - 1, limit + 1):
        with pytest.raises(ValueError, match="outside"):
            one.encode(wrong)
    assert one.encode(0) == bytes(size)
    assert one.decode(one.encode(limit)) == limit


def test_reserved_sign_form_has_no_value() -> None:
    with pytest.raises(ValueError, match="INT_FORMAT 3"):
        form(4, signs=3).decode(bytes(4))
    with pytest.raises(ValueError, match="INT_FORMAT 3"):
        form(4, signs=3).encode(1)
    assert form(4, signed=False, signs=3).decode(b"\1\0\0\0") == 1


def test_out_of_range_and_not_a_number() -> None:
    one = form(3)
    for wrong in (1 << 23, -(1 << 23) - 1, 1.5, "1", None, b"\1", math.nan, math.inf, 1j):
        with pytest.raises(ValueError):
            one.encode(wrong)
    assert one.encode(Decimal(5)) == one.encode(5.0) == b"\5\0\0"


@pytest.mark.parametrize("order", [0, 1])
@given(number=some.integers(-(1 << 31), (1 << 31) - 1))
def test_implied_point_is_exact(order: int, number: int) -> None:
    one = form(4, order=order, exponent=-4)
    octets = number.to_bytes(4, "big" if order else "little", signed=True)
    value = one.decode(octets)
    assert value == Decimal(number) / 10_000
    assert value.as_tuple().exponent == -4
    assert generated(one, octets) == value
    assert one.encode(value) == stored(one, value) == octets


def test_implied_point_does_not_follow_the_decimal_context() -> None:
    import decimal

    one = form(4, exponent=-4)
    with decimal.localcontext() as context:
        context.prec = 3
        assert one.decode((123456789).to_bytes(4, "little")) == Decimal("12345.6789")
    assert one.encode(3) == (30000).to_bytes(4, "little")
    for wrong in (
        Decimal("0.00001"),
        Decimal("NaN"),
        Decimal("Infinity"),
        0.5,
        "x",
        Decimal("1E-60"),
        Decimal(1 << 31),
    ):
        with pytest.raises(ValueError):
            one.encode(wrong)
        with pytest.raises((ValueError, ArithmeticError, AttributeError, __import__("struct").error)):
            stored(one, wrong)


def test_json_of_floats() -> None:
    one = FloatForm("FLOAT64", 8, Formats())
    assert one.from_json(1) == 1.0
    assert one.from_json("-inf") == -math.inf
    for wrong in ("1.5", "infinity", None, [1.5], ""):
        with pytest.raises(ValueError, match="number"):
            one.from_json(wrong)


def test_floats() -> None:
    one, two = FloatForm("FLOAT32", 4, Formats()), FloatForm("FLOAT64", 8, Formats(DATA_ORDER=1))
    assert one.decode(bytes.fromhex("00 00 C0 3F")) == 1.5
    assert two.encode(1.5) == bytes.fromhex("3F F8 00 00 00 00 00 00")
    assert math.isnan(one.decode(bytes.fromhex("00 00 C0 7F")))
    for wrong in (1e40, "1", None):
        with pytest.raises(ValueError):
            one.encode(wrong)
    assert one.to_json(math.inf) == "inf"
    assert one.from_json("inf") == math.inf
    assert one.to_json(1.5) == 1.5


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("00 00 00 12 34 56", "123456"),
        ("A0 00 00 00 00 12", "-12"),
        ("BB BB BB BB BA 12", "-12"),
        ("00 00 12 D3 45 67", "12.34567"),
        ("BB BB BB BB B0 D5", "0.5"),
        ("A0 00 00 00 00 00", "-0"),
        ("00 00 00 00 00 00", "0"),
        ("00 B0 12 00 00 00", "12000000"),
    ],
)
def test_fixed_bcd(octets: str, value: str) -> None:
    one = FixedBcdForm("FIXED_BCD6", 6)
    number = one.decode(bytes.fromhex(octets))
    assert number == Decimal(value)
    assert number.is_signed() == value.startswith("-")
    assert one.decode(one.encode(number)) == number


@pytest.mark.parametrize(
    "octets", ["C0 00 00 00", "00 00 00 0E", "F1 00 00 00", "D1 D2 00 00", "1A 00 00 00", "00 AA 00 01"]
)
def test_fixed_bcd_without_a_value(octets: str) -> None:
    with pytest.raises(ValueError, match="BCD"):
        FixedBcdForm("FIXED_BCD4", 4).decode(bytes.fromhex(octets))


@given(some.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-99999, max_value=99999))
def test_fixed_bcd_round_trip(number: Decimal) -> None:
    one = FixedBcdForm("FIXED_BCD6", 6)
    assert one.decode(one.encode(number)) == number


def test_fixed_bcd_refuses_what_does_not_fit() -> None:
    one = FixedBcdForm("FIXED_BCD4", 4)
    for wrong in (100_000_000, -10_000_000, Decimal("1E+90"), Decimal("NaN"), 1.5, None, Decimal("1E-9")):
        with pytest.raises((ValueError, TypeError)):
            one.encode(wrong)


def test_scalar_bcd() -> None:
    one = BcdForm("BCD")
    assert [one.decode(bytes((octet,))) for octet in (0x00, 0x09, 0x10, 0x99)] == [0, 9, 10, 99]
    assert one.encode(42) == b"\x42"
    with pytest.raises(ValueError, match="digits"):
        one.decode(b"\x1a")
    with pytest.raises(ValueError, match="outside"):
        one.encode(100)


def test_numbers_as_text() -> None:
    one = NumberTextForm("FLOAT_CHAR12", 12, Formats())
    assert one.decode(b"   -12.340  ") == Decimal("-12.340")
    assert one.decode(b"1.5E3       ") == Decimal(1500)
    assert one.encode(Decimal("-12.340")) == b"-12.340     "
    assert one.encode(Decimal("1E+30")) == b"1E+30       "
    for wrong in (b"            ", b"nan         ", b"1,5         ", b"0x10        ", b"\xff" * 12):
        with pytest.raises(ValueError):
            one.decode(wrong)
    with pytest.raises(ValueError, match="fit"):
        one.encode(Decimal("1.23456789012345"))
