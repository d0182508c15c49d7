"""Units of COSEM (the enumeration of `scaler_unit`), and the units of views that they stand for.

Codes 0 to 72: Gurux.DLMS and dlms-cosem [V]; from 128 on: Gurux.DLMS [1]. Three units have two codes (ft³, imperial and
US gallon): the lower one is written, both are read [?].
"""

from __future__ import annotations

from typing import Final

__all__ = ["NO_UNIT", "OTHER_UNIT", "UNITS", "unit_code"]

NO_UNIT: Final = 255
"""Counts, ratios and what has no unit."""
OTHER_UNIT: Final = 254

UNITS: Final[dict[int, str]] = {
    1: "year", 2: "month", 3: "week", 4: "day", 5: "h", 6: "min", 7: "s", 8: "°", 9: "°C", 10: "currency", 11: "m",
    12: "m/s", 13: "m³", 14: "corrected m³", 15: "m³/h", 16: "corrected m³/h", 17: "m³/d", 18: "corrected m³/d",
    19: "L", 20: "kg", 21: "N", 22: "N·m", 23: "Pa", 24: "bar", 25: "J", 26: "J/h", 27: "W", 28: "VA", 29: "var",
    30: "Wh", 31: "VAh", 32: "varh", 33: "A", 34: "C", 35: "V", 36: "V/m", 37: "F", 38: "Ω", 39: "Ω·m²/m", 40: "Wb",
    41: "T", 42: "A/m", 43: "H", 44: "Hz", 45: "1/Wh", 46: "1/varh", 47: "1/VAh", 48: "V²h", 49: "A²h", 50: "kg/s",
    51: "S", 52: "K", 53: "1/V²h", 54: "1/A²h", 55: "1/m³", 56: "%", 57: "Ah", 60: "Wh/m³", 61: "J/m³", 62: "mol %",
    63: "g/m³", 64: "Pa·s", 65: "J/kg", 66: "g/cm²", 67: "atm", 70: "dBm", 71: "dBµV", 72: "dB", 128: "in", 129: "ft",
    130: "lb", 131: "°F", 132: "°R", 133: "in²", 134: "ft²", 135: "acre", 136: "in³", 137: "ft³", 138: "acre·ft",
    139: "imp gal", 140: "US gal", 141: "lbf", 142: "psi", 143: "lb/ft³", 144: "lb/(ft·s)", 145: "ft²/s", 146: "BTU",
    147: "therm (EU)", 148: "therm (US)", 149: "BTU/lb", 150: "BTU/ft³", 151: "ft³", 152: "ft/s", 153: "ft³/s",
    154: "ft³/min", 155: "ft³/h", 156: "ft³/d", 157: "acre·ft/s", 158: "acre·ft/min", 159: "acre·ft/h",
    160: "acre·ft/d", 161: "imp gal", 162: "imp gal/s", 163: "imp gal/min", 164: "imp gal/h", 165: "imp gal/d",
    166: "US gal", 167: "US gal/s", 168: "US gal/min", 169: "US gal/h", 170: "US gal/d", 171: "BTU/s", 172: "BTU/min",
    173: "BTU/h", 174: "BTU/d", OTHER_UNIT: "other", NO_UNIT: "",
}  # fmt: skip
"""Code to unit."""

_CODES: Final = {unit: code for code, unit in reversed(UNITS.items())}
_OF_VIEWS: Final = {"m³/h": 15, "therm": 148}
"""Units whose word in views is another one, or not decisive."""


def unit_code(unit: str | None) -> int | None:
    """Return the code of a unit as views name it; None if there is none.

    Args:
        unit: for example ``Wh``; ``""`` for a pure number.
    """
    return None if unit is None else _OF_VIEWS.get(unit, _CODES.get(unit))
