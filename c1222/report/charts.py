"""What charts draw: load profiles, the voltage band, events and traffic over time, as compact JSON.

Times are in seconds since 1970 plus the offset of the place from UTC, so that axes show the time of the meter's place.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.rules.timekeeping import utc
from c1219.views.load_profile import IntervalStatus
from c1222.amounts import duration, scaled, shown_unit
from c1222.report.words import offset_text

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from c1219.views.event_log import Event
    from c1219.views.load_profile import Interval, LoadProfile
    from c1222.report.timeline import Timeline

__all__ = ["Chart", "event_chart", "profile_charts", "traffic_chart"]

_MAX_MARKS: Final = 200
"""Marks of events, and of intervals with a status, in one chart."""
_MAX_KINDS: Final = 8
"""Kinds of events, and services, that have a line of their own."""
_HOUR: Final = 3600
_DAY: Final = 86400
_OTHERS: Final = "others"
_NOT_VALID: Final = int(IntervalStatus.NOT_VALID)  # numbers, since flags are slow
_WORTHY: Final = ~int(IntervalStatus.DST)
"""What of the status of an interval is marked."""


class Chart(NamedTuple):
    """A chart.

    Attributes:
        title: what it shows.
        about: what else there is to say: how points were made fewer, what is not drawn.
        data: for the script of the page.
    """

    title: str
    about: tuple[str, ...]
    data: dict[str, Any]


class _Slots:
    """The intervals of a profile: a time for each, and the values of each channel."""

    def __init__(self, profile: LoadProfile) -> None:
        self.untimed = 0
        self.flags: list[tuple[int, str]] = []
        self.offset: int | None = None
        slots: dict[int, dict[int, Any]] = {}
        values: dict[int, Any] = {}
        before: dt.datetime | None = None
        for row in profile.rows:
            if row.start is None:
                self.untimed += 1
                continue
            if row.start is not before:  # rows of one interval stand together
                before = row.start
                time = self._seconds(before)
                if time not in slots and (int(row.status) & _WORTHY or row.extended):
                    self.flags.append((time, _flag_text(row)))
                values = slots.setdefault(time, {})
            values[row.channel] = None if int(row.status) & _NOT_VALID else row.value
        shift = self.offset or 0
        self.times = [time + shift for time in sorted(slots)]
        self.values = [slots[time] for time in sorted(slots)]
        self.flags = [(time + shift, text) for time, text in self.flags]

    def _seconds(self, start: dt.datetime) -> int:
        offset = start.utcoffset()
        if offset is None:
            return int(utc(start).timestamp())
        self.offset = int(offset.total_seconds())
        return int(start.timestamp())


def _flag_text(row: Interval) -> str:
    return ", ".join(name.lower().replace("_", " ") for name in row.flags if name != "DST")


def _runs(times: Sequence[int], step: int) -> list[list[int]]:
    """Return times as runs of equal steps: where each begins, and how many there are."""
    runs: list[list[int]] = []
    for time in times:
        if runs and time == runs[-1][0] + runs[-1][1] * step:
            runs[-1][1] += 1
        else:
            runs.append([time, 1])
    return runs


def profile_charts(profile: LoadProfile, events: Iterable[Event] = (), *, max_points: int) -> tuple[Chart, ...]:
    """Return the charts of a load profile: one for each unit, volts as a band of lowest and highest values.

    Args:
        profile: the profile.
        events: what happened, to be marked in the time of the profile.
        max_points: points of a channel; where there are more, several become one, and the chart says so.
    """
    slots = _Slots(profile)
    if not slots.times or profile.minutes <= 0:
        return ()
    step = 60 * profile.minutes
    marks = _marks(events, slots.offset, slots.times[0], slots.times[-1] + step)
    units: dict[str, list[Any]] = {}
    for channel in profile.channels:
        units.setdefault(channel.source.unit or "", []).append(channel)
    charts = []
    for unit, channels in units.items():
        band = unit == "V"
        fewer = _fewer(-(-len(slots.times) // max_points), step)
        if band:
            fewer = max(fewer, min(_HOUR // step or 1, len(slots.times)))
        groups = _groups(slots.times, fewer * step)
        series: list[dict[str, Any]] = []
        for channel in channels:
            series += _series(channel, unit, [[slots.values[at].get(channel.number) for at in own] for own in groups])
        about = [f"{len(slots.times):,} intervals of {profile.minutes} minutes", offset_text(slots.offset)]
        if fewer > 1:
            way = "the band from the lowest to the highest of" if band else "made from"
            about.append(f"each point is {way} up to {fewer} intervals")
        about += _remarks(slots)
        title = f"Load profile {profile.set}: " + ("voltage band" if band else ", ".join(_names(channels)))
        data = {
            "runs": _runs([slots.times[own[0]] // (fewer * step) * (fewer * step) if fewer > 1 else slots.times[own[0]]
                           for own in groups], fewer * step),
            "step": fewer * step, "unit": shown_unit(unit), "series": series, "events": marks,
            "flags": [list(flag) for flag in slots.flags[:_MAX_MARKS]],
        }  # fmt: skip
        charts.append(Chart(title, tuple(about), data))
    return tuple(charts)


def _fewer(least: int, step: int) -> int:
    """Return how many intervals become one point: no fewer than asked for, and so that a day has whole spans."""
    whole = (count for count in range(max(1, least), _DAY // step + 1) if _DAY % (count * step) == 0)
    return next(whole, least) if least > 1 else 1


def _names(channels: Iterable[Any]) -> list[str]:
    return list(dict.fromkeys(channel.source.quantity for channel in channels))


def _groups(times: Sequence[int], width: int) -> list[list[int]]:
    """Return the places of times, those of one span together."""
    groups: dict[int, list[int]] = {}
    for at, time in enumerate(times):
        groups.setdefault(time // width, []).append(at)
    return list(groups.values())


def _series(channel: Any, unit: str, groups: list[list[Any]]) -> list[dict[str, Any]]:
    name = channel.source.quantity
    known = [[value for value in own if value is not None] for own in groups]
    if unit == "V" and any(len(own) > 1 for own in known):
        return [
            {"name": f"{name}, highest", "band": 1, "v": [_number(max(own), unit) if own else None for own in known]},
            {"name": f"{name}, lowest", "band": -1, "v": [_number(min(own), unit) if own else None for own in known]},
            {"name": name, "v": [_number(sum(own) / len(own), unit) if own else None for own in known]},
        ]
    if channel.source.adds_up:
        return [{"name": name, "steps": 1, "v": [_number(sum(own), unit) if own else None for own in known]}]
    return [{"name": name, "v": [_number(sum(own) / len(own), unit) if own else None for own in known]}]


def _number(value: Any, unit: str) -> float | int:
    number = round(float(scaled(value, unit)), 6)
    return int(number) if number.is_integer() else number


def _remarks(slots: _Slots) -> list[str]:
    found = []
    if slots.untimed:
        found.append(f"{slots.untimed} values of intervals whose time is not known are not drawn")
    if slots.flags:
        kinds = Counter(text for _, text in slots.flags).most_common()
        found.append("marked below: " + "; ".join(f"{text} ({count})" for text, count in kinds[:_MAX_KINDS]))
        if len(slots.flags) > _MAX_MARKS:
            found.append(f"{len(slots.flags) - _MAX_MARKS} of these are not drawn")
    return found


def _marks(events: Iterable[Event], offset: int | None, first: int, last: int) -> list[list[Any]]:
    """Return the events in a span of time, those of one time together."""
    found: dict[int, list[str]] = {}
    for event in events:
        if event.time is None or (event.time.tzinfo is None) != (offset is None):
            continue
        time = _local(event.time, offset)
        if first <= time <= last:
            texts = found.setdefault(time, [])
            if event.text not in texts:
                texts.append(event.text)
    return [[time, "; ".join(texts)] for time, texts in sorted(found.items())[:_MAX_MARKS]]


def _local(time: dt.datetime, offset: int | None) -> int:
    if time.tzinfo is None:
        return int(utc(time).timestamp())
    return int(time.timestamp()) + (offset or 0)


def event_chart(events: Sequence[Event]) -> Chart | None:
    """Return the log entries over time, a line for each kind; None if none of them has a time."""
    timed = [event for event in events if event.time is not None]
    offsets = [own for event in timed if event.time and (own := event.time.utcoffset()) is not None]
    offset = int(offsets[-1].total_seconds()) if offsets else None
    timed = [event for event in timed if event.time and (event.time.tzinfo is None) == (offset is None)]
    if not timed:
        return None
    common = Counter(event.name for event in timed).most_common()
    kinds = [name for name, _ in common[: _MAX_KINDS if len(common) <= _MAX_KINDS else _MAX_KINDS - 1]]
    if len(common) > len(kinds):
        kinds.append(_OTHERS)
    points: dict[tuple[int, int], list[str]] = {}
    for event in timed:
        kind = kinds.index(event.name if event.name in kinds else _OTHERS)
        if event.time is not None:
            texts = points.setdefault((_local(event.time, offset), kind), [])
            if event.text not in texts:
                texts.append(event.text)
    times = sorted({time for time, _ in points})
    series = [
        {"name": name, "dots": 1, "v": [kind if (time, kind) in points else None for time in times],
         "texts": ["; ".join(points.get((time, kind), ())) for time in times]}
        for kind, name in enumerate(kinds)
    ]  # fmt: skip
    data = {"times": times, "unit": "", "lines": kinds, "series": series, "events": [], "flags": []}
    return Chart("Events", (f"{len(timed):,} entries with a time", offset_text(offset)), data)


def traffic_chart(timeline: Timeline) -> Chart | None:
    """Return requests by service and errors over time; None if there was none with a time."""
    slots = timeline.slots
    if not slots:
        return None
    width = timeline.width_ns / 10**9
    names = timeline.services
    own = names if len(names) <= _MAX_KINDS - 1 else names[: _MAX_KINDS - 2]
    series: list[dict[str, Any]] = [{"name": name, "steps": 1, "v": timeline.requests(name)} for name in own]
    if len(own) < len(names):
        series.append({"name": _OTHERS, "steps": 1, "v": timeline.requests(*names[len(own) :])})
    series.append({"name": "errors", "dots": 1, "error": 1, "v": [count or None for count in timeline.failures()]})
    data = {
        "runs": [[slots[0] * timeline.width_ns / 10**9, len(slots)]], "step": width, "unit": "", "series": series,
        "events": [], "flags": [],
    }  # fmt: skip
    about = f"each point counts the requests of {duration(timeline.width_ns)}"
    return Chart("Services over time", (about, "UTC"), data)
