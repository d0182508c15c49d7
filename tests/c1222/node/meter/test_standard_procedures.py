"""Procedures do what they say: seen in the tables, and in the logs."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import pytest

from c1219.codes.results import ResultCode
from c1219.device import Device
from c1222.errors import StateError
from c1222.node.meter.meter import Done
from c1222.node.meter.profile import Profile
from c1222.node.store.store import MemoryStore
from c1222.services import ErrorResponse, session, tables
from c1222.services.results import Isc
from c1222.services.tables import TableData
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, READER, SINGLE, Caller, Rig, profile

LOGS = ("ST7", "ST8", "ST74", "ST76")
DONE, INVALID, CONFLICT = ResultCode.COMPLETED, ResultCode.INVALID_PARAMETER, ResultCode.CONFLICTS_WITH_SETUP


def master(name: str = POLYPHASE, **options: object) -> tuple[Rig, Caller]:
    rig = Rig(name, **options)
    return rig, rig.caller().log_in(MASTER)


def without(*labels: str, name: str = POLYPHASE, **options: object) -> tuple[Rig, Caller]:
    """A rig of a meter that lacks some tables, and its master."""
    tables = {label: octets for label, octets in profile(name).tables.items() if label not in labels}
    return master(name, made=Profile(Device(dict(tables))), **options)


def newest(rig: Rig, table: int = 74) -> tuple[int, int]:
    """Code of the newest entry of a log, and who did it."""
    log = rig.device()[table].value
    entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    code = entry.HISTORY_CODE if table == 74 else entry.EVENT_CODE
    return code.TBL_PROC_NBR, entry.USER_ID


def test_the_response_names_procedure_and_sequence_number() -> None:
    _, caller = master()
    assert caller.call(12, sequence=0x42) == (DONE, b"")
    assert caller.read(8) == bytes((12, 0, 0x42, 0))


@pytest.mark.parametrize(("selector", "posted"), [(0, True), (1, False), (2, False), (3, True)])
def test_the_selector_decides_whether_a_response_is_posted(selector: int, posted: bool) -> None:
    _rig, caller = master()
    before = caller.read(8)
    caller.write(7, (12 | selector << 12).to_bytes(2, "little") + b"\x55")
    assert (caller.read(8) != before) is posted
    caller.write(7, (99 | 1 << 12).to_bytes(2, "little") + b"\x56")
    assert caller.read(8)[2:] == bytes((0x56, ResultCode.UNRECOGNIZED_PROCEDURE)), "an exception is told"


def test_what_the_device_lacks_or_the_user_may_not_do() -> None:
    rig, caller = master()
    assert caller.call(700)[0] == ResultCode.UNRECOGNIZED_PROCEDURE
    assert caller.call(0x801)[0] == ResultCode.UNRECOGNIZED_PROCEDURE
    reader = rig.caller(".9.2").log_in(READER)
    assert reader.call(3)[0] == ResultCode.NO_AUTHORIZATION
    assert rig.meter.counters["refused-procedures"] == 1
    response = rig.caller(".9.3").write(7, b"\3\0\1")
    assert isinstance(response, ErrorResponse)
    assert response.code == Isc.code, "whoever gave no password may not even write ST7"


@pytest.mark.parametrize("octets", [b"", b"\1\2", b"\1\0\0\0"])
def test_parameters_of_another_length_are_invalid(octets: bytes) -> None:
    _, caller = master()
    assert caller.call(4, octets)[0] == INVALID
    assert caller.call(12, b"\1")[0] == INVALID, "it takes none"


def test_procedures_are_logged_with_their_number_and_their_user() -> None:
    rig, caller = master()
    caller.call(9, b"\1")
    log = rig.device()[74].value
    codes = [entry.HISTORY_CODE.TBL_PROC_NBR for entry in log.ENTRIES]
    entry = next(entry for entry in log.ENTRIES if entry.HISTORY_CODE.TBL_PROC_NBR == 9 and entry.USER_ID == 4)
    assert entry.HISTORY_ARGUMENT[:2] == (9 | 0x1000).to_bytes(2, "little"), codes


def test_demand_reset_keeps_the_registers_and_begins_anew() -> None:
    rig, caller = master()
    rig.passes(7 * 3600)
    before = rig.device()[23].value
    assert caller.call(9, b"\1") == (DONE, b"\1")
    device = rig.device()
    after, kept = device[23].value, device[25].value
    assert after.NBR_DEMAND_RESETS == before.NBR_DEMAND_RESETS + 1
    assert before == kept.PREV_DEMAND_RESET_DATA
    for block, old in zip(
        (after.TOT_DATA_BLOCK, *after.TIER_DATA_BLOCK), (before.TOT_DATA_BLOCK, *before.TIER_DATA_BLOCK), strict=True
    ):
        assert block.SUMMATIONS == old.SUMMATIONS, "energy goes on"
        for demand, peak in zip(block.DEMANDS, old.DEMANDS, strict=True):
            assert demand.DEMAND == (0,)
            assert demand.EVENT_TIME == (None,)
            assert demand.CUM_DEMAND == demand.CONT_CUM_DEMAND == peak.CUM_DEMAND + peak.DEMAND[0]
    rig.passes(3600)
    assert rig.device()[23].value.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0] > 0


def test_a_second_demand_reset_waits_for_the_exclusion_to_end() -> None:
    rig, caller = master()
    exclusion = rig.device()[13].value.RESET_EXCLUSION
    assert exclusion
    assert caller.call(9, b"\1")[0] == DONE
    assert caller.call(9, b"\1")[0] == ResultCode.TIMING_CONSTRAINT
    rig.passes(60 * exclusion + 1)
    assert caller.call(9, b"\1")[0] == DONE


def test_self_read_adds_an_entry() -> None:
    rig, caller = master()
    before = rig.device()[26].value
    assert caller.call(9, b"\2") == (DONE, b"\2")
    device = rig.device()
    after = device[26].value
    assert after.LAST_ENTRY_SEQ_NBR == before.LAST_ENTRY_SEQ_NBR + 1
    assert min(before.NBR_UNREAD_ENTRIES + 1, len(after.SELF_READS_ENTRIES)) == after.NBR_UNREAD_ENTRIES
    assert device[23].value == after.SELF_READS_ENTRIES[after.LAST_ENTRY_ELEMENT].SELF_READ_REGISTER_DATA


def test_a_change_of_season_keeps_the_registers_of_the_last() -> None:
    rig, caller = master()
    before = rig.device()[23].value
    result, response = caller.call(9, bytes((4 | 3 << 3,)))
    assert (result, response) == (DONE, bytes((4 | 3 << 3,)))
    device = rig.device()
    assert device[24].value.PREV_SEASON_REG_DATA.TOT_DATA_BLOCK.SUMMATIONS == before.TOT_DATA_BLOCK.SUMMATIONS
    assert device[55].value.STATUS.SEASON == 3


def test_clear_data_empties_registers_lists_and_logs() -> None:
    rig, caller = master()
    rig.passes(3600)
    assert caller.call(3) == (DONE, b"")
    device = rig.device()
    assert not any(device[23].value.TOT_DATA_BLOCK.SUMMATIONS)
    assert device[26].value.NBR_VALID_ENTRIES == 0
    assert device[63].value.LP_STATUS_SET1.NBR_VALID_BLOCKS == 0
    assert device[74].value.NBR_VALID_ENTRIES <= 3, "only that the logs were cleared"
    rig.passes(7200)
    device = rig.device()
    assert device[63].value.LP_STATUS_SET1.NBR_VALID_INT == 8
    profile = device[64].value.LP_DATA_SETS1[0].LP_INT
    assert sum(interval.INT_DATA[0] for interval in profile[:8]) > 0


def test_modes_are_told_and_stop_the_metering() -> None:
    rig, caller = master()
    rig.meter.tables.set("ST73.STD_EVENTS_MONITORED_FLAGS", {30, 31, 32, 33, 34, 35})
    assert caller.call(6, b"\x04")[0] == DONE
    assert rig.device()[3].value.ED_MODE.METER_SHOP_MODE_FLAG
    assert newest(rig) == (34, 4)
    before = rig.device()[23].value.TOT_DATA_BLOCK.SUMMATIONS
    rig.passes(3600)
    assert before == rig.device()[23].value.TOT_DATA_BLOCK.SUMMATIONS
    assert caller.call(6, b"\x01")[0] == DONE
    rig.passes(3600)
    assert rig.device()[23].value.TOT_DATA_BLOCK.SUMMATIONS[0] > before[0]
    assert caller.call(6, b"\x00")[0] == INVALID


def test_status_flags_are_cleared_and_returned() -> None:
    rig, caller = master()
    rig.meter.tables.set("ST3.ED_STD_STATUS1.LOW_BATTERY_FLAG", True)
    assert caller.call(7) == (DONE, bytes(3))
    assert not any(rig.device()[3].value.ED_STD_STATUS1)


@pytest.mark.parametrize(("number", "parameters"), [(9, "07"), (10, "031b01020304050007"), (16, ""), (17, "")])
def test_a_frozen_meter_has_nothing_that_could_be_reset_set_or_stopped(number: int, parameters: str) -> None:
    rig, caller = master(simulate=False)
    before = {label: octets for label, octets in rig.meter.tables.all().items() if label not in LOGS}
    parameters = parameters[: 2 * {9: 1, 10: 8}.get(number, 0)]
    assert caller.call(number, bytes.fromhex(parameters)) == (CONFLICT, b"")
    assert {label: octets for label, octets in rig.meter.tables.all().items() if label not in LOGS} == before


def test_the_logs_tell_that_they_were_cleared_and_by_whom() -> None:
    rig, caller = master()
    for table in (73, 75):
        rig.meter.tables.set(f"ST{table}.STD_EVENTS_MONITORED_FLAGS", {16, 18})
    assert caller.call(3) == (DONE, b"")
    device = rig.device()
    history = device[74].value
    entries = [(e.HISTORY_CODE.TBL_PROC_NBR, e.USER_ID) for e in history.ENTRIES[: history.NBR_VALID_ENTRIES]]
    assert entries == [(16, 4), (18, 4)], "the call itself was before"
    events = device[76].value
    entries = [(e.EVENT_CODE.TBL_PROC_NBR, e.USER_ID) for e in events.ENTRIES[: events.NBR_VALID_ENTRIES]]
    assert entries == [(18, 4)]


def test_a_warm_start_is_logged_as_a_power_failure_and_marked_in_the_load_profile() -> None:
    rig, caller = master()
    rig.passes(3600)
    before = rig.device()[76].value
    assert caller.call(1)[0] == DONE
    log = rig.device()[76].value
    assert log.LAST_ENTRY_SEQ_NBR == before.LAST_ENTRY_SEQ_NBR + 2
    places = [(before.LAST_ENTRY_ELEMENT + n) % len(log.ENTRIES) for n in (1, 2)]
    assert [log.ENTRIES[place].EVENT_CODE.TBL_PROC_NBR for place in places] == [1, 2]
    rig.passes(900)
    device = rig.device()
    status = device[63].value.LP_STATUS_SET1
    block = device[64].value.LP_DATA_SETS1[status.LAST_BLOCK_ELEMENT]
    marks = [block.LP_INT[status.NBR_VALID_INT - back].EXTENDED_INT_STATUS[0] >> 4 for back in (2, 1)]
    assert marks == [0, 2], "a power failure in the last interval"


def test_a_clock_without_a_form_for_times_cannot_be_set() -> None:
    rig, caller = master()
    assert caller.call(10, b"\x03" + bytes(6) + b"\x07")[0] == INVALID, "no date"
    form = rig.meter.tables.element("ST0.FORMAT_CONTROL_2.TM_FORMAT")
    rig.meter.put("ST0", form.put(rig.meter.tables["ST0"], 0))
    assert caller.call(10, b"\x03\x07") == (CONFLICT, b"")


@pytest.mark.parametrize(("name", "size"), [(POLYPHASE, 1), (BIG, 3)])
def test_the_manufacturers_flags_are_cleared_and_returned(name: str, size: int) -> None:
    rig, caller = master(name)
    rig.meter.tables.set("ST3.ED_MFG_STATUS", {0, 2, 5})
    rig.meter.tables.set("ST3.ED_STD_STATUS1.LOW_BATTERY_FLAG", True)
    present = b"\xff" * size
    assert caller.call(8, present) == (DONE, bytes(size)), "some head-ends send the present status; it is not used"
    assert not rig.device()[3].value.ED_MFG_STATUS
    assert rig.device()[3].value.ED_STD_STATUS1.LOW_BATTERY_FLAG, "that is for procedure 7"
    assert caller.call(7)[0] == DONE
    assert not any(rig.device()[3].value.ED_STD_STATUS1)


def test_a_meter_without_status_table_has_no_flags_to_clear() -> None:
    rig, caller = without("ST3")
    rig.meter.tables.set("ST0.STD_PROC_USED", {6, 7, 8})
    assert caller.call(7) == (CONFLICT, b"")
    assert caller.call(8) == (CONFLICT, b"")
    assert caller.call(6, b"\x01")[0] == INVALID


@pytest.mark.parametrize(
    ("name", "stamp"),
    [
        (POLYPHASE, bytes((27, 1, 2, 3, 4, 5))),
        (SINGLE, bytes.fromhex("270102030405")),
        (BIG, int(dt.datetime(2027, 1, 2, 3, 4, 5, tzinfo=dt.UTC).timestamp()).to_bytes(4, "big")),
    ],
)
def test_the_clock_is_set_and_both_times_are_told(name: str, stamp: bytes) -> None:
    rig, caller = master(name)
    before = rig.device().value("ST52.CLOCK_CALENDAR")
    result, response = caller.call(10, b"\x03" + stamp + b"\x07")
    assert result == DONE
    layout = rig.device().procedure_layout(10, "response")
    assert layout.decode(response) == (before, dt.datetime(2027, 1, 2, 3, 4, 5))
    assert rig.device().value("ST52.CLOCK_CALENDAR") == dt.datetime(2027, 1, 2, 3, 4, 5)
    rig.passes(60)
    assert rig.device().value("ST52.CLOCK_CALENDAR") == dt.datetime(2027, 1, 2, 3, 5, 5)


@pytest.mark.parametrize(
    ("name", "stamp"),
    [
        (POLYPHASE, bytes((90, 1, 1, 0, 0, 0)) + b"\x17"),  # in New York it is 1989 then
        (BIG, (3_800_000_000).to_bytes(4, "big") + b"\x07"),
        (BIG, (0xFFFFFFFE).to_bytes(4, "big") + b"\x07"),
        (BIG, (1).to_bytes(4, "big") + b"\x07"),
    ],
)
def test_a_time_that_tables_cannot_show_is_refused(name: str, stamp: bytes) -> None:
    rig, caller = master(name)
    before = rig.device().value("ST52.CLOCK_CALENDAR")
    assert caller.call(10, b"\x07" + stamp)[0] == INVALID
    assert rig.device().value("ST52.CLOCK_CALENDAR") == before


def test_the_last_year_is_let_pass_and_its_end_disturbs_no_other_meter() -> None:
    rig, caller = master(count=2)
    assert caller.call(10, b"\x03" + bytes((89, 12, 31, 23, 59, 59)) + b"\x07")[0] == DONE
    other = list(rig.fleet.stations.values())[1].meter
    for _ in range(130):
        rig.now += 1
        rig.utc += 60
        rig.fleet.tick(now=rig.now, utc=rig.utc)
    assert rig.fleet.counters["not-advanced"] > 0
    assert other.behind(rig.utc) < 3600


@pytest.mark.parametrize("utc", [0.0, 5e8, 3_800_000_000.0, 4e9])
def test_no_meter_begins_with_such_a_clock(utc: float) -> None:
    with pytest.raises(StateError, match="1990 to 2089"):
        Rig(utc=utc)
    Rig(utc=utc, simulate=False)


def test_no_meter_goes_on_with_such_a_clock_and_one_set_back_stands_still() -> None:
    store = MemoryStore()
    shown = Rig(store=store).device().value("ST52.CLOCK_CALENDAR")
    with pytest.raises(StateError, match="1990 to 2089"):
        Rig(store=store, utc=3_800_000_000.0)
    assert Rig(store=store, utc=100.0).device().value("ST52.CLOCK_CALENDAR") == shown


def test_only_the_parts_of_the_mask_are_set_and_the_qualifier_counts_when_it_says_so() -> None:
    rig, caller = master()
    today = rig.device().value("ST52.CLOCK_CALENDAR").date()
    assert caller.call(10, b"\x01" + bytes((1, 1, 1, 3, 4, 5)) + b"\x07")[0] == DONE
    assert rig.device().value("ST52.CLOCK_CALENDAR") == dt.datetime.combine(today, dt.time(3, 4, 5))
    assert caller.call(10, b"\x02" + bytes((27, 1, 2, 9, 9, 9)) + b"\x07")[0] == DONE
    assert rig.device().value("ST52.CLOCK_CALENDAR") == dt.datetime(2027, 1, 2, 3, 4, 5)
    gmt = b"\x07" + bytes((27, 7, 1, 12, 0, 0)) + b"\x17"
    assert caller.call(10, gmt)[0] == DONE
    shown = rig.device().value("ST52.CLOCK_CALENDAR")
    assert shown == dt.datetime(2027, 7, 1, 8, 0, 0), "New York in summer is four hours behind GMT"


def test_diagnostics_take_their_time() -> None:
    rig, caller = master(node={"diagnostics_seconds": 5})
    rig.meter.tables.set("ST0.STD_PROC_USED", {2, 11})
    assert caller.call(2)[0] == DONE
    assert caller.call(11)[0] == ResultCode.NOT_FULLY_COMPLETED
    rig.passes(4)
    assert caller.read(8)[3] == ResultCode.NOT_FULLY_COMPLETED
    rig.passes(1)
    assert caller.read(8) == bytes((11, 0, 7, DONE))


def test_the_result_of_a_procedure_called_meanwhile_stays() -> None:
    rig, caller = master(node={"diagnostics_seconds": 5})
    rig.meter.tables.set("ST0.STD_PROC_USED", {4, 11})
    assert caller.call(11)[0] == ResultCode.NOT_FULLY_COMPLETED
    assert caller.call(4, b"\0")[0] == INVALID
    rig.passes(10)
    assert caller.read(8)[3] == INVALID


@pytest.mark.parametrize("faulty", [True, False])
def test_diagnostics_find_a_table_that_is_not_whole(faulty: bool) -> None:
    rig, caller = master()
    rig.meter.tables.set("ST0.STD_PROC_USED", {11})
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {38})
    rig.meter.tables.set("ST3.ED_STD_STATUS1.SELF_CHK_ERROR_FLAG", not faulty)
    if faulty:
        rig.meter.tables.put("ST6", rig.profile.tables["ST6"][:-1])
    before = rig.device()[76].value.LAST_ENTRY_SEQ_NBR
    assert caller.call(11) == (DONE, b"")
    device = rig.device()
    assert device[3].value.ED_STD_STATUS1.SELF_CHK_ERROR_FLAG is faulty
    assert device[76].value.LAST_ENTRY_SEQ_NBR == before + faulty
    if faulty:
        assert newest(rig, 76) == (38, 4)


def test_the_load_profile_is_stopped_and_started() -> None:
    rig, caller = master()
    rig.passes(3600)
    assert caller.call(17)[0] == DONE
    stopped = rig.device()[63].value.LP_STATUS_SET1
    assert not stopped.LP_SET_STATUS_FLAGS.ACTIVE_MODE_FLAG
    rig.passes(7200)
    assert rig.device()[63].value.LP_STATUS_SET1.NBR_VALID_INT == stopped.NBR_VALID_INT
    assert caller.call(16)[0] == DONE
    rig.passes(3600)
    device = rig.device()
    assert device[63].value.LP_STATUS_SET1.LP_SET_STATUS_FLAGS.ACTIVE_MODE_FLAG
    assert device[63].value.LP_STATUS_SET1.NBR_VALID_INT == stopped.NBR_VALID_INT + 8 + 4, "no hole"
    block = device[64].value.LP_DATA_SETS1[device[63].value.LP_STATUS_SET1.LAST_BLOCK_ELEMENT]
    used = block.LP_INT[stopped.NBR_VALID_INT :]
    assert [interval.EXTENDED_INT_STATUS[0] & 15 for interval in used[:12]] == [4] * 8 + [0] * 4, (
        "skipped, then recorded"
    )
    assert not any(interval.INT_DATA[0] for interval in used[:8])
    assert all(interval.INT_DATA[0] for interval in used[8:12])


def test_logging_in_and_out_by_procedure() -> None:
    rig = Rig()
    caller = rig.caller()
    caller.ask(session.LogonRequest.of(2, "R", 60), session.SecurityRequest.of("reader-demo"))
    parameters = (4).to_bytes(2, "little") + b"master-demo".ljust(20)
    assert caller.call(18, b"\4\0" + b"wrong".ljust(20))[0] == ResultCode.NO_AUTHORIZATION
    assert caller.call(18, parameters)[0] == DONE
    written = caller.one(tables.WriteOffsetRequest(6, 0, TableData(b"X")))
    assert isinstance(written, tables.WriteOffsetResponse)
    caller.write(7, b"\x13\x00\x09")  # log out
    response = caller.one(tables.WriteOffsetRequest(6, 0, TableData(b"Y")))
    assert isinstance(response, ErrorResponse)


@pytest.mark.parametrize("name", [POLYPHASE, BIG])
@pytest.mark.parametrize("password", [b"right", b"wrong"])
@pytest.mark.parametrize("swapped", [False, True])
def test_the_password_of_a_procedure_is_not_kept_for_others_to_read(name: str, password: bytes, swapped: bool) -> None:
    rig = Rig(name)
    caller = rig.caller().log_in(MASTER)
    order: Literal["big", "little"] = "big" if rig.meter.offer.big is not swapped else "little"
    given = MASTER[name] if password == b"right" else "guessed-password"
    octets = (given.encode() if isinstance(given, str) else given).ljust(20)
    head = (18).to_bytes(2, order) + b"\x2a"
    assert isinstance(caller.write(7, head + (4).to_bytes(2, order) + octets), tables.WriteResponse)
    answers = {18: DONE if password == b"right" else ResultCode.NO_AUTHORIZATION}
    result = ResultCode.UNRECOGNIZED_PROCEDURE if swapped else answers[18]
    assert caller.read(8) == head + bytes((result,))
    reader = rig.caller(".9.2").log_in(READER)
    assert reader.read(7) == head
    assert rig.store.load(rig.meter.name)["ST7"] == head
    # other parameters stay readable
    assert caller.write(7, (19).to_bytes(2, order) + b"\x2b") == tables.WriteResponse()
    assert isinstance(caller.write(7, (9).to_bytes(2, order) + b"\x2c\x02"), tables.WriteResponse)
    assert reader.read(7) == (9).to_bytes(2, order) + b"\x2c\x02"


@pytest.mark.parametrize("number", [0, 1])
def test_a_start_ends_the_sessions_after_its_answer(number: int) -> None:
    rig = Rig()
    caller = rig.caller()
    caller.ask(session.LogonRequest.of(4, "M", 60), session.SecurityRequest.of("master-demo"))
    responses = caller.ask(tables.WriteRequest(7, TableData(bytes((number, 0, 1)))), tables.ReadRequest(8))
    assert responses[1].data == bytes((number, 0, 1, 0))
    assert rig.fleet.sessions() == 0


def test_a_cold_start_gives_the_tables_back_and_a_warm_start_does_not() -> None:
    rig, caller = master()
    caller.write(6, b"ANOTHER".ljust(230))
    caller.call(1)
    assert caller.read(6) == b"ANOTHER".ljust(230)
    caller.call(0)
    assert caller.read(6) == rig.profile.tables["ST6"]


def test_procedures_of_a_manufacturer_can_be_given() -> None:
    rig = Rig(BIG, procedures={0x800 + 22: lambda call: Done(response=bytes(reversed(call.octets)))})
    caller = rig.caller().log_in(MASTER)
    assert 22 in rig.device()[0].value.MFG_PROC_USED
    result, response = caller.call(0x800 + 22, b"")
    assert (result, response) == (DONE, b"")


def test_registering_needs_a_network() -> None:
    rig, caller = master()
    if 23 not in rig.device()[0].value.STD_PROC_USED:
        rig.meter.tables.set("ST0.STD_PROC_USED", {*rig.device()[0].value.STD_PROC_USED, 23, 24})
    asked: list[str] = []
    assert caller.call(23)[0] == CONFLICT
    rig.meter.network = lambda what: asked.append(what) is None
    assert caller.call(23)[0] == ResultCode.NOT_FULLY_COMPLETED
    assert caller.call(24)[0] == ResultCode.NOT_FULLY_COMPLETED
    assert asked == ["register", "deregister"]
    rig.meter.network_answered(DONE)
    assert caller.read(8)[3] == DONE
