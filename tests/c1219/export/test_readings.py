"""Readings of many meters in one table."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from c1219 import Device
from c1219.export.readings import readings_table

DEVICES = {
    path.stem: Device.from_json(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parents[3] / "specs" / "devices").glob("*.json"))
}


@pytest.mark.parametrize("decimals", ["decimal128", "float64"])
def test_all_meters_are_in_one_table(decimals) -> None:
    found = readings_table(DEVICES, profiles=(1, 2), decimals=decimals)
    views = [
        view.to_arrow(decimals=decimals)
        for device in DEVICES.values()
        for view in (device.registers(), device.load_profile(1), device.load_profile(2))
    ]
    assert pl.from_arrow(found).equals(pl.from_arrow(pa.concat_tables(views)))
    assert found.num_rows > 6000


def test_without_load_profiles_and_of_an_iterable() -> None:
    found = readings_table(iter(DEVICES.values()))
    assert found.num_rows == sum(len(device.registers()) for device in DEVICES.values())
    assert set(found["start"].to_pylist()) == {None}
    assert readings_table({}).schema.equals(found.schema)


def test_options_reach_the_views() -> None:
    import zoneinfo

    zone = zoneinfo.ZoneInfo("America/Denver")
    found = pl.from_arrow(readings_table([DEVICES["polyphase-tou"]], profiles=[1], zone=zone))
    assert set(found["local_offset"]) == {-420, -360}
    with pytest.raises(ValueError, match="sets are 1 to 4"):
        readings_table([DEVICES["polyphase-tou"]], profiles=[5])
