"""``c1222 decode`` with a view: what captures show of meters."""

from __future__ import annotations

import csv
import io
import json
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from c1219 import Device
from c1222 import capture_devices, decode_capture
from c1222.cli.decode import command
from c1222.cli.demo import command as demo
from c1222.cli.device import command as device_command
from c1222.client.sync import Meter
from c1222.security.keys import KeyStore
from tests.c1219.views.example_meter import TABLES, meter
from tests.c1222.capture.conversation import METER, OTHER, Conversation

TITLE = str(METER)


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.toml"
    path.write_text('[[key]]\nid = 2\nhex = "01020304050607080102030405060708"\n')
    return str(path)


def whole(talk: Conversation, **ends: object) -> None:
    for number, octets in TABLES.items():
        talk.read(number, octets, **ends)


def save(talk: Conversation, folder: Path) -> str:
    path = folder / "talk.pcap"
    path.write_bytes(talk.octets)
    return str(path)


def run(*arguments: str, **options: object) -> Result:
    return CliRunner().invoke(command, arguments, **options)  # type: ignore[arg-type]


def test_views_read_as_those_of_a_device_file(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    whole(talk)
    capture = save(talk, tmp_path)
    file = tmp_path / "meter.json"
    file.write_text(meter().to_json())
    for form in ("text", "csv"):
        theirs = CliRunner().invoke(device_command, [str(file), "--registers", "--format", form]).stdout
        result = run(capture, "--keys", keys, "--registers", "--format", form)
        assert result.exit_code == 0
        mine = result.stdout.splitlines()
        if form == "text":
            assert mine.pop(0) == TITLE
        assert [line.strip() for line in mine] == [line.strip() for line in theirs.splitlines()]
        assert ("123.456  kWh" if form == "text" else "123456") in result.stdout
    result = run(capture, "--keys", keys, "--identity", "--clock", "--node", str(METER.absolute()))
    assert "0000000012345678" in result.stdout
    assert [line for line in result.stdout.splitlines() if not line.startswith("    ")] == [
        TITLE, "  identity", "  clock"
    ]  # fmt: skip
    assert f"{TITLE}: note: ST52 is not here [absent, ST52]" in result.stderr


def test_rows_as_json_tell_node_time_and_verdict(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    whole(talk)
    whole(talk, meter=OTHER, key=None)
    capture = save(talk, tmp_path)
    result = run(capture, "--keys", keys, "--registers", "--identity", "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert {(row["node"], row["view"]) for row in rows} == {
        (node, view) for node in (TITLE, str(OTHER)) for view in ("registers", "identity")
    }
    first = next(row for row in rows if row.get("path") == "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    assert (first["value"], first["unit"], first["verified"]) == ("123456", "Wh", True)
    assert first["read_at"].startswith("2023-11-14T22:")
    assert {row["verified"] for row in rows if row["node"] == str(OTHER) and "path" in row} == {None}
    both = run(capture, "--keys", keys, "--registers").stdout
    assert [line for line in both.splitlines() if line.startswith(".")] == [TITLE, str(OTHER)]
    one = run(capture, "--keys", keys, "--registers", "--node", str(OTHER)).stdout
    assert [line for line in one.splitlines() if line.startswith(".")] == [str(OTHER)]


def first_summations(result: Result) -> list[str]:
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [row["value"] for row in rows if row["path"] == "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"]


def test_what_comes_live_is_printed_once(keys: str) -> None:
    talk = Conversation()
    whole(talk)
    whole(talk)
    changed = TABLES[23][:1] + bytes([9]) + TABLES[23][2:]
    talk.read(23, changed)
    talk.read(23, changed, meter=OTHER)
    result = run("-", "--keys", keys, "--registers", "--node", TITLE, "--format", "jsonl", input=talk.octets)
    assert result.exit_code == 0
    assert first_summations(result) == ["123456", str(123456 - 0x40 + 9)]
    talk.read(23, TABLES[23])
    result = run("-", "--keys", keys, "--registers", "--node", TITLE, "--format", "jsonl", input=talk.octets)
    assert first_summations(result) == ["123456", str(123456 - 0x40 + 9), "123456"]
    text = run("-", "--keys", keys, "--registers", "--node", TITLE, input=talk.octets).stdout
    assert text.count("123.401") == 1
    assert text.splitlines()[0].startswith(f"{TITLE}  2023-11-14 22:")


def test_device_files_of_all_nodes(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    whole(talk)
    talk.write(42, bytes(60))
    talk.read_offset(23, 0, TABLES[23][:7], meter=OTHER)
    capture, folder = save(talk, tmp_path), tmp_path / "to" / "devices"
    result = run(capture, "--keys", keys, "--save-devices", str(folder))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "ST42 may hold passwords or keys, and is left out" in result.stderr
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == ["123.8437.json", "123.9999.json"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    first, second = (Device.from_json(path.read_text()) for path in files)
    assert {label: first[label].raw for label in first} == {label: meter()[label].raw for label in meter()}
    assert first.node["ap_title"] == TITLE
    assert first.node["captured"]["ST23"]["verified"] is True
    assert second[23].pieces == {0: TABLES[23][:7]}
    run(capture, "--keys", keys, "--save-devices", str(folder), "--show-secrets", "--node", TITLE)
    assert "ST42" in Device.from_json(files[0].read_text())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--registers", "--format", "csv"], "csv is for one node"),
        (["--registers", "--events", "--format", "csv"], "csv is for one of"),
        (["--registers", "--events", "--format", "parquet"], "parquet is for one of"),
        (["--zone", "UTC"], "--zone is for --identity"),
        (["--registers", "--node", ".1"], "nothing was seen of the tables of .1; there are .123.8437, .123.9999"),
        (["--registers", "--two-pass"], "are for messages"),
        (["--registers", "--zone", "Nowhere/X"], "Nowhere/X"),
    ],
)
def test_what_cannot_be_had(arguments: list[str], says: str, tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    talk.read(23, TABLES[23])
    talk.read(23, TABLES[23], meter=OTHER)
    result = run(save(talk, tmp_path), "--keys", keys, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_errors_decide_the_exit_code(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    whole(talk)
    talk.read(23, TABLES[23], checksum=b"\0")
    result = run(save(talk, tmp_path), "--keys", keys, "--registers")
    assert result.exit_code == 1
    assert "checksum of table data was wrong" in result.stderr
    assert "123.456" in result.stdout
    result = run(save(talk, tmp_path), "--registers")
    assert result.exit_code == 1
    assert "the tables of no node were seen" in result.stderr
    assert "could not be opened or verified: no-key" in result.stderr


def test_a_listener_gets_what_the_client_of_the_demo_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[tuple[object, ...]]] = {}
    registers, load_profile = Meter.registers, Meter.load_profile

    def noted(self: Meter, *arguments: object, **options: object) -> object:
        found = registers(self, *arguments, **options)  # type: ignore[arg-type]
        seen["registers"] = {(row.path, f"{row.value:f}", row.unit) for row in found}
        return found

    def profile_noted(self: Meter, *arguments: object, **options: object) -> object:
        found = load_profile(self, *arguments, **options)  # type: ignore[arg-type]
        seen["profile"] = {(str(row.start), str(row.channel), f"{row.value:f}") for row in found}
        return found

    monkeypatch.setattr(Meter, "registers", noted)
    monkeypatch.setattr(Meter, "load_profile", profile_noted)
    pcap, key_file = tmp_path / "x.pcap", tmp_path / "x.toml"
    result = CliRunner().invoke(demo, ["--pcap", str(pcap), "--messages", "0"])
    assert result.exit_code == 0, result.output
    options = (str(pcap), "--keys", str(key_file), "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(run(*options, "--registers").stdout)))
    assert {(row["path"], row["value"], row["unit"]) for row in rows} == seen["registers"]
    rows = list(csv.DictReader(io.StringIO(run(*options, "--load-profile", "1", "--layout", "long").stdout)))
    shown = {(row["start"].replace("T", " "), row["channel"], row["value"]) for row in rows}
    first = min(start for start, _, _ in seen["profile"])
    last = max(start for start, _, _ in seen["profile"])
    assert {row for row in shown if str(first) <= row[0] <= str(last)} == seen["profile"]
    devices = capture_devices(pcap, keys=KeyStore.from_file(key_file))
    assert devices.findings() == []
    (device,) = devices.values()
    assert device.findings == ()
    written = [row for row in result.output.splitlines() if "kWh    active energy delivered" in row]
    assert len(written) == 1
    kilo, base = written[0].split()[0], {path: value for path, value, _ in seen["registers"]}
    assert Decimal(kilo.replace(",", "")) * 1000 == Decimal(base["ST23.TOT_DATA_BLOCK.SUMMATIONS[0]"])
    listened = run(str(pcap), "--keys", str(key_file), "--registers").stdout
    (total,) = [row for row in listened.splitlines() if row.endswith("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")]
    assert total.split()[:2] == [kilo, "kWh"]


def test_octets_in_hex_have_no_times(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    whole(talk)
    path = tmp_path / "talk.txt"
    path.write_text("\n".join(message.octets.hex() for message in decode_capture(io.BytesIO(talk.octets))))
    result = run(str(path), "--keys", keys, "--registers", "--format", "jsonl")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert rows
    assert {(row["read_at"], row["verified"]) for row in rows} == {(None, True)}
    devices = capture_devices(path, keys=KeyStore.from_file(keys))
    arrow = devices[TITLE].registers().to_arrow()
    assert set(arrow.column("read_at").to_pylist()) == {None}
    assert set(arrow.column("verified").to_pylist()) == {True}
    assert {(seen.since, seen.last) for seen in devices[TITLE].seen.values()} == {(None, None)}
    assert run("-", "--keys", keys, "--registers", input=path.read_text()).stdout.startswith(f"{TITLE}\n")
