"""Numbers of registers as COSEM has them: an integer and a power of ten that never changes, else a float."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.cosem.data import NULL, Data, DataType, enum, sized, structure
from c1219.cosem.units import OTHER_UNIT
from c1219.datatypes import NI_TYPES
from c1219.rules.sources import EXACT

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["Scale", "interval_wire", "wire_type"]

_MOST_DIGITS: Final = 15
"""Digits of a multiplier that is taken as exact."""
_SCALERS: Final = range(-128, 128)
_LIMITS: Final = {
    DataType.INT32: (-(1 << 31), (1 << 31) - 1),
    DataType.UINT32: (0, (1 << 32) - 1),
    DataType.INT64: (-(1 << 63), (1 << 63) - 1),
    DataType.UINT64: (0, (1 << 64) - 1),
}
_SIGNED: Final = {DataType.UINT32: DataType.INT32, DataType.UINT64: DataType.INT64}
_INTERVALS: Final = {1: "UINT8", 2: "UINT16", 4: "UINT32", 8: "INT8", 16: "INT16", 32: "INT32"}
"""INT_FMT_CDE of intervals that are integers."""
_FLOAT_REMARK: Final = "no power of ten fits all its values: a float"


def wire_type(st0: Any, *, second: bool) -> str:
    """Return the wire type of register values.

    Args:
        st0: value of ST0.
        second: it is NI_FMAT2, not NI_FMAT1.
    """
    formats = st0.FORMAT_CONTROL_3
    return NI_TYPES.get(formats.NI_FORMAT2 if second else formats.NI_FORMAT1, "FLOAT64")


def interval_wire(st0: Any, code: int) -> str:
    """Return the wire type of intervals of a load profile.

    Args:
        st0: value of ST0.
        code: ST62.INT_FMT_CDE.
    """
    return _INTERVALS.get(code) or wire_type(st0, second=code == 128)


class Scale:
    """How the values of one object are written.

    Args:
        wire: name of the type that they have in the tables.
        multiplier: what a raw value is multiplied with.
        offset: what is added after that.
        signed: they may be less than 0.
        unit: code of the unit; None if it has none of its own.

    Attributes:
        type: type of their data.
        scaler: power of ten of their unit.
        scaler_unit: both as an attribute.
        remarks: what is doubtful.
    """

    __slots__ = ("_known", "_move", "remarks", "scaler", "scaler_unit", "type")

    def __init__(self, wire: str, multiplier: Decimal, offset: Decimal, *, signed: bool, unit: int | None) -> None:
        self.remarks: tuple[str, ...] = ()
        name, _, power = wire.partition(" x 10^")
        digits, scaler = _parts(multiplier)
        _, least = _parts(offset)
        scaler = min(scaler + int(power or 0), least if offset else scaler + int(power or 0))
        if name.startswith("FLOAT") or len(str(digits)) > _MOST_DIGITS or scaler not in _SCALERS:
            self.type, scaler = DataType.FLOAT64, 0
            self.remarks = (_FLOAT_REMARK,)
        else:
            width = {"FIXED_BCD4": 4}.get(name) or (8 if name.startswith("FIXED") else int(name.lstrip("UINT")) // 8)
            self.type = sized(width if digits == 1 and not offset else 8, signed=signed)
        if unit is None:
            self.remarks = (*self.remarks, "the unit has no code")
        self.scaler = scaler
        self._move = -scaler
        self._known: dict[Decimal, Data] = {}
        self.scaler_unit = structure(Data(DataType.INT8, scaler), enum(OTHER_UNIT if unit is None else unit))

    def data(self, value: Decimal | None) -> Data:
        """Return a value in its unit as data; null if there is none."""
        if value is None:
            return NULL
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = self._data(value)
        return known

    def _data(self, value: Decimal) -> Data:
        if self.type is DataType.FLOAT64:
            return Data(self.type, float(value))
        moved = value.scaleb(self._move, EXACT)
        whole = int(moved)
        if whole == moved:
            for type_ in (self.type, _SIGNED.get(self.type, self.type), sized(8, signed=whole < 0)):
                least, most = _LIMITS[type_]
                if least <= whole <= most:
                    return Data(type_, whole)
        return Data(DataType.FLOAT64, float(moved))


def _parts(number: Decimal) -> tuple[int, int]:
    """Return the digits of a number without zeros at the end, and the power of ten that they count."""
    _, digits, exponent = number.normalize(EXACT).as_tuple()
    return int("".join(map(str, digits)) or "0"), exponent if isinstance(exponent, int) else 0
