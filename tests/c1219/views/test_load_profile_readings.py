"""End readings of blocks of load profile, and values of intervals."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from c1219.views.load_profile import IntervalStatus, load_profile
from tests.c1219.views.meter import Truth
from tests.c1219.views.profile_rows import at, codes, noted, simple

# --- values


@pytest.mark.parametrize(
    ("code", "formats", "raws", "values"),
    [
        (64, {"ni1": 1}, [0.10000000149011612, -2.5], ["0.1", "-2.5"]),
        (128, {"ni2": 0}, [0.1, -2.5], ["0.1", "-2.5"]),
        (64, {"ni1": 4}, [Decimal("12.3456"), Decimal(-1)], ["12.3456", "-1"]),
        (64, {"ni1": 6}, [Decimal("1.5"), Decimal(-7)], ["1.5", "-7"]),
        (64, {"ni1": 10}, [2**46, -5], [str(2**46), "-5"]),
        (128, {"ni2": 3}, [Decimal("1.25"), Decimal(3)], ["1.25", "3"]),
    ],
)
def test_forms_of_numbers(code, formats, raws, values):
    truth = Truth([[[raw] for raw in raws]], [at("2024-06-01 00:30")], per_block=2, code=code, formats=formats)
    found = load_profile(truth.device(), 1)
    assert [row.value for row in found] == [Decimal(value) for value in values]
    assert [row.raw for row in found] == raws


def test_numbers_that_are_none():
    truth = Truth([[[float("nan")], [2.0]]], [at("2024-06-01 00:30")], per_block=2, code=64, formats={"ni1": 1})
    assert [row.value for row in load_profile(truth.device(), 1)] == [None, 2]
    bcd = Truth([[[Decimal(1)], [Decimal(2)]]], [at("2024-06-01 00:30")], per_block=2, code=64, formats={"ni1": 6})
    device = bcd.device()
    octets = bytearray(device[64].raw)
    octets[5] = 0xCC
    device.put(64, octets)
    found = load_profile(device, 1)
    assert [row.value for row in found] == [None, 2]
    assert codes(found) == ["no-value"]
    assert found.rows[0].raw == bytes([0xCC, 0, 0, 1])


def test_floats_and_raw_values_in_json():
    """NaN and infinity have no form in JSON; a number stays one, also under a scalar."""
    numbers = [[[float("nan")], [2.5], [float("-inf")]]]
    truth = Truth(numbers, [at("2024-06-01 00:45")], code=64, formats={"ni1": 1}, scalars=[4], divisors=[1])
    found = load_profile(truth.device(), 1)
    assert [row.value for row in found] == [None, Decimal("0.625"), None]

    def refuse(text):
        raise AssertionError(text)

    rows = json.loads(found.to_json(), parse_constant=refuse)["intervals"]
    assert [(row["raw"], row["value"]) for row in rows] == [("nan", None), (2.5, "0.625"), ("-inf", None)]
    bcd = Truth([[[Decimal(1)]]], [at("2024-06-01 00:15")], code=64, formats={"ni1": 6}, scalars=[4], divisors=[3])
    device = bcd.device()
    device.put(64, device[64].raw[:5] + b"\xcc" + device[64].raw[6:])
    assert [row.value for row in load_profile(device, 1)] == [None]
    assert load_profile(device, 1).as_dict()["intervals"][0]["raw"] == "cc000001"


def test_flags_of_an_interval_add_up():
    truth = simple(
        valid=[{0, 1, 2, 3}, {0, 2}], closures=[[(0, 4)], [(4, 4)]], formats={"version": 1},
        status=[[b"\x00"] * 4, [b"\x20", b"\x20", b"\x00", b"\x00"]],
    )  # fmt: skip
    flags = [row.status for row in load_profile(truth.device(), 1)]
    inhibited, fail, invalid = IntervalStatus.INHIBITED, IntervalStatus.POWER_FAIL, IntervalStatus.NOT_VALID
    assert flags == [IntervalStatus(0)] * 4 + [
        inhibited | fail, inhibited | fail | invalid, inhibited, inhibited | invalid,
    ]  # fmt: skip


def test_scalars_and_divisors():
    truth = Truth([[[7, 7, 7]]], [at("2024-06-01 00:15")], per_block=1, scalars=[3, 0, 4], divisors=[1, 0, 3])
    found = load_profile(truth.device(), 1)
    assert [row.value for row in found] == [Decimal(7) / 3, 7, Decimal("5.25")]
    assert codes(found) == ["scalar"]


def test_sources_that_are_not_known_are_said():
    device = simple().device()
    device.drop(12)
    found = load_profile(device, 1)
    assert {(row.quantity, row.unit) for row in found} == {("source 0", None)}
    assert codes(found) == ["source"]


# --- end readings


def with_readings(readings, **more):
    return simple(readings=[[reading] for reading in readings], **more)


def test_end_readings_agree():
    found = load_profile(with_readings([100, 126], pulses=[[10], [36]]).device(), 1)
    assert codes(found) == []
    assert [(r.value, r.unit, r.pulses, r.block) for r in found.readings] == [
        (100, "varh", 10, 99),
        (126, "varh", 36, 100),
    ]


def test_end_readings_that_do_not_agree():
    found = load_profile(with_readings([100, 127]).device(), 1)
    (finding,) = (f for f in found.findings if f.level != "note")
    assert finding.code == "reading-mismatch"
    assert finding.text == "block 100, channel 1: end readings differ by 27, its intervals sum to 26"
    assert codes(load_profile(with_readings([100, 20]).device(), 1)) == ["reading-fell"]
    assert codes(load_profile(simple(pulses=[[10], [37]]).device(), 1)) == ["pulse-mismatch"]


def test_end_readings_in_steps():
    for last, expected_codes in ((359, []), (351, []), (360, []), (369, []), (370, ["reading-mismatch"])):
        truth = with_readings([100, last], scalars=[1], divisors=[10])
        assert codes(load_profile(truth.device(), 1)) == expected_codes, last


def test_pulses_before_or_after_the_divisor():
    for last in (10 + 26, 10 + 260, 10 + 26 - 2**32):
        truth = simple(pulses=[[10], [last % 2**32]], scalars=[1], divisors=[10])
        assert codes(load_profile(truth.device(), 1)) == []


def test_pulse_counter_wraps():
    assert codes(load_profile(simple(pulses=[[2**32 - 6], [20]]).device(), 1)) == []


def test_readings_that_are_the_sum_of_their_block():
    assert codes(load_profile(with_readings([10, 26], sums=True).device(), 1)) == []
    assert codes(load_profile(with_readings([11, 26], sums=True).device(), 1)) == ["reading-mismatch"]


def test_channel_without_end_reading():
    found = load_profile(with_readings([100, 0], end_flags=0).device(), 1)
    assert (found.readings, codes(found)) == ((), [])


def test_end_reading_of_another_unit():
    device = with_readings([100, 126]).device()
    device.change("ST62.LP_SEL_SET1[0].END_BLK_RDG_SOURCE_SELECT", 2)
    found = load_profile(device, 1)
    assert codes(found) == []
    assert "not-comparable" in noted(found)
    assert found.readings[0].unit == "V"


def test_float_readings_agree_within_their_digits():
    values = [[[0.1]], [[0.2]]]
    ends = [at("2024-06-01 00:15"), at("2024-06-01 00:30")]
    truth = Truth(values, ends, per_block=1, code=64, readings=[[1000.1], [1000.3]], formats={"ni1": 1})
    assert codes(load_profile(truth.device(), 1)) == []
    truth.readings = [[1000.1], [1000.5]]
    assert codes(load_profile(truth.device(), 1)) == ["reading-mismatch"]


def test_running_interval_is_not_held_against_readings():
    truth = with_readings([100, 121])
    truth.ends[1] = at("2024-06-01 01:52")
    assert codes(load_profile(truth.device(), 1)) == []
