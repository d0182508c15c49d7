"""Readings by columns, beside the message road and beside what pyarrow needs to write them, in turn, in CPU time.

    python -m tests.bench.readings [--answers 100000] [--meters 1000] [--days 30] [--rounds 5] [--by-messages 2000]

* Registers: encrypted answers to reads of ST23 of one configuration, from the capture to readings. The message road
  (`decode_capture`, `CapturedDevices` and the view of registers, message by message, to an Arrow table) takes so long
  that it is given `--by-messages` of the answers, and its time is taken per answer.
* Load profile: device files of meters with four channels of 15 minutes, to Parquet by day, beside `write_table` of the
  same finished table, zstd like it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import statistics
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import c1222
from c1219 import Device
from c1219.tabular.arrow import arrow_table
from c1219.tabular.readings import READINGS
from c1219.views.registers import Registers
from c1222 import bulk
from c1222.bulk.parquet.work import carried_out, units_of
from c1222.capture.devices import CapturedDevices
from c1222.message.epsem import SecurityMode
from tests.c1222.bulk.meters.polled import SAMPLES, Read, polled, whole
from tests.c1222.bulk.meters.test_measured import REGISTERS, capture, datagrams
from tests.traffic import KEY

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE = SAMPLES["polyphase-tou"]
MODE = SecurityMode.CIPHERTEXT_AUTHENTICATION


def cpu(work: Callable[[], Any]) -> float:
    """Return seconds of CPU time that a piece of work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def answers(count: int, meters: int = 500) -> bytes:
    """Return a capture of reads of ST23."""
    image = SAMPLE["ST23"].raw
    offset = SAMPLE.layout("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]").offset
    apdus = []
    for number in range(count):
        octets = image[:offset] + number.to_bytes(4, "little") + image[offset + 4 :]
        apdus += polled(f".7.{number % meters}", Read("ST23", octets), number, MODE)
    return capture(datagrams(apdus), step_ns=1_000_000)


def by_messages(octets: bytes, devices: list[Device]) -> Decimal:
    """Return the sum of all values, by the message road."""
    captured = CapturedDevices(devices)
    rows: list[Any] = []
    for message in c1222.decode_capture(io.BytesIO(octets), keys=KEY):
        title = captured.add(message)
        if title is not None:
            view = captured[title].registers()
            rows += Registers(
                tuple(row for row in view if row.table == "ST23"), (), view.origin, view.sources
            ).table_rows()
    return sum((value for value in arrow_table(READINGS, rows)["value"].to_pylist() if value), Decimal(0))


def by_columns(octets: bytes, devices: list[Device]) -> Decimal:
    """Return the same sum, by columns."""
    import pyarrow.compute as pc

    total = Decimal(0)
    for batch in bulk.readings(bulk.decode(bulk.frames(io.BytesIO(octets)), KEY), devices):
        total += pc.sum(batch.column("value")).as_py() or 0
    return total


def registers(count: int, few: int, rounds: int) -> None:
    known = Device({read.label: read.octets for read in whole(SAMPLE) if read.label not in REGISTERS})
    few_octets, octets = answers(few), answers(count)
    assert by_messages(few_octets, [known]) == by_columns(few_octets, [known])
    ratios = []
    for _ in range(rounds):
        slow = cpu(lambda: by_messages(few_octets, [known])) / few
        fast = cpu(lambda: by_columns(octets, [known])) / count
        ratios.append(slow / fast)
        print(f"message road {slow * 1e6:.0f} us an answer, columns {fast * 1e6:.1f} us: {slow / fast:.1f}")
    print(f"registers, median ratio {statistics.median(ratios):.1f}")


def profile_files(folder: Path, meters: int, days: int) -> list[str]:
    """Write device files of meters with so many days of four channels."""
    device = Device({label: SAMPLE[label].raw for label in SAMPLE if label not in {"ST64", "ST65", *REGISTERS}})
    device.put("ST61", device.encode("ST61", SAMPLE["ST61"].value._replace(NBR_BLKS_SET1=days)))
    status = SAMPLE["ST63"].value
    own = status.LP_STATUS_SET1._replace(NBR_VALID_BLOCKS=days, LAST_BLOCK_ELEMENT=days - 1, NBR_VALID_INT=96)
    device.put("ST63", device.encode("ST63", status._replace(LP_STATUS_SET1=own)))
    block = device.layout("ST64.LP_DATA_SETS1[0]")
    image = np.tile(np.frombuffer(SAMPLE["ST64"].raw[: block.size], np.uint8), (days, 1)).copy()
    first = dt.datetime(2026, 6, 1)
    time = device.layout("ST64.LP_DATA_SETS1[0].BLK_END_TIME")
    for day in range(days):
        image[day, : time.size] = np.frombuffer(time.encode(first + dt.timedelta(days=day)), np.uint8)
    data = device.layout("ST64.LP_DATA_SETS1[0].LP_INT[0].INT_DATA")
    step = device.layout("ST64.LP_DATA_SETS1[0].LP_INT[1].INT_DATA").offset - data.offset
    names = []
    rng = np.random.default_rng(1)
    for number in range(meters):
        for at in range(data.offset, block.size, step):
            image[:, at : at + data.size : 2] = rng.integers(0, 256, (days, data.size // 2))
            image[:, at + 1 : at + data.size : 2] = rng.integers(0, 4, (days, data.size // 2))
        device.put("ST64", image.tobytes())
        device.put("ST1", SAMPLE["ST1"].raw[:-8] + f"{number:08}".encode())
        device.node["ap_title"] = f".9.{number}"
        names.append(str(folder / f"meter-{number}.json"))
        Path(names[-1]).write_text(device.to_json(), "utf-8")
    return names


def profiles(meters: int, days: int, rounds: int) -> None:
    ratios = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = profile_files(folder, meters, days)
        for number in range(rounds):
            options = {"keys": None, "given": (), "ports": (), "by_content": True}
            units, _ = units_of([], files, what="readings", out=str(folder / f"out{number}"), **options)
            done: list[Any] = []
            own = cpu(lambda units=units, done=done: done.extend(carried_out(units)))
            rows = sum(one.rows for one in done)
            finished = pa.Table.from_batches(list(bulk.device_readings(map(read_device, files))))
            assert finished.num_rows == rows == meters * days * 96 * 4
            write = cpu(lambda table=finished: pq.write_table(table, folder / "finished.parquet", compression="zstd"))
            ratios.append(own / write)
            print(
                f"{rows:,} intervals: device files to Parquet {own:.2f} s, write_table {write:.2f} s: {own / write:.2f}"
            )
    print(f"load profiles, median ratio {statistics.median(ratios):.2f}")


def read_device(name: str) -> Device:
    return Device.from_json(Path(name).read_bytes())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--by-messages", type=int, default=2000)
    parser.add_argument("--meters", type=int, default=1000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    registers(given.answers, given.by_messages, given.rounds)
    profiles(given.meters, given.days, given.rounds)


if __name__ == "__main__":
    main()
