"""How commands reach a meter, as whom, and what failures exit with."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from c1222.cli.connection import as_json_or_text, connection_options

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
