"""What a meter has written over in a load profile between two readings of its status (ST63)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1219.views.profile.blocks import block_order, blocks_of
from c1219.views.profile.set import profile_set

if TYPE_CHECKING:
    from c1219.errors import Finding
    from c1219.tableset import TableSet
    from c1219.views.profile.set import ProfileSet

__all__ = ["overwritten"]


def overwritten(before: TableSet, after: TableSet, number: int) -> list[tuple[int, int]]:
    """Return the stretches of the data table of a set that hold something else now.

    Those are the blocks that have begun since, and of the one that was the newest all but the intervals that were
    complete: its end time, too, is another.

    Args:
        before: the tables of the meter, with its data table as it was read, and ST63 of that time.
        after: the same, with ST63 as it was read later.
        number: of the set, 1..4.

    Returns:
        First octet, and the octet after the last; none where the tables do not tell.
    """
    findings: list[Finding] = []
    old, new = profile_set(before, number, findings), profile_set(after, number, findings)
    if old is None or new is None or old.block_size != new.block_size:
        return []
    counted, was = block_order(old, {}), block_order(old, old.ends())
    # A meter that counts from 1 is noticed by the times of the blocks that were read, and not by those that are gone.
    shift = was[-1][0] - counted[-1][0] if was else 0
    now = [((element + shift) % new.block_count, sequence) for element, sequence in block_order(new, {})]
    held, size = dict(was), new.block_size
    gone = [(element * size, (element + 1) * size) for element, sequence in now if held.get(element) != sequence]
    if was and was[-1] in now and (was[-1] != now[-1] or old.status.NBR_VALID_INT != new.status.NBR_VALID_INT):
        gone += _grown(old, was[-1][0])
    return gone


def _grown(profile: ProfileSet, element: int) -> list[tuple[int, int]]:
    """Return what is no longer so in a block that was the newest, and has more intervals now."""
    at, end = element * profile.block_size, (element + 1) * profile.block_size
    if profile.status.LP_SET_STATUS_FLAGS.INTERVAL_ORDER:
        return [(at, end)]  # each interval has moved
    block = next((block for block in blocks_of(profile) if block.element == element), None)
    complete = block.indices.stop if block is not None else max(profile.status.NBR_VALID_INT - 1, 0)
    intervals = at + profile.interval_at
    return [(at, intervals), (intervals + complete * profile.interval_size, end)]
