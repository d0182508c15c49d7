"""Addresses of peers as text: ``udp://meter.example:1153``, ``tcp://[::1]``, ``udp://127.0.0.1``; and why one fails."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final, NamedTuple

from c1222.errors import Unreachable, in_words

__all__ = ["DEFAULT_PORT", "Url", "unreachable"]

DEFAULT_PORT: Final = 1153
"""Port of C12.22 over UDP and TCP [V]."""


class Url(NamedTuple):
    """Where a peer is, and by which transport.

    Attributes:
        scheme: the transport, a key of `c1222.transport.schemes.SCHEMES`.
        host: a name, an IPv4 address, or an IPv6 address without brackets.
        port: 0..65535; 0 only makes sense where one listens.
    """

    scheme: str
    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"{self.scheme}://{_place(self.host, self.port)}"


def unreachable(host: str, port: int, error: Exception) -> Unreachable:
    """Return the error that says in words why a peer cannot be reached, or an address not be listened at.

    Args:
        host: as it was given.
        port: its port.
        error: what the operating system said; a `UnicodeError` is a name that cannot be one of a host.
    """
    if isinstance(error, UnicodeError) or (isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME):
        return Unreachable(f"no such host: {host}")
    if isinstance(error, socket.gaierror):
        return Unreachable(f"{host}: {in_words(error)}")
    words = in_words(error)
    if isinstance(error, ConnectionRefusedError) or words == os.strerror(errno.ECONNREFUSED):
        return Unreachable(f"connection refused by {_place(host, port)}")
    return Unreachable(f"{_place(host, port)}: {words}")


def _place(host: str, port: int) -> str:
    return f"{f'[{host}]' if ':' in host else host}:{port}"
