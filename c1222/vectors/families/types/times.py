"""Dates and times of C12.19 in every TM_FORMAT."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from c1222.vectors.author import Author, Valued

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "types-times"
PURPOSE = "Dates and times of C12.19 tables; values are ISO 8601 without zone, null is no value"

_STAMPS: Final = ("STIME_DATE", "LTIME_DATE", "HTIME_DATE")
_CLOCKS: Final = ("STIME", "TIME", "HTIME")
_FORMATS: Final = {1: "BCD", 2: "UINT8", 3: "minutes since 1970", 4: "seconds since 1970"}
_MOMENTS: Final = (
    *("1990-01-01T00:00:00", "1999-12-31T23:59:59", "2000-01-01T00:00:00", "2000-02-29T12:34:56"),
    *("2009-11-22T10:09:08", "2026-11-22T06:30:15", "2037-12-31T23:59:59", "2089-12-31T23:59:59"),
)


def cases(author: Author) -> None:
    for tm in _FORMATS:
        for order in (0, 1) if tm >= 3 else (0,):
            _stamps(author, tm, order)
            _clocks(author, tm, order)
    _no_clock(author)
    _dates(author)
    _recurring(author)


def _stamps(author: Author, tm: int, order: int) -> None:
    formats = {"TM_FORMAT": tm, "DATA_ORDER": order}
    values: list[Valued] = []
    for name in _STAMPS:
        sure = ["InferredForm"] * (name == "HTIME_DATE")
        values.append((f"{name}: no value", ["NoValue", *sure], {"type": name, "value": None}))
        for text in _MOMENTS:
            moment = dt.datetime.fromisoformat(text)
            if name == "HTIME_DATE":
                moment = moment.replace(microsecond=10_000 * moment.second)
            if name == "STIME_DATE" and tm != 4:
                moment = moment.replace(second=0)
            flags = ["CounterTime"] * (tm >= 3) + ["YearWindow"] * (tm < 3 and not 2000 <= moment.year < 2040)
            stamp = moment.isoformat()
            values.append((f"{name} {stamp}", [*flags, *sure], {"type": name, "value": stamp}))
    words = f"dates with times, TM_FORMAT {tm} ({_FORMATS[tm]}), DATA_ORDER {order}"
    author.both(f"stamps-{tm}-{order}", words, values, formats=formats)
    for name, size in zip(_STAMPS, (5, 6, 7) if tm < 3 else (4, 5, 6) if tm == 3 else (4, 4, 5), strict=True):
        sure = ["InferredForm"] * (name == "HTIME_DATE")
        author.valid(f"{name}: no value, all FF", "NoValue", *sure, type=name, octets="ff" * size)
    _bad_stamps(author, tm, order)
    author.group(f"stamps-{tm}-{order}-bad", "type.encode", f"{words}: values without a form.", formats=formats)
    if tm != 4:
        author.invalid(
            "STIME_DATE has no place for seconds", "NotANumber", type="STIME_DATE", value="2026-01-01T00:00:01"
        )
    author.invalid("before 1970", "NotANumber", type="LTIME_DATE", value="1969-12-31T23:59:00")


def _bad_stamps(author: Author, tm: int, order: int) -> None:
    if tm >= 3:
        author.valid(
            "one unit after 1970", "CounterTime", type="STIME_DATE", octets="00000001" if order else "01000000"
        )
        author.valid(
            "the top bit is no sign", "CounterTime", type="STIME_DATE", octets="80000000" if order else "00000080"
        )
        author.invalid("three octets", "Truncated", type="STIME_DATE", octets="000001")
        if tm == 3:
            author.invalid("second 60", "NotANumber", type="LTIME_DATE", octets="0100000000"[:8] + "3c")
        return
    form = "{:02d}" if tm == 1 else "{:02x}"
    for comment, numbers in (
        ("month 0", (26, 0, 1, 0, 0)),
        ("month 13", (26, 13, 1, 0, 0)),
        ("day 0", (26, 1, 0, 0, 0)),
        ("30 February", (24, 2, 30, 0, 0)),
        ("29 February in a common year", (23, 2, 29, 0, 0)),
        ("31 April", (23, 4, 31, 0, 0)),
        ("hour 24", (26, 1, 1, 24, 0)),
        ("minute 60", (26, 1, 1, 0, 60)),
    ):
        flag = "UnassignedDate" if 0 in numbers[1:3] else "NotANumber"
        author.invalid(comment, flag, type="STIME_DATE", octets="".join(map(form.format, numbers)))
    author.invalid("second 60", "NotANumber", type="LTIME_DATE", octets="".join(map(form.format, (26, 1, 1, 0, 0, 60))))
    if tm == 1:
        author.invalid("a nibble A", "NotANumber", type="STIME_DATE", octets="260a010000")
    else:
        author.invalid("year 100", "NotANumber", type="STIME_DATE", octets="6401010000")
        author.invalid("100 hundredths", "NotANumber", "InferredForm", type="HTIME_DATE", octets="1a010100000064")
    author.valid("leap day", type="STIME_DATE", octets="".join(map(form.format, (24, 2, 29, 23, 59))))
    author.invalid(
        "six octets", "TrailingOctets", type="STIME_DATE", octets="".join(map(form.format, (24, 2, 2, 2, 2, 2)))
    )


def _clocks(author: Author, tm: int, order: int) -> None:
    values: list[Valued] = []
    for name in _CLOCKS:
        sure = ["InferredForm"] * (tm >= 3 or name != "TIME")
        values.append((f"{name}: no value", ["NoValue", *sure], {"type": name, "value": None}))
        for text in ("00:00:00", "00:00:01", "11:59:59", "12:00:00", "23:59:59"):
            time = dt.time.fromisoformat(text)
            if name == "STIME" and tm < 3:
                time = time.replace(second=0)
            if name == "HTIME":
                time = time.replace(microsecond=990_000)
            value = time.isoformat()
            values.append((f"{name} {value}", sure, {"type": name, "value": value}))
    author.both(f"clocks-{tm}-{order}", f"times of day, TM_FORMAT {tm}, DATA_ORDER {order}", values,
                formats={"TM_FORMAT": tm, "DATA_ORDER": order})  # fmt: skip
    if tm < 3:
        for comment, bcd, binary in (
            ("hour 24", "240000", "180000"),
            ("minute 60", "006000", "003c00"),
            ("second 60", "000060", "00003c"),
        ):
            author.invalid(comment, "NotANumber", type="TIME", octets=bcd if tm == 1 else binary)
    else:
        late = (86_400).to_bytes(4, "big" if order else "little").hex()
        author.invalid("86400 seconds", "NotANumber", "InferredForm", type="TIME", octets=late)


def _no_clock(author: Author) -> None:
    author.group("no-clock", "type.decode", "TM_FORMAT 0: the device has no clock, times have no octets.",
                 formats={"TM_FORMAT": 0})  # fmt: skip
    for name in (*_STAMPS, *_CLOCKS):
        author.valid(name, "NoValue", type=name, octets="")
        author.invalid(f"{name} with an octet", "TrailingOctets", type=name, octets="00")
    author.group("reserved", "type.decode", "Codes of TM_FORMAT without a meaning.")
    for code in (5, 6, 7):
        author.invalid(f"TM_FORMAT {code}", "ReservedCode", type="LTIME_DATE", octets="000000000000",
                       formats={"TM_FORMAT": code})  # fmt: skip


def _dates(author: Author) -> None:
    texts = ("1990-01-01", "1999-12-31", "2000-01-01", "2024-02-29", "2026-11-22", "2089-12-31")
    for order in (0, 1):
        shared = {"type": "DATE", "formats": {"DATA_ORDER": order}}
        values: list[Valued] = [("no value", ["NoValue"], {"value": None})]
        values += [(t, ["BitField", *["YearWindow"] * (not t.startswith("202"))], {"value": t}) for t in texts]
        author.both(f"dates-{order}", f"DATE, DATA_ORDER {order}", values, **shared)
        author.valid("no value, all FF", "NoValue", octets="ffff")
        for comment, year, month, day in (("month 13", 26, 13, 1), ("day 0", 26, 1, 0), ("31 June", 26, 6, 31),
                                          ("year 100", 100, 1, 1)):  # fmt: skip
            octets = (year | month << 7 | day << 11).to_bytes(2, "big" if order else "little").hex()
            author.invalid(comment, "NotANumber" if day else "UnassignedDate", octets=octets)
        author.group(f"dates-{order}-bad", "type.encode", f"DATE, DATA_ORDER {order}: values without a form.", **shared)
        author.invalid("1989", "YearWindow", value="1989-12-31")
        author.invalid("2090", "YearWindow", value="2090-01-01")


def _recurring(author: Author) -> None:
    values: tuple[tuple[str, dict[str, int]], ...] = (
        ("every 90 minutes", {"MONTH": 0, "PERIOD_IN_MINUTES": 90}),
        ("every 4095 minutes", {"MONTH": 0, "PERIOD_IN_MINUTES": 4095}),
        ("4 July", {"MONTH": 7, "OFFSET": 0, "WEEKDAY": 7, "DAY": 4}),
        ("the Thursday on or behind 22 November", {"MONTH": 11, "OFFSET": 2, "WEEKDAY": 4, "DAY": 22}),
        ("the 1st of every month", {"MONTH": 13, "OFFSET": 0, "WEEKDAY": 7, "DAY": 1}),
        ("every Sunday", {"MONTH": 14, "WEEKDAY": 0}),
        ("every Saturday", {"MONTH": 14, "WEEKDAY": 6}),
        ("every 14 days, 3 days behind the anchor", {"MONTH": 15, "PERIOD": 14, "DELTA": 3}),
        ("every 63 days", {"MONTH": 15, "PERIOD": 63, "DELTA": 62}),
    )
    for order in (0, 1):
        shared = {"type": "RDATE", "formats": {"DATA_ORDER": order}}
        author.both(f"rdates-{order}", f"RDATE, DATA_ORDER {order}",
                    [
                (comment, ["BitField", *["RecurringMinutes"] * (not value["MONTH"])], {"value": value})
                for comment, value in values
            ], **shared)  # fmt: skip
        author.valid("no value", "NoValue", octets="0000")
        author.valid("no value, all FF", "NoValue", octets="ffff")
        author.group(
            f"rdates-{order}-bad", "type.encode", f"RDATE, DATA_ORDER {order}: values without a form.", **shared
        )
        author.invalid(
            "WEEKDAY of a period of days", "BitField", value={"MONTH": 15, "PERIOD": 1, "DELTA": 0, "WEEKDAY": 1}
        )
        author.invalid("PERIOD 64", "BitField", value={"MONTH": 15, "PERIOD": 64, "DELTA": 0})
