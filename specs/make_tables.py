"""Write tables.md from the declarations: ``python specs/make_tables.py [FILE]``.

Nothing on that page is written by hand. A test runs this again and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from c1219.codes.events import EventCode  # noqa: E402
from c1219.engine.declared import DeclaredLeaf, DeclaredNothing, DeclaredRecord, describe, walk  # noqa: E402
from c1219.engine.expressions import text  # noqa: E402
from c1219.registry import Registry  # noqa: E402
from c1219.schema import Variant  # noqa: E402
from c1219.tables.event_arguments import EVENT_ARGUMENTS  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1219.engine.declared import DeclaredLine, DeclaredNode
    from c1219.schema import Procedure, Table

DECADES = {
    0: "configuration", 1: "data sources", 2: "registers", 3: "local display", 4: "security", 5: "time and time of use",
    6: "load profile", 7: "history and event logs", 8: "user-defined tables", 9: "telephone control",
    10: "extended sources", 11: "load control and pricing", 12: "network control", 13: "relay control",
    14: "extended user-defined tables", 15: "quality of service", 16: "one-way devices",
}  # fmt: skip

HEAD = """# Tables, procedures and event arguments

Made from the declarations of `c1219/tables/` by `python specs/make_tables.py`; not to be edited. The same for one table
on the command line, and where each element is in a device: `c1222 tables show 23 [--device FILE]`.

**Confidence**: V at least two independent sources, 1 one source, ? memory or inference, name only: octets are all that
is known. A mark of its own stands with the element. **Since**: the edition that brought it. **Index**: the index path
of C12.19, with letters for entries of arrays. **Entries**: the dimensions of the arrays around the element, from the
outside in. An element with nothing under **present if** is there whenever the one that encloses it is; a sub-field is
there with its bit field. Types and formats: `c1219/datatypes.py`.
"""


def main(path: Path = HERE / "tables.md") -> None:
    """Write the page."""
    path.write_text("\n".join(page()) + "\n", encoding="utf-8", newline="\n")
    sys.stdout.write(f"{path}\n")


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    registry = Registry(plugins=False)
    yield HEAD
    records: dict[int, str] = {}
    decade = -1
    for table in registry.tables():
        if table.number // 10 != decade:
            decade = table.number // 10
            yield f"## Decade {decade}: {DECADES[decade]}"
            yield ""
        yield from table_lines(table, records)
    yield "## Procedures"
    yield ""
    yield "The marks of confidence are those of name, parameters and response."
    yield ""
    for procedure in registry.procedures():
        yield from procedure_lines(procedure)
    yield "## Event arguments"
    yield ""
    yield from event_lines()


def table_lines(table: Table, records: dict[int, str]) -> Iterator[str]:
    """Yield what is known of a table; a record that was shown before is named only."""
    yield f"### {table.label} {table.name}"
    yield ""
    title = f"{table.title}: " if table.title != table.name else ""
    yield f"{title}{table.role} table, since {table.since}. Confidence {table.confidence} ({table.source})."
    if table.depends_on:
        yield f"Depends on {'; '.join(depends(table))}."
    if table.doc:
        yield cell(table.doc)
    yield ""
    same = records.setdefault(id(table.record), table.label)
    if table.confidence == "name only":
        return
    if same != table.label:
        yield f"The record is that of {same}."
        yield ""
        return
    yield from fields(table.describe())
    yield from variants(table.outline)


def depends(table: Table) -> Iterator[str]:
    """Yield each table that the layout depends on, with the elements that it reads."""
    for label in table.depends_on:
        names = [name.partition(".")[2] for name in table.elements if name.partition(".")[0] == label]
        yield f"{label} ({', '.join(names)})"


def procedure_lines(procedure: Procedure) -> Iterator[str]:
    """Yield what is known of a procedure."""
    yield f"### {procedure.label} {procedure.name}"
    yield ""
    marks = " / ".join(procedure.confidence)
    yield f"Since {procedure.since}. Confidence {marks} ({procedure.source})."
    if procedure.depends_on:
        yield f"Depends on {', '.join(procedure.depends_on)}."
    if procedure.doc:
        yield cell(procedure.doc)
    yield ""
    for side in ("parameters", "response"):
        outline = procedure.outlines[side]
        if isinstance(outline, DeclaredNothing) or is_unknown(outline):
            yield f"{side.capitalize()}: {'none' if isinstance(outline, DeclaredNothing) else 'not known, octets'}."
            yield ""
            continue
        yield f"{side.capitalize()}:"
        yield ""
        yield from fields(describe(outline))
        yield from variants(outline)


def is_unknown(outline: DeclaredNode) -> bool:
    """Whether a record is octets and nothing else."""
    only = outline.fields[0].node if isinstance(outline, DeclaredRecord) and len(outline.fields) == 1 else None
    return isinstance(only, DeclaredLeaf) and only.type.type == "OPAQUE"


def fields(rows: Iterable[DeclaredLine]) -> Iterator[str]:
    """Yield the elements as a table."""
    yield "| index | element | type | bits | entries | present if | meaning |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for row in rows:
        cells = (row.index_path, row.path, row.type, row.bits, row.dimension, row.condition, meaning(row.doc))
        yield f"| {' | '.join(map(cell, cells))} |"
    yield ""


def meaning(doc: Any) -> str:
    """Return the meaning of an element, with its unit, range, and what differs from its table."""
    notes = [str(doc.unit)] if getattr(doc, "unit", "") else []
    notes += [f"{name} {getattr(doc, name)}" for name in ("range", "confidence", "since") if getattr(doc, name, None)]
    notes += [f"source: {doc.source}"] if getattr(doc, "source", "") else []
    return f"{doc} [{'; '.join(notes)}]" if notes else str(doc)


def variants(outline: DeclaredNode) -> Iterator[str]:
    """Yield what octets that mean different things can be."""
    for node in walk(outline):
        if not isinstance(node, DeclaredLeaf) or not isinstance(node.type, Variant):
            continue
        if node.type.cases is EVENT_ARGUMENTS:
            yield "The argument is one of the event arguments below, by the code."
        else:
            yield f"{text(node.type.length)} octets, by {text(node.type.key)}:"
            yield ""
            for code, case in node.type.outlines.items():
                yield f"- {code}: {in_short(case)}"
        yield ""


def in_short(node: DeclaredNode) -> str:
    """Return the elements of a record with their types, or a type."""
    if isinstance(node, DeclaredRecord):
        return ", ".join(f"{field.name} {in_short(field.node)}" for field in node.fields)
    if not isinstance(node, DeclaredLeaf):
        return type(node).__name__
    length = f"({text(node.type.length)})" if node.type.length is not None else ""
    return f"{node.type.type}{length}"


def event_lines() -> Iterator[str]:
    """Yield the standard events."""
    yield "HISTORY_ARGUMENT and EVENT_ARGUMENT take the length that ST71 says: shorter ones are padded, longer cut."
    yield "The marks of confidence are those of name and argument; names of elements are ours."
    yield ""
    yield "| code | event | since | confidence | argument |"
    yield "| --- | --- | --- | --- | --- |"
    for code in EventCode:
        facts = code.facts
        marks = f"{facts.confidence} / {facts.argument_confidence}"
        elements = "not known" if facts.argument is None else "none"
        if facts.argument:
            elements = "; ".join(f"{one.name} {one.type}: {one.text}" for one in facts.argument)
        yield f"| {int(code)} | {cell(facts.text)} | {facts.edition} | {marks} | {cell(elements)} |"


def cell(words: str) -> str:
    """Return words that can stand in a table."""
    return " ".join(words.split()).replace("|", r"\|").replace("*", r"\*")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
