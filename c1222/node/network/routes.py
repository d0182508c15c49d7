"""The ways back that a relay learns from the messages it passes on.

An answer goes where the request with its invocation id came from, anything else where the title was last heard from.
What a way is for belongs to the address that used it first, until it has not used it for a while: who writes somebody
else's title into a message does not get what that one is answered. Origin: ours; the protocol leaves it to the relay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["MAX_ROUTES", "MAX_ROUTES_OF_PEER", "ROUTE_LASTS", "Routes"]

MAX_ROUTES: Final = 65_536
MAX_ROUTES_OF_PEER: Final = 4096
ROUTE_LASTS: Final = 300.0
"""Seconds a way is kept after its last use."""


class _Route(NamedTuple):
    source: Hashable
    peer: Hashable
    until: float


class Routes:
    """Ways back, bounded in all and for each address.

    Args:
        max_routes: ways kept; of more, the one that was not used for longest goes.
        max_of_peer: ways of one address; of more, its own oldest goes.
        lasts: seconds a way is kept after its last use.
    """

    def __init__(
        self,
        *,
        max_routes: int = MAX_ROUTES,
        max_of_peer: int = MAX_ROUTES_OF_PEER,
        lasts: float = ROUTE_LASTS,
    ) -> None:
        self._max_routes = max_routes
        self._max_of_peer = max_of_peer
        self._lasts = lasts
        # All in the order of their last use, which is the order in which they run out.
        self._routes: dict[Hashable, _Route] = {}
        self._of_peer: dict[Hashable, dict[Hashable, None]] = {}
        self._of_source: dict[Hashable, dict[Hashable, None]] = {}

    def learn(self, what: Hashable, source: Hashable, peer: Hashable, now: float) -> bool:
        """Note where something came from.

        Args:
            what: a title, or a title and an invocation id.
            source: where answers go.
            peer: the address that the way belongs to; it may go on from another port or connection.
            now: the clock.

        Returns:
            False, and nothing is changed, when the way belongs to another address.
        """
        present = self._routes.get(what)
        if present is not None and present.until > now and present.peer != peer:
            return False
        self.forget(what)
        of_peer = self._of_peer.get(peer, ())
        if len(of_peer) >= self._max_of_peer:
            self.forget(next(iter(of_peer)))
        elif len(self._routes) >= self._max_routes:
            self.forget(next(iter(self._routes)))
        self._routes[what] = _Route(source, peer, now + self._lasts)
        self._of_peer.setdefault(peer, {})[what] = None
        self._of_source.setdefault(source, {})[what] = None
        return True

    def find(self, what: Hashable, now: float) -> Hashable | None:
        """Return where something came from; None when that is not known."""
        route = self._routes.get(what)
        return None if route is None or route.until <= now else route.source

    def forget(self, what: Hashable) -> None:
        """Forget one way, if there is one."""
        route = self._routes.pop(what, None)
        if route is None:
            return
        for index, key in ((self._of_peer, route.peer), (self._of_source, route.source)):
            del index[key][what]
            if not index[key]:
                del index[key]

    def lost(self, source: Hashable) -> None:
        """Forget the ways over a connection that has ended."""
        for what in list(self._of_source.get(source, ())):
            self.forget(what)

    def expire(self, now: float) -> None:
        """Forget what has run out."""
        while self._routes:
            what, route = next(iter(self._routes.items()))
            if route.until > now:
                break
            self.forget(what)

    def __len__(self) -> int:
        return len(self._routes)
