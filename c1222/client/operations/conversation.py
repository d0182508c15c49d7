"""One meter, as a client sees it: who asks, how requests are secured and sized, and how every request is made."""

from __future__ import annotations

from secrets import randbelow
from typing import TYPE_CHECKING, Any, Final, Literal

from c1219.device import Device
from c1222.client.clock import SystemClock
from c1222.client.errors import CutShort, LogonRefused, PasswordRefused, WriteUnknown, explained
from c1222.client.steps import Ask
from c1222.errors import StateError
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.events import Completed, Dropped, Failed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import TCP_TIMING, UDP_TIMING, Link, Options, Timing
from c1222.protocol.state import SessionState
from c1222.services import Effect, ErrorResponse, Response, services_that
from c1222.services.malformed import MalformedService
from c1222.services.results import Isss
from c1222.services.session import LogoffRequest, LogonRequest, SecurityRequest, TerminateRequest
from c1222.services.tables import TableAccess, table_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c1222.client.clock import TimeSource
    from c1222.client.steps import Operation, Outcome
    from c1222.errors import C1222Error
    from c1222.message.aptitle import ApTitle
    from c1222.protocol.events import InitiatorEvent
    from c1222.security.keys import Key, KeyStore
    from c1222.security.sending import SendGuard
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = ["IDLE_TIMEOUT", "Conversation"]

IDLE_TIMEOUT: Final = 60
"""Idle time to ask for in a Logon, seconds; Elster MeteringSDK's number [1]."""
_CHANGING: Final = services_that(Effect.CHANGES)
_FAREWELL: Final = Timing(timeout=2.0, attempts=1, busy_tries=0)


class Conversation:
    """What one talks about with one meter, and how.

    Args:
        link: what carries the APDUs.
        called: the meter's title, in the form it shall have on the wire; None for the node directly attached.
        calling: our own title.
        key: the key or keys: a `Key`, a `KeyStore`, or octets by key id.
        key_id: which of them secures requests; may be left out with a single `Key`.
        mode: security: 0 cleartext, 1 authenticated, 2 encrypted. None is 2 with a key and 0 without.
        session: talk in a session, opened before the first request; otherwise every message stands alone.
        user_id: number of the user, for Logon and Security.
        user: name of the user, for Logon, up to 10 characters.
        password: up to 20 octets, or a text, which is encoded as UTF-8. In a session it is presented once, otherwise
            first in every message.
        padding: octet that fills the password up; some C12.18 devices want 00.
        idle: idle time-out to ask for in a Logon, seconds, 0 for never.
        timeout: how long the first answer may take, seconds. Default: 5 over UDP, where each further wait is 1.5 times
            as long, and 60 over TCP.
        attempts: how often the same octets are sent. Default: 4 over UDP, 1 over TCP.
        busy_tries: how often a request is made again when the meter is busy. Default: 20.
        busy_pause: seconds before that. Default: 2.
        ed_class: 4 octets to put into requests, or None.
        max_size: largest APDU to send in one piece, octets. Default: 1400 over UDP.
        segments: cut what is larger into segments.
        chunk: most octets of table data to ask for or send in one message; what fits the link and what the meter tells
            when None.
        options: more that differs from peer to peer.
        device: tables of the meter that are known already, for example from an earlier conversation; they are not read
            again where others depend on them.
        guard: keeps vectors unique over a restart, if it has a store.
        identity: who asks, instead of ``calling``, ``key`` and ``guard``: for many conversations of one asker.
        id_bits: length of invocation ids, 32, or 16 for peers that store no more, such as those of the c1222.net stack.
            An identity has its own.
        clock: what time it is; the machine's when None.

    Attributes:
        initiator: the core.
        device: the tables read so far; what others depend on is read once. ``device.drop(n)`` forgets one.
        watch: what time it is.

    Raises:
        StateError: a secured mode without a key, or without knowing which.
        UnknownKey: there is no such key for these titles.
        EncodeError: a title, password or name has no form on the wire.
    """

    def __init__(
        self,
        link: Link,
        *,
        called: ApTitle | str | None,
        calling: ApTitle | str | None = None,
        key: KeyStore | Key | Mapping[int, bytes] | None = None,
        key_id: int | None = None,
        mode: SecurityMode | int | None = None,
        session: bool = False,
        user_id: int = 0,
        user: str | bytes = "",
        password: str | bytes | None = None,
        padding: bytes = b" ",
        idle: int = IDLE_TIMEOUT,
        timeout: float | None = None,
        attempts: int | None = None,
        busy_tries: int | None = None,
        busy_pause: float | None = None,
        ed_class: bytes | None = None,
        max_size: int | None = None,
        segments: bool = False,
        chunk: int | None = None,
        options: Options | None = None,
        device: Device | None = None,
        guard: SendGuard | None = None,
        identity: Identity | None = None,
        id_bits: Literal[16, 32] = 32,
        clock: TimeSource | None = None,
    ) -> None:
        if identity is None:
            identity = Identity(calling, key, guard=guard, id_bits=id_bits)
        elif (calling, key, guard) != (None, None, None):
            raise StateError("calling, key and guard are those of the identity")
        keys = tuple(identity.keys)
        if key_id is None and len(keys) == 1:
            key_id = keys[0].id
        if mode is None:
            mode = SecurityMode.CIPHERTEXT_AUTHENTICATION if keys else SecurityMode.CLEARTEXT
        if mode and not keys:
            raise StateError("a secured mode needs a key")
        if mode and key_id is None:
            raise StateError("there are several keys: say with key_id which one secures requests")
        if chunk is not None and chunk < 1:
            raise StateError("a chunk has at least one octet")
        timing = {"timeout": timeout, "attempts": attempts, "busy_tries": busy_tries, "busy_pause": busy_pause}
        given: dict[str, Any] = {name: value for name, value in timing.items() if value is not None}
        link = link._replace(max_size=max_size or link.max_size, segments=segments or link.segments)
        options = Options() if options is None else options
        self.initiator = Initiator(
            identity,
            called,
            mode=mode,
            key_id=key_id if mode else None,
            link=link,
            timing=(TCP_TIMING if link.reliable else UDP_TIMING)._replace(**given),
            options=options if ed_class is None else options._replace(ed_class=ed_class),
        )
        self.device = Device() if device is None else device
        self.watch: TimeSource = SystemClock() if clock is None else clock
        self._chunk = chunk
        self._in_session = self._session_wanted = session
        self._logon = LogonRequest.of(user_id, user, idle)
        self._half_open = False  # a Logon was sent, and whether the session stands with our rights is not known
        self._padding = padding
        self._security = None if password is None else SecurityRequest.of(password, user_id, padding=padding)
        self._dropped: dict[str, str] = {}
        self._no_offsets = False  # what the meter was found not to do
        self._whole_tables: set[int] = set()
        self._learned_chunk: int | None = None
        self._sequence = randbelow(0x100)  # of procedures

    def note(self, event: InitiatorEvent) -> None:
        """Take an event that is not the end of the exchange that is waited for (called by pumps)."""
        if isinstance(event, Dropped):
            self._dropped[event.reason] = event.text

    def look_at_session(self) -> None:
        """Notice that the session was idle for too long (called by pumps before a verb)."""
        idle_at = self.initiator.session.idle_at
        if idle_at is not None and self.watch.now >= idle_at:
            self.initiator.tick(now=self.watch.now, utc=self.watch.utc)

    @property
    def _has_session(self) -> bool:
        return self.initiator.session.state is SessionState.OPEN

    # Asking.

    def _exchange(
        self,
        *services: Request,
        response_control: ResponseControl = ResponseControl.ALWAYS,
        qualifier: int | None = None,
    ) -> Operation[Sequence[Answer]]:
        """Ask for services with the rights that were agreed on, and return one answer for each.

        Raises:
            what `_answers` raises, and what opening a session raises.
        """
        guards: tuple[Request, ...] = ()
        if self._in_session:
            if self._half_open or not self._has_session:
                yield from self._open_session()
        elif self._security is not None:
            guards = (self._security,)
        outcome = yield Ask((*guards, *services), response_control, qualifier, None, self._in_session)
        return self._answers(outcome, len(guards))

    def _plainly(self, *services: Request) -> Operation[Sequence[Answer]]:
        """Ask for services as they are: no Security before them, and no session opened for them."""
        outcome = yield Ask(services)
        return self._answers(outcome, 0)

    def _answers(self, outcome: Outcome, guards: int) -> Sequence[Answer]:
        """Return the answers to what was asked behind the guards.

        Raises:
            PasswordRefused: Security was refused.
            WriteUnknown: there is no answer, and something may have been changed.
            RemoteError, LocalError: there is no answer.
        """
        if isinstance(outcome, Failed):
            raise self._failure(outcome)
        if not isinstance(outcome, Completed):
            raise StateError("the exchange did not end")
        self._dropped.clear()
        answers = outcome.responses
        for answer in answers[:guards]:
            if isinstance(answer, ErrorResponse):
                raise self._security_error(answer)
        return answers[guards:]

    def _failure(self, outcome: Failed) -> C1222Error:
        exchange = outcome.exchange
        dropped = "; ".join(self._dropped.values())
        self._dropped.clear()
        error = explained(outcome.error, secured=bool(self.initiator.mode), dropped=dropped)
        if outcome.unknown:
            changing = [service for service in exchange.asked_services if (service.service or "unknown") in _CHANGING]
            if changing:
                table = changing[0].table if isinstance(changing[0], TableAccess) else None
                return WriteUnknown(table, exchange, error)
        return error

    @staticmethod
    def _security_error(answer: ErrorResponse) -> C1222Error:
        refusal = answer.error("Security")
        return refusal if refusal.transient or refusal.whole_message else PasswordRefused(refusal)

    def _ok(self, answer: Answer, request: Request, *, detail: str = "") -> Response:
        """Return an answer that is ok.

        Raises:
            CutShort: there is none.
            DecodeError: it is not what its code says.
            Refusal: the meter refused; raised as the class of the response code.
        """
        what = detail or (table_name(request.table) if isinstance(request, TableAccess) else "")
        if isinstance(answer, Response) and not isinstance(answer, ErrorResponse):
            return answer
        if isinstance(answer, ErrorResponse):
            raise answer.error(what)
        if isinstance(answer, MalformedService) and answer.fault is not None:
            raise answer.fault
        raise CutShort.unanswered(f"{request.service} {what}".rstrip())

    def _one(self, request: Request, *, detail: str = "", plainly: bool = False) -> Operation[Any]:
        """Ask for one service and return its response, of the class that answers it."""
        answers = yield from self._plainly(request) if plainly else self._exchange(request)
        return self._ok(answers[0] if answers else None, request, detail=detail)

    # The session.

    def _open_session(self) -> Operation[int]:
        """Log on and present the password; return the idle time granted, seconds.

        A session that the meter holds for our title and we do not know of is ended before: an earlier Logon was
        cancelled or its answer got lost, or a program that logged on in this name is gone. In a secured mode only a
        refusal that was verified tells so.
        """
        if self._half_open:
            yield from self._abort()
        elif self._has_session:
            raise StateError("there is a session already: log off first")
        self._half_open = True
        answer = yield from self._log_on()
        if isinstance(answer, ErrorResponse) and answer.code == Isss.code:
            yield from self._abort()
            self._half_open = True
            answer = yield from self._log_on()
        if isinstance(answer, ErrorResponse):
            self._half_open = False
            refusal = answer.error("Logon")
            raise refusal if refusal.transient or refusal.whole_message else LogonRefused(refusal, self._logon.user_id)
        self._ok(answer, self._logon)
        if self._security is not None:
            outcome = yield Ask((self._security.replace(user_id=None),), in_session=True)
            try:
                self._answers(outcome, 1)
            except PasswordRefused:
                self._half_open = False
                yield from self._close_session()
                raise
        self._half_open = False
        return self.initiator.session.timeout

    def _log_on(self) -> Operation[Answer]:
        outcome = yield Ask((self._logon,))
        if isinstance(outcome, Failed) and not outcome.unknown:
            self._half_open = False  # it was not sent
        (answer,) = self._answers(outcome, 0)
        return answer

    def _abort(self) -> Operation[None]:
        """End whatever session the meter has with us; one that refuses that has none."""
        yield from self._plainly(TerminateRequest())
        self._half_open = False

    def _close_session(self) -> Operation[None]:
        """End the session if there is one, or may be; whether the meter hears it or not, it is over."""
        if self._half_open:
            self._half_open = False
            yield Ask((TerminateRequest(),), ResponseControl.NEVER)
        elif self._has_session:
            yield Ask((LogoffRequest(),), timing=_FAREWELL)
