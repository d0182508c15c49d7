"""Registers that move: summations and demands of ST23, present values of ST28, and what ST24 to ST26 keep of them.

Registers, tiers and demand intervals are differences of the counts of `c1222.node.simulation.flows`.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from c1219.errors import C1219Error
from c1222.node.meter.clock import clock_formats
from c1222.node.meter.rings import Ring, RingNames
from c1222.node.simulation.signals import Signal, cell_at

if TYPE_CHECKING:
    from c1222.node.meter.tables import Tables
    from c1222.node.simulation.flows import Demand, FlowPlan, Flows
    from c1222.node.simulation.signals import Cell

__all__ = ["SELF_READS", "SimulatedRegisters"]

SELF_READS: Final = RingNames(
    "ST26.LIST_STATUS",
    "ST26.NBR_VALID_ENTRIES",
    "ST26.LAST_ENTRY_ELEMENT",
    "ST26.LAST_ENTRY_SEQ_NBR",
    "ST26.NBR_UNREAD_ENTRIES",
    "ST26.SELF_READS_ENTRIES",
)


class SimulatedRegisters:
    """The registers of one meter.

    Args:
        tables: its tables.
        plan: what its registers measure.
        flows: what flows.
        state: what `as_state` gave; None to begin with what the tables say.
    """

    __slots__ = (
        "_base",
        "_beaten",
        "_filled",
        "_flows",
        "_longest",
        "_marks",
        "_shown",
        "_tables",
        "_tier_base",
        "plan",
        "season",
    )

    def __init__(self, tables: Tables, plan: FlowPlan, flows: Flows, state: dict[str, Any] | None = None) -> None:
        self._tables = tables
        self._flows = flows
        self.plan = plan
        self.season: int = 0
        self._marks: dict[int, list[list[int]]] = {}
        self._filled: dict[str, int] = {}  # occurrences since the last reset, of those that are not all in use
        self._beaten: dict[str, int] = {}
        self._longest: dict[int, int] = {}
        for demand in (*plan.demands, *plan.present_demands):
            self._longest[demand.step] = max(demand.steps, self._longest.get(demand.step, 0))
        self._shown: tuple[float, bytes] | None = None  # time and octets of ST23 as it was brought up to date last
        self._base: list[int] = []
        self._tier_base: list[list[int]] = []
        if state is None or len(state["base"]) != len(plan.summations) or len(state["tiers"]) != len(plan.tiers):
            self.resume()
        else:
            self._base = list(state["base"])
            self._tier_base = [list(tier) for tier in state["tiers"]]
            self._filled = dict(state.get("filled", {}))
            self._marks = {int(step): marks for step, marks in state["marks"].items()}
            self.season = state["season"]

    def as_state(self) -> dict[str, Any]:
        """Return what goes on from here."""
        return {
            "base": self._base,
            "tiers": self._tier_base,
            "filled": self._filled,
            "marks": self._marks,
            "season": self.season,
        }

    def resume(self) -> None:
        """Go on from what ST23 says, whatever was counted before."""
        octets = self._tables["ST23"]
        self._shown = None

        def base(cell: Cell, counted: int) -> int:
            try:
                return cell.signal.counts(Fraction(cell.element.get(octets))) - counted
            except (C1219Error, TypeError, ValueError, OverflowError):
                return -counted

        self._base = [base(cell, self._flows.of(cell.signal)) for cell in self.plan.summations]
        self._tier_base = [
            [base(cell, self._flows.of_tier(cell.signal, tier)) for cell in cells]
            for tier, cells in enumerate(self.plan.tiers)
        ]
        self.restart()

    def restart(self) -> None:
        """Restart the demand intervals."""
        self._marks = {}
        self._beaten = {}

    # What moves all the time.

    def reading(self, signal: Signal, flows: Flows | None = None) -> int:
        """Return the count in the total register of what a signal counts; where there is none, since the start.

        Args:
            signal: what is counted.
            flows: what had flowed at an earlier time that is meant; None for now.
        """
        flows = flows or self._flows
        for cell, base in zip(self.plan.summations, self._base, strict=True):
            if cell.signal.bulk and cell.signal.share == signal.share is not None:
                return base + flows.of(signal)
        return flows.of(signal)

    def refresh(self) -> None:
        """Bring the summations in ST23 up to date."""
        if self._shown == (self._flows.last, self._tables["ST23"]):
            return
        octets = bytearray(self._tables["ST23"])
        for cell, base in zip(self.plan.summations, self._base, strict=True):
            _put(octets, cell, base + self._flows.of(cell.signal))
        for tier, (cells, bases) in enumerate(zip(self.plan.tiers, self._tier_base, strict=True)):
            for cell, base in zip(cells, bases, strict=True):
                _put(octets, cell, base + self._flows.of_tier(cell.signal, tier))
        self._shown = (self._flows.last, bytes(octets))
        self._tables.put("ST23", bytes(octets))

    def refresh_present(self, standard: int) -> None:
        """Bring ST28 up to date.

        Args:
            standard: the time that intervals follow, seconds, which demand intervals follow.
        """
        tables = self._tables
        if not tables.is_whole("ST28"):
            return
        now, power = self._flows.last, self._flows.power
        octets = bytearray(tables["ST28"])
        for number, demand in enumerate(self.plan.present_demands):
            marks = self._marks.get(demand.step)
            begun = self._flows.at(marks[-1], demand.signal) if marks else self._flows.of(demand.signal)
            whole = demand.step * demand.steps
            value = (
                demand.signal.rate(self._flows.of(demand.signal) - begun, whole)
                if demand.signal.share is not None
                else demand.signal.level(now, power)
            )
            path = f"ST28.PRESENT_DEMAND[{number}]"
            cell = cell_at(tables.shape, f"{path}.DEMAND_VALUE", demand.signal)
            octets[cell.element.offset : cell.element.offset + cell.element.size] = cell.of(value)
            if tables.shape.has(f"{path}.TIME_REMAINING"):
                left = demand.step - standard % demand.step
                remaining = tables.element(f"{path}.TIME_REMAINING")
                octets[remaining.offset : remaining.offset + remaining.size] = remaining.encode(_time_of(left))
        for cell in self.plan.present_values:
            element, signal = cell.element, cell.signal
            own = cell.of_counts(self.reading(signal)) if signal.bulk else cell.of(signal.level(now, power))
            octets[element.offset : element.offset + element.size] = own
        tables.put("ST28", bytes(octets))

    # Demands.

    def next_boundary(self, standard: int) -> int:
        """Return how many seconds it is to the end of the next sub-interval; 0 without demands."""
        return min((step - standard % step for step in self._longest), default=0)

    def close_intervals(self, standard: int, device: float, tier: int) -> None:
        """End the sub-intervals that end now.

        Args:
            standard: the time that intervals follow, seconds.
            device: device time.
            tier: of demands, in effect up to now.
        """
        demands = self.plan.demands
        for step, longest in self._longest.items():
            if standard % step:
                continue
            marks = self._marks.setdefault(step, [])
            marks.append(list(self._flows.counts))
            for number, demand in enumerate(demands):
                if demand.step == step and len(marks) > demand.steps:
                    self._compare(number, demand, marks, device, tier)
            del marks[: max(0, len(marks) - longest - 1)]

    def _compare(self, number: int, demand: Demand, marks: list[list[int]], device: float, tier: int) -> None:
        blocks = [self.plan.blocks[0]]
        if tier + 1 < len(self.plan.blocks):
            blocks.append(self.plan.blocks[tier + 1])
        for block in blocks:
            self._enter(f"{block}.DEMANDS[{number}]", number, demand, device, marks, block)

    def _average(self, signal: Signal, marks: list[list[int]], demand: Demand) -> Fraction:
        if signal.share is None:
            return signal.level(self._flows.last, self._flows.power)
        return signal.rate(self._counted(signal, marks, demand), demand.step * demand.steps)

    def _counted(self, signal: Signal, marks: list[list[int]], demand: Demand) -> int:
        return self._flows.at(marks[-1], signal) - self._flows.at(marks[-1 - demand.steps], signal)

    def _enter(self, path: str, number: int, demand: Demand, device: float, marks: list[list[int]], block: str) -> None:
        """Put a demand among the occurrences kept, if it belongs there."""
        tables, signal = self._tables, demand.signal
        counted = self._counted(signal, marks, demand)
        # A count no larger than one that was no peak is no peak either, which settles most at once.
        if path not in self._filled and signal.share is not None and counted <= self._beaten.get(path, -1):
            return
        if not tables.shape.has(f"{path}.DEMAND[0]"):
            return
        cell = cell_at(tables.shape, f"{path}.DEMAND[0]", signal)
        value = self._average(signal, marks, demand)
        new = cell.element.decode(cell.of(value))
        places = tables.element(f"{path}.DEMAND").count
        filled = self._filled.get(path, places)
        if filled == places:
            least = tables.find(f"{path}.DEMAND[{places - 1}]", 0)
            if new <= least if demand.maximum else new >= least:
                if demand.maximum and signal.multiplier > 0 and 0 <= value - Fraction(new) <= cell.grain:
                    self._beaten[path] = counted
                return
        entry = self._entry(path)
        kept = list(entry.DEMAND)
        used = min(filled, places - 1)  # it is better than the last; or that is no number
        place = next((i for i in range(used) if (new > kept[i] if demand.maximum else new < kept[i])), used)
        self._beaten.pop(path, None)
        best = kept[0] if filled else 0
        kept = [*kept[:place], new, *kept[place:-1]]
        self._fill(path, filled + 1, places)
        changes: dict[str, Any] = {"DEMAND": tuple(kept)}
        if entry.EVENT_TIME is not None:
            when = tables.shape.derived(clock_formats).short(device)
            changes["EVENT_TIME"] = (*entry.EVENT_TIME[:place], when, *entry.EVENT_TIME[place:-1])
        if entry.CONT_CUM_DEMAND is not None and place == 0:
            without_cum = entry.CUM_DEMAND is None
            before = entry.CONT_CUM_DEMAND if without_cum else entry.CUM_DEMAND
            changes["CONT_CUM_DEMAND"] = _sum(before, new - best if without_cum else new)
        tables.set(path, entry._replace(**changes))
        for index, (signal, tied) in enumerate(self.plan.coincidents):
            if tied == number:
                self._enter_coincident(f"{block}.COINCIDENTS[{index}]", signal, place, marks, demand)

    def _fill(self, path: str, filled: int, places: int) -> None:
        if filled < places:
            self._filled[path] = filled
        else:
            self._filled.pop(path, None)

    def _entry(self, path: str) -> Any:
        """Return a record of ST23; one that has no value, as after a write of anything at all, is emptied first."""
        tables = self._tables
        try:
            return tables.value(path)
        except C1219Error:
            element = tables.element(path)
            tables.splice("ST23", element.offset, bytes(element.size))
            return tables.value(path)

    def _enter_coincident(self, path: str, signal: Signal, place: int, marks: list[list[int]], demand: Demand) -> None:
        tables = self._tables
        if not tables.shape.has(f"{path}.COINCIDENT_VALUES[{place}]"):
            return
        entry = self._entry(path)
        cell = cell_at(tables.shape, f"{path}.COINCIDENT_VALUES[0]", signal)
        new = cell.element.decode(cell.of(self._average(signal, marks, demand)))
        kept = entry.COINCIDENT_VALUES
        tables.set(path, entry._replace(COINCIDENT_VALUES=(*kept[:place], new, *kept[place:-1])))

    # What is done with all of them.

    def _information(self, table: str, device: float) -> bytes:
        """Return REGISTER_INFO for a table."""
        tables = self._tables
        octets = b""
        end, season = f"{table}.REGISTER_INFO.END_DATE_TIME", f"{table}.REGISTER_INFO.SEASON"
        if tables.shape.has(end):
            octets += tables.element(end).encode(tables.shape.derived(clock_formats).short(device))
        if tables.shape.has(season):
            octets += tables.element(season).encode(self.season)
        return octets

    def demand_reset(self, device: float) -> None:
        """Keep the registers in ST25, add the maxima to the cumulative demands, and start over."""
        tables = self._tables
        self.refresh()
        if tables.get("ST25") is not None:
            tables.put("ST25", self._information("ST25", device) + tables["ST23"])
        resets = tables.find("ST23.NBR_DEMAND_RESETS")
        if resets is not None:
            tables.set("ST23.NBR_DEMAND_RESETS", (resets + 1) % 256)
        for block in self.plan.blocks:
            for number in range(len(self.plan.demands)):
                self._reset_one(f"{block}.DEMANDS[{number}]")
        self.restart()

    def _reset_one(self, path: str) -> None:
        tables = self._tables
        if not tables.shape.has(f"{path}.DEMAND"):
            return
        entry = self._entry(path)
        changes: dict[str, Any] = {"DEMAND": tuple(0 for _ in entry.DEMAND)}
        if entry.CUM_DEMAND is not None and entry.DEMAND:
            cumulative = _sum(entry.CUM_DEMAND, entry.DEMAND[0])
            changes["CUM_DEMAND"] = cumulative
            if entry.CONT_CUM_DEMAND is not None:
                changes["CONT_CUM_DEMAND"] = cumulative
        if entry.EVENT_TIME is not None:
            changes["EVENT_TIME"] = tuple(None for _ in entry.EVENT_TIME)
        tables.set(path, entry._replace(**changes))
        self._filled[path] = 0

    def self_read(self, device: float) -> bool:
        """Keep the registers in ST26. Return whether there is room for them."""
        tables = self._tables
        ring = Ring(tables, SELF_READS)
        if not ring.exists:
            return False
        self.refresh()
        index = ring.advance()
        if index is None:
            return False
        number = f"ST26.SELF_READS_ENTRIES[{index}].SELF_READ_SEQ_NBR"
        octets = tables.element(number).encode(ring.sequence & 0xFFFF) if tables.shape.has(number) else b""
        ring.put(index, octets + self._information_of_read(index, device) + tables["ST23"])
        return True

    def _information_of_read(self, index: int, device: float) -> bytes:
        return self._information(f"ST26.SELF_READS_ENTRIES[{index}]", device)

    def season_change(self, season: int, device: float) -> None:
        """Keep the registers in ST24, and take another season."""
        tables = self._tables
        if tables.get("ST24") is not None:
            self.refresh()
            tables.put("ST24", self._information("ST24", device) + tables["ST23"])
        self.season = season

    def clear(self) -> None:
        """Set all registers to zero, and what was kept of them."""
        for label in ("ST23", "ST24", "ST25"):
            octets = self._tables.get(label)
            if octets is not None:
                self._tables.put(label, bytes(len(octets)))
        ring = Ring(self._tables, SELF_READS)
        if ring.exists:
            ring.clear()
        self._filled = {
            f"{block}.DEMANDS[{number}]": 0 for block in self.plan.blocks for number in range(len(self.plan.demands))
        }
        self.resume()


def _put(octets: bytearray, cell: Cell, counts: int) -> None:
    element = cell.element
    octets[element.offset : element.offset + element.size] = cell.of_counts(counts)


def _sum(cumulative: Any, demand: Any) -> Any:
    # The two may have different forms: one an integer, the other a float or a Decimal.
    return cumulative + type(cumulative)(demand)


def _time_of(seconds: int) -> Any:
    return dt.time(seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
