"""``c1222 read``: tables, elements and their meaning, from a meter."""

from __future__ import annotations

import datetime as dt
import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.amounts import unit_option
from c1222.cli.connection import REFUSED, connected, connection_options, in_options
from c1222.cli.device_files import declarations_option, declare
from c1222.cli.named_meters import named_zone
from c1222.cli.options import FOUND, fail, has_error, time_zone
from c1222.cli.outputs import Output
from c1222.cli.printing import say, say_json
from c1222.cli.progress import progress
from c1222.cli.rows import ELEMENTS, Rows, csv_options, element_rows, layout_option, row_options
from c1222.cli.view_text import view_lines
from c1222.text import leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1219.errors import Finding
    from c1222.client.sync import Meter

__all__ = ["command", "read_each", "value_lines"]

_PROFILE: Final = "load-profile"
_SETS: Final = frozenset("1234")
_VIEWS: Final = frozenset({"identity", "registers", "events", "clock", _PROFILE})


@click.command("read", short_help="read tables, elements, registers, load profile, events from a meter")
@connection_options
@click.argument("elements", nargs=-1, required=True, metavar="ELEMENT...")
@click.option("--since", metavar="TIME", help="Load profile: only intervals that end after this.")
@click.option("--until", metavar="TIME", help="Load profile: only intervals that start before this.")
@click.option("--zone", metavar="NAME", help="Time zone of the meter, for example America/Denver; overrides its own.")
@unit_option
@row_options("text", "json")
@layout_option
@click.option(
    "--save", metavar="FILE", type=click.Path(dir_okay=False), help="File to write the tables to that were read."
)
@declarations_option
def command(
    connection: dict[str, Any],
    elements: tuple[str, ...],
    since: str | None,
    until: str | None,
    zone: str | None,
    unit: str,
    form: str,
    output: str | None,
    layout: str | None,
    save: str | None,
    declarations: tuple[str, ...],
) -> None:
    """Read from the meter at URL: udp://host:port, tcp://host:port, or that of a serial line.

    A serial line, where there are no titles and keys, is serial:///dev/ttyUSB0 (c1222 ports lists them),
    c1218+tcp://host:port, rfc2217://host:port, c1221+tcp://host:port or c1221+serial:///dev/ttyS0?dial=5551234.

    ELEMENT is a table (23, ST23, MT5), an element of one (ST23.TOT_DATA_BLOCK.SUMMATIONS[0], ST26.ENTRIES[0:2]), or one
    of identity, registers, events, clock, and load-profile with the number of its set behind it (load-profile 1).

    The forms jsonl, csv and parquet are for tables and elements, or for one of the others at a time.

    TIME is ISO 8601, such as 2026-11-22T06:00; without an offset from UTC it is local time of the meter.

    Results go to standard output, findings and refusals to standard error. Exit code 1: something was refused, could
    not be decoded, or was not read because the meter stopped answering; 2: usage; 3: nothing was read, since the
    meter refused it or was silent. Passwords come from a file, the environment or a prompt.
    """
    declare(declarations)
    views, paths = _sorted_out(elements)
    rows = Rows(form, output)
    if rows.wanted and len(views) + bool(paths) > 1:
        fail(f"{form} is for tables and elements, or for one of {', '.join(sorted(_VIEWS))}")
    options_of_csv = csv_options(form, layout, profile=bool(views) and views[0].startswith(_PROFILE))
    first, last = _time(since), _time(until)
    place = named_zone(connection) if zone is None else time_zone(zone)
    options: dict[str, Any] = {} if place is None else {"zone": place}
    from c1222.errors import RemoteError

    saved_to = Output(save)
    with connected(connection) as meter, progress("reading", octets=True) as tell:
        calls: dict[str, Callable[[], Any]] = {}
        for word in views:
            if word.startswith(_PROFILE):
                number = int(word.partition(" ")[2])
                calls[word] = partial(meter.load_profile, number, first, last, **options, progress=tell)
            elif word == "identity":
                calls[word] = meter.identity
            elif word == "clock":
                calls[word] = partial(meter.clock, **options)
            else:
                calls[word] = partial(getattr(meter, word), **options, progress=tell)
        read, refused = _read(meter, paths, tell)
        plain = [(path, _as_json(meter, path, value), False) for path, value in read.items()]
        seen, refused = read_each(calls, refused)
        found = [(word, view, True) for word, view in seen.items()]
        findings = [
            *_table_findings(meter, list(read)),
            *(finding for _, view, _ in found for finding in view.findings),
        ]
        saved = meter.device.to_json()
    if found and rows.wanted:
        rows.write_view(found[0][1], **options_of_csv)
    elif plain and rows.wanted:
        rows.write(ELEMENTS, element_rows((path, value) for path, value, _ in plain))
    elif plain or found:
        _print([*plain, *found], form, unit)
    saved_to.write(saved)
    from c1222.capture.text import finding_line

    for finding in dict.fromkeys(findings):
        say(finding_line(finding), err=True)
    for error in dict.fromkeys(refused.values()):
        names = ", ".join(name for name, why in refused.items() if why is error)
        say(f"c1222: {names}: {in_options(error)}", err=True)
    if refused and not plain and not found and any(isinstance(error, RemoteError) for error in refused.values()):
        sys.exit(REFUSED)
    sys.exit(FOUND if refused or has_error(findings) else 0)


def _of_one() -> tuple[type[Exception], ...]:
    """Return what goes wrong with one thing that is read, and leaves the others."""
    from c1219.errors import DecodeError
    from c1222.client.errors import ChecksumWrong, CutShort
    from c1222.services import Refusal

    return Refusal, CutShort, ChecksumWrong, DecodeError


def _read(
    meter: Meter, paths: list[str], progress: Callable[[int, int | None], None]
) -> tuple[dict[str, Any], dict[str, Exception]]:
    """Read tables and elements: all together, or one by one where something is refused or the meter falls silent."""
    from c1222.client.errors import ReadInterrupted

    resume: ReadInterrupted | None = None
    if len(paths) > 1:
        try:
            return dict(zip(paths, meter.read(*paths, progress=progress), strict=True)), {}
        except ReadInterrupted as error:
            resume = error
        except _of_one():
            pass
    return read_each({path: partial(meter.read, path, progress=progress, resume=resume) for path in paths}, {})


def read_each(
    calls: dict[str, Callable[[], Any]], refused: dict[str, Exception]
) -> tuple[dict[str, Any], dict[str, Exception]]:
    """Return what each call brought, and what was refused, before and by these calls.

    A meter that is silent is asked no more: its error stands for the rest.

    Args:
        calls: what to read, by name.
        refused: what was refused before, by name.
    """
    from c1222.errors import RemoteError

    found: dict[str, Any] = {}
    refused = dict(refused)
    silent = next((error for error in refused.values() if not isinstance(error, _of_one())), None)
    for name, call in calls.items():
        if silent is not None:
            refused[name] = silent
            continue
        try:
            found[name] = call()
        except _of_one() as error:
            refused[name] = error
        except RemoteError as error:
            refused[name] = silent = error
    return found, refused


def _sorted_out(elements: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the views and the paths among the arguments."""
    views: list[str] = []
    paths: list[str] = []
    rest = list(elements)
    while rest:
        word = rest.pop(0)
        if word == _PROFILE:
            number = rest.pop(0) if rest and rest[0].isdecimal() else "1"
            if number not in _SETS:
                fail(f"{word} {number}: the sets of a load profile are 1 to 4")
            views.append(f"{word} {number}")
        elif word in _VIEWS:
            views.append(word)
        else:
            paths.append(word)
    return views, paths


def _time(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is no time such as 2026-11-22T06:00")


def _as_json(meter: Meter, path: str, value: Any) -> Any:
    """Return a value in terms of JSON."""
    if "." in path:
        return meter.device.layout(path).to_json(value)
    if isinstance(value, bytes):
        return value.hex()
    return meter.device[path].to_json()


def _table_findings(meter: Meter, paths: list[str]) -> Iterator[Finding]:
    from c1219.errors import C1219Error

    for path in paths:
        if "." not in path:
            try:
                yield from meter.device[path].findings
            except C1219Error:
                continue  # nobody declared it: its octets are what there is


def _print(found: list[tuple[str, Any, bool]], form: str, unit: str) -> None:
    if form == "json":
        shown = {name: value.as_dict() if is_view else value for name, value, is_view in found}
        say_json(shown)
        return
    for number, (name, value, is_view) in enumerate(found):
        if is_view:
            if number:
                say()
            say(name)
            for line in view_lines(name.partition(" ")[0].replace("-", "_"), value, unit):
                say(f"  {line}")
        else:
            for line in value_lines(name, value):
                say(line)


def value_lines(name: str, value: Any) -> Iterator[str]:
    """Return a value in terms of JSON as lines, one for each of its elements."""
    rows = [(path, _leaf(leaf)) for path, leaf in leaves(value, name)]
    width = max((len(path) for path, _ in rows), default=0)
    for path, leaf in rows:
        yield f"{path.ljust(width)}  {leaf}"


def _leaf(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
