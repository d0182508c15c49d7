"""What the report says of one meter: who it is, registers, peaks, rates, profiles, events, rights, findings."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.rules.profile_set import SETS, set_label
from c1219.views.origin import origin
from c1222.capture.captured_device import CapturedDevice
from c1222.report.charts import Chart, event_chart, profile_charts
from c1222.report.registers import Peak, PeriodTable, Shares, peaks, period_tables, shares
from c1222.report.words import moment
from c1222.text import leaves

if TYPE_CHECKING:
    import datetime as dt

    from c1219 import Device
    from c1219.errors import Finding
    from c1219.views.identity import Identity
    from c1219.views.security import Access

__all__ = ["Detail", "EventLine", "MeterReport", "SharedRights", "meter_report"]

_VERDICTS: Final = {True: "verified", False: "not verified", None: "cleartext"}
_ZEROS: Final = frozenset("0")


class Detail(NamedTuple):
    """How much is shown of a meter.

    Attributes:
        points: of a channel of a load profile.
        periods: tables of registers.
        events: entries of logs.
        findings: findings.
        brief: without the names of tables, and without the time of each.
    """

    points: int
    periods: int
    events: int
    findings: int
    brief: bool = False


class EventLine(NamedTuple):
    """An entry of a log as it is shown."""

    time: str
    log: str
    sequence: int
    user: int
    text: str


class SharedRights(NamedTuple):
    """Tables and procedures with the same rights.

    Attributes:
        read: who may read.
        write: who may write or execute.
        labels: which tables and procedures, with the name that people know them by.
    """

    read: str
    write: str
    labels: tuple[tuple[str, str], ...]


class MeterReport(NamedTuple):
    """One meter.

    Attributes:
        title: what the report calls it.
        identity: what is known of it, by name.
        clock: what its clock and calendar said, by name.
        tables: label of each table that is known, when it was seen last, whether it was verified.
        shares: of rates.
        peaks: of demand.
        periods: registers.
        more_periods: periods that are left out.
        charts: load profiles and events.
        events: the latest entries of the logs.
        more_events: entries that are left out.
        rights: who may do what.
        passwords: which groups each password opens.
        findings: what is odd.
        more_findings: findings that are left out.
        brief: see `Detail`.
    """

    title: str
    identity: tuple[tuple[str, str], ...]
    clock: tuple[tuple[str, str], ...]
    tables: tuple[tuple[str, str, str], ...]
    shares: tuple[Shares, ...]
    peaks: tuple[Peak, ...]
    periods: tuple[PeriodTable, ...]
    more_periods: int
    charts: tuple[Chart, ...]
    events: tuple[EventLine, ...]
    more_events: int
    rights: tuple[SharedRights, ...]
    passwords: tuple[str, ...]
    findings: tuple[Finding, ...]
    more_findings: int
    brief: bool


def meter_report(device: Device, title: str, detail: Detail, *, zone: dt.tzinfo | None = None) -> MeterReport:
    """Return what is to be said of a meter.

    Args:
        device: its tables.
        title: what to call it.
        detail: how much to say.
        zone: time zone of the meter; goes before its own.
    """
    identity, clock = device.identity(), device.clock(zone=zone)
    registers, log, access = device.registers(zone=zone), device.events(zone=zone), device.access()
    profiles = [device.load_profile(number, zone=zone) for number in SETS if set_label(number) in device]
    charts = list(chain.from_iterable(profile_charts(one, log.rows, max_points=detail.points) for one in profiles))
    if (events := event_chart(log.rows)) is not None:
        charts.append(events)
    periods = period_tables(registers.rows)
    seen = device.findings if isinstance(device, CapturedDevice) else ()
    views: tuple[Any, ...] = (identity, clock, registers, log, access, *profiles)
    findings = list(dict.fromkeys(chain(seen, chain.from_iterable(view.findings for view in views))))
    findings.sort(key=lambda one: ("error", "warning", "note").index(one.level))
    latest = log.rows[::-1]
    return MeterReport(
        title,
        _identity(identity),
        _clock(clock.as_dict()),
        _tables(device),
        shares(registers.rows),
        peaks(registers.rows),
        periods[: detail.periods],
        max(0, len(periods) - detail.periods),
        tuple(charts),
        tuple(
            EventLine(moment(one.time), one.log, one.sequence, one.user, one.text) for one in latest[: detail.events]
        ),
        max(0, len(latest) - detail.events),
        _rights(access),
        tuple(
            f"password {one.entry} opens "
            + (f"groups {', '.join(map(str, one.groups))}" if one.groups else "no group")
            + (" (blank)" if one.blank else "")
            for one in access.passwords or ()
        ),
        tuple(findings[: detail.findings]),
        max(0, len(findings) - detail.findings),
        detail.brief,
    )


def _identity(identity: Identity) -> tuple[tuple[str, str], ...]:
    shown = identity.as_dict()
    del shown["findings"]
    found = []
    for path, value in leaves(shown):
        group, _, name = path.partition(".")
        if not value or isinstance(value, list) or _ZEROS.issuperset(str(value)):
            continue  # filler
        words = name.replace(".", " ").replace("_", " ") if name else group.replace("_", " ")
        found.append((words, str(value)))
    return tuple(found)


def _clock(shown: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    wanted = ("time", "wall", "dst", "season", "tier", "demand_tier", "special", "tier_minutes", "self_read_days")
    pairs = [(name.replace("_", " "), shown.get(name)) for name in wanted]
    if shown.get("time") is not None:
        pairs = [pair for pair in pairs if pair[0] != "wall"]
    found = [
        (name, {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value)
        for name, value in pairs
        if value is not None
    ]
    found += [("next switch", f"{one['time']} to tier {one['tier']}") for one in (shown.get("next_switches") or ())[:1]]
    return tuple((name, str(value)) for name, value in found)


def _tables(device: Device) -> tuple[tuple[str, str, str], ...]:
    seen = origin(device).tables or {}
    found = []
    for label in device:
        one = seen.get(label)
        found.append((label, "", "") if one is None else (label, moment(one.at), _VERDICTS[one.verified]))
    return tuple(found)


def _rights(access: Access) -> tuple[SharedRights, ...]:
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in access.permissions:
        key = str(row.read or "not known"), str(row.write or "not known")
        groups.setdefault(key, []).append((row.label, row.name))
    return tuple(SharedRights(*key, tuple(labels)) for key, labels in groups.items())
