"""``c1222 decode --write-clear``."""

from pathlib import Path

from click.testing import CliRunner, Result

import c1222
from c1222.cli.decode import command

SAMPLES = Path(__file__).parents[3] / "specs" / "captures"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_a_sample(tmp_path: Path) -> None:
    out = tmp_path / "clear.pcap"
    result = run("sample:meters", "--write-clear", str(out))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{out}: 10 packets, 4 messages in cleartext that were not" in result.stderr
    assert "proves nothing; passwords and keys are filled with *" in result.stderr
    assert out.stat().st_mode & 0o777 == 0o600
    assert [message.security_mode for message in c1222.decode_capture(out)] == [0, 0, 0, 0]
    shown = run("sample:meters", "--write-clear", str(out), "--show-secrets")
    assert "passwords and keys are readable in it" in shown.stderr


def test_messages_that_are_not_verified(tmp_path: Path) -> None:
    out = tmp_path / "clear.pcap"
    result = run(str(SAMPLES / "example8.pcap"), "--write-clear", str(out))
    assert result.exit_code == 1
    assert f"{out}: 2 packets, 0 messages" in result.stderr


def test_what_cannot_be(tmp_path: Path) -> None:
    out = tmp_path / "clear.pcap"
    for arguments in (
        ("--apdu", "60"),
        ("sample:meters", "--registers"),
        ("sample:meters", "--format", "jsonl"),
        ("sample:meters", "--node", ".4"),
        ("sample:meters", "--output", str(out)),
        ("sample:meters", "--save-devices", str(tmp_path)),
        (str(tmp_path / "none.pcap"),),
        (str(SAMPLES / "keys.toml"),),
        ("sample:meters", "--write-clear", str(tmp_path / "none" / "clear.pcap")),
    ):
        result = run("--write-clear", str(out), *arguments)
        assert result.exit_code == 2, arguments
        assert result.stderr.startswith(("c1222: ", "Usage: ")), result.stderr
        assert not out.exists()


def test_the_capture_is_not_written_over(tmp_path: Path) -> None:
    capture = tmp_path / "one.pcap"
    capture.write_bytes((SAMPLES / "example8.pcap").read_bytes())
    result = run(str(capture), "--keys", str(SAMPLES / "keys.toml"), "--write-clear", str(capture))
    assert result.exit_code == 2
    assert "is the capture itself" in result.stderr
    assert capture.read_bytes() == (SAMPLES / "example8.pcap").read_bytes()
