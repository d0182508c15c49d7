"""CIM ReadingType: the name of 18 whole numbers that a kind of reading has in IEC 61968-9.

    macroPeriod.aggregate.measuringPeriod.accumulation.flowDirection.commodity.kind.interharmonic (2).argument (2).
    tou.cpp.consumptionTier.phases.multiplier.unit.currency

Codes are those of NAESB's Green Button schema (usage.xsd 3.3 and 4.0), whose lists are the same. How values of C12.19
are named with them is written here once; marks as in `specs/ambiguities.md`: accumulation of averages, tou, and the
macro period of demands are readings of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.caches import remembered
from c1219.codes.quantities import Commodity, IdCode, commodity
from c1219.codes.units import Direction, Segmentation, TimeBase
from c1219.errors import DecodeError

if TYPE_CHECKING:
    from c1219.codes.units import UnitDescription

__all__ = [
    "BULK", "CUMULATIVE", "DAILY", "DELTA", "INDICATING", "INSTANTANEOUS", "MAXIMA", "MINIMA", "SUMMATION",
    "TIME_PERIOD", "ReadingType", "ReadingWords", "interval_type", "register_type",
]  # fmt: skip

BULK, CONTINUOUS, CUMULATIVE, DELTA, INDICATING, SUMMATION, INSTANTANEOUS = 1, 2, 3, 4, 6, 9, 12
"""accumulation: dial reading; sum of maxima with the one that runs, and without; amount of an interval; needle; dial
that runs at times; now."""
_BILLING, DAILY, _SEASONAL, TIME_PERIOD = 8, 11, 22, 32
"""macroPeriod; the last: as long as the message says."""
_AVERAGE: Final = 2
MAXIMA: Final = (8, 16, 23, 24, 25)
MINIMA: Final = (9, 17)
"""aggregate of an extreme, by its occurrence."""

_DISTORTION, _QUANTITY_POWER, _DEMAND_RESET, _COUNT = 10, 40, 122, 111
_CURRENT, _DEMAND, _ENERGY, _FREQUENCY, _POWER, _POWER_FACTOR, _VOLTAGE, _VOLUME, _FLOW = (
    4, 8, 12, 15, 37, 38, 54, 58, 155,
)  # fmt: skip
_COSINE: Final = 65
_UNITS: Final[dict[str, tuple[int, int]]] = {
    "W": (38, _POWER), "var": (63, _POWER), "VA": (61, _POWER), "Wh": (72, _ENERGY), "varh": (73, _ENERGY),
    "VAh": (71, _ENERGY), "V": (29, _VOLTAGE), "A": (5, _CURRENT), "V²": (67, _VOLTAGE), "A²": (69, _CURRENT),
    "Hz": (33, _FREQUENCY), "J": (31, _ENERGY), "therm": (169, _ENERGY), "m³": (42, _VOLUME), "m³/h": (125, _FLOW),
    "ft³": (119, _VOLUME), "ft³/h": (122, _FLOW), "US gal": (128, _VOLUME), "US gal/h": (129, _FLOW),
    "imp gal": (130, _VOLUME), "imp gal/h": (131, _FLOW), "L": (134, _VOLUME), "Ah": (106, 0), "V²h": (104, 0),
    "A²h": (105, 0),
}  # fmt: skip
"""unit, and the kind of what is in it."""
_UNIT_OF_CODE: Final = {code: unit for unit, (code, _) in _UNITS.items()} | {_COSINE: "", _COUNT: ""}
_FACTORS: Final = {IdCode.POWER_FACTOR_APPARENT, IdCode.POWER_FACTOR_PHASOR, IdCode.AVERAGE_POWER_FACTOR}
_COMMODITIES: Final = {Commodity.ELECTRIC: 1, Commodity.GAS: 7, Commodity.WATER: 9, Commodity.GENERIC: 0}
_PRIMARY: Final = 2
"""commodity of electricity whose ratios are in the value."""

_DIRECTIONS: Final = {Direction.DELIVERED: 1, Direction.RECEIVED: 19, Direction.NET: 4, Direction.SUM: 20}
_QUADRANTS: Final[dict[tuple[int, ...], int]] = {
    (): 0, (1, 2): 5, (1, 3): 7, (1, 4): 8, (2, 3): 10, (2, 4): 11, (3, 4): 13, (1,): 15, (2,): 16, (3,): 17, (4,): 18,
}  # fmt: skip
_APPARENT: Final = {
    IdCode.APPARENT_POWER, IdCode.PHASOR_POWER, IdCode.DISTORTION_VOLT_AMPERES,
}  # fmt: skip
_OF_APPARENT: Final = {(1, 4): Direction.DELIVERED, (2, 3): Direction.RECEIVED, (1, 2, 3, 4): Direction.SUM}
_ALSO_READ: Final = {8: Direction.DELIVERED, 10: Direction.RECEIVED}
"""flowDirection of W besides 1 and 19; of var it is `_REACTIVE`."""
_REACTIVE: Final = {5: Direction.DELIVERED, 13: Direction.RECEIVED}

_PHASES: Final = {
    Segmentation.A_B: 132, Segmentation.B_C: 66, Segmentation.C_A: 40, Segmentation.A_N: 129, Segmentation.B_N: 65,
    Segmentation.C_N: 33,
}  # fmt: skip
_LINES: Final = {Segmentation.A_N: 128, Segmentation.B_N: 64, Segmentation.C_N: 32, Segmentation.NEUTRAL: 16}
"""phases of a current."""

_MINUTES: Final = {1: 3, 2: 10, 3: 14, 5: 6, 10: 1, 15: 2, 20: 31, 30: 5, 60: 7, 1440: 4}
_BLOCKS: Final = {
    (60, 60): 50, (30, 30): 51, (20, 20): 52, (15, 15): 53, (10, 10): 54, (5, 5): 55, (1, 1): 56, (60, 30): 57,
    (60, 20): 58, (60, 15): 59, (60, 12): 60, (60, 10): 61, (60, 6): 62, (60, 5): 63, (60, 4): 64, (30, 15): 65,
    (30, 10): 66, (30, 6): 67, (30, 5): 68, (30, 3): 69, (30, 2): 70, (15, 5): 71, (15, 3): 72, (15, 1): 73,
    (10, 5): 74, (10, 2): 75, (10, 1): 76, (5, 1): 77,
}  # fmt: skip
"""measuringPeriod: of intervals by their minutes, of demands by those of block and sub-block."""

_KINDS_OF_ACCUMULATION: Final = {
    BULK: "summation", SUMMATION: "summation", CUMULATIVE: "cumulative", CONTINUOUS: "continuous cumulative",
    INSTANTANEOUS: "present value",
}  # fmt: skip
_MACRO_OF_PERIOD: Final = {"previous season": _SEASONAL, "previous demand reset": _BILLING}
_FIELDS: Final = 18
_LONGEST: Final = 6
"""Digits of a field that are read."""


class ReadingWords(NamedTuple):
    """What a ReadingType says, as the columns of ``c1219.readings/1`` have it.

    Attributes:
        quantity: what is measured; "" if that is not known here.
        unit: of the value before `ReadingType.multiplier`; None if it is not known here.
        kind: ``interval``, or what sort of register it is; None if that is not known here.
        tier: 0 for the first; None for the total.
        occurrence: of a demand.
        extreme: ``maximum`` or ``minimum`` of a demand.
    """

    quantity: str
    unit: str | None
    kind: str | None
    tier: int | None
    occurrence: int | None
    extreme: str | None


class ReadingType(NamedTuple):
    """The fields, as IEC 61968-9 numbers them; 0 is: does not apply.

    Attributes:
        macro_period: 8 billing period, 11 day, 22 season, 32 as the message says.
        aggregate: 2 average, 8 maximum.
        measuring_period: code of the length of an interval or demand block.
        accumulation: 1 dial, 4 amount of an interval.
        flow_direction: 1 delivered, 19 received, 15 to 18 one quadrant.
        commodity: 1 electricity, 2 the same with ratios applied, 7 gas, 9 water.
        kind: 12 energy, 8 demand, 54 voltage.
        interharmonic_numerator: not used here.
        interharmonic_denominator: not used here.
        argument_numerator: not used here.
        argument_denominator: not used here.
        tou: tier, 1 for the first.
        cpp: not used here.
        consumption_tier: not used here.
        phases: bits of the phases.
        multiplier: power of ten that the unit is multiplied with.
        unit: 72 Wh, 38 W, 29 V.
        currency: number of ISO 4217.
    """

    macro_period: int = 0
    aggregate: int = 0
    measuring_period: int = 0
    accumulation: int = 0
    flow_direction: int = 0
    commodity: int = 0
    kind: int = 0
    interharmonic_numerator: int = 0
    interharmonic_denominator: int = 0
    argument_numerator: int = 0
    argument_denominator: int = 0
    tou: int = 0
    cpp: int = 0
    consumption_tier: int = 0
    phases: int = 0
    multiplier: int = 0
    unit: int = 0
    currency: int = 0

    def __str__(self) -> str:
        return ".".join(map(str, self))

    @classmethod
    def parse(cls, text: str) -> ReadingType:
        """Read the 18 numbers with points between them.

        Raises:
            DecodeError: it is something else; the offset is that of the field, from 0.
        """
        parts = text.split(".", _FIELDS)
        for place, part in enumerate(parts):
            digits = part[1:] if place == _MULTIPLIER and part.startswith("-") else part
            if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST):
                raise DecodeError("ReadingType", place, f"field {place + 1} is no number: {part[:20]!r}")
        if len(parts) != _FIELDS:
            raise DecodeError("ReadingType", len(parts), f"a ReadingType has {_FIELDS} fields, this has {len(parts)}")
        return cls(*map(int, parts))

    def words(self) -> ReadingWords:
        """Say what it means; what it says beyond that is lost."""
        if self.kind == _DEMAND_RESET:
            return ReadingWords("", "", "demand resets", None, None, None)
        unit = _UNIT_OF_CODE.get(self.unit)
        extreme = "maximum" if self.aggregate in MAXIMA else "minimum" if self.aggregate in MINIMA else None
        occurrence = None
        if self.accumulation == INDICATING and extreme is not None:
            kind: str | None = "demand"
            occurrence = (MAXIMA if extreme == "maximum" else MINIMA).index(self.aggregate)
        elif self.macro_period == TIME_PERIOD or self.measuring_period in _MINUTES.values():
            kind = "interval"
        elif self.accumulation == INSTANTANEOUS and self.kind == _DEMAND:
            kind = "present demand"
        else:
            kind = _KINDS_OF_ACCUMULATION.get(self.accumulation)
        tier = self.tou - 1 if self.tou else None
        return ReadingWords(self._quantity(unit), unit, kind, tier, occurrence, extreme)

    def _quantity(self, unit: str | None) -> str:
        """Return what is measured, in the words of `c1219.rules.sources`."""
        code = IdCode.POWER_FACTOR_APPARENT if self.unit == _COSINE else _codes_of_units().get((unit or "", self.kind))
        if code is None:
            return ""
        bulk = code.facts.bulk_unit == unit
        words = [(code.facts.bulk_name if bulk else code.facts.name) or ""]
        direction = next((one for one, number in _DIRECTIONS.items() if number == self.flow_direction), None)
        if code is IdCode.ACTIVE_POWER:
            direction = direction or _ALSO_READ.get(self.flow_direction)
        elif code is IdCode.REACTIVE_POWER:
            direction = direction or _REACTIVE.get(self.flow_direction)
        quadrants = {number: flow for flow, number in _QUADRANTS.items()}.get(self.flow_direction)
        if direction is not None:
            words.append(direction)
        elif quadrants:
            words.append("+".join(f"Q{quadrant}" for quadrant in quadrants))
        table = _LINES if self.kind == _CURRENT else _PHASES
        words += [phase.text for phase, number in table.items() if number == self.phases]
        return " ".join(words)


_MULTIPLIER: Final = ReadingType._fields.index("multiplier")


@remembered()
def _codes_of_units() -> dict[tuple[str, int], IdCode]:
    """Return the first ID_CODE that has a unit and kind."""
    found: dict[tuple[str, int], IdCode] = {}
    for code in IdCode:
        for unit in (code.facts.unit, code.facts.bulk_unit):
            if unit in _UNITS:
                kind = _kind(code, unit, demand=False)
                found.setdefault((unit, kind), code)
                if kind == _POWER:
                    found.setdefault((unit, _DEMAND), code)
    return found


def _kind(id_code: int, unit: str, *, demand: bool) -> int:
    if id_code == IdCode.DISTORTION_VOLT_AMPERES:
        return _DISTORTION
    kind = _UNITS[unit][1]
    return _DEMAND if demand and kind == _POWER else kind


@remembered(4096)
def _measured(
    uom: UnitDescription | None, unit: str | None, *, demand: bool, primary: bool, partial: bool
) -> ReadingType | None:
    """Return the fields that say what is measured; None where one of them has no code, unless `partial`."""
    if uom is None:
        return ReadingType() if partial else None
    code = kind = 0
    if unit == "" and uom.id_code in _FACTORS:
        code, kind = _COSINE, _POWER_FACTOR
    elif unit in _UNITS:
        code, kind = _UNITS[unit][0], _kind(uom.id_code, unit, demand=demand)
    direction = uom.direction
    if uom.id_code in _APPARENT:
        direction = _OF_APPARENT.get(uom.quadrants)
        if direction is Direction.SUM and uom.net:
            direction = Direction.NET
    flow = _DIRECTIONS[direction] if direction is not None else _QUADRANTS.get(uom.quadrants)
    known = code and flow is not None and not (uom.net and direction is not Direction.NET)
    if not (known or partial) or ((uom.harmonic or uom.manufacturer) and not partial):
        return None
    what = _COMMODITIES[commodity(uom.id_code)]
    phase = Segmentation.ALL if uom.phase is None else uom.phase
    return ReadingType(
        flow_direction=flow or 0,
        commodity=_PRIMARY if primary and what == _COMMODITIES[Commodity.ELECTRIC] else what,
        kind=kind,
        phases=(_LINES if kind == _CURRENT else _PHASES).get(phase, 0),
        unit=code,
    )


def interval_type(
    uom: UnitDescription | None, unit: str | None, minutes: int, *, primary: bool = False, partial: bool = False
) -> ReadingType | None:
    """Return the name of an interval of a load-profile channel; None where something of it has no code.

    Args:
        uom: what is measured.
        unit: of the values.
        minutes: length of an interval.
        primary: constants of ST15 are in the value.
        partial: what has no code is 0, and the rest is given.
    """
    sampled = uom is not None and uom.time_base is TimeBase.INSTANTANEOUS
    found = _measured(uom, unit, demand=not sampled, primary=primary, partial=partial)
    if found is None:
        return None
    period = _MINUTES.get(minutes, 0)
    adds_up = uom is not None and uom.adds_up
    return found._replace(
        macro_period=0 if period else TIME_PERIOD,
        aggregate=0 if adds_up or sampled else _AVERAGE,
        measuring_period=period,
        accumulation=DELTA if adds_up else INDICATING,
    )


def register_type(
    uom: UnitDescription | None,
    unit: str | None,
    kind: str,
    *,
    tier: int | None = None,
    occurrence: int | None = None,
    extreme: str | None = None,
    interval: int | None = None,
    subintervals: int = 1,
    period: str | None = None,
    primary: bool = False,
    partial: bool = False,
) -> ReadingType | None:
    """Return the name of a register; None where something of it has no code.

    Args:
        uom: what is measured.
        unit: of the value.
        kind: of the register, as `c1219.views.register_row.Kind`.
        tier: of use, 0 for the first; None for the total.
        occurrence: of a demand, 0 for the first.
        extreme: ``maximum`` or ``minimum`` of a demand.
        interval: of a demand, in minutes.
        subintervals: parts of it.
        period: of the register, as `c1219.views.register_row.Period`.
        primary: constants of ST15 are in the value.
        partial: what has no code is 0, and the rest is given; but not where the kind of register has none.
    """
    macro = _MACRO_OF_PERIOD.get(period or "", 0)
    if kind == "demand resets":
        return ReadingType(macro, accumulation=BULK, commodity=1, kind=_DEMAND_RESET, unit=_COUNT)
    found = _measured(uom, unit, demand=kind not in {"summation", "present value"}, primary=primary, partial=partial)
    if found is None:
        return None
    tou = 0 if tier is None else tier + 1
    if kind == "summation":
        return found._replace(macro_period=macro, accumulation=BULK if tier is None else SUMMATION, tou=tou)
    if kind == "present value":
        bulk = uom is not None and uom.time_base in {TimeBase.BULK, TimeBase.NET_BULK}
        return found._replace(accumulation=BULK if bulk else INSTANTANEOUS)
    block = _BLOCKS.get((interval, interval // subintervals), 0) if interval else 0
    if kind == "present demand":
        return found._replace(accumulation=INSTANTANEOUS, measuring_period=block)
    if kind == "coincident":
        return found._replace(macro_period=macro, accumulation=INDICATING, measuring_period=block, tou=tou)
    extremes = MINIMA if extreme == "minimum" else MAXIMA
    if (occurrence or 0) >= len(extremes):
        return None
    changes: dict[str, Any] = {"macro_period": macro or _BILLING, "aggregate": extremes[occurrence or 0], "tou": tou}
    if kind == "demand":
        return found._replace(accumulation=INDICATING, measuring_period=block, **changes)
    if kind not in {"cumulative", "continuous cumulative"}:
        return None
    return found._replace(accumulation=CUMULATIVE if kind == "cumulative" else CONTINUOUS, **changes)
