import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import c1219.registry
from c1219 import Device
from c1222.cli.decode import command
from tests.c1219.views.example_meter import TABLES
from tests.c1222.capture.conversation import METER, OTHER, Conversation

OWN = """
from c1219.datatypes import UINT8
from c1219.schema import Record, Table

X_TBL = Table(number=33, manufacturer=True, name="X_TBL", confidence="V", record=Record("X_RCD", "X" / UINT8 * "X."))
"""


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep declarations of a test from others."""
    monkeypatch.setattr(c1219.registry, "_DEFAULT", [])


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.toml"
    path.write_text('[[key]]\nid = 2\nhex = "01020304050607080102030405060708"\n')
    return str(path)


@pytest.fixture
def capture(tmp_path: Path) -> str:
    talk = Conversation()
    talk.read(23, TABLES[23])
    talk.read(0, TABLES[0])
    talk.read(21, TABLES[21])
    talk.read(23, TABLES[23], meter=OTHER)
    return save(talk, tmp_path)


def save(talk: Conversation, folder: Path, name: str = "talk.pcap") -> str:
    path = folder / name
    path.write_bytes(talk.octets)
    return str(path)


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(command, arguments, **options)


def services(result: Result) -> list[dict[str, Any]]:
    found = [service for line in result.stdout.splitlines() for service in json.loads(line)["services"]]
    return [service for service in found if "data" in service]


def test_values_and_reasons_in_json_and_text(capture: str, keys: str) -> None:
    result = run(capture, "--keys", keys, "--format", "jsonl")
    assert result.exit_code == 0
    early, st0, st21, other = services(result)
    assert "value" not in early
    assert early["undecoded"] == "ST0 and ST21 of this node were not seen"
    assert st0["value"]["NAMEPLATE_TYPE"] == 2
    assert (st21["value"]["NBR_TIERS"], st21["data"], st21["checksum_ok"]) == (1, TABLES[21].hex(), True)
    assert "undecoded" in other
    text = run(capture, "--keys", keys).stdout
    assert "        not decoded: ST0 and ST21 of this node were not seen" in text
    assert "        NBR_TIERS = 1" in text


def test_two_passes_use_what_comes_later(capture: str, keys: str) -> None:
    early, _, _, other = services(run(capture, "--keys", keys, "--format", "jsonl", "--two-pass"))
    assert early["value"]["TOT_DATA_BLOCK"]["SUMMATIONS"] == [123456]
    assert "undecoded" in other


def test_two_passes_go_over_all_files(tmp_path: Path, keys: str) -> None:
    first, second = Conversation(), Conversation()
    first.read(23, TABLES[23])
    second.read(0, TABLES[0])
    second.read(21, TABLES[21])
    files = [save(first, tmp_path, "1.pcap"), save(second, tmp_path, "2.pcap")]
    assert "value" in services(run(*files, "--keys", keys, "--format", "jsonl", "--two-pass"))[0]
    assert "value" in services(run(*reversed(files), "--keys", keys, "--format", "jsonl"))[2]


def test_standard_input_cannot_be_read_twice() -> None:
    result = run("-", "--two-pass", input=b"")
    assert result.exit_code == 2
    assert "--two-pass reads it twice" in result.stderr


def test_tables_can_be_left_as_they_are(capture: str, keys: str) -> None:
    for service in services(run(capture, "--keys", keys, "--format", "jsonl", "--no-tables")):
        assert not {"value", "undecoded", "findings"} & set(service)


def test_a_device_file_helps_where_the_capture_does_not(capture: str, keys: str, tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    path.write_text(Device({0: TABLES[0], 21: TABLES[21]}).to_json())
    early, _, _, other = services(run(capture, "--keys", keys, "--format", "jsonl", "--device", str(path)))
    assert early["value"] == other["value"]
    path.write_text(Device({0: TABLES[0], 21: TABLES[21]}, node={"ap_title": str(METER)}).to_json())
    early, _, _, other = services(run(capture, "--keys", keys, "--format", "jsonl", "--device", str(path)))
    assert "value" in early
    assert "undecoded" in other


def test_device_files_must_be_for_different_nodes(capture: str, tmp_path: Path) -> None:
    path = tmp_path / "device.json"
    path.write_text(Device({0: TABLES[0]}).to_json())
    result = run(capture, "--device", str(path), "--device", str(path))
    assert result.exit_code == 2
    assert "ap_title" in result.stderr
    path.write_text(Device({0: TABLES[0]}, node={"ap_title": "not a title"}).to_json())
    assert run(capture, "--device", str(path)).exit_code == 2


def test_a_table_of_one_s_own(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    talk.read(2048 + 33, b"\x07")
    own = tmp_path / "own.py"
    own.write_text(OWN)
    capture = save(talk, tmp_path)
    assert services(run(capture, "--keys", keys, "--format", "jsonl"))[0]["undecoded"] == "MT33 is declared nowhere"
    found = services(run(capture, "--keys", keys, "--format", "jsonl", "--declarations", str(own)))
    assert found[0]["value"] == {"X": 7}


def test_an_invalid_element_makes_exit_code_1(tmp_path: Path, keys: str) -> None:
    octets = bytearray(TABLES[23])
    octets[8] = 13
    talk = Conversation()
    talk.read(0, TABLES[0])
    talk.read(21, TABLES[21])
    talk.read(23, bytes(octets))
    capture = save(talk, tmp_path)
    for form in ("jsonl", "text"):
        assert run(capture, "--keys", keys, "--format", form).exit_code == 1
    assert run(capture, "--keys", keys, "--no-tables").exit_code == 0


def test_passwords_are_redacted(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    talk.read(0, TABLES[0])
    talk.read(41, bytes((1, 6, 0, 0, 0, 0)))
    talk.read(42, b"sesame\x01")
    capture = save(talk, tmp_path)
    for form in ("jsonl", "text"):
        result = run(capture, "--keys", keys, "--format", form)
        assert b"sesame".hex() not in result.output
        assert "sesame" not in result.output
        assert b"sesame".hex() in run(capture, "--keys", keys, "--format", form, "--show-secrets").stdout


def test_the_sample_of_real_meters_needs_no_key_file() -> None:
    result = run("sample:meters")
    assert result.exit_code == 0
    assert "MFG_SERIAL_NUMBER =         12345678" in result.stdout
    assert "note: ST0 of this node was not seen" in result.stdout
