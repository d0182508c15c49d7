"""Tables of a node whose ST0 was not seen: decoded where all that may hold for it gives the same value.

Only for tables that depend on nothing but a few formats of ST0, as ST1, ST2, ST5 and ST6 do. Each combination of these
formats is tried; one that does not fit the octets (size, text that cannot be printed) is out. What the rest agree on is
the value, an element on which they differ keeps its octets, and a finding says what was assumed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from c1219 import C1219Error, Device, Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1219 import Registry
    from c1219.engine.layout import Layout

__all__ = ["assume"]

_FORMATS: Final = {
    "DATA_ORDER": (0, 1),
    "CHAR_FORMAT": (1, 2, 3),
    "ID_FORM": (0, 1),
    "NAMEPLATE_TYPE": (2,),
}
"""Elements of ST0 and the values tried. Others (UTF-16 and UTF-32, gas and water meters) would fit anything."""
_TAKEN: Final = {
    "CHAR_FORMAT": "text is ASCII, ISO 8859-1 or UTF-8",
    "NAMEPLATE_TYPE": "the meter is electric",
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
    table = registry.table(label)
    names = [name.removeprefix("ST0.") for name in table.elements]
    if table.depends_on != ("ST0",) or not set(names) <= set(_FORMATS) or not octets:
        return None
    fitting: list[tuple[tuple[int, ...], Layout, dict[str, Any]]] = []
    for values in product(*(_FORMATS[name] for name in names)):
        found = _tried(_device(registry, tuple(zip(names, values, strict=True))), label, offset, octets)
        if found is not None:
            fitting.append((values, *found))
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
    return value, _finding(label, names, [values for values, _, _ in fitting], doubtful)


def _tried(device: Device, label: str, offset: int | None, octets: bytes) -> tuple[Layout, dict[str, Any]] | None:
    """Decode with one combination; None if the octets do not fit."""
    try:
        layout = device.bind(label)
        if offset is None and layout.size != len(octets):
            return None
        leaves, findings = layout.partial(offset or 0, octets)
        if any(finding.code != "cut" for finding in findings):
            return None
        if any(isinstance(value, str) and not value.isprintable() for value in leaves.values()):
            return None
        return layout, {path: layout.element(path).to_json(value) for path, value in leaves.items()}
    except C1219Error:
        return None


@lru_cache(maxsize=64)
def _device(registry: Registry, formats: tuple[tuple[str, int], ...]) -> Device:
    """Return a device that has only an ST0 with these formats."""
    of = dict(formats)
    control1 = of.get("DATA_ORDER", 0) | of.get("CHAR_FORMAT", 1) << 1
    control2 = of.get("ID_FORM", 0) << 5
    head = bytes((control1, control2, 0, 0, 0, 0, 0, of.get("NAMEPLATE_TYPE", 2)))
    return Device({0: head + bytes(11)}, registry=registry)


def _put(value: Any, path: str, leaf: Any) -> None:
    """Set a leaf of nested JSON."""
    *parents, last = [int(index) if index else name for name, index in _STEP.findall(path)]
    for parent in parents:
        value = value[parent]
    value[last] = leaf


def _finding(label: str, names: list[str], fitting: Sequence[tuple[int, ...]], doubtful: list[str]) -> Finding:
    taken, fits = [], []
    for index, name in enumerate(names):
        if name in _TAKEN:
            taken.append(_TAKEN[name])
        chosen = {values[index] for values in fitting}
        if len(chosen) == 1 and len(_FORMATS[name]) > 1:
            fits.append(f"only {name} {chosen.pop()} fits")
    text = "ST0 of this node was not seen"
    if taken:
        text += f"; it is assumed that {' and '.join(taken)}"
    if fits:
        text += f"; {', '.join(fits)}"
    if doubtful:
        text += f"; what differs by the forms that fit is left as octets: {', '.join(doubtful)}"
    return Finding("note", "assumed", label, None, text)
