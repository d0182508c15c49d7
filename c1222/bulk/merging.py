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

__all__ = ["distinct_octets", "fixed_octets", "merged", "numbered_words", "rows_of"]


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
    again = numbers.astype(np.int32)
    if len(place) < len(words):
        again = np.array([place[word] for word in words], np.int32)[numbers]
    return pa.DictionaryArray.from_arrays(pa.array(again), pa.array(list(place), pa.string()))


def fixed_octets(matrix: NDArray[np.uint8]) -> pa.Array:
    """Return rows × octets as a column of binaries of one size.

    Args:
        matrix: contiguous; one octet a row at least.
    """
    count, size = matrix.shape
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), count, [None, pa.py_buffer(matrix)])


def distinct_octets(matrix: NDArray[np.uint8]) -> tuple[list[bytes], NDArray[np.int32]]:
    """Return the different rows of a matrix, and which of them each row is.

    Args:
        matrix: as for `fixed_octets`.
    """
    found = fixed_octets(np.ascontiguousarray(matrix)).dictionary_encode()
    _, octets = found.dictionary.buffers()
    return rows_of(octets.to_pybytes(), matrix.shape[1], len(found.dictionary)), found.indices.to_numpy()


def rows_of(octets: bytes, size: int, count: int) -> list[bytes]:
    """Return octets in pieces of one size."""
    return [octets[at : at + size] for at in range(0, count * size, size)]
