"""CPU time of a read over the loopback interface, at each end, beside the floor of `tests.bench.floor` in the same run.

    python -m tests.bench.client [--reads N] [--nodes N] [--rounds N] [--table N] [--still] [--freeze]

Two processes: this one asks, the other is a node (``c1222.node``), and in turn the other end of the floor. Everything in
mode 2 and in sessions. What is measured is processor time, the kernel's included, so that neither how fast a system wakes
a process nor what else runs on it counts as much; a ratio is the time of a read by that of an exchange of the floor, at
the same end. ``--still`` takes meters whose registers do not move, ``--freeze`` takes the asking meters out of the
garbage collector's sight (``gc.freeze``) once they are made, as a head-end would.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import socket
import statistics
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import c1222
from c1222.client import aio
from tests.bench import floor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROFILE = Path(__file__).parents[2] / "specs" / "devices" / "polyphase-tou.json"
KEY = c1222.Key(2, bytes.fromhex("01020304050607080102030405060708"))
KEY_OCTETS = bytes.fromhex("01020304050607080102030405060708")
READER = ".123.4"
LOGIN: Any = {"session": True, "user_id": 2, "password": "reader-demo"}


class Ends(NamedTuple):
    """CPU time at both ends, microseconds of an exchange."""

    asking: float
    answering: float


def serve(count: int, simulate: bool, pipe: Any) -> None:
    """Be a node, and the floor's answering end when told to."""
    from c1222.node import running

    options: Any = {"keys": KEY, "count": count, "listen": ("udp://127.0.0.1:0",), "simulate": simulate}
    with running(PROFILE, **options) as node, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        pipe.send((node.url, node.titles, other.getsockname()))
        while True:
            what = pipe.recv()
            pipe.send(time.process_time() if what is None else floor.serve(other, KEY_OCTETS, *what))


class Served:
    """A node in a process of its own.

    Attributes:
        url: where it listens.
        titles: of its meters.
    """

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self.url, self.titles, self._floor = pipe.recv()

    def cpu(self) -> float:
        """Return the CPU time that the node's process took so far, seconds."""
        self._pipe.send(None)
        return float(self._pipe.recv())

    def floor(self, request: floor.Sealed, answer: floor.Sealed, count: int) -> Ends:
        """Measure the floor."""
        self._pipe.send((request, answer, count))
        asking = floor.ask(self._floor, KEY_OCTETS, request, answer, count)
        return Ends(1e6 * asking, 1e6 * float(self._pipe.recv()))


@contextmanager
def served(count: int, *, simulate: bool) -> Iterator[Served]:
    """Run a node."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(count, simulate, there), daemon=True)
    process.start()
    try:
        yield Served(here)
    finally:
        process.terminate()
        process.join()


@contextmanager
def measured(node: Served, count: int, ends: list[Ends]) -> Iterator[None]:
    """Add what so many reads within the block take at both ends."""
    asking, answering = time.process_time(), node.cpu()
    yield
    took = time.process_time() - asking, node.cpu() - answering
    ends.append(Ends(*(1e6 * one / count for one in took)))


def example(meter: Any, table: int) -> tuple[floor.Sealed, floor.Sealed]:
    """Return request and answer of a read in a session, as they were on the wire."""
    endpoint = meter._endpoint
    send, receive = endpoint.send, endpoint.receive
    seen: list[bytes] = []

    def received(timeout: float | None) -> bytes | None:
        apdu: bytes | None = receive(timeout)
        seen.append(apdu or b"")
        return apdu

    def sent(apdu: bytes) -> None:
        seen.append(apdu)
        send(apdu)

    endpoint.send, endpoint.receive = sent, received
    meter.read(table)
    del endpoint.send, endpoint.receive
    session = meter._conversation.initiator.session
    request, answer = seen
    return floor.Sealed.of(request, KEY, session.own_security), floor.Sealed.of(answer, KEY, session.peer_security)


async def many(
    node: Served, given: argparse.Namespace, bare: Callable[[], Ends]
) -> tuple[list[Ends], list[Ends], list[float]]:
    """Return for each round what an exchange of the floor took and a read across many nodes; and how long reads took."""
    bares: list[Ends] = []
    ends: list[Ends] = []
    waits: list[float] = []
    async with aio.Network(calling=READER, key=KEY, outstanding=given.outstanding) as network:
        meters = [await network.meter(node.url, called=title, **LOGIN) for title in node.titles]
        for start in range(0, len(meters), given.workers):
            await asyncio.gather(*[meter.read(given.table) for meter in meters[start : start + given.workers]])
        if given.freeze:
            gc.collect()
            gc.freeze()
        first = 0
        for _ in range(given.rounds):
            work = iter(range(first, first + given.reads))
            first += given.reads

            async def worker(work: Iterator[int] = work) -> None:
                for number in work:
                    begun = time.perf_counter()
                    await meters[number % len(meters)].read(given.table)
                    waits.append(time.perf_counter() - begun)

            bares.append(bare())
            with measured(node, given.reads, ends):
                await asyncio.gather(*[worker() for _ in range(given.workers)])
        sent_again = sum(meter._operations.conversation.initiator.counters["sent-again"] for meter in meters)
        if sent_again:
            print(f"  {sent_again} requests were sent again")
    return bares, ends, waits


def tell(bares: list[Ends], ends: list[Ends]) -> None:
    """Print what a read and an exchange of the floor take, and the ratios of pairs."""
    for name in Ends._fields:
        own, bare = ([getattr(one, name) for one in some] for some in (ends, bares))
        ratios = sorted(one / other for one, other in zip(own, bare, strict=True))
        print(
            f"  {name:9}  {statistics.median(own):4.0f} us a read, floor {statistics.median(bare):3.0f} us, "
            f"ratio: median {statistics.median(ratios):.2f}, from {ratios[0]:.2f} to {ratios[-1]:.2f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reads", type=int, default=1000, help="of a round, and of the floor as many")
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--table", type=int, default=23)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--outstanding", type=int, default=64)
    parser.add_argument("--still", action="store_true")
    parser.add_argument("--freeze", action="store_true")
    given = parser.parse_args()
    with (
        served(1, simulate=not given.still) as node,
        c1222.connect(node.url, called=node.titles[0], calling=READER, key=KEY, **LOGIN) as meter,
    ):
        meter.read(given.table)
        request, answer = example(meter, given.table)
        print(f"blocking client, one session, ST{given.table}: {request.size} octets ask, {answer.size} answer")
        bares: list[Ends] = []
        ends: list[Ends] = []
        for _ in range(given.rounds):
            bares.append(node.floor(request, answer, given.reads))
            with measured(node, given.reads, ends):
                for _ in range(given.reads):
                    meter.read(given.table)
        tell(bares, ends)
    with served(given.nodes, simulate=not given.still) as node:
        print(f"asyncio client, {given.nodes} nodes, {given.workers} readers, {given.outstanding} outstanding")
        bares, ends, waits = asyncio.run(many(node, given, lambda: node.floor(request, answer, given.reads)))
        tell(bares, ends)
        print(f"  99 of 100 reads took at most {1000 * sorted(waits)[int(len(waits) * 0.99)]:.0f} ms")


if __name__ == "__main__":
    main()
