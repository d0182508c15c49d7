"""Configurations: meters of a kind, whose tables are laid out alike and mean the same, share one."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from c1219.caches import BoundedDict
from c1219.device import Device
from c1219.errors import C1219Error, UnknownTable
from c1219.rules.offer import lists
from c1219.tableid import table_id
from c1219.views.records import CLOCK, record
from c1222.capture.tables.readings import needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219.registry import Registry

__all__ = ["CLOCKS", "MAX_CONFIGURATIONS", "Configurations", "MeterConfiguration", "kind_of", "tables_behind"]

MAX_CONFIGURATIONS: Final = 256
"""Configurations that are kept laid out."""
CLOCKS: Final = tuple(f"ST{number}" for number in CLOCK)
"""Tables with the clock of a meter."""
_ST0: Final = "ST0"
_KIND: Final = 8
_Tables = tuple[tuple[str, bytes], ...]


class MeterConfiguration:
    """The tables that say how a table of some meters is laid out and what it measures.

    Attributes:
        device: they, and no others.
        kind: hex digits that tell the configuration from others.
        lacking: labels of those of them that the meter has, by its ST0, but which are not known.
        made: what was made for it, by those who use it.
    """

    def __init__(self, device: Device, kind: str, lacking: tuple[str, ...]) -> None:
        self.device = device
        self.kind = kind
        self.lacking = lacking
        self.made: dict[Any, Any] = {}


class Configurations:
    """Finds the configuration of a device, for one of its tables."""

    def __init__(self) -> None:
        self._known: BoundedDict[tuple[str, _Tables], MeterConfiguration] = BoundedDict(MAX_CONFIGURATIONS)

    def of(self, device: Device, label: str) -> MeterConfiguration:
        """Return the configuration of a device.

        Args:
            device: its tables.
            label: the table that is to be laid out.
        """
        names = tables_behind(device.registry, label, device.device_class)
        key = tuple([(name, told) for name in names if (told := _told(device, name)) is not None])
        found = self._known.pop((label, key), None)
        if found is None:
            own = Device({name: device[name].raw for name, _ in key}, registry=device.registry)
            found = MeterConfiguration(own, kind_of(repr((label, key)).encode()), _lacking(own, names))
        self._known[label, key] = found  # as the last one used
        return found


def kind_of(octets: bytes) -> str:
    """Return hex digits that stand for octets."""
    return sha256(octets).hexdigest()[:_KIND]


def tables_behind(registry: Registry, label: str, device_class: bytes | None = None) -> tuple[str, ...]:
    """Return the labels of the tables that lay a table out, and say what it measures.

    Args:
        registry: declared tables.
        label: the table.
        device_class: class of the device.
    """
    found: dict[str, None] = {_ST0: None}
    _add(registry, (*needs(label), label), device_class, found)
    return tuple(sorted(name for name in found if name != label))


def _add(registry: Registry, labels: Iterable[str], device_class: bytes | None, found: dict[str, None]) -> None:
    for label in labels:
        if label not in found:
            found[label] = None
            with suppress(UnknownTable):  # nobody declared it: it depends on nothing that is known
                _add(registry, registry.table(label, device_class).depends_on, device_class, found)


def _told(device: Device, name: str) -> bytes | None:
    """Return what tells one configuration from another: octets of a table, but not what its clock shows."""
    image = device.get(name)
    if image is None or image.pieces is not None:
        return None
    if name in CLOCKS:
        try:
            element = device.layout(f"{name}.TIME_DATE_QUAL")
        except C1219Error:
            return image.raw
        return image.read(element.offset, element.offset + element.size) or image.raw
    return image.raw


def _lacking(device: Device, names: Iterable[str]) -> tuple[str, ...]:
    """Return the tables that the meter has but that are not here; ST0 alone if it is not."""
    st0 = record(device, 0, [])
    if st0 is None:
        return (_ST0,)
    clocked = any(name in device for name in CLOCKS)  # either tells how times are meant
    absent = [name for name in names if name not in device and not (clocked and name in CLOCKS)]
    return tuple(name for name in absent if lists(st0, table_id(name)))
