"""The one way to standard output and standard error.

What a meter or a peer sends goes through here before a person sees it: it cannot steer the terminal, and it stays on
the line that it stands on. What the encoding of the terminal lacks is replaced, so that no text ends a command.
"""

from __future__ import annotations

import codecs
import json
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from c1219.printable import code_units, printable, printable_json

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["prepare_streams", "say", "say_json", "say_json_line", "say_lines", "say_table", "say_xml"]

_HANDLER: Final = "c1222.replace"
_BARS: Final = dict(zip("▁▂▃▄▅▆▇█", ".,:-=+*#", strict=True))


def say(text: str = "", *, err: bool = False, bold: bool = False) -> None:
    """Print one line.

    Args:
        text: the line; line ends in it are escaped, as all that is not printable.
        err: to standard error.
        bold: in bold on a terminal.
    """
    line = printable(text)
    _echo(click.style(line, bold=True) if bold else line, err=err)


def say_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    _echo(printable_json(json.dumps(value, indent=2, ensure_ascii=False)))


def say_json_line(text: str) -> None:
    """Print a value that is JSON already, on one line. Unlike `say`, it does not flush."""
    sys.stdout.write(printable_json(text) + "\n")


def say_lines(*lines: str) -> None:
    """Print lines. Unlike `say`, it does not flush."""
    sys.stdout.write("".join([printable(line) + "\n" for line in lines]))


def say_table(table: Table, *, err: bool = False) -> None:
    """Print a table, laid out by rich; its texts have gone through `printable` before."""
    from rich.console import Console

    console = Console(stderr=err, highlight=False, soft_wrap=False)
    with console.capture() as printed:
        console.print(table)
    _echo(printed.get(), nl=False, err=err)


def say_xml(octets: bytes) -> None:
    """Print an XML document in UTF-8, whatever the terminal has; what is not printable goes as references."""
    text = octets.decode("utf-8")
    shown = "".join(one if one.isprintable() or one in "\t\n" else f"&#{ord(one)};" for one in text)
    _echo(shown.encode("utf-8"), nl=False)


def _echo(text: str | bytes, *, nl: bool = True, err: bool = False) -> None:
    # The streams are named, since click else takes one in ASCII for a mistake, and writes UTF-8.
    click.echo(text, file=sys.stderr if err else sys.stdout, nl=nl)


def prepare_streams() -> None:
    """Have standard output and standard error replace what their encodings lack."""
    codecs.register_error(_HANDLER, _replaced)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_HANDLER)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_BARS.get(one) or code_units(one) for one in lacking), error.end
