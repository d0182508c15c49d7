"""``c1222 decode``: capture files to text or JSON lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from c1222.cli.options import FOUND, capture_path, fail, has_error, key_store, keys_option, reason
from c1222.cli.progress import progress

if TYPE_CHECKING:
    from c1222.security.keys import KeyStore

__all__ = ["command"]


@click.command("decode", short_help="print the messages of capture files, verified and decrypted")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@keys_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "jsonl"]),
    default="text",
    show_default=True,
    help="Form of the output.",
)
@click.option("--port", "ports", type=click.IntRange(0, 65535), multiple=True, help="Port of C12.22, besides 1153.")
@click.option("--only-ports", is_flag=True, help="Do not look for C12.22 on other ports.")
@click.option("--show-secrets", is_flag=True, help="Also print passwords and tables of keys.")
def command(
    files: tuple[str, ...],
    keys: str | None,
    form: str,
    ports: tuple[int, ...],
    only_ports: bool,
    show_secrets: bool,
) -> None:
    """Decode pcap and pcapng files, gzipped or not: who asked whom for what, what came back, verified or not.

    FILE is a path, - for standard input, or sample:NAME for a capture that comes with the program
    (sample: alone lists them).

    Messages go to standard output; what concerns a whole file, and a summary, to standard error. The exit code is 1
    when a message could not be decoded or verified.
    """
    store = key_store(keys, files)
    failed = False
    for number, name in enumerate(files):
        if len(files) > 1:
            click.echo(f"{'' if not number else chr(10)}{name}:", err=True)
        failed |= _decode(name, store, form, ports, by_content=not only_ports, show_secrets=show_secrets)
    sys.exit(FOUND if failed else 0)


def _decode(
    name: str, keys: KeyStore, form: str, ports: tuple[int, ...], *, by_content: bool, show_secrets: bool
) -> bool:
    """Print one file; return whether something in it could not be decoded or verified."""
    from c1222.capture.decoder import CaptureDecoder
    from c1222.capture.source import CaptureError
    from c1222.capture.streams import C1222_PORT
    from c1222.capture.text import finding_line, summary

    try:
        decoder = CaptureDecoder(capture_path(name), keys=keys, ports={C1222_PORT, *ports}, by_content=by_content)
    except (CaptureError, OSError) as error:
        fail(f"{name}: {reason(error)}")
    failed = False
    write = sys.stdout.write
    try:
        with progress(name, lambda: decoder.reader.octets_read) as advance:
            if form == "jsonl":
                from c1222.capture.jsonl import to_json

                for message in decoder:
                    write(to_json(message, show_secrets=show_secrets) + "\n")
                    failed |= bool(message.findings) and has_error(message.findings)
                    advance()
            else:
                from c1222.capture.text import message_lines

                for message in decoder:
                    write("\n".join((*message_lines(message, show_secrets=show_secrets), "\n")))
                    failed |= has_error(message.findings)
                    advance()
        sys.stdout.flush()
    finally:
        decoder.close()
    found = decoder.findings()
    for finding in found:
        click.echo(finding_line(finding), err=True)
    click.echo(summary(decoder.counters), err=True)
    return failed or has_error(found)
