"""What has rows with declared columns becomes an Arrow table, a data frame, or a small table in a notebook."""

from __future__ import annotations

import json
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Final

from c1219.printable import printable
from c1219.tabular.schema import csv_cell, csv_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c1219.tabular.arrow import Decimals
    from c1219.tabular.schema import RowSchema

__all__ = ["Tabular"]

SHOWN_ROWS: Final = 20
"""Rows that a notebook shows."""


class Tabular:
    """Something with rows whose columns are declared.

    Attributes:
        schema: the columns.
    """

    __slots__ = ()

    schema: ClassVar[RowSchema]

    def table_rows(self) -> Iterator[Sequence[Any]]:
        """Yield the rows: a value for each column of `schema`."""
        raise NotImplementedError

    def to_arrow(self, *, decimals: Decimals = "decimal128") -> Any:
        """Return the rows as a `pyarrow.Table`; its metadata has the name of the schema, and findings as JSON.

        Args:
            decimals: what decimal numbers become: ``decimal128``, exact, or ``float64``.

        Raises:
            ImportError: the extra ``arrow`` is not installed.
        """
        arrow = _needed("c1219.tabular.arrow", "'c1222[arrow]'")
        findings: Iterable[Any] = getattr(self, "findings", ())
        remarks = json.dumps([finding._asdict() for finding in findings], ensure_ascii=False)
        return arrow.arrow_table(self.schema, self.table_rows(), decimals, {"findings": remarks})

    def to_pandas(self, *, decimals: Decimals = "decimal128") -> Any:
        """Return the rows as a `pandas.DataFrame`: the types of its columns do not depend on the values.

        Args:
            decimals: as for `to_arrow`; exact numbers keep their Arrow type.

        Raises:
            ImportError: the extra ``arrow``, or pandas, is not installed.
        """
        table = self.to_arrow(decimals=decimals)
        return import_module("c1219.tabular.arrow").pandas_frame(table, _needed("pandas", "pandas"))

    def to_polars(self, *, decimals: Decimals = "decimal128") -> Any:
        """Return the rows as a `polars.DataFrame`.

        Args:
            decimals: as for `to_arrow`.

        Raises:
            ImportError: the extra ``arrow``, or Polars, is not installed.
        """
        return _needed("polars", "polars").from_arrow(self.to_arrow(decimals=decimals))

    def to_csv(self) -> str:
        """Return the rows as CSV with a head line."""
        return "".join(f"{line}\n" for line in csv_lines(self.schema.names, self.table_rows()))

    def _repr_html_(self) -> str:
        """Return the first rows as a table for a notebook, without the columns that are empty in all of them."""
        shown: list[Sequence[Any]] = []
        count = 0
        for row in self.table_rows():
            count += 1
            if count <= SHOWN_ROWS:
                shown.append(row)
        cells = [[printable(str(csv_cell(value))) for value in row] for row in shown]
        used = [place for place in range(len(self.schema.columns)) if any(row[place] for row in cells)]
        names = [self.schema.columns[place].name for place in used]
        parts = [f"<table><caption>{escape(self.schema.name)}: {count} rows</caption>"]
        parts += [f"<thead><tr>{_cells(names, 'th')}</tr></thead><tbody>"]
        parts += [f"<tr>{_cells([row[place] for place in used], 'td')}</tr>" for row in cells]
        parts.append("</tbody></table>")
        if count > len(shown):
            parts.append(f"<p>and {count - len(shown)} more rows</p>")
        if findings := getattr(self, "findings", ()):
            parts.append(f"<p>{len(findings)} findings</p>")
        return "".join(parts)


def _cells(texts: list[str], tag: str) -> str:
    return "".join([f"<{tag}>{escape(text)}</{tag}>" for text in texts])


def _needed(module: str, package: str) -> Any:
    """Import what is optional, or say how it is installed."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(f"{error}: pip install {package}", name=error.name) from error
