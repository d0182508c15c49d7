from __future__ import annotations

import datetime as dt

import pytest
from construct import StreamError
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.engine.layout import bind
from c1219.schema import parameters
from c1219.tables.decade5_time import (
    ACT_TIME_TOU_TBL,
    CALENDAR_TBL,
    CLOCK_STATE_TBL,
    CLOCK_TBL,
    DIM_TIME_TOU_TBL,
    PRECISION_CLOCK_STATE_TBL,
    TABLES,
    TIME_OFFSET_TBL,
    TIME_REMAIN_TBL,
)
from c1219.values import RecurringDate
from tests.c1219.tables.generated import holds, values
from tests.c1219.tables.oracle import parse, round_trip, st0, undocumented

ACT = "20 11 12 01 03 04 00 22 00"
CALENDAR = (
    "98 08  98 E5 13  03 50 01  0B 18 02  06 08 64  01 38 00  C0 AB 00  00 00 01  02 60 01  01 01 00 01  01 01 00 01"
)


def tou(flag1=0, flag2=0, seasons=0, special=0, dates=0, recurring=0, switches=0, order=0):
    head = bytes([flag1, flag2, seasons | special << 4, dates, recurring])
    octets = head + switches.to_bytes(2, "big" if order else "little") + bytes(2)
    return parse(ACT_TIME_TOU_TBL, octets, ST0=st0(order=order))


@pytest.fixture
def device():
    return {"ST0": st0(), "ST51": round_trip(ACT_TIME_TOU_TBL, bytes.fromhex(ACT), ST0=st0())}


def test_worked_dimensions(device):
    act = device["ST51"]
    assert act.TIME_FUNC_FLAG1.ANCHOR_DATE_FLAG
    assert act.TIME_FUNC_FLAG2.CAP_DST_AUTO_FLAG
    assert act.TIME_FUNC_FLAG2.CAP_TM_ZN_OFFSET_FLAG
    assert not act.TIME_FUNC_FLAG2.SEPARATE_WEEKDAYS_FLAG
    assert (act.CALENDAR_FUNC.NBR_SEASONS, act.CALENDAR_FUNC.NBR_SPECIAL_SCHED) == (2, 1)
    assert (act.NBR_NON_RECURR_DATES, act.NBR_RECURR_DATES, act.NBR_TIER_SWITCHES, act.CALENDAR_TBL_SIZE) == (
        1,
        3,
        4,
        34,
    )
    assert DIM_TIME_TOU_TBL.record is ACT_TIME_TOU_TBL.record


@pytest.mark.parametrize(
    ("time", "octets", "moment"),
    [
        (2, "18 03 0A 01 3B 1E E0", dt.datetime(2024, 3, 10, 1, 59, 30)),
        (3, "A3 E3 B2 01 1E E0", dt.datetime(2024, 3, 10, 6, 59, 30)),
        (4, "52 5A ED 65 E0", dt.datetime(2024, 3, 10, 6, 59, 30)),
        (1, "24 03 10 01 59 30 E0", dt.datetime(2024, 3, 10, 1, 59, 30)),
        (0, "E0", None),
    ],
)
def test_worked_clock(time, octets, moment):
    value = round_trip(CLOCK_TBL, bytes.fromhex(octets), ST0=st0(time=time))
    qualities = value.TIME_DATE_QUAL
    assert value.CLOCK_CALENDAR == moment
    assert (qualities.DAY_OF_WEEK, qualities.DST_FLAG, qualities.GMT_FLAG) == (0, False, False)
    assert (qualities.TM_ZN_APPLIED_FLAG, qualities.DST_APPLIED_FLAG, qualities.DST_SUPPORTED_FLAG) == (
        True,
        True,
        True,
    )


def test_worked_offset(device):
    octets = bytes.fromhex("02 00 00 3C D4 FE 02 00 00")
    value = round_trip(TIME_OFFSET_TBL, octets, **device)
    assert (value.DST_TIME_EFF, value.DST_TIME_AMT, value.TIME_ZONE_OFFSET, value.STD_TIME_EFF) == (
        dt.time(2),
        60,
        -300,
        dt.time(2),
    )


@pytest.mark.parametrize(("version", "zone", "size"), [(1, False, 4), (1, True, 6), (2, False, 7), (2, True, 9)])
def test_offset_sizes(version, zone, size):
    tables = {"ST0": st0(version=version), "ST51": tou(flag2=zone << 4)}
    assert bind(TIME_OFFSET_TBL, tables).size == size
    octets = bytes.fromhex("02 00 00 3C D4 FE")[: 4 + 2 * zone]
    value = bind(TIME_OFFSET_TBL, tables).decode(octets)
    assert value.STD_TIME_EFF is None  # of version 2 too: some meters leave it out
    assert (value.TIME_ZONE_OFFSET is None) != zone
    assert parameters(value) == TIME_OFFSET_TBL.record.parse(octets, **tables)
    assert TIME_OFFSET_TBL.record.build(parameters(value), **tables) == octets
    assert bind(TIME_OFFSET_TBL, tables).encode(tuple(value)) == octets, "a tail that is None is not written"
    full = bind(TIME_OFFSET_TBL, tables).encode(value._replace(STD_TIME_EFF=dt.time(3))) if version == 2 else b""
    assert full == (octets + bytes.fromhex("03 00 00") if version == 2 else b"")
    findings = bind(TIME_OFFSET_TBL, tables).examine(octets).findings
    assert [finding.code for finding in findings] == (["tail-absent"] if version == 2 else [])
    assert all("before STD_TIME_EFF" in finding.text for finding in findings)


def test_worked_calendar(device):
    octets = bytes.fromhex(CALENDAR)
    assert len(octets) == device["ST51"].CALENDAR_TBL_SIZE
    value = round_trip(CALENDAR_TBL, octets, **device)
    assert value.ANCHOR_DATE == dt.date(2024, 1, 1)
    (special,) = value.NON_RECURR_DATES
    assert (special.NON_RECURR_DATE, special.CALENDAR_ACTION.CALENDAR_CTRL) == (dt.date(2024, 11, 28), 19)
    march, november, june = value.RECURR_DATES
    assert (march.RECURR_DATE, march.CALENDAR_ACTION.CALENDAR_CTRL) == (RecurringDate(3, 0, 0, 10), 1)
    assert (november.RECURR_DATE, november.CALENDAR_ACTION.CALENDAR_CTRL) == (RecurringDate(11, 0, 0, 3), 2)
    assert june.RECURR_DATE == RecurringDate(6, 0, 0, 1)
    assert tuple(june.CALENDAR_ACTION.values())[-3:] == (4, True, True)
    switches = [
        (s.DAY_SCH_NUM, s.TIER_SWITCH.SWITCH_HOUR, s.TIER_SWITCH.SWITCH_MIN, s.TIER_SWITCH.NEW_TIER)
        for s in value.TIER_SWITCHES
    ]
    assert switches == [(0, 7, 0, 1), (0, 21, 30, 0), (1, 0, 0, 0), (1, 12, 0, 2)]
    for season in value.DAILY_SCHEDULE_ID_MATRIX:
        assert (season.SATURDAY_SCHEDULE, season.SUNDAY_SCHEDULE, season.WEEKDAY_SCHEDULE) == (1, 1, 0)
        assert list(season.SPECIAL_SCHEDULE) == [1]


def test_calendar_of_seven_weekdays():
    tables = {"ST0": st0(), "ST51": tou(flag2=2, seasons=1, special=2)}
    (season,) = round_trip(CALENDAR_TBL, bytes(range(9)), **tables).DAILY_SCHEDULE_ID_MATRIX
    assert (season.SUNDAY_SCHEDULE, season.SATURDAY_SCHEDULE, list(season.SPECIAL_SCHEDULE)) == (0, 6, [7, 8])


def test_worked_clock_state(device):
    value = round_trip(CLOCK_STATE_TBL, bytes.fromhex("18 06 03 09 0F 00 E9 01 1F"), **device)
    status = value.STATUS
    assert value.CLOCK_CALENDAR == dt.datetime(2024, 6, 3, 9, 15)
    assert (value.TIME_DATE_QUAL.DAY_OF_WEEK, value.TIME_DATE_QUAL.DST_FLAG) == (1, True)
    assert (status.CURR_TIER, status.TIER_DRIVE, status.SPECIAL_SCHD_ACTIVE, status.SEASON) == (1, 0, 15, 1)


def test_clock_state_of_separate_tiers():
    tables = {"ST0": st0(), "ST51": tou(flag2=4)}
    status = round_trip(CLOCK_STATE_TBL, bytes.fromhex("18 06 03 09 0F 00 E9 91 2E"), **tables).STATUS
    assert (status.CURR_SUMM_TIER, status.CURR_DEMAND_TIER, status.TIER_DRIVE) == (1, 2, 2)
    assert (status.SPECIAL_SCHD_ACTIVE, status.SEASON) == (14, 2)


def test_worked_time_remaining(device):
    value = round_trip(TIME_REMAIN_TBL, bytes.fromhex("DF 02 1B"), **device)
    assert (value.TIER_TIME_REMAIN, value.SELF_READ_DAYS_REMAIN) == (735, 27)
    separate = {"ST0": st0(), "ST51": tou(flag2=4)}
    value = round_trip(TIME_REMAIN_TBL, bytes.fromhex("DF 02 0A 00 1B"), **separate)
    assert (value.SUMM_TIER_TIME_REMAIN, value.DEMAND_TIER_TIME_REMAIN, value.TIER_TIME_REMAIN) == (735, 10, None)


def test_precision_clock_is_octets():
    assert parse(PRECISION_CLOCK_STATE_TBL, b"\x01\x02").DATA == b"\x01\x02"
    assert PRECISION_CLOCK_STATE_TBL.confidence == "name only"


@some.composite
def dimensions(draw):
    small = some.integers(0, 4)
    return tou(
        draw(some.integers(0, 63)),
        draw(some.integers(0, 31)),
        *(draw(some.integers(0, 15)) for _ in range(2)),
        draw(small),
        draw(small),
        draw(some.sampled_from([0, 1, 3, 300])),
    )


@settings(max_examples=60, deadline=None)
@given(dimensions())
def test_calendar_size_is_the_formula(act):
    week = 7 if act.TIME_FUNC_FLAG2.SEPARATE_WEEKDAYS_FLAG else 3
    days = act.CALENDAR_FUNC.NBR_SEASONS * (act.CALENDAR_FUNC.NBR_SPECIAL_SCHED + week)
    entries = act.NBR_NON_RECURR_DATES + act.NBR_RECURR_DATES + act.NBR_TIER_SWITCHES
    expected = 2 * act.TIME_FUNC_FLAG1.ANCHOR_DATE_FLAG + 3 * entries + days
    tables = {"ST0": st0(), "ST51": act}
    assert bind(CALENDAR_TBL, tables).size == expected
    for table, size in ((CLOCK_TBL, 7), (CLOCK_STATE_TBL, 9)):
        assert bind(table, tables).size == size
    assert bind(TIME_REMAIN_TBL, tables).size == 3 + 2 * act.TIME_FUNC_FLAG2.SEPARATE_SUM_DEMANDS_FLAG


def test_size_of_a_real_meter():
    act = tou(seasons=4, special=1, recurring=40, switches=50)
    assert bind(CALENDAR_TBL, {"ST0": st0(), "ST51": act}).size == 286


@settings(max_examples=60, deadline=None)
@given(some.data())
def test_any_calendar(data):
    order = data.draw(some.integers(0, 1))
    act = tou(
        data.draw(some.sampled_from([0, 32])),
        data.draw(some.integers(0, 31)),
        *(data.draw(some.integers(0, 3)) for _ in range(5)),
        order=order,
    )
    tables = {"ST0": st0(order=order), "ST51": act}
    value = data.draw(values(bind(CALENDAR_TBL, tables)))
    holds(CALENDAR_TBL, tables, value, data.draw(some.integers(0, 60)))


@settings(max_examples=40, deadline=None)
@given(some.sampled_from([CLOCK_TBL, TIME_OFFSET_TBL, CLOCK_STATE_TBL, TIME_REMAIN_TBL]), some.data())
def test_any_clock(table, data):
    order, time = data.draw(some.integers(0, 1)), data.draw(some.integers(0, 4))
    tables = {
        "ST0": st0(order=order, time=time, version=data.draw(some.integers(1, 2))),
        "ST51": tou(flag2=data.draw(some.integers(0, 31)), order=order),
    }
    holds(table, tables, data.draw(values(bind(table, tables))), data.draw(some.integers(0, 12)))


def test_construct_refuses_a_cut_calendar(device):
    octets = bytes.fromhex(CALENDAR)
    for length in range(len(octets)):
        with pytest.raises(StreamError):
            CALENDAR_TBL.record.parse(octets[:length], **device)


def test_bound_calendar_equals_construct(device):
    octets = bytes.fromhex(CALENDAR)
    assert parameters(bind(CALENDAR_TBL, device).decode(octets)) == CALENDAR_TBL.record.parse(octets, **device)


def test_everything_is_documented():
    assert [(table.label, undocumented(table)) for table in TABLES if undocumented(table)] == []
    assert [table.number for table in TABLES] == list(range(50, 58))
