"""A node in a thread of its own, for as long as a ``with`` block lasts: for tests and for trying things out.

with running(profile, keys={2: key}) as node:
meter = connect(f"udp://{node.host}:{node.port}", called=node.title, …)
"""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from c1222.errors import StateError
from c1222.node.meter.profile import Profile
from c1222.node.network.server import NodeServer
from c1222.node.settings import Settings, make_fleet
from c1222.security.keys import KeyStore

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.network.fleet import Fleet
    from c1222.security.keys import Key
    from c1222.transport.lines.line_url import LineUrl
    from c1222.transport.url import Url

__all__ = ["RunningNode", "running"]

_T = TypeVar("_T")


class RunningNode:
    """A node that runs.

    Attributes:
        urls: where it listens.
        titles: of its meters, as text.
        keys: of its meters.
        fleet: its meters; touch it only through `call`.
    """

    def __init__(self, server: NodeServer, fleet: Fleet, loop: asyncio.AbstractEventLoop) -> None:
        self.urls: tuple[Url | LineUrl, ...] = tuple(server.urls)
        self.titles = tuple(str(title) for title in fleet.stations)
        self.keys: KeyStore = fleet.keys
        self.fleet = fleet
        self._server = server
        self._loop = loop

    @property
    def title(self) -> str:
        """Title of the first meter."""
        return self.titles[0]

    @property
    def host(self) -> str:
        """Host of the first address."""
        return self.urls[0].host

    @property
    def port(self) -> int:
        """Port of the first address."""
        return self.urls[0].port

    @property
    def url(self) -> str:
        """The first address."""
        return str(self.urls[0])

    @property
    def tcp_url(self) -> str:
        """The first TCP address.

        Raises:
            StateError: there is none.
        """
        for url in self.urls:
            if url.scheme == "tcp":
                return str(url)
        raise StateError("the node listens on no TCP address")

    def call(self, function: Callable[[Fleet], _T], timeout: float = 30.0) -> _T:
        """Call a function with the fleet in the node's own thread, and return what it returns."""
        result: Future[_T] = Future()

        def run() -> None:
            try:
                result.set_result(function(self.fleet))
            except BaseException as error:  # noqa: BLE001 - it belongs to the thread that asked
                result.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return result.result(timeout)

    def meter(self, number: int = 0) -> SimulatedMeter:
        """Return a meter, the first being 0; touch it only through `call`."""
        return list(self.fleet.stations.values())[number].meter

    def stop(self) -> None:
        """Have it end."""
        self._loop.call_soon_threadsafe(self._server.stop)


@contextmanager
def running(
    profile: Profile | str | os.PathLike[str],
    *,
    keys: KeyStore | Key | Mapping[int, bytes] | None = None,
    listen: Sequence[str] = ("udp://127.0.0.1:0", "tcp://127.0.0.1:0"),
    utc: Callable[[], float] = time.time,
    **settings: Any,
) -> Iterator[RunningNode]:
    """Run a node.

    Args:
        profile: what its meters are made from, or the path of a device file.
        keys: of its meters; without any it takes cleartext.
        listen: addresses; port 0 takes any free one.
        utc: true time.
        settings: the other fields of `Settings`, such as ``count``, ``store``, ``faults`` or ``cleartext``.

    Yields:
        The node, when it listens. It has ended when the block has.

    Raises:
        StateError: a file cannot be used, or the node ended by itself because its store failed.
        Unreachable: it cannot listen.
    """
    made = profile if isinstance(profile, Profile) else Profile.from_file(profile)
    wanted = Settings(profile=made, keys=KeyStore.of(keys), **settings)
    ready: Future[RunningNode] = Future()

    async def main() -> None:
        try:
            fleet = make_fleet(wanted, utc=utc())
            server = NodeServer(fleet, utc=utc, tcp_limits=wanted.tcp_limits)
            try:
                for url in listen:
                    await server.listen(url)
            except BaseException:
                await server.close()
                raise
        except BaseException as error:  # noqa: BLE001 - it belongs to the thread that waits
            ready.set_exception(error)
            return
        ready.set_result(RunningNode(server, fleet, asyncio.get_running_loop()))
        await server.serve()

    failure: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:  # noqa: BLE001 - raised below
            failure.append(error)

    thread = threading.Thread(target=run, name="c1222-node", daemon=True)
    thread.start()
    try:
        node = ready.result()
        try:
            yield node
        finally:
            if thread.is_alive():
                node.stop()
    finally:
        thread.join()
    if failure:
        raise failure[0]
