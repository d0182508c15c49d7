"""Registers, demands and what is kept of them, for loads whose demands are worked out by hand."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from c1219.device import Device
from c1222.node.meter.profile import Profile
from c1222.node.simulation.flows import Flows, plan_of
from c1222.node.simulation.registers import SimulatedRegisters
from tests.c1222.node.rig import BIG, MASTER, POLYPHASE, SINGLE, Rig, profile

if TYPE_CHECKING:
    from c1222.node.meter.tables import Tables

START = 1_800_000_000
"""2027-01-15 08:00 UTC, three o'clock in New York."""


class Load:
    """A load that is constant for a time, then another; the last one goes on."""

    def __init__(self, step: int, watts: tuple[float, ...]) -> None:
        self.step, self.watts = step, watts

    def power(self, when: float) -> float:
        return self.watts[min(int(when - START) // self.step, len(self.watts) - 1)]

    def energy(self, when: float) -> float:
        whole, rest = divmod(when - START, self.step)
        steps = [self.watts[min(n, len(self.watts) - 1)] for n in range(int(whole) + 1)]
        return (sum(steps[:-1]) * self.step + steps[-1] * rest) / 3600


class Bench:
    """Registers that begin at zero, and a load."""

    def __init__(self, name: str, *watts: float, step: int = 900, **changes: Any) -> None:
        self.tables: Tables = Rig(name, simulate=False).meter.tables
        for path, value in changes.items():
            self.tables.set(path.replace("__", "."), value)
        self.plan = self.tables.shape.derived(plan_of)
        self.flows = Flows(self.plan.shares, Load(step, watts), float(START))
        self.registers = SimulatedRegisters(self.tables, self.plan, self.flows)
        self.registers.clear()

    def run(self, seconds: int, tier: int = 0) -> Bench:
        """Let time pass."""
        end = int(self.flows.last) + seconds
        while (now := int(self.flows.last)) < end:
            to = min(now + (self.registers.next_boundary(now) or seconds), end)
            self.flows.advance(to, tier, metering=True)
            self.registers.close_intervals(to, to, tier)
        return self

    def after(self, table: int = 23) -> Any:
        """A table as it is now."""
        self.registers.refresh()
        self.registers.refresh_present(int(self.flows.last))
        return Device(dict(self.tables.all()))[table].value


def utc(seconds: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(START + seconds, dt.UTC).replace(tzinfo=None)


def new_york(seconds: int) -> dt.datetime:
    return utc(seconds) - dt.timedelta(hours=5)


def test_the_highest_demands_are_kept_in_their_order_with_what_coincided() -> None:
    """Sub-intervals of 300 s, three to an interval: 600, 900, 700, 400, 800 W from 900 s on."""
    bench = Bench(BIG, 300, 600, 900, 1200, 0, 0, 2400, step=300)
    block = bench.run(600).after().TOT_DATA_BLOCK
    assert block.DEMANDS[0].DEMAND == (0, 0, 0), "no interval is over"
    assert block.DEMANDS[0].EVENT_TIME == (None, None, None)
    # The first mark is set at the end of the first sub-interval.
    bench.run(600)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (900, 0, 0)
    bench.run(900)
    block = bench.after().TOT_DATA_BLOCK
    assert block.DEMANDS[0].DEMAND == (900, 800, 700)
    assert block.DEMANDS[0].EVENT_TIME == (utc(1200), utc(2100), utc(1500))
    assert block.DEMANDS[1].DEMAND == (18, 16, 14), "a fiftieth flows the other way"
    assert block.COINCIDENTS[0].COINCIDENT_VALUES == (882, 784, 686), "the difference, at the same times"
    assert bench.run(1).after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (900, 800, 700)


def test_the_lowest_demands_are_kept_where_st22_says_minimum() -> None:
    bench = Bench(BIG, 900, 900, 900, 900, 600, 900, 0, 900, 900, 300, step=300, ST22__MIN_OR_MAX_FLAGS={1})
    # From 1200 s on, when three sub-intervals lie between two marks: 900, 800, 800, 500, 600, 600, 700, 500, 300
    bench.run(1200)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (900, 0, 0)
    bench.run(600)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (800, 800, 900)
    bench.run(1200)
    kept = bench.after().TOT_DATA_BLOCK.DEMANDS[0]
    assert kept.DEMAND == (500, 600, 600)
    assert kept.EVENT_TIME == (utc(2100), utc(2400), utc(2700))
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[1].DEMAND == (18, 16, 16), "of the other the highest"


def test_the_first_demand_after_a_reset_counts_whatever_it_is() -> None:
    bench = Bench(POLYPHASE, 800, 800, 0, 0, 0, 500)
    bench.run(1800)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (800,)
    bench.registers.demand_reset(START + 1800)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME == (None,)
    kept = bench.run(1800).after().TOT_DATA_BLOCK.DEMANDS[0]
    assert (kept.DEMAND, kept.EVENT_TIME) == ((0,), (new_york(3600),)), "the first whole interval"
    kept = bench.run(900).after().TOT_DATA_BLOCK.DEMANDS[0]
    assert kept.EVENT_TIME == (new_york(3600),), "as much again is no higher"
    kept = bench.run(900).after().TOT_DATA_BLOCK.DEMANDS[0]
    assert (kept.DEMAND, kept.EVENT_TIME) == ((500,), (new_york(5400),))


def test_a_demand_reaches_the_block_of_its_tier_and_the_total() -> None:
    bench = Bench(POLYPHASE, 0, 900, 500, 1200, 400)
    bench.run(1800, 0).run(1800, 1).run(900, 5)
    data = bench.after()
    total, tiers = data.TOT_DATA_BLOCK, data.TIER_DATA_BLOCK
    assert [block.DEMANDS[0].DEMAND for block in (total, *tiers)] == [(1200,), (900,), (1200,), (0,), (0,)]
    assert [block.DEMANDS[1].DEMAND for block in (total, *tiers)] == [(396,), (297,), (396,), (0,), (0,)]
    assert [block.COINCIDENTS[0].COINCIDENT_VALUES for block in (total, *tiers[:2])] == [(396,), (297,), (396,)]
    assert [block.COINCIDENTS[1].COINCIDENT_VALUES for block in (total, *tiers[:2])] == [(1200,), (900,), (1200,)]
    assert [block.DEMANDS[0].EVENT_TIME[0] for block in (total, *tiers[:2])] == [
        new_york(3600),
        new_york(1800),
        new_york(3600),
    ]
    # Quarters of an hour at 0, 900, 500, 1200, 400 W; a third of it reactive, a fiftieth received.
    assert total.SUMMATIONS == (750, 15, 247)
    assert [block.SUMMATIONS[0] for block in tiers] == [225, 425, 0, 0]


def test_maxima_are_added_up_from_reset_to_reset() -> None:
    bench = Bench(POLYPHASE, 0, 1200, 300, 0, 100)

    def registers() -> tuple[int, ...]:
        demand = bench.after().TOT_DATA_BLOCK.DEMANDS[0]
        return demand.DEMAND[0], demand.CUM_DEMAND, demand.CONT_CUM_DEMAND

    bench.run(1800)
    assert registers() == (1200, 0, 1200)
    bench.run(900)
    assert registers() == (1200, 0, 1200)
    bench.registers.demand_reset(START + 2700)
    assert registers() == (0, 1200, 1200)
    bench.run(1800)
    assert registers() == (100, 1200, 1300)
    bench.registers.demand_reset(START + 4500)
    assert registers() == (0, 1300, 1300)


def test_the_continuous_sum_goes_on_where_there_is_no_other() -> None:
    bench = Bench(POLYPHASE, 0, 1200, 300, 0, 100, 700, ST21__REG_FUNC1_FLAGS__CUM_DEMAND_FLAG=False)

    def registers() -> tuple[int, int]:
        demand = bench.after().TOT_DATA_BLOCK.DEMANDS[0]
        assert demand.CUM_DEMAND is None
        return demand.DEMAND[0], demand.CONT_CUM_DEMAND

    bench.run(1800)
    assert registers() == (1200, 1200)
    bench.registers.demand_reset(START + 1800)
    assert registers() == (0, 1200)
    bench.run(2700)
    assert registers() == (100, 1300)
    bench.run(900)
    assert registers() == (700, 1900)


@pytest.mark.parametrize("what", ["restart", "resume"])
def test_an_interval_that_was_broken_off_is_no_demand(what: str) -> None:
    bench = Bench(POLYPHASE, 0, 900, 5100, 600)
    bench.run(1800 + 300)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (900,)
    getattr(bench.registers, what)()
    bench.run(600)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (900,), "5100 W are in no whole interval"
    assert bench.after().TOT_DATA_BLOCK.SUMMATIONS[0] == 225 + 1275


def test_present_demand_is_what_flowed_in_this_interval_over_its_length() -> None:
    bench = Bench(POLYPHASE, 0, 600, 1200)
    bench.run(900 + 300)
    present = bench.after(28)
    assert [demand.DEMAND_VALUE for demand in present.PRESENT_DEMAND] == [200, 66], "50 Wh, and a third reactive"
    assert [demand.TIME_REMAINING for demand in present.PRESENT_DEMAND] == [dt.time(0, 10), dt.time(0, 10)]
    assert present.PRESENT_VALUE[0] == bench.after().TOT_DATA_BLOCK.SUMMATIONS[0] == 50
    assert 23_800 <= present.PRESENT_VALUE[1] <= 24_200
    assert 5_998 <= present.PRESENT_VALUE[2] <= 6_002
    bench.run(630)
    present = bench.after(28)
    assert present.PRESENT_DEMAND[0].DEMAND_VALUE == 40, "1200 W for half a minute, in a new interval"
    assert present.PRESENT_DEMAND[0].TIME_REMAINING == dt.time(0, 14, 30)
    assert present.PRESENT_VALUE[0] == 160
    assert bench.run(870).after(28).PRESENT_DEMAND[1].TIME_REMAINING == dt.time(0, 15)


def test_present_demands_without_time() -> None:
    bench = Bench(POLYPHASE, 0, 600, ST21__REG_FUNC1_FLAGS__TIME_REMAINING_FLAG=False)
    present = bench.run(900 + 300).after(28)
    assert [(one.TIME_REMAINING, one.DEMAND_VALUE) for one in present.PRESENT_DEMAND] == [(None, 200), (None, 66)]
    assert present.PRESENT_VALUE[0] == 50


def test_long_intervals_have_hours_left() -> None:
    bench = Bench(POLYPHASE, 600, ST13__INTERVAL_VALUE=Rig().device()[13].value.INTERVAL_VALUE[:1] * 2)
    for number in (0, 1):
        bench.tables.set(f"ST13.INTERVAL_VALUE[{number}].INT_LENGTH", 240)
    long = SimulatedRegisters(bench.tables, bench.tables.shape.derived(plan_of), bench.flows)
    long.refresh_present(4 * 3600 * 9 + 4321)
    present = Device(dict(bench.tables.all()))[28].value
    assert present.PRESENT_DEMAND[0].TIME_REMAINING == dt.time(2, 47, 59)
    long.refresh_present(4 * 3600 - 3599)
    present = Device(dict(bench.tables.all()))[28].value
    assert present.PRESENT_DEMAND[0].TIME_REMAINING == dt.time(0, 59, 59)


@pytest.mark.parametrize(
    ("name", "readings"), [(POLYPHASE, [18_000, 360, 5940]), (SINGLE, [18_000]), (BIG, [18_000, 17_640, 360])]
)
def test_readings_are_counts_of_the_registers(name: str, readings: list[int]) -> None:
    bench = Bench(name, 720)
    bench.run(900)
    found = [bench.registers.reading(cell.signal) for cell in bench.plan.summations]
    assert sorted(found) == sorted(readings), "hundredths of 180 Wh, of a fiftieth, a third, and the rest of it"
    bench.registers.clear()
    assert [bench.registers.reading(cell.signal) for cell in bench.plan.summations] == [0] * len(readings)


def test_what_was_saved_goes_on() -> None:
    def go_on(bench: Bench, *, saved: bool) -> Any:
        bench.run(1800, 1)
        bench.registers.demand_reset(START + 1800)
        bench.run(1200, 1)
        if saved:
            state = json.loads(json.dumps(bench.registers.as_state()))
            bench.registers = SimulatedRegisters(bench.tables, bench.plan, bench.flows, state)
        first = bench.run(600, 1).after()
        return first, bench.run(3600, 0).after()

    watts = 900, 100, 0, 0, 700, 300
    assert go_on(Bench(POLYPHASE, *watts), saved=True) == go_on(Bench(POLYPHASE, *watts), saved=False)
    state = Bench(POLYPHASE, 1).registers.as_state()
    state["season"] = 3
    bench = Bench(POLYPHASE, 1)
    assert SimulatedRegisters(bench.tables, bench.plan, bench.flows, json.loads(json.dumps(state))).season == 3


def test_what_is_kept_says_when_and_in_which_season() -> None:
    bench = Bench(POLYPHASE, 0, 900)
    bench.registers.season = 1
    bench.run(1800)
    was = bench.after()
    bench.registers.season_change(0, START + 1800)
    bench.run(900)
    bench.registers.demand_reset(START + 2700)
    reset, season = bench.after(25), bench.after(24)
    assert season.REGISTER_INFO == (new_york(1800), 1), "the one that ended"
    assert season.PREV_SEASON_REG_DATA == was
    assert reset.REGISTER_INFO == (new_york(2700), 0)
    assert reset.PREV_DEMAND_RESET_DATA.TOT_DATA_BLOCK.SUMMATIONS[0] == 450
    bench.run(60)
    assert bench.registers.self_read(START + 2760)
    reads = bench.after(26)
    entry = reads.SELF_READS_ENTRIES[reads.LAST_ENTRY_ELEMENT]
    assert entry.SELF_READ_SEQ_NBR == reads.LAST_ENTRY_SEQ_NBR
    assert entry.REGISTER_INFO == (new_york(2760), 0)
    assert entry.SELF_READ_REGISTER_DATA.TOT_DATA_BLOCK.SUMMATIONS[0] == 465


def test_a_demand_of_volts_is_the_voltage() -> None:
    bench = Bench(POLYPHASE, 900, ST22__DEMAND_SELECT=(8, 4))
    kept = bench.run(3600).after().TOT_DATA_BLOCK.DEMANDS[0]
    assert 23_800 <= kept.DEMAND[0] <= 24_200


def test_demands_without_times() -> None:
    bench = Bench(POLYPHASE, 0, 900, ST21__REG_FUNC1_FLAGS__DATE_TIME_FIELD_FLAG=False)
    kept = bench.run(1800).after().TOT_DATA_BLOCK.DEMANDS[0]
    assert (kept.EVENT_TIME, kept.DEMAND) == (None, (900,))
    bench.registers.demand_reset(START + 1800)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (0,)
    assert bench.after(25).REGISTER_INFO.END_DATE_TIME is None


def test_registers_that_hold_no_number_begin_at_zero() -> None:
    bench = Bench(SINGLE, 720)
    element = bench.tables.element("ST23.TOT_DATA_BLOCK.SUMMATIONS[0]")
    bench.run(900)
    bench.tables.splice("ST23", element.offset, b"\xff" * element.size)
    bench.registers.resume()
    assert bench.run(900).after().TOT_DATA_BLOCK.SUMMATIONS == (180,)


def test_occurrences_that_are_no_numbers_are_emptied() -> None:
    bench = Bench(BIG, 900, step=300)
    element = bench.tables.element("ST23.TOT_DATA_BLOCK.DEMANDS[0].DEMAND")
    bench.run(1200)
    bench.tables.splice("ST23", element.offset, b"\xff" * element.size)
    bench.run(300)
    assert bench.after().TOT_DATA_BLOCK.DEMANDS[0].DEMAND == (900, 0, 0)


def test_a_self_read_without_room_is_not_made() -> None:
    bench = Bench(POLYPHASE, 900)
    flags = bench.tables.value("ST26.LIST_STATUS")
    bench.tables.set("ST26.LIST_STATUS", flags._replace(INHIBIT_OVERFLOW_FLAG=True))
    made = [bench.registers.self_read(START + n) for n in range(10)]
    assert made == [True] * 8 + [False] * 2
    reads = bench.after(26)
    assert (reads.NBR_UNREAD_ENTRIES, reads.LIST_STATUS.OVERFLOW_FLAG) == (8, True)


@pytest.mark.parametrize("what", ["base", "tiers"])
def test_a_state_of_other_registers_is_not_taken(what: str) -> None:
    bench = Bench(POLYPHASE, 720)
    bench.run(900)
    was = bench.after().TOT_DATA_BLOCK.SUMMATIONS
    state = json.loads(json.dumps(bench.registers.as_state()))
    state["base"] = [value + 100_000 for value in state["base"]]
    state[what] = state[what][:-1]
    bench.registers = SimulatedRegisters(bench.tables, bench.plan, bench.flows, state)
    assert bench.after().TOT_DATA_BLOCK.SUMMATIONS == was, "they go on from what ST23 says"


def test_resets_are_counted_round() -> None:
    bench = Bench(POLYPHASE, 0)
    bench.tables.set("ST23.NBR_DEMAND_RESETS", 255)
    bench.registers.demand_reset(START)
    assert bench.after().NBR_DEMAND_RESETS == 0


@pytest.mark.parametrize("lacks", [("ST24",), ("ST25",), ("ST24", "ST25", "ST26"), ("ST28",), ("ST13",)], ids=repr)
def test_meters_without_some_of_these_tables_do_the_rest(lacks: tuple[str, ...]) -> None:
    tables = {label: octets for label, octets in profile().tables.items() if label not in lacks}
    rig = Rig(made=Profile(Device(dict(tables))))
    caller = rig.caller().log_in(MASTER)
    rig.passes(3600)
    done = 0x01 | (0x02 if "ST26" not in lacks else 0) | 0x0C
    assert caller.call(9, b"\x0f") == (0, bytes((done,)))
    rig.passes(3600)
    assert rig.device()[23].value.TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0] > 0
    assert caller.call(3) == (0, b"")
    assert not any(rig.device()[23].value.TOT_DATA_BLOCK.SUMMATIONS)
    for label in ("ST24", "ST25"):
        if label not in lacks:
            assert not any(rig.meter.tables[label]), "what was kept is cleared as well"
    assert not rig.fleet.counters["handler-failed"]


def test_demands_with_intervals_of_their_own() -> None:
    """A quarter of an hour for all that flows, half an hour for the third of it that is reactive."""
    bench = Bench(POLYPHASE, 0, 900, 300, 600, 1200, 0, **{"ST13__INTERVAL_VALUE[1]__INT_LENGTH": 30})
    assert [(demand.step, demand.steps) for demand in bench.plan.demands] == [(900, 1), (1800, 1)]
    seen = [bench.run(1800).after().TOT_DATA_BLOCK for _ in range(3)]
    assert [block.DEMANDS[0].DEMAND[0] for block in seen] == [900, 900, 1200]
    assert [block.DEMANDS[1].DEMAND[0] for block in seen] == [0, 148, 198], "a third of 450 W, of 600 W"
    assert [block.COINCIDENTS[0].COINCIDENT_VALUES[0] for block in seen] == [297, 297, 396]
    assert [block.COINCIDENTS[1].COINCIDENT_VALUES[0] for block in seen] == [0, 450, 600]
    bench.run(600)
    remaining = [demand.TIME_REMAINING for demand in bench.after(28).PRESENT_DEMAND]
    assert remaining == [dt.time(0, 5), dt.time(0, 20)]
