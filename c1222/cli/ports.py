"""``c1222 ports``: the serial ports of this machine."""

from __future__ import annotations

import click

from c1222.cli.columns import columns
from c1222.cli.options import fail
from c1222.cli.printing import say, say_json, say_lines

__all__ = ["command"]


@click.command("ports", short_help="list the serial ports of this machine")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(form: str) -> None:
    """List the serial ports of this machine, each as the address that c1222 read takes, and what is plugged in."""
    from c1222.errors import C1222Error
    from c1222.transport.lines.ports import serial_ports

    try:
        ports = serial_ports()
    except C1222Error as error:
        fail(str(error))
    if form == "json":
        say_json([{"url": port.url, **port._asdict()} for port in ports])
        return
    if not ports:
        say("c1222: there are no serial ports", err=True)
        return
    rows = [(port.url, port.description, port.serial_number) for port in ports]
    say_lines(*columns(("address", "what it is", "serial number"), rows))
