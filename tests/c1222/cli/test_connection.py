"""How commands reach a meter, as whom, and what failures exit with."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from c1222.cli import read
from c1222.cli.connection import PASSWORD_VARIABLE, as_json_or_text, connection_options
from c1222.node import running
from c1222.transport.udp import UdpClient
from tests.c1222.cli.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from c1222.node import RunningNode
    from tests.c1222.cli.conftest import Talk


def test_over_tcp_and_in_every_mode(talk: Talk, simulated: RunningNode) -> None:
    for url in (simulated.url, simulated.tcp_url):
        for mode in ("0", "1", "2"):
            for more in ((), ("--sessionless",)):
                result = talk("read", "ST6.OWNER_NAME", options=("--mode", mode, *more), url=url)
                assert result.exit_code == 0, result.stderr
                assert result.stdout.startswith("ST6.OWNER_NAME  ")


def test_the_password_from_environment_file_and_prompt(talk: Talk, tmp_path: Path) -> None:
    write = ("write", "ST6.MISC_ID", "needs rights")
    assert talk(*write, password=None).exit_code == 3
    assert talk(*write, password="master-demo").exit_code == 0
    path = tmp_path / "password"
    path.write_bytes(b"master-demo\nsecond line\n")
    assert talk(*write, options=("--password-file", str(path)), password=None).exit_code == 0
    path.write_bytes(b"\xef\xbb\xbfmaster-demo\r\n")  # an editor put a byte order mark first
    assert talk(*write, options=("--password-file", str(path)), password=None).exit_code == 0
    stdin = talk(*write, options=("--password-file", "-"), password=None, input="master-demo\n")
    assert stdin.exit_code == 0
    asked = talk(*write, options=("--ask-password",), password="ignored", input="master-demo\n")
    assert asked.exit_code == 0
    assert "master-demo" not in asked.output
    assert talk("read", "1", options=("--password-file", str(tmp_path / "none")), password=None).exit_code == 2


def test_a_password_is_the_same_octets_however_it_is_told(tmp_path: Path) -> None:
    profile = ROOT / "specs" / "devices" / "big-endian.json"
    path = tmp_path / "password"
    path.write_bytes("lecteur-démo\n".encode())
    with running(profile, listen=("udp://127.0.0.1:0",), simulate=False) as node:
        command = [node.url, "--called", node.title, "--calling", ".9.1", "--user-id", "2", "ST5"]
        for more, told, typed in (
            ([], "lecteur-démo", None),
            (["--ask-password"], None, "lecteur-démo\n"),
            (["--password-file", str(path)], None, None),
        ):
            result = CliRunner(charset="utf-8").invoke(
                read.command, [*more, *command], env={PASSWORD_VARIABLE: told}, input=typed
            )
            assert result.exit_code == 0, (more, result.stderr)
        latin = CliRunner().invoke(read.command, command, env={PASSWORD_VARIABLE: "lecteur-d\udce9mo"})
        assert latin.exit_code == 3
        assert "refused the password" in latin.stderr


@pytest.mark.parametrize("bits", [16, 32])
def test_the_length_of_invocation_ids(
    talk: Talk, simulated: RunningNode, bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of 16 bits take 1 or 2 octets, in the requests and in the answers to them."""
    heard: list[bytes] = []
    send, receive = UdpClient.send, UdpClient.receive

    def sent(self: UdpClient, apdu: bytes) -> None:
        heard.append(apdu)
        send(self, apdu)

    def received(self: UdpClient, timeout: float | None) -> bytes | None:
        apdu = receive(self, timeout)
        heard.extend([apdu] if apdu else [])
        return apdu

    monkeypatch.setattr(UdpClient, "send", sent)
    monkeypatch.setattr(UdpClient, "receive", received)
    for secured in (True, False):
        assert talk("read", "ST5", options=("--id-bits", str(bits)), secured=secured).exit_code == 0
    sizes = {
        len(element) - 4
        for apdu in heard
        for element in re.findall(rb"(?s)\xa8\x03\x02\x01.|\xa8\x04\x02\x02..|\xa8\x06\x02\x04....", apdu)
    }
    assert len(heard) >= 8
    assert sizes <= ({1, 2} if bits == 16 else {4})
    assert sizes


def test_no_option_takes_a_password_or_a_key() -> None:
    @click.command()
    @connection_options
    def command(connection: dict[str, object]) -> None: ...

    for parameter in command.params:
        words = " ".join(parameter.opts)
        assert "password" not in words or words in {"--password-file", "--ask-password"}
        assert words != "--key"


def test_a_wrong_password(talk: Talk) -> None:
    result = talk("read", "1", password="guess")
    assert result.exit_code == 3
    assert "refused the password" in result.stderr
    assert "guess" not in result.output


def test_nobody_there(talk: Talk, simulated: RunningNode) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        url = f"udp://127.0.0.1:{free.getsockname()[1]}"
        silent = talk("identify", url=url, options=("--timeout", "0.1", "--attempts", "2"))
    assert silent.exit_code == 3
    assert re.search(r"within 0\.[1-9]\d* s, asked 2 times", silent.stderr)
    closed = talk("identify", url=url.replace("udp", "tcp"))
    assert closed.exit_code == 3
    assert "refused" in closed.stderr


def test_what_cannot_be_used(talk: Talk, tmp_path: Path) -> None:
    assert talk("identify", url="http://x").exit_code == 2
    assert talk("identify", options=("--keys", str(tmp_path / "none"))).exit_code == 2
    assert talk("identify", options=("--key-id", "9")).exit_code == 2
    assert talk("identify", options=("--mode", "2"), secured=False).exit_code == 2
    assert talk("identify", options=("--ed-class", "12345")).exit_code == 2
    assert talk("identify", options=("--called", "no title")).exit_code == 2
    assert talk("identify", options=("--ed-class", "DEMO")).exit_code == 0
    assert talk("identify", options=("--ed-class", "44454d4f")).exit_code == 0


def test_tables_that_are_known_are_not_read(talk: Talk, tmp_path: Path) -> None:
    saved = tmp_path / "device.json"
    assert talk("read", "0", "21", options=("--save", str(saved))).exit_code == 0
    result = talk("read", "ST23.TOT_DATA_BLOCK.SUMMATIONS[0]", options=("--device", str(saved)))
    assert result.exit_code == 0


def test_titles_are_needed() -> None:
    from c1222.cli.read import command

    result = CliRunner().invoke(command, ["udp://127.0.0.1", "1"])
    assert result.exit_code == 2
    assert "--called" in result.stderr


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ('"1"', "1"), ("true", True), ("plain", "plain"), ('{"A": 1}', {"A": 1}), ("", "")]
)
def test_values_of_arguments(text: str, value: object) -> None:
    assert as_json_or_text(text) == value
