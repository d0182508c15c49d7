"""``c1222 tables check`` and ``export``: table files."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from c1222.cli.columns import columns
from c1222.cli.options import fail
from c1222.cli.outputs import Output
from c1222.cli.printing import say, say_lines

if TYPE_CHECKING:
    from c1219 import Procedure, Table

__all__ = ["check", "export"]


@click.command("check")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
def check(files: tuple[str, ...]) -> None:
    """Read table files, and list what they declare: tables and procedures, and what their layouts depend on.

    A table file declares a manufacturer's tables and procedures in TOML or JSON; specs/table-files.md has the format.
    Every mistake is told with its line.
    """
    from c1219.errors import C1219Error
    from c1219.tablefile.loading import load_tables
    from c1222.errors import in_words

    for path in files:
        try:
            found = load_tables(path)
        except (C1219Error, OSError) as error:
            fail(in_words(error))
        say(f"{path}: {found.title}" if found.title else path)
        items: list[Table | Procedure] = [*found.tables, *found.procedures]
        rows = [
            (one.label, one.name, ", ".join(one.depends_on), ", ".join(found.tags.get(one.label, ()))) for one in items
        ]
        for line in columns(("", "NAME", "DEPENDS ON", "TAGS"), rows):
            say(f"  {line}")
        if found.match is not None:
            said = {key: value for key, value in asdict(found.match).items() if value}
            say(f"  for devices with {', '.join(f'{key} {_words(value)}' for key, value in said.items())}")
        if found.unused:
            say(f"  used by nothing: {', '.join(found.unused)}")


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value
    return " or ".join(
        part if isinstance(part, str) else f"{part[0]} {part[1]}" + ("" if part[2] is None else f".{part[2]}")
        for part in value
    )


@click.command("export")
@click.argument("tables", nargs=-1, required=True, metavar="N...")
@click.option(
    "--format", "form", type=click.Choice(["toml", "json"]), default="toml", show_default=True, help="What to write."
)
@click.option("-o", "--output", metavar="FILE", help="Where to write; standard output if absent.")
def export(tables: tuple[str, ...], form: str, output: str | None) -> None:
    """Write declarations of the library as a table file: to start one's own, or to use them elsewhere.

    N is 23, ST23 or MT5 for a table, SP4 or MP22 for a procedure, and all for everything.
    """
    from c1219.errors import C1219Error
    from c1219.tablefile.writing import file_of

    try:
        said = file_of(_declared(tables))
    except C1219Error as error:
        fail(str(error))
    if form == "json":
        text = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
    else:
        try:
            import tomli_w
        except ImportError:
            fail("to write TOML, install c1222[cli]; --format json needs nothing")
        text = tomli_w.dumps(said)
    if output is None:
        say_lines(*text.splitlines())
    else:
        Output(output).write(text)


def _declared(names: tuple[str, ...]) -> list[Table | Procedure]:
    from c1219.registry import default_registry
    from c1219.tableid import procedure_id

    registry = default_registry()
    found: list[Table | Procedure] = []
    for name in names:
        if name.lower() == "all":
            found += [*registry.tables(), *registry.procedures()]
        elif name[:2].upper() in ("SP", "MP"):
            number = procedure_id(name)
            found.append(registry.procedure(number.number, manufacturer=number.manufacturer))
        else:
            found.append(registry.table(name))
    return list(dict.fromkeys(found))
