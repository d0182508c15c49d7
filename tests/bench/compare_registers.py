"""Rows of the registers of a sample meter: this checkout and another one, in turn, each in a process of its own.

    python -m tests.bench.compare_registers OTHER [--turns 9] [--device specs/devices/polyphase-tou.json]

OTHER is the folder of another checkout. A turn is the median of 20 calls of `Device.registers` on tables that are
decoded; printed are the medians of the turns, for each row, and their ratio.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "specs" / "devices" / "polyphase-tou.json"
CALLS = 20


def measure(device: str) -> None:
    """Print the time of a call and how many rows it gave."""
    from c1219 import Device

    meter = Device.from_json(Path(device).read_text("utf-8"))
    rows = len(meter.registers())
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        meter.registers()
        times.append(time.perf_counter() - begin)
    print(statistics.median(times), rows)


def turn(checkout: Path, device: Path) -> tuple[float, int]:
    """Measure one checkout."""
    command = [sys.executable, "-P", __file__, str(checkout), "--device", str(device), "--measure"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    words = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.split()
    return float(words[0]), int(words[1])


def main() -> None:
    """Compare two checkouts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--device", type=Path, default=SAMPLE)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(str(arguments.device))
        return
    turns = [[turn(checkout, arguments.device) for checkout in (arguments.other, ROOT)] for _ in range(arguments.turns)]
    other, own = (statistics.median(one[place][0] for one in turns) for place in (0, 1))
    rows = [one[1] for one in turns[0]]
    print(f"{rows[0]} and {rows[1]} rows: {other / rows[0] * 1e6:.1f} and {own / rows[1] * 1e6:.1f} µs a row")
    print(f"ratio {own / other:.2f}")


if __name__ == "__main__":
    main()
