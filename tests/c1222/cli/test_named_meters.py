"""The name of a meter wherever a URL stands."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

if TYPE_CHECKING:
    from pathlib import Path

    from c1222.node import RunningNode


@pytest.fixture
def meters(tmp_path: Path, simulated: RunningNode, keys: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "list.toml"
    path.write_text(
        f'[defaults]\nkeys = "{keys}"\ncalling = ".9.77"\npassword = {{ env = "MASTER" }}\nzone = "America/Denver"\n'
        f'[[meter]]\nname = "north-7"\nurl = "{simulated.url}"\ncalled = "{simulated.title}"\n'
        f'[[meter]]\nname = "north-8"\nurl = "{simulated.tcp_url}"\ncalled = ".123.99"\ntimeout = 0.3\n',
        "utf-8",
    )
    monkeypatch.setenv("MASTER", "master-demo")
    monkeypatch.delenv("C1222_PASSWORD", raising=False)
    return path


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(import_module(f"c1222.cli.{command}").command, [str(one) for one in arguments])


def test_commands_take_names(meters: Path, tmp_path: Path) -> None:
    for command, *arguments in (
        ("identify", "north-7"),
        ("read", "north-7", "ST1"),
        ("write", "north-7", "ST6.MISC_ID", "named"),
        ("procedure", "north-7", "5", "1", "0"),
        ("conformance", "north-7", "--only", "C-LINK-01"),
        ("report", "north-7", "-o", "page.html"),
    ):
        result = run(command, "--meters", meters, *arguments)
        assert result.exit_code == 0, (command, result.output, result.stderr)
    assert "north-7" in (tmp_path / "page.html").read_text("utf-8")


def test_the_environment_names_the_file(meters: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C1222_METERS", str(meters))
    assert run("read", "north-7", "ST1").exit_code == 0


def test_options_go_before_the_file(meters: Path, tmp_path: Path) -> None:
    silent = run("read", "--meters", meters, "north-8", "ST1")
    assert silent.exit_code == 3
    title = next(line for line in meters.read_text("utf-8").splitlines() if line.startswith("called")).split('"')[1]
    assert run("read", "--meters", meters, "--called", title, "--timeout", "5", "north-8", "ST1").exit_code == 0
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("no password", "utf-8")
    refused = run("write", "--meters", meters, "--password-file", wrong, "north-7", "ST6.MISC_ID", "x")
    assert (refused.exit_code, "refused the password" in refused.stderr) == (3, True)


def test_the_zone_of_the_file(meters: Path) -> None:
    shown = json.loads(run("read", "--meters", meters, "north-7", "clock", "--format", "json").stdout)
    other = run("read", "--meters", meters, "north-7", "clock", "--format", "json", "--zone", "Asia/Tokyo").stdout
    assert shown["clock"]["time"][-6:] in {"-06:00", "-07:00"}
    assert json.loads(other)["clock"]["time"].endswith("+09:00")


def test_a_name_that_is_none(meters: Path) -> None:
    wrong = run("read", "--meters", meters, "nroth-7", "ST1")
    assert (wrong.exit_code, "did you mean 'north-7'" in wrong.stderr) == (2, True)
    none = run("read", "north-7", "ST1")
    assert (none.exit_code, "there is no meters.toml here" in none.stderr) == (2, True)
    bare = run("read", "udp://127.0.0.1:9", "ST1")
    assert (bare.exit_code, "--called" in bare.stderr) == (2, True)
