"""The clocks of the clients."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

__all__ = ["LoopClock", "Schedule", "ScheduledCall", "SystemClock", "TimeSource"]


class TimeSource(Protocol):
    """A clock. The wire in memory is one, too."""

    @property
    def now(self) -> float:
        """Seconds on a clock that does not run backwards."""

    @property
    def utc(self) -> float:
        """True time, seconds since 1970 UTC."""


class SystemClock:
    """The clock of the machine."""

    __slots__ = ()

    @property
    def now(self) -> float:
        """Seconds on a clock that does not run backwards."""
        return time.monotonic()

    @property
    def utc(self) -> float:
        """True time, seconds since 1970 UTC."""
        return time.time()


class ScheduledCall(Protocol):
    """A call that is scheduled."""

    def cancel(self) -> None:
        """Cancel it."""


class Schedule(TimeSource, Protocol):
    """A clock that calls functions later. The wire in memory is one, too."""

    def call_at(self, when: float, action: Callable[[], None], /) -> ScheduledCall:
        """Call a function at a time of ``now``."""


class LoopClock:
    """The clock of the running event loop."""

    __slots__ = ("_loop",)

    def __init__(self) -> None:
        import asyncio  # noqa: PLC0415  the blocking client does without

        self._loop = asyncio.get_running_loop()

    @property
    def now(self) -> float:
        """Seconds on the loop's clock."""
        return self._loop.time()

    @property
    def utc(self) -> float:
        """True time, seconds since 1970 UTC."""
        return time.time()

    def call_at(self, when: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Call a function at a time of ``now``."""
        return self._loop.call_at(when, action)
