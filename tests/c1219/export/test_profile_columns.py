"""Load profile by columns says what the view says, row by row."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1219 import Device
from c1219.export.profile_columns import profile_readings
from c1219.tabular.arrow import arrow_schema, arrow_table
from c1219.tabular.readings import READINGS
from tests.c1219.export.test_register_columns import DEVICES

CASES = [(name, number) for name, device in DEVICES.items() for number in range(1, 5) if f"ST{63 + number}" in device]


def same(device: Device, number: int, **options: Any) -> int:
    wanted = device.load_profile(number, **options)
    findings: list[Any] = []
    found = profile_readings(device, number, findings=findings, **options)
    found.validate(full=True)
    assert found.schema.equals(arrow_schema(READINGS), check_metadata=True)
    for one, other in zip(found.to_pylist(), arrow_table(READINGS, wanted.table_rows()).to_pylist(), strict=True):
        assert one == other
    assert {finding.code for finding in findings} <= {finding.code for finding in wanted.findings}
    return found.num_rows


def copy(device: Device, changes: dict[str, bytes]) -> Device:
    return Device({label: changes.get(label, device[label].raw) for label in device}, node=device.node)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_samples(name: str, number: int) -> None:
    device = DEVICES[name]
    assert same(device, number) > 100
    same(device, number, zone=zoneinfo.ZoneInfo("America/Denver"))
    same(device, number, local_counters=True)
    captured = {"last": "2026-01-02T03:04:05.000006+00:00", "verified": True}
    device = copy(device, {})
    device.node["captured"] = {f"ST{63 + number}": captured}
    same(device, number)
    (read,) = set(profile_readings(device, number).column("read_at").to_pylist())
    assert read == dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1 << 32))
@pytest.mark.parametrize(("name", "number"), CASES)
def test_changed_octets(name: str, number: int, seed: int) -> None:
    rng = random.Random(seed)
    device = DEVICES[name]
    changes = {}
    for label in ("ST61", "ST62", "ST63", f"ST{63 + number}", "ST53", "ST52", "ST16"):
        if label in device and rng.random() < 0.5:
            image = bytearray(device[label].raw)
            for _ in range(rng.randrange(1, 6)):
                image[rng.randrange(len(image))] = rng.randrange(256)
            changes[label] = bytes(image)
    same(copy(device, changes), number)


@pytest.mark.parametrize(("name", "number"), CASES)
def test_pieces_and_short_tables(name: str, number: int) -> None:
    device = copy(DEVICES[name], {})
    label = f"ST{63 + number}"
    image = device[label].raw
    device.put(label, image[: len(image) // 2])
    same(device, number)
    device.put_pieces(label, {0: image[:500], 700: image[700:1400], len(image) - 300: image[-300:]})
    same(device, number)


def test_without_tables() -> None:
    assert same(Device(), 1) == 0
    with pytest.raises(ValueError, match="sets are 1 to 4"):
        profile_readings(DEVICES["polyphase-tou"], 5)
