"""One entry of ST12 in words: quantity, unit, scale, direction and phase, and what of it is not known.

Two points are readings of ours. A rate with TIME_BASE 0 or 5 is the quantity itself (W gives Wh, m³/h gives m³), while
an ID_CODE that is an amount or a count already stays what it is. An angle, factor, temperature or pressure with a bulk
TIME_BASE gets no unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, Final, NamedTuple, Self

from c1219.caches import remembered
from c1219.codes.quantities import Commodity, IdCode, Kind, Quantity, commodity, quantity

__all__ = ["Direction", "Multiplier", "Segmentation", "TimeBase", "UnitDescription", "describe_unit"]


class TimeBase(IntEnum):
    """ST12 TIME_BASE, bits 8..10: how the quantity relates to time. V: FDS, YUK."""

    BULK = 0
    """Dial reading: the rate times hours, for example Wh."""
    INSTANTANEOUS = 1
    """Sampled."""
    PERIOD = 2
    """Over one period of the fundamental, RMS."""
    SUB_BLOCK_DEMAND = 3
    """Average over a sub-block."""
    BLOCK_DEMAND = 4
    """Average over a block."""
    NET_BULK = 5
    """Between two moments: a relative dial reading."""
    THERMAL_DEMAND = 6
    """As a thermal demand meter shows it."""
    EVENT = 7
    """Number of occurrences."""

    @property
    def text(self) -> str:
        """The time base in words."""
        return _TIME_BASE_TEXT[self]


_TIME_BASE_TEXT: Final = {
    TimeBase.BULK: "bulk",
    TimeBase.INSTANTANEOUS: "instantaneous",
    TimeBase.PERIOD: "period based",
    TimeBase.SUB_BLOCK_DEMAND: "sub-block average demand",
    TimeBase.BLOCK_DEMAND: "block average demand",
    TimeBase.NET_BULK: "net bulk",
    TimeBase.THERMAL_DEMAND: "thermal demand",
    TimeBase.EVENT: "occurrences",
}


class Multiplier(IntEnum):
    """ST12 MULTIPLIER, bits 11..13: the reported value times ``factor`` is in the unit. V: FDS, YUK."""

    factor: Decimal
    exponent: int
    prefix: str

    def __new__(cls, code: int, exponent: int = 0, prefix: str = "") -> Self:
        """Make a member of code, power of ten, and SI prefix."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.exponent = exponent
        member.factor = Decimal(10**exponent) if exponent >= 0 else Decimal((0, (1,), exponent))
        member.prefix = prefix
        return member

    ONE = 0, 0, ""
    HUNDRED = 1, 2, ""
    THOUSAND = 2, 3, "k"
    MILLION = 3, 6, "M"
    BILLION = 4, 9, "G"
    HUNDREDTH = 5, -2, ""
    THOUSANDTH = 6, -3, "m"
    MILLIONTH = 7, -6, "µ"


class Segmentation(IntEnum):
    """ST12 SEGMENTATION, bits 19..21: the phase of an electric quantity. V: FDS, HXF for 4..7; 1: FDS for 0..3."""

    ALL = 0
    """Not phase related, or all phases."""
    A_B = 1
    B_C = 2
    C_A = 3
    NEUTRAL = 4
    """Neutral to ground, or no phase information."""
    A_N = 5
    B_N = 6
    C_N = 7

    @property
    def text(self) -> str:
        """The phase in words."""
        if self is Segmentation.ALL:
            return "all phases"
        return "neutral or no phase information" if self is Segmentation.NEUTRAL else self.name.replace("_", "-")


class Direction(StrEnum):
    """Which way the energy flows, by quadrant flags and NET_FLOW_ACCOUNTABILITY. V: FDS, HXF, NIST n0mcli."""

    DELIVERED = "delivered"
    """To the customer: W in Q1 + Q4, var in Q1 + Q2."""
    RECEIVED = "received"
    """From the customer: W in Q2 + Q3, var in Q3 + Q4."""
    SUM = "delivered plus received"
    """All four quadrants, added as positive amounts."""
    NET = "delivered minus received"
    """All four quadrants with NET_FLOW_ACCOUNTABILITY."""


_DELIVERED: Final[dict[int, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    IdCode.ACTIVE_POWER: ((1, 4), (2, 3)),
    IdCode.REACTIVE_POWER: ((1, 2), (3, 4)),
    IdCode.REACTIVE_POWER_VECTOR: ((1, 2), (3, 4)),
}
_PREFIXABLE: Final = frozenset(
    {"W", "Wh", "var", "varh", "VA", "VAh", "V", "Vh", "A", "Ah", "Hz", "J", "Pa", "bar", "L", "m"}
)


class UnitDescription(NamedTuple):
    """One ST12 entry in words.

    Attributes:
        quantity: for example ``active energy``.
        unit: unit of value times ``factor``: ``Wh``; ``""`` for a pure number, None where it is not known.
        factor: 10 to the power that MULTIPLIER names, exact.
        wire_unit: unit of the value as reported, before ``factor``: ``kWh``, ``10^-2 V``.
        time_base: how it relates to time.
        direction: which way it flows, None where that does not matter or the flags are no known combination.
        quadrants: quadrants counted, 1..4; empty means that direction does not matter.
        net: NET_FLOW_ACCOUNTABILITY.
        phase: the phase of an electric quantity, else None.
        harmonic: True for one harmonic component of an associated source, False for the whole signal.
        id_code: the ID_CODE.
        facts: what is known of the ID_CODE, with its confidence.
        unresolved: a sentence for each thing that is not known.
        manufacturer: NFS is set: the entry is the manufacturer's own.
    """

    quantity: str
    unit: str | None
    factor: Decimal
    wire_unit: str | None
    time_base: TimeBase
    direction: Direction | None
    quadrants: tuple[int, ...]
    net: bool
    phase: Segmentation | None
    harmonic: bool
    id_code: int
    facts: Quantity
    unresolved: tuple[str, ...]
    manufacturer: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether values of successive intervals can be added: energy, counts and times can, volts cannot."""
        if self.time_base is TimeBase.EVENT:
            return True
        if self.time_base not in {TimeBase.BULK, TimeBase.NET_BULK}:
            return False
        if self.facts.kind in {Kind.RATE, Kind.LEVEL}:
            return self.facts.bulk_name is not None
        return self.facts.kind in {Kind.AMOUNT, Kind.COUNT, Kind.DURATION, Kind.CONDITION}

    def __str__(self) -> str:
        words = [self.quantity]
        if self.direction:
            words[0] += f" {self.direction}"
        elif self.quadrants:
            words[0] += " " + "+".join(f"Q{q}" for q in self.quadrants) + (" net" if self.net else "")
        if self.time_base not in {TimeBase.BULK, TimeBase.EVENT}:
            words.append(self.time_base.text)
        if self.phase:
            words.append(self.phase.text)
        if self.unit:
            words.append(self.unit)
        return ", ".join(words)


def describe_unit(entry: Mapping[str, int] | object) -> UnitDescription:
    """Say in words what one entry of ST12 means, and what of it is not known.

    Args:
        entry: the entry's fields by the standard's names, as attributes or as keys: ID_CODE, TIME_BASE, MULTIPLIER,
            Q1_ACCOUNTABILITY..Q4_ACCOUNTABILITY, NET_FLOW_ACCOUNTABILITY, SEGMENTATION, HARMONIC, NFS; ID_RESOURCE may
            be missing.

    Returns:
        The description. With NFS set nothing in the entry follows the standard, so quantity and unit stay open and the
        factor is 1.
    """
    if isinstance(entry, tuple):  # the record of an entry; meters have few different ones
        return _of_record(type(entry), entry)
    return _described(entry)


@remembered(512)
def _of_record(_kind: type, entry: object) -> UnitDescription:
    return _described(entry)


def _described(entry: Mapping[str, int] | object) -> UnitDescription:
    def field(name: str) -> int:
        value: Any = entry[name] if isinstance(entry, Mapping) else getattr(entry, name)
        return int(value)

    id_code, time_base, multiplier = field("ID_CODE"), TimeBase(field("TIME_BASE")), Multiplier(field("MULTIPLIER"))
    quadrants = tuple(q for q in (1, 2, 3, 4) if field(f"Q{q}_ACCOUNTABILITY"))
    net, harmonic = bool(field("NET_FLOW_ACCOUNTABILITY")), bool(field("HARMONIC"))
    facts = quantity(id_code)
    unresolved: list[str] = []
    direction, phase = None, None
    if field("NFS"):
        facts = Quantity("defined by the manufacturer", None, Kind.UNCONFIRMED, "V", "EPRI c12test, NIST n0mcli")
        name, unit, multiplier = facts.name, None, Multiplier.ONE
        unresolved.append("NFS is set: the entry is the manufacturer's own and ID_CODE has no standard meaning")
    else:
        name, unit = _with_time(id_code, facts, time_base, unresolved)
        direction = _direction(id_code, facts, quadrants, net=net, unresolved=unresolved)
        phase = _phase(id_code, Segmentation(field("SEGMENTATION")), unresolved)
    if harmonic:
        unresolved.append("HARMONIC is set: which source this is a component of, and which harmonic, is not in ST12")
    resource = entry.get("ID_RESOURCE", 0) if isinstance(entry, Mapping) else getattr(entry, "ID_RESOURCE", 0)
    if resource:
        unresolved.append(f"ID_RESOURCE {int(resource)}: its meaning is not known")
    return UnitDescription(
        *(name, unit, multiplier.factor, _wire_unit(unit, multiplier), time_base, direction, quadrants, net),
        *(phase, harmonic, id_code, facts, tuple(unresolved), bool(field("NFS"))),
    )


def _with_time(id_code: int, facts: Quantity, time_base: TimeBase, unresolved: list[str]) -> tuple[str, str | None]:
    """Return quantity and unit of an ID_CODE under a TIME_BASE."""
    if facts.kind in {Kind.RESERVED, Kind.UNCONFIRMED}:
        unresolved.append(f"ID_CODE {id_code} is {facts.name}")
        return f"ID_CODE {id_code} ({facts.name})", None
    if time_base is TimeBase.EVENT and facts.kind is not Kind.COUNT:
        return f"occurrences of {facts.name}", ""
    if time_base in {TimeBase.BULK, TimeBase.NET_BULK} and facts.kind in {Kind.RATE, Kind.LEVEL}:
        if facts.bulk_name:
            return facts.bulk_name, facts.bulk_unit
        unresolved.append(f"the unit of {facts.name} as a bulk quantity is not known")
        return facts.name, None
    if facts.unit is None:
        unresolved.append(f"the unit or encoding of {facts.name} is not known")
    return facts.name, facts.unit


def _direction(
    id_code: int, facts: Quantity, quadrants: tuple[int, ...], *, net: bool, unresolved: list[str]
) -> Direction | None:
    """Return the direction that the quadrant flags mean, for the quantities whose quadrants are known."""
    if not quadrants:
        if net:
            unresolved.append("NET_FLOW_ACCOUNTABILITY is set without a quadrant")
        return None
    if id_code in _DELIVERED:
        if quadrants == (1, 2, 3, 4):
            return Direction.NET if net else Direction.SUM
        delivered, received = _DELIVERED[id_code]
        if not net and quadrants in {delivered, received}:
            return Direction.DELIVERED if quadrants == delivered else Direction.RECEIVED
    chosen = "+".join(f"Q{q}" for q in quadrants)
    unresolved.append(f"the direction of {facts.name} in {chosen}{' net' if net else ''} has no common name")
    return None


def _phase(id_code: int, segmentation: Segmentation, unresolved: list[str]) -> Segmentation | None:
    """Return the phase; segmentation codes are defined for electric quantities only."""
    if commodity(id_code) is Commodity.ELECTRIC:
        return segmentation
    if segmentation:
        unresolved.append(f"SEGMENTATION {int(segmentation)} is defined for electric quantities only")
    return None


def _wire_unit(unit: str | None, multiplier: Multiplier) -> str | None:
    """Return the unit of the value before the multiplier, with an SI prefix where that is clear (not km³ or kV²)."""
    if unit is None or multiplier is Multiplier.ONE:
        return unit
    if multiplier.prefix and unit in _PREFIXABLE:
        return multiplier.prefix + unit
    return f"10^{multiplier.exponent} {unit}".rstrip()
