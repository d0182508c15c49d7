"""``c1222 identify``: what a meter is and can do."""

from __future__ import annotations

from typing import Any

import click

from c1222.cli.connection import connected, connection_options
from c1222.cli.printing import say, say_json
from c1222.cli.read import value_lines
from c1222.cli.rows import ELEMENTS, Rows, element_rows, row_options
from c1222.cli.view_text import view_lines

__all__ = ["command"]

_OF_EVERY_RESPONSE = frozenset({"code", "kind", "result", "service"})


@click.command("identify", short_help="ask a meter for its identity and capabilities")
@connection_options
@click.option("--tables", is_flag=True, help="Read its tables too: manufacturer, model, serial number, versions.")
@row_options("text", "json")
def command(connection: dict[str, Any], tables: bool, form: str, output: str | None) -> None:
    """Ask the meter at URL (see c1222 read) which standard and features it supports.

    That needs no password and no session. Exit code 2: usage; 3: the meter refused or was silent.
    """
    rows = Rows(form, output)
    with connected(connection) as meter:
        answer = meter.identify()
        who = meter.identity() if tables else None
    shown = {
        name: value for name, value in answer.as_dict().items() if name not in {"code", "kind", "result", "service"}
    }
    found = {"identify": shown} if who is None else {"identify": shown, "identity": who.as_dict()}
    if rows.wanted:
        rows.write(ELEMENTS, element_rows(found.items()))
        return
    if form == "json":
        say_json(found)
        return
    for line in value_lines("identify", shown):
        say(line.removeprefix("identify."))
    if who is not None:
        for line in view_lines("identity", who):
            say(line)
