"""Who talks to whom: which request a response answers, and what a session said about its security.

A listener sees messages of many nodes. Two of them belong together when their titles mirror each other, in their
absolute forms, and the response quotes the invocation id of the request; connections and directions say nothing, since
relays may answer from elsewhere. Inside a session only the first message of each side carries key id and
initialisation vector; they hold for the pair of nodes until others are seen.
Source: C12.22-2008 with errata as Elster MeteringSDK implements it [1]; captured exchanges with meters [V].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from c1222.message.acse import plan
from c1222.message.aptitle import DEFAULT_BASE, ApTitle

if TYPE_CHECKING:
    from c1222.message.acse import Acse
    from c1222.security.sealing import SessionSecurity

__all__ = ["MAX_REQUESTS", "MAX_SESSIONS", "Associations", "Ends"]

MAX_REQUESTS: Final = 10_000
"""Requests kept for their responses; the oldest goes first."""
MAX_SESSIONS: Final = 10_000
"""Pairs of nodes whose session security is kept; the one longest not renewed goes first."""
_REMEMBERED_TITLES: Final = 8192

_T = TypeVar("_T")


class Ends(NamedTuple):
    """The two nodes of a message, as content octets of their absolute titles; empty where the message names none."""

    called: bytes
    calling: bytes


class Associations(Generic[_T]):
    """The memory of a listener, bounded in both of its parts.

    Args:
        base: what makes relative titles absolute.
        max_requests: requests kept for their responses.
        max_sessions: pairs of nodes whose session security is kept.

    Attributes:
        evicted_requests: requests dropped because the memory was full; their responses go unpaired.
        evicted_sessions: sessions dropped because the memory was full.
    """

    __slots__ = (
        "_base",
        "_called",
        "_calling",
        "_ids",
        "_requests",
        "_sessions",
        "_titles",
        "evicted_requests",
        "evicted_sessions",
        "max_requests",
        "max_sessions",
    )

    def __init__(
        self, base: ApTitle = DEFAULT_BASE, *, max_requests: int = MAX_REQUESTS, max_sessions: int = MAX_SESSIONS
    ) -> None:
        tags = plan().tags
        self._base = base
        self._called = tags["called-AP-title"]
        self._calling = tags["calling-AP-title"]
        self._ids = tags["calling-AP-invocation-id"], tags["called-AP-invocation-id"]
        self._requests: dict[tuple[bytes, bytes, bytes], _T] = {}
        self._sessions: dict[Ends, SessionSecurity] = {}
        self._titles: dict[bytes, bytes] = {b"": b""}
        self.max_requests = max_requests
        self.max_sessions = max_sessions
        self.evicted_requests = 0
        self.evicted_sessions = 0

    def ends(self, acse: Acse) -> Ends:
        """Return the nodes of a message.

        Raises:
            DecodeError: a title is malformed.
        """
        octets, spans, titles = acse.octets, acse.spans, self._titles
        try:
            _, start, end = spans[self._called]
            called = titles[octets[start:end]]
            _, start, end = spans[self._calling]
            return Ends(called, titles[octets[start:end]])
        except KeyError:
            return Ends(self._absolute(acse.called), self._absolute(acse.calling))

    def _absolute(self, title: ApTitle | None) -> bytes:
        if title is None:
            return b""
        content = title.absolute(self._base).content
        if len(self._titles) >= _REMEMBERED_TITLES:
            self._titles = {b"": b""}
        self._titles[title.tlv()] = content
        return content

    def _invocation(self, acse: Acse, tag: int) -> bytes:
        # The integer without its tag and leading zeros: the same id has one form here, however it was sent.
        _, start, end = acse.spans[tag]
        return acse.octets[start + 2 : end].lstrip(b"\0")

    def request_of(self, acse: Acse, ends: Ends) -> _T | None:
        """Return the request that a response answers, None if none is known or the message is no response."""
        tag = self._ids[1]
        if tag not in acse.spans:
            return None
        return self._requests.get((ends.calling, ends.called, self._invocation(acse, tag)))

    def remember_request(self, acse: Acse, ends: Ends, request: _T) -> None:
        """Keep a request for its response; a repetition takes the place of the first."""
        requests = self._requests
        key = (ends.called, ends.calling, self._invocation(acse, self._ids[0]))
        if key in requests:
            del requests[key]  # the repetition counts as young
        elif len(requests) >= self.max_requests:
            del requests[next(iter(requests))]
            self.evicted_requests += 1
        requests[key] = request

    def sessions_of(self, ends: Ends) -> tuple[SessionSecurity, ...]:
        """Return what may hold for a message without authentication value: what its sender said last, then its peer."""
        found = [self._sessions.get(ends), self._sessions.get(Ends(ends.calling, ends.called))]
        return tuple(dict.fromkeys(session for session in found if session is not None))

    def remember_session(self, ends: Ends, session: SessionSecurity) -> None:
        """Keep what a verified message said about its key id and initialisation vector."""
        sessions = self._sessions
        if sessions.pop(ends, None) is None and len(sessions) >= self.max_sessions:
            del sessions[next(iter(sessions))]
            self.evicted_sessions += 1
        sessions[ends] = session
