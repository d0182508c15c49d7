"""Ways to a node: what a probe connects through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.transport.schemes import parse_url, transport_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.transport.schemes import Endpoint

__all__ = ["way_to"]


def way_to(address: str, *, timeout: float) -> Callable[[], Endpoint]:
    """Return a function that opens a way to a node.

    Args:
        address: ``udp://host:port`` or ``tcp://host:port``.
        timeout: how long a connection may take to open, seconds.

    Raises:
        InvalidUrl: it is no such address.
    """
    url = parse_url(address)

    def connect() -> Endpoint:
        return transport_of(url).open(url.host, url.port, timeout)

    return connect
