"""What the ends of a local port say, above the link: one request at a time in each direction, APDUs passed on.

After an APDU was delivered the other end says so; the answer of the meter inside comes as a message of its own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from c1222.errors import C1222Error, DecodeError, PeerSilent
from c1222.serial.link_events import LinkDown, LinkEvent, MessageAcknowledged, MessageArrived
from c1222.serial.localport.services import (
    PortNegotiateRequest,
    PortNegotiateResponse,
    SendMessageRequest,
    SendMessageResponse,
    SendShortMessageRequest,
    read_port_request,
    read_port_response,
)
from c1222.serial.packet import DEFAULT_PACKET_SIZE, MAX_PACKET_SIZE
from c1222.services import ErrorResponse
from c1222.services.c1218 import BAUD_RATES
from c1222.services.results import Iar, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.serial.localport.port import LocalPort
    from c1222.services import Request, Response

__all__ = [
    "ANSWER_WITHIN",
    "HOLD",
    "ApduArrived",
    "PortAnswered",
    "PortConversation",
    "PortEvent",
    "PortFailed",
    "grant",
]

ANSWER_WITHIN: Final = 20.0
"""Seconds that a request may take to be answered; an APDU may have to be delivered first [?]."""
HOLD: Final = 10.0
"""Seconds after a request without an answer in which nothing is asked: a late answer would be taken for the next one,
as answers have no numbers. By then the other end has given up its repetitions [?]."""


@dataclass(frozen=True, slots=True)
class ApduArrived:
    """The other end passes an APDU on.

    Attributes:
        apdu: the APDU.
        address: native address that it is from or for, as it is.
    """

    apdu: bytes
    address: bytes


@dataclass(frozen=True, slots=True)
class PortAnswered:
    """A request was answered."""

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class PortFailed:
    """A request has no answer; an APDU may have been delivered all the same."""

    request: Request
    error: C1222Error


PortEvent: TypeAlias = LinkEvent | ApduArrived | PortAnswered | PortFailed


def grant(
    packet_size: int, packets: int, *, rates: tuple[int, ...] = (), interface: int = 0
) -> Callable[[Request], Response]:
    """Return how a device answers Negotiate; anything else is refused as iar, as Itron's stack does [1].

    Args:
        packet_size: octets of the largest packet that is granted.
        packets: most packets of a message.
        rates: rates that are granted besides that in force.
        interface: which interface the module is.
    """

    def answer(request: Request) -> Response:
        if not isinstance(request, PortNegotiateRequest) or request.packet_size < DEFAULT_PACKET_SIZE:
            raise Iar
        size, count = min(request.packet_size, packet_size, MAX_PACKET_SIZE), min(request.packets, packets)
        offered = [code for code in request.baud_codes if BAUD_RATES.get(code) in rates]
        code = max(offered, key=BAUD_RATES.__getitem__, default=0)
        return PortNegotiateResponse(size, max(count, 1), code, request.channels, interface)

    return answer


class PortConversation:
    """One end, above the link.

    Args:
        port: the link.
        answer: answers what is asked, or raises a ``Refusal``; APDUs are answered here.

    Attributes:
        port: the link.
    """

    def __init__(self, port: LocalPort, answer: Callable[[Request], Response] = grant(DEFAULT_PACKET_SIZE, 1)) -> None:  # noqa: B008
        self.port = port
        self._answer = answer
        self._waiting: deque[Request] = deque()
        self._asked: Request | None = None
        self._overdue: float | None = None
        self._hold_until = 0.0
        self._sent: deque[Request | Response] = deque()

    @property
    def deadline(self) -> float | None:
        """When ``tick`` has to be called at the latest; None while nothing is waited for."""
        held = self._hold_until if self._waiting and self._asked is None else None
        return min([at for at in (self.port.deadline, self._overdue, held) if at is not None], default=None)

    def ask(self, request: Request, now: float) -> list[PortEvent]:
        """Ask, or wait until what was asked before is answered.

        Raises:
            EncodeError: it does not fit the packets agreed on.
        """
        self._waiting.append(request)
        return self._next(now)

    def receive(self, octets: bytes, now: float) -> list[PortEvent]:
        """Take octets from the line."""
        return self._heard(self.port.receive(octets, now), now)

    def tick(self, now: float) -> list[PortEvent]:
        """Do what is due."""
        events = self._heard(self.port.tick(now), now)
        if self._overdue is not None and now >= self._overdue:
            events += self._failed(PeerSilent(f"no answer within {ANSWER_WITHIN:g} s"), now)
        return [*events, *self._next(now)]

    def _next(self, now: float) -> list[PortEvent]:
        events: list[PortEvent] = []
        while self._waiting and self._asked is None and now >= self._hold_until:
            request = self._waiting.popleft()
            if not isinstance(request, SendShortMessageRequest):  # nobody answers it
                self._asked, self._overdue = request, now + ANSWER_WITHIN
            events += self._send(request, now)
        return events

    def _send(self, service: Request | Response, now: float) -> list[LinkEvent]:
        self._sent.append(service)
        return self.port.send(service.encode(), now)

    def _failed(self, error: C1222Error, now: float) -> list[PortEvent]:
        request, self._asked, self._overdue = self._asked, None, None
        if request is None:
            return []
        self._hold_until = now + HOLD
        return [PortFailed(request, error)]

    def _heard(self, heard: list[LinkEvent], now: float) -> list[PortEvent]:
        events: list[PortEvent] = []
        for event in heard:
            if isinstance(event, MessageArrived):
                events += self._arrived(event.message, now)
                continue
            events.append(event)
            if isinstance(event, MessageAcknowledged) and self._sent:
                done = self._sent.popleft()
                if isinstance(done, PortNegotiateResponse):
                    events += self._agreed(done)
            elif isinstance(event, LinkDown):
                self._sent.clear()
                events += self._failed(event.error, now)
        return events

    def _agreed(self, response: PortNegotiateResponse) -> list[LinkEvent]:
        return self.port.agree(response.packet_size, response.packets, BAUD_RATES.get(response.baud_code))

    def _arrived(self, message: bytes, now: float) -> list[PortEvent]:
        try:
            if message[0] < 0x20:
                return self._response(message, now)
            request = read_port_request(message)
        except DecodeError:
            return list(self._send(ErrorResponse.of(Iar()), now))
        if isinstance(request, SendShortMessageRequest):
            return [ApduArrived(request.message, request.address)]
        if isinstance(request, SendMessageRequest):
            return [ApduArrived(request.apdu, request.address), *self._send(SendMessageResponse(), now)]
        try:
            return list(self._send(self._answer(request), now))
        except Refusal as error:
            return list(self._send(ErrorResponse.of(error), now))

    def _response(self, message: bytes, now: float) -> list[PortEvent]:
        request = self._asked
        if request is None:
            self.port.counts["unasked"] += 1
            return []
        self._asked = self._overdue = None
        try:
            response = read_port_response(message, request)
        except DecodeError as error:
            return [PortFailed(request, error), *self._next(now)]
        agreed: list[PortEvent] = []
        if isinstance(response, PortNegotiateResponse) and isinstance(request, PortNegotiateRequest):
            if not DEFAULT_PACKET_SIZE <= response.packet_size <= max(request.packet_size, DEFAULT_PACKET_SIZE):
                text = f"packets of {response.packet_size} octets were not asked for"
                return [PortFailed(request, DecodeError("port-negotiate.packet_size", 1, text)), *self._next(now)]
            agreed += self._agreed(response)
        return [*agreed, PortAnswered(request, response), *self._next(now)]
