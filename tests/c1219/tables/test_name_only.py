"""Decades 8, 10 and 13 to 16, and ST124: tables of which only the names are known."""

from __future__ import annotations

from importlib import import_module

import pytest

from c1219 import Device
from c1219.registry import default_registry
from tests.c1219.tables.oracle import st0, undocumented

DECADES = {
    "decade8_user_defined": range(80, 90),
    "decade10_extended_sources": range(100, 108),
    "decade13_relay": range(130, 137),
    "decade14_extended_user_defined": range(140, 144),
    "decade15_quality_of_service": range(150, 159),
    "decade16_one_way": range(160, 165),
}
NUMBERS = [*(number for span in DECADES.values() for number in span), *range(112, 119), 124]
ST0 = bytes.fromhex(
    "02 1A 8A 44 45 4D 4F 02 00 10 10 02 00 04 01 03 01 01 01 FF FD F1 1E 01 79 06 00 00 E0 00 00 00 00"
)


@pytest.mark.parametrize("module", DECADES)
def test_a_decade_is_complete_and_in_order(module):
    tables = import_module(f"c1219.tables.{module}").TABLES
    assert [table.number for table in tables] == list(DECADES[module])


@pytest.mark.parametrize("number", NUMBERS)
def test_only_the_name_is_claimed(number):
    table = default_registry().table(number)
    assert table.confidence == "name only"
    assert undocumented(table) == []
    assert table.doc
    assert [row.type for row in table.describe()][-1] == "OPAQUE"


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("octets", [b"", b"\x00", bytes(range(256))])
def test_octets_are_kept(number, octets):
    table = default_registry().table(number)
    assert table.record.parse(octets, ST0=st0()).DATA == octets
    device = Device({0: ST0, number: octets})
    assert device[number].value.DATA == octets
    assert device.encode(number, device[number].value._replace(DATA=octets + b"x")) == octets + b"x"
    assert device[number].findings == ()


def test_roles_follow_the_names():
    roles = {number: default_registry().table(number).role for number in NUMBERS}
    assert [number for number, role in roles.items() if role == "limiting"] == [80, 100, 130, 140, 150, 160]
    assert [number for number, role in roles.items() if role == "actual"] == [81, 101, 131, 141, 151, 161]


def test_official_names_only_where_they_are_known():
    names = [default_registry().table(number).name for number in NUMBERS]
    assert [name for name in names if name.endswith("_TBL")] == [
        "DIM_UDT_FUNC_LIM_TBL", "ACT_UDT_FUNC_LIM_TBL", "UDT_LIST_TBL", "UDT_SEL_TBL",
        *(f"UDT_{n}_TBL" for n in range(6)),
    ]  # fmt: skip
