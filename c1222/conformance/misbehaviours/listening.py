"""A node that misbehaves, at an address of this machine, for a head-end to be checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.node.network.server import NodeServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from c1222.conformance.misbehaviours.specimen import Specimen
    from c1222.transport.lines.line_url import LineUrl
    from c1222.transport.url import Url

__all__ = ["serve"]


async def serve(
    specimen: Specimen, addresses: Iterable[str], *, ready: Callable[[NodeServer, list[Url | LineUrl]], None]
) -> None:
    """Serve a specimen until the server is stopped.

    Args:
        specimen: what to serve.
        addresses: where to listen, such as ``udp://127.0.0.1:1153``; port 0 takes any free one.
        ready: called with the server, which it may keep to stop it, and with where it listens.

    Raises:
        InvalidUrl: an address is none.
        Unreachable: an address is not ours, or its port is taken.
    """
    server = NodeServer(specimen)
    try:
        urls = [await server.listen(address) for address in addresses]
    except BaseException:
        await server.close()
        raise
    ready(server, urls)
    await server.serve()
