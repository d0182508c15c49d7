"""The entries of a log that are new: its head tells how many, and only those are read."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from c1219.rules.lists import newest_first
from c1219.views.event_log import events
from c1222.client.operations.meaning import read_now
from c1222.client.operations.reading import PartialRead

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from c1219.views.event_log import EventLog, Log
    from c1222.client.operations.operations import Operations
    from c1222.client.steps import Operation

__all__ = ["LOGS", "new_events"]

LOGS: Final[Mapping[Log, int]] = {"history": 74, "event": 76}
"""The table of each log."""
_AROUND: Final = 1
"""Entries that are read beside the new ones: some meters count one too high."""
_HALF: Final = 0x80000000
_BITS: Final = 0xFFFFFFFF


def new_events(
    operations: Operations, log: Log, seen: int | None, zone: dt.tzinfo | None
) -> Operation[tuple[EventLog | None, int | None]]:
    """Read the entries of a log that are newer than one.

    Args:
        operations: the verbs of the meter.
        log: which log.
        seen: newest sequence number that is known; None for none.
        zone: where the meter is, if known.

    Returns:
        The new entries, None if there are none, and the newest sequence number, None if there is none.

    Raises:
        what `Operations.read` raises.
    """
    newest: int | None = None
    if seen is not None:
        newest, pieces = yield from _pieces(operations, log, seen)
        if newest == seen:
            return None, seen
        if pieces is not None:
            operations.device.put_pieces(LOGS[log], pieces)
            view = events(operations.device, logs=(log,), seen={log: seen}, zone=zone)
            view.origin = read_now(view.origin, operations.conversation)
            return _newer(view, seen), newest
    view = yield from operations.events(log, seen={} if seen is None else {log: seen}, zone=zone)
    last = max((row.sequence for row in view.rows), default=newest)
    return (view if seen is None else _newer(view, seen)), last


def _pieces(operations: Operations, log: Log, seen: int) -> Operation[tuple[int, dict[int, bytes] | None]]:
    """Return the newest sequence number, and the octets of head and new entries; None where all are to be read."""
    table = LOGS[log]
    label = f"ST{table}"
    device, transfer = operations.device, operations.transfer
    yield from operations.loader.prepare([label])
    entries = device.layout(f"{label}.ENTRIES")
    (head,) = yield from transfer.fetch([PartialRead(table, 0, entries.offset)])
    device.put_pieces(table, {0: head})
    record = device[table].value
    newest, valid, size = record.LAST_ENTRY_SEQ_NBR, record.NBR_VALID_ENTRIES, entries.count
    new = newest - seen & _BITS
    if not new or new >= _HALF or new + _AROUND >= valid:
        return newest, None
    flags = record[0]
    order = newest_first(
        record.LAST_ENTRY_ELEMENT, new + _AROUND, size, descending=bool(flags.ORDER), circular=bool(flags.LIST_TYPE)
    )
    each = entries.size // size
    parts = [
        PartialRead(table, entries.offset + first * each, (last - first + 1) * each)
        for first, last in _runs(sorted(order.indices))
    ]
    octets = yield from transfer.fetch(parts)
    return newest, {0: head, **{part.offset or 0: data for part, data in zip(parts, octets, strict=True)}}


def _runs(numbers: list[int]) -> list[tuple[int, int]]:
    """Return the first and last of each run of numbers that follow each other."""
    breaks = [index for index, (one, two) in enumerate(pairwise(numbers), 1) if two != one + 1]
    starts, ends = [0, *breaks], [*breaks, len(numbers)]
    return [(numbers[start], numbers[end - 1]) for start, end in zip(starts, ends, strict=True)]


def _newer(view: EventLog, seen: int) -> EventLog:
    """Return a view with the entries that are newer than one."""
    view.rows = tuple(row for row in view.rows if 0 < (row.sequence - seen & _BITS) < _HALF)
    return view
