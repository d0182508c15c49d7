"""A modem that is dialled: its answers, its silence, and a meter behind it."""

from __future__ import annotations

import os
import select
import socket
import threading
import tty
from pathlib import Path

import pytest

import c1222
from c1222 import node
from c1222.errors import InvalidUrl, Unreachable
from c1222.transport.lines.modem import Dialing

PROFILE = Path(__file__).parents[4] / "specs" / "devices" / "single-phase.json"


def test_the_commands_and_what_is_said_to_them() -> None:
    dialing = Dialing("5551234")
    assert dialing.begin(0.0) == b"ATZE0Q0V1&C1&D2\r"
    assert dialing.take(b"ATZE0Q0V1&C1&D2\r\r\nO", 0.1) == b""  # the echo, and half of an answer
    assert dialing.take(b"K\r\n", 0.2) == b"ATD5551234\r"
    assert dialing.deadline == 60.2
    assert dialing.take(b"\r\nRING\r\n", 1.0) == b""
    assert not dialing.is_connected
    assert dialing.take(b"CONNECT 9600\r\n", 20.0) == b""
    assert dialing.is_connected


@pytest.mark.parametrize("words", ["NO CARRIER", "NO DIALTONE", "BUSY", "NO ANSWER", "ERROR"])
def test_a_call_that_fails_says_what_the_modem_says(words: str) -> None:
    dialing = Dialing("5551234", "ATZ")
    dialing.begin(0.0)
    dialing.take(b"OK\r\n", 0.0)
    with pytest.raises(Unreachable, match=words):
        dialing.take(f"{words}\r\n".encode(), 1.0)


def test_a_modem_that_is_silent_is_given_up() -> None:
    dialing = Dialing("5551234")
    dialing.begin(0.0)
    assert dialing.take(b"", 9.9) == b""
    with pytest.raises(Unreachable, match="does not say OK"):
        dialing.take(b"", 10.0)


@pytest.mark.parametrize(("number", "init"), [("5\rATH", None), ("", None), ("5551234", "Z"), ("5551234", "ATZ\rATH")])
def test_no_other_command_gets_through(number: str, init: str | None) -> None:
    with pytest.raises(InvalidUrl):
        Dialing(number, init)


def modem(ours: int, port: int, heard: list[bytes]) -> None:
    """Play a modem: two commands, then what a meter says."""
    for answer in (b"\r\nOK\r\n", b"\r\nCONNECT 9600\r\n"):
        command = b""
        while not command.endswith(b"\r"):
            command += os.read(ours, 100)
        heard.append(command)
        os.write(ours, answer)
    with socket.create_connection(("127.0.0.1", port)) as line:
        while True:
            ready, _, _ = select.select([ours, line], [], [], 5.0)
            try:
                if ours in ready:
                    line.sendall(os.read(ours, 4096))
                if line in ready:
                    os.write(ours, line.recv(4096))
            except OSError:
                return
            if not ready:
                return


def test_a_meter_behind_a_modem() -> None:
    ours, device = os.openpty()
    tty.setraw(device)
    heard: list[bytes] = []
    with node.running(PROFILE, listen=("c1221+tcp://127.0.0.1:0",)) as running:
        player = threading.Thread(target=modem, args=(ours, running.port, heard), daemon=True)
        player.start()
        url = f"c1221+serial://{os.ttyname(device)}?dial=5551234"
        with c1222.connect(url, user_id=2, password="reader-demo") as meter:
            os.close(device)
            assert meter.read("ST1.MANUFACTURER")
        player.join(10)
    os.close(ours)
    assert heard == [b"ATZE0Q0V1&C1&D2\r", b"ATD5551234\r"]
