"""Addresses of peers as text: ``udp://meter.example:1153``, ``tcp://[::1]``, ``udp://127.0.0.1``."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from c1222.errors import InvalidUrl

__all__ = ["DEFAULT_PORT", "Scheme", "Url", "parse_url"]

DEFAULT_PORT: Final = 1153
"""Port of C12.22 over UDP and TCP [V]."""

Scheme = Literal["udp", "tcp"]

_URL = re.compile(
    r"(?P<scheme>udp|tcp)://(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[^\]\s/]+)?)\]|(?P<host>[^\s:/\[\]@?#]+))(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII,
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
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


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
    scheme: Scheme = "udp" if found["scheme"] == "udp" else "tcp"
    return Url(scheme, found["six"] or found["host"], port)
