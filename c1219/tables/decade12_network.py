"""Decade 12: the C12.22 node of the device (ST120 to ST127).

C12.22 defines these tables. What they hold is deduced from a C12.22 stack that hands the same values to its
communication module; order, widths and conditions are recollection, and so are the names of the elements.
Hold the size that a layout gives against the size of the table before you trust a value.
"""

from __future__ import annotations

from c1219.codes.status import StatisticCode
from c1219.datatypes import (
    BFLD,
    BINARY,
    BOOL,
    CODED,
    FILL,
    INT48,
    STRING,
    TABLE_IDB_BFLD,
    UINT8,
    UINT16,
)
from c1219.schema import Array, Doc, If, Record, Table, device
from c1219.tables.name_only import name_only

__all__ = [
    "ACT_NETWORK", "DIM_NETWORK", "EXCEPTION_REPORT", "INTERFACE_CONTROL", "INTERFACE_STATUS", "NETWORK_STATISTICS",
    "REGISTRATION_STATUS", "TABLES",
]  # fmt: skip

ST121 = device.ST121
_CONTROL = ST121.NETWORK_CONTROL
_STACK = "content: Itron's C12.22 stack (draft of January 2008); order and conditions: recollection"

APTITLE = BINARY(20)
"""ApTitle as a BER object identifier, 06 or 0D, filled up behind; ``0D 00`` is none. 20 octets as in that stack."""

NETWORK_RCD = Record(
    "NETWORK_RCD",
    "NETWORK_CONTROL" / BFLD(
        "NETWORK_BFLD", UINT8,
        "PROG_NATIVE_ADDRESS_FLAG" / BOOL(0) * "Entries of ST122 have NATIVE_ADDRESS.",
        "PROG_BROADCAST_ADDRESS_FLAG" / BOOL(1) * "Entries of ST122 have BROADCAST_ADDRESS.",
        "STATIC_RELAY_FLAG" / BOOL(2) * "Entries of ST122 have RELAY_NATIVE_ADDRESS.",
        "STATIC_APTITLE_FLAG" / BOOL(3) * "Entries of ST122 have NODE_APTITLE.",
        "STATIC_MASTER_RELAY_FLAG" / BOOL(4) * "Entries of ST122 have MASTER_RELAY_APTITLE.",
        "CLIENT_RESPONSE_CTRL_FLAG" / BOOL(5) * "Entries of ST122 have NBR_RETRIES and RESPONSE_TIMEOUT.",
        FILL(6, 7),
    ) * "Which elements ST122 has.",
    "NBR_INTERFACES" / UINT8 * "Entries of ST122 and ST125.",
    "NBR_REGISTRATIONS" / UINT8 * "Entries of ST126.",
    "NBR_FILTERING_RULES" / UINT16 * "Entries of ST124.",
    "NBR_EXCEPTION_HOSTS" / UINT16 * "Entries of ST123.",
    "NBR_EXCEPTION_EVENTS" / UINT16 * "Events of an entry of ST123.",
    "NBR_STATISTICS" / UINT16 * "Entries of ST127.",
    "NBR_MULTICAST_ADDRESSES" / UINT8 * "Multicast ApTitles of ST122.",
    "NATIVE_ADDRESS_LEN" / UINT8 * Doc("Length of a native address.", unit="octet"),
    "FILTERING_EXP_LEN" / UINT8 * Doc("Length of an expression of ST124.", unit="octet"),
)  # fmt: skip

DIM_NETWORK = Table(
    number=120,
    name="Dimension Network",
    title="Dimension Network",
    role="limiting",
    since="C12.22-2008",
    confidence="?",
    source="recollection",
    record=NETWORK_RCD,
)

ACT_NETWORK = Table(
    number=121,
    name="Actual Network",
    title="Actual Network",
    role="actual",
    since="C12.22-2008",
    confidence="?",
    source="recollection",
    record=NETWORK_RCD,
)

INTERFACE_CONTROL = Table(
    number=122,
    name="Interface Control",
    title="Interface Control",
    role="control",
    since="C12.22-2008",
    confidence="?",
    source=_STACK,
    doc="The interface number of C12.22 is the index of the entry.",
    record=Record(
        "INTERFACE_CONTROL_RCD",
        "INTERFACES" / Array(
            ST121.NBR_INTERFACES,
            Record(
                "ADDRESSES_RCD",
                "NATIVE_ADDRESS" / If(_CONTROL.PROG_NATIVE_ADDRESS_FLAG, BINARY(ST121.NATIVE_ADDRESS_LEN))
                * "Address in the network below C12.22, as octets and not as text.",
                "BROADCAST_ADDRESS" / If(_CONTROL.PROG_BROADCAST_ADDRESS_FLAG, BINARY(ST121.NATIVE_ADDRESS_LEN))
                * "Address that all nodes of that network hear.",
                "RELAY_NATIVE_ADDRESS" / If(_CONTROL.STATIC_RELAY_FLAG, BINARY(ST121.NATIVE_ADDRESS_LEN))
                * "Address of the relay.",
                "NODE_APTITLE" / If(_CONTROL.STATIC_APTITLE_FLAG, APTITLE) * "ApTitle of this node.",
                "MASTER_RELAY_APTITLE" / If(_CONTROL.STATIC_MASTER_RELAY_FLAG, APTITLE) * "Where it registers.",
                "NBR_RETRIES" / If(_CONTROL.CLIENT_RESPONSE_CTRL_FLAG, UINT8) * "Retries without a response.",
                "RESPONSE_TIMEOUT" / If(_CONTROL.CLIENT_RESPONSE_CTRL_FLAG, UINT16)
                * "Wait for a response; the unit is not known.",
            ),
        ) * "One entry an interface.",
        "MULTICAST_ADDRESSES" / Array(ST121.NBR_MULTICAST_ADDRESSES, APTITLE) * "Multicast ApTitles it listens to.",
    ),
)  # fmt: skip

EXCEPTION_REPORT = Table(
    number=123,
    name="Exception Report",
    title="Exception Report",
    role="control",
    since="C12.22-2008",
    confidence="?",
    source="recollection",
    doc="Procedure 26 belongs to it.",
    record=Record(
        "EXCEPTION_REPORT_RCD",
        "REPORT" / Array(
            ST121.NBR_EXCEPTION_HOSTS,
            Record(
                "EXCEPTION_HOST_RCD",
                "APTITLE_NOTIFY" / APTITLE * "Host to notify.",
                "MAX_NUMBER_OF_RETRIES" / UINT8 * "Retries before giving up.",
                "RETRY_DELAY" / UINT16 * "Wait before a retry; the unit is not known.",
                "EXCLUSION_PERIOD" / UINT16 * "Wait before the same event is reported again; the unit is not known.",
                "EVENT_REPORTED" / Array(ST121.NBR_EXCEPTION_EVENTS, TABLE_IDB_BFLD) * "Events to report.",
            ),
        ) * "One entry a host.",
    ),
)  # fmt: skip

INTERFACE_STATUS = Table(
    number=125,
    name="Interface Status",
    title="Interface Status",
    role="data",
    since="C12.22-2008",
    confidence="?",
    source=_STACK,
    record=Record(
        "INTERFACE_STATUS_RCD",
        "INTERFACES" / Array(
            ST121.NBR_INTERFACES,
            Record(
                "INTERFACE_STATUS_ENTRY_RCD",
                "INTERFACE_NAME" / STRING(20) * "Name of the interface.",
                "INTERFACE_STATUS" / BFLD(
                    "INTERFACE_STATUS_BFLD", UINT8,
                    "INTERFACE_FLAG" / BOOL(0) * "The interface is enabled.",
                    "AUTO_REGISTRATION_FLAG" / BOOL(1) * "It registers by itself.",
                    "DIRECT_MESSAGING_FLAG" / BOOL(2) * "It takes messages that come without a relay.",
                    FILL(3, 7),
                ) * "State of the interface.",
            ),
        ) * "One entry an interface.",
    ),
)  # fmt: skip

REGISTRATION_STATUS = Table(
    number=126,
    name="Registration Status",
    title="Registration Status",
    role="data",
    since="C12.22-2008",
    confidence="?",
    source=_STACK,
    doc="The register service of C12.22 carries its period as 3 octets of seconds: unit and width need a check.",
    record=Record(
        "REGISTRATION_STATUS_RCD",
        "REGISTRATIONS" / Array(
            ST121.NBR_REGISTRATIONS,
            Record(
                "REGISTRATION_RCD",
                "RELAY_NATIVE_ADDRESS" / BINARY(ST121.NATIVE_ADDRESS_LEN) * "Relay that it registered through.",
                "MASTER_RELAY_APTITLE" / APTITLE * "Master relay that it registered with.",
                "NODE_APTITLE" / APTITLE * "ApTitle it was given.",
                "REGISTRATION_DELAY" / UINT16 * Doc("Longest wait before registering at power-up.", unit="s"),
                "REGISTRATION_PERIOD" / UINT16 * Doc("Time between registrations.", unit="min"),
                "REGISTRATION_COUNT_DOWN" / UINT16 * Doc("Time left until the next registration.", unit="min"),
            ),
        ) * "One entry a registration.",
    ),
)  # fmt: skip

NETWORK_STATISTICS = Table(
    number=127,
    name="Network Statistics",
    title="Network Statistics",
    role="data",
    since="C12.22-2008",
    confidence="?",
    source="entry: Itron's C12.22 stack (draft of January 2008); that it is an array: recollection",
    record=Record(
        "NETWORK_STATISTICS_RCD",
        "STATISTICS" / Array(
            ST121.NBR_STATISTICS,
            Record(
                "STATISTIC_RCD",
                "STATISTIC_CODE" / CODED(UINT16, StatisticCode) * Doc(
                    "What is counted; 2048 and up are the manufacturer's.", confidence="1"
                ),
                "STATISTIC_VALUE" / INT48 * Doc("The count.", confidence="1"),
            ),
        ) * "One entry a statistic.",
    ),
)  # fmt: skip

TABLES = (
    DIM_NETWORK,
    ACT_NETWORK,
    INTERFACE_CONTROL,
    EXCEPTION_REPORT,
    name_only(
        124,
        "Filtering Rules",
        "control",
        "Which messages the node accepts; the lengths are in ST121.",
        since="C12.22-2008",
        source="recollection",
    ),
    INTERFACE_STATUS,
    REGISTRATION_STATUS,
    NETWORK_STATISTICS,
)
