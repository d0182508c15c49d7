from __future__ import annotations

import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.rules.sources import exact
from c1219.values import Raw
from c1219.views.sources import describe_source, describe_sources
from tests.c1219.views.meter import meter

LIMITS = "2B 03 02 02 01 01 02 04"
UNITS = "00 40 02 00  00 44 02 00  08 2A 28 00"
CONSTANTS = "28 00 00 00  05 00 00 00  00 28 00 00 00 3C 00 00 00"
"""ST15 with INT32: MULTIPLIER 40, OFFSET 5, ratios not applied, CT 40, VT 60."""


def device(links="11 13 06 39", units=UNITS, constants=CONSTANTS, demand="0F 0A 1E 00 05 03 05 03", **formats):
    tables = {11: LIMITS, 12: units, 13: demand, 15: constants, 16: links}
    return meter({number: octets for number, octets in tables.items() if octets}, **formats)


def test_worked_walk():
    sources = describe_sources(device())
    assert [source.entries for source in sources] == [
        (0, None, None, None),
        (1, 0, None, None),
        (None, 1, 0, None),
        (2, None, None, 0),
    ]
    assert [source.quantity for source in sources] == [
        "active energy delivered",
        "active power delivered",
        "pulses of source 2",
        "RMS voltage A-N",
    ]
    assert [source.unit for source in sources] == ["Wh", "W", "pulse", "V"]
    assert [source.interval for source in sources] == [None, 15, 15, None]
    assert sources[2].unresolved == ("the source has no entry in ST12: quantity and unit are not known",)
    assert sources[0].unresolved == ()


def test_scaling_of_a_voltage_takes_the_voltage_ratio_only():
    source = describe_source(device(), 3)
    assert source.multiplier == 40 * 60 * Decimal("0.01")
    assert source.offset == 5 * 60 * Decimal("0.01")
    assert source.value(2) == (2 * 40 + 5) * 60 * Decimal("0.01")


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("00 40 02 00", 2400), ("0C 00 00 00", 40), ("0E 00 00 00", 1600), ("0A 00 00 00", 3600), ("21 01 00 00", 1)],
)
def test_ratios_by_quantity(unit, factor):
    found = describe_source(device(units=UNITS[:24] + unit), 3)
    assert found.multiplier == 40 * factor


def test_ratios_that_are_applied_already():
    applied = CONSTANTS.replace("00  00 28", "00  01 28")
    assert describe_source(device(constants=applied), 3).multiplier == 40 * Decimal("0.01")


def test_constants_that_cannot_be_applied():
    for constants in ("", CONSTANTS.replace("28 00 00 00  05", "00 00 00 00  05")):
        source = describe_source(device(constants=constants), 3)
        assert source.unit is None
        assert "ST15" in source.unresolved[0]
    gas = meter({11: "00 01 00 00 00 01 01 01", 12: "40 00 00 00", 15: bytes(40), 16: "39"})
    assert describe_source(gas, 0).unit is None
    water = meter({11: "20 01 00 00 00 01 02 01", 12: "80 00 00 00", 15: CONSTANTS, 16: "39"})
    assert "how is not known" in describe_source(water, 0).unresolved[0]


def test_pulses_stay_pulses():
    source = describe_source(device(links="01 13 06 39"), 0)
    assert (source.pulses, source.unit, source.quantity) == (True, "pulse", "pulses of active energy delivered")
    assert source.value(7) == 7
    applied = describe_source(device(links="11 13 06 29"), 3)
    assert (applied.pulses, applied.unit) == (False, "V")


def test_tables_that_are_not_here():
    bare = meter({11: LIMITS, 12: UNITS})
    first = describe_source(bare, 0)
    assert (first.quantity, first.unit) == ("active energy delivered", "Wh")
    assert first.unresolved == ("ST16 is not here: entry i of ST12, ST13 and ST15 is taken as source i's",)
    assert len(describe_sources(bare)) == 3
    findings = []
    nothing = describe_sources(meter({}), findings)
    assert nothing == ()
    assert {finding.path for finding in findings} >= {"ST11"}
    unknown = describe_source(meter({}), 4)
    assert (unknown.quantity, unknown.unit, unknown.value(3)) == ("source 4", None, 3)
    assert len(unknown.unresolved) == 2


def test_sources_that_do_not_exist():
    assert "ST16 has 4" in describe_source(device(), 4).unresolved[0]
    assert "no source" in describe_source(device(), 255).unresolved[0]


def test_exact():
    assert exact(3) == 3
    assert exact(Decimal("1.50")) == Decimal("1.50")
    assert exact(0.1) == Decimal("0.1")
    assert exact(struct.unpack("f", struct.pack("f", 0.1))[0], single=True) == Decimal("0.1")
    assert [exact(x) for x in (float("nan"), float("-inf"), None, Raw(b"\1"), "1", Decimal("NaN"))] == [None] * 6


@given(some.floats(width=32, allow_nan=False, allow_infinity=False))
def test_exact_names_the_same_float(number):
    text = exact(number, single=True)
    assert struct.unpack("f", struct.pack("f", float(text)))[0] == number
