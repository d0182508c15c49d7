"""What views made of rows have in common: to be iterated over, and to be written as JSON and CSV."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from c1219.tabular.schema import csv_lines
from c1219.tabular.view import Tabular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["RowView", "csv_text"]

_R = TypeVar("_R")


class RowView(Tabular, Generic[_R]):
    """Rows of named values, in order.

    Attributes:
        rows: the rows.
    """

    __slots__ = ()

    rows: tuple[_R, ...]

    def __iter__(self) -> Iterator[_R]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Return them, and what belongs to them, in terms of JSON."""

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(self.as_dict(), ensure_ascii=False)


def csv_text(head: Iterable[str], rows: Iterable[dict[str, Any]]) -> str:
    """Return a head line and the values of rows as CSV; None is empty, and text is no formula to a spreadsheet."""
    return "".join(f"{line}\n" for line in csv_lines(head, (row.values() for row in rows)))
