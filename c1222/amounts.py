"""Amounts, rates and lengths of time as people read them: kWh, kW and kvarh, digits in groups, rate A, seconds.

Numbers are decimal and lose no digit: 388381680 Wh are 388,381.680 kWh. Forms for machines keep base units.
"""

from __future__ import annotations

from decimal import Context
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["amount_text", "duration", "number_text", "rate_text", "scaled", "shown_unit", "tier_text", "time_parts"]

_THOUSANDS: Final = frozenset({"W", "Wh", "var", "varh", "VA", "VAh"})
"""Units that people have by the thousand."""
_RATES: Final = "ABCDEFGH"
_EXACT: Final = Context(prec=200)
_LONGER: Final = ((86400, "d"), (3600, "h"), (60, "min"))


def shown_unit(unit: str | None) -> str:
    """Return the unit that amounts of a base unit are shown in."""
    return f"k{unit}" if unit in _THOUSANDS else unit or ""


def scaled(value: Decimal, unit: str | None) -> Decimal:
    """Return a value of a base unit in its `shown_unit`."""
    return value.scaleb(-3, _EXACT) if unit in _THOUSANDS else value


def number_text(value: Decimal) -> str:
    """Return a number with all its digits, in groups of three before the point."""
    return f"{value:,f}"


def amount_text(value: Decimal, unit: str | None) -> str:
    """Return a value of a base unit as a number of its `shown_unit`."""
    return number_text(scaled(value, unit))


def rate_text(tier: int) -> str:
    """Return what tariffs call a tier, 0 for the first: ``rate A``; ``tier 9`` past the letters that they use."""
    return f"rate {_RATES[tier]}" if 0 <= tier < len(_RATES) else f"tier {tier + 1}"


def tier_text(tier: int) -> str:
    """Return a tier, 0 for the first, as tariffs and as meters name it: ``rate A / tier 1``."""
    rate, own = rate_text(tier), f"tier {tier + 1}"
    return own if rate == own else f"{rate} / {own}"


def time_parts(seconds: int) -> list[tuple[int, str]]:
    """Return a length of time in days, hours, minutes and seconds, from the first that is not 0; the last is seconds.

    Args:
        seconds: the length, 0 or more.
    """
    parts: list[tuple[int, str]] = []
    for size, unit in _LONGER:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append((count, unit))
    return [*parts, (seconds, "s")]


def duration(nanoseconds: int) -> str:
    """Return a length of time to three digits; of more than two minutes, the two largest of its `time_parts`."""
    seconds = abs(nanoseconds) / 1e9
    sign = "-" if nanoseconds < 0 else ""
    if seconds < 0.9995:
        text = f"{seconds * 1e3:#.3g}".rstrip(".")
        return f"{sign}{text} ms"
    if seconds < 119.95:
        text = f"{seconds:#.3g}".rstrip(".")
        return f"{sign}{text} s"
    return sign + " ".join(f"{count} {unit}" for count, unit in time_parts(round(seconds))[:2])
