"""``c1222 conformance serial://…``: the checks of a device at the end of a serial line."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

from c1222.cli.connection import client_settings
from c1222.cli.options import fail
from c1222.cli.progress import progress

if TYPE_CHECKING:
    from c1222.conformance.run import Report

__all__ = ["check_line"]

_OF_C1222: Final = ("called", "calling", "keys", "key_id", "mode", "ed_class")


def check_line(connection: dict[str, Any], only: tuple[str, ...], others: dict[str, Any]) -> Report:
    """Run the checks and show progress; exit if that cannot be.

    Args:
        connection: from `c1222.cli.connection.connection_options`.
        only: which checks.
        others: options that have a meaning for C12.22 alone, and their values.
    """
    from c1222.client.clock import SystemClock
    from c1222.client.serial_line import line_at
    from c1222.conformance.catalogue import chosen
    from c1222.conformance.line.catalogue import LINE_CHECKS
    from c1222.conformance.line.probe import LineProbe, LineTarget
    from c1222.conformance.run import run
    from c1222.errors import C1222Error
    from c1222.transport.lines.blocking import open_line

    given = [name for name in _OF_C1222 if connection[name] is not None] + [name for name, on in others.items() if on]
    if given:
        words = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        fail(f"{words}: C12.18 and C12.21 have no titles, keys and writes here")
    settings = client_settings(connection)
    try:
        checks = chosen(only, LINE_CHECKS)
        url, line = line_at(connection["url"])
        target = LineTarget(
            user_id=settings["user_id"],
            user=settings["user"],
            password=settings["password"],
            padding=line.logon.password_padding,
            identity=line.profile.identity,
            timing=line.timing,
            called=str(url),
        )
        count = itertools.count(1)
        probe = LineProbe(target, lambda: open_line(url, settings["timeout"]), SystemClock())
        with progress("checking") as tell:
            return run(probe, checks, on_result=lambda _result: tell(next(count), len(checks)))
    except KeyError as error:
        fail(f"--only: no check begins with {error.args[0]!r}; --list has them")
    except C1222Error as error:
        fail(str(error))
