"""COSEM, side by side: mapping a device beside its registers, and GETs of a register beside a bare TCP echo, in turn.

    python -m tests.bench.cosem [--rounds 5] [--gets 3000]

The echo sends back as many octets as the gateway answers, with blocking sockets and a thread for each client, too.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING

from c1222.gateway.listening import Gateway
from c1222.gateway.sources import file_source
from c1222.gateway.wrapper import frame
from tests.c1219.cosem.cases import sample
from tests.c1222.gateway.dlms_client import AARQ, get

if TYPE_CHECKING:
    from collections.abc import Callable

REQUEST = frame(16, 1, get(3, "1.0.1.8.0.255", 2))
ANSWER = 8 + 13
"""Octets of its answer, wrapper included."""


def _took(work: Callable[[], object], clock: Callable[[], float]) -> float:
    started = clock()
    work()
    return clock() - started


def mapping(name: str, rounds: int) -> float:
    """Return the median of pairs: CPU time of the mapping by that of the registers."""
    device = sample(name)
    device.cosem()
    clock = time.process_time
    return statistics.median(_took(device.cosem, clock) / _took(device.registers, clock) for _ in range(rounds))


def _echo(listening: socket.socket) -> None:
    while True:
        client, _ = listening.accept()
        with client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while octets := client.recv(4096):
                client.sendall(octets[:ANSWER])


def _ask(address: tuple[str, int], first: bytes, count: int) -> float:
    with socket.create_connection(address) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(first)
        client.recv(4096)

        def ask() -> None:
            for _ in range(count):
                client.sendall(REQUEST)
                got = 0
                while got < ANSWER:
                    got += len(client.recv(4096))

        return count / _took(ask, time.perf_counter)


def gets(count: int, rounds: int) -> tuple[float, float]:
    """Return the median of pairs, rate of GETs by rate of the echo, and the best rate of GETs."""
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_echo, args=(listening,), daemon=True).start()
    with Gateway(file_source(sample("polyphase-tou")), port=0) as gateway:
        threading.Thread(target=gateway.serve, daemon=True).start()
        pairs = [
            (_ask(gateway.address, frame(16, 1, AARQ), count), _ask(listening.getsockname(), REQUEST, count))
            for _ in range(rounds)
        ]
    return statistics.median(one / other for one, other in pairs), max(one for one, _ in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--gets", type=int, default=3000)
    options = parser.parse_args()
    for name in ("polyphase-tou", "single-phase"):
        print(f"{name}: mapping is {mapping(name, options.rounds):.2f} times registers()")
    ratio, rate = gets(options.gets, options.rounds)
    print(f"GETs: {ratio:.2f} times the rate of the echo, {rate:.0f} a second")


if __name__ == "__main__":
    main()
