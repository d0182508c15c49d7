"""A meter that never was: load, registers, load profile and logs, in whole numbers from a seed.

Everything is counted in pulses, from one curve of five-minute steps, so that all tables of a device tell the same
story: what the registers gained is what the intervals add up to. Times are UTC without a zone; `Zone` makes them local.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import NamedTuple

STEP = dt.timedelta(minutes=5)
MINUTE = dt.timedelta(minutes=1)


class Load(NamedTuple):
    """A load over the day and the year.

    Attributes:
        hours: watts at each full hour.
        months: of 1000, by month.
        weekend: part of it that weekends lack, of 1000.
    """

    hours: tuple[int, ...]
    months: tuple[int, ...]
    weekend: int = 120

    def times(self, multiplier: int, divisor: int = 1) -> Load:
        """Return a larger or smaller load."""
        return self._replace(hours=tuple(watts * multiplier // divisor for watts in self.hours))


_MONTHS = (960, 940, 900, 850, 880, 1010, 1180, 1200, 1020, 880, 890, 950)
_HOME = (320, 280, 260, 250, 260, 340, 620, 840, 700, 560, 520, 540, 610, 560, 520, 560, 760, 1180, 1460, 1380, 1120,
        860, 600, 420)  # fmt: skip
_OFFICE = (62, 60, 59, 58, 60, 72, 98, 130, 158, 170, 176, 180, 176, 182, 184, 180, 172, 150, 118, 96, 84, 76, 70, 65)
_SUN = (0, 0, 0, 0, 0, 0, 6, 80, 230, 400, 540, 620, 640, 600, 500, 350, 180, 50, 2, 0, 0, 0, 0, 0)
HOME = Load(_HOME, _MONTHS, -60)
OFFICE = Load(_OFFICE, _MONTHS)
SUN = Load(_SUN, (350, 500, 700, 900, 1050, 1150, 1150, 1050, 850, 600, 400, 300), 0)


def at(text: str) -> dt.datetime:
    """Return a time without a zone."""
    return dt.datetime.fromisoformat(text)


@dataclass(frozen=True)
class Zone:
    """Local time: an offset to UTC and, if asked for, daylight saving time by the rule of the United States."""

    standard: dt.timedelta
    dst: bool = True

    def in_dst(self, utc: dt.datetime) -> bool:
        """Whether daylight saving time is in effect: from 02:00 standard to 02:00 daylight saving time."""
        if not self.dst:
            return False
        standard = utc + self.standard
        return dst_begins(standard.year) <= standard < dst_ends(standard.year)

    def local(self, utc: dt.datetime) -> dt.datetime:
        """Return the local time."""
        return utc + self.standard + dt.timedelta(hours=self.in_dst(utc))


def _sunday(year: int, month: int, number: int) -> dt.datetime:
    first = at(f"{year}-{month:02}-01")
    return first + dt.timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))


def dst_begins(year: int) -> dt.datetime:
    """Return when daylight saving time begins, in standard time."""
    return _sunday(year, 3, 2) + dt.timedelta(hours=2)


def dst_ends(year: int) -> dt.datetime:
    """Return when daylight saving time ends, in standard time."""
    return _sunday(year, 11, 1) + dt.timedelta(hours=1)


_EPOCH = at("2000-01-01")


class Outage(NamedTuple):
    """The device had no power."""

    start: dt.datetime
    end: dt.datetime

    def minutes_in(self, start: dt.datetime, end: dt.datetime) -> int:
        """Return how many minutes of a span it covers."""
        return max(0, (min(self.end, end) - max(self.start, start)) // MINUTE)


class Curve:
    """Pulses of each quantity in each step.

    Args:
        seed: seed of all that is random.
        zone: whose hours the load follows.
        loads: one for each quantity.
        pulse: watt-hours of a pulse.
        outages: when there is neither load nor metering.
    """

    def __init__(
        self,
        seed: int,
        zone: Zone,
        loads: tuple[Load, ...],
        *,
        pulse: int,
        outages: tuple[Outage, ...] = (),
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311  a load, not a key
        self.zone = zone
        self.loads = loads
        self.pulse = pulse
        self.outages = outages
        self._carry = [0] * len(loads)
        self._level = [1000] * len(loads)

    def step(self, utc: dt.datetime) -> tuple[int, ...]:
        """Return the pulses of the step that begins at this time; call it step after step."""
        local = self.zone.local(utc)
        dark = sum(outage.minutes_in(utc, utc + STEP) for outage in self.outages)
        pulses = []
        for number, load in enumerate(self.loads):
            here, after = load.hours[local.hour], load.hours[(local.hour + 1) % 24]
            season = load.months[local.month - 1] * (1000 - load.weekend * (local.weekday() > 4)) // 1000
            watts = here + (after - here) * local.minute // 60
            level = self._level[number] = min(1400, max(650, self._level[number] + self.random.randrange(-60, 61)))
            # in watt-minutes times 10^6; the rest of a pulse goes over into the next step
            energy = self._carry[number] + watts * season * level * (5 - dark)
            whole, self._carry[number] = divmod(energy, self.pulse * 60 * 1_000_000)
            pulses.append(whole)
        return tuple(pulses)


class Demand(NamedTuple):
    """What a maximum is taken of: a quantity, and the quantities whose values are kept with it."""

    quantity: int
    coincident: tuple[int, ...] = ()


class Peak(NamedTuple):
    """One occurrence of a maximum."""

    value: int
    time: dt.datetime
    coincident: tuple[int, ...]


@dataclass
class Block:
    """Registers over all tiers, or of one."""

    sums: list[int]
    peaks: list[list[Peak]]
    cumulative: list[int]


@dataclass
class Registers:
    """Registers of a meter; every number in pulses.

    Attributes:
        quantities: how many quantities are summed.
        demands: maxima that are kept.
        tiers: tiers beside the total.
        occurrences: highest values that are kept of each maximum.
        resets: demand resets so far.
    """

    quantities: int
    demands: tuple[Demand, ...]
    tiers: int = 0
    occurrences: int = 1
    resets: int = 0
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blocks = [
            Block([0] * self.quantities, [[] for _ in self.demands], [0] * len(self.demands))
            for _ in range(1 + self.tiers)
        ]

    def _of(self, tier: int) -> list[Block]:
        return [self.blocks[0], *self.blocks[1 + tier : 2 + tier]]

    def add(self, pulses: tuple[int, ...], tier: int = 0) -> None:
        """Count the pulses of one step."""
        for block in self._of(tier):
            for number in range(self.quantities):
                block.sums[number] += pulses[number]

    def demand(self, pulses: tuple[int, ...], time: dt.datetime, tier: int = 0) -> None:
        """Take the pulses of one demand interval, which ends at a time, for the maxima."""
        for block in self._of(tier):
            for number, (quantity, coincident) in enumerate(self.demands):
                peaks = block.peaks[number]
                value = pulses[quantity]
                if value and (len(peaks) < self.occurrences or value > peaks[-1].value):
                    peaks.append(Peak(value, time, tuple(pulses[other] for other in coincident)))
                    peaks.sort(key=lambda peak: -peak.value)
                    del peaks[self.occurrences :]

    def reset(self) -> None:
        """Reset demand: maxima go into the cumulative demands."""
        self.resets += 1
        for block in self.blocks:
            for number, peaks in enumerate(block.peaks):
                block.cumulative[number] += peaks[0].value if peaks else 0
                peaks.clear()

    def snapshot(self) -> list[Block]:
        """Return the registers as they are now."""
        return [Block(list(b.sums), [list(peaks) for peaks in b.peaks], list(b.cumulative)) for b in self.blocks]


class Interval(NamedTuple):
    """One interval of a load profile."""

    end: dt.datetime
    pulses: tuple[int, ...]
    readings: tuple[int, ...]
    """Pulses of all time up to its end."""
    dark: int
    """Minutes without power."""


class Profile:
    """Recorder of one set of load profile data."""

    def __init__(self, minutes: int, outages: tuple[Outage, ...] = ()) -> None:
        self.length = minutes * MINUTE
        self.outages = outages
        self.intervals: list[Interval] = []
        self._pulses: list[int] = []
        self._total: list[int] = []

    def add(self, pulses: tuple[int, ...], end: dt.datetime) -> None:
        """Take the pulses of a step that ends at a time."""
        self._pulses = [a + b for a, b in zip(self._pulses or [0] * len(pulses), pulses, strict=True)]
        self._total = [a + b for a, b in zip(self._total or [0] * len(pulses), pulses, strict=True)]
        if (end - _EPOCH) % self.length == dt.timedelta(0):
            dark = sum(outage.minutes_in(end - self.length, end) for outage in self.outages)
            self.intervals.append(Interval(end, tuple(self._pulses), tuple(self._total), dark))
            self._pulses = []

    def blocks(self, size: int, count: int, first: dt.datetime) -> tuple[list[list[Interval]], int]:
        """Cut the intervals into blocks.

        Args:
            size: intervals of a block.
            count: blocks that the device keeps.
            first: where a block begins; later blocks follow it without a gap.

        Returns:
            The newest blocks, the oldest first, and the number of blocks since `first`.
        """
        held = [interval for interval in self.intervals if interval.end > first]
        blocks = [held[start : start + size] for start in range(0, len(held), size)]
        return blocks[-count:], len(blocks)


class Event(NamedTuple):
    """Something for the logs."""

    time: dt.datetime
    code: int
    user: int = 0
    argument: bytes = b""
    manufacturer: bool = False


class Numbered(NamedTuple):
    """An entry of a log."""

    event: Event
    number: int
    """The same in both logs."""
    sequence: int


def logs(events: list[Event], history: set[int], event: set[int]) -> tuple[list[Numbered], list[Numbered]]:
    """Return history log and event log.

    Args:
        events: everything that happened.
        history: codes that the history log has.
        event: codes that the event log has; the manufacturer's are in both.
    """
    found: tuple[list[Numbered], list[Numbered]] = ([], [])
    number = 0
    for item in sorted(events):
        kept = [item.manufacturer or item.code in codes for codes in (history, event)]
        number += any(kept)
        for log, keep in zip(found, kept, strict=True):
            if keep:
                log.append(Numbered(item, number, len(log) + 1))
    return found
