"""Decade 2: registers (ST20 to ST28)."""

from __future__ import annotations

from c1219.datatypes import (
    BFLD,
    BOOL,
    FILL,
    NI_FMAT1,
    NI_FMAT2,
    SET,
    SOURCE_SELECT,
    STIME_DATE,
    TIME,
    UINT,
    UINT8,
    UINT16,
)
from c1219.schema import Array, Doc, If, Record, Table, device

__all__ = [
    "ACT_REGS_TBL", "CURRENT_REG_DATA_TBL", "DATA_SELECTION_TBL", "DIM_REGS_TBL", "PRESENT_REGISTER_DATA_TBL",
    "PRESENT_REGISTER_SELECT_TBL", "PREVIOUS_DEMAND_RESET_DATA_TBL", "PREVIOUS_SEASON_DATA_TBL", "SELF_READ_DATA_TBL",
    "TABLES",
]  # fmt: skip

ST21 = device.ST21

REGS_RCD = Record(
    "REGS_RCD",
    "REG_FUNC1_FLAGS" / BFLD(
        "REG_FUNC1_FLAGS_BFLD", UINT8,
        "SEASON_INFO_FIELD_FLAG" / BOOL(0) * "SEASON is present in ST24 to ST26.",
        "DATE_TIME_FIELD_FLAG" / BOOL(1) * "EVENT_TIME and END_DATE_TIME are present.",
        "DEMAND_RESET_CTR_FLAG" / BOOL(2) * "NBR_DEMAND_RESETS is present.",
        "DEMAND_RESET_LOCK_FLAG" / BOOL(3) * "Demand resets can be locked out.",
        "CUM_DEMAND_FLAG" / BOOL(4) * "CUM_DEMAND is present.",
        "CONT_CUM_DEMAND_FLAG" / BOOL(5) * "CONT_CUM_DEMAND is present.",
        "TIME_REMAINING_FLAG" / BOOL(6) * "TIME_REMAINING is present in ST28.",
        FILL(7, 7),
    ) * "Which elements the register tables have.",
    "REG_FUNC2_FLAGS" / BFLD(
        "REG_FUNC2_FLAGS_BFLD", UINT8,
        "SELF_READ_INHIBIT_OVERFLOW_FLAG" / BOOL(0) * "Self reads stop when unread ones would be overwritten.",
        "SELF_READ_SEQ_NBR_FLAG" / BOOL(1) * "SELF_READ_SEQ_NBR is present in ST26.",
        "DAILY_SELF_READ_FLAG" / BOOL(2) * "A self read every day.",
        "WEEKLY_SELF_READ_FLAG" / BOOL(3) * "A self read every week.",
        "SELF_READ_DEMAND_RESET" / UINT(4, 5) * Doc(
            "0 independent, 1 self read on demand reset, 2 demand reset on self read, 3 both.", confidence="?"
        ),
        FILL(6, 7),
    ) * "How self reads work.",
    "NBR_SELF_READS" / UINT8 * "Entries of ST26.",
    "NBR_SUMMATIONS" / UINT8 * "Summations in a data block.",
    "NBR_DEMANDS" / UINT8 * "Demands in a data block.",
    "NBR_COIN_VALUES" / UINT8 * "Coincident values in a data block.",
    "NBR_OCCUR" / UINT8 * "Occurrences kept of each demand and coincident value.",
    "NBR_TIERS" / UINT8 * "Tiers beside the total.",
    "NBR_PRESENT_DEMANDS" / UINT8 * "Demands of ST27 and ST28.",
    "NBR_PRESENT_VALUES" / UINT8 * "Values of ST27 and ST28.",
)  # fmt: skip

DEMANDS_RCD = Record(
    "DEMANDS_RCD",
    "EVENT_TIME" / If(ST21.REG_FUNC1_FLAGS.DATE_TIME_FIELD_FLAG, Array(ST21.NBR_OCCUR, STIME_DATE))
    * "When each occurrence happened.",
    "CUM_DEMAND" / If(ST21.REG_FUNC1_FLAGS.CUM_DEMAND_FLAG, NI_FMAT1) * "Sum of the maxima up to the last reset.",
    "CONT_CUM_DEMAND" / If(ST21.REG_FUNC1_FLAGS.CONT_CUM_DEMAND_FLAG, NI_FMAT1)
    * "The same, with the maximum of this period.",
    "DEMAND" / Array(ST21.NBR_OCCUR, NI_FMAT2) * "Demand of each occurrence, in the unit of its source.",
)  # fmt: skip

COINCIDENTS_RCD = Record(
    "COINCIDENTS_RCD",
    "COINCIDENT_VALUES" / Array(ST21.NBR_OCCUR, NI_FMAT2) * "Value at the time of the demand it is tied to.",
)

DATA_BLK_RCD = Record(
    "DATA_BLK_RCD",
    "SUMMATIONS" / Array(ST21.NBR_SUMMATIONS, NI_FMAT1) * "Value k belongs to ST22.SUMMATION_SELECT[k].",
    "DEMANDS" / Array(ST21.NBR_DEMANDS, DEMANDS_RCD) * "Entry k belongs to ST22.DEMAND_SELECT[k].",
    "COINCIDENTS" / Array(ST21.NBR_COIN_VALUES, COINCIDENTS_RCD) * "Entry k belongs to ST22.COINCIDENT_SELECT[k].",
)

REGISTER_DATA_RCD = Record(
    "REGISTER_DATA_RCD",
    "NBR_DEMAND_RESETS" / If(ST21.REG_FUNC1_FLAGS.DEMAND_RESET_CTR_FLAG, UINT8) * "Demand resets so far.",
    "TOT_DATA_BLOCK" / DATA_BLK_RCD * "Values over all tiers.",
    "TIER_DATA_BLOCK" / Array(ST21.NBR_TIERS, DATA_BLK_RCD) * "Values of each tier.",
)

REGISTER_INFO_RCD = Record(
    "REGISTER_INFO_RCD",
    "END_DATE_TIME" / If(ST21.REG_FUNC1_FLAGS.DATE_TIME_FIELD_FLAG, STIME_DATE) * "End of the period.",
    "SEASON" / If(ST21.REG_FUNC1_FLAGS.SEASON_INFO_FIELD_FLAG, UINT8) * Doc("Season of the period.", range="0..15"),
)

DIM_REGS_TBL = Table(
    number=20,
    name="DIM_REGS_TBL",
    title="Dimension Registers",
    role="limiting",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    record=REGS_RCD,
)

ACT_REGS_TBL = Table(
    number=21,
    name="ACT_REGS_TBL",
    title="Actual Registers",
    role="actual",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    record=REGS_RCD,
)

DATA_SELECTION_TBL = Table(
    number=22,
    name="DATA_SELECTION_TBL",
    title="Data Selection",
    role="control",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    record=Record(
        "DATA_SELECTION_RCD",
        "SUMMATION_SELECT" / Array(ST21.NBR_SUMMATIONS, SOURCE_SELECT) * "Source of each summation.",
        "DEMAND_SELECT" / Array(ST21.NBR_DEMANDS, SOURCE_SELECT) * "Source of each demand.",
        "MIN_OR_MAX_FLAGS" / SET((ST21.NBR_DEMANDS + 7) // 8) * "Member d: demand d is a maximum; otherwise a minimum.",
        "COINCIDENT_SELECT" / Array(ST21.NBR_COIN_VALUES, SOURCE_SELECT) * "Source of each coincident value.",
        "COIN_DEMAND_ASSOC" / Array(ST21.NBR_COIN_VALUES, UINT8)
        * "Index into DEMAND_SELECT of the demand that a coincident value is tied to.",
    ),
)  # fmt: skip

CURRENT_REG_DATA_TBL = Table(
    number=23,
    name="CURRENT_REG_DATA_TBL",
    title="Current Register Data",
    role="data",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    record=REGISTER_DATA_RCD,
)

PREVIOUS_SEASON_DATA_TBL = Table(
    number=24,
    name="PREVIOUS_SEASON_DATA_TBL",
    title="Previous Season Data",
    role="data",
    since="1997",
    confidence="1",
    source="EnergyICT Connexo",
    record=Record(
        "PREVIOUS_SEASON_DATA_RCD",
        "REGISTER_INFO" / REGISTER_INFO_RCD * "Which period it was.",
        "PREV_SEASON_REG_DATA" / REGISTER_DATA_RCD * Doc("Registers at its end; name from memory.", confidence="?"),
    ),
)

PREVIOUS_DEMAND_RESET_DATA_TBL = Table(
    number=25,
    name="PREVIOUS_DEMAND_RESET_DATA_TBL",
    title="Previous Demand Reset Data",
    role="data",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; Cannon Yukon; NURI headers",
    record=Record(
        "PREVIOUS_DEMAND_RESET_DATA_RCD",
        "REGISTER_INFO" / REGISTER_INFO_RCD * "Which period it was.",
        "PREV_DEMAND_RESET_DATA" / REGISTER_DATA_RCD
        * Doc("Registers at the demand reset; name from memory.", confidence="?"),
    ),
)  # fmt: skip

SELF_READ_RCD = Record(
    "SELF_READ_RCD",
    "SELF_READ_SEQ_NBR" / If(ST21.REG_FUNC2_FLAGS.SELF_READ_SEQ_NBR_FLAG, UINT16) * "Sequence number.",
    "REGISTER_INFO" / REGISTER_INFO_RCD * "Which period it was.",
    "SELF_READ_REGISTER_DATA" / REGISTER_DATA_RCD * "Registers at the self read.",
)

SELF_READ_DATA_TBL = Table(
    number=26,
    name="SELF_READ_DATA_TBL",
    title="Self Read Data",
    role="data",
    since="1997",
    confidence="V",
    source="EnergyICT Connexo; NURI headers",
    record=Record(
        "SELF_READ_DATA_RCD",
        "LIST_STATUS" / BFLD(
            "LIST_STATUS_BFLD", UINT8,
            "ORDER" / UINT(0, 0) * "0 entry N is older than N + 1, 1 the other way round.",
            "OVERFLOW_FLAG" / BOOL(1) * "More unread entries than the list holds.",
            "LIST_TYPE" / UINT(2, 2) * "0 FIFO, 1 circular.",
            "INHIBIT_OVERFLOW_FLAG" / BOOL(3) * "As in ST21: unread entries are not overwritten.",
            FILL(4, 7),
        ) * "State of the list.",
        "NBR_VALID_ENTRIES" / UINT8 * "Entries that mean something.",
        "LAST_ENTRY_ELEMENT" / UINT8 * "Index of the newest entry.",
        "LAST_ENTRY_SEQ_NBR" / UINT16 * "Sequence number of the newest entry.",
        "NBR_UNREAD_ENTRIES" / UINT8 * "Entries that nobody acknowledged.",
        "SELF_READS_ENTRIES" / Array(ST21.NBR_SELF_READS, SELF_READ_RCD) * "All entries, used or not.",
    ),
)  # fmt: skip

PRESENT_REGISTER_SELECT_TBL = Table(
    number=27,
    name="PRESENT_REGISTER_SELECT_TBL",
    title="Present Register Selection",
    role="control",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    record=Record(
        "PRESENT_REGISTER_SELECT_RCD",
        "PRESENT_DEMAND_SELECT" / Array(ST21.NBR_PRESENT_DEMANDS, SOURCE_SELECT) * "Source of each present demand.",
        "PRESENT_VALUE_SELECT" / Array(ST21.NBR_PRESENT_VALUES, SOURCE_SELECT) * "Source of each present value.",
    ),
)

PRESENT_DEMAND_RCD = Record(
    "PRESENT_DEMAND_RCD",
    "TIME_REMAINING" / If(ST21.REG_FUNC1_FLAGS.TIME_REMAINING_FLAG, TIME) * "Time left in the demand interval.",
    "DEMAND_VALUE" / NI_FMAT2 * "Demand so far, in the unit of its source.",
)

PRESENT_REGISTER_DATA_TBL = Table(
    number=28,
    name="PRESENT_REGISTER_DATA_TBL",
    title="Present Register Data",
    role="data",
    since="1997",
    confidence="V",
    source="NIST n0mcli; EnergyICT Connexo; Cannon Yukon",
    doc="Changes all the time: read it in one request.",
    record=Record(
        "PRESENT_REGISTER_DATA_RCD",
        "PRESENT_DEMAND" / Array(ST21.NBR_PRESENT_DEMANDS, PRESENT_DEMAND_RCD)
        * "Entry k belongs to ST27.PRESENT_DEMAND_SELECT[k].",
        "PRESENT_VALUE" / Array(ST21.NBR_PRESENT_VALUES, NI_FMAT1) * "Value k belongs to ST27.PRESENT_VALUE_SELECT[k].",
    ),
)  # fmt: skip

TABLES = (
    DIM_REGS_TBL, ACT_REGS_TBL, DATA_SELECTION_TBL, CURRENT_REG_DATA_TBL, PREVIOUS_SEASON_DATA_TBL,
    PREVIOUS_DEMAND_RESET_DATA_TBL, SELF_READ_DATA_TBL, PRESENT_REGISTER_SELECT_TBL, PRESENT_REGISTER_DATA_TBL,
)  # fmt: skip
