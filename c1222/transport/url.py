"""Addresses of peers as text: ``udp://meter.example:1153``, ``tcp://[::1]``, ``udp://127.0.0.1``; and why one fails."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Final, Literal, NamedTuple

from c1222.errors import InvalidUrl, Unreachable, in_words

__all__ = ["DEFAULT_PORT", "Scheme", "Url", "parse_url", "unreachable"]

DEFAULT_PORT: Final = 1153
"""Port of C12.22 over UDP and TCP [V]."""

Scheme = Literal["udp", "tcp"]

_URL = re.compile(
    r"(?P<scheme>udp|tcp)://(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[^\]\s/]+)?)\]|(?P<host>[^\s:/\[\]@?#]+))(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,  # RFC 3986, 3.1: case does not matter in a scheme
)


class Url(NamedTuple):
    """Where a peer is, and what carries the APDUs there.

    Attributes:
        scheme: ``udp`` or ``tcp``.
        host: a name, an IPv4 address, or an IPv6 address without brackets.
        port: 0..65535; 0 only makes sense where one listens.
    """

    scheme: Scheme
    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        return f"{self.scheme}://{_place(self.host, self.port)}"


def parse_url(text: str) -> Url:
    """Read an address.

    Args:
        text: ``scheme://host[:port]``; an IPv6 address stands in brackets; without a port it is 1153.

    Raises:
        InvalidUrl: the text is no such address.
    """
    found = _URL.fullmatch(text)
    if found is None:
        raise InvalidUrl(f"{text[:120]!r} is not an address such as udp://host:1153, tcp://host or udp://[::1]:1153")
    port = int(found["port"] or DEFAULT_PORT)
    if port > 0xFFFF:
        raise InvalidUrl(f"{text[:120]!r}: a port is 0..65535")
    scheme: Scheme = "udp" if found["scheme"].lower() == "udp" else "tcp"
    return Url(scheme, found["six"] or found["host"], port)


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
