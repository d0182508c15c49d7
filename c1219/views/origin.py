"""Which meter the rows of a view come from: what it is called, and what its clock said when it was read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from c1219.rules.timekeeping import dst_shown
from c1219.tabular.readings import MeterOrigin, TableRead
from c1219.values import Raw
from c1219.views.records import record

if TYPE_CHECKING:
    from c1219.rules.timekeeping import Timekeeping
    from c1219.tableset import TableSet

__all__ = ["MeterOrigin", "meter_name", "origin", "plain_text"]


def origin(device: TableSet, times: Timekeeping | None = None) -> MeterOrigin:
    """Say which meter the tables are of.

    Args:
        device: the tables of the meter.
        times: how its times relate to UTC; its clock and zone are left out if None.
    """
    st1, st5 = (record(device, number, [], cut=True) for number in (1, 5))
    title = device.node.get("ap_title")
    node = title if isinstance(title, str) else None
    name = meter_name(plain_text(st1 and st1.MFG_SERIAL_NUMBER), plain_text(st5 and st5.IDENTIFICATION), node)
    if times is None:
        return MeterOrigin(name, node, tables=_reads(device))
    place = times.placed if times.local is not None or times.zone is not None else None
    return MeterOrigin(name, node, _clock(device, times), place, tables=_reads(device))


def _reads(device: TableSet) -> dict[str, TableRead]:
    """Return when tables were captured, as a device out of traffic says; its file may be anybody's."""
    captured = device.node.get("captured")
    reads = {}
    for label, one in captured.items() if isinstance(captured, dict) else ():
        try:
            last, verified = one["last"], one["verified"]
            at = None if last is None else dt.datetime.fromisoformat(last)
        except (KeyError, TypeError, ValueError):
            continue
        if (at is None or at.tzinfo is not None) and isinstance(verified, bool | None):
            reads[label] = TableRead(at, verified)
    return reads


def meter_name(serial: str | None, identification: str | None, title: str | None) -> str:
    """Return what a meter is called in rows: the first of these that is known."""
    return serial or identification or title or ""


def plain_text(value: Any) -> str | None:
    """Return a text without blanks around it; None if there is none, or its octets are none."""
    return None if value is None or isinstance(value, Raw) else str(value).strip()


def _clock(device: TableSet, times: Timekeeping) -> dt.datetime | None:
    """Return the time of ST52, else of ST55."""
    for number in (52, 55):
        table = record(device, number, [])
        if table is not None and isinstance(table.CLOCK_CALENDAR, dt.datetime):
            return times.instant(table.CLOCK_CALENDAR, dst_shown(table.TIME_DATE_QUAL)) or table.CLOCK_CALENDAR
    return None
