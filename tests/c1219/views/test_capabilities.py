from __future__ import annotations

import json
from pathlib import Path

import pytest

from c1219 import Device, Procedure, Registry, Table
from c1219.datatypes import UINT8
from c1219.schema import Record
from c1219.views.capabilities import EventUse, ProcedureUse, TableUse, capabilities

FOLDER = Path(__file__).resolve().parents[3] / "specs" / "devices"


def device(name, **options):
    return Device.from_json((FOLDER / f"{name}.json").read_text("ascii"), **options)


@pytest.mark.parametrize(
    ("name", "procedures", "events"), [("single-phase", 10, 8), ("polyphase-tou", 18, 20), ("big-endian", 17, 11)]
)
def test_how_many(name, procedures, events):
    meter = device(name)
    found = capabilities(meter)
    assert (len(found.procedures), len(found.events)) == (procedures, events)
    assert [use.label for use in found.tables] == list(meter)
    assert all(use.here for use in found.tables)
    assert all(finding.level == "note" for finding in found.findings)


def test_tables():
    found = {use.label: use for use in capabilities(device("polyphase-tou")).tables}
    assert found["ST23"] == TableUse("ST23", "CURRENT_REG_DATA_TBL", "Current Register Data", writable=False, here=True)
    assert found["ST54"].writable


def test_procedures():
    found = capabilities(device("big-endian")).procedures
    assert found[-1] == ProcedureUse("MP22", "", known=False)
    assert ProcedureUse("SP10", "Set Date and/or Time", known=True) in found


def test_events():
    found = capabilities(device("big-endian")).events
    assert EventUse(20, False, "demand reset", history=True, event=True) in found
    assert EventUse(11, False, "end device programmed", history=True, event=False) in found
    assert found[-1] == EventUse(12, True, "manufacturer event 12", history=True, event=True)
    assert capabilities(device("single-phase")).events[0].event is None


def test_declarations_of_a_device_class_have_names():
    registry = Registry(plugins=False)
    kind = bytes.fromhex("84120307")
    one = Record("BEEP_RCD", "TIMES" / UINT8 * "How often.")
    registry.register(
        Table(number=0, manufacturer=True, name="BEEP_TBL", device_class=kind, record=one),
        Procedure(number=22, name="Beep", manufacturer=True, device_class=kind, confidence=("1", "1", "1")),
    )
    found = capabilities(device("big-endian", registry=registry))
    assert found.tables[-1].name == "BEEP_TBL"
    assert found.procedures[-1] == ProcedureUse("MP22", "Beep", known=True)


def test_tables_that_are_not_here():
    meter = device("polyphase-tou")
    for number in (72, 64):
        meter.drop(number)
    found = capabilities(meter)
    assert {use.label for use in found.tables if not use.here} == {"ST64", "ST72"}
    assert found.events == ()
    assert [finding.path for finding in found.findings] == ["ST72"]


def test_without_st0():
    found = capabilities(Device())
    assert found[:3] == ((), (), ())
    assert [(finding.level, finding.path) for finding in found.findings] == [("error", "ST0")]


def test_json():
    found = json.loads(json.dumps(capabilities(device("big-endian")).as_dict()))
    assert found["events"][0]["name"] == "primary power down"
    assert found["tables"][-1]["label"] == "MT0"
