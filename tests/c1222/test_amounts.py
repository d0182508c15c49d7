"""Amounts and lengths of time as people read them: in thousands of a base unit, with all digits."""

from decimal import Decimal

import pytest

from c1222.amounts import amount_text, duration, scaled, shown_unit, time_parts


@pytest.mark.parametrize(
    ("value", "unit", "text", "shown"),
    [
        ("388381680", "Wh", "388,381.680", "kWh"), ("120.5", "V", "120.5", "V"), ("1E+6", "VA", "1,000", "kVA"),
        ("-1", "W", "-0.001", "kW"), ("7", None, "7", ""),
    ],
)  # fmt: skip
def test_amounts(value: str, unit: str | None, text: str, shown: str) -> None:
    assert (amount_text(Decimal(value), unit), shown_unit(unit)) == (text, shown)


def test_scaling_loses_no_digit() -> None:
    assert scaled(Decimal("12345678901234567890123456789012345678.9"), "Wh") == Decimal(
        "12345678901234567890123456789012345.6789"
    )


def test_parts_of_a_time() -> None:
    assert time_parts(0) == [(0, "s")]
    assert time_parts(3723) == [(1, "h"), (2, "min"), (3, "s")]
    assert time_parts(86400) == [(1, "d"), (0, "h"), (0, "min"), (0, "s")]


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0.00 ms"), (1500, "0.00150 ms"), (850_000, "0.850 ms"), (12_345_678, "12.3 ms"), (999_600_000, "1.00 s"),
        (119 * 10**9, "119 s"), (125 * 10**9, "2 min 5 s"), (7200 * 10**9, "2 h 0 min"), (-90 * 10**9, "-90.0 s"),
        (3 * 86400 * 10**9, "3 d 0 h"),
    ],
)  # fmt: skip
def test_durations_read_well(nanoseconds: int, text: str) -> None:
    assert duration(nanoseconds) == text
