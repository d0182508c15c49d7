"""A session of C12.18 or C12.21, seen from who asks: one service at a time, its answer or why there is none.

As the link below, without I/O and clock. After any doubt (no answer, an answer that cannot be read) nothing is asked
until :meth:`SerialSession.recover` has waited for the peer to give up, and dropped what came in: a late answer would be
taken for the next one. Whether a write was done is then unknown, and it is never sent again unasked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from c1222.errors import C1222Error, DecodeError, StateError
from c1222.serial.link_events import LineQuiet, LinkDown, LinkEvent, MessageArrived
from c1222.serial.packet import DEFAULT_PACKET_SIZE, MAX_PACKET_SIZE
from c1222.serial.profile import LinkTiming
from c1222.serial.session_state import SerialState, serial_way
from c1222.services import Effect, decode_response
from c1222.services.c1218 import BAUD_RATES, NegotiateRequest, NegotiateResponse, TimingSetupResponse
from c1222.services.identify import IdentifyRequest
from c1222.services.responses import ErrorResponse
from c1222.services.session import LogonRequest, SecurityRequest

if TYPE_CHECKING:
    from c1222.serial.link import SerialLink
    from c1222.services import Request, Response

__all__ = ["SerialEvent", "SerialSession", "ServiceAnswered", "ServiceFailed"]

_STALE_ANSWERS: Final = 3
"""Answers of an older session that are passed over before that to Identify."""
_LEAST_PACKET: Final = 32
"""No peer is believed to take less [V]."""


@dataclass(frozen=True, slots=True)
class ServiceAnswered:
    """A service was answered.

    Attributes:
        request: what was asked.
        response: ok with its parameters, or an ``ErrorResponse``.
    """

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class ServiceFailed:
    """A service has no answer; the session must recover before anything else is asked.

    Attributes:
        request: what was asked.
        error: why there is none.
        unknown: whether the peer may have done it all the same.
    """

    request: Request
    error: C1222Error
    unknown: bool


SerialEvent: TypeAlias = LinkEvent | ServiceAnswered | ServiceFailed


class SerialSession:
    """The asking end.

    Args:
        link: the line, a link that asks.

    Attributes:
        link: the line.
        state: where the session is.
    """

    def __init__(self, link: SerialLink) -> None:
        self.link = link
        self.state = SerialState.BASE
        self._asked: Request | None = None
        self._stale = 0
        self._doubt = False
        self._toggle = 0
        self._spoke_at = 0.0

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has to be called at the latest; None while nothing is waited for."""
        return self.link.deadline

    @property
    def keep_alive_at(self) -> float | None:
        """When to ask for Wait, or anything, at the latest, so that the peer does not end the session [1]."""
        if self.state == SerialState.BASE or self._asked is not None or self._doubt:
            return None
        return self._spoke_at + max(self.link.timing.traffic - 2.0, self.link.timing.traffic / 2)

    def ask(self, request: Request, now: float, *, answer_within: float | None = None) -> list[SerialEvent]:
        """Ask for a service.

        Args:
            request: Logon and Security in the form of C12.18: without time-out and user id.
            now: seconds on any clock that only goes forward.
            answer_within: how long to wait for the answer, seconds; procedures may take 20.

        Raises:
            EncodeError: the service does not fit the packets agreed on.
            StateError: it has no place here, another one is not answered yet, or the session must recover.
        """
        if self._asked is not None or self._doubt:
            raise StateError("the last service has no answer: recover first" if self._doubt else "one at a time")
        if not isinstance(serial_way(request.service or "", self.state), SerialState):
            raise StateError(f"{request.service} is not possible while {self.state}")
        if (isinstance(request, LogonRequest) and request.timeout is not None) or (
            isinstance(request, SecurityRequest) and request.user_id is not None
        ):
            raise StateError(f"{request.service}: that form is for C12.22 only")
        events: list[SerialEvent] = [*self.link.send(request.encode(), now, answer_within=answer_within)]
        self._asked, self._stale = request, 0
        return events

    def receive(self, octets: bytes, now: float) -> list[SerialEvent]:
        """Take octets from the line."""
        return self._heard(self.link.receive(octets, now), now)

    def tick(self, now: float) -> list[SerialEvent]:
        """Do what is due."""
        return self._heard(self.link.tick(now), now)

    def recover(self, now: float, *, toggle: int = 0) -> None:
        """Give the session up: wait until the peer has too, drop what comes in, begin anew; ``LineQuiet`` says when.

        Args:
            now: seconds on the caller's clock.
            toggle: that of the next packet; the other one if Identify was acknowledged and not answered.
        """
        self._asked, self._doubt, self.state = None, True, SerialState.BASE
        self._toggle = toggle
        self.link.drain(now, at_least=self.link.timing.traffic + 1.0)

    def _heard(self, heard: list[LinkEvent], now: float) -> list[SerialEvent]:
        events: list[SerialEvent] = []
        for event in heard:
            if isinstance(event, MessageArrived):
                events += self._answered(event.message, now)
            elif isinstance(event, LinkDown):
                events += self._failed(event.error) or [event]
            else:
                if isinstance(event, LineQuiet):
                    self._doubt = False
                    events += self.link.restart(toggle=self._toggle)
                events.append(event)
        return events

    def _failed(self, error: C1222Error) -> list[SerialEvent]:
        request, self._asked = self._asked, None
        self._doubt, self.state = True, SerialState.BASE
        if request is None:
            return []
        return [ServiceFailed(request, error, request.effect != Effect.READS)]

    def _answered(self, message: bytes, now: float) -> list[SerialEvent]:
        request = self._asked
        if request is None:
            return []
        try:
            response = decode_response(message, request)
        except DecodeError as error:
            if isinstance(request, IdentifyRequest) and self._stale < _STALE_ANSWERS:
                self._stale += 1
                self.link.read_on(now)
                return []
            return self._failed(error)
        if response.trailing and not isinstance(response, ErrorResponse) and request.service != "identify":
            return self._failed(DecodeError(f"{request.service}.trailing", 0, "octets after the answer"))
        agreed: list[SerialEvent] = []
        if not isinstance(response, ErrorResponse):
            try:
                agreed = self._agreed(request, response)
            except DecodeError as error:
                return self._failed(error)
            way = serial_way(request.service or "", self.state)
            if isinstance(way, SerialState):
                self.state = way
        elif response.result == "rno":
            self.state = SerialState.BASE
        self._asked, self._spoke_at = None, now
        return [*agreed, ServiceAnswered(request, response)]

    def _agreed(self, request: Request, response: Response) -> list[SerialEvent]:
        """Use what an ok agrees on: sizes, rate, timers, or the beginning."""
        if isinstance(request, NegotiateRequest) and isinstance(response, NegotiateResponse):
            size = min(response.packet_size, max(request.packet_size, DEFAULT_PACKET_SIZE), MAX_PACKET_SIZE)
            packets = min(response.packets, max(request.packets, 1))
            code = response.baud_code
            if size < _LEAST_PACKET or not packets:
                raise DecodeError("negotiate.packet_size", 1, f"{packets} packets of {size} octets cannot be")
            if code in {None, 0}:
                return [*self.link.agree(size, packets)]
            rate = BAUD_RATES.get(code)
            if rate != self.link.rate and code not in request.baud_codes:
                raise DecodeError("negotiate.baud_code", 4, f"{code:02X} was not offered")
            return [*self.link.agree(size, packets, rate)]
        if isinstance(response, TimingSetupResponse):
            self.link.timing = LinkTiming(
                max(response.inter_character, 1), max(response.response, 1), max(response.traffic, 1), response.retries
            )
        if request.effect == Effect.ENDS and request.service != "logoff":
            return [*self.link.restart()]
        return []
