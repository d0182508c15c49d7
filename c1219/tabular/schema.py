"""What the columns of rows are: declared once, for Arrow, Parquet, JSON lines, CSV and the page ``specs/columns.md``.

A schema only grows, by columns at its end; what a column is never changes.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from c1219.printable import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["METER", "ColumnType", "RowColumn", "RowSchema", "csv_cell", "csv_lines", "json_value"]

ColumnType = Literal[
    "string", "word", "words", "json", "int8", "int16", "int32", "int64", "integers", "float", "bool", "decimal",
    "time", "wall", "binary", "structures",
]  # fmt: skip
"""word: one of few texts, so that it is kept once; words: a list of them; json: text that is JSON; integers: a list of
int64; time: an instant, kept in UTC; wall: a time as a clock shows it, without zone; structures: a list of rows, whose
columns are the members."""


class RowColumn(NamedTuple):
    """One column.

    Attributes:
        name: its name.
        type: what its values are.
        doc: what it says.
        source: where that comes from; "" if `doc` says it.
        null: whether there may be no value.
        members: columns of the structures.
    """

    name: str
    type: ColumnType
    doc: str
    source: str = ""
    null: bool = True
    members: tuple[RowColumn, ...] = ()


METER: Final = (
    RowColumn(
        "meter",
        "string",
        "serial number of the meter; its title in the network if that is not known",
        "ST1, ST5",
        null=False,
    ),
    RowColumn("node", "string", "its title in the network"),
)
"""The first columns of all rows that come from a meter."""


class RowSchema(NamedTuple):
    """The columns of one kind of rows.

    Attributes:
        name: for example ``c1219.readings/1``; the number changes if a column does.
        doc: what a row is.
        columns: in order.
        key: columns that together name one row; empty if none do.
    """

    name: str
    doc: str
    columns: tuple[RowColumn, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    def picked(self, item: Any, *head: Any) -> tuple[Any, ...]:
        """Return the row whose first values are given, and the others attributes of an object."""
        return (*head, *(getattr(item, column.name) for column in self.columns[len(head) :]))

    def as_dict(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return a row in terms of JSON: Decimal as string, times as ISO 8601, in UTC if they are instants."""
        return {column.name: json_value(value) for column, value in zip(self.columns, row, strict=True)}

    def json_lines(self, rows: Iterable[Sequence[Any]]) -> Iterator[str]:
        """Yield rows as lines of JSON, without line ends."""
        for row in rows:
            yield json.dumps(self.as_dict(row), ensure_ascii=False)


def json_value(value: Any) -> Any:
    """Return a value of a row in terms of JSON."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo is None else value.astimezone(dt.UTC)).isoformat()
    return list(value) if isinstance(value, tuple) else value


def csv_lines(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Yield a head line and rows as lines of CSV, without line ends.

    Args:
        head: names of the columns.
        rows: their values.
    """
    line = io.StringIO()
    writer = csv.writer(line, lineterminator="")
    for row in chain([head], rows):
        writer.writerow(map(csv_cell, row))
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def csv_cell(value: Any) -> Any:
    """Return a value of a row for a cell of CSV: nothing for None, words with blanks between, no formula."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, int)) for item in value):
        return inert(" ".join(map(str, value)))
    if isinstance(value, (list, tuple, dict)):
        return inert(json.dumps(value, ensure_ascii=False))
    shown = json_value(value)
    return inert(shown) if isinstance(shown, str) else shown
