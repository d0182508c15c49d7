"""``c1222 procedure``: run a procedure of a meter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from c1219.tableid import procedure_id
from c1222.cli.connection import as_json_or_text, connected, connection_options
from c1222.cli.device_files import declarations_option, declare
from c1222.cli.options import fail
from c1222.cli.printing import say, say_json
from c1222.cli.read import value_lines
from c1222.cli.rows import ELEMENTS, Rows, element_rows, row_options

if TYPE_CHECKING:
    from c1222.client.operations.procedures import ProcedureResult
    from c1222.client.sync import Meter

__all__ = ["command"]


@click.command("procedure", short_help="run a procedure of a meter")
@connection_options
@click.argument("which", metavar="PROCEDURE")
@click.argument("parameters", nargs=-1, metavar="[PARAMETER...]")
@click.option("--hex", "as_octets", is_flag=True, help="The parameters are octets in hex.")
@click.option("--polls", type=click.IntRange(1), default=20, show_default=True, help="How often to ask for the result.")
@click.option("--pause", type=click.FloatRange(0), default=0.5, show_default=True, help="Seconds between two polls.")
@row_options("text", "json")
@declarations_option
def command(
    connection: dict[str, Any],
    which: str,
    parameters: tuple[str, ...],
    as_octets: bool,
    polls: int,
    pause: float,
    form: str,
    output: str | None,
    declarations: tuple[str, ...],
) -> None:
    """Run a procedure of the meter at URL (see c1222 read) and print its result.

    PROCEDURE is a number (4, SP4, MP3) or a name ("Reset List Pointers"). Parameters are given in the order of the
    procedure's declaration, as JSON or text, or all together as one JSON object; - is a line of standard input. Flags
    are given by name (SP9 DEMAND_RESET_FLAG,SELF_READ_FLAG), and those left out are not set.

    Exit code 2: usage; 3: the meter refused or was silent, or the procedure did not run.
    """
    declare(declarations)
    rows = Rows(form, output)
    given: list[Any] = [sys.stdin.readline().rstrip("\r\n") if one == "-" else one for one in parameters]
    if as_octets:
        try:
            given = [bytes.fromhex("".join(given))]
        except ValueError:
            fail("the parameters are not octets in hex")
    else:
        given = [as_json_or_text(one) for one in given]
    with connected(connection) as meter:
        result = meter.procedure(which, *given, as_json=True, polls=polls, pause=pause)
        response = _response(meter, result)
    shown = {**result._asdict(), "response": response}
    if rows.wanted:
        rows.write(ELEMENTS, element_rows(shown.items()))
        return
    if form == "json":
        say_json(shown)
        return
    say(f"{result.procedure}, {result.name}: {result.text}")
    if response is not None:
        for line in value_lines("response", response):
            say(line)


def _response(meter: Meter, result: ProcedureResult) -> Any:
    """Return the response data in terms of JSON."""
    response = result.response
    if response is None or isinstance(response, bytes):
        return None if response is None else response.hex()
    one = procedure_id(result.procedure)
    layout = meter.device.procedure_layout(one.number, "response", manufacturer=one.manufacturer)
    return None if layout is None else layout.to_json(response)
