"""A simulated meter that may misbehave on purpose, as something a node's server can serve.

It is a fleet of one meter with the hooks of a `Misbehaviour` around it: what it allows,
what it makes of requests, and the octets that come and go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour
from c1222.errors import C1222Error
from c1222.node.meter.handler import MeterHandler
from c1222.node.meter.meter import SimulatedMeter
from c1222.node.network.fleet import Delivery, Fleet
from c1222.node.store.store import MemoryStore
from c1222.protocol.identity import Identity
from c1222.protocol.policy import NodePolicy
from c1222.protocol.responder.arrival import Receiver
from c1222.protocol.responder.responder import Responder
from c1222.security.keys import KeyStore
from c1222.security.receiving import ACCEPTANCE_WINDOW, Freshness, ReplayGuard

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.message.aptitle import ApTitle
    from c1222.node.meter.profile import Profile
    from c1222.protocol.responder.arrival import Arrival
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response

__all__ = ["Specimen"]


class Specimen(Receiver):
    """One meter.

    Args:
        profile: what it is made from.
        keys: its keys; without any it takes cleartext.
        misbehaviour: what it does wrong; None for nothing.
        utc: true time.
        rate: seconds of its clock in a second.

    Attributes:
        meter: the meter.
        keys: its keys.
        scratch: whatever the misbehaviour remembers.
        responder: its side of the protocol.
    """

    def __init__(
        self,
        profile: Profile,
        *,
        keys: KeyStore | None = None,
        misbehaviour: Misbehaviour | None = None,
        utc: float,
        rate: float = 1.0,
    ) -> None:
        self.keys = KeyStore() if keys is None else keys
        self.scratch: dict[str, Any] = {}
        self._wrong = Misbehaviour("", "", "", ()) if misbehaviour is None else misbehaviour
        policy = NodePolicy(max_sessions=profile.options.max_sessions)._replace(**self._wrong.policy)
        self._fleet = Fleet(MemoryStore(), self.keys, policy=policy)
        self.meter = SimulatedMeter(profile, self._fleet.store, utc=utc, rate=rate, history_days=0)
        self._handler = MeterHandler(self.meter, secured=len(self.keys) > 0)
        station = self._fleet.add(self.meter)
        guard = _Forgetful(window=None) if self._wrong.forgets else ReplayGuard(window=policy.window)
        identity = Identity(self.meter.title, self.keys, guard=self._fleet.guard)
        self.responder = station.responder = Responder(identity, self._serve, policy=policy, replay=guard)

    @property
    def title(self) -> ApTitle:
        """Title of the meter."""
        return self.meter.title

    def serve(self, request: Request, context: Context) -> Response:
        """Carry a service out as a meter should.

        Raises:
            ServiceError: it is refused.
        """
        return self._handler(request, context)

    def _serve(self, request: Request, context: Context) -> Response:
        serve = self._wrong.serve
        return self.serve(request, context) if serve is None else serve(request, context, self)

    # What a server asks for.

    def take(self, arrival: Arrival) -> bool:
        """Take an APDU that came in; see `Receiver.receive`."""
        arrive = self._wrong.arrive
        try:
            octets = (arrival.apdu,) if arrive is None else tuple(arrive(arrival.apdu, self))
        except C1222Error:
            octets = (arrival.apdu,)  # this misbehaviour cannot be done to it
        taken = [self._fleet.take(arrival._replace(apdu=apdu)) for apdu in octets]
        return any(taken)

    def apdus_to_send(self) -> list[Delivery]:
        """Return the APDUs to send, in order, once."""
        leave = self._wrong.leave
        out = self._fleet.apdus_to_send()
        if leave is None:
            return out
        changed = []
        for delivery in out:
            try:
                answers = tuple(leave(delivery.apdu, self))
            except C1222Error:
                answers = ((delivery.apdu, 0.0),)
            changed += [Delivery(delivery.source, apdu, delivery.delay + late) for apdu, late in answers]
        return changed

    def released(self) -> list[Hashable]:
        """Return the sources whose connections are to be closed, once."""
        return self._fleet.released()

    def lost(self, source: Hashable) -> None:
        """End the sessions that came over a connection that has ended."""
        self._fleet.lost(source)

    def tick(self, *, now: float, utc: float) -> None:
        """Handle what is due by time, as `Fleet.tick` does."""
        self._fleet.tick(now=now, utc=utc)

    def close(self) -> None:
        """Save and close."""
        self._fleet.close()


class _Forgetful(ReplayGuard):
    """Looks at the time, and remembers nothing."""

    def check(self, *args: Any, **options: Any) -> Freshness:
        return ReplayGuard(window=ACCEPTANCE_WINDOW).check(*args, **options)

    def check_in_session(self, *args: Any, **options: Any) -> Freshness:  # noqa: ARG002 - as its base has it
        return Freshness.FRESH
