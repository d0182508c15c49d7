"""Which octets of a load profile to read for a span of time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from c1219.views.clock import clock
from c1219.views.profile.blocks import Block, block_order, ordered_blocks
from c1219.views.profile.set import MAX_BLOCKS, ProfileSet, profile_set

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1219.errors import Finding
    from c1219.tableset import TableSet

__all__ = ["MAX_COUNT", "MERGE_GAP", "Need", "NeededOctets", "moment", "needed"]

MERGE_GAP = 64
"""Unneeded octets that are read rather than sending another request: about what a request and its response cost."""
MAX_COUNT = 65535
"""Octets of one piece: the largest count of an offset read."""


_FIRST, _LAST = dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)


class NeededOctets(NamedTuple):
    """A stretch of a table to read.

    Attributes:
        offset: octets from the start of the table.
        count: octets.
        blocks: indices of the blocks that it has octets of.
    """

    offset: int
    count: int  # type: ignore[assignment]  # tuple.count is not needed
    blocks: tuple[int, ...]


class Need(NamedTuple):
    """What to read.

    Attributes:
        table: label of the table, for example ``ST64``; "" if the tables that say so are absent.
        pieces: stretches of it, in order of offset.
        ends: where the end times of all blocks in use are: read them first, and give them to `needed` again, if
            `estimated` is not good enough.
        estimated: the end times of the blocks are not known but estimated from the clock of the meter.
        findings: what is missing, tolerated or wrong.
    """

    table: str
    pieces: tuple[NeededOctets, ...]
    ends: tuple[NeededOctets, ...]
    estimated: bool
    findings: tuple[Finding, ...]

    @property
    def octets(self) -> int:
        """How many octets the pieces have."""
        return sum(piece.count for piece in self.pieces)


def moment(profile: ProfileSet, time: dt.datetime | None, *, aware: bool) -> dt.datetime | None:
    """Return a time of the caller as the rows have them.

    Args:
        profile: the set.
        time: naive means local time of the meter; of an hour that occurs twice the first, the second if ``fold`` is 1.
        aware: the rows have aware times.

    Returns:
        None and a finding if the time cannot be compared with the rows: then there is no limit.
    """
    if time is None:
        return None
    times = profile.times
    if aware:
        try:
            return times.of_wall(time) if time.tzinfo is None else time.astimezone(dt.UTC)
        except OverflowError:  # within a day of the first or the last time that there is
            return _FIRST if time.year == dt.MINYEAR else _LAST
    if time.tzinfo is None:
        return time
    wall = times.wall(time)
    if wall is None:
        text = f"{time} cannot be compared with the meter's clock, whose time zone is not known; it is ignored"
        profile.remark("error", "zone-unknown", profile.label, text)
    return wall


def needed(
    device: TableSet,
    number: int = 1,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    *,
    ends: Mapping[int, dt.datetime | None] | None = None,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
    merge_gap: int = MERGE_GAP,
    max_count: int = MAX_COUNT,
    max_blocks: int = MAX_BLOCKS,
) -> Need:
    """Say which octets of ST64 (ST65, ST66, ST67) hold the intervals between two times.

    Needs ST0, ST61 to ST63 and, to know when blocks ended, one of: `ends`, the data table in the device, or ST52.

    Args:
        device: the tables of the meter.
        number: of the set, 1..4.
        since: only intervals that end after this; naive means local time of the meter. None for all.
        until: only intervals that start before this. None for all.
        ends: end time (BLK_END_TIME, naive) of blocks by index, if they were read.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
        merge_gap: pieces that are at most so many octets apart are read as one.
        max_count: octets of the longest piece.
        max_blocks: the newest blocks that are asked for; more are a finding.
    """
    findings: list[Finding] = []
    profile = profile_set(device, number, findings, zone=zone, local_counters=local_counters, max_blocks=max_blocks)
    held = f"ST{63 + number}"
    if profile is None:
        return Need("", (), (), False, tuple(findings))
    known = profile.ends() if ends is None else dict(ends)
    order = block_order(profile, known)
    estimated = any(element not in known for element, _ in order)
    if estimated:
        known |= _estimated(profile, device, order, known, zone=zone, local_counters=local_counters)
    blocks = ordered_blocks(profile, order, known)
    margin = dt.timedelta(minutes=profile.minutes)
    if estimated:
        margin *= profile.per_block + 1
        profile.remark(
            "note", "estimated", held, "end times of blocks are estimated; a block more is read on each side"
        )
    aware = any(block.end is not None and block.end.tzinfo is not None for block in blocks)
    if profile.times.dst_applied:
        margin += max((profile.times.shift_around(block.end) for block in blocks if block.end), default=dt.timedelta())
    first = _moved(moment(profile, since, aware=aware), -margin)
    last = _moved(moment(profile, until, aware=aware), margin)
    spans: list[tuple[int, int]] = []
    for block in blocks:
        spans += _spans(profile, block, first, last)
    heads = [(element * profile.block_size, profile.end_time.size) for element, _ in order]
    return Need(
        profile.label,
        _merged(profile, spans, merge_gap, max_count),
        _merged(profile, sorted(heads), 0, max_count),
        estimated,
        tuple(finding for finding in findings if (finding.code, finding.path) != ("absent", held)),
    )


def _moved(time: dt.datetime | None, by: dt.timedelta) -> dt.datetime | None:
    """Return a time moved; None, no limit, if there is no such time."""
    try:
        return None if time is None else time + by
    except OverflowError:
        return None


def _estimated(
    profile: ProfileSet,
    device: TableSet,
    order: list[tuple[int, int]],
    known: Mapping[int, dt.datetime | None],
    *,
    zone: dt.tzinfo | None,
    local_counters: bool,
) -> dict[int, dt.datetime | None]:
    """Return the end times that blocks would have if the meter had recorded without a break until now."""
    newest = known.get(order[-1][0]) if order else None
    times = profile.times
    instant = None if newest is None or not times.known else times.instant(newest)
    if newest is None:
        shown = clock(device, zone=zone, local_counters=local_counters)
        if shown.wall is None or not profile.minutes:
            return {element: None for element, _ in order if element not in known}
        since_midnight = shown.wall.hour * 60 + shown.wall.minute
        newest = shown.wall.replace(second=0, microsecond=0) - dt.timedelta(minutes=since_midnight % profile.minutes)
        instant = None if shown.time is None else shown.time - (shown.wall - newest)
    ends: dict[int, dt.datetime | None] = {}
    step = dt.timedelta(minutes=profile.minutes)
    back = 0
    for age, (element, _) in enumerate(reversed(order)):
        try:
            end = times.shown(instant - step * back) if instant is not None and times.has_rule else None
            ends[element] = end or newest - step * back
        except OverflowError:
            ends[element] = None
        back += profile.per_block if age else profile.status.NBR_VALID_INT
    return {element: end for element, end in ends.items() if element not in known}


def _spans(
    profile: ProfileSet, block: Block, since: dt.datetime | None, until: dt.datetime | None
) -> list[tuple[int, int]]:
    """Return offset and count of the head and of the intervals of a block that are needed."""
    chosen = block.indices[_places(profile, block, since, until)]
    if not chosen:
        return []
    at = block.element * profile.block_size
    low, high = min(chosen[0], chosen[-1]), max(chosen[0], chosen[-1])
    if profile.closure is not None and not profile.holds(block.element, 0, profile.interval_at):
        low, high = 0, profile.per_block - 1  # how many intervals it has, and so their times, is in the head
    start = at + profile.interval_at + low * profile.interval_size
    return [(at, profile.interval_at), (start, (high - low + 1) * profile.interval_size)]


def _places(profile: ProfileSet, block: Block, since: dt.datetime | None, until: dt.datetime | None) -> slice:
    """Return which intervals of a block, in order of time, end after `since` and start before `until`.

    By arithmetic: tables of a few octets can promise millions of intervals.
    """
    count = len(block.indices)
    if block.end is None or not profile.minutes:
        return slice(count)
    step = dt.timedelta(minutes=profile.minutes)
    first = 0 if since is None else max(0, count + (since - block.end) // step)
    last = count if until is None else max(0, count - (block.end - until) // step)
    return slice(first, last)


def _merged(profile: ProfileSet, spans: list[tuple[int, int]], gap: int, most: int) -> tuple[NeededOctets, ...]:
    """Join stretches that are near each other, and cut those that are too long."""
    joined: list[tuple[int, int]] = []
    for start, count in sorted(spans):
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], start + count))
        else:
            joined.append((start, start + count))
    size = profile.block_size
    return tuple(
        NeededOctets(at, min(most, end - at), tuple(range(at // size, (min(at + most, end) - 1) // size + 1)))
        for start, end in joined
        for at in range(start, end, most)
    )
