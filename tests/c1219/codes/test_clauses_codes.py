"""The confirmed code lists, code by code: written down from the sources once more, so that no two names change places."""

from __future__ import annotations

from decimal import Decimal

import pytest

from c1219.codes.events import EventCode, event
from c1219.codes.quantities import IdCode, quantity
from c1219.codes.results import ResponseSelector, ResultCode
from c1219.codes.status import CallStatus, ChannelStatus, CommonStatus
from c1219.codes.units import Multiplier, Segmentation, TimeBase
from c1219.tables.procedures import PROCEDURES

# code, words that its text must have
EVENTS = {
    0: "no event", 1: "power down", 2: "power up", 3: "stamp is the old time", 4: "stamp is the new time",
    5: "argument is the old time", 6: "argument is the new time", 7: "for read", 8: "for write",
    9: "procedure invoked", 10: "table written", 11: "programmed", 12: "ended normally", 13: "ended abnormally",
    14: "list pointers reset", 15: "list pointers updated", 16: "history log cleared", 17: "history log pointers",
    18: "event log cleared", 19: "event log pointers", 20: "demand reset", 21: "self read", 22: "saving on",
    23: "saving off", 24: "season", 25: "rate", 26: "special schedule", 27: "tier switched",
    28: "pending table activated", 29: "pending table cleared", 30: "metering mode started",
    31: "metering mode stopped", 32: "test mode started", 33: "test mode stopped", 34: "shop mode started",
    35: "shop mode stopped", 36: "reprogrammed", 37: "configuration error", 38: "self-check", 39: "RAM", 40: "ROM",
    41: "nonvolatile", 42: "clock error", 43: "measurement error", 44: "low battery", 45: "loss potential",
    46: "overload", 47: "tamper", 48: "reverse rotation",
}  # fmt: skip
QUANTITIES = {
    0: ("active power", "W"), 1: ("reactive power", "var"), 2: ("apparent power", "VA"), 8: ("RMS voltage", "V"),
    10: ("RMS voltage squared", "V²"), 11: ("instantaneous voltage", "V"), 12: ("RMS current", "A"),
    14: ("RMS current squared", "A²"), 15: ("instantaneous current", "A"), 21: ("voltage angle", "°"),
    22: ("current phase angle", "°"), 24: ("power factor from apparent", ""), 25: ("power factor from phasor", ""),
    33: ("frequency", "Hz"), 42: ("power outage", None), 50: ("power outages", ""), 51: ("demand resets", ""),
    52: ("programmed", ""), 53: ("battery carryover", "min"), 70: ("dry bulb", "°C"), 217: ("temperature", "°C"),
}  # fmt: skip
PROCEDURE_NAMES = (
    "Cold Start", "Warm Start", "Save Configuration", "Clear Data", "Reset List Pointers", "Update Last Read Entry",
    "Change End Device Mode", "Clear Standard Status Flags", "Clear Manufacturer Status Flags", "Remote Reset",
    "Set Date and/or Time", "Execute Diagnostics", "Activate All Pending Tables",
    "Activate Specific Pending Tables", "Clear All Pending Tables", "Clear Specific Pending Tables",
    "Start Load Profile", "Stop Load Profile", "Log In", "Log Out",
)  # fmt: skip


@pytest.mark.parametrize("code", EVENTS)
def test_events(code: int) -> None:
    assert EVENTS[code].casefold() in event(code).text.casefold()
    assert event(code).confidence == "V"
    assert EventCode(code) == code


@pytest.mark.parametrize("code", QUANTITIES)
def test_quantities(code: int) -> None:
    words, unit = QUANTITIES[code]
    facts = quantity(code)
    assert words in facts.name
    assert facts.unit == unit
    assert facts.confidence == "V"


def test_no_other_quantity_is_said_to_be_confirmed() -> None:
    assert {int(code) for code in IdCode if code.facts.confidence == "V"} == set(QUANTITIES)


def test_time_bases() -> None:
    assert [TimeBase(code).name for code in range(8)] == [
        "BULK", "INSTANTANEOUS", "PERIOD", "SUB_BLOCK_DEMAND", "BLOCK_DEMAND", "NET_BULK", "THERMAL_DEMAND", "EVENT",
    ]  # fmt: skip


def test_multipliers() -> None:
    factors = ("1", "100", "1e3", "1e6", "1e9", "1e-2", "1e-3", "1e-6")
    assert [Multiplier(code).factor for code in range(8)] == [Decimal(factor) for factor in factors]


def test_segmentation() -> None:
    assert [Segmentation(code).name for code in (4, 5, 6, 7)] == ["NEUTRAL", "A_N", "B_N", "C_N"]
    assert [Segmentation(code).name for code in range(4)] == ["ALL", "A_B", "B_C", "C_A"]


def test_interval_status() -> None:
    assert [CommonStatus(1 << bit).name for bit in range(4)] == [
        "DST", "POWER_FAIL", "CLOCK_SET_FORWARD", "CLOCK_SET_BACKWARD",
    ]  # fmt: skip
    assert [ChannelStatus(code).name for code in range(6)] == [
        "NO_EXCEPTION", "OVERFLOW", "PARTIAL_INTERVAL", "LONG_INTERVAL", "SKIPPED_INTERVAL", "TEST_MODE_DATA",
    ]  # fmt: skip


def test_results_of_procedures() -> None:
    assert [ResultCode(code).name for code in range(7)] == [
        "COMPLETED", "NOT_FULLY_COMPLETED", "INVALID_PARAMETER", "CONFLICTS_WITH_SETUP", "TIMING_CONSTRAINT",
        "NO_AUTHORIZATION", "UNRECOGNIZED_PROCEDURE",
    ]  # fmt: skip
    assert [ResponseSelector(code).name for code in range(4)] == [
        "ON_COMPLETION", "ON_EXCEPTION", "NEVER", "NOW_AND_ON_COMPLETION",
    ]  # fmt: skip


def test_telephone_calls() -> None:
    names = {
        0: "NO_CALL", 1: "IN_PROGRESS", 3: "WAITING_FOR_CONNECTION", 4: "COMMUNICATING", 5: "COMPLETED",
        6: "NOT_COMPLETED", 7: "LINE_BUSY", 8: "NO_DIAL_TONE",
    }  # fmt: skip
    assert {code: CallStatus(code).name for code in names} == names


def test_names_of_procedures() -> None:
    names = {procedure.number: procedure.name for procedure in PROCEDURES}
    assert tuple(names[number] for number in range(20)) == PROCEDURE_NAMES
