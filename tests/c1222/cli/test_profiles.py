"""What the commands print of the meter profiles: key figures, held against each other as a person would."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from c1222.cli.device import command
from c1222.cli.tables import command as tables

FOLDER = Path(__file__).resolve().parents[3] / "specs" / "devices"
NAMES = ("single-phase", "polyphase-tou", "big-endian")
RAW = {name: json.loads((FOLDER / f"{name}.json").read_text("ascii"))["tables"] for name in NAMES}
SECRET = {"42", "45", "46", "47"}


@lru_cache
def printed(name: str, *options: str) -> str:
    result = CliRunner().invoke(command, [f"sample:{name}", *options, "--unit", "base"])
    assert result.exit_code == 0
    return result.stdout


@lru_cache
def lines(name: str, *options: str) -> tuple[tuple[str, ...], ...]:
    """Cells of each line, without the title."""
    return tuple(tuple(re.split(r"\s{2,}", line.strip())) for line in printed(name, *options).splitlines()[1:])


@lru_cache
def rows(name: str, *options: str) -> tuple[dict[str, str], ...]:
    layout = ("--layout", "long") if "--load-profile" in options else ()
    return tuple(csv.DictReader(io.StringIO(printed(name, *options, "--format", "csv", *layout))))


def clock(name: str) -> dict[str, str]:
    return {cells[0]: cells[1] for cells in lines(name, "--clock")}


def register(name: str, *cells: str) -> Decimal:
    """The value on the one line of the present registers that has all these cells."""
    found = [line for line in lines(name, "--registers") if set(cells) <= set(line)]
    assert len(found) == 1, cells
    return Decimal(found[0][0].replace(",", ""))


# --- tables show


@pytest.mark.parametrize("name", NAMES)
def test_tables_show_prints_every_table_with_its_size_and_values(name: str) -> None:
    for number, octets in RAW[name].items():
        if number == "MT0":
            continue
        result = CliRunner().invoke(tables, ["show", number, "--device", f"sample:{name}"])
        assert result.exit_code == 0, number
        size = re.search(r"^(\d+) octets in this device$", result.stdout, re.MULTILINE)
        assert size is not None
        tolerated = "tail-absent" in result.stderr
        assert int(size[1]) >= len(octets) // 2 if tolerated else int(size[1]) == len(octets) // 2
        assert ("values are concealed" in result.stdout) == (number in SECRET)
        assert (" VALUE\n" in result.stdout) == (number not in SECRET)


@pytest.mark.parametrize(
    ("name", "size", "form", "value"),
    [
        ("single-phase", 26, "NI_FMAT1 (FLOAT64)", "1857983.5"),
        ("polyphase-tou", 341, "NI_FMAT1 (INT48)", "388381680"),
        ("big-endian", 216, "NI_FMAT1 (INT32 x 10^-4)", '"3632.6660"'),
    ],
)
def test_one_request_three_layouts(name: str, size: int, form: str, value: str) -> None:
    shown = CliRunner().invoke(tables, ["show", "23", "--device", f"sample:{name}"]).stdout
    assert f"{size} octets in this device" in shown
    assert form in shown
    assert re.search(rf"TOT_DATA_BLOCK\.SUMMATIONS\[0\] +{re.escape(value)}$", shown, re.MULTILINE)


# --- registers


def test_energy_of_the_home_and_its_intervals() -> None:
    name = "single-phase"
    now = register(name, "active energy delivered", "summation", "current")
    before = register(name, "active energy delivered", "summation", "previous demand reset to 2026-11-01 00:00:00")
    running = register(name, "active power delivered", "present demand") * 30 / 60
    used = [
        Decimal(row["value"])
        for row in rows(name, "--load-profile", "1")
        if row["start"] >= "2026-11-01T00:00:00" and row["value"]
    ]
    assert now == register(name, "present value", "active energy delivered") == Decimal("1857983.5")
    assert now - before == sum(used) + running == Decimal(314462)


def test_demand_of_the_home_is_its_largest_half_hour() -> None:
    november = [row for row in rows("single-phase", "--load-profile", "1") if row["start"] >= "2026-11-01T00:00:00"]
    largest = max(november, key=lambda row: Decimal(row["value"] or 0))
    assert Decimal(largest["value"]) * 2 == register("single-phase", "maximum demand", "current") == 1897
    line = next(line for line in lines("single-phase", "--registers") if {"maximum demand", "current"} <= set(line))
    assert largest["end"].replace("T", " ") in line


def test_tiers_of_the_business_add_up() -> None:
    name = "polyphase-tou"
    for quantity, total in (
        ("active energy delivered", 388381680), ("active energy received", 9013200), ("reactive energy delivered", 186316440),
    ):  # fmt: skip
        tiers = [
            register(name, quantity, "summation", f"rate {'ABCD'[tier]} / tier {tier + 1}", "current")
            for tier in range(4)
        ]
        assert register(name, quantity, "summation", "total", "current") == sum(tiers) == total


def test_net_energy_of_the_farm() -> None:
    net, bought, sold = (
        register("big-endian", f"active energy {words}", "summation", "total", "current")
        for words in ("delivered minus received", "delivered", "received")
    )
    assert net == bought - sold == Decimal(3632666)


def test_largest_demands_of_the_farm_are_three_overlapping_intervals() -> None:
    found = [
        line for line in lines("big-endian", "--registers") if line[2:4] == ("active power delivered", "maximum demand")
    ]
    total = [line for line in found if {"total", "current"} <= set(line)]
    assert [(line[0], line[5]) for line in total] == [
        ("10,348", "2026-11-16 18:40:00-03:30"),
        ("10,312", "2026-11-16 18:45:00-03:30"),
        ("10,292", "2026-11-16 18:35:00-03:30"),
    ]


# --- load profile


@pytest.mark.parametrize(
    ("name", "number", "minutes", "first", "last"),
    [
        ("single-phase", "1", 30, "2026-10-30T00:00:00", "2026-11-22T09:30:00"),
        ("polyphase-tou", "1", 15, "2026-11-07T00:00:00-05:00", "2026-11-22T14:30:00-05:00"),
        ("big-endian", "2", 30, "2026-11-12T20:30:00-03:30", "2026-11-22T12:30:00-03:30"),
    ],
)  # fmt: skip
def test_load_profiles_end_where_the_clock_stands(name: str, number: str, minutes: int, first: str, last: str) -> None:
    found = [row for row in rows(name, "--load-profile", number) if row["channel"] == "1"]
    assert (found[0]["start"], found[-1]["end"]) == (first, last)
    now = dt.datetime.fromisoformat(clock(name).get("time", clock(name)["wall"]))
    assert dt.timedelta(0) <= now - dt.datetime.fromisoformat(last) < dt.timedelta(minutes=minutes)
    step = dt.timedelta(minutes=minutes)
    times = [dt.datetime.fromisoformat(row["start"]) for row in found]
    assert times == [times[0] + step * count for count in range(len(times))]


def test_net_intervals_are_bought_less_sold() -> None:
    channels: dict[str, list[Decimal]] = {"1": [], "2": [], "3": []}
    for row in rows("big-endian", "--load-profile", "2"):
        channels[row["channel"]].append(Decimal(row["value"] or 0))
    assert len(channels["1"]) == 464
    assert channels["1"] == [bought - sold for bought, sold in zip(channels["2"], channels["3"], strict=True)]


# --- clock and events


@pytest.mark.parametrize(
    ("name", "time", "tier", "minutes"),
    [
        ("polyphase-tou", "2026-11-22T14:35:00-05:00", "rate B / tier 2", 325),
        ("big-endian", "2026-11-22T12:40:00-03:30", "rate A / tier 1", 680),
    ],
)
def test_clocks(name: str, time: str, tier: str, minutes: int) -> None:
    found = clock(name)
    assert (found["time"], found["tier"], found["tier minutes"], found["weekday"]) == (
        time,
        tier,
        str(minutes),
        "Sunday",
    )
    ends = dt.datetime.fromisoformat(time).replace(tzinfo=None) + dt.timedelta(minutes=minutes)
    assert dt.datetime.fromisoformat(found["next switches[0].time"]) == ends


def test_a_clock_without_a_zone() -> None:
    assert clock("single-phase") == {"wall": "2026-11-22T09:40:00", "weekday": "Sunday", "dst": "standard time"}


@pytest.mark.parametrize("name", NAMES)
def test_events_follow_each_other_and_the_clock_has_not_passed_them(name: str) -> None:
    found = rows(name, "--events")
    now = clock(name).get("time", clock(name)["wall"])
    for log in {row["log"] for row in found}:
        own = [row for row in found if row["log"] == log]
        numbers = [int(row["sequence"]) for row in own]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        times = [dt.datetime.fromisoformat(row["time"]) for row in own if row["time"]]
        assert times == sorted(times)
        assert not times or times[-1] <= dt.datetime.fromisoformat(now)


def test_every_reset_is_in_the_log() -> None:
    resets = [row for row in rows("single-phase", "--events") if row["code"] == "20" and row["time"]]
    assert resets[-1]["time"] == "2026-11-01T00:00:00"
    number = register("single-phase", "number of demand resets", "current")
    before = register("single-phase", "number of demand resets", "previous demand reset to 2026-11-01 00:00:00")
    assert (number, before) == (len(resets), len(resets) - 1) == (3, 2)
