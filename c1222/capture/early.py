"""Responses captured before their requests: held for a while, and all that came after them, so that the order stays.

Where a capture was taken on several queues or interfaces, or put together of several files, a response may stand before
its request. What its services are depends on the request, so the response waits for it: within a packet time that
covers such disorder and is short against the time in which a node uses an invocation id again. Without a response that
lacks its request nothing is held.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from c1222.capture.message import CapturedMessage, Counters, Remembered
    from c1222.protocol.pairing import Associations, Early

__all__ = ["EARLY_NS", "MAX_HELD_MESSAGES", "EarlyResponses"]

EARLY_NS: Final = 2_000_000_000
"""Nanoseconds of packet time that a response may come before its request."""
MAX_HELD_MESSAGES: Final = 1000
"""Messages held: responses that wait for their request, and what came after them."""
_MAX_HELD_OCTETS: Final = 1 << 23  # of their APDUs


class EarlyResponses:
    """Holds messages while a response among them waits for its request.

    Args:
        associations: the memory of the listener.
        counters: what is counted; a response that finds its request is no longer unpaired.
        wait_ns: nanoseconds of packet time that a response waits; 0 for no waiting.

    Attributes:
        waiting: responses that wait, the oldest first. Where there are none, nothing is held, and messages need not be
            given to `push`.
    """

    def __init__(self, associations: Associations[Remembered], counters: Counters, *, wait_ns: int = EARLY_NS) -> None:
        self.waiting: deque[Early[Remembered]] = deque()
        self._associations = associations
        self._counters = counters
        self._wait_ns = wait_ns
        self._held: deque[CapturedMessage] = deque()
        self._octets = 0

    def expect(self, message: CapturedMessage, called: bytes, calling: bytes, number: bytes, where: object) -> None:
        """Let a response wait for its request; `push` it next.

        Args:
            message: the response.
            called: whom it is for, as `Associations` has it.
            calling: whom it is from.
            number: the invocation id that it quotes, without tag and length.
            where: where it was seen.
        """
        if self._wait_ns:
            self.waiting.append(self._associations.expect(called, calling, number, message, where))

    def push(self, message: CapturedMessage) -> list[CapturedMessage]:
        """Take in the next message; return those that need not wait any more, in order.

        Args:
            message: the message.
        """
        self._held.append(message)
        self._octets += len(message.octets)
        since_ns = message.time_ns - self._wait_ns
        for early in self._associations.matched:  # by this message
            if early.response.time_ns < since_ns:
                early.request = None
        self._associations.matched = []
        return self._released(since_ns)

    def finish(self) -> list[CapturedMessage]:
        """Return all messages held: no request follows."""
        return self._released(None)

    def _released(self, since_ns: int | None) -> list[CapturedMessage]:
        released = []
        held, waiting = self._held, self.waiting
        while held:
            message = held[0]
            if waiting and waiting[0].response is message:
                early = waiting[0]
                if early.request is not None:
                    message.reply_to, message.asked_body, message.request_verified = early.request
                    self._counters.unpaired -= 1
                elif (
                    since_ns is not None
                    and message.time_ns >= since_ns
                    and len(held) <= MAX_HELD_MESSAGES
                    and self._octets <= _MAX_HELD_OCTETS
                ):
                    break
                else:
                    self._associations.dismiss(early)
                waiting.popleft()
            self._octets -= len(message.octets)
            released.append(held.popleft())
        return released
