"""What is different between two snapshots of a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.engine.declared import table_order
from c1219.errors import C1219Error, UnknownTable
from c1219.values import Raw, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1219.tableset import TableSet

__all__ = ["Change", "compare"]


class Change(NamedTuple):
    """One difference between two snapshots of a device.

    Attributes:
        path: element, or the table if one side has none of it or it cannot be laid out.
        offset: octets from the start of the table.
        before: value in the first snapshot; None where it has none.
        after: value in the second.
    """

    path: str
    offset: int
    before: Any
    after: Any


def compare(before: TableSet, after: TableSet) -> list[Change]:
    """Return what is different, table by table and element by element.

    Octets that were written differently but say the same (filler, blanks) are no difference, unless the table cannot
    be laid out: then, or if only one side has it, it is one change with its octets.
    """
    changes: list[Change] = []
    for label in sorted({*before, *after}, key=table_order):
        old, new = _image(before, label), _image(after, label)
        if (
            old == new
            and _pieces(before, label) == _pieces(after, label)
            and _rows(before, label) == _rows(after, label)
        ):
            continue
        old_values, new_values = _flat(before, label), _flat(after, label)
        if old is None or new is None or old_values is None or new_values is None:
            if old != new:
                changes.append(Change(label, 0, old, new))
            continue
        for path in {**old_values, **new_values}:
            was, now = old_values.get(path), new_values.get(path)
            if was is None or now is None or _differ(was[1], now[1]):
                place = was or now
                changes.append(Change(path, place[0] if place else 0, was and was[1], now and now[1]))
    return changes


def _image(device: TableSet, label: str) -> bytes | None:
    image = device.get(label)
    if image is None:
        return None
    try:
        return Secret(image.raw) if image.table.secret else image.raw
    except UnknownTable:
        return image.raw


def _pieces(device: TableSet, label: str) -> Mapping[int, bytes] | None:
    image = device.get(label)
    return None if image is None else image.pieces


def _rows(device: TableSet, label: str) -> Any:
    try:
        return device.bind(label).describe()
    except C1219Error:
        return None


def _flat(device: TableSet, label: str) -> dict[str, tuple[int, Any]] | None:
    """Return offset and value of all leaves of a table by path, or None if it cannot be laid out."""
    image = device.get(label)
    if image is None:
        return None
    try:
        layout = device.bind(label)
    except C1219Error:
        return None
    values: dict[str, Any] = {}
    if image.pieces is None:
        layout = layout.fitting(len(image.raw)) or layout
        values = layout.partial(0, image.raw).value
    for offset, octets in (image.pieces or {}).items():
        values |= layout.partial(offset, octets).value
    return {path: (layout.element(path).offset, value) for path, value in values.items()}


def _differ(one: Any, other: Any) -> bool:
    if isinstance(one, Raw) != isinstance(other, Raw):
        return True
    both_nan = isinstance(one, float) and isinstance(other, float) and one != one and other != other  # noqa: PLR0124
    return bool(one != other) and not both_nan
