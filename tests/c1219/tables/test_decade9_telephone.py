from __future__ import annotations

import datetime as dt

import pytest
from construct import StreamError
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.codes.status import CallStatus
from c1219.tables.decade9_telephone import (
    ACT_TELEPHONE_TBL,
    ANSWER_PARAMETERS_TBL,
    CALL_PURPOSE_TBL,
    CALL_STATUS_TBL,
    DIM_TELEPHONE_TBL,
    GLOBAL_PARAMETERS_TBL,
    ORIGINATE_PARAMETERS_TBL,
    ORIGINATE_SCHEDULE_TBL,
    ORIGINATE_STATUS_TBL,
    TABLES,
)
from c1219.values import RecurringDate
from tests.c1219.tables.oracle import parse, round_trip, st0, undocumented

DAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")


def telephone(flags, *dimensions):
    return parse(ACT_TELEPHONE_TBL, bytes([flags, *dimensions]), ST0=st0())


@pytest.fixture
def device():
    act = round_trip(ACT_TELEPHONE_TBL, bytes.fromhex("49 01 01 0C 00 02 0A 01 00 01 00 01 00 00"), ST0=st0())
    return {"ST0": st0(mfg_status=2), "ST91": act}


def test_worked_dimensions(device):
    act = device["ST91"]
    flags = act.TELEPHONE_FLAGS
    assert (flags.ANSWER_FLAG, flags.S_ANCHOR_DATE_FLAG, flags.BIT_RATE, flags.NO_LOCKOUT_PARM) == (
        True,
        False,
        1,
        True,
    )
    assert (act.NBR_ORIGINATE_WINDOWS, act.NBR_SETUP_STRINGS, act.SETUP_STRING_LENGTH, act.PREFIX_LENGTH) == (
        1,
        1,
        12,
        0,
    )
    assert (act.NBR_ORIGINATE_NUMBERS, act.PHONE_NUMBER_LENGTH, act.NBR_RECURRING_DATES, act.NBR_EVENTS) == (
        2,
        10,
        1,
        1,
    )
    assert (act.NBR_ANSWER_WINDOWS, act.NBR_CALLER_IDS, act.CALLER_ID_LENGTH) == (1, 0, 0)


def test_worked_global_parameters(device):
    octets = bytes.fromhex("01 60 09 00 00 41 54 45 30 51 30 56 31 53 30 3D 30")
    value = round_trip(GLOBAL_PARAMETERS_TBL, octets, **device)
    assert (value.PSEM_IDENTITY, value.BIT_RATE, list(value.MODEM_SETUP_STRINGS)) == (1, 2400, ["ATE0Q0V1S0=0"])


def test_worked_originate_parameters(device):
    octets = bytes.fromhex("00 35 35 35 31 32 33 30 30 30 31 35 35 35 31 32 33 30 30 30 32 16 00 04 00 7F")
    value = round_trip(ORIGINATE_PARAMETERS_TBL, octets, **device)
    assert (value.ORIGINATE_BIT_RATE, value.DIAL_DELAY, value.PREFIX) == (None, 0, "")
    assert list(value.PHONE_NUMBERS) == ["5551230001", "5551230002"]
    (window,) = value.WINDOWS
    assert (window.BEGIN_WINDOW_TIME, window.WINDOW_DURATION) == (dt.time(22), dt.time(4))
    assert all(window.WINDOW_DAYS[day] for day in DAYS)


def test_worked_schedule(device):
    value = round_trip(ORIGINATE_SCHEDULE_TBL, bytes.fromhex("0D 08 01 1E 00 80 00 08 00 00 00 01"), **device)
    (call,) = value.RECURRING_DATES
    assert call.ORIGINATE_DATE == RecurringDate(13, OFFSET=0, WEEKDAY=0, DAY=1)
    assert call.START_TIME == dt.time(1, 30)
    control = call.ORIGINATE_CONTROL
    assert (control.PRIMARY_PHONE_NUMBER, control.SECONDARY_PHONE_NUMBER, control.USE_WINDOWS) == (0, 0, True)
    (event,) = value.EVENTS
    assert [name for name, flag in event.ED_STD_STATUS1.items() if flag] == ["POWER_FAILURE_FLAG"]
    assert (event.ED_STD_STATUS2, set(event.ED_MFG_STATUS)) == (0, set())
    assert (event.ORIGINATE_CONTROL.PRIMARY_PHONE_NUMBER, event.ORIGINATE_CONTROL.USE_WINDOWS) == (1, False)


@pytest.mark.parametrize(("octet", "primary", "secondary"), [(0xF0, 0, 7), (0x71, 1, 7)])
def test_no_secondary_number(device, octet, primary, secondary):
    octets = bytes.fromhex("0D 08 01 1E 00") + bytes([octet]) + bytes.fromhex("00 08 00 00 00 01")
    control = round_trip(ORIGINATE_SCHEDULE_TBL, octets, **device).RECURRING_DATES[0].ORIGINATE_CONTROL
    assert (control.PRIMARY_PHONE_NUMBER, control.SECONDARY_PHONE_NUMBER) == (primary, secondary)


def test_worked_answer_parameters(device):
    value = round_trip(ANSWER_PARAMETERS_TBL, bytes.fromhex("01 08 00 00 06 00 3E"), **device)
    assert (value.ANSWER_BIT_RATE, value.LOCKOUT_DELAY, value.RETRY_ATTEMPTS, value.RETRY_LOCKOUT_TIME) == (None,) * 4
    assert (value.NBR_RINGS, value.NBR_RINGS_OUTSIDE) == (1, 8)
    (window,) = value.WINDOWS
    assert (window.BEGIN_WINDOW_TIME, window.WINDOW_DURATION) == (dt.time(0), dt.time(6))
    assert [day for day in DAYS if window.WINDOW_DAYS[day]] == list(DAYS[1:6])


def test_worked_call_status(device):
    value = round_trip(CALL_STATUS_TBL, bytes.fromhex("05 00"), **device)
    assert list(value.CALL_STATUS_ARRAY) == [CallStatus.COMPLETED, CallStatus.NO_CALL]


def test_call_status_not_in_the_list_stays_a_number(device):
    assert list(round_trip(CALL_STATUS_TBL, b"\x0c\xff", **device).CALL_STATUS_ARRAY) == [12, 255]


def test_longer_call_status_stays_octets():
    value = round_trip(CALL_STATUS_TBL, bytes(range(6)), ST0=st0(), ST91=telephone(0x80, *bytes(4), 2, *bytes(8)))
    assert value.CALL_STATUS_ARRAY == bytes(range(6))


@pytest.mark.parametrize(("id_form", "flags", "size"), [(0, 0x20, 28), (1, 0x20, 18), (0, 0, 8)])
def test_call_purpose(id_form, flags, size):
    others = {"ST0": st0(mfg_status=2, id_form=id_form), "ST91": telephone(flags, *bytes(13))}
    identification = b"METER-000123".ljust(20) if id_form == 0 else bytes.fromhex("00000000000000000123")
    octets = bytes.fromhex("05 30 01 00 08 00 04 00") + (identification if flags else b"")
    assert len(octets) == size
    value = round_trip(CALL_PURPOSE_TBL, octets, **others)
    purpose = value.CALL_PURPOSE
    assert (purpose.POWER_OUTAGE, purpose.POWER_RESTORAL, purpose.SCHEDULED_CALL) == (True, False, True)
    assert purpose.MANUFACTURER_DEFINED == 3
    status = value.ED_MODE_STATUS
    assert (status.ED_MODE.METERING_FLAG, status.ED_STD_STATUS1.POWER_FAILURE_FLAG) == (True, True)
    assert set(status.ED_MFG_STATUS) == {2}
    assert value.IDENTIFICATION == (None if not flags else "METER-000123" if id_form == 0 else "0" * 17 + "123")


def test_originate_status_is_known_by_name_only():
    assert ORIGINATE_STATUS_TBL.confidence == "name only"
    assert round_trip(ORIGINATE_STATUS_TBL, b"\x01\x02").DATA == b"\x01\x02"


@pytest.mark.parametrize(
    ("table", "flags", "dimensions", "mfg_status", "size"),
    [
        (GLOBAL_PARAMETERS_TBL, 0x08, {"strings": 1, "string": 36}, 13, 41),
        (ORIGINATE_PARAMETERS_TBL, 0x08, {"windows": 2, "prefix": 0, "numbers": 3, "number": 64}, 13, 203),
        (ORIGINATE_SCHEDULE_TBL, 0x02, {"recurring": 1, "single": 1, "events": 2}, 13, 48),
        (ANSWER_PARAMETERS_TBL, 0x48, {"answers": 2}, 13, 12),
        (CALL_STATUS_TBL, 0, {"numbers": 3}, 13, 3),
    ],
)
def test_sizes_that_a_manufacturer_documents(table, flags, dimensions, mfg_status, size):
    order = ("windows", "strings", "string", "prefix", "numbers", "number", "recurring", "single", "events", "weekly")
    act = telephone(flags, *(dimensions.get(name, 0) for name in (*order, "answers", "callers", "caller")))
    parse(table, bytes(size), ST0=st0(mfg_status=mfg_status), ST91=act)


small = some.integers(0, 6)


@given(
    order=some.sampled_from([0, 1]),
    time=some.integers(0, 4),
    mfg_status=small,
    flags=some.integers(0, 0x7F),
    dimensions=some.tuples(*[small] * 13),
)
@settings(max_examples=100, deadline=None)
def test_sizes(order, time, mfg_status, flags, dimensions):
    octets = bytes([flags, *dimensions])
    others = {"ST0": st0(order=order, time=time, mfg_status=mfg_status)}
    others["ST91"] = round_trip(ACT_TELEPHONE_TBL, octets, **others)
    assert round_trip(DIM_TELEPHONE_TBL, octets, **others) == others["ST91"]
    windows, strings, string, prefix, numbers, number, recurring, single, events, weekly, answers, callers, caller = (
        dimensions
    )
    rate = flags >> 3 & 3
    clock, short = (0, 3, 3, 4, 4)[time], (0, 2, 2, 4, 4)[time]
    window = 2 * short + 1
    sizes = {
        GLOBAL_PARAMETERS_TBL: 1 + 4 * (rate == 1) + strings * string,
        ORIGINATE_PARAMETERS_TBL: 4 * (rate == 2) + 1 + prefix + numbers * number + windows * window,
        ORIGINATE_SCHEDULE_TBL: (flags & 2)
        + (recurring + single) * (3 + clock)
        + events * (4 + mfg_status)
        + weekly * (2 + clock),
        ANSWER_PARAMETERS_TBL: 4 * (rate == 2)
        + 3 * (not flags & 0x40)
        + 1
        + (answers > 0)
        + callers * caller
        + answers * window,
        CALL_PURPOSE_TBL: 6 + mfg_status + 20 * bool(flags & 0x20),
        CALL_STATUS_TBL: numbers,
    }
    for table, size in sizes.items():
        value = parse(table, bytes(size), **others)
        assert len(table.record.build(value, **others)) == size
        if size:
            with pytest.raises(StreamError):
                parse(table, bytes(size - 1), **others)


def test_everything_is_documented():
    assert {table.label: undocumented(table) for table in TABLES} == {table.label: [] for table in TABLES}


def test_what_each_table_depends_on():
    assert {table.label: table.depends_on for table in TABLES} == {
        "ST90": (),
        "ST91": (),
        "ST92": ("ST0", "ST91"),
        "ST93": ("ST0", "ST91"),
        "ST94": ("ST0", "ST91"),
        "ST95": ("ST0", "ST91"),
        "ST96": ("ST0", "ST91"),
        "ST97": ("ST91",),
        "ST98": (),
    }
