"""The clock of a meter (ST52, ST53, ST55, ST56, with the calendar of ST54): what time it is, and how to read its times.

Counters (TM_FORMAT 3 and 4) are UTC whatever the flags of TIME_DATE_QUAL say, unless the caller knows that this meter
counts local time (Itron Sentinel does).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.errors import Finding
from c1219.rules.timekeeping import Timekeeping, clock_offsets, counts, dst_shown, time_quality
from c1219.tabular.schema import METER, RowColumn, RowSchema
from c1219.tabular.view import Tabular
from c1219.views.calendar import Calendar, SeasonChange, TierChange, read_calendar
from c1219.views.origin import MeterOrigin, origin
from c1219.views.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1219.tableset import TableSet

__all__ = ["Clock", "Timekeeping", "clock", "timekeeping"]

_NO_TIME = dt.timedelta(0)


CLOCK: Final = RowSchema(
    "c1219.clock/1",
    "The clock of one meter when it was read.",
    (
        *METER,
        RowColumn("time", "time", "what time it was by the meter; null if its offset from UTC is not known"),
        RowColumn("local_offset", "int16", "minutes that the meter's place is ahead of UTC then; null if not known"),
        RowColumn("wall", "wall", "as on the wire", "ST52, ST55"),
        RowColumn("drift", "float", "seconds that the meter is ahead"),
        RowColumn("weekday", "int8", "0 Sunday .. 6 Saturday, as the meter says"),
        RowColumn("dst", "bool", "daylight saving time is in effect, as the meter says"),
        RowColumn("tier", "int8", "tier that the meter is in", "ST55"),
        RowColumn("demand_tier", "int8", "tier of demands, if it has its own", "ST55"),
        RowColumn("season", "int8", "season that the meter is in", "ST55"),
        RowColumn("special", "int8", "special schedule in effect", "ST55"),
        RowColumn("tier_minutes", "int32", "left of the tier", "ST56"),
        RowColumn("demand_tier_minutes", "int32", "left of the tier of demands", "ST56"),
        RowColumn("self_read_days", "int32", "to the next self read", "ST56"),
        RowColumn("next_switches", "json", "the next tier switches by the calendar, in local wall time", null=False),
        RowColumn("next_season", "json", "the next change of season by the calendar"),
    ),
)


class _Clock(NamedTuple):
    time: dt.datetime | None
    wall: dt.datetime | None
    drift: dt.timedelta | None
    weekday: int | None
    dst: bool | None
    tier: int | None
    demand_tier: int | None
    season: int | None
    special: int | None
    tier_minutes: int | None
    demand_tier_minutes: int | None
    self_read_days: int | None
    next_switches: tuple[TierChange, ...]
    next_season: SeasonChange | None
    timekeeping: Timekeeping
    findings: tuple[Finding, ...]
    origin: MeterOrigin = MeterOrigin()


class Clock(_Clock, Tabular):
    """The clock of a meter when its tables were read. What no table says is None.

    Attributes:
        time: aware; see `Timekeeping.instant`.
        wall: as on the wire, naive.
        drift: `time` minus the `now` that was given; positive is fast.
        weekday: 0 Sunday .. 6 Saturday, as the meter says.
        dst: daylight saving time is in effect, as the meter says.
        tier: tier (of summations) that the meter is in.
        demand_tier: tier of demands, if it has its own.
        season: season that the meter is in.
        special: special schedule in effect.
        tier_minutes: left of the tier.
        demand_tier_minutes: left of the tier of demands.
        self_read_days: to the next self read.
        next_switches: the next tier switches by the calendar, in local wall time.
        next_season: the next change of season by the calendar.
        timekeeping: how to read times of this meter.
        findings: what is missing or contradictory.
        origin: which meter it is of.
    """

    __slots__ = ()

    schema = CLOCK

    def table_rows(self) -> Iterator[Sequence[Any]]:
        shown = self.as_dict()
        yield (
            self.origin.meter, self.origin.node, self.time, self.origin.offset_of(self.time), self.wall,
            *(shown[name] for name in self.schema.names[5:]),
        )  # fmt: skip

    @property
    def calendar(self) -> Calendar | None:
        """The calendar, None if there is none."""
        return self.timekeeping.calendar

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        items: dict[str, Any] = self._asdict()
        del items["timekeeping"], items["origin"]
        for name in ("time", "wall"):
            items[name] = items[name] and items[name].isoformat()
        items["drift"] = None if self.drift is None else self.drift.total_seconds()
        items["next_switches"] = [
            {"time": change.time.isoformat(), "tier": change.tier, "schedule": change.schedule}
            for change in self.next_switches
        ]
        season = self.next_season
        items["next_season"] = season and {"date": season.date.isoformat(), "season": season.season}
        items["findings"] = [finding._asdict() for finding in self.findings]
        return items


def timekeeping(
    device: TableSet,
    *,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
    findings: list[Finding] | None = None,
) -> Timekeeping:
    """Say how the times of a meter relate to UTC.

    Args:
        device: the tables of the meter.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
        findings: where to report what is missing or wrong.
    """
    remarks: list[Finding] = [] if findings is None else findings
    calendar = read_calendar(device, remarks)
    offset = record(device, 53, remarks) if device.get(51) is not None else None
    standard, amount = clock_offsets(offset)
    if standard is None and offset is not None and isinstance(offset.TIME_ZONE_OFFSET, int):
        text = f"TIME_ZONE_OFFSET {offset.TIME_ZONE_OFFSET} min is no time zone"
        remarks.append(Finding("error", "zone", "ST53.TIME_ZONE_OFFSET", None, text))
    qualities = _qualities(device, remarks)
    st0 = record(device, 0, remarks)
    counter = st0 is not None and counts(st0) and not local_counters
    if qualities is None:
        return Timekeeping(utc=counter, zone=standard, dst_amount=amount, calendar=calendar, local=zone)
    quality = time_quality(qualities, counter=counter, version=0 if st0 is None else st0.STD_VERSION_NO)
    return Timekeeping(
        utc=quality.utc, zone=standard, zone_applied=quality.zone_applied, dst_applied=quality.dst_applied,
        dst_amount=amount if quality.has_dst else _NO_TIME, dst_now=quality.dst, calendar=calendar, local=zone,
    )  # fmt: skip


def _qualities(device: TableSet, findings: list[Finding]) -> Any:
    table = record(device, 52, findings) or record(device, 55, findings)
    return None if table is None else table.TIME_DATE_QUAL


def clock(
    device: TableSet,
    *,
    now: dt.datetime | None = None,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
) -> Clock:
    """Say what time it is in a meter, and where its calendar stands.

    Args:
        device: the tables of the meter; ST52 goes before ST55 for the time.
        now: aware time at which the table was read, for the drift.
        zone: where the meter is, if the caller knows; overrides what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
    """
    findings: list[Finding] = []
    times = timekeeping(device, zone=zone, local_counters=local_counters, findings=findings)
    state = record(device, 55, findings) if device.get(51) is not None else None
    table = record(device, 52, findings) or state
    remain = record(device, 56, findings) if device.get(51) is not None else None
    wall = table.CLOCK_CALENDAR if table is not None and isinstance(table.CLOCK_CALENDAR, dt.datetime) else None
    quality = table.TIME_DATE_QUAL if table is not None else None
    dst = dst_shown(quality)
    time = times.instant(wall, dst) if wall is not None else None
    if wall is not None and time is None:
        text = "the offset from UTC is not known: neither GMT_FLAG nor ST53.TIME_ZONE_OFFSET gives it"
        findings.append(Finding("warning", "zone-unknown", "ST52.CLOCK_CALENDAR", None, text))
    local = _local(times, table) if table is not None else None
    if quality is not None and wall is not None:
        findings += _checked(quality, wall, local, time, times)
    status = state.STATUS if state is not None else None
    tier = None if status is None else getattr(status, "CURR_TIER", getattr(status, "CURR_SUMM_TIER", None))
    plan = times.calendar
    if plan is not None and state is not None and state.STATUS.TIER_DRIVE == 0:
        findings += _checked_tier(plan, _local(times, state), tier)
    return Clock(
        time, wall, None if now is None or time is None else time - now,
        None if quality is None or quality.DAY_OF_WEEK == 7 else quality.DAY_OF_WEEK, dst,
        tier, getattr(status, "CURR_DEMAND_TIER", None),
        None if status is None else status.SEASON,
        None if status is None or status.SPECIAL_SCHD_ACTIVE > 11 else status.SPECIAL_SCHD_ACTIVE,
        None if remain is None else _either(remain.TIER_TIME_REMAIN, remain.SUMM_TIER_TIME_REMAIN),
        None if remain is None else remain.DEMAND_TIER_TIME_REMAIN,
        None if remain is None else remain.SELF_READ_DAYS_REMAIN,
        plan.next_switches(local) if plan is not None and local is not None else (),
        plan.next_season(local) if plan is not None and local is not None else None,
        times, tuple(findings), origin(device, times),
    )  # fmt: skip


def _local(times: Timekeeping, table: Any) -> dt.datetime | None:
    """Return the local wall time that a clock table gives, None if it is not known."""
    wall = table.CLOCK_CALENDAR
    if not isinstance(wall, dt.datetime):
        return None
    time = times.instant(wall, dst_shown(table.TIME_DATE_QUAL))
    if time is not None:
        return times.wall(time)
    return None if times.utc else wall


def _checked_tier(plan: Calendar, local: dt.datetime | None, tier: int | None) -> list[Finding]:
    """Compare the tier that the meter is in with its calendar."""
    planned = None if local is None else plan.tier(local)
    if planned is None or planned == tier:
        return []
    text = f"the meter is in tier {tier}, its calendar says {planned}"
    return [Finding("warning", "tier", "ST55.STATUS", None, text)]


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _checked(
    quality: Any, wall: dt.datetime, local: dt.datetime | None, time: dt.datetime | None, times: Timekeeping
) -> list[Finding]:
    """Compare what the clock says of itself with its date, and with the calendar or the time zone."""
    doubts, dst = [], bool(dst_shown(quality))
    weekdays = {moment.isoweekday() % 7 for moment in (wall, local) if moment is not None}
    if quality.DAY_OF_WEEK not in {*weekdays, 7}:
        text = f"DAY_OF_WEEK is {quality.DAY_OF_WEEK} (0 is Sunday), which {wall:%Y-%m-%d} is not"
        doubts.append(Finding("warning", "weekday", "ST52.TIME_DATE_QUAL", None, text))
    rule, planned = "the calendar", None
    if times.local is not None:
        rule = "the time zone"
        planned = times.in_effect(time) if time is not None and times.dst_applied else None
    elif local is not None and times.dst_amount:
        planned = times.in_dst(local, second=not dst)
    if planned is not None and planned != dst:
        text = f"DST_FLAG is {int(dst)}, but by {rule} it should be {int(planned)}"
        doubts.append(Finding("warning", "dst", "ST52.TIME_DATE_QUAL", None, text))
    return doubts
