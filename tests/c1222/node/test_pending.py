"""Pending tables: kept, shown in ST4, put into effect by time, after a time, on call; cleared."""

from __future__ import annotations

import datetime as dt

import pytest

from c1222.services import ErrorResponse, tables
from c1222.services.results import Iar, Isc, Onp
from c1222.services.tables import TableData
from tests.c1222.node.rig import BIG, MASTER, READER, Caller, Rig

PENDING = 0x1000
ON_CALL = b"\x02DEMO\x01"


def rig_with_other_calendar(name: str = "polyphase-tou") -> tuple[Rig, Caller, bytes]:
    """A rig, its master, and an ST54 with other octets."""
    rig = Rig(name)
    st54 = bytearray(rig.profile.tables["ST54"])
    st54[-1] ^= 1
    return rig, rig.caller().log_in(MASTER), bytes(st54)


def write(caller: Caller, table: int, event: bytes, octets: bytes) -> object:
    return caller.one(tables.WriteRequest(PENDING | table, TableData(event + octets)))


def at(when: dt.datetime) -> bytes:
    return b"\x00" + bytes((when.year % 100, when.month, when.day, when.hour, when.minute))


def test_a_pending_table_waits_and_shows_in_st4() -> None:
    rig, caller, other = rig_with_other_calendar()
    assert isinstance(write(caller, 54, ON_CALL, other), tables.WriteResponse)
    assert caller.read(54) == rig.profile.tables["ST54"]
    assert caller.read(PENDING | 54) == ON_CALL + other
    part = caller.one(tables.ReadOffsetRequest(PENDING | 54, 2, 4))
    assert part.data == (ON_CALL + other)[2:6]
    status = rig.device()[4].value
    assert status.NBR_PENDING_ACTIVATION == 1
    entry = status.PENDING_TABLES[0]
    assert (entry.EVENT.EVENT_SELECTOR.EVENT_CODE, entry.EVENT.EVENT_STORAGE) == (2, b"DEMO\x01")
    assert (entry.TABLE_SELECTOR.TBL_PROC_NBR, entry.TABLE_SELECTOR.PENDING_FLAG) == (54, True)


def test_procedures_put_pending_tables_into_effect() -> None:
    rig, caller, other = rig_with_other_calendar()
    write(caller, 54, ON_CALL, other)
    assert caller.call(13, b"\x02DEMO\x02")[0] != 0, "no table has that event"
    assert caller.read(54) == rig.profile.tables["ST54"]
    assert caller.call(13, ON_CALL) == (0, b"")
    assert caller.read(54) == other
    status = rig.device()[4].value
    assert status.NBR_PENDING_ACTIVATION == 0
    assert status.LAST_ACTIVATION_DATE_TIME is not None
    response = caller.one(tables.ReadRequest(PENDING | 54))
    assert isinstance(response, ErrorResponse)


@pytest.mark.parametrize("number", [12, 14])
def test_all_at_once(number: int) -> None:
    rig, caller, other = rig_with_other_calendar()
    write(caller, 54, ON_CALL, other)
    assert caller.call(number)[0] == 0
    assert caller.read(54) == (other if number == 12 else rig.profile.tables["ST54"])
    assert rig.device()[4].value.NBR_PENDING_ACTIVATION == 0


def test_a_time_comes_by_itself() -> None:
    rig, caller, other = rig_with_other_calendar()
    now = rig.device().value("ST52.CLOCK_CALENDAR")
    write(caller, 54, at(now + dt.timedelta(hours=2)), other)
    rig.passes(7100)
    assert caller.read(54) == rig.profile.tables["ST54"]
    rig.passes(200)
    assert caller.read(54) == other


def test_so_does_the_end_of_a_time() -> None:
    rig, caller, other = rig_with_other_calendar()
    write(caller, 54, bytes((1, 0, 1, 2, 3, 4)), other)
    rig.passes(86_400 + 2 * 3600 + 3 * 60 + 3)
    assert caller.read(54) == rig.profile.tables["ST54"]
    rig.passes(2)
    assert caller.read(54) == other


def test_self_read_and_demand_reset_go_before() -> None:
    rig, caller, other = rig_with_other_calendar()
    before = rig.device()
    write(caller, 54, b"\x32DEMO\x01", other)
    assert caller.call(12)[0] == 0
    after = rig.device()
    assert after[23].value.NBR_DEMAND_RESETS == before[23].value.NBR_DEMAND_RESETS + 1
    assert after[26].value.LAST_ENTRY_SEQ_NBR > before[26].value.LAST_ENTRY_SEQ_NBR


def test_pending_tables_outlast_a_restart() -> None:
    rig, caller, other = rig_with_other_calendar()
    now = rig.device().value("ST52.CLOCK_CALENDAR")
    write(caller, 54, at(now + dt.timedelta(hours=2)), other)
    again = Rig(store=rig.store, utc=rig.utc + 8000)
    assert again.caller().log_in(MASTER).read(54) == other


def test_what_cannot_be_pending() -> None:
    rig, caller, other = rig_with_other_calendar()
    for response, kind in (
        (write(caller, 6, ON_CALL, rig.profile.tables["ST6"]), Onp),  # not among those of ST4
        (write(caller, 54, b"\x0f12345", other), Iar),  # no such event
        (write(caller, 54, b"\x00\x63\x63\x63\x63\x63", other), Iar),  # no time
        (write(caller, 54, ON_CALL, other[:-1]), Iar),
        (write(rig.caller(".9.2").log_in(READER), 54, ON_CALL, other), Isc),
    ):
        assert isinstance(response, ErrorResponse)
        assert response.code == kind.code
    assert rig.meter.tables.pending() == []


def test_as_many_as_st0_says() -> None:
    rig, caller, other = rig_with_other_calendar(BIG)
    st62 = rig.profile.tables["ST62"]
    assert isinstance(write(caller, 54, ON_CALL, other), tables.WriteResponse)
    assert isinstance(write(caller, 62, ON_CALL, st62), tables.WriteResponse)
    assert isinstance(write(caller, 62, b"\x02DEMO\x02", st62), tables.WriteResponse), "the same one again"
    assert rig.device()[4].value.NBR_PENDING_ACTIVATION == 2
    assert caller.call(15, ON_CALL)[0] == 0
    assert rig.device()[4].value.NBR_PENDING_ACTIVATION == 1
    assert caller.call(15, ON_CALL)[0] == 1


def test_a_table_that_cannot_be_laid_out_does_not_take_effect() -> None:
    rig = Rig(BIG)
    caller = rig.caller().log_in(MASTER)
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {37})
    st62 = bytearray(rig.profile.tables["ST62"])
    st62[rig.device().layout("ST62.INT_FMT_CDE2").offset] = 3
    assert isinstance(write(caller, 62, ON_CALL, bytes(st62)), tables.WriteResponse)
    before = rig.device()[76].value.LAST_ENTRY_SEQ_NBR
    assert caller.call(12)[0] == 0
    assert caller.read(62) == rig.profile.tables["ST62"]
    assert before + 1 == rig.device()[76].value.LAST_ENTRY_SEQ_NBR, "a configuration error is logged"
