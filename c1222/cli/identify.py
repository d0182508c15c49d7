"""``c1222 identify``: what a meter is and can do."""

from __future__ import annotations

from typing import Any

import click

from c1222.cli.connection import connected, connection_options, format_option
from c1222.cli.device import view_lines
from c1222.cli.printing import say, say_json
from c1222.cli.read import value_lines

__all__ = ["command"]

_OF_EVERY_RESPONSE = frozenset({"code", "kind", "result", "service"})


@click.command("identify", short_help="ask a meter who it is and what it can do")
@connection_options
@click.option("--tables", is_flag=True, help="Read its tables too: manufacturer, model, serial number, versions.")
@format_option
def command(connection: dict[str, Any], tables: bool, form: str) -> None:
    """Ask the meter at URL, udp://host:port or tcp://host:port, which standard it speaks and what it can do.

    That needs no password and no session. Exit code 2: usage; 3: the meter refused or was silent.
    """
    with connected(connection) as meter:
        answer = meter.identify()
        who = meter.identity() if tables else None
    shown = {
        name: value for name, value in answer.as_dict().items() if name not in {"code", "kind", "result", "service"}
    }
    if form == "json":
        found = {"identify": shown} if who is None else {"identify": shown, "identity": who.as_dict()}
        say_json(found)
        return
    for line in value_lines("identify", shown):
        say(line.removeprefix("identify."))
    if who is not None:
        for line in view_lines("identity", who):
            say(line)
