"""Code lists of the procedure tables ST7 and ST8: results, when a response is posted, lists of procedures 4 and 5."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["ListNumber", "ResponseSelector", "ResultCode", "result_text"]


class ResultCode(IntEnum):
    """ST8 RESULT_CODE. V: termineter, EnergyICT/Honeywell head-end, Elster MeteringSDK, OSGP programmer's guides.

    7..255 are reserved, but devices return codes of their own there.
    """

    COMPLETED = 0
    """Done."""
    NOT_FULLY_COMPLETED = 1
    """Accepted, not finished: ask again later. Some devices answer this finally, so bound the polling."""
    INVALID_PARAMETER = 2
    CONFLICTS_WITH_SETUP = 3
    TIMING_CONSTRAINT = 4
    NO_AUTHORIZATION = 5
    UNRECOGNIZED_PROCEDURE = 6


_RESULT_TEXT: Final[dict[int, str]] = {
    ResultCode.COMPLETED: "done",
    ResultCode.NOT_FULLY_COMPLETED: "accepted, not finished",
    ResultCode.INVALID_PARAMETER: "a parameter is invalid; ignored",
    ResultCode.CONFLICTS_WITH_SETUP: "conflicts with the present setup; ignored",
    ResultCode.TIMING_CONSTRAINT: "timing constraint; ignored",
    ResultCode.NO_AUTHORIZATION: "not authorized; ignored",
    ResultCode.UNRECOGNIZED_PROCEDURE: "procedure not known; ignored",
}


def result_text(code: int) -> str:
    """Return an ST8 RESULT_CODE (0..255) in words; it answers for every code."""
    return _RESULT_TEXT.get(code) or f"reserved result {code}, perhaps the procedure's own"


class ResponseSelector(IntEnum):
    """SELECTOR of ST7 PROC, bits 12..15: when ST8 gets a response. 4..15 are reserved.

    V: termineter, EnergyICT/Honeywell head-end.
    """

    ON_COMPLETION = 0
    ON_EXCEPTION = 1
    NEVER = 2
    NOW_AND_ON_COMPLETION = 3


class ListNumber(IntEnum):
    """LIST, the parameter of procedures 4 and 5 and the argument of events 14 and 15.

    1: EnergyICT/Honeywell head-end. 0 and 9..254 are reserved.
    """

    EVENT_LOG = 1
    """ST76."""
    SELF_READ_DATA = 2
    """ST26."""
    LP_DATA_SET1 = 3
    """ST64."""
    LP_DATA_SET2 = 4
    """ST65."""
    LP_DATA_SET3 = 5
    """ST66."""
    LP_DATA_SET4 = 6
    """ST67."""
    LP_DATA_ALL_SETS = 7
    """ST64..ST67."""
    HISTORY_LOG = 8
    """ST74."""
    ALL_LISTS = 255
    """All lists; the one source says: except the event log."""
