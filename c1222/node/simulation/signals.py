"""What each source of a meter measures in the simulation, and how it becomes a number in a table.

Energy is counted in hundredths of a watt-hour (or of what the source counts), as whole numbers: a register, its tiers,
and the intervals of a load profile are cut from the same count, and so they agree to the last digit.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor, sin
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.codes.quantities import Kind, quantity
from c1219.codes.units import Direction, Segmentation, TimeBase
from c1219.errors import EncodeError
from c1219.rules.records import record
from c1219.rules.sources import Sources

if TYPE_CHECKING:
    from c1219.engine.layout import Element
    from c1219.rules.sources import Source
    from c1222.node.meter.configuration import Shape

__all__ = ["COUNTS", "Cell", "Signal", "cell_at", "signals_of", "sources_of"]

COUNTS: Final = 100
"""Counts in a unit."""
_POWER: Final = {0: 1.0, 1: 0.33, 2: 1.053, 3: 1.053}
_OTHER_RATE: Final = 0.002
_RECEIVED: Final = 0.02
_BULK: Final = (TimeBase.BULK, TimeBase.NET_BULK)
_VOLTS: Final = 240.0
_LEVELS: Final = {
    8: (_VOLTS, 2.0), 9: (_VOLTS, 2.0), 10: (_VOLTS**2, 960.0), 11: (_VOLTS, 2.0),
    33: (60.0, 0.02), 24: (0.95, 0.01),
}  # fmt: skip
_PARTS: Final = {
    Segmentation.A_B,
    Segmentation.B_C,
    Segmentation.C_A,
    Segmentation.A_N,
    Segmentation.B_N,
    Segmentation.C_N,
}
_CURRENTS: Final = frozenset((12, 13, 15))
_WIDTH: Final = 997.0


class Signal(NamedTuple):
    """What a source measures.

    Attributes:
        share: of the load that it counts; None for a level.
        bulk: whether its values are amounts and not averages.
        mean: of a level.
        swing: how far a level moves, either way.
        current: whether the level is a current, which follows the load.
        multiplier: value times this plus ``offset`` is in the unit.
        offset: see above.
    """

    share: float | None
    bulk: bool = False
    mean: float = 0.0
    swing: float = 0.0
    current: bool = False
    multiplier: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    def count(self, energy: float) -> int:
        """Return the count of this source at an energy of the load in Wh."""
        return 0 if self.share is None else floor(energy * self.share * COUNTS)

    def amount(self, counts: int) -> Fraction:
        """Return an amount as a number of the table."""
        return (Fraction(counts, COUNTS) - self.offset) / self.multiplier

    def counts(self, amount: Any) -> int:
        """Return the count that an amount in the table stands for, at least."""
        value = Fraction(amount) * self.multiplier + self.offset
        return -floor(-value * COUNTS)

    def rate(self, counts: int, seconds: int) -> Fraction:
        """Return the average over a time, as a number of the table."""
        return (Fraction(counts * 3600, COUNTS * seconds) - self.offset) / self.multiplier

    def level(self, when: float, watts: float) -> Fraction:
        """Return a level at a time, as a number of the table; of a flow the power.

        Args:
            when: seconds.
            watts: the load then.
        """
        if self.share is not None:
            value = watts * self.share
        elif self.current:
            value = watts / _VOLTS * self.mean
        else:
            value = self.mean + self.swing * sin(when / _WIDTH)
        return (Fraction(value).limit_denominator(1_000_000) - self.offset) / self.multiplier


def sources_of(shape: Shape) -> Sources:
    """Return the sources of a configuration. For `Shape.derived`."""
    return Sources(lambda number: record(shape.device, number))


def signals_of(shape: Shape) -> tuple[Signal, ...]:
    """Return the signal of every source of a configuration. For `Shape.derived`."""
    sources: Sources = shape.derived(sources_of)
    return tuple(_signal(sources.describe(index)) for index in range(sources.count))


def _signal(source: Source) -> Signal:
    scale: dict[str, Any] = {
        "multiplier": Fraction(source.multiplier) or Fraction(1),
        "offset": Fraction(source.offset),
    }
    uom = source.uom
    if uom is None or quantity(uom.id_code).kind is Kind.RATE or source.unit == "pulse":
        share = 1.0 if uom is None else _POWER.get(uom.id_code, _OTHER_RATE)
        if uom is not None and uom.direction is Direction.RECEIVED:
            share *= _RECEIVED
        elif uom is not None and uom.direction is Direction.NET:
            share *= 1 - _RECEIVED
        if uom is not None and uom.phase in _PARTS:
            share /= 3
        return Signal(share, bulk=uom is None or uom.time_base in _BULK, **scale)
    if uom.id_code in _CURRENTS:
        return Signal(None, mean=1 / 3 if uom.phase in _PARTS else 1.0, current=True, **scale)
    mean, swing = _LEVELS.get(uom.id_code, (0.0, 0.0))
    return Signal(None, mean=mean, swing=swing, **scale)


class Cell:
    """One number of a table, and what makes its octets: rounded down, and rolled over like a register.

    Args:
        element: where it is.
        signal: what it measures.
    """

    __slots__ = ("_denominator", "_float", "_numerator", "_places", "_plus", "_shift", "element", "signal")

    def __init__(self, element: Element, signal: Signal) -> None:
        self.element = element
        self.signal = signal
        kind = element.type
        self._float = "FLOAT" in kind and "CHAR" not in kind
        self._places = 4 if "10^-4" in kind else 0
        factor = Fraction(10**self._places, COUNTS) / signal.multiplier
        plus = -signal.offset * 10**self._places / signal.multiplier
        self._denominator = factor.denominator * plus.denominator
        self._numerator = factor.numerator * plus.denominator
        self._plus = plus.numerator * factor.denominator
        self._shift = Decimal(1).scaleb(-self._places)

    @property
    def grain(self) -> Fraction:
        """The smallest step between numbers; of a float, a thousandth."""
        return Fraction(1, 1000 if self._float else 10**self._places)

    def of_counts(self, counts: int) -> bytes:
        """Return the octets for a count."""
        number = counts * self._numerator + self._plus
        if self._float:
            return self.element.encode(number / self._denominator)
        return self._written(number // self._denominator)

    def of(self, value: Fraction) -> bytes:
        """Return the octets for a number of the table."""
        if self._float:
            return self.element.encode(float(value))
        return self._written(floor(value * 10**self._places))

    def _written(self, number: int) -> bytes:
        element = self.element
        value: Any = number * self._shift if self._places or "CHAR" in element.type else number
        try:
            return element.encode(value)
        except EncodeError:
            pass
        size = element.size
        digits = 2 * size if "BCD" in element.type else size if "CHAR" in element.type else 0
        rolled = abs(number) % (10**digits if digits else 1 << 8 * size - 1)
        return element.encode(rolled * self._shift if self._places else rolled)


def cell_at(shape: Shape, path: str, signal: Signal) -> Cell:
    """Return the cell of an element of a configuration; one element always has the same signal."""
    cells: dict[str, Cell] = shape.derived(_cells)
    found = cells.get(path)
    if found is None:
        found = cells[path] = Cell(shape.element(path), signal)
    return found


def _cells(_shape: Shape) -> dict[str, Cell]:
    return {}
