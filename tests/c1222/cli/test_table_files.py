"""``c1222 tables check`` and ``export``, and table files wherever tables are decoded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import c1219
import c1219.registry
from c1222.cli.device_files import TABLES_FOLDER
from c1222.cli.tables import command

SPECS = Path(__file__).parents[3] / "specs"
DEMO = str(SPECS / "tablefiles" / "demo.toml")
OCTETS = bytes.fromhex("0302 00e80300000000 01d00700000000 02b80b00000000 03a00f00000000 4142434445464748")


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c1219.registry, "_DEFAULT", [])
    monkeypatch.delenv(TABLES_FOLDER, raising=False)


@pytest.fixture
def device(tmp_path: Path) -> str:
    found = c1219.Device.from_json((SPECS / "devices" / "polyphase-tou.json").read_bytes())
    found.put("MT5", OCTETS)
    path = tmp_path / "device.json"
    path.write_text(found.to_json())
    return str(path)


def run(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_check_lists_what_is_declared() -> None:
    shown = run("check", DEMO)
    assert "MT5  DEMO_TBL     ST0, ST21   demo" in shown
    assert "for devices with manufacturer DEMO" in shown


def test_check_tells_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(Path(DEMO).read_text("utf-8").replace("count =", "cuont ="))
    result = CliRunner().invoke(command, ["check", str(path)])
    assert result.exit_code == 2
    assert "line 39" in result.stderr
    assert "count?" in result.stderr


def test_an_exported_table_is_a_table_file(tmp_path: Path) -> None:
    path = tmp_path / "st23.toml"
    run("export", "ST23", "SP10", "-o", str(path))
    found = c1219.load_tables(path)
    assert [item.label for item in (*found.tables, *found.procedures)] == ["ST23", "SP10"]
    assert found.tables[0].describe() == c1219.Registry().table("ST23").describe()
    said = json.loads(run("export", "all", "--format", "json"))
    assert len(said["table"]) >= 134
    assert len(said["procedure"]) >= 33


def test_export_of_what_nobody_declared() -> None:
    result = CliRunner().invoke(command, ["export", "MT77"])
    assert result.exit_code == 2
    assert "MT77 is declared nowhere" in result.stderr


def test_a_table_file_among_the_declarations(device: str) -> None:
    assert "ABCDEFGH" in run("show", "MT5", "--device", device, "--declarations", DEMO)


def test_a_folder_of_table_files(device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TABLES_FOLDER, str(SPECS / "tablefiles"))
    assert "ABCDEFGH" in run("show", "MT5", "--device", device)
    monkeypatch.setenv(TABLES_FOLDER, str(tmp_path / "absent"))
    result = CliRunner().invoke(command, ["list"])
    assert result.exit_code == 2
    assert TABLES_FOLDER in result.stderr
