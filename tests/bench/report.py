"""The page of a large capture: how long it takes to make, and how large it is.

    python -m tests.bench.report [--messages 100000] [--meters 200] [--page FILE]

Every meter is read again and again as head-ends do: all its registers, its load profiles and logs, once what they depend
on, and then its current registers; half of the meters encrypt.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import time
from functools import cache
from pathlib import Path

import c1222
from c1219 import Device
from c1219.tableid import table_id
from c1222 import Message
from c1222.message.epsem import SecurityMode
from c1222.report import capture_report
from c1222.services import Service, TableData, tables
from tests.bench.make_capture import make
from tests.c1222.report.pages import sample
from tests.traffic import HEAD_END, KEY, START, meter


@cache
def contents() -> list[tuple[int, bytes]]:
    """Return number and octets of the tables of a meter."""
    device: Device = sample()
    secret = [label for label in device if device.declaration(label).secret]
    return [(table_id(label), device[label].raw) for label in device if label not in {*secret, "ST7", "ST8"}]


def read(number: int, meters: int) -> bytes:
    """Return a message of the load: requests have even numbers, the response to each the next."""
    which, answers = divmod(number, 2)
    turn, one = divmod(which, meters)
    known = contents()
    table, octets = known[turn] if turn < len(known) else next(item for item in known if item[0] == 23)
    ends = meter(one), HEAD_END
    service: Service = tables.ReadResponse(TableData(octets)) if answers else tables.ReadRequest(table)
    message = Message(
        called=ends[answers],
        calling=ends[1 - answers],
        called_invocation_id=0x01000000 + which if answers else None,
        calling_invocation_id=0x20000000 + which if answers else 0x01000000 + which,
        services=[service],
        security_mode=SecurityMode(2 * (one % 2)),
        key_id=KEY.id,
        iv=(START + number // 4000).to_bytes(4),
    )
    return c1222.encode(message, keys=KEY)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--meters", type=int, default=200)
    parser.add_argument("--page", type=Path, help="also write the page there")
    given = parser.parse_args()
    file = io.BytesIO()
    make(file, given.messages, content=lambda number: read(number, given.meters), meters=given.meters)
    wall, cpu = time.perf_counter(), time.process_time()
    page = capture_report(io.BytesIO(file.getvalue()), made=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), keys=KEY)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    sections = page.count('<details class="meter"')
    print(f"{given.messages:,} messages of {given.meters:,} meters: {wall:.1f} s ({cpu:.1f} s of CPU time)")
    print(f"{len(page.encode()) / 1e6:.2f} MB, {sections} meters with a section")
    if given.page is not None:
        given.page.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
