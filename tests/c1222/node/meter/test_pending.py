"""Pending tables: kept, shown in ST4, put into effect by time, after a time, on call; cleared."""

from __future__ import annotations

import datetime as dt

import pytest

from c1222.node.meter.logs import Entry
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
    assert len(rig.device()[4].value.PENDING_TABLES) == rig.device()[0].value.NBR_PENDING == 2
    rig.meter.tables.set("ST4.STANDARD_PENDING", {6, 54, 62})
    st6, st62 = rig.profile.tables["ST6"], rig.profile.tables["ST62"]
    assert isinstance(write(caller, 54, ON_CALL, other), tables.WriteResponse)
    assert isinstance(write(caller, 62, ON_CALL, st62), tables.WriteResponse)
    assert isinstance(write(caller, 62, b"\x02DEMO\x02", st62), tables.WriteResponse), "the same one again"
    assert rig.device()[4].value.NBR_PENDING_ACTIVATION == 2
    response = write(caller, 6, ON_CALL, st6)
    assert isinstance(response, ErrorResponse)
    assert response.code == Onp.code, "both places are taken"
    assert rig.meter.pending.get("ST6") is None
    assert caller.call(15, ON_CALL)[0] == 0
    assert rig.device()[4].value.NBR_PENDING_ACTIVATION == 1
    assert caller.call(15, ON_CALL)[0] == 1
    assert isinstance(write(caller, 6, ON_CALL, st6), tables.WriteResponse), "there is room again"
    waiting = [entry.TABLE_SELECTOR.TBL_PROC_NBR for entry in rig.device()[4].value.PENDING_TABLES]
    assert sorted(waiting) == [6, 62]


def test_st4_names_the_tables_that_can_be_pending() -> None:
    meter = Rig(BIG, simulate=False).meter
    meter.tables.set("ST4.STANDARD_PENDING", {13, 54})
    meter.tables.set("ST4.MANUFACT_PENDING", {0, 3})
    labels = ["ST13", "ST54", "MT0", "MT3", "ST0", "ST3", "ST12", "ST55", "MT1", "MT2", "MT13"]
    assert [label for label in labels if meter.pending.is_possible(label)] == labels[:4]
    none = Rig("single-phase", simulate=False).meter
    assert "ST4" not in none.tables
    assert not none.pending.is_possible("ST54")


def test_a_table_of_the_manufacturer_waits_under_its_own_number() -> None:
    rig = Rig(BIG)
    rig.meter.tables.set("ST4.MANUFACT_PENDING", {0})
    octets = rig.meter.tables["MT0"]
    rig.meter.pending.put("MT0", ON_CALL + octets, rig.meter.device)
    place = rig.device()[4].value.PENDING_TABLES[0].TABLE_SELECTOR
    assert (place.TBL_PROC_NBR, place.STD_VS_MFG_FLAG, place.PENDING_FLAG) == (0, True, True)


@pytest.mark.parametrize(("procedure", "event"), [(12, 28), (13, 28), (14, 29), (15, 29)])
def test_the_log_says_which_table_took_effect_or_was_cleared(procedure: int, event: int) -> None:
    rig, caller, other = rig_with_other_calendar()
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {28, 29})
    write(caller, 54, ON_CALL, other)
    before = rig.device()[76].value.LAST_ENTRY_SEQ_NBR
    assert caller.call(procedure, ON_CALL if procedure in (13, 15) else b"")[0] == 0
    log = rig.device()[76].value
    entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    assert log.LAST_ENTRY_SEQ_NBR == before + 1
    assert (entry.EVENT_CODE.TBL_PROC_NBR, entry.EVENT_ARGUMENT[:2]) == (event, bytes.fromhex("3610")), "ST54, pending"


def test_only_tables_with_the_event_are_called_or_cleared() -> None:
    rig, caller, other = rig_with_other_calendar(BIG)
    st62 = rig.profile.tables["ST62"]
    for procedure, waiting in ((13, [62]), (15, [62])):
        write(caller, 54, ON_CALL, other)
        write(caller, 62, b"\x02DEMO\x02", st62)
        assert caller.call(procedure, ON_CALL)[0] == 0
        assert [label for label in ("ST54", "ST62") if rig.meter.pending.get(label)] == [f"ST{n}" for n in waiting]
        assert caller.read(54) == other, "what was called is in effect, and what is cleared changes nothing"


def test_two_times_come_in_their_order_and_st4_tells_of_the_last() -> None:
    rig, caller, other = rig_with_other_calendar(BIG)
    st62 = rig.profile.tables["ST62"]
    start = rig.device().value("ST52.CLOCK_CALENDAR")
    write(caller, 54, bytes((1, 0, 0, 3, 0, 0)), other)
    write(caller, 62, bytes((1, 0, 0, 1, 0, 0)), st62)
    assert rig.meter.pending.next_due() == rig.meter.device + 3600
    rig.passes(2 * 3600)
    status = rig.device()[4].value
    assert status.NBR_PENDING_ACTIVATION == 1
    assert status.PENDING_TABLES[0].TABLE_SELECTOR.TBL_PROC_NBR == 54
    assert status.PENDING_TABLES[1].TABLE_SELECTOR.TBL_PROC_NBR == 0, "the place of the other is blank"
    rig.passes(3600)
    status = rig.device()[4].value
    assert status.NBR_PENDING_ACTIVATION == 0
    assert status.LAST_ACTIVATION_DATE_TIME - start >= dt.timedelta(hours=3, minutes=-1)
    assert rig.meter.pending.next_due() is None
    assert caller.read(54) == other


def test_of_two_that_are_due_the_earlier_comes_first() -> None:
    rig, caller, other = rig_with_other_calendar(BIG)
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {28})
    write(caller, 54, bytes((1, 0, 0, 3, 0, 0)), other)
    write(caller, 62, bytes((1, 0, 0, 1, 0, 0)), rig.profile.tables["ST62"])
    heard: list[Entry] = []
    rig.meter.listener = heard.append
    rig.passes(4 * 3600)
    assert caller.read(54) == other
    assert [b"\x10\x3e" in entry.octets for entry in heard] == [True, False]
    assert [b"\x10\x36" in entry.octets for entry in heard] == [False, True]


def test_a_table_with_an_odd_number_waits_under_it() -> None:
    rig = Rig(BIG)
    rig.meter.tables.set("ST4.STANDARD_PENDING", {13})
    caller = rig.caller().log_in(MASTER)
    assert isinstance(write(caller, 13, ON_CALL, rig.profile.tables["ST13"]), tables.WriteResponse)
    assert rig.device()[4].value.PENDING_TABLES[0].TABLE_SELECTOR.TBL_PROC_NBR == 13


def test_weeks_and_days_and_the_rest_are_added_up() -> None:
    rig, caller, other = rig_with_other_calendar()
    start = rig.meter.device
    write(caller, 54, bytes((1, 2, 1, 3, 4, 5)), other)
    assert rig.meter.pending.next_due() == start + 2 * 604_800 + 86_400 + 3 * 3600 + 4 * 60 + 5


def test_a_table_written_again_waits_for_its_new_event_alone() -> None:
    rig, caller, other = rig_with_other_calendar()
    write(caller, 54, bytes((1, 0, 0, 1, 0, 0)), other)
    write(caller, 54, ON_CALL, other)
    assert rig.meter.pending.next_due() is None
    rig.passes(7200)
    assert caller.read(54) == rig.profile.tables["ST54"]


def test_a_time_that_was_cleared_does_not_come() -> None:
    rig, caller, other = rig_with_other_calendar()
    write(caller, 54, bytes((1, 0, 0, 1, 0, 0)), other)
    assert caller.call(14)[0] == 0
    rig.passes(7200)
    assert caller.read(54) == rig.profile.tables["ST54"]


@pytest.mark.parametrize(
    ("selector", "self_reads", "resets"),
    [(0x02, 0, 0), (0x12, 1, 0), (0x22, 0, 1), (0x32, 1, 1)],
    ids=["neither", "self read", "demand reset", "both"],
)
def test_what_the_event_says_is_done_before(selector: int, self_reads: int, resets: int) -> None:
    rig, caller, other = rig_with_other_calendar()
    rig.meter.tables.set("ST21.REG_FUNC2_FLAGS.SELF_READ_DEMAND_RESET", 0)
    before = rig.device()
    write(caller, 54, bytes((selector,)) + ON_CALL[1:], other)
    assert caller.call(12)[0] == 0
    after = rig.device()
    assert after[26].value.LAST_ENTRY_SEQ_NBR - before[26].value.LAST_ENTRY_SEQ_NBR == self_reads
    assert after[23].value.NBR_DEMAND_RESETS - before[23].value.NBR_DEMAND_RESETS == resets
    assert caller.read(54) == other


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
