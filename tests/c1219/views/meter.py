"""A meter made for a test: tables from a few words, and a load profile from the truth that it is to tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from c1219.device import Device

if TYPE_CHECKING:
    import datetime as dt

hexa = bytes.fromhex

TOU = "20 11 12 01 03 04 00 22 00"
"""ST51: anchor date; DST and zone; 2 seasons, 1 special schedule; 1 date, 3 recurring, 4 tier switches."""
OFFSET = "02 00 00 3C D4 FE 02 00 00"
"""ST53: DST at 02:00 by 60 min, zone -300 min, standard time at 02:00."""
CALENDAR = (
    "98 08  98 E5 13  03 50 01  0B 18 02  06 08 64  01 38 00  C0 AB 00  00 00 01  02 60 01  01 01 00 01  01 01 00 01"
)
"""ST54: DST from 10 March to 3 November; season 1 from 1 June; special schedule on 2024-11-28."""


def general(
    used: tuple[int, ...] = (), *, order: int = 0, time: int = 2, ni1: int = 8, ni2: int = 8, version: int = 2
) -> bytes:
    """ST0 of a meter with these tables."""
    sets = bytearray(16)
    for table in used:
        sets[table // 8] |= 1 << table % 8
    head = bytes([order | 1 << 1, time | 3 << 3, ni1 | ni2 << 4]) + b"DEMO"
    return head + bytes([2, 0, 16, 16, version, 0, 16, 0, 0, 0, 0, 0]) + bytes(sets) + bytes(16)


def meter(tables: dict[int, str | bytes] | None = None, **formats: Any) -> Device:
    """A device of some tables in hex; ST0 lists them."""
    held = {number: hexa(octets) if isinstance(octets, str) else octets for number, octets in (tables or {}).items()}
    return Device({0: general(tuple(held), **formats), **held})


def zoned(**tables: str) -> dict[int, str | bytes]:
    """The tables of a clock in local time with DST and zone, by default those of the worked example."""
    held: dict[int, str | bytes] = {51: TOU, 52: "18 03 0A 01 3B 1E E0", 53: OFFSET, 54: CALENDAR}
    return held | {int(name[2:]): octets for name, octets in tables.items()}


FORMS = {1: (0, 2**8), 2: (0, 2**16), 4: (0, 2**32), 8: (-128, 128), 16: (-(2**15), 2**15), 32: (-(2**31), 2**31)}
UNITS = "01 00 00 00  01 00 00 00  08 01 00 00"
"""ST12: varh, varh, V instantaneous (no quadrants)."""


@dataclass
class Truth:
    """What a set of a load profile recorded, and how it stores that.

    `blocks` are the intervals, the oldest block first: for each interval the values of its channels.
    """

    blocks: list[list[list[Any]]]
    ends: list[dt.datetime | None]
    size: int = 0
    per_block: int = 4
    minutes: int = 15
    code: int = 2
    first: int = 0
    descending_blocks: bool = False
    descending_intervals: bool = False
    circular: bool = True
    sequence: int = 100
    status: list[list[bytes]] | None = None
    valid: list[set[int]] | None = None
    closures: list[list[tuple[int, int]]] | None = None
    readings: list[list[Any]] | None = None
    pulses: list[list[int]] | None = None
    sums: bool = False
    scalars: list[int] | None = None
    divisors: list[int] | None = None
    end_flags: int = 1
    set_flags: int = 0x20
    shift: int = 0
    formats: dict[str, Any] = field(default_factory=dict)
    tables: dict[int, str | bytes] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        return len(self.blocks[0][0])

    def device(self) -> Device:
        size = self.size or len(self.blocks)
        version = self.formats.get("version", 2)
        flags = 16 * (self.readings is not None) + 32 * (self.pulses is not None) + 64 * (self.scalars is not None)
        flags += 0x400 * (self.status is not None) + 0x800 * (self.valid is not None)
        flags += 0x1000 * (self.sums if version > 1 else self.closures is not None)
        device = Device({number: hexa(o) if isinstance(o, str) else o for number, o in self.tables.items()})
        listed = (11, 12, 16, 61, 62, 63, 64, *self.tables)
        device.put(0, general(listed, **self.formats))
        device.put(11, hexa("00 03 00 00 00 00 02 03"))
        device.put(12, _big(UNITS) if self._big else hexa(UNITS))
        device.put(16, hexa("11 11 11"))
        bits = device.bind(61).decode(bytes(13)).LP_FLAGS
        names = type(bits)._fields
        places = [*range(13)]
        lp_flags = tuple(bool(flags >> place & 1) for place in places)
        assert len(names) == len(lp_flags)
        act = (10000, lp_flags, (True,) * 8, size, self.per_block, self.channels, self.minutes, *[None] * 12)
        device.put(61, device.encode(61, act))
        selection = tuple(((bool(self.end_flags), False, 0), n % 3, n % 3) for n in range(self.channels))
        scalars = None if self.scalars is None else tuple(self.scalars)
        divisors = None if self.scalars is None else tuple(self.divisors or [1] * self.channels)
        device.put(62, device.encode(62, (selection, self.code, scalars, divisors, *[None] * 12)))
        order = [(self.first + n) % size for n in range(len(self.blocks))]
        if self.descending_blocks:
            order = [(self.first - n) % size for n in range(len(self.blocks))]
        state = (
            (int(self.descending_blocks), bool(self.set_flags & 2), int(self.circular), False,
             int(self.descending_intervals), bool(self.set_flags & 32), bool(self.set_flags & 64)),
            len(self.blocks), order[-1] + self.shift, self.sequence, 0, len(self.blocks[-1]),
        )  # fmt: skip
        device.put(63, device.encode(63, (state, None, None, None)))
        stored: list[Any] = [self._unused()] * size
        for number, element in enumerate(order):
            stored[element] = self._block(number)
        device.put(64, device.encode(64, (tuple(stored),)))
        return device

    @property
    def _big(self) -> bool:
        return bool(self.formats.get("order"))

    def _unused(self) -> Any:
        zero = (None if self.readings is None else 0, None if self.pulses is None else 0)
        closures = None if self.closures is None else ((0, 0),) * self.channels
        return (
            None,
            (zero,) * self.channels,
            closures,
            None if self.valid is None else frozenset(),
            tuple(self._interval(None, None) for _ in range(self.per_block)),
        )

    def _interval(self, values: Any, status: bytes | None) -> Any:
        extended = None if self.status is None else status or bytes(self.channels // 2 + 1)
        return extended, tuple(values) if values is not None else (0,) * self.channels

    def _block(self, number: int) -> Any:
        intervals = self.blocks[number]
        states = self.status[number] if self.status is not None else [None] * len(intervals)
        stored = [self._interval(*pair) for pair in zip(intervals, states, strict=True)]
        valid = None if self.valid is None else set(self.valid[number])
        if self.descending_intervals:
            stored.reverse()
            valid = None if valid is None else {len(stored) - 1 - n for n in valid}
        stored += [self._interval(None, None)] * (self.per_block - len(stored))
        readings = self.readings[number] if self.readings is not None else [None] * self.channels
        pulses = self.pulses[number] if self.pulses is not None else [None] * self.channels
        return (
            self.ends[number],
            tuple(zip(readings, pulses, strict=True)),
            None if self.closures is None else tuple(self.closures[number]),
            None if valid is None else frozenset(valid),
            tuple(stored),
        )


def _big(octets: str) -> bytes:
    """Entries of four octets, the most significant first."""
    little = hexa(octets)
    return b"".join(little[n : n + 4][::-1] for n in range(0, len(little), 4))
