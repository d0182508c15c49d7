"""Load profile as an Arrow table. Needs the extra ``arrow``.

One row for each interval, in order of time, and for each channel a column with its values; unit, quantity and source
are in the metadata of the column's field. Values are decimal128 and exact, except that they are float64 where the wire
has floats or a scalar has no finite quotient. Polars, DuckDB and pandas read the table as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from c1219.codes.status import ChannelStatus
from c1219.export.decimal_columns import last_place, linear, of_buffers
from c1219.export.interval_columns import (
    channel_codes,
    channel_counts,
    channel_factor,
    interval_rows,
    interval_status,
    raw_intervals,
)
from c1219.views.load_profile import IntervalStatus, Scaling
from c1219.views.profile.blocks import blocks_of
from c1219.views.profile.needs import moment
from c1219.views.profile.set import ProfileSet, profile_set

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from c1219.errors import Finding
    from c1219.rules.profile_set import Channel
    from c1219.tableset import TableSet

__all__ = ["load_profile_table"]


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
    rows = interval_rows(profile, blocks, moment(profile, since, aware=aware), moment(profile, until, aware=aware))
    status, extended = interval_status(profile, blocks, rows)
    length, tz = 60 * profile.minutes, "UTC" if aware else None
    arrays = [
        of_buffers(pa.timestamp("s", tz), rows.ends - length, rows.timed),
        of_buffers(pa.timestamp("s", tz), rows.ends, rows.timed),
        pa.array(rows.blocks),
        pa.array(status),
    ]
    fields = [pa.field("start", arrays[0].type), pa.field("end", arrays[1].type)]
    fields += [pa.field("block", pa.uint32(), nullable=False), pa.field("status", pa.uint8(), nullable=False)]
    counts = channel_counts(profile, blocks)
    inhibited = (status & IntervalStatus.INHIBITED) != 0
    data, exponent = raw_intervals(profile, blocks)
    for slot, channel in enumerate(profile.channels):
        known = ~inhibited & (rows.position < counts[rows.owners, slot])
        code = None
        if extended is not None:
            code = channel_codes(extended, channel)
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


def _scaled(profile: ProfileSet, channel: Channel, raw: Any, exponent: int, known: Any) -> pa.Array:
    """Return the values of a channel."""
    if raw.dtype == object:
        return _one_by_one(profile, channel, raw, known)
    source = channel.source
    factor, finite = channel_factor(channel, exponent)
    if raw.dtype.kind == "f" or not finite:
        values = raw.astype(np.float64) * float(factor) + float(source.offset)
        return pa.array(values, mask=~(known & np.isfinite(values)))
    values = linear(raw, factor, source.offset, known)
    return _one_by_one(profile, channel, raw.astype(object), known) if values is None else values


def _one_by_one(profile: ProfileSet, channel: Channel, raw: Any, known: Any) -> pa.Array:
    """Scale as the rows do, where no column of machine numbers can hold the values."""
    scaling = Scaling(profile, channel)
    values = [scaling[item] if is_known else None for item, is_known in zip(raw, known.tolist(), strict=True)]
    scale = max([0, *(-last_place(value) for value in values if value is not None)])
    whole = max([0, *(value.adjusted() + 1 for value in values if value is not None)])
    if scale + whole > 38:
        return pa.array([None if value is None else float(value) for value in values], type=pa.float64())
    return pa.array(values, type=pa.decimal128(38, scale))
