"""Where the logical device gets its tables: from a device file, or live from a meter, read when they are asked for."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final

from c1219 import Device
from c1219.rules.offer import tables
from c1219.secrecy import may_be_secret
from c1219.tableid import table_label
from c1222.errors import C1222Error
from c1222.gateway.logical_device import LogicalDevice

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.client.sync import Meter

__all__ = ["file_source", "live_source"]

_READ_FIRST: Final = frozenset(
    {*range(1, 7), *range(11, 17), *range(21, 29), *range(51, 57), 61, 62, 63, *range(71, 77)}
)
"""Tables that the list of objects depends on; others are read when a client asks for them."""


def file_source(device: Device, **options: Any) -> Callable[[], LogicalDevice]:
    """Return what gives the logical device of a device file: the same for every client.

    Args:
        device: the tables of the meter.
        options: as for `c1219.cosem.mapping.cosem`.
    """
    made: list[LogicalDevice] = []
    lock = threading.Lock()

    def source() -> LogicalDevice:
        with lock:
            if not made:
                made.append(LogicalDevice(device.cosem(**options)))
        return made[0]

    return source


def live_source(meter: Meter, **options: Any) -> Callable[[], LogicalDevice]:
    """Return what reads a meter anew for every association, and large tables when they are asked for.

    Args:
        meter: it is connected; clients wait for each other.
        options: as for `c1219.cosem.mapping.cosem`.
    """
    lock = threading.Lock()

    def source() -> LogicalDevice:
        device = Device(node=meter.device.node)
        with lock:
            device.put(0, meter.read_octets(0))
            offered = tables(device[0].value)
            for number in sorted(offered & _READ_FIRST):
                with contextlib.suppress(C1222Error):
                    device.put(number, meter.read_octets(number))

        def fetch(label: str) -> None:
            if label not in device:
                with lock:
                    device.put(label, meter.read_octets(label))

        listed = tuple(table_label(number) for number in sorted(offered) if not may_be_secret(number))
        return LogicalDevice(device.cosem(fetch=fetch, listed=listed, **options))

    return source
