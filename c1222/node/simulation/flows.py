"""The load of a meter, what flows because of it, and which registers of a configuration measure what of it.

The load is a sum of waves: day and half day with their peaks in the evening and the morning, a week, and some short
ones whose phases and lengths follow from the seed. Its integral is closed: the energy up to any moment takes one step.
Power never falls below a twentieth of the average.
"""

from __future__ import annotations

from math import cos, pi, sin
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.node.simulation.signals import Cell, Signal, signals_of, sources_of

if TYPE_CHECKING:
    from c1219.rules.sources import Source
    from c1222.node.meter.configuration import Shape

__all__ = ["Demand", "FlowPlan", "Flows", "LoadCurve", "plan_of"]

_DAY: Final = 86_400.0
_EVENING: Final = 19 * 3600.0
_REGULAR: Final = ((_DAY, 0.34, _EVENING), (_DAY / 2, 0.20, 7.5 * 3600), (7 * _DAY, 0.06, 2 * _DAY))
_SHORTEST, _LONGEST, _WAVES, _HEIGHT = 420.0, 3 * 3600.0, 7, 0.05
_ORIGIN: Final = 1_577_836_800.0
"""Energies count from here, 2020-01-01 UTC."""
_NO_SIGNAL: Final = Signal(None)
_QUARTER: Final = 900


class LoadCurve:
    """One customer.

    Args:
        seed: what sets this one apart.
        watts: average power.
        zone: local time minus GMT in seconds, so that evenings are in the evening.
    """

    __slots__ = ("_waves", "watts")

    def __init__(self, seed: int, *, watts: float = 800.0, zone: int = 0) -> None:
        chance = Random(seed)  # noqa: S311 - a simulation
        self.watts = watts * chance.uniform(0.6, 1.4)
        shift = chance.uniform(-1.0, 1.0) * 3600 + zone
        # The phase of each wave puts one of its crests at the given time of day.
        waves = [(2 * pi / length, height, -2 * pi * (crest - shift) / length) for length, height, crest in _REGULAR]
        waves += [
            (2 * pi / chance.uniform(_SHORTEST, _LONGEST), _HEIGHT, chance.uniform(0, 2 * pi)) for _ in range(_WAVES)
        ]
        self._waves = tuple(waves)

    def power(self, when: float) -> float:
        """Return the load in watts at a time in seconds since 1970."""
        t = when - _ORIGIN
        return self.watts * (1.0 + sum([height * cos(w * t + phase) for w, height, phase in self._waves]))

    def energy(self, when: float) -> float:
        """Return the energy in watt-hours between the origin and a time in seconds since 1970."""
        t = when - _ORIGIN
        return self.watts / 3600 * (t + sum([height / w * sin(w * t + phase) for w, height, phase in self._waves]))


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


class FlowPlan(NamedTuple):
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


def plan_of(shape: Shape) -> FlowPlan | None:
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
    return FlowPlan(
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
    demand: Source = shape.derived(sources_of).describe(source)
    if demand.interval is None:
        return _QUARTER, 1
    return 60 * demand.interval // demand.subintervals, demand.subintervals


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

    def earlier(self, when: float, *, metering: bool) -> Flows:
        """Return the counts as they were at a time before; tiers are left out.

        Args:
            when: simulated time.
            metering: whether it was counted since.
        """
        state = {"last": when, "counts": self.counts, "tiers": {}}
        flows = Flows(self._shares, self._curve, when, state)
        if metering:
            spans = zip(self.counts, self._before, flows._before, strict=True)
            flows.counts = [count - (after - before) for count, after, before in spans]
        return flows

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
