"""Load profile as an Arrow table. Needs the extra ``arrow``.

One row for each interval, in order of time, and for each channel a column with its values; unit, quantity and source
are in the metadata of the column's field. Values are decimal128 and exact, except that they are float64 where the wire
has floats or a scalar has no finite quotient. Polars, DuckDB and pandas read the table as it is.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from c1219.codes.status import ChannelStatus
from c1219.errors import DecodeError, Finding
from c1219.rules.sources import EXACT
from c1219.views.load_profile import IntervalStatus, Scaling
from c1219.views.profile.blocks import Block, blocks_of
from c1219.views.profile.needs import moment
from c1219.views.profile.set import ProfileSet, profile_set

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1219.rules.profile_set import Channel
    from c1219.tableset import TableSet

__all__ = ["load_profile_table"]

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  for naive times; aware ones have their own
_LIMIT = 1 << 62


class _Rows(NamedTuple):
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


def load_profile_table(
    device: TableSet,
    number: int = 1,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    pieces: Mapping[int, bytes] | None = None,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
) -> pa.Table:
    """Return the intervals of a set as an Arrow table; arguments as for `c1219.views.load_profile.load_profile`.

    Returns:
        Columns ``start`` and ``end`` (timestamps, in UTC if the offset of the meter is known, else without zone),
        ``block`` (sequence number), ``status`` (`IntervalStatus`), and for channel n ``channel_n`` and, if the set
        keeps it, ``channel_n_status`` (`ChannelStatus`). The metadata of ``channel_n`` has source, quantity, unit
        (left out if not known), scalar and divisor; that of the table has set, minutes and findings as JSON. Without
        the tables that it needs it has no rows and no channels.
    """
    findings: list[Finding] = []
    profile = profile_set(device, number, findings, pieces=pieces, zone=zone, local_counters=local_counters)
    if profile is None:
        empty = pa.schema(
            [("start", pa.timestamp("s")), ("end", pa.timestamp("s")), ("block", pa.uint32()), ("status", pa.uint8())]
        )
        return empty.with_metadata(_metadata(number, 0, findings)).empty_table()
    blocks = blocks_of(profile)
    aware = any(block.end is not None and block.end.tzinfo is not None for block in blocks)
    rows = _chosen(profile, blocks, moment(profile, since, aware=aware), moment(profile, until, aware=aware))
    octets = np.frombuffer(profile.octets, dtype=np.uint8).reshape(profile.block_count, profile.block_size)
    status, extended = _status(profile, blocks, rows, octets)
    length, tz = 60 * profile.minutes, "UTC" if aware else None
    arrays = [
        _array(pa.timestamp("s", tz), rows.ends - length, rows.timed),
        _array(pa.timestamp("s", tz), rows.ends, rows.timed),
        pa.array(rows.blocks),
        pa.array(status),
    ]
    fields = [pa.field("start", arrays[0].type), pa.field("end", arrays[1].type)]
    fields += [pa.field("block", pa.uint32(), nullable=False), pa.field("status", pa.uint8(), nullable=False)]
    counts = np.array([block.counts for block in blocks], dtype=np.int64).reshape(len(blocks), len(profile.channels))
    inhibited = (status & IntervalStatus.INHIBITED) != 0
    data, exponent = _data(profile, blocks)
    for slot, channel in enumerate(profile.channels):
        known = ~inhibited & (rows.position < counts[rows.owners, slot])
        code = None
        if extended is not None:
            octet = extended[:, channel.number // 2]
            code = octet & 15 if channel.number % 2 else octet >> 4
            known &= code != ChannelStatus.SKIPPED_INTERVAL
        values = _scaled(profile, channel, data[:, slot][rows.places], exponent, known)
        arrays.append(values)
        fields.append(pa.field(f"channel_{channel.number}", values.type, metadata=_channel_metadata(channel)))
        if code is not None:
            arrays.append(pa.array(code))
            fields.append(pa.field(f"channel_{channel.number}_status", pa.uint8(), nullable=False))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=_metadata(number, profile.minutes, findings)))


def _metadata(number: int, minutes: int, findings: list[Finding]) -> dict[str, str]:
    remarks = json.dumps([finding._asdict() for finding in findings], ensure_ascii=False)
    return {"set": str(number), "minutes": str(minutes), "findings": remarks}


def _channel_metadata(channel: Channel) -> dict[str, str]:
    source = channel.source
    found = {"source": str(source.index), "quantity": source.quantity}
    if source.unit is not None:
        found["unit"] = source.unit
    return {**found, "scalar": str(channel.scalar), "divisor": str(channel.divisor)}


def _chosen(profile: ProfileSet, blocks: list[Block], since: dt.datetime | None, until: dt.datetime | None) -> _Rows:
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
    rows = _Rows(
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
        rows = _Rows(*(column[keep] for column in rows))
    if len(rows.ends) and (np.diff(rows.ends) < 0).any():
        order = np.lexsort((np.arange(len(rows.ends)), rows.ends, rows.timed))
        rows = _Rows(*(column[order] for column in rows))
    return rows


def _seconds(time: dt.datetime | None) -> int:
    if time is None:
        return 0
    return int(time.timestamp() if time.tzinfo is not None else (time - _EPOCH).total_seconds())


def _status(profile: ProfileSet, blocks: list[Block], rows: _Rows, octets: Any) -> tuple[Any, Any]:
    """Return the flags of each row, and its EXTENDED_INT_STATUS or None."""
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


def _data(profile: ProfileSet, blocks: list[Block]) -> tuple[Any, int]:
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


def _array(kind: pa.DataType, values: Any, known: Any) -> pa.Array:
    """Wrap 64 or 128 bit numbers without a copy; null where not known."""
    validity = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, len(known), [validity, pa.py_buffer(np.ascontiguousarray(values))])


def _scaled(profile: ProfileSet, channel: Channel, raw: Any, exponent: int, known: Any) -> pa.Array:
    """Return the values of a channel."""
    if raw.dtype == object:
        return _one_by_one(profile, channel, raw, known)
    source = channel.source
    factor = EXACT.divide(EXACT.multiply(source.multiplier, Decimal(channel.divisor)), Decimal(channel.scalar))
    factor = EXACT.scaleb(factor, exponent)
    finite = EXACT.multiply(factor, Decimal(channel.scalar)) == EXACT.scaleb(
        EXACT.multiply(source.multiplier, Decimal(channel.divisor)), exponent
    )
    if raw.dtype.kind == "f" or not finite:
        values = raw.astype(np.float64) * float(factor) + float(source.offset)
        return pa.array(values, mask=~(known & np.isfinite(values)))
    scale = max(0, -_exponent(factor), -_exponent(source.offset))
    times, plus = int(factor.scaleb(scale)), int(source.offset.scaleb(scale))
    most = int(np.abs(raw.astype(np.int64)).max(initial=0)) if raw.size else 0
    if most * abs(times) + abs(plus) >= _LIMIT or scale > 38:
        return _one_by_one(profile, channel, raw.astype(object), known)
    numbers = np.empty((len(raw), 2), dtype=np.int64)
    numbers[:, 0] = raw.astype(np.int64) * times + plus
    numbers[:, 1] = numbers[:, 0] >> 63
    return _array(pa.decimal128(38, scale), numbers, known)


def _exponent(number: Decimal) -> int:
    exponent = number.normalize(EXACT).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _one_by_one(profile: ProfileSet, channel: Channel, raw: Any, known: Any) -> pa.Array:
    """Scale as the rows do, where no column of machine numbers can hold the values."""
    scaling = Scaling(profile, channel)
    values = [scaling[item] if is_known else None for item, is_known in zip(raw, known.tolist(), strict=True)]
    scale = max([0, *(-_exponent(value) for value in values if value is not None)])
    whole = max([0, *(value.adjusted() + 1 for value in values if value is not None)])
    if scale + whole > 38:
        return pa.array([None if value is None else float(value) for value in values], type=pa.float64())
    return pa.array(values, type=pa.decimal128(38, scale))
