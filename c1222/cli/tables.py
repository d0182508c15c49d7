"""``c1222 tables``: what the library knows of the tables, and how one is laid out in a device."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.columns import columns
from c1222.cli.device_files import DEVICE_HELP, declarations_option, declare, read_device
from c1222.cli.options import FOUND, fail
from c1222.cli.printing import say, say_json
from c1222.cli.rows import Rows, row_options
from c1222.cli.table_files import check, export
from c1222.cli.table_rows import FIELDS, TABLES, doc_notes, field_rows, table_as_dict, table_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1219 import Device, Table
    from c1219.engine.layout import Layout

__all__ = ["command"]

SHOWN_VALUES: Final = 400
"""Values of a table that are printed without ``--all``."""


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what both commands take."""
    form = row_options("text", "json")
    device = click.option("--device", metavar="FILE", help=DEVICE_HELP)
    kind = click.option(
        "--class", "kind", metavar="CODE", help="Device class whose own tables to use: 4 characters or 8 hex digits."
    )
    return device(kind(form(declarations_option(function))))


@click.group("tables", short_help="list, show, check and export tables: fields, layouts, offsets")
def command() -> None:
    """Tables of C12.19: those of the standard, of installed packages, and of files given with --declarations."""


command.add_command(check)
command.add_command(export)


@command.command("list")
@_options
def list_tables(
    device: str | None, kind: str | None, form: str, output: str | None, declarations: tuple[str, ...]
) -> None:
    """List the tables: number, role, edition, confidence in the layout, what the layout depends on, name.

    Confidence: V at least two independent sources, 1 one source, ? memory or inference, "name only" where the layout
    is not known. With --device, which of them the device has.
    """
    declare(declarations)
    from c1219.registry import default_registry

    sink = Rows(form, output)
    meter = None if device is None else read_device(device)
    known = default_registry().tables(_class(kind) or (meter.device_class if meter is not None else None))
    if sink.wanted:
        sink.write(TABLES, (table_row(one, None if meter is None else _size(meter, one)) for one in known))
        return
    if form == "json":
        rows = [table_as_dict(table) | ({} if meter is None else {"octets": _size(meter, table)}) for table in known]
        say_json(rows)
        return
    header = ("TABLE", "ROLE", "SINCE", "CONFIDENCE", "DEPENDS ON", "OCTETS", "NAME", "TITLE")
    lines = [
        (
            table.label, table.role, table.since, table.confidence, ", ".join(table.depends_on),
            None if meter is None else _presence(meter, table), table.name,
            table.title if table.title != table.name else "",
        )
        for table in known
    ]  # fmt: skip
    for line in columns(header, lines, right=(5,)):
        say(line)
    strangers = [] if meter is None else sorted(set(meter) - {table.label for table in known})
    if strangers:
        say(f"in the device, but declared nowhere: {', '.join(strangers)}", err=True)


@command.command("show")
@click.argument("table", metavar="N")
@_options
@click.option("--all", "everything", is_flag=True, help=f"Print all values, not only the first {SHOWN_VALUES}.")
@click.option("--show-secrets", is_flag=True, help="Also print the values of tables of passwords and keys.")
def show(
    table: str,
    device: str | None,
    kind: str | None,
    form: str,
    output: str | None,
    declarations: tuple[str, ...],
    everything: bool,
    show_secrets: bool,
) -> None:
    """Show a table: each element with its index path, type, condition, meaning, unit and range.

    N is 23, ST23 or, of a manufacturer, MT1. With --device, where each element is in that device, and its value if
    the device file has the table. An array is one line: the place of its first entry, how many there are, and how many
    octets apart they are. The forms jsonl, csv and parquet have the elements, without values.
    """
    declare(declarations)
    rows = Rows(form, output)
    from c1219 import C1219Error
    from c1219.registry import default_registry

    meter = None if device is None else read_device(device)
    try:
        if meter is None:
            found = default_registry().table(table, _class(kind))
            layout = None
        else:
            found = meter.declaration(table)
            layout = meter.bind(table)
    except C1219Error as error:
        fail(str(error))
    concealed = not show_secrets and found.secret
    if rows.wanted:
        rows.write(FIELDS, field_rows(found, layout))
    elif form == "json":
        say_json(_shown_as_dict(found, layout, meter, concealed=concealed))
    else:
        for line in _head(found):
            say(line)
        say()
        if layout is not None:
            least = "at least " if layout.open_end and meter is not None and found.label not in meter else ""
            say(f"{least}{layout.size} octets in this device")
        for line in _declared(found) if layout is None else _laid_out(layout):
            say(line)
        if layout is not None and meter is not None and found.label in meter:
            say()
            lines = ["values are concealed: see --show-secrets"] if concealed else _values(layout, meter, everything)
            for line in lines:
                say(line)
    if layout is not None and meter is not None and found.label in meter and not concealed:
        remarks = meter[found.label].findings
        from c1222.capture.text import finding_line

        for finding in remarks:
            say(finding_line(finding), err=True)
        sys.exit(FOUND if any(finding.level == "error" for finding in remarks) else 0)


def _class(text: str | None) -> bytes | None:
    """Return the octets of a device class."""
    if text is None or (len(text) == 4 and text.isascii()):
        return None if text is None else text.encode()
    try:
        octets = bytes.fromhex(text)
    except ValueError:
        octets = b""
    if len(octets) != 4:
        fail(f"{text!r} is no device class: 4 characters or 8 hex digits are needed")
    return octets


def _size(device: Device, table: Table) -> int | None:
    image = device.get(table.label)
    return None if image is None else len(image.raw)


def _presence(device: Device, table: Table) -> str:
    """Return the size of a table that is here, ``listed`` if only ST0 says that the device has it."""
    from c1219 import C1219Error
    from c1219.rules.offer import lists
    from c1219.tableid import table_id

    size = _size(device, table)
    if size is not None:
        return str(size)
    try:
        st0 = device["ST0"].value
    except C1219Error:
        return ""
    return "listed" if lists(st0, table_id(table.label)) else ""


def _shown_as_dict(table: Table, layout: Layout | None, device: Device | None, *, concealed: bool) -> dict[str, Any]:
    found = table_as_dict(table)
    if layout is None or device is None:
        found["fields"] = [row._asdict() | doc_notes(row.doc) for row in table.describe()]
        return found
    found["size"] = layout.size
    found["fields"] = [row._asdict() | doc_notes(row.doc) for row in layout.describe()]
    image = device.get(table.label)
    if image is not None:
        if concealed:
            found["value"] = None
        else:
            found["octets"] = image.raw.hex()
            found["value"] = image.to_json()
            found["variants"] = {path: _plain(value) for path, value in _variants(layout, device)}
            found["findings"] = [finding._asdict() for finding in image.findings]
    return found


def _meaning(doc: str) -> str:
    """Return the meaning of an element with its unit, range, confidence and edition."""
    more = doc_notes(doc)
    notes = [str(more["unit"])] if more["unit"] else []
    notes += [f"{name} {more[name]}" for name in ("range", "confidence", "since") if more[name]]
    return f"{doc} [{'; '.join(notes)}]" if notes else str(doc)


def _indented(path: str) -> str:
    """Return the last name of a path, as deep as it stands."""
    return "  " * path.count(".") + path.rpartition(".")[2]


def _head(table: Table) -> Iterator[str]:
    title = f": {table.title}" if table.title and table.title != table.name else ""
    yield f"{table.label}  {table.name}{title}"
    source = f" ({table.source})" if table.source else ""
    yield f"{table.role} table since {table.since}; confidence of the layout {table.confidence}{source}"
    if table.device_class is not None:
        yield f"of devices of class {table.device_class!r}"
    if table.depends_on:
        parts = []
        for label in table.depends_on:
            names = [name.partition(".")[2] for name in table.elements if name.partition(".")[0] == label]
            parts.append(f"{label} ({', '.join(names)})")
        yield f"depends on {', '.join(parts)}"
    if table.doc:
        yield table.doc


def _declared(table: Table) -> Iterator[str]:
    header = ("INDEX", "ELEMENT", "TYPE", "BITS", "ENTRIES", "PRESENT IF", "MEANING")
    rows = [
        (row.index_path, _indented(row.path), row.type, row.bits, row.dimension, row.condition, _meaning(row.doc))
        for row in table.describe()
    ]
    return columns(header, rows)


def _laid_out(layout: Layout) -> Iterator[str]:
    header = ("OFFSET", "SIZE", "INDEX", "ELEMENT", "TYPE", "ENTRIES", "MEANING")
    rows: list[tuple[object, ...]] = []
    for row in layout.describe():
        entries = [f"{count} every {stride}" for count, stride in zip(row.counts, row.strides, strict=True)]
        meaning = f"absent: {row.doc}" if row.offset is None else _meaning(row.doc)
        kind = "" if row.offset is None else row.type
        size = None if row.offset is None else row.size
        rows.append((row.offset, size, row.index_path, _indented(row.path), kind, ", ".join(entries), meaning))
    return columns(header, rows, right=(0, 1))


def _variants(layout: Layout, device: Device) -> Iterator[tuple[str, Any]]:
    """Yield path and value of the octets that mean different things, where it is known what they mean."""
    from c1219 import C1219Error

    if not _has_variants(layout.root):
        return
    for element in layout.elements(0, len(device[layout.label].raw)):
        if not _has_variants(element.node):
            continue
        try:
            found = device.variant(element.path)
        except C1219Error:
            continue
        if found is not None:
            yield element.path, found.value


def _has_variants(node: Any) -> bool:
    """Tell whether an element of a layout, or one below it, is octets that mean different things."""
    parts = [part.node for part in getattr(node, "parts", ())] + ([node.item] if hasattr(node, "item") else [])
    return hasattr(getattr(node, "declared", None), "outlines") or any(map(_has_variants, parts))


def _plain(value: Any) -> Any:
    """Return a value without its layout in terms of JSON."""
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, bytes):
        return {"raw": value.hex()}
    return value.isoformat() if hasattr(value, "isoformat") else value


def _values(layout: Layout, device: Device, everything: bool) -> Iterator[str]:
    """Yield the values of a table, element by element."""
    from c1219.values import Raw

    raw = device[layout.label].raw
    layout = layout.fitting(len(raw)) or device.layout_of(layout.label, raw)
    values = layout.partial(0, raw).value
    variants = dict(_variants(layout, device))
    below = len(layout.label) + 1
    rows: list[tuple[object, ...]] = []
    for path, value in values.items():
        if len(rows) >= SHOWN_VALUES and not everything:
            break
        element = layout.element(path)
        # octets as they are: passwords, which conceal themselves, come here only with --show-secrets
        hidden = isinstance(value, bytes) and not isinstance(value, Raw)
        plain = value.hex() if hidden else element.to_json(value)
        shown = json.dumps(plain, ensure_ascii=False)
        if path in variants:
            shown += f" = {json.dumps(_plain(variants[path]), ensure_ascii=False)}"
        rows.append((element.offset, element.size, ".".join(map(str, element.index_path)), path[below:], shown))
    yield from columns(("OFFSET", "SIZE", "INDEX", "ELEMENT", "VALUE"), rows, right=(0, 1))
    if len(rows) < len(values):
        yield f"and {len(values) - len(rows)} more values: see --all"
