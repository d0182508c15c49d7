"""Tables decoded by their declaration's own construct and by their bound layout, side by side."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from c1219.engine.layout import bind
from c1219.schema import parameters
from c1219.tables.decade0_configuration import GEN_CONFIG_TBL

if TYPE_CHECKING:
    from c1219.schema import Table


def st0(
    *,
    order: int = 0,
    time: int = 2,
    id_form: int = 0,
    ni1: int = 8,
    ni2: int = 8,
    mfg_status: int = 0,
    version: int = 2,
) -> Any:
    """ST0 of a device with no sets: only its formats matter."""
    head = bytes([order | 1 << 1, time | 3 << 3 | id_form << 5, ni1 | ni2 << 4])
    octets = head + b"DEMO" + bytes([2, 0, 16, 16, version, 0, 0, 0, 0, 0, mfg_status, 0])
    return GEN_CONFIG_TBL.record.parse(octets)


def parse(table: Table, octets: bytes, **others: Any) -> Any:
    """Decode a whole table: construct uses every octet, and the layout agrees with it in size and value."""
    stream = io.BytesIO(octets)
    value = table.record.parse_stream(stream, **others)
    assert stream.tell() == len(octets), f"{table.label} took {stream.tell()} of {len(octets)} octets"
    layout = bind(table, others)
    assert layout.open_end or layout.size == len(octets)
    bound = layout.decode(octets)
    assert parameters(bound) == value
    assert layout.encode(bound) == octets
    return value


def round_trip(table: Table, octets: bytes, **others: Any) -> Any:
    """Decode a whole table, and encode its values to the same octets."""
    value = parse(table, octets, **others)
    assert table.record.build(value, **others) == octets
    layout = bind(table, others).fitting(len(octets))
    assert layout is not None
    assert layout.encode(tuple(layout.decode(octets))) == octets
    return value


def undocumented(table: Table) -> list[str]:
    """What the declaration leaves unsaid: elements without a doc, a table without title or source."""
    rows = [row.path for row in table.describe() if not row.doc.strip()]
    return rows + [name for name in ("title", "source") if not getattr(table, name)]
