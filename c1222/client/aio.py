"""The asyncio client: the verbs of the blocking one, to be awaited.

async with c1222.aio.connect("udp://127.0.0.1:1153", called=".123.8437", calling=".123.4", key=key) as meter:
    await meter.read("ST23.TOT_DATA_BLOCK")

async with c1222.aio.Network(calling=".123.4", key=key) as network:      # thousands of meters over one socket
    meters = [await network.meter(url, called=title) for url, title in addresses]
    readings = await asyncio.gather(*[meter.read(23) for meter in meters])
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Self

from c1222.client.aio_meter import AsyncMeter
from c1222.client.limiter import OUTSTANDING, Limiter
from c1222.client.operations.operations import Operations
from c1222.client.serial_line import SerialLine, line_at
from c1222.client.signatures import given_timeout, opened
from c1222.errors import DecodeError, InvalidUrl, StateError
from c1222.message.acse import decode_acse
from c1222.protocol.identity import Identity
from c1222.protocol.policy import UDP_LINK, Link, link_over
from c1222.serial.link_events import ChangeRate
from c1222.transport.aioudp import UdpSocket, resolve
from c1222.transport.lines.awaiting import open_line_async
from c1222.transport.lines.line_url import is_line_url
from c1222.transport.schemes import parse_url, transport_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from c1222.message.aptitle import ApTitle
    from c1222.security.keys import Key, KeyStore
    from c1222.security.sending import SendGuard
    from c1222.transport.aioudp import Address

__all__ = ["AsyncMeter", "Network", "connect"]

_P = ParamSpec("_P")
_ANY: dict[int, tuple[str, int]] = {socket.AF_INET: ("0.0.0.0", 0), socket.AF_INET6: ("::", 0)}  # noqa: S104


def _opening(
    make: Callable[Concatenate[Link | SerialLine, _P], Operations],
) -> Callable[Concatenate[str, _P], AbstractAsyncContextManager[AsyncMeter]]:
    @asynccontextmanager
    async def connect(url: str, /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncIterator[AsyncMeter]:
        """Open a connection to a meter, as an asynchronous context manager.

        The url is ``udp://host:port`` or ``tcp://host:port``, port 1153 if left out, IPv6 addresses in brackets. With a
        transport of your own, make an `AsyncMeter` yourself and give it what comes in. A TCP connection is opened
        within the time-out if that is shorter than 10 seconds. The serial lines of `c1222.connect` do as well.

        Raises:
            InvalidUrl: it is no such address; Unreachable: there is no way there; StateError: an extra is not
            installed, or titles or keys are given where there are none.
        """
        link: Link | SerialLine
        if is_line_url(url):
            line, link = line_at(url)
            opening: Callable[..., Awaitable[Any]] = partial(open_line_async, line)
        else:
            where = parse_url(url)
            transport = transport_of(where)
            link = link_over(reliable=transport.reliable)
            opening = partial(transport.open_async, where.host, where.port)
        endpoints: list[Any] = []

        def send(item: bytes | ChangeRate) -> None:
            if isinstance(item, ChangeRate):
                endpoints[0].set_rate(item.rate)
            else:
                endpoints[0].send(item)

        meter = AsyncMeter(make(link, *args, **kwargs), send)
        endpoints.append(await opening(given_timeout(kwargs), meter.receive, meter.lost))
        try:
            async with meter:
                yield meter
        finally:
            endpoints[0].close()
            if not isinstance(link, Link):
                await endpoints[0].wait_closed()

    return opened(connect, Operations, first="str", returns="AbstractAsyncContextManager[AsyncMeter]")


connect = _opening(Operations)


def _joining(
    make: Callable[Concatenate[Link, _P], Operations],
) -> Callable[Concatenate[Network, str, _P], Coroutine[None, None, AsyncMeter]]:
    async def meter(self: Network, url: str, /, *args: _P.args, **kwargs: _P.kwargs) -> AsyncMeter:
        """Return a meter to talk to over the network's socket. Nothing is sent before its first verb.

        The url is ``udp://host:port``, port 1153 if left out. Title, keys and guard are the network's. Meters that are
        not needed any more are closed one by one, or all with the network.

        Raises:
            InvalidUrl: it is no such address; Unreachable: the name has no address; StateError: the network is closed.
        """
        where = parse_url(url)
        if where.scheme != "udp":
            raise InvalidUrl(f"{url}: a network speaks UDP; use connect for TCP")
        family, address = await resolve(where.host, where.port)
        kwargs.setdefault("identity", self.identity)
        return await self._join(make(UDP_LINK, *args, **kwargs), family, address)

    return opened(meter, Operations, first="str", returns="AsyncMeter", method=True)


class Network:
    """One asker and its UDP socket (one more for IPv6), shared by any number of meters.

    A program that holds thousands of meters should call ``gc.freeze()`` once they are made: the garbage collector then
    only looks at newer objects.

    Args:
        calling: our title.
        key: the key or keys: a `Key`, a `KeyStore`, or octets by key id.
        guard: keeps vectors unique over a restart, if it has a store.
        local: address and port to bind; any when None.
        outstanding: exchanges under way at once; further ones wait for their turn.
        id_bits: length of invocation ids, 32, or 16 for peers that store no more.

    Attributes:
        identity: our title and keys.
        counters: datagrams that belong to no meter, by reason.
    """

    def __init__(
        self,
        *,
        calling: ApTitle | str | None,
        key: KeyStore | Key | Mapping[int, bytes] | None = None,
        guard: SendGuard | None = None,
        local: tuple[str, int] | None = None,
        outstanding: int = OUTSTANDING,
        id_bits: Literal[16, 32] = 32,
    ) -> None:
        self.identity = Identity(calling, key, guard=guard, id_bits=id_bits)
        self.counters: Counter[str] = Counter()
        self._local = local
        self._outstanding = outstanding
        self._slots: Limiter | None = None
        self._opening = asyncio.Lock()
        self._sockets: dict[int, UdpSocket] = {}
        self._by_title: dict[ApTitle | None, list[tuple[Address, AsyncMeter]]] = {}
        self._by_address: dict[Address, list[AsyncMeter]] = {}
        self._closed = False

    meter = _joining(Operations)

    async def _join(self, operations: Operations, family: int, address: Address) -> AsyncMeter:
        async with self._opening:
            if self._closed:
                raise StateError("the network is closed")
            if self._slots is None:
                self._slots = Limiter(self._outstanding)
            udp = self._sockets.get(family)
            if udp is None:
                udp = await UdpSocket.open(self._receive, local=self._local or _ANY[family])
                self._sockets[family] = udp
        title = operations.conversation.initiator.called
        send = udp.send
        meter = AsyncMeter(
            operations,
            lambda apdu: send(apdu, address),
            close=lambda: self._leave(title, address, meter),
            slots=self._slots,
        )
        self._by_title.setdefault(title, []).append((address, meter))
        self._by_address.setdefault(address, []).append(meter)
        return meter

    def _leave(self, title: ApTitle | None, address: Address, meter: AsyncMeter) -> None:
        titled = self._by_title[title]
        titled.remove((address, meter))
        if not titled:
            del self._by_title[title]
        here = self._by_address[address]
        here.remove(meter)
        if not here:
            del self._by_address[address]

    def _receive(self, octets: bytes, address: Address) -> None:
        """Give a datagram to the meter that sent it: by title, since an answer through a relay has another address."""
        try:
            acse = decode_acse(octets)
            title = None if acse is None else acse.calling
        except DecodeError:
            self.counters["malformed"] += 1
            return
        titled = self._by_title.get(title)
        if titled is not None:
            meters = [titled[0][1]] if len(titled) == 1 else [one for at, one in titled if at == address]
            meters = meters or [one for _, one in titled]
        else:
            meters = self._by_address.get(address, [])
        if not meters:
            self.counters["nobody"] += 1
        for meter in tuple(meters):
            meter.receive(octets)

    async def close(self) -> None:
        """Log off where there are sessions, and close the socket. May be called twice."""
        self._closed = True
        meters = [meter for here in self._by_address.values() for meter in here]
        await asyncio.gather(*[meter.close() for meter in meters])
        for udp in self._sockets.values():
            udp.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
