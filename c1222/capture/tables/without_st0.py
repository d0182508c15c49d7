"""Tables of a node whose ST0 was not seen: decoded where all that may hold for it gives the same value.

Only for tables that depend on nothing but a few formats of ST0, as ST1, ST2, ST5 and ST6 do, and ST7 and ST8 with most
procedures. Each combination of these formats is tried; one that does not fit the octets (size, text that cannot be
printed) is out. What the rest agree on is the value, an element on which they differ keeps its octets, and a finding
says what was assumed.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from c1219 import C1219Error, Device, Finding
from c1219.caches import remembered
from c1219.engine.declared import dependencies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from c1219 import Registry, Table
    from c1219.engine.layout import Layout

    _Way = tuple[tuple[int, ...], Layout, int]

__all__ = ["assume", "triable"]

_FORMATS: Final = {
    "DATA_ORDER": (0, 1),
    "CHAR_FORMAT": (1, 2, 3),
    "ID_FORM": (0, 1),
    "NAMEPLATE_TYPE": (2,),
}
"""Elements of ST0 and the values tried. Others (UTF-16 and UTF-32, gas and water meters) would fit anything."""
_OF_PROCEDURES: Final = _FORMATS | {"TM_FORMAT": (1, 2, 3, 4)}
"""The same for ST7 and ST8: the size of a record tells most forms of time."""
_SIDES: Final = {"ST7": "parameters", "ST8": "response"}
"""Which record of a procedure is in a table."""
_TAKEN: Final = {
    "CHAR_FORMAT": "text is ASCII, ISO 8859-1 or UTF-8",
    "NAMEPLATE_TYPE": "the meter is electric",
    "TM_FORMAT": "there is a clock",
}
"""What trying only some values takes for granted."""
_STEP: Final = re.compile(r"([A-Za-z]\w*)|\[(\d+)\]")


def assume(registry: Registry, label: str, offset: int | None, octets: bytes) -> tuple[Any, Finding] | None:
    """Return the value of octets of a table in terms of JSON, and the finding that says what was assumed.

    Args:
        registry: declared tables.
        label: the table.
        offset: where a piece starts; None for a whole table.
        octets: the table, or a piece of it.

    Returns:
        None if the table depends on more than can be tried, or if the octets fit no combination or different layouts.
    """
    if not octets:
        return None
    table = registry.table(label)
    needed: Mapping[str, Sequence[int]] | None
    if label in _SIDES:
        needed = _of_procedure(registry, label, octets) if not offset else None
        layouts: Iterable[_Way] = () if needed is None else _ways(registry, label, needed, offset, octets)
    else:
        needed, layouts = _ways_of_piece(registry, table, offset, len(octets))
    if not needed:
        return None
    fitting: list[tuple[tuple[int, ...], Layout, dict[str, Any]]] = []
    for values, layout, start in layouts:
        found = _leaves(layout, start, octets)
        if found is not None:
            fitting.append((values, layout, found))
    if not fitting:
        return None
    _, layout, leaves = fitting[0]
    if any(list(other) != list(leaves) for _, _, other in fitting):
        return None
    doubtful = [path for path in leaves if any(other[path] != leaves[path] for _, _, other in fitting)]
    for path in doubtful:
        element = layout.element(path)
        start = element.offset - (offset or 0)
        leaves[path] = {"raw": octets[max(start, 0) : max(start + element.size, 0)].hex()}
    if len(doubtful) == len(leaves):
        return None
    value: Any = {path.removeprefix(f"{label}."): leaf for path, leaf in leaves.items()}
    if offset is None:
        value = layout.to_json(layout.examine(octets).value)
        for path in doubtful:
            _put(value, path.removeprefix(f"{label}."), leaves[path])
    return value, _finding(label, needed, [values for values, _, _ in fitting], doubtful)


def triable(registry: Registry, label: str, offset: int | None, count: int) -> bool:
    """Tell whether octets of a table may be decoded at all, by their number alone: what they are may decide more."""
    if label in _SIDES:
        return True
    needed, layouts = _ways_of_piece(registry, registry.table(label), offset, count)
    return bool(needed and layouts and count)


def _triable(
    tables: Sequence[str], elements: Sequence[str], known: Mapping[str, Sequence[int]]
) -> dict[str, Sequence[int]] | None:
    """Return the formats that decide a layout, with the values to try; None if it depends on anything else."""
    names = [name.removeprefix("ST0.") for name in elements]
    return {name: known[name] for name in names} if set(tables) <= {"ST0"} and set(names) <= set(known) else None


def _of_procedure(registry: Registry, label: str, octets: bytes) -> dict[str, Sequence[int]] | None:
    """Return what decides the layout of ST7 or ST8; the order of octets is one in which their procedure is declared."""
    side = _SIDES[label]
    own = registry.table(label)
    found: dict[int, dict[str, Sequence[int]] | None] = {}
    for order in _FORMATS["DATA_ORDER"]:
        device = _device(registry, (("DATA_ORDER", order),))
        try:
            values, findings = device.decode_partial(label, 0, octets[:2])
            if findings:  # it is cut
                return None
            named = values[f"{label}.PROC"]
            procedure = device.procedure(named.TBL_PROC_NBR, manufacturer=named.STD_VS_MFG_FLAG)
        except C1219Error:
            continue
        tables, elements = dependencies(procedure.outlines[side])
        found[order] = _triable(tables, tuple(dict.fromkeys((*own.elements, *elements))), _OF_PROCEDURES)
    if not found:
        return _triable(own.depends_on, own.elements, _OF_PROCEDURES)
    needed: dict[str, Sequence[int]] = {}
    for formats in found.values():
        if formats is None:
            return None
        needed |= formats
    return needed | {"DATA_ORDER": tuple(found)}


def _ways(
    registry: Registry, label: str, needed: Mapping[str, Sequence[int]], offset: int | None, octets: bytes
) -> Iterator[_Way]:
    """Yield each combination of formats with the layout of the table in it, if so many octets lie there."""
    for values in product(*needed.values()):
        device = _device(registry, tuple(zip(needed, values, strict=True)))
        try:
            layout, start = device.layout_of_piece(label, octets, offset=offset or 0)
        except C1219Error:
            continue
        if len(octets) == layout.size if offset is None else start + len(octets) <= layout.size:
            yield values, layout, start


@remembered(1024)
def _ways_of_piece(
    registry: Registry, table: Table, offset: int | None, count: int
) -> tuple[dict[str, Sequence[int]] | None, tuple[_Way, ...]]:
    """Return the same for a table whose layout does not depend on its own octets, with the formats that decide it."""
    needed = _triable(table.depends_on, table.elements, _FORMATS)
    return needed, () if needed is None else tuple(_ways(registry, table.label, needed, offset, bytes(count)))


def _leaves(layout: Layout, start: int, octets: bytes) -> dict[str, Any] | None:
    """Decode with one layout; None if the octets do not fit."""
    try:
        leaves, findings = layout.partial(start, octets)
        if any(finding.code != "cut" for finding in findings):
            return None
        if any(isinstance(value, str) and not value.isprintable() for value in leaves.values()):
            return None
        return {path: layout.element(path).to_json(value) for path, value in leaves.items()}
    except C1219Error:
        return None


@remembered(64)
def _device(registry: Registry, formats: tuple[tuple[str, int], ...]) -> Device:
    """Return a device that has only an ST0 with these formats."""
    of = dict(formats)
    control1 = of.get("DATA_ORDER", 0) | of.get("CHAR_FORMAT", 1) << 1
    control2 = of.get("ID_FORM", 0) << 5
    control2 |= of.get("TM_FORMAT", 0)
    head = bytes((control1, control2, 0, 0, 0, 0, 0, of.get("NAMEPLATE_TYPE", 2)))
    return Device({0: head + bytes(11)}, registry=registry)


def _put(value: Any, path: str, leaf: Any) -> None:
    """Set a leaf of nested JSON."""
    *parents, last = [int(index) if index else name for name, index in _STEP.findall(path)]
    for parent in parents:
        value = value[parent]
    value[last] = leaf


def _finding(
    label: str, needed: Mapping[str, Sequence[int]], fitting: Sequence[tuple[int, ...]], doubtful: list[str]
) -> Finding:
    taken, fits = [], []
    for index, (name, tried) in enumerate(needed.items()):
        if len(tried) < len(_OF_PROCEDURES[name]):
            taken.append("the procedure is a declared one")
        if name in _TAKEN:
            taken.append(_TAKEN[name])
        chosen = {values[index] for values in fitting}
        if len(chosen) == 1 and len(_OF_PROCEDURES[name]) > 1:
            fits.append(f"only {name} {chosen.pop()} fits")
    text = "ST0 of this node was not seen"
    if taken:
        text += f"; it is assumed that {' and '.join(taken)}"
    if fits:
        text += f"; {', '.join(fits)}"
    if doubtful:
        text += f"; what differs by the forms that fit is left as octets: {', '.join(doubtful)}"
    return Finding("note", "assumed", label, None, text)
