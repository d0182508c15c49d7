"""What a summary keeps while messages come: records of nodes, conversations and links, as many as there is room for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from c1219.caches import BoundedDict
from c1222.capture.message import UNTIMED
from c1222.capture.summary.histogram import Histogram
from c1222.capture.summary.values import ConversationTraffic, NodeTraffic, ResponseTimes, ServiceTraffic

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ConversationRecord", "LinkRecord", "NodeRecord", "Records", "RequestRecord", "ServiceRecord", "TimeSpan",
    "times_of",
]  # fmt: skip

_K = TypeVar("_K")
_R = TypeVar("_R")


def times_of(histogram: Histogram) -> ResponseTimes | None:
    """Return the response times of a histogram, None if it is empty."""
    if not histogram.count:
        return None
    return ResponseTimes(histogram.count, histogram.quantile(0.5), histogram.quantile(0.95), histogram.largest)


class Records(BoundedDict[_K, _R]):
    """Records by key, made when they are first asked for; if there are too many, those not asked for longest go.

    Args:
        limit: how many there are at most.
        new: makes a record.
    """

    __slots__ = ("_new",)

    def __init__(self, limit: int, new: Callable[..., _R]) -> None:
        super().__init__(max(limit, 1))
        self._new = new

    def of(self, key: _K, *made_of: Any) -> _R:
        """Return the record of a key.

        Args:
            key: its key.
            *made_of: what a new one is made of.
        """
        record = self.pop(key, None)
        if record is None:
            record = self._new(*made_of)
        self[key] = record  # behind all others
        return record


class TimeSpan:
    """From when to when."""

    __slots__ = ("first_ns", "last_ns")

    def __init__(self) -> None:
        self.first_ns: int | None = None
        self.last_ns: int | None = None

    def add(self, time_ns: int) -> None:
        """Take an instant; messages without time tell none."""
        if time_ns == UNTIMED:
            return
        if self.first_ns is None or time_ns < self.first_ns:
            self.first_ns = time_ns
        if self.last_ns is None or time_ns > self.last_ns:
            self.last_ns = time_ns


class NodeRecord(TimeSpan):
    """A node; its counts are those of `NodeTraffic`."""

    __slots__ = (
        "address", "copied", "errors", "key_ids", "modes", "name", "offsets", "received", "received_octets", "refused",
        "repeated", "retransmissions", "sent", "sent_octets", "times", "unchecked", "verified",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.address = ""
        self.sent = self.sent_octets = self.received = self.received_octets = 0
        self.retransmissions = self.errors = self.verified = self.refused = self.unchecked = 0
        self.modes: Counter[str] = Counter()
        self.key_ids: set[int] = set()
        self.repeated: dict[int, list[int]] = {}  # by key id: repeated vectors, those with the same ids
        self.copied = 0
        self.offsets = Histogram()
        self.times = Histogram()

    @property
    def value(self) -> NodeTraffic:
        """What there is to tell."""
        return NodeTraffic(
            self.name, self.address, self.sent, self.sent_octets, self.received, self.received_octets,
            self.retransmissions, self.errors, dict(self.modes), self.verified, self.refused, self.unchecked,
            self.first_ns, self.last_ns, times_of(self.times),
        )  # fmt: skip


class ConversationRecord(TimeSpan):
    """A conversation; its counts are those of `ConversationTraffic`."""

    __slots__ = (
        "errors", "initiator", "intervals", "largest", "request_octets", "requested_ns", "requests", "responder",
        "response_octets", "responses", "retransmissions", "times",
    )  # fmt: skip

    def __init__(self, initiator: str, responder: str) -> None:
        super().__init__()
        self.initiator, self.responder = initiator, responder
        self.requests = self.request_octets = self.responses = self.response_octets = 0
        self.largest = self.retransmissions = self.errors = 0
        self.times = Histogram()
        self.intervals = Histogram()
        self.requested_ns = UNTIMED

    def ask(self, time_ns: int) -> None:
        """Take the time of a request that was not sent before."""
        if UNTIMED not in {time_ns, self.requested_ns}:
            self.intervals.add(time_ns - self.requested_ns)
        self.requested_ns = time_ns

    @property
    def value(self) -> ConversationTraffic:
        """What there is to tell."""
        return ConversationTraffic(
            self.initiator, self.responder, self.requests, self.request_octets, self.responses, self.response_octets,
            self.largest, self.retransmissions, self.errors, self.first_ns, self.last_ns, times_of(self.times),
            self.intervals.quantile(0.5) if self.intervals.count else None,
        )  # fmt: skip


class LinkRecord:
    """How one node secures what it sends another.

    Attributes:
        sender: who sends.
        receiver: to whom.
        mode: highest security mode so far, 0 for cleartext.
        verified: whether a message in that mode was verified.
        cleartext: messages in cleartext after a secured one.
        since_ns: time of the first of these.
        passwords: Security requests that anybody can read.
    """

    __slots__ = ("cleartext", "mode", "passwords", "receiver", "sender", "since_ns", "verified")

    def __init__(self, sender: str, receiver: str) -> None:
        self.sender, self.receiver = sender, receiver
        self.mode = self.cleartext = self.passwords = 0
        self.verified = False
        self.since_ns: int | None = None


class ServiceRecord:
    """A service; its counts are those of `ServiceTraffic`."""

    __slots__ = ("errors", "requests", "responses", "times")

    def __init__(self) -> None:
        self.requests = self.responses = self.errors = 0
        self.times = Histogram()

    def value(self, service: str | None) -> ServiceTraffic:
        """Return what there is to tell."""
        return ServiceTraffic(service, self.requests, self.responses, self.errors, times_of(self.times))


class RequestRecord:
    """A request that waits for its answer, or has it.

    Attributes:
        time_ns: when it was sent last.
        services: names of what it asks for.
        iv: its initialisation vector.
        answered: whether a response was seen.
    """

    __slots__ = ("answered", "iv", "services", "time_ns")

    def __init__(self, time_ns: int, services: tuple[str | None, ...], iv: bytes | None) -> None:
        self.time_ns = time_ns
        self.services = services
        self.iv = iv
        self.answered = False
