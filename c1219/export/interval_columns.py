"""Intervals of a load profile in columns, before their values are scaled. Needs the extra ``arrow``."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from c1219.errors import DecodeError
from c1219.rules.sources import EXACT
from c1219.views.load_profile import IntervalStatus

if TYPE_CHECKING:
    from c1219.rules.profile_set import Channel
    from c1219.views.profile.blocks import Block
    from c1219.views.profile.set import ProfileSet

__all__ = [
    "IntervalRows", "channel_codes", "channel_counts", "channel_factor", "interval_rows", "interval_status",
    "raw_intervals",
]  # fmt: skip

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  for naive times; aware ones have their own


class IntervalRows(NamedTuple):
    """The rows of the table before their values are scaled.

    Attributes:
        places: number of the interval in the table of the meter, over all blocks.
        ends: seconds since 1970; meaningless where `timed` is False.
        timed: whether the interval has times.
        blocks: sequence number of its block.
        owners: number of its block among the blocks.
        position: index of the interval in the array of its block.
    """

    places: Any
    ends: Any
    timed: Any
    blocks: Any
    owners: Any
    position: Any


def interval_rows(
    profile: ProfileSet, blocks: list[Block], since: dt.datetime | None = None, until: dt.datetime | None = None
) -> IntervalRows:
    """Return the intervals between two times whose octets are at hand, in order of time."""
    length = 60 * profile.minutes
    lows = [block.indices.start for block in blocks]
    counts = np.array([len(block.indices) for block in blocks], dtype=np.int64)
    owners = np.repeat(np.arange(len(blocks)), counts)
    step = -1 if profile.status.LP_SET_STATUS_FLAGS.INTERVAL_ORDER else 1
    within = np.arange(len(owners)) - np.repeat(np.cumsum(counts) - counts, counts)
    position = np.array(lows, dtype=np.int64)[owners] + step * within
    last = np.array([_seconds(block.end) for block in blocks], dtype=np.int64)
    timed = np.array([block.end is not None and bool(length) for block in blocks], dtype=bool)[owners]
    ends = np.where(timed, last[owners] - (counts[owners] - 1 - within) * length, 0)
    elements = np.array([block.element for block in blocks], dtype=np.int64)[owners]
    rows = IntervalRows(
        elements * profile.per_block + position, ends, timed,
        np.array([block.sequence for block in blocks], dtype=np.uint32)[owners], owners, position,
    )  # fmt: skip
    keep = np.ones(len(owners), dtype=bool)
    if since is not None:
        keep &= ~timed | (ends > _seconds(since))
    if until is not None:
        keep &= ~timed | (ends - length < _seconds(until))
    if profile.covered != [(0, profile.layout.size)]:
        pairs = zip(elements.tolist(), position.tolist(), strict=True)
        keep &= np.array([profile.holds_interval(*pair) for pair in pairs], dtype=bool)
    if not keep.all():
        rows = IntervalRows(*(column[keep] for column in rows))
    if len(rows.ends) and (np.diff(rows.ends) < 0).any():
        order = np.lexsort((np.arange(len(rows.ends)), rows.ends, rows.timed))
        rows = IntervalRows(*(column[order] for column in rows))
    return rows


def _seconds(time: dt.datetime | None) -> int:
    if time is None:
        return 0
    return int(time.timestamp() if time.tzinfo is not None else (time - _EPOCH).total_seconds())


def interval_status(profile: ProfileSet, blocks: list[Block], rows: IntervalRows) -> tuple[Any, Any]:
    """Return the flags of each row, and its EXTENDED_INT_STATUS or None."""
    octets = np.frombuffer(profile.octets, dtype=np.uint8).reshape(profile.block_count, profile.block_size)
    flags = np.array([IntervalStatus.INHIBITED if block.inhibited else 0 for block in blocks], dtype=np.uint8)
    flags = flags[rows.owners]
    extended = None
    if profile.extended is not None:
        intervals = octets[:, profile.interval_at :].reshape(-1, profile.interval_size)
        start = profile.extended.offset - profile.interval_at
        extended = intervals[rows.places, start : start + profile.extended.size]
        flags |= extended[:, 0] >> 4
    if profile.simple is not None:
        sets = octets[:, profile.simple.offset : profile.simple.offset + profile.simple.size]
        valid = np.unpackbits(sets, axis=1, bitorder="little")[:, : profile.per_block].reshape(-1)
        flags |= np.where(valid[rows.places] == 0, np.uint8(IntervalStatus.NOT_VALID), np.uint8(0))
    return flags, extended


def raw_intervals(profile: ProfileSet, blocks: list[Block]) -> tuple[Any, int]:
    """Return the raw values of intervals (rows) and channels (columns), and the power of ten that belongs to them."""
    path = f"{profile.array}[].LP_INT[].INT_DATA[]"
    shape = (profile.block_count * profile.per_block, len(profile.channels))
    try:
        column = profile.layout.columns(profile.octets, (path,))[path]
    except DecodeError:
        data = np.empty(shape, dtype=object)
        for block in blocks:
            for index, interval in enumerate(profile.interval_values(block.element)):
                data[block.element * profile.per_block + index] = interval.INT_DATA
        return data, 0
    return column.values.reshape(shape), column.exponent


def channel_factor(channel: Channel, exponent: int) -> tuple[Decimal, bool]:
    """Return what raw values of a channel are multiplied with, and whether that is exact.

    Args:
        channel: the channel.
        exponent: power of ten that belongs to its raw values.
    """
    scalar = Decimal(channel.scalar)
    product = EXACT.multiply(channel.source.multiplier, Decimal(channel.divisor))
    factor = EXACT.divide(product, scalar)
    return EXACT.scaleb(factor, exponent), EXACT.multiply(factor, scalar) == product


def channel_codes(extended: Any, channel: Channel) -> Any:
    """Return the status of a channel in each interval, by its EXTENDED_INT_STATUS."""
    octet = extended[:, channel.number // 2]
    return octet & 15 if channel.number % 2 else octet >> 4


def channel_counts(profile: ProfileSet, blocks: list[Block]) -> Any:
    """Return the intervals of blocks (rows) and channels (columns)."""
    return np.array([block.counts for block in blocks], dtype=np.int64).reshape(len(blocks), len(profile.channels))
