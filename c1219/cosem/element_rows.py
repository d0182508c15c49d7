"""Rows M65 to M130: registers by kind and period, load profile, clock, time of use, identity, status, control.

From Gurux.DLMS, the open DSMR and SMR profiles and Connexo; a mark `?` is a reading of ours.
"""

from __future__ import annotations

from typing import Final

from c1219.cosem.row import MappingRow

__all__ = ["ELEMENT_ROWS"]

_NO_LAYOUT = "the layout of these tables is not known; a manufacturer's declaration may give it"

ELEMENT_ROWS: Final = (
    MappingRow("M65", "SUMMATIONS, total", "class 3, D 8, E 0", "V", "E"),
    MappingRow("M66", "TIER_DATA_BLOCK[t]", "the same, E = t + 1", "V", "E"),
    MappingRow("M67", "DEMAND[0], maximum", "class 4, D 6; capture_time is EVENT_TIME", "V", "E"),
    MappingRow("M68", "DEMAND[0], minimum", "class 4, D 3", "V", "E"),
    MappingRow("M69", "DEMAND[1] and more", "a profile of the user's", "V/?", "N", "there is no code for a rank"),
    MappingRow("M70", "CUM_DEMAND", "class 3, D 2; of minima D 1", "V", "E"),
    MappingRow("M71", "CONT_CUM_DEMAND", "–", "V", "N", "no value group D; it is D 2 plus D 6"),
    MappingRow("M72", "COINCIDENT_VALUES", "–", "V", "N", "no value group D for what is coincident"),
    MappingRow("M73", "NBR_DEMAND_RESETS", "class 3 `1-0:0.1.0`", "V", "E"),
    MappingRow("M74", "PRESENT_DEMAND", "class 5, D 4", "V", "E", "the last average is not in ST28"),
    MappingRow("M75", "PRESENT_VALUE", "as M65; sampled: class 3, D 7", "V", "E"),
    MappingRow("M76", "ST25", "F 101; its time is `1-0:0.1.2`", "V/1", "E"),
    MappingRow("M77", "ST24", "class 7 `0-0:98.2.0`", "V/?", "C", "COSEM closes billing periods, not seasons"),
    MappingRow("M78", "ST26", "class 7 `0-0:98.1.0`", "V/?", "C", "a self read closes no billing period"),
    MappingRow("M79", "ST13 interval", "class 3 `1-0:0.8.0`; period and number_of_periods of class 5", "V/1", "E"),
    MappingRow(
        "M80", "ST15 RATIO_F1, RATIO_P1", "class 3 `1-0:0.4.2`, `1-0:0.4.3`", "V/1", "E",
        "with SET_APPLIED_FLAG they are in the values already",
    ),
    MappingRow("M81", "ST2", "class 3 `1-0:0.3.0`, `0.6.0`, `0.6.2`, `0.6.3`", "1", "L", "texts of the nameplate"),
    MappingRow("M82", "load profile set k", "class 7 `1-0:99.1.(k-1)`", "V/?", "C", "which set is which, is ours"),
    MappingRow("M83", "set of a day's intervals", "–", "V", "N", "MAX_INT_TIME has 8 bits: 255 minutes at most"),
    MappingRow("M84", "channel with bulk source", "column `c.29.0`", "V/1", "E"),
    MappingRow("M85", "channel with averaged source", "column `c.5.0`", "V", "E"),
    MappingRow(
        "M86", "END_READINGS", "column `c.8.0`", "V", "L", "one reading a block: null in the other rows",
    ),
    MappingRow("M87", "end of an interval", "column of the clock, with deviation and status", "V/1", "E"),
    MappingRow(
        "M88", "status of an interval", "column `0-0:96.10.1`", "V", "L",
        "set forward or backward; partial, long, test mode, configuration changed",
    ),
    MappingRow("M89", "skipped or not valid", "null-data, status bit 2", "?", "C", "the reason"),
    MappingRow("M90", "SCALARS, DIVISOR", "in the value and its scaler", "V", "L", "the number as stored"),
    MappingRow(
        "M91", "SP16, SP17; ST63 counts", "entries_in_use, profile_entries", "V", "N", "no method starts a profile"
    ),
    MappingRow("M92", "ST52, ST55 clock", "class 8 time, status", "V", "E"),
    MappingRow("M93", "ST53 TIME_ZONE_OFFSET", "class 8 time_zone, with the sign turned", "?/V", "E"),
    MappingRow("M94", "ST53 DST_TIME_AMT", "class 8 daylight_savings_deviation", "V", "E"),
    MappingRow(
        "M95", "ST54 dates of daylight saving", "class 8 daylight_savings_begin, _end", "V/?", "E",
        "rules that a weekday on or after a day does not say",
    ),
    MappingRow(
        "M96", "source of the clock's time", "class 8 clock_base: crystal", "?", "C", "the base is not declared"
    ),
    MappingRow("M97", "SP10, SP32 set the clock", "SET of class 8 time", "V", "E"),
    MappingRow(
        "M98", "ST54 seasons", "class 20 season_profile", "V", "L", "rules that a date with wildcards does not say"
    ),
    MappingRow("M99", "DAILY_SCHEDULE_ID_MATRIX", "class 20 week_profile_table", "V/?", "E"),
    MappingRow(
        "M100", "TIER_SWITCHES", "class 20 day_profile_table; selector is tier + 1", "V/?", "C", "the script is ours"
    ),
    MappingRow("M101", "tiers of demands apart from summations", "–", "V", "N", "needs 2 masks a tier (class 6)"),
    MappingRow("M102", "special schedules", "class 11 `0-0:11.0.0`", "V", "E"),
    MappingRow("M103", "DEMAND_RESET_FLAG on dates", "class 22 `0-0:15.0.0`", "V/?", "L", "self reads"),
    MappingRow("M104", "pending ST54", "class 20, passive", "V", "N", "a pending table is not in a device file"),
    MappingRow("M105", "ST55 tier in effect", "class 1 `0-0:96.14.0`, tier + 1", "V", "L", "the tier of demands"),
    MappingRow("M106", "ST56", "–", "1", "N", "COSEM has no remaining times"),
    MappingRow("M107", "ST1 MFG_SERIAL_NUMBER", "class 1 `0-0:96.1.0`", "V", "E"),
    MappingRow("M108", "ST1 firmware", "class 1 `1-0:0.2.0`", "V", "C", "the form v.r is ours"),
    MappingRow("M109", "ST5 IDENTIFICATION", "class 1 `0-0:96.1.1`", "?", "C", "the number is ours"),
    MappingRow("M110", "ST6 SERVICE_POINT_ID", "class 1 `0-0:96.1.10`", "V/1", "E"),
    MappingRow(
        "M111", "ST6 UTIL_SER_NO, DEVICE_ID, CUSTOMER_ID, TARIFF_ID", "class 1 `0-0:96.1.2` to `.5`", "?", "C",
        "the numbers are ours; names and coordinates only in class 26",
    ),
    MappingRow("M112", "manufacturer and serial", "class 1 `0-0:42.0.0`", "V", "C", "C12.19 has no FLAG id"),
    MappingRow(
        "M113", "ST3 ED_STD_STATUS1", "class 1 `0-0:97.97.0`, bits as in ST3", "V/?", "C", "profiles order bits anew"
    ),
    MappingRow("M114", "ST3 ED_MODE", "class 1 `0-0:96.5.1`, bits as in ST3", "?", "C", "the meaning of bits is ours"),
    MappingRow("M115", "ST74, ST76", "class 7 `0-0:99.98.0`", "V", "L", "codes that common profiles do not have"),
    MappingRow("M116", "SP9 demand reset", "class 9 `0-0:10.0.1`", "V/1", "E"),
    MappingRow("M117", "SP9 self read", "–", "V/?", "N", "no script of COSEM is a self read"),
    MappingRow("M118", "SP3 clear data", "class 9 `0-0:10.0.0`", "V", "E"),
    MappingRow("M119", "SP6 test mode", "class 9 `0-0:10.0.101`, `.102`", "V/1", "E"),
    MappingRow("M120", "SP21 control point 0", "class 70 `0-0:96.3.10`", "1", "L", "state and modes are not declared"),
    MappingRow("M121", "ST112", "class 70", "?", "N", _NO_LAYOUT),
    MappingRow("M122", "ST114, ST115", "class 71, 22", "?", "N", _NO_LAYOUT),
    MappingRow("M123", "ST116 to ST118, SP22", "class 111 to 115", "?", "N", _NO_LAYOUT),
    MappingRow("M124", "ST42 passwords", "class 15 secret", "V", "N", "secrets are never given out"),
    MappingRow("M125", "ST43, ST44", "class 15 access rights", "V", "L", "one association: everything is for reading"),
    MappingRow("M126", "ST45 keys", "class 64", "V", "N", "secrets are never given out"),
    MappingRow("M127", "ST121 to ST127", "–", "?", "N", "COSEM has no ApTitles"),
    MappingRow("M128", "ST123, SP26", "class 40", "V/?", "N", "alarm bits of a push are a profile's own"),
    MappingRow("M129", "ST0 tables", "class 15 object_list", "V", "E"),
    MappingRow("M130", "any table", "class 26 `0-0:65.D.E`", "V", "E"),
)  # fmt: skip
