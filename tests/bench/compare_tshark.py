"""Compares the way from a capture to messages with tshark's, in turn, on one core.

    python -m tests.bench.compare_tshark [--count 100000] [--runs 5] [--core 0] [--distinct]

Each run is a process of its own, start included, as users start it: with compiled modules (a first run, which is not
counted, may have to compile them) and buffered output. What counts is its CPU time, which neighbours on the machine
disturb least. The capture is that of ``make_capture``: UDP, half of the messages encrypted, each side has the key.

* tshark's full dissection without output: ``-q`` with a statistic over ``c1222.crypto_good``, so that every message is
  dissected and decrypted, and the count shows that it was;
* ``decode_capture``: every MAC verified, every list of services split, no service decoded;
* ``-T fields`` with fields for what a JSON line has, as far as tshark has it: nothing of what is in responses;
* ``-T json``, and our JSON lines. tshark does not decode tables, so ``--no-tables`` is the like of what it does.

A head end asks all meters for the same, and the capture does so with 54 reads; ``--distinct`` makes every request another.
No table of it can be decoded, as no meter shows its ST0. With ``--tables`` the capture is that of ``tests.bench.report``:
each meter is read whole, table by table, ST0 and load profiles among them, and then its current registers (ST23).
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.bench.make_capture import make
from tests.bench.report import read
from tests.traffic import KEY, exchange

FIELDS = [
    "frame.number",
    "frame.time_epoch",
    "ip.src",
    "udp.srcport",
    "ip.dst",
    "udp.dstport",
    "c1222.called_ap_title_abs",
    "c1222.called_ap_title_rel",
    "c1222.calling_ap_title_abs",
    "c1222.calling_ap_title_rel",
    "c1222.called_AP_invocation_id",
    "c1222.calling_AP_invocation_id",
    "c1222.calling_AE_qualifier",
    "c1222.mechanism_name",
    "c1222.key_id_element",
    "c1222.iv_element",
    "c1222.epsem.flags",
    "c1222.crypto_good",
    "c1222.epsem.edclass",
    "c1222.cmd",
    "c1222.err",
    "c1222.read.table",
    "c1222.read.offset",
    "c1222.read.count",
    "c1222.write.table",
    "c1222.write.offset",
    "c1222.write.data",
    "c1222.logon.id",
    "c1222.security.password",
]
LIBRARY = """
import sys
from c1222.capture.decoder import decode_capture
decoder = decode_capture(sys.argv[1], keys={int(sys.argv[2]): bytes.fromhex(sys.argv[3])})
for message in decoder:
    pass
print(decoder.counters.verified)
"""
PAIRS = (
    ("full dissection", "decode_capture"),
    ("-T fields", "jsonl"),
    ("-T json", "jsonl"),
    ("-T fields", "jsonl with tables"),
    ("-T json", "jsonl with tables"),
    ("-T fields", "jsonl with readings"),
)


def commands(folder: Path, capture: Path) -> dict[str, tuple[list[str], str | None]]:
    """Return for each way its command, and what its output must contain; the output of others is thrown away."""
    keys = folder / "keys.toml"
    keys.write_text(f'[[key]]\nid = {KEY.id}\nhex = "{KEY.octets.hex()}"\n', "utf-8")
    table = folder / ".config/wireshark/c1222_decryption_table"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(f'"{KEY.id}",{KEY.octets.hex()}\n', "utf-8")
    tshark = [shutil.which("tshark") or "tshark", "-r", str(capture), "-o", "c1222.decrypt:TRUE"]
    tshark += ["-o", "c1222.baseoid:2.16.124.113620.1.22.0"]
    decode = [sys.executable, "-c", "from c1222.cli import main; main()", "decode", str(capture), "--format", "jsonl"]
    decode += ["--keys", str(keys)]
    script = folder / "library.py"
    script.write_text(LIBRARY, "utf-8")
    return {
        "full dissection": ([*tshark, "-q", "-z", "io,stat,0,COUNT(c1222.crypto_good)c1222.crypto_good"], "verified"),
        "decode_capture": ([sys.executable, str(script), str(capture), str(KEY.id), KEY.octets.hex()], "verified"),
        "-T fields": ([*tshark, "-T", "fields", *(word for field in FIELDS for word in ("-e", field))], None),
        "-T json": ([*tshark, "-T", "json"], None),
        "jsonl": ([*decode, "--no-tables"], None),
        "jsonl with tables": ([*decode, "--no-readings"], None),
        "jsonl with readings": (decode, None),
    }


def _environment() -> dict[str, str]:
    """Return the environment without what makes Python slower for those who develop with it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(command: list[str], expected: str | None, home: Path, core: int) -> tuple[float, float]:
    """Run a command on one core; return its CPU time and the time by the clock, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        ["taskset", "-c", str(core), *command],
        stdout=subprocess.DEVNULL if expected is None else subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**_environment(), "HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    clock = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode or (expected is not None and expected not in done.stdout):
        raise SystemExit(f"{command}: exit code {done.returncode}, {done.stdout}{done.stderr}")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="messages, a multiple of 4")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--distinct", action="store_true", help="make every request another")
    parser.add_argument("--tables", action="store_true", help="meters that show all their tables")
    parser.add_argument("--meters", type=int, default=200, help="meters with --tables")
    parser.add_argument("--only", action="append", help="only these ways, by a part of their names")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        capture = folder / "exchanges.pcap"
        if arguments.tables:
            content = partial(read, meters=arguments.meters)
            make(capture, arguments.count, content=content, meters=arguments.meters)
        else:
            make(capture, arguments.count, content=partial(exchange, distinct=arguments.distinct))
        ways = commands(folder, capture)
        if arguments.only:
            ways = {way: ways[way] for way in ways if any(part in way for part in arguments.only)}
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for number in range(-1, arguments.runs):
            for way, (command, expected) in ways.items():
                wanted = None if expected is None else str(arguments.count // 2)
                taken = run(command, wanted, folder, arguments.core)
                if number >= 0:
                    times[way].append(taken)
            if number < 0:
                continue
            print(f"run {number + 1}: " + ", ".join(f"{way} {own[-1][0]:.2f} s" for way, own in times.items()))
    print(f"\n{arguments.count} messages, medians of {arguments.runs} runs:")
    for way, taken in times.items():
        cpu, clock = (statistics.median(values) for values in zip(*taken, strict=True))
        print(f"{way:16} {cpu:6.2f} s CPU {clock:6.2f} s clock {arguments.count / cpu:9,.0f} messages/s")
    for theirs, ours in PAIRS:
        if theirs in times and ours in times:
            ratios = [
                statistics.median(a[i] / b[i] for a, b in zip(times[theirs], times[ours], strict=True)) for i in (0, 1)
            ]
            print(f"{ours} against tshark {theirs}: {ratios[0]:.2f} (clock {ratios[1]:.2f})")


if __name__ == "__main__":
    main()
