"""Dates and times on the wire: the worked examples, ranges, and no value."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.values import RecurringDate
from c1219.wire import DateForm, Formats, RecurringDateForm, time_form

MOMENT = dt.datetime(2026, 11, 22, 14, 30, 45)


def form(name: str, tm: int, order: int = 0):
    return time_form(name, Formats(TM_FORMAT=tm, DATA_ORDER=order))


@pytest.mark.parametrize(
    ("name", "tm", "octets", "value"),
    [
        ("LTIME_DATE", 1, "26 11 22 14 30 45", MOMENT),
        ("LTIME_DATE", 2, "1A 0B 16 0E 1E 2D", MOMENT),
        ("LTIME_DATE", 3, "46 95 C8 01 2D", MOMENT),
        ("LTIME_DATE", 4, "95 FC 02 6B", MOMENT),
        ("STIME_DATE", 1, "26 11 22 14 30", MOMENT.replace(second=0)),
        ("STIME_DATE", 2, "1A 0B 16 0E 1E", MOMENT.replace(second=0)),
        ("STIME_DATE", 3, "46 95 C8 01", MOMENT.replace(second=0)),
        ("STIME_DATE", 4, "95 FC 02 6B", MOMENT),
        ("TIME", 1, "14 30 45", MOMENT.time()),
        ("TIME", 2, "0E 1E 2D", MOMENT.time()),
        ("TIME", 3, "15 CC 00 00", MOMENT.time()),
        ("TIME", 4, "15 CC 00 00", MOMENT.time()),
        ("STIME", 2, "0E 1E", dt.time(14, 30)),
        ("HTIME", 2, "0E 1E 2D 63", dt.time(14, 30, 45, 990_000)),
        ("HTIME_DATE", 2, "1A 0B 16 0E 1E 2D 32", MOMENT.replace(microsecond=500_000)),
        ("HTIME_DATE", 3, "46 95 C8 01 2D 32", MOMENT.replace(microsecond=500_000)),
        ("LTIME_DATE", 3, "F3 E3 B2 01 1E", dt.datetime(2024, 3, 10, 8, 19, 30)),
    ],
)
def test_worked_examples(name: str, tm: int, octets: str, value: object) -> None:
    raw = bytes.fromhex(octets)
    one = form(name, tm)
    assert one.size == len(raw)
    assert one.decode(raw) == value
    assert one.encode(value) == raw
    assert one.from_json(one.to_json(value)) == value


def test_counters_follow_the_data_order() -> None:
    assert form("STIME_DATE", 3, order=1).decode(bytes.fromhex("01C89546")) == MOMENT.replace(second=0)
    assert form("LTIME_DATE", 2, order=1).decode(bytes.fromhex("1A0B160E1E2D")) == MOMENT


@pytest.mark.parametrize("name", ["LTIME_DATE", "STIME_DATE", "HTIME_DATE", "TIME", "STIME", "HTIME"])
@pytest.mark.parametrize("tm", [1, 2, 3, 4])
def test_no_value(name: str, tm: int) -> None:
    one = form(name, tm)
    assert one.decode(b"\xff" * one.size) is None
    if name.endswith("DATE"):
        assert one.decode(bytes(one.size)) is None
    else:
        assert one.decode(bytes(one.size)) == dt.time(0)
    assert one.decode(one.encode(None)) is None
    assert one.to_json(None) is None
    assert one.from_json(None) is None


@pytest.mark.parametrize("name", ["LTIME_DATE", "STIME_DATE", "HTIME_DATE", "TIME", "STIME", "HTIME"])
def test_no_clock_is_no_octets(name: str) -> None:
    one = form(name, 0)
    assert one.size == 0
    assert one.decode(b"") is None
    assert one.encode(None) == b""
    with pytest.raises(ValueError, match="no clock"):
        one.encode(MOMENT)


@pytest.mark.parametrize("tm", [5, 6, 7])
def test_reserved_formats_have_no_size(tm: int) -> None:
    with pytest.raises(ValueError, match="reserved"):
        form("TIME", tm)


@pytest.mark.parametrize(
    ("name", "tm", "octets"),
    [
        ("STIME_DATE", 2, "1A 0D 16 0E 1E"),  # month 13
        ("STIME_DATE", 2, "1A 0B 1F 0E 1E"),  # 31 November
        ("STIME_DATE", 2, "64 0B 16 0E 1E"),  # year 100
        ("STIME_DATE", 2, "1A 0B 16 18 1E"),  # hour 24
        ("STIME_DATE", 1, "1A 11 22 14 30"),  # 1A in BCD
        ("LTIME_DATE", 2, "1A 0B 16 0E 1E 3C"),  # second 60
        ("LTIME_DATE", 3, "46 95 C8 01 3C"),
        ("STIME_DATE", 3, "FE FF FF FF"),  # past the year 9999
        ("HTIME_DATE", 2, "1A 0B 16 0E 1E 2D 64"),
        ("HTIME_DATE", 3, "46 95 C8 01 2D 64"),
        ("TIME", 2, "18 00 00"),
        ("TIME", 3, "80 51 01 00"),  # 86400 seconds
        ("HTIME", 3, "00 00 00 00 64"),
    ],
)
def test_octets_without_a_value(name: str, tm: int, octets: str) -> None:
    one = form(name, tm)
    with pytest.raises(ValueError):
        one.decode(bytes.fromhex(octets))


def test_years_turn_at_90() -> None:
    one = form("STIME_DATE", 2)
    assert one.decode(bytes((89, 1, 1, 0, 0))).year == 2089
    assert one.decode(bytes((90, 1, 1, 0, 0))).year == 1990
    for year in (1989, 2090):
        with pytest.raises(ValueError, match="1990"):
            one.encode(dt.datetime(year, 1, 1))


def test_values_that_have_no_place() -> None:
    utc = MOMENT.replace(tzinfo=dt.UTC)
    for tm in (1, 2, 3):
        with pytest.raises(ValueError, match="seconds"):
            form("STIME_DATE", tm).encode(MOMENT)
    for tm in (2, 3, 4):
        with pytest.raises(ValueError, match="naive"):
            form("LTIME_DATE", tm).encode(utc)
        with pytest.raises(ValueError, match="fraction"):
            form("LTIME_DATE", tm).encode(MOMENT.replace(microsecond=1))
        with pytest.raises(TypeError):
            form("LTIME_DATE", tm).encode(MOMENT.date())
    with pytest.raises(ValueError, match="counter"):
        form("LTIME_DATE", 4).encode(dt.datetime(1969, 12, 31))
    with pytest.raises(ValueError, match="counter"):
        form("LTIME_DATE", 4).encode(dt.datetime(2200, 1, 1))


@given(some.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2089, 12, 31)), some.sampled_from((1, 2, 3, 4)))
def test_times_round_trip(moment: dt.datetime, tm: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 10_000 * 10_000)
    assert form("HTIME", tm).decode(form("HTIME", tm).encode(moment.time())) == moment.time()
    if tm < 4 or moment.year < 2106:
        assert form("HTIME_DATE", tm).decode(form("HTIME_DATE", tm).encode(moment)) == moment
        short = moment.replace(second=0, microsecond=0)
        assert form("STIME_DATE", tm).decode(form("STIME_DATE", tm).encode(short)) == short


def test_date() -> None:
    one = DateForm("DATE", Formats())
    assert one.decode(bytes.fromhex("9AB5")) == dt.date(2026, 11, 22)
    assert one.encode(dt.date(2026, 11, 22)) == bytes.fromhex("9AB5")
    assert DateForm("DATE", Formats(DATA_ORDER=1)).encode(dt.date(2024, 1, 1)) == bytes.fromhex("0898")
    assert one.decode(bytes(2)) is None
    assert one.decode(b"\xff\xff") is None
    for year in (1990, 2089):
        assert one.decode(one.encode(dt.date(year, 1, 1))) == dt.date(year, 1, 1)
    for year in (1989, 2090):
        with pytest.raises(ValueError, match="1990"):
            one.encode(dt.date(year, 1, 1))
    for wrong in ("64 08", "1A 00"):  # year 100; day 0 of month 0
        with pytest.raises(ValueError):
            one.decode(bytes.fromhex(wrong))
    with pytest.raises(TypeError):
        one.encode(MOMENT)


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        ("33 08", RecurringDate(3, OFFSET=3, WEEKDAY=0, DAY=1)),  # second Sunday of March
        ("87 20", RecurringDate(7, OFFSET=8, WEEKDAY=0, DAY=4)),  # 4 July, Monday if Sunday
        ("0E 05", RecurringDate(14, WEEKDAY=5)),  # every Friday
        ("CF 0D", RecurringDate(15, PERIOD=28, DELTA=3)),
        ("C0 03", RecurringDate(0, PERIOD_IN_MINUTES=60)),
        ("03 50", RecurringDate(3, OFFSET=0, WEEKDAY=0, DAY=10)),
    ],
)
def test_recurring_dates(octets: str, value: RecurringDate) -> None:
    one = RecurringDateForm("RDATE", Formats())
    assert one.decode(bytes.fromhex(octets)) == value
    assert one.encode(value) == bytes.fromhex(octets)
    assert one.from_json(one.to_json(value)) == value
    swapped = bytes.fromhex(octets)[::-1]
    assert RecurringDateForm("RDATE", Formats(DATA_ORDER=1)).decode(swapped) == value


@given(some.binary(min_size=2, max_size=2))
def test_every_recurring_date_has_a_value(octets: bytes) -> None:
    one = RecurringDateForm("RDATE", Formats())
    value = one.decode(octets)
    assert one.decode(one.encode(value)) == value


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (RecurringDate(13, OFFSET=15, WEEKDAY=0, DAY=0), "FD 00"),
        (RecurringDate(13, OFFSET=0, WEEKDAY=7, DAY=0), "0D 07"),
        (RecurringDate(13, OFFSET=0, WEEKDAY=0, DAY=31), "0D F8"),
        (RecurringDate(14, WEEKDAY=7), "0E 07"),
        (RecurringDate(15, PERIOD=63, DELTA=0), "FF 03"),
        (RecurringDate(15, PERIOD=0, DELTA=63), "0F FC"),
        (RecurringDate(0, PERIOD_IN_MINUTES=4095), "F0 FF"),
    ],
)
def test_the_largest_fields_of_recurring_dates(value: RecurringDate, octets: str) -> None:
    one = RecurringDateForm("RDATE", Formats())
    assert one.encode(value) == bytes.fromhex(octets)
    assert one.decode(bytes.fromhex(octets)) == value
    (largest,) = (name for name, item in value._asdict().items() if item and name != "MONTH")
    for wrong in (getattr(value, largest) + 1, -1):
        with pytest.raises(ValueError, match=largest):
            one.encode(value._replace(**{largest: wrong}))


def test_recurring_dates_that_have_no_form() -> None:
    one = RecurringDateForm("RDATE", Formats())
    for wrong in (
        RecurringDate(16, OFFSET=0, WEEKDAY=0, DAY=1),
        RecurringDate(14, WEEKDAY=8),
        RecurringDate(14, WEEKDAY=1, DAY=1),
        RecurringDate(1, DAY=1),
        (1, 2, 3),
    ):
        with pytest.raises((ValueError, TypeError)):
            one.encode(wrong)
    for wrong in ({"DAY": 1}, {"MONTH": 14, "WEEK": 1}, {}, [14], "14", 14):
        with pytest.raises(TypeError, match="MONTH"):
            one.from_json(wrong)
    assert one.from_json({"MONTH": 14, "WEEKDAY": 1}) == RecurringDate(14, WEEKDAY=1)


@pytest.mark.parametrize("name", ["LTIME_DATE", "TIME"])
def test_json_of_times_is_text(name: str) -> None:
    one = form(name, 2)
    for wrong in (5, [], {}, True):
        with pytest.raises(TypeError, match="ISO 8601"):
            one.from_json(wrong)
    with pytest.raises(ValueError):
        one.from_json("noon")
