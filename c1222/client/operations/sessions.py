"""Verbs of the conversation itself: who are you, open and end a session, present a password, ask anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.client.steps import Repeat
from c1222.errors import StateError
from c1222.services.identify import IdentifyRequest
from c1222.services.session import (
    DisconnectRequest,
    LogoffRequest,
    SecurityRequest,
    TerminateRequest,
    WaitRequest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from c1222.client.errors import WriteUnknown
    from c1222.client.operations.conversation import Conversation
    from c1222.client.steps import Operation
    from c1222.services import Request
    from c1222.services.identify import IdentifyResponse
    from c1222.services.malformed import Answer

__all__ = ["IDLE_TIMEOUT", "SessionVerbs"]

IDLE_TIMEOUT: Final = 60
"""Idle time to ask for in a Logon, seconds; Elster MeteringSDK's number [1]."""


class SessionVerbs:
    """Identify, Logon, Security, Wait, Logoff, Terminate, Disconnect; and whatever has no verb of its own."""

    conversation: Conversation

    def identify(self) -> Operation[IdentifyResponse]:
        """Ask which standard the meter speaks and what it can do. Needs no password, and opens no session.

        Returns:
            Standard, version and features; ``as_dict()`` has them in words.

        Raises:
            PeerSilent, Unreachable, ConnectionLost: there is no answer; Refusal: the meter refused.
        """
        answer: IdentifyResponse = yield from self.conversation.request(IdentifyRequest(), as_is=True)
        return answer

    def logon(
        self,
        user_id: int | None = None,
        user: str | bytes | None = None,
        password: str | bytes | None = None,
        *,
        timeout: int = IDLE_TIMEOUT,
    ) -> Operation[int]:
        """Open a session, and present the password. What follows belongs to the session until `logoff`.

        Where a session is wanted from the start, this is done before the first request if it was not called. A meter
        has one session for a pair of titles: one that it holds for ours already, such as that of a program that is
        gone, is terminated first. Programs that talk to one meter at the same time need titles of their own.

        Args:
            user_id: number of the user, 0..65535; as given to `connect` when None.
            user: name of the user, up to 10 characters; as given to `connect` when None.
            password: up to 20 octets, or a text, which is encoded as UTF-8; as given to `connect` when None.
            timeout: idle time after which the session shall end, seconds; 0 for never.

        Returns:
            The idle time that the meter granted, seconds; 0 for no limit.

        Raises:
            LogonRefused, PasswordRefused: the meter refused; StateError: there is a session already.
            PeerSilent, Unreachable, ConnectionLost: there is no answer.
        """
        conversation = self.conversation
        conversation.login = conversation.login.of_user(user_id, user, password, timeout)
        return (yield from conversation.open_session())

    def security(self, password: str | bytes, user_id: int | None = None) -> Operation[None]:
        """Present a password: to the session, or in a message of its own, and then first in every message.

        Args:
            password: up to 20 octets, or a text, which is encoded as UTF-8.
            user_id: number of the user, 0..65535; as given to `connect` or `logon` when None.

        Raises:
            PasswordRefused: the meter refused it.
            PeerSilent, Unreachable, ConnectionLost: there is no answer.
        """
        conversation = self.conversation
        login = conversation.login
        number = login.logon.user_id if user_id is None else user_id
        security = SecurityRequest.of(password, number, padding=login.padding)
        yield from conversation.present(security, in_session=conversation.has_session)
        conversation.login = login._replace(security=security)

    def wait(self, seconds: int) -> Operation[None]:
        """Ask the meter to extend the session's next idle time-out once.

        Args:
            seconds: by how much, 0..255.

        Raises:
            Refusal: the meter refused, Isss when there is no session.
            PeerSilent, Unreachable, ConnectionLost: there is no answer.
        """
        yield from self.conversation.request(WaitRequest(seconds), as_is=True)

    def logoff(self) -> Operation[None]:
        """End the session, and keep the connection.

        Raises:
            Refusal: the meter refused, Isss when it knows of no session.
            PeerSilent, Unreachable, ConnectionLost: there is no answer; for us the session is over all the same.
        """
        yield from self.conversation.end_session(LogoffRequest())

    def terminate(self) -> Operation[None]:
        """Abort whatever session the meter has with us, from any state.

        Raises:
            Refusal: the meter refused.
            PeerSilent, Unreachable, ConnectionLost: there is no answer; for us the session is over all the same.
        """
        yield from self.conversation.end_session(TerminateRequest())

    def disconnect(self) -> Operation[None]:
        """End the session, and ask the meter to release the connection.

        Raises:
            Refusal: the meter refused.
            PeerSilent, Unreachable, ConnectionLost: there is no answer; for us the session is over all the same.
        """
        yield from self.conversation.end_session(DisconnectRequest())

    def ask(self, *services: Request) -> Operation[Sequence[Answer]]:
        """Ask for any services in one message, with the rights and in the session that were agreed on.

        Args:
            services: requests of `c1222.services`.

        Returns:
            One answer for each: a response, an `ErrorResponse` where the meter refused, a `MalformedService` where its
            octets are no response, None where there is none.

        Raises:
            WriteUnknown: there is no answer, and something may have been changed.
            PeerSilent, Unreachable, ConnectionLost, SessionLost: there is no answer.
        """
        answers = yield from self.conversation.exchange(*services)
        return answers

    def repeat(self, error: WriteUnknown) -> Operation[Any]:
        """Send the octets of a write that was left without an answer once more, and do what was left to do.

        The meter remembers what it has carried out, and answers again without carrying it out twice: those of this
        library for 120 s, so it is refused here when that may be over.

        Args:
            error: what the verb raised.

        Returns:
            What the verb would have returned.

        Raises:
            StateError: it is too late, or its session is over: read the table back.
            WriteUnknown: there is no answer again; Refusal: the meter refused.
        """
        if not error.can_be_repeated:
            raise StateError("the connection or session it belongs to is over: read the table back")
        outcome = yield Repeat(error.exchange)
        exchange = error.exchange
        guards = next((i for i, service in enumerate(exchange.services) if not isinstance(service, SecurityRequest)), 0)
        try:
            answers = self.conversation.answers_of(outcome, guards)
        except type(error) as same:
            same.finish = error.finish
            raise
        if error.finish is None:
            return answers
        return (yield from error.finish(answers))
