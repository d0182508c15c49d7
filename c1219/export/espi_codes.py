"""Codes of ESPI (NAESB REQ.21, Green Button) for what the views say.

Origin of the codes: greenbutton_objects 2024.7.11, a reader made from the schema, and recollection of the schema agree,
but for those marked [?], which are recollection alone. A unit or quantity without a confirmed code gets 0, "none".
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from c1219.codes.quantities import Commodity, IdCode, commodity
from c1219.codes.status import ChannelStatus
from c1219.codes.units import Direction, Segmentation, TimeBase
from c1219.rules.sources import EXACT
from c1219.views.load_profile import IntervalStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219.codes.units import UnitDescription
    from c1219.views.load_profile import Interval
    from c1219.views.register_row import Register

__all__ = [
    "BULK", "CUMULATIVE", "DELTA", "DEMAND", "INDICATING", "INSTANTANEOUS", "LARGEST", "PHASES", "QUESTIONABLE", "RAW",
    "SERVICES", "SUMMATION", "accumulation", "commodity_code", "direction_code", "quality", "register_codes", "scale",
    "unit_codes",
]  # fmt: skip

BULK, CUMULATIVE, DELTA, INDICATING, SUMMATION, INSTANTANEOUS = 1, 3, 4, 6, 9, 12
"""accumulationBehaviour: dial reading, sum of maxima, amount of an interval, needle, dial that runs at times, now."""

DEMAND: Final = 8
"""kind: demand."""
RAW, QUESTIONABLE = 14, 10
"""quality: as the meter gave it; doubtful."""

SERVICES: Final = {"electric": 0, "gas": 1, "water": 2}
"""ServiceCategory kind by `Identity.commodity`."""

_CURRENT, _ENERGY, _FREQUENCY, _POWER, _POWER_FACTOR, _VOLTAGE, _FLOW = 4, 12, 15, 37, 38, 54, 155
_UNITS: Final = {
    "W": (38, _POWER), "var": (63, _POWER), "VA": (61, _POWER), "Wh": (72, _ENERGY), "varh": (73, _ENERGY),
    "VAh": (71, _ENERGY), "V": (29, _VOLTAGE), "A": (5, _CURRENT), "V²": (67, _VOLTAGE), "A²": (69, _CURRENT),
    "Ah": (106, 0), "Hz": (33, _FREQUENCY), "m³": (42, 0), "m³/h": (125, _FLOW), "ft³": (119, 0), "ft³/h": (122, _FLOW),
    "US gal": (128, 0), "US gal/h": (129, _FLOW), "imp gal": (130, 0), "imp gal/h": (131, _FLOW), "L": (134, 0),
    "therm": (169, _ENERGY), "J": (31, _ENERGY),
}  # fmt: skip
_FACTORS = {IdCode.POWER_FACTOR_APPARENT, IdCode.POWER_FACTOR_PHASOR, IdCode.AVERAGE_POWER_FACTOR}

_COMMODITIES: Final = {Commodity.ELECTRIC: 1, Commodity.GAS: 7, Commodity.WATER: 9, Commodity.GENERIC: 0}
_DIRECTIONS: Final = {
    Direction.DELIVERED: 1,
    Direction.RECEIVED: 19,
    Direction.NET: 4,  # [?]
    Direction.SUM: 20,  # [?]
}
PHASES: Final = {
    Segmentation.A_B: 132, Segmentation.B_C: 66, Segmentation.C_A: 40, Segmentation.A_N: 129,
    Segmentation.B_N: 65, Segmentation.C_N: 33,  # the last two [?]
}  # fmt: skip
"""phase; the rest is 0."""

_DOUBTFUL = ~(IntervalStatus.DST)
_FINE = {None, ChannelStatus.NO_EXCEPTION}

LARGEST: Final = Decimal((1 << 47) - 1).scaleb(12)
"""Largest value that has a form: 48 bits times 10^12."""

_MULTIPLIERS: Final = (0, -1, -2, -3, -6, -9, -12)
_COARSER: Final = (3, 6, 9, 12)
_LIMIT: Final = 1 << 47


def unit_codes(unit: str | None, uom: UnitDescription | None) -> tuple[int, int]:
    """Return uom and kind of a unit; 0 and 0 where there is no confirmed code."""
    if unit == "" and uom is not None and uom.id_code in _FACTORS:
        return 65, _POWER_FACTOR
    return _UNITS.get(unit or "", (0, 0))


def commodity_code(uom: UnitDescription | None) -> int:
    """Return the commodity of a quantity."""
    return 0 if uom is None else _COMMODITIES[commodity(uom.id_code)]


def direction_code(direction: Direction | None) -> int:
    """Return flowDirection."""
    return 0 if direction is None else _DIRECTIONS[direction]


def accumulation(uom: UnitDescription | None) -> int:
    """Return accumulationBehaviour of interval data: amounts add up, levels do not."""
    return DELTA if uom is not None and uom.adds_up else INDICATING


def register_codes(row: Register, uom: UnitDescription | None) -> tuple[int, int] | None:
    """Return accumulationBehaviour and kind of a register, None if ESPI has no confirmed code for it."""
    kind = unit_codes(row.unit, uom)[1]
    demand = DEMAND if kind == _POWER else kind
    if row.kind == "summation":
        return (BULK if row.tier is None else SUMMATION), kind
    if row.kind in {"demand", "cumulative"}:
        return (INDICATING if row.kind == "demand" else CUMULATIVE), demand
    if row.kind == "present value":
        bulk = uom is not None and uom.time_base in {TimeBase.BULK, TimeBase.NET_BULK}
        return (BULK if bulk else INSTANTANEOUS), kind
    if row.kind == "present demand":
        return INSTANTANEOUS, demand
    return (INDICATING, kind) if row.kind == "coincident" else None


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
