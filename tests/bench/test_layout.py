"""Layouts measured: construct on the declaration, construct without any conversion, and ours, in turn in one run.

pytest tests/bench/test_layout.py --benchmark-enable --benchmark-sort=name
"""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import construct
import pytest

from c1219 import Device
from c1219.engine import generated
from c1219.engine.layout import bind
from c1219.schema import parameters
from tests.c1219.engines import DEMO, formats

ST21 = bytes.fromhex("06 00 00 03 01 00 01 02 00 00")
"""3 summations, 1 demand with its time, 2 tiers, demand reset counter: with INT24, INT32 and TM_FORMAT 3 an ST23 of 52
octets and 16 values."""

PLAIN_BLOCK = construct.Struct(
    "SUMMATIONS" / construct.Array(3, construct.Int24sl),
    "DEMANDS"
    / construct.Array(
        1,
        construct.Struct(
            "EVENT_TIME" / construct.Array(1, construct.Int32ul), "DEMAND" / construct.Array(1, construct.Int32sl)
        ),
    ),
    "COINCIDENTS" / construct.Array(0, construct.Byte),
)
PLAIN = construct.Struct(
    "NBR_DEMAND_RESETS" / construct.Byte, "TOT_DATA_BLOCK" / PLAIN_BLOCK, "TIER_DATA_BLOCK" / PLAIN_BLOCK[2]
)
"""The same record with every condition and dimension written out, and times left as counters."""


class Case:
    """One ST23 in one device, and every way to decode and encode it."""

    def __init__(self) -> None:
        self.device = Device({0: formats(tm=3, ni1=7, ni2=8), 21: ST21})
        self.layout = self.device.bind(23)
        moment = dt.datetime(2026, 11, 22, 14, 30)
        blocks = tuple(((n, n + 1, n + 2), (((moment,), None, None, (n + 3,)),), ()) for n in (100_000, 30_000, 70_000))
        self.octets = self.layout.encode((7, blocks[0], blocks[1:]))
        self.value = self.layout.decode(self.octets)
        self.table = self.device.declaration(23)
        self.others = {name: parameters(self.device[name].value) for name in ("ST0", "ST21")}
        self.parsed = self.table.record.parse(self.octets, **self.others)
        self.plain = PLAIN.parse(self.octets)
        self.path = "ST23.TIER_DATA_BLOCK[1].SUMMATIONS[2]"
        assert (self.layout.size, self.layout.root.values) == (52, 16)
        assert parameters(self.value) == self.parsed

    def ways(self) -> dict[str, Callable[[], Any]]:
        layout, octets, value, record = self.layout, self.octets, self.value, self.table.record
        changed = value._replace(NBR_DEMAND_RESETS=8)
        return {
            "parse: construct, the declaration": lambda: record.parse(octets, **self.others),
            "parse: construct, plain": lambda: PLAIN.parse(octets),
            "parse: ours": lambda: layout.decode(octets),
            "parse: ours, one element by path": lambda: layout.element(self.path).get(octets),
            "parse: ours, one time by path": lambda: layout.element("TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]").get(
                octets
            ),
            "build: construct, the declaration": lambda: record.build(self.parsed, **self.others),
            "build: construct, plain": lambda: PLAIN.build(self.plain),
            "build: ours": lambda: layout.encode(tuple(value)),
            "build: ours, one element changed": lambda: layout.encode(changed),
        }


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


WAYS = list(Case().ways())


@pytest.mark.parametrize("way", WAYS)
def test_speed(benchmark: Any, case: Case, way: str) -> None:
    benchmark.group = way.split(":", maxsplit=1)[0]
    benchmark(case.ways()[way])


def best(ways: dict[str, Callable[[], Any]], rounds: int = 15, calls: int = 40) -> dict[str, float]:
    """Return the best time of a call in seconds, the ways taken in turn."""
    found = dict.fromkeys(ways, 1e9)
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            for _ in range(calls):
                way()
            found[name] = min(found[name], (time.perf_counter() - start) / calls)
    return found


def test_ratios(case: Case, measuring: bool) -> None:
    """The figures that the layout is built for; the yardstick is construct without any conversion."""
    if not measuring:
        pytest.skip("speed is measured with --benchmark-enable")
    times = best(case.ways())
    parse, build = times["parse: construct, plain"], times["build: construct, plain"]
    print({name: f"{seconds * 1e6:.2f} us" for name, seconds in times.items()})
    assert times["parse: ours"] <= 0.08 * parse
    assert times["parse: ours, one element by path"] <= 0.03 * parse
    assert times["parse: ours, one time by path"] <= 0.03 * parse
    assert times["build: ours"] <= 0.2 * build
    assert times["build: ours, one element changed"] <= 0.2 * build


def test_binding_once(case: Case, measuring: bool) -> None:
    """From the declaration to a compiled codec; what is shared by all devices is made anew too."""
    tables = {name: case.device[name].value for name in ("ST0", "ST21")}

    def once() -> None:
        generated.code.cache_clear()
        layout = bind(case.table, tables)
        assert layout.__source__

    seconds = best({"bind": once}, rounds=5, calls=5)["bind"]
    print(f"bind and generate: {seconds * 1e3:.2f} ms")
    assert not measuring or seconds <= 0.003


@pytest.mark.parametrize("kinds", [{"tm": 3, "ni1": 7}, {"tm": 2, "ni1": 10}, {"tm": 1, "ni1": 4, "order": 1}], ids=str)
def test_columns(kinds: dict[str, int], measuring: bool) -> None:
    """100,000 images of one layout."""
    pytest.importorskip("numpy")
    layout = Device({**DEMO, 0: formats(**kinds), 21: ST21}).bind(23)
    zero = layout.encode(tuple(layout.examine(bytes(layout.size)).value))
    images = zero * 100_000
    columns = layout.columns(images)
    values = sum(column.values.size for column in columns.values())
    seconds = best({"columns": lambda: layout.columns(images)}, rounds=3, calls=1)["columns"]
    print(f"{values} values at {values / seconds / 1e6:.0f} million a second")
    assert values == 1_600_000
    assert not measuring or values / seconds >= 5e6
