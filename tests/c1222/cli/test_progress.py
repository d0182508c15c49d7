"""Long work says that it goes on."""

import os
import pty
import subprocess
import sys

import pytest

from c1222.cli.progress import FIRST_LINE, progress


def test_lines_come_now_and_then_and_ever_less_often(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    shown = []
    with progress("making meters", clock=lambda: now) as tell:
        for second in range(71):
            now = 100.0 + second
            tell(second * 1000, 100_000)
            if capsys.readouterr().err:
                shown.append(second)
    assert shown == [FIRST_LINE, 3 * FIRST_LINE, 7 * FIRST_LINE]


def test_a_line_says_what_and_how_far(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter((0.0, 9.0, 9.0, 99.0, 99.0))
    with progress("reading", octets=True, clock=lambda: next(seconds)) as tell:
        tell(1200, 5000)
        tell(2500, None)
    assert capsys.readouterr().err == "c1222: reading: 1,200 of 5,000 octets\nc1222: reading: 2,500 octets\n"


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("node --profile sample:single-phase --count 30 --history 0 --listen udp://192.0.2.1:1", "making meters"),
        ("conformance udp://127.0.0.1:9 --called .1 --calling .2 --only C-LINK", "checking"),
        ("vectors verify specs/vectors/eax-prime.json", "verifying"),
    ],
)
def test_long_work_of_the_commands(command: str, what: str, terminal: bool) -> None:
    """With no patience at all, each of them shows how far it is."""
    code = "import c1222.cli.progress as it; it.FIRST_BAR = it.FIRST_LINE = 0; from c1222.cli import main; main()"
    ours, theirs = pty.openpty() if terminal else os.pipe()
    given = [sys.executable, "-c", code, *command.split()]
    subprocess.run(given, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}, check=False)
    shown = os.read(ours, 1 << 16)
    os.close(theirs)
    os.close(ours)
    assert what.encode() in shown
    assert (b"\x1b" in shown) is terminal
