"""Elements: one part of a table, with a codec of its own."""

from __future__ import annotations

import pytest

from c1219 import DecodeError, EncodeError, Table
from c1219.datatypes import BFLD, BOOL, STRING, UINT, UINT8, UINT16, UINT24
from c1219.device import Device
from c1219.engine.layout import bind
from c1219.schema import Array, Record
from tests.c1219.engine.example_tables import ST23
from tests.c1219.engines import DEMO

BITS = ("A" / BOOL(0), "N" / UINT(1, 4))
NAMES = Table(
    number=3,
    manufacturer=True,
    name="NAMES",
    record=Record(
        "NAMES_RCD", "N" / UINT16, "F" / BFLD("F_BFLD", UINT8, *BITS), "G" / BFLD("G_BFLD", UINT24, *BITS),
        "NAMES" / Array(2, STRING(4)),
    ),
)  # fmt: skip
OCTETS = bytes.fromhex("0102 E3 E3FF00") + b"ab\0\0cd  "


@pytest.fixture
def layout():
    return bind(NAMES, {"ST0": Device(DEMO)[0].value})


@pytest.mark.parametrize(
    ("path", "octets", "below", "offset"),
    [
        ("TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]", "1A 0D 16 0E 1E", "", 7),
        ("TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME", "1A 0D 16 0E 1E", "[0]", 7),
        ("TOT_DATA_BLOCK.DEMANDS[0]", "1A 0D 16 0E 1E" + "00" * 10, ".EVENT_TIME[0]", 7),
        ("TIER_DATA_BLOCK[0].DEMANDS[0].EVENT_TIME[0]", "1A 0B 1F 0E 1E", "", 32),
    ],
)
def test_octets_without_a_value_are_named_by_their_place_in_the_table(
    path: str, octets: str, below: str, offset: int
) -> None:
    element = Device(DEMO).bind(23).element(path)
    with pytest.raises(DecodeError) as caught:
        element.decode(bytes.fromhex(octets))
    assert (caught.value.path, caught.value.offset) == (f"ST23.{path}{below}", offset)
    whole = bytearray(ST23)
    whole[element.offset : element.offset + element.size] = bytes.fromhex(octets)
    with pytest.raises(DecodeError) as caught:
        element.get(bytes(whole))
    assert (caught.value.path, caught.value.offset) == (f"ST23.{path}{below}", offset)


def test_own_octets_are_as_many_as_the_element_has(layout) -> None:
    element = layout.element("N")
    assert element.decode(b"\1\2") == 0x0201
    for wrong in (b"", b"\1", b"\1\2\3"):
        with pytest.raises(DecodeError, match="2 octets are needed"):
            element.decode(wrong)


def test_the_octets_may_end_with_the_element(layout) -> None:
    for path, expected in (("N", 0x0201), ("F.N", 1), ("G.A", True), ("G", (True, 1)), ("NAMES", ("ab", "cd"))):
        element = layout.element(path)
        end = element.offset + element.size
        assert element.get(OCTETS[:end]) == expected, path
        with pytest.raises(DecodeError) as caught:
            element.get(OCTETS[: end - 1])
        assert caught.value.path.startswith(f"MT3.{path.partition('.')[0]}")
        assert caught.value.offset == end - 1
        with pytest.raises(DecodeError, match="before this element"):
            element.put(OCTETS[: end - 1], expected)


def test_what_an_element_says_already_keeps_its_octets(layout) -> None:
    assert layout.element("NAMES[0]").put(OCTETS, "ab") == OCTETS
    assert layout.element("NAMES[0]").put(OCTETS, "x") == OCTETS[:6] + b"x   cd  "
    assert layout.element("F").put(OCTETS, (True, 1)) == OCTETS
    assert layout.element("F.N").put(OCTETS, 1) == OCTETS
    assert layout.element("F.N").put(OCTETS, 2) == OCTETS.replace(b"\xe3\xe3", b"\xe5\xe3")
    assert layout.element("F").put(OCTETS, (False, 1)) == OCTETS.replace(b"\xe3\xe3", b"\x02\xe3")
    with pytest.raises(EncodeError, match="write its bit field"):
        layout.element("F.N").encode(1)
