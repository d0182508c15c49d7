"""Reads over the loopback interface, beside a bare UDP echo of the same sizes in the same run.

    python -m tests.bench.client [--reads N] [--nodes N] [--rounds N] [--anywhere] [--freeze]

Two processes, each on a core of its own: this one asks, the other is a node (``c1222.node``), or the echo. Everything in
mode 2. Printed are rates a second, their ratio to the echo's, and, for many nodes, how long a read took. On one core
the echo is five times as fast, since it waits for no other core to wake up; ``--anywhere`` lets the system choose.
``--freeze`` takes the meters out of the garbage collector's sight (``gc.freeze``) once they are made, as a head-end would.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import socket
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import c1222
from c1222.client import aio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROFILE = Path(__file__).parents[2] / "specs" / "devices" / "polyphase-tou.json"
KEY = bytes.fromhex("01020304050607080102030405060708")
READER = ".123.4"
TABLE = 1


def pin(core: int | None) -> None:
    """Keep this process on one core."""
    if core is not None:
        os.sched_setaffinity(0, {core})


def _serve_node(count: int, core: int | None, pipe: Any) -> None:
    pin(core)
    from c1222.node import running

    options: Any = {"keys": {2: KEY}, "count": count, "listen": ("udp://127.0.0.1:0",), "simulate": False}
    with running(PROFILE, **options) as node:
        pipe.send((node.url, node.titles))
        pipe.recv()


def _serve_echo(_count: int, core: int | None, pipe: Any) -> None:
    pin(core)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind(("127.0.0.1", 0))
        pipe.send((echo.getsockname(), ()))
        while True:
            octets, address = echo.recvfrom(2000)
            if len(octets) < 2:
                return
            size = int.from_bytes(octets[:2], "big")
            echo.sendto(octets[:size].ljust(size, b"\0"), address)


@contextmanager
def served(serve: Any, count: int = 1, core: int | None = None) -> Iterator[Any]:
    """Run a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(count, core, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


class Sizes:
    """Octets of the last request and answer that a socket carried."""

    def __init__(self, meter: Any) -> None:
        endpoint = meter._endpoint
        self.request = self.answer = 0
        send, receive = endpoint.send, endpoint.receive

        def sent(apdu: bytes) -> None:
            self.request = len(apdu)
            send(apdu)

        def received(timeout: float | None) -> bytes | None:
            apdu: bytes | None = receive(timeout)
            self.answer = len(apdu or b"")
            return apdu

        endpoint.send, endpoint.receive = sent, received


def echo_rate(address: Any, request: int, answer: int, count: int) -> float:
    """Return round trips a second of datagrams of these sizes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.connect(address)
        asker.settimeout(2.0)
        octets = answer.to_bytes(2, "big").ljust(request, b"\0")
        started = time.perf_counter()
        for _ in range(count):
            asker.send(octets)
            asker.recv(2000)
        return count / (time.perf_counter() - started)


def sync_rate(meter: Any, count: int) -> float:
    """Return reads a second in one session."""
    started = time.perf_counter()
    for _ in range(count):
        meter.read(TABLE)
    return count / (time.perf_counter() - started)


async def many(
    url: str, titles: tuple[str, ...], given: argparse.Namespace, bare: Callable[[], float]
) -> list[tuple[float, float, list[float]]]:
    """Return, for each round, round trips of the echo and reads across many nodes a second, and how long each took."""
    rounds = []
    async with aio.Network(calling=READER, key=c1222.Key(2, KEY), outstanding=given.outstanding) as network:
        meters = [
            await network.meter(url, called=title, user_id=2, password="reader-demo", session=True) for title in titles
        ]
        for start in range(0, len(meters), given.workers):
            await asyncio.gather(*[meter.read(TABLE) for meter in meters[start : start + given.workers]])
        if given.freeze:
            gc.collect()
            gc.freeze()
        first = 0
        for _ in range(given.rounds):
            count = 4 * given.reads
            took: list[float] = []
            work = iter(range(first, first + count))
            first += count

            async def worker(work: Iterator[int] = work, took: list[float] = took) -> None:
                for number in work:
                    begun = time.perf_counter()
                    await meters[number % len(meters)].read(TABLE)
                    took.append(time.perf_counter() - begun)

            echo = bare()
            started = time.perf_counter()
            await asyncio.gather(*[worker() for _ in range(given.workers)])
            rounds.append((echo, count / (time.perf_counter() - started), sorted(took)))
        sent_again = sum(meter._operations.conversation.initiator.counters["sent-again"] for meter in meters)
        if sent_again:
            print(f"  {sent_again} requests were sent again")
    return rounds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--reads", type=int, default=500, help="reads of a round; rounds are short, for echo and reads alike"
    )
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--outstanding", type=int, default=64)
    parser.add_argument("--anywhere", action="store_true")
    parser.add_argument("--freeze", action="store_true")
    given = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    core, own = (None, None) if given.anywhere or len(cores) < 2 else cores[:2]
    with served(_serve_echo, 1, core) as (echo, _), served(_serve_node, 1, core) as (url, titles):
        pin(own)
        key = c1222.Key(2, KEY)
        with c1222.connect(
            url, called=titles[0], calling=READER, key=key, session=True, user_id=2, password="reader-demo"
        ) as meter:
            meter.read(TABLE)
            sizes = Sizes(meter)
            meter.read(TABLE)
            request, answer = sizes.request, sizes.answer
            del meter._endpoint.send, meter._endpoint.receive
            print(f"one session, blocking client, ST{TABLE}: {request} octets asked, {answer} answered")
            ratios = []
            for _ in range(given.rounds):
                bare = echo_rate(echo, request, answer, 2 * given.reads)
                rate = sync_rate(meter, given.reads)
                ratios.append(rate / bare)
                print(f"  echo {bare:7.0f}/s   reads {rate:6.0f}/s   ratio {rate / bare:.3f}")
            summary(ratios, 0.12)
    with served(_serve_echo, 1, core) as (echo, _), served(_serve_node, given.nodes, core) as (url, titles):
        print(f"{len(titles)} nodes, asyncio client, {given.workers} readers, {given.outstanding} outstanding:")
        rounds = asyncio.run(many(url, titles, given, lambda: echo_rate(echo, request, answer, 2 * given.reads)))
        tails = []
        for bare, rate, took in rounds:
            tails.append(1000 * took[int(len(took) * 0.99)])
            print(f"  echo {bare:7.0f}/s   reads {rate:6.0f}/s   ratio {rate / bare:.3f}   p99 {tails[-1]:.0f} ms")
        summary([rate / bare for bare, rate, _ in rounds], 0.3)
        print(f"  p99 of all reads {1000 * tail_of(rounds):.0f} ms (wanted under 250)")


def tail_of(rounds: list[tuple[float, float, list[float]]]) -> float:
    """Return how long 99 of 100 reads took at most, seconds."""
    took = sorted(one for _, _, some in rounds for one in some)
    return took[int(len(took) * 0.99)]


def summary(ratios: list[float], wanted: float) -> None:
    """Print median and extremes of ratios."""
    ratios = sorted(ratios)
    print(
        f"  ratio: median {statistics.median(ratios):.3f}, from {ratios[0]:.3f} to {ratios[-1]:.3f} (wanted {wanted})"
    )


if __name__ == "__main__":
    main()
