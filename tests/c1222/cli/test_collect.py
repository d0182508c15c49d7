"""``c1222 collect``: verdicts, the run as JSON, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from c1222.cli.collect import command
from tests.c1222.collect.fleet import TriedFleet, fleet

if TYPE_CHECKING:
    from pathlib import Path


SILENT = '[[meter]]\nname = "m2"\ncalled = ".1.9"\ntimeout = 0.05\nattempts = 1\n'


@pytest.fixture
def collect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("PW", "reader-demo")

    def run(tried: TriedFleet, *arguments: str, group: str = "all") -> Result:
        store = ("--store", f"sqlite:///{tried.store}", "--meters", str(tried.folder / "meters.toml"))
        return CliRunner().invoke(command, [group, *store, *arguments])

    return run


def test_verdicts_and_the_run(tmp_path: Path, collect) -> None:
    page = tmp_path / "run.json"
    with fleet(tmp_path, 2) as tried:
        tried.meters(more=SILENT)
        done = collect(tried, "--tries", "1", "--json", str(page), "--what", "registers,events")
        assert done.exit_code == 1, done.stderr
        lines = sorted(done.stdout.splitlines())
        assert lines[0].startswith("m0: ok, ")
        assert lines[2].startswith("m2: silent, ")
        assert "3 meters: 2 ok, 1 silent" in done.stderr
        run = json.loads(page.read_text("utf-8"))
        assert (run["schema"], run["outcomes"], run["meters"]) == ("c1222.collect/1", {"ok": 2, "silent": 1}, 3)
        assert [one["name"] for one in run["verdicts"]] == ["m2"]
        quiet = collect(tried, "--tries", "1", "--quiet", "--format", "jsonl")
        assert [json.loads(line)["outcome"] for line in quiet.stdout.splitlines()] == ["silent"]
        assert collect(tried, group="m1").exit_code == 0
        assert collect(tried, "--tries", "1", group="m2").exit_code == 3


def test_usage(tmp_path: Path, collect) -> None:
    with fleet(tmp_path, 1) as tried:
        tried.meters()
        wrong = collect(tried, "--what", "register")
        assert (wrong.exit_code, "what can be read is" in wrong.stderr) == (2, True), wrong.stderr
        wrong = collect(tried, group="al")
        assert (wrong.exit_code, "did you mean 'all'" in wrong.stderr) == (2, True)
        tried.store.write_bytes(b"no database at all, but some text of its own " * 50)
        wrong = collect(tried)
        assert (wrong.exit_code, "not a database" in wrong.stderr) == (2, True)
