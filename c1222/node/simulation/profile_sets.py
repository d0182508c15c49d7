"""How the sets of a load profile are recorded, as their configuration says: channels, forms, and where things are."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.node.meter.rings import Ring, RingNames
from c1222.node.simulation.signals import COUNTS, Cell, Signal, signals_of

if TYPE_CHECKING:
    from c1222.node.meter.configuration import Shape
    from c1222.node.meter.tables import Tables

__all__ = ["SETS", "RecordedChannel", "SetPlan", "ring_of_set", "set_plans_of"]

SETS: Final = (1, 2, 3, 4)


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
        number: 1..4.
        length: of an interval, seconds.
        intervals: in a block.
        channels: what is recorded.
        code: INT_FMT_CDE, the form of interval data.
        simple: offset of SIMPLE_INT_STATUS in a block, None if there is none.
        extended: whether intervals have status nibbles.
        closure: whether blocks have CLOSURE_STATUS.
        first: offset of the first interval in a block.
        stride: octets of an interval.
        sum_over_block: whether end readings are sums over their block.
    """

    number: int
    length: int
    intervals: int
    channels: tuple[RecordedChannel, ...]
    code: int
    simple: int | None
    extended: bool
    closure: bool
    first: int
    stride: int
    sum_over_block: bool


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
            f"ST{63 + number}.LP_DATA_SETS{number}",
        ),
    )


def set_plans_of(shape: Shape) -> tuple[SetPlan, ...]:
    """Return the plans of the sets that can be recorded. For `Shape.derived`."""
    plans = [_plan(shape, number) for number in SETS]
    return tuple(plan for plan in plans if plan is not None)


def _plan(shape: Shape, number: int) -> SetPlan | None:
    st61, st62 = shape.value("ST61"), shape.value("ST62")
    signals: tuple[Signal, ...] = shape.derived(signals_of)
    block = f"ST{63 + number}.LP_DATA_SETS{number}[0]"
    if st61 is None or st62 is None or not signals or not shape.has(f"{block}.LP_INT[0]"):
        return None
    length = 60 * (getattr(st61, f"MAX_INT_TIME_SET{number}") or 0)
    selected = getattr(st62, f"LP_SEL_SET{number}")
    if not length or not selected:
        return None

    def signal(source: Any) -> Signal | None:
        return signals[int(source)] if int(source) < len(signals) else None

    scalars = getattr(st62, f"SCALARS_SET{number}") or (1,) * len(selected)
    divisors = getattr(st62, f"DIVISOR_SET{number}") or (1,) * len(selected)
    channels = []
    for place, (channel, scalar, divisor) in enumerate(zip(selected, scalars, divisors, strict=True)):
        own = signal(channel.LP_SOURCE_SELECT) or Signal(None)
        cell = Cell(shape.element(f"{block}.LP_INT[0].INT_DATA[{place}]"), own)
        end = signal(channel.END_BLK_RDG_SOURCE_SELECT)
        factor = Fraction(scalar or 1, divisor or 1)
        channels.append(
            RecordedChannel(own, factor, cell.grain, end, cell, factor / (COUNTS * own.multiplier * cell.grain))
        )
    interval = shape.element(f"{block}.LP_INT[0]")
    start = shape.element(block).offset
    simple = f"{block}.SIMPLE_INT_STATUS"
    flags = st61.LP_FLAGS
    return SetPlan(
        number,
        length,
        getattr(st61, f"NBR_BLK_INTS_SET{number}"),
        tuple(channels),
        getattr(st62, f"INT_FMT_CDE{number}"),
        shape.element(simple).offset - start if shape.has(simple) else None,
        bool(flags.EXTENDED_INT_STATUS_FLAG),
        shape.has(f"{block}.CLOSURE_STATUS"),
        interval.offset - start,
        interval.size,
        bool(getattr(flags, "BLK_END_RD_INDICATOR_FLAG", None)),
    )
