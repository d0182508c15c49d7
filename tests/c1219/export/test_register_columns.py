"""Registers of many images by columns say what the view says of each."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1219 import Device
from c1219.export.register_columns import RegisterColumns
from c1219.tabular.arrow import arrow_schema, arrow_table
from c1219.tabular.readings import READINGS, MeterOrigin, TableRead
from c1219.views.origin import origin
from c1219.views.registers import Registers, registers
from tests.c1219.views.example_meter import meter

DEVICES = {
    path.stem: Device.from_json(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parents[3] / "specs" / "devices").glob("*.json"))
} | {"worked-example": meter()}
TABLES = ("ST23", "ST24", "ST25", "ST26", "ST28")
READ = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, dt.UTC)


def configured(device: Device) -> Device:
    tables = {label: device[label].raw for label in device if label not in TABLES}
    return Device(tables, registry=device.registry)


def wanted(device: Device, label: str, image: bytes, whence: MeterOrigin, offset: int | None) -> list[Any]:
    alone = configured(device)
    if offset is None:
        alone.put(label, image)
    else:
        alone.put_pieces(label, {offset: image})
    found = registers(alone)
    assert found.origin is not None
    whence = whence._replace(place=found.origin.place)
    rows = Registers(tuple(row for row in found if row.table == label), (), whence, found.sources).table_rows()
    return arrow_table(READINGS, rows).to_pylist()


def origins(device: Device, count: int, *, read: bool = True) -> list[MeterOrigin]:
    own = origin(device)._replace(clock=READ.replace(tzinfo=None))
    return [
        own._replace(
            meter=f"{own.meter}{number % 7}",
            read_at=READ + dt.timedelta(seconds=number) if read else None,
            verified=(True, False, None)[number % 3],
        )
        for number in range(count)
    ]


def same(device: Device, label: str, images: list[bytes], offset: int | None = None, *, read: bool = True) -> None:
    whence = origins(device, len(images), read=read)
    found = list(RegisterColumns(configured(device), label, offset).batches(images, whence))
    for batch in found:
        batch.validate(full=True)
        assert batch.schema.equals(arrow_schema(READINGS), check_metadata=True)
    rows = [row for batch in found for row in batch.to_pylist()]
    expected = [
        row for image, one in zip(images, whence, strict=True) for row in wanted(device, label, image, one, offset)
    ]
    key = lambda row: (row["meter"], row["read_at"] or READ, row["path"], row["raw"] or "", str(row))  # noqa: E731
    assert len(rows) == len(expected)
    for one, other in zip(sorted(rows, key=key), sorted(expected, key=key), strict=True):
        assert one == other


CASES = [(name, label) for name, device in DEVICES.items() for label in TABLES if label in device]


@pytest.mark.parametrize(("name", "label"), CASES)
def test_whole_tables(name: str, label: str) -> None:
    device = DEVICES[name]
    image = device[label].raw
    same(device, label, [image] * 5)
    same(device, label, [image] * 2, read=False)
    same(device, label, [image])
    same(device, label, [image, image[:-1], image, image + b"\0", b"", image])


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1 << 32))
@pytest.mark.parametrize(("name", "label"), CASES)
def test_changed_octets(name: str, label: str, seed: int) -> None:
    rng = random.Random(seed)
    device = DEVICES[name]
    images = []
    for _ in range(6):
        image = bytearray(device[label].raw)
        for _ in range(rng.randrange(12)):
            image[rng.randrange(len(image))] = rng.randrange(256)
        images.append(bytes(image))
    same(device, label, images)


@pytest.mark.parametrize(("name", "label"), [case for case in CASES if case[1] != "ST26"])
def test_pieces(name: str, label: str) -> None:
    device = DEVICES[name]
    image = device[label].raw
    for offset, end in ((0, len(image)), (0, len(image) // 2), (1, len(image) - 1), (len(image) // 3, len(image))):
        same(device, label, [image[offset:end]] * 3, offset)
    same(device, label, [image[-3:] + b"\1\2"] * 3, len(image) - 3)


def test_pieces_of_a_list() -> None:
    device = DEVICES["worked-example"]
    image = device["ST26"].raw
    same(device, "ST26", [image[:70]] * 3, 0)
    same(device, "ST26", [image[30:90]] * 3, 30)


def test_float64() -> None:
    device = DEVICES["polyphase-tou"]
    image = device["ST23"].raw
    batches = RegisterColumns(configured(device), "ST23", decimals="float64").batches([image] * 3, origins(device, 3))
    found = pa.Table.from_batches(batches)["value"].to_pylist()
    rows = device.registers()
    assert found[: len(found) // 3] == pytest.approx([float(row.value) for row in rows if row.table == "ST23"])


def test_reads_of_a_device() -> None:
    device = meter()
    whence = origin(device)._replace(tables={"ST23": TableRead(READ, True)}).of("ST23")
    (batch,) = RegisterColumns(configured(device), "ST23").batches([device["ST23"].raw] * 2, [whence] * 2)
    assert set(batch.column("read_at").to_pylist()) == {READ}
    assert set(batch.column("verified").to_pylist()) == {True}
