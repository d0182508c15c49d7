"""Damaged tables: views say what is wrong, and do not fail."""

from __future__ import annotations

import datetime as dt
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219 import DecodeError, Device
from c1219.export.espi import espi

FOLDER = Path(__file__).resolve().parents[3] / "specs" / "devices"
NAMES = ("single-phase", "polyphase-tou", "big-endian")
NOW = dt.datetime(2026, 11, 22, 20, tzinfo=dt.UTC)


@lru_cache
def tables(name: str) -> dict[str, bytes]:
    meter = Device.from_json((FOLDER / f"{name}.json").read_text("ascii"))
    return {label: meter[label].raw for label in meter}


@some.composite
def damaged(draw: some.DrawFn) -> Device:
    """A profile of which some tables are cut, changed in a few octets, too long, or not there."""
    found = dict(tables(draw(some.sampled_from(NAMES))))
    for label in draw(some.lists(some.sampled_from(sorted(found)), min_size=1, max_size=3, unique=True)):
        octets = bytearray(found[label])
        kind = draw(some.sampled_from(("cut", "changed", "changed", "longer", "gone")))
        if kind == "cut":
            del octets[draw(some.integers(0, len(octets))) :]
        elif kind == "changed":
            for _ in range(draw(some.integers(1, 4))):
                octets[draw(some.integers(0, min(len(octets), 60) - 1))] = draw(some.integers(0, 255))
        elif kind == "longer":
            octets += b"\xff" * 3
        found[label] = bytes(octets)
        if kind == "gone":
            del found[label]
    return Device(dict(found), max_size=1 << 17, max_values=1 << 15)


def shown(view: Any) -> str:
    text = json.dumps(view.as_dict(), allow_nan=False)
    assert "secret" not in text
    return text


@settings(max_examples=60)
@given(damaged(), some.integers(1, 4))
def test_views_do_not_fail(meter: Device, number: int) -> None:
    for view in (meter.identity, meter.capabilities, meter.access, meter.clock, meter.registers, meter.events):
        shown(view())
    profile = meter.load_profile(number)
    assert all(row.value is None or row.value.is_finite() for row in profile)
    feed = espi(meter, updated=NOW, profiles=[profile], registers=meter.registers())
    assert feed.xml.startswith(b"<?xml")
    meter.missing()


LONG = [
    (name, label)
    for name in NAMES
    for label in ("ST54", "ST64", "ST65", "ST67", "ST74", "ST76")
    if label in tables(name)
]


@pytest.mark.parametrize(("name", "label"), LONG)
@settings(max_examples=25)
@given(data=some.data())
def test_a_cut_table_is_an_error_with_its_place_or_a_finding(name: str, label: str, data: some.DataObject) -> None:
    octets = tables(name)[label]
    cut = data.draw(some.integers(0, len(octets) - 1))
    meter = Device({**tables(name), label: octets[:cut]})
    layout = meter.bind(label)
    with pytest.raises(DecodeError) as caught:
        layout.decode(octets[:cut])
    assert caught.value.path.startswith(label)
    assert caught.value.offset <= cut
    findings = meter[label].findings
    assert [finding.code for finding in findings if finding.level == "error"][:1] == ["short"]
    assert layout.encode(meter[label].value) == octets[:cut], "what there is of it is kept"
    path = data.draw(some.sampled_from([element.path for element in layout.elements(max(0, cut - 20), cut + 20)]))
    if layout.element(path).offset + layout.element(path).size <= cut:
        assert layout.element(path).encode(meter.value(path))
    else:
        with pytest.raises(DecodeError):
            meter.value(path)
