"""Devices and records are copied and pickled, before and after they are used, also into another process."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from c1219 import Device, Registry, Table
from c1219.datatypes import BFLD, BOOL, CODED, FILL, STRING, UINT8, UINT16
from c1219.registry import default_registry
from c1219.schema import Array, Doc, Error, If, Procedure, Record, Switch, Tail, device
from c1219.values import MemberSet, Raw, Secret, record_type
from tests.c1219.engine.example_tables import ST23
from tests.c1219.engines import DEMO
from tests.c1219.wire.test_every_type import Colour

ROOT = Path(__file__).parents[2]
PROTOCOLS = (2, 3, 4, 5)
FLAGS = BFLD("FLAGS_BFLD", UINT8, "A" / BOOL(0) * "One flag.", FILL(1, 7))
OWN = Table(
    number=7, manufacturer=True, name="OWN", role="control", since="2012", confidence="1", device_class=b"DEMO",
    record=Record(
        "OWN_RCD", "N" / UINT8 * Doc("Entries.", unit="V", since="2012"), "F" / FLAGS, "C" / CODED(UINT8, Colour),
        "X" / Array(device.ST21.NBR_TIERS + 1, UINT16), "Y" / If(~device.ST21.REG_FUNC1_FLAGS.CUM_DEMAND_FLAG, UINT8),
        "Z" / Switch(device.ST0.FORMAT_CONTROL_1.DATA_ORDER, {0: STRING(3)}, default=Error),
        "T" / Tail(device.ST0.STD_VERSION_NO > 1, UINT8),
    ),
)  # fmt: skip
OWN_OCTETS = bytes.fromhex("05 01 07 0100 0200 61 62 20 09")
PROCEDURE = Procedure(number=3, manufacturer=True, name="DO", parameters=Record("DO_RCD", "HOW" / FLAGS))


def used() -> Device:
    """A device of which everything was asked."""
    meter = Device({**DEMO, 23: ST23, 6: bytes(300)}, node={"ap_title": ".1"}, strict=True, max_size=4000)
    assert meter[23].value.TOT_DATA_BLOCK.SUMMATIONS == (123456,)
    meter.value("ST23.TOT_DATA_BLOCK.DEMANDS[0].CUM_DEMAND")
    meter.registers()
    return meter


def same_device(meter: Device, other: Device) -> None:
    assert other is not meter
    assert other.to_json() == meter.to_json()
    assert (other.strict, other.max_size, other.node) == (meter.strict, meter.max_size, meter.node)
    assert other[23].value == meter[23].value
    assert type(other[23].value.TOT_DATA_BLOCK) is type(meter[23].value.TOT_DATA_BLOCK)
    before = meter.to_json()
    other.put(23, bytes(len(ST23)))
    other.node["ap_title"] = ".2"
    assert other[23].value.TOT_DATA_BLOCK.SUMMATIONS == (0,)
    assert other[23]._tables is other
    assert meter.to_json() == before


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_device_is_pickled_whatever_was_done_with_it(protocol: int) -> None:
    fresh = Device({**DEMO, 23: ST23})
    same_device(fresh, pickle.loads(pickle.dumps(fresh, protocol)))
    meter = used()
    image = pickle.loads(pickle.dumps(meter[23], protocol))
    assert image.value == meter[23].value
    same_device(meter, pickle.loads(pickle.dumps(meter, protocol)))


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_device_is_copied_whatever_was_done_with_it(how: Any) -> None:
    same_device(Device({**DEMO, 23: ST23}), how(Device({**DEMO, 23: ST23})))
    meter = used()
    same_device(meter, how(meter))
    assert how(meter).registry is meter.registry


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_records_are_pickled(protocol: int) -> None:
    meter = used()
    for label in ("ST0", "ST21", "ST23"):
        value = meter[label].value
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert type(again).__name__ == type(value).__name__
        assert again._fields == value._fields
        assert meter.encode(label, again) == meter[label].raw
        assert again._replace() == value
    block = meter[23].value.TOT_DATA_BLOCK
    again = pickle.loads(pickle.dumps(block, protocol))
    assert type(again) is type(block)
    assert type(pickle.loads(pickle.dumps(type(block), protocol))) is type(type(block))
    for value in (MemberSet({1, 2}), Raw(b"ab"), Secret(b"ab"), meter[23].findings):
        again = pickle.loads(pickle.dumps(value, protocol))
        assert again == value
        assert type(again) is type(value)


def test_copies_of_records_are_equal() -> None:
    value = used()[23].value
    for how in (copy.copy, copy.deepcopy):
        assert how(value) == value
        assert how(value.TOT_DATA_BLOCK) == value.TOT_DATA_BLOCK
        assert type(how(value.TOT_DATA_BLOCK)) is type(value.TOT_DATA_BLOCK)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_registries_are_pickled_with_what_was_registered(protocol: int) -> None:
    registry = Registry(plugins=False)
    registry.register(OWN, PROCEDURE)
    meter = Device({**DEMO, "MT7": OWN_OCTETS}, registry=registry)
    expected = meter["MT7"].value
    assert expected[:4] == (5, (True,), Colour.BLUE, (1, 2))
    again = pickle.loads(pickle.dumps(meter, protocol))
    assert again.registry is not registry
    assert again["MT7"].value == expected
    table = again.declaration("MT7")
    assert table.describe() == OWN.describe()
    assert (table.depends_on, table.role, table.since) == (OWN.depends_on, "control", "2012")
    assert again.procedure(3, manufacturer=True).outlines["parameters"].name == "DO_RCD"
    assert again.decode(7, bytes.fromhex("03 08 01 01")).value.PARM == ((True,),)
    assert again.declaration(23) is not None
    empty = pickle.loads(pickle.dumps(Registry(standard=False, plugins=False), protocol))
    assert empty.tables() == []
    assert pickle.loads(pickle.dumps(default_registry(), protocol)) is default_registry()
    assert pickle.loads(pickle.dumps(Device(DEMO), protocol)).registry is default_registry()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_another_process_reads_what_was_pickled(protocol: int) -> None:
    registry = Registry(plugins=False)
    registry.register(OWN)
    mine = Device({**DEMO, "MT7": OWN_OCTETS}, registry=registry)
    things = (used()[23].value, used(), mine, mine["MT7"].value)
    code = """
import pickle, sys
record, meter, mine, own = pickle.load(sys.stdin.buffer)
print(record.TOT_DATA_BLOCK.SUMMATIONS, type(record).__name__, record.TOT_DATA_BLOCK._fields)
print(meter["ST23"].value == record, meter.node, mine["MT7"].value == own, own.F.A, own.C.name)
sys.stdout.flush()
sys.stdout.buffer.write(pickle.dumps(meter["ST23"].value, int(sys.argv[1])))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(protocol)],
        input=pickle.dumps(things, protocol),
        capture_output=True,
        check=True,
        cwd=ROOT,
    )
    first, second, octets = done.stdout.split(b"\n", 2)
    record = things[0]
    words = f"{record.TOT_DATA_BLOCK.SUMMATIONS} {type(record).__name__} {record.TOT_DATA_BLOCK._fields}"
    assert first == words.encode()
    assert second == b"True {'ap_title': '.1'} True True BLUE"
    assert pickle.loads(octets) == record


def test_one_name_and_fields_are_one_class() -> None:
    one = record_type("R", ("A", "B"))
    assert record_type("R", ("A", "B")) is one
    assert record_type("R", ("A",)) is not one
    assert record_type("S", ("A", "B")) is not one
    assert one(1) == (1, None)
