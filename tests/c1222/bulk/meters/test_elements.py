"""Tables in columns hold what the codec decodes, and say what it measures."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from c1219 import Device
from c1219.export.element_columns import MAX_ENTRIES
from c1222 import bulk
from c1222.bulk.meters.elements import TableKind
from tests.c1222.bulk.meters.polled import SAMPLES, Read, in_pieces, whole
from tests.c1222.bulk.meters.test_measured import CAPTURES, REGISTERS, poll
from tests.traffic import KEY


def shown(value: Any) -> Any:
    """Return a decoded value as the columns have it."""
    if isinstance(value, (int, float, str, dt.datetime)) or value is None:
        return int(value) if isinstance(value, bool) else value
    if isinstance(value, Decimal):
        return value
    return json.dumps(sorted(value)) if isinstance(value, frozenset) else None


@pytest.mark.parametrize("name", SAMPLES)
def test_elements_are_what_the_codec_decodes(name: str) -> None:
    device = SAMPLES[name]
    found = dict(bulk.device_tables([device]))
    compared = 0
    for (label, kind), batch in found.items():
        batch.validate(full=True)
        assert len(kind) == 8
        (row,) = batch.to_pylist()
        assert row["node"] == device.node.get("ap_title")
        for path, value in row.items():
            if path in ("meter", "node", "read_at", "verified") or "[]" in path:
                continue
            wanted = device.value(f"{label}.{path}")
            if isinstance(wanted, (int, float, str, dt.datetime, Decimal, frozenset)) and value is not None:
                assert value in (shown(wanted), str(wanted)), (label, path)
                compared += 1
    assert compared > 100
    assert {label for label, _ in found} >= {"ST0", "ST1", "ST23"}


def test_what_elements_measure() -> None:
    device = SAMPLES["polyphase-tou"]
    found = {label: batch for (label, _), batch in bulk.device_tables([device])}
    for row in device.registers():
        if row.table != "ST23" or row.source is None:
            continue
        field = found["ST23"].schema.field(row.path.partition(".")[2])
        metadata = {name.decode(): text.decode() for name, text in (field.metadata or {}).items()}
        assert (metadata["quantity"], metadata["unit"]) == (row.quantity, row.unit)
        (raw,) = found["ST23"].column(field.name).to_pylist()
        assert Decimal(raw) * Decimal(metadata["multiplier"]) + Decimal(metadata["offset"]) == row.value
    names = [name for name in found["ST64"].schema.names if name.endswith("INT_DATA[]")]
    (field,) = [found["ST64"].schema.field(name) for name in names]
    channels = json.loads(field.metadata[b"channels"])
    assert [channel["unit"] for channel in channels] == [row.source.unit for row in device.load_profile(1).channels]
    assert pa.types.is_fixed_size_list(field.type)
    assert field.type.list_size > MAX_ENTRIES


def test_tables_of_batches() -> None:
    octets = (CAPTURES / "registers.pcap").read_bytes()
    found = bulk.tables(bulk.decode(bulk.frames(CAPTURES / "registers.pcap"), CAPTURES / "keys.toml"))
    assert octets
    assert {kind.table for kind in found} >= {"ST0", "ST1", "ST23"}
    assert sum(batch.num_rows for kind, batch in found.items() if kind.table == "ST1") == 3
    assert all(isinstance(kind, TableKind) for kind in found)
    assert {value for batch in found.values() for value in batch.column("verified").to_pylist()} == {True}
    assert found.findings == []


def test_meters_of_a_kind_are_together_and_others_apart() -> None:
    plan = [
        (f".7.{number}", read)
        for number in range(6)
        for read in whole(list(SAMPLES.values())[number % 2], "ST0", "ST1", "ST21")
    ]
    import io

    found = bulk.tables(bulk.decode(bulk.frames(io.BytesIO(poll(plan))), KEY))
    assert sorted(batch.num_rows for kind, batch in found.items() if kind.table == "ST1") == [3, 3]


def test_pieces_secrets_and_damage_are_counted() -> None:
    import io

    device = SAMPLES["polyphase-tou"]
    plan = [(".7.1", read) for read in whole(device) if read.label not in REGISTERS]
    plan += [(".7.1", read) for read in in_pieces(device, "ST23", 40)]
    plan.append((".7.1", Read("ST12", b"\1\2\3")))
    found = bulk.tables(bulk.decode(bulk.frames(io.BytesIO(poll(plan))), KEY))
    assert {finding.code for finding in found.findings} >= {"pieces", "not-told"}
    devices = bulk.device_tables([device])
    labels = {label for (label, _), _ in devices}
    assert "ST42" in device
    assert "ST42" not in labels
    assert "concealed" in {finding.code for finding in devices.findings()}
    damaged = Device({0: device[0].raw, "ST1": device["ST1"].raw[:-3], "ST21": device["ST21"].raw})
    cut = bulk.device_tables([damaged])
    assert {label for (label, _), _ in cut} == {"ST0", "ST21"}
    assert [finding.code for finding in cut.findings()] == ["not-told"]
