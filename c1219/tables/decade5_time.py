"""Decade 5: clock, time zone, daylight saving time and the time-of-use calendar (ST50 to ST57).

The forms of 1997 and 2008 differ in one element: STD_TIME_EFF at the end of ST53.
"""

from __future__ import annotations

from c1219.datatypes import BFLD, BOOL, DATE, FILL, INT16, LTIME_DATE, OPAQUE, RDATE, TIME, UINT, UINT8, UINT16
from c1219.schema import Array, Doc, If, IfThenElse, Record, Table, Tail, device

__all__ = [
    "ACT_TIME_TOU_TBL", "CALENDAR_TBL", "CLOCK_STATE_TBL", "CLOCK_TBL", "DIM_TIME_TOU_TBL",
    "PRECISION_CLOCK_STATE_TBL", "TABLES", "TIME_OFFSET_TBL", "TIME_REMAIN_TBL",
]  # fmt: skip

ST0, ST51 = device.ST0, device.ST51
SEPARATE_TIERS = ST51.TIME_FUNC_FLAG2.SEPARATE_SUM_DEMANDS_FLAG

TIME_TOU_RCD = Record(
    "TIME_TOU_RCD",
    "TIME_FUNC_FLAG1" / BFLD(
        "TIME_FUNC_FLAG1_BFLD", UINT8,
        "TOU_SELF_READ_FLAG" / BOOL(0) * "The calendar can order self reads.",
        "SEASON_SELF_READ_FLAG" / BOOL(1) * "A change of season brings a self read.",
        "SEASON_DEMAND_RESET_FLAG" / BOOL(2) * "A change of season brings a demand reset.",
        "SEASON_CHNG_ARMED_FLAG" / BOOL(3) * "A change of season waits for another event, for example a demand reset.",
        "SORT_DATES_FLAG" / BOOL(4) * "Dates must be written in ascending order.",
        "ANCHOR_DATE_FLAG" / BOOL(5) * "ST54 has ANCHOR_DATE.",
        FILL(6, 7),
    ) * "What the calendar can do.",
    "TIME_FUNC_FLAG2" / BFLD(
        "TIME_FUNC_FLAG2_BFLD", UINT8,
        "CAP_DST_AUTO_FLAG" / BOOL(0) * "The device switches daylight saving time itself.",
        "SEPARATE_WEEKDAYS_FLAG" / BOOL(1) * "ST54 has a schedule for each of the seven days, not for three day types.",
        "SEPARATE_SUM_DEMANDS_FLAG" / BOOL(2) * "Tiers of summations and of demands switch separately.",
        "SORT_TIER_SWITCHES_FLAG" / BOOL(3) * "Tier switches must be written in ascending order.",
        "CAP_TM_ZN_OFFSET_FLAG" / BOOL(4) * "ST53 has TIME_ZONE_OFFSET.",
        FILL(5, 7),
    ) * "What the clock can do.",
    "CALENDAR_FUNC" / BFLD(
        "CALENDAR_FUNC_BFLD", UINT8,
        "NBR_SEASONS" / UINT(0, 3) * Doc("Seasons of the calendar.", range="0..15"),
        "NBR_SPECIAL_SCHED" / UINT(4, 7) * Doc("Special day schedules of a season.", range="0..15"),
    ) * "Dimensions of DAILY_SCHEDULE_ID_MATRIX.",
    "NBR_NON_RECURR_DATES" / UINT8 * "Entries of ST54.NON_RECURR_DATES.",
    "NBR_RECURR_DATES" / UINT8 * "Entries of ST54.RECURR_DATES.",
    "NBR_TIER_SWITCHES" / UINT16 * "Entries of ST54.TIER_SWITCHES.",
    "CALENDAR_TBL_SIZE" / UINT16 * Doc("Size of ST54; good for a check, not for decoding.", unit="octet"),
)  # fmt: skip

DIM_TIME_TOU_TBL = Table(
    number=50,
    name="DIM_TIME_TOU_TBL",
    title="Dimension Time and TOU",
    role="limiting",
    since="1997",
    confidence="V",
    source="EPRI c12test; EnergyICT Connexo; Cannon Yukon; Hexing head-end",
    record=TIME_TOU_RCD,
)

ACT_TIME_TOU_TBL = Table(
    number=51,
    name="ACT_TIME_TOU_TBL",
    title="Actual Time and TOU",
    role="actual",
    since="1997",
    confidence="V",
    source="EPRI c12test; EnergyICT Connexo; Cannon Yukon; Hexing head-end, with a sample of a meter",
    record=TIME_TOU_RCD,
)

TIME_DATE_QUAL_BFLD = BFLD(
    "TIME_DATE_QUAL_BFLD", UINT8,
    "DAY_OF_WEEK" / UINT(0, 2) * Doc("0 Sunday .. 6 Saturday, 7 not known.", range="0..7"),
    "DST_FLAG" / BOOL(3) * "Daylight saving time is in effect.",
    "GMT_FLAG" / BOOL(4) * "CLOCK_CALENDAR is GMT.",
    "TM_ZN_APPLIED_FLAG" / BOOL(5) * "The time zone offset is in CLOCK_CALENDAR.",
    "DST_APPLIED_FLAG" / BOOL(6) * "The daylight saving shift is in CLOCK_CALENDAR.",
    "DST_SUPPORTED_FLAG" / BOOL(7) * Doc(
        "The device knows daylight saving time; filler if STD_VERSION_NO is 1.", since="2008",
        source="NIST n0mcli; Hexing head-end",
    ),
)  # fmt: skip

CLOCK_TBL = Table(
    number=52,
    name="CLOCK_TBL",
    title="Clock",
    role="data",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EPRI c12test; EnergyICT Connexo; Cannon Yukon",
    doc="Formats 3 and 4 count from 1970-01-01 00:00 UTC; some meters count local time (Itron Sentinel).",
    record=Record(
        "CLOCK_RCD",
        "CLOCK_CALENDAR" / LTIME_DATE * "Current date and time; TIME_DATE_QUAL says of which zone.",
        "TIME_DATE_QUAL" / TIME_DATE_QUAL_BFLD * "What CLOCK_CALENDAR is.",
    ),
)

TIME_OFFSET_TBL = Table(
    number=53,
    name="TIME_OFFSET_TBL",
    title="Time Offset",
    role="control",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Hexing head-end; MTC time-of-use reader",
    doc="Some meters of version 2 leave STD_TIME_EFF out (a Hexing sample).",
    record=Record(
        "TIME_OFFSET_RCD",
        "DST_TIME_EFF" / TIME * "Local time of day at which daylight saving time begins.",
        "DST_TIME_AMT" / UINT8 * Doc("Shift while daylight saving time is in effect.", unit="min"),
        "TIME_ZONE_OFFSET" / If(ST51.TIME_FUNC_FLAG2.CAP_TM_ZN_OFFSET_FLAG, INT16) * Doc(
            "Local standard time minus GMT; west of Greenwich is negative.", unit="min",
            confidence="1", source="MTC time-of-use reader decodes negative numbers; the sign rule is not confirmed",
        ),
        "STD_TIME_EFF" / Tail(ST0.STD_VERSION_NO > 1, TIME) * Doc(
            "Local time of day at which standard time returns.", since="2008", source="Hexing head-end; MTC"
        ),
    ),
)  # fmt: skip

CALENDAR_ACTION_BFLD = BFLD(
    "CALENDAR_ACTION_BFLD", UINT8,
    "CALENDAR_CTRL" / UINT(0, 4) * Doc(
        "0 none, 1 daylight saving time on, 2 off, 3..18 season 0..15, 19..30 special schedule 0..11, 31 end of list.",
        range="0..31", confidence="?", source="recollection, with which a sample of a Hexing meter agrees",
    ),
    "DEMAND_RESET_FLAG" / BOOL(5) * "Reset demand on this date.",
    "SELF_READ_FLAG" / BOOL(6) * "Self read on this date.",
    FILL(7, 7),
)  # fmt: skip

NON_RECURR_DATE_RCD = Record(
    "NON_RECURR_DATE_RCD",
    "NON_RECURR_DATE" / DATE * "Date of the action.",
    "CALENDAR_ACTION" / CALENDAR_ACTION_BFLD * "What happens on it.",
)

RECURR_DATE_RCD = Record(
    "RECURR_DATE_RCD",
    "RECURR_DATE" / RDATE * "When the action recurs.",
    "CALENDAR_ACTION" / CALENDAR_ACTION_BFLD * "What happens then.",
)

TIER_SWITCH_RCD = Record(
    "TIER_SWITCH_RCD",
    "TIER_SWITCH" / BFLD(
        "TIER_SWITCH_BFLD", UINT16,
        "NEW_TIER" / UINT(0, 2) * Doc("Tier that begins.", range="0..7"),
        "SUMMATION_SWITCH_FLAG" / BOOL(3) * "It is a tier of summations; filler unless SEPARATE_SUM_DEMANDS_FLAG.",
        "DEMANDS_SWITCH_FLAG" / BOOL(4) * "It is a tier of demands; filler unless SEPARATE_SUM_DEMANDS_FLAG.",
        "SWITCH_MIN" / UINT(5, 10) * Doc("Minute of the switch.", unit="min", range="0..59"),
        "SWITCH_HOUR" / UINT(11, 15) * Doc("Hour of the switch.", unit="h", range="0..23"),
    ) * "Tier and time of day; FFFF is an unused entry.",
    "DAY_SCH_NUM" / UINT8 * "Day schedule that the switch belongs to.",
)  # fmt: skip

SPECIAL_SCHEDULE = (
    "SPECIAL_SCHEDULE" / Array(ST51.CALENDAR_FUNC.NBR_SPECIAL_SCHED, UINT8) * "Day schedule of each special day."
)

WEEKDAY_SCHEDULE_ID_RCD = Record(
    "WEEKDAY_SCHEDULE_ID_RCD",
    "SUNDAY_SCHEDULE" / UINT8 * Doc("Day schedule of Sundays; Sunday comes first by recollection.", confidence="?"),
    "MONDAY_SCHEDULE" / UINT8 * Doc("Day schedule of Mondays.", confidence="?"),
    "TUESDAY_SCHEDULE" / UINT8 * Doc("Day schedule of Tuesdays.", confidence="?"),
    "WEDNESDAY_SCHEDULE" / UINT8 * Doc("Day schedule of Wednesdays.", confidence="?"),
    "THURSDAY_SCHEDULE" / UINT8 * Doc("Day schedule of Thursdays.", confidence="?"),
    "FRIDAY_SCHEDULE" / UINT8 * Doc("Day schedule of Fridays.", confidence="?"),
    "SATURDAY_SCHEDULE" / UINT8 * Doc("Day schedule of Saturdays.", confidence="?"),
    SPECIAL_SCHEDULE,
)

DAY_TYPE_SCHEDULE_ID_RCD = Record(
    "DAY_TYPE_SCHEDULE_ID_RCD",
    "SATURDAY_SCHEDULE" / UINT8 * "Day schedule of Saturdays.",
    "SUNDAY_SCHEDULE" / UINT8 * "Day schedule of Sundays.",
    "WEEKDAY_SCHEDULE" / UINT8 * "Day schedule of Mondays to Fridays.",
    SPECIAL_SCHEDULE,
)

CALENDAR_TBL = Table(
    number=54,
    name="CALENDAR_TBL",
    title="Calendar",
    role="control",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Hexing head-end, with samples of a meter; MTC time-of-use reader",
    doc="A special schedule takes the place of the weekday's for that day. On a day all switches apply whose"
    " DAY_SCH_NUM is the schedule of that day. Some Hexing meters send dates of 3 octets: compare CALENDAR_TBL_SIZE.",
    record=Record(
        "CALENDAR_RCD",
        "ANCHOR_DATE" / If(ST51.TIME_FUNC_FLAG1.ANCHOR_DATE_FLAG, DATE) * "Day 0 of periodic dates.",
        "NON_RECURR_DATES" / Array(ST51.NBR_NON_RECURR_DATES, NON_RECURR_DATE_RCD) * "Actions on one date.",
        "RECURR_DATES" / Array(ST51.NBR_RECURR_DATES, RECURR_DATE_RCD) * "Actions on dates that recur.",
        "TIER_SWITCHES" / Array(ST51.NBR_TIER_SWITCHES, TIER_SWITCH_RCD) * "Switches of all day schedules.",
        "DAILY_SCHEDULE_ID_MATRIX" / Array(
            ST51.CALENDAR_FUNC.NBR_SEASONS,
            IfThenElse(
                ST51.TIME_FUNC_FLAG2.SEPARATE_WEEKDAYS_FLAG, WEEKDAY_SCHEDULE_ID_RCD, DAY_TYPE_SCHEDULE_ID_RCD
            ),
        ) * "Day schedules of each season, as DAY_SCH_NUM.",
    ),
)  # fmt: skip

_DRIVE_AND_SEASON = (
    "TIER_DRIVE" / UINT(6, 7) * Doc(
        "0 tiers follow the tier switches, 1..3 they are driven by other means.", range="0..3", confidence="?"
    ),
    "SPECIAL_SCHD_ACTIVE" / UINT(8, 11) * Doc(
        "Special schedule in effect; 12..14 reserved, 15 none (a Hexing meter says 14 on an ordinary day).",
        range="0..15", confidence="?",
    ),
    "SEASON" / UINT(12, 15) * Doc("Season in effect.", range="0..15"),
)  # fmt: skip

CLOCK_STATE_TBL = Table(
    number=55,
    name="CLOCK_STATE_TBL",
    title="Clock State",
    role="data",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Cannon Yukon; EPRI c12test; Hexing head-end",
    record=Record(
        "CLOCK_STATE_RCD",
        "CLOCK_CALENDAR" / LTIME_DATE * "Current date and time; TIME_DATE_QUAL says of which zone.",
        "TIME_DATE_QUAL" / TIME_DATE_QUAL_BFLD * "What CLOCK_CALENDAR is.",
        "STATUS" / IfThenElse(
            SEPARATE_TIERS,
            BFLD(
                "SEPARATE_STATUS_BFLD", UINT16,
                "CURR_SUMM_TIER" / UINT(0, 2) * Doc("Tier of summations in effect.", range="0..7"),
                "CURR_DEMAND_TIER" / UINT(3, 5) * Doc("Tier of demands in effect.", range="0..7"),
                *_DRIVE_AND_SEASON,
            ),
            BFLD(
                "STATUS_BFLD", UINT16,
                "CURR_TIER" / UINT(0, 2) * Doc("Tier in effect.", range="0..7"),
                FILL(3, 5),
                *_DRIVE_AND_SEASON,
            ),
        ) * "Where the calendar stands.",
    ),
)  # fmt: skip

TIME_REMAIN_TBL = Table(
    number=56,
    name="TIME_REMAIN_TBL",
    title="Time Remaining",
    role="data",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; EPRI c12test",
    record=Record(
        "TIME_REMAIN_RCD",
        "SUMM_TIER_TIME_REMAIN" / If(SEPARATE_TIERS, UINT16) * Doc("Left of the tier of summations.", unit="min"),
        "DEMAND_TIER_TIME_REMAIN" / If(SEPARATE_TIERS, UINT16) * Doc("Left of the tier of demands.", unit="min"),
        "TIER_TIME_REMAIN" / If(~SEPARATE_TIERS, UINT16) * Doc("Left of the tier.", unit="min"),
        "SELF_READ_DAYS_REMAIN" / UINT8 * Doc("To the next scheduled self read.", unit="d"),
    ),
)

PRECISION_CLOCK_STATE_TBL = Table(
    number=57,
    name="PRECISION_CLOCK_STATE_TBL",
    title="Precision Clock State",
    role="data",
    since="2008",
    confidence="name only",
    source="termineter; InGuardians optiguard",
    doc="Believed to be ST55 with a clock that has fractions of a second.",
    record=Record("PRECISION_CLOCK_STATE_RCD", "DATA" / OPAQUE * "Octets; the layout is not known."),
)

TABLES = (
    DIM_TIME_TOU_TBL, ACT_TIME_TOU_TBL, CLOCK_TBL, TIME_OFFSET_TBL, CALENDAR_TBL, CLOCK_STATE_TBL, TIME_REMAIN_TBL,
    PRECISION_CLOCK_STATE_TBL,
)  # fmt: skip
