"""ST7 and ST8: what may be written, who may call, and when a result is posted."""

from __future__ import annotations

import pytest

from c1219.codes.results import ResultCode
from c1219.device import Device
from c1222.node.meter.meter import Call, Done
from c1222.node.meter.profile import Profile
from c1222.node.store.store import MemoryStore
from c1222.services import ErrorResponse, session, tables
from c1222.services.results import Iar
from c1222.services.tables import TableData
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, READER, Caller, Rig, profile

DONE, LATER, REFUSED = ResultCode.COMPLETED, ResultCode.NOT_FULLY_COMPLETED, ResultCode.INVALID_PARAMETER
OWN = 0x800 + 22


def rig_with(done: Done, **options: object) -> tuple[Rig, Caller, list[Call]]:
    """A rig whose manufacturer's procedure 22 ends so, its master, and the calls that reached it."""
    called: list[Call] = []

    def procedure(call: Call) -> Done:
        called.append(call)
        return done

    rig = Rig(BIG, procedures={OWN: procedure}, **options)
    return rig, rig.caller().log_in(MASTER), called


def octets(number: int, selector: int = 0, sequence: int = 9) -> bytes:
    return (number | selector << 12).to_bytes(2, "big") + bytes((sequence,))


@pytest.mark.parametrize("result", [DONE, REFUSED])
@pytest.mark.parametrize("selector", range(16))
def test_the_selector_says_which_results_are_posted(selector: int, result: int) -> None:
    """0: each; 1: exceptions; 2: none; 3: each, at once and when done; the others are reserved."""
    _, caller, called = rig_with(Done(result, b"\xab\xcd"))
    before = caller.read(8)
    head = octets(OWN, selector)
    assert isinstance(caller.write(7, head), tables.WriteResponse)
    assert len(called) == 1, "carried out in any case"
    posted = selector in (0, 3) or (selector == 1 and result != DONE)
    assert caller.read(8) == (head + bytes((result,)) + b"\xab\xcd" if posted else before)


@pytest.mark.parametrize(("size", "taken"), [(0, False), (2, False), (3, True), (3 + 64, True), (3 + 65, False)])
def test_st7_has_a_head_and_at_most_as_many_octets_of_parameters_as_st0_says(size: int, taken: bool) -> None:
    rig, caller, called = rig_with(Done())
    rig.meter.tables.set("ST0.MAX_PROC_PARM_LENGTH", 64)
    response = caller.write(7, (octets(OWN) + bytes(100))[:size])
    assert isinstance(response, tables.WriteResponse) is taken
    assert len(called) == taken
    assert rig.meter.counters["procedures"] == taken
    if not taken:
        assert isinstance(response, ErrorResponse)
        assert response.code == Iar.code


def test_a_procedure_hears_what_was_said() -> None:
    _, caller, called = rig_with(Done())
    caller.write(7, octets(OWN) + b"\1\2\3")
    assert (called[0].octets, called[0].user) == (b"\1\2\3", 4)
    assert called[0].context.message.calling == caller.initiator.identity.title


def test_st0_and_the_program_must_both_know_a_procedure() -> None:
    rig, caller, called = rig_with(Done())
    number = ResultCode.UNRECOGNIZED_PROCEDURE
    for unknown in (OWN + 1, 22, 11, 0x7FF, 0xFFF):
        assert caller.call(unknown)[0] == number
    rig.meter.tables.set("ST0.MFG_PROC_USED", ())
    assert caller.call(OWN)[0] == number
    assert not called


def test_nobody_needs_rights_to_log_in_or_out_and_everybody_for_all_else() -> None:
    rig = Rig()
    entries = rig.meter.tables.value("ST44.ACCESS_CONTROL")
    place = entries[0].ACCESS_TABLE._replace(FLAG1=True, FLAG2=True, PROC_FLAG=False)
    open_ = [entries[0]._replace(ACCESS_TABLE=place._replace(TBL_PROC_NBR=number)) for number in (7, 8)]
    rig.meter.tables.set("ST44.ACCESS_CONTROL", (*open_, *entries[2:]))
    nobody = rig.caller()
    outcomes = {number: nobody.call(number)[0] for number in (3, 9, 12, 17, 19)}
    assert outcomes == dict.fromkeys((3, 9, 12, 17), ResultCode.NO_AUTHORIZATION) | {19: DONE}
    assert rig.meter.counters["refused-procedures"] == 4
    parameters = b"\4\0" + b"master-demo".ljust(20)
    nobody.ask(session.LogonRequest.of(2, "R", 60))
    assert nobody.call(12)[0] == ResultCode.NO_AUTHORIZATION
    assert nobody.call(18, parameters)[0] == DONE
    assert nobody.call(12)[0] == DONE
    assert nobody.call(19)[0] == DONE
    assert nobody.call(12)[0] == ResultCode.NO_AUTHORIZATION


def test_a_result_that_comes_later_takes_the_place_of_the_first() -> None:
    store = MemoryStore()
    rig, caller, _ = rig_with(Done(LATER, b"\1\2", later=10, final=REFUSED), store=store)
    assert caller.call(OWN) == (LATER, b"\1\2")
    rig.passes(9)
    assert caller.read(8)[3] == LATER
    again = Rig(BIG, store=store, utc=rig.utc, procedures={OWN: lambda _call: Done()})
    reader = again.caller().log_in(READER)
    assert reader.read(8)[3] == LATER, "after a restart it is waited for as well"
    again.passes(1)
    assert reader.read(8)[3:] == bytes((REFUSED, 1, 2))
    assert again.meter.later is None
    again.passes(1000)
    assert reader.read(8)[3] == REFUSED


def test_before_any_procedure_st8_holds_nothing() -> None:
    made = Profile(Device({label: o for label, o in profile(POLYPHASE).tables.items() if label not in ("ST7", "ST8")}))
    caller = Rig(made=made).caller().log_in(MASTER)
    assert caller.read(8) == bytes(4)
    assert caller.call(12) == (DONE, b"")


def test_a_network_that_has_nothing_to_report_changes_no_other_response() -> None:
    rig, caller, _ = rig_with(Done(REFUSED, b"\x99"))
    caller.call(OWN)
    rig.meter.tables.put("ST8", b"\0\0\1")
    rig.meter.network_answered(DONE)
    assert rig.meter.tables["ST8"] == b"\0\0\1", "there is no result to change"


def test_a_call_with_the_test_bit_is_not_carried_out() -> None:
    _, caller, called = rig_with(Done())
    response = caller.one(tables.WriteRequest(7, TableData(octets(OWN))), qualifier=1)
    assert isinstance(response, tables.WriteResponse)
    assert not called


@pytest.mark.parametrize(("name", "allowed", "refused"), [(POLYPHASE, 5, 4), (BIG, OWN, 10), (BIG, OWN, 3)])
def test_st44_names_procedures_one_by_one(name: str, allowed: int, refused: int) -> None:
    """Whoever reads may call procedure 5 of the one meter, and the manufacturer's 22 of the other, and nothing else."""
    rig = Rig(name, procedures={OWN: lambda _call: Done()})
    reader = rig.caller().log_in(READER)
    assert reader.call(allowed, bytes((1, 0, 0)) if allowed == 5 else b"")[0] == DONE
    assert reader.call(refused)[0] == ResultCode.NO_AUTHORIZATION


@pytest.mark.parametrize("user", [None, 4])
def test_the_log_says_who_called(user: int | None) -> None:
    rig = Rig()
    caller = rig.caller()
    caller.ask(session.SecurityRequest.of("master-demo", user), tables.WriteRequest(7, TableData(b"\x09\0\1\x00")))
    log = rig.device()[74].value
    entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    assert (entry.HISTORY_CODE.TBL_PROC_NBR, entry.USER_ID) == (9, user or 0)


@pytest.mark.parametrize(("number", "argument"), [(3, 0x1003), (12, 0x100C), (14, 0x100E), (OWN, 0x1816)])
def test_the_log_says_what_was_called(number: int, argument: int) -> None:
    rig = Rig(BIG, procedures={OWN: lambda _call: Done(), 3: lambda _call: Done()})
    rig.meter.tables.set("ST75.STD_PROC_MONITORED_FLAGS", {3, 12, 14})
    rig.meter.tables.set("ST75.MFG_PROC_MONITORED_FLAGS", {22})
    assert rig.caller().log_in(MASTER).call(number)[0] == DONE
    log = rig.device()[76].value
    entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    assert (entry.EVENT_CODE.TBL_PROC_NBR, entry.EVENT_ARGUMENT[:2]) == (9, argument.to_bytes(2, "big"))
