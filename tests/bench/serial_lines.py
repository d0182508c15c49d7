"""What serial lines cost beside the time of the wire, and beside C12.22 over TCP in the same run.

    python -m tests.bench.serial_lines [--reads N] [--ports N] [--rounds N] [--no-pty]

The time of the wire is 10 bit times for every octet of packets and acknowledgements, both ways. A large table is read
at 9600 bit/s, packet size 1024 and no turn-around: over a model of a line with a clock of its own, and over a pseudo
terminal that lets octets through at that rate, in real time. Then reads a second of one small table over ``c1218+tcp``
on the loopback interface and over a session of C12.22 over TCP, in turn, and of many ports from one event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import select
import statistics
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import c1222
from c1219.device import Device
from c1222.client import aio
from c1222.client.serial_initiator import SerialInitiator
from c1222.client.serial_line import line_of
from c1222.node.meter.profile import Profile
from c1222.node.network.serial_station import SerialStation
from c1222.node.settings import Settings, make_fleet
from c1222.protocol.policy import TCP_TIMING
from c1222.serial.link_events import Transmit
from c1222.services.session import LogonRequest, SecurityRequest
from c1222.services.tables import ReadOffsetRequest
from tests.c1222.serial.wire import BIT, Damage, End, Wire

PROFILE = Path(__file__).parents[2] / "specs" / "devices" / "polyphase-tou.json"
USER: dict[str, Any] = {"user_id": 2, "password": "reader-demo"}
KEY = bytes.fromhex("01020304050607080102030405060708")
LARGE, SMALL = 64, 1


class Asking:
    """An initiator as an end of the line model."""

    def __init__(self, initiator: SerialInitiator) -> None:
        self.initiator = initiator

    @property
    def deadline(self) -> float | None:
        return self.initiator.next_deadline()

    def receive(self, octets: bytes, now: float) -> list[Any]:
        self.initiator.receive(octets, now=now, utc=now)
        return self.out(now)

    def tick(self, now: float) -> list[Any]:
        self.initiator.tick(now=now, utc=now)
        return self.out(now)

    def out(self, now: float) -> list[Any]:
        return [Transmit(octets, now) for octets in self.initiator.apdus_to_send()]


class Answering:
    """A station as an end of the line model."""

    def __init__(self, station: SerialStation) -> None:
        self.station = station

    @property
    def deadline(self) -> float | None:
        return self.station.deadline

    def receive(self, octets: bytes, now: float) -> list[Any]:
        return self.station.receive(octets, now, now)

    def tick(self, now: float) -> list[Any]:
        return self.station.tick(now, now)


def virtual_ratio() -> tuple[float, int]:
    """Return elapsed time over the time of the wire, and the octets it carried, on a clock of its own."""
    raw = Device.from_json(PROFILE.read_text("utf-8"))[LARGE].raw
    fleet = make_fleet(Settings(profile=Profile.from_file(PROFILE), simulate=False), utc=0.0)
    initiator = SerialInitiator(line_of({"turn_around": "0", "echo": "off"}), TCP_TIMING)
    asking = End(Asking(initiator), lambda _event, _now: None)
    answering = End(Answering(SerialStation(next(iter(fleet.stations.values())), fleet)), lambda _event, _now: None)
    wire = Wire(asking, answering, Damage())

    def ask(*services: Any) -> Any:
        initiator.request(*services, now=wire.now, utc=0.0)
        wire.do(asking, asking.machine.out(wire.now))
        responses: list[Any] = []

        def is_answered() -> bool:
            responses.extend(one for event in initiator.events() for one in getattr(event, "responses", ()))
            return bool(responses)

        wire.run(wire.now + 1e6, is_answered)
        return responses

    ask(LogonRequest.of(2), SecurityRequest.of("reader-demo"))
    start, before, octets = wire.now, wire.carried, b""
    room = initiator.link.max_size - initiator.link.around
    while len(octets) < len(raw):
        (answer,) = ask(ReadOffsetRequest(LARGE, len(octets), min(room, len(raw) - len(octets))))
        octets += answer.table_data.data
    assert octets == raw
    carried = wire.carried - before
    return (wire.now - start) / (carried * BIT), carried


@contextmanager
def paced(path: str) -> Iterator[tuple[str, list[int]]]:
    """Yield a device that leads to another one at 9600 bit/s, and the octets that went through, counted."""
    ours, device = os.openpty()
    tty.setraw(device)
    far = os.open(path, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(far)
    carried, ended = [0], threading.Event()

    def carry(source: int, target: int) -> None:
        free_at = 0.0
        while not ended.is_set():
            if not select.select([source], [], [], 0.2)[0]:
                continue
            octets = os.read(source, 16)
            free_at = max(free_at, time.perf_counter()) + len(octets) * BIT
            time.sleep(max(0.0, free_at - time.perf_counter()))
            carried[0] += len(octets)
            os.write(target, octets)

    threads = [threading.Thread(target=carry, args=ends, daemon=True) for ends in ((ours, far), (far, ours))]
    for thread in threads:
        thread.start()
    try:
        yield os.ttyname(device), carried
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        for end in (ours, device, far):
            os.close(end)


def _serve(listen: tuple[str, ...], options: dict[str, Any], pipe: Any) -> None:
    from c1222.node import running

    with running(PROFILE, listen=listen, simulate=False, **options) as node:
        pipe.send(([str(url) for url in node.urls], node.title))
        pipe.recv()


@contextmanager
def served(*listen: str, **options: Any) -> Iterator[tuple[list[str], str]]:
    """Run a node in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(listen, options, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def paced_ratio() -> tuple[float, int]:
    """Return elapsed time over the time of the wire, and the octets it carried, in real time."""
    with (
        served("pty:") as (urls, _),
        paced(urls[0].removeprefix("serial://")) as (device, carried),
        c1222.connect(f"serial://{device}?turn_around=0&echo=off", **USER) as meter,
    ):
        meter.read(SMALL)
        before, start = carried[0], time.perf_counter()
        meter.read_octets(LARGE)
        elapsed, octets = time.perf_counter() - start, carried[0] - before
    return elapsed / (octets * BIT), octets


def rate(read: Callable[[int], object], reads: int) -> float:
    """Return reads a second."""
    start = time.perf_counter()
    for _ in range(reads):
        read(SMALL)
    return reads / (time.perf_counter() - start)


def loopback(reads: int, rounds: int) -> tuple[float, float, float]:
    """Return reads a second over a serial line and in a session of C12.22, and the median of their ratio by round."""
    titles: dict[str, Any] = {"called": None, "calling": ".123.4", "session": True, "key": {2: KEY}, "key_id": 2}
    with (
        served("c1218+tcp://127.0.0.1:0", "tcp://127.0.0.1:0", keys={2: KEY}) as (urls, title),
        c1222.connect(urls[0], **USER) as serial,
        c1222.connect(urls[1], **{**titles, "called": title}, **USER) as session,
    ):
        serial.read_octets(SMALL), session.read_octets(SMALL)
        pairs = [(rate(serial.read_octets, reads), rate(session.read_octets, reads)) for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    return ours, theirs, statistics.median(one / other for one, other in pairs)


async def _many(urls: list[str], reads: int) -> float:
    async with asyncio.TaskGroup() as group:
        ready, go = asyncio.Semaphore(0), asyncio.Event()

        async def port(url: str) -> None:
            async with aio.connect(url, **USER) as meter:
                expected = await meter.read_octets(SMALL)
                ready.release()
                await go.wait()
                for _ in range(reads):
                    assert await meter.read_octets(SMALL) == expected

        tasks = [group.create_task(port(url)) for url in urls]
        for _ in urls:
            await ready.acquire()
        start = time.perf_counter()
        go.set()
        await asyncio.wait(tasks)
        return len(urls) * reads / (time.perf_counter() - start)


def ports(count: int, reads: int, listen: str) -> tuple[float, float]:
    """Return reads a second of one port, and of many from one loop together."""
    lines = tuple(f"{listen}?meter={number + 1}" for number in range(count))
    with served(*lines, count=count) as (urls, _):
        options = "?turn_around=0"
        one = asyncio.run(_many([urls[0] + options], reads))
        return one, asyncio.run(_many([url + options for url in urls], max(1, reads // count)))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--reads", type=int, default=400)
    parser.add_argument("--ports", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-pty", action="store_true")
    arguments = parser.parse_args()
    ratio, octets = virtual_ratio()
    print(f"model of a line: {ratio:.3f} x the time of the wire ({octets} octets)")
    if not arguments.no_pty:
        ratio, octets = paced_ratio()
        print(f"paced pseudo terminal: {ratio:.3f} x the time of the wire ({octets} octets)")
    ours, theirs, ratio = loopback(arguments.reads, arguments.rounds)
    print(f"c1218+tcp {ours:.0f} reads/s, session of C12.22 over TCP, mode 2, {theirs:.0f} reads/s: {ratio:.2f}")
    for listen in ("c1218+tcp://127.0.0.1:0", "pty:"):
        one, many = ports(arguments.ports, arguments.reads, listen)
        print(f"{listen.partition(':')[0]}: one port {one:.0f} reads/s, {arguments.ports} ports of one loop {many:.0f}")


if __name__ == "__main__":
    main()
