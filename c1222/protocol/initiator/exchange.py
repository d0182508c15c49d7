"""One exchange: what was asked, how often it was sent, and what came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1222.message.epsem import ResponseControl
from c1222.protocol.state import EXCHANGE, REPEATABLE, ExchangeState, Exchanging, follow
from c1222.services import ErrorResponse
from c1222.services.results import Bsy, Dnr, Rqtl, Rstl
from c1222.services.session import SecurityRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.errors import C1222Error
    from c1222.protocol.message import Message
    from c1222.protocol.policy import Timing
    from c1222.services import Request
    from c1222.services.malformed import Answer

__all__ = ["Exchange"]

_BUSY: Final = frozenset({Bsy.code, Dnr.code})
_TOO_LARGE: Final = {Rqtl.code: "request", Rstl.code: "response"}


class Exchange:
    """Services sent to a peer in one message, and what became of them. Made by ``Initiator.request``.

    Attributes:
        services: what was asked for, in order.
        response_control: when an answer is wanted.
        qualifier: bits of the calling AE qualifier: 1 TEST, 2 URGENT, 4 NOTIFICATION; None for none.
        timing: how long to wait and how often to try.
        in_session: whether it must not be sent outside of a session.
        tag: for the owner, who may keep anything here.
        state: where it is.
        invocation_id: of the message sent last.
        octets: of the message sent last; empty before.
        attempts: how often they were sent.
        busy: how often the peer was busy.
        started: when the message sent last was first sent.
        error: why it failed.
        responses: one for each service, once it is done.
    """

    __slots__ = (
        "asked",
        "attempts",
        "busy",
        "deadline",
        "error",
        "hint",
        "hint_mark",
        "hinted",
        "hints",
        "in_session",
        "invocation_id",
        "octets",
        "qualifier",
        "request",
        "response_control",
        "responses",
        "services",
        "started",
        "state",
        "tag",
        "timing",
    )

    def __init__(
        self,
        services: tuple[Request, ...],
        timing: Timing,
        response_control: ResponseControl = ResponseControl.ALWAYS,
        qualifier: int | None = None,
        *,
        in_session: bool = False,
        tag: Any = None,
    ) -> None:
        self.services = services
        self.response_control = response_control
        self.qualifier = qualifier
        self.timing = timing
        self.in_session = in_session
        self.tag = tag
        self.state = ExchangeState.QUEUED
        self.invocation_id = -1
        self.octets = b""
        self.attempts = 0
        self.busy = 0
        self.started = 0.0
        self.deadline = 0.0
        self.error: C1222Error | None = None
        self.hint: C1222Error | None = None
        self.hint_mark: int | None = None
        self.hints = 0
        self.hinted = 0
        self.request: Message | None = None
        self.asked: Sequence[int] = range(len(services))
        self.responses: tuple[Answer, ...] = ()

    def happened(self, event: Exchanging) -> None:
        """Follow the table of states.

        Raises:
            StateError: this cannot happen now.
        """
        self.state = follow(EXCHANGE, self.state, event)

    def sent_first(self, invocation_id: int, octets: bytes, request: Message, now: float) -> None:
        """Note the message that goes out now for the first time."""
        self.invocation_id = invocation_id
        self.octets = octets
        self.request = request
        self.started = now
        self.begin_attempts()

    def begin_attempts(self) -> None:
        """Begin to count attempts and hints."""
        self.attempts = self.hints = self.hinted = 0
        self.error = self.hint = self.hint_mark = None

    def take_hint(self, error: C1222Error, now: float, *, mark: int | None = None) -> None:
        """Note what somebody says about why there is no answer; of each attempt it counts once.

        The next attempt comes sooner; the error is the exchange's own if it comes to one.

        Args:
            error: what is said.
            now: the clock.
            mark: the id of the message that said it; the same again is a copy of it and does not count.
        """
        if mark is not None and mark == self.hint_mark:
            return
        self.hint = error
        self.hint_mark = mark
        if self.hinted < self.attempts:
            self.hinted = self.attempts
            self.hints += 1
        self.deadline = min(self.deadline, now if self.hints > 1 else now + self.timing.second_opinion)

    def take(self, answers: Sequence[Answer]) -> None:
        """Put the answers to the services asked last in their places."""
        if len(answers) == len(self.services):
            self.responses = tuple(answers)
            return
        responses = list(self.responses)
        for index, answer in zip(self.asked, answers, strict=True):
            responses[index] = answer
        self.responses = tuple(responses)

    def refused_for_now(self, *, sessionless: bool) -> list[int]:
        """Return which services to ask again because the peer was busy: none when it was not.

        From the first busy answer on these are the busy ones, those without an answer, and those that change nothing,
        whose answers may have been out of date (a write that starts a procedure, a read of its result). What was done
        is not asked again. Without a session, Security goes before them anew: rights last for one message.
        """
        responses = self.responses
        first = next((index for index, answer in enumerate(responses) if _is_busy(answer)), None)
        if first is None:
            return []
        again = [
            index
            for index in range(first, len(responses))
            if responses[index] is None or _is_busy(responses[index]) or self.services[index].service in REPEATABLE
        ]
        if sessionless:
            again[:0] = [index for index in range(first) if isinstance(self.services[index], SecurityRequest)]
        return again

    def reported_limits(self) -> dict[str, int]:
        """Return the limits that came with rqtl (``request``) and rstl (``response``), in octets."""
        limits: dict[str, int] = {}
        for answer in self.responses:
            if isinstance(answer, ErrorResponse) and answer.code in _TOO_LARGE:
                limit = answer.details.get("max_size")
                if limit:
                    limits[_TOO_LARGE[answer.code]] = limit
        return limits

    @property
    def asked_services(self) -> Sequence[Request]:
        """The services of the message sent last, or to be sent next."""
        if len(self.asked) == len(self.services):
            return self.services
        return [self.services[index] for index in self.asked]

    @property
    def request_body(self) -> bytes:
        """The services of the message sent last, as they stand in it: what the answer needs to be read."""
        return b"" if self.request is None else self.request.request_body

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen by itself."""
        return self.state in _OVER

    def __repr__(self) -> str:
        names = ", ".join(str(service.service) for service in self.services)
        return f"<Exchange {self.invocation_id} [{names}] {self.state}>"


_OVER: Final = frozenset({ExchangeState.DONE, ExchangeState.SILENT, ExchangeState.FAILED})


def _is_busy(answer: Answer) -> bool:
    return isinstance(answer, ErrorResponse) and answer.code in _BUSY
