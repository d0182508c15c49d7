"""Ports that fail, each with an error in words; blocking and from asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import grp
import os
import socket
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serialx

import c1222
from c1222.client import aio
from c1222.client.serial_line import line_at
from c1222.errors import C1222Error, ConnectionLost, StateError, Unreachable
from c1222.transport.lines.awaiting import open_line_async
from c1222.transport.lines.blocking import Line, open_line
from c1222.transport.lines.errors import port_error


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    ours, device = os.openpty()
    tty.setraw(device)
    path = os.ttyname(device)
    os.close(device)
    yield ours, path
    with contextlib.suppress(OSError):
        os.close(ours)


def opened(text: str) -> Line:
    return open_line(line_at(text)[0], 2.0)


def opened_async(text: str) -> Exception | None:
    """Open a line from asyncio, wait a little, and return the error that ended it."""
    errors: list[C1222Error] = []

    async def run() -> None:
        line = await open_line_async(line_at(text)[0], 2.0, lambda _: None, errors.append)
        for _ in range(100):
            if not errors:
                await asyncio.sleep(0.01)
        line.close()
        await asyncio.sleep(0)

    asyncio.run(run())
    return errors[0] if errors else None


def test_octets_go_both_ways_and_the_rate_is_set(pty: tuple[int, str]) -> None:
    import termios

    ours, path = pty
    line = opened(f"serial://{path}")
    line.send(b"\x06there")
    assert os.read(ours, 100) == b"\x06there"
    os.write(ours, b"\x15\x03and back")
    assert line.receive(2.0) == b"\x15\x03and back"
    assert line.receive(0.0) is None
    assert termios.tcgetattr(ours)[4:6] == [termios.B9600] * 2
    line.set_rate(38400)
    assert termios.tcgetattr(ours)[4:6] == [termios.B38400] * 2
    line.close()
    line.close()


def test_a_port_that_is_pulled_out(pty: tuple[int, str]) -> None:
    ours, path = pty
    line = opened(f"serial://{path}")
    os.close(ours)
    with pytest.raises(ConnectionLost, match=r"vanished.*pulled out"):
        line.receive(1.0)
    line.close()


def test_a_port_that_is_pulled_out_from_asyncio(pty: tuple[int, str]) -> None:
    ours, path = pty
    errors: list[C1222Error] = []

    async def run() -> None:
        line = await open_line_async(line_at(f"serial://{path}")[0], None, lambda _: None, errors.append)
        os.close(ours)
        for _ in range(200):
            if not errors:
                await asyncio.sleep(0.01)
        with pytest.raises(ConnectionLost):
            line.send(b"x")
        line.close()

    asyncio.run(run())
    assert isinstance(errors[0], ConnectionLost)
    assert "pulled out" in str(errors[0])


def test_a_port_that_another_program_uses(pty: tuple[int, str]) -> None:
    _, path = pty
    first = opened(f"serial://{path}")
    with pytest.raises(Unreachable, match="another program uses this port"):
        opened(f"serial://{path}")
    with pytest.raises(Unreachable, match="another program uses this port"):
        opened_async(f"serial://{path}")
    first.close()
    opened(f"serial://{path}").close()


def test_a_port_that_is_not_there() -> None:
    for opening in (opened, opened_async):
        with pytest.raises(Unreachable, match=r"there is no such port.*c1222 ports"):
            opening("serial:///dev/ttyUSB99")


def test_a_file_is_no_port(tmp_path: Path) -> None:
    file = tmp_path / "no-port"
    file.write_bytes(b"")
    for opening in (opened, opened_async):
        with pytest.raises(Unreachable, match="no serial port"):
            opening(f"serial://{file}")


def test_missing_permission_names_the_group(tmp_path: Path) -> None:
    file = tmp_path / "port"
    file.write_bytes(b"")
    group = grp.getgrgid(file.stat().st_gid).gr_name
    error = port_error(str(file), PermissionError(errno.EACCES, "Permission denied"), 9600)
    assert f"the group {group}: `sudo usermod -aG {group} $USER`" in str(error)


def test_a_rate_that_the_port_cannot_do() -> None:
    error = port_error("/dev/ttyS0", OSError(errno.EINVAL, "Invalid argument"), 28800)
    assert "28800" in str(error)
    assert "Another rate is needed" in str(error)


def test_an_extra_that_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "serialx", None)
    with pytest.raises(StateError, match=r"install c1222\[serial\]"):
        c1222.connect("serial:///dev/ttyUSB0")
    monkeypatch.setitem(sys.modules, "serial", None)
    with pytest.raises(StateError, match=r"install c1222\[rfc2217\]"):
        c1222.connect("rfc2217://127.0.0.1:3001")


@pytest.mark.parametrize("scheme", ["c1218+tcp", "c1221+tcp", "rfc2217"])
def test_a_bridge_that_is_not_there(scheme: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"{scheme}://127.0.0.1:{unused.getsockname()[1]}"
        for opening in (opened, opened_async):
            with pytest.raises(Unreachable):
                opening(url)


def test_a_bridge_that_closes_says_that_the_port_may_be_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"c1218+tcp://127.0.0.1:{server.getsockname()[1]}"
        line = opened(url)
        server.accept()[0].close()
        with pytest.raises(ConnectionLost, match="another program has the port"):
            line.receive(2.0)
        with pytest.raises(ConnectionLost, match=r"19200 bit/s.*rfc2217"):
            line.set_rate(19200)
        line.close()


def test_octets_never_get_into_a_log(pty: tuple[int, str], caplog: pytest.LogCaptureFixture) -> None:
    ours, path = pty
    caplog.set_level("DEBUG")
    line = opened(f"serial://{path}")
    line.send(b"secret-password")
    os.read(ours, 100)
    line.close()
    assert serialx.__name__
    assert "secret" not in caplog.text


def test_a_meter_whose_port_vanishes_fails_in_words(pty: tuple[int, str]) -> None:
    ours, path = pty

    async def run() -> None:
        async with aio.connect(f"serial://{path}", user_id=2) as meter:
            asyncio.get_running_loop().call_later(0.1, os.close, ours)
            with pytest.raises(ConnectionLost, match="pulled out"):
                await meter.read(1)
            with pytest.raises(ConnectionLost):
                await meter.read(1)

    asyncio.run(run())
