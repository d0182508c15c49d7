"""Rows in the forms that programs read: JSON lines, CSV, Parquet. Every command that prints rows writes them here."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import IO, TYPE_CHECKING, Any, Final

import click

from c1219.tabular.schema import RowColumn, RowSchema, csv_lines
from c1222.cli.options import fail
from c1222.cli.outputs import Output
from c1222.cli.printing import say_json_line, say_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from c1219.tabular.view import Tabular

__all__ = ["ELEMENTS", "ROW_FORMS", "Rows", "csv_options", "element_rows", "layout_option", "row_options"]

ROW_FORMS: Final = ("jsonl", "csv", "parquet")
"""Forms of rows, for ``--format``."""

ELEMENTS: Final = RowSchema(
    "c1222.elements/1",
    "One element, and its value.",
    (
        RowColumn("element", "string", "its path", null=False),
        RowColumn("value", "json", "its value in terms of JSON"),
    ),
    key=("element",),
)


def row_options(*others: str, default: str = "text") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that adds ``--format`` and ``--output``; the command takes them as `form` and `output`.

    Args:
        others: forms that the command has besides those of rows.
        default: one of them.
    """
    form = click.option(
        "--format",
        "form",
        type=click.Choice([*others, *ROW_FORMS]),
        default=default,
        show_default=True,
        help="Form of the output; jsonl, csv and parquet are for rows, and the columns are those of specs/columns.md.",
    )
    output = click.option(
        "--output",
        "-o",
        metavar="FILE",
        type=click.Path(dir_okay=False),
        help="Where jsonl, csv and parquet go; standard output otherwise.",
    )

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return form(output(function))

    return decorate


layout_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--layout",
    type=click.Choice(["wide", "long"]),
    help="CSV of a load profile: a line for each interval (wide, as without this), or for each interval and channel.",
)


def csv_options(form: str, layout: str | None, *, profile: bool) -> dict[str, str]:
    """Return what `Rows.write_view` takes for CSV; exit where ``--layout`` has no meaning.

    Args:
        form: what ``--format`` says.
        layout: what ``--layout`` says.
        profile: the view is a load profile.
    """
    if not (profile and form == "csv"):
        if layout is not None:
            fail("--layout is for the CSV of a load profile")
        return {}
    return {"layout": layout or "wide"}


class Rows:
    """Where rows go. It is made before the work starts, so that no result is lost to a wrong option.

    Args:
        form: one of `ROW_FORMS`; another makes one that takes no rows.
        output: the file for them; standard output if None.
    """

    def __init__(self, form: str, output: str | None) -> None:
        self._form = form
        self._output: Output | None = None
        if form not in ROW_FORMS:
            if output is not None:
                fail(f"--output is for {', '.join(ROW_FORMS)}")
            return
        if form == "parquet":
            try:
                import c1219.tabular.arrow  # noqa: F401  to say now that it is missing
            except ImportError as error:
                fail(f"{error}: parquet needs the extra arrow; pip install 'c1222[arrow]'")
            if output is None and sys.stdout.isatty():
                fail("parquet is not for a terminal: name a file with --output, or send standard output elsewhere")
        self._output = None if output is None else Output(output)

    @property
    def wanted(self) -> bool:
        """Whether the form is one of rows."""
        return self._form in ROW_FORMS

    @property
    def to_file(self) -> bool:
        """Whether rows go to a file, not to standard output."""
        return self._output is not None

    def write_view(self, view: Tabular, **options: Any) -> None:
        """Write the rows of a view.

        Args:
            view: the view.
            options: of its CSV.
        """
        if self._form == "csv":
            self.write_lines(view.to_csv(**options).removesuffix("\n").split("\n"))
        else:
            self.write(view.schema, view.table_rows())

    def write(self, schema: RowSchema, rows: Iterable[Sequence[Any]]) -> None:
        """Write rows as they come.

        Args:
            schema: their columns.
            rows: the rows.
        """
        if self._form == "parquet":
            from c1219.tabular.arrow import write_parquet

            with self._binary() as file:
                write_parquet(schema, iter(rows), file)
        elif self._form == "csv":
            self.write_lines(csv_lines(schema.names, rows))
        else:
            self.write_lines(schema.json_lines(rows))

    def _binary(self) -> AbstractContextManager[IO[bytes]]:
        return nullcontext(sys.stdout.buffer) if self._output is None else self._output.emptied()

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write what is in the form already, line by line as they come; there is a buffer.

        Args:
            lines: without line ends.
        """
        if self._output is not None:
            with self._output.emptied() as file:
                file.writelines(f"{line}\n".encode("utf-8", "backslashreplace") for line in lines)
            return
        say = say_json_line if self._form == "jsonl" else say_lines
        for line in lines:
            say(line)


def element_rows(found: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield a row of `ELEMENTS` for each leaf of values.

    Args:
        found: names, and values in terms of JSON.
    """
    from c1222.text import leaves

    for name, value in found:
        yield from leaves(value, name)
