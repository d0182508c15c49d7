"""The side that asks: one title talking to one peer, without a socket, a thread or a clock.

Octets that came in go to ``receive``, time that passed to ``tick``; ``apdus_to_send``, ``events`` and ``next_deadline``
tell what there is to do. ``now`` is any clock that does not run backwards, ``utc`` the true time, for the vectors of
secured messages.

An answer counts only if it quotes the id of a message that waits for one, comes from the title that was asked and goes
to ours, and is secured at least as well as the question. Anything else is dropped and counted, and the wait goes on.
Origin: Elster MeteringSDK compares the same, but gives up at a mismatch [1], which lets anybody end a call over UDP.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from c1222.errors import C1222Error, DecodeError, PeerSilent, SessionLost, StateError
from c1222.message.aptitle import ApTitle
from c1222.message.envelope import elements_of, read_apdu
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.message.segmentation import Reassembler
from c1222.protocol.composing import compose, pieces
from c1222.protocol.events import (
    Completed,
    Dropped,
    Failed,
    InitiatorEvent,
    Overdue,
    Resting,
    SessionClosed,
    SessionOpened,
    SizeLearned,
)
from c1222.protocol.initiator.exchange import Exchange
from c1222.protocol.initiator.matching import Distrust, asked_by, distrust, hint, pair, wrong_titles
from c1222.protocol.initiator.request_queue import RequestQueue
from c1222.protocol.message import Message
from c1222.protocol.opening import open_message
from c1222.protocol.policy import UDP_LINK, UDP_TIMING, Link, Options, Timing
from c1222.protocol.session import OwnSession
from c1222.protocol.state import ExchangeState, Exchanging, SessionState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.message.acse import Acse
    from c1222.message.envelope import Envelope
    from c1222.protocol.identity import Identity
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = ["Initiator"]

_OPTIONS: Final = Options()
_INCOMPLETE: Final = 4
_MAX_EVENTS: Final = 1000


class Initiator:
    """One title talking to one peer.

    Args:
        identity: who asks.
        called: the title of the peer, in the form it is to have on the wire; None for the node directly attached.
        mode: how requests are secured.
        key_id: which key of the identity's, in modes 1 and 2.
        link: the transport, as far as the core must know it.
        timing: how long to wait and how often to try, unless a request says otherwise.
        options: what differs from peer to peer.

    Attributes:
        session: the session with the peer, if there is one.
        max_request: largest APDU the peer takes, octets, once it named it (rqtl).
        max_response: largest APDU the peer sends, octets, once it named it (rstl).
        counters: what was dropped, by reason, and how often requests were sent again.

    Raises:
        UnknownKey: there is no such key for these titles.
        StateError: a secured mode without key id, or one that has no meaning.
        EncodeError: the text is no title.
    """

    __slots__ = (
        "_apdus",
        "_events",
        "_reassembler",
        "_turns",
        "called",
        "counters",
        "identity",
        "key_id",
        "link",
        "max_request",
        "max_response",
        "mode",
        "options",
        "session",
        "timing",
    )

    def __init__(
        self,
        identity: Identity,
        called: ApTitle | str | None,
        *,
        mode: SecurityMode | int = SecurityMode.CLEARTEXT,
        key_id: int | None = None,
        link: Link = UDP_LINK,
        timing: Timing = UDP_TIMING,
        options: Options = _OPTIONS,
    ) -> None:
        self.identity = identity
        self.called = ApTitle(called) if isinstance(called, str) else called
        self.mode = SecurityMode(mode)
        self.key_id = key_id
        if self.mode is SecurityMode.RESERVED:
            raise StateError("security mode 3 has no meaning")
        if self.mode is not SecurityMode.CLEARTEXT:
            if key_id is None:
                raise StateError("a secured mode needs a key id")
            identity.keys.get(self.called, identity.title, key_id)
        self.link = link
        self.timing = timing
        self.options = options
        self.session = OwnSession()
        self.max_request: int | None = None
        self.max_response: int | None = None
        self.counters: Counter[str] = Counter()
        self._turns = RequestQueue(options.outstanding)
        self._apdus: list[bytes] = []
        self._events: list[InitiatorEvent] = []
        self._reassembler: Reassembler | None = None

    # What the owner asks for.

    def request(
        self,
        *services: Request,
        now: float,
        utc: float,
        response_control: ResponseControl = ResponseControl.ALWAYS,
        qualifier: int | None = None,
        timing: Timing | None = None,
        in_session: bool = False,
        tag: Any = None,
    ) -> Exchange:
        """Ask the peer for services, all in one message: now, or when it is their turn.

        Args:
            services: what to ask for, in order.
            now: the clock, seconds.
            utc: true time, seconds since 1970 UTC.
            response_control: when an answer is wanted.
            qualifier: bits: 1 TEST (nothing shall change), 2 URGENT, 4 NOTIFICATION; None for none.
            timing: another timing than that of this initiator.
            in_session: fail rather than send it outside of a session.
            tag: anything, for the owner.

        Returns:
            The exchange, which the events about it name. What cannot be sent fails in an event, too.

        Raises:
            StateError: there are no services, or too many exchanges wait.
        """
        if not services:
            raise StateError("a request needs a service")
        if self._turns.queued >= self.options.max_queue:
            raise StateError(f"{self._turns.queued} exchanges wait already")
        exchange = Exchange(
            services, timing or self.timing, response_control, qualifier, in_session=in_session, tag=tag
        )
        self._turns.enqueue(exchange)
        self._send_next(now, utc)
        return exchange

    def repeat(self, exchange: Exchange, *, now: float) -> None:
        """Send the octets of an exchange that was left without an answer once more, and wait again.

        Safe for writes: the responder answers from its memory what it has carried out already.

        Raises:
            StateError: the exchange is not silent, its octets are too old to be remembered, or its session is over.
        """
        age = now - exchange.started
        if age > self.options.repeat_within:
            raise StateError(f"sent {age:.0f} s ago, longer than the peer remembers: it may carry it out a second time")
        if exchange.in_session and not self.session.is_active:
            raise StateError("its session is over")
        exchange.happened(Exchanging.REPEATED)
        self.session.sending(exchange.asked_services)
        if exchange.request is not None:
            self._note_security(exchange.request)
        exchange.begin_attempts()
        self._turns.in_flight[exchange.invocation_id] = exchange
        self._transmit(exchange, now)

    def cancel(self, exchange: Exchange, *, now: float, utc: float) -> None:
        """Forget an exchange; there will be no event about it. What was sent stays sent."""
        if not exchange.is_over:
            self._turns.leave(exchange)
            exchange.happened(Exchanging.BROKEN)
            exchange.error = StateError("cancelled")
            self.session.unanswered(exchange.asked_services)
            self._send_next(now, utc)

    def lost(self, error: C1222Error, *, now: float) -> None:
        """Tell that the link failed.

        On a reliable link every exchange fails with the error, and the session is over. On any other it is a hint from
        nobody in particular: exchanges that wait fail with it if a second attempt ends likewise, or none is answered.
        """
        if not self.link.reliable:
            for exchange in self._turns.in_flight.values():
                exchange.take_hint(error, now)
            return
        self._apdus.clear()
        for exchange in tuple(self._turns):
            self._fail(exchange, error, unknown=exchange.state is ExchangeState.WAITING)
        self._session_over("lost")

    # What there is to do.

    def apdus_to_send(self) -> list[bytes]:
        """Return the APDUs to send to the peer, in order, once."""
        apdus = self._apdus
        if apdus:
            self._apdus = []
        return apdus

    def events(self) -> list[InitiatorEvent]:
        """Return what happened since the last call."""
        events = self._events
        if events:
            self._events = []
        return events

    def next_deadline(self) -> float | None:
        """Return when to call :meth:`tick`, on the clock of ``now``; None for never, as things are."""
        deadline = self._turns.next_deadline()
        idle_at = self.session.idle_at
        if idle_at is None or self._turns.in_flight:
            return deadline
        return idle_at if deadline is None else min(deadline, idle_at)

    @property
    def is_idle(self) -> bool:
        """Whether no exchange is under way or waits."""
        return not self._turns

    # What happens.

    def tick(self, *, now: float, utc: float) -> None:
        """Handle what is due: send again, give up, end a pause, notice that the session was idle for too long."""
        for exchange in self._turns.overdue(now):
            self._overdue(exchange, now)
        self._turns.rested(now)
        idle_at = self.session.idle_at
        if idle_at is not None and now >= idle_at and not self._turns.in_flight:
            self._session_over("idle")
        self._send_next(now, utc)

    def receive(self, apdu: bytes, *, now: float, utc: float) -> None:
        """Take an APDU that came in. Nothing it holds makes this raise."""
        try:
            acse: Envelope | None = read_apdu(apdu, max_size=self.options.max_size)
            if acse is not None and acse.is_segment:
                acse = self._reassemble(elements_of(acse), now)
            if acse is not None:
                self._answered(acse, now, utc)
        except DecodeError as error:
            self._drop("malformed", str(error))
        self._send_next(now, utc)

    def _answered(self, acse: Envelope, now: float, utc: float) -> None:
        identity, session = self.identity, self.session
        lenient = self.options.lenient and self.mode is SecurityMode.CLEARTEXT
        exchange = asked_by(acse, self._turns, identity, self.called, lenient=lenient)
        if isinstance(exchange, Distrust):
            self._drop(*exchange)
            return
        asked = exchange.asked_services
        message = open_message(Message, acse, identity.keys, sessions=session.securities, asked=exchange.request_body)
        doubt = distrust(message, self.mode, utc=utc, window=self.options.window)
        if doubt is not None:
            if doubt.reason == "downgrade":
                self._take_hint(exchange, message, now)
            self._drop(*doubt)
            return
        answers = pair(asked, message)
        self._turns.leave(exchange)
        if answers is None:
            text = f"{len(message.service_octets)} responses to {len(asked)} requests do not tell which is which"
            self._fail(exchange, DecodeError("epsem", 0, text), unknown=True)
            return
        exchange.take(answers)
        self._follow_session(exchange, asked, answers, message)
        self._learn_sizes(exchange)
        again = exchange.refused_for_now(sessionless=not session.is_active)
        if again and exchange.busy < exchange.timing.busy_tries:
            self._rest(exchange, again, now)
            return
        exchange.happened(Exchanging.ANSWERED)
        self._events.append(Completed(exchange, exchange.responses, message))

    def _take_hint(self, exchange: Exchange, message: Message, now: float) -> None:
        error = hint(message, in_session=self.session.is_active)
        if error is not None:
            exchange.take_hint(error, now, mark=message.calling_invocation_id)
            if self.link.reliable:
                exchange.deadline = now  # the connection has one other end: no better answer will come

    def _follow_session(
        self, exchange: Exchange, asked: Sequence[Request], answers: Sequence[Answer], message: Message
    ) -> None:
        session = self.session
        for change in session.answered(asked, answers, exchange.started):
            self._events.append(SessionOpened(session.timeout) if change == "opened" else SessionClosed("ended"))
        if session.is_active and message.session_security is not None:
            session.peer_security = message.session_security

    def _learn_sizes(self, exchange: Exchange) -> None:
        limits = exchange.reported_limits()
        if limits:
            self.max_request = limits.get("request", self.max_request)
            self.max_response = limits.get("response", self.max_response)
            self._events.append(SizeLearned(self.max_request, self.max_response))

    def _overdue(self, exchange: Exchange, now: float) -> None:
        used_up = exchange.attempts >= exchange.timing.attempts or now - exchange.started > self.options.repeat_within
        if not used_up and exchange.hints < (1 if self.link.reliable else 2):
            exchange.happened(Exchanging.OVERDUE)
            self.counters["sent-again"] += 1
            self._transmit(exchange, now)
            self._events.append(Overdue(exchange, exchange.attempts))
            return
        self._turns.leave(exchange)
        self.session.unanswered(exchange.asked_services)
        if exchange.hint is None and exchange.response_control is ResponseControl.ON_EXCEPTION:
            exchange.happened(Exchanging.TAKEN_AS_DONE)
            self._events.append(Completed(exchange, (), None))
            return
        exchange.happened(Exchanging.GIVEN_UP)
        error = exchange.error = exchange.hint or PeerSilent(
            f"no answer from {self.called or 'the peer'} within {_shown(now - exchange.started)} s,"
            f" asked {exchange.attempts} time{'s' * (exchange.attempts > 1)}"
        )
        self._events.append(Failed(exchange, error, unknown=True))
        if isinstance(error, SessionLost):
            self._session_over("lost")

    # Sending.

    def _send_next(self, now: float, utc: float) -> None:
        """Send what may be sent now, in order."""
        while (exchange := self._turns.next(in_session=self.session.is_active)) is not None:
            self._send(exchange, now, utc)

    def _send(self, exchange: Exchange, now: float, utc: float) -> None:
        session = self.session
        before = session.state
        try:
            if exchange.in_session and before is not SessionState.OPEN:
                raise SessionLost("there is no session, or it is over")
            asked = exchange.asked_services
            session.sending(asked)
            options = self.options
            message, octets = compose(
                self.identity,
                self.called,
                asked,
                utc=utc,
                mode=self.mode,
                key_id=self.key_id,
                session=None if options.authentication_in_session else session.own_security,
                response_control=exchange.response_control,
                ed_class=options.ed_class,
                application_context=options.application_context,
                qualifier=exchange.qualifier,
            )
            pieces(octets, self.link)
        except C1222Error as error:
            session.state = before
            self._fail(exchange, error, unknown=False)
            return
        self._note_security(message)
        exchange.sent_first(message.calling_invocation_id, octets, message, now)
        if exchange.response_control is ResponseControl.NEVER:
            exchange.happened(Exchanging.SENT_FOR_GOOD)
            self._apdus += pieces(octets, self.link)
            self._turns.remember(exchange.invocation_id)
            session.unanswered(asked)
            self._events.append(Completed(exchange, (), None))
            return
        exchange.happened(Exchanging.SENT)
        self._turns.in_flight[exchange.invocation_id] = exchange
        self._transmit(exchange, now)

    def _note_security(self, message: Message) -> None:
        if self.session.is_active and message.session_security is not None:
            self.session.own_security = message.session_security

    def _transmit(self, exchange: Exchange, now: float) -> None:
        exchange.attempts += 1
        exchange.deadline = now + exchange.timing.wait(exchange.attempts)
        self._apdus += pieces(exchange.octets, self.link)

    def _rest(self, exchange: Exchange, again: list[int], now: float) -> None:
        exchange.happened(Exchanging.BUSY)
        exchange.busy += 1
        exchange.asked = again
        exchange.deadline = now + exchange.timing.busy_pause
        self._turns.rest(exchange)
        self.counters["busy"] += 1
        self._events.append(Resting(exchange, exchange.deadline))

    # Small things.

    def _fail(self, exchange: Exchange, error: C1222Error, *, unknown: bool) -> None:
        self._turns.leave(exchange)
        if exchange.state is ExchangeState.WAITING:
            self.session.unanswered(exchange.asked_services)
        exchange.happened(Exchanging.BROKEN)
        exchange.error = error
        self._events.append(Failed(exchange, error, unknown))

    def _session_over(self, reason: str) -> None:
        if self.session.is_active:
            self.session.lost()
            self._events.append(SessionClosed(reason))

    def _reassemble(self, segment: Acse, now: float) -> Acse | None:
        doubt = wrong_titles(segment, self.identity, self.called)
        if doubt is None and not self._turns.in_flight:
            doubt = Distrust("unasked", "a segment, and nothing was asked")
        if doubt is not None:
            self._drop(*doubt)
            return None
        if self._reassembler is None:
            self._reassembler = Reassembler(
                max_octets=self.options.max_size, max_messages=_INCOMPLETE, spoofable=not self.link.reliable
            )
        whole = self._reassembler.add(segment, now)
        return None if whole is None else whole.acse

    def _drop(self, reason: str, text: str) -> None:
        self.counters[reason] += 1
        if len(self._events) < _MAX_EVENTS:
            self._events.append(Dropped(reason, text))

    def __repr__(self) -> str:
        return f"<Initiator {self.identity.title} -> {self.called}, session {self.session.state}>"


def _shown(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.2g}"
