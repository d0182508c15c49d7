"""The exchange of services with one meter: in a session or without one, with the rights that were agreed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.client.errors import CutShort, LogonRefused, PasswordRefused, WriteUnknown, explained
from c1222.client.serial_initiator import SerialInitiator
from c1222.client.steps import Ask
from c1222.errors import PeerSilent, StateError, Unreachable
from c1222.message.epsem import ResponseControl
from c1222.protocol.events import Completed, Dropped, Failed
from c1222.protocol.policy import Timing
from c1222.protocol.state import SessionState
from c1222.services import Effect, ErrorResponse, Response, services_that
from c1222.services.malformed import MalformedService
from c1222.services.results import Isss
from c1222.services.session import LogoffRequest, LogonRequest, SecurityRequest, TerminateRequest
from c1222.services.tables import TableAccess, table_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.client.clock import TimeSource
    from c1222.client.steps import Asker, Operation, Outcome
    from c1222.errors import C1222Error
    from c1222.protocol.events import InitiatorEvent
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = ["Conversation", "Login", "expect_ok"]

_CHANGING: Final = services_that(Effect.CHANGES)
_LOGOFF_TIMING: Final = Timing(timeout=2.0, attempts=1, busy_tries=0)


class Login(NamedTuple):
    """As which user to talk to a meter.

    Attributes:
        logon: opens a session.
        security: presents the password; None without one.
        padding: octet that fills passwords up.
        session: talk in a session, opened before the first request; otherwise every message stands alone, and begins
            with the password.
    """

    logon: LogonRequest
    security: SecurityRequest | None
    padding: bytes
    session: bool

    def of_user(
        self, user_id: int | None, user: str | bytes | None, password: str | bytes | None, idle: int | None
    ) -> Login:
        """Return the login of another user; what is None stays as it is.

        Raises:
            EncodeError: a name or password has no form on the wire.
        """
        number = self.logon.user_id if user_id is None else user_id
        security = self.security
        if password is not None:
            security = SecurityRequest.of(password, number, padding=self.padding)
        elif security is not None:
            security = security.replace(user_id=number)
        logon = LogonRequest.of(
            number, self.logon.user if user is None else user, self.logon.timeout if idle is None else idle
        )
        return self._replace(logon=logon, security=security)


class Conversation:
    """Exchanges services with one meter.

    Args:
        initiator: the protocol core.
        login: as which user.
        clock: what time it is.

    Attributes:
        initiator: the protocol core.
        login: as which user; used from the next session or message on.
        clock: what time it is.
    """

    def __init__(self, initiator: Asker, login: Login, clock: TimeSource) -> None:
        self.initiator = initiator
        self.login = login
        self.clock = clock
        self._in_session = login.session
        self._half_open = False  # a Logon was sent, and whether the session stands with our rights is not known
        self._silent = False  # the last request was left without an answer
        self._dropped: dict[str, str] = {}

    def note(self, event: InitiatorEvent) -> None:
        """Take an event that is not the end of the exchange that is waited for (called by pumps)."""
        if isinstance(event, Dropped):
            self._dropped[event.reason] = event.text

    def look_at_session(self) -> None:
        """Notice that the session was idle for too long (called by pumps before a verb)."""
        idle_at = self.initiator.session.idle_at
        if idle_at is not None and self.clock.now >= idle_at:
            self.initiator.tick(now=self.clock.now, utc=self.clock.utc)

    @property
    def has_session(self) -> bool:
        """Whether a session is open."""
        return self.initiator.session.state is SessionState.OPEN

    def agree_on_sizes(self) -> Operation[None]:
        """Open the session first where only that tells how long messages may be: over a serial line.

        Raises:
            what `open_session` raises.
        """
        if isinstance(self.initiator, SerialInitiator) and (self._half_open or not self.has_session):
            yield from self.open_session()

    # Exchanges.

    def exchange(self, *services: Request) -> Operation[Sequence[Answer]]:
        """Ask for services with the rights that were agreed on, and return one answer for each.

        Raises:
            what `answers_of` raises, and what opening a session raises.
        """
        guards: tuple[Request, ...] = ()
        if self._in_session:
            if self._half_open or not self.has_session:
                yield from self.open_session()
        elif self.login.security is not None:
            guards = (self.login.security,)
        outcome = yield Ask((*guards, *services), in_session=self._in_session)
        return self.answers_of(outcome, len(guards))

    def exchange_as_is(
        self,
        *services: Request,
        response_control: ResponseControl = ResponseControl.ALWAYS,
        qualifier: int | None = None,
    ) -> Operation[Sequence[Answer]]:
        """Ask for services as they are: no Security before them, and no session opened for them.

        Raises:
            what `answers_of` raises.
        """
        outcome = yield Ask(services, response_control, qualifier)
        return self.answers_of(outcome)

    def request(self, service: Request, *, detail: str = "", as_is: bool = False) -> Operation[Any]:
        """Ask for one service, and return its response, of the class that answers it.

        Raises:
            what `exchange` and `expect_ok` raise.
        """
        answers = yield from self.exchange_as_is(service) if as_is else self.exchange(service)
        return expect_ok(answers[0] if answers else None, service, detail=detail)

    def answers_of(self, outcome: Outcome, guards: int = 0) -> Sequence[Answer]:
        """Return the answers to what was asked after so many Security services.

        Raises:
            PasswordRefused: Security was refused.
            WriteUnknown: there is no answer, and something may have been changed.
            RemoteError, LocalError: there is no answer.
        """
        if isinstance(outcome, Failed):
            self._silent = isinstance(outcome.error, (PeerSilent, Unreachable))
            raise self._failure(outcome)
        if not isinstance(outcome, Completed):
            raise StateError("the exchange did not end")
        self._silent = False
        self._dropped.clear()
        answers = outcome.responses
        for answer in answers[:guards]:
            if isinstance(answer, ErrorResponse):
                refusal = answer.error("Security")
                raise refusal if refusal.transient or refusal.whole_message else PasswordRefused(refusal)
        return answers[guards:]

    def _failure(self, outcome: Failed) -> C1222Error:
        exchange = outcome.exchange
        dropped = "; ".join(self._dropped.values())
        self._dropped.clear()
        serial = isinstance(self.initiator, SerialInitiator)
        error = explained(outcome.error, secured=bool(self.initiator.mode), serial=serial, dropped=dropped)
        if outcome.unknown:
            changing = [service for service in exchange.asked_services if (service.service or "unknown") in _CHANGING]
            if changing:
                table = changing[0].table if isinstance(changing[0], TableAccess) else None
                return WriteUnknown(table, exchange, error)
        return error

    # The session.

    def open_session(self) -> Operation[int]:
        """Log on and present the password; return the idle time granted, seconds.

        A session that the meter holds for our title and we do not know of is ended before: an earlier Logon was
        cancelled or its answer got lost, or a program that logged on in this name is gone. In a secured mode only a
        refusal that was verified tells so.
        """
        if self._half_open:
            yield from self._abort()
        elif self.has_session:
            raise StateError("there is a session already: log off first")
        self._half_open = True
        answer = yield from self._log_on()
        if isinstance(answer, ErrorResponse) and answer.code == Isss.code:
            yield from self._abort()
            self._half_open = True
            answer = yield from self._log_on()
        logon = self.login.logon
        if isinstance(answer, ErrorResponse):
            self._half_open = False
            refusal = answer.error("Logon")
            raise refusal if refusal.transient or refusal.whole_message else LogonRefused(refusal, logon.user_id)
        expect_ok(answer, logon)
        if self.login.security is not None:
            try:
                yield from self.present(self.login.security, in_session=True)
            except PasswordRefused:
                self._half_open = False
                yield from self.close_session()
                raise
        self._half_open = False
        self._in_session = True
        return self.initiator.session.timeout

    def present(self, security: SecurityRequest, *, in_session: bool) -> Operation[None]:
        """Present a password: to the session, or in a message of its own.

        Raises:
            what `answers_of` raises.
        """
        outcome = yield Ask((security.replace(user_id=None) if in_session else security,), in_session=in_session)
        self.answers_of(outcome, 1)

    def end_session(self, service: Request) -> Operation[None]:
        """Ask for a service that ends the session; from now on there is one again only if the login wants one.

        Raises:
            what `answers_of` and `expect_ok` raise.
        """
        self._in_session = self.login.session
        (answer,) = yield from self.exchange_as_is(service)
        if not isinstance(answer, ErrorResponse) or answer.code == Isss.code:
            self._half_open = False
        expect_ok(answer, service)

    def close_session(self) -> Operation[None]:
        """End the session if there is one, or may be; whether the meter hears it or not, it is over.

        An answer is waited for only if the last request had one.
        """
        if isinstance(self.initiator, SerialInitiator):
            self._half_open = False
            if self.initiator.farewell:
                yield Ask(self.initiator.farewell, timing=_LOGOFF_TIMING)
        elif self._half_open:
            self._half_open = False
            yield Ask((TerminateRequest(),), ResponseControl.NEVER)
        elif self.has_session and self._silent:
            yield Ask((LogoffRequest(),), ResponseControl.NEVER)
        elif self.has_session:
            yield Ask((LogoffRequest(),), timing=_LOGOFF_TIMING)

    def _log_on(self) -> Operation[Answer]:
        outcome = yield Ask((self.login.logon,))
        if isinstance(outcome, Failed) and not outcome.unknown:
            self._half_open = False  # it was not sent
        (answer,) = self.answers_of(outcome)
        return answer

    def _abort(self) -> Operation[None]:
        """End whatever session the meter has with us; one that refuses that has none."""
        if isinstance(self.initiator, SerialInitiator) and not self.initiator.farewell:
            self._half_open = False  # it ends by silence, and nothing else is asked before
            return
        yield from self.exchange_as_is(TerminateRequest())
        self._half_open = False


def expect_ok(answer: Answer, request: Request, *, detail: str = "") -> Response:
    """Return an answer that is ok.

    Args:
        answer: what came, None for nothing.
        request: the service it answers.
        detail: what it was about, for people; the name of the table when empty.

    Raises:
        CutShort: there is none.
        DecodeError: it is not what its code says.
        Refusal: the meter refused; raised as the class of the response code.
    """
    if isinstance(answer, Response) and not isinstance(answer, ErrorResponse):
        return answer
    what = detail or (table_name(request.table) if isinstance(request, TableAccess) else "")
    if isinstance(answer, ErrorResponse):
        raise answer.error(what)
    if isinstance(answer, MalformedService) and answer.fault is not None:
        raise answer.fault
    raise CutShort.unanswered(f"{request.service} {what}".rstrip())
