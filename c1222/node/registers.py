"""Registers that move: summations and demands of ST23, present values of ST28, and what ST24 to ST26 keep of them.

What flows is counted once for all (`Flows`); registers, tiers and demand intervals are differences of those counts.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.errors import C1219Error
from c1219.views.sources import describe_source
from c1222.node.clock import faces_of
from c1222.node.rings import Ring, RingNames
from c1222.node.signals import Cell, Signal, signals_of

if TYPE_CHECKING:
    from c1222.node.curve import LoadCurve
    from c1222.node.shape import Shape
    from c1222.node.tables import Tables

__all__ = ["SELF_READS", "Demand", "Flows", "Plan", "Registers", "plan_of"]

SELF_READS: Final = RingNames(
    "ST26.LIST_STATUS",
    "ST26.NBR_VALID_ENTRIES",
    "ST26.LAST_ENTRY_ELEMENT",
    "ST26.LAST_ENTRY_SEQ_NBR",
    "ST26.NBR_UNREAD_ENTRIES",
    "ST26.SELF_READS_ENTRIES",
)
_NO_SIGNAL: Final = Signal(None)
_QUARTER: Final = 900


class Demand(NamedTuple):
    """One demand register.

    Attributes:
        signal: what it measures.
        step: length of a sub-interval, seconds.
        steps: sub-intervals in an interval.
        maximum: whether the largest is kept, not the smallest.
    """

    signal: Signal
    step: int
    steps: int
    maximum: bool


class Plan(NamedTuple):
    """What the registers of a configuration measure, and where they are.

    Attributes:
        shares: parts of the load that are counted, each once.
        summations: cells of the total block.
        tiers: cells of the summations of each tier.
        demands: the demand registers.
        coincidents: signal and demand of each coincident value.
        present_demands: demands of ST28.
        present_values: cells of ST28.
        blocks: paths of the data blocks, the total first.
    """

    shares: tuple[float, ...]
    summations: tuple[Cell, ...]
    tiers: tuple[tuple[Cell, ...], ...]
    demands: tuple[Demand, ...]
    coincidents: tuple[tuple[Signal, int], ...]
    present_demands: tuple[Demand, ...]
    present_values: tuple[Cell, ...]
    blocks: tuple[str, ...]


def plan_of(shape: Shape) -> Plan | None:
    """Return the plan of a configuration, None if it has no registers that can move. For `Shape.derived`."""
    st21, st22, st27 = shape.value("ST21"), shape.value("ST22"), shape.value("ST27")
    signals: tuple[Signal, ...] = shape.derived(signals_of)
    if st21 is None or st22 is None or not signals or shape.layout("ST23") is None:
        return None

    def signal(source: Any) -> Signal:
        index = int(source)
        return signals[index] if index < len(signals) else _NO_SIGNAL

    def demand(source: Any, *, maximum: bool = True) -> Demand:
        return Demand(signal(source), *_interval(shape, int(source)), maximum)

    blocks = ["ST23.TOT_DATA_BLOCK"] + [f"ST23.TIER_DATA_BLOCK[{tier}]" for tier in range(st21.NBR_TIERS)]
    cells = [
        tuple(
            Cell(shape.element(f"{block}.SUMMATIONS[{k}]"), signal(source))
            for k, source in enumerate(st22.SUMMATION_SELECT)
        )
        for block in blocks
    ]
    present = st27 is not None and shape.layout("ST28") is not None
    return Plan(
        tuple(sorted({one.share for one in signals if one.share is not None})),
        cells[0],
        tuple(cells[1:]),
        tuple(
            demand(source, maximum=number in st22.MIN_OR_MAX_FLAGS) for number, source in enumerate(st22.DEMAND_SELECT)
        ),
        tuple(
            (signal(source), int(tied))
            for source, tied in zip(st22.COINCIDENT_SELECT, st22.COIN_DEMAND_ASSOC, strict=True)
        ),
        tuple(demand(source) for source in (st27.PRESENT_DEMAND_SELECT if present else ())),
        tuple(
            Cell(shape.element(f"ST28.PRESENT_VALUE[{k}]"), signal(source))
            for k, source in enumerate(st27.PRESENT_VALUE_SELECT if present else ())
        ),
        tuple(blocks),
    )


def _interval(shape: Shape, source: int) -> tuple[int, int]:
    """Return length and number of the sub-intervals of a source's demand."""
    entry = describe_source(shape.device, source).entries[1]
    st13 = shape.value("ST13")
    if st13 is not None and st13.INTERVAL_VALUE:
        value = st13.INTERVAL_VALUE[entry if entry is not None and entry < len(st13.INTERVAL_VALUE) else 0]
        if value.INT_LENGTH:
            return 60 * value.INT_LENGTH, 1
        if value.SUB_INT and value.INT_MULTIPLIER:
            return 60 * value.SUB_INT, value.INT_MULTIPLIER
    return _QUARTER, 1


class Flows:
    """Counts what flows, of each share of the load and in each tier.

    Args:
        shares: parts of the load.
        curve: the load.
        state: what `as_state` gave; None to begin at ``start``.
        start: simulated time to begin at.

    Attributes:
        last: simulated time up to which was counted.
        counts: of each share, while metering.
        tiers: the same for each tier.
    """

    __slots__ = ("_before", "_curve", "_shares", "counts", "last", "tiers")

    def __init__(
        self, shares: tuple[float, ...], curve: LoadCurve, start: float, state: dict[str, Any] | None = None
    ) -> None:
        self._shares = shares
        self._curve = curve
        if state is not None and len(state["counts"]) != len(shares):
            state = None
        self.last: float = start if state is None else state["last"]
        self.counts: list[int] = [0] * len(shares) if state is None else list(state["counts"])
        self.tiers: dict[int, list[int]] = (
            {} if state is None else {int(tier): list(counts) for tier, counts in state["tiers"].items()}
        )
        self._before = self._at(self.last)

    def _at(self, when: float) -> list[int]:
        energy = self._curve.energy(when)
        return [Signal(share).count(energy) for share in self._shares]

    def advance(self, to: float, tier: int, *, metering: bool) -> None:
        """Count up to a time."""
        counts = self._at(to)
        if metering:
            of_tier = self.tiers.setdefault(tier, [0] * len(counts))
            for index, (after, before) in enumerate(zip(counts, self._before, strict=True)):
                self.counts[index] += after - before
                of_tier[index] += after - before
        self._before = counts
        self.last = to

    @property
    def power(self) -> float:
        """The load now, watts."""
        return self._curve.power(self.last)

    def of(self, signal: Signal) -> int:
        """Return the count of a signal; 0 for a level."""
        return self.counts[self._shares.index(signal.share)] if signal.share in self._shares else 0

    def of_tier(self, signal: Signal, tier: int) -> int:
        """Return the count of a signal in a tier."""
        if tier not in self.tiers or signal.share not in self._shares:
            return 0
        return self.tiers[tier][self._shares.index(signal.share)]

    def at(self, marks: list[int], signal: Signal) -> int:
        """Return the count of a signal among counts taken before."""
        return marks[self._shares.index(signal.share)] if signal.share in self._shares else 0

    def as_state(self) -> dict[str, Any]:
        """Return what goes on from here."""
        return {"last": self.last, "counts": self.counts, "tiers": self.tiers}


class Registers:
    """The registers of one meter.

    Args:
        tables: its tables.
        plan: what its registers measure.
        flows: what flows.
        state: what `as_state` gave; None to begin with what the tables say.
    """

    __slots__ = ("_base", "_flows", "_fresh", "_marks", "_tables", "_tier_base", "plan", "season")

    def __init__(self, tables: Tables, plan: Plan, flows: Flows, state: dict[str, Any] | None = None) -> None:
        self._tables = tables
        self._flows = flows
        self.plan = plan
        self.season: int = 0
        self._marks: dict[int, list[list[int]]] = {}
        self._fresh: set[str] = set()
        self._base: list[int] = []
        self._tier_base: list[list[int]] = []
        if state is None or len(state["base"]) != len(plan.summations) or len(state["tiers"]) != len(plan.tiers):
            self.resume()
        else:
            self._base = list(state["base"])
            self._tier_base = [list(tier) for tier in state["tiers"]]
            self._fresh = set(state["fresh"])
            self._marks = {int(step): marks for step, marks in state["marks"].items()}
            self.season = state["season"]

    def as_state(self) -> dict[str, Any]:
        """Return what goes on from here."""
        return {
            "base": self._base,
            "tiers": self._tier_base,
            "fresh": sorted(self._fresh),
            "marks": self._marks,
            "season": self.season,
        }

    def resume(self) -> None:
        """Go on from what ST23 says, whatever was counted before."""
        octets = self._tables["ST23"]

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
        """Begin the demand intervals anew."""
        self._marks = {}

    # What moves all the time.

    def reading(self, signal: Signal) -> int:
        """Return the count in the total register of what a signal counts; where there is none, since the start."""
        for cell, base in zip(self.plan.summations, self._base, strict=True):
            if cell.signal.bulk and cell.signal.share == signal.share is not None:
                return base + self._flows.of(signal)
        return self._flows.of(signal)

    def refresh(self) -> None:
        """Bring the summations in ST23 up to date."""
        octets = bytearray(self._tables["ST23"])
        for cell, base in zip(self.plan.summations, self._base, strict=True):
            _put(octets, cell, base + self._flows.of(cell.signal))
        for tier, (cells, bases) in enumerate(zip(self.plan.tiers, self._tier_base, strict=True)):
            for cell, base in zip(cells, bases, strict=True):
                _put(octets, cell, base + self._flows.of_tier(cell.signal, tier))
        self._tables.put("ST23", bytes(octets))

    def refresh_present(self, standard: int) -> None:
        """Bring ST28 up to date.

        Args:
            standard: the time that intervals follow, seconds, which demand intervals follow.
        """
        tables = self._tables
        if tables.get("ST28") is None:
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
            cell = Cell(tables.element(f"{path}.DEMAND_VALUE"), demand.signal)
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
        steps = {demand.step for demand in (*self.plan.demands, *self.plan.present_demands)}
        return min((step - standard % step for step in steps), default=0)

    def close_intervals(self, standard: int, device: float, tier: int) -> None:
        """End the sub-intervals that end now.

        Args:
            standard: the time that intervals follow, seconds.
            device: device time.
            tier: of demands, in effect up to now.
        """
        demands = self.plan.demands
        for step in {demand.step for demand in (*demands, *self.plan.present_demands) if standard % demand.step == 0}:
            marks = self._marks.setdefault(step, [])
            marks.append(list(self._flows.counts))
            longest = max(d.steps for d in (*demands, *self.plan.present_demands) if d.step == step)
            for number, demand in enumerate(demands):
                if demand.step == step and len(marks) > demand.steps:
                    self._compare(number, demand, marks, device, tier)
            del marks[: max(0, len(marks) - longest - 1)]

    def _compare(self, number: int, demand: Demand, marks: list[list[int]], device: float, tier: int) -> None:
        value = self._average(demand.signal, marks, demand)
        blocks = [self.plan.blocks[0]]
        if tier + 1 < len(self.plan.blocks):
            blocks.append(self.plan.blocks[tier + 1])
        for block in blocks:
            self._enter(f"{block}.DEMANDS[{number}]", number, demand, value, device, marks, block)

    def _average(self, signal: Signal, marks: list[list[int]], demand: Demand) -> Fraction:
        if signal.share is None:
            return signal.level(self._flows.last, self._flows.power)
        counted = self._flows.at(marks[-1], signal) - self._flows.at(marks[-1 - demand.steps], signal)
        return signal.rate(counted, demand.step * demand.steps)

    def _enter(
        self,
        path: str,
        number: int,
        demand: Demand,
        value: Fraction,
        device: float,
        marks: list[list[int]],
        block: str,
    ) -> None:
        """Put a demand among the occurrences kept, if it belongs there."""
        tables = self._tables
        entry = tables.find(path)
        if entry is None or not entry.DEMAND:
            return
        cell = Cell(tables.element(f"{path}.DEMAND[0]"), demand.signal)
        new = cell.element.decode(cell.of(value))
        kept = list(entry.DEMAND)
        fresh = path in self._fresh
        used = 0 if fresh else len(kept)
        place = next((i for i in range(used) if (new > kept[i] if demand.maximum else new < kept[i])), used)
        if place >= len(kept):
            return
        self._fresh.discard(path)
        kept = [*kept[:place], new, *kept[place:-1]]
        changes: dict[str, Any] = {"DEMAND": tuple(kept)}
        if entry.EVENT_TIME is not None:
            when = tables.shape.derived(faces_of).short(device)
            changes["EVENT_TIME"] = (*entry.EVENT_TIME[:place], when, *entry.EVENT_TIME[place:-1])
        if entry.CONT_CUM_DEMAND is not None and place == 0:
            changes["CONT_CUM_DEMAND"] = _sum(entry.CUM_DEMAND or 0 * entry.CONT_CUM_DEMAND, new)
        tables.set(path, entry._replace(**changes))
        for index, (signal, tied) in enumerate(self.plan.coincidents):
            if tied == number:
                self._enter_coincident(f"{block}.COINCIDENTS[{index}]", signal, place, marks, demand)

    def _enter_coincident(self, path: str, signal: Signal, place: int, marks: list[list[int]], demand: Demand) -> None:
        tables = self._tables
        entry = tables.find(path)
        if entry is None or place >= len(entry.COINCIDENT_VALUES):
            return
        cell = Cell(tables.element(f"{path}.COINCIDENT_VALUES[0]"), signal)
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
            octets += tables.element(end).encode(tables.shape.derived(faces_of).short(device))
        if tables.shape.has(season):
            octets += tables.element(season).encode(self.season)
        return octets

    def demand_reset(self, device: float) -> None:
        """Keep the registers in ST25, add the maxima to the cumulative demands, and begin anew."""
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
        entry = tables.find(path)
        if entry is None:
            return
        changes: dict[str, Any] = {"DEMAND": tuple(0 for _ in entry.DEMAND)}
        if entry.CUM_DEMAND is not None and entry.DEMAND:
            cumulative = _sum(entry.CUM_DEMAND, entry.DEMAND[0])
            changes["CUM_DEMAND"] = cumulative
            if entry.CONT_CUM_DEMAND is not None:
                changes["CONT_CUM_DEMAND"] = cumulative
        elif entry.CONT_CUM_DEMAND is not None:
            changes["CONT_CUM_DEMAND"] = entry.CONT_CUM_DEMAND
        if entry.EVENT_TIME is not None:
            changes["EVENT_TIME"] = tuple(None for _ in entry.EVENT_TIME)
        tables.set(path, entry._replace(**changes))
        self._fresh.add(path)

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
        self._fresh = {
            f"{block}.DEMANDS[{number}]" for block in self.plan.blocks for number in range(len(self.plan.demands))
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
