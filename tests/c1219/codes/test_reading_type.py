"""Names of IEC CIM: published ones, those of the meter profiles, and what they say read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from c1219 import Device
from c1219.codes.reading_type import ReadingType, interval_type, register_type
from c1219.codes.units import describe_unit
from c1219.errors import DecodeError
from c1219.views.sources import sources_of

ROOT = Path(__file__).resolve().parents[3]
NAMES = ("single-phase", "polyphase-tou", "big-endian")

W, VAR, VA, VOLTS, AMPERES, HERTZ, FACTOR = 0, 1, 2, 8, 12, 33, 24
BULK, NOW, BLOCK = 0, 1, 4


def measured(code: int, base: int, quadrants: tuple[int, ...] = (), *, segment: int = 0, net: bool = False) -> Any:
    flags = {f"Q{number}_ACCOUNTABILITY": int(number in quadrants) for number in (1, 2, 3, 4)}
    entry = {"ID_CODE": code, "TIME_BASE": base, "MULTIPLIER": 0, "SEGMENTATION": segment, "HARMONIC": 0, "NFS": 0}
    return describe_unit({**entry, **flags, "NET_FLOW_ACCOUNTABILITY": int(net)})


def interval(uom: Any, minutes: int = 15, **more: Any) -> str:
    return str(interval_type(uom, uom.unit, minutes, **more))


def register(uom: Any, kind: str, **more: Any) -> str:
    return str(register_type(uom, uom.unit, kind, **more))


DELIVERED, RECEIVED = (1, 4), (2, 3)
# From public messages and the 61968-9 code lists (values there are in kilo); the last ones are by our rules.
CASES = [
    ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0", interval(measured(W, BULK, DELIVERED))),
    ("0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0", register(measured(W, BULK, DELIVERED), "summation")),
    (
        "8.0.0.1.1.1.12.0.0.0.0.0.0.0.0.0.72.0",
        register(measured(W, BULK, DELIVERED), "summation", period="previous demand reset"),
    ),
    ("8.8.0.3.1.1.8.0.0.0.0.0.0.0.0.0.38.0", register(measured(W, BLOCK, DELIVERED), "cumulative")),
    ("8.8.0.2.1.1.8.0.0.0.0.0.0.0.0.0.38.0", register(measured(W, BLOCK, DELIVERED), "continuous cumulative")),
    ("0.0.7.4.19.1.12.0.0.0.0.0.0.0.0.0.72.0", interval(measured(W, BULK, RECEIVED), 60)),
    ("0.0.0.9.1.1.12.0.0.0.0.2.0.0.0.0.72.0", register(measured(W, BULK, DELIVERED), "summation", tier=1)),
    (
        "8.8.53.6.1.1.8.0.0.0.0.0.0.0.0.0.38.0",
        register(measured(W, BLOCK, DELIVERED), "demand", extreme="maximum", occurrence=0, interval=15),
    ),
    (
        "8.16.53.6.1.1.8.0.0.0.0.0.0.0.0.0.38.0",
        register(measured(W, BLOCK, DELIVERED), "demand", extreme="maximum", occurrence=1, interval=15),
    ),
    (
        "8.17.53.6.1.1.8.0.0.0.0.0.0.0.0.0.38.0",
        register(measured(W, BLOCK, DELIVERED), "demand", extreme="minimum", occurrence=1, interval=15),
    ),
    (
        "8.8.71.6.1.1.8.0.0.0.0.1.0.0.0.0.38.0",
        register(
            measured(W, BLOCK, DELIVERED), "demand", extreme="maximum", occurrence=0, interval=15, subintervals=3,
            tier=0,
        ),
    ),
    ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.0.73.0", interval(measured(VAR, BULK, (1, 2)))),
    ("0.0.2.4.15.1.12.0.0.0.0.0.0.0.0.0.73.0", interval(measured(VAR, BULK, (1,)))),
    ("0.0.2.4.8.1.12.0.0.0.0.0.0.0.0.0.73.0", interval(measured(VAR, BULK, (1, 4)))),
    ("0.0.2.4.11.1.12.0.0.0.0.0.0.0.0.0.73.0", interval(measured(VAR, BULK, (2, 4)))),
    ("0.0.2.4.4.1.12.0.0.0.0.0.0.0.0.0.72.0", interval(measured(W, BULK, (1, 2, 3, 4), net=True))),
    ("0.0.2.4.20.1.12.0.0.0.0.0.0.0.0.0.71.0", interval(measured(VA, BULK, (1, 2, 3, 4)))),
    ("0.0.0.12.0.1.54.0.0.0.0.0.0.0.129.0.29.0", register(measured(VOLTS, NOW, segment=5), "present value")),
    ("0.0.0.12.0.1.4.0.0.0.0.0.0.0.64.0.5.0", register(measured(AMPERES, NOW, segment=6), "present value")),
    ("0.0.0.12.0.1.15.0.0.0.0.0.0.0.0.0.33.0", register(measured(HERTZ, NOW), "present value")),
    ("0.0.0.12.0.1.38.0.0.0.0.0.0.0.0.0.65.0", register(measured(FACTOR, NOW), "present value")),
    ("0.0.0.1.0.1.122.0.0.0.0.0.0.0.0.0.111.0", str(register_type(None, "", "demand resets"))),
    ("0.0.2.4.1.2.12.0.0.0.0.0.0.0.0.0.72.0", interval(measured(W, BULK, DELIVERED), primary=True)),
    ("32.0.0.4.1.1.12.0.0.0.0.0.0.0.0.0.72.0", interval(measured(W, BULK, DELIVERED), 4)),
    ("0.2.2.6.0.1.54.0.0.0.0.0.0.0.129.0.29.0", interval(measured(VOLTS, BLOCK, segment=5))),
    ("0.0.2.6.0.1.54.0.0.0.0.0.0.0.129.0.29.0", interval(measured(VOLTS, NOW, segment=5))),
    ("0.2.2.6.1.1.8.0.0.0.0.0.0.0.0.0.38.0", interval(measured(W, BLOCK, DELIVERED))),
]  # fmt: skip


@pytest.mark.parametrize(("name", "made"), CASES)
def test_names(name: str, made: str) -> None:
    assert made == name
    assert str(ReadingType.parse(name)) == name


def test_what_has_no_code_has_no_name() -> None:
    pulses = measured(W, BULK, DELIVERED)
    assert interval_type(pulses, "pulse", 15) is None
    assert interval_type(None, "Wh", 15) is None
    assert interval_type(measured(W, BULK, (1, 2, 3)), "Wh", 15) is None  # three quadrants
    assert register_type(measured(W, BLOCK, DELIVERED), "W", "demand", extreme="maximum", occurrence=5) is None
    assert register_type(measured(W, BLOCK, DELIVERED), "W", "something else") is None
    part = interval_type(pulses, "pulse", 15, partial=True)
    assert part is not None
    assert (part.unit, part.kind, part.flow_direction, part.accumulation) == (0, 0, 1, 4)


@pytest.mark.parametrize(
    ("uom", "unit", "kind"),
    [
        (measured(W, BULK, DELIVERED), "wattHours", "energy"),
        (measured(VAR, BULK, (1, 2)), "voltAmpReactiveHours", "energy"),
        (measured(VA, BULK), "voltAmpHours", "energy"),
        (measured(W, NOW, DELIVERED), "watts", "power"),
        (measured(W, BLOCK, DELIVERED), "watts", "demand"),
        (measured(VAR, NOW, (1, 2)), "voltAmpsReactive", "power"),
        (measured(VOLTS, 2), "volts", "voltage"),
        (measured(AMPERES, 2), "amps", "current"),
        (measured(HERTZ, 2), "hertz", "frequency"),
        (measured(FACTOR, 2), "cosine", "powerFactor"),
        (measured(65, BULK), "cubicMeters", "58"),
        (measured(67, BULK), "cubicFeet", "58"),
        (measured(64, NOW), "cubicMetersPerHour", "volumetricFlow"),
        (measured(77, BULK), "therms", "energy"),
        (measured(130, BULK), "usGallons", "58"),
    ],
)
def test_codes_are_those_of_a_reader_of_green_button(uom: Any, unit: str, kind: str) -> None:
    """Volumes are 58 in NAESB's schema, which the reader does not know."""
    enums = pytest.importorskip("greenbutton_objects.enums")
    found = interval_type(uom, uom.unit, 15)
    assert found is not None
    assert (found.unit, found.kind) == (
        enums.UomType[unit].value,
        int(kind) if kind.isdigit() else enums.KindType[kind].value,
    )
    assert found.commodity in {member.value for member in enums.CommodityType}
    assert found.accumulation in {member.value for member in enums.AccumulationBehaviourType}


@pytest.mark.parametrize("code", [34, 88])
def test_units_without_a_code(code: int) -> None:
    assert interval_type(measured(code, BULK), measured(code, BULK).unit, 15) is None


@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_meter_say_what_its_rows_say(name: str) -> None:
    meter = Device.from_json((ROOT / "specs" / "devices" / f"{name}.json").read_text("ascii"))
    view, sources = meter.registers(), sources_of(meter)
    told = 0
    for row in view:
        found = row.reading_type(view.sources)
        uom = None if row.source is None else sources.describe(row.source).uom
        if found is None:
            assert row.unit is None or (uom is not None and not found), row.path
            continue
        told += 1
        words = found.words()
        assert words.unit == row.unit, row.path
        if row.kind != "demand resets":
            assert words.quantity == row.quantity, row.path
        bulk_now = row.kind == "present value" and found.accumulation == 1  # a dial, as good as a summation
        if row.kind != "coincident" and not bulk_now:
            assert words.kind == row.kind, row.path
            assert words.tier == row.tier
        if row.kind == "demand":
            assert (words.occurrence, words.extreme) == (row.occurrence, row.extreme)
    assert told > len(view) * 0.9
    for number in (1, 2, 3, 4):
        profile = meter.load_profile(number)
        for channel in profile.channels:
            found = channel.reading_type(profile.minutes)
            assert found is not None
            assert found.words()[:3] == (channel.source.quantity, channel.source.unit, "interval")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", 0), ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72", 17), ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0.0", 19),
        ("0.0.2.4.1.1.x.0.0.0.0.0.0.0.0.3.72.0", 6), ("-1.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0", 0),
        ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.--3.72.0", 15), ("0.0.2.4.1.1.1234567.0.0.0.0.0.0.0.0.3.72.0", 6),
        ("0.0.2.4.1.1.١٢.0.0.0.0.0.0.0.0.3.72.0", 6), ("0.0.2.4.1.1. 12.0.0.0.0.0.0.0.0.3.72.0", 6),
    ],
)  # fmt: skip
def test_texts_that_are_no_name(text: str, field: int) -> None:
    with pytest.raises(DecodeError) as caught:
        ReadingType.parse(text)
    assert caught.value.offset == field


@pytest.mark.parametrize(
    ("text", "quantity", "unit", "kind"),
    [
        ("8.8.0.0.1.1.12.0.0.0.0.0.0.0.0.3.38.0", "", "W", None),  # seen: maximum demand with kind energy
        ("0.0.2.9.1.2.12.0.0.0.0.0.0.0.0.3.72.0", "active energy delivered", "Wh", "interval"),  # a head-end's
        ("0.0.2.4.8.1.12.0.0.0.0.0.0.0.0.3.72.0", "active energy delivered", "Wh", "interval"),  # Q1 and Q4
        ("0.0.2.4.13.1.12.0.0.0.0.0.0.0.0.3.73.0", "reactive energy received", "varh", "interval"),
        ("0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.999.0", "", None, "interval"),
    ],
)
def test_names_of_others(text: str, quantity: str, unit: str | None, kind: str | None) -> None:
    assert ReadingType.parse(text).words()[:3] == (quantity, unit, kind)
