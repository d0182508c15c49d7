"""What the commands that talk to a meter share: how to reach it, as whom, and what failures exit with."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from c1222.cli.device_files import read_device
from c1222.cli.named_meters import given_options, meters_option, settings_of, with_named_meter
from c1222.cli.options import FOUND, fail, key_store, keys_option
from c1222.cli.printing import say
from c1222.text import without_mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.client.sync import Meter

__all__ = [
    "PASSWORD_VARIABLE",
    "REFUSED",
    "as_json_or_text",
    "client_settings",
    "connected",
    "connection_options",
    "in_options",
    "optional_connection_options",
]

REFUSED: Final = 3
"""Exit code: the peer refused or was silent."""
PASSWORD_VARIABLE: Final = "C1222_PASSWORD"  # noqa: S105 - a name
"""Where a password is looked for in the environment."""

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


_OPTIONAL: Final[tuple[_Decorator, ...]] = (
    click.option("--called", metavar="TITLE", help="ApTitle of the meter; none at a serial line."),
    click.option("--calling", metavar="TITLE", help="ApTitle to send requests as; none at a serial line."),
    keys_option,
    meters_option,
    click.option("--key-id", type=click.IntRange(0, 255), help="Key to use, where there are several."),
    click.option(
        "--mode",
        type=click.IntRange(0, 2),
        help="0 cleartext, 1 authenticated, 2 encrypted; 2 if there are keys, otherwise 0.",
    ),
    click.option("--sessionless", is_flag=True, help="Open no session; each message stands alone."),
    click.option("--user-id", type=click.IntRange(0, 65535), default=0, show_default=True, help="Number of the user."),
    click.option("--user", default="", help="Name of the user, for Logon."),
    click.option(
        "--password-file",
        metavar="FILE",
        type=click.Path(dir_okay=False, allow_dash=True),
        help=f"File with the password, - for standard input; without it, {PASSWORD_VARIABLE} is used.",
    ),
    click.option("--ask-password", is_flag=True, help="Ask for the password."),
    click.option(
        "--timeout",
        type=click.FloatRange(0, min_open=True),
        help="Seconds to wait for the first answer; default: UDP 5, TCP 60, serial lines 6 or 30.",
    ),
    click.option(
        "--attempts",
        type=click.IntRange(1),
        help="How often to send the same message; default: UDP 4, TCP 1, serial lines 4.",
    ),
    click.option("--ed-class", metavar="TEXT", help="Device class to put into requests: 4 characters or 8 hex digits."),
    click.option(
        "--id-bits",
        type=click.Choice(["16", "32"]),
        default="32",
        show_default=True,
        help="Length of invocation ids; 16 for meters that store no longer ones.",
    ),
    click.option(
        "--device", "known", metavar="FILE", help="Known tables of the meter; they are not read again to find layouts."
    ),
)
_OPTIONS: Final[tuple[_Decorator, ...]] = (click.argument("url", metavar="URL"), *_OPTIONAL)


def connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the URL and the options of a connection; it gets them as one dict, ``connection``."""
    return _with_options(command, _OPTIONS)


def optional_connection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that can do without a meter the options of a connection, likewise."""
    return _with_options(command, _OPTIONAL)


def _with_options(command: Callable[..., Any], options: tuple[_Decorator, ...]) -> Callable[..., Any]:
    names = _names(options)

    @functools.wraps(command)
    def with_connection(**given: Any) -> Any:
        connection = {name: given.pop(name) for name in names}
        connection["given"] = given_options(names)
        return command(connection=with_named_meter(connection) if "url" in names else connection, **given)

    found: Callable[..., Any] = with_connection
    for option in reversed(options):
        found = option(found)
    return found


def _names(options: tuple[_Decorator, ...]) -> tuple[str, ...]:
    def probe() -> None: ...

    found: Any = probe
    for option in options:
        found = option(found)
    return tuple(str(parameter.name) for parameter in found.__click_params__)


@contextmanager
def connected(connection: dict[str, Any]) -> Iterator[Meter]:
    """Talk to a meter; exit with what failures mean.

    Args:
        connection: from `connection_options`.
    """
    from c1219.errors import C1219Error
    from c1219.errors import DecodeError as TableError
    from c1222.client.sync import connect
    from c1222.errors import C1222Error, RemoteError

    settings = client_settings(connection)
    try:
        with connect(connection["url"], **settings) as meter:
            yield meter
    except RemoteError as error:
        _exit(REFUSED, in_options(error))
    except TableError as error:
        _exit(FOUND, str(error))
    except (C1222Error, C1219Error) as error:
        fail(str(error))


def in_options(error: Exception) -> str:
    """Return what went wrong; for missing rights, with the options that give them."""
    from c1222.services.results import Isc

    if not isinstance(error, Isc):
        return str(error)
    return (
        f"{error} Here: give the user with --user-id, and the password with --ask-password, --password-file or"
        f" {PASSWORD_VARIABLE}."
    )


def _exit(code: int, text: str) -> NoReturn:
    say(f"c1222: {text}", err=True)
    sys.exit(code)


def client_settings(connection: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `connect`; exit if one cannot be used.

    Args:
        connection: from `connection_options`.
    """
    from c1222.transport.lines.line_url import is_line_url

    if not is_line_url(connection["url"]):
        for name in ("called", "calling"):
            if not connection[name]:
                fail(f"the URL of a meter on a network needs --{name}")
    elif connection["sessionless"]:
        fail("--sessionless: at a serial line there is always a session")
    keys = key_store(connection["keys"]) if connection["keys"] else None
    known = connection["known"]
    settings = {
        "called": connection["called"],
        "calling": connection["calling"],
        "key": keys,
        "key_id": connection["key_id"],
        "mode": connection["mode"],
        "session": not connection["sessionless"],
        "user_id": connection["user_id"],
        "user": connection["user"],
        "password": _password(connection["password_file"], ask=connection["ask_password"]),
        "timeout": connection["timeout"],
        "attempts": connection["attempts"],
        "ed_class": _ed_class(connection["ed_class"]),
        "id_bits": int(connection["id_bits"]),
        "device": None if known is None else read_device(known),
    }
    return settings_of(connection, settings)


def _password(path: str | None, *, ask: bool) -> bytes | None:
    """Return the password: never from an argument, which everybody on the machine can see."""
    if ask:
        return _octets(str(click.prompt("Password", hide_input=True, err=True)))
    if path is not None:
        try:
            octets = sys.stdin.buffer.readline() if path == "-" else Path(path).read_bytes()
            octets = without_mark(octets)
        except OSError as error:
            fail(f"{path}: {error.strerror}")
        return octets.splitlines()[0] if octets.strip(b"\r\n") else b""
    given = os.environ.get(PASSWORD_VARIABLE)
    return None if given is None else _octets(given)


def _octets(password: str) -> bytes:
    """Return a password as a file would have it: UTF-8, and octets that are none as they were given."""
    return password.encode("utf-8", "surrogateescape")


def _ed_class(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        octets = bytes.fromhex(text) if len(text) == 8 else text.encode("latin-1")
    except ValueError:
        octets = b""
    if len(octets) != 4:
        fail(f"{text!r} is no device class: 4 characters or 8 hex digits")
    return octets


def as_json_or_text(text: str) -> Any:
    """Return a value that was given as an argument: JSON if it is that, else the text itself."""
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text
