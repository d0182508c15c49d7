"""Decade 9: calls over a telephone modem (ST90 to ST98)."""

from __future__ import annotations

from c1219.codes.status import CallStatus
from c1219.datatypes import (
    BFLD,
    BOOL,
    CODED,
    DATE,
    FILL,
    IDENTIFIER,
    OPAQUE,
    RDATE,
    SET,
    STIME,
    STRING,
    TIME,
    UINT,
    UINT8,
    UINT16,
    UINT32,
)
from c1219.schema import Array, Doc, If, IfThenElse, Record, Table, device
from c1219.tables.decade0_configuration import ED_MODE_STATUS_RCD, ED_STD_STATUS1_BFLD

__all__ = [
    "ACT_TELEPHONE_TBL", "ANSWER_PARAMETERS_TBL", "CALL_PURPOSE_TBL", "CALL_STATUS_TBL", "DIM_TELEPHONE_TBL",
    "GLOBAL_PARAMETERS_TBL", "ORIGINATE_PARAMETERS_TBL", "ORIGINATE_SCHEDULE_TBL", "ORIGINATE_STATUS_TBL", "TABLES",
]  # fmt: skip

ST0, ST91 = device.ST0, device.ST91

TELEPHONE_RCD = Record(
    "TELEPHONE_RCD",
    "TELEPHONE_FLAGS" / BFLD(
        "TELEPHONE_FLAGS_BFLD", UINT8,
        "ANSWER_FLAG" / BOOL(0) * "The device can answer calls.",
        "S_ANCHOR_DATE_FLAG" / BOOL(1) * "ST94 has an anchor date.",
        "OFFHOOK_DETECT_FLAG" / BOOL(2) * "The device notices that another telephone is off hook.",
        "BIT_RATE" / UINT(3, 4) * Doc(
            "0 not set by tables, 1 one rate in ST92, 2 separate rates in ST93 and ST95.", range="0..2"
        ),
        "ID_IN_PURPOSE" / BOOL(5) * "ST96 has the identification of the device.",
        "NO_LOCKOUT_PARM" / BOOL(6) * "ST95 lacks the elements on lockout.",
        "EXTENDED_STATUS_FLAG" / BOOL(7) * Doc(
            "Entries of ST97 are longer than the status octet; filler before. The name is ours.",
            confidence="1", source="termineter", since="2008",
        ),
    ) * "What the device can do, and which elements its tables have.",
    "NBR_ORIGINATE_WINDOWS" / UINT8 * "Windows of ST93.",
    "NBR_SETUP_STRINGS" / UINT8 * "Modem set-up strings of ST92.",
    "SETUP_STRING_LENGTH" / UINT8 * Doc("Length of a set-up string.", unit="octet"),
    "PREFIX_LENGTH" / UINT8 * Doc("Length of the prefix in ST93.", unit="octet"),
    "NBR_ORIGINATE_NUMBERS" / UINT8 * Doc("Telephone numbers of ST93, entries of ST97.", range="0..7"),
    "PHONE_NUMBER_LENGTH" / UINT8 * Doc("Length of a telephone number.", unit="octet"),
    "NBR_RECURRING_DATES" / UINT8 * "Recurring dates of ST94.",
    "NBR_NON_RECURRING_DATES" / UINT8 * "Non-recurring dates of ST94.",
    "NBR_EVENTS" / UINT8 * "Events of ST94.",
    "NBR_WEEKLY_SCHEDULES" / UINT8 * "Weekly schedules of ST94.",
    "NBR_ANSWER_WINDOWS" / UINT8 * "Windows of ST95.",
    "NBR_CALLER_IDS" / UINT8 * "Caller ids of ST95.",
    "CALLER_ID_LENGTH" / UINT8 * Doc("Length of a caller id.", unit="octet"),
)  # fmt: skip

DAYS_BFLD = BFLD(
    "DAYS_BFLD", UINT8,
    "SUNDAY" / BOOL(0) * "On Sundays.",
    "MONDAY" / BOOL(1) * "On Mondays.",
    "TUESDAY" / BOOL(2) * "On Tuesdays.",
    "WEDNESDAY" / BOOL(3) * "On Wednesdays.",
    "THURSDAY" / BOOL(4) * "On Thursdays.",
    "FRIDAY" / BOOL(5) * "On Fridays.",
    "SATURDAY" / BOOL(6) * "On Saturdays.",
    FILL(7, 7),
)  # fmt: skip

WINDOW_RCD = Record(
    "WINDOW_RCD",
    "BEGIN_WINDOW_TIME" / STIME * Doc("Start of the window, time of day.", range="00:00..23:59"),
    "WINDOW_DURATION" / STIME * Doc(
        "Its duration in hours and minutes; it may pass midnight.", unit="h, min", range="00:00..23:59"
    ),
    "WINDOW_DAYS" / DAYS_BFLD * "Days on which it starts.",
)  # fmt: skip

CALL_CTRL_BFLD = BFLD(
    "CALL_CTRL_BFLD", UINT8,
    "PRIMARY_PHONE_NUMBER" / UINT(0, 2) * Doc("Index into ST93.PHONE_NUMBERS, 7 = none.", range="0..7"),
    FILL(3, 3),
    "SECONDARY_PHONE_NUMBER" / UINT(4, 6) * Doc("Index into ST93.PHONE_NUMBERS, 7 = none.", range="0..7"),
    "USE_WINDOWS" / BOOL(7) * "Call only inside the windows of ST93.",
)  # fmt: skip

DIM_TELEPHONE_TBL = Table(
    number=90,
    name="DIM_TELEPHONE_TBL",
    title="Dimension Telephone",
    role="limiting",
    since="C12.21-1999",
    confidence="V",
    source="EnergyICT Connexo; Yukon; termineter",
    record=TELEPHONE_RCD,
)

ACT_TELEPHONE_TBL = Table(
    number=91,
    name="ACT_TELEPHONE_TBL",
    title="Actual Telephone",
    role="actual",
    since="C12.21-1999",
    confidence="V",
    source="EnergyICT Connexo; Yukon; termineter",
    record=TELEPHONE_RCD,
)

GLOBAL_PARAMETERS_TBL = Table(
    number=92,
    name="GLOBAL_PARAMETERS_TBL",
    title="Global Parameters",
    role="control",
    since="C12.21-1999",
    confidence="V",
    source="EnergyICT Connexo; Yukon; termineter; Elster A3 sizes",
    record=Record(
        "GLOBAL_PARAMETERS_RCD",
        "PSEM_IDENTITY" / UINT8 * "Identity octet of the C12.21 packet, for several meters on one line; 0 = all.",
        "BIT_RATE" / If(ST91.TELEPHONE_FLAGS.BIT_RATE == 1, UINT32) * Doc("Rate of all calls.", unit="bit/s"),
        "MODEM_SETUP_STRINGS" / Array(ST91.NBR_SETUP_STRINGS, STRING(ST91.SETUP_STRING_LENGTH))
        * "Strings sent to the modem.",
    ),
)  # fmt: skip

ORIGINATE_PARAMETERS_TBL = Table(
    number=93,
    name="ORIGINATE_PARAMETERS_TBL",
    title="Originate Communication Parameters",
    role="control",
    since="C12.21-1999",
    confidence="V",
    source="EnergyICT Connexo; termineter; Elster A3 sizes",
    record=Record(
        "ORIGINATE_PARAMETERS_RCD",
        "ORIGINATE_BIT_RATE" / If(ST91.TELEPHONE_FLAGS.BIT_RATE == 2, UINT32)
        * Doc("Rate of calls that the device makes.", unit="bit/s"),
        "DIAL_DELAY" / UINT8 * Doc("Time from off hook to dialing.", unit="s (unit ?)", range="0..255"),
        "PREFIX" / STRING(ST91.PREFIX_LENGTH) * "Dialed before every number.",
        "PHONE_NUMBERS" / Array(ST91.NBR_ORIGINATE_NUMBERS, STRING(ST91.PHONE_NUMBER_LENGTH)) * "Numbers to call.",
        "WINDOWS" / Array(ST91.NBR_ORIGINATE_WINDOWS, WINDOW_RCD) * "When calls may be made.",
    ),
)  # fmt: skip

RECURRING_CALL_RCD = Record(
    "RECURRING_CALL_RCD",
    "ORIGINATE_DATE" / RDATE * "Days of the call; periodic ones count from S_ANCHOR_DATE.",
    "START_TIME" / TIME * Doc("Time of day of the call.", range="00:00:00..23:59:59"),
    "ORIGINATE_CONTROL" / CALL_CTRL_BFLD * "Whom to call.",
)

NON_RECURRING_CALL_RCD = Record(
    "NON_RECURRING_CALL_RCD",
    "ORIGINATE_DATE" / DATE * "Day of the call.",
    "START_TIME" / TIME * Doc("Time of day of the call.", range="00:00:00..23:59:59"),
    "ORIGINATE_CONTROL" / CALL_CTRL_BFLD * "Whom to call.",
)

EVENT_CALL_RCD = Record(
    "EVENT_CALL_RCD",
    "ED_STD_STATUS1" / ED_STD_STATUS1_BFLD * "Call when one of these flags of ST3 sets.",
    "ED_STD_STATUS2" / UINT8 * "The same; all bits are reserved.",
    "ED_MFG_STATUS" / SET(ST0.DIM_MFG_STATUS_USED) * Doc(
        "The same, of the manufacturer's flags.", confidence="1", source="Elster A3: only so its 48 octets come out"
    ),
    "ORIGINATE_CONTROL" / CALL_CTRL_BFLD * "Whom to call.",
)  # fmt: skip

WEEKLY_CALL_RCD = Record(
    "WEEKLY_CALL_RCD",
    "DAYS" / DAYS_BFLD * "Days of the call.",
    "START_TIME" / TIME * Doc("Time of day of the call.", range="00:00:00..23:59:59"),
    "ORIGINATE_CONTROL" / CALL_CTRL_BFLD * "Whom to call.",
)

ORIGINATE_SCHEDULE_TBL = Table(
    number=94,
    name="ORIGINATE_SCHEDULE_TBL",
    title="Originate Schedule",
    role="control",
    since="C12.21-1999",
    confidence="V",
    source="EnergyICT Connexo; Elster A3 sizes",
    record=Record(
        "ORIGINATE_SCHEDULE_RCD",
        "S_ANCHOR_DATE" / If(ST91.TELEPHONE_FLAGS.S_ANCHOR_DATE_FLAG, DATE) * "Day from which periodic dates count.",
        "RECURRING_DATES" / Array(ST91.NBR_RECURRING_DATES, RECURRING_CALL_RCD) * "Calls on recurring dates.",
        "NON_RECURRING_DATES" / Array(ST91.NBR_NON_RECURRING_DATES, NON_RECURRING_CALL_RCD) * "Calls on single dates.",
        "EVENTS" / Array(ST91.NBR_EVENTS, EVENT_CALL_RCD) * "Calls when a status flag sets.",
        "WEEKLY_SCHEDULES" / Array(ST91.NBR_WEEKLY_SCHEDULES, WEEKLY_CALL_RCD)
        * Doc("Calls on weekdays.", confidence="1", source="EnergyICT Connexo"),
    ),
)  # fmt: skip

ANSWER_PARAMETERS_TBL = Table(
    number=95,
    name="ANSWER_PARAMETERS_TBL",
    title="Answer Parameters",
    role="control",
    since="C12.21-1999",
    confidence="V",
    source="EnergyICT Connexo; termineter for the bit rate; Elster A3 sizes",
    record=Record(
        "ANSWER_PARAMETERS_RCD",
        "ANSWER_BIT_RATE" / If(ST91.TELEPHONE_FLAGS.BIT_RATE == 2, UINT32)
        * Doc("Rate of calls that the device answers.", unit="bit/s"),
        "LOCKOUT_DELAY" / If(~ST91.TELEPHONE_FLAGS.NO_LOCKOUT_PARM, UINT8)
        * Doc("Time before a lockout begins.", unit="min (unit ?)", range="0..255", confidence="1"),
        "RETRY_ATTEMPTS" / If(~ST91.TELEPHONE_FLAGS.NO_LOCKOUT_PARM, UINT8)
        * Doc("Failed logons before a lockout (meaning ?).", range="0..255", confidence="1"),
        "RETRY_LOCKOUT_TIME" / If(~ST91.TELEPHONE_FLAGS.NO_LOCKOUT_PARM, UINT8)
        * Doc("Duration of a lockout.", unit="min (unit ?)", range="0..255", confidence="1"),
        "NBR_RINGS" / UINT8 * Doc("Rings before the device answers inside a window.", range="0..255"),
        "NBR_RINGS_OUTSIDE" / If(ST91.NBR_ANSWER_WINDOWS > 0, UINT8)
        * Doc("Rings before it answers outside the windows.", range="0..255"),
        "CALLER_IDS" / Array(ST91.NBR_CALLER_IDS, STRING(ST91.CALLER_ID_LENGTH)) * "Callers that are accepted.",
        "WINDOWS" / Array(ST91.NBR_ANSWER_WINDOWS, WINDOW_RCD) * "When calls are answered.",
    ),
)  # fmt: skip

CALL_PURPOSE_TBL = Table(
    number=96,
    name="CALL_PURPOSE_TBL",
    title="Call Purpose",
    role="data",
    since="C12.21-1999",
    confidence="1",
    source="EnergyICT Connexo for the bits; Elster A3 for the copy of ST3",
    doc="Why the device calls. One reader has only ED_MFG_STATUS in place of the copy of ST3.",
    record=Record(
        "CALL_PURPOSE_RCD",
        "CALL_PURPOSE" / BFLD(
            "CALL_PURPOSE_BFLD", UINT16,
            "POWER_OUTAGE" / BOOL(0) * "Power failed.",
            "POWER_RESTORAL" / BOOL(1) * "Power is back.",
            "SCHEDULED_CALL" / BOOL(2) * "A call of the schedule in ST94.",
            "STATUS_CALL" / BOOL(3) * "A status flag that ST94 selects is set.",
            "IMMEDIATE_CALL" / BOOL(4) * "Procedure 20 asked for it.",
            FILL(5, 11),
            "MANUFACTURER_DEFINED" / UINT(12, 15) * Doc("The manufacturer's reasons.", range="0..15"),
        ) * Doc("Reasons of the call.", confidence="V"),
        "ED_MODE_STATUS" / ED_MODE_STATUS_RCD * "Copy of ST3.",
        "IDENTIFICATION" / If(ST91.TELEPHONE_FLAGS.ID_IN_PURPOSE, IDENTIFIER(20))
        * Doc("As ST5.", confidence="?", source="inferred"),
    ),
)  # fmt: skip

CALL_STATUS_TBL = Table(
    number=97,
    name="CALL_STATUS_TBL",
    title="Call Status",
    role="data",
    since="C12.21-1999",
    confidence="V",
    source="EnergyICT Connexo; termineter; Elster A3 sizes",
    record=Record(
        "CALL_STATUS_RCD",
        "CALL_STATUS_ARRAY" / IfThenElse(
            ST91.TELEPHONE_FLAGS.EXTENDED_STATUS_FLAG,
            OPAQUE,
            Array(ST91.NBR_ORIGINATE_NUMBERS, CODED(UINT8, CallStatus)),
        ) * Doc(
            "How the last call to each number went. With EXTENDED_STATUS_FLAG entries are longer, the status first: "
            "their length is that of the table divided by NBR_ORIGINATE_NUMBERS, and the octets are left as they are.",
            range="0..11",
        ),
    ),
)  # fmt: skip

ORIGINATE_STATUS_TBL = Table(
    number=98,
    name="ORIGINATE_STATUS_TBL",
    title="Originate Status",
    role="data",
    since="2008",
    confidence="name only",
    source="termineter",
    record=Record("ORIGINATE_STATUS_RCD", "DATA" / OPAQUE * "Octets; the layout is not known."),
)

TABLES = (
    DIM_TELEPHONE_TBL, ACT_TELEPHONE_TBL, GLOBAL_PARAMETERS_TBL, ORIGINATE_PARAMETERS_TBL, ORIGINATE_SCHEDULE_TBL,
    ANSWER_PARAMETERS_TBL, CALL_PURPOSE_TBL, CALL_STATUS_TBL, ORIGINATE_STATUS_TBL,
)  # fmt: skip
