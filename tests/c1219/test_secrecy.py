"""Which octets of a meter are secret: the rule, and that it follows from the declarations."""

from __future__ import annotations

import pytest

from c1219.datatypes import SECRET, UINT8, UINT16
from c1219.registry import Registry, default_registry
from c1219.schema import Procedure, Record, Table
from c1219.secrecy import may_be_secret


def test_the_secret_tables_of_the_standard() -> None:
    assert [number for number in range(4096) if may_be_secret(number)] == [7, 42, 45, 46, 47]
    assert [table.label for table in default_registry().tables() if table.secret] == ["ST42", "ST45", "ST46", "ST47"]


@pytest.mark.parametrize("above", [0x1000, 0x2000, 0x3000, 0x4000, 0x8000, 0xF000])
def test_bits_above_the_number_change_nothing(above: int) -> None:
    assert may_be_secret(above | 42)
    assert may_be_secret(above | 42, b"")
    assert may_be_secret(above | 7, bytes.fromhex("050001"))  # where the procedure is named is not known
    assert not may_be_secret(above | 41)
    assert not may_be_secret(above | 0x800 | 42)


@pytest.mark.parametrize(
    ("octets", "secret"),
    [("1200", True), ("0012", True), ("12F0", True), ("1300", False), ("1208", False), ("12", False), ("", False)],
)
def test_a_procedure_is_named_by_its_first_two_octets(octets: str, secret: bool) -> None:
    assert may_be_secret(7, bytes.fromhex(octets)) is secret
    assert may_be_secret(7, bytes.fromhex(octets), from_start=False)


def test_tables_and_procedures_of_a_manufacturer_are_secret_as_declared() -> None:
    registry = Registry()
    assert not may_be_secret(2048 + 9, registry=registry)
    pin = Record("PIN_RCD", "COUNT" / UINT8 * "Tries.", "PIN" / SECRET(4) * "Personal number.")
    registry.register(
        Table(number=9, manufacturer=True, device_class=b"DEMO", name="PIN_TBL", record=pin),
        Procedure(number=3, name="Set PIN", parameters=pin, manufacturer=True),
        Procedure(number=4, name="Tell PIN", response=pin, manufacturer=True),
        Procedure(number=5, name="Count", parameters=Record("N_RCD", "N" / UINT16 * "Number."), manufacturer=True),
    )
    assert may_be_secret(2048 + 9, registry=registry)
    assert may_be_secret(2048 + 9 | 0x1000, b"x", from_start=False, registry=registry)
    assert not may_be_secret(9, registry=registry)
    assert not may_be_secret(2048 + 9)
    calls = {number: (2048 + number).to_bytes(2, "little") + b"\1\0" for number in (3, 4, 5)}
    assert [may_be_secret(7, octets, registry=registry) for octets in calls.values()] == [True, False, False]
    assert [may_be_secret(8, octets, registry=registry) for octets in calls.values()] == [False, True, False]
    assert may_be_secret(8, registry=registry)
    assert not may_be_secret(8)
