"""Rows as Arrow tables, and these as data frames and Parquet files. Needs the extra ``arrow``."""

from __future__ import annotations

import io
import json
from itertools import accumulate, chain, islice
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from c1219.tabular.readings import PRECISION, SCALE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import IO

    from c1219.tabular.schema import ColumnType, RowColumn, RowSchema

__all__ = ["BATCH", "Decimals", "arrow_schema", "arrow_table", "encodable", "pandas_frame", "write_parquet"]

Decimals = Literal["decimal128", "float64"]
"""What decimal numbers become: exact, or quick to compute with."""

BATCH: Final = 65_536
"""Rows that are in memory at once while a file is written, and in a row group of it."""

_WORD: Final = pa.dictionary(pa.int32(), pa.string())
_TYPES: Final[dict[ColumnType, Any]] = {
    "string": pa.string(), "word": _WORD, "words": pa.list_(_WORD), "json": pa.string(), "int8": pa.int8(),
    "int16": pa.int16(), "int32": pa.int32(), "int64": pa.int64(), "integers": pa.list_(pa.int64()),
    "float": pa.float64(), "bool": pa.bool_(), "decimal": pa.decimal128(PRECISION, SCALE),
    "time": pa.timestamp("us", "UTC"), "wall": pa.timestamp("us"), "binary": pa.binary(),
}  # fmt: skip


def arrow_schema(schema: RowSchema, decimals: Decimals = "decimal128") -> pa.Schema:
    """Return the Arrow schema of rows; its metadata has the name of the schema.

    Args:
        schema: of the rows.
        decimals: what decimal numbers become.

    Raises:
        ValueError: `decimals` is something else.
    """
    if decimals not in {"decimal128", "float64"}:
        raise ValueError(f"decimals are decimal128 or float64, not {decimals!r}")
    return pa.schema(_fields(schema.columns, decimals), metadata={"schema": schema.name})


def arrow_table(
    schema: RowSchema,
    rows: Iterable[Sequence[Any]],
    decimals: Decimals = "decimal128",
    metadata: Mapping[str, str] | None = None,
) -> pa.Table:
    """Return rows as an Arrow table.

    Args:
        schema: of the rows.
        rows: the rows, each with a value for every column.
        decimals: what decimal numbers become.
        metadata: of the table, besides the name of its schema.
    """
    arrow = arrow_schema(schema, decimals)
    columns = list(zip(*rows, strict=True)) or [()] * len(schema.columns)
    arrays = [
        _array(column, values, _type(column, decimals)) for column, values in zip(schema.columns, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=arrow.with_metadata({"schema": schema.name, **(metadata or {})}))


def _fields(columns: Iterable[RowColumn], decimals: Decimals) -> list[pa.Field]:
    return [pa.field(column.name, _type(column, decimals), nullable=column.null) for column in columns]


def _type(column: RowColumn, decimals: Decimals) -> pa.DataType:
    if column.type == "structures":
        return pa.list_(pa.struct(_fields(column.members, decimals)))
    return pa.float64() if column.type == "decimal" and decimals == "float64" else _TYPES[column.type]


def _array(column: RowColumn, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if column.type == "structures":
        return _structures(column, values, kind)
    convert: Callable[[Any], Any] | None = None
    if column.type == "json":
        convert = _json
    elif column.type == "decimal" and pa.types.is_floating(kind):
        convert = float
    if convert is not None:
        values = [None if value is None else convert(value) for value in values]
    try:
        return pa.array(values, type=kind)
    except UnicodeEncodeError:  # half a surrogate pair, which a meter's text may have and UTF-8 has not
        return pa.array([encodable(value) for value in values], type=kind)


def _structures(column: RowColumn, values: Sequence[Sequence[Any]], kind: pa.DataType) -> pa.Array:
    """Return lists, of which none may be null."""
    ends = list(accumulate(map(len, values), initial=0))
    columns = list(zip(*chain.from_iterable(values), strict=True)) or [()] * len(column.members)
    assert isinstance(kind, pa.ListType)  # noqa: S101 - which `_type` made
    fields = list(kind.value_type)
    arrays = [
        _array(member, items, field.type) for member, items, field in zip(column.members, columns, fields, strict=True)
    ]
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.StructArray.from_arrays(arrays, fields=fields), kind)


def encodable(value: Any) -> Any:
    """Return a value with its texts, halves of surrogate pairs written out, as UTF-8 can have them."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return [encodable(item) for item in value] if isinstance(value, tuple) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def pandas_frame(table: pa.Table, pandas: Any) -> Any:
    """Return a table as a data frame of pandas whose types do not depend on the values.

    Few texts become categories, times and floats are pandas' own, the rest keeps its Arrow type: so a column of
    integers stays one where values are missing.

    Args:
        table: the table.
        pandas: the package.
    """

    def of(kind: pa.DataType) -> Any:
        own = pa.types.is_dictionary(kind) or pa.types.is_timestamp(kind) or pa.types.is_floating(kind)
        return None if own else pandas.ArrowDtype(kind)

    return table.to_pandas(types_mapper=of)


class _Stream(io.RawIOBase):
    """A file that knows how far it is written, as a pipe does not."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, octets: Any) -> int:
        self._file.write(octets)
        self._written += len(octets)
        return len(octets)


def write_parquet(
    schema: RowSchema, rows: Iterator[Sequence[Any]], file: IO[bytes], decimals: Decimals = "decimal128"
) -> None:
    """Write rows as a Parquet file, however many they are.

    Args:
        schema: of the rows.
        rows: the rows.
        file: where to; it need not be one that can be read or moved about in.
        decimals: what decimal numbers become.
    """
    with pq.ParquetWriter(_Stream(file), arrow_schema(schema, decimals), compression="zstd") as writer:
        while batch := list(islice(rows, BATCH)):
            writer.write_table(arrow_table(schema, batch, decimals))
