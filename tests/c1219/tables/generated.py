"""Values for any layout, drawn by hypothesis: what a table of this device could hold."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import strategies as some

from c1219.engine.bound import Absent, BoundArray, BoundLeaf, BoundRecord
from c1219.engine.layout import Layout, bind
from c1219.errors import DecodeError
from c1219.schema import parameters

MOMENTS = some.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2037, 12, 31)).map(lambda t: t.replace(microsecond=0))


def values(layout: Layout) -> some.SearchStrategy[Any]:
    """Draw a value of the table; two different entries at most for each array, repeated."""
    return _node(layout.root)


def _node(node: Any) -> some.SearchStrategy[Any]:
    if isinstance(node, Absent):
        return some.none()
    if isinstance(node, BoundRecord):
        return some.tuples(*(_node(part.node) for part in node.parts)).map(lambda items: node.value_type(*items))
    if isinstance(node, BoundArray):
        few = min(node.count, 2)
        entries = some.lists(_node(node.item), min_size=few, max_size=few)
        return entries.map(lambda items: tuple(items[n % 2 if few == 2 else 0] for n in range(node.count)))
    return _leaf(node)


def _leaf(leaf: BoundLeaf) -> some.SearchStrategy[Any]:
    form, name = leaf.form, leaf.declared.type
    if name.endswith("TIME_DATE") and form.size:
        return MOMENTS.map(lambda t: t.replace(second=0) if name == "STIME_DATE" else t)
    if name == "TIME" and form.size:
        return MOMENTS.map(dt.datetime.time)
    if name == "DATE":
        return MOMENTS.map(dt.datetime.date)

    def decoded(octets: bytes) -> Any:
        try:
            value = form.decode(octets)
        except ValueError:
            return form.decode(bytes(form.size))
        return form.decode(bytes(form.size)) if value != value else value  # not NaN: it equals nothing

    return some.binary(min_size=form.size, max_size=form.size).map(decoded)


def holds(table: Any, tables: dict[str, Any], value: Any, cut: int) -> None:
    """Check decode(encode(x)) = x on the layout and on construct, and what a cut table gives."""
    layout = bind(table, tables)
    octets = layout.encode(value)
    assert len(octets) == layout.size
    assert layout.decode(octets) == value
    assert parameters(value) == table.record.parse(octets, **tables)
    assert table.record.build(parameters(value), **tables) == octets
    if cut >= len(octets):
        return
    short = octets[:cut]
    if cut not in layout.cuts:
        with pytest.raises(DecodeError) as caught:
            layout.decode(short)
        assert caught.value.offset <= cut
    assert layout.examine(short).findings
