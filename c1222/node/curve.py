"""A load curve with a closed integral: the energy up to any moment in one step, the same for the same seed.

Power is a sum of waves: day and half day with their peaks in the evening and the morning, a week, and some short ones
whose phases and lengths follow from the seed. It never falls below a twentieth of the average.
"""

from __future__ import annotations

from math import cos, pi, sin
from random import Random
from typing import Final

__all__ = ["LoadCurve"]

_DAY: Final = 86_400.0
_EVENING: Final = 19 * 3600.0
_REGULAR: Final = ((_DAY, 0.34, _EVENING), (_DAY / 2, 0.20, 7.5 * 3600), (7 * _DAY, 0.06, 2 * _DAY))
_SHORTEST, _LONGEST, _WAVES, _HEIGHT = 420.0, 3 * 3600.0, 7, 0.05
_ORIGIN: Final = 1_577_836_800.0
"""Energies count from here, 2020-01-01 UTC."""


class LoadCurve:
    """One customer.

    Args:
        seed: what sets this one apart.
        watts: average power.
        zone: local time minus GMT in seconds, so that evenings are in the evening.
    """

    __slots__ = ("_waves", "watts")

    def __init__(self, seed: int, *, watts: float = 800.0, zone: int = 0) -> None:
        chance = Random(seed)  # noqa: S311 - a simulation
        self.watts = watts * chance.uniform(0.6, 1.4)
        shift = chance.uniform(-1.0, 1.0) * 3600 + zone
        # The phase of each wave puts one of its crests at the given time of day.
        waves = [(2 * pi / length, height, -2 * pi * (crest - shift) / length) for length, height, crest in _REGULAR]
        waves += [
            (2 * pi / chance.uniform(_SHORTEST, _LONGEST), _HEIGHT, chance.uniform(0, 2 * pi)) for _ in range(_WAVES)
        ]
        self._waves = tuple(waves)

    def power(self, when: float) -> float:
        """Return the load in watts at a time in seconds since 1970."""
        t = when - _ORIGIN
        return self.watts * (1.0 + sum([height * cos(w * t + phase) for w, height, phase in self._waves]))

    def energy(self, when: float) -> float:
        """Return the energy in watt-hours between the origin and a time in seconds since 1970."""
        t = when - _ORIGIN
        return self.watts / 3600 * (t + sum([height / w * sin(w * t + phase) for w, height, phase in self._waves]))
