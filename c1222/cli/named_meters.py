"""Meters by name: a name out of the file of meters, wherever a URL stands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from c1222.cli.options import fail

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping

    from c1222.collect.meters import Meters, NamedMeter

__all__ = [
    "given_options",
    "is_url",
    "load_meters",
    "meters_option",
    "named_zone",
    "settings_of",
    "stands_for_url",
    "with_named_meter",
]

meters_option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--meters",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="TOML file of meters, whose names stand for URLs; without it C1222_METERS, then meters.toml.",
)
_SETTING: Final[Mapping[str, str]] = {
    "keys": "key",
    "sessionless": "session",
    "password_file": "password",
    "ask_password": "password",
    "known": "device",
}
"""What options set that have another name."""


def is_url(text: str) -> bool:
    """Tell whether a text is an address, not the name of a meter: names have no colon."""
    return ":" in text


def stands_for_url(text: str, meters: str | None) -> bool:
    """Tell whether a text is the name of a meter, where it may also be a file: files go first.

    Args:
        text: what was given.
        meters: the file of meters, or None.
    """
    from c1222.collect.meters import DEFAULT_FILE, METERS_VARIABLE

    if is_url(text) or Path(text).exists():
        return False
    if meters is None and METERS_VARIABLE not in os.environ and not Path(DEFAULT_FILE).exists():
        return False
    return text in load_meters(meters)


def load_meters(path: str | None) -> Meters:
    """Read the file of meters; exit if it cannot be used.

    Args:
        path: the file, or None.
    """
    from c1222.collect.meters import Meters
    from c1222.collect.meters_file import MetersFileError

    try:
        return Meters.load(path)
    except MetersFileError as error:
        fail(str(error))


def given_options(names: Iterable[str]) -> frozenset[str]:
    """Return which parameters of the command were given, not left to their defaults."""
    context = click.get_current_context()
    kinds = {name: context.get_parameter_source(name) for name in names}
    default = click.core.ParameterSource.DEFAULT
    return frozenset(name for name, source in kinds.items() if source not in {None, default})


def with_named_meter(connection: dict[str, Any]) -> dict[str, Any]:
    """Return a connection whose URL is one: for the name of a meter, what the file of meters says of it.

    Args:
        connection: from `connection_options`.
    """
    from c1222.collect.meters import DEFAULT_FILE, METERS_VARIABLE
    from c1222.collect.meters_file import MetersFileError
    from c1222.transport.lines.line_url import is_line_url

    url = connection["url"]
    if url is None or is_url(url):
        return connection
    if connection["meters"] is None and METERS_VARIABLE not in os.environ and not Path(DEFAULT_FILE).exists():
        fail(
            f"{url!r} is not an address such as udp://host:1153, and for names of meters there is no {DEFAULT_FILE}"
            f" here: name a file with --meters or {METERS_VARIABLE}"
        )
    try:
        meter = load_meters(connection["meters"]).named(url)
    except MetersFileError as error:
        fail(str(error))
    titles = () if is_line_url(meter.url) else ("called", "calling")
    said = {name: connection[name] or meter.said(name) for name in titles}
    return {**connection, **said, "url": meter.url, "named": meter}


def settings_of(connection: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `connect`: of options that were not given, what the file of meters says.

    Args:
        connection: from `with_named_meter`.
        settings: by the options alone.
    """
    meter: NamedMeter | None = connection.get("named")
    if meter is None:
        return settings
    from c1222.errors import C1222Error

    given = {_SETTING.get(name, name) for name in connection["given"]}
    try:
        arguments = meter.arguments(without=given)
    except C1222Error as error:
        fail(str(error))
    return {**settings, **{name: value for name, value in arguments.items() if name not in given}}


def named_zone(connection: dict[str, Any]) -> dt.tzinfo | None:
    """Return the time zone that the file of meters gives, if there is one; exit if it is none."""
    from c1222.collect.meters_file import MetersFileError

    meter: NamedMeter | None = connection.get("named")
    try:
        return None if meter is None else meter.zone
    except MetersFileError as error:
        fail(str(error))
