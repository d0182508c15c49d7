from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.export import espi_codes as codes
from c1219.export.espi_codes import scale


def test_all_codes_are_known_to_another_reader() -> None:
    enums = pytest.importorskip("greenbutton_objects.enums")

    def known(kind: Any) -> set[int]:
        return {member.value for member in kind}

    assert set(codes.SERVICES.values()) <= known(enums.ServiceKind)
    assert {codes.RAW, codes.QUESTIONABLE} <= known(enums.QualityOfReading)


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
