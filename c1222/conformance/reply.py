"""What came back for a request, taken as an answer as far as that is possible, with what is wrong about it.

The core drops an answer that quotes another id or names other titles. A check wants to see it, and the checks after it
want to go on: here it counts, and `Reply.problems` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from c1222.errors import PeerSilent
from c1222.protocol.initiator.matching import pair
from c1222.services import SERVICE_ERRORS, ErrorResponse, Request, Response
from c1222.services.malformed import MalformedService

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.message.acse import Acse
    from c1222.protocol.identity import Identity
    from c1222.protocol.message import Message
    from c1222.services.malformed import Answer

__all__ = ["NoAnswer", "Problem", "Reply", "Sent", "said"]


class Sent(NamedTuple):
    """A request.

    Attributes:
        message: what it says.
        octets: the APDU; not the message's own where it was damaged on purpose.
    """

    message: Message
    octets: bytes

    @property
    def requests(self) -> tuple[Request, ...]:
        """The services asked for."""
        return tuple(service for service in self.message.services if isinstance(service, Request))


class Problem(NamedTuple):
    """Something wrong about an answer as a whole.

    Attributes:
        kind: ``id``, ``titles``, ``security``, ``services``, ``findings``.
        text: for people.
    """

    kind: str
    text: str


class NoAnswer(PeerSilent):
    """No answer came that counts.

    Attributes:
        rejected: why what came instead does not count.
    """

    def __init__(self, text: str, rejected: Sequence[str] = ()) -> None:
        came = f"; what came does not count: {', '.join(dict.fromkeys(rejected))}" if rejected else ""
        super().__init__(f"{text}{came}")
        self.rejected = tuple(rejected)


class Reply:
    """An answer.

    Args:
        sent: the request.
        message: what came, opened.
        identity: who asked.
        skip: how many responses at the front answer requests that were put before those of the caller.
        strays: whether an answer came before it that nobody asked for.

    Attributes:
        sent: as given.
        message: as given.
        problems: what is wrong about it.
        responses: one for each service the caller asked for, None where there is none.
        before: the responses to what was put before them.
    """

    def __init__(
        self, sent: Sent, message: Message, identity: Identity, *, skip: int = 0, strays: bool = False
    ) -> None:
        self.sent = sent
        self.message = message
        responses_only = all(service.kind == "response" for service in message.services)
        paired = pair(sent.requests, message) if responses_only else None
        problems = list(_problems(sent, message, identity))
        if strays:
            problems.append(Problem("id", "before the answer came another, to an id that was not asked"))
        if paired is None:
            kinds = "responses" if responses_only else "services, requests among them, as responses"
            text = f"{len(message.services)} {kinds} to {len(sent.requests)} services asked for"
            problems.append(Problem("services", text))
            paired = [None] * len(sent.requests)
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.before: tuple[Answer, ...] = tuple(paired[:skip])
        self.responses: tuple[Answer, ...] = tuple(paired[skip:])

    @property
    def acse(self) -> Acse:
        """The elements of the APDU."""
        acse = self.message.acse
        if acse is None:
            raise NoAnswer("the answer has no elements")
        return acse

    @property
    def octets(self) -> bytes:
        """The APDU."""
        return self.message.octets

    @property
    def first(self) -> Answer:
        """The response to the first service."""
        return self.responses[0] if self.responses else None

    @property
    def is_ok(self) -> bool:
        """Whether every service asked for was answered with ok."""
        return bool(self.responses) and all(
            isinstance(response, Response) and not response.code for response in self.responses
        )

    @property
    def any_ok(self) -> bool:
        """Whether some service was answered with ok."""
        return any(octets[:1] == b"\0" for octets in self.message.service_octets)

    def code(self, index: int = 0) -> int | None:
        """Return the response code for a service; None where there is no response."""
        answer = self.responses[index] if index < len(self.responses) else None
        return None if answer is None else answer.code

    def __repr__(self) -> str:
        return f"<Reply {said(self)}>"


def _problems(sent: Sent, message: Message, identity: Identity) -> list[Problem]:
    """Return what is wrong about an answer as a whole."""
    request, found = sent.message, []
    quoted = message.called_invocation_id
    if quoted is None:
        found.append(Problem("id", "the answer quotes no id (A4)"))
    elif quoted != request.calling_invocation_id:
        found.append(Problem("id", f"the answer quotes the id {quoted}, asked was {request.calling_invocation_id}"))
    if not identity.same(message.called, request.calling):
        found.append(Problem("titles", f"the answer is for {message.called}, {request.calling} asked"))
    if not identity.same(message.calling, request.called):
        found.append(Problem("titles", f"the answer is from {message.calling}, {request.called} was asked"))
    if message.security_mode < request.security_mode and not _refuses(message):
        weaker = f"the answer is in {message.security_mode.label}, the request was in {request.security_mode.label}"
        found.append(Problem("security", weaker))
    found += [
        Problem("findings", f"{finding.path}: {finding.text}")
        for finding in message.findings
        if finding.level != "note"
    ]
    return found


def _refuses(message: Message) -> bool:
    """Return whether a message only refuses another one as a whole, which may be done in cleartext."""
    return all(isinstance(one, ErrorResponse) and SERVICE_ERRORS[one.code].whole_message for one in message.services)


def said(reply: Reply | None) -> str:
    """Return in words what was answered, in the order of the services."""
    if reply is None:
        return "nothing"
    words = []
    for answer in (*reply.before, *reply.responses):
        if answer is None:
            words.append("no response")
        elif isinstance(answer, MalformedService):
            words.append("a malformed response")
        elif isinstance(answer, (ErrorResponse, Response)):
            words.append(answer.result)
    return ", ".join(words) or "no services"
