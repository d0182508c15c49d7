"""Who talks to whom: which request a response answers, and what a session said about its security.

A listener sees messages of many nodes. Two of them belong together when their titles mirror each other, in their
absolute forms, and the response quotes the invocation id of the request; connections and directions say nothing, since
relays may answer from elsewhere. Inside a session only the first message of each side carries key id and
initialisation vector; they hold for the pair of nodes until others are seen.
Source: C12.22-2008 with errata as Elster MeteringSDK implements it [1]; captured exchanges with meters [V].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from c1222.message.acse import plan
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.security.sealing import SessionSecurity

if TYPE_CHECKING:
    from c1222.message.acse import Acse
    from c1222.security.sealing import Opened

__all__ = ["MAX_REQUESTS", "MAX_SESSIONS", "Associations", "Ends", "Generations"]

MAX_REQUESTS: Final = 10_000
"""Requests kept for their responses."""
MAX_SESSIONS: Final = 10_000
"""Pairs of nodes whose session security is kept."""
_REMEMBERED_TITLES: Final = 8192

_K = TypeVar("_K")
_T = TypeVar("_T")


Ends = tuple[bytes, bytes]
"""Called and calling node of a message: content octets of their absolute titles, empty where it names none."""


class Generations(Generic[_K, _T]):
    """A bounded map that forgets its older half at once: no bookkeeping when something is looked up or renewed.

    Args:
        limit: entries kept at most; at least half as many are kept.

    Attributes:
        forgotten: entries dropped so far.
    """

    __slots__ = ("_half", "_old", "_young", "forgotten")

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._young: dict[_K, _T] = {}
        self._old: dict[_K, _T] = {}
        self.forgotten = 0

    def put(self, key: _K, value: _T) -> None:
        """Put an entry in the place of an older one, or add it."""
        young = self._young
        if len(young) >= self._half and key not in young:
            self.forgotten += len(self._old)
            self._old = young
            young = self._young = {}
        young[key] = value

    def get(self, key: _K) -> _T | None:
        """Return an entry, or None."""
        value = self._young.get(key)
        return value if value is not None else self._old.get(key)


class Associations(Generic[_T]):
    """The memory of a listener, bounded in both of its parts.

    Args:
        base: what makes relative titles absolute.
        max_requests: requests kept for their responses.
        max_sessions: pairs of nodes whose session security is kept.

    Attributes:
        requests: requests that wait for responses; those forgotten go unpaired.
        sessions: key id and vector by nodes.
    """

    __slots__ = ("_base", "_called", "_called_id", "_calling", "_calling_id", "_titles", "requests", "sessions")

    def __init__(
        self, base: ApTitle = DEFAULT_BASE, *, max_requests: int = MAX_REQUESTS, max_sessions: int = MAX_SESSIONS
    ) -> None:
        tags = plan().tags
        self._base = base
        self._called = tags["called-AP-title"]
        self._calling = tags["calling-AP-title"]
        self._called_id = tags["called-AP-invocation-id"]
        self._calling_id = tags["calling-AP-invocation-id"]
        self._titles: dict[bytes, bytes] = {b"": b""}
        self.requests: Generations[tuple[bytes, bytes, bytes], _T] = Generations(max_requests)
        self.sessions: Generations[Ends, tuple[int, bytes]] = Generations(max_sessions)

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
            return called, titles[octets[start:end]]
        except KeyError:
            return self._absolute(acse.called), self._absolute(acse.calling)

    def _absolute(self, title: ApTitle | None) -> bytes:
        if title is None:
            return b""
        content = title.absolute(self._base).content
        if len(self._titles) >= _REMEMBERED_TITLES:
            self._titles = {b"": b""}
        self._titles[title.tlv()] = content
        return content

    def request_of(self, acse: Acse, ends: Ends) -> _T | None:
        """Return the request that a response answers, None if none is known or the message is no response."""
        span = acse.spans.get(self._called_id)
        if span is None:
            return None
        # The integer without its tag and leading zeros: the same id has one form here, however it was sent.
        return self.requests.get((ends[1], ends[0], acse.octets[span[1] + 2 : span[2]].lstrip(b"\0")))

    def remember_request(self, acse: Acse, ends: Ends, request: _T) -> None:
        """Keep a request for its response; a repetition takes the place of the first."""
        _, start, end = acse.spans[self._calling_id]
        self.requests.put((ends[0], ends[1], acse.octets[start + 2 : end].lstrip(b"\0")), request)

    def sessions_of(self, ends: Ends) -> tuple[SessionSecurity, ...]:
        """Return what may hold for a message without authentication value: what its sender said last, then its peer."""
        found = [self.sessions.get(ends), self.sessions.get((ends[1], ends[0]))]
        return tuple(dict.fromkeys([SessionSecurity(*session) for session in found if session is not None]))

    def remember_session(self, ends: Ends, opened: Opened) -> None:
        """Keep what a verified message said about its key id and initialisation vector."""
        if opened.key_id is not None and opened.iv is not None:
            self.sessions.put(ends, (opened.key_id, opened.iv))
