"""Calendars for tests: octets of ST51, ST53 and ST54, drawn or said in words."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from hypothesis import strategies as some

AUTOMATIC, WEEKDAYS, SEPARATE, ZONE = 1, 2, 4, 16
"""Flags of ST51.TIME_FUNC_FLAG2."""


class Tables(NamedTuple):
    """Octets of ST51, ST53 and ST54; None where ST53 is not here."""

    st51: bytes
    st53: bytes | None
    st54: bytes

    @property
    def all(self) -> dict[int, bytes]:
        offset = {} if self.st53 is None else {53: self.st53}
        return {51: self.st51, **offset, 54: self.st54}


def date(day: dt.date) -> bytes:
    return (day.year % 100 | day.month << 7 | day.day << 11).to_bytes(2, "little")


def recurring(month: int, rest: int) -> bytes:
    """RDATE: `rest` is what follows the month, from bit 4 on."""
    return (month | rest << 4).to_bytes(2, "little")


def yearly(month: int, day: int, offset: int = 0, weekday: int = 0) -> bytes:
    return recurring(month, offset | weekday << 4 | day << 7)


def switch(hour: int, minute: int, tier: int, schedule: int, flags: int = 3) -> bytes:
    return (tier | flags << 3 | minute << 5 | hour << 11).to_bytes(2, "little") + bytes([schedule])


def tables(
    *,
    flags: int = AUTOMATIC | ZONE,
    anchor: dt.date | None = None,
    dates: tuple[bytes, ...] = (),
    rules: tuple[bytes, ...] = (),
    switches: tuple[bytes, ...] = (),
    rows: tuple[bytes, ...] = (),
    special: int = 0,
    offset: bytes | None = bytes.fromhex("02 00 00 3C D4 FE 02 00 00"),
) -> Tables:
    """Tables of a calendar; dates and rules with their action, a row of schedules for each season."""
    counts = bytes([len(rows) | special << 4, len(dates), len(rules)]) + len(switches).to_bytes(2, "little") + bytes(2)
    octets = b"".join((date(anchor) if anchor else b"", *dates, *rules, *switches, *rows))
    return Tables(bytes([0x20 if anchor else 0, flags]) + counts, offset, octets)


_DAYS = some.dates(dt.date(2019, 1, 1), dt.date(2028, 12, 31))
_ACTIONS = some.one_of(  # codes 1 and 2, seasons, special schedules, nothing or the end of the list; with the flags
    some.sampled_from([1, 2]), some.integers(3, 5), some.integers(19, 21), some.sampled_from([0, 31, 0x20, 0x40, 0x64])
).map(lambda code: bytes([code]))  # fmt: skip
_YEARLY = some.builds(
    yearly, some.sampled_from([1, 2, 6, 12, 13]), some.sampled_from([0, 1, 3, 15, 28, 29, 31]),
    some.integers(0, 15), some.integers(0, 7),
)  # fmt: skip
_RULES = some.one_of(
    _YEARLY,
    _YEARLY,
    some.builds(recurring, some.just(14), some.integers(0, 7)),
    some.builds(recurring, some.just(15), some.integers(0, 0xFFF)),
    some.builds(recurring, some.just(15), some.integers(0, 63).map(lambda delta: delta << 6)),
    some.just(recurring(0, 60)),
)
_MINUTES = some.sampled_from([0, 0, 30, 59])
_SWITCHES = some.builds(
    switch,
    some.sampled_from([0, 6, 7, 23, 24]),
    _MINUTES,
    some.integers(0, 7),
    some.integers(0, 3),
    some.integers(0, 3),
)


@some.composite
def calendars(draw: some.DrawFn) -> Tables:
    """Any calendar, with few entries, among them those that mean nothing."""
    flags = draw(some.sampled_from([AUTOMATIC, AUTOMATIC, AUTOMATIC, 0])) | draw(some.sampled_from([ZONE, ZONE, 0]))
    flags |= draw(some.sampled_from([0, WEEKDAYS])) | draw(some.sampled_from([0, SEPARATE]))
    special = draw(some.integers(0, 2))
    size = (7 if flags & WEEKDAYS else 3) + special
    row = some.lists(some.integers(0, 4), min_size=size, max_size=size).map(bytes)
    offset = None
    if draw(some.integers(0, 9)):
        times = [
            draw(some.sampled_from([b"\x02\x00\x00", b"\x00\x1e\x00", b"\x17\x00\x00", b"\xff" * 3])) for _ in "be"
        ]
        zone = draw(some.sampled_from([-720, -300, 0, 345])).to_bytes(2, "little", signed=True)
        amount = bytes([draw(some.sampled_from([60, 60, 30, 255, 0]))])
        offset = times[0] + amount + (zone if flags & ZONE else b"") + times[1]
    return tables(
        flags=flags,
        anchor=draw(some.none() | _DAYS),
        dates=tuple(draw(some.lists(some.builds(lambda day, action: date(day) + action, _DAYS, _ACTIONS), max_size=4))),
        rules=tuple(draw(some.lists(some.builds(bytes.__add__, _RULES, _ACTIONS), max_size=6))),
        switches=tuple(draw(some.lists(_SWITCHES, max_size=8))),
        rows=tuple(draw(some.lists(row, max_size=3))),
        special=special,
        offset=offset,
    )
