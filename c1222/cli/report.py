"""``c1222 report``: captures, device files or a meter as one page of HTML."""

from __future__ import annotations

import datetime as dt
import sys
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.connection import REFUSED, connected, in_options, optional_connection_options
from c1222.cli.device_files import declarations_option, declare, is_device_file, read_device
from c1222.cli.named_meters import named_zone, stands_for_url, with_named_meter
from c1222.cli.options import FOUND, capture_path, fail, has_error, key_store, time_zone
from c1222.cli.outputs import Output
from c1222.cli.printing import say
from c1222.cli.progress import file_progress, progress
from c1222.cli.read import read_each

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.report import ReportMaker
    from c1222.security.keys import KeyStore

__all__ = ["command"]

_URL: Final = "://"
_PROFILES: Final = ("ST61", "ST62", "ST63")
"""Tables that load profiles are understood with."""
_RIGHTS: Final = ("ST43", "ST44")
"""Tables of rights that no view reads; ST42 stays where it is, since it holds the passwords."""


@click.command("report", short_help="make a page of captures, device files or a meter, to look at offline")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--output", "-o", required=True, type=click.Path(dir_okay=False), help="The page: one file of HTML.")
@click.option("--title", default="Meter report", show_default=True, help="Title of the page.")
@click.option("--zone", metavar="NAME", help="Time zone of the meters, for example America/Denver; before their own.")
@click.option("--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="Port of C12.22, besides 1153.")
@click.option("--only-ports", is_flag=True, help="Do not look for C12.22 on other ports.")
@click.option("--made", metavar="TIME", help="Time that the page says it was made, in ISO 8601; now if not given.")
@optional_connection_options
@declarations_option
def command(
    sources: tuple[str, ...],
    output: str,
    title: str,
    zone: str | None,
    ports: tuple[int, ...],
    only_ports: bool,
    made: str | None,
    connection: dict[str, Any],
    declarations: tuple[str, ...],
) -> None:
    """Make one page of HTML that needs nothing else, not even the network.

    SOURCE is a capture, a device file, sample:NAME of either, or the URL or name of a meter, which is read with
    the options that c1222 read has. Several captures are one, as for c1222 decode; several device files are several
    meters.

    The page has the traffic of captures (of a URL it has the meter alone), and of each meter its identity, registers,
    demand peaks, shares of rates, load profiles, events, rights and findings. Passwords and keys are left out. With
    very many meters those have a section of their own of which most is known; all are listed.

    The exit code is 1 when something of a capture could not be decoded or verified, or the meter refused something.
    """
    try:
        from c1222.report import ReportMaker
    except ModuleNotFoundError as error:
        fail(f"report needs {error.name}: install c1222[report]")
    from c1222.errors import C1222Error

    declare(declarations)
    moment = _moment(made)
    urls = [source for source in sources if _URL in source or stands_for_url(source, connection["meters"])]
    files = [source for source in sources if source not in urls and is_device_file(source)]
    captures = [source for source in sources if source not in urls and source not in files]
    if len(urls) > 1 or (urls and (files or captures)):
        fail("a URL stands alone")
    if not urls and (connection["called"] or connection["calling"]):
        fail("--called and --calling are for the URL of a meter")
    target = Output(output)
    place = None if zone is None else time_zone(zone)
    failed = False
    if captures:
        store = key_store(connection["keys"], captures)
        known = connection["known"]
        try:
            maker = ReportMaker(base=store.base_oid, devices=[read_device(known)] if known else [], zone=place)
        except C1222Error as error:
            fail(f"--device: {error}")
        failed = _take_captures(maker, captures, store, ports, by_content=not only_ports)
    else:
        maker = ReportMaker(zone=place)
    for file in files:
        maker.add_device(read_device(file), PurePath(file).stem)
    for url in urls:
        failed = _take_meter(maker, with_named_meter({**connection, "url": url}), url, place)
    names = [name if _URL in name or name.startswith("sample:") else PurePath(name).name for name in sources]
    target.write(maker.html(made=moment, sources=names, title=title))
    sys.exit(FOUND if failed else 0)


def _moment(text: str | None) -> dt.datetime:
    if text is None:
        return dt.datetime.now(dt.UTC)
    from c1222.capture.filters import parse_time
    from c1222.errors import EncodeError

    try:
        return parse_time(text)
    except EncodeError as error:
        fail(str(error))


def _take_captures(
    maker: ReportMaker, captures: list[str], store: KeyStore, ports: tuple[int, ...], *, by_content: bool
) -> bool:
    """Take the messages of captures; return whether something could not be decoded or verified."""
    from c1222.capture.decoder import CaptureDecoder
    from c1222.capture.files.source import CaptureError
    from c1222.capture.network.streams import C1222_PORT
    from c1222.capture.text import finding_line, summary
    from c1222.errors import in_words

    paths = [capture_path(name) for name in captures]
    try:
        decoder = CaptureDecoder(paths, keys=store, ports={C1222_PORT, *ports}, by_content=by_content)
    except (CaptureError, OSError) as error:
        several = len(paths) > 1 and isinstance(error, CaptureError)
        name = getattr(error, "filename", None) or ", ".join(captures)
        fail(str(error) if several else f"{name}: {in_words(error)}")
    try:
        with file_progress(paths, lambda: decoder.reader.octets_read) as advance:
            for message in decoder:
                maker.add(message)
                advance()
    finally:
        decoder.close()
    found = decoder.findings()
    maker.add_findings(found)
    for finding in found:
        say(finding_line(finding), err=True)
    counters = decoder.counters
    say(summary(counters), err=True)
    return has_error(found) or bool(counters.undecodable or counters.refused or counters.unchecked)


def _take_meter(maker: ReportMaker, connection: dict[str, Any], name: str, zone: dt.tzinfo | None) -> bool:
    """Read a meter; return whether it refused something."""
    from c1219.rules.profile_set import SETS, set_label

    zone = named_zone(connection) if zone is None else zone
    with connected(connection) as meter, progress("reading", octets=True) as tell:
        calls: dict[str, Callable[[], Any]] = {
            "identity": meter.identity,
            "clock": partial(meter.clock, zone=zone),
            "registers": partial(meter.registers, zone=zone, progress=tell),
            "events": partial(meter.events, zone=zone, progress=tell),
        }
        found, refused = read_each(calls, {})
        listed = {table.label for table in meter.device.capabilities().tables}
        more = [label for label in (*_PROFILES, *map(set_label, SETS), *_RIGHTS) if label in listed]
        _, refused = read_each({label: partial(meter.read, label, progress=tell) for label in more}, refused)
        device = meter.device
    if not found:
        say(f"c1222: {in_options(next(iter(refused.values())))}", err=True)
        sys.exit(REFUSED)
    if connection["called"]:
        device.node.setdefault("ap_title", connection["called"])
    maker.add_device(device, name)
    for error in dict.fromkeys(refused.values()):
        names = ", ".join(name for name, why in refused.items() if why is error)
        say(f"c1222: {names}: {in_options(error)}", err=True)
    return bool(refused)
