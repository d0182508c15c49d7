"""A simulated meter at the end of a serial line, without sockets: what the link and its session make of its handler.

What an answer confirms is durable before it goes; a request that comes again is answered again, never done again.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from c1222.errors import Finding, ServiceError, StateError
from c1222.protocol.message import Message
from c1222.protocol.policy import TCP_LINK
from c1222.protocol.responder.arrival import Arrival
from c1222.protocol.responder.execution import GATES, Context
from c1222.protocol.responder.throttle import Origin, Throttle
from c1222.protocol.session import Grants
from c1222.protocol.state import END_SERVICES
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import LinkDown
from c1222.serial.profile import C1218_TIMING, C1221_TIMING, PLAIN, Echo
from c1222.serial.responder import SerialResponder
from c1222.serial.session_state import SerialState
from c1222.services import ErrorResponse
from c1222.services.identify import IdentifyResponse
from c1222.services.results import Bsy, Err
from c1222.services.session import LogonRequest, LogonResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1222.node.network.fleet import Fleet
    from c1222.node.network.station import Station
    from c1222.serial.link_events import LinkEvent
    from c1222.services import Request, Response

__all__ = ["SerialStation"]

_STANDARDS: Final = {False: 0, True: 2}
_PACKET_SIZE, _PACKETS = 1024, 255
_RATES: Final = (14400, 19200, 28800, 38400, 57600, 115200)


class SerialStation:
    """A meter at a line.

    Args:
        station: the meter at its place in its fleet.
        fleet: the fleet.
        c1221: whether it speaks C12.21, or else C12.18.
        identity: of the meter, for C12.21.
        keys: key id to DES key of 8 octets, for C12.21.

    Attributes:
        link: its end of the line.
        failure: why nothing may be sent any more: the store failed; None while it works.
    """

    def __init__(
        self,
        station: Station,
        fleet: Fleet,
        *,
        c1221: bool = False,
        identity: int = 0,
        keys: Mapping[int, bytes] | None = None,
    ) -> None:
        timing = C1221_TIMING if c1221 else C1218_TIMING
        profile = PLAIN._replace(identity=identity, turn_around=0.0, echo=Echo.OFF)
        self.link = SerialLink(LinkRole.ANSWERS, profile, timing)
        self.failure: StateError | None = None
        self._station, self._fleet = station, fleet
        self._responder = SerialResponder(
            self.link,
            IdentifyResponse(_STANDARDS[c1221], 1, 0),
            self._carry_out,
            packet_size=_PACKET_SIZE,
            packets=_PACKETS,
            rates=_RATES,
            keys=keys,
            ticket=secrets.token_bytes,
        )
        rate = fleet.policy.password_failures
        self._passwords = Throttle(strangers=rate, known=rate, max_known=0)
        self._access = Grants()
        self._now = self._utc = 0.0
        self._was_asked = False

    @property
    def takes_requests(self) -> bool:
        """Whether somebody has identified itself, so that requests are taken."""
        return self._responder.state != SerialState.BASE

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has to be called at the latest; None while nothing is waited for."""
        return self._responder.deadline

    def receive(self, octets: bytes, now: float, utc: float) -> list[LinkEvent]:
        """Take octets from the line, and return what is to be done; nothing, when the store has failed."""
        self._now, self._utc = now, utc
        return self._durable(self._responder.receive(octets, now))

    def tick(self, now: float, utc: float) -> list[LinkEvent]:
        """Do what is due, and return what is to be done."""
        self._now, self._utc = now, utc
        return self._durable(self._responder.tick(now))

    def _durable(self, events: list[LinkEvent]) -> list[LinkEvent]:
        for event in events:
            if isinstance(event, LinkDown):
                self._fleet.counters["line-given-up"] += 1
            elif isinstance(event, Finding):
                self._fleet.counters[event.code] += 1
        if self._was_asked:
            self._was_asked = False
            try:
                self._fleet.store.flush()
                self._fleet.store.hold()
            except StateError as error:
                self.failure = error
                return []
            if self._station.meter.take_restart():
                self._responder.state = SerialState.BASE
        return events

    def _carry_out(self, request: Request) -> Response:
        self._was_asked = True
        origin = Origin("line", None)
        is_gate = request.service in GATES
        if is_gate and self._passwords.is_blocked(origin, self._now):
            raise Bsy("too many failures")
        if isinstance(request, LogonRequest):
            self._access = Grants()
        message = Message(called=None, calling=None, calling_invocation_id=0, services=(request,))
        arrival = Arrival(b"", self, None, TCP_LINK, self._now, self._utc)
        try:
            response = self._station(request, Context(message, self._access, None, arrival))
        except ServiceError as error:
            if is_gate:
                self._passwords.failed(origin, self._now)
            return ErrorResponse.of(error, request.service)
        except Exception:  # noqa: BLE001 - whatever a handler does wrong, the peer gets an answer, and only once
            self._fleet.counters["handler-failed"] += 1
            return ErrorResponse.of(Err(), request.service)
        if isinstance(request, LogonRequest):
            self._access.user_id, self._access.user = request.user_id, request.user
            response = LogonResponse()
        elif request.service in END_SERVICES:
            self._access = Grants()
        return response
