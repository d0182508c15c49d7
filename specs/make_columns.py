"""Write columns.md from the schemas of rows: ``python specs/make_columns.py [FILE]``.

Nothing on that page is written by hand. A test runs this again and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from c1219.cosem.objects import COSEM  # noqa: E402
from c1219.tabular.arrow import arrow_schema  # noqa: E402
from c1219.tabular.readings import READINGS  # noqa: E402
from c1219.views.calendar import CALENDAR  # noqa: E402
from c1219.views.capabilities import CAPABILITIES  # noqa: E402
from c1219.views.clock import CLOCK  # noqa: E402
from c1219.views.event_log import EVENTS  # noqa: E402
from c1219.views.identity import IDENTITY  # noqa: E402
from c1219.views.security import ACCESS  # noqa: E402
from c1222.bulk.reading import FRAMES  # noqa: E402
from c1222.bulk.schema import BULK_MESSAGES  # noqa: E402
from c1222.bulk.sealing import SEALED  # noqa: E402
from c1222.capture.messages import MESSAGES  # noqa: E402
from c1222.cli.rows import ELEMENTS  # noqa: E402
from c1222.cli.table_rows import FIELDS, TABLES  # noqa: E402
from c1222.conformance.report import CHECK_ROWS  # noqa: E402
from c1222.vectors.verify.verification import FAMILY_ROWS  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from c1219.tabular.schema import RowColumn, RowSchema

SCHEMAS: Final[tuple[RowSchema, ...]] = (
    READINGS, EVENTS, IDENTITY, CLOCK, CALENDAR, CAPABILITIES, ACCESS, COSEM, MESSAGES, FRAMES, BULK_MESSAGES, SEALED,
    ELEMENTS, TABLES, FIELDS, CHECK_ROWS, FAMILY_ROWS,
)  # fmt: skip

HEAD = """# Columns of rows

Made from the schemas by `python specs/make_columns.py`; not to be edited. These are the columns of `to_arrow()`,
`to_pandas()` and `to_polars()` of views, and of `--format jsonl` and `--format parquet` of commands; `--format csv` has
them too, but for registers, load profiles and events, whose CSV has the columns of the view.

A schema grows by columns at its end; what a column is never changes. Types are those of Arrow. Numbers of
`decimal128(38, 9)` are exact; `decimals="float64"` gives floats instead. Times with a zone are instants in UTC. A
`dictionary` keeps each text once; it is a category to pandas and Polars. In JSON lines a decimal number is a string, a
time is ISO 8601, and a column whose text is JSON holds what it says.
"""


def main(path: Path = HERE / "columns.md") -> None:
    """Write the page."""
    path.write_text("\n".join(page()) + "\n", encoding="utf-8", newline="\n")
    sys.stdout.write(f"{path}\n")


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield HEAD
    for schema in SCHEMAS:
        yield f"## {schema.name}\n\n{schema.doc}"
        if schema.key:
            yield f"Key: {', '.join(schema.key)}."
        yield "\n| column | type | null | what it says | source |\n|---|---|---|---|---|"
        yield from _lines(schema.columns, arrow_schema(schema))
        yield ""


def _lines(columns: Iterable[RowColumn], fields: Iterable[pa.Field], before: str = "") -> Iterator[str]:
    for column, field in zip(columns, fields, strict=True):
        kind = str(field.type).replace("dictionary<values=string, indices=int32, ordered=0>", "dictionary<string>")
        kind = {"json": "string (JSON)", "structures": "list<struct>"}.get(column.type, kind.replace("item: ", ""))
        null = "yes" if column.null else "no"
        yield f"| {before}{column.name} | {kind} | {null} | {column.doc} | {column.source} |"
        if column.members:
            yield from _lines(column.members, field.type.value_type, f"{before}{column.name}[].")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
