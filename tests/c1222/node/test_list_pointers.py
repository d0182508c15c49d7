"""Procedures 4 and 5: which lists a number stands for, and what becomes of each."""

from __future__ import annotations

import pytest

from c1219.codes.results import ListNumber, ResultCode
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, SINGLE, Caller, Rig

DONE, INVALID = ResultCode.COMPLETED, ResultCode.INVALID_PARAMETER
EVENTS, READS, HISTORY = ListNumber.EVENT_LOG, ListNumber.SELF_READ_DATA, ListNumber.HISTORY_LOG
SET1, SET2, SET3, SET4 = (
    ListNumber.LP_DATA_SET1,
    ListNumber.LP_DATA_SET2,
    ListNumber.LP_DATA_SET3,
    ListNumber.LP_DATA_SET4,
)


def master(name: str = POLYPHASE) -> tuple[Rig, Caller]:
    rig = Rig(name)
    rig.meter.tables.set("ST73.STD_PROC_MONITORED_FLAGS", ())
    if name != SINGLE:
        rig.meter.tables.set("ST75.STD_PROC_MONITORED_FLAGS", ())
    return rig, rig.caller().log_in(MASTER)


def counts(rig: Rig) -> dict[int, tuple[int, int]]:
    """Unread and valid entries of each list, by its number."""
    device = rig.device()
    found = {}
    for number, table in ((EVENTS, 76), (READS, 26), (HISTORY, 74)):
        if table in device and table in device[0].value.STD_TBLS_USED:
            status = device[table].value
            found[int(number)] = status.NBR_UNREAD_ENTRIES, status.NBR_VALID_ENTRIES
    for place, number in enumerate((SET1, SET2, SET3, SET4)):
        status = device[63].value[place]
        if status is not None:
            found[int(number)] = status.NBR_UNREAD_BLOCKS, status.NBR_VALID_BLOCKS
    return found


@pytest.mark.parametrize(
    ("name", "number", "emptied"),
    [
        (POLYPHASE, 1, {1}),
        (POLYPHASE, 2, {2}),
        (POLYPHASE, 3, {3}),
        (POLYPHASE, 4, {4}),
        (POLYPHASE, 7, {3, 4}),
        (POLYPHASE, 8, {8}),
        (POLYPHASE, 255, {2, 3, 4, 8}),
        (SINGLE, 7, {3}),
        (SINGLE, 255, {3, 8}),
        (BIG, 4, {4}),
        (BIG, 6, {6}),
        (BIG, 7, {4, 6}),
        (BIG, 255, {2, 4, 6, 8}),
    ],
)
def test_a_number_stands_for_its_lists_and_no_others(name: str, number: int, emptied: set[int]) -> None:
    """7 is all sets of load profile, 255 everything but the event log."""
    rig, caller = master(name)
    before = counts(rig)
    assert all(valid for _, valid in before.values())
    assert caller.call(4, bytes((number,))) == (DONE, b"")
    assert {n for n, (_, valid) in counts(rig).items() if valid == 0} == emptied
    assert {n for n, status in counts(rig).items() if status != before[n]} == emptied


@pytest.mark.parametrize(
    ("name", "number"),
    [(POLYPHASE, n) for n in (0, 5, 6, 9, 254)] + [(SINGLE, n) for n in (1, 2, 4)] + [(BIG, 3), (BIG, 5)],
)
def test_a_list_that_is_not_there_is_an_invalid_parameter(name: str, number: int) -> None:
    rig, caller = master(name)
    before = counts(rig)
    assert caller.call(4, bytes((number,)))[0] == INVALID
    assert caller.call(5, bytes((number, 0, 0)))[0] == INVALID
    assert counts(rig) == before


@pytest.mark.parametrize("number", [EVENTS, READS, HISTORY, SET1])
def test_update_last_read_lowers_the_unread_entries(number: int) -> None:
    rig, caller = master()
    before = counts(rig)
    unread, valid = before[number]
    assert unread >= 2
    for entries, left in ((unread - 1, 1), (1, 0)):
        assert caller.call(5, bytes((number, entries, 0)))[0] == DONE
        assert counts(rig) == {**before, number: (left, valid)}
    assert caller.call(5, bytes((number, 1, 0)))[0] == INVALID, "there are not so many"
    assert caller.call(5, bytes((number, 0, 0)))[0] == DONE


def test_of_several_lists_all_have_as_many_unread_entries_or_none_is_touched() -> None:
    rig, caller = master()
    before = counts(rig)
    assert (before[SET1][0], before[SET2][0]) == (2, 1)
    assert caller.call(5, bytes((7, 2, 0)))[0] == INVALID, "one of the two has but one"
    assert counts(rig) == before
    assert caller.call(5, bytes((7, 1, 0)))[0] == DONE
    after = counts(rig)
    assert (after[SET1][0], after[SET2][0]) == (1, 0)


@pytest.mark.parametrize("procedure", [4, 5])
def test_the_overflow_of_the_list_is_over(procedure: int) -> None:
    rig, caller = master()
    rig.meter.tables.set("ST26.LIST_STATUS.OVERFLOW_FLAG", True)
    rig.meter.tables.set("ST74.HIST_FLAGS.OVERFLOW_FLAG", True)
    assert caller.call(procedure, bytes((READS,)) if procedure == 4 else bytes((READS, 1, 0)))[0] == DONE
    device = rig.device()
    assert not device[26].value.LIST_STATUS.OVERFLOW_FLAG
    assert device[74].value.HIST_FLAGS.OVERFLOW_FLAG, "of the other it is not"


@pytest.mark.parametrize(("procedure", "event"), [(4, 14), (5, 15)])
def test_the_log_says_which_list(procedure: int, event: int) -> None:
    rig, caller = master()
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {14, 15})
    caller.call(procedure, bytes((SET2,)) if procedure == 4 else bytes((SET2, 1, 0)))
    log = rig.device()[76].value
    entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    assert (entry.EVENT_CODE.TBL_PROC_NBR, entry.EVENT_ARGUMENT[0], entry.USER_ID) == (event, SET2, 4)


@pytest.mark.parametrize(("number", "emptied", "other"), [(SET1, 1, 2), (SET2, 2, 1)])
def test_an_emptied_set_is_recorded_anew_and_the_other_goes_on(number: int, emptied: int, other: int) -> None:
    rig, caller = master()
    rig.passes(3600 + 1700)
    before = rig.device()
    last = getattr(before[63].value, f"LP_STATUS_SET{other}")
    assert caller.call(4, bytes((number,)))[0] == DONE
    status = getattr(rig.device()[63].value, f"LP_STATUS_SET{emptied}")
    assert (status.NBR_VALID_BLOCKS, status.NBR_UNREAD_BLOCKS, status.NBR_VALID_INT) == (0, 0, 0)
    rig.passes(4 * 3600)
    device = rig.device()
    status = getattr(device[63].value, f"LP_STATUS_SET{emptied}")
    assert (status.NBR_VALID_BLOCKS, status.NBR_VALID_INT) == (1, 16 if emptied == 1 else 4)
    assert status.LAST_BLOCK_SEQ_NBR == getattr(before[63].value, f"LP_STATUS_SET{emptied}").LAST_BLOCK_SEQ_NBR + 1
    went_on = getattr(device[63].value, f"LP_STATUS_SET{other}")
    gained = 16 if other == 1 else 4
    held = {1: 96, 2: 24}[other]
    assert (went_on.NBR_VALID_INT - last.NBR_VALID_INT) % held == gained
    found = device.load_profile(emptied)
    assert not [one for one in found.findings if one.code in ("reading-mismatch", "no-value", "gap")]
    assert len({row.end for row in found.rows}) == status.NBR_VALID_INT
