"""How the sets of a load profile are recorded, as their configuration says: channels, forms, and where things are."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from c1219.rules.profile_set import SETS, block_layout, set_configuration, set_label
from c1219.rules.records import record
from c1222.node.meter.rings import Ring, RingNames
from c1222.node.simulation.signals import COUNTS, Cell, Signal, signals_of, sources_of

if TYPE_CHECKING:
    from c1219.rules.profile_set import BlockLayout, SetConfiguration
    from c1219.rules.sources import Source
    from c1222.node.meter.configuration import Shape
    from c1222.node.meter.tables import Tables

__all__ = ["RecordedChannel", "SetPlan", "ring_of_set", "set_plans_of"]


class RecordedChannel(NamedTuple):
    """One channel of a set.

    Attributes:
        signal: what it records.
        factor: scalar over divisor: stored values are source units times this.
        grain: smallest step between stored values.
        end: what its end readings show, or None.
        cell: its value in the first interval of the first block.
        ratio: grains for one count of the signal.
    """

    signal: Signal
    factor: Fraction
    grain: Fraction
    end: Signal | None
    cell: Cell
    ratio: Fraction

    def grains(self, counts: int) -> int:
        """Return how many grains a count of the signal is, rounded down."""
        return counts * self.ratio.numerator // self.ratio.denominator


class SetPlan(NamedTuple):
    """How one set is recorded.

    Attributes:
        set: what ST61 and ST62 say.
        block: where things are in a block.
        channels: what is recorded.
    """

    set: SetConfiguration
    block: BlockLayout
    channels: tuple[RecordedChannel, ...]

    @property
    def number(self) -> int:
        """1..4."""
        return self.set.number

    @property
    def length(self) -> int:
        """Length of an interval, seconds."""
        return 60 * self.set.minutes

    @property
    def path(self) -> str:
        """The first block."""
        return f"{set_label(self.number)}.{self.block.array}[0]"


def ring_of_set(tables: Tables, number: int) -> Ring:
    """Return the list of blocks of a set."""
    status = f"ST63.LP_STATUS_SET{number}"
    return Ring(
        tables,
        RingNames(
            f"{status}.LP_SET_STATUS_FLAGS",
            f"{status}.NBR_VALID_BLOCKS",
            f"{status}.LAST_BLOCK_ELEMENT",
            f"{status}.LAST_BLOCK_SEQ_NBR",
            f"{status}.NBR_UNREAD_BLOCKS",
            f"{set_label(number)}.LP_DATA_SETS{number}",
        ),
    )


def set_plans_of(shape: Shape) -> tuple[SetPlan, ...]:
    """Return the plans of the sets that can be recorded. For `Shape.derived`."""
    plans = [_plan(shape, number) for number in SETS]
    return tuple(plan for plan in plans if plan is not None)


def _plan(shape: Shape, number: int) -> SetPlan | None:
    st0, st61, st62 = (record(shape.device, table) for table in (0, 61, 62))
    signals: tuple[Signal, ...] = shape.derived(signals_of)
    layout = shape.layout(set_label(number))
    if st61 is None or st62 is None or layout is None or not signals:
        return None
    configuration = set_configuration(number, st0, st61, st62, shape.derived(sources_of))
    block = block_layout(layout, number)
    if configuration is None or block is None or not configuration.minutes:
        return None

    def signal(source: Source | None) -> Signal | None:
        return None if source is None or source.index >= len(signals) else signals[source.index]

    channels = []
    for channel in configuration.channels:
        own = signal(channel.source) or Signal(None)
        cell = Cell(layout.element(f"{block.array}[0].LP_INT[0].INT_DATA[{channel.number - 1}]"), own)
        factor = Fraction(channel.scalar, channel.divisor)
        ratio = factor / (COUNTS * own.multiplier * cell.grain)
        channels.append(RecordedChannel(own, factor, cell.grain, signal(channel.end_source), cell, ratio))
    return SetPlan(configuration, block, tuple(channels))
