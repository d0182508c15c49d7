"""The logical device: objects of a meter, the association's own, and parts of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import (
    NULL,
    Data,
    DataType,
    array,
    clock_moment,
    enum,
    name_data,
    structure,
    u8,
    u16,
)  # fmt: skip
from c1219.cosem.names import LogicalName
from c1219.cosem.objects import CosemProfile
from c1219.cosem.parts.status import DEVICE_NAME
from c1219.rules.timekeeping import without_zone
from c1222.gateway.apdus import AccessResult, Selection

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from c1219.cosem.objects import CosemObjects, ProfileEntry
    from c1222.gateway.apdus import Descriptor

__all__ = ["ASSOCIATION", "SERVER_SAP", "LogicalDevice"]

ASSOCIATION: Final = LogicalName(0, 0, 40, 0, 0)
_SAP: Final = LogicalName(0, 0, 41, 0, 0)
SERVER_SAP: Final = 1
"""SAP of the management logical device."""
_READ: Final = 1
_RANGE, _ENTRIES = 1, 2
_BUFFER: Final = 2


class LogicalDevice:
    """What a client may read.

    Args:
        objects: of the meter.

    Attributes:
        objects: of the meter.
    """

    def __init__(self, objects: CosemObjects) -> None:
        self.objects = objects
        self._names = {one.name: one.interface for one in objects}
        self._names[ASSOCIATION], self._names[_SAP] = InterfaceClass.ASSOCIATION_LN, InterfaceClass.SAP_ASSIGNMENT
        self._list: Data | None = None

    def get(self, descriptor: Descriptor, selection: Selection | None, own: dict[int, Data]) -> Data | AccessResult:
        """Return the value of an attribute, or why there is none.

        Args:
            descriptor: which attribute.
            selection: which part of it.
            own: attributes of the association object, but for 1 and 2.
        """
        interface, name, attribute = descriptor
        known = self.objects.get(interface, name)
        if known is None:
            if (interface, name) == (InterfaceClass.ASSOCIATION_LN, ASSOCIATION):
                value = self._association(attribute, own)
            elif (interface, name) == (InterfaceClass.SAP_ASSIGNMENT, _SAP):
                value = self._saps(attribute)
            else:
                return AccessResult.CLASS_INCONSISTENT if name in self._names else AccessResult.OBJECT_UNDEFINED
        elif selection is not None:
            if not isinstance(known, CosemProfile) or attribute != _BUFFER:
                return AccessResult.TYPE_UNMATCHED
            return _selected(known, selection)
        else:
            value = known.attribute(attribute)
        return AccessResult.OBJECT_UNAVAILABLE if value is None else value

    def _association(self, attribute: int, own: dict[int, Data]) -> Data | None:
        if attribute == 1:
            return name_data(ASSOCIATION)
        return self.object_list() if attribute == _BUFFER else own.get(attribute)

    def _saps(self, attribute: int) -> Data | None:
        if attribute == 1:
            return name_data(_SAP)
        title = self.objects.get(InterfaceClass.DATA, DEVICE_NAME)
        value = None if title is None else title.attribute(_BUFFER)
        return array((structure(u16(SERVER_SAP), value or NULL),)) if attribute == _BUFFER else None

    def object_list(self) -> Data:
        """Return the list of objects, as attribute 2 of the association has it."""
        if self._list is None:
            self._list = array(self._entries())
        return self._list

    def _entries(self) -> Iterator[Data]:
        yield _entry(InterfaceClass.ASSOCIATION_LN, ASSOCIATION, (1, 2, 3, 4, 5, 6, 8))
        yield _entry(InterfaceClass.SAP_ASSIGNMENT, _SAP, (1, 2))
        for one in self.objects:
            yield _entry(one.interface, one.name, one.attributes, profile=isinstance(one, CosemProfile))


def _entry(interface: InterfaceClass, name: LogicalName, attributes: Sequence[int], *, profile: bool = False) -> Data:
    selectors = array(Data(DataType.INT8, one) for one in (_RANGE, _ENTRIES))
    items = (
        structure(Data(DataType.INT8, one), enum(_READ), selectors if profile and one == _BUFFER else NULL)
        for one in attributes
    )
    rights = structure(array(items), array(()))
    return structure(u16(int(interface)), u8(interface.facts.version), name_data(name), rights)


# --- parts of profiles


def _selected(profile: CosemProfile, selection: Selection) -> Data | AccessResult:
    parameter = selection.parameter
    if parameter.type is not DataType.STRUCTURE or len(parameter.value) != 4:
        return AccessResult.TYPE_UNMATCHED
    rows: Sequence[ProfileEntry] | None = None
    columns: tuple[int, ...] | None = None
    if selection.selector == _RANGE:
        restricting, first, last, chosen = parameter.value
        columns = _columns(profile, chosen)
        if _is_column(restricting, profile.columns[0]):
            rows = _between(profile.entries(), first, last)
    elif selection.selector == _ENTRIES and all(isinstance(one.value, int) for one in parameter.value):
        begin, end, left, right = (one.value for one in parameter.value)
        entries = profile.entries()
        rows = entries[max(begin, 1) - 1 : end or len(entries)]
        columns = tuple(range(max(left, 1) - 1, min(right or len(profile.columns), len(profile.columns))))
    if rows is None or columns is None:
        return AccessResult.TYPE_UNMATCHED
    return array(structure(*(row.cells[column] for column in columns)) for row in rows)


def _is_column(data: Data, column: tuple[int, LogicalName, int]) -> bool:
    parts = [one.value for one in data.value] if data.type is DataType.STRUCTURE else []
    return parts[:3] == [column[0], column[1].octets, column[2]]


def _columns(profile: CosemProfile, chosen: Data) -> tuple[int, ...] | None:
    """Return the numbers of the columns that are asked for; None if one of them is none."""
    if chosen.type is not DataType.ARRAY:
        return None
    if not chosen.value:
        return tuple(range(len(profile.columns)))
    found = [
        next((number for number, column in enumerate(profile.columns) if _is_column(one, column)), None)
        for one in chosen.value
    ]
    return None if None in found else tuple(number for number in found if number is not None)


def _between(entries: Sequence[ProfileEntry], first: Data, last: Data) -> list[ProfileEntry] | None:
    limits = [_moment(one) for one in (first, last)]
    if None in limits:
        return None
    begin, end = limits
    return [entry for entry in entries if _within(entry.time, begin, end)]


def _moment(data: Data) -> Any:
    """Return the time of a limit; `dt.datetime.min` where the year is a wildcard, None if it is no time."""
    if not isinstance(data.value, bytes) or len(data.value) != 12:
        return None
    return clock_moment(data.value)


def _within(time: dt.datetime | None, begin: dt.datetime, end: dt.datetime) -> bool:
    if time is None:
        return False
    return not (_before(time, begin) or _before(end, time))


def _before(one: dt.datetime, other: dt.datetime) -> bool:
    """Return whether a time is before another; if the offset of one is not known, by what clocks show."""
    if (one.tzinfo is None) != (other.tzinfo is None):
        one, other = without_zone(one), without_zone(other)
    return one < other
