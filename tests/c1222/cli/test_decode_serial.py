"""``c1222 decode --serial-log``: messages, what they show of meters, what is wrong with the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from c1222.cli.decode import command
from tests.c1222.capture.serial.recording import Recording
from tests.c1222.capture.serial.test_listening import REGISTERS


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["--serial-log", *map(str, arguments)])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    recording.read(*REGISTERS)
    path = tmp_path_factory.mktemp("serial") / "probe.log"
    path.write_text(recording.text)
    return path


def test_text_with_units(log: Path) -> None:
    result = run(log)
    assert result.exit_code == 0, result.stderr
    assert "kWh" in result.stdout
    assert "password <redacted>" in result.stdout
    assert "PASSWORD" not in result.output
    assert "passwords and proofs of keys presented: 1, refused: 0" in result.stderr
    assert "28 messages: 28 in cleartext" in result.stderr


def test_secrets_on_request(log: Path) -> None:
    assert b"PASSWORD".hex() in run(log, "--show-secrets").stdout


def test_json_lines(log: Path) -> None:
    lines = [json.loads(line) for line in run(log, "--format", "jsonl").stdout.splitlines()]
    assert {line["transport"] for line in lines} == {"serial"}
    assert {line["schema"] for line in lines} == {"c1222.message/1"}
    st23 = lines[-1]["services"][0]
    assert st23["readings"][1]["unit"] == "Wh"
    assert lines[-1]["link"] == {"identity": 0, "toggle": lines[-1]["link"]["toggle"]}
    assert len(lines[-1]["segments"]) > 1


def test_meters(log: Path, tmp_path: Path) -> None:
    result = run(log, "--registers", "--save-devices", tmp_path / "devices")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("device:0\n")
    assert "kWh" in result.stdout
    (saved,) = (tmp_path / "devices").iterdir()
    assert "23" in json.loads(saved.read_text())["tables"]


def test_later_tables_help_earlier_ones(log: Path, tmp_path: Path) -> None:
    recording = Recording()
    recording.read(*reversed(REGISTERS))
    path = tmp_path / "reversed.log"
    path.write_text(recording.text)
    assert "kWh" not in run(path).stdout
    assert "kWh" in run(path, "--two-pass").stdout


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_rows(log: Path, tmp_path: Path, form: str) -> None:
    pytest.importorskip("pyarrow")
    out = tmp_path / f"messages.{form}"
    assert run(log, "--format", form, "-o", out).exit_code == 0
    assert out.stat().st_size > 1000


def test_summary(log: Path) -> None:
    assert "cleartext passwords  client" in run(log, "--summary").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--port", "5"], "does not go with"),
        (["--only-ports"], "does not go with"),
        (["--write-clear", "out.pcapng"], "--write-clear does not go with --serial-log"),
    ],
)
def test_options_that_have_no_meaning(log: Path, arguments: list[str], words: str) -> None:
    result = run(log, *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_files_that_are_no_log(log: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert "the file is empty" in run(empty).stderr
    result = run(log, log, log)
    assert result.exit_code == 2
    assert "a line has one log, or one for each direction" in result.stderr
    assert run(tmp_path / "none").exit_code == 2
