"""Worked examples that belong to no decade: a table of ones own, identifiers, a nameplate from the field."""

from __future__ import annotations

import pytest

from c1219 import Device, Registry, Table
from c1219.datatypes import BFLD, BOOL, FILL, STRING, TABLE_IDA_BFLD, UINT, UINT8, UINT16
from c1219.schema import Array, If, Record, this
from c1219.wire import Formats
from tests.c1219.engines import DEMO, agree

X = bytes.fromhex

DEMO_TBL = Table(
    number=5,
    manufacturer=True,
    device_class=b"DEMO",
    name="DEMO_TBL",
    record=Record(
        "DEMO_RCD",
        "FLAGS" / BFLD("DEMO_FLAGS_BFLD", UINT8, "HAS_NOTE_FLAG" / BOOL(0), "STATE" / UINT(1, 3), FILL(4, 7)),
        "NBR_ITEMS" / UINT8,
        "ITEMS" / Array(this.NBR_ITEMS, UINT16),
        "NOTE" / If(this.FLAGS.HAS_NOTE_FLAG, STRING(8)),
    ),
)  # fmt: skip


def test_a_table_whose_own_octets_give_its_dimensions() -> None:
    registry = Registry(plugins=False)
    registry.register(DEMO_TBL)
    octets = X("03 02 10 00 20 00") + b"ABCDEFGH"
    device = Device({**DEMO, "MT5": octets}, registry=registry)
    value = agree(DEMO_TBL, octets, device)
    assert value == device["MT5"].value == ((True, 1), 2, (16, 32), "ABCDEFGH")
    assert device.encode("MT5", tuple(value)) == octets
    assert device["MT5"].to_json() == {
        "FLAGS": {"HAS_NOTE_FLAG": True, "STATE": 1}, "NBR_ITEMS": 2, "ITEMS": [16, 32], "NOTE": "ABCDEFGH",
    }  # fmt: skip
    short = device.decode("MT5", X("02 01 10 00")).value
    assert short == ((False, 1), 1, (16,), None)
    assert device.layout("MT5.ITEMS[1]").index_path == (2, 1)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (23, (23, False, False, False, False, False)),
        (2048 + 5, (5, True, False, False, False, False)),
        (4096 + 54, (54, False, True, False, False, False)),
        (6144 + 5, (5, True, True, False, False, False)),
    ],
)
def test_identifiers_of_tables(number: int, value: tuple[int, ...]) -> None:
    form = TABLE_IDA_BFLD.form(Formats())
    assert form.decode(number.to_bytes(2, "little")) == value
    assert form.encode(value) == number.to_bytes(2, "little")
    assert TABLE_IDA_BFLD.form(Formats(DATA_ORDER=1)).encode(value) == number.to_bytes(2, "big")


def test_nameplate_of_a_form_9_meter() -> None:
    """As a real meter has it: the code of its elements is 2, which is two in the one list there is; it has three."""
    octets = b"1.80  " + b"1.8000" + b"\x01" + b"9    " + X("54 00 99") + b"20    " + b"2.5   "
    device = Device({**DEMO, 2: octets})
    value = agree(device[2].table, octets, device)
    assert device.encode(2, value._replace()) == octets
    assert value[:4] == ("1.80", "1.8000", 1, "9")
    assert (value.E_ELEMENTS.E_FREQ, value.E_ELEMENTS.E_NO_OF_ELEMENTS, value.E_ELEMENTS.E_BASE_TYPE) == (4, 2, 1)
    assert value.E_VOLTS == (9, 9)
    assert value.E_AMPS == ("20", "2.5")
