"""Asking as the user: with the password in the message itself, or in a session."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from c1222.conformance.probe import Probe, quietly
from c1222.conformance.reply import said
from c1222.conformance.rules import NotApplicable
from c1222.services.results import Bsy, Isss
from c1222.services.session import LogoffRequest, LogonRequest, LogonResponse, TerminateRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.reply import Reply, Sent
    from c1222.security.sealing import SessionSecurity
    from c1222.services import Request

__all__ = ["IDLE", "ProbedSession", "get", "logged_on", "logon"]

IDLE: Final = 60
"""Idle time-out to ask for, seconds."""


class ProbedSession:
    """One session.

    Args:
        probe: how to ask.
        logon: the answer to the Logon.

    Attributes:
        probe: as given.
        logon: as given.
        security: key id and vector of our Logon; None in cleartext.
        is_open: whether we have not ended it.
    """

    def __init__(self, probe: Probe, logon: Reply) -> None:
        self.probe = probe
        self.logon = logon
        self.security: SessionSecurity | None = logon.sent.message.session_security
        self.is_open = True
        if self.security is not None:
            probe.remember(self.security)

    @property
    def timeout(self) -> int | None:
        """Idle time the node granted, seconds; 0 for no limit, None where it does not say."""
        answer = self.logon.first
        return answer.timeout if isinstance(answer, LogonResponse) else None

    def compose(self, *services: Request, bare: bool = False, **parts: Any) -> Sent:
        """Make a request of the session.

        Args:
            services: what it asks for.
            bare: leave key id and vector out.
            parts: see `Probe.compose`.
        """
        return self.probe.compose(*services, session=self.security if bare else None, **parts)

    def ask(self, *services: Request, bare: bool = False, **parts: Any) -> Reply:
        """Ask within the session; see `compose`.

        Raises:
            NoAnswer: none came that counts.
        """
        return self.probe.ask(*services, session=self.security if bare else None, **parts)

    def end(self) -> None:
        """End it, if we have not yet."""
        if self.is_open:
            self.is_open = False
            quietly(self.probe, LogoffRequest())


def logon(probe: Probe, idle: int = IDLE) -> Reply:
    """Ask for a session; end first what an earlier run may have left, if the node says that something is open.

    Raises:
        NoAnswer: none came that counts.
    """
    target = probe.target
    request = LogonRequest.of(target.user_id, target.user, idle)
    reply = probe.ask(request)
    if reply.code() in {Isss.code, Bsy.code}:
        quietly(probe, TerminateRequest())
        reply = probe.ask(request)
    return reply


@contextmanager
def logged_on(probe: Probe, *, password: bool = True, idle: int = IDLE) -> Iterator[ProbedSession]:
    """Open a session, and end it.

    Args:
        probe: how to ask.
        password: whether to present it.
        idle: idle time-out to ask for, seconds.

    Raises:
        NotApplicable: the node opens none, or refuses the password.
        NoAnswer: no answer came that counts.
    """
    reply = logon(probe, idle)
    if not reply.is_ok:
        raise NotApplicable(f"the node opens no session: it answers {getattr(reply.first, 'result', 'nothing')}")
    session = ProbedSession(probe, reply)
    try:
        security = probe.password(in_session=True) if password else ()
        if security and not (answer := session.ask(*security)).is_ok:
            probe.give_up_password(said(answer))
            raise NotApplicable("the node refuses the password in a session")
        yield session
    finally:
        session.end()


def get(probe: Probe, *services: Request, **parts: Any) -> Reply:
    """Ask as the user, with the password if there is one.

    Args:
        probe: how to ask.
        services: what for; the answer's responses are to these.
        parts: see `Probe.compose`.

    Raises:
        NoAnswer: none came that counts.
        NotApplicable: it takes a session, and that could not be opened.
    """
    if probe.target.sessionless:
        first = probe.password()
        reply = probe.ask(*first, *services, skip=len(first), **parts)
        if any(one is not None and one.code for one in reply.before):
            probe.give_up_password(said(reply))
        return reply
    with logged_on(probe) as session:
        return session.ask(*services, **parts)
