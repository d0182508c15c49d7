"""Compares captures in columns with messages one by one, and with tshark's fields, in turn, on one core.

    python -m tests.bench.bulk [--count 100000] [--runs 5] [--core 0] [--no-tshark]

The capture is that of ``make_capture``: UDP, half of the messages encrypted under one key; then one where each meter has
its own key and sends 20 messages. Each run is a process of its own; what counts is CPU time in it after everything was
imported, but for tshark, whose start is in it. Medians of the runs, and of their ratios.

* ``decode_capture``: every MAC verified, no service decoded, no column made;
* ``Messages``: the same, and all of its columns made, as a table of Arrow;
* ``frames``, ``decode``: the two halves of the columns, every column made; ``columns`` is both together;
* ``parquet``: both, and the columns written with Zstandard;
* ``one by one``: every MAC and every body of the encrypted messages by `EAXPrime`; ``together``: by `open_rows`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.compare_tshark import commands, run
from tests.bench.make_capture import make
from tests.traffic import KEY, exchange

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES_OF_A_METER = 20


def own_key(number: int) -> bytes:
    """Return an encrypted request to one of many meters, each with a key of its own."""
    import c1222
    from c1222.message.epsem import SecurityMode
    from c1222.services import tables

    meter = number // MESSAGES_OF_A_METER
    message = c1222.Message(
        called=c1222.ApTitle(f".7.{meter}"),
        calling=c1222.ApTitle(".4"),
        calling_invocation_id=0x01000000 + number,
        services=[tables.ReadOffsetRequest(23, 4 * (number % 7), 60)],
        security_mode=SecurityMode.CIPHERTEXT_AUTHENTICATION,
        key_id=2,
        iv=number.to_bytes(4),
    )
    return c1222.encode(message, keys=key_of(meter))


def key_of(meter: int) -> Any:
    """Return the key of a meter."""
    from c1222 import Key

    return Key(2, (1 << 64 | meter).to_bytes(16), f".7.{meter}")


def measured(path: str, meters: int) -> dict[str, float]:
    """Return the CPU time of every way, in seconds; each starts with nothing remembered."""
    import c1222
    from c1219.caches import drop_caches
    from c1222 import bulk

    store = c1222.KeyStore([key_of(meter) for meter in range(meters)] if meters else [KEY])
    times: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        drop_caches()
        start = time.process_time()
        result = work()
        times[name] = time.process_time() - start
        return result

    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder) / "few.pcap", 400, content=exchange)
        few = Path(folder) / "few.pcap"
        list(bulk.decode(bulk.frames(few), KEY))  # what is imported late, and the compiled pattern
        c1222.Messages(c1222.decode_capture(few, keys=KEY)).to_arrow()

    count = timed("decode_capture", lambda: sum(1 for _ in c1222.decode_capture(path, keys=store)))
    made = timed("Messages", lambda: c1222.Messages(c1222.decode_capture(path, keys=store)).to_arrow())
    batches = timed("frames", lambda: list(bulk.frames(path)))
    decoded = timed("decode", lambda: list(bulk.decode(batches, store)))
    assert count == made.num_rows == sum(batch.num_rows for batch in decoded)
    times["columns"] = times["frames"] + times["decode"]
    timed("parquet", lambda: _parquet(bulk.decode(bulk.frames(path), store)))
    _verification(batches, store, timed)
    return times


def _parquet(batches: Any) -> None:
    """Write batches as Parquet, into memory."""
    import io

    import pyarrow.parquet as pq

    writer = None
    for batch in batches:
        writer = writer or pq.ParquetWriter(io.BytesIO(), batch.schema, compression="zstd")
        writer.write_batch(batch)
    if writer is not None:
        writer.close()


def _verification(batches: list[Any], store: Any, timed: Callable[[str, Callable[[], Any]], Any]) -> None:
    """Time the MACs and bodies alone, of what is opened together."""
    from c1222.bulk import opening
    from c1222.security.eax_prime_rows import open_rows

    asked: list[tuple[Any, Any]] = []

    def watched(keys: Any, groups: Any) -> Any:
        asked.append((keys, groups))
        return open_rows(keys, groups)

    from c1222 import bulk

    opening.open_rows = watched
    try:
        list(bulk.decode(batches, store))
    finally:
        opening.open_rows = open_rows
    single = [
        (keys[position], header.tobytes(), sealed.tobytes())
        for keys, groups in asked
        for rows in groups
        for position, header, sealed in zip(rows.key.tolist(), rows.header, rows.sealed, strict=True)
    ]
    timed("one by one", lambda: [key.eax.decrypt(header, sealed) for key, header, sealed in single])
    timed("together", lambda: [open_rows(keys, groups) for keys, groups in asked])


def child(path: str, meters: int, core: int) -> dict[str, float]:
    """Measure in a process of its own."""
    line = f"import json; from tests.bench.bulk import measured; print(json.dumps(measured({path!r}, {meters})))"
    done = subprocess.run(
        ["taskset", "-c", str(core), sys.executable, "-c", line],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    times: dict[str, float] = json.loads(done.stdout)
    return times


def report(title: str, runs: list[dict[str, float]], count: int) -> None:
    print(f"\n{title}, {count} messages, medians of {len(runs)} runs:")
    for name in runs[0]:
        cpu = statistics.median(times[name] for times in runs)
        print(f"{name:16} {cpu:6.2f} s CPU {cpu / count * 1e6:6.2f} us a message")
    pairs = [
        ("decode_capture", "columns"),
        ("decode_capture", "parquet"),
        ("decode_capture", "together"),
        ("Messages", "columns"),
        ("one by one", "together"),
        ("tshark", "columns"),
    ]
    for slow, fast in pairs:
        if slow in runs[0]:
            ratio = statistics.median(times[slow] / times[fast] for times in runs)
            print(f"{slow} / {fast}: {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="messages, a multiple of 20")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--no-tshark", action="store_true")
    arguments = parser.parse_args()
    count = arguments.count
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few, own = folder / "few.pcap", folder / "own.pcap"
        make(few, count, content=exchange)
        make(own, count, content=own_key, meters=1)
        command, _ = commands(folder, few)["-T fields"]
        of_few, of_own = [], []
        for _ in range(arguments.runs):
            of_few.append(child(str(few), 0, arguments.core))
            if not arguments.no_tshark:
                of_few[-1]["tshark"] = run(command, None, folder, arguments.core)[0]
            of_own.append(child(str(own), count // MESSAGES_OF_A_METER, arguments.core))
    report("one key, half encrypted", of_few, count)
    report("every meter its own key", of_own, count)


if __name__ == "__main__":
    main()
