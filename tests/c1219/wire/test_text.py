"""Text, digits, octets and sets on the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.values import MemberSet
from c1219.wire import BytesForm, DigitsForm, Formats, SetForm, TextForm


@pytest.mark.parametrize(
    ("code", "order", "octets", "value"),
    [
        (1, 0, b"DEMO    ", "DEMO"),
        (1, 0, b"DEMO\0\0\0\0", "DEMO"),
        (0, 0, b" A B    ", " A B"),
        (2, 0, b"Z\xe4hler  ", "Zähler"),
        (3, 0, "Zähler ".encode(), "Zähler"),
        (4, 0, "ab".encode("utf-16-le") + b" \0" * 2, "ab"),
        (4, 1, "ab".encode("utf-16-be") + b"\0 " * 2, "ab"),
        (5, 0, "a ".encode("utf-32-le"), "a"),
    ],
)
def test_character_sets(code: int, order: int, octets: bytes, value: str) -> None:
    form = TextForm("STRING(8)", 8, Formats(CHAR_FORMAT=code, DATA_ORDER=order))
    assert form.decode(octets) == value
    assert form.decode(form.encode(value)) == value
    assert len(form.encode("")) == 8


def test_text_without_a_value() -> None:
    with pytest.raises(ValueError, match="FF"):
        TextForm("STRING(2)", 2, Formats()).decode(b"A\xff")
    with pytest.raises(ValueError, match="utf-8"):
        TextForm("STRING(2)", 2, Formats(CHAR_FORMAT=3)).decode(b"A\xc3")
    for code in (6, 7):
        form = TextForm("STRING(2)", 2, Formats(CHAR_FORMAT=code))
        with pytest.raises(ValueError, match="reserved"):
            form.decode(b"AB")
        with pytest.raises(ValueError, match="reserved"):
            form.encode("AB")
    form = TextForm("STRING(2)", 2, Formats())
    for wrong in ("ABC", "ä", b"AB", None, 5):
        with pytest.raises((ValueError, TypeError)):
            form.encode(wrong)


def test_digits() -> None:
    form = DigitsForm("BCD(8)", 8)
    assert form.decode(bytes.fromhex("0000000012345678")) == "0000000012345678"
    assert form.encode("12345678") == bytes.fromhex("0000000012345678")
    with pytest.raises(ValueError, match="digits"):
        form.decode(bytes.fromhex("000000001234567A"))
    for wrong in ("1" * 17, "12a", "-1", "١", 12, None):
        with pytest.raises((ValueError, TypeError)):
            form.encode(wrong)
    assert DigitsForm("BCD(0)", 0).decode(b"") == ""


def test_set_of_the_worked_example() -> None:
    form = SetForm("SET(4)", 4)
    members = form.decode(bytes.fromhex("FFFDF11E"))
    assert members == {*range(9), *range(10, 17), *range(20, 24), *range(25, 29)}
    assert members[8]
    assert not members[9]
    assert not members[400]
    assert form.to_json(members)[:3] == [0, 1, 2]
    assert form.from_json([1, 2]) == MemberSet({1, 2})


@given(some.binary(max_size=12))
def test_sets_round_trip(octets: bytes) -> None:
    form = SetForm("SET", len(octets))
    members = form.decode(octets)
    assert form.encode(members) == octets
    assert members == {n for n in range(8 * len(octets)) if octets[n // 8] >> n % 8 & 1}


def test_set_refuses_other_members() -> None:
    form = SetForm("SET(1)", 1)
    for wrong in ({8}, {-1}, {1.5}, 5, None, ["a"]):
        with pytest.raises((ValueError, TypeError)):
            form.encode(wrong)


def test_octets() -> None:
    form = BytesForm("BINARY(3)", 3)
    assert form.encode(bytearray(b"abc")) == form.decode(b"abc") == b"abc"
    assert form.from_json(form.to_json(b"abc")) == b"abc"
    for wrong in (b"ab", b"abcd", "abc", None):
        with pytest.raises((ValueError, TypeError)):
            form.encode(wrong)
