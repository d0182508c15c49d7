"""Which messages were sent before, and when the request of a response was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from c1219.caches import BoundedDict
from c1222.capture.message import UNTIMED
from c1222.capture.summary.records import RequestRecord

if TYPE_CHECKING:
    from collections.abc import Hashable

    from c1222.capture.message import CapturedMessage

__all__ = ["EXCHANGE_NS", "RETRANSMISSION_NS", "Exchanges"]

RETRANSMISSION_NS: Final = 60 * 10**9
"""Nanoseconds in which a message is sent again; the same octets later are another message, since programs number the
messages of each session from 0."""
EXCHANGE_NS: Final = 600 * 10**9
"""Nanoseconds that a message should be remembered."""

_T = TypeVar("_T")


class _Lately(BoundedDict["Hashable", tuple[int, _T]]):
    """What was seen lately, by key, with when it was.

    Attributes:
        missed: how many were forgotten before their time.
    """

    __slots__ = ("missed",)

    def __init__(self, limit: int) -> None:
        super().__init__(max(limit, 1))
        self.missed = 0

    def put(self, key: Hashable, time_ns: int, value: _T) -> None:
        """Put one behind all others."""
        self.pop(key, None)
        full, forgotten = len(self) >= self.limit, self.forgotten
        oldest = next(iter(self.values()))[0] if full else 0
        self[key] = time_ns, value
        if full and time_ns - oldest <= EXCHANGE_NS:
            self.missed += self.forgotten - forgotten


class Exchanges:
    """The memory of the last ten minutes.

    Args:
        limit: messages remembered.
    """

    def __init__(self, limit: int) -> None:
        self._sent: _Lately[tuple[int, RequestRecord | None]] = _Lately(limit)
        self._requests: _Lately[RequestRecord] = _Lately(limit)

    @property
    def evicted(self) -> int:
        """Messages forgotten before their time."""
        return self._sent.missed

    def request(
        self, message: CapturedMessage, ends: tuple[Hashable, Hashable], services: tuple[str | None, ...]
    ) -> bool:
        """Take a request.

        Args:
            message: the request.
            ends: sender and receiver.
            services: names of what it asks for.

        Returns:
            Whether it was sent before.
        """
        time_ns, digest = message.time_ns, hash(message.octets)
        key = (*ends, message.src, message.dst, message.calling_invocation_id, None)
        before = self._sent.get(key)
        record = None
        if before is not None and _soon(before[0], time_ns):
            octets, record = before[1]
            if record is not None and (octets == digest or not record.answered):
                record.time_ns, record.iv = time_ns, message.iv
            else:
                record = None
        again = record is not None
        if record is None:
            record = RequestRecord(time_ns, services, message.iv)
        self._sent.put(key, time_ns, (digest, record))
        self._requests.put((message.frame, message.calling_invocation_id), time_ns, record)
        return again

    def response(self, message: CapturedMessage, ends: tuple[Hashable, Hashable]) -> tuple[bool, RequestRecord | None]:
        """Take a response.

        Args:
            message: the response.
            ends: sender and receiver.

        Returns:
            Whether it was sent before, and the request, if that is remembered.
        """
        time_ns, digest = message.time_ns, hash(message.octets)
        key = (*ends, message.src, message.dst, message.calling_invocation_id, message.called_invocation_id)
        before = self._sent.get(key)
        again = before is not None and _soon(before[0], time_ns) and before[1][0] == digest
        self._sent.put(key, time_ns, (digest, None))
        if message.reply_to is None:
            return again, None
        found = self._requests.get((message.reply_to, message.called_invocation_id))
        return again, None if found is None else found[1]


def _soon(before: int, after: int) -> bool:
    return UNTIMED in {before, after} or abs(after - before) <= RETRANSMISSION_NS
