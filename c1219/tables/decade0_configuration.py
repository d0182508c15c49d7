"""Decade 0: what the device is and how its tables are written (ST0 to ST8)."""

from __future__ import annotations

from c1219.datatypes import BFLD, BINARY, FILL, IDENTIFIER, SET, STRING, UINT, UINT8
from c1219.schema import Doc, Record, Table, this

__all__ = ["GENERAL_MFG_ID_TBL", "GEN_CONFIG_TBL", "TABLES"]

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
    source="NIST n0mcli; EPRI c12test; termineter",
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

TABLES = (GEN_CONFIG_TBL, GENERAL_MFG_ID_TBL)
