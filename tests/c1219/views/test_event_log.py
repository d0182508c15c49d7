from __future__ import annotations

import csv
import datetime as dt
import io
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.device import Device
from c1219.views.event_log import Lost, events
from tests.c1219.views.meter import general, meter, zoned

ACT = "07 0A 02 02 03 02 00 02 00 00 00 00"
HISTORY = (
    "04 02 00 01 00 05 01 00 00 01 00"
    "18 03 0A 09 00 05  0C 00  04 01  02 00  0A 00  36 00"
    "18 03 0A 09 01 00  0D 00  05 01  02 00  0C 00  00 00"
)
EVENTS = (
    "04 02 00 01 00 21 00 00 00 02 00"
    "18 03 0A 0A 11 02  0E 00  20 00  00 00  01 00  00 00 00"
    "18 03 0A 0A 19 28  0F 00  21 00  00 00  03 08  5A 00 00"
)
EXAMPLE = {71: ACT, 74: HISTORY, 76: EVENTS}
START = dt.datetime(2024, 3, 10)


def codes(found):
    return [finding.code for finding in found.findings if finding.level != "note"]


def noted(found):
    return {finding.code for finding in found.findings if finding.level == "note"} - {"absent"}


def test_worked_example():
    found = events(meter(EXAMPLE))
    assert [(row.log, row.sequence, row.number, row.user, row.text) for row in found] == [
        ("history", 0x104, 12, 2, "table written to: ST54"),
        ("history", 0x105, 13, 2, "communication ended normally"),
        ("event", 0x20, 14, 0, "primary power down"),
        ("event", 0x21, 15, 0, "manufacturer event 3"),
    ]
    assert [row.time for row in found] == [
        dt.datetime(2024, 3, 10, 9, 0, 5),
        dt.datetime(2024, 3, 10, 9, 1),
        dt.datetime(2024, 3, 10, 10, 17, 2),
        dt.datetime(2024, 3, 10, 10, 25, 40),
    ]
    assert [row.unread for row in found] == [False, True, True, True]
    assert found.rows[0].arguments.TABLE.TBL_PROC_NBR == 54
    assert (found.rows[3].manufacturer, found.rows[3].arguments, found.rows[3].raw) == (True, None, b"\x5a\0\0")
    assert (found.lost, codes(found), noted(found)) == ((), [], {"zone-unknown"})


def test_times_are_aware_where_the_zone_is_known():
    found = events(meter(EXAMPLE | zoned()))
    assert found.rows[0].time == dt.datetime(2024, 3, 10, 13, 0, 5, tzinfo=dt.UTC)
    assert found.rows[0].time.utcoffset() == dt.timedelta(hours=-4)
    zone = ZoneInfo("America/Chicago")
    assert events(meter(EXAMPLE), zone=zone).rows[0].time.hour == 9
    assert events(meter(EXAMPLE), zone=zone).rows[0].time.tzinfo == dt.timezone(dt.timedelta(hours=-5))


def test_events_seen_before_tell_what_was_lost():
    assert events(meter(EXAMPLE), seen={"event": 0x1F, "history": 0x103}).lost == ()
    found = events(meter(EXAMPLE), seen={"event": 0x10, "history": 0x105})
    assert found.lost == (Lost("event", 0x10, 15),)
    assert codes(found) == ["lost-events"]
    act, empty = "07 0A 02 02 03 00 00 00 00 00 00 00", "04 00 00 00 00 00 00 00 00 00 00"
    nothing = events(meter({71: act, 76: empty}), seen={"event": 5})
    assert (nothing.rows, nothing.lost) == ((), ())


def test_logs_are_put_together_by_instants():
    """In the hour that occurs twice an entry may be the later one though its wall time is the earlier."""
    device = meter({71: ACT, 74: HISTORY, 76: EVENTS} | zoned(ST52="18 0B 03 0A 01 3B E0"))
    for number, prefix, times in (
        (74, "HISTORY", ["2024-11-03 01:50", "2024-11-03 02:05"]),
        (76, "EVENT", ["2024-11-03 01:40", "2024-11-03 01:10"]),
    ):
        entries = [
            entry._replace(**{f"{prefix}_TIME": dt.datetime.fromisoformat(time)})
            for entry, time in zip(device[number].value.ENTRIES, times, strict=True)
        ]
        device.put(number, device.encode(number, device[number].value._replace(ENTRIES=tuple(entries))))
    found = events(device)
    assert [f"{row.time:%H:%M %z}" for row in found] == ["01:40 -0400", "01:50 -0400", "01:10 -0500", "02:05 -0500"]
    assert [row.log for row in found] == ["event", "history", "event", "history"]


# --- a log, however it is stored


def log(
    entries, *, size=0, first=0, descending=False, circular=True, flags=0, shift=0, sequence=None, valid=None, **more
):
    """A device with an event log of (seconds, low half of the sequence number, code, argument), the oldest first."""
    size = size or len(entries)
    length = more.pop("length", 2)
    device = Device({0: general((71, 76), **more)})
    end = "big" if more.get("order") else "little"
    sizes = bytes([1, 10, 2, 2, length]) + (1).to_bytes(2, end) + size.to_bytes(2, end)
    device.put(71, sizes if more.get("version") == 1 else sizes + bytes(3))
    order = [(first + n) % size for n in range(len(entries))]
    if descending:
        order = [(first - n) % size for n in range(len(entries))]
    code_type = (0, False, 0)
    stored = [(None, 0, 0, 0, code_type, bytes(length))] * size
    for element, (seconds, low, code, argument) in zip(order, entries, strict=True):
        time = START + dt.timedelta(seconds=seconds)
        number = (code & 2047, bool(code & 2048), 0)
        stored[element] = (time, low & 0xFFFF, low & 0xFFFF, 7, number, argument.ljust(length, b"\0")[:length])
    newest = entries[-1][1] if sequence is None else sequence
    head = (int(descending), bool(flags & 2), int(circular), bool(flags & 8))
    count = len(entries) if valid is None else valid
    table = (head, count, order[-1] + shift, newest & 0xFFFFFFFF, 1, tuple(stored))
    device.put(76, device.encode(76, table))
    return device


@settings(max_examples=100, deadline=None)
@given(some.data())
def test_rows_are_the_truth_in_order(data):
    count = data.draw(some.integers(1, 8))
    newest = data.draw(some.sampled_from([count - 1, 0xFFFF, 0x10001, 0x10003, 0xFFFFFFFF, 500]))
    entries = [
        (60 * n, newest - (count - 1 - n), data.draw(some.sampled_from([1, 2, 10, 21, 76, 2048 + 5])), b"\x36\0")
        for n in range(count)
    ]
    size = count + data.draw(some.integers(0, 2))
    device = log(
        entries,
        size=size,
        first=data.draw(some.integers(0, size - 1)),
        descending=data.draw(some.booleans()),
        order=data.draw(some.integers(0, 1)),
        time=data.draw(some.integers(1, 4)),
        version=data.draw(some.integers(1, 2)),
    )
    found = events(device, logs=("event",))
    assert [(row.sequence, row.code + 2048 * row.manufacturer) for row in found] == [
        (low & 0xFFFFFFFF, code) for _, low, code, _ in entries
    ]
    times = [START + dt.timedelta(seconds=seconds) for seconds, *_ in entries]
    assert [row.time.replace(tzinfo=None) for row in found] == times
    assert [row.unread for row in found] == [False] * (count - 1) + [True]
    assert (found.lost, codes(found)) == ((), [])


def test_events_missing_in_the_middle():
    found = events(log([(0, 5, 1, b""), (1, 6, 2, b""), (2, 10, 1, b"")]), logs=("event",))
    assert [row.sequence for row in found] == [5, 6, 10]
    assert found.lost == (Lost("event", 6, 3),)
    assert codes(found) == ["lost-events"]


def test_sequence_that_goes_back():
    found = events(log([(0, 900, 1, b""), (1, 901, 2, b""), (2, 3, 18, b""), (3, 4, 1, b"")]), logs=("event",))
    assert [row.code for row in found] == [1, 2, 18, 1]
    assert [row.sequence & 0xFFFF for row in found] == [900, 901, 3, 4]
    assert codes(found) == ["disorder"]


def test_overflow():
    found = events(log([(0, 5, 1, b"")], flags=2), logs=("event",))
    assert (found.lost, codes(found)) == ((Lost("event", None, None),), ["overflow"])
    stopped = events(log([(0, 5, 1, b"")], flags=10), logs=("event",))
    assert any("has stopped" in finding.text for finding in stopped.findings)


@pytest.mark.parametrize(("size", "sequence"), [(4, 22), (4, 21), (3, 22), (3, 21)])
def test_newest_counted_one_too_high(size, sequence):
    entries = [(0, 19, 1, b""), (1, 20, 2, b""), (2, 21, 1, b"")]
    found = events(log(entries, size=size, shift=1, sequence=sequence), logs=("event",))
    assert [row.sequence for row in found] == [19, 20, 21]
    assert codes(found) == ["off-by-one"]


def test_history_without_times_and_numbers():
    act = "00 0A 02 02 03 02 00 02 00"
    history = "04 02 00 00 00 05 00 01 00 00 00  02 00 0A 00 36 00  02 00 0C 00 00 00"
    found = events(meter({71: act, 74: history}), logs=("history",))
    assert [(row.time, row.sequence, row.code, row.element) for row in found] == [
        (None, 0x10004, 12, 1),
        (None, 0x10005, 10, 0),
    ]


# --- arguments


@pytest.mark.parametrize(
    ("code", "octets", "text"),
    [
        (9, "10 16", "procedure invoked: SP1552"),
        (9, "16 10", "procedure invoked: SP22"),
        (9, "05 18", "procedure invoked: MP5"),
        (10, "36 08", "table written to: MT54"),
        (14, "08 00", "list pointers reset: history log"),
        (17, "02 01", "history log pointers updated: 258"),
        (24, "01 00", "season changed: 1"),
        (27, "01 03", "tier switched: 1, 3"),
        (20, "00 00", "demand reset"),
        (49, "00 00", "control point changed by a command"),
        (100, "00 00", "standard event 100, not confirmed"),
    ],
)
def test_arguments(code, octets, text):
    (row,) = events(log([(0, 1, code, bytes.fromhex(octets))]), logs=("event",))
    assert row.text == text


def test_argument_that_is_padded():
    octets = bytes.fromhex("1A 0B 16 0E 1E FF FF")
    (row,) = events(log([(0, 1, 5, octets)], length=7), logs=("event",))
    assert row.arguments.OLD_TIME == dt.datetime(2026, 11, 22, 14, 30)
    assert row.text.endswith("2026-11-22T14:30:00")


def test_argument_that_is_cut():
    found = events(log([(0, 1, 27, b"\x01")], length=1), logs=("event",))
    assert (found.rows[0].arguments.CURRENT_TIER, found.rows[0].arguments.DEMAND_TIER) == (1, None)
    assert found.rows[0].text == "tier switched: 1"
    assert "argument-cut" in noted(found)
    none = events(log([(0, 1, 10, b"")], length=0), logs=("event",))
    assert none.rows[0].arguments.TABLE is None
    time = events(log([(0, 1, 5, bytes(2))], length=2), logs=("event",))
    assert time.rows[0].raw == bytes(2)


def test_argument_that_cannot_be_laid_out():
    """A log without times in a device whose TM_FORMAT is reserved: times in arguments have no form."""
    device = meter({71: "00 0A 02 05 03 02 00 02 00 00 00 00", 74: "04 02 00 00 00 05 00 01 00 00 00"}, time=5)
    device.put(74, device[74].raw + 2 * bytes.fromhex("02 00  05 00  18 03 0A 09 00"))
    found = events(device, logs=("history",))
    assert [(row.code, row.arguments, row.raw.hex()) for row in found] == [(5, None, "18030a0900")] * 2
    assert codes(found) == ["no-layout"]
    assert [finding.path for finding in found.findings if finding.code == "no-layout"] == [
        "ST74.ENTRIES[0].HISTORY_ARGUMENT"
    ]


def test_argument_without_a_value():
    found = events(log([(0, 1, 5, bytes.fromhex("1A 0D 16 0E 1E"))], length=5), logs=("event",))
    assert codes(found) == ["no-value"]
    assert json.loads(found.to_json())["events"][0]["arguments"] == {"OLD_TIME": "1a0d160e1e"}


def test_events_that_are_not_supported():
    device = log([(0, 1, 1, b""), (1, 2, 20, b""), (2, 3, 2048 + 9, b"")])
    device.put(72, bytes.fromhex("02 00 00 00 00 00 00 00 00 00 00 02"))
    found = events(device, logs=("event",))
    texts = [finding.text for finding in found.findings if finding.code == "unsupported-event"]
    assert texts == ["ST72 does not list standard event 20"]


# --- without tables


def test_tables_that_are_not_here():
    nothing = events(meter({}))
    assert (nothing.rows, codes(nothing)) == ((), ["absent"])
    only = events(meter({71: ACT, 76: EVENTS}))
    assert len(only) == 2
    assert codes(only) == []
    cut = events(meter({71: ACT, 76: EVENTS[:15]}), logs=("event",))
    assert (cut.rows, codes(cut)) == ((), ["short"])
    part = events(meter({71: ACT, 76: EVENTS[: 3 * 30]}), logs=("event",))
    assert [row.code for row in part] == [1]
    assert codes(part) == ["short"]
    empty = events(meter({71: "07 0A 02 02 03 00 00 00 00 00 00 00", 76: "04 00 00 00 00 00 00 00 00 00 00"}))
    assert (empty.rows, codes(empty)) == ((), [])


def test_more_entries_than_there_are():
    found = events(log([(0, 1, 1, b""), (1, 2, 2, b"")], valid=9), logs=("event",))
    assert (len(found), codes(found)) == (2, ["too-many-valid"])


@settings(max_examples=60, deadline=None)
@given(some.data())
def test_any_octets_give_rows_or_findings(data):
    table = data.draw(some.sampled_from([71, 74, 76]))
    octets = bytearray(bytes.fromhex(EXAMPLE[table]))
    for _ in range(data.draw(some.integers(1, 4))):
        octets[data.draw(some.integers(0, len(octets) - 1))] = data.draw(some.integers(0, 255))
    found = events(meter(EXAMPLE | {table: bytes(octets)}))
    assert found.rows or found.findings
    assert len(json.loads(found.to_json())["events"]) == len(found)


def test_json_and_csv():
    found = events(meter(EXAMPLE))
    first = json.loads(found.to_json())["events"][0]
    assert first == {
        "time": "2024-03-10T09:00:05",
        "sequence": 260,
        "user": 2,
        "code": 10,
        "manufacturer": False,
        "name": "table written to",
        "arguments": {"TABLE": "ST54"},
        "raw": "3600",
        "number": 12,
        "log": "history",
        "unread": False,
        "element": 0,
    }
    lines = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [line["arguments"] for line in lines] == ["TABLE=ST54", "", "", ""]
    assert repr(meter(EXAMPLE).events()) == "<event log: 4 entries>"
