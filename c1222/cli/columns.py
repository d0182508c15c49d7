"""Rows of text in aligned columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1219.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["columns"]


def columns(header: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """Yield header and rows as lines; a column in which no row has text is left out, the last one is not padded.

    Args:
        header: name of each column.
        rows: cells; None is empty.
        right: numbers of the columns whose cells stand to the right.
    """
    texts = [["" if cell is None else printable(str(cell)) for cell in row] for row in rows]
    used = [number for number in range(len(header)) if any(row[number] for row in texts)]
    texts.insert(0, list(header))
    widths = {number: max(len(row[number]) for row in texts) for number in used}
    for row in texts:
        cells = [
            row[number].rjust(widths[number]) if number in right else row[number].ljust(widths[number])
            for number in used
        ]
        yield "  ".join(cells).rstrip()
