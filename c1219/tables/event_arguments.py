"""Arguments of standard events, as the logs ST74 and ST76 carry them."""

from __future__ import annotations

from typing import Any

from c1219.codes.events import Argument, EventCode
from c1219.datatypes import CODED, STIME_DATE, TABLE_IDA_BFLD, TABLE_IDC_BFLD, UINT8, UINT16, WireType
from c1219.schema import Record, Variant
from c1219.tableid import MANUFACTURER

__all__ = ["EVENT_ARGUMENTS", "event_argument"]

_TYPES: dict[str, WireType] = {
    "UINT8": UINT8,
    "UINT16": UINT16,
    "STIME_DATE": STIME_DATE,
    "TABLE_IDA_BFLD": TABLE_IDA_BFLD,
    "TABLE_IDC_BFLD": TABLE_IDC_BFLD,
}


def _element(argument: Argument) -> Any:
    type_ = _TYPES[argument.type]
    return argument.name / (CODED(type_, argument.codes) if argument.codes else type_) * argument.text


EVENT_ARGUMENTS: dict[int, Record] = {
    code.value: Record(f"{code.name}_ARGUMENT_RCD", *map(_element, code.facts.argument))
    for code in EventCode
    if code.facts.argument
}
"""Record of the argument by standard event code; codes without an argument, or without a known one, are not here."""


def event_argument(length: Any, code: Any) -> Variant:
    """Declare HISTORY_ARGUMENT or EVENT_ARGUMENT.

    Args:
        length: ST71.HIST_DATA_LENGTH or ST71.EVENT_DATA_LENGTH, octets. The argument may be shorter (the rest is
            padding) or longer (then it is cut).
        code: the TABLE_IDB_BFLD before it, for example ``this.EVENT_CODE``; a manufacturer's code finds no record.
    """
    return Variant(length, code.TBL_PROC_NBR + MANUFACTURER * code.STD_VS_MFG_FLAG, EVENT_ARGUMENTS)
