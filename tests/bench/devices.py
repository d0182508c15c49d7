"""Devices out of traffic, beside decoding alone on the same capture, in turn, in CPU time.

    python -m tests.bench.devices [--reads 100000] [--meters 5000] [--rounds 3]

Registers (ST23, whole) of many meters are read again and again; half of the exchanges are encrypted.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from typing import TYPE_CHECKING

import c1222
from c1222.capture.decoder import decode_capture
from c1222.capture.devices import capture_devices
from c1222.message.epsem import SecurityMode
from c1222.protocol.message import Message
from c1222.services import TableData, tables
from tests.bench.make_capture import make
from tests.c1219.views.example_meter import TABLES
from tests.traffic import HEAD_END, KEY, START, meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.services import Service

TABLE = 23


def register_read(number: int, meters: int) -> bytes:
    """Return a message of the load: requests have even numbers, the response to each the next."""
    which, answers = divmod(number, 2)
    ends = meter(which % meters), HEAD_END
    octets = TABLES[TABLE]
    service: Service = tables.ReadRequest(TABLE)
    if answers:
        service = tables.ReadResponse(TableData(octets[:1] + which.to_bytes(6, "little") + octets[7:]))
    message = Message(
        called=ends[answers],
        calling=ends[1 - answers],
        called_invocation_id=0x01000000 + which if answers else None,
        calling_invocation_id=0x20000000 + which if answers else 0x01000000 + which,
        services=[service],
        security_mode=SecurityMode(2 * (which % meters % 2)),
        key_id=KEY.id,
        iv=(START + number // 4000).to_bytes(4),
    )
    return c1222.encode(message, keys=KEY)


def cpu(work: Callable[[], object]) -> float:
    """Return seconds of CPU time that a piece of work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reads", type=int, default=100_000)
    parser.add_argument("--meters", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    file = io.BytesIO()
    make(file, 2 * given.reads, content=lambda number: register_read(number, given.meters), meters=given.meters)
    octets = file.getvalue()

    def decoded() -> None:
        count = sum(1 for _ in decode_capture(io.BytesIO(octets), keys=KEY))
        assert count == 2 * given.reads

    def collected() -> None:
        devices = capture_devices(io.BytesIO(octets), keys=KEY)
        assert len(devices) == given.meters

    rounds = [(cpu(decoded), cpu(collected)) for _ in range(given.rounds)]
    for decode, devices in rounds:
        rate = 2 * given.reads / devices
        print(f"decode {decode:.2f} s, devices {devices:.2f} s ({rate:,.0f} messages/s): {decode / devices:.2f}")
    print(f"median ratio {statistics.median(one / two for one, two in rounds):.2f}")


if __name__ == "__main__":
    main()
