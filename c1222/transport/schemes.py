"""The transports, by the scheme of an address.

A new transport is a module with its sockets, and an entry in ``SCHEMES``. Clients, nodes and conformance checks then
use it by its addresses. The sockets are imported when an address asks for them: a blocking client needs no asyncio.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from c1222.errors import InvalidUrl
from c1222.transport.url import DEFAULT_PORT, Url

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

    from c1222.errors import C1222Error
    from c1222.transport.tcpserver import TcpLimits

__all__ = ["SCHEMES", "AsyncEndpoint", "Endpoint", "Listener", "Source", "Transport", "parse_url", "transport_of"]


class Endpoint(Protocol):
    """A blocking transport to one peer."""

    @property
    def reliable(self) -> bool:
        """Whether everything arrives, once and in order."""

    @property
    def max_size(self) -> int:
        """Largest APDU to send, octets."""

    def send(self, apdu: bytes, /) -> None:
        """Send one APDU; raise Unreachable or ConnectionLost if that fails."""

    def receive(self, timeout: float | None, /) -> bytes | None:
        """Wait for one APDU, so many seconds; raise Unreachable or ConnectionLost if that fails."""

    def close(self) -> None:
        """Close it."""


class AsyncEndpoint(Protocol):
    """A transport to one peer for asyncio; what comes back goes to a function."""

    def send(self, apdu: bytes, /) -> None:
        """Send one APDU without waiting; raise C1222Error if that fails."""

    def close(self) -> None:
        """Close it."""


class Source(AsyncEndpoint, Protocol):
    """Where an APDU came from, as a node has it: the way back. Hashable, and equal for the same peer."""

    @property
    def peer_key(self) -> Hashable:
        """What limits for each peer are counted by."""

    def confirm(self) -> None:
        """Tell that what came was something to answer."""

    def __hash__(self) -> int:
        """Return the hash."""


class Listener(Protocol):
    """Where a node listens."""

    @property
    def local_address(self) -> tuple[str, int]:
        """Address and port."""

    async def close(self) -> None:
        """Stop listening, and close what is open."""


class Transport(NamedTuple):
    """How APDUs travel with one scheme.

    Attributes:
        reliable: what arrives, arrives once and in order, and the two ends know each other; see `Link`.
        open: opens an endpoint for a blocking client: host, port, and a time-out in seconds that shortens its usual
            ones, or None.
        open_async: opens one for asyncio: the same, what takes each APDU, and what takes the error that ends it.
        listen: listens: the address, what takes each APDU with its source, what takes a source that is gone, and what
            connections may be, for a transport that has them.
    """

    reliable: bool
    open: Callable[[str, int, float | None], Endpoint]
    open_async: Callable[
        [str, int, float | None, Callable[[bytes], None], Callable[[C1222Error], None]], Awaitable[AsyncEndpoint]
    ]
    listen: Callable[[Url, Callable[[bytes, Source], None], Callable[[Source], None], TcpLimits], Awaitable[Listener]]


def _within(limit: float, timeout: float | None) -> float:
    return limit if timeout is None else min(limit, timeout)


# The imports within the functions: see the module.


def _open_udp(host: str, port: int, timeout: float | None) -> Endpoint:  # noqa: ARG001 - opening sends nothing
    from c1222.transport.udp import UdpClient  # noqa: PLC0415

    return UdpClient(host, port)


async def _open_udp_async(
    host: str,
    port: int,
    timeout: float | None,  # noqa: ARG001 - opening sends nothing
    receive: Callable[[bytes], None],
    lost: Callable[[C1222Error], None],
) -> AsyncEndpoint:
    from c1222.transport.aioudp import UdpConnection  # noqa: PLC0415

    return await UdpConnection.open(host, port, receive, lost)


async def _listen_udp(
    url: Url,
    receive: Callable[[bytes, Source], None],
    lost: Callable[[Source], None],  # noqa: ARG001 - datagrams have no end
    limits: TcpLimits,  # noqa: ARG001 - and no connections
) -> Listener:
    from c1222.transport.aioudp import UdpListener  # noqa: PLC0415

    return await UdpListener.open(url, receive)


def _open_tcp(host: str, port: int, timeout: float | None) -> Endpoint:
    from c1222.transport.tcp import CONNECT_TIMEOUT, SEND_TIMEOUT, TcpClient  # noqa: PLC0415

    opening, sending = _within(CONNECT_TIMEOUT, timeout), _within(SEND_TIMEOUT, timeout)
    return TcpClient(host, port, timeout=opening, send_timeout=sending)


async def _open_tcp_async(
    host: str,
    port: int,
    timeout: float | None,
    receive: Callable[[bytes], None],
    lost: Callable[[C1222Error], None],
) -> AsyncEndpoint:
    from c1222.transport.aiotcp import TcpConnection  # noqa: PLC0415
    from c1222.transport.tcp import CONNECT_TIMEOUT  # noqa: PLC0415

    return await TcpConnection.open(
        host,
        port,
        receive=lambda apdu, _: receive(apdu),
        lost=lambda ended: None if ended.error is None else lost(ended.error),
        timeout=_within(CONNECT_TIMEOUT, timeout),
    )


async def _listen_tcp(
    url: Url, receive: Callable[[bytes, Source], None], lost: Callable[[Source], None], limits: TcpLimits
) -> Listener:
    from c1222.transport.tcpserver import TcpServer  # noqa: PLC0415

    return await TcpServer.open(receive, local=(url.host, url.port), lost=lost, limits=limits)


SCHEMES: Final[dict[str, Transport]] = {
    "udp": Transport(reliable=False, open=_open_udp, open_async=_open_udp_async, listen=_listen_udp),
    "tcp": Transport(reliable=True, open=_open_tcp, open_async=_open_tcp_async, listen=_listen_tcp),
}
"""Scheme of an address, lower case, to its transport."""

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%[^\]\s/]+)?)\]|(?P<host>[^\s:/\[\]@?#]+))(?::(?P<port>[0-9]{1,5}))?/?",
    re.ASCII | re.IGNORECASE,  # RFC 3986, 3.1: case does not matter in a scheme
)


def parse_url(text: str) -> Url:
    """Read an address.

    Args:
        text: ``scheme://host[:port]``; an IPv6 address stands in brackets; without a port it is 1153.

    Raises:
        InvalidUrl: the text is no such address.
    """
    found = _URL.fullmatch(text)
    scheme = found["scheme"].lower() if found else ""
    if found is None or scheme not in SCHEMES:
        raise InvalidUrl(f"{text[:120]!r} is not an address such as udp://host:1153, tcp://host or udp://[::1]:1153")
    port = int(found["port"] or DEFAULT_PORT)
    if port > 0xFFFF:
        raise InvalidUrl(f"{text[:120]!r}: a port is 0..65535")
    return Url(scheme, found["six"] or found["host"], port)


def transport_of(url: Url) -> Transport:
    """Return the transport to an address.

    Raises:
        InvalidUrl: there is no such scheme.
    """
    try:
        return SCHEMES[url.scheme]
    except KeyError:
        raise InvalidUrl(f"{url}: the scheme is not one of {', '.join(SCHEMES)}") from None
