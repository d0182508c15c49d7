import os
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from c1222.capture.decoder import decode_capture
from c1222.cli.demo import command
from c1222.security.keys import KeyStore


def test_the_demo_talks_to_a_meter_and_decodes_what_was_said(tmp_path: Path) -> None:
    pcap = tmp_path / "demo.pcap"
    result = CliRunner().invoke(command, ["--pcap", str(pcap)])
    assert result.exit_code == 0, result.output
    for part in ("serial 0000000012345678", "kWh    active energy delivered", "primary power up", "read back"):
        assert part in result.output
    volts = re.search(r"([\d.]+) \(([\d.]+) to ([\d.]+)\) V RMS voltage", result.output)
    assert volts is not None
    mean, lowest, highest = map(float, volts.groups())
    assert 200 < lowest <= mean <= highest < 280  # levels are not added up
    assert re.search(r"[\d,]+\.\d{3} kWh active energy delivered", result.output)
    name = re.search(r"ST6.OWNER_NAME = '(DEMO \w+)'", result.output)
    assert name is not None
    assert f"read back: {name[1]!r}" in result.output
    count = re.search(r"(\d+) messages: (\d+) verified", result.output)
    assert count is not None
    assert count[1] == count[2]
    key_file = tmp_path / "demo.toml"
    assert f"c1222 decode {pcap} --keys {key_file}" in result.output
    if os.name == "posix":
        assert [stat.S_IMODE(path.stat().st_mode) for path in (pcap, key_file)] == [0o600] * 2
    listener = list(decode_capture(pcap, keys=KeyStore.from_file(key_file)))
    assert all(message.authenticated for message in listener)
    outsider = list(decode_capture(pcap))
    assert len(outsider) == int(count[1])
    assert all(message.services == () and message.authenticated is None for message in outsider)


def test_the_key_of_the_demo_is_shown_nowhere(tmp_path: Path) -> None:
    first, second = (
        CliRunner().invoke(command, ["--pcap", str(tmp_path / name), "--messages", "100"]).output for name in "ab"
    )
    assert "<redacted>" in first
    assert "master-demo" not in first + second
    assert not re.search(r"\b[0-9a-f]{32}\b", re.sub(r"(?:write|read)\S* .*", "", first))


def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("named.pcap", "other.toml", "c1222-demo.toml"):
        Path(name).write_text("mine")
    for name in ("named.pcap", "other.pcap"):
        result = CliRunner().invoke(command, ["--pcap", name])
        assert result.exit_code == 2
        assert "is there already" in result.stderr
        assert result.stdout == ""
    result = CliRunner().invoke(command, ["--messages", "0"])
    assert result.exit_code == 0, result.output
    assert "c1222 decode c1222-demo-2.pcap --keys c1222-demo-2.toml" in result.output
    assert [path.name for path in sorted(Path().iterdir()) if path.read_bytes() != b"mine"] == [
        "c1222-demo-2.pcap",
        "c1222-demo-2.toml",
    ]


@pytest.mark.parametrize(
    ("pcap", "says"),
    [
        ("no/such/dir/x.pcap", "no/such/dir/x.pcap: No such file or directory"),
        ("file/x.pcap", "file/x.pcap: Not a directory"),
        ("x.toml", "x.toml: .toml is for the key"),
    ],
)
def test_files_that_cannot_be_made(pcap: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    result = CliRunner().invoke(command, ["--pcap", pcap])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"c1222: {says}")
    assert result.stdout == ""
