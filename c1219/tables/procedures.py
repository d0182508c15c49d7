"""Standard procedures: what ST7 takes and ST8 answers, SP0 to SP32.

Numbers above 32 are known from no source, nor are the records of SP22 to SP24 and SP26 to SP31; those keep their
octets. ST0.STD_PROC_USED says which of them a device has, `c1219.codes.results` what a RESULT_CODE means.
Declare the procedures of a manufacturer with ``Procedure(number=…, manufacturer=True, device_class=…)`` and
`c1219.register`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from c1219.codes.results import ListNumber
from c1219.datatypes import (
    BFLD,
    BOOL,
    CODED,
    FILL,
    HTIME_DATE,
    LTIME_DATE,
    OPAQUE,
    SECRET,
    SET,
    TIME,
    UINT,
    UINT8,
    UINT16,
)
from c1219.schema import Doc, If, Procedure, Record, Tail, device
from c1219.tables.decade0_configuration import ED_MODE_BFLD, ED_STD_STATUS1_BFLD, ED_STD_STATUS2_BFLD, EVENT_RCD
from c1219.tables.decade5_time import TIME_DATE_QUAL_BFLD

if TYPE_CHECKING:
    from c1219.schema import Edition

__all__ = ["PROCEDURES"]

ST0, ST111 = device.ST0, device.ST111

_LIST = "LIST" / CODED(UINT8, ListNumber) * "List to work on."

ACTION_FLAG_BFLD = BFLD(
    "ACTION_FLAG_BFLD", UINT8,
    "DEMAND_RESET_FLAG" / BOOL(0) * "Demand reset.",
    "SELF_READ_FLAG" / BOOL(1) * Doc("Self read.", confidence="?"),
    "SEASON_CHANGE_FLAG" / BOOL(2) * Doc("Change of season.", confidence="?"),
    "NEW_SEASON" / UINT(3, 6) * Doc("Season to change to.", range="0..15", confidence="?"),
    FILL(7, 7),
)  # fmt: skip

LOAD_CONTROL_PARM_RCD = Record(
    "LOAD_CONTROL_PARM_RCD",
    "LEVEL" / UINT8 * Doc("Part of the load to shed: 0 switches on, 100 switches off.", unit="%", range="0..100"),
    "CONTROL_POINTS" / SET((ST111.NBR_OF_CONTROL_POINTS + 7) // 8) * "Control points to switch.",
    "DURATION" / If(ST111.LOAD_CONTROL_FLAGS.DURATION_SUPPORTED_FLAG, TIME) * "For how long; zero is for good.",
    "RANDOMIZATION" / Tail(
        ST111.LOAD_CONTROL_FLAGS.RANDOMIZATION_SUPPORTED_FLAG
        | (ST111.LOAD_CONTROL_FLAGS.DURATION_SUPPORTED_FLAG == 0),
        TIME,
    ) * Doc(
        "Longest random delay. The one source sends it in place of a duration that the device does not take, whatever"
        " the second flag says; by recollection each flag brings its own element.", confidence="?",
    ),
)  # fmt: skip

NETWORK_INTERFACE_PARM_RCD = Record(
    "NETWORK_INTERFACE_PARM_RCD",
    "CONTROL" / BFLD(
        "INTERFACE_CONTROL_BFLD", UINT8,
        "INTERFACE_CTRL" / UINT(0, 1) * Doc("0 leave, 1 enable, 2 disable, 3 reset.", range="0..3"),
        "AUTO_REGISTRATION_CTRL" / UINT(2, 3) * Doc("0 leave, 1 disable, 2 enable, 3 register once now.", range="0..3"),
        "DIRECT_MESSAGING_CTRL" / UINT(4, 5) * Doc("0 leave, 1 enable, 2 disable.", range="0..2"),
        "RESET_STATISTICS_FLAG" / BOOL(6) * "Reset all statistics.",
        "ALL_INTERFACES_FLAG" / BOOL(7) * "For all interfaces.",
    ) * "What to do.",
    "REST" / OPAQUE * Doc("What may follow; the number of an interface is likely.", confidence="name only"),
)  # fmt: skip


_QUALIFIER = "TIME_DATE_QUAL" / TIME_DATE_QUAL_BFLD * "What DATE_TIME is."

SET_MASK_BFLD = BFLD(
    "SET_MASK_BFLD", UINT8,
    "SET_TIME_FLAG" / BOOL(0) * "Set the time of day.",
    "SET_DATE_FLAG" / BOOL(1) * "Set the date.",
    "SET_TIME_DATE_QUAL" / BOOL(2) * Doc("Set the qualifier.", confidence="?"),
    FILL(3, 7),
)  # fmt: skip
_MASK = "SET_MASK" / SET_MASK_BFLD * "What to set; the rest of DATE_TIME is ignored."


def _octets(number: int, side: str) -> Record:
    return Record(f"SP{number}_{side}_RCD", "DATA" / OPAQUE * "Octets; the layout is not known.")


def _unknown(number: int, name: str, since: Edition, source: str, doc: str) -> Procedure:
    """Declare a procedure of which only number and name are known."""
    return Procedure(
        number=number,
        name=name,
        parameters=_octets(number, "PARM"),
        response=_octets(number, "RESP"),
        since=since,
        confidence=("1", "name only", "name only"),
        source=source,
        doc=doc,
    )


_known = partial(
    Procedure,
    source="name: termineter, EnergyICT Connexo; records: EnergyICT Connexo",
    confidence=("V", "1", "?"),
)

PROCEDURES = (
    _known(number=0, name="Cold Start", doc="Restart as if never programmed."),
    _known(number=1, name="Warm Start", doc="Restart as after a power failure."),
    _known(number=2, name="Save Configuration", doc="Save the configuration where it outlasts a power failure."),
    _known(number=3, name="Clear Data", doc="Clear registers and logs."),
    _known(
        number=4,
        name="Reset List Pointers",
        parameters=Record("RESET_LIST_PTRS_PARM_RCD", _LIST),
        doc="Empties a list, and clears its overflow flag.",
    ),
    _known(
        number=5,
        name="Update Last Read Entry",
        parameters=Record(
            "UPDATE_LAST_READ_PARM_RCD", _LIST, "ENTRIES_READ" / UINT16 * "Unread entries to acknowledge."
        ),
        doc="Lowers the number of unread entries, and clears the overflow flag. Never repeat it blindly.",
    ),
    _known(
        number=6,
        name="Change End Device Mode",
        parameters=Record("CHANGE_MODE_PARM_RCD", "ED_MODE" / ED_MODE_BFLD * "Mode to enter, as in ST3."),
        confidence=("V", "V", "?"),
        source="termineter; EnergyICT Connexo; EPRI c12test",
    ),
    _known(
        number=7,
        name="Clear Standard Status Flags",
        response=Record(
            "CLEAR_STD_STATUS_RESP_RCD",
            "ED_STD_STATUS1" / ED_STD_STATUS1_BFLD * "As in ST3, after clearing.",
            "ED_STD_STATUS2" / ED_STD_STATUS2_BFLD * "As in ST3, after clearing.",
        ),
        confidence=("V", "1", "1"),
    ),
    _known(
        number=8,
        name="Clear Manufacturer Status Flags",
        response=Record(
            "CLEAR_MFG_STATUS_RESP_RCD",
            "ED_MFG_STATUS" / SET(ST0.DIM_MFG_STATUS_USED) * "As in ST3, after clearing.",
        ),
        confidence=("V", "?", "?"),
        source="name: termineter, EnergyICT Connexo; response: recollection",
        doc="One head-end (EnergyICT Connexo) sends ED_MFG_STATUS as parameters, which stay octets here.",
    ),
    _known(
        number=9,
        name="Remote Reset",
        parameters=Record("REMOTE_RESET_PARM_RCD", "ACTION_FLAG" / ACTION_FLAG_BFLD * "What to do."),
        response=Record("REMOTE_RESET_RESP_RCD", "SUCCESS_FLAG" / ACTION_FLAG_BFLD * "What was done."),
        confidence=("V", "1", "1"),
    ),
    _known(
        number=10,
        name="Set Date and/or Time",
        parameters=Record(
            "SET_DATE_TIME_PARM_RCD", _MASK, "DATE_TIME" / LTIME_DATE * "Date and time to set.", _QUALIFIER
        ),
        response=Record(
            "SET_DATE_TIME_RESP_RCD",
            "DATE_TIME_BEFORE" / LTIME_DATE * "The clock just before.",
            "DATE_TIME_AFTER" / LTIME_DATE * "The clock just after.",
        ),
        confidence=("V", "1", "1"),
        doc="Some meters answer without data (GE KV).",
    ),
    _known(number=11, name="Execute Diagnostics", doc="Run the self test."),
    _known(number=12, name="Activate All Pending Tables"),
    _known(
        number=13,
        name="Activate Specific Pending Tables",
        parameters=Record("ACTIVATE_PENDING_PARM_RCD", "EVENT" / EVENT_RCD * "Tables with this event."),
    ),
    _known(number=14, name="Clear All Pending Tables"),
    _known(
        number=15,
        name="Clear Specific Pending Tables",
        parameters=Record("CLEAR_PENDING_PARM_RCD", "EVENT" / EVENT_RCD * "Tables with this event."),
        confidence=("V", "V", "1"),
        source="termineter; EnergyICT Connexo; OSGP programmer's guide",
        doc="OSGP meters answer 1 when no table has the event, and 3 on a conflict.",
    ),
    _known(number=16, name="Start Load Profile"),
    _known(number=17, name="Stop Load Profile"),
    _known(
        number=18,
        name="Log In",
        parameters=Record(
            "LOG_IN_PARM_RCD",
            "USER_ID" / UINT16 * "User.",
            "PASSWORD" / SECRET(20) * "Password, filled up with spaces.",
        ),
    ),
    _known(number=19, name="Log Out"),
    Procedure(
        number=20,
        name="Initiate an Immediate Call",
        parameters=Record("CALL_PARM_RCD", "PHONE_NUMBER" / UINT8 * "Index into the telephone numbers of ST93."),
        since="C12.21-1999",
        confidence=("1", "1", "?"),
        source="termineter",
    ),
    Procedure(
        number=21,
        name="Direct Load Control",
        parameters=LOAD_CONTROL_PARM_RCD,
        response=_octets(21, "RESP"),
        since="2008",
        confidence=("V", "1", "name only"),
        source="name: termineter; parameters: InGuardians optiguard, a client that switches real meters",
        doc="LEVEL is what the load loses: 0 is on. The flags of ST111 say which times follow.",
    ),
    _unknown(22, "Modify Credit", "2008", "termineter", "Writes the prepayment tables ST116 and ST117."),
    _unknown(23, "Register", "C12.22-2008", "Itron's C12.22 stack", "ST8 says 1 while it runs, then the outcome."),
    _unknown(24, "Deregister", "C12.22-2008", "Itron's C12.22 stack", "ST8 says 1 while it runs, then the outcome."),
    Procedure(
        number=25,
        name="Network Interface Control",
        parameters=NETWORK_INTERFACE_PARM_RCD,
        response=_octets(25, "RESP"),
        since="C12.22-2008",
        confidence=("1", "1", "name only"),
        source="Itron's C12.22 stack (draft of January 2008), as the octet that it passes to its communication module",
    ),
    replace(
        _unknown(26, "Exception Report", "C12.22-2008", "recollection", "Belongs to ST123."),
        confidence=("?", "name only", "name only"),
    ),
    _unknown(27, "Clear Pending Call Status", "2008", "termineter", "Belongs to ST96 and ST97."),
    _unknown(28, "Start Quality of Service Monitors", "2008", "termineter", "Belongs to decade 15."),
    _unknown(29, "Stop Quality of Service Monitors", "2008", "termineter", "Belongs to decade 15."),
    _unknown(30, "Start Secured Registers", "2008", "termineter", "Belongs to the secured logs."),
    _unknown(31, "Stop Secured Registers", "2008", "termineter", "Belongs to the secured logs."),
    Procedure(
        number=32,
        name="Set Precision Date and/or Time",
        parameters=Record(
            "SET_PRECISION_DATE_TIME_PARM_RCD", _MASK, "DATE_TIME" / HTIME_DATE * "Date and time to set.", _QUALIFIER
        ),
        response=_octets(32, "RESP"),
        since="2008",
        confidence=("V", "?", "name only"),
        source="name: termineter, Future DOS R&D; parameters: as procedure 10, by recollection",
    ),
)
