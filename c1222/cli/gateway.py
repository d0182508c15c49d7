"""``c1222 gateway``: a meter or a device file, served to COSEM clients."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.connection import connected, optional_connection_options
from c1222.cli.device_files import declarations_option, declare, read_device
from c1222.cli.named_meters import stands_for_url, with_named_meter
from c1222.cli.options import fail, time_zone
from c1222.cli.printing import say, say_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.gateway.logical_device import LogicalDevice

__all__ = ["command"]

_URL: Final = "://"
_VARIABLE: Final = "C1222_LLS_PASSWORD"


@click.command("gateway", short_help="serve a meter or a device file to COSEM clients, read-only")
@click.argument("source", metavar="FILE|URL|NAME")
@click.option(
    "--listen", metavar="URL", default="dlms+tcp://127.0.0.1:4059", show_default=True, help="Where to listen."
)
@click.option("--anywhere", is_flag=True, help="Listen where other machines reach it; nothing is encrypted.")
@click.option(
    "--lls-password-file", type=click.Path(dir_okay=False), metavar="FILE",
    help=f"Password that clients must give (LLS, in cleartext); or the variable {_VARIABLE}.",
)  # fmt: skip
@click.option("--logical-device-name", metavar="TEXT", help="Name of the device; made of ST1 if not given.")
@click.option("--undirected", type=click.Choice(["delivered"]), help="What energy without quadrants counts.")
@click.option("--zone", metavar="NAME", help="Time zone of the meter, for example America/Denver; overrides its own.")
@click.option("--objects", is_flag=True, help="Print the list of objects as JSON, and end.")
@optional_connection_options
@declarations_option
def command(
    source: str,
    listen: str,
    anywhere: bool,
    lls_password_file: str | None,
    logical_device_name: str | None,
    undirected: str | None,
    zone: str | None,
    objects: bool,
    connection: dict[str, Any],
    declarations: tuple[str, ...],
) -> None:
    """Serve a meter as a COSEM logical device over the TCP wrapper: client 16, server 1, GET alone.

    The source is a device file, or the URL or name of a meter, which is read with the options that c1222 read has: once
    for every association, large tables when they are asked for. Without a password clients need none; HLS and
    encryption are not there yet, nor SET and ACTION. It serves until it is interrupted.
    """
    from c1222.errors import C1222Error
    from c1222.gateway.listening import listen_address

    declare(declarations)
    options: dict[str, Any] = {"logical_device_name": logical_device_name, "undirected": undirected}
    if zone is not None:
        options["zone"] = time_zone(zone)
    password = _password(lls_password_file)
    try:
        where = listen_address(listen, anywhere=anywhere)
    except C1222Error as error:
        fail(str(error))
    from c1222.gateway.sources import file_source, live_source

    if _URL in source or stands_for_url(source, connection["meters"]):
        with connected(with_named_meter({**connection, "url": source})) as meter:
            _serve(live_source(meter, **options), where, password, objects=objects)
    else:
        _serve(file_source(read_device(source), **options), where, password, objects=objects)


def _password(path: str | None) -> bytes | None:
    if path is None:
        given = os.environ.get(_VARIABLE)
        return None if given is None else given.encode("utf-8", "surrogateescape")
    try:
        return Path(path).read_bytes().strip(b"\r\n")
    except OSError as error:
        fail(f"{path}: {error.strerror}")


def _serve(
    source: Callable[[], LogicalDevice], where: tuple[str, int], password: bytes | None, *, objects: bool
) -> None:
    from c1222.errors import C1222Error
    from c1222.gateway.listening import Gateway
    from c1222.gateway.objects import object_list

    if objects:
        say_json(object_list(source()))
        return
    try:
        with Gateway(source, *where, password=password) as gateway:
            host, port = gateway.address
            say(f"listening on dlms+tcp://{f'[{host}]' if ':' in host else host}:{port}")
            sys.stdout.flush()
            say("c1222: serving COSEM clients; interrupt to end", err=True)
            with contextlib.suppress(ValueError, AttributeError):  # not the main thread, or no such signal
                signal.signal(signal.SIGTERM, lambda *_: gateway.close())
            with contextlib.suppress(KeyboardInterrupt):
                gateway.serve()
    except C1222Error as error:
        fail(str(error))
