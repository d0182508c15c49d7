"""Wall times and instants, in zones that change in different ways."""

from __future__ import annotations

import ast
import datetime as dt
import sys
import zoneinfo
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from c1219.errors import UnknownZone
from c1219.rules.timekeeping import Timekeeping, zone_named, zone_offset
from tests.c1219.rules.changes import CHANGES, MINUTE, UTC, ZONES, at

HOUR = dt.timedelta(hours=1)


@some.composite
def moments(draw: some.DrawFn) -> tuple[dt.tzinfo, dt.datetime]:
    """A zone and an instant, often near a change."""
    zone, change = draw(some.sampled_from(CHANGES))
    if draw(some.booleans()):
        return zone, change + MINUTE * draw(some.integers(-300, 300))
    return zone, draw(some.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2089, 12, 31), timezones=some.just(UTC)))


def hint(zone: dt.tzinfo, instant: dt.datetime) -> bool:
    """Whether daylight saving time is in effect, by the zone alone: Dublin's winter is the one that is shifted."""
    shift = instant.astimezone(zone).dst()
    return bool(shift) if str(zone) != "Europe/Dublin" else not shift


@settings(max_examples=400, deadline=None)
@given(moments(), some.booleans(), some.booleans())
def test_an_instant_comes_back_from_what_the_clock_shows(
    moment: tuple[dt.tzinfo, dt.datetime], zone_applied: bool, dst_applied: bool
) -> None:
    zone, instant = moment
    times = Timekeeping(local=zone, zone_applied=zone_applied, dst_applied=dst_applied)
    shown = times.shown(instant)
    assert shown is not None
    assert instant in times.candidates(shown)
    if zone_applied and dst_applied:
        assert shown == instant.astimezone(zone).replace(tzinfo=None)
    if str(zone) != "Europe/Moscow":  # it changed its standard time: no hint tells the two apart
        found = times.instant(shown, hint(zone, instant))
        assert found == instant
        assert found.utcoffset() == instant.astimezone(zone).utcoffset()
        assert type(found.tzinfo) is dt.timezone


@settings(max_examples=200, deadline=None)
@given(moments(), some.integers(0, 400))
def test_differences_are_the_same_in_every_zone(moment: tuple[dt.tzinfo, dt.datetime], minutes: int) -> None:
    zone, instant = moment
    later = instant + minutes * MINUTE
    times = Timekeeping(local=zone)
    one, two = (times.localize(time.replace(tzinfo=None)) for time in (instant, later))
    assert two - one == later - instant
    assert (one < two) == (minutes > 0)
    walls = [time.astimezone(zone).replace(tzinfo=None) for time in (instant, later)]
    assert [times.wall(time) for time in (one, two)] == walls
    back = [
        times.of_wall(wall.replace(fold=time.astimezone(zone).fold))
        for wall, time in zip(walls, (one, two), strict=True)
    ]
    assert back == [instant, later]


@pytest.mark.parametrize(
    ("wall", "dst", "instant"),
    [
        ("2026-11-01 00:59", None, "2026-11-01 04:59"),
        ("2026-11-01 01:30", None, "2026-11-01 05:30"),
        ("2026-11-01 01:30", True, "2026-11-01 05:30"),
        ("2026-11-01 01:30", False, "2026-11-01 06:30"),
        ("2026-11-01 02:00", True, "2026-11-01 07:00"),
        ("2026-03-08 02:30", None, "2026-03-08 07:30"),  # left out: as if it had not been
        ("2026-03-08 02:30", False, "2026-03-08 07:30"),
        ("2026-03-08 02:30", True, "2026-03-08 06:30"),
        ("2026-07-01 12:00", False, "2026-07-01 16:00"),  # the zone goes before the hint
        ("2026-01-01 12:00", True, "2026-01-01 17:00"),
    ],
)
def test_hints(wall: str, dst: bool | None, instant: str) -> None:
    times = Timekeeping(local=ZONES["America/New_York"])
    assert times.instant(at(wall), dst) == at(instant, UTC)


EST, SHIFT = -5 * HOUR, HOUR


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        (Timekeeping(utc=True), "2026-07-01 12:00"),
        (Timekeeping(zone=EST), "2026-07-01 07:00"),
        (Timekeeping(zone=EST, zone_applied=False), "2026-07-01 12:00"),
        (Timekeeping(zone=EST, dst_amount=SHIFT, dst_now=True, dst_applied=False), "2026-07-01 07:00"),
        (Timekeeping(zone_applied=False, dst_amount=SHIFT, dst_now=True), "2026-07-01 13:00"),
        (Timekeeping(zone_applied=False, dst_amount=SHIFT, dst_now=False), "2026-07-01 12:00"),
        (Timekeeping(), None),
    ],
)
def test_what_the_clock_shows_without_a_zone_of_the_caller(times: Timekeeping, shown: str | None) -> None:
    assert times.shown(at("2026-07-01 12:00", UTC)) == (None if shown is None else at(shown))


def test_fold_decides_without_a_hint() -> None:
    times = Timekeeping(local=ZONES["America/New_York"])
    second = at("2026-11-01 01:30").replace(fold=1)
    assert times.instant(second) == at("2026-11-01 06:30", UTC)
    assert times.instant(second, True) == at("2026-11-01 05:30", UTC)
    moscow = Timekeeping(local=ZONES["Europe/Moscow"])
    assert [moscow.instant(at("2014-10-26 01:30").replace(fold=fold), False) for fold in (0, 1)] == [
        at("2014-10-25 21:30", UTC),
        at("2014-10-25 22:30", UTC),
    ]


@pytest.mark.parametrize(
    ("name", "moment", "standard", "shift"),
    [
        ("America/New_York", "2026-07-01", -300, 60),
        ("America/New_York", "2026-01-01", -300, 0),
        ("Australia/Lord_Howe", "2026-01-01", 630, 30),
        ("America/Phoenix", "2026-07-01", -420, 0),
        ("Europe/Moscow", "2014-07-01", 240, 0),
        ("Europe/Moscow", "2015-07-01", 180, 0),
        ("Europe/Dublin", "2026-07-01", 0, 60),
        ("Europe/Dublin", "2026-03-30", 0, 60),
        ("Europe/Dublin", "2026-10-24", 0, 60),
        ("Europe/Dublin", "2026-01-01", 0, 0),
    ],
)
def test_standard_offset(name: str, moment: str, standard: int, shift: int) -> None:
    assert zone_offset(zone_named(name), at(moment)) == (standard * MINUTE, shift * MINUTE)


def test_names_of_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert zone_named("America/Denver") is zoneinfo.ZoneInfo("America/Denver")
    for name in ("Mars/Olympus", "", "../etc/passwd", "America"):
        with pytest.raises(UnknownZone, match="there is no time zone"):
            zone_named(name)
    monkeypatch.setattr(zoneinfo, "TZPATH", ())
    monkeypatch.setitem(sys.modules, "tzdata", None)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)
    with pytest.raises(UnknownZone, match=r"no database of time zones.*tzdata"):
        zone_named("Mars/Olympus")


ROOT = Path(__file__).parents[3]
HOME = "c1219/rules/timekeeping.py"
NAIVE = {"now": 1, "today": 1, "utcnow": 0, "utcfromtimestamp": 0, "fromtimestamp": 2}
"""Calls that give a naive time unless they have so many arguments (0: always)."""


def breaches(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found += ["zoneinfo" for name in names if name.split(".")[0] in {"zoneinfo", "tzdata", "dateutil", "pytz"}]
        if not isinstance(node, ast.Call):
            continue
        words = {keyword.arg for keyword in node.keywords}
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        given = len(node.args) + len(node.keywords)
        if "fold" in words or (name == "replace" and "tzinfo" in words):
            found.append(ast.unparse(node))
        if name == "astimezone" and [ast.unparse(argument) for argument in node.args] != ["dt.UTC"]:
            found.append(ast.unparse(node))
        if name in NAIVE and given < (NAIVE[name] or sys.maxsize) and "datetime." in ast.unparse(node.func):
            found.append(ast.unparse(node))
    return found


def test_one_module_knows_of_zones() -> None:
    files = [path for package in ("c1219", "c1222") for path in (ROOT / package).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): breaches(path.read_text("utf-8")) for path in files}
    assert set(found.pop(HOME)) >= {"zoneinfo"}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from zoneinfo import ZoneInfo", "import zoneinfo as z", "t.replace(tzinfo=zone)", "t.replace(hour=1, fold=1)",
        "dt.datetime(2026, 11, 1, fold=1)", "t.astimezone()", "t.astimezone(zone)", "dt.datetime.now()",
        "dt.datetime.utcnow()", "dt.datetime.fromtimestamp(0)",
    ],
)  # fmt: skip
def test_what_is_looked_for_is_seen(line: str) -> None:
    assert breaches(line)
    assert not breaches("dt.datetime.now(dt.UTC), dt.datetime.fromtimestamp(0, dt.UTC), t.astimezone(dt.UTC)")


def test_changes_are_what_the_zones_say() -> None:
    """The table of changes is right, and has each kind of zone."""
    kinds = set()
    for zone, change in CHANGES:
        before, after = ((change + step).astimezone(zone).utcoffset() for step in (-MINUTE, MINUTE * 0))
        assert before is not None
        assert after is not None
        kinds.add((after - before) / MINUTE)
        assert (before == after) == (str(zone) == "America/Phoenix")
    assert kinds == {-60, -30, 0, 30, 60}
    assert {str(zone) for zone, _ in CHANGES} == set(ZONES)
