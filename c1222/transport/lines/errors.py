"""Why a port cannot be used, in words: what is wrong, and what to do about it."""

from __future__ import annotations

import errno
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from c1222.errors import ConnectionLost, StateError, Unreachable, in_words

if TYPE_CHECKING:
    from c1222.errors import RemoteError

__all__ = ["library", "port_error", "port_vanished", "rate_needed"]

_ABSENT: Final = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
_BUSY: Final = frozenset({errno.EBUSY, errno.EWOULDBLOCK})


def library(name: str, extra: str, what: str) -> Any:
    """Return a module of an extra.

    Args:
        name: of the module.
        extra: what installs it.
        what: what needs it, for people.

    Raises:
        StateError: it is not installed; the text says how to.
    """
    try:
        return import_module(name)
    except ImportError:
        raise StateError(f"{what} need {name}: install c1222[{extra}]") from None


def port_error(path: str, error: Exception, rate: int) -> RemoteError:
    """Return the error for a port that cannot be opened.

    Args:
        path: of the port.
        error: what was raised.
        rate: bits per second it was to be opened with.
    """
    cause: BaseException | None = error
    while cause is not None and not (isinstance(cause, OSError) and cause.errno):
        cause = cause.__cause__ or cause.__context__
    number = cause.errno if isinstance(cause, OSError) else None
    if number in _ABSENT:
        return Unreachable(f"{path}: there is no such port. `c1222 ports` lists those there are. Is it plugged in?")
    if number in _FORBIDDEN:
        return Unreachable(f"{path}: no permission. {_group_of(path)}")
    if number in _BUSY:
        return Unreachable(f"{path}: another program uses this port. End it, or wait until it is done.")
    if number == errno.ENOTTY:
        return Unreachable(f"{path}: this is no serial port. `c1222 ports` lists those there are.")
    if number == errno.EINVAL or isinstance(error, ValueError):
        return Unreachable(f"{path}: the port cannot do {rate} bit/s. Another rate is needed: option baud.")
    return Unreachable(f"{path}: {in_words(error)}")


def _group_of(path: str) -> str:
    try:
        from grp import getgrgid  # noqa: PLC0415 - Windows has none

        group = getgrgid(os.stat(path).st_gid).gr_name  # noqa: PTH116 - the name of a device may be none of a path
    except (ImportError, KeyError, OSError):
        return "Another user may use it, or another program."
    return f"It belongs to the group {group}: `sudo usermod -aG {group} $USER`, then log in again."


def port_vanished(place: str, error: Exception | None = None) -> ConnectionLost:
    """Return the error for a port that is gone while it was used."""
    why = f" ({in_words(error)})" if error is not None and str(error) else ""
    return ConnectionLost(f"{place}: the port has vanished{why}: was the probe pulled out, or the bridge switched off?")


def rate_needed(place: str, rate: int, error: Exception | None = None) -> ConnectionLost:
    """Return the error for a rate that was agreed on, and that the port cannot be set to."""
    why = "a TCP bridge cannot change it: use rfc2217://" if error is None else in_words(error)
    return ConnectionLost(f"{place}: the meter needs {rate} bit/s now, and {why}")
