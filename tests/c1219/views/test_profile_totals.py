"""Totals of load profiles: sums of amounts, and what levels were."""

from __future__ import annotations

from decimal import Decimal

import pytest

from c1219.codes.units import TimeBase, describe_unit
from c1219.views.load_profile import load_profile
from c1219.views.profile_totals import totals
from tests.c1219.views.meter import Truth
from tests.c1219.views.profile_rows import at

ENTRY = dict.fromkeys(
    ("ID_CODE", "TIME_BASE", "MULTIPLIER", "Q1_ACCOUNTABILITY", "Q2_ACCOUNTABILITY", "Q3_ACCOUNTABILITY",
     "Q4_ACCOUNTABILITY", "NET_FLOW_ACCOUNTABILITY", "SEGMENTATION", "HARMONIC", "NFS"), 0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "bulk", "instantaneous"),
    [
        (0, True, False),  # W, Wh
        (1, True, False),  # var
        (8, True, False),  # V: volt hours
        (10, True, False),  # V²
        (12, True, False),  # A: ampere hours
        (24, False, False),  # power factor
        (33, False, False),  # Hz
    ],
)
def test_what_adds_up(code: int, bulk: bool, instantaneous: bool) -> None:
    for base in TimeBase:
        found = describe_unit(ENTRY | {"ID_CODE": code, "TIME_BASE": base})
        expected = bulk if base in {TimeBase.BULK, TimeBase.NET_BULK} else instantaneous
        assert found.adds_up == (True if base is TimeBase.EVENT else expected), (found.quantity, base)


def test_totals() -> None:
    """Two channels of varh and one of volts; the second interval was skipped by the third."""
    values = [[1, 40, 230], [2, 0, 999], [6, 5, 240], [3, 5, 238]]
    status = [[bytes([0, 0]), bytes([0, 0x04]), bytes([0, 0]), bytes([0, 0])]]
    truth = Truth([values], [at("2024-06-01 01:00")], status=status)
    found = totals(load_profile(truth.device(), 1))
    assert [(one.channel.source.unit, one.intervals, one.sum) for one in found] == [
        ("varh", 4, 12), ("varh", 4, 50), ("V", 3, None),
    ]  # fmt: skip
    assert [(one.mean, one.minimum, one.maximum) for one in found] == [
        (3, 1, 6), (Decimal("12.5"), 0, 40), (236, 230, 240),
    ]  # fmt: skip


def test_a_channel_without_values_has_no_total() -> None:
    assert totals(load_profile(Truth([[[1]]], [at("2024-06-01 00:15")], status=[[bytes([4])]]).device(), 1)) == ()
