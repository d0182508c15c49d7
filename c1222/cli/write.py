"""``c1222 write``: tables and elements into a meter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from c1222.cli.connection import REFUSED, as_json_or_text, connected, connection_options
from c1222.cli.device_files import declarations_option, declare
from c1222.cli.options import fail
from c1222.cli.printing import say

if TYPE_CHECKING:
    from c1222.client.sync import Meter

__all__ = ["command"]


@click.command("write", short_help="write a table or an element of a meter")
@connection_options
@click.argument("element", metavar="ELEMENT")
@click.argument("value", metavar="VALUE")
@click.option("--hex", "as_octets", is_flag=True, help="VALUE is octets in hex, for a table as a whole or at --offset.")
@click.option("--offset", type=click.IntRange(0, 0xFFFFFF), help="Where the octets go in the table.")
@click.option("--verify", is_flag=True, help="Read it back and compare.")
@declarations_option
def command(
    connection: dict[str, Any],
    element: str,
    value: str,
    as_octets: bool,
    offset: int | None,
    verify: bool,
    declarations: tuple[str, ...],
) -> None:
    """Write to the meter at URL (see c1222 read) and wait for its confirmation.

    ELEMENT is a table (ST6) or an element of one (ST6.OWNER_NAME). VALUE is JSON, as `c1222 read --format json` shows
    it, or text; - takes it from standard input.

    Exit code 2: usage; 3: the meter refused or was silent. What was sent and not answered may be written all the same:
    then the message says "unknown".
    """
    declare(declarations)
    if value == "-":
        value = _from_input().rstrip("\r\n")
    if offset is not None and not as_octets:
        fail("--offset goes with --hex")
    octets = _octets(value) if as_octets else b""
    with connected(connection) as meter:
        if as_octets:
            meter.write_octets(element, octets, offset)
            same = not verify or meter.read_octets(element, offset or 0, len(octets)) == octets
        else:
            _write(meter, element, value)
            same = not verify or _is_there(meter, element, value)
    if not same:
        say(f"c1222: {element} reads back differently", err=True)
        sys.exit(REFUSED)
    say(f"{element} is written{' and reads back the same' if verify else ''}")


def _from_input() -> str:
    from c1222.text import without_mark

    try:
        return without_mark(sys.stdin.buffer.read()).decode("utf-8")
    except UnicodeDecodeError:
        fail("VALUE, from standard input, is not UTF-8")


def _octets(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        fail("VALUE is not octets in hex")


def _write(meter: Meter, element: str, text: str) -> None:
    from c1219.errors import EncodeError

    value = as_json_or_text(text)
    try:
        meter.write(element, value, as_json=True)
    except EncodeError:
        if value == text:
            raise
        meter.write(element, text, as_json=True)  # a text that looks like JSON, such as a serial number


def _is_there(meter: Meter, element: str, text: str) -> bool:
    found = meter.read(element)
    device = meter.device
    shown = device.layout(element).to_json(found) if "." in element else device[element].to_json()
    return shown in (as_json_or_text(text), text)
