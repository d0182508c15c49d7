"""ST12 ID_CODE: what a source of a meter measures, and in which unit.

Each code carries a confidence mark: V = two independent sources agree, 1 = one source, ? = recollection, not confirmed.
Source keys:

    CNX  EnergyICT/Honeywell head-end, comments of its 1997 list
    YUK  Cannon/Eaton Yukon head-end
    FDS  Future DOS R&D register set for C12.22 nodes (2008)
    HXF  Hexing meter firmware headers
    MEM  recollection of the standard
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, Literal, NamedTuple, Self

__all__ = ["Commodity", "Confidence", "IdCode", "Kind", "Quantity", "commodity", "quantity"]

Confidence = Literal["V", "1", "?"]


class Commodity(StrEnum):
    """The part of the ID_CODE list that a code is in."""

    ELECTRIC = "electric"
    GAS = "gas"
    WATER = "water"
    GENERIC = "generic"


class Kind(StrEnum):
    """What sort of number a quantity is; it decides what TIME_BASE does to it."""

    RATE = "rate"
    """Per hour, or power: a bulk TIME_BASE makes an amount of it."""
    LEVEL = "level"
    """A level at a moment or averaged: volts, angle, temperature, pressure."""
    AMOUNT = "amount"
    """An amount already: litres, currency."""
    COUNT = "count"
    """A number of occurrences."""
    DURATION = "duration"
    """A length of time."""
    CLOCK = "clock"
    """A time of day or a date."""
    STATE = "state"
    """True or false."""
    CONDITION = "condition"
    """Something that happens: a number of occurrences if TIME_BASE says so."""
    RESERVED = "reserved"
    """Reserved by the standard."""
    UNCONFIRMED = "unconfirmed"
    """Perhaps assigned, but no source says as what."""


class Quantity(NamedTuple):
    """What one ID_CODE measures.

    Attributes:
        name: the quantity, in words.
        unit: its unit, ``""`` for a pure number, None where no source says.
        kind: what sort of number it is.
        confidence: V, 1 or ?, see the module.
        source: keys of the sources, see the module.
        edition: the edition that assigned it: 1997 or 2008.
        bulk_name: the quantity when TIME_BASE is a bulk one, None if there is none.
        bulk_unit: the unit of that.
    """

    name: str
    unit: str | None
    kind: Kind
    confidence: Confidence
    source: str
    edition: int = 1997
    bulk_name: str | None = None
    bulk_unit: str | None = None


_UNCONFIRMED: Final = Quantity("not confirmed", None, Kind.UNCONFIRMED, "?", "MEM", 2008)


class IdCode(IntEnum):
    """ST12 ID_CODE, bits 0..7. ``facts`` says all that is known of a code."""

    facts: Quantity

    def __new__(cls, code: int, facts: Quantity = _UNCONFIRMED) -> Self:
        """Make a member; its value is the code alone."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.facts = facts
        return member

    ACTIVE_POWER = 0, Quantity("active power", "W", Kind.RATE, "V", "CNX FDS HXF YUK", 1997, "active energy", "Wh")
    REACTIVE_POWER = (
        1,
        Quantity("reactive power", "var", Kind.RATE, "V", "CNX FDS HXF", 1997, "reactive energy", "varh"),
    )
    APPARENT_POWER = 2, Quantity("apparent power", "VA", Kind.RATE, "V", "CNX FDS", 1997, "apparent energy", "VAh")
    PHASOR_POWER = 3, Quantity("phasor power", "VA", Kind.RATE, "1", "CNX", 1997, "phasor energy", "VAh")
    QUANTITY_POWER_60 = 4, Quantity("quantity power Q(60)", None, Kind.RATE, "1", "CNX")
    QUANTITY_POWER_45 = 5, Quantity("quantity power Q(45)", None, Kind.RATE, "1", "CNX")
    REACTIVE_POWER_VECTOR = (
        6,
        Quantity(
            "reactive power from apparent and active power",
            "var",
            Kind.RATE,
            "1",
            "FDS",
            2008,
            "reactive energy from apparent and active power",
            "varh",
        ),
    )
    DISTORTION_VOLT_AMPERES = (
        7,
        Quantity("distortion volt-amperes", "VA", Kind.RATE, "?", "MEM", 2008, "distortion volt-ampere hours", "VAh"),
    )
    RMS_VOLTS = 8, Quantity("RMS voltage", "V", Kind.LEVEL, "V", "CNX YUK FDS HXF", 1997, "RMS volt hours", "Vh")
    AVERAGE_VOLTS = 9, Quantity("average voltage", "V", Kind.LEVEL, "1", "CNX", 1997, "average volt hours", "Vh")
    RMS_VOLTS_SQUARED = (
        10,
        Quantity("RMS voltage squared", "V²", Kind.LEVEL, "V", "CNX YUK", 1997, "volt-squared hours", "V²h"),
    )
    INSTANTANEOUS_VOLTS = (
        11,
        Quantity("instantaneous voltage", "V", Kind.LEVEL, "V", "CNX YUK", 1997, "volt hours", "Vh"),
    )
    RMS_AMPERES = 12, Quantity("RMS current", "A", Kind.LEVEL, "V", "CNX YUK FDS HXF", 1997, "RMS ampere hours", "Ah")
    AVERAGE_CURRENT = 13, Quantity("average current", "A", Kind.LEVEL, "?", "MEM", 2008, "average ampere hours", "Ah")
    RMS_AMPERES_SQUARED = (
        14,
        Quantity("RMS current squared", "A²", Kind.LEVEL, "V", "CNX YUK", 1997, "ampere-squared hours", "A²h"),
    )
    INSTANTANEOUS_CURRENT = (
        15,
        Quantity("instantaneous current", "A", Kind.LEVEL, "V", "CNX YUK", 1997, "ampere hours", "Ah"),
    )
    THD_VOLTAGE_IEEE = 16, Quantity("voltage THD (IEEE)", None, Kind.LEVEL, "1", "CNX")
    THD_CURRENT_IEEE = 17, Quantity("current THD (IEEE)", None, Kind.LEVEL, "1", "CNX")
    THD_VOLTAGE_IC = 18, Quantity("voltage THD (Industry Canada)", None, Kind.LEVEL, "1", "CNX")
    THD_CURRENT_IC = 19, Quantity("current THD (Industry Canada)", None, Kind.LEVEL, "1", "CNX")
    VOLTAGE_ANGLE_TO_VA = 20, Quantity("voltage phase angle to VA", "°", Kind.LEVEL, "1", "CNX")
    VOLTAGE_ANGLE = 21, Quantity("voltage angle Vx-Vy", "°", Kind.LEVEL, "V", "CNX HXF")
    CURRENT_ANGLE_TO_VA = 22, Quantity("current phase angle to VA", "°", Kind.LEVEL, "V", "CNX HXF")
    CURRENT_ANGLE = 23, Quantity("current angle Ix-Iy", "°", Kind.LEVEL, "1", "CNX")
    POWER_FACTOR_APPARENT = 24, Quantity("power factor from apparent power", "", Kind.LEVEL, "V", "CNX FDS")
    POWER_FACTOR_PHASOR = 25, Quantity("power factor from phasor power", "", Kind.LEVEL, "V", "CNX HXF")
    AVERAGE_POWER_FACTOR = 26, Quantity("average power factor", "", Kind.LEVEL, "?", "MEM", 2008)
    TIME_OF_DAY = 29, Quantity("time of day", None, Kind.CLOCK, "1", "CNX")
    DATE = 30, Quantity("date", None, Kind.CLOCK, "1", "CNX")
    TIME_OF_DAY_AND_DATE = 31, Quantity("time of day and date", None, Kind.CLOCK, "1", "CNX")
    INTERVAL_TIMER = 32, Quantity("interval timer", None, Kind.DURATION, "1", "CNX")
    FREQUENCY = 33, Quantity("frequency", "Hz", Kind.LEVEL, "V", "CNX FDS HXF")
    COUNTER = 34, Quantity("counter", "", Kind.COUNT, "1", "CNX")
    SENSE_INPUT = 35, Quantity("sense input", "", Kind.STATE, "1", "CNX")
    PULSE_OUTPUT_A = 36, Quantity("pulse output, form A", None, Kind.CONDITION, "?", "MEM", 2008)
    PULSE_OUTPUT_B = 37, Quantity("pulse output, form B", None, Kind.CONDITION, "?", "MEM", 2008)
    PULSE_OUTPUT_C = 38, Quantity("pulse output, form C", None, Kind.CONDITION, "?", "MEM", 2008)
    ZERO_FLOW_DURATION = 39, Quantity("zero-flow duration", None, Kind.DURATION, "1", "FDS", 2008)
    VOLTAGE_SAG = 40, Quantity("voltage sag", None, Kind.CONDITION, "1", "CNX")
    VOLTAGE_SWELL = 41, Quantity("voltage swell", None, Kind.CONDITION, "1", "CNX")
    POWER_OUTAGE_MAINS = 42, Quantity("power outage (mains)", None, Kind.CONDITION, "V", "CNX FDS")
    VOLTAGE_EXCURSION_LOW = 43, Quantity("voltage excursion low", None, Kind.CONDITION, "1", "CNX")
    VOLTAGE_EXCURSION_HIGH = 44, Quantity("voltage excursion high", None, Kind.CONDITION, "1", "CNX")
    NORMAL_VOLTAGE_LEVEL = 45, Quantity("normal voltage level", None, Kind.CONDITION, "1", "CNX")
    VOLTAGE_UNBALANCE = 46, Quantity("voltage unbalance", None, Kind.CONDITION, "1", "CNX")
    VOLTAGE_THD_EXCESS = 47, Quantity("voltage THD excess", None, Kind.CONDITION, "1", "CNX")
    CURRENT_THD_EXCESS = 48, Quantity("current THD excess", None, Kind.CONDITION, "1", "CNX")
    POWER_OUTAGE_END_DEVICE = 49, Quantity("power outage (end device)", None, Kind.CONDITION, "?", "MEM", 2008)
    NBR_POWER_OUTAGES = 50, Quantity("number of power outages", "", Kind.COUNT, "V", "CNX FDS")
    NBR_DEMAND_RESETS = 51, Quantity("number of demand resets", "", Kind.COUNT, "V", "CNX FDS")
    NBR_PROGRAMMED = 52, Quantity("number of times programmed", "", Kind.COUNT, "V", "CNX FDS")
    BATTERY_CARRYOVER = 53, Quantity("time on battery carryover", "min", Kind.DURATION, "V", "CNX FDS")
    TAMPER_INVERSION = 54, Quantity("inversion tampers", "", Kind.COUNT, "?", "MEM", 2008)
    TAMPER_REMOVAL = 55, Quantity("removal tampers", "", Kind.COUNT, "?", "MEM", 2008)
    TAMPER_REPROGRAMMING = 56, Quantity("reprogramming tampers", "", Kind.COUNT, "?", "MEM", 2008)
    TAMPER_POWER_LOSS = 57, Quantity("power loss tampers", "", Kind.COUNT, "?", "MEM", 2008)
    TAMPER_REVERSE_ROTATION = 58, Quantity("reverse rotation tampers", "", Kind.COUNT, "?", "MEM", 2008)
    TAMPER_PHYSICAL = 59, Quantity("physical tampers", "", Kind.COUNT, "?", "MEM", 2008)
    TAMPER_ENCODER = 60, Quantity("encoder tampers", "", Kind.COUNT, "?", "MEM", 2008)
    WATCHDOG_RECOVERIES = 61, Quantity("watchdog recoveries", "", Kind.COUNT, "1", "FDS", 2008)
    DIAGNOSTIC_ALARMS = 62, Quantity("diagnostic alarms", "", Kind.COUNT, "1", "FDS", 2008)

    GAS_M3_UNCORRECTED = (
        64,
        Quantity(
            "gas flow, uncorrected index", "m³/h", Kind.RATE, "1", "CNX", 1997, "gas volume, uncorrected index", "m³"
        ),
    )
    GAS_M3_CORRECTED = (
        65,
        Quantity(
            "gas flow, corrected to base conditions",
            "m³/h",
            Kind.RATE,
            "1",
            "CNX",
            1997,
            "gas volume, corrected to base conditions",
            "m³",
        ),
    )
    GAS_M3_PRESSURE_BASE = (
        66,
        Quantity(
            "gas flow, corrected to pressure base without supercompressibility",
            "m³/h",
            Kind.RATE,
            "1",
            "CNX",
            1997,
            "gas volume, corrected to pressure base without supercompressibility",
            "m³",
        ),
    )
    GAS_FT3_UNCORRECTED = (
        67,
        Quantity(
            "gas flow, uncorrected index", "ft³/h", Kind.RATE, "1", "CNX", 1997, "gas volume, uncorrected index", "ft³"
        ),
    )
    GAS_FT3_CORRECTED = (
        68,
        Quantity(
            "gas flow, corrected to base conditions",
            "ft³/h",
            Kind.RATE,
            "1",
            "CNX",
            1997,
            "gas volume, corrected to base conditions",
            "ft³",
        ),
    )
    GAS_FT3_PRESSURE_BASE = (
        69,
        Quantity(
            "gas flow, corrected to pressure base without supercompressibility",
            "ft³/h",
            Kind.RATE,
            "1",
            "CNX",
            1997,
            "gas volume, corrected to pressure base without supercompressibility",
            "ft³",
        ),
    )
    DRY_BULB_CELSIUS = 70, Quantity("dry bulb temperature", "°C", Kind.LEVEL, "V", "CNX FDS")
    WET_BULB_CELSIUS = 71, Quantity("wet bulb temperature", "°C", Kind.LEVEL, "1", "CNX")
    DRY_BULB_FAHRENHEIT = 72, Quantity("dry bulb temperature", "°F", Kind.LEVEL, "1", "CNX")
    WET_BULB_FAHRENHEIT = 73, Quantity("wet bulb temperature", "°F", Kind.LEVEL, "1", "CNX")
    DRY_BULB_KELVIN = 74, Quantity("dry bulb temperature", "K", Kind.LEVEL, "1", "CNX")
    WET_BULB_KELVIN = 75, Quantity("wet bulb temperature", "K", Kind.LEVEL, "1", "CNX")
    JOULES_PER_HOUR = 76, Quantity("gas power", "J/h", Kind.RATE, "1", "CNX", 1997, "gas energy", "J")
    THERMS_PER_HOUR = 77, Quantity("gas power", "therm/h", Kind.RATE, "1", "CNX", 1997, "gas energy", "therm")
    STATIC_PRESSURE_PASCAL = 78, Quantity("static pressure", "Pa", Kind.LEVEL, "1", "CNX")
    DIFFERENTIAL_PRESSURE_PASCAL = 79, Quantity("differential pressure", "Pa", Kind.LEVEL, "1", "CNX")
    STATIC_PRESSURE_PSI = 80, Quantity("static pressure", "psi", Kind.LEVEL, "1", "CNX")
    DIFFERENTIAL_PRESSURE_PSI = 81, Quantity("differential pressure", "psi", Kind.LEVEL, "1", "CNX")
    GRAM_PER_CM2 = 82, Quantity("pressure", "g/cm²", Kind.LEVEL, "1", "CNX")
    METRE_OF_MERCURY = 83, Quantity("pressure", "mHg", Kind.LEVEL, "1", "CNX")
    INCH_OF_MERCURY = 84, Quantity("pressure", "inHg", Kind.LEVEL, "1", "CNX")
    INCH_OF_WATER_GAS = 85, Quantity("pressure", "inH2O", Kind.LEVEL, "1", "CNX")
    BAR = 86, Quantity("pressure", "bar", Kind.LEVEL, "1", "CNX")
    RELATIVE_HUMIDITY = 87, Quantity("relative humidity", "%", Kind.LEVEL, "1", "CNX")
    ODORANT = 88, Quantity("odorant", "ppm", Kind.LEVEL, "1", "CNX")

    WATER_M3 = 128, Quantity("liquid flow", "m³/h", Kind.RATE, "1", "CNX", 1997, "liquid volume", "m³")
    WATER_FT3 = 129, Quantity("liquid flow", "ft³/h", Kind.RATE, "1", "CNX", 1997, "liquid volume", "ft³")
    WATER_US_GALLON = 130, Quantity("liquid flow", "US gal/h", Kind.RATE, "1", "CNX", 1997, "liquid volume", "US gal")
    WATER_IMPERIAL_GALLON = (
        131,
        Quantity("liquid flow", "imp gal/h", Kind.RATE, "1", "CNX", 1997, "liquid volume", "imp gal"),
    )
    WATER_ACRE_FOOT = 132, Quantity("liquid flow", "acre·ft/h", Kind.RATE, "1", "CNX", 1997, "liquid volume", "acre·ft")
    LEAD = 133, Quantity("lead", "ppm", Kind.LEVEL, "1", "CNX")
    TURBIDITY = 134, Quantity("turbidity", None, Kind.LEVEL, "1", "CNX")
    CHLORINE = 135, Quantity("chlorine", "ppm", Kind.LEVEL, "1", "CNX")
    PH = 136, Quantity("acidity", "pH", Kind.LEVEL, "1", "CNX")
    CORROSION = 137, Quantity("corrosion", None, Kind.LEVEL, "1", "CNX")
    IONISATION = 138, Quantity("ionisation", None, Kind.LEVEL, "1", "CNX")
    SULPHUR_DIOXIDE = 139, Quantity("sulphur dioxide", "ppm", Kind.LEVEL, "1", "CNX")
    LITRES = 140, Quantity("liquid volume", "L", Kind.AMOUNT, "1", "CNX")
    LIQUID_FT3 = 141, Quantity("liquid volume", "ft³", Kind.AMOUNT, "1", "CNX")
    POUNDS_PER_FT2 = 142, Quantity("differential pressure", "lb/ft²", Kind.LEVEL, "1", "CNX")
    INCH_OF_WATER = 143, Quantity("pressure", "inH2O", Kind.LEVEL, "1", "CNX")
    FOOT_OF_WATER = 144, Quantity("pressure", "ftH2O", Kind.LEVEL, "1", "CNX")
    ATMOSPHERE = 145, Quantity("pressure", "atm", Kind.LEVEL, "1", "CNX")

    LOCAL_CURRENCY = 190, Quantity("local currency", None, Kind.AMOUNT, "1", "CNX")
    INCH = 191, Quantity("length", "in", Kind.AMOUNT, "1", "CNX")
    FOOT = 192, Quantity("length", "ft", Kind.AMOUNT, "1", "CNX")
    METRE = 193, Quantity("length", "m", Kind.AMOUNT, "1", "CNX")
    TEMPERATURE_CELSIUS = 217, Quantity("temperature", "°C", Kind.LEVEL, "V", "FDS HXF", 2008)


_NAMED: Final[dict[int, Quantity]] = {member.value: member.facts for member in IdCode}
_RESERVED: Final[tuple[tuple[range, Confidence, str], ...]] = (
    (range(27, 29), "1", "CNX"),
    (range(63, 64), "?", "MEM"),
    (range(89, 128), "1", "CNX"),
    (range(146, 190), "1", "CNX"),
)


def quantity(code: int) -> Quantity:
    """Return what an ID_CODE measures; it answers for every code.

    The ones without a name are of kind RESERVED (27, 28, 63, 89..127, 146..189: reserved in 1997) or UNCONFIRMED
    (194..216, 218..255: the 2008 edition assigns some of them, as what is not known). No range is set aside for
    manufacturers: an entry of theirs sets NFS.
    """
    if code in _NAMED:
        return _NAMED[code]
    for codes, confidence, source in _RESERVED:
        if code in codes:
            return Quantity("reserved", None, Kind.RESERVED, confidence, source)
    return _UNCONFIRMED


def commodity(code: int) -> Commodity:
    """Return the part of the list that an ID_CODE is in: 0..63, 64..127, 128..189, 190..255."""
    if code < 64:
        return Commodity.ELECTRIC
    if code < 128:
        return Commodity.GAS
    return Commodity.WATER if code < 190 else Commodity.GENERIC
