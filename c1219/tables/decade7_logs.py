"""Decade 7: history and event logs (ST70 to ST79). The edition of 2008 adds a tail to ST71, and ST77 to ST79."""

from __future__ import annotations

from c1219.datatypes import (
    BFLD,
    BOOL,
    FILL,
    LTIME_DATE,
    OPAQUE,
    SET,
    TABLE_IDB_BFLD,
    UINT,
    UINT8,
    UINT16,
    UINT32,
)
from c1219.schema import Array, Doc, If, Record, Table, Tail, device, this
from c1219.tables.event_arguments import event_argument

__all__ = [
    "ACT_LOG_TBL", "DIM_LOG_TBL", "EVENTS_ID_TBL", "EVENT_COUNTERS_TBL", "EVENT_LOG_CTRL_TBL", "EVENT_LOG_DATA_TBL",
    "EVENT_SIGNATURES_TBL", "HISTORY_LOG_CTRL_TBL", "HISTORY_LOG_DATA_TBL", "PROGRAM_STATE_TBL", "TABLES",
]  # fmt: skip

ST0, ST71 = device.ST0, device.ST71

LOG_RCD = Record(
    "LOG_RCD",
    "LOG_FLAGS" / BFLD(
        "LOG_FLAGS_BFLD", UINT8,
        "EVENT_NUMBER_FLAG" / BOOL(0) * "Entries have EVENT_NUMBER.",
        "HIST_DATE_TIME_FLAG" / BOOL(1) * "History entries have HISTORY_TIME.",
        "HIST_SEQ_NBR_FLAG" / BOOL(2) * "History entries have HISTORY_SEQ_NBR.",
        "HIST_INHIBIT_OVF_FLAG" / BOOL(3) * "The history log stops rather than overwrite unread entries.",
        "EVENT_INHIBIT_OVF_FLAG" / BOOL(4) * "The event log stops rather than overwrite unread entries.",
        FILL(5, 7),
    ) * "What the entries have, and how the logs overflow.",
    "NBR_STD_EVENTS" / UINT8 * Doc("Length of the sets of standard events.", unit="octet"),
    "NBR_MFG_EVENTS" / UINT8 * Doc("Length of the sets of manufacturer events.", unit="octet"),
    "HIST_DATA_LENGTH" / UINT8 * Doc("Length of HISTORY_ARGUMENT.", unit="octet"),
    "EVENT_DATA_LENGTH" / UINT8 * Doc("Length of EVENT_ARGUMENT.", unit="octet"),
    "NBR_HISTORY_ENTRIES" / UINT16 * "Entries of ST74.",
    "NBR_EVENT_ENTRIES" / UINT16 * "Entries of ST76.",
    "EXT_LOG_FLAGS" / Tail(ST0.STD_VERSION_NO > 1, UINT8) * Doc("Bits that are not known.", since="2008"),
    "NBR_PROGRAM_TABLES" / Tail(ST0.STD_VERSION_NO > 1, UINT16) * Doc(
        "Believed to dimension ST78.", since="2008", confidence="?"
    ),
)  # fmt: skip

DIM_LOG_TBL = Table(
    number=70,
    name="DIM_LOG_TBL",
    title="Dimension Log",
    role="limiting",
    since="1997",
    confidence="V",
    source="termineter; EPRI c12test; EnergyICT Connexo",
    record=LOG_RCD,
)

ACT_LOG_TBL = Table(
    number=71,
    name="ACT_LOG_TBL",
    title="Actual Log",
    role="actual",
    since="1997",
    confidence="V",
    source="termineter; EPRI c12test; EnergyICT Connexo; Hexing head-end, with a sample of a meter",
    doc="Some meters of version 2 leave the last two elements out (a Hexing sample).",
    record=LOG_RCD,
)

EVENTS_ID_TBL = Table(
    number=72,
    name="EVENTS_ID_TBL",
    title="Events Supported",
    role="data",
    since="1997",
    confidence="V",
    source="EPRI c12test; EnergyICT Connexo; Hexing head-end",
    record=Record(
        "EVENTS_ID_RCD",
        "STD_EVENTS_SUPPORTED" / SET(ST71.NBR_STD_EVENTS) * "Member n: standard event n can occur.",
        "MFG_EVENTS_SUPPORTED" / SET(ST71.NBR_MFG_EVENTS) * "Member n: manufacturer event n can occur.",
    ),
)

LOG_CTRL_RCD = Record(
    "LOG_CTRL_RCD",
    "STD_EVENTS_MONITORED_FLAGS" / SET(ST71.NBR_STD_EVENTS) * "Standard events that are logged.",
    "MFG_EVENTS_MONITORED_FLAGS" / SET(ST71.NBR_MFG_EVENTS) * "Manufacturer events that are logged.",
    "STD_TBLS_MONITORED_FLAGS" / SET(ST0.DIM_STD_TBLS_USED) * "Standard tables whose writes are logged.",
    "MFG_TBLS_MONITORED_FLAGS" / SET(ST0.DIM_MFG_TBLS_USED) * "Manufacturer tables whose writes are logged.",
    "STD_PROC_MONITORED_FLAGS" / SET(ST0.DIM_STD_PROC_USED) * "Standard procedures whose execution is logged.",
    "MFG_PROC_MONITORED_FLAGS" / SET(ST0.DIM_MFG_PROC_USED) * "Manufacturer procedures whose execution is logged.",
)

HISTORY_LOG_CTRL_TBL = Table(
    number=73,
    name="HISTORY_LOG_CTRL_TBL",
    title="History Log Control",
    role="control",
    since="1997",
    confidence="V",
    source="EPRI c12test; EnergyICT Connexo",
    record=LOG_CTRL_RCD,
)

EVENT_LOG_CTRL_TBL = Table(
    number=75,
    name="EVENT_LOG_CTRL_TBL",
    title="Event Log Control",
    role="control",
    since="1997",
    confidence="V",
    source="EPRI c12test; EnergyICT Connexo",
    record=LOG_CTRL_RCD,
)

LIST_STATUS_BFLD = BFLD(
    "LIST_STATUS_BFLD", UINT8,
    "ORDER" / UINT(0, 0) * Doc("0 ascending: entry n is older than n + 1; 1 descending.", range="0..1"),
    "OVERFLOW_FLAG" / BOOL(1) * "There were more unread entries than there is storage for.",
    "LIST_TYPE" / UINT(2, 2) * Doc("0 FIFO, 1 circular.", range="0..1"),
    "INHIBIT_OVERFLOW_FLAG" / BOOL(3) * "The log stops rather than overwrite unread entries.",
    FILL(4, 7),
)  # fmt: skip

HISTORY_ENTRY_RCD = Record(
    "HISTORY_ENTRY_RCD",
    "HISTORY_TIME" / If(ST71.LOG_FLAGS.HIST_DATE_TIME_FLAG, LTIME_DATE) * "When it happened, by the device's clock.",
    "EVENT_NUMBER" / If(ST71.LOG_FLAGS.EVENT_NUMBER_FLAG, UINT16) * "Number common to both logs.",
    "HISTORY_SEQ_NBR" / If(ST71.LOG_FLAGS.HIST_SEQ_NBR_FLAG, UINT16) * "Low half of the sequence number.",
    "USER_ID" / UINT16 * Doc("User of the session; 0 the device itself, 1 by hand.", confidence="?"),
    "HISTORY_CODE" / TABLE_IDB_BFLD * "Code of the event.",
    "HISTORY_ARGUMENT" / event_argument(ST71.HIST_DATA_LENGTH, this.HISTORY_CODE)
    * Doc("More of the event, as its code says; padded or cut to the length.", confidence="1"),
)  # fmt: skip

EVENT_ENTRY_RCD = Record(
    "EVENT_ENTRY_RCD",
    "EVENT_TIME" / LTIME_DATE * "When it happened, by the device's clock.",
    "EVENT_NUMBER" / If(ST71.LOG_FLAGS.EVENT_NUMBER_FLAG, UINT16) * "Number common to both logs.",
    "EVENT_SEQ_NBR" / UINT16 * "Low half of the sequence number.",
    "USER_ID" / UINT16 * Doc("User of the session; 0 the device itself, 1 by hand.", confidence="?"),
    "EVENT_CODE" / TABLE_IDB_BFLD * "Code of the event.",
    "EVENT_ARGUMENT" / event_argument(ST71.EVENT_DATA_LENGTH, this.EVENT_CODE)
    * Doc("More of the event, as its code says; padded or cut to the length.", confidence="1"),
)  # fmt: skip

_LIST_HEADER = (
    "NBR_VALID_ENTRIES" / UINT16 * "Entries in use.",
    "LAST_ENTRY_ELEMENT" / UINT16 * "Index of the newest entry; means nothing when NBR_VALID_ENTRIES is 0.",
    "LAST_ENTRY_SEQ_NBR" / UINT32 * "Sequence number of the newest entry.",
    "NBR_UNREAD_ENTRIES" / UINT16 * "Changed by procedures 4 and 5 only.",
)

HISTORY_LOG_DATA_TBL = Table(
    number=74,
    name="HISTORY_LOG_DATA_TBL",
    title="History Log Data",
    role="data",
    since="1997",
    confidence="V",
    source="termineter; EnergyICT Connexo",
    record=Record(
        "HISTORY_LOG_RCD",
        "HIST_FLAGS" / LIST_STATUS_BFLD * "State and order of the list.",
        *_LIST_HEADER,
        "ENTRIES" / Array(ST71.NBR_HISTORY_ENTRIES, HISTORY_ENTRY_RCD) * "Only NBR_VALID_ENTRIES mean something.",
    ),
)

EVENT_LOG_DATA_TBL = Table(
    number=76,
    name="EVENT_LOG_DATA_TBL",
    title="Event Log Data",
    role="data",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Hexing head-end, with a sample of a meter",
    doc="GE KV leaves EVENT_SEQ_NBR out (EnergyICT Connexo).",
    record=Record(
        "EVENT_LOG_RCD",
        "EVENT_FLAGS" / LIST_STATUS_BFLD * "State and order of the list.",
        *_LIST_HEADER,
        "ENTRIES" / Array(ST71.NBR_EVENT_ENTRIES, EVENT_ENTRY_RCD) * "Only NBR_VALID_ENTRIES mean something.",
    ),
)


EVENT_SIGNATURES_TBL = Table(
    number=77,
    name="EVENT_SIGNATURES_TBL",
    title="Event Log and Signatures Enable",
    role="control",
    since="2008",
    confidence="name only",
    source="termineter; InGuardians optiguard",
    doc="Belongs to the secured event log; the official name is not known.",
    record=Record("EVENT_SIGNATURES_RCD", "DATA" / OPAQUE * "Octets; the layout is not known."),
)

PROGRAM_STATE_TBL = Table(
    number=78,
    name="PROGRAM_STATE_TBL",
    title="End Device Program State",
    role="data",
    since="2008",
    confidence="name only",
    source="termineter; InGuardians optiguard",
    doc="Belongs to the secured event log; the official name is not known.",
    record=Record("PROGRAM_STATE_RCD", "DATA" / OPAQUE * "Octets; the layout is not known."),
)

EVENT_COUNTERS_TBL = Table(
    number=79,
    name="EVENT_COUNTERS_TBL",
    title="Event Counters",
    role="data",
    since="2008",
    confidence="name only",
    source="termineter; InGuardians optiguard",
    doc="Belongs to the secured event log; the official name is not known.",
    record=Record("EVENT_COUNTERS_RCD", "DATA" / OPAQUE * "Octets; the layout is not known."),
)

TABLES = (
    DIM_LOG_TBL, ACT_LOG_TBL, EVENTS_ID_TBL, HISTORY_LOG_CTRL_TBL, HISTORY_LOG_DATA_TBL, EVENT_LOG_CTRL_TBL,
    EVENT_LOG_DATA_TBL, EVENT_SIGNATURES_TBL, PROGRAM_STATE_TBL, EVENT_COUNTERS_TBL,
)  # fmt: skip
