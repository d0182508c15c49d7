"""The clock of a meter (ST52, ST53, ST55, ST56, with the calendar of ST54): what time it is, and how to read its times.

How ST52 and ST55 say what a time is, by TIME_DATE_QUAL (a reading of ours): with GMT_FLAG it is UTC; otherwise UTC is
the time minus ST53.TIME_ZONE_OFFSET if TM_ZN_APPLIED_FLAG, and minus ST53.DST_TIME_AMT if DST_APPLIED_FLAG while
daylight saving time is in effect. Counters (TM_FORMAT 3 and 4) are UTC whatever the flags say, unless the caller knows
that this meter counts local time (Itron Sentinel does).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

from c1219.errors import Finding
from c1219.views.calendar import Calendar, DstChange, SeasonChange, TierChange, read_calendar
from c1219.views.records import record

if TYPE_CHECKING:
    from c1219.device import Device

__all__ = ["Clock", "Timekeeping", "clock", "timekeeping"]

_NO_TIME = dt.timedelta(0)


class Timekeeping:
    """How the times of one meter relate to UTC.

    Attributes:
        utc: its times are UTC.
        zone: local standard time minus UTC; None if that is not known.
        zone_applied: the zone is in its times.
        dst_applied: the daylight saving shift is in its times while it is in effect.
        dst_amount: that shift.
        dst_now: daylight saving time was in effect when ST52 or ST55 was read; None if neither is here.
        calendar: its calendar, which says when daylight saving time begins and ends; None if there is none.
        local: zone that the caller gave; goes before what the tables say.
    """

    def __init__(
        self,
        *,
        utc: bool = False,
        zone: dt.timedelta | None = None,
        zone_applied: bool = True,
        dst_applied: bool = True,
        dst_amount: dt.timedelta = _NO_TIME,
        dst_now: bool | None = None,
        calendar: Calendar | None = None,
        local: dt.tzinfo | None = None,
    ) -> None:
        self.utc = utc
        self.zone = zone
        self.zone_applied = zone_applied
        self.dst_applied = dst_applied
        self.dst_amount = dst_amount
        self.dst_now = dst_now
        self.calendar = calendar
        self.local = local
        self._changes: dict[int, tuple[DstChange, ...]] = {}
        self._zones: dict[dt.timedelta, dt.timezone] = {}

    @property
    def has_rule(self) -> bool:
        """Whether it is known when daylight saving time is in effect, now and at other times."""
        if not self.dst_amount or self.local is not None:
            return True
        return self.calendar is not None and self.calendar.tells_dst

    @property
    def known(self) -> bool:
        """Whether times can be made aware: `instant` gives a time, if need be with a hint on daylight saving time."""
        return self.utc or self.local is not None or self.zone is not None or not self.zone_applied

    def _changes_of(self, year: int) -> tuple[DstChange, ...]:
        found = self._changes.get(year)
        if found is None:
            found = self.calendar.dst_changes(year) if self.calendar is not None else ()
            if len(self._changes) >= 64:
                self._changes.clear()
            self._changes[year] = found
        return found

    def in_dst(self, wall: dt.datetime) -> bool | None:
        """Say whether daylight saving time is in effect at a local wall time, None if that is not known.

        Of the hour that occurs twice, the first is meant, the second if ``wall.fold`` is 1.
        """
        if not self.dst_amount:
            return False
        plain = wall.replace(fold=0)
        for year in (wall.year, wall.year - 1):
            for change in reversed(self._changes_of(year)):
                moment = change.time if change.on or not wall.fold else change.time - self.dst_amount
                if moment <= plain:
                    return change.on
        return None

    def _in_dst_standard(self, standard: dt.datetime) -> bool | None:
        """Say the same of a time that is always standard time."""
        if not self.dst_amount:
            return False
        for year in (standard.year, standard.year - 1):
            for change in reversed(self._changes_of(year)):
                if (change.time if change.on else change.time - self.dst_amount) <= standard:
                    return change.on
        return None

    def instant(self, time: dt.datetime, dst: bool | None = None) -> dt.datetime | None:
        """Make a time of the meter aware.

        Args:
            time: naive, as decoded.
            dst: whether daylight saving time was in effect then, where something says so; None to use the rule.

        Returns:
            The time with the offset of the meter's place, or in UTC if only that is known; None if the offset from
            UTC is not known, or whether daylight saving time was in effect.
        """
        try:
            if self.utc:
                return self.localize(time, dst)
            if self.local is not None:
                return self._in_given_zone(time, self.local)
            standard = time
            if self.dst_applied and self.dst_amount:
                if dst is None:
                    dst = self.in_dst(time) if self.zone_applied else self._in_dst_standard(time)
                if dst is None:
                    return None
                if dst:
                    standard = time - self.dst_amount
            if not self.zone_applied:
                return self.localize(standard, dst)
            return None if self.zone is None else self.localize(standard - self.zone, dst)
        except OverflowError:
            return None

    def _in_given_zone(self, time: dt.datetime, local: dt.tzinfo) -> dt.datetime:
        if not self.zone_applied:
            return time.replace(tzinfo=dt.UTC).astimezone(local)
        aware = time.replace(tzinfo=local)
        shift = aware.dst() or _NO_TIME
        return aware if self.dst_applied or not shift else (aware + shift).astimezone(local)

    def localize(self, utc: dt.datetime, dst: bool | None = None) -> dt.datetime:
        """Give a time in UTC (naive) the offset of the meter's place; UTC if that is not known.

        Args:
            utc: naive.
            dst: whether daylight saving time was in effect then, where something says so; None to use the rule.
        """
        if self.local is not None:
            return utc.replace(tzinfo=dt.UTC).astimezone(self.local)
        if self.zone is None:
            return utc.replace(tzinfo=dt.UTC)
        standard = utc + self.zone
        if dst is None:
            dst = self._in_dst_standard(standard)
        offset = self.zone + self.dst_amount if dst else self.zone
        found = self._zones.get(offset)
        if found is None:
            found = self._zones[offset] = dt.timezone(offset)
        return (utc + offset).replace(tzinfo=found)

    def wall(self, aware: dt.datetime) -> dt.datetime | None:
        """Return the local wall time of the meter at an aware time, naive; None if the zone is not known."""
        if self.local is not None:
            return aware.astimezone(self.local).replace(tzinfo=None)
        if self.zone is None:
            return None
        return self.localize(aware.astimezone(dt.UTC).replace(tzinfo=None)).replace(tzinfo=None)


class Clock(NamedTuple):
    """The clock of a meter when its tables were read. What no table tells is None.

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
        findings: what is missing or does not fit.
    """

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

    @property
    def calendar(self) -> Calendar | None:
        """The calendar, None if there is none."""
        return self.timekeeping.calendar

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        found: dict[str, Any] = {name: value for name, value in self._asdict().items() if name != "timekeeping"}
        for name in ("time", "wall"):
            found[name] = found[name] and found[name].isoformat()
        found["drift"] = None if self.drift is None else self.drift.total_seconds()
        found["next_switches"] = [
            {"time": change.time.isoformat(), "tier": change.tier, "schedule": change.schedule}
            for change in self.next_switches
        ]
        season = self.next_season
        found["next_season"] = season and {"date": season.date.isoformat(), "season": season.season}
        found["findings"] = [finding._asdict() for finding in self.findings]
        return found


def timekeeping(
    device: Device,
    *,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
    findings: list[Finding] | None = None,
) -> Timekeeping:
    """Say how the times of a meter relate to UTC.

    Args:
        device: the tables of the meter.
        zone: where the meter is, if the caller knows; goes before what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
        findings: where to say what is missing or wrong.
    """
    remarks: list[Finding] = [] if findings is None else findings
    calendar = read_calendar(device, remarks)
    offset = record(device, 53, remarks) if device.get(51) is not None else None
    amount, standard = _NO_TIME, None
    if offset is not None:
        amount = dt.timedelta(minutes=offset.DST_TIME_AMT)
        if isinstance(offset.TIME_ZONE_OFFSET, int):
            standard = dt.timedelta(minutes=offset.TIME_ZONE_OFFSET)
            if not -dt.timedelta(hours=23) < standard < dt.timedelta(hours=23) - amount:
                text = f"TIME_ZONE_OFFSET {offset.TIME_ZONE_OFFSET} min is no time zone"
                remarks.append(Finding("error", "zone", "ST53.TIME_ZONE_OFFSET", None, text))
                standard = None
    qualities = _qualities(device, remarks)
    st0 = record(device, 0, remarks)
    counters = st0 is not None and st0.FORMAT_CONTROL_2.TM_FORMAT >= 3 and not local_counters
    if qualities is None:
        return Timekeeping(utc=counters, zone=standard, dst_amount=amount, calendar=calendar, local=zone)
    utc = qualities.GMT_FLAG or counters
    if st0 is not None and st0.STD_VERSION_NO > 1 and not (qualities.DST_SUPPORTED_FLAG or qualities.DST_FLAG):
        amount = _NO_TIME
    return Timekeeping(
        utc=utc, zone=standard, zone_applied=not utc and qualities.TM_ZN_APPLIED_FLAG,
        dst_applied=not utc and qualities.DST_APPLIED_FLAG, dst_amount=amount, dst_now=qualities.DST_FLAG,
        calendar=calendar, local=zone,
    )  # fmt: skip


def _qualities(device: Device, findings: list[Finding]) -> Any:
    table = record(device, 52, findings) or record(device, 55, findings)
    return None if table is None else table.TIME_DATE_QUAL


def clock(
    device: Device,
    *,
    now: dt.datetime | None = None,
    zone: dt.tzinfo | None = None,
    local_counters: bool = False,
) -> Clock:
    """Say what time it is in a meter, and where its calendar stands.

    Args:
        device: the tables of the meter; ST52 goes before ST55 for the time.
        now: aware time at which the table was read, for the drift.
        zone: where the meter is, if the caller knows; goes before what ST53 and ST54 say.
        local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
    """
    findings: list[Finding] = []
    times = timekeeping(device, zone=zone, local_counters=local_counters, findings=findings)
    state = record(device, 55, findings) if device.get(51) is not None else None
    table = record(device, 52, findings) or state
    remain = record(device, 56, findings) if device.get(51) is not None else None
    wall = table.CLOCK_CALENDAR if table is not None and isinstance(table.CLOCK_CALENDAR, dt.datetime) else None
    quality = table.TIME_DATE_QUAL if table is not None else None
    dst = quality.DST_FLAG if quality is not None else None
    time = times.instant(wall, dst) if wall is not None else None
    if wall is not None and time is None:
        text = "the offset from UTC is not known: neither GMT_FLAG nor ST53.TIME_ZONE_OFFSET tells it"
        findings.append(Finding("warning", "zone-unknown", "ST52.CLOCK_CALENDAR", None, text))
    local = _local(times, table) if table is not None else None
    if quality is not None and wall is not None:
        findings += _checked(quality, wall, local, times)
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
        times, tuple(findings),
    )  # fmt: skip


def _local(times: Timekeeping, table: Any) -> dt.datetime | None:
    """Return the local wall time that a clock table tells, None if that is not known."""
    wall = table.CLOCK_CALENDAR
    if not isinstance(wall, dt.datetime):
        return None
    time = times.instant(wall, table.TIME_DATE_QUAL.DST_FLAG)
    if time is not None:
        return times.wall(time)
    return None if times.utc else wall


def _checked_tier(plan: Calendar, local: dt.datetime | None, tier: int | None) -> list[Finding]:
    """Hold the tier that the meter is in against its calendar."""
    planned = None if local is None else plan.tier(local)
    if planned is None or planned == tier:
        return []
    text = f"the meter is in tier {tier}, its calendar says {planned}"
    return [Finding("warning", "tier", "ST55.STATUS", None, text)]


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first


def _checked(quality: Any, wall: dt.datetime, local: dt.datetime | None, times: Timekeeping) -> list[Finding]:
    """Hold what the clock says of itself against its date and against the calendar."""
    found = []
    weekdays = {moment.isoweekday() % 7 for moment in (wall, local) if moment is not None}
    if quality.DAY_OF_WEEK not in {*weekdays, 7}:
        text = f"DAY_OF_WEEK is {quality.DAY_OF_WEEK} (0 is Sunday), which {wall:%Y-%m-%d} is not"
        found.append(Finding("warning", "weekday", "ST52.TIME_DATE_QUAL", None, text))
    planned = None if local is None else times.in_dst(local.replace(fold=int(not quality.DST_FLAG)))
    if times.dst_amount and planned is not None and planned != quality.DST_FLAG:
        text = f"DST_FLAG is {int(quality.DST_FLAG)}, but by the calendar it should be {int(planned)}"
        found.append(Finding("warning", "dst", "ST52.TIME_DATE_QUAL", None, text))
    return found
