"""Numbers of tables and procedures: parts, names, and agreement with the elements of tables that hold them."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219 import Device, Registry, Table, UnknownTable
from c1219.datatypes import TABLE_IDA_BFLD, TABLE_IDB_BFLD, TABLE_IDC_BFLD
from c1219.schema import Record
from c1219.tableid import IDS, MANUFACTURER, NUMBERS, PLAIN, TableId, procedure_id, table_id, table_label, table_name
from tests.c1219.engines import DEMO

ANY = st.integers(0, 0xFFFF)
ELEMENTS = Table(
    number=1,
    manufacturer=True,
    name="IDENTIFIERS_TBL",
    record=Record(
        "IDENTIFIERS_RCD",
        "A" / TABLE_IDA_BFLD * "Of the first kind.",
        "B" / TABLE_IDB_BFLD * "Of the second.",
        "C" / TABLE_IDC_BFLD * "Of the third.",
    ),
)


@pytest.fixture(scope="module")
def device() -> Device:
    registry = Registry(plugins=False)
    registry.register(ELEMENTS)
    return Device({0: DEMO[0]}, registry=registry)


def test_parts_of_an_identifier() -> None:
    one = TableId(0x1805)
    assert (one.number, one.manufacturer, one.flag, one.beyond, one.selector) == (5, True, True, False, 1)
    assert (one.plain, one.label, one.procedure_label, table_name(one)) == (0x805, "MT5", "MP5", "PMT5")
    assert all(TableId(value).beyond for value in (0x2003, 0x4003, 0x8003))
    assert table_id("ST7").flagged == table_id("ST7").flagged.flagged == 0x1007


@given(ANY)
def test_an_identifier_is_what_its_parts_say(value: int) -> None:
    one = TableId(value)
    assert hash(one) == hash(value)
    assert one.number in NUMBERS
    assert one.plain in IDS
    assert TableId.of(one.number, manufacturer=one.manufacturer, flag=one.flag) == value & 0x1FFF
    assert one.selector << 12 | one.plain == value
    assert one.beyond == (one.selector > 1)
    assert (value & PLAIN, one.number + MANUFACTURER * one.manufacturer) == (one.plain, one.plain)
    assert table_id(one.label) == procedure_id(one.procedure_label) == one.plain
    assert table_label(one.plain) == one.label


@given(ANY)
def test_elements_of_tables_have_the_same_parts(device: Device, value: int) -> None:
    one = TableId(value)
    big = device[0].value.FORMAT_CONTROL_1.DATA_ORDER
    a, b, c = device.decode("MT1", value.to_bytes(2, "big" if big else "little") * 3).value
    assert (a.TBL_PROC_NBR, a.STD_VS_MFG_FLAG, a.PENDING_FLAG) == (one.number, one.manufacturer, one.flag)
    assert (b.TBL_PROC_NBR, b.STD_VS_MFG_FLAG, b.SELECTOR) == (one.number, one.manufacturer, one.selector)
    assert (c.TBL_PROC_NBR, c.STD_VS_MFG_FLAG, c.PROC_FLAG) == (one.number, one.manufacturer, one.flag)


@pytest.mark.parametrize("key", [10, "10", "SP10", "sp10"])
def test_keys_of_procedures(key: int | str) -> None:
    assert procedure_id(key) == 10
    assert procedure_id("MP3") == procedure_id(0x803) == 0x803


@pytest.mark.parametrize("wrong", [-1, 4096, "9999", "SP2048", "MP3000", "Reset List Pointers", "", "ST3", "SP-1"])
def test_what_is_no_procedure(wrong: int | str) -> None:
    with pytest.raises(UnknownTable):
        procedure_id(wrong)


def test_an_identifier_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(TableId(0x805)))
    assert (copy, type(copy)) == (0x805, TableId)
