"""Commands at serial lines: two programs and a pseudo terminal, the same through ser2net, and what is said of mistakes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from c1222.cli.connection import PASSWORD_VARIABLE
from c1222.client import aio
from tests.conftest import absent

ROOT = Path(__file__).parents[3]
CODE = "from c1222.cli import main; main()"
PASSWORDS = {"polyphase-tou": "reader-demo", "single-phase": "reader-demo", "big-endian": "lecteur-démo"}


@contextlib.contextmanager
def program(*arguments: str, first: str = "listening on ") -> Iterator[str]:
    """Run a server in a process of its own; yield the rest of the line that it begins with."""
    process = subprocess.Popen(
        [sys.executable, "-bb", "-c", CODE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith(first), line
        yield line.removeprefix(first).strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def run(*arguments: str, password: str | None = "reader-demo") -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != PASSWORD_VARIABLE}
    if password is not None:
        environment[PASSWORD_VARIABLE] = password
    return subprocess.run(
        [sys.executable, "-bb", "-c", CODE, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**environment, "PYTHONIOENCODING": "utf-8"},
        timeout=90,
    )


def node(profile: str, *more: str) -> contextlib.AbstractContextManager[str]:
    device = ROOT / "specs" / "devices" / f"{profile}.json"
    return program("node", "--profile", str(device), "--listen", "pty:", "--frozen", *more)


@pytest.mark.parametrize("profile", PASSWORDS)
def test_two_terminals(profile: str) -> None:
    with node(profile) as url:
        assert url.startswith("serial:///dev/pts/")
        result = run("read", url, "--user-id", "2", "registers", password=PASSWORDS[profile])
        assert result.returncode == 0, result.stderr
        known = run("device", str(ROOT / "specs" / "devices" / f"{profile}.json"), "--registers")
        numbers = {line.split()[0] for line in known.stdout.splitlines() if line}
        read = [line for line in result.stdout.splitlines() if line]
        assert len(read) > 3
        assert sum(line.split()[0] in numbers for line in read) > len(read) // 2
        assert run("read", url, "--user-id", "2", "ST1", password=PASSWORDS[profile]).returncode == 0


def test_every_command_that_takes_an_address(tmp_path: Path) -> None:
    with node("polyphase-tou") as url:
        identified = run("identify", url, "--format", "json")
        assert json.loads(identified.stdout)["identify"]["standard"] == 0, identified.stderr
        written = run("write", url, "--user-id", "4", "ST6.OWNER_NAME", "by the port", password="master-demo")
        assert written.returncode == 0, written.stderr
        assert "by the port" in run("read", url, "--user-id", "2", "ST6.OWNER_NAME").stdout
        ran = run("procedure", url, "--user-id", "4", "3", password="master-demo")
        assert ran.returncode == 0, ran.stderr
        page = tmp_path / "report.html"
        reported = run("report", url, "--user-id", "2", "-o", str(page))
        assert reported.returncode in (0, 1), reported.stderr
        assert "0000000012345678" in page.read_text("utf-8")


def test_mistakes_are_told_in_words() -> None:
    for options, words in (
        (("--called", ".1.2"), "no titles and no keys"),
        (("--sessionless",), "always a session"),
        (("--mode", "1"), "no titles and no keys"),
    ):
        result = run("read", "serial:///dev/ttyUSB99", *options, "ST1")
        assert (result.returncode, words in result.stderr) == (2, True), result.stderr
    absent = run("read", "serial:///dev/ttyUSB99", "ST1")
    assert absent.returncode == 3
    assert "there is no such port" in absent.stderr
    wrong = run("read", "serial:///dev/ttyUSB0?speed=9600", "ST1")
    assert wrong.returncode == 2
    assert "baud" in wrong.stderr
    without = run("read", "udp://127.0.0.1:9", "ST1")
    assert (without.returncode, "needs --called" in without.stderr) == (2, True)


def test_a_wrong_password_ends_with_three() -> None:
    with node("single-phase") as url:
        result = run("read", url, "--user-id", "2", "ST1", password="nonsense")
    assert result.returncode == 3
    assert "refused the password" in result.stderr
    assert "nonsense" not in result.stderr + result.stdout


def test_ports_are_listed() -> None:
    result = run("ports", "--format", "json")
    assert result.returncode == 0
    assert all(port["url"] == f"serial://{port['device']}" for port in json.loads(result.stdout))
    text = run("ports")
    assert text.returncode == 0
    assert ("no serial ports" in text.stderr) == (not json.loads(result.stdout))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@contextlib.contextmanager
def ser2net(device: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Run ser2net before a device, bound to loopback; yield its ports: raw, and RFC 2217."""
    raw, telnet = free_port(), free_port()
    settings = folder / "ser2net.yaml"
    settings.write_text(
        f"connection: &raw\n  accepter: tcp,127.0.0.1,{raw}\n  connector: serialdev,{device},9600n81,local\n"
        f"connection: &bridge\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{telnet}\n"
        f"  connector: serialdev,{device},9600n81,local\n"
    )
    process = subprocess.Popen(
        ["ser2net", "-n", "-c", str(settings), "-P", str(folder / "pid")], stderr=subprocess.PIPE
    )
    try:
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", telnet), timeout=1):
                break
            time.sleep(0.05)
        time.sleep(0.5)  # it has the port for the connection above a little longer
        yield raw, telnet
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.ser2net
@pytest.mark.parametrize("profile", PASSWORDS)
def test_through_a_bridge(profile: str, tmp_path: Path) -> None:
    if shutil.which("ser2net") is None:
        absent("ser2net")
    with node(profile) as url, ser2net(url.removeprefix("serial://"), tmp_path) as (raw, telnet):
        for address in (f"c1218+tcp://127.0.0.1:{raw}", f"rfc2217://127.0.0.1:{telnet}?rates=19200"):
            result = run("read", address, "--user-id", "2", "registers", password=PASSWORDS[profile])
            assert result.returncode == 0, result.stderr
            assert len(result.stdout.splitlines()) > 3
            time.sleep(0.5)  # the bridge needs a moment to let go of the port


@pytest.mark.ser2net
@pytest.mark.filterwarnings("ignore:set(Daemon|Name)..? is deprecated")  # pyserial 3.5 is older than that
def test_an_event_loop_through_a_bridge(tmp_path: Path) -> None:
    if shutil.which("ser2net") is None:
        absent("ser2net")

    async def run(url: str) -> tuple[str, int]:
        async with aio.connect(url, user_id=2, password="reader-demo") as meter:
            return await meter.read("ST1.ED_MODEL"), len(await meter.read_octets(64))

    with node("polyphase-tou") as url, ser2net(url.removeprefix("serial://"), tmp_path) as (_, telnet):
        for rates in ("", "?rates=38400"):
            assert asyncio.run(run(f"rfc2217://127.0.0.1:{telnet}{rates}")) == ("POLY-TOU", 17808)
            time.sleep(0.5)
