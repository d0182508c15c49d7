"""What is said over a serial line for each service that a client asks for, as generators.

They yield requests, a pause, or that the line be quiet, and are sent the responses.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1222.errors import RemoteError, StateError
from c1222.serial.opening import identify_device, prove_key, set_up_link
from c1222.serial.session_state import SerialState
from c1222.services import ErrorResponse, Refusal
from c1222.services.identify import IdentifyRequest
from c1222.services.results import Bsy, Dnr, Sns
from c1222.services.session import LogonRequest, SecurityRequest, SecurityResponse, TerminateRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeAlias

    from c1222.client.serial_line import SerialLine
    from c1222.protocol.policy import Timing
    from c1222.services import Request
    from c1222.services.identify import IdentifyResponse

    Talk: TypeAlias = Generator["Request | Respite | Quiet", Any, Any]

__all__ = ["Quiet", "Respite", "SerialServices"]

_DES_KEY: Final = 8
_BUSY: Final = frozenset({Bsy.code, Dnr.code})


class Respite(NamedTuple):
    """Let some time pass, in seconds."""

    seconds: float


class Quiet(Enum):
    """Wait until the device has given its session up, and the line is quiet."""

    LINE = "line"


class SerialServices:
    """How the services of a client are asked for.

    Args:
        line: the line, and what its meter is asked for.
        state: tells where the session of the link is.

    Attributes:
        is_set_up: whether sizes and rate are agreed on.
        failed_rate: bits per second at which a service was left without an answer last.
        fallbacks: how often a rate that was agreed on did not carry.
    """

    def __init__(self, line: SerialLine, state: Callable[[], SerialState]) -> None:
        self.is_set_up = False
        self.failed_rate = line.rate
        self.fallbacks = 0
        self._line = line
        self._state = state
        self._who: IdentifyResponse | None = None

    def say(self, service: Request, timing: Timing) -> Talk:
        """Ask for a service, with all that belongs to it; its response is the result.

        Args:
            service: in the form of C12.22.
            timing: how often a busy meter is asked again, and when.

        Raises:
            C1222Error: there is no answer, or it has no form here.
        """
        if isinstance(service, IdentifyRequest):
            known = self._who if self._state() != SerialState.BASE else None
            return known or (yield from self._identified())
        if isinstance(service, LogonRequest):
            return (yield from self._log_on(service, timing))
        if isinstance(service, SecurityRequest):
            return (yield from self._prove(service, timing))
        return (yield from self._asked(service, timing))

    def _asked(self, service: Request, timing: Timing) -> Talk:
        """Ask for a service, again when the meter is busy."""
        answer = yield service
        for _ in range(timing.busy_tries):
            if not isinstance(answer, ErrorResponse) or answer.code not in _BUSY:
                break
            yield Respite(timing.busy_pause)
            answer = yield service
        return answer

    def _identified(self) -> Talk:
        try:
            self._who = yield from identify_device()
        except Refusal as refusal:
            return ErrorResponse.of(refusal, "identify")
        return self._who

    def _log_on(self, service: LogonRequest, timing: Timing) -> Talk:
        """Say who we are, set up the link, log on; once more at the first rate if the one agreed on does not carry."""
        logon = self._line.logon
        user = service.user.rstrip(b" ").ljust(len(service.user), logon.user_padding)
        if self._state() == SerialState.SESSION:  # the device has forgotten it, or we have
            yield TerminateRequest()
            if self._state() == SerialState.SESSION:
                yield Quiet.LINE
        for rates in (() if self.fallbacks else logon.rates, ()):
            try:
                if self._state() == SerialState.BASE:
                    answer = yield from self._identified()
                    if isinstance(answer, ErrorResponse):
                        return answer
                if not self.is_set_up:
                    yield from set_up_link(logon._replace(rates=rates))
                    self.is_set_up = True
                return (yield from self._asked(service.replace(timeout=None, user=user), timing))
            except Refusal as refusal:
                return ErrorResponse.of(refusal, "logon")
            except RemoteError:
                if self.failed_rate == self._line.rate or not rates:
                    raise
                self.fallbacks += 1
                yield Quiet.LINE
        raise AssertionError  # the second time around returns or raises

    def _prove(self, service: SecurityRequest, timing: Timing) -> Talk:
        """Present the password, or prove that we have the key."""
        key_id = self._line.authenticate
        if key_id is None:
            answer = yield from self._asked(service.replace(user_id=None), timing)
            unknown = isinstance(answer, ErrorResponse) and answer.code == Sns.code
            return SecurityResponse() if unknown else answer  # a meter without passwords gives its rights to all [1]
        if self._who is None:
            raise StateError("no session was opened")
        if service.password[_DES_KEY:].strip(b" \0"):
            raise StateError(f"a key of DES has {_DES_KEY} octets: it stands in the place of the password")
        try:
            yield from prove_key(self._who, key_id, service.password[:_DES_KEY])
        except Refusal as refusal:
            return ErrorResponse.of(refusal, "security")
        return SecurityResponse()
