"""Sessions, from both sides: what one remembers of the session it opened, and a node of those opened there.

Rights and the security of messages without an authentication value last as long as the session. Origin: bound to the
pair of titles, one Logon at a time [1]; key id and vector of the first message hold for those without: Elster
MeteringSDK [1].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from c1222.message.epsem import SecurityMode
from c1222.protocol.state import END_SERVICES, SESSION, NodeState, SessionEvent, SessionState, follow
from c1222.security.receiving import Freshness, SessionGuard
from c1222.services import ErrorResponse
from c1222.services.results import Isss
from c1222.services.session import LogonResponse, WaitRequest, WaitResponse

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from c1222.message.aptitle import ApTitle
    from c1222.security.sealing import SessionSecurity
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = ["Grants", "OwnSession", "Session", "SessionTable", "concerns_session"]


def concerns_session(services: Iterable[Request]) -> bool:
    """Return whether a service among these opens or ends a session."""
    return any(service.service == "logon" or service.service in END_SERVICES for service in services)


class OwnSession:
    """The session that an initiator has with its peer, or has not.

    Attributes:
        state: where it is.
        timeout: idle time the peer granted, seconds; 0 for no limit.
        idle_at: when the peer may have ended it, on the clock of ``now``; None for never.
        own_security: what our first message carried, None in cleartext.
        peer_security: what the peer's last message with such carried.
    """

    __slots__ = ("idle_at", "own_security", "peer_security", "state", "timeout")

    def __init__(self) -> None:
        self.state = SessionState.IDLE
        self.timeout = 0
        self.idle_at: float | None = None
        self.own_security: SessionSecurity | None = None
        self.peer_security: SessionSecurity | None = None

    @property
    def is_active(self) -> bool:
        """Whether there is a session, or is about to be."""
        return self.state is not SessionState.IDLE

    @property
    def securities(self) -> tuple[SessionSecurity, ...]:
        """What an answer without an authentication value may be sealed with, the likeliest first."""
        return tuple([one for one in (self.peer_security, self.own_security) if one is not None])

    def sending(self, services: Sequence[Request]) -> None:
        """Note that a message with these services is sent.

        Raises:
            StateError: a Logon inside a session.
        """
        for service in services:
            if service.service == "logon":
                self.state = follow(SESSION, self.state, SessionEvent.LOGON_SENT)
                return
            if service.service in END_SERVICES:
                self.state = follow(SESSION, self.state, SessionEvent.END_SENT)
                return

    def answered(
        self, services: Sequence[Request], answers: Sequence[Answer], sent: float
    ) -> list[Literal["opened", "ended"]]:
        """Note what came back to a message that :meth:`sending` noted, and return what became of sessions by it.

        Args:
            services: what was asked.
            answers: one for each.
            sent: when it was sent first; the peer counts its idle time from then at the earliest.
        """
        first = True
        stretch = 0
        changes: list[Literal["opened", "ended"]] = []
        for service, answer in zip(services, answers, strict=True):
            is_error = answer is None or isinstance(answer, ErrorResponse)
            if service.service == "logon":
                if not first:  # one message ends a session and opens another
                    self._follow(SessionEvent.LOGON_SENT)
                first = False
                self._follow(SessionEvent.LOGON_FAILED if is_error else SessionEvent.LOGON_OK)
                if isinstance(answer, LogonResponse):
                    self.timeout = answer.timeout or 0
                if not is_error:
                    changes.append("opened")
            elif service.service in END_SERVICES:
                if not first:
                    self._follow(SessionEvent.END_SENT)
                first = False
                gone = not is_error or (isinstance(answer, ErrorResponse) and answer.code == Isss.code)
                if gone and self.state is SessionState.CLOSING:
                    changes.append("ended")
                self._follow(SessionEvent.END_OK if gone else SessionEvent.END_REFUSED)
            elif isinstance(service, WaitRequest) and isinstance(answer, WaitResponse):
                stretch = service.seconds
        self.idle_at = sent + self.timeout + stretch if self.is_active and self.timeout else None
        return changes

    def unanswered(self, services: Sequence[Request]) -> None:
        """Note that no answer came: a Logon has failed then, and an end is an end."""
        for service in services:
            if service.service == "logon":
                self._follow(SessionEvent.LOGON_FAILED)
                return
            if service.service in END_SERVICES:
                self._follow(SessionEvent.END_OK)
                return

    def lost(self) -> None:
        """Note that it is over."""
        self._follow(SessionEvent.LOST)

    def _follow(self, event: SessionEvent) -> None:
        self.state = SESSION[self.state].get(event, self.state)
        if self.state is SessionState.IDLE:
            self.timeout = 0
            self.idle_at = None
            self.own_security = self.peer_security = None


class Grants:
    """What a peer may do: for the length of its session, or of one message outside of sessions. Handlers fill it in.

    Attributes:
        user_id: of the user, from Logon or Security; None for nobody.
        user: name of the user, from Logon, 10 octets.
        rights: whatever the handler grants; None until it does.
    """

    __slots__ = ("rights", "user", "user_id")

    def __init__(self) -> None:
        self.user_id: int | None = None
        self.user = b""
        self.rights: Any = None


class Session:
    """One session at a node.

    Attributes:
        calling: who opened it.
        called: whom it addressed.
        source: where its last message came from.
        peer: who opened it, as limits count.
        access: what it may do.
        timeout: idle time granted, seconds; 0 for no limit.
        deadline: when it ends by itself, on the clock of ``now``; None for never.
        opened: when it was opened.
        mode: how the Logon was secured; less is refused.
        peer_security: what messages of the peer without an authentication value are sealed with.
        own_security: the same for answers.
        counts_afresh: whether the peer began to number its messages from 0 or 1; None before the first one.
        state: always SESSION.
    """

    __slots__ = (
        "_guard",
        "_vector",
        "access",
        "called",
        "calling",
        "counts_afresh",
        "deadline",
        "key",
        "mode",
        "opened",
        "own_security",
        "peer",
        "peer_security",
        "source",
        "timeout",
    )

    state: Final = NodeState.SESSION

    def __init__(
        self,
        key: Hashable,
        *,
        calling: ApTitle | None,
        called: ApTitle | None,
        source: Hashable = None,
        peer: Hashable = None,
        access: Grants,
        timeout: int,
        now: float,
        mode: SecurityMode = SecurityMode.CLEARTEXT,
        security: SessionSecurity | None = None,
    ) -> None:
        self.key = key
        self.calling = calling
        self.called = called
        self.source = source
        self.peer = peer
        self.access = access
        self.timeout = timeout
        self.opened = now
        self.deadline: float | None = None
        self.mode = mode
        self.peer_security = security
        self.own_security: SessionSecurity | None = None
        self._guard = SessionGuard(-1)
        self._vector = b""
        self.counts_afresh: bool | None = None
        self.touch(now)

    def touch(self, now: float, *, stretch: int = 0) -> None:
        """Begin the idle time anew, once longer by ``stretch`` seconds."""
        self.deadline = now + self.timeout + stretch if self.timeout else None

    def is_new(self, iv: bytes, invocation_id: int) -> bool:
        """Return whether a message without an authentication value comes after all before it, and remember it then.

        Under one vector ids must grow. They may begin anew after the Logon, whose header is of another shape, and under
        a later vector.
        """
        if iv < self._vector:
            return False
        if iv > self._vector:
            self._guard = SessionGuard(-1)
            self._vector = iv
        return self._guard.check(invocation_id) is Freshness.FRESH

    @property
    def securities(self) -> tuple[SessionSecurity, ...]:
        """What a message without an authentication value may be sealed with, the likeliest first."""
        return tuple([one for one in (self.peer_security, self.own_security) if one is not None])

    def __repr__(self) -> str:
        return f"<Session of {self.calling} with {self.called}, user {self.access.user_id}>"


class SessionTable:
    """The sessions of one node, one for each pair of titles.

    Args:
        max_sessions: how many there may be.
    """

    __slots__ = ("_earliest", "_sessions", "max_sessions")

    def __init__(self, max_sessions: int) -> None:
        self.max_sessions = max_sessions
        self._sessions: dict[Hashable, Session] = {}
        self._earliest: float | None = None

    def get(self, key: Hashable) -> Session | None:
        """Return the session of a pair."""
        return self._sessions.get(key)

    @property
    def is_full(self) -> bool:
        """Whether no session can be added."""
        return len(self._sessions) >= self.max_sessions

    def add(self, session: Session) -> None:
        """Add a session."""
        self._sessions[session.key] = session
        if session.deadline is not None and (self._earliest is None or session.deadline < self._earliest):
            self._earliest = session.deadline

    def remove(self, session: Session) -> None:
        """Take a session away."""
        self._sessions.pop(session.key, None)

    def next_deadline(self) -> float | None:
        """Return when to look for idle sessions: when the first may be, or before."""
        return self._earliest

    def expired(self, now: float) -> list[Session]:
        """Take away and return the sessions that were idle for too long."""
        if self._earliest is None or now < self._earliest:
            return []
        over = [s for s in self._sessions.values() if s.deadline is not None and s.deadline <= now]
        for session in over:
            del self._sessions[session.key]
        self._earliest = min((s.deadline for s in self._sessions.values() if s.deadline is not None), default=None)
        return over

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def __len__(self) -> int:
        return len(self._sessions)
