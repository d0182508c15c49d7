"""The sets of a load profile (ST61, ST62): channels and lengths of a set, and where things are in a block of its table.

Readings of ours: a scalar or divisor of 0 is taken as 1; a channel has an end reading only with END_RDG_FLAG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.codes.reading_type import interval_type
from c1219.errors import UnknownElement
from c1219.tables.decade6_load_profile import SETS

if TYPE_CHECKING:
    from c1219.codes.reading_type import ReadingType
    from c1219.engine.element import Element
    from c1219.engine.layout import Layout
    from c1219.rules.sources import Source, Sources

__all__ = ["SETS", "BlockLayout", "Channel", "SetConfiguration", "block_layout", "set_configuration", "set_label"]

_SECOND_FORMAT: Final = 128
"""INT_FMT_CDE: interval data are NI_FMAT2."""
_FLOAT32: Final = 1


class Channel(NamedTuple):
    """One channel of a set.

    Attributes:
        number: 1 for the first.
        source: what its intervals measure.
        scalar: ST62.SCALARS, 1 if there is none.
        divisor: ST62.DIVISOR, 1 if there is none; source units are the stored value times divisor, divided by scalar.
        end_source: what its end readings measure; None if END_RDG_FLAG says that it has none.
    """

    number: int
    source: Source
    scalar: int
    divisor: int
    end_source: Source | None

    def reading_type(self, minutes: int, *, partial: bool = False) -> ReadingType | None:
        """Return the name of its intervals in IEC CIM, None if they have none.

        Args:
            minutes: length of an interval.
            partial: what has no code is 0, and the rest is given.
        """
        source = self.source
        return interval_type(source.uom, source.unit, minutes, primary=source.primary, partial=partial)


class SetConfiguration(NamedTuple):
    """How a set is recorded.

    Attributes:
        number: 1..4.
        blocks: in its table.
        intervals: in a full block.
        minutes: length of an interval; 0 if it is not known.
        code: INT_FMT_CDE, the form of interval data.
        sums: end readings are sums over their block.
        single: floats of the interval data have 32 bits.
        single_end: floats of the end readings have 32 bits.
        channels: what is recorded.
        zeros: scalar and divisor as they are stored of channels in which one of them is 0, by number of the channel.
    """

    number: int
    blocks: int
    intervals: int
    minutes: int
    code: int
    sums: bool
    single: bool
    single_end: bool
    channels: tuple[Channel, ...]
    zeros: dict[int, tuple[int, int]]


class BlockLayout(NamedTuple):
    """Where things are in a block. Offsets count from its start.

    Attributes:
        array: name of the array of blocks.
        size: octets of a block.
        end_time: BLK_END_TIME, of no octets in a device without clock.
        readings: END_READINGS.
        closure: CLOSURE_STATUS, None if there is none.
        simple: SIMPLE_INT_STATUS, None if there is none.
        intervals: LP_INT.
        interval_size: octets of an interval.
        extended: EXTENDED_INT_STATUS of the first interval, None if there is none.
    """

    array: str
    size: int
    end_time: Element
    readings: Element
    closure: Element | None
    simple: Element | None
    intervals: Element
    interval_size: int
    extended: Element | None


def set_label(number: int) -> str:
    """Return the label of the data table of a set, ``ST64`` to ``ST67``."""
    return f"ST{63 + number}"


def set_configuration(number: int, st0: Any, st61: Any, st62: Any, sources: Sources) -> SetConfiguration | None:
    """Return how a set is recorded, None if the meter does not have it.

    Args:
        number: 1..4.
        st0: value of ST0.
        st61: value of ST61.
        st62: value of ST62.
        sources: of the meter.
    """
    selected = getattr(st62, f"LP_SEL_SET{number}")
    if selected is None:
        return None
    scalars = getattr(st62, f"SCALARS_SET{number}") or (1,) * len(selected)
    divisors = getattr(st62, f"DIVISOR_SET{number}") or (1,) * len(selected)
    channels = tuple(
        Channel(
            place, sources.describe(select.LP_SOURCE_SELECT), scalar or 1, divisor or 1,
            sources.describe(select.END_BLK_RDG_SOURCE_SELECT) if select.CHNL_FLAG.END_RDG_FLAG else None,
        )
        for place, (select, scalar, divisor) in enumerate(zip(selected, scalars, divisors, strict=True), 1)
    )  # fmt: skip
    stored = enumerate(zip(scalars, divisors, strict=True), 1)
    formats = st0.FORMAT_CONTROL_3
    code = getattr(st62, f"INT_FMT_CDE{number}")
    return SetConfiguration(
        number,
        getattr(st61, f"NBR_BLKS_SET{number}"),
        getattr(st61, f"NBR_BLK_INTS_SET{number}"),
        getattr(st61, f"MAX_INT_TIME_SET{number}"),
        code,
        bool(getattr(st61.LP_FLAGS, "BLK_END_RD_INDICATOR_FLAG", False)),
        (formats.NI_FORMAT2 if code == _SECOND_FORMAT else formats.NI_FORMAT1) == _FLOAT32,
        formats.NI_FORMAT1 == _FLOAT32,
        channels,
        {place: pair for place, pair in stored if 0 in pair},
    )


def block_layout(layout: Layout, number: int) -> BlockLayout | None:
    """Return where things are in the blocks of a set, None if it has no blocks, no intervals or no channels.

    Args:
        layout: of its data table.
        number: of the set, 1..4.
    """
    array = f"LP_DATA_SETS{number}"

    def part(below: str) -> Element:
        return layout.element(f"{array}[0].{below}".rstrip("."))

    def optional(below: str) -> Element | None:
        try:
            return part(below)
        except UnknownElement:
            return None

    if optional("LP_INT[0].INT_DATA[0]") is None:
        return None
    return BlockLayout(
        array, part("").size, part("BLK_END_TIME"), part("END_READINGS"), optional("CLOSURE_STATUS"),
        optional("SIMPLE_INT_STATUS"), part("LP_INT"), part("LP_INT[0]").size,
        optional("LP_INT[0].EXTENDED_INT_STATUS"),
    )  # fmt: skip
