"""Events of C12.19 and the codes that open DLMS profiles have in common, both ways.

Codes 1 to 19, 40 to 47 and 255 are common to DSMR and IDIS-like profiles [V]; those from 48 on differ by profile and
are not used. Which tier or element an event is about stays in its argument.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["EVENTS_TO_COSEM", "EventRow", "c1219_event", "cosem_event"]


class EventRow(NamedTuple):
    """One event code of C12.19.

    Attributes:
        code: event of ST72.
        cosem: code of the standard event log; None if profiles have none in common.
        fidelity: E exact, L with a loss, C by our convention, N none.
        confidence: V two sources, 1 one, ? our reading.
    """

    code: int
    cosem: int | None
    fidelity: str
    confidence: str = "V"


EVENTS_TO_COSEM: Final = (
    EventRow(1, 1, "E"), EventRow(2, 2, "E"), EventRow(3, 4, "E"), EventRow(5, 4, "E"), EventRow(4, 5, "E"),
    EventRow(6, 5, "E"), EventRow(9, 47, "L", "?"), EventRow(58, 47, "L", "?"), EventRow(63, 47, "L", "?"),
    EventRow(68, 47, "L", "?"), EventRow(10, 47, "L", "1"), EventRow(59, 47, "L", "1"), EventRow(64, 47, "L", "1"),
    EventRow(69, 47, "L", "1"), EventRow(11, 47, "L", "1"), EventRow(36, 47, "L", "1"), EventRow(60, 47, "L", "1"),
    EventRow(65, 47, "L", "1"), EventRow(70, 47, "L", "1"), EventRow(16, 255, "E"), EventRow(18, 255, "E"),
    EventRow(22, 3, "L"), EventRow(23, 3, "L"), EventRow(28, 47, "L", "?"), EventRow(37, 12, "C", "?"),
    EventRow(38, 15, "C", "?"), EventRow(39, 13, "E"), EventRow(40, 12, "E"), EventRow(41, 14, "E"),
    EventRow(42, 6, "E"), EventRow(43, 16, "E"), EventRow(44, 8, "E"),
)  # fmt: skip
"""Every other event has no code that profiles have in common."""

_TO_COSEM: Final = {row.code: row.cosem for row in EVENTS_TO_COSEM}
_BACK: Final = {
    1: 1, 2: 2, 3: 22, 4: 3, 5: 4, 6: 42, 7: 44, 8: 44, 9: 28, 12: 40, 13: 39, 14: 41, 15: 38, 16: 43, 17: 10, 18: 28,
    19: 10, 40: 47, 42: 47, 44: 47, 46: 13, 47: 11, 255: 18,
}  # fmt: skip
"""Event of C12.19 that a common code is; 22 stands for 23 too, which status bit 7 of the time tells apart."""
_DST_OFF: Final = 23
_DST: Final = 3


def cosem_event(code: int, *, manufacturer: bool = False) -> int | None:
    """Return the code of the standard event log for an event; None if profiles have none in common.

    Args:
        code: event of ST72.
        manufacturer: it is an event of the manufacturer's.
    """
    return None if manufacturer else _TO_COSEM.get(code)


def c1219_event(code: int, *, dst: bool | None = None) -> int | None:
    """Return the event of C12.19 for a code of the standard event log; None if it has none.

    Args:
        code: of the standard event log.
        dst: daylight saving time is in effect after it, by the status of its time.
    """
    if code == _DST and dst is False:
        return _DST_OFF
    return _BACK.get(code)
