"""Logs and the lists they are kept in, against a plain Python list."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1219.codes.events import EventCode
from c1222.node.meter.logs import EVENT_LOG, Entry
from c1222.node.meter.rings import Ring, RingNames
from c1222.node.simulation.registers import SELF_READS
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, Rig

RIG = Rig(simulate=False)


@given(
    names=st.sampled_from([EVENT_LOG, SELF_READS]),
    order=st.booleans(),
    circular=st.booleans(),
    inhibit=st.booleans(),
    steps=st.lists(st.one_of(st.just("add"), st.integers(0, 40), st.just("clear")), max_size=70),
)
@settings(max_examples=60)
def test_a_list_behaves_like_a_list(
    names: RingNames, order: bool, circular: bool, inhibit: bool, steps: list[str | int]
) -> None:
    behaves(names, order, circular, inhibit, steps)


@pytest.mark.parametrize("flags", range(8))
def test_a_list_of_eight_that_runs_over(flags: int) -> None:
    steps: list[str | int] = [*["add"] * 10, 3, *["add"] * 7, 8, 9, *["add"] * 9, "clear", *["add"] * 9]
    behaves(SELF_READS, bool(flags & 1), bool(flags & 2), bool(flags & 4), steps)


@pytest.mark.parametrize(
    ("order", "circular", "places"),
    [(False, True, [0, 1, 2]), (True, True, [7, 6, 5]), (False, False, [0, 1, 2]), (True, False, [0, 0, 0])],
)
def test_where_the_first_entries_go(order: bool, circular: bool, places: list[int]) -> None:
    ring = Ring(Rig(simulate=False).meter.tables, SELF_READS)
    ring.set_flags(ORDER=order, LIST_TYPE=circular)
    ring.clear()
    assert [ring.advance() for _ in range(3)] == places


@pytest.mark.parametrize(("size", "exists"), [(0, False), (1, True), (2, True)])
def test_a_list_has_room_for_an_entry_or_is_none(size: int, exists: bool) -> None:
    tables = Rig(simulate=False).meter.tables
    tables.set("ST21.NBR_SELF_READS", size)
    ring = Ring(tables, SELF_READS)
    assert ring.exists is exists
    if exists:
        assert [ring.advance() for _ in range(3)] == [min(n, size - 1) for n in range(3)], "a FIFO"


def behaves(names: RingNames, order: bool, circular: bool, inhibit: bool, steps: list[str | int]) -> None:
    tables = Rig(simulate=False, made=RIG.profile).meter.tables
    ring = Ring(tables, names)
    table = names.entries.partition(".")[0]
    ring.set_flags(ORDER=order, LIST_TYPE=circular, INHIBIT_OVERFLOW_FLAG=inhibit)
    ring.clear()
    size, first = ring.size, ring.sequence
    model: list[bytes] = []
    unread, overflow, made = 0, False, 0
    for step in steps:
        if step == "add":
            entry = made.to_bytes(14)
            index = ring.advance()
            if inhibit and unread == size:
                assert index is None
                overflow = True
                continue
            assert index is not None
            ring.put(index, entry)
            model = [*model, entry][-size:]
            made += 1
            overflow = overflow or unread == size
            unread = min(unread + 1, size)
        elif step == "clear":
            ring.clear()
            model, unread, overflow = [], 0, False
        elif ring.acknowledge(int(step)):
            assert int(step) <= unread
            unread -= int(step)
            overflow = False
        else:
            assert int(step) > unread
        flags = tables.value(names.flags)
        assert (ring.valid, ring.unread, bool(flags.OVERFLOW_FLAG)) == (len(model), unread, overflow)
        assert ring.sequence == first + made
        found = []
        for back in range(len(model)):
            place = (ring.last + back if order else ring.last - back) % size
            _, offset, stride = ring.entry_offset(place)
            found.append(tables[table][offset : offset + stride][:14])
        assert found == model[::-1], "from the newest to the oldest"
        if not circular and not order:
            assert ring.last == max(0, len(model) - 1), "a FIFO is in order"


def test_entries_say_when_what_and_who() -> None:
    rig = Rig()
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {24})
    rig.meter.log(EventCode.SEASON_CHANGED, (3,), user=4)
    log = rig.device()[76].value
    entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
    assert (entry.EVENT_CODE.TBL_PROC_NBR, entry.USER_ID, entry.EVENT_SEQ_NBR) == (
        24,
        4,
        log.LAST_ENTRY_SEQ_NBR & 0xFFFF,
    )
    assert entry.EVENT_ARGUMENT[0] == 3
    assert abs(entry.EVENT_TIME - rig.device().value("ST52.CLOCK_CALENDAR")) < dt.timedelta(seconds=2)


def test_an_event_that_goes_into_both_logs_has_one_number() -> None:
    rig = Rig()
    rig.meter.tables.set("ST73.STD_EVENTS_MONITORED_FLAGS", {20})
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {20})
    rig.meter.log(EventCode.DEMAND_RESET)
    device = rig.device()
    history, events = device[74].value, device[76].value
    one, other = history.ENTRIES[history.LAST_ENTRY_ELEMENT], events.ENTRIES[events.LAST_ENTRY_ELEMENT]
    assert one.EVENT_NUMBER == other.EVENT_NUMBER
    assert one.EVENT_NUMBER is not None


@pytest.mark.parametrize(("table", "logged"), [(13, True), (6, False)])
def test_writes_are_logged_where_the_table_is_monitored(table: int, logged: bool) -> None:
    rig = Rig()
    before = rig.device()[74].value.LAST_ENTRY_SEQ_NBR
    rig.caller().log_in(MASTER).write(table, rig.profile.tables[f"ST{table}"])
    log = rig.device()[74].value
    assert (log.LAST_ENTRY_SEQ_NBR - before == 1) is logged
    if logged:
        entry = log.ENTRIES[log.LAST_ENTRY_ELEMENT]
        assert (entry.HISTORY_CODE.TBL_PROC_NBR, entry.HISTORY_ARGUMENT[:2]) == (10, bytes((table, 0)))


@pytest.mark.parametrize("name", [POLYPHASE, BIG])
def test_setting_the_clock_is_logged_with_both_times(name: str) -> None:
    rig = Rig(name)
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {3, 4, 5, 6})
    start = rig.device()[76].value.LAST_ENTRY_SEQ_NBR
    before = rig.device().value("ST52.CLOCK_CALENDAR")
    rig.meter.set_clock(rig.meter.device + 3600, user=9)
    events = rig.device().events()
    newest = [event for event in events if event.log == "event" and event.sequence > start & 0xFFFF]
    assert [event.code for event in newest] == [3, 4, 5, 6]
    assert {event.user for event in newest} == {9}
    log = rig.device()[76].value
    first = log.ENTRIES[(log.LAST_ENTRY_ELEMENT - 3) % len(log.ENTRIES)]
    second = log.ENTRIES[(log.LAST_ENTRY_ELEMENT - 2) % len(log.ENTRIES)]
    if not log.EVENT_FLAGS.ORDER:
        assert (first.EVENT_TIME, second.EVENT_TIME) == (before, before + dt.timedelta(hours=1))
    form = rig.device().layout("ST4.LAST_ACTIVATION_DATE_TIME")
    for event, time in zip(newest[2:], (before, before + dt.timedelta(hours=1)), strict=True):
        octets = form.encode(time.replace(second=0))
        assert event.raw == octets[: len(event.raw)].ljust(len(event.raw), b"\0"), "cut or filled up to its length"


def test_without_control_tables_everything_is_logged() -> None:
    rig = Rig()
    rig.meter.logs.clear("ST74")
    tables = {label: octets for label, octets in rig.profile.tables.items() if label not in ("ST73", "ST75")}
    from c1219.device import Device
    from c1222.node.meter.profile import Profile

    made = Rig(made=Profile(Device(dict(tables))))
    before = made.device()[74].value.LAST_ENTRY_SEQ_NBR
    made.meter.log(EventCode.LOW_BATTERY)
    assert made.device()[74].value.LAST_ENTRY_SEQ_NBR == before + 1


def event_entry(rig: Rig) -> Any:
    log = rig.device()[76].value
    return log.ENTRIES[log.LAST_ENTRY_ELEMENT]


def test_events_are_numbered_and_the_numbers_go_round() -> None:
    rig = Rig()
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {44})
    rig.meter.tables.set("ST73.STD_EVENTS_MONITORED_FLAGS", ())
    logs, device = rig.meter.logs, rig.meter.device
    logs.number = 0xFFFD
    numbers = []
    for _ in range(4):
        assert logs.record(EventCode.LOW_BATTERY, device=device) is True
        assert logs.record(EventCode.REVERSE_ROTATION, device=device) is False, "nobody asked for it"
        numbers.append(event_entry(rig).EVENT_NUMBER)
    assert numbers == [0xFFFE, 0xFFFF, 0, 1]


def test_a_log_that_must_not_overflow_takes_no_more() -> None:
    rig = Rig()
    ring = rig.meter.logs.ring("ST76")
    ring.set_flags(INHIBIT_OVERFLOW_FLAG=True)
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {44})
    rig.meter.tables.set("ST73.STD_EVENTS_MONITORED_FLAGS", ())
    made = [rig.meter.logs.record(EventCode.LOW_BATTERY, device=rig.meter.device) for _ in range(ring.size + 2)]
    room = made.index(False)
    assert made == [True] * room + [False] * (ring.size + 2 - room)
    assert rig.device()[76].value.NBR_UNREAD_ENTRIES == ring.size
    rig.meter.tables.set("ST73.STD_EVENTS_MONITORED_FLAGS", {44})
    assert rig.meter.logs.record(EventCode.LOW_BATTERY, device=rig.meter.device) is True, "the other one has room"


def test_whoever_listens_hears_of_the_event_log_alone() -> None:
    rig = Rig()
    heard: list[Entry] = []
    rig.meter.listener = heard.append
    rig.meter.tables.set("ST73.STD_EVENTS_MONITORED_FLAGS", {44, 48})
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {44})
    rig.meter.log(EventCode.REVERSE_ROTATION)
    assert not heard
    rig.meter.log(EventCode.LOW_BATTERY)
    assert [(entry.table, entry.event) for entry in heard] == [("ST76", EventCode.LOW_BATTERY)]
    octets, offset = heard[0].octets, heard[0].offset
    assert rig.meter.tables["ST76"][offset : offset + len(octets)] == octets
    size = rig.meter.tables.element("ST76.ENTRIES[0]").size
    assert len(octets) == size
    first = rig.meter.tables.element("ST76.ENTRIES[0]").offset
    assert (offset - first) // size == rig.device()[76].value.LAST_ENTRY_ELEMENT


@pytest.mark.parametrize(("arguments", "octets"), [((), "0000"), ((2,), "0200"), ((2, 3), "0203"), ((2, 3, 4), "0203")])
def test_arguments_fill_their_places_and_no_more(arguments: tuple[int, ...], octets: str) -> None:
    rig = Rig()
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {27})
    rig.meter.log(EventCode.TIER_SWITCHED, arguments)
    assert event_entry(rig).EVENT_ARGUMENT[:2].hex() == octets


@pytest.mark.parametrize(("name", "octets"), [(POLYPHASE, "3610"), (BIG, "1036")])
def test_numbers_of_tables_follow_the_order_of_octets(name: str, octets: str) -> None:
    rig = Rig(name)
    rig.meter.tables.set("ST75.STD_EVENTS_MONITORED_FLAGS", {28})
    rig.meter.log(EventCode.PENDING_TABLE_ACTIVATED, (0x1036,))
    assert event_entry(rig).EVENT_ARGUMENT[:2].hex() == octets


@pytest.mark.parametrize(
    ("event", "argument", "names"),
    [
        (EventCode.TABLE_WRITTEN, 6, "STD_TBLS"),
        (EventCode.TABLE_WRITTEN, 0x806, "MFG_TBLS"),
        (EventCode.PROCEDURE_INVOKED, 0x1003, "STD_PROC"),
        (EventCode.PROCEDURE_INVOKED, 0x1803, "MFG_PROC"),
    ],
)
def test_each_kind_of_table_and_procedure_has_its_own_set(event: EventCode, argument: int, names: str) -> None:
    rig = Rig()
    others = ("STD_EVENTS", "MFG_EVENTS", "STD_TBLS", "MFG_TBLS", "STD_PROC", "MFG_PROC")
    for control in (73, 75):
        for other in others:
            rig.meter.tables.set(f"ST{control}.{other}_MONITORED_FLAGS", ())
    record = rig.meter.logs.record
    assert record(event, (argument,), device=rig.meter.device) is False
    number = argument & 0x7FF
    room = 8 * rig.meter.tables.element(f"ST75.{names}_MONITORED_FLAGS").size
    if number < room:
        rig.meter.tables.set(f"ST75.{names}_MONITORED_FLAGS", {number})
        assert record(event, (argument,), device=rig.meter.device) is True
    for other in others:
        if other != names:
            element = rig.meter.tables.element(f"ST75.{other}_MONITORED_FLAGS")
            rig.meter.tables.set(f"ST75.{other}_MONITORED_FLAGS", range(8 * element.size))
    rig.meter.tables.set(f"ST75.{names}_MONITORED_FLAGS", ())
    assert record(event, (argument,), device=rig.meter.device) is False
