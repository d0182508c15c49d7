"""Load profile of 30 days, 4 channels and 96 intervals: the declaration's own parse, the bound layout, rows, columns.

pytest tests/bench/test_load_profile.py --benchmark-enable --benchmark-sort=name
"""

from __future__ import annotations

import datetime as dt
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from c1219.export.arrow import load_profile_table
from c1219.schema import parameters
from c1219.tables.decade6_load_profile import LP_DATA_SET1_TBL
from c1219.views.load_profile import load_profile
from tests.c1219.views.meter import Truth, zoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1219.device import Device

ROWS, COLUMNS = 0.6, 0.04
"""What rows and Arrow columns may take, in parts of the declaration's own parse."""


def month() -> Device:
    """A meter in summer time with extended and simple status, scalars, end readings and pulses, all in agreement."""
    random.seed(1)
    blocks = [[[random.randrange(500) for _ in range(4)] for _ in range(96)] for _ in range(30)]
    totals = [[sum(row[slot] for row in block) for slot in range(4)] for block in blocks]
    running = [[sum(total[slot] for total in totals[: n + 1]) for slot in range(4)] for n in range(30)]
    return Truth(
        blocks,
        [dt.datetime(2024, 6, 2) + dt.timedelta(days=n) for n in range(30)],
        per_block=96,
        status=[[b"\x10\0\0"] * 96] * 30,
        valid=[set(range(96))] * 30,
        readings=[[10 * value for value in values] for values in running],
        pulses=running,
        scalars=[1] * 4,
        divisors=[10] * 4,
        tables=zoned(),
    ).device()


def engines() -> dict[str, Callable[[], Any]]:
    device = month()
    octets = device[64].raw
    others = {name: parameters(device[name].value) for name in ("ST0", "ST61", "ST62")}
    return {
        "construct": lambda: LP_DATA_SET1_TBL.record.parse(octets, **others),
        "layout": lambda: device.bind(64).decode(octets),
        "rows": lambda: load_profile(device, 1),
        "columns": lambda: load_profile_table(device, 1),
    }


@pytest.mark.parametrize("way", ["construct", "layout", "rows", "columns"])
def test_month(benchmark: Any, way: str) -> None:
    benchmark.group = "load profile, 11,520 values"
    benchmark(engines()[way])


def test_ratios(measuring: bool) -> None:
    """In turn, the best of a few runs each: only ratios of the same run mean something."""
    ways = engines()
    assert [row.value for row in load_profile(month(), 1)][:4] != [None] * 4
    if not measuring:
        pytest.skip("speed is measured with --benchmark-enable")
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(5):
        for name, run in ways.items():
            for _ in range(1 if name == "construct" else 4):
                start = time.process_time()
                run()
                best[name] = min(best[name], time.process_time() - start)
    print({name: f"{seconds * 1000:.2f} ms, {seconds / best['construct']:.4f}" for name, seconds in best.items()})
    assert best["rows"] <= ROWS * best["construct"]
    assert best["columns"] <= COLUMNS * best["construct"]
