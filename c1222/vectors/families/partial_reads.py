"""Single elements by path: where they are, the request that reads them, what its answer means; and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.engine.bound import Absent, BoundArray, BoundLeaf, BoundRecord
from c1219.errors import C1219Error
from c1222.vectors.configurations import CONFIGURATIONS, configure, octets_for
from c1222.vectors.families.tables import tables_of
from c1222.vectors.operations import answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219.device import Device
    from c1219.engine.bound import BoundNode
    from c1219.engine.layout import Layout
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "partial-reads"
PURPOSE = "Elements of tables by path: offset, count, the request by offset, and the value of its answer"

_TABLES: Final = (
    "ST1",
    "ST3",
    "ST6",
    "ST12",
    "ST16",
    "ST23",
    "ST26",
    "ST28",
    "ST44",
    "ST53",
    "ST62",
    "ST63",
    "ST64",
    "ST76",
)
_LARGEST: Final = 80
"""Octets of the largest element that is read."""
_EACH: Final = 7
"""Elements read of each table."""


def cases(author: Author) -> None:
    for number, configuration in enumerate(CONFIGURATIONS[:6]):
        device = configure(configuration, author.rng)
        known = tables_of(device)
        layouts = [layout for label in _TABLES if (layout := _bound(device, label)) is not None]
        author.group(f"{configuration.name}-read", "element.read", f"Reads, {configuration.name}.", tables=known)
        reads = _reads(author, layouts)
        _refused(author, layouts)
        author.group(f"{configuration.name}-write", "element.write", f"Writes, {configuration.name}.", tables=known)
        for path, flags, octets in reads[number % 3 :: 3]:
            if "SubField" not in flags:
                value = (answer("element.read", {"tables": known, "path": path, "octets": octets}).output or {})[
                    "value"
                ]
                author.valid(path, *flags, path=path, value=value)
        author.invalid("an element that is not there", "Absent", path="ST1.NO_SUCH_ELEMENT", value=1)
        sub = "ST3.ED_MODE.METERING_FLAG"
        author.invalid("a sub-field has no octets of its own", "SubField", path=sub, value=True)


def _bound(device: Device, label: str) -> Layout | None:
    try:
        layout = device.bind(label)
    except C1219Error:
        return None
    return layout if layout.size else None


def _reads(author: Author, layouts: list[Layout]) -> list[tuple[str, tuple[str, ...], str]]:
    rng = author.rng
    done = []
    for layout in layouts:
        image = octets_for(layout, rng)
        paths = [*_paths(layout.root, layout.label)]
        while len(paths) > _EACH:
            del paths[rng.randrange(len(paths))]
        for path, flags in paths:
            element = layout.element(path.partition(".")[2])
            if not 0 < element.size <= _LARGEST:
                continue
            octets = image[element.offset : element.offset + element.size].hex()
            author.valid(path, *flags, path=path, octets=octets)
            done.append((path, flags, octets))
    return done


def _paths(node: BoundNode, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield elements worth asking for: leaves, records, arrays, slices of arrays, a sub-field of each bit field."""
    if isinstance(node, Absent) or not node.size:
        return
    yield path, ()
    if isinstance(node, BoundRecord):
        for part in node.parts:
            yield from _paths(part.node, f"{path}.{part.name}")
    elif isinstance(node, BoundArray):
        if node.count > 1:
            yield f"{path}[0:{node.count - 1}]", ("Slice",)
            yield f"{path}[1:]", ("Slice",)
        yield from _paths(node.item, f"{path}[{node.count - 1}]")
    elif isinstance(node, BoundLeaf):
        spans = getattr(node.declared, "spans", ())
        if spans:
            yield f"{path}.{spans[-1].name}", ("SubField", "BitField")


def _refused(author: Author, layouts: list[Layout]) -> None:
    for layout in layouts:
        absent = next((path for path in _absent(layout.root, layout.label)), None)
        if absent is not None:
            author.invalid(f"{absent} is absent here", "Absent", path=absent)
        entries = next((found for found in _arrays(layout.root, layout.label)), None)
        if entries is not None:
            path, count = entries
            author.invalid(f"entry {count} of {count}", "Absent", path=f"{path}[{count}]")
    author.invalid("no element of this name", "Absent", path="ST1.MANUFACTURERS")
    author.invalid("an entry of what is no array", "Absent", path="ST1.MANUFACTURER[0]")
    author.invalid("an element of what is no record", "Absent", path="ST1.MANUFACTURER.X")
    author.invalid("an octet too few", "Truncated", path="ST1.MANUFACTURER", octets="414243")
    author.invalid("an octet too many", "TrailingOctets", path="ST1.MANUFACTURER", octets="4142434445")


def _absent(node: BoundNode, path: str) -> Iterator[str]:
    if isinstance(node, Absent):
        yield path
    elif isinstance(node, BoundRecord):
        for part in node.parts:
            yield from _absent(part.node, f"{path}.{part.name}")
    elif isinstance(node, BoundArray) and node.count:
        yield from _absent(node.item, f"{path}[0]")


def _arrays(node: BoundNode, path: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, BoundArray):
        yield path, node.count
    elif isinstance(node, BoundRecord):
        for part in node.parts:
            yield from _arrays(part.node, f"{path}.{part.name}")
