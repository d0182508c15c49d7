"""Who talks to whom: which request a response answers, and what a session said about its security.

A listener sees messages of many nodes. Two of them belong together when their titles mirror each other, in their
absolute forms, and the response quotes the invocation id of the request. Addresses decide only where two requests that
wait have the same titles and id, since relays may answer from elsewhere. Where messages were not captured in the order
in which they were sent, a response may be seen before its request; a listener may keep it for a while.

Inside a session only the first message of each side carries key id and initialisation vector; they hold for the pair of
nodes until others are seen.
Source: C12.22-2008 with errata as Elster MeteringSDK implements it [1]; captured exchanges with meters [V]; programs of
that SDK number the messages of each session from 0 [V].
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from c1219.caches import BoundedDict
from c1222.message.acse import plan
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.ber import tlv
from c1222.security.sealing import SessionSecurity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from c1222.message.acse import Acse
    from c1222.security.sealing import Opened

__all__ = ["MAX_ANSWERED", "MAX_REQUESTS", "MAX_SESSIONS", "Associations", "Early", "Ends", "Generations"]

MAX_REQUESTS: Final = 10_000
"""Requests kept for their responses."""
MAX_ANSWERED: Final = 1000
"""Requests kept after that, for repetitions of the response."""
MAX_SESSIONS: Final = 10_000
"""Pairs of nodes whose session security is kept."""
_REMEMBERED_TITLES: Final = 32768

_K = TypeVar("_K")
_T = TypeVar("_T")


Ends = tuple[bytes, bytes]
"""Called and calling node of a message: the element of a called title that names the node absolutely, empty where there
is no name. Such elements tell where they end, so joined they stay apart."""


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

    def room(self, count: int) -> bool:
        """Return whether so many new entries can be put without that any is dropped."""
        return len(self._young) + count <= self._half

    def put_last(self, entries: dict[_K, _T]) -> bool:
        """Put what many entries come to, unless that drops any; return whether it was done."""
        young = self._young
        if len(young) + len(entries) > self._half and not self.room(len(entries.keys() - young.keys())):
            return False
        young.update(entries)
        return True

    def put_all(self, count: int, entry: Callable[[int], tuple[_K, _T]]) -> None:
        """Put many entries, one after the other; what would be dropped again is not asked for.

        Args:
            count: how many.
            entry: returns key and value of each by its number, from 0; no two have the same key.
        """
        place, young = 0, self._young
        while place < count and self._young is young:
            self.put(*entry(place))
            place += 1
        # The older half was forgotten just now, so that from here on it is each time so many are put.
        half, first = self._half, place - 1
        times = (count - place) // half
        if times and self._young is not young:
            self.forgotten += len(self._old) + (times - 1) * half
            last = first + times * half
            self._old = dict(map(entry, range(last - half, last)))
            self._young = dict(map(entry, range(last, count)))
            place = count
        for number in range(place, count):
            self.put(*entry(number))

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def __iter__(self) -> Iterator[_K]:
        return chain(self._young, self._old)

    def take(self, key: _K) -> _T | None:
        """Remove an entry and return it, or None."""
        value = self._young.pop(key, None)
        return value if value is not None else self._old.pop(key, None)


class Early(Generic[_T]):
    """A response that was seen before its request.

    Attributes:
        response: what the listener keeps of it.
        request: its request, once that was seen.
    """

    __slots__ = ("key", "request", "response", "where")

    def __init__(self, key: bytes, response: Any, where: Any) -> None:
        self.key = key
        self.response = response
        self.where = where
        self.request: _T | None = None


class Associations(Generic[_T]):
    """The memory of a listener, bounded in all of its parts.

    Args:
        base: what makes relative titles absolute.
        max_requests: requests kept for their responses.
        max_answered: requests kept after that, for repetitions of the response.
        max_sessions: pairs of nodes whose session security is kept.
        addresses: makes source and destination as texts out of where a message was seen.

    Attributes:
        requests: requests that wait for responses, each with where it was seen; those forgotten go unpaired.
        answered: requests that have one.
        early: responses seen before their requests, for as long as the listener wants to keep them.
        matched: the early responses that the last request answered by any belongs to.
        shared: of requests with the same titles and id, each by its addresses; None until there are such.
        sessions: octet of the key id and vector, by nodes.
    """

    __slots__ = (
        "_addresses",
        "_base",
        "_called",
        "_calling",
        "_max_answered",
        "_names",
        "answered",
        "early",
        "matched",
        "requests",
        "sessions",
        "shared",
    )

    def __init__(
        self,
        base: ApTitle = DEFAULT_BASE,
        *,
        max_requests: int = MAX_REQUESTS,
        max_answered: int = MAX_ANSWERED,
        max_sessions: int = MAX_SESSIONS,
        addresses: Callable[[Any], tuple[str, str]] = tuple,
    ) -> None:
        tags = plan().tags
        self._base = base
        self._called = tags["called-AP-title"]
        self._calling = tags["calling-AP-title"]
        self._names: BoundedDict[bytes, bytes] = BoundedDict(_REMEMBERED_TITLES)
        self._addresses = addresses
        self._max_answered = max_answered
        self.requests: Generations[bytes, tuple[Any, _T]] = Generations(max_requests)
        self.answered: Generations[bytes, _T] = Generations(max_answered)
        self.early: dict[bytes, list[Early[_T]]] = {}
        self.matched: list[Early[_T]] = []
        self.shared: Generations[tuple[bytes, tuple[str, str]], _T] | None = None
        self.sessions: Generations[bytes, bytes] = Generations(max_sessions)

    def ends(self, acse: Acse) -> Ends:
        """Return the nodes of a message.

        Raises:
            DecodeError: a title is malformed.
        """
        octets, spans, names = acse.octets, acse.spans, self._names
        try:
            _, start, end = spans[self._called]
            called = names[octets[start:end]]
            _, start, end = spans[self._calling]
            return called, names[octets[start:end]]
        except KeyError:
            return self._name(acse.called), self._name(acse.calling)

    def _name(self, title: ApTitle | None) -> bytes:
        if title is None:
            return b""
        name = tlv(self._called, title.absolute(self._base).tlv())
        self._names[title.tlv()] = name
        return name

    def request_of(self, acse: Acse, ends: Ends, where: Any = None) -> _T | None:
        """Return the request that a response answers, None if none is known or the message is no response."""
        return self.answer(*ends, acse.request_number, where) if acse.is_response else None

    def remember_request(self, acse: Acse, ends: Ends, request: _T, where: Any = None) -> None:
        """Keep a request for its response; a repetition takes the place of the first."""
        self.ask(*ends, acse.request_number, request, where)

    def ask(self, called: bytes, calling: bytes, number: bytes, request: _T, where: Any = None) -> None:
        """Keep a request for its response.

        Args:
            called: whom it is for, as in `Ends`.
            calling: whom it is from.
            number: its invocation id, without tag and length. It is the same with leading zeros and without.
            request: what to keep.
            where: where it was seen, for ``addresses``; None where that is not known.
        """
        key = called + calling + number.lstrip(b"\0")
        if self.early and self._tell(key, where, request):
            self.answered.put(key, request)
            return
        waiting = self.requests.get(key)
        if where is not None and (self.shared is not None or (waiting is not None and waiting[0] != where)):
            self._share(key, waiting, where, request)
        self.requests.put(key, (where, request))

    def _share(self, key: bytes, waiting: tuple[Any, _T] | None, where: Any, request: _T) -> None:
        """Keep requests by their addresses where nothing else tells them apart."""
        own = self._addresses(where)
        other = None if waiting is None or waiting[0] is None else self._addresses(waiting[0])
        if waiting is not None and other is not None and other != own:
            if self.shared is None:
                self.shared = Generations(self._max_answered)
            self.shared.put((key, other), waiting[1])
            self.shared.put((key, own), request)
        elif self.shared is not None and self.shared.get((key, own)) is not None:
            self.shared.put((key, own), request)

    def answer(self, called: bytes, calling: bytes, number: bytes, where: Any = None) -> _T | None:
        """Return the request that a response answers, or None.

        Args:
            called: whom the response is for, as in `Ends`.
            calling: whom it is from.
            number: the invocation id that it quotes, without tag and length.
            where: where it was seen, as for `ask`.
        """
        key = calling + called + number.lstrip(b"\0")
        if self.shared is not None and where is not None:
            source, destination = self._addresses(where)
            request = self.shared.get((key, (destination, source)))
            if request is not None:
                return request
        waiting = self.requests.take(key)
        if waiting is None:
            return self.answered.get(key)
        self.answered.put(key, waiting[1])
        return waiting[1]

    def expect(self, called: bytes, calling: bytes, number: bytes, response: Any, where: Any = None) -> Early[_T]:
        """Keep a response for its request, until `dismiss`. Only a request between the same addresses will do.

        Args:
            called: whom the response is for, as in `Ends`.
            calling: whom it is from.
            number: the invocation id that it quotes, without tag and length.
            response: what to keep of it.
            where: where it was seen, as for `ask`.
        """
        early = Early[_T](calling + called + number.lstrip(b"\0"), response, where)
        self.early.setdefault(early.key, []).append(early)
        return early

    def dismiss(self, early: Early[_T]) -> None:
        """Keep a response no longer."""
        waiting = self.early.get(early.key, [])
        if early in waiting:
            waiting.remove(early)
            if not waiting:
                del self.early[early.key]

    def _tell(self, key: bytes, where: Any, request: _T) -> bool:
        """Give a request to the responses that were seen before it; tell whether there are any."""
        waiting = self.early.get(key, ())
        self.matched = [early for early in waiting if self._mirrors(early.where, where)]
        for early in self.matched:
            early.request = request
            self.dismiss(early)
        return bool(self.matched)

    def _mirrors(self, there: Any, here: Any) -> bool:
        if there is None or here is None:
            return there is here
        return self._addresses(there) == self._addresses(here)[::-1]

    def sessions_of(self, ends: Ends) -> tuple[SessionSecurity, ...]:
        """Return what may hold for a message without authentication value: what its sender said last, then its peer."""
        called, calling = ends
        found = [self.sessions.get(called + calling), self.sessions.get(calling + called)]
        return tuple(dict.fromkeys([SessionSecurity(said[0], said[1:]) for said in found if said is not None]))

    def remember_session(self, ends: Ends, opened: Opened) -> None:
        """Keep what a verified message said about its key id and initialisation vector."""
        if opened.key_id is not None and opened.iv is not None:
            self.sessions.put(ends[0] + ends[1], bytes((opened.key_id,)) + opened.iv)
