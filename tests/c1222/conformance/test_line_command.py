"""``c1222 conformance`` of a device at a serial line: a node of its own, through a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from c1222.cli.conformance import command

PROGRAM = [sys.executable, "-bb", "-W", "error", "-c", "from c1222.cli import main; main()"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    arguments = ["node", "--profile", "sample:polyphase-tou", "--listen", "c1218+tcp://127.0.0.1:0"]
    with subprocess.Popen(
        [*PROGRAM, *arguments], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as node:
        assert node.stdout is not None
        try:
            yield next(word for line in node.stdout for word in line.split() if word.startswith("c1218+tcp://"))
        finally:
            node.terminate()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), env={"C1222_PASSWORD": "master-demo"})


def test_some_checks(url: str) -> None:
    result = run(url, "--user-id", "4", "--only", "C-STATE-08", "--only", "C-STATE-09", "--only", "C-NEG-03", "--notes")
    assert result.exit_code == 0, result.output
    assert "4 pass, 0 warning, 0 fail, 0 skipped" in result.stdout
    assert "note: C12.18, version 1.0" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--called", ".1"], "--called: C12.18 and C12.21 have no titles"),
        (["--allow-writes"], "--allow-writes: C12.18"),
        (["--only", "C-SEC"], "no check begins with 'C-SEC'"),
    ],
)
def test_options_that_have_no_meaning(arguments: list[str], words: str) -> None:
    result = run("c1218+tcp://127.0.0.1:1", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_nobody_there() -> None:
    result = run("c1218+tcp://127.0.0.1:9", "--only", "C-PKT-01")
    assert result.exit_code == 3
    assert "the node does not answer" in result.stderr


def test_they_are_listed() -> None:
    shown = run("--list").stdout
    assert "C-PKT-01" in shown
    assert "C-STATE-10" in shown
