"""Decade 0: what the device is and how its tables are written (ST0 to ST8)."""

from __future__ import annotations

from c1219.codes.results import ResultCode
from c1219.datatypes import (
    BFLD,
    BINARY,
    BOOL,
    CODED,
    FILL,
    IDENTIFIER,
    OPAQUE,
    SET,
    STIME_DATE,
    STRING,
    TABLE_IDA_BFLD,
    TABLE_IDB_BFLD,
    UINT,
    UINT8,
    UINT16,
)
from c1219.schema import Array, Doc, ProcedureRecord, Record, Switch, Table, Variant, device, this

__all__ = [
    "DEVICE_IDENT_TBL", "DEVICE_NAMEPLATE_TBL", "ED_MODE_BFLD", "ED_MODE_STATUS_RCD", "ED_MODE_STATUS_TBL",
    "ED_STD_STATUS1_BFLD", "ED_STD_STATUS2_BFLD", "EVENT_RCD", "GENERAL_MFG_ID_TBL", "GEN_CONFIG_TBL",
    "PENDING_STATUS_TBL", "PROC_INITIATE_TBL", "PROC_RESPONSE_TBL", "TABLES", "UTIL_INFO_TBL",
]  # fmt: skip

ST0 = device.ST0

GEN_CONFIG_TBL = Table(
    number=0,
    name="GEN_CONFIG_TBL",
    title="General Configuration",
    role="control",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EPRI c12test; termineter",
    doc="Read first: it fixes byte order, character set, clock and number formats, and lists the tables that exist.",
    record=Record(
        "GEN_CONFIG_RCD",
        "FORMAT_CONTROL_1" / BFLD(
            "FORMAT_CONTROL_1_BFLD", UINT8,
            "DATA_ORDER" / UINT(0, 0) * Doc("0 least significant octet first, 1 most significant first.", range="0..1"),
            "CHAR_FORMAT" / UINT(1, 3) * Doc(
                "1 ISO 7-bit, 2 ISO 8859/1, 3 UTF-8 (2008), 4 UTF-16, 5 UTF-32 (2012).", range="1..5"
            ),
            "MODEL_SELECT" / UINT(4, 6) * Doc(
                "0 sources are described by ST16, 1 by decade 10; not to be relied on.", range="0..1", confidence="1"
            ),
            FILL(7, 7),
        ) * "Order of octets and characters.",
        "FORMAT_CONTROL_2" / BFLD(
            "FORMAT_CONTROL_2_BFLD", UINT8,
            "TM_FORMAT" / UINT(0, 2) * Doc(
                "0 no clock, 1 BCD, 2 UINT8, 3 minutes since 1970, 4 seconds since 1970 (2008).", range="0..4"
            ),
            "DATA_ACCESS_METHOD" / UINT(3, 4) * "0 whole tables only, 1 offset and count, 2 index and count, 3 both.",
            "ID_FORM" / UINT(5, 5) * "0 identifiers are STRING, 1 BCD.",
            "INT_FORMAT" / UINT(6, 7) * Doc("0 two's complement, 1 one's complement, 2 sign, magnitude.", range="0..2"),
        ) * "Forms of times, identifiers and signed integers.",
        "FORMAT_CONTROL_3" / BFLD(
            "FORMAT_CONTROL_3_BFLD", UINT8,
            "NI_FORMAT1" / UINT(0, 3) * Doc("Form of NI_FMAT1.", range="0..13"),
            "NI_FORMAT2" / UINT(4, 7) * Doc("Form of NI_FMAT2.", range="0..13"),
        ) * "Forms of non-integer numbers.",
        "DEVICE_CLASS" / BINARY(4) * "Registered class; in 1997 MANUFACTURER, four characters.",
        "NAMEPLATE_TYPE" / UINT8 * "0 gas, 1 water, 2 electric; selects the form of ST2.",
        "DEFAULT_SET_USED" / UINT8 * "0 none, 1 simple register, 2 simple demand, 3 simple TOU, 4 simple profile.",
        "MAX_PROC_PARM_LENGTH" / UINT8 * Doc("Longest parameters in ST7.", unit="octet"),
        "MAX_RESP_DATA_LEN" / UINT8 * Doc("Longest response data in ST8.", unit="octet"),
        "STD_VERSION_NO" / UINT8 * "0 pre-release, 1 edition 1997, 2 edition 2008.",
        "STD_REVISION_NO" / UINT8 * "Revision within the edition.",
        "DIM_STD_TBLS_USED" / UINT8 * Doc("Length of STD_TBLS_USED and STD_TBLS_WRITE.", unit="octet"),
        "DIM_MFG_TBLS_USED" / UINT8 * Doc("Length of MFG_TBLS_USED and MFG_TBLS_WRITE.", unit="octet"),
        "DIM_STD_PROC_USED" / UINT8 * Doc("Length of STD_PROC_USED.", unit="octet"),
        "DIM_MFG_PROC_USED" / UINT8 * Doc("Length of MFG_PROC_USED.", unit="octet"),
        "DIM_MFG_STATUS_USED" / UINT8 * Doc("Length of ST3.ED_MFG_STATUS.", unit="octet"),
        "NBR_PENDING" / UINT8 * "Entries of ST4.PENDING_TABLES.",
        "STD_TBLS_USED" / SET(this.DIM_STD_TBLS_USED) * "Member n: STn is present.",
        "MFG_TBLS_USED" / SET(this.DIM_MFG_TBLS_USED) * "Member n: MTn is present.",
        "STD_PROC_USED" / SET(this.DIM_STD_PROC_USED) * "Member n: standard procedure n is present.",
        "MFG_PROC_USED" / SET(this.DIM_MFG_PROC_USED) * "Member n: manufacturer procedure n is present.",
        "STD_TBLS_WRITE" / SET(this.DIM_STD_TBLS_USED) * "Member n: STn can be written.",
        "MFG_TBLS_WRITE" / SET(this.DIM_MFG_TBLS_USED) * "Member n: MTn can be written.",
    ),
)  # fmt: skip

GENERAL_MFG_ID_TBL = Table(
    number=1,
    name="GENERAL_MFG_ID_TBL",
    title="General Manufacturer Identification",
    role="data",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EPRI c12test; termineter; EnergyICT Connexo",
    record=Record(
        "MANUFACTURER_IDENT_RCD",
        "MANUFACTURER" / STRING(4) * "Registered code, left justified.",
        "ED_MODEL" / STRING(8) * "Model, left justified.",
        "HW_VERSION_NUMBER" / UINT8 * "Hardware version.",
        "HW_REVISION_NUMBER" / UINT8 * "Hardware revision.",
        "FW_VERSION_NUMBER" / UINT8 * "Firmware version.",
        "FW_REVISION_NUMBER" / UINT8 * "Firmware revision.",
        "MFG_SERIAL_NUMBER" / IDENTIFIER(16) * "Serial number: STRING(16), or BCD(8) when ID_FORM is 1.",
    ),
)

_VOLTS = "3 = 120 V, 4 = 208, 5 = 240, 6 = 277, 7 = 480, 8 = 120 to 277, 9 = 120 to 480"

ELECTRIC_NAMEPLATE_RCD = Record(
    "DEVICE_DEFINITION_RCD",
    "E_KH" / STRING(6) * Doc("Watt-hour constant, as text.", unit="Wh per revolution or pulse"),
    "E_KT" / STRING(6) * Doc("Constant of the test output, as text.", unit="Wh per revolution or pulse"),
    "E_INPUT_SCALAR" / UINT8 * "Divisor applied to the input.",
    "E_ED_CONFIG" / STRING(5) * "Form number, as text.",
    "E_ELEMENTS" / BFLD(
        "E_ELEMENTS_BFLD", UINT16,
        "E_FREQ" / UINT(0, 2) * Doc("2 = 50 Hz, 3 = 50 or 60 Hz, 4 = 60 Hz.", confidence="1"),
        "E_NO_OF_ELEMENTS" / UINT(3, 5) * Doc(
            "1 one, 2 two, 3 two and a half, 4 three; a form 9 meter in the field says 2.", confidence="1"
        ),
        "E_BASE_TYPE" / UINT(6, 9) * Doc("1 S-base, 2 A-base; 3 K-base is from memory.", confidence="1"),
        "E_ACCURACY_CLASS" / UINT(10, 15) * Doc("0 none; the list is not confirmed.", confidence="?"),
    ) * "Frequency, elements, base and accuracy.",
    "E_VOLTS" / BFLD(
        "E_VOLTS_BFLD", UINT8,
        "E_ELEMENTS_VOLTS" / UINT(0, 3) * Doc(f"Of the elements: {_VOLTS}.", confidence="1"),
        "E_ED_SUPPLY_VOLTS" / UINT(4, 7) * Doc(f"Of the supply: {_VOLTS}.", confidence="1"),
    ) * "Rated voltages.",
    "E_AMPS" / Record(
        "E_AMPS_RCD",
        "E_CLASS_MAX_AMPS" / STRING(6) * Doc("Class or maximum current, as text.", unit="A"),
        "E_TA" / STRING(6) * Doc("Test current, as text.", unit="A"),
    ) * "Rated currents.",
)  # fmt: skip

DEVICE_NAMEPLATE_TBL = Table(
    number=2,
    name="DEVICE_NAMEPLATE_TBL",
    title="Device Nameplate",
    role="control",
    since="1997",
    confidence="V",
    source="EPRI c12test; Hexing firmware headers; two meters in captures",
    doc="The form for electricity. Those for gas and water (NAMEPLATE_TYPE 0 and 1) are not known: octets.",
    record=Switch(
        ST0.NAMEPLATE_TYPE,
        {2: ELECTRIC_NAMEPLATE_RCD},
        default=Record("DEVICE_DEFINITION_RCD", "DATA" / OPAQUE * "Octets; the form is not known."),
    ),
)

ED_MODE_BFLD = BFLD(
    "ED_MODE_BFLD", UINT8,
    "METERING_FLAG" / BOOL(0) * "Metering.",
    "TEST_MODE_FLAG" / BOOL(1) * "Test mode.",
    "METER_SHOP_MODE_FLAG" / BOOL(2) * "Meter shop mode.",
    "FACTORY_FLAG" / BOOL(3) * Doc("Factory mode.", since="2008"),
    FILL(4, 7),
)  # fmt: skip

ED_STD_STATUS1_BFLD = BFLD(
    "ED_STD_STATUS1_BFLD", UINT16,
    "UNPROGRAMMED_FLAG" / BOOL(0) * "Not programmed.",
    "CONFIGURATION_ERROR_FLAG" / BOOL(1) * "Configuration error.",
    "SELF_CHK_ERROR_FLAG" / BOOL(2) * "Self-check error.",
    "RAM_FAILURE_FLAG" / BOOL(3) * "RAM failure.",
    "ROM_FAILURE_FLAG" / BOOL(4) * "ROM failure.",
    "NONVOL_MEM_FAILURE_FLAG" / BOOL(5) * "Failure of the memory that keeps its content.",
    "CLOCK_ERROR_FLAG" / BOOL(6) * "Clock error.",
    "MEASUREMENT_ERROR_FLAG" / BOOL(7) * "Measurement error.",
    "LOW_BATTERY_FLAG" / BOOL(8) * "Battery is low.",
    "LOW_LOSS_POTENTIAL_FLAG" / BOOL(9) * "Voltage is low or lost.",
    "DEMAND_OVERLOAD_FLAG" / BOOL(10) * "Demand overload.",
    "POWER_FAILURE_FLAG" / BOOL(11) * "Power failed.",
    "TAMPER_DETECT_FLAG" / BOOL(12) * "Tampering; some meters set it for bad passwords.",
    "REVERSE_ROTATION_FLAG" / BOOL(13) * "Reverse rotation.",
    FILL(14, 15),
)  # fmt: skip

ED_STD_STATUS2_BFLD = BFLD("ED_STD_STATUS2_BFLD", UINT8, FILL(0, 7))

ED_MODE_STATUS_RCD = Record(
    "ED_MODE_STATUS_RCD",
    "ED_MODE" / ED_MODE_BFLD * "Mode that the device is in.",
    "ED_STD_STATUS1" / ED_STD_STATUS1_BFLD * "Standard status.",
    "ED_STD_STATUS2" / ED_STD_STATUS2_BFLD * "Reserved.",
    "ED_MFG_STATUS" / SET(ST0.DIM_MFG_STATUS_USED) * "The manufacturer's status flags.",
)

ED_MODE_STATUS_TBL = Table(
    number=3,
    name="ED_MODE_STATUS_TBL",
    title="End Device Mode and Status",
    role="data",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EPRI c12test; termineter; EnergyICT Connexo",
    record=ED_MODE_STATUS_RCD,
)

EVENT_RCD = Record(
    "EVENT_RCD",
    "EVENT_SELECTOR" / BFLD(
        "EVENT_SELECTOR_BFLD", UINT8,
        "EVENT_CODE" / UINT(0, 3) * Doc("0 at a time, 1 after a time, 2 on an event.", range="0..2", confidence="1"),
        "SELF_READ_FLAG" / BOOL(4) * Doc("Self read before activation.", confidence="1"),
        "DEMAND_RESET_FLAG" / BOOL(5) * Doc("Demand reset before activation.", confidence="1"),
        FILL(6, 7),
    ) * "What activates the table.",
    "EVENT_STORAGE" / Variant(
        5,
        this.EVENT_SELECTOR.EVENT_CODE,
        {
            0: STIME_DATE,
            1: Record(
                "RELATIVE_TIME_RCD",
                "WEEKS" / UINT8 * Doc("Weeks.", unit="week"),
                "DAYS" / UINT8 * Doc("Days.", unit="d"),
                "HOURS" / UINT8 * Doc("Hours.", unit="h"),
                "MINUTES" / UINT8 * Doc("Minutes.", unit="min"),
                "SECONDS" / UINT8 * Doc("Seconds.", unit="s"),
            ),
            2: Record(
                "NON_TIME_EVENT_RCD",
                "MANUFACTURER" / STRING(4) * "Code of the manufacturer.",
                "EVENT" / UINT8 * "Number of the event.",
            ),
        },
    ) * Doc("The time, or the tag that procedures 13 and 15 name; left in its five octets.", confidence="?"),
)  # fmt: skip
"""When a pending table becomes active: in ST4, before the octets of a pending table, and for procedures 13 and 15."""

PENDING_STATUS_TBL = Table(
    number=4,
    name="PENDING_STATUS_TBL",
    title="Pending Status",
    role="data",
    since="1997",
    confidence="1",
    source="EnergyICT Connexo",
    doc="One reader steps 10 octets an entry although it decodes 8; compare with the length of the table.",
    record=Record(
        "PENDING_STATUS_RCD",
        "STANDARD_PENDING" / SET(ST0.DIM_STD_TBLS_USED) * "Standard tables that can be written pending.",
        "MANUFACT_PENDING" / SET(ST0.DIM_MFG_TBLS_USED) * "Manufacturer tables that can be written pending.",
        "LAST_ACTIVATION_DATE_TIME" / STIME_DATE * "When a pending table was last activated.",
        "NBR_PENDING_ACTIVATION" / UINT8 * "Entries that are not activated yet.",
        "PENDING_TABLES" / Array(
            ST0.NBR_PENDING,
            Record(
                "ENTRY_ACTIVATION_RCD",
                "EVENT" / EVENT_RCD * "What activates it.",
                "TABLE_SELECTOR" / TABLE_IDA_BFLD * "The table.",
            ),
        ) * "Pending tables.",
    ),
)  # fmt: skip

DEVICE_IDENT_TBL = Table(
    number=5,
    name="DEVICE_IDENT_TBL",
    title="Device Identification",
    role="control",
    since="1997",
    confidence="V",
    source="EPRI c12test; termineter; EnergyICT Connexo",
    record=Record(
        "IDENT_RCD",
        "IDENTIFICATION" / IDENTIFIER(20) * "Identification: STRING(20), or BCD(10) when ID_FORM is 1.",
    ),
)

UTIL_INFO_TBL = Table(
    number=6,
    name="UTIL_INFO_TBL",
    title="Utility Information",
    role="control",
    since="1997",
    confidence="V",
    source="EPRI c12test; EnergyICT Connexo; MTC",
    doc="One maker's UTILITY_DIV has 16 octets, and a date follows the last element.",
    record=Record(
        "UTIL_INFO_RCD",
        "OWNER_NAME" / STRING(20) * "Name of the owner.",
        "UTILITY_DIV" / STRING(20) * "Division of the utility.",
        "SERVICE_POINT_ID" / IDENTIFIER(20) * "Service point.",
        "ELEC_ADDR" / IDENTIFIER(20) * "Electrical address.",
        "DEVICE_ID" / IDENTIFIER(20) * "Identification of the device, as in ST5.",
        "UTIL_SER_NO" / IDENTIFIER(20) * "The utility's serial number.",
        "CUSTOMER_ID" / IDENTIFIER(20) * "Customer.",
        "COORDINATE_1" / BINARY(10) * "First coordinate of the place.",
        "COORDINATE_2" / BINARY(10) * "Second coordinate of the place.",
        "COORDINATE_3" / BINARY(10) * "Third coordinate of the place.",
        "TARIFF_ID" / STRING(8) * "Tariff.",
        "EX1_SW_VENDOR" / STRING(4) * "Vendor of external software 1.",
        "EX1_SW_VERSION_NUMBER" / UINT8 * "Its version.",
        "EX1_SW_REVISION_NUMBER" / UINT8 * "Its revision.",
        "EX2_SW_VENDOR" / STRING(4) * "Vendor of external software 2.",
        "EX2_SW_VERSION_NUMBER" / UINT8 * "Its version.",
        "EX2_SW_REVISION_NUMBER" / UINT8 * "Its revision.",
        "PROGRAMMER_NAME" / STRING(10) * "Who programmed the device.",
        "MISC_ID" / STRING(30) * "What else the utility wants to say.",
    ),
)

PROC_INITIATE_TBL = Table(
    number=7,
    name="PROC_INITIATE_TBL",
    title="Procedure Initiate",
    role="control",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; termineter; Cannon Yukon",
    doc="Written whole, never by offset.",
    record=Record(
        "PROC_INITIATE_RCD",
        "PROC" / TABLE_IDB_BFLD * (
            "The procedure. SELECTOR: 0 post the response when done, 1 on exception, 2 never, 3 at once and when done."
        ),
        "SEQ_NBR" / UINT8 * "Number that ST8 gives back.",
        "PARM" / ProcedureRecord("parameters") * "Parameters, in the form of the procedure.",
    ),
)  # fmt: skip

PROC_RESPONSE_TBL = Table(
    number=8,
    name="PROC_RESPONSE_TBL",
    title="Procedure Response",
    role="data",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; termineter; Cannon Yukon",
    doc="Holds the response of the last procedure: compare PROC (bits 0..11) and SEQ_NBR before using the rest.",
    record=Record(
        "PROC_RESPONSE_RCD",
        "PROC" / TABLE_IDB_BFLD * "The procedure that this answers.",
        "SEQ_NBR" / UINT8 * "Number from ST7.",
        "RESULT_CODE" / CODED(UINT8, ResultCode) * "How it ended; 7 and up are reserved, and devices use some.",
        "RESP_DATA" / ProcedureRecord("response") * "Response, in the form of the procedure; devices may leave it out.",
    ),
)

TABLES = (
    GEN_CONFIG_TBL, GENERAL_MFG_ID_TBL, DEVICE_NAMEPLATE_TBL, ED_MODE_STATUS_TBL, PENDING_STATUS_TBL, DEVICE_IDENT_TBL,
    UTIL_INFO_TBL, PROC_INITIATE_TBL, PROC_RESPONSE_TBL,
)  # fmt: skip
