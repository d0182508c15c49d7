"""What a source index of the meter stands for: quantity, unit and scale, from ST11 to ST16 and c1219.codes.

Each flag of an ST16 entry hands out the next entry of ST12, ST13, ST14 or ST15. Without ST16, source i is taken to be
entry i of each, with a remark in `unresolved`.

Scaling, in this order (we do not have the standard's annex on it; the order is from names, n0mcli and Connexo)::

    value = (raw * MULTIPLIER + OFFSET) * ratios * 10^n

MULTIPLIER, OFFSET and ratios are ST15's and apply only if CONSTANT_TO_BE_APPLIED; ratios only if SET_APPLIED_FLAG is
clear: of current times voltage for power and energy, of one of them for voltage and current, none for the rest. The
power of ten is ST12's. Pulses to which nothing is applied stay pulses.
"""

from __future__ import annotations

import struct
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.codes.quantities import Commodity, IdCode, commodity
from c1219.codes.units import UnitDescription, describe_unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["EXACT", "NO_SOURCE", "Source", "Sources", "exact"]

NO_SOURCE = 255
"""Source index commonly used for no source."""

EXACT = Context(prec=60, Emin=-9999, Emax=9999, traps=[InvalidOperation, DivisionByZero, Overflow])
"""Arithmetic of values: exact for all numbers of the standard but quotients."""

_ONE, _ZERO = Decimal(1), Decimal(0)
_VOLTAGE = {IdCode.RMS_VOLTS: 1, IdCode.AVERAGE_VOLTS: 1, IdCode.INSTANTANEOUS_VOLTS: 1, IdCode.RMS_VOLTS_SQUARED: 2}
_CURRENT = {
    IdCode.RMS_AMPERES: 1, IdCode.AVERAGE_CURRENT: 1, IdCode.INSTANTANEOUS_CURRENT: 1, IdCode.RMS_AMPERES_SQUARED: 2,
}  # fmt: skip
_POWER = frozenset(range(IdCode.ACTIVE_POWER, IdCode.DISTORTION_VOLT_AMPERES + 1))


class Source(NamedTuple):
    """One source of measured data.

    Attributes:
        index: index into ST16.
        quantity: for example ``active energy delivered``; ``source 3`` where it is not known.
        unit: unit of what `value` gives: ``Wh``, ``pulse``, ``""`` for a pure number, None where it is not known.
        multiplier: what a raw value is multiplied with.
        offset: what is added after that.
        pulses: the values are pulses.
        uom: the ST12 entry in words, if there is one.
        interval: length of the demand interval in minutes, of ST13, if there is one.
        subintervals: parts of the demand interval, at the end of each of which there is a demand; 1 without them.
        entries: indices of its entries in ST12, ST13, ST14 and ST15; None for none.
        unresolved: a sentence for each thing that is not known.
        primary: constants or ratios of ST15 are in what `value` gives.
    """

    index: int  # type: ignore[assignment]  # its name in the standard; tuple.index is not needed
    quantity: str
    unit: str | None
    multiplier: Decimal = _ONE
    offset: Decimal = _ZERO
    pulses: bool = False
    uom: UnitDescription | None = None
    interval: int | None = None
    subintervals: int = 1
    entries: tuple[int | None, int | None, int | None, int | None] = (None, None, None, None)
    unresolved: tuple[str, ...] = ()
    primary: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether values of successive intervals can be added; see `c1219.codes.units.UnitDescription.adds_up`."""
        return self.pulses or (self.uom is not None and self.uom.adds_up)

    def value(self, raw: Any, *, single: bool = False) -> Decimal | None:
        """Return a raw number of this source in `unit`; None if it is no number.

        Args:
            raw: int, Decimal or float as decoded.
            single: whether a float was read from 32 bits.
        """
        number = exact(raw, single=single)
        if number is None:
            return None
        try:
            return EXACT.add(EXACT.multiply(number, self.multiplier), self.offset)
        except ArithmeticError:
            return None


def exact(raw: Any, *, single: bool = False) -> Decimal | None:
    """Return a decoded number as a Decimal, None if it is not finite or no number.

    A float becomes the shortest decimal that names it: 0.1 and not 0.1000000000000000055….

    Args:
        raw: int, Decimal or float.
        single: whether a float was read from 32 bits, of which fewer digits are needed to name it.
    """
    if isinstance(raw, int):
        return Decimal(raw)
    if isinstance(raw, Decimal):
        return raw if raw.is_finite() else None
    if not isinstance(raw, float) or raw - raw != 0:
        return None
    if single:
        for digits in (6, 7, 8, 9):
            text = f"{raw:.{digits}g}"
            if struct.unpack("f", struct.pack("f", float(text)))[0] == raw:
                return Decimal(text)
    return Decimal(repr(raw))


class Sources:
    """The sources of a device, each described once.

    Args:
        table: gives the record of a standard table by its number, None if there is none that can be used.

    Attributes:
        count: how many sources there are.
        limits: value of ST11, None if it is not known.
    """

    def __init__(self, table: Callable[[int], Any]) -> None:
        self._known: dict[int, Source] = {}
        self.limits = table(11)
        links = None if self.limits is None else table(16)
        self._links = None if links is None else links.SOURCES_LINK
        self._units, self._demands, self._constants = table(12), table(13), table(15)
        st0 = table(0)
        self._single = st0 is not None and st0.FORMAT_CONTROL_3.NI_FORMAT1 == 1
        self._entries = _walked(self._links or ())
        self.count = len(self._entries)
        if self._links is None and self._units is not None:
            self.count = len(self._units.UOM_ENTRY)

    def describe(self, index: int) -> Source:
        """Describe one source; what is not known is in its `unresolved`."""
        source = self._known.get(index)
        if source is None:
            source = self._known[index] = self._described(index)
        return source

    def _described(self, index: int) -> Source:
        unresolved: list[str] = []
        if self._links is not None and index >= len(self._links):
            reason = "255 is commonly used for no source" if index == NO_SOURCE else f"ST16 has {len(self._links)}"
            return Source(index, f"source {index}", None, unresolved=(f"there is no source {index}: {reason}",))
        if self._links is not None:
            link = self._links[index]
            unit, demand, data, constant = self._entries[index]
            pulses, apply = not link.PULSE_ENGR_FLAG, link.CONSTANT_TO_BE_APPLIED
        else:
            unresolved.append("ST16 is not here: entry i of ST12, ST13 and ST15 is taken as source i's")
            unit, demand, data, constant = index, index, index, None
            pulses = apply = False
        uom = self._uom(unit, unresolved)
        interval, steps = self._interval(demand, unresolved if self._links is not None else [])
        source = Source(
            index, _quantity(index, uom), uom.unit if uom else None, pulses=pulses, uom=uom, interval=interval,
            subintervals=steps, entries=(unit, demand, data, constant),
        )  # fmt: skip
        if apply:
            source = self._with_constants(source, constant, unresolved)
        else:
            where = self._constants_of(constant)
            sets = () if where is None else (where.SET1_CONSTANTS, where.SET2_CONSTANTS)
            primary = any(one is not None and one.SET_FLAGS.SET_APPLIED_FLAG for one in sets)
            source = source._replace(primary=primary)
            if pulses:
                source = source._replace(quantity=f"pulses of {source.quantity}", unit="pulse")
        if uom is not None and source.unit not in {None, "pulse"}:
            source = source._replace(
                multiplier=EXACT.multiply(source.multiplier, uom.factor),
                offset=EXACT.multiply(source.offset, uom.factor),
            )
        return source._replace(unresolved=(*unresolved, *(uom.unresolved if uom else ())))

    def _uom(self, entry: int | None, unresolved: list[str]) -> UnitDescription | None:
        if entry is None:
            unresolved.append("the source has no entry in ST12: quantity and unit are not known")
        elif self._units is None:
            unresolved.append("ST12 is not here: quantity and unit are not known")
        elif entry >= len(self._units.UOM_ENTRY):
            unresolved.append(f"ST12 has no entry {entry}: quantity and unit are not known")
        else:
            return describe_unit(self._units.UOM_ENTRY[entry])
        return None

    def _interval(self, entry: int | None, unresolved: list[str]) -> tuple[int | None, int]:
        """Return the length of a demand interval, and its number of sub-intervals."""
        if entry is None:
            return None, 1
        if self._demands is None or entry >= len(self._demands.INTERVAL_VALUE):
            unresolved.append(f"ST13 has no entry {entry}: the demand interval is not known")
            return None, 1
        value = self._demands.INTERVAL_VALUE[entry]
        length, steps = value.INT_LENGTH, 1
        if length is None:
            length, steps = value.SUB_INT * value.INT_MULTIPLIER, value.INT_MULTIPLIER
        if not length:
            unresolved.append(f"the demand interval of ST13's entry {entry} is 0 minutes: it is not known")
            return None, 1
        return length, steps

    def _with_constants(self, source: Source, entry: int | None, unresolved: list[str]) -> Source:
        """Apply the ST15 entry; if that is impossible the unit is not known."""
        where = self._constants_of(entry)
        if where is None:
            there = entry is not None and self._constants is not None and entry < len(self._constants.SELECTION)
            reason = "the conversion of gas meters is not known" if there else "they are not here"
            unresolved.append(f"constants of ST15 are still to be applied, but {reason}: the unit is not known")
            return source._replace(unit=None)
        numbers = exact(where.MULTIPLIER, single=self._single), exact(where.OFFSET, single=self._single)
        multiplier, offset = numbers
        if multiplier is None or offset is None or not multiplier:
            unresolved.append(f"ST15 has no usable MULTIPLIER and OFFSET ({where.MULTIPLIER!r}, {where.OFFSET!r})")
            return source._replace(unit=None)
        ratio = self._ratio(source.uom, where, unresolved)
        if ratio is None:
            return source._replace(unit=None)
        return source._replace(
            multiplier=EXACT.multiply(multiplier, ratio), offset=EXACT.multiply(offset, ratio), pulses=False,
            primary=True,
        )  # fmt: skip

    def _constants_of(self, entry: int | None) -> Any:
        """Return the ST15 entry of an electric source, None if there is none."""
        if entry is None or self._constants is None or entry >= len(self._constants.SELECTION):
            return None
        where = self._constants.SELECTION[entry]
        return where if hasattr(where, "MULTIPLIER") else None

    def _ratio(self, uom: UnitDescription | None, constants: Any, unresolved: list[str]) -> Decimal | None:
        """Return the product of the ratios that are not yet in the value, None if they are not known."""
        result = _ONE
        for ratios in (constants.SET1_CONSTANTS, constants.SET2_CONSTANTS):
            if ratios is None or ratios.SET_FLAGS.SET_APPLIED_FLAG:
                continue
            flow = exact(ratios.RATIO_F1, single=self._single)
            pressure = exact(ratios.RATIO_P1, single=self._single)
            if not flow or not pressure:
                unresolved.append(f"ST15 has no usable ratios ({ratios.RATIO_F1!r}, {ratios.RATIO_P1!r})")
                return None
            if flow == pressure == 1:
                continue
            if uom is None or commodity(uom.id_code) is not Commodity.ELECTRIC:
                unresolved.append("ratios of ST15 are still to be applied, but how is not known for this quantity")
                return None
            code = uom.id_code
            powers = (1, 1) if code in _POWER else (_CURRENT.get(code, 0), _VOLTAGE.get(code, 0))  # type: ignore[call-overload]
            for base, power in zip((flow, pressure), powers, strict=True):
                for _ in range(power):
                    result = EXACT.multiply(result, base)
        return result


def _quantity(index: int, uom: UnitDescription | None) -> str:
    if uom is None:
        return f"source {index}"
    words = uom.quantity
    if uom.direction is not None:
        words += f" {uom.direction}"
    return words if not uom.phase else f"{words} {uom.phase.text}"


def _walked(links: Iterable[Any]) -> list[tuple[int | None, ...]]:
    """Return the entries of each source in ST12, ST13, ST14 and ST15: a flag takes the next entry of its table."""
    entries: list[tuple[int | None, ...]] = []
    used = [0, 0, 0, 0]
    for link in links:
        flags = (link.UOM_ENTRY_FLAG, link.DEMAND_CTRL_FLAG, link.DATA_CTRL_FLAG, link.CONSTANTS_FLAG)
        entries.append(tuple(used[n] if flag else None for n, flag in enumerate(flags)))
        used = [count + flag for count, flag in zip(used, flags, strict=True)]
    return entries
