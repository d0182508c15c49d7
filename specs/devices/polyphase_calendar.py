"""Time and time of use of the polyphase meter: its zone, its seasons, its tiers, and the tables that tell them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from simulation import Zone, at
from tables import flags

if TYPE_CHECKING:
    from tables import Maker

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
ZONE = Zone(-5 * HOUR)
START = at("2026-05-01 04:00")
NOW = at("2026-11-22 19:35")

SUMMER, WINTER = 0, 1
CRITICAL = (dt.date(2026, 7, 15), dt.date(2026, 8, 12), dt.date(2026, 8, 13))
HOLIDAYS = (dt.date(2026, 5, 25), dt.date(2026, 7, 3), dt.date(2026, 9, 7))
SWITCHES = {
    0: ((0, 0), (8, 1), (12, 2), (18, 1), (22, 0)),  # weekdays in summer
    1: ((0, 0), (7, 2), (11, 1), (17, 2), (21, 0)),  # weekdays in winter
    2: ((0, 0), (10, 1), (20, 0)),  # weekends and holidays
    3: ((0, 0), (9, 3), (21, 0)),  # critical days
}
"""Hour and new tier, by day schedule."""


def season(day: dt.date) -> int:
    """Return the season that begins on 1 June and 1 October."""
    return SUMMER if 6 <= day.month < 10 else WINTER


def special(day: dt.date) -> int | None:
    """Return the special schedule of a day."""
    return 0 if day in CRITICAL else 1 if day in HOLIDAYS else None


def schedule(day: dt.date) -> int:
    """Return the day schedule of a day."""
    if special(day) is not None:
        return 3 - (special(day) or 0)
    return 2 if day.weekday() > 4 else season(day)


def tier(local: dt.datetime) -> int:
    """Return the tier in effect."""
    return [new for hour, new in SWITCHES[schedule(local.date())] if hour <= local.hour][-1]


def put_time(maker: Maker) -> None:
    """Set ST50 to ST56."""
    switches = [(number, hour, new) for number, times in SWITCHES.items() for hour, new in times]
    maker.put(
        51, TIME_FUNC_FLAG1=flags("TOU_SELF_READ_FLAG SEASON_SELF_READ_FLAG ANCHOR_DATE_FLAG"),
        TIME_FUNC_FLAG2=flags("CAP_DST_AUTO_FLAG SORT_TIER_SWITCHES_FLAG CAP_TM_ZN_OFFSET_FLAG"),
        CALENDAR_FUNC={"NBR_SEASONS": 2, "NBR_SPECIAL_SCHED": 2}, NBR_NON_RECURR_DATES=len(CRITICAL) + 1,
        NBR_RECURR_DATES=12, NBR_TIER_SWITCHES=len(switches) + 2,
        CALENDAR_TBL_SIZE=2 + 3 * (len(CRITICAL) + 1 + 12 + len(switches) + 2) + 2 * 5,
    )  # fmt: skip
    maker.same(50, 51)
    local, dst = ZONE.local(NOW), ZONE.in_dst(NOW)
    qualifier = flags("TM_ZN_APPLIED_FLAG DST_APPLIED_FLAG DST_SUPPORTED_FLAG")
    qualifier |= {"DAY_OF_WEEK": local.isoweekday() % 7, "DST_FLAG": dst}
    maker.put(52, CLOCK_CALENDAR=local.isoformat(), TIME_DATE_QUAL=qualifier)
    maker.put(53, DST_TIME_EFF="02:00:00", DST_TIME_AMT=60, TIME_ZONE_OFFSET=-300, STD_TIME_EFF="02:00:00")

    def recurring(month: int, day: int, action: int, offset: int = 0, weekday: int = 7, **more: bool) -> Any:
        date = {"MONTH": month, "OFFSET": offset, "WEEKDAY": weekday, "DAY": day}
        return {"RECURR_DATE": date, "CALENDAR_ACTION": {"CALENDAR_CTRL": action} | more}

    holiday, end = 20, {"CALENDAR_CTRL": 31}
    both = flags("SUMMATION_SWITCH_FLAG DEMANDS_SWITCH_FLAG")
    unused = {"TIER_SWITCH": {"NEW_TIER": 7, "SWITCH_MIN": 63, "SWITCH_HOUR": 31} | both, "DAY_SCH_NUM": 255}
    maker.put(
        54,
        ANCHOR_DATE="2026-01-01",
        NON_RECURR_DATES=[
            *({"NON_RECURR_DATE": day.isoformat(), "CALENDAR_ACTION": {"CALENDAR_CTRL": 19}} for day in CRITICAL),
            {"NON_RECURR_DATE": "2026-12-31", "CALENDAR_ACTION": end},
        ],
        RECURR_DATES=[
            recurring(3, 1, 1, 3, 0),  # second Sunday of March
            recurring(11, 1, 2, 2, 0),  # first Sunday of November
            recurring(6, 1, 3 + SUMMER), recurring(10, 1, 3 + WINTER),
            recurring(1, 1, holiday), recurring(5, 1, holiday, 6, 1),  # last Monday of May
            recurring(7, 4, holiday, 14), recurring(9, 1, holiday, 2, 1),
            recurring(11, 1, holiday, 5, 4), recurring(12, 25, holiday),
            recurring(13, 1, 0, DEMAND_RESET_FLAG=True, SELF_READ_FLAG=True),
            recurring(1, 1, 31),
        ],
        TIER_SWITCHES=[
            *(
                {"TIER_SWITCH": {"NEW_TIER": new, "SWITCH_HOUR": hour}, "DAY_SCH_NUM": number}
                for number, hour, new in switches
            ),
            unused, unused,
        ],
        DAILY_SCHEDULE_ID_MATRIX=[
            {"SATURDAY_SCHEDULE": 2, "SUNDAY_SCHEDULE": 2, "WEEKDAY_SCHEDULE": number, "SPECIAL_SCHEDULE": [3, 2]}
            for number in (SUMMER, WINTER)
        ],
    )  # fmt: skip
    later = [hour for hour, _ in SWITCHES[schedule(local.date())] if hour > local.hour] + [24]
    maker.put(
        55, CLOCK_CALENDAR=local.isoformat(), TIME_DATE_QUAL=qualifier,
        STATUS={"CURR_TIER": tier(local), "SPECIAL_SCHD_ACTIVE": 15, "SEASON": season(local)},
    )  # fmt: skip
    maker.put(56, TIER_TIME_REMAIN=later[0] * 60 - local.hour * 60 - local.minute, SELF_READ_DAYS_REMAIN=1)
