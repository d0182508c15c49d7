"""The side that answers: one node under one title, without a socket, a thread or a clock.

A message passes these checks in this order, and the first that it does not pass ends its way: it is an APDU; it is no
answer; it is ours; it is no repetition (which gets the same answer again); if it is secured, its sender has not failed
too often; its MAC is right and it is secured well enough; it is fresh. Only then are its services looked at. What is
dropped is counted.

``now`` is any clock that does not run backwards, ``utc`` the true time. The transport gives each APDU's
source, and gets it back with the answer.
Origin of the order: Itron's stack and Elster MeteringSDK, by reading [1]; that a repetition must have the same octets,
so that a forged one is verified first, is ours.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.errors import C1222Error, DecodeError
from c1222.message.envelope import elements_of, is_secured, read_apdu
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.message.segmentation import SegmentError
from c1222.protocol.events import (
    BudgetUsedUp,
    HandlerFailed,
    Refused,
    Released,
    ResponderEvent,
    SessionEnded,
    SessionStarted,
    VectorsAhead,
)
from c1222.protocol.initiator.matching import Distrust
from c1222.protocol.message import Message
from c1222.protocol.opening import open_message
from c1222.protocol.policy import NodePolicy, OnRefusal
from c1222.protocol.responder.admission import SILENT, Gate
from c1222.protocol.responder.answer_memory import AnswerMemory, Asker
from c1222.protocol.responder.arrival import Arrival, Receiver
from c1222.protocol.responder.execution import GATES, Context, Handler, Outcome, carry_out
from c1222.protocol.responder.reply import refuse_in_clear, reply
from c1222.protocol.responder.throttle import Origin
from c1222.protocol.segments import Segments
from c1222.protocol.session import Grants, Session, SessionTable
from c1222.protocol.state import REPEATABLE
from c1222.services import ErrorResponse, Refusal
from c1222.services.results import Bsy, Iar, Rqtl, Sgerr, Sme

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from c1222.message.acse import Acse
    from c1222.message.envelope import Envelope
    from c1222.protocol.identity import Identity
    from c1222.protocol.responder.throttle import Throttle
    from c1222.security.receiving import ReplayGuard
    from c1222.services import Response

__all__ = ["Outgoing", "Responder"]

_POLICY: Final = NodePolicy()
_MAX_EVENTS: Final = 1000
_THROTTLED: Final = Distrust("throttled", "there were too many failures")


class Outgoing(NamedTuple):
    """An APDU to send.

    Attributes:
        source: where the request came from, which is where this goes to.
        apdu: the octets.
    """

    source: Hashable
    apdu: bytes


def _password_origin(message: Message, arrival: Arrival) -> Origin:
    # What came sealed is from who it says, so nobody else can use up its budget; in cleartext over datagrams he can.
    sealed = message.security_mode is not SecurityMode.CLEARTEXT
    return Origin((arrival.link.reliable, sealed), arrival.peer)


class Responder(Receiver):
    """One node.

    Args:
        identity: its title and keys.
        handler: carries out services.
        policy: what is allowed, and how much is remembered.
        replay: what was taken already, for a node that restores it after a restart; made new when None.
        throttle: counts failed authentications, for nodes that share a budget of them; made new when None.
        segments: holds what is incomplete yet, for nodes that share the room for it; made new when None.

    Attributes:
        sessions: the open ones.
        counters: what was carried out, repeated, dropped and refused, by reason.
    """

    __slots__ = (
        "_answers",
        "_events",
        "_gate",
        "_out",
        "_segments",
        "_told_ahead",
        "counters",
        "handler",
        "identity",
        "policy",
        "sessions",
    )

    def __init__(
        self,
        identity: Identity,
        handler: Handler,
        *,
        policy: NodePolicy = _POLICY,
        replay: ReplayGuard | None = None,
        throttle: Throttle | None = None,
        segments: Segments | None = None,
    ) -> None:
        self.identity = identity
        self.handler = handler
        self.policy = policy
        self.sessions = SessionTable(policy.max_sessions)
        self.counters: Counter[str] = Counter()
        self._gate = Gate(identity, policy, replay, throttle)
        self._answers = AnswerMemory(
            window=policy.answer_window, max_answers=policy.max_answers, max_octets=policy.max_answer_octets
        )
        self._events: deque[ResponderEvent] = deque(maxlen=_MAX_EVENTS)
        self._out: list[Outgoing] = []
        self._segments = segments
        self._told_ahead: frozenset[int] = frozenset()

    # What there is to do.

    def apdus_to_send(self) -> list[Outgoing]:
        """Return the APDUs to send, in order, once."""
        out = self._out
        if out:
            self._out = []
        return out

    def events(self) -> list[ResponderEvent]:
        """Return what happened since the last call; of very many, the last."""
        if not self._events:
            return []
        events = list(self._events)
        self._events.clear()
        return events

    def next_deadline(self) -> float | None:
        """Return when to call :meth:`tick`, on the clock of ``now``; None for never, as things are."""
        return self.sessions.next_deadline()

    # What happens.

    def tick(self, *, now: float) -> None:
        """End the sessions that were idle for too long."""
        for session in self.sessions.expired(now):
            self.counters["session-idle"] += 1
            self._events.append(SessionEnded(session, "idle"))

    def close_sessions(self, source: Hashable = None) -> None:
        """End all sessions, or those that came from a source, as when its connection is closed."""
        for session in self.sessions:
            if source is None or session.source == source:
                self.sessions.remove(session)
                self._events.append(SessionEnded(session, "closed"))

    def lost(self, source: Hashable) -> None:
        """Take note of a connection that has ended: its sessions end, and what it asked is no longer repeated."""
        self.close_sessions(source)
        self._answers.forget_source(source)

    def take(self, arrival: Arrival) -> bool:
        """Take an APDU that came in; see `Receiver.receive`."""
        try:
            apdu = read_apdu(arrival.apdu, max_size=self.policy.max_size)
        except DecodeError as error:
            self._drop(Distrust("malformed", str(error)), arrival)
            return False
        return self.take_apdu(apdu, arrival)

    def take_apdu(self, apdu: Envelope, arrival: Arrival) -> bool:
        """Take an APDU that came in and was taken apart already; see `Receiver.receive`."""
        self.tick(now=arrival.now)
        try:
            whole = self._reassemble(elements_of(apdu), arrival) if apdu.is_segment else apdu
            return whole is not None and self._examine(whole, arrival)
        except DecodeError as error:
            self._drop(Distrust("malformed", str(error)), arrival)
            return False

    def _examine(self, acse: Envelope, arrival: Arrival) -> bool:
        doubt = self._gate.address(acse)
        if doubt is not None:
            self._drop(doubt, arrival)
            return False
        calling, invocation_id = acse.calling, acse.calling_invocation_id
        title = None if calling is None else calling.absolute_content(self.identity.keys.base_oid)
        asker = Asker(arrival.source, title)
        sender: Hashable = arrival.source if title is None else title
        session = self.sessions.get(sender)
        before = self._answers.find(asker, invocation_id, arrival.now)
        if session is not None and session.counts_afresh is None and session.mode is SecurityMode.CLEARTEXT:
            before = self._note_counting(session, asker, invocation_id, before)
        if before is not None and before[0] == acse.octets:
            self.counters["repeated"] += 1
            self._put(before[1], arrival)
            return True
        origin = Origin(arrival.link.reliable, arrival.peer)
        if is_secured(acse) and self._gate.throttle.is_blocked(origin, arrival.now):
            self._drop(_THROTTLED, arrival)
            return False
        securities = () if session is None else session.securities
        message = open_message(
            Message, acse, self.identity.keys, sessions=securities, callers_keys=self.policy.callers_keys
        )
        doubt, used_up = self._gate.judge(message, session, origin, arrival.now, arrival.utc)
        if used_up:
            self._budget_used_up(self._gate.throttle, origin, "authentication", arrival)
        if doubt is None and self._passwords_blocked(message, arrival):
            doubt = _THROTTLED
        if doubt is not None:
            self._drop(doubt, arrival, message)
            return False
        # Secured messages that were carried out are known to the gate; those in cleartext only by their answer.
        keep = message.security_mode is SecurityMode.CLEARTEXT and any(
            service.service not in REPEATABLE for service in message.services
        )
        refusal = self._refusal(message, session, keep=keep, reused=before is not None, now=arrival.now)
        if refusal is not None:
            self.counters[f"refused-{refusal.name}"] += 1
            responses: list[Response] = [ErrorResponse.of(refusal)] * max(1, len(message.service_octets))
            answer = self._answer(message, responses, session, sender, arrival)
            if before is None:
                self._answers.add(asker, invocation_id, acse.octets, answer, arrival.now, keep=False)
            self._put(answer, arrival)
            return True
        outcome = self._carry_out(message, session, sender, arrival)
        answer = self._answer(message, outcome.responses, session, sender, arrival)
        self._answers.add(asker, invocation_id, acse.octets, answer, arrival.now, keep=keep)
        self._put(answer, arrival)
        return True

    def _passwords_blocked(self, message: Message, arrival: Arrival) -> bool:
        for service in message.services:
            if service.service in GATES:
                return self._gate.passwords.is_blocked(_password_origin(message, arrival), arrival.now)
        return False

    def _budget_used_up(self, throttle: Throttle, origin: Origin, what: str, arrival: Arrival) -> None:
        known = throttle.is_known(origin, arrival.now)
        self.counters["budget-used-up"] += 1
        self._events.append(BudgetUsedUp(arrival.source, known, what))

    def _note_counting(
        self, session: Session, asker: Asker, invocation_id: int, before: tuple[bytes, tuple[bytes, ...]] | None
    ) -> tuple[bytes, tuple[bytes, ...]] | None:
        # Some peers number the messages of each session from 0 or 1. In cleartext these look like repetitions of the
        # session before. Peers that go on counting do not come by these numbers.
        if invocation_id <= 1:
            session.counts_afresh = True
            self._answers.forget(asker)
            return None
        if before is None:
            session.counts_afresh = False
        return before

    def _refusal(
        self, message: Message, session: Session | None, *, keep: bool, reused: bool, now: float
    ) -> Refusal | None:
        """Return why a message that is trusted is not carried out all the same."""
        if not message.service_octets:
            return Iar("no services")
        if reused and message.security_mode is SecurityMode.CLEARTEXT:
            return Iar("another message had this id")
        if self.policy.max_request is not None and len(message.octets) > self.policy.max_request:
            return Rqtl.of(self.policy.max_request)
        if keep and not self._answers.has_room(now):
            return Bsy("no room to remember another answer")
        if self._gate.is_vector_used(message, session):
            return Bsy("another session was under this vector")
        return None

    def _carry_out(self, message: Message, session: Session | None, sender: Hashable, arrival: Arrival) -> Outcome:
        access = Grants() if session is None else session.access
        context = Context(message, access, session, arrival)
        outcome = carry_out(message, self.handler, context, may_open=lambda: self._may_open(message, arrival))
        self.counters["requests"] += 1
        for fault in outcome.faults:
            self._events.append(HandlerFailed(*fault))
        if outcome.identified or outcome.failures:
            passwords, origin = self._gate.passwords, _password_origin(message, arrival)
            if outcome.identified:
                passwords.succeeded(origin, arrival.now)
            for _ in range(outcome.failures):
                self.counters["refused-user"] += 1
                if passwords.failed(origin, arrival.now):
                    self._budget_used_up(passwords, origin, "password", arrival)
        if session is not None:
            session.touch(arrival.now, stretch=outcome.stretch)
            session.source = arrival.source
            security = message.session_security
            if security is not None and (session.peer_security is None or security.iv >= session.peer_security.iv):
                session.peer_security = security  # not that of one that came late
            if outcome.ended is not None:
                self.sessions.remove(session)
                self._events.append(SessionEnded(session, outcome.ended))
        if outcome.opened is not None:
            opened = Session(
                sender,
                calling=message.calling,
                called=message.called,
                source=arrival.source,
                peer=arrival.peer,
                access=context.access,
                timeout=outcome.opened,
                now=arrival.now,
                mode=message.security_mode,
                security=message.session_security,
            )
            self.sessions.add(opened)
            self._events.append(SessionStarted(opened))
        if outcome.released:
            self._events.append(Released(arrival.source))
        return outcome

    def _may_open(self, message: Message, arrival: Arrival) -> bool:
        # Without a key, no password is needed for a session either: nobody shall hold them all.
        if message.security_mode is not SecurityMode.CLEARTEXT:
            return not self.sessions.is_full
        held = sum(one.peer == arrival.peer and one.mode is SecurityMode.CLEARTEXT for one in self.sessions)
        return not self.sessions.is_full and held < self.policy.max_cleartext_sessions

    def _answer(
        self,
        message: Message,
        responses: Sequence[Response],
        session: Session | None,
        sender: Hashable,
        arrival: Arrival,
    ) -> tuple[bytes, ...]:
        """Return the octets of the answer to a trusted message; none where none is wanted, or there is no way."""
        control = message.response_control
        if control is ResponseControl.NEVER:
            return ()
        if control is ResponseControl.ON_EXCEPTION and not any(response.code for response in responses):
            return ()
        try:
            answer, apdus = reply(
                self.identity,
                message,
                responses,
                session=None if session is None else session.own_security,
                link=arrival.link,
                policy=self.policy,
                utc=arrival.utc,
            )
        except C1222Error as error:
            self._drop(Distrust("unanswered", str(error)), arrival)
            return ()
        if message.key_id is not None:
            self._look_at_vectors(message.key_id, arrival.utc)
        current = self.sessions.get(sender)
        if current is not None and answer.session_security is not None:
            current.own_security = answer.session_security
        return tuple(apdus)

    def _look_at_vectors(self, key_id: int, utc: float) -> None:
        lead = self.identity.lead(key_id, utc)
        if lead > self.policy.window:
            self.counters["vectors-ahead"] += 1
            if key_id not in self._told_ahead:
                self._told_ahead |= {key_id}
                self._events.append(VectorsAhead(key_id, lead))

    def _reassemble(self, segment: Acse, arrival: Arrival) -> Acse | None:
        if self._segments is None:
            self._segments = Segments(self.policy.max_size)
        known = self._gate.throttle.is_known(Origin(arrival.link.reliable, arrival.peer), arrival.now)
        try:
            return self._segments.add(
                segment, arrival.now, source=(self.identity.title, arrival.source), peer=arrival.peer, known=known
            )
        except SegmentError as error:
            self._drop(Distrust("malformed-segment", str(error)), arrival)
            if arrival.link.on_refusal is OnRefusal.ANSWER:
                self._tell(segment, Sgerr.of(error.segment_offset, error.total), arrival)
            return None

    def _drop(self, doubt: Distrust, arrival: Arrival, message: Message | None = None) -> None:
        """Count a message that is not carried out, and tell its sender (sme) where that is wanted."""
        self.counters[doubt.reason] += 1
        self._events.append(Refused(doubt.reason, arrival.source, doubt.text))
        if message is None or message.envelope is None or doubt.reason in SILENT:
            return
        # That there is no session is no secret, and a peer has to know it to log on again.
        may_report = arrival.link.on_refusal is OnRefusal.ANSWER or doubt.reason == "no-session"
        if may_report and message.response_control is not ResponseControl.NEVER:
            self._tell(message.envelope, Sme(), arrival)

    def _tell(self, acse: Envelope, refusal: Refusal, arrival: Arrival) -> None:
        try:
            apdus = refuse_in_clear(self.identity, acse, ErrorResponse.of(refusal), link=arrival.link, utc=arrival.utc)
        except C1222Error:
            self.counters["unanswered"] += 1
        else:
            self._put(apdus, arrival)

    def _put(self, apdus: Sequence[bytes], arrival: Arrival) -> None:
        self._out += [Outgoing(arrival.source, apdu) for apdu in apdus]

    def __repr__(self) -> str:
        return f"<Responder {self.identity.title}, {len(self.sessions)} sessions>"
