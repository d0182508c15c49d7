"""What checks ask a device at a serial line through: packets of any make, and whatever came back, octet by octet.

No link of ours stands between, as that would repeat, acknowledge and drop by its own rules: here the check does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

from c1222.conformance.evidence import Evidence, Log
from c1222.conformance.reply import NoAnswer
from c1222.conformance.rules import NotApplicable
from c1222.errors import C1222Error, DecodeError
from c1222.message.epsem import SecurityMode
from c1222.serial.line import DamagedPacket, LineItem, LineReader
from c1222.serial.packet import (
    DEFAULT_PACKET_SIZE,
    DEFAULT_PACKETS,
    MAX_PACKET_SIZE,
    MAX_PACKETS,
    CrcOrder,
    LinkOctet,
    SerialPacket,
    cut,
)
from c1222.serial.profile import C1218_TIMING, LinkTiming
from c1222.serial.series import Series
from c1222.services import ErrorResponse, Request, Response, decode_response
from c1222.services.identify import IdentifyRequest, IdentifyResponse
from c1222.services.results import Isss
from c1222.services.session import LogonRequest, SecurityRequest, TerminateRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.client.clock import TimeSource
    from c1222.transport.lines.blocking import Line

__all__ = ["ACK", "NAK", "Heard", "LineProbe", "LineTarget"]

ACK, NAK = bytes((LinkOctet.ACK,)), bytes((LinkOctet.NAK,))
_SECRETS: Final = frozenset({SecurityRequest.code, 0x53})
_QUIET: Final = 0.2
"""Seconds without an octet after which nothing is under way any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTarget:
    """Whom to check, in whose name, and how patiently.

    Attributes:
        user_id: number of the user.
        user: name of the user.
        password: for what is not open to everybody; None for none.
        padding: octet that fills the password up.
        identity: of the device, second octet of packets.
        timing: timers and retries that the device goes by.
        called: what the device is called in reports.
        calling: what we are called there.
        sessions: whether checks may open sessions.
    """

    user_id: int = 0
    user: str | bytes = ""
    password: str | bytes | None = field(default=None, repr=False)
    padding: bytes = b" "
    identity: int = 0
    timing: LinkTiming = C1218_TIMING
    called: str = "device"

    calling: str = "client"
    sessions: bool = True
    mode: ClassVar[SecurityMode] = SecurityMode.CLEARTEXT
    secured: ClassVar[bool] = False
    writes: ClassVar[bool] = False


class Heard(NamedTuple):
    """What came, and when.

    Attributes:
        item: packet, acknowledgement, damage or noise.
        at: seconds on the clock.
    """

    item: LineItem
    at: float


class LineProbe:
    """One device under examination.

    Args:
        target: whom to ask, in whose name.
        connect: opens the line.
        clock: what time it is.

    Attributes:
        target: as given.
        clock: as given.
        log: what went over the line.
        facts: what checks found out for those after them.
        size: octets of a packet that are agreed on.
        packets: packets of a message that are agreed on.
        toggle: that of the next packet.
        unacknowledged: packets of ours that were answered without an acknowledgement.
    """

    def __init__(self, target: LineTarget, connect: Callable[[], Line], clock: TimeSource) -> None:
        self.target, self.clock = target, clock
        self.log = Log()
        self.facts: dict[str, Any] = {}
        self.size, self.packets, self.toggle = DEFAULT_PACKET_SIZE, DEFAULT_PACKETS, 0
        self.unacknowledged = 0
        self._connect = connect
        self._line: Line | None = None
        self._reader = LineReader(target.timing.inter_character, CrcOrder.EITHER)
        self._reader.max_size = MAX_PACKET_SIZE
        self._heard: list[Heard] = []
        self._start = clock.now

    # --- octets

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        if self._line is None:
            self._line = self._connect()
        self._line.send(octets)
        self.log.add(Evidence("sent", self.clock.now - self._start, _hex(octets)))

    def hear(self, within: float) -> Heard | None:
        """Return what comes next, None if nothing does within so many seconds."""
        until = self.clock.now + within
        while not self._heard:
            if self._line is None:
                return None
            left = min(until, self._reader.deadline or until) - self.clock.now
            octets = self._line.receive(max(left, 0.0))
            if octets:
                self.log.add(Evidence("received", self.clock.now - self._start, octets.hex()))
                self._heard += [Heard(item, self.clock.now) for item in self._reader.feed(octets, self.clock.now)]
                continue
            if (damaged := self._reader.expire(self.clock.now)) is not None:
                self._heard.append(Heard(damaged, self.clock.now))
            elif self.clock.now >= until:
                return None
        return self._heard.pop(0)

    def hear_all(self, within: float, *, quiet: float | None = None) -> list[Heard]:
        """Return all that comes within so many seconds, or until the line was quiet for some."""
        until = self.clock.now + within
        found: list[Heard] = []
        while (left := until - self.clock.now) > 0:
            heard = self.hear(left if quiet is None or not found else min(left, quiet))
            if heard is None:
                break
            found.append(heard)
        return found

    def drain(self) -> None:
        """Drop what is under way."""
        self.hear_all(_QUIET)
        self._reader.forget()
        self._heard.clear()

    def hang_up(self) -> None:
        """End the session, and close the line."""
        if self._line is None:
            return
        try:
            self.ask(TerminateRequest())
        except C1222Error:
            pass
        finally:
            self._line.close()
            self._line = None

    # --- packets

    def packets_of(self, message: bytes, *, toggle: int | None = None) -> list[bytes]:
        """Return the packets of a message, and count their toggles."""
        first = self.toggle if toggle is None else toggle
        parts = cut(message, first, packet_size=self.size, packets=self.packets, identity=self.target.identity)
        self.toggle = (first + len(parts)) & 1
        return parts

    def answer(self, within: float | None = None) -> tuple[bytes, list[SerialPacket]]:
        """Hear an answer, and acknowledge its packets.

        Returns:
            The message, and its packets, repetitions among them.

        Raises:
            NoAnswer: none came.
        """
        series, found = Series(MAX_PACKETS * MAX_PACKET_SIZE), list[SerialPacket]()
        until = self.clock.now + (self.target.timing.traffic if within is None else within)
        while (heard := self.hear(until - self.clock.now)) is not None:
            if isinstance(heard.item, DamagedPacket):
                self.send(NAK)
            if not isinstance(heard.item, SerialPacket):
                continue
            self.send(ACK)
            is_new = heard.item not in found[-1:]
            found.append(heard.item)
            if not is_new:
                continue
            try:
                message = series.take(heard.item, MAX_PACKETS)
            except DecodeError as error:
                raise NoAnswer(f"no answer that can be read: {error}") from None
            if message is not None:
                return message, found
            until = self.clock.now + self.target.timing.traffic
        raise NoAnswer("no answer within the time")

    def ask(self, request: Request) -> Response:
        """Ask as a client does, and return the answer.

        Raises:
            NoAnswer: none came, or one that cannot be read.
        """
        for octets in self.packets_of(request.encode()):
            self.deliver(octets)
        message, _ = self.answer()
        try:
            return decode_response(message, request)
        except DecodeError as error:
            raise NoAnswer(f"no answer to {request.service}: {error}") from None

    def deliver(self, octets: bytes) -> None:
        """Send a packet until it is acknowledged, or answered without that.

        Raises:
            NoAnswer: it never is.
        """
        timing = self.target.timing
        for _ in range(timing.retries + 1):
            self.send(octets)
            until = self.clock.now + timing.response
            while (heard := self.hear(until - self.clock.now)) is not None:
                if heard.item == LinkOctet.ACK:
                    return
                if isinstance(heard.item, SerialPacket):
                    self.unacknowledged += 1
                    self._heard.insert(0, heard)
                    return
                if heard.item == LinkOctet.NAK:
                    break
        raise NoAnswer(f"no answer: no acknowledgement in {timing.retries + 1} attempts")

    # --- sessions

    def identify(self) -> IdentifyResponse:
        """Begin anew, whatever was before, and return who is there.

        Raises:
            NoAnswer: nobody.
        """
        self.drain()
        self.size, self.packets, self.toggle = DEFAULT_PACKET_SIZE, DEFAULT_PACKETS, 0
        response: Response | None = None
        for _ in range(3):
            try:
                response = self.ask(IdentifyRequest())
                if isinstance(response, IdentifyResponse):
                    return response
                if response.code == Isss.code:
                    self.ask(TerminateRequest())
                    self.size, self.packets, self.toggle = DEFAULT_PACKET_SIZE, DEFAULT_PACKETS, 0
            except NoAnswer:
                # It may have taken Identify for a repetition, or be in a session: that ends with silence.
                self.hear_all(self.target.timing.traffic + 1.0)
        raise NoAnswer(f"no answer to Identify but {getattr(response, 'result', 'none')}")

    def log_on(self, *before: Request) -> list[Response]:
        """Begin anew, and open a session; present the password, if there is one.

        Args:
            before: what to ask for before that.

        Returns:
            The answers to it.

        Raises:
            NotApplicable: the device opens none.
            NoAnswer: no answer came.
        """
        self.identify()
        told = [self.ask(request) for request in before]
        target = self.target
        response = self.ask(LogonRequest.of(target.user_id, target.user, None))
        if isinstance(response, ErrorResponse):
            raise NotApplicable(f"the device opens no session: it answers {response.result}")
        if target.password is not None:
            self.ask(SecurityRequest.of(target.password, padding=target.padding))
        return told


def _hex(octets: bytes) -> str:
    """Return octets as hex, a password concealed."""
    if len(octets) > 8 and octets[6] in _SECRETS:
        return f"{octets[:7].hex()}{'xx' * (len(octets) - 9)}{octets[-2:].hex()}"
    return octets.hex()
