"""A meter goes through its history when somebody looks at what that shows, no sooner, and with the same outcome."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

import c1222
from c1219.codes.events import EventCode
from c1222.client import aio
from c1222.node import running
from c1222.node.simulation.flows import Flows, LoadCurve
from c1222.node.simulation.simulation import MOVING
from c1222.node.store.store import MemoryStore
from c1222.services import identify, tables
from tests.c1222.client.rig import DEVICES
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, SINGLE, UTC, Rig

ALL = [POLYPHASE, SINGLE, BIG]
HOUR, DAY = 3600, 86_400


def octets(rig: Rig) -> dict[str, bytes]:
    """Return all tables of a meter as they are now."""
    rig.device()
    return rig.meter.tables.all()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("seed", range(3))
def test_what_one_looks_at_does_not_matter(name: str, seed: int) -> None:
    """Reads of anything, in any order, and restarts between them: the tables are those of a meter that nobody read."""
    chance = Random(seed)
    store = MemoryStore()
    looked, other = Rig(name, store=store), Rig(name)
    labels = sorted(MOVING | {"ST0", "ST1", "ST21"})
    for _ in range(12):
        seconds = chance.choice((1, 59, 600, 901, 4000, 40_000))
        looked.passes(seconds)
        other.passes(seconds)
        for label in chance.sample(labels, 3):
            looked.meter.look(looked.utc, label)
        if chance.random() < 0.3:
            looked.meter.save()
            looked = Rig(name, store=store, utc=looked.utc)
    assert octets(looked) == octets(other)


@pytest.mark.parametrize("metering", [True, False])
def test_a_mode_that_changes_what_is_counted(metering: bool) -> None:
    """What was not recorded yet is recorded before the mode changes, as it was counted then."""
    looked, other = Rig(), Rig()
    for rig in (looked, other):
        for _ in range(3):
            rig.passes(5000)
            if rig is looked:
                rig.meter.look(rig.utc, "ST23")
            else:
                rig.meter.advance(rig.utc)
            rig.meter.advance(rig.utc)
            mode = rig.meter.tables.value("ST3.ED_MODE")
            rig.meter.tables.set("ST3.ED_MODE", mode._replace(METERING_FLAG=metering, TEST_MODE_FLAG=not metering))
            rig.passes(4000)
            if rig is looked:
                rig.meter.look(rig.utc, "ST23")
        rig.meter.advance(rig.utc)
    assert octets(looked) == octets(other)


def test_counts_of_a_time_before() -> None:
    flows = Flows((0.33, 1.0), LoadCurve(1), UTC)
    for span, metering in ((5000, True), (4000, False), (3000, True)):
        before, counts = flows.last, list(flows.counts)
        flows.advance(before + span, 0, metering=metering)
        earlier = flows.earlier(before, metering=metering)
        assert (earlier.last, earlier.counts) == (before, counts)
        earlier.advance(flows.last, 0, metering=metering)
        assert earlier.counts == flows.counts
        assert (flows.counts != counts) is metering


def test_no_more_is_gone_through_than_shows() -> None:
    rig = Rig(history_days=2)
    simulation = rig.meter.simulation
    assert simulation
    begun = simulation.flows.last
    caller = rig.caller().log_in(MASTER)
    for table in (0, 1, 5, 21, 61):
        caller.read(table)
    assert (simulation.flows.last, simulation.recorded) == (begun, begun)
    caller.read(23)
    assert (simulation.flows.last, simulation.recorded) == (rig.utc, begun)
    caller.one(tables.ReadOffsetRequest(64, 0, 4))
    assert (simulation.flows.last, simulation.recorded) == (rig.utc, rig.utc)
    rig.passes(HOUR)
    caller.write(6, b"X".ljust(230))
    assert (simulation.flows.last, simulation.recorded) == (rig.utc, rig.utc)


@pytest.mark.parametrize("label", sorted(MOVING))
def test_what_moves_is_up_to_date_when_it_is_read(label: str) -> None:
    rig, other = Rig(history_days=2), Rig(history_days=2)
    before, after = rig.meter.tables.get(label), octets(other).get(label)
    if before is None or after is None or before == after:
        pytest.skip("the meter has no such table, or nothing in it moved in two days")
    place = next(i for i, pair in enumerate(zip(before, after, strict=True)) if len(set(pair)) > 1)
    count = min(8, len(after) - place)
    answer = rig.caller().log_in(MASTER).one(tables.ReadOffsetRequest(int(label[2:]), place, count))
    assert isinstance(answer, tables.ReadOffsetResponse)
    assert answer.data == after[place : place + count]


def test_only_what_is_said_to_move_moves() -> None:
    for name in ALL:
        rig = Rig(name)
        before = octets(rig)
        rig.passes(4 * DAY)
        after = octets(rig)
        moved = {
            f"ST{label}" if isinstance(label, int) else str(label) for label in before if before[label] != after[label]
        }
        assert moved <= MOVING, name
        assert "ST23" in moved


def test_a_wrong_password_is_logged_at_its_time() -> None:
    rig = Rig(history_days=2)
    for _ in range(3):
        rig.passes(60)
        rig.caller().log_in({rig.name: b"wrong"}).ask(identify.IdentifyRequest())
    entries = [one for one in rig.device().events().rows if (one.code, one.log) == (EventCode.TAMPER_ATTEMPT, "event")]
    assert max(one.time.timestamp() for one in entries) == pytest.approx(rig.utc, abs=1)


def test_activation_that_is_due_waits_for_no_particular_table() -> None:
    """With something pending every look is a whole one: any table may become another."""
    rig = Rig(history_days=1)
    rig.meter.pending.due["ST6"] = rig.utc + DAY
    simulation = rig.meter.simulation
    assert simulation
    rig.meter.look(rig.utc, "ST6")
    assert simulation.recorded == rig.utc


@pytest.mark.parametrize("name", [POLYPHASE, BIG])
def test_peaks_are_told_at_a_glance_and_are_the_same(name: str) -> None:
    """Most demands are known to be no peak from what was compared before; without that memory the peaks are the same."""

    class Forgetful(dict[str, int]):
        def __setitem__(self, key: str, value: int) -> None: ...

    remembers, forgets = Rig(name), Rig(name)
    for rig in (remembers, forgets):
        assert rig.meter.simulation
        rig.meter.simulation.reset_demand(rig.meter.device)
    registers = forgets.meter.simulation.registers  # type: ignore[union-attr]
    assert registers
    registers._beaten = Forgetful()
    for rig in (remembers, forgets):
        rig.passes(3 * DAY + 77)
        rig.meter.advance(rig.utc)
    kept = remembers.meter.simulation.registers._beaten  # type: ignore[union-attr]
    assert any(count > 0 for count in kept.values())
    assert isinstance(registers._beaten, Forgetful)
    assert octets(remembers) == octets(forgets)
    assert remembers.device()[23].value.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0] > 0


def test_a_poll_of_many_meters_in_one_process() -> None:
    """`tests/bench/poll_simulated.py` does it with 200 on a busy machine."""
    key = bytes(range(16))

    async def poll(url: str, titles: list[str]) -> Counter[str]:
        outcomes: Counter[str] = Counter()

        async def ask(title: str) -> None:
            meter = await network.meter(url, called=title, user_id=2, password="reader-demo")
            try:
                await meter.read("ST1", "ST23")
            except c1222.C1222Error as error:
                outcomes[type(error).__name__] += 1
            else:
                outcomes["answered"] += 1

        async with aio.Network(calling=".123.4", key={2: key}) as network:
            await asyncio.gather(*[ask(title) for title in titles])
        return outcomes

    with running(DEVICES / "polyphase-tou.json", keys={2: key}, count=40, listen=("udp://127.0.0.1:0",)) as node:
        assert asyncio.run(poll(node.url, [str(title) for title in node.titles])) == {"answered": 40}
