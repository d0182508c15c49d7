"""A session of C12.18 or C12.21, seen from the device: what may be asked for when, and what the link makes of it.

Identify, Negotiate, Timing setup, Authenticate and the ends are answered here; reads, writes, Logon and Security by the
device, once for every request, however often its packets come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.errors import DecodeError, EncodeError
from c1222.security.des import DES_BLOCK, des_answer, is_des_proof
from c1222.serial.link_events import LinkDown, LinkEvent, MessageAcknowledged, MessageArrived
from c1222.serial.packet import DEFAULT_PACKET_SIZE, MAX_PACKET_SIZE, MAX_PACKETS
from c1222.serial.profile import DEFAULT_RATE, LinkTiming
from c1222.serial.session_state import SerialState, serial_way
from c1222.services import decode_request
from c1222.services.c1218 import (
    BAUD_RATES,
    AuthenticateRequest,
    AuthenticateResponse,
    NegotiateRequest,
    NegotiateResponse,
    TimingSetupRequest,
    TimingSetupResponse,
)
from c1222.services.identify import AuthenticationTicket, IdentifyRequest, IdentifyResponse
from c1222.services.responses import ErrorResponse
from c1222.services.results import Err, Iar, Onp, Refusal, Sns
from c1222.services.session import WaitRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from c1222.serial.link import SerialLink
    from c1222.services import Request, Response

__all__ = ["SerialResponder"]


class SerialResponder:
    """The answering end.

    Args:
        link: the line, a link that answers.
        identify: what Identify is told; a ticket is added where there are keys.
        carry_out: answers a service, or raises a ``Refusal``; Logoff and the other ends are told to it as well.
        packet_size: octets of the largest packet that is granted, 64 to 8191.
        packets: most packets of a message that are granted, 1 to 255.
        rates: bits per second that are granted beside 9600.
        keys: key id to key of 8 octets, for Authenticate.
        ticket: makes that many random octets, new for every Identify; needed with keys.

    Attributes:
        link: the line.
        state: where the session is.
        is_authenticated: whether the session's peer has shown that it has a key.
    """

    def __init__(
        self,
        link: SerialLink,
        identify: IdentifyResponse,
        carry_out: Callable[[Request], Response],
        *,
        packet_size: int = DEFAULT_PACKET_SIZE,
        packets: int = 1,
        rates: Collection[int] = (),
        keys: Mapping[int, bytes] | None = None,
        ticket: Callable[[int], bytes] | None = None,
    ) -> None:
        if not DEFAULT_PACKET_SIZE <= packet_size <= MAX_PACKET_SIZE or not 1 <= packets <= MAX_PACKETS:
            raise EncodeError("a device takes packets of 64 to 8191 octets, 1 to 255 in a message")
        if keys and ticket is None:
            raise EncodeError("keys need tickets")
        self.link = link
        self.state = SerialState.BASE
        self.is_authenticated = False
        self._identify = identify
        self._carry_out = carry_out
        self._packet_size, self._packets = packet_size, packets
        self._rates = {DEFAULT_RATE, *rates}
        self._keys, self._make_ticket = keys or {}, ticket
        self._ticket = b""
        self._just_identified = False
        self._then: Callable[[], list[LinkEvent]] | None = None
        self._wait: int | None = None

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has to be called at the latest; None while nothing is waited for."""
        return self.link.deadline

    def receive(self, octets: bytes, now: float) -> list[LinkEvent]:
        """Take octets from the line."""
        return self._heard(self.link.receive(octets, now), now)

    def tick(self, now: float) -> list[LinkEvent]:
        """Do what is due."""
        return self._heard(self.link.tick(now), now)

    def _heard(self, heard: list[LinkEvent], now: float) -> list[LinkEvent]:
        events: list[LinkEvent] = []
        requests = [event for event in heard if isinstance(event, MessageArrived)]
        for event in heard:
            if isinstance(event, MessageArrived):
                # Who has asked again did not wait for this answer, and would take it for the next one.
                if event is requests[-1]:
                    events += self._heard(self._answer(event, now), now)
                else:
                    self.link.counts["superseded"] += 1
                continue
            events.append(event)
            if isinstance(event, MessageAcknowledged):
                then, self._then = self._then, None
                events += then() if then is not None else []
                if self._wait is not None:
                    self.link.extend(self._wait, now)
                    self._wait = None
            elif isinstance(event, LinkDown):
                self._end()
        return events

    def _end(self) -> None:
        self.state, self.is_authenticated, self._ticket = SerialState.BASE, False, b""
        self._then = self._wait = None
        self._just_identified = False

    def _answer(self, event: MessageArrived, now: float) -> list[LinkEvent]:
        try:
            response = self._respond(event)
        except Refusal as error:
            response = ErrorResponse.of(error)
        octets = response.encode()
        if len(octets) > self.link.max_message:
            octets = ErrorResponse.of(Onp()).encode()
        return self.link.send(octets, now)

    def _respond(self, event: MessageArrived) -> Response:
        try:
            request = decode_request(event.message)
        except DecodeError:
            raise Iar from None
        # A client that missed the acknowledgement of Identify, or has started anew, asks again at once.
        again = event.again and self._just_identified
        if again:
            self.state = SerialState.BASE
        self._just_identified = False
        way = serial_way(request.service or "", self.state)
        if not isinstance(way, SerialState):
            raise way
        if request.trailing or getattr(request, "timeout", None) is not None:
            raise Iar
        response = self._carried_out(request)
        if not isinstance(response, ErrorResponse):
            self.state = way
        return response

    def _carried_out(self, request: Request) -> Response:
        if isinstance(request, IdentifyRequest):
            return self._identified()
        if isinstance(request, NegotiateRequest):
            return self._negotiated(request)
        if isinstance(request, TimingSetupRequest):
            asked = (request.traffic, request.inter_character, request.response, request.retries)
            if not all(asked[:3]):
                raise Iar
            timing = LinkTiming(request.inter_character, request.response, request.traffic, request.retries)
            self._then = lambda: self._set_timing(timing)
            return TimingSetupResponse(*asked)
        if isinstance(request, AuthenticateRequest):
            return self._authenticated(request)
        if isinstance(request, WaitRequest):
            self._wait = request.seconds
        response = self._carry_out(request)
        if request.service in {"terminate", "disconnect"} and not isinstance(response, ErrorResponse):
            self.is_authenticated, self._ticket = False, b""
            self._then = self.link.restart
        elif request.service == "logoff":
            self.is_authenticated = False
        return response

    def _identified(self) -> IdentifyResponse:
        self._just_identified = True
        if not self._keys or self._make_ticket is None:
            return self._identify
        self._ticket = self._make_ticket(DES_BLOCK)
        feature = AuthenticationTicket(1, 0, self._ticket)
        return self._identify.replace(features=(feature, *self._identify.features))

    def _negotiated(self, request: NegotiateRequest) -> NegotiateResponse:
        if request.packet_size < DEFAULT_PACKET_SIZE or not request.packets:
            raise Iar
        size, packets = min(request.packet_size, self._packet_size), min(request.packets, self._packets)
        offered = [code for code in request.baud_codes if BAUD_RATES.get(code) in self._rates]
        code = max(
            offered, key=BAUD_RATES.__getitem__, default=next(c for c, r in BAUD_RATES.items() if r == self.link.rate)
        )
        self._then = lambda: self.link.agree(size, packets, BAUD_RATES[code])
        return NegotiateResponse(size, packets, code)

    def _set_timing(self, timing: LinkTiming) -> list[LinkEvent]:
        self.link.timing = timing
        return []

    def _authenticated(self, request: AuthenticateRequest) -> AuthenticateResponse:
        if not self._keys:
            raise Sns
        ticket, self._ticket = self._ticket, b""  # one attempt for a ticket
        key = self._keys.get(request.data[0]) if request.data else None
        if key is None or not ticket or not is_des_proof(key, ticket, request.data[1:]):
            raise Err
        self.is_authenticated = True
        return AuthenticateResponse(request.data[:1] + des_answer(key, ticket))
