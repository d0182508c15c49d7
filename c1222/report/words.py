"""Amounts and times as the report shows them: kWh, kW and kvarh, digits in groups, times to the second."""

from __future__ import annotations

from decimal import Context
from typing import TYPE_CHECKING, Final

from c1222.capture.captured_device import instant

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

__all__ = ["amount", "duration", "moment", "octets_text", "offset_text", "rate", "scaled", "shown_unit", "utc_text"]

_THOUSANDS: Final = frozenset({"W", "Wh", "var", "varh", "VA", "VAh"})
"""Units that people have by the thousand."""
_EXACT: Final = Context(prec=200)


def shown_unit(unit: str | None) -> str:
    """Return the unit that amounts of a base unit are shown in."""
    return f"k{unit}" if unit in _THOUSANDS else unit or ""


def scaled(value: Decimal, unit: str | None) -> Decimal:
    """Return a value of a base unit in its `shown_unit`."""
    return value.scaleb(-3, _EXACT) if unit in _THOUSANDS else value


def amount(value: Decimal, unit: str | None) -> str:
    """Return a value with all its digits, in groups of three before the point, without its unit."""
    return f"{scaled(value, unit):,f}"


def moment(time: dt.datetime | None) -> str:
    """Return a time to the minute, or the second, with its offset from UTC if it is known; "" if there is none."""
    return "" if time is None else time.isoformat(" ", "seconds" if time.second else "minutes")


def utc_text(time_ns: int | None) -> str:
    """Return the time of a capture to the millisecond, in UTC; "" if there is none."""
    return "" if time_ns is None or time_ns < 0 else f"{instant(time_ns):%Y-%m-%d %H:%M:%S.%f}"[:-3]


def offset_text(seconds: int | None) -> str:
    """Return how far a place is from UTC; None stands for a clock of which that is not known."""
    if seconds is None:
        return "time of the meter's clock"
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{abs(seconds) // 3600:02}:{abs(seconds) // 60 % 60:02}" if seconds else "UTC"


def rate(tier: int) -> str:
    """Return what a tier is called, 0 for the first: ``rate A``."""
    return f"rate {chr(ord('A') + tier)}" if tier < 26 else f"tier {tier + 1}"


def duration(nanoseconds: int) -> str:
    """Return a length of time in a unit that suits it."""
    for unit, size in (("d", 86400 * 10**9), ("h", 3600 * 10**9), ("min", 60 * 10**9), ("s", 10**9)):
        if nanoseconds >= 2 * size or (unit == "s" and nanoseconds >= size):
            return f"{nanoseconds / size:.1f} {unit}"
    return f"{nanoseconds / 10**6:.1f} ms"


def octets_text(count: int) -> str:
    """Return a size in octets, kB or MB."""
    if count < 10_000:
        return f"{count:,} octets"
    return f"{count / 1000:,.0f} kB" if count < 10_000_000 else f"{count / 1_000_000:,.1f} MB"
