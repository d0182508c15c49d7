"""Load profile of one meter as readings: decoded by columns. Needs the extra ``arrow``.

The rows are those of the view of load profiles, in its order; tests hold the two equal.
"""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from c1219.codes.status import ChannelStatus
from c1219.export.interval_columns import (
    IntervalRows,
    channel_codes,
    channel_counts,
    channel_factor,
    interval_rows,
    interval_status,
    raw_intervals,
)
from c1219.export.reading_columns import (
    NO_OFFSET,
    Moments,
    by_number,
    joined_flags,
    moments,
    offsets_at,
    reading_batch,
    status_column,
    values_of,
)
from c1219.rules.sources import EXACT
from c1219.tabular.readings import ZONE_UNKNOWN, raw_text
from c1219.views.load_profile import CHANNEL_STATES, STATES, IntervalStatus, Scaling, flag_names
from c1219.views.origin import origin
from c1219.views.profile.blocks import Block, blocks_of, boundaries, steady_start
from c1219.views.profile.set import ProfileSet, profile_set

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from c1219.errors import Finding
    from c1219.rules.profile_set import Channel
    from c1219.tableset import TableSet
    from c1219.tabular.arrow import Decimals
    from c1219.tabular.readings import MeterOrigin

__all__ = ["profile_readings"]

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND


def profile_readings(
    device: TableSet,
    number: int,
    *,
    findings: list[Finding] | None = None,
    decimals: Decimals = "decimal128",
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
) -> pa.RecordBatch:
    """Return the intervals of a set of a load profile; none where tables are absent.

    Args:
        device: the tables of the meter.
        number: of the set, 1..4.
        findings: where to report what is missing, tolerated or wrong.
        decimals: what decimal numbers become.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
    """
    remarks: list[Finding] = [] if findings is None else findings
    profile = profile_set(device, number, remarks, zone=zone, local_counters=local_counters)
    if profile is None:
        return reading_batch({}, 0, decimals)
    blocks = blocks_of(profile)
    rows = interval_rows(profile, blocks)
    whence = origin(device, profile.times).of(profile.label)
    return _batch(profile, blocks, rows, whence, decimals)


def _batch(
    profile: ProfileSet, blocks: list[Block], rows: IntervalRows, whence: MeterOrigin, decimals: Decimals
) -> pa.RecordBatch:
    channels, count = profile.channels, len(rows.ends)
    width = len(channels)
    status, extended = interval_status(profile, blocks, rows)
    there = rows.position[:, None] < channel_counts(profile, blocks)[rows.owners]
    chosen = np.flatnonzero(there.ravel())  # intervals by time, and in each its channels
    interval, slot = chosen // width, chosen % width
    known = (status & (IntervalStatus.NOT_VALID | IntervalStatus.INHIBITED)) == 0
    data, exponent = raw_intervals(profile, blocks)
    states = []
    made = []
    for channel in channels:
        codes = np.zeros(count, np.uint8) if extended is None else channel_codes(extended, channel)
        states.append(codes)
        raw = data[:, channel.number - 1][rows.places]
        told = known & (codes != ChannelStatus.SKIPPED_INTERVAL)
        made.append(_values(profile, channel, raw, exponent, told))
    place = slot * count + interval
    places = pa.array(place)
    flags, lost = joined_flags([(sets, numbers) for _, numbers, sets, _ in made])
    words = [flag_names(state, code) for state in STATES for code in CHANNEL_STATES]
    own = status[interval].astype(np.int64) * len(CHANNEL_STATES) + np.concatenate(states)[place]
    end = _ends(profile, blocks, rows, whence).at(interval)
    start = end._replace(us=end.us - profile.minutes * _MINUTE)
    constant = {"meter": whence.meter, "node": whence.node, "verified": whence.verified, "kind": "interval"}
    once = np.zeros(len(chosen), np.int64)
    of_source = {name: [getattr(channel.source, name) for channel in channels] for name in ("quantity", "unit")}
    of_channel = of_source | {
        "source": [channel.source.index for channel in channels],
        "path": [f"LP{profile.number}.CH{channel.number}" for channel in channels],
        "reading_type": [one and str(one) for one in (channel.reading_type(profile.minutes) for channel in channels)],
    }
    return reading_batch(
        {name: by_number(name, [word], once) for name, word in constant.items()}
        | {name: by_number(name, texts, slot) for name, texts in of_channel.items()}
        | {
            "start": start.column(),
            "end": end.column(),
            "local_offset": end.offsets(),
            "value": pa.concat_arrays([values for values, *_ in made]).take(places),
            "raw": pa.concat_arrays([raw for *_, raw in made]).take(places),
            "status": status_column((words, own), (flags, lost[place]), (((), (ZONE_UNKNOWN,)), end.naive)),
            "read_at": moments([whence.read_at], whence).at(once).column(),
        },
        len(chosen),
        decimals,
    )


def _values(
    profile: ProfileSet, channel: Channel, raw: NDArray[Any], exponent: int, known: NDArray[np.bool_]
) -> tuple[pa.Array, NDArray[np.int64], list[tuple[str, ...]], pa.Array]:
    """Return the values of a channel as a column, the numbers of sets of flags, these sets, and the raw numbers."""
    scaling = Scaling(profile, channel)
    factor, finite = channel_factor(channel, exponent)

    def decoded(number: Any) -> Any:
        return EXACT.scaleb(Decimal(number), exponent) if exponent else number

    values, lost, flags = values_of(
        raw, factor if finite else None, channel.source.offset, known, lambda number: scaling[decoded(number)]
    )
    if raw.dtype.kind in "iu" and not exponent:
        return values, lost, flags, pa.array(raw).cast(pa.string())
    return values, lost, flags, pa.array([raw_text(decoded(number)) for number in raw.tolist()], pa.string())


def _ends(profile: ProfileSet, blocks: list[Block], rows: IntervalRows, whence: MeterOrigin) -> Moments:
    """Return the ends of intervals."""
    naive = np.array([block.end is None or block.end.tzinfo is None for block in blocks], np.bool_)
    offsets = np.full((len(blocks), profile.per_block), NO_OFFSET, np.int16)
    for own, block in zip(offsets, blocks, strict=True):
        if whence.place is not None and block.end is not None and block.end.tzinfo is not None:
            own[list(block.indices)] = _offsets(profile, block, whence)
    return Moments(
        rows.timed, rows.ends * _SECOND, offsets[rows.owners, rows.position], naive[rows.owners] & rows.timed
    )


def _offsets(profile: ProfileSet, block: Block, whence: MeterOrigin) -> NDArray[np.int16]:
    """Return the minutes that the place of the meter is ahead of UTC at the end of each interval, or of all."""
    with suppress(OverflowError):
        if steady_start(profile, block) is not None:
            return offsets_at([block.end], whence)
    return offsets_at(boundaries(profile, block)[1:], whence)
