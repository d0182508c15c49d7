"""Wire forms of dates and times, chosen by TM_FORMAT. Values are naive: ST52 and ST55 say whether they are UTC.

Forms of TM_FORMAT 0..4 [V] except where marked: STIME, HTIME and HTIME_DATE in formats 3 and 4 are 4 octets of
counter, and the fraction is one octet of hundredths [?].
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from c1219.values import RecurringDate
from c1219.wire.form import Form, Formats, whole

__all__ = ["YEARS", "ClockForm", "CounterForm", "DateForm", "DateTimeForm", "RecurringDateForm", "time_form"]

_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  the wire says no zone
_YEARS = tuple(1900 + year if year >= 90 else 2000 + year for year in range(100))
YEARS = range(min(_YEARS), max(_YEARS) + 1)
"""The years that two digits stand for."""
_BCD = {10 * high + low: 16 * high + low for high in range(10) for low in range(10)}
_FROM_BCD = {octet: number for number, octet in _BCD.items()}


def _checked(value: Any, kind: type) -> None:
    if type(value) is not kind:
        raise TypeError(f"a {kind.__name__} is needed, not {type(value).__name__}")
    if getattr(value, "tzinfo", None) is not None:
        raise ValueError("a naive time is needed: the wire carries no zone")


def _hundredths(microsecond: int, *, allowed: bool) -> int:
    hundredths, rest = divmod(microsecond, 10_000)
    if rest or (hundredths and not allowed):
        raise ValueError("the fraction of the second has no form on the wire")
    return hundredths


def _octets(numbers: list[int], *, bcd: bool) -> bytes:
    return bytes(_BCD[number] for number in numbers) if bcd else bytes(numbers)


def _numbers(octets: bytes, *, bcd: bool) -> list[int]:
    if not bcd:
        return list(octets)
    try:
        return [_FROM_BCD[octet] for octet in octets]
    except KeyError as error:
        raise ValueError(f"{error.args[0]:02X} is not two decimal digits") from None


class _TimeForm(Form):
    """Common to all: JSON is ISO 8601 without zone."""

    __slots__ = ("_no_value",)
    value_type: type = dt.datetime

    def __init__(self, type_: str, size: int) -> None:
        super().__init__(type_, size)
        self._no_value = frozenset((bytes(size), b"\xff" * size))

    def encode(self, value: Any) -> bytes:
        """Make the octets; None is the no value of the type, and nothing else may read as no value."""
        if value is None:
            return self._none
        octets = self._encode(value)
        if octets in self._no_value:
            raise ValueError(f"{value} has no form on the wire: its octets, {octets.hex(' ').upper()}, are no value")
        return octets

    @property
    def _none(self) -> bytes:
        """The canonical octets of no value."""
        return bytes(self.size)

    def _encode(self, value: Any) -> bytes:
        """Make the octets of a value that is one."""
        raise NotImplementedError

    def to_json(self, value: Any) -> Any:
        """Return ISO 8601, or null for no value."""
        return None if value is None else value.isoformat()

    def from_json(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, str):
            raise TypeError(f"ISO 8601 is needed, not {value!r}")
        return self.value_type.fromisoformat(value)  # type: ignore[attr-defined]


class DateTimeForm(_TimeForm):
    """LTIME_DATE, STIME_DATE, HTIME_DATE as discrete octets: year, month, day, hour, minute, second, hundredths."""

    __slots__ = ("bcd",)

    def __init__(self, type_: str, size: int, *, bcd: bool) -> None:
        super().__init__(type_, size)
        self.bcd = bcd

    def decode(self, octets: bytes) -> dt.datetime | None:
        """Make the datetime; all 00 and all FF are no value."""
        if octets in self._no_value:
            return None
        year, month, day, hour, minute, *rest = _numbers(octets, bcd=self.bcd)
        if year > 99:
            raise ValueError(f"year {year} is reserved")
        if len(rest) == 2 and rest[1] > 99:
            raise ValueError(f"{rest[1]} hundredths of a second")
        second = rest[0] if rest else 0
        micro = rest[1] * 10_000 if len(rest) == 2 else 0
        return dt.datetime(_YEARS[year], month, day, hour, minute, second, micro)  # noqa: DTZ001

    def _encode(self, value: Any) -> bytes:
        _checked(value, dt.datetime)
        if value.year not in YEARS:
            raise ValueError(f"year {value.year} is outside {YEARS[0]}..{YEARS[-1]}")
        hundredths = _hundredths(value.microsecond, allowed=self.size == 7)
        if self.size == 5 and value.second:
            raise ValueError("there is no place for seconds")
        numbers = [value.year % 100, value.month, value.day, value.hour, value.minute, value.second, hundredths]
        return _octets(numbers[: self.size], bcd=self.bcd)


class CounterForm(_TimeForm):
    """The same types as counters since 1970-01-01: minutes (TM_FORMAT 3) or seconds (4), then discrete octets."""

    __slots__ = ("_order", "fraction", "minutes", "second")

    def __init__(self, type_: str, formats: Formats, *, minutes: bool, second: bool, fraction: bool) -> None:
        super().__init__(type_, 4 + second + fraction)
        self._order = formats.byteorder
        self.minutes = minutes
        self.second = second
        self.fraction = fraction
        if self.size == 4:
            self.codes, self.loader = ("I",), self._instant
            self.store, self.storer = ("{f}({v})",), self._count

    def _instant(self, count: int) -> dt.datetime | None:
        if count in (0, 0xFFFFFFFF):
            return None
        return _EPOCH + (dt.timedelta(0, 60 * count) if self.minutes else dt.timedelta(0, count))

    def _count(self, value: Any) -> int:
        if value is None:
            return 0
        _checked(value, dt.datetime)
        span = value - _EPOCH
        count: int = 86_400 * span.days + span.seconds
        if self.minutes:
            count, second = divmod(count, 60)
            if second:
                raise ValueError("there is no place for seconds")
        if span.microseconds or not 0 < count < 0xFFFFFFFF:
            raise ValueError(f"{value} is not what the counter can say")
        return count

    def decode(self, octets: bytes) -> dt.datetime | None:
        """Make the datetime; all 00 and all FF are no value."""
        if octets in self._no_value:
            return None
        count = int.from_bytes(octets[:4], self._order)
        second = octets[4] if self.second else 0
        if second > 59:
            raise ValueError(f"second {second}")
        hundredths = octets[-1] if self.fraction else 0
        if hundredths > 99:
            raise ValueError(f"{hundredths} hundredths of a second")
        try:
            span = dt.timedelta(minutes=count) if self.minutes else dt.timedelta(seconds=count)
            return _EPOCH + span + dt.timedelta(seconds=second, milliseconds=10 * hundredths)
        except OverflowError as error:
            raise ValueError(f"{count} minutes since 1970 is past the year 9999") from error

    def _encode(self, value: Any) -> bytes:
        _checked(value, dt.datetime)
        hundredths = _hundredths(value.microsecond, allowed=self.fraction)
        seconds = int((value.replace(microsecond=0) - _EPOCH).total_seconds())
        count, second = divmod(seconds, 60) if self.minutes else (seconds, 0)
        if second and not self.second:
            raise ValueError("there is no place for seconds")
        if not 0 <= count < 1 << 32:
            raise ValueError(f"{value} is outside what the counter can say")
        rest = bytes([second] * self.second + [hundredths] * self.fraction)
        return count.to_bytes(4, self._order) + rest


class ClockForm(_TimeForm):
    """TIME, STIME, HTIME: a time of day, discrete (TM_FORMAT 1, 2) or as seconds since midnight (3, 4) [?]."""

    __slots__ = ("_bcd", "_fraction", "_order", "_parts")
    value_type = dt.time

    def __init__(self, type_: str, formats: Formats, *, parts: int) -> None:
        counter = formats.TM_FORMAT >= 3
        fraction = parts == 4
        super().__init__(type_, 4 + fraction if counter else parts)
        self._no_value = frozenset((b"\xff" * self.size,))
        self._parts = 0 if counter else parts
        self._fraction = fraction
        self._bcd = formats.TM_FORMAT == 1
        self._order = formats.byteorder

    def decode(self, octets: bytes) -> dt.time | None:
        """Make the time of day; all FF is no value."""
        if octets in self._no_value:
            return None
        if self._parts:
            numbers = [*_numbers(octets, bcd=self._bcd), 0, 0]
            hour, minute, second, hundredths = numbers[0], numbers[1], *numbers[2:4]
        else:
            count = int.from_bytes(octets[:4], self._order)
            (hour, minute), second = divmod(count // 60, 60), count % 60
            hundredths = octets[4] if self._fraction else 0
        if hundredths > 99:
            raise ValueError(f"{hundredths} hundredths of a second")
        if hour > 23:
            raise ValueError(f"hour {hour}")
        return dt.time(hour, minute, second, hundredths * 10_000)

    @property
    def _none(self) -> bytes:
        return b"\xff" * self.size

    def _encode(self, value: Any) -> bytes:
        _checked(value, dt.time)
        hundredths = _hundredths(value.microsecond, allowed=self._fraction)
        if self._parts:
            if self._parts == 2 and value.second:
                raise ValueError("there is no place for seconds")
            return _octets([value.hour, value.minute, value.second, hundredths][: self._parts], bcd=self._bcd)
        count = (value.hour * 60 + value.minute) * 60 + value.second
        fraction = bytes([hundredths] * self._fraction)
        return bytes(count.to_bytes(4, self._order) + fraction)


class DateForm(_TimeForm):
    """DATE: bit field of UINT16, year 0..6, month 7..10, day 11..15."""

    __slots__ = ("_order",)
    value_type = dt.date

    def __init__(self, type_: str, formats: Formats) -> None:
        super().__init__(type_, 2)
        self._order = formats.byteorder

    def decode(self, octets: bytes) -> dt.date | None:
        """Make the date; all 00 and all FF are no value."""
        if octets in self._no_value:
            return None
        bits = int.from_bytes(octets, self._order)
        year = bits & 127
        if year > 99:
            raise ValueError(f"year {year} is reserved")
        return dt.date(_YEARS[year], bits >> 7 & 15, bits >> 11)

    def _encode(self, value: Any) -> bytes:
        _checked(value, dt.date)
        if value.year not in YEARS:
            raise ValueError(f"year {value.year} is outside {YEARS[0]}..{YEARS[-1]}")
        bits = value.year % 100 | value.month << 7 | value.day << 11
        return bytes(bits.to_bytes(2, self._order))


class RecurringDateForm(_TimeForm):
    """RDATE: bit field of UINT16 whose fields depend on MONTH (bits 0..3)."""

    __slots__ = ("_order",)

    def __init__(self, type_: str, formats: Formats) -> None:
        super().__init__(type_, 2)
        self._order = formats.byteorder

    def decode(self, octets: bytes) -> RecurringDate | None:
        """Make the recurring date; all 00 and all FF are no value."""
        if octets in self._no_value:
            return None
        bits = int.from_bytes(octets, self._order)
        month = bits & 15
        if month == 0:
            return RecurringDate(0, PERIOD_IN_MINUTES=bits >> 4)
        if month == 14:
            return RecurringDate(14, WEEKDAY=bits >> 8 & 7)
        if month == 15:
            return RecurringDate(15, PERIOD=bits >> 4 & 63, DELTA=bits >> 10)
        return RecurringDate(month, OFFSET=bits >> 4 & 15, WEEKDAY=bits >> 8 & 7, DAY=bits >> 11)

    def _encode(self, value: Any) -> bytes:
        """Make the octets; bits that mean nothing are 0."""
        if not isinstance(value, RecurringDate):
            raise TypeError(f"a RecurringDate is needed, not {type(value).__name__}")
        month = whole(value.MONTH)
        spans: dict[str, tuple[int, int]] = {"OFFSET": (4, 4), "WEEKDAY": (8, 3), "DAY": (11, 5)}
        if month == 0:
            spans = {"PERIOD_IN_MINUTES": (4, 12)}
        elif month == 14:
            spans = {"WEEKDAY": (8, 3)}
        elif month == 15:
            spans = {"PERIOD": (4, 6), "DELTA": (10, 6)}
        elif not 0 <= month <= 15:
            raise ValueError(f"MONTH {month} is outside 0..15")
        bits = month
        for name, item in value._asdict().items():
            if name in spans:
                low, width = spans[name]
                number = whole(item)
                if number >> width:
                    raise ValueError(f"{name} {number} is outside 0..{(1 << width) - 1}")
                bits |= number << low
            elif item is not None and name != "MONTH":
                raise ValueError(f"{name} means nothing when MONTH is {month}")
        return bytes(bits.to_bytes(2, self._order))

    def to_json(self, value: Any) -> Any:
        """Return a mapping of the fields that mean something, or null."""
        return None if value is None else {name: item for name, item in value._asdict().items() if item is not None}

    def from_json(self, value: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, dict) or not {"MONTH"} <= set(value) <= set(RecurringDate._fields):
            raise TypeError("a mapping with MONTH and the fields that go with it is needed")
        return RecurringDate(**{name: whole(item) for name, item in value.items()})


def time_form(type_: str, formats: Formats) -> Form:
    """Choose the form of a type that follows TM_FORMAT.

    Raises:
        ValueError: the code is reserved, so that even the size is not known.
    """
    tm = formats.TM_FORMAT
    if tm > 4:
        raise ValueError(f"TM_FORMAT {tm} is reserved: the size of {type_} is not known")
    if tm == 0:
        return _NoTimeForm(type_)
    if type_ in ("TIME", "STIME", "HTIME"):
        return ClockForm(type_, formats, parts={"STIME": 2, "TIME": 3, "HTIME": 4}[type_])
    if tm <= 2:
        return DateTimeForm(type_, {"STIME_DATE": 5, "LTIME_DATE": 6, "HTIME_DATE": 7}[type_], bcd=tm == 1)
    second = tm == 3 and type_ != "STIME_DATE"
    return CounterForm(type_, formats, minutes=tm == 3, second=second, fraction=type_ == "HTIME_DATE")


class _NoTimeForm(_TimeForm):
    """Any type that follows TM_FORMAT in a device without a clock: no octets, no value."""

    __slots__ = ()

    def __init__(self, type_: str) -> None:
        super().__init__(type_, 0)

    def decode(self, octets: bytes) -> None:
        """Return None."""

    def _encode(self, _value: Any) -> bytes:
        raise ValueError("the device has no clock: there is no place for a time")
