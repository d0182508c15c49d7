"""Values of COSEM attributes: a type and what it holds, and times as the twelve octets that COSEM keeps them in."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c1219.cosem.names import LogicalName

__all__ = [
    "ANY", "NOT_GIVEN", "NULL", "Data", "DataType", "array", "boolean", "clock_moment", "clock_octets", "date_octets",
    "enum", "name_data", "octet_string", "sized", "structure", "time_octets", "u8", "u16", "u32",
]  # fmt: skip


class DataType(IntEnum):
    """Types of A-XDR data, by tag. V: Gurux.DLMS, dlms-cosem."""

    NULL = 0x00
    ARRAY = 0x01
    STRUCTURE = 0x02
    BOOLEAN = 0x03
    BIT_STRING = 0x04
    INT32 = 0x05
    UINT32 = 0x06
    OCTET_STRING = 0x09
    VISIBLE_STRING = 0x0A
    UTF8_STRING = 0x0C
    BCD = 0x0D
    INT8 = 0x0F
    INT16 = 0x10
    UINT8 = 0x11
    UINT16 = 0x12
    INT64 = 0x14
    UINT64 = 0x15
    ENUM = 0x16
    FLOAT32 = 0x17
    FLOAT64 = 0x18
    DATE_TIME = 0x19
    DATE = 0x1A
    TIME = 0x1B


class Data(NamedTuple):
    """One value of COSEM.

    Attributes:
        type: its type.
        value: None, bool, int, float, str, bytes, or a tuple of such values for arrays and structures; of a bit string
            a text of 0 and 1.
    """

    type: DataType
    value: Any

    def plain(self) -> Any:
        """Return it in terms of JSON: octets in hex, arrays and structures as lists."""
        if isinstance(self.value, tuple):
            return [one.plain() for one in self.value]
        if isinstance(self.value, bytes):
            return self.value.hex()
        if isinstance(self.value, float) and self.value - self.value != 0:
            return str(self.value)
        return self.value


NULL: Final = Data(DataType.NULL, None)


def array(items: Iterable[Data]) -> Data:
    """Return an array of values of one type."""
    return Data(DataType.ARRAY, tuple(items))


def structure(*items: Data) -> Data:
    """Return a structure."""
    return Data(DataType.STRUCTURE, items)


def boolean(value: bool) -> Data:
    """Return a boolean."""
    return Data(DataType.BOOLEAN, value)


def enum(code: int) -> Data:
    """Return a code of an enumeration."""
    return Data(DataType.ENUM, code)


def octet_string(octets: bytes) -> Data:
    """Return octets."""
    return Data(DataType.OCTET_STRING, octets)


def name_data(name: LogicalName) -> Data:
    """Return a logical name as a value."""
    return Data(DataType.OCTET_STRING, name.octets)


def u8(value: int) -> Data:
    """Return an integer of 8 bits without sign."""
    return Data(DataType.UINT8, value)


def u16(value: int) -> Data:
    """Return an integer of 16 bits without sign."""
    return Data(DataType.UINT16, value)


def u32(value: int) -> Data:
    """Return an integer of 32 bits without sign."""
    return Data(DataType.UINT32, value)


def sized(octets: int, *, signed: bool) -> DataType:
    """Return the integer type of at least so many octets, of 32 or 64 bits."""
    if octets <= 4:
        return DataType.INT32 if signed else DataType.UINT32
    return DataType.INT64 if signed else DataType.UINT64


ANY: Final = 0xFF
"""An octet of a date or time that may be anything, or is not given."""
NOT_GIVEN: Final = bytes.fromhex("8000ff")
"""Deviation and status of a date-time that does not give them."""
_DST_ACTIVE: Final = 0x80
_ANY_YEAR: Final = 0xFFFF
_NO_DEVIATION: Final = -0x8000


def clock_octets(time: dt.datetime, *, dst: bool | None = None) -> bytes:
    """Return a moment as COSEM writes it: local time, and the deviation of local time from UTC.

    Args:
        time: aware, or naive if its offset from UTC is not known; then no deviation is given.
        dst: daylight saving time is in effect; None if that is not known.
    """
    offset = time.utcoffset()
    deviation = 0x8000 if offset is None else round(-offset.total_seconds() / 60) & 0xFFFF
    status = ANY if dst is None and offset is None else _DST_ACTIVE * bool(dst)
    date = time.year.to_bytes(2, "big") + bytes((time.month, time.day, time.isoweekday()))
    return date + bytes((time.hour, time.minute, time.second, 0)) + deviation.to_bytes(2, "big") + bytes((status,))


def clock_moment(octets: bytes) -> dt.datetime | None:
    """Return the moment that twelve octets are; None if they are none.

    Args:
        octets: date and time as COSEM writes them. Where the year may be any, the result is `datetime.min`; other parts
            that may be anything are the first of their kind; without deviation the result is naive.
    """
    if len(octets) != 12:
        return None
    year = int.from_bytes(octets[:2], "big")
    if year == _ANY_YEAR:
        return dt.datetime.min  # noqa: DTZ901 - no time zone is meant
    month, day = (1 if part == ANY else part for part in octets[2:4])
    hour, minute, second = (0 if part == ANY else part for part in octets[5:8])
    deviation = int.from_bytes(octets[9:11], "big", signed=True)
    try:
        zone = None if deviation == _NO_DEVIATION else dt.timezone(dt.timedelta(minutes=-deviation))
        return dt.datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def date_octets(date: dt.date) -> bytes:
    """Return a date as five octets."""
    return date.year.to_bytes(2, "big") + bytes((date.month, date.day, date.isoweekday()))


def time_octets(time: dt.time) -> bytes:
    """Return a time of day as four octets."""
    return bytes((time.hour, time.minute, time.second, 0))
