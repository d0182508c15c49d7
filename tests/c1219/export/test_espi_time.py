"""Rules of daylight saving time as ESPI has them."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from c1219.export.espi_time import NO_RULE, LocalTime, local_time, rule
from c1219.views.clock import Timekeeping

if TYPE_CHECKING:
    from c1219.errors import Finding


def resolved(number: int, year: int) -> dt.datetime:
    """Read a rule, by the words of its bits: the other way round than the exporter works."""
    month, operator, day, weekday = number >> 28, number >> 25 & 7, number >> 20 & 31, number >> 17 & 7
    hour, second = number >> 12 & 31, number & 0xFFF
    last = calendar.monthrange(year, month)[1]
    days = [dt.date(year, month, d) for d in range(1, last + 1)]
    if operator:
        own = [date for date in days if date.isoweekday() == weekday]
        date = (
            own[-1] if operator == 7 else next(d for d in own if d.day >= day) if operator == 1 else own[operator - 2]
        )
    else:
        date = days[day - 1]
    return dt.datetime.combine(date, dt.time(hour, second // 60, second % 60))


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        ("America/New_York", LocalTime(-18000, 3600, 0x360E2000, 0xB40E2000)),  # as feeds in the field have it
        ("America/Los_Angeles", LocalTime(-28800, 3600, 0x360E2000, 0xB40E2000)),
        ("America/Phoenix", LocalTime(-25200, 0, NO_RULE, NO_RULE)),
        ("Europe/Berlin", LocalTime(3600, 3600, 0x3E0E2000, 0xAE0E3000)),
        ("Australia/Sydney", LocalTime(36000, 3600, 0xA40E2000, 0x440E3000)),
    ],
)
def test_zones(zone: str, found: LocalTime) -> None:
    findings: list[Finding] = []
    assert local_time(Timekeeping(local=ZoneInfo(zone)), 2026, findings) == found
    assert findings == []


@pytest.mark.parametrize("zone", ["America/St_Johns", "America/Santiago", "Europe/Dublin", "Pacific/Auckland"])
def test_rules_resolve_to_the_changes_of_the_zone(zone: str) -> None:
    local = ZoneInfo(zone)
    found = local_time(Timekeeping(local=local), 2026, [])
    assert found is not None
    assert found.dst_amount == 3600
    for year in range(2024, 2031):
        for number, before in ((found.dst_start, found.zone), (found.dst_end, found.zone + 3600)):
            change = resolved(number, year) - dt.timedelta(seconds=before)
            sides = [
                (change + dt.timedelta(minutes=minutes)).replace(tzinfo=dt.UTC).astimezone(local).utcoffset()
                for minutes in (-1, 0)
            ]
            assert sides[0] == dt.timedelta(seconds=before)
            assert sides[1] != sides[0]


def test_a_zone_that_follows_no_rule_says_so() -> None:
    findings: list[Finding] = []
    found = local_time(Timekeeping(local=ZoneInfo("Africa/Casablanca")), 2026, findings)
    assert found is not None
    assert (found.dst_amount, found.dst_start, found.dst_end) == (0, NO_RULE, NO_RULE)
    assert [finding.code for finding in findings] == ["dst-rule"]


@pytest.mark.parametrize("year", [1, 1900, 9999])
def test_a_clock_that_is_far_out_has_the_rules_of_its_place(year: int) -> None:
    found = local_time(Timekeeping(local=ZoneInfo("America/New_York")), year, [])
    assert found is not None
    assert found.zone == -18000


def test_a_meter_without_a_zone_or_without_a_calendar() -> None:
    findings: list[Finding] = []
    assert local_time(Timekeeping(), 2026, findings) is None
    hour = dt.timedelta(hours=1)
    assert local_time(Timekeeping(zone=-5 * hour), 2026, findings) == LocalTime(-18000, 0, NO_RULE, NO_RULE)
    found = local_time(Timekeeping(zone=-5 * hour, dst_amount=hour), 2026, findings)
    assert found == LocalTime(-18000, 0, NO_RULE, NO_RULE)
    assert [finding.code for finding in findings] == ["zone-unknown", "dst-rule"]


@given(
    some.integers(1, 12), some.integers(0, 7), some.integers(1, 22), some.integers(1, 7), some.integers(0, 23),
    some.integers(0, 59),
)  # fmt: skip
def test_moments_of_a_rule_give_a_rule_with_the_same_moments(
    month: int, operator: int, day: int, weekday: int, hour: int, minute: int
) -> None:
    operator = 5 if operator == 6 else operator  # not every month has a fifth
    own_day, own_weekday = (day, 0) if operator == 0 else (day, weekday) if operator == 1 else (0, weekday)
    number = month << 28 | operator << 25 | own_day << 20 | own_weekday << 17 | hour << 12 | 60 * minute
    years = range(2020, 2040)
    moments = [resolved(number, year) for year in years]
    found = rule(moments)
    assert found is not None
    assert [resolved(found, year) for year in years] == moments


def test_moments_that_follow_no_rule() -> None:
    assert rule([]) is None
    assert rule([dt.datetime(2026, 3, 8, 2), dt.datetime(2027, 4, 8, 2)]) is None
    assert rule([dt.datetime(2026, 3, 8, 2), dt.datetime(2027, 3, 14, 3)]) is None
    assert rule([dt.datetime(2026, 3, 8, 2), dt.datetime(2027, 3, 30, 2)]) is None
