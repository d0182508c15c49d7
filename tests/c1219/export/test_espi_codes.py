from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.codes.units import Direction, Segmentation, describe_unit
from c1219.export import espi_codes as codes
from c1219.export.espi_codes import scale


def uom(code: int, base: int = 0, quadrants: str = "", *, net: int = 0, phase: int = 0) -> Any:
    entry = {"ID_CODE": code, "TIME_BASE": base, "MULTIPLIER": 0, "NET_FLOW_ACCOUNTABILITY": net, "SEGMENTATION": phase}
    entry |= {f"Q{n}_ACCOUNTABILITY": int(str(n) in quadrants) for n in range(1, 5)} | {"HARMONIC": 0, "NFS": 0}
    return describe_unit(entry)


@pytest.mark.parametrize(
    ("entry", "name", "kind"),
    [
        (uom(0, quadrants="14"), "wattHours", "energy"),
        (uom(1, quadrants="12"), "voltAmpReactiveHours", "energy"),
        (uom(2), "voltAmpHours", "energy"),
        (uom(0, 4, "14"), "watts", "power"),
        (uom(1, 4, "12"), "voltAmpsReactive", "power"),
        (uom(2, 4), "voltAmps", "power"),
        (uom(8, 2), "volts", "voltage"),
        (uom(12, 2), "amps", "current"),
        (uom(33, 2), "hertz", "frequency"),
        (uom(24, 2), "cosine", "powerFactor"),
        (uom(65), "cubicMeters", "notApplicable"),
        (uom(67), "cubicFeet", "notApplicable"),
        (uom(64, 1), "cubicMetersPerHour", "volumetricFlow"),
        (uom(77), "therms", "energy"),
        (uom(130), "usGallons", "notApplicable"),
        (uom(34), "notApplicable", "notApplicable"),
        (uom(88), "notApplicable", "notApplicable"),
    ],
)
def test_units_are_those_of_another_reader(entry: Any, name: str, kind: str) -> None:
    enums = pytest.importorskip("greenbutton_objects.enums")
    assert codes.unit_codes(entry.unit, entry) == (enums.UomType[name].value, enums.KindType[kind].value)


def test_all_codes_are_known_to_another_reader_or_said_to_be_unconfirmed() -> None:
    enums = pytest.importorskip("greenbutton_objects.enums")

    def known(kind: Any) -> set[int]:
        return {member.value for member in kind}

    assert {pair[0] for pair in codes._UNITS.values()} <= known(enums.UomType)
    assert {pair[1] for pair in codes._UNITS.values()} | {codes.DEMAND} <= known(enums.KindType)
    assert set(codes._COMMODITIES.values()) <= known(enums.CommodityType)
    assert set(codes.SERVICES.values()) <= known(enums.ServiceKind)
    assert {codes._DIRECTIONS[d] for d in (Direction.DELIVERED, Direction.RECEIVED)} <= known(enums.FlowDirectionType)
    assert set(codes.PHASES.values()) - known(enums.PhaseCode) == {65, 33}
    assert {codes.RAW, codes.QUESTIONABLE} <= known(enums.QualityOfReading)
    behaviours = {
        codes.BULK, codes.CUMULATIVE, codes.DELTA, codes.INDICATING, codes.SUMMATION, codes.INSTANTANEOUS,
    }  # fmt: skip
    assert behaviours <= known(enums.AccumulationBehaviourType)


def test_commodity_direction_and_accumulation() -> None:
    assert [codes.commodity_code(uom(code)) for code in (0, 64, 128, 190)] == [1, 7, 9, 0]
    assert codes.commodity_code(None) == 0
    directions = [
        uom(0, quadrants="14"),
        uom(0, quadrants="23"),
        uom(0, quadrants="1234", net=1),
        uom(0, quadrants="1234"),
    ]
    assert [codes.direction_code(entry.direction) for entry in directions] == [1, 19, 4, 20]
    assert codes.direction_code(None) == 0
    assert [codes.accumulation(uom(0, base)) for base in (0, 5, 4, 2)] == [4, 4, 6, 6]
    assert codes.accumulation(None) == 6
    assert codes.PHASES[Segmentation.A_N] == 129


@given(some.lists(some.decimals(-(10**8), 10**8, places=6), max_size=5), some.integers(0, 6))
def test_scaled_values_are_integers_and_exact(values: list[Decimal], places: int) -> None:
    values = [value.quantize(Decimal(1).scaleb(-places)) for value in values]
    exponent, exact = scale(values)
    assert exact
    assert exponent in {0, -1, -2, -3, -6}
    for value in values:
        number = value.scaleb(-exponent)
        assert number == int(number)
        assert abs(number) < 1 << 47


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["1200", "600"], (0, True)),
        (["0.5"], (-1, True)),
        (["0.0001"], (-6, True)),
        (["1E-12"], (-12, True)),
        (["1E-13"], (-12, False)),
        (["0.3333333333333333333333333333"], (-12, False)),
        (["300000000000000"], (3, False)),
        (["3000000000.00001"], (-3, False)),
        (["140737488355327E12"], (12, False)),
        (["-140737488355327E12", "0.5"], (12, False)),
        ([], (0, True)),
    ],
)
def test_scale(values: list[str], found: tuple[int, bool]) -> None:
    assert scale([Decimal(value) for value in values]) == found
