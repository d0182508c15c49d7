"""Times and sizes as the report shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.capture.text import time_text

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["moment", "octets_text", "offset_text", "utc_text"]


_MILLISECONDS: Final = len("2026-01-01 00:00:00.000")


def moment(time: dt.datetime | None) -> str:
    """Return a time to the minute, or the second, with its offset from UTC if it is known; "" if there is none."""
    return "" if time is None else time.isoformat(" ", "seconds" if time.second else "minutes")


def utc_text(time_ns: int | None) -> str:
    """Return the time of a capture to the millisecond, in UTC; "" if there is none."""
    return "" if time_ns is None or time_ns < 0 else time_text(time_ns)[:_MILLISECONDS]


def offset_text(seconds: int | None) -> str:
    """Return how far a place is from UTC; None stands for a clock of which that is not known."""
    if seconds is None:
        return "time of the meter's clock"
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}" if seconds else "UTC"


def octets_text(count: int) -> str:
    """Return a size in octets, kB or MB."""
    if count < 10_000:
        return f"{count:,} octets"
    return f"{count / 1000:,.0f} kB" if count < 10_000_000 else f"{count / 1_000_000:,.1f} MB"
