"""The order of lists that a meter keeps: blocks of a load profile, entries of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from c1219.errors import Level

__all__ = ["ListOrder", "Misfit", "newest_first"]


class Misfit(NamedTuple):
    """Something that does not fit in what a list says of itself.

    Attributes:
        level: how much it matters.
        code: names it.
        text: says it.
    """

    level: Level
    code: str
    text: str


class ListOrder(NamedTuple):
    """The order of a list.

    Attributes:
        indices: of the entries in use, the newest first.
        misfits: what does not fit.
    """

    indices: list[int]
    misfits: tuple[Misfit, ...] = ()


def newest_first(last: int, valid: int, size: int, *, descending: bool, circular: bool) -> ListOrder:
    """Return the array indices of the entries in use, the newest first.

    Args:
        last: index of the newest entry.
        valid: entries in use.
        size: entries of the array.
        descending: entry n is newer than entry n + 1.
        circular: the list goes on at the other end of the array.
    """
    misfits: list[Misfit] = []
    if valid > size:
        text = f"{valid} entries are said to be in use, but there are {size}"
        misfits.append(Misfit("error", "too-many-valid", text))
        valid = size
    if not valid:
        return ListOrder([], tuple(misfits))
    if not 0 <= last < size:
        text = f"the newest entry is said to be number {last}, but there are {size}; it is taken as {last % size}"
        misfits.append(Misfit("error", "no-such-entry", text))
        last %= size
    step = 1 if descending else -1
    if not circular and not 0 <= last + step * (valid - 1) < size:
        text = f"a FIFO list of {valid} entries does not end at index {last}; it is read as circular"
        misfits.append(Misfit("warning", "list-wraps", text))
    return ListOrder([(last + step * back) % size for back in range(valid)], tuple(misfits))
