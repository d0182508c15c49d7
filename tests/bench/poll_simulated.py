"""How many of many simulated meters answer a poll, in one process with the client, on a machine that is busy.

    python tests/bench/poll_simulated.py [--meters 200] [--rounds 10] [--busy 2] [ELEMENT...]

Every round makes the meters anew, so that each of them has the history of its load before it when it is first asked.
ELEMENT is what is read from each, ST1 and ST23 when left out. Exits with 1 if one does not answer.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections import Counter
from pathlib import Path

import c1222
from c1222.client import aio
from c1222.node import RunningNode, running

PROFILE = Path(__file__).parents[2] / "specs" / "devices" / "polyphase-tou.json"
KEY = bytes(range(16))


def burn() -> None:
    """Keep a core busy."""
    while True:
        sum(range(100_000))


async def poll(node: RunningNode, elements: list[str]) -> Counter[str]:
    """Read from every meter at once; return how often each outcome came."""
    outcomes: Counter[str] = Counter()

    async def ask(network: aio.Network, title: str) -> None:
        meter = await network.meter(node.url, called=title, user_id=2, password="reader-demo")
        try:
            await meter.read(*elements)
        except c1222.C1222Error as error:
            outcomes[type(error).__name__] += 1
        else:
            outcomes["answered"] += 1

    async with aio.Network(calling=".123.4", key={2: KEY}) as network:
        await asyncio.gather(*[ask(network, title) for title in node.titles])
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--meters", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--busy", type=int, default=2, help="processes that keep cores busy meanwhile")
    parser.add_argument("elements", nargs="*", default=["ST1", "ST23"], metavar="ELEMENT")
    given = parser.parse_args()
    others = [multiprocessing.get_context("spawn").Process(target=burn, daemon=True) for _ in range(given.busy)]
    for other in others:
        other.start()
    failed = 0
    try:
        for number in range(given.rounds):
            with running(PROFILE, keys={2: KEY}, count=given.meters, listen=("udp://127.0.0.1:0",)) as node:
                started = time.perf_counter()
                outcomes = asyncio.run(poll(node, given.elements))
                seconds = time.perf_counter() - started
            failed += given.meters - outcomes["answered"]
            told = ", ".join(f"{name} {count}" for name, count in outcomes.items())
            print(f"round {number + 1}: {told} of {given.meters}, {seconds:.1f} s", flush=True)
    finally:
        for other in others:
            other.kill()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
