"""Decade 1: where measured data come from, and in which units (ST10 to ST17)."""

from __future__ import annotations

from c1219.codes.quantities import IdCode
from c1219.codes.units import Multiplier, Segmentation, TimeBase
from c1219.datatypes import BFLD, BINARY, BOOL, FILL, NI_FMAT1, NI_FMAT2, OPAQUE, UINT, UINT8, UINT16, UINT32
from c1219.schema import Array, Doc, Error, If, Record, Switch, Table, device

__all__ = [
    "ACT_SOURCES_LIM_TBL", "CONSTANTS_TBL", "DATA_CONTROL_TBL", "DEMAND_CONTROL_TBL", "DIM_SOURCES_LIM_TBL",
    "SOURCES_TBL", "TABLES", "TRANSFORMER_LOSS_TBL", "UOM_ENTRY_TBL",
]  # fmt: skip

ST0, ST11 = device.ST0, device.ST11

SOURCE_RCD = Record(
    "SOURCE_RCD",
    "SOURCE_FLAGS" / BFLD(
        "SOURCE_FLAGS_BFLD", UINT8,
        "PF_EXCLUDE_FLAG" / BOOL(0) * "Power-fail exclusion: ST13 has its elements.",
        "RESET_EXCLUDE_FLAG" / BOOL(1) * "Reset exclusion: ST13 has its element.",
        "BLOCK_DEMAND_FLAG" / BOOL(2) * "Block demand.",
        "SLIDING_DEMAND_FLAG" / BOOL(3) * "Sliding demand: selects the interval form of ST13.",
        "THERMAL_DEMAND_FLAG" / BOOL(4) * "Thermal demand.",
        "SET1_PRESENT_FLAG" / BOOL(5) * "ST15 has the first set of electric constants.",
        "SET2_PRESENT_FLAG" / BOOL(6) * "ST15 has the second set of electric constants.",
        "CONVERSION_ALG_FLAG" / BOOL(7) * Doc(
            "The conversion of annex K applies; filler if STD_VERSION_NO is 1.", since="2008"
        ),
    ) * "What the sources can do.",
    "NBR_UOM_ENTRIES" / UINT8 * "Entries of ST12.",
    "NBR_DEMAND_CTRL_ENTRIES" / UINT8 * "Entries of ST13.INTERVAL_VALUE.",
    "DATA_CTRL_LENGTH" / UINT8 * Doc("Length of an entry of ST14.", unit="octet"),
    "NBR_DATA_CTRL_ENTRIES" / UINT8 * "Entries of ST14.",
    "NBR_CONSTANTS_ENTRIES" / UINT8 * "Entries of ST15.",
    "CONSTANTS_SELECTOR" / UINT8 * Doc("Form of ST15: 0 gas AGA3, 1 gas AGA7, 2 electric.", range="0..2"),
    "NBR_SOURCES" / UINT8 * "Entries of ST16.",
)  # fmt: skip

DIM_SOURCES_LIM_TBL = Table(
    number=10,
    name="DIM_SOURCES_LIM_TBL",
    title="Dimension Sources Limiting",
    role="limiting",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli; EnergyICT Connexo",
    record=SOURCE_RCD,
)

ACT_SOURCES_LIM_TBL = Table(
    number=11,
    name="ACT_SOURCES_LIM_TBL",
    title="Actual Sources Limiting",
    role="actual",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli; EnergyICT Connexo",
    record=SOURCE_RCD,
)

UOM_BFLD = BFLD(
    "UOM_BFLD", UINT32,
    "ID_CODE" / UINT(0, 7, IdCode) * Doc("Physical quantity.", range="0..255"),
    "TIME_BASE" / UINT(8, 10, TimeBase) * "How the quantity relates to time: bulk, instantaneous, block average …",
    "MULTIPLIER" / UINT(11, 13, Multiplier) * "Factor on the reported value, after all other constants.",
    "Q1_ACCOUNTABILITY" / BOOL(14) * "Energy or demand of quadrant 1 is included.",
    "Q2_ACCOUNTABILITY" / BOOL(15) * "Of quadrant 2.",
    "Q3_ACCOUNTABILITY" / BOOL(16) * "Of quadrant 3.",
    "Q4_ACCOUNTABILITY" / BOOL(17) * "Of quadrant 4.",
    "NET_FLOW_ACCOUNTABILITY" / BOOL(18) * "Delivered minus received, not their sum.",
    "SEGMENTATION" / UINT(19, 21, Segmentation) * "Phase, for electric quantities; otherwise 0.",
    "HARMONIC" / BOOL(22) * "A harmonic component of an associated source, not the whole signal.",
    "ID_RESOURCE" / UINT(23, 27) * Doc(
        "Newest edition only, reserved before; neither meaning nor place in the index is confirmed.",
        since="2012", confidence="?",
    ),
    FILL(28, 30),
    "NFS" / BOOL(31) * "Not following the standard: ID_CODE must not be interpreted.",
)  # fmt: skip

UOM_ENTRY_TBL = Table(
    number=12,
    name="UOM_ENTRY_TBL",
    title="Unit of Measure Entry",
    role="control",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    doc="Entry k belongs to the k-th source whose UOM_ENTRY_FLAG is set in ST16.",
    record=Record(
        "UOM_ENTRY_RCD", "UOM_ENTRY" / Array(ST11.NBR_UOM_ENTRIES, UOM_BFLD) * "Units of measure, in order of sources."
    ),
)

INT_CONTROL_RCD = Record(
    "INT_CONTROL_RCD",
    "SUB_INT" / If(ST11.SOURCE_FLAGS.SLIDING_DEMAND_FLAG, UINT8) * Doc("Length of a sub-interval.", unit="min"),
    "INT_MULTIPLIER" / If(ST11.SOURCE_FLAGS.SLIDING_DEMAND_FLAG, UINT8) * "Sub-intervals in an interval.",
    "INT_LENGTH" / If(~ST11.SOURCE_FLAGS.SLIDING_DEMAND_FLAG, UINT16) * Doc("Length of the interval.", unit="min"),
)

DEMAND_CONTROL_TBL = Table(
    number=13,
    name="DEMAND_CONTROL_TBL",
    title="Demand Control",
    role="control",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Cannon Yukon; a register set in SQLite",
    doc="One maker always sends the elements of the power-fail exclusion.",
    record=Record(
        "DEMAND_CONTROL_RCD",
        "RESET_EXCLUSION" / If(ST11.SOURCE_FLAGS.RESET_EXCLUDE_FLAG, UINT8)
        * Doc("After a demand reset, how long another is ignored.", unit="min"),
        "P_FAIL_RECOGNTN_TM" / If(ST11.SOURCE_FLAGS.PF_EXCLUDE_FLAG, UINT8)
        * Doc("How long until a power failure counts.", unit="s"),
        "P_FAIL_EXCLUSION" / If(ST11.SOURCE_FLAGS.PF_EXCLUDE_FLAG, UINT8)
        * Doc("After it, how long no demand is calculated.", unit="min"),
        "COLD_LOAD_PICKUP" / If(ST11.SOURCE_FLAGS.PF_EXCLUDE_FLAG, UINT8) * Doc("Cold load pickup.", unit="min"),
        "INTERVAL_VALUE" / Array(ST11.NBR_DEMAND_CTRL_ENTRIES, INT_CONTROL_RCD)
        * "Demand intervals; entry k belongs to the k-th source whose DEMAND_CTRL_FLAG is set in ST16.",
    ),
)  # fmt: skip

DATA_CONTROL_TBL = Table(
    number=14,
    name="DATA_CONTROL_TBL",
    title="Data Control",
    role="control",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Cannon Yukon; a register set in SQLite",
    record=Record(
        "DATA_CONTROL_RCD",
        "SOURCES_ID" / Array(
            ST11.NBR_DATA_CTRL_ENTRIES,
            Record("DATA_RCD", "SOURCE_ID" / BINARY(ST11.DATA_CTRL_LENGTH) * "As the manufacturer defines."),
        ) * Doc("Entry k belongs to the k-th source whose DATA_CTRL_FLAG is set in ST16; name from memory.",
                confidence="?"),
    ),
)  # fmt: skip

SET_APPLIED_RCD = Record(
    "SET_APPLIED_RCD",
    "SET_FLAGS" / BFLD(
        "SET_FLAGS_BFLD", UINT8,
        "SET_APPLIED_FLAG" / BOOL(0) * Doc("The ratios are in the value already.", confidence="?"),
        FILL(1, 7),
    ) * "How the set is used.",
    "RATIO_F1" / NI_FMAT1 * "Flow ratio: the current transformer's.",
    "RATIO_P1" / NI_FMAT1 * "Pressure ratio: the voltage transformer's.",
)  # fmt: skip

ELECTRIC_CONSTANTS_RCD = Record(
    "ELECTRIC_CONSTANTS_RCD",
    "MULTIPLIER" / NI_FMAT1 * "Factor on the value.",
    "OFFSET" / NI_FMAT1 * "Added after the factor.",
    "SET1_CONSTANTS" / If(ST11.SOURCE_FLAGS.SET1_PRESENT_FLAG, SET_APPLIED_RCD) * "First set of ratios.",
    "SET2_CONSTANTS" / If(ST11.SOURCE_FLAGS.SET2_PRESENT_FLAG, SET_APPLIED_RCD) * "Second set of ratios.",
)

GAS_PRESS_PARM_RCD = Record(
    "GAS_PRESS_PARM_RCD",
    "GAS_PRESS_ZERO" / NI_FMAT2 * "Pressure at the zero of the input.",
    "GAS_PRESS_FULLSCALE" / NI_FMAT2 * "Pressure at full scale.",
    "BASE_PRESSURE" / NI_FMAT2 * "Base pressure.",
)

GAS_TEMP_PARM_RCD = Record(
    "GAS_TEMP_PARM_RCD",
    "GAS_TEMP_ZERO" / NI_FMAT2 * "Temperature at the zero of the input.",
    "GAS_TEMP_FULLSCALE" / NI_FMAT2 * "Temperature at full scale.",
    "BASE_TEMP" / NI_FMAT2 * "Base temperature.",
)

GAS_ENERGY_RCD = Record(
    "GAS_ENERGY_RCD",
    "GAS_ENERGY_ZERO" / NI_FMAT2 * "Energy at the zero of the input.",
    "GAS_ENERGY_FULL" / NI_FMAT2 * "Energy at full scale.",
)

GAS_CONSTANTS_AGA3_RCD = Record(
    "GAS_CONSTANTS_AGA3_RCD",
    "GAS_DP_PARM" / Record(
        "GAS_DP_PARM_RCD",
        "GAS_DP_ZERO" / NI_FMAT2 * "Differential pressure at the zero of the input.",
        "GAS_DP_FULLSCALE" / NI_FMAT2 * "Differential pressure at full scale.",
    ) * "Differential pressure.",
    "GAS_DP_SHUTOFF" / Record(
        "GAS_DP_SHUTOFF_RCD", "GAS_SHUTOFF" / NI_FMAT2 * "Differential pressure below which flow counts as none."
    ) * "Shut-off.",
    "GAS_PRESS_PARM" / GAS_PRESS_PARM_RCD * "Pressure.",
    "GAS_AGA3_CORR" / Record(
        "GAS_AGA3_CORR_RCD",
        "AUX_CORR_FCTR" / NI_FMAT2 * "Auxiliary correction factor.",
        "GAS_AGA3_CORR_FCTR" / NI_FMAT2 * "Correction factor of AGA 3.",
        "PIPE_ORIF_DIA" / Record(
            "PIPE_ORIF_DIA_RCD",
            "PIPE_DIA" / NI_FMAT2 * "Diameter of the pipe.",
            "ORIF_DIA" / NI_FMAT2 * "Diameter of the orifice.",
        ) * "Diameters.",
        "TAP_UP_DN" / UINT8 * "Place of the taps.",
        "GAS_PRESS_PARM" / GAS_PRESS_PARM_RCD * "Pressure.",
        "GAS_TEMP_PARM" / GAS_TEMP_PARM_RCD * "Temperature.",
    ) * "Correction.",
    "GAS_ENERGY" / GAS_ENERGY_RCD * "Energy.",
)  # fmt: skip

GAS_CONSTANTS_AGA7_RCD = Record(
    "GAS_CONSTANTS_AGA7_RCD",
    "GAS_AGA7_CORR" / Record(
        "GAS_AGA7_CORR_RCD",
        "GAS_PRESS_PARM" / GAS_PRESS_PARM_RCD * "Pressure.",
        "GAS_TEMP_PARM" / GAS_TEMP_PARM_RCD * "Temperature.",
        "AUX_CORR_FCTR" / NI_FMAT2 * "Auxiliary correction factor.",
        "GAS_AGA7_CORR" / NI_FMAT2 * "Correction factor of AGA 7.",
    ) * "Correction.",
    "GAS_ENERGY" / GAS_ENERGY_RCD * "Energy.",
)  # fmt: skip

CONSTANTS_TBL = Table(
    number=15,
    name="CONSTANTS_TBL",
    title="Constants",
    role="control",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Cannon Yukon",
    doc="Whether the numbers of gas meters are NI_FMAT1 or NI_FMAT2 rests on one reader, which takes NI_FMAT2.",
    record=Record(
        "CONSTANTS_RCD",
        "SELECTION" / Array(
            ST11.NBR_CONSTANTS_ENTRIES,
            Switch(
                ST11.CONSTANTS_SELECTOR,
                {0: GAS_CONSTANTS_AGA3_RCD, 1: GAS_CONSTANTS_AGA7_RCD, 2: ELECTRIC_CONSTANTS_RCD},
                default=Error,
            ),
        ) * Doc("Entry k belongs to the k-th source whose CONSTANTS_FLAG is set in ST16; name from memory.",
                confidence="?"),
    ),
)  # fmt: skip

SOURCE_LINK_BFLD = BFLD(
    "SOURCE_LINK_BFLD", UINT8,
    "UOM_ENTRY_FLAG" / BOOL(0) * "The next entry of ST12 belongs to this source.",
    "DEMAND_CTRL_FLAG" / BOOL(1) * "The next entry of ST13.INTERVAL_VALUE does.",
    "DATA_CTRL_FLAG" / BOOL(2) * "The next entry of ST14 does.",
    "CONSTANTS_FLAG" / BOOL(3) * "The next entry of ST15 does.",
    "PULSE_ENGR_FLAG" / BOOL(4) * "In engineering units, not in pulses.",
    "CONSTANT_TO_BE_APPLIED" / BOOL(5) * "The reader must apply the constants of ST15; clear: they are in the value.",
    FILL(6, 7),
)  # fmt: skip

SOURCES_TBL = Table(
    number=16,
    name="SOURCES_TBL",
    title="Source Definition",
    role="control",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    record=Record(
        "SOURCE_LINK_RCD", "SOURCES_LINK" / Array(ST11.NBR_SOURCES, SOURCE_LINK_BFLD) * "Sources, by their number."
    ),
)

TRANSFORMER_LOSS_TBL = Table(
    number=17,
    name="Transformer Loss Compensation",
    title="Transformer Loss Compensation",
    role="control",
    since="2008",
    confidence="name only",
    source="termineter",
    record=Record("TRANSFORMER_LOSS_RCD", "DATA" / OPAQUE * "Octets; the layout is not known."),
)

TABLES = (
    DIM_SOURCES_LIM_TBL, ACT_SOURCES_LIM_TBL, UOM_ENTRY_TBL, DEMAND_CONTROL_TBL, DATA_CONTROL_TBL, CONSTANTS_TBL,
    SOURCES_TBL, TRANSFORMER_LOSS_TBL,
)  # fmt: skip
