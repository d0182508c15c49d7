from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest

from c1219.codes.quantities import Commodity, IdCode, Kind, commodity, quantity
from c1219.codes.units import Direction, Multiplier, Segmentation, TimeBase, describe_unit


def split(entry: int) -> dict[str, int]:
    """Split an ST12 entry by hand, independently of the table's declaration."""
    bits = format(entry, "032b")[::-1]

    def take(first: int, last: int) -> int:
        return int(bits[first : last + 1][::-1], 2)

    return {
        "ID_CODE": take(0, 7),
        "TIME_BASE": take(8, 10),
        "MULTIPLIER": take(11, 13),
        "Q1_ACCOUNTABILITY": take(14, 14),
        "Q2_ACCOUNTABILITY": take(15, 15),
        "Q3_ACCOUNTABILITY": take(16, 16),
        "Q4_ACCOUNTABILITY": take(17, 17),
        "NET_FLOW_ACCOUNTABILITY": take(18, 18),
        "SEGMENTATION": take(19, 21),
        "HARMONIC": take(22, 22),
        "ID_RESOURCE": take(23, 27),
        "NFS": take(31, 31),
    }


WORKED = [
    (0x00024000, "active energy", "Wh", "1", Direction.DELIVERED, (1, 4), Segmentation.ALL),
    (0x00024400, "active power", "W", "1", Direction.DELIVERED, (1, 4), Segmentation.ALL),
    (0x00282A08, "RMS voltage", "V", "0.01", None, (), Segmentation.A_N),
    (0x00018000, "active energy", "Wh", "1", Direction.RECEIVED, (2, 3), Segmentation.ALL),
    (0x0007C000, "active energy", "Wh", "1", Direction.NET, (1, 2, 3, 4), Segmentation.ALL),
    (0x0003C000, "active energy", "Wh", "1", Direction.SUM, (1, 2, 3, 4), Segmentation.ALL),
    (0x0000C001, "reactive energy", "varh", "1", Direction.DELIVERED, (1, 2), Segmentation.ALL),
    (0x00003219, "power factor from phasor power", "", "0.001", None, (), Segmentation.ALL),
]


@pytest.mark.parametrize(("entry", "name", "unit", "factor", "direction", "quadrants", "phase"), WORKED)
def test_worked_entry(entry, name, unit, factor, direction, quadrants, phase):
    found = describe_unit(split(entry))
    assert (found.quantity, found.unit, found.factor) == (name, unit, Decimal(factor))
    assert (found.direction, found.quadrants, found.phase) == (direction, quadrants, phase)
    assert found.unresolved == ()
    assert isinstance(found.factor, Decimal)


def test_block_demand_is_said():
    found = describe_unit(split(0x00024400))
    assert found.time_base is TimeBase.BLOCK_DEMAND
    assert str(found) == "active power delivered, block average demand, W"


def test_volts_read_as_text():
    assert str(describe_unit(split(0x00282A08))) == "RMS voltage, period based, A-N, V"


def test_attributes_serve_as_well_as_keys():
    fields = split(0x00024400)
    assert describe_unit(SimpleNamespace(**fields)) == describe_unit(fields)
    del fields["ID_RESOURCE"]  # entries of older editions have none
    assert describe_unit(SimpleNamespace(**fields)) == describe_unit(fields)


def test_missing_field_is_not_taken_for_zero():
    fields = split(0)
    del fields["TIME_BASE"]
    with pytest.raises(KeyError):
        describe_unit(fields)


@pytest.mark.parametrize(
    ("code", "time_base", "multiplier", "unit", "wire_unit", "factor"),
    [
        (0, 0, 2, "Wh", "kWh", "1000"),
        (0, 5, 3, "Wh", "MWh", "1000000"),
        (1, 4, 2, "var", "kvar", "1000"),
        (2, 0, 4, "VAh", "GVAh", "1000000000"),
        (8, 2, 5, "V", "10^-2 V", "0.01"),
        (12, 2, 6, "A", "mA", "0.001"),
        (10, 2, 2, "V²", "10^3 V²", "1000"),
        (64, 0, 2, "m³", "10^3 m³", "1000"),
        (64, 4, 0, "m³/h", "m³/h", "1"),
        (76, 0, 3, "J", "MJ", "1000000"),
        (24, 1, 6, "", "10^-3", "0.001"),
        (128, 5, 1, "m³", "10^2 m³", "100"),
        (140, 0, 0, "L", "L", "1"),
        (50, 7, 0, "", "", "1"),
    ],
)
def test_unit_and_scale(code, time_base, multiplier, unit, wire_unit, factor):
    found = describe_unit(split(code | time_base << 8 | multiplier << 11))
    assert (found.unit, found.wire_unit, found.factor) == (unit, wire_unit, Decimal(factor))
    assert found.unresolved == ()


def test_multiplier_is_exact_and_plain():
    assert [str(m.factor) for m in Multiplier] == [
        *("1", "100", "1000", "1000000", "1000000000", "0.01", "0.001", "0.000001"),
    ]
    assert str(Decimal(123) * Multiplier.THOUSAND.factor) == "123000"


@pytest.mark.parametrize(
    ("entry", "word"),
    [
        (27, "reserved"),
        (0x01 << 31, "manufacturer"),
        (0x01 << 22, "HARMONIC"),
        (0x01 << 23, "ID_RESOURCE"),
        (0x002002D9, "SEGMENTATION 4"),  # a vendor's temperature: code 4 has no meaning outside electricity
        (24, "bulk"),  # power factor hours
        (4, "Q(60)"),
        (0x00044000, "Q1 net"),
        (0x00040000, "NET_FLOW"),
        (0x0000C000, "Q1+Q2"),  # W in Q1 + Q2
        (190, "currency"),
        (29 | 1 << 8, "time of day"),
        (40 | 1 << 8, "sag"),
    ],
)
def test_says_what_it_cannot_resolve(entry, word):
    found = describe_unit(split(entry))
    assert any(word in text for text in found.unresolved), found.unresolved


def test_manufacturer_entry_claims_nothing():
    found = describe_unit(split(0x80024000 | 2 << 11))
    assert (found.unit, found.wire_unit, found.direction, found.phase, found.factor) == (
        None,
        None,
        None,
        None,
        Decimal(1),
    )


def test_occurrences_are_a_count():
    found = describe_unit(split(40 | 7 << 8))
    assert (found.quantity, found.unit, found.unresolved) == ("occurrences of voltage sag", "", ())


def test_apparent_energy_keeps_its_quadrants_and_claims_no_direction():
    found = describe_unit(split(0x00024002))
    assert (found.unit, found.direction, found.quadrants) == ("VAh", None, (1, 4))
    assert str(found) == "apparent energy Q1+Q4, VAh"


RESERVED = {27, 28, 63, *range(89, 128), *range(146, 190)}
UNCONFIRMED = {*range(194, 217), *range(218, 256)}


def test_every_id_code_answers():
    for code in range(256):
        facts = quantity(code)
        assert facts.name
        assert facts.confidence in {"V", "1", "?"}
        assert facts.source
        assert facts.edition in {1997, 2008}
        expected = Kind.RESERVED if code in RESERVED else Kind.UNCONFIRMED if code in UNCONFIRMED else None
        assert (facts.kind in {Kind.RESERVED, Kind.UNCONFIRMED}) == (expected is not None), code
        assert expected is None or facts.kind is expected


def test_every_entry_answers():
    for code in range(256):
        for time_base in range(8):
            for multiplier in (0, 2, 7):
                found = describe_unit(split(code | time_base << 8 | multiplier << 11 | 0x0024_0000))
                assert found.quantity
                assert str(found)
                assert found.unit is not None or found.unresolved


def test_id_codes_are_in_order_and_unique():
    codes = [member.value for member in IdCode]
    assert codes == sorted(set(codes))
    assert all(type(code) is int for code in codes)
    assert not set(codes) & (RESERVED | UNCONFIRMED)
    assert len(IdCode.__members__) == len(codes)  # a second name for a code would be an alias, not a member


def test_rates_have_the_amount_they_become():
    for member in IdCode:
        facts = member.facts
        if facts.kind is Kind.RATE and facts.unit and facts.unit.endswith("/h"):
            assert facts.bulk_unit == facts.unit.removesuffix("/h")
        elif facts.bulk_unit is not None:
            assert facts.bulk_unit == f"{facts.unit}h"
        assert (facts.bulk_name is None) == (facts.bulk_unit is None)


def test_commodities():
    assert [commodity(code) for code in (0, 63, 64, 127, 128, 189, 190, 255)] == [
        *(Commodity.ELECTRIC, Commodity.ELECTRIC, Commodity.GAS, Commodity.GAS),
        *(Commodity.WATER, Commodity.WATER, Commodity.GENERIC, Commodity.GENERIC),
    ]


@pytest.mark.parametrize("codes", [TimeBase, Multiplier, Segmentation])
def test_three_bit_fields_are_complete(codes):
    assert [member.value for member in codes] == list(range(8))
    assert len({getattr(member, "text", member.name) for member in codes}) == 8
