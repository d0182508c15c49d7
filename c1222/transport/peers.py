"""Which peer an address belongs to, for limits that count by peer."""

from __future__ import annotations

import socket
from typing import Final

__all__ = ["peer_of"]

_MAPPED: Final = bytes(10) + b"\xff\xff"
_PREFIX: Final = 8


def peer_of(host: str) -> str | bytes:
    """Return what limits are counted by for an IP address: the address, or the first 64 bits of it.

    A host that has one IPv6 address has as many as it likes, all with the same first 64 bits (RFC 4291, 2.5.4). An IPv4
    address in the form that a socket for both families gives it (``::ffff:192.0.2.1``) counts as the IPv4 address.

    Args:
        host: an address as the socket module has it.

    Returns:
        The text of an IPv4 address, 8 octets of an IPv6 address.
    """
    if ":" not in host:
        return host
    try:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    except OSError:
        return host
    return socket.inet_ntop(socket.AF_INET, packed[12:]) if packed[:12] == _MAPPED else packed[:_PREFIX]
