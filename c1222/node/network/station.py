"""One meter at its place in a fleet: faults on purpose, and memory of what must not be done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from c1222.message.epsem import SecurityMode
from c1222.node.meter.handler import MeterHandler
from c1222.node.store.store import Taken
from c1222.protocol.identity import Identity
from c1222.protocol.responder.responder import Responder
from c1222.protocol.state import REPEATABLE
from c1222.services.results import SERVICE_ERRORS
from c1222.services.table_data import TableData
from c1222.services.tables import TableResponse

if TYPE_CHECKING:
    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.network.faults import FaultPlan
    from c1222.node.store.store import Store
    from c1222.protocol.policy import NodePolicy
    from c1222.protocol.responder.execution import Context
    from c1222.protocol.responder.throttle import Throttle
    from c1222.protocol.segments import Segments
    from c1222.security.keys import KeyStore
    from c1222.security.receiving import ReplayGuard
    from c1222.security.sending import SendGuard
    from c1222.services import Request, Response

__all__ = ["Shared", "Station"]


class Shared(NamedTuple):
    """What the meters of a fleet share.

    Attributes:
        store: where they are kept.
        keys: of all of them.
        guard: gives out the vectors of all.
        policy: what they allow.
        faults: what goes wrong.
        throttle: counts the failed authentications of all.
        segments: holds the incomplete messages to all.
    """

    store: Store
    keys: KeyStore
    guard: SendGuard
    policy: NodePolicy
    faults: FaultPlan
    throttle: Throttle
    segments: Segments


class Station:
    """One meter at its place in a fleet: the handler of its responder.

    Args:
        meter: the meter.
        shared: what it shares with the others of its fleet.
        replay: the secured requests it took.

    Attributes:
        meter: as given.
        responder: its side of the protocol.
        asked: services of the message that is carried out.
        answered: answers from before a restart, which are repeated for a while, by what identifies their requests.
    """

    __slots__ = (
        "_handler",
        "_remembered",
        "_shared",
        "answered",
        "asked",
        "meter",
        "responder",
    )

    def __init__(self, meter: SimulatedMeter, shared: Shared, replay: ReplayGuard) -> None:
        self.meter = meter
        self.asked: list[Request] = []
        self.answered: dict[bytes, bytes] = {}
        self._shared = shared
        self._handler = MeterHandler(meter, secured=len(shared.keys) > 0)
        self._remembered: object = None
        identity = Identity(meter.title, shared.keys, guard=shared.guard)
        self.responder = Responder(
            identity,
            self,
            policy=shared.policy,
            replay=replay,
            throttle=shared.throttle,
            segments=shared.segments,
        )

    def __call__(self, request: Request, context: Context, /) -> Response:
        """Carry out a service, or do wrong what the plan of faults says."""
        faults = self._shared.faults
        self.asked.append(request)
        struck = faults.of_service(self.meter.title, request) if faults else ()
        for fault in struck:
            if fault.kind == "result":
                raise SERVICE_ERRORS[fault.result]("a fault of the plan")
        if request.service not in REPEATABLE and context.message is not self._remembered:
            self._remember(context)
        response = self._handler(request, context)
        if any(fault.kind == "wrong-checksum" for fault in struck) and isinstance(response, TableResponse):
            data = response.table_data
            response = response.replace(table_data=TableData(data.data, bytes(octet ^ 1 for octet in data.checksums)))
        return response

    def _remember(self, context: Context) -> None:
        """Remember a request with the changes it makes, so that it is not taken again after a restart."""
        message = self._remembered = context.message
        if message.security_mode is SecurityMode.CLEARTEXT:
            return
        calling, keys = message.calling, self._shared.keys
        taken = Taken(
            "" if calling is None else calling.absolute_content(keys.base_oid).hex(),
            message.key_id or 0,
            int.from_bytes(message.iv or b""),
            message.calling_invocation_id,
            in_session=not message.carries_authentication,
        )
        self._shared.store.remember(self.meter.name, taken)
