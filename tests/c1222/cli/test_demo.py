import re
from pathlib import Path

from click.testing import CliRunner

from c1222.capture.decoder import decode_capture
from c1222.cli.demo import command


def test_the_demo_talks_to_a_meter_and_decodes_what_was_said(tmp_path: Path) -> None:
    pcap = tmp_path / "demo.pcap"
    result = CliRunner().invoke(command, ["--pcap", str(pcap)])
    assert result.exit_code == 0, result.output
    for part in ("serial 0000000012345678", "Wh    active energy delivered", "primary power up", "read back"):
        assert part in result.output
    name = re.search(r"ST6.OWNER_NAME = '(DEMO \w+)'", result.output)
    assert name is not None
    assert f"read back: {name[1]!r}" in result.output
    count = re.search(r"(\d+) messages: (\d+) verified", result.output)
    assert count is not None
    assert count[1] == count[2]
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
