"""Codes of ESPI (NAESB REQ.21, Green Button) that are not those of a ReadingType, and how numbers are written."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from c1219.codes.status import ChannelStatus
from c1219.rules.sources import EXACT
from c1219.views.load_profile import IntervalStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219.views.load_profile import Interval

__all__ = ["LARGEST", "QUESTIONABLE", "RAW", "SERVICES", "quality", "scale"]

RAW, QUESTIONABLE = 14, 10
"""quality: as the meter gave it; doubtful."""

SERVICES: Final = {"electric": 0, "gas": 1, "water": 2}
"""ServiceCategory kind by `Identity.commodity`."""

_DOUBTFUL = ~(IntervalStatus.DST)
_FINE = {None, ChannelStatus.NO_EXCEPTION}

LARGEST: Final = Decimal((1 << 47) - 1).scaleb(12)
"""Largest value that has a form: 48 bits times 10^12."""

_MULTIPLIERS: Final = (0, -1, -2, -3, -6, -9, -12)
_COARSER: Final = (3, 6, 9, 12)
_LIMIT: Final = 1 << 47


def quality(row: Interval) -> int | None:
    """Return the quality of an interval, None if nothing is wrong with it."""
    return QUESTIONABLE if row.status & _DOUBTFUL or row.extended not in _FINE else None


def scale(values: Iterable[Decimal]) -> tuple[int, bool]:
    """Choose powerOfTenMultiplier for values that are to be written as integers of 48 bits.

    Args:
        values: from -`LARGEST` to `LARGEST`.

    Returns:
        The exponent, and whether all values are exact with it: those that are not have to be rounded.
    """
    numbers = set(values)
    finest = min((_exponent(number) for number in numbers), default=0)
    most = max((abs(number) for number in numbers), default=Decimal(0))
    for exponent in _MULTIPLIERS:
        if exponent <= finest and EXACT.scaleb(most, -exponent) < _LIMIT:
            return exponent, True
    return min(e for e in (*_MULTIPLIERS, *_COARSER) if EXACT.scaleb(most, -e) < _LIMIT), False


def _exponent(number: Decimal) -> int:
    exponent = number.normalize(EXACT).as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
