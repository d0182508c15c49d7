"""Rows that were made in columns, and rows that were made one by one, as one batch in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from c1219.tabular.arrow import arrow_schema, arrow_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from c1219.tabular.schema import RowSchema

__all__ = ["merged", "numbered_words"]


def merged(
    schema: RowSchema,
    columns: Mapping[str, pa.Array],
    rows: Sequence[Sequence[Any]],
    alone: NDArray[np.bool_],
) -> pa.RecordBatch:
    """Return the batch.

    Args:
        schema: of the rows.
        columns: the columns of those made together; those left out are null.
        rows: those made one by one.
        alone: of each row of the batch, whether it is one of these; both stand in order.
    """
    arrow = arrow_schema(schema)
    count = len(alone) - len(rows)
    arrays = [columns.get(field.name, None) for field in arrow]
    filled = [
        pa.nulls(count, field.type) if array is None else array.cast(field.type)
        for array, field in zip(arrays, arrow, strict=True)
    ]
    batch = pa.RecordBatch.from_arrays(filled, schema=arrow)
    if not rows:
        return batch
    table = pa.concat_tables([pa.Table.from_batches([batch]), arrow_table(schema, rows)])
    (whole,) = table.unify_dictionaries().combine_chunks().to_batches() or [batch]
    return whole.take(np.where(alone, count - 1 + np.cumsum(alone), np.cumsum(~alone) - 1))


def numbered_words(numbers: NDArray[np.int64], words: Sequence[str]) -> pa.DictionaryArray:
    """Return words by their numbers, as a column that has each once.

    Args:
        numbers: of each row.
        words: by number, the same ones more than once too.
    """
    place = {word: number for number, word in enumerate(dict.fromkeys(words))}
    again = np.array([place[word] for word in words], np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(again[numbers]), pa.array(list(place), pa.string()))
