"""A node that is killed under load, again and again: what it answered with ok is there, and no vector comes twice.

It restarts with a wrong clock most times, which is set right a moment later. Before and after that it hears writes of
former lives again; one carried out a second time would bring an older number back.
How often: the environment variable C1222_KILLS, 5 times by default.
"""

from __future__ import annotations

import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from c1222.message.acse import decode_acse
from c1222.node.meter.profile import Profile
from c1222.protocol.events import Completed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import Timing
from c1222.security.canonical import canonical_header
from c1222.services import session, tables
from c1222.services.tables import TableData
from tests.c1222.node.rig import DEVICES, KEY, MASTER, POLYPHASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KILLS = int(os.environ.get("C1222_KILLS", "5"))
METERS = 8
PROFILE = DEVICES / f"{POLYPHASE}.json"
ONCE = Timing(timeout=60.0, attempts=1)
HOUR, YEAR = 3600, 365 * 86_400
STEPS = (0, 910, -910, 5 * HOUR, -5 * HOUR, YEAR, -YEAR, 10 * YEAR, -10 * YEAR, None)
"""By how many seconds the clock is wrong at a restart; None is a clock that begins in 1970."""
CODE = """
import os, sys, time
true, wrong = time.time, os.open(sys.argv.pop(1), os.O_RDONLY)
time.time = lambda: true() + float(os.pread(wrong, 99, 0))
from c1222.cli import main
main()
"""


class Node:
    """A node in a process of its own."""

    def __init__(self, directory: Path, step: float | None) -> None:
        self._wrong = directory / "wrong"
        self.set_clock(100 - time.time() if step is None else step)
        keys = directory / "keys.toml"
        keys.write_text(f'[[key]]\nid = 2\nhex = "{KEY.hex()}"\n')
        arguments = [
            *("node", "--profile", str(PROFILE), "--keys", str(keys), "--store", str(directory / "store")),
            *("--listen", "udp://127.0.0.1:0", "--count", str(METERS), "--history", "0"),
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, self._wrong, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("listening on udp://"), line
        self.port = int(line.rpartition(":")[2])

    def set_clock(self, wrong: float) -> None:
        """Let its clock be wrong by so many seconds."""
        file = os.open(self._wrong, os.O_CREAT | os.O_WRONLY, 0o600)
        os.pwrite(file, b"%-99f" % wrong, 0)  # in place: it is read all the time
        os.close(file)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def image(size: int, number: int) -> bytes:
    """A table whose octets all follow from a number, so that a torn one shows."""
    return (b"%08d" % number * (size // 8 + 1))[:size]


def number_of(octets: bytes) -> int:
    number = int(octets[:8])
    assert octets == image(len(octets), number), "torn"
    return number


class Writer:
    """Writes two tables of one meter in every message, ever larger numbers, and remembers what was acknowledged."""

    def __init__(self, title: str, number: int) -> None:
        self.identity = Identity(f".9.{number}", {2: KEY})
        self.title = title
        self.sent = 0
        self.acknowledged = 0
        self.written: list[bytes] = []
        self.initiator = self.start()

    def start(self) -> Initiator:
        self.initiator = Initiator(self.identity, self.title, mode=2, key_id=2, timing=ONCE)
        return self.initiator

    def write(self) -> None:
        self.sent += 1
        self.initiator.request(
            session.SecurityRequest.of(MASTER[POLYPHASE], 4),
            tables.WriteRequest(6, TableData(image(230, self.sent))),
            tables.WriteRequest(5, TableData(image(20, self.sent))),
            now=time.monotonic(),
            utc=time.time(),
            tag=self.sent,
        )

    def read(self) -> None:
        self.initiator.request(
            session.SecurityRequest.of(MASTER[POLYPHASE], 4),
            tables.ReadRequest(6),
            tables.ReadRequest(5),
            now=time.monotonic(),
            utc=time.time(),
        )


class Load:
    """All writers over one socket; keeps what the node sent."""

    def __init__(self, port: int, writers: list[Writer], seen: dict[bytes, bytes]) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.writers = writers
        self.by_title = {writer.identity.title: writer for writer in writers}
        self.seen = seen

    def send(self) -> None:
        for writer in self.writers:
            for apdu in writer.initiator.apdus_to_send():
                self.socket.send(apdu)

    def receive(self, wait: float) -> list[tuple[Writer, Completed]]:
        self.send()
        if not select.select([self.socket], [], [], max(0.0, wait))[0]:
            return []
        try:
            octets = self.socket.recv(4096)
        except ConnectionRefusedError:
            return []
        acse = decode_acse(octets)
        authentication = acse.authentication
        assert authentication is not None
        header = canonical_header(acse, key_id=authentication.key_id, iv=authentication.iv)
        assert self.seen.setdefault(header, octets) == octets, "one header for two messages"
        writer = self.by_title[acse.called]
        writer.initiator.receive(octets, now=time.monotonic(), utc=time.time())
        return [(writer, event) for event in writer.initiator.events() if isinstance(event, Completed)]

    def close(self) -> None:
        self.socket.close()


@contextmanager
def running(
    directory: Path, writers: list[Writer], seen: dict[bytes, bytes], chance: random.Random, step: float | None = 0
) -> Iterator[Load]:
    """A node that hears old writes again, with a clock that is wrong at first, and is killed at the end."""
    node = Node(directory, step)
    try:
        replay(node.port, writers, chance)
        time.sleep(0.1)  # it has heard some of it by then
        node.set_clock(0)
        replay(node.port, writers, chance)
        load = Load(node.port, writers, seen)
        try:
            yield load
        finally:
            node.kill()
            load.close()
    finally:
        node.kill()


def replay(port: int, writers: list[Writer], chance: random.Random) -> None:
    """Send writes that were carried out once more, of each writer, and not the last one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.connect(("127.0.0.1", port))
        for writer in writers:
            before = writer.written[:-1]
            for octets in {*before[-1:], *chance.sample(before, min(2, len(before)))}:
                elsewhere.send(octets)


def check(load: Load) -> None:
    """Read everything back."""
    waiting = set(load.writers)
    for writer in load.writers:
        writer.start().events()
        writer.read()
    end = time.monotonic() + 20
    while waiting and time.monotonic() < end:
        for writer, event in load.receive(0.5):
            _, six, five = event.responses
            if writer.sent == 0:
                waiting.discard(writer)
                continue
            found = number_of(six.data) if six.data[:1].isdigit() else 0
            other = number_of(five.data) if five.data[:1].isdigit() else 0
            assert found == other, "half a message"
            assert writer.acknowledged <= found <= writer.sent, f"acknowledged {writer.acknowledged}, found {found}"
            waiting.discard(writer)
    assert not waiting, "no answer"


def test_what_was_acknowledged_outlasts_kill_9(tmp_path: Path) -> None:
    chance = random.Random(7)
    profile = Profile.from_file(PROFILE)
    writers = [Writer(str(profile.title_of(number)), number) for number in range(METERS)]
    seen: dict[bytes, bytes] = {}
    steps = [chance.choice(STEPS) for _ in range(KILLS)]
    for step in steps:
        with running(tmp_path, writers, seen, chance, step) as load:
            check(load)
            for writer in writers:
                writer.write()
            end = time.monotonic() + chance.uniform(0.05, 0.4)
            while time.monotonic() < end:
                for writer, event in load.receive(end - time.monotonic()):
                    assert not any(response.code for response in event.responses), event.responses
                    writer.acknowledged = event.exchange.tag
                    writer.written.append(event.exchange.octets)
                    writer.write()
    with running(tmp_path, writers, seen, chance) as load:
        check(load)
    acknowledged = sum(writer.acknowledged for writer in writers)
    wrong = sum(step != 0 for step in steps)
    print(
        f"{KILLS} kills, {wrong} restarts with a wrong clock, {acknowledged} writes acknowledged, {len(seen)} messages of the node, no header twice"
    )
    assert acknowledged > 10 * KILLS
