from __future__ import annotations

import datetime as dt

import pytest

from c1219.codes.events import EventCode
from c1219.codes.results import ListNumber
from c1219.datatypes import TABLE_IDB_BFLD
from c1219.schema import Record, Table, this
from c1219.tables.event_arguments import EVENT_ARGUMENTS, event_argument
from tests.c1219.tables.oracle import st0


def build(code, octets, **formats):
    record = EVENT_ARGUMENTS[code]
    value = record.parse(octets, ST0=st0(**formats))
    assert record.build(value, ST0=st0(**formats)) == octets
    return value


def test_records_are_those_of_the_codes():
    assert sorted(EVENT_ARGUMENTS) == [code for code in EventCode if code.facts.argument]


def test_table_written():
    table = build(10, bytes.fromhex("36 00")).TABLE
    assert (table.TBL_PROC_NBR, table.STD_VS_MFG_FLAG, table.PENDING_FLAG) == (54, False, False)


def test_procedure_invoked():
    procedure = build(9, bytes.fromhex("10 16"), order=1).PROCEDURE
    assert (procedure.TBL_PROC_NBR, procedure.STD_VS_MFG_FLAG, procedure.PROC_FLAG) == (22, False, True)


def test_old_time():
    assert build(5, bytes.fromhex("1A 0B 16 0E 1E")).OLD_TIME == dt.datetime(2026, 11, 22, 14, 30)
    assert build(6, bytes.fromhex("46 95 C8 01"), time=3).NEW_TIME == dt.datetime(2026, 11, 22, 14, 30)


def test_lists_and_pointers():
    assert build(14, b"\x08").LIST is ListNumber.HISTORY_LOG
    assert build(15, b"\x09").LIST == 9
    assert build(17, b"\x02\x01").ENTRIES_READ == 0x102
    tiers = build(27, b"\x01\x03")
    assert (tiers.CURRENT_TIER, tiers.DEMAND_TIER) == (1, 3)


@pytest.mark.parametrize(("wire", "known"), [("0A00", True), ("0A08", False), ("0AF0", True), ("0B00", False)])
def test_key_tells_the_standard_from_the_manufacturer(wire, known):
    argument = event_argument(4, this.EVENT_CODE)
    record = Record("ENTRY_RCD", "EVENT_CODE" / TABLE_IDB_BFLD * "Code.", "EVENT_ARGUMENT" / argument * "Argument.")
    Table(number=1, manufacturer=True, name="ENTRY_TBL", record=record)  # it can be declared
    entry = record.parse(bytes.fromhex(wire) + bytes(4), ST0=st0())
    assert (argument.key(entry) in argument.cases) == known
