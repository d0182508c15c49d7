"""Clock and calendar as COSEM objects: class 8, the activity calendar, special days, demand resets on dates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.cosem.classes import InterfaceClass
from c1219.cosem.data import (
    ANY,
    NOT_GIVEN,
    Data,
    DataType,
    array,
    boolean,
    date_octets,
    enum,
    name_data,
    octet_string,
    structure,
    time_octets,
    u8,
    u16,
)  # fmt: skip
from c1219.cosem.names import LogicalName
from c1219.cosem.parts.builder import CLOCK_NAME, UNKNOWN_TIME
from c1219.rules.recurring import monthly

if TYPE_CHECKING:
    from c1219.cosem.parts.builder import Builder
    from c1219.rules.calendar import Action, Calendar
    from c1219.values import RecurringDate

__all__ = ["END_OF_BILLING", "calendar_objects", "clock_objects", "date_with_wildcards"]

END_OF_BILLING: Final = LogicalName(0, 0, 10, 0, 1)
_TARIFFS: Final = LogicalName(0, 0, 10, 0, 100)
_SPECIAL_DAYS: Final = LogicalName(0, 0, 11, 0, 0)
_CALENDAR: Final = LogicalName(0, 0, 13, 0, 0)
_BILLING_DATES: Final = LogicalName(0, 0, 15, 0, 0)
_TIER: Final = LogicalName(0, 0, 96, 14, 0)
_CRYSTAL: Final = 1
_SUNDAY_LAST: Final = (1, 2, 3, 4, 5, 6, 0)
"""Days of the week from Monday on, as C12.19 numbers them."""
_LAST_DAY: Final = 0xFE
_FIRST_ACTION: Final = 1
_MOST_MINUTES: Final = 127


def clock_objects(builder: Builder) -> None:
    """Map ST52, ST53 and ST55."""
    clock = builder.clock
    path = next((f"ST{number}.CLOCK_CALENDAR" for number in (52, 55) if builder.device.get(number) is not None), None)
    if path is None:
        return
    shown = clock.time or clock.wall
    dst = bool(clock.dst) if clock.dst is not None else None
    time = UNKNOWN_TIME if shown is None else builder.time_data(shown)
    if shown is not None and clock.time is None and dst:
        time = octet_string(time.value[:-1] + b"\x80")
    times = clock.timekeeping
    status = 0x80 if dst else 0
    attributes: dict[int, Data] = {2: time, 4: u8(status), 9: enum(_CRYSTAL)}
    if times.zone is not None:
        attributes[3] = Data(DataType.INT16, -round(times.zone.total_seconds() / 60))
    minutes = round(times.dst_amount.total_seconds() / 60)
    if minutes <= _MOST_MINUTES:
        attributes[7] = Data(DataType.INT8, minutes)
    begins, ends = _dst_rules(builder, clock.calendar)
    attributes[5], attributes[6] = begins or UNKNOWN_TIME, ends or UNKNOWN_TIME
    attributes[8] = boolean(bool(minutes) and times.has_rule)
    builder.plain("M92", InterfaceClass.CLOCK, CLOCK_NAME, path, attributes)
    if clock.tier is not None:
        builder.plain("M105", InterfaceClass.DATA, _TIER, "ST55.STATUS", {2: u8(clock.tier + 1)})


def _dst_rules(builder: Builder, calendar: Calendar | None) -> tuple[Data | None, Data | None]:
    found: dict[str, Data] = {}
    offset = builder.record(53)
    if calendar is None or not calendar.tells_dst:
        return None, None
    for action in _rules(builder, calendar):
        if action.kind in {"dst-on", "dst-off"} and action.rule is not None and action.kind not in found:
            name = "DST_TIME_EFF" if action.kind == "dst-on" else "STD_TIME_EFF"
            time = getattr(offset, name, None) or getattr(offset, "DST_TIME_EFF", None)
            date = date_with_wildcards(action.rule)
            if date is None:
                builder.leave("M95", action.path, action.kind)
            elif isinstance(time, dt.time):
                found[action.kind] = octet_string(date + time_octets(time) + NOT_GIVEN[:2] + b"\0")
    return found.get("dst-on"), found.get("dst-off")


def _rules(builder: Builder, calendar: Calendar) -> list[Action]:
    """Return the actions of the calendar: those that recur once, and those of single days."""
    table = builder.record(54)
    days = () if table is None else [entry.NON_RECURR_DATE for entry in table.NON_RECURR_DATES]
    years = {day.year for day in days if isinstance(day, dt.date)}
    wall = builder.clock.wall
    years.add(wall.year if wall is not None else 2024)
    actions: dict[tuple[str, Any], Action] = {}
    for year in sorted(years):
        for action in calendar.actions(year):
            actions.setdefault((action.path, None if action.rule is not None else action.date), action)
    return list(actions.values())


def date_with_wildcards(rule: RecurringDate) -> bytes | None:
    """Return a recurring date as five octets; None if wildcards cannot say it."""
    said = monthly(rule)
    if said is None:
        return None
    month = ANY if said.month is None else said.month
    weekday = ANY if said.weekday is None else said.weekday or 7
    day = _LAST_DAY if said.day is None else said.day
    if said.day is not None and (day > 31 or 7 < weekday < ANY):
        return None
    return bytes((ANY, ANY, month, day, weekday))


def _date(action: Action) -> bytes | None:
    return date_octets(action.date) if action.rule is None else date_with_wildcards(action.rule)


def calendar_objects(builder: Builder) -> None:
    """Map ST54: seasons, kinds of days, special days, demand resets on dates."""
    calendar = builder.clock.calendar
    if calendar is None:
        return
    actions = _rules(builder, calendar)
    attributes: dict[int, Data] = {2: octet_string(b"ST54")}
    attributes[3] = array(_seasons(builder, actions))
    attributes[4] = array(
        structure(_named("W", season), *(u8(days[weekday]) for weekday in _SUNDAY_LAST))
        for season, (days, _) in enumerate(calendar.seasons)
    )
    attributes[5] = array(_days(calendar))
    builder.plain("M98", InterfaceClass.ACTIVITY_CALENDAR, _CALENDAR, "ST54", attributes)
    builder.plain(
        "M100", InterfaceClass.SCRIPT_TABLE, _TARIFFS, "ST54.TIER_SWITCHES",
        {2: array(structure(u16(tier + 1), array(())) for tier in _tiers(calendar))},
    )  # fmt: skip
    if calendar.separate:
        builder.leave("M101", "ST54.TIER_SWITCHES", "tiers of demands")
    _special_days(builder, actions, calendar)
    _resets(builder, actions)


def _seasons(builder: Builder, actions: list[Action]) -> list[Data]:
    found = []
    for action in actions:
        if action.kind == "season" and action.number is not None:
            date = _date(action)
            if date is None:
                builder.leave("M98", action.path, f"season {action.number}")
                continue
            start = octet_string(date + bytes(4) + NOT_GIVEN[:2] + b"\0")
            found.append(structure(_named("S", action.number), start, _named("W", action.number)))
    return found


def _named(letter: str, number: int) -> Data:
    return octet_string(f"{letter}{number}".encode())


def _days(calendar: Calendar) -> list[Data]:
    return [
        structure(
            u8(schedule),
            array(
                structure(octet_string(time_octets(switch.time)), name_data(_TARIFFS), u16(switch.tier + 1))
                for switch in switches
                if switch.summation
            ),
        )
        for schedule, switches in calendar.schedules.items()
    ]


def _tiers(calendar: Calendar) -> list[int]:
    return sorted({switch.tier for switches in calendar.schedules.values() for switch in switches})


def _special_days(builder: Builder, actions: list[Action], calendar: Calendar) -> None:
    entries: list[Data] = []
    for action in actions:
        if action.kind != "special" or action.number is None:
            continue
        date = _date(action)
        schedules = {specials[action.number] for _, specials in calendar.seasons if action.number < len(specials)}
        if date is None:
            builder.leave("M102", action.path, f"special schedule {action.number}", "wildcards do not say this date")
        elif len(schedules) != 1:
            builder.leave("M102", action.path, f"special schedule {action.number}", "it differs by season")
        else:
            entries.append(structure(u16(len(entries) + 1), octet_string(date), u8(schedules.pop())))
    if entries:
        builder.plain("M102", InterfaceClass.SPECIAL_DAYS_TABLE, _SPECIAL_DAYS, "ST54", {2: array(entries)})


def _resets(builder: Builder, actions: list[Action]) -> None:
    times = []
    for action in actions:
        if not action.demand_reset:
            continue
        date = _date(action)
        if date is None:
            builder.leave("M103", action.path, "demand reset", "wildcards do not say this date")
        else:
            times.append(structure(octet_string(bytes(4)), octet_string(date)))
    if times:
        script = structure(name_data(END_OF_BILLING), u16(_FIRST_ACTION))
        attributes = {2: script, 3: enum(_FIRST_ACTION), 4: array(times)}
        builder.plain("M103", InterfaceClass.SINGLE_ACTION_SCHEDULE, _BILLING_DATES, "ST54", attributes)
