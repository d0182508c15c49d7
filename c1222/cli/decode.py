"""``c1222 decode``: capture files to text or JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from c1222.cli.device import view_options
from c1222.cli.device_files import declarations_option, declare, read_device
from c1222.cli.options import FOUND, capture_path, fail, has_error, key_store, keys_option, time_zone
from c1222.cli.printing import say, say_json_line, say_lines
from c1222.cli.progress import file_progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219 import Device
    from c1222.capture.decoder import CaptureDecoder, CapturedMessage
    from c1222.capture.devices import CapturedDevices
    from c1222.capture.tables.reader import TableReader
    from c1222.security.keys import KeyStore

__all__ = ["command"]


@click.command("decode", short_help="print the messages of capture files, verified and decrypted")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@keys_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl", "csv"]),
    default="text",
    show_default=True,
    help="Form of the output; csv is for one of registers, load profile and events, of one node.",
)
@click.option("--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="Port of C12.22, besides 1153.")
@click.option("--only-ports", is_flag=True, help="Do not look for C12.22 on other ports.")
@click.option("--show-secrets", is_flag=True, help="Also print passwords and tables of keys.")
@click.option(
    "--device",
    "devices",
    metavar="FILE",
    multiple=True,
    help="JSON file of a device's tables, for those that the capture lacks: of the node that it names, or of all.",
)
@click.option("--two-pass", is_flag=True, help="Read the files twice, to decode tables with what came after them.")
@click.option("--no-tables", is_flag=True, help="Leave the octets of tables as they are.")
@view_options
@click.option("--node", metavar="TITLE", help="With these: only of the node with this ApTitle.")
@click.option("--save-devices", "folder", metavar="DIR", help="Write the tables that were seen, a device file a node.")
@declarations_option
def command(
    files: tuple[str, ...],
    keys: str | None,
    form: str,
    ports: tuple[int, ...],
    only_ports: bool,
    show_secrets: bool,
    devices: tuple[str, ...],
    two_pass: bool,
    no_tables: bool,
    identity: bool,
    clock: bool,
    registers: bool,
    profile: int | None,
    events: bool,
    zone: str | None,
    node: str | None,
    folder: str | None,
    declarations: tuple[str, ...],
) -> None:
    """Decode pcap and pcapng files, compressed or not: who asked whom for what, what came back, verified or not.

    FILE is a path, - for standard input, or sample:NAME for a capture that comes with the program
    (sample: alone lists them).

    Tables are decoded where what they depend on was read before, in the same files, from the same node.

    With --identity, --clock, --registers, --load-profile or --events it prints what the traffic shows of meters, not
    the messages: tables are put together from whole and partial reads, writes and notifications. Of - it prints what
    is new as it comes.

    Messages go to standard output; what concerns a whole file, and a summary, to standard error. The exit code is 1
    when a message could not be decoded or verified.
    """
    from c1222.capture.text import finding_line

    store = key_store(keys, files)
    if declarations:
        declare(declarations)
    views = {
        "identity": identity, "clock": clock, "registers": registers, "load_profile": profile is not None,
        "events": events,
    }  # fmt: skip
    chosen = tuple(name for name, flag in views.items() if flag)
    if chosen or folder is not None:
        if two_pass or no_tables:
            fail("--two-pass and --no-tables are for messages, not for what is shown of meters")
        if form == "csv" and (len(chosen) != 1 or chosen[0] not in {"registers", "load_profile", "events"}):
            fail("csv is for one of --registers, --load-profile and --events")
        from c1222.cli.decode_devices import Wanted, show_devices

        options = {} if zone is None else {"zone": time_zone(zone)}
        wanted = Wanted(chosen, profile or 1, node, form, options, folder, show_secrets)
        failed = show_devices(
            files,
            lambda name: _decoder(name, capture_path(name), store, ports, by_content=not only_ports),
            _devices(store, devices),
            wanted,
        )
        sys.exit(FOUND if failed else 0)
    if form == "csv" or node is not None or zone is not None:
        fail("csv, --node and --zone are for one of --identity, --clock, --registers, --load-profile and --events")
    reader = None if no_tables else _reader(store, devices, show_secrets=show_secrets)
    if reader is not None and two_pass:
        for name in files:
            _learn(name, store, ports, reader, by_content=not only_ports)
    failed = False
    for number, name in enumerate(files):
        if len(files) > 1:
            if number:
                say(err=True)
            say(f"{name}:", err=True)
        failed |= _decode(name, store, form, ports, reader, by_content=not only_ports, show_secrets=show_secrets)
    for finding in reader.findings() if reader is not None else ():
        say(finding_line(finding), err=True)
    sys.exit(FOUND if failed else 0)


def _reader(keys: KeyStore, devices: tuple[str, ...], *, show_secrets: bool) -> TableReader:
    """Make the reader of tables, with the device files; exit if they cannot be used."""
    from c1222.capture.tables.reader import TableReader
    from c1222.errors import C1222Error

    try:
        return TableReader(_given(devices), base=keys.base_oid, show_secrets=show_secrets)
    except C1222Error as error:
        fail(f"--device: {error}")


def _devices(keys: KeyStore, devices: tuple[str, ...]) -> CapturedDevices:
    """Make the memory of meters, with the device files; exit if they cannot be used."""
    from c1222.capture.devices import CapturedDevices
    from c1222.errors import C1222Error

    try:
        return CapturedDevices(_given(devices), base=keys.base_oid)
    except C1222Error as error:
        fail(f"--device: {error}")


def _given(devices: tuple[str, ...]) -> list[Device]:
    """Read the device files; exit if they cannot be told apart."""
    given = [read_device(name) for name in devices]
    titles = [device.node.get("ap_title") for device in given]
    if len(set(map(str, titles))) < len(titles):
        fail("of several device files each needs an ap_title of its own, and one may have none")
    return given


def _learn(name: str, keys: KeyStore, ports: tuple[int, ...], reader: TableReader, *, by_content: bool) -> None:
    """Read one file for its tables alone."""
    path = capture_path(name)
    if not Path(path).is_file():
        fail(f"{name}: --two-pass reads it twice, and that cannot be done")
    decoder = _decoder(name, path, keys, ports, by_content=by_content)
    try:
        with file_progress(name, lambda: decoder.reader.octets_read) as advance:
            for message in decoder:
                reader.learn(message)
                advance()
    finally:
        decoder.close()


def _decoder(name: str, path: str, keys: KeyStore, ports: tuple[int, ...], *, by_content: bool) -> CaptureDecoder:
    """Open one file; exit if it cannot be read."""
    from c1222.capture.decoder import CaptureDecoder
    from c1222.capture.files.source import CaptureError
    from c1222.capture.network.streams import C1222_PORT
    from c1222.errors import in_words

    try:
        return CaptureDecoder(path, keys=keys, ports={C1222_PORT, *ports}, by_content=by_content)
    except (CaptureError, OSError) as error:
        fail(f"{name}: {in_words(error)}")


def _nothing(message: CapturedMessage) -> tuple[dict[str, Any] | None, ...]:  # noqa: ARG001
    """Tell nothing of the tables in a message."""
    return ()


def _table_error(known: Iterable[dict[str, Any] | None]) -> bool:
    """Tell whether one of the findings on table data is of level error."""
    return any(finding["level"] == "error" for found in known if found for finding in found.get("findings", ()))


def _decode(
    name: str,
    keys: KeyStore,
    form: str,
    ports: tuple[int, ...],
    reader: TableReader | None,
    *,
    by_content: bool,
    show_secrets: bool,
) -> bool:
    """Print one file; return whether something in it could not be decoded or verified."""
    from c1222.capture.text import finding_line, summary

    decoder = _decoder(name, capture_path(name), keys, ports, by_content=by_content)
    read = reader.read if reader is not None else _nothing
    failed = False
    live = name == "-"  # a pipe may still be filling: what is known is shown at once
    try:
        with file_progress(name, lambda: decoder.reader.octets_read) as advance:
            if form == "jsonl":
                from c1222.capture.jsonl import to_json

                for message in decoder:
                    tables = read(message)
                    say_json_line(to_json(message, tables=tables, show_secrets=show_secrets))
                    if message.findings:
                        failed |= has_error(message.findings)
                    if tables:
                        failed |= _table_error(tables)
                    if live:
                        sys.stdout.flush()
                    advance()
            else:
                from c1222.capture.text import message_lines

                for message in decoder:
                    tables = read(message)
                    lines = message_lines(message, tables=tables, show_secrets=show_secrets)
                    say_lines(*lines, "")
                    failed |= has_error(message.findings) or _table_error(tables)
                    if live:
                        sys.stdout.flush()
                    advance()
        sys.stdout.flush()
    finally:
        decoder.close()
    found = decoder.findings()
    for finding in found:
        say(finding_line(finding), err=True)
    say(summary(decoder.counters), err=True)
    return failed or has_error(found)
