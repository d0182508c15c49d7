"""Blocks of a load profile set: their order, the intervals in use, and when those were.

Readings of ours: in the newest block the intervals in use are the first NBR_VALID_INT of the array in both
INTERVAL_ORDERs. If its end time is no multiple of the interval length, it also holds the interval that is running,
which is left out (EnergyICT Connexo does so for the Elster A3). The common DST status of an interval says that daylight
saving time was in effect, in the words of 1997; those of 2008 can be read as a change. It is used only where the
calendar or the zone does not say.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from c1219.codes.status import ClosureStatus, CommonStatus
from c1219.rules.lists import ListOrder, newest_first
from c1219.rules.timekeeping import naive_utc, utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1219.views.profile.set import ProfileSet

__all__ = ["Block", "block_order", "blocks_of", "boundaries", "ordered_blocks", "steady_start"]

_DAY = 1440
_SEASON = dt.timedelta(days=20)
"""The offset from UTC does not change twice within so many days."""
_CLOCK_SET = (CommonStatus.CLOCK_SET_FORWARD | CommonStatus.CLOCK_SET_BACKWARD).value << 4


class Block(NamedTuple):
    """One block that is in use.

    Attributes:
        element: its index in the array of blocks.
        sequence: its sequence number.
        newest: it is the newest.
        wall_end: end of its last complete interval by the meter's clock, naive; None if it has no end time.
        end: the same, aware if the offset from UTC is known, else naive.
        indices: array indices of its intervals in order of time, without the running interval.
        counts: intervals of each channel; an interval past that is none.
        closure: how it ended for each channel (edition 1997), else None.
        running: it also holds the interval that was running when it was read.
    """

    element: int
    sequence: int
    newest: bool
    wall_end: dt.datetime | None
    end: dt.datetime | None
    indices: range
    counts: tuple[int, ...]
    closure: tuple[int, ...] | None
    running: bool

    @property
    def inhibited(self) -> bool:
        """Its data are inhibited."""
        codes = {ClosureStatus.CLOCK_RESET_INHIBITED, ClosureStatus.TEST_MODE_INHIBITED}
        return self.closure is not None and bool(codes.intersection(self.closure))


# --- which blocks


def block_order(profile: ProfileSet, ends: Mapping[int, dt.datetime | None]) -> list[tuple[int, int]]:
    """Return index and sequence number of the blocks in use, the oldest first.

    Some meters count LAST_BLOCK_ELEMENT from 1: that is tried if the end times do not fit.

    Args:
        profile: the set.
        ends: known end times of blocks by index.
    """
    status, flags = profile.status, profile.status.LP_SET_STATUS_FLAGS
    path = f"ST63.LP_STATUS_SET{profile.number}"
    _note_status(profile, path)
    first = status.LAST_BLOCK_ELEMENT

    def tried(last: int) -> ListOrder:
        return newest_first(
            last, status.NBR_VALID_BLOCKS, profile.block_count, descending=bool(flags.BLOCK_ORDER),
            circular=bool(flags.LIST_TYPE),
        )  # fmt: skip

    limit = profile.max_blocks
    order, misfits = tried(first)
    newest_to_oldest = order[:limit]
    if len(order) > limit:
        text = f"{len(order)} blocks are in use, and {limit} may be read (max_blocks): the older ones are left out"
        profile.remark("error", "too-many-blocks", path, text)
    for level, code, text in misfits:
        profile.remark(level, code, path, text)
    if (
        newest_to_oldest
        and first > 0
        and (first >= profile.block_count or _disordered(profile, newest_to_oldest, ends))
    ):
        other = tried(first - 1).indices[:limit]
        if not _disordered(profile, other, ends):
            text = f"LAST_BLOCK_ELEMENT is {first}, but by the end times the newest block is {first - 1}"
            profile.remark("warning", "off-by-one", path, text)
            newest_to_oldest = other
    if _disordered(profile, newest_to_oldest, ends):
        text = "the end times of the blocks are not in order: the clock was set, or the list is damaged"
        profile.remark("warning", "disorder", path, text)
    newest = status.LAST_BLOCK_SEQ_NBR
    return [(element, newest - back & 0xFFFFFFFF) for back, element in enumerate(newest_to_oldest)][::-1]


def _note_status(profile: ProfileSet, path: str) -> None:
    flags = profile.status.LP_SET_STATUS_FLAGS
    if flags.OVERFLOW_FLAG:
        lost = "collection has stopped" if flags.BLOCK_INHIBIT_OVERFLOW_FLAG else "blocks were lost unread"
        profile.remark("warning", "overflow", path, f"the list overflowed: {lost}")
    if not flags.ACTIVE_MODE_FLAG:
        profile.remark("note", "inactive", path, "the set is not collecting data")
    if flags.TEST_MODE:
        profile.remark("warning", "test-mode", path, "the set is collecting test mode data")


def _disordered(profile: ProfileSet, newest: list[int], ends: Mapping[int, dt.datetime | None]) -> bool:
    """Return whether a known block has no end time, or end times decrease from the oldest block to the newest.

    In an hour that occurs twice, wall times may decrease if the instants that they can mean do not.
    """
    walls = [wall for element in reversed(newest) if element in ends for wall in (ends[element],)]
    known = [wall for wall in walls if wall is not None]
    if len(known) < len(walls):
        return True
    if all(one <= two for one, two in pairwise(known)):
        return False
    latest: dt.datetime | None = None
    for wall in known:
        possible = profile.times.candidates(wall) or (utc(wall),)
        later = [moment for moment in possible if latest is None or moment >= latest]
        if not later:
            return True
        latest = later[0]
    return False


def blocks_of(profile: ProfileSet) -> list[Block]:
    """Return the blocks in use whose head we have, the oldest first."""
    ends = profile.ends()
    order = block_order(profile, ends)
    return ordered_blocks(
        profile, order, {e: ends.get(e) for e, _ in order if profile.holds(e, 0, profile.interval_at)}
    )


def ordered_blocks(
    profile: ProfileSet, order: list[tuple[int, int]], ends: Mapping[int, dt.datetime | None]
) -> list[Block]:
    """Return the blocks with a known end time, the oldest first.

    Args:
        profile: the set.
        order: what `block_order` gives.
        ends: end time of blocks by index; None for one without.
    """
    blocks: list[Block] = []
    for element, sequence in order:
        if element not in ends:
            continue
        newest = (element, sequence) == order[-1]
        block = _block(profile, element, sequence, ends[element], newest=newest)
        blocks.append(block._replace(end=_end_of(profile, block, blocks[-1].end if blocks else None)))
    if len({block.end.tzinfo is None for block in blocks if block.end is not None}) > 1:
        text = "when daylight saving time is in effect is not known for all of it: times are the meter's own, naive"
        profile.remark("warning", "dst-unknown", profile.label, text)
        blocks = [block._replace(end=block.wall_end) for block in blocks]
    for before, block in pairwise(blocks):
        _note_gap(profile, before, block)
    for block in blocks:
        _note_clock_set(profile, block)
    return blocks


def _note_clock_set(profile: ProfileSet, block: Block) -> None:
    """Report that the clock was set in a block: intervals before that have their times by the new clock."""
    states = profile.common_status(block.element)
    if not states or max(states) < _CLOCK_SET & -_CLOCK_SET:
        return
    where = [str(index) for index in block.indices if states[index] & _CLOCK_SET]
    if where:
        text = f"the clock was set during interval {', '.join(where)}; times in the block are by the clock as set last"
        profile.remark("note", "clock-set", profile.path(block.element), text)


def _note_gap(profile: ProfileSet, before: Block, block: Block) -> None:
    """Report a gap or an overlap between two consecutive blocks."""
    if before.end is None or block.end is None or before.sequence + 1 & 0xFFFFFFFF != block.sequence:
        return
    minutes = int((block.end - before.end).total_seconds() // 60) - profile.minutes * len(block.indices)
    path = profile.path(block.element)
    if minutes > 0:
        profile.remark("note", "gap", path, f"{minutes} minutes before block {block.sequence} have no intervals")
    elif minutes < 0:
        text = f"block {block.sequence} begins {-minutes} minutes before the one before it ends"
        profile.remark("warning", "overlap", path, f"{text}: the clock was set, or a time is wrong")


def _block(profile: ProfileSet, element: int, sequence: int, end: dt.datetime | None, *, newest: bool) -> Block:
    path = profile.path(element)
    own = profile.status.NBR_VALID_INT if newest else profile.per_block
    counts, closure = (own,) * len(profile.channels), None
    states = profile.closure_status(element) if profile.holds(element, 0, profile.interval_at) else None
    if states is not None:
        closure = tuple(state.STATUS for state in states)
        counts = tuple(state.NBR_VALID_INTERVAL for state in states)
        if not any(counts) and not any(closure):
            counts = (own,) * len(profile.channels)
            if not newest:
                profile.remark("note", "closure-empty", path, "CLOSURE_STATUS is all 0; the block is taken as full")
        if any(closure):
            words = ", ".join(f"channel {n}: {_closure_text(code)}" for n, code in enumerate(closure, 1) if code)
            profile.remark("note", "closure", path, words)
        if len(set(counts)) > 1:
            text = f"its channels have {', '.join(map(str, counts))} intervals; times follow the most"
            profile.remark("warning", "closure-counts", path, text)
    if max(counts) > profile.per_block:
        profile.remark("error", "too-many-valid", path, f"{max(counts)} intervals of {profile.per_block} are in use")
        counts = tuple(min(count, profile.per_block) for count in counts)
    if end is None and profile.end_time.size:
        profile.remark("error", "no-end-time", path, "the block has no end time", element * profile.block_size)
    return _timed(profile, Block(element, sequence, newest, end, None, range(max(counts)), counts, closure, False))


def _closure_text(code: int) -> str:
    try:
        return ClosureStatus(code).name.lower().replace("_", " ")
    except ValueError:
        return f"undefined closure status {code}"


def _timed(profile: ProfileSet, block: Block) -> Block:
    """Put the intervals in order of time, without the one that is still running."""
    wall, first, last = block.wall_end, 0, block.indices.stop
    descending = bool(profile.status.LP_SET_STATUS_FLAGS.INTERVAL_ORDER)
    running = False
    if wall is not None and last and not _aligned(profile, wall):
        text = f"it ends at {wall:%H:%M:%S}, within an interval"
        if block.newest:
            running = True
            profile.remark("note", "running-interval", profile.path(block.element), f"{text}, which is left out")
            since_midnight = wall.hour * 60 + wall.minute
            wall = wall.replace(second=0) - dt.timedelta(minutes=since_midnight % profile.minutes)
            first, last = (1, last) if descending else (0, last - 1)
        else:
            profile.remark("warning", "unaligned", profile.path(block.element), text)
    indices = range(last - 1, first - 1, -1) if descending else range(first, last)
    return block._replace(wall_end=wall, indices=indices, running=running)


def _aligned(profile: ProfileSet, wall: dt.datetime) -> bool:
    """Whether a time is a multiple of the interval length of the day, by the meter's clock or at its place."""
    if not profile.minutes or _DAY % profile.minutes:
        return True
    if _fits(profile, wall):
        return True
    aware = profile.times.instant(wall)
    return aware is not None and _fits(profile, aware)


def _fits(profile: ProfileSet, time: dt.datetime) -> bool:
    return not time.second and not (time.hour * 60 + time.minute) % profile.minutes


# --- when


def _end_of(profile: ProfileSet, block: Block, before: dt.datetime | None) -> dt.datetime | None:
    """Return the end of a block; `before` is the end of the one before it, for an hour that occurs twice."""
    wall, times = block.wall_end, profile.times
    if wall is None or not times.known:
        return wall
    possible = times.candidates(wall)
    if len(possible) > 1:
        return _chosen_end(profile, block, before, possible) or times.instant(wall) or wall
    return possible[0] if possible else wall


def _chosen_end(
    profile: ProfileSet, block: Block, before: dt.datetime | None, possible: tuple[dt.datetime, ...]
) -> dt.datetime | None:
    """Return which of two instants the end of a block is, None if that is not known.

    What the status of its last interval says of it counts; if that fits both, whether the block goes on where the one
    before it ended.
    """
    times, step = profile.times, dt.timedelta(minutes=profile.minutes)
    status = profile.dst_status(block.element, block.indices[-1]) if len(block.indices) else None
    if status is not None:
        if block.wall_end is not None and times.instant(block.wall_end) is None:  # no rule decides
            return possible[0] if status else possible[-1]
        fitting = [end for end in possible if times.in_effect(end - step) == status]
        fitting = fitting or [end for end in possible if times.in_effect(end) == status]  # as it ended, not as it began
        if len(fitting) == 1:
            return fitting[0]
    expected = None if before is None or before.tzinfo is None else before + step * len(block.indices)
    return expected if expected in possible else None


def boundaries(profile: ProfileSet, block: Block) -> list[dt.datetime | None]:
    """Return the start of each interval of a block in order of time, and the end of the last."""
    end, times, count = block.end, profile.times, len(block.indices)
    if end is None or not profile.minutes:
        return [None] * (count + 1)
    step = dt.timedelta(minutes=profile.minutes)
    try:
        if end.tzinfo is None:
            return [end - step * back for back in range(count, -1, -1)]
        start = steady_start(profile, block)
        if start is not None:
            return [start + step * number for number in range(count + 1)]
        utc = naive_utc(end)
        moments = [utc - step * back for back in range(count, -1, -1)]
        if times.dst_applied and not times.has_rule:
            states = [profile.dst_status(block.element, index) for index in block.indices]
            pairs = zip(moments, [*states, states[-1] if states else None], strict=True)
            return [times.localize(moment, state) for moment, state in pairs]
        return [times.localize(moment) for moment in moments]
    except OverflowError:
        return [None] * (count + 1)


def steady_start(profile: ProfileSet, block: Block) -> dt.datetime | None:
    """Return the start of a block throughout which the offset from UTC is that of its end.

    None where it is another one, or not known for all of the block.

    Raises:
        OverflowError: there is no such time.
    """
    times, length = profile.times, dt.timedelta(minutes=profile.minutes) * len(block.indices)
    if block.end is None or block.end.tzinfo is None or (times.dst_applied and not times.has_rule):
        return None
    start = times.localize(naive_utc(block.end) - length)
    return start if start.utcoffset() == block.end.utcoffset() and length < _SEASON else None
