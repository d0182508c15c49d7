"""``c1222 decode``: capture files to text or JSON lines."""

from __future__ import annotations

import gc
import io
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from c1222.cli.device import view_options
from c1222.cli.device_files import declarations_option, declare, read_device
from c1222.cli.filters import filter_options, hidden_line, message_filter
from c1222.cli.options import FOUND, capture_path, fail, has_error, key_store, keys_option, time_zone
from c1222.cli.printing import say, say_lines
from c1222.cli.progress import file_progress
from c1222.cli.rows import Rows, csv_options, layout_option, row_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from c1219 import Device
    from c1222.capture.decoder import CaptureDecoder, CapturedMessage
    from c1222.capture.devices import CapturedDevices
    from c1222.capture.filters import MessageFilter
    from c1222.capture.serial.decoder import SerialLogDecoder
    from c1222.capture.tables.reader import TableReader
    from c1222.errors import Finding
    from c1222.security.keys import KeyStore

__all__ = ["command"]


@click.command("decode", short_help="print the messages of capture files, verified and decrypted")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--apdu", "apdus", metavar="HEX", multiple=True, help="An APDU in hex, in place of files; may be repeated."
)
@click.option(
    "--serial-log",
    is_flag=True,
    help="FILE is what a sniffer of a serial line recorded (C12.18, C12.21); two files are one direction each.",
)
@keys_option
@row_options("text", "json")
@layout_option
@click.option(
    "--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="Another C12.22 port, besides 1153."
)
@click.option("--only-ports", is_flag=True, help="Look for C12.22 on these ports only.")
@click.option("--show-secrets", is_flag=True, help="Also print passwords and tables of keys.")
@click.option(
    "--device",
    "devices",
    metavar="FILE",
    multiple=True,
    help="JSON file of a device's tables, for those that the capture lacks; it serves the node that it names, or all.",
)
@click.option(
    "--two-pass", is_flag=True, help="Read the files twice, so that later tables help to decode earlier ones."
)
@click.option("--no-tables", is_flag=True, help="Do not decode the octets of tables.")
@click.option("--no-readings", is_flag=True, help="Decode tables, but do not say what they measure.")
@click.option("-v", "--verbose", is_flag=True, help="Text: every element of tables, each flag on a line.")
@view_options
@click.option(
    "--summary",
    is_flag=True,
    help="Who talks to whom, how often, how fast, with what errors, how secured; text or json.",
)
@filter_options
@click.option("--save-devices", "folder", metavar="DIR", help="Write the tables that were seen, a device file a node.")
@click.option(
    "--write-clear",
    "clear",
    metavar="OUT",
    type=click.Path(dir_okay=False),
    help="Write the capture as pcapng with verified messages in cleartext, for Wireshark without keys; print nothing."
    " Messages in tunnels, and in PPPoE, LLC and other links that tell a length, stay as they are, and are counted.",
)
@declarations_option
def command(
    files: tuple[str, ...],
    apdus: tuple[str, ...],
    serial_log: bool,
    keys: str | None,
    form: str,
    output: str | None,
    layout: str | None,
    ports: tuple[int, ...],
    only_ports: bool,
    show_secrets: bool,
    devices: tuple[str, ...],
    two_pass: bool,
    no_tables: bool,
    no_readings: bool,
    verbose: bool,
    identity: bool,
    clock: bool,
    registers: bool,
    profile: int | None,
    events: bool,
    zone: str | None,
    unit: str,
    summary: bool,
    node: str | None,
    filters: dict[str, Any],
    folder: str | None,
    clear: str | None,
    declarations: tuple[str, ...],
) -> None:
    """Decode pcap and pcapng files, compressed or not: who asked whom for what, what came back, verified or not.

    FILE is a path, - for standard input, or sample:NAME for a capture that comes with the program
    (sample: alone lists them). Several are one capture: packets are taken by time, and frames are numbered
    through all files in that order. A text file with APDUs or frames in hex will do as well: lines of digits,
    or dumps as xxd, hexdump -C, tshark -x and Wireshark make them; frames then are lines.

    With --serial-log FILE is a log of a serial line: raw octets, both directions in one file or one a file; lines of
    octets in hex, with or without times and directions (< and >, TX and RX, <- and ->); or pcap of LINKTYPE_USER0 with
    the direction as first octet. Frames then are packets of the line, and a device is called device:IDENTITY.

    Tables are decoded where what they depend on was read before, in the same files, from the same node.

    With --identity, --clock, --registers, --load-profile or --events it prints what the traffic shows of meters, not
    the messages: tables are put together from whole and partial reads, writes and notifications. Of - it prints what
    is new as it comes.

    With --summary it prints what all messages amount to; without keys, as far as their headers tell. Filters choose
    messages, for a summary too, and what they hide is counted; a response is shown with the request it answers.

    Messages go to standard output; what concerns a whole file, and a summary, to standard error. The exit code is 1
    when a message that is shown could not be decoded or verified.
    """
    from c1222.capture.text import finding_line

    if bool(files) == bool(apdus):
        raise click.UsageError(
            "Missing argument 'FILE...', or --apdu." if not files else "FILE and --apdu exclude each other."
        )
    if serial_log and (apdus or ports or only_ports or "-" in files[1:]):
        fail("--serial-log does not go with --apdu, --port and --only-ports, and standard input is one file")
    if clear is not None:
        from c1222.cli.decode_clear import refuse_others, write_clear_file

        refuse_others()
        paths = [capture_path(name) for name in files]
        failed = write_clear_file(
            paths, clear, key_store(keys, files), ports=ports, by_content=not only_ports, show_secrets=show_secrets
        )
        sys.exit(FOUND if failed else 0)
    rows = Rows(form, output)
    store = key_store(keys, files)
    given = _Input(files, apdus, store, ports, by_content=not only_ports, serial=serial_log)
    if declarations:
        declare(declarations)
    views = {
        "identity": identity, "clock": clock, "registers": registers, "load_profile": profile is not None,
        "events": events,
    }  # fmt: skip
    chosen = tuple(name for name, flag in views.items() if flag)
    in_csv = csv_options(form, layout, profile=chosen == ("load_profile",))
    if form == "json" and not summary:
        fail("json is for --summary; messages and views have jsonl")
    if chosen or folder is not None:
        if summary or filters:
            fail("what is shown of meters is what all messages say: --node is its one filter, and --summary apart")
        if two_pass or no_tables:
            fail("--two-pass and --no-tables are for messages, not for what is shown of meters")
        if form in {"csv", "parquet"} and len(chosen) != 1:
            fail(f"{form} is for one of --registers, --load-profile, --events, --identity and --clock")
        from c1222.cli.decode_devices import Wanted, show_devices

        options = {} if zone is None else {"zone": time_zone(zone)}
        wanted = Wanted(chosen, profile or 1, node, form, options, folder, show_secrets, rows, in_csv, unit)
        failed = show_devices(given.decoder(), given.paths, _devices(store, devices), wanted, live=given.live)
        sys.exit(FOUND if failed else 0)
    if zone is not None:
        fail("--zone is for --identity, --clock, --registers, --load-profile and --events")
    if summary and (two_pass or no_tables or form in {"csv", "parquet"}):
        fail("a summary is text or json, and --two-pass and --no-tables are for messages")
    outcome = _Outcome(message_filter(node, filters, store.base_oid))
    if summary:
        from c1222.cli.decode_summary import show_summary

        messages = (message for message, _ in _decoded(given, None, outcome))
        show_summary(messages, outcome.findings, form, base=store.base_oid)
        sys.exit(FOUND if outcome.failed else 0)
    reader = None if no_tables else _reader(store, devices, show_secrets=show_secrets, readings=not no_readings)
    if reader is not None and two_pass:
        given.learn(reader)
    decoded = _decoded(given, reader, outcome)
    if form == "text":
        from c1222.capture.text import message_lines
        from c1222.cli.reading_text import reading_lines

        lines = partial(
            message_lines, show_secrets=show_secrets, readings=partial(reading_lines, unit=unit), verbose=verbose
        )
        for message, known in decoded:
            say_lines(*lines(message, tables=known), "")
    elif form == "jsonl":
        from c1222.capture.jsonl import to_json

        rows.write_lines(to_json(message, tables=known, show_secrets=show_secrets) for message, known in decoded)
    else:
        from c1222.capture.messages import MESSAGES, message_row

        made = (message_row(message, tables=known, show_secrets=show_secrets) for message, known in decoded)
        rows.write(MESSAGES, made)
    for finding in reader.findings() if reader is not None else ():
        say(finding_line(finding), err=True)
    sys.exit(FOUND if outcome.failed else 0)


def _reader(keys: KeyStore, devices: tuple[str, ...], *, show_secrets: bool, readings: bool) -> TableReader:
    """Make the reader of tables, with the device files; exit if they cannot be used."""
    from c1222.capture.tables.reader import TableReader
    from c1222.errors import C1222Error

    try:
        return TableReader(_given(devices), base=keys.base_oid, show_secrets=show_secrets, readings=readings)
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
    """Read the device files; exit if two are of the same node."""
    given = [read_device(name) for name in devices]
    titles = [device.node.get("ap_title") for device in given]
    if len(set(map(str, titles))) < len(titles):
        fail("of several device files each needs an ap_title of its own, and one may have none")
    return given


class _Input:
    """What is to be decoded, and how."""

    def __init__(
        self,
        files: tuple[str, ...],
        apdus: tuple[str, ...],
        keys: KeyStore,
        ports: tuple[int, ...],
        *,
        by_content: bool,
        serial: bool,
    ) -> None:
        self.live = "-" in files  # a pipe may still be filling: what is known is shown at once
        self.paths = [capture_path(name) for name in files]
        self._name = ", ".join(files) or "--apdu"
        self._apdus = "\n".join(apdus).encode()
        self._keys = keys
        self._ports = ports
        self._by_content = by_content
        self._serial = serial

    def decoder(self) -> CaptureDecoder | SerialLogDecoder:
        """Open it; exit if it cannot be read."""
        from c1222.capture.decoder import CaptureDecoder
        from c1222.capture.early import EARLY_NS
        from c1222.capture.files.source import CaptureError
        from c1222.capture.network.streams import C1222_PORT
        from c1222.capture.serial.decoder import SerialLogDecoder
        from c1222.errors import in_words
        from c1222.message.ber import APDU_TAG

        source = self.paths or io.BytesIO(self._apdus)
        ports = {C1222_PORT, *self._ports}
        early_ns = 0 if self.live else EARLY_NS
        try:
            if self._serial:
                return SerialLogDecoder(self.paths, keys=self._keys)
            return CaptureDecoder(source, keys=self._keys, ports=ports, by_content=self._by_content, early_ns=early_ns)
        except (CaptureError, OSError) as error:
            if self._apdus.strip() == b"%02x" % APDU_TAG:
                fail("--apdu: the APDU is cut: of it there is the tag alone")
            name = getattr(error, "filename", None) or self._name
            fail(
                str(error) if len(self.paths) > 1 and isinstance(error, CaptureError) else f"{name}: {in_words(error)}"
            )

    def learn(self, reader: TableReader) -> None:
        """Read it for its tables alone."""
        for path in self.paths:
            if not Path(path).is_file():
                fail(f"{path}: --two-pass reads it twice, which is not possible")
        decoder = self.decoder()
        try:
            with file_progress(self.paths, lambda: decoder.reader.octets_read) as advance:
                for message in decoder:
                    reader.learn(message)
                    advance()
        finally:
            decoder.close()


def _nothing(message: CapturedMessage) -> tuple[dict[str, Any] | None, ...]:  # noqa: ARG001
    """Tell nothing of the tables in a message."""
    return ()


def _table_error(known: Iterable[dict[str, Any] | None]) -> bool:
    """Tell whether one of the findings on table data is of level error."""
    for found in known:
        if found and "findings" in found and any(finding["level"] == "error" for finding in found["findings"]):
            return True
    return False


class _Outcome:
    """What is shown of a capture, and what is told of it in the end.

    Args:
        wanted: which messages are shown, None for all.

    Attributes:
        failed: something that is shown could not be decoded or verified.
        findings: what concerns the capture as a whole.
    """

    def __init__(self, wanted: MessageFilter | None) -> None:
        self.wanted = wanted
        self.failed = False
        self.findings: list[Finding] = []


def _decoded(
    given: _Input, reader: TableReader | None, outcome: _Outcome
) -> Iterator[tuple[CapturedMessage, tuple[dict[str, Any] | None, ...]]]:
    """Yield the messages that are wanted, with what is known of their tables; say in the end what concerns the whole.

    The caller has written a message when it asks for the next.

    Args:
        given: what is to be decoded.
        reader: of tables, None for none.
        outcome: which messages are wanted; where to say what was found, and that something failed.
    """
    from c1222.capture.text import finding_line, summary

    decoder = given.decoder()
    read = reader.read if reader is not None else _nothing
    wanted, hidden = outcome.wanted, 0
    gc.collect()
    gc.freeze()  # what was loaded stays to the end: the collector would look through it again and again
    try:
        with file_progress(given.paths, lambda: decoder.reader.octets_read) as advance:
            for message in decoder:
                tables = read(message)
                if wanted is not None and not wanted(message, tables):
                    hidden += 1
                    advance()
                    continue
                yield message, tables
                if message.findings:
                    outcome.failed |= has_error(message.findings)
                if tables:
                    outcome.failed |= _table_error(tables)
                if given.live:
                    sys.stdout.flush()
                advance()
        sys.stdout.flush()
    finally:
        decoder.close()
    outcome.findings += decoder.findings()
    for finding in outcome.findings:
        say(finding_line(finding), err=True)
    say(summary(decoder.counters), err=True)
    if hidden:
        say(hidden_line(hidden), err=True)
    outcome.failed |= has_error(outcome.findings)
