"""History and event codes, which ST72..ST76 use, and what the argument of each is.

Names of codes 0..48: V (termineter's 2008 list, EnergyICT/Honeywell head-end of the 1997 edition); of 49..76: 1
(termineter). Arguments of 0..48: 1 (EnergyICT/Honeywell head-end); those of 49..76 appear in no source. The names of
members are ours, in the standard's words. In a log an argument takes exactly ST71.HIST_DATA_LENGTH or EVENT_DATA_LENGTH
octets: shorter arguments are padded, longer ones cut, so a reader must accept both.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal, NamedTuple, Self

from c1219.codes.results import ListNumber

__all__ = ["Argument", "EventCode", "EventFacts", "event"]

_UNKNOWN: Final = None
"""The argument is not known, which is not the same as no argument."""


_Codes = type[IntEnum]


class Argument(NamedTuple):
    """One element of an event's argument.

    Attributes:
        name: our name for the element; the standard's is not known.
        type: the standard's name of its wire type.
        text: what it means.
        codes: names of its codes, where they are listed.
    """

    name: str
    type: Literal["UINT8", "UINT16", "STIME_DATE", "TABLE_IDA_BFLD", "TABLE_IDC_BFLD"]
    text: str
    codes: _Codes | None = None


class EventFacts(NamedTuple):
    """What is known of one event code.

    Attributes:
        text: the event, in words.
        edition: ``C12.19-1997``, ``C12.21`` (the addendum of codes 30..48), ``C12.19-2008``, or ``""`` where unknown.
        argument: elements of the argument in order, empty for none, None where no source says.
        confidence: of the name: V = two independent sources, 1 = one, ? = none.
        argument_confidence: of the argument, the same marks.
    """

    text: str
    edition: str
    argument: tuple[Argument, ...] | None
    confidence: Literal["V", "1", "?"]
    argument_confidence: Literal["1", "?"]


def _facts(code: int, text: str, argument: tuple[Argument, ...] | None) -> EventFacts:
    if code <= 48:
        return EventFacts(text, "C12.19-1997" if code < 30 else "C12.21", argument, "V", "1")
    return EventFacts(text, "C12.19-2008", argument, "1", "?")


_OLD_TIME: Final = (Argument("OLD_TIME", "STIME_DATE", "clock before the change"),)
_NEW_TIME: Final = (Argument("NEW_TIME", "STIME_DATE", "clock after the change"),)
_PROCEDURE: Final = (Argument("PROCEDURE", "TABLE_IDC_BFLD", "procedure that was invoked"),)
_WRITTEN: Final = (Argument("TABLE", "TABLE_IDA_BFLD", "table that was written to"),)
_PENDING: Final = (Argument("TABLE", "TABLE_IDA_BFLD", "pending table concerned"),)
_LIST: Final = (Argument("LIST", "UINT8", "list concerned", ListNumber),)
_ENTRIES: Final = (Argument("ENTRIES_READ", "UINT16", "entries acknowledged, the parameter of procedure 5"),)
_SEASON: Final = (Argument("SEASON", "UINT8", "new season, 0..15"),)
_RATE: Final = (Argument("RATE", "UINT8", "new rate"),)
_SPECIAL: Final = (Argument("SPECIAL_SCHEDULE", "UINT8", "new special schedule"),)
_TIERS: Final = (
    Argument("CURRENT_TIER", "UINT8", "new current tier, 0..7"),
    Argument("DEMAND_TIER", "UINT8", "new demand tier, 0..7"),
)


class EventCode(IntEnum):
    """Standard event codes, bits 0..10 of HISTORY_CODE and EVENT_CODE. ``facts`` says what is known of each."""

    facts: EventFacts

    def __new__(cls, code: int, text: str = "", argument: tuple[Argument, ...] | None = ()) -> Self:
        """Make a member; its value is the code alone."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.facts = _facts(code, text, argument)
        return member

    NO_EVENT = 0, "no event"
    PRIMARY_POWER_DOWN = 1, "primary power down"
    PRIMARY_POWER_UP = 2, "primary power up"
    TIME_CHANGED_FROM = 3, "time changed; the time stamp is the old time"
    TIME_CHANGED_TO = 4, "time changed; the time stamp is the new time"
    TIME_CHANGED_OLD_TIME = 5, "time changed; the argument is the old time", _OLD_TIME
    TIME_CHANGED_NEW_TIME = 6, "time changed; the argument is the new time", _NEW_TIME
    ACCESSED_FOR_READ = 7, "end device accessed for read"
    ACCESSED_FOR_WRITE = 8, "end device accessed for write"
    PROCEDURE_INVOKED = 9, "procedure invoked", _PROCEDURE
    TABLE_WRITTEN = 10, "table written to", _WRITTEN
    PROGRAMMED = 11, "end device programmed"
    COMMUNICATION_ENDED_NORMALLY = 12, "communication ended normally"
    COMMUNICATION_ENDED_ABNORMALLY = 13, "communication ended abnormally"
    LIST_POINTERS_RESET = 14, "list pointers reset", _LIST
    LIST_POINTERS_UPDATED = 15, "list pointers updated", _LIST
    HISTORY_LOG_CLEARED = 16, "history log cleared"
    HISTORY_LOG_POINTERS_UPDATED = 17, "history log pointers updated", _ENTRIES
    EVENT_LOG_CLEARED = 18, "event log cleared"
    EVENT_LOG_POINTERS_UPDATED = 19, "event log pointers updated", _ENTRIES
    DEMAND_RESET = 20, "demand reset"
    SELF_READ = 21, "self read"
    DST_ON = 22, "daylight saving on"
    DST_OFF = 23, "daylight saving off"
    SEASON_CHANGED = 24, "season changed", _SEASON
    RATE_CHANGED = 25, "rate changed", _RATE
    SPECIAL_SCHEDULE_ACTIVATED = 26, "special schedule activated", _SPECIAL
    TIER_SWITCHED = 27, "tier switched", _TIERS
    PENDING_TABLE_ACTIVATED = 28, "pending table activated", _PENDING
    PENDING_TABLE_CLEARED = 29, "pending table cleared before activation", _PENDING
    METERING_MODE_STARTED = 30, "metering mode started"
    METERING_MODE_STOPPED = 31, "metering mode stopped"
    TEST_MODE_STARTED = 32, "test mode started"
    TEST_MODE_STOPPED = 33, "test mode stopped"
    METER_SHOP_MODE_STARTED = 34, "meter shop mode started"
    METER_SHOP_MODE_STOPPED = 35, "meter shop mode stopped"
    REPROGRAMMED = 36, "end device reprogrammed"
    CONFIGURATION_ERROR = 37, "configuration error"
    SELF_CHECK_ERROR = 38, "self-check error"
    RAM_FAILURE = 39, "RAM failure"
    ROM_FAILURE = 40, "ROM failure"
    NONVOLATILE_MEMORY_FAILURE = 41, "nonvolatile memory failure"
    CLOCK_ERROR = 42, "clock error"
    MEASUREMENT_ERROR = 43, "measurement error"
    LOW_BATTERY = 44, "low battery"
    LOW_LOSS_POTENTIAL = 45, "low loss potential"
    DEMAND_OVERLOAD = 46, "demand overload"
    TAMPER_ATTEMPT = 47, "tamper attempt"
    REVERSE_ROTATION = 48, "reverse rotation"
    CONTROL_POINT_CHANGED_BY_COMMAND = 49, "control point changed by a command", _UNKNOWN
    CONTROL_POINT_CHANGED_BY_SCHEDULE = 50, "control point changed by the schedule", _UNKNOWN
    CONTROL_POINT_CHANGED_BY_CONDITION = 51, "control point changed by a condition", _UNKNOWN
    CONTROL_POINT_CHANGED_FOR_PREPAYMENT = 52, "control point changed for prepayment", _UNKNOWN
    CREDIT_ADDED = 53, "credit added", _UNKNOWN
    CREDIT_SUBTRACTED = 54, "credit subtracted", _UNKNOWN
    CREDIT_ADJUSTED = 55, "credit adjusted", _UNKNOWN
    SEALED = 56, "end device sealed", _UNKNOWN
    UNSEALED = 57, "end device unsealed", _UNKNOWN
    PROCEDURE_INVOKED_VALUES = 58, "procedure invoked, with values", _UNKNOWN
    TABLE_WRITTEN_VALUES = 59, "table written to, with values", _UNKNOWN
    PROGRAMMED_VALUES = 60, "end device programmed, with values", _UNKNOWN
    SEALED_VALUES = 61, "end device sealed, with values", _UNKNOWN
    UNSEALED_VALUES = 62, "end device unsealed, with values", _UNKNOWN
    PROCEDURE_INVOKED_SIGNATURE = 63, "procedure invoked, with signature", _UNKNOWN
    TABLE_WRITTEN_SIGNATURE = 64, "table written to, with signature", _UNKNOWN
    PROGRAMMED_SIGNATURE = 65, "end device programmed, with signature", _UNKNOWN
    SEALED_SIGNATURE = 66, "end device sealed, with signature", _UNKNOWN
    UNSEALED_SIGNATURE = 67, "end device unsealed, with signature", _UNKNOWN
    PROCEDURE_INVOKED_SIGNATURE_VALUES = 68, "procedure invoked, with signature and values", _UNKNOWN
    TABLE_WRITTEN_SIGNATURE_VALUES = 69, "table written to, with signature and values", _UNKNOWN
    PROGRAMMED_SIGNATURE_VALUES = 70, "end device programmed, with signature and values", _UNKNOWN
    SEALED_SIGNATURE_VALUES = 71, "end device sealed, with signature and values", _UNKNOWN
    UNSEALED_SIGNATURE_VALUES = 72, "end device unsealed, with signature and values", _UNKNOWN
    SECURED_TABLE_READ = 73, "secured table read", _UNKNOWN
    SECURED_REGISTER_READ = 74, "secured register read", _UNKNOWN
    SECURED_TABLE_READ_VALUES = 75, "secured table read, with values", _UNKNOWN
    SECURED_REGISTER_READ_VALUES = 76, "secured register read, with values", _UNKNOWN


_NAMED: Final[dict[int, EventFacts]] = {member.value: member.facts for member in EventCode}


def event(code: int, *, manufacturer: bool = False) -> EventFacts:
    """Return what an event code means; it answers for every code.

    Args:
        code: TBL_PROC_NBR of HISTORY_CODE or EVENT_CODE, 0..2047.
        manufacturer: STD_VS_MFG_FLAG of it; the manufacturer's codes have no standard meaning.
    """
    if manufacturer:
        return EventFacts(f"manufacturer event {code}", "", None, "?", "?")
    return _NAMED.get(code) or EventFacts(f"standard event {code}, not confirmed", "", None, "?", "?")
