"""The side that asks over a serial line: what an `Initiator` is to conversations and pumps, with C12.18 or C12.21.

There are no titles, keys and messages of several services: services are asked one after the other. A Logon sets up the
link before, and falls back to the first rate where the one agreed on does not carry. After any doubt nothing is asked
until the device has given its session up and the line is quiet; a write whose answer is missing is never sent again.
A session that nobody uses is kept alive by Wait, or by a read of one octet where a meter has no Wait [1].
"""

from __future__ import annotations

from collections import Counter, deque
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from c1222.client.serial_services import Respite, SerialServices
from c1222.errors import C1222Error, Finding, SessionLost, StateError
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.events import Completed, Dropped, Failed, InitiatorEvent, SessionClosed, SessionOpened
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.exchange import Exchange
from c1222.protocol.policy import Link, Timing
from c1222.protocol.session import OwnSession
from c1222.protocol.state import Exchanging, SessionState
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import ChangeRate, LineQuiet, LinkDown, Transmit
from c1222.serial.session import SerialSession, ServiceAnswered, ServiceFailed
from c1222.serial.session_state import SerialState
from c1222.services import Effect, ErrorResponse, Request
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Isss, Onp, Sns
from c1222.services.session import (
    LogoffRequest,
    TerminateRequest,
    WaitRequest,
)
from c1222.services.tables import ReadOffsetRequest, WriteRequest

if TYPE_CHECKING:
    from c1222.client.serial_line import SerialLine
    from c1222.client.serial_services import Talk
    from c1222.serial.session import SerialEvent
    from c1222.services import Response

__all__ = ["PROCEDURE_ANSWER", "SerialInitiator"]

PROCEDURE_ANSWER: Final = 20.0
"""Seconds to wait for the answer to a write of ST7: some devices answer when the procedure has run [1]."""
_AROUND_ANSWER, _AROUND_REQUEST = 4, 9
"""Octets of a message around the table data of a read, and of a write by offset [V]."""
_WAKE_UP_PAUSE: Final = 0.05
_MAX_EVENTS: Final = 1000


class SerialInitiator:
    """A client at one end of a serial line.

    Args:
        line: the line, and what its meter is asked for.
        timing: how often a busy meter is asked again, and when.
        answer_within: seconds to wait for an answer once the request is acknowledged; as the link says when None.

    Attributes:
        session: whether there is a session.
        counters: what was remarked of the line, by code.
    """

    called = None
    mode = SecurityMode.CLEARTEXT
    max_response = None

    def __init__(self, line: SerialLine, timing: Timing, *, answer_within: float | None = None) -> None:
        self.identity = Identity(None)
        self.timing = timing
        self.session = OwnSession()
        self.counters: Counter[str] = Counter()
        self._line = line
        self._answer_within = answer_within
        self._serial = self._new_session()
        self._services = SerialServices(line, lambda: self._serial.state)
        self._has_wait = True
        self._waiting: deque[Exchange] = deque()
        self._exchange: Exchange | None = None
        self._talk: Talk | None = None
        self._place = 0
        self._changed: list[int] = []  # services sent that change something, by place, unless they were refused
        self._rest_until: float | None = None
        self._on_wire: Exchange | bool | None = None  # whose service is under way: True ours, False nobody's any more
        self._recovering = self._in_doubt = self._waits_for_quiet = False
        self._failed_identify = 0
        self._held: deque[SerialEvent] = deque()
        self._out: list[bytes | ChangeRate] = []
        self._events: list[InitiatorEvent] = []
        self._now = 0.0

    def _new_session(self) -> SerialSession:
        line = self._line
        return SerialSession(SerialLink(LinkRole.ASKS, line.profile, line.timing, rate=line.rate))

    # What messages may hold.

    @property
    def link(self) -> Link:
        """The line as a link: how long a message may be, as agreed."""
        return Link(reliable=True, max_size=self._serial.link.max_message, around=_AROUND_ANSWER, too_long=Onp.name)

    @property
    def max_request(self) -> int:
        """Longest request with as much around its table data as there is around that of answers, octets."""
        return self._serial.link.max_message - (_AROUND_REQUEST - _AROUND_ANSWER)

    @property
    def farewell(self) -> tuple[Request, ...]:
        """What ends the session, and leaves the device as it was found."""
        if self._in_doubt or self._recovering or self._serial.state == SerialState.BASE:
            return ()
        if self._serial.state == SerialState.SESSION:
            return (LogoffRequest(), TerminateRequest())
        return (TerminateRequest(),)

    # What the owner asks for.

    def request(
        self,
        *services: Request,
        now: float,
        utc: float,  # noqa: ARG002 - as that of `Initiator`
        response_control: ResponseControl = ResponseControl.ALWAYS,
        qualifier: int | None = None,
        timing: Timing | None = None,
        in_session: bool = False,
    ) -> Exchange:
        """Ask the peer for services, one after the other, when it is their turn; see ``Initiator.request``.

        Raises:
            StateError: there are no services, or they are to be marked.
        """
        if not services:
            raise StateError("a request needs a service")
        if qualifier is not None:
            raise StateError("C12.18 and C12.21 have no messages to be marked: TEST, URGENT, NOTIFICATION")
        exchange = Exchange(services, timing or self.timing, response_control, in_session=in_session)
        self._waiting.append(exchange)
        self._now = now
        self._go_on()
        return exchange

    def repeat(self, exchange: Exchange, *, now: float) -> None:  # noqa: ARG002 - as that of `Initiator`
        """Refuse to send services again: meters at serial lines do not remember what they have carried out.

        Raises:
            StateError: always.
        """
        raise StateError("a meter at a serial line does not remember what it has carried out: read the table back")

    def cancel(self, exchange: Exchange, *, now: float, utc: float) -> None:  # noqa: ARG002 - as that of `Initiator`
        """Forget an exchange; there will be no event about it. The answer to what was sent is waited for."""
        self._now = now
        if exchange.is_over:
            return
        if exchange is self._exchange:
            if self._talk is not None:
                self._talk.close()
            self._exchange = self._talk = self._rest_until = None
            self._waits_for_quiet = False
            if self._on_wire is exchange:
                self._on_wire = False
            self.session.unanswered(exchange.services[self._place : self._place + 1])
        else:
            self._waiting.remove(exchange)
        exchange.happened(Exchanging.BROKEN)
        exchange.error = StateError("cancelled")
        self._go_on()

    def lost(self, error: C1222Error, *, now: float) -> None:
        """Tell that the port failed: every exchange fails with the error, and the session is over."""
        self._now = now
        self._held.clear()
        self._out.clear()
        self._serial = self._new_session()
        self._services.is_set_up = False
        self._recovering = self._in_doubt = False
        self._on_wire = None
        self._session_over()
        if self._exchange is not None:
            self._fail(error)
        while self._waiting:
            self._broken(self._waiting.popleft(), error, unknown=False)

    # What there is to do.

    def apdus_to_send(self) -> list[Any]:
        """Return the octets to send, and the changes of the rate, in order, once."""
        out, self._out = self._out, []
        return out

    def events(self) -> list[InitiatorEvent]:
        """Return what happened since the last call."""
        events, self._events = self._events, []
        return events

    def next_deadline(self) -> float | None:
        """Return when to call :meth:`tick`, on the clock of ``now``; None for never, as things are."""
        held = self._held[0].at if self._held and isinstance(self._held[0], Transmit) else None
        waits = (held, self._serial.deadline, self._rest_until, self._keep_alive_at)
        return min([at for at in waits if at is not None], default=None)

    def tick(self, *, now: float, utc: float) -> None:  # noqa: ARG002 - as that of `Initiator`
        """Do what is due."""
        self._now = now
        self._held += self._serial.tick(now)
        self._go_on()

    def receive(self, octets: bytes, *, now: float, utc: float) -> None:  # noqa: ARG002 - as that of `Initiator`
        """Take octets from the line. Nothing they hold makes this raise."""
        self._now = now
        self._held += self._serial.receive(octets, now)
        self._go_on()

    def is_talking(self, now: float) -> bool:
        """Whether something is under way on the line, or due."""
        deadline = self.next_deadline()
        return self._on_wire is not None or self._recovering or (deadline is not None and deadline <= now)

    # The line.

    @property
    def _keep_alive_at(self) -> float | None:
        if self.session.state is not SessionState.OPEN or self._on_wire is not None or self._held or self._recovering:
            return None
        return self._serial.keep_alive_at

    def _go_on(self) -> None:
        """Pass on what is held up to what may not be sent yet, and do what is due."""
        while True:
            if self._held:
                event = self._held[0]
                if isinstance(event, Transmit) and event.at > self._now:
                    return
                self._held.popleft()
                self._happened(event)
            elif self._on_wire is not None or self._recovering:
                return
            elif self._rest_until is not None and self._now >= self._rest_until:
                self._rest_until = None
                self._advance()
            elif self._exchange is None and self._waiting:
                self._begin()
            elif self._keep_alive_at is not None and self._now >= self._keep_alive_at:
                self._keep_alive()
            else:
                return

    def _happened(self, event: SerialEvent) -> None:
        if isinstance(event, Transmit):
            self._out.append(event.octets)
        elif isinstance(event, ChangeRate):
            self._out.append(event)
        elif isinstance(event, ServiceAnswered):
            self._answered(event)
        elif isinstance(event, ServiceFailed):
            self._service_failed(event)
        elif isinstance(event, LineQuiet):
            self._recovering = self._in_doubt = False
            if self._waits_for_quiet:
                self._waits_for_quiet = False
                self._advance()
        elif isinstance(event, LinkDown):  # the line does not get quiet
            self._recovering = False
            self._in_doubt = True
            if self._exchange is not None:
                self._fail(event.error)
            while self._waiting:
                self._broken(self._waiting.popleft(), event.error, unknown=False)
        elif isinstance(event, Finding):
            self._remark(event.code, event.text)

    def _remark(self, code: str, text: str) -> None:
        self.counters[code] += 1
        if len(self._events) < _MAX_EVENTS:
            self._events.append(Dropped(code, text))

    def _answered(self, event: ServiceAnswered) -> None:
        whose, self._on_wire = self._on_wire, None
        if self._serial.state == SerialState.BASE:
            self._services.is_set_up = False
        if whose is True:
            answer = event.response
            if isinstance(answer, ErrorResponse):
                self._has_wait = self._has_wait and answer.code != Sns.code
                if answer.code == Isss.code:
                    self._session_over()
        elif isinstance(whose, Exchange):
            self._advance(event.response)

    def _service_failed(self, event: ServiceFailed) -> None:
        whose, self._on_wire = self._on_wire, None
        self._services.failed_rate = self._serial.link.rate
        self._failed_identify += isinstance(event.request, IdentifyRequest)
        if self._serial.link.counts["duplicate"]:
            self._remark(
                "duplicate", "packets that look like the last one; a meter that never flips the bit needs toggle=ignore"
            )
        if self.session.state is not SessionState.OPENING:  # a Logon may go on at another rate
            self._session_over()
        self._recover()
        if isinstance(whose, Exchange):
            self._advance(error=event.error)

    def _recover(self) -> None:
        # A device that acknowledged Identify and did not answer would take the same octets for a repetition.
        self._serial.recover(self._now, toggle=self._failed_identify & 1)
        self._recovering = True
        self._services.is_set_up = False

    def _session_over(self) -> None:
        if self.session.is_active:
            self.session.lost()
            self._events.append(SessionClosed("lost"))

    def _keep_alive(self) -> None:
        # Twice what the device waits: the next request may be as late again.
        wait = WaitRequest(min(255, ceil(2 * self._serial.link.timing.traffic)))
        self._on_wire = True
        self._held += self._serial.ask(wait if self._has_wait else ReadOffsetRequest(1, 0, 1), self._now)

    # Exchanges.

    def _begin(self) -> None:
        """Begin the exchange that waits longest."""
        if self._in_doubt:
            self._recover()
            return
        exchange = self._exchange = self._waiting.popleft()
        exchange.happened(Exchanging.SENT)
        exchange.started = self._now
        self._talk, self._changed = self._carry_out(exchange), []
        self._advance()

    def _advance(self, answer: Response | None = None, error: C1222Error | None = None) -> None:
        """Go on with the exchange under way."""
        talk, exchange = self._talk, self._exchange
        while talk is not None and exchange is not None:
            try:
                want = talk.send(answer) if error is None else talk.throw(error)
            except StopIteration as stop:
                self._exchange = self._talk = None
                exchange.take(stop.value)
                exchange.happened(Exchanging.ANSWERED)
                self._events.append(Completed(exchange, exchange.responses, None))
                return
            except C1222Error as failure:
                self._fail(failure)
                return
            answer = error = None
            if isinstance(want, Request):
                try:
                    self._ask(want, exchange)
                except C1222Error as failure:  # it was not sent
                    error = failure
                    continue
                return
            if isinstance(want, Respite):
                self._rest_until = self._now + want.seconds
                return
            if not self._recovering:
                self._recover()
            self._waits_for_quiet = True
            return

    def _ask(self, service: Request, exchange: Exchange) -> None:
        start, line = self._now, self._line
        if line.wake_up and isinstance(service, IdentifyRequest):
            self._held.append(Transmit(line.wake_up, start))
            start += _WAKE_UP_PAUSE
        within = self._answer_within
        if within is None and isinstance(service, WriteRequest) and service.table == 7:
            within = PROCEDURE_ANSWER
        self._held += self._serial.ask(service, start, answer_within=within)
        self._on_wire = exchange
        if service.effect == Effect.CHANGES:
            self._changed.append(self._place)

    def _fail(self, error: C1222Error) -> None:
        """End the exchange under way without an answer; it is unknown what became of a change that was sent."""
        exchange = self._exchange
        if exchange is None:
            return
        self._exchange = self._talk = self._rest_until = None
        self._waits_for_quiet = False
        self.session.unanswered(exchange.services[self._place : self._place + 1])
        if self._changed:
            exchange.asked = self._changed[-1:]
        self._broken(exchange, error, unknown=bool(self._changed))

    def _broken(self, exchange: Exchange, error: C1222Error, *, unknown: bool) -> None:
        exchange.happened(Exchanging.BROKEN)
        exchange.error = error
        self._events.append(Failed(exchange, error, unknown))

    # What is said, as generators: they yield requests and are sent their responses.

    def _carry_out(self, exchange: Exchange) -> Talk:
        """Ask for the services of an exchange, one after the other, and return their answers."""
        session = self.session
        if exchange.in_session and session.state is not SessionState.OPEN:
            raise SessionLost("there is no session, or it is over")
        answers: list[Response] = []
        for place, service in enumerate(exchange.services):
            self._place, sent = place, self._now
            session.sending([service])
            answer = yield from self._services.say(service, exchange.timing)
            for change in session.answered([service], [answer], sent):
                session.timeout = ceil(self._serial.link.timing.traffic) if change == "opened" else 0
                self._events.append(SessionOpened(session.timeout) if change == "opened" else SessionClosed("ended"))
            if isinstance(answer, ErrorResponse):
                self._changed = [one for one in self._changed if one != place]
                if answer.code == Isss.code and service.effect in {Effect.READS, Effect.CHANGES}:
                    self._session_over()
            answers.append(answer)
        return answers
