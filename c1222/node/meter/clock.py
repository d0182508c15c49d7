"""The clock of a meter: real time or accelerated, and right or set wrong; and the forms in which tables show it.

Three times must not be mixed up. True UTC, for the vectors of messages, never passes through here. *Simulated* time
drives load and intervals: it starts where the meter starts and runs at ``rate``; nobody can set it. *Device* time is
simulated time plus an offset that the procedures which set the clock change. All are seconds since 1970.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.rules.timekeeping import Timekeeping, clock_offsets, counts, naive_utc, time_quality, utc, without_zone
from c1219.wire.times import YEARS
from c1222.node.meter.calendar import MeterCalendar, calendar_of

if TYPE_CHECKING:
    from c1222.node.meter.configuration import Shape
    from c1222.node.meter.tables import Tables

__all__ = ["ClockFormats", "DeviceClock", "clock_formats", "shown_clock"]

_EPOCH: Final = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - times of tables have no zone
_SECOND: Final = dt.timedelta(seconds=1)
_NO_TIME: Final = dt.timedelta(0)


class DeviceClock:
    """Simulated time and device time.

    Args:
        start: simulated time at ``utc``.
        utc: true time.
        rate: seconds of simulated time in a second.
        offset: device time minus simulated time, seconds.
    """

    __slots__ = ("_start", "_utc", "offset", "rate")

    def __init__(self, start: float, utc: float, *, rate: float = 1.0, offset: float = 0.0) -> None:
        self._start = start
        self._utc = utc
        self.rate = rate
        self.offset = offset

    def simulated(self, utc: float) -> float:
        """Return simulated time; it stands still while true time runs backwards."""
        return self._start + max(0.0, utc - self._utc) * self.rate

    def device(self, utc: float) -> float:
        """Return device time."""
        return self.simulated(utc) + self.offset

    def with_rate(self, utc: float, rate: float) -> DeviceClock:
        """Return a clock that goes on from here at another rate."""
        return DeviceClock(self.simulated(utc), utc, rate=rate, offset=self.offset)

    def as_state(self) -> dict[str, float]:
        """Return what `from_state` needs."""
        return {"start": self._start, "utc": self._utc, "rate": self.rate, "offset": self.offset}

    @classmethod
    def from_state(cls, state: dict[str, float]) -> DeviceClock:
        """Return the clock that was."""
        return cls(state["start"], state["utc"], rate=state["rate"], offset=state["offset"])


class ClockFormats:
    """How a configuration shows device time.

    Args:
        st0: value of ST0.
        st53: value of ST53, None if it is not here.
        calendar: seasons and changes of daylight saving time.

    Attributes:
        runs: whether the device has a clock at all.
        times: how what it shows relates to UTC. Without a time zone it is in UTC; without changes of daylight saving
            time in the calendar it stays on standard time.
        zone: local standard time minus UTC, seconds.
        base: what intervals follow minus device time, seconds: they end at whole minutes of the time that is stored,
            daylight saving time left out.
    """

    def __init__(self, st0: Any, st53: Any, calendar: MeterCalendar) -> None:
        zone, self._dst_amount = clock_offsets(st53)
        rules = calendar.rules
        switches = rules is not None and rules.tells_dst
        self.runs = st0.FORMAT_CONTROL_2.TM_FORMAT != 0
        self.times = Timekeeping(
            utc=counts(st0), zone=zone or _NO_TIME, dst_amount=self._dst_amount if switches else _NO_TIME,
            calendar=rules,
        )  # fmt: skip
        self._version = st0.STD_VERSION_NO
        self.zone = round((zone or _NO_TIME) / _SECOND)
        self.base = 0 if self.times.utc else self.zone

    def is_dst(self, device: float) -> bool:
        """Return whether daylight saving time is in effect."""
        return bool(self.times.in_effect(_instant(device)))

    def local(self, device: float) -> dt.datetime:
        """Return the time on the wall, in whole seconds."""
        return without_zone(self.times.localize(_moment(device)))

    def long(self, device: float) -> dt.datetime | None:
        """Return a time for LTIME_DATE: counters count UTC, the other forms show the time on the wall."""
        return self.times.shown(_instant(device)) if self.runs else None

    def shows(self, device: float) -> bool:
        """Return whether tables have a form for a time, whatever the configuration becomes."""
        try:
            return self.local(device).year in YEARS
        except OverflowError:
            return False

    def short(self, device: float) -> dt.datetime | None:
        """Return a time for STIME_DATE, which has no seconds."""
        long = self.long(device)
        return None if long is None else long.replace(second=0)

    def qualifier(self, device: float) -> tuple[Any, ...]:
        """Return TIME_DATE_QUAL: day of the week and what the clock shows."""
        shown = self.long(device) or self.local(device)
        applied, has_dst = not self.times.utc, bool(self.times.dst_amount)
        return (
            shown.isoweekday() % 7,
            self.is_dst(device),
            self.times.utc,
            applied and bool(self.zone),
            applied and has_dst,
            has_dst and self._version > 1,
        )

    def device(self, shown: dt.datetime, qualifier: Any = None) -> float:
        """Return the device time that a time stands for.

        Args:
            shown: as in a table.
            qualifier: TIME_DATE_QUAL that says what it is; None, or without a zone, for what this device shows itself.
        """
        times, dst = self.times, None
        quality = None if qualifier is None else time_quality(qualifier, counter=times.utc)
        if quality is not None and (quality.utc or quality.zone_applied):
            dst = quality.dst
            times = Timekeeping(
                utc=quality.utc, zone=times.zone, dst_applied=quality.dst_applied, dst_amount=self._dst_amount
            )
        instant = times.instant(shown, dst)
        return ((shown if instant is None else naive_utc(instant)) - _EPOCH) / _SECOND


def clock_formats(shape: Shape) -> ClockFormats:
    """Return how a configuration shows time. For `Shape.derived`."""
    return ClockFormats(shape.value("ST0"), shape.value("ST53"), shape.derived(calendar_of))


def _moment(device: float) -> dt.datetime:
    """Return a device time in whole seconds, in UTC and naive."""
    return _EPOCH + int(device) * _SECOND


def _instant(device: float) -> dt.datetime:
    return utc(_moment(device))


def shown_clock(tables: Tables) -> float | None:
    """Return the device time that the tables of a meter show, None where they show none."""
    formats: ClockFormats = tables.shape.derived(clock_formats)
    for label in ("ST52", "ST55"):
        shown = tables.find(f"{label}.CLOCK_CALENDAR")
        if isinstance(shown, dt.datetime):
            return formats.device(shown, tables.find(f"{label}.TIME_DATE_QUAL"))
    return None
