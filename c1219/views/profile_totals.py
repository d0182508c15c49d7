"""What the intervals of a channel come to: sums of what adds up, and mean, lowest and highest value of all."""

from __future__ import annotations

from decimal import Context, Decimal
from typing import TYPE_CHECKING, NamedTuple

from c1219.rules.sources import EXACT

if TYPE_CHECKING:
    from c1219.rules.profile_set import Channel
    from c1219.views.load_profile import LoadProfile

__all__ = ["Total", "totals"]

_MEAN = Context(prec=28)


class Total(NamedTuple):
    """What the intervals of one channel come to, those without a value left out.

    Attributes:
        channel: the channel.
        intervals: how many have a value.
        sum: of their values in the unit of the channel; None where that is no amount: volts, amperes, hertz, factors.
        mean: rounded to 28 digits.
        minimum: the lowest.
        maximum: the highest.
    """

    channel: Channel
    intervals: int
    sum: Decimal | None
    mean: Decimal
    minimum: Decimal
    maximum: Decimal


def totals(profile: LoadProfile) -> tuple[Total, ...]:
    """Return what each channel of a profile comes to, in order; without a channel of which no interval has a value.

    Args:
        profile: as `c1219.views.load_profile.load_profile` gives it.
    """
    values: dict[int, list[Decimal]] = {channel.number: [] for channel in profile.channels}
    for row in profile:
        if row.value is not None:
            values[row.channel].append(row.value)
    sums = []
    for channel in profile.channels:
        own = values[channel.number]
        if own:
            total = Decimal(0)
            for value in own:
                total = EXACT.add(total, value)
            added = total if channel.source.adds_up else None
            sums.append(Total(channel, len(own), added, _MEAN.divide(total, len(own)), min(own), max(own)))
    return tuple(sums)
