"""What arrives: one APDU, with where it came from and when, as one value for all that take it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from c1222.protocol.policy import UDP_LINK, Link

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["Arrival", "Receiver"]


class Arrival(NamedTuple):
    """An APDU that came in.

    Attributes:
        apdu: the octets.
        source: where it came from and the answer goes to.
        peer: whose failed authentications to count.
        link: what carries the answer.
        now: the clock, seconds.
        utc: true time, seconds since 1970 UTC.
    """

    apdu: bytes
    source: Hashable
    peer: Hashable
    link: Link
    now: float
    utc: float


class Receiver:
    """What takes APDUs: a node, several, or a relay."""

    __slots__ = ()

    def receive(
        self,
        apdu: bytes,
        *,
        source: Hashable = None,
        now: float,
        utc: float,
        link: Link = UDP_LINK,
        peer: Hashable = None,
    ) -> bool:
        """Take an APDU that came in. Nothing it holds makes this raise.

        Args:
            apdu: the octets.
            source: where it came from and the answer goes to.
            now: a clock that does not run backwards, seconds.
            utc: true time, seconds since 1970 UTC.
            link: what carries the answer.
            peer: whose failed authentications to count, such as the address without the port (of an IPv6 address the
                first 64 bits, of which a host has as many as it likes); the source when None.

        Returns:
            Whether it was one to answer or to pass on: in cleartext where that is allowed, or authentic and new, or one
            of these again.
        """
        return self.take(Arrival(apdu, source, source if peer is None else peer, link, now, utc))

    def take(self, arrival: Arrival) -> bool:
        """Take an APDU that came in, as `receive` does."""
        raise NotImplementedError
