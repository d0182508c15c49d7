"""The hour that occurs twice, on the command line: zones, ``--since`` and ``--until``."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from importlib import import_module

import pytest
from click.testing import CliRunner, Result

from c1222.cli.connection import PASSWORD_VARIABLE
from c1222.node import running
from tests.c1222.cli.conftest import ROOT

NOW = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
NEW_YORK = ("--zone", "America/New_York")
Read = Callable[..., list[tuple[str, int]]]


def run(name: str, *arguments: str) -> Result:
    command = import_module(f"c1222.cli.{name}").command
    return CliRunner().invoke(command, arguments, env={PASSWORD_VARIABLE: "master-demo"})


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    """Reads the hours of load profile 2 of a meter, the day after the change: start and channel of each row."""
    profile = ROOT / "specs" / "devices" / "polyphase-tou.json"
    with running(profile, history_days=3, utc=NOW.timestamp) as node:

        def rows(*options: str) -> list[tuple[str, int]]:
            found = run(
                "read", "--called", node.title, "--calling", ".123.4", "--format", "json", *options,
                node.url, "load-profile", "2",
            )  # fmt: skip
            assert found.exit_code == 0, found.stderr
            assert not {"overlap", "gap", "disorder"} & set(found.stderr.replace("[", " ").replace(",", " ").split())
            return [(row["start"], row["channel"]) for row in json.loads(found.stdout)["load-profile 2"]["intervals"]]

        yield rows


FIRST, SECOND = "2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00"


@pytest.mark.parametrize("zone", [(), NEW_YORK], ids=["own", "given"])
@pytest.mark.parametrize(
    ("since", "until", "starts"),
    [
        ("2026-11-01T01:00", "2026-11-01T02:00", [FIRST, SECOND]),
        ("2026-11-01T00:00", "2026-11-01T01:00", ["2026-11-01T00:00:00-04:00"]),
        ("2026-11-01T02:00", "2026-11-01T03:00", ["2026-11-01T02:00:00-05:00"]),
        ("2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00", [FIRST]),
        ("2026-11-01T01:00-05:00", "2026-11-01T02:00-05:00", [SECOND]),
        ("2026-11-01T05:00Z", "2026-11-01T07:00Z", [FIRST, SECOND]),
    ],
)
def test_since_and_until(read: Read, zone: tuple[str, ...], since: str, until: str, starts: list[str]) -> None:
    rows = read("--since", since, "--until", until, *zone)
    assert rows == [(start, channel) for start in starts for channel in (1, 2, 3)]


def test_a_zone_changes_no_row(read: Read) -> None:
    assert read(*NEW_YORK) == read()


def test_a_device_file_in_its_own_zone() -> None:
    arguments = ("sample:polyphase-tou", "--load-profile", "2", "--format", "csv")
    own, given = run("device", *arguments), run("device", *arguments, *NEW_YORK)
    assert given.stdout == own.stdout
    assert given.stderr == own.stderr
    assert "overlap" not in given.stderr


@pytest.mark.parametrize("name", ["device", "read"])
def test_zones_that_there_are_not(name: str) -> None:
    place = (
        ["sample:polyphase-tou"]
        if name == "device"
        else ["udp://127.0.0.1:9", "clock", "--called", ".1", "--calling", ".2"]
    )
    found = run(name, *place, "--zone", "Mars/Olympus")
    assert (found.exit_code, found.stderr) == (2, "c1222: there is no time zone 'Mars/Olympus'\n")
