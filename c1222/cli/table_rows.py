"""Tables and their elements as rows, for the forms of ``c1222 tables`` that programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.tabular.schema import RowColumn, RowSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1219 import Table
    from c1219.engine.layout import Layout

__all__ = ["FIELDS", "TABLES", "doc_notes", "field_rows", "table_as_dict", "table_row"]

TABLES: Final = RowSchema(
    "c1219.tables/1",
    "One table that is declared.",
    (
        RowColumn("table", "string", "`ST23`, or `MT1` of a manufacturer", null=False),
        RowColumn("number", "int16", "its number", null=False),
        RowColumn("name", "string", "as declared", null=False),
        RowColumn("title", "string", "name for people", null=False),
        RowColumn("role", "word", "what it is for", null=False),
        RowColumn("since", "word", "edition that brought it", null=False),
        RowColumn("confidence", "word", "in its layout", null=False),
        RowColumn("source", "string", "where the layout is from", null=False),
        RowColumn("doc", "string", "what else is to be said", null=False),
        RowColumn("device_class", "word", "whose table it is, in hex; null for all"),
        RowColumn("depends_on", "words", "tables that its layout depends on", null=False),
        RowColumn("elements", "words", "elements of them", null=False),
        RowColumn("octets", "int32", "of the table in the device that is named"),
    ),
    key=("table", "device_class"),
)

FIELDS: Final = RowSchema(
    "c1219.fields/1",
    "One element of a table, as declared, or as it lies in the device that is named.",
    (
        RowColumn("table", "string", "the table", null=False),
        RowColumn("index", "string", "index path, with letters for entries of arrays", null=False),
        RowColumn("element", "string", "path", null=False),
        RowColumn("type", "word", "as in the standard", null=False),
        RowColumn("bits", "string", "of a sub-field of a bit field, as declared"),
        RowColumn("dimension", "string", "of the arrays around it, as declared"),
        RowColumn("condition", "string", "when it is present, as declared"),
        RowColumn("offset", "int32", "of its first entry; null where it is absent"),
        RowColumn("size", "int32", "octets of one entry"),
        RowColumn("counts", "integers", "entries of the arrays around it"),
        RowColumn("strides", "integers", "octets from one entry to the next"),
        RowColumn("doc", "string", "what it means", null=False),
        RowColumn("unit", "word", "its unit"),
        RowColumn("range", "string", "what values it has"),
        RowColumn("confidence", "word", "where it is not that of the table"),
        RowColumn("since", "word", "edition that brought it, where it is not that of the table"),
    ),
    key=("table", "element"),
)


def table_as_dict(table: Table) -> dict[str, Any]:
    """Return what is known of a table, in terms of JSON."""
    return {
        "table": table.label,
        "number": table.number,
        "name": table.name,
        "title": table.title,
        "role": table.role,
        "since": table.since,
        "confidence": table.confidence,
        "source": table.source,
        "doc": table.doc,
        "device_class": None if table.device_class is None else table.device_class.hex(),
        "depends_on": list(table.depends_on),
        "elements": list(table.elements),
    }


def table_row(table: Table, octets: int | None) -> tuple[Any, ...]:
    """Return a row of `TABLES`.

    Args:
        table: the table.
        octets: how many of it are at hand, None for none.
    """
    return (*table_as_dict(table).values(), octets)


def field_rows(table: Table, layout: Layout | None) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of `FIELDS` of a table, of its layout in a device if that is given."""
    if layout is None:
        for line in table.describe():
            yield (
                table.label, line.index_path, line.path, line.type, line.bits or None, line.dimension or None,
                line.condition or None, None, None, None, None, str(line.doc), *doc_notes(line.doc).values(),
            )  # fmt: skip
        return
    for row in layout.describe():
        yield (
            table.label, row.index_path, row.path, row.type, None, None, None, row.offset, row.size, row.counts,
            row.strides, str(row.doc), *doc_notes(row.doc).values(),
        )  # fmt: skip


def doc_notes(doc: str) -> dict[str, Any]:
    """Return what else a `Doc` says."""
    return {name: getattr(doc, name, None) or None for name in ("unit", "range", "confidence", "since")}
