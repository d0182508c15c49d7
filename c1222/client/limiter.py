"""How many exchanges may be under way at once over one socket.

Answers that arrive faster than they are read overflow the buffer of the socket, and each one lost costs a time-out. A
silent peer does not block the others: its slot is free again after a while, whether it answers or not.
"""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import count
from typing import Final

__all__ = ["OUTSTANDING", "SLOT_TIMEOUT", "Limiter"]

OUTSTANDING: Final = 128
"""Exchanges under way at once: their answers fit a socket's usual buffer of 200 KB, at 1400 octets each."""
SLOT_TIMEOUT: Final = 1.0
"""Seconds after which a slot is free again."""


class Limiter:
    """A number of slots, first come, first served.

    Args:
        limit: how many there are.
        timeout: seconds after which a slot is free again, given back or not.
    """

    __slots__ = ("_count", "_loop", "_taken", "_timer", "_waiting", "limit", "timeout")

    def __init__(self, limit: int = OUTSTANDING, timeout: float = SLOT_TIMEOUT) -> None:
        self.limit = max(limit, 1)
        self.timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._count = count()
        self._taken: dict[int, float] = {}
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> int:
        """Wait for a slot, and return its number."""
        if len(self._taken) < self.limit and not self._waiting:
            return self._hand_out()
        future: asyncio.Future[int] = self._loop.create_future()
        self._waiting.append(future)
        self._watch()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.give_back(future.result())
            raise

    def give_back(self, slot: int) -> None:
        """Free a slot."""
        if self._taken.pop(slot, None) is not None and self._waiting:
            self._serve()

    def _hand_out(self) -> int:
        slot = next(self._count)
        self._taken[slot] = self._loop.time()
        return slot

    def _serve(self) -> None:
        while self._waiting and len(self._taken) < self.limit:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(self._hand_out())

    def _watch(self) -> None:
        """While somebody waits, look when the oldest slot is free again."""
        if self._timer is None and self._waiting and self._taken:
            self._timer = self._loop.call_at(next(iter(self._taken.values())) + self.timeout, self._expire)

    def _expire(self) -> None:
        self._timer = None
        before = self._loop.time() - self.timeout
        for slot, since in tuple(self._taken.items()):
            if since > before:
                break
            del self._taken[slot]
        self._serve()
        self._watch()
