"""A meter in COSEM: every element of its tables that has a name there, and the reason of those that have none.

The rows of the mapping are declared in `c1219.cosem.quantity_rows` and `c1219.cosem.element_rows`; specs/cosem.md is
made of them. Whole tables stand beside the objects as class 26 (utility tables), so that nothing is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from c1219.cosem.objects import CosemObjects
from c1219.cosem.parts.builder import Builder
from c1219.cosem.parts.profiles import profile_columns, profile_objects
from c1219.cosem.parts.registers import register_columns, register_objects
from c1219.cosem.parts.status import identity_objects, log_objects, status_objects
from c1219.cosem.parts.tables import table_objects
from c1219.cosem.parts.times import calendar_objects, clock_objects
from c1219.views.origin import origin

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection

    from c1219.tableset import TableSet

__all__ = ["cosem"]


def cosem(
    device: TableSet,
    *,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
    undirected: Literal["delivered"] | None = None,
    logical_device_name: str | None = None,
    tables: bool = True,
    fetch: Callable[[str], None] | None = None,
    listed: Collection[str] = (),
) -> CosemObjects:
    """Return what a meter is in COSEM.

    Args:
        device: the tables of the meter.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
        undirected: what a power or energy without quadrants counts, if the caller knows; else it has no name.
        logical_device_name: three letters of the manufacturer and more, 16 characters at most; if None, made of ST1.
        tables: whether whole tables are objects too (class 26).
        fetch: called with the label of a table that is needed for a value, before it is used; it puts the table into
            the device, if it is not there yet.
        listed: labels of tables that `fetch` can get.
    """
    builder = Builder(
        device, zone=zone, local_counters=local_counters, undirected=undirected, fetch=fetch, listed=listed
    )
    registers, profiles = register_columns(builder), profile_columns(builder)
    builder.number_channels()
    register_objects(builder, registers)
    profile_objects(builder, profiles)
    clock_objects(builder)
    calendar_objects(builder)
    identity_objects(builder, logical_device_name)
    status_objects(builder)
    log_objects(builder)
    if tables:
        table_objects(builder)
    rows = tuple(found for _, found in sorted(builder.objects.items()))
    findings = tuple(dict.fromkeys(builder.findings))
    return CosemObjects(
        rows, tuple(builder.residue), findings, origin(device, builder.clock.timekeeping), builder.paths
    )
