"""Readings of many meters as one Arrow table, in the schema ``c1219.readings/1``. Needs the extra ``arrow``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from c1219.tabular.arrow import arrow_table
from c1219.tabular.readings import READINGS
from c1219.views.load_profile import load_profile
from c1219.views.registers import registers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    import pyarrow as pa

    from c1219.tableset import TableSet
    from c1219.tabular.arrow import Decimals

__all__ = ["readings_table"]


def readings_table(
    devices: Mapping[Any, TableSet] | Iterable[TableSet],
    *,
    profiles: Collection[int] = (),
    decimals: Decimals = "decimal128",
    **options: Any,
) -> pa.Table:
    """Return the registers of meters, and load profiles if they are asked for, as one table.

    ``polars.from_arrow(readings_table(c1222.capture_devices("trace.pcap", keys=keys)))``

    Args:
        devices: the meters, or a mapping to them.
        profiles: sets of the load profile, 1..4; of a meter that has one of them not there are no rows of it.
        decimals: what decimal numbers become: ``decimal128``, exact, or ``float64``.
        options: of the views, such as ``zone``.

    Raises:
        ValueError: there is no such set, or `decimals` is something else.
    """
    return arrow_table(READINGS, _rows(devices, profiles, options), decimals)


def _rows(
    devices: Mapping[Any, TableSet] | Iterable[TableSet], profiles: Collection[int], options: dict[str, Any]
) -> Iterator[Sequence[Any]]:
    for device in devices.values() if isinstance(devices, Mapping) else devices:
        yield from registers(device, **options).table_rows()
        for number in profiles:
            yield from load_profile(device, number, **options).table_rows()
