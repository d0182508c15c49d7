"""Decade 2: registers (ST20 to ST28)."""

from __future__ import annotations

from c1219.datatypes import BFLD, BOOL, FILL, NI_FMAT1, NI_FMAT2, STIME_DATE, UINT, UINT8
from c1219.schema import Array, Doc, If, Record, Table, device

__all__ = ["ACT_REGS_TBL", "CURRENT_REG_DATA_TBL", "DATA_BLK_RCD", "REGISTER_DATA_RCD", "TABLES"]

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

ACT_REGS_TBL = Table(
    number=21,
    name="ACT_REGS_TBL",
    title="Actual Registers",
    role="actual",
    since="1997",
    confidence="V",
    source="EPRI c12test; NIST n0mcli",
    record=REGS_RCD,
)

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

TABLES = (ACT_REGS_TBL, CURRENT_REG_DATA_TBL)
