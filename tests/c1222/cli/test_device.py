import csv
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from c1219 import Device
from c1222.cli.device import command
from tests.c1219.views.example_meter import TABLES, meter


@pytest.fixture
def device(tmp_path: Path) -> str:
    path = tmp_path / "device.json"
    path.write_text(meter().to_json())
    return str(path)


def run(*arguments: str, **options: bytes) -> Result:
    return CliRunner().invoke(command, arguments, **options)  # type: ignore[arg-type]


def test_where_the_kwh_are(device: str) -> None:
    result = run(device)
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["serial", "0000000012345678"] in lines
    assert ["123.456", "kWh", "active", "energy", "delivered", "summation", "total", "current",
            "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"] in lines  # fmt: skip
    assert "nothing is known" in result.stdout, "there is no clock"
    assert "ST6 is not here" in result.stderr


def test_only_what_is_asked_for_is_printed(device: str) -> None:
    result = run(device, "--registers")
    assert result.stdout.startswith("registers\n")
    assert "serial" not in result.stdout
    assert result.stderr == ""
    assert "coincident with maximum" in result.stdout
    assert "self read 9 to 2026-11-01 00:00:00" in result.stdout


def test_json_has_a_view_a_key(device: str) -> None:
    shown = json.loads(run(device, "--registers", "--identity", "--clock", "--format", "json").stdout)
    assert list(shown) == ["identity", "clock", "registers"]
    assert shown["identity"]["model"] == "MODEL-X"
    assert shown["registers"]["registers"][1]["value"] == "123456"


def test_csv_is_for_rows(device: str) -> None:
    result = run(device, "--registers", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert rows[1]["path"] == "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"
    assert rows[1]["value"] == "123456"
    for arguments in ((), ("--registers", "--events")):
        result = run(device, *arguments, "--format", "csv")
        assert result.exit_code == 2
        assert "csv is for one of" in result.stderr


def test_a_zone_makes_times_aware(device: str) -> None:
    assert "2026-11-22 14:30:00-07:00" in run(device, "--registers", "--zone", "America/Denver").stdout
    result = run(device, "--zone", "Nowhere/Land")
    assert result.exit_code == 2
    assert "Nowhere/Land" in result.stderr


def test_views_without_tables_are_empty_and_say_so(device: str) -> None:
    result = run(device, "--load-profile", "1", "--events")
    assert result.stdout == "load profile 1\n  none\n\nevents\n  none\n"
    assert "ST61 is not here" in result.stderr
    assert "ST71 is not here" in result.stderr
    assert result.exit_code == 1


def test_what_could_not_be_told_is_shown_raw_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    path.write_text(meter({12: None}).to_json())
    result = run(str(path), "--registers")
    assert "raw 123456" in result.stdout
    assert "ST12 is not here: quantity and unit are not known" in result.stdout


def test_what_to_read_next_is_said(tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    path.write_text(meter({0: None, 21: None}).to_json())
    assert "read ST0, ST21\n" in run(str(path), "--registers").stderr


def test_a_device_file_from_standard_input() -> None:
    octets = Device({0: TABLES[0], 1: TABLES[1]}).to_json().encode()
    assert "MODEL-X" in run("-", "--identity", input=octets).stdout


def test_files_that_are_no_device_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xff\x00")
    assert run(str(path)).exit_code == 2
    assert run(str(tmp_path / "none.json")).exit_code == 2
    path.write_text('{"schema": "c1219.device/1", "tables": {"0": "zz"}}')
    assert "tables.0" in run(str(path)).stderr


@pytest.mark.parametrize("name", ["single-phase", "polyphase-tou", "big-endian"])
def test_the_profiles_that_come_with_the_program(name: str) -> None:
    shown = json.loads(
        run(f"sample:{name}", "--format", "json", "--registers", "--load-profile", "2", "--events").stdout
    )
    energies = [
        row for row in shown["registers"]["registers"]
        if row["kind"] == "summation" and row["unit"] == "Wh" and row["period"] == "current"
    ]  # fmt: skip
    by_source: dict[int, list[Decimal]] = {}
    for row in energies:
        by_source.setdefault(row["source"], []).append(Decimal(row["value"]))
    assert by_source
    for total, *tiers in by_source.values():
        assert not tiers or sum(tiers) == total, "the tiers add up to the total"
    assert shown["events"]["events"]
    assert all(row["valid"] for row in shown["registers"]["registers"])
    text = run(f"sample:{name}")
    assert text.exit_code == 0
    assert "active energy delivered" in text.stdout


def test_green_button() -> None:
    result = run("sample:single-phase", "--format", "espi", "--load-profile", "1", "--zone", "America/Phoenix")
    assert result.exit_code == 0
    root = ET.fromstring(result.stdout_bytes)
    espi, atom = "{http://naesb.org/espi}", "{http://www.w3.org/2005/Atom}"
    values = [int(element.text or "") for element in root.iter(f"{espi}value")]
    assert len(values) == 1123
    assert root.findtext(f"{atom}updated") == "2026-11-22T16:40:00Z", "the clock of the meter"
    both = run(
        "sample:single-phase", "--format", "espi", "--load-profile", "1", "--registers", "--zone", "America/Phoenix"
    )
    assert both.stdout.count("<IntervalReading>") > 1123
    alone = run("sample:polyphase-tou", "--format", "espi")
    assert "<tou>" in alone.stdout
    assert "44 values are left out: their time in UTC is not known" in alone.stderr


def test_green_button_is_for_registers_and_load_profile() -> None:
    for option in ("--clock", "--access", "--events"):
        result = run("sample:single-phase", "--format", "espi", option)
        assert result.exit_code == 2
        assert "espi is for" in result.stderr


def test_green_button_without_a_clock_is_of_now(device: str) -> None:
    result = run(device, "--format", "espi")
    now = dt.datetime.now(dt.UTC)
    (updated,) = {e.text for e in ET.fromstring(result.stdout_bytes).iter() if e.tag.endswith("}updated")}
    assert now - dt.datetime.fromisoformat(updated or "") < dt.timedelta(minutes=5)


def test_who_may_do_what() -> None:
    result = run("sample:polyphase-tou", "--access")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "ST54 group 0 group 1 ST44.ACCESS_CONTROL[5] Calendar" in lines
    assert "SP3 group 0 group 2 ST44.ACCESS_CONTROL[6] Clear Data" in lines
    assert "password 1 opens groups 0, 1" in lines
    shown = run("sample:polyphase-tou", "--access", "--format", "json").stdout
    assert json.loads(shown)["access"]["passwords"][2] == {"entry": 2, "groups": [0, 1, 2], "blank": False}
    for text in (result.stdout, shown):
        assert "master-demo" not in text
        assert b"master-demo".hex() not in text


def test_rights_of_a_device_without_such_tables(device: str) -> None:
    result = run(device, "--access")
    assert "not known" in result.stdout
    assert result.exit_code == 0
    assert run("-", "--access", input=Device().to_json().encode()).stdout == "access\n  nothing is known\n"
