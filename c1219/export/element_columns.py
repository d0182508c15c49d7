"""Many images of one table as an Arrow batch: a column for each element. Needs the extra ``arrow``.

An array of up to `MAX_ENTRIES` entries has a column for each, named like the element; a longer one is a list in one
column. Numbers are as decoded; what they measure is in the metadata of their field: ``source``, ``quantity`` and
``unit``, with ``multiplier`` and ``offset``: the value in that unit is the number times the one plus the other.
"""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from c1219.errors import C1219Error
from c1219.export.decimal_columns import linear
from c1219.export.reading_columns import numbered
from c1219.rules.profile_set import SETS, set_configuration, set_label
from c1219.tabular.arrow import encodable
from c1219.values import Raw
from c1219.views.records import record
from c1219.views.registers import registers
from c1219.views.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from c1219.engine.columns import Column
    from c1219.rules.sources import Source
    from c1219.tableset import TableSet
    from c1219.tabular.readings import MeterOrigin

__all__ = ["MAX_ENTRIES", "ElementColumns"]

MAX_ENTRIES: Final = 64
"""Entries of an array that have a column each."""
_PROFILES: Final = {set_label(number): number for number in SETS}
_ORIGIN: Final = (
    pa.field("meter", pa.string(), nullable=False),
    pa.field("node", pa.string()),
    pa.field("read_at", pa.timestamp("us", "UTC")),
    pa.field("verified", pa.bool_()),
)


class ElementColumns:
    """Makes batches of images of one table, of meters of one configuration.

    Args:
        device: the tables that say how the table is laid out and what it measures; it is this object's from now on.
        label: the table.
        size: octets of an image, which may end before elements of later editions.
        own: octets of the table, of one whose layout they decide, as those of ST0 do.

    Raises:
        UnknownTable, MissingTables, LayoutError: the table cannot be laid out.

    Attributes:
        size: octets that the layout has.
    """

    def __init__(self, device: TableSet, label: str, size: int, own: bytes | None = None) -> None:
        self._device = device
        self._label = label
        layout = device.bind(label) if own is None else device.layout_of(label, own)
        self._layout = layout.fitting(size) or layout
        self.size = self._layout.size
        self._metadata: dict[str, dict[str, str]] | None = None

    def batch(self, images: Sequence[bytes], origins: Sequence[MeterOrigin]) -> pa.RecordBatch:
        """Return images as a batch.

        Args:
            images: octets of whole tables.
            origins: of each image, the meter, and when and how it was read.

        Raises:
            DecodeError: an image has another size, or an element without a value.
        """
        columns = self._layout.columns(list(images))
        if self._metadata is None:
            self._metadata = self._measured(images[0])
        fields: list[pa.Field] = list(_ORIGIN)
        arrays = [_texts([getattr(one, field.name) for one in origins], field.type) for field in _ORIGIN]
        for column in columns.values():
            for name, values in _entries(column):
                array = _array(values, column.exponent)
                metadata = {"type": column.type} | self._metadata.get(name, {})
                fields.append(pa.field(name, array.type, metadata=metadata))
                arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields, metadata={"table": self._label}))

    def _measured(self, image: bytes) -> dict[str, dict[str, str]]:
        """Return what elements measure, by their path."""
        device, sources = self._device, sources_of(self._device)
        if self._label in _PROFILES:
            return self._channels(sources)
        device.put(self._label, image)
        try:
            rows = [row for row in registers(device) if row.table == self._label and row.source is not None]
        except C1219Error:
            rows = []
        finally:
            device.drop(self._label)
        below = len(self._label) + 1
        return {row.path[below:]: _told(sources.describe(row.source)) for row in rows if row.source is not None}

    def _channels(self, sources: Any) -> dict[str, dict[str, str]]:
        """Return what the interval data of a load profile measure: a list by channel."""
        number = _PROFILES[self._label]
        st0, st61, st62 = (record(self._device, table, []) for table in (0, 61, 62))
        if st0 is None or st61 is None or st62 is None:
            return {}
        found = set_configuration(number, st0, st61, st62, sources)
        if found is None:
            return {}
        channels = [
            {**_told(channel.source), "scalar": channel.scalar, "divisor": channel.divisor}
            for channel in found.channels
        ]
        path = f"LP_DATA_SETS{number}[].LP_INT[].INT_DATA[]"
        return {path: {"channels": json.dumps(channels)}}


def _told(source: Source) -> dict[str, str]:
    told = {"source": str(source.index), "quantity": source.quantity}
    if source.unit is not None:
        told |= {"unit": source.unit, "multiplier": f"{source.multiplier:f}", "offset": f"{source.offset:f}"}
    return told


def _entries(column: Column) -> Iterator[tuple[str, NDArray[Any]]]:
    """Yield the names of columns with their values: one-dimensional, or images × entries."""
    counts = column.values.shape[1:]
    if int(np.prod(counts)) > MAX_ENTRIES:
        yield column.path, column.values.reshape(len(column.values), -1)
        return
    parts = column.path.split("[]")
    for indices in product(*map(range, counts)):
        name = "".join(f"{part}[{index}]" for part, index in zip(parts, indices, strict=False)) + parts[-1]
        yield name, column.values[(slice(None), *indices)]


def _array(values: NDArray[Any], exponent: int) -> pa.Array:
    if values.ndim > 1:
        flat = _array(values.reshape(-1), exponent)
        return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    if values.dtype.kind in "iu" and exponent:
        scaled = linear(values, Decimal(1).scaleb(exponent), Decimal(0), np.ones(len(values), np.bool_))
        kind = pa.decimal128(38, max(-exponent, 0))
        if scaled is not None:
            return scaled.cast(kind)
        return pa.array([Decimal(number).scaleb(exponent) for number in values.tolist()], kind)
    if values.dtype.kind == "M":
        return pa.array(values, pa.timestamp("ms"), mask=np.isnat(values))
    if values.dtype.kind == "O":
        different, numbers = numbered([_hashable(value) for value in values.tolist()])
        return _texts([_text(value) for value in different], pa.string()).take(pa.array(numbers))
    return pa.array(np.ascontiguousarray(values))


def _hashable(value: Any) -> Any:
    return frozenset(value) if isinstance(value, set) else value


def _text(value: Any) -> str | None:
    """Return a value that is no number and no date as text, as JSON has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bytes, Raw)):
        return value.hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return json.dumps(sorted(value) if isinstance(value, frozenset) else value, default=str)


def _texts(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:  # as `c1219.tabular.arrow` has it
        return pa.array([encodable(value) for value in values], kind)
