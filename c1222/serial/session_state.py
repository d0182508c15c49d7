"""Which service of C12.18 and C12.21 may be asked for when, and where its ok leads: one table for both ends, as data.

Outside of a session (BASE) a device says who it is, and no more. Then (IDENTIFIED) the link can be set up, and a Logon
opens the session. Terminate, Disconnect and silence lead back to the beginning. Origin: EnergyICT's drivers and an open
device [V]; the cells of Terminate and Disconnect in BASE are inference [?].
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from c1222.services.codec import SERVICE_NAMES
from c1222.services.results import Isss, Sns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1222.services.results import Refusal

__all__ = ["SERIAL_SESSION", "SerialState", "serial_way"]


class SerialState(StrEnum):
    """Where a session over a serial line is."""

    BASE = "base"
    IDENTIFIED = "identified"
    SESSION = "in session"


_BASE, _ID, _SESSION = SerialState.BASE, SerialState.IDENTIFIED, SerialState.SESSION
_IN_SESSION: Final = (Isss, Isss, _SESSION)

SERIAL_SESSION: Final[Mapping[str, tuple[SerialState | type[Refusal], ...]]] = {
    # service       while BASE  IDENTIFIED  in a SESSION
    "identify": (_ID, Isss, Isss),
    "negotiate": (Isss, _ID, Isss),
    "timing-setup": (Isss, _ID, Isss),
    "logon": (Isss, _SESSION, Isss),
    "wait": (Isss, _ID, _SESSION),
    "logoff": (Isss, Isss, _ID),
    "terminate": (_BASE, _BASE, _BASE),
    "disconnect": (_BASE, _BASE, _BASE),
    "security": _IN_SESSION,
    "authenticate": _IN_SESSION,
    **{name: _IN_SESSION for name in SERVICE_NAMES.values() if name.startswith(("read", "write"))},
}
"""Service -> what an ok answer leads to, or the refusal, in each state. What is not here is not supported (sns)."""


def serial_way(service: str, state: SerialState) -> SerialState | type[Refusal]:
    """Return where an ok to a service leads in a state, or what refuses it there."""
    ways = SERIAL_SESSION.get(service)
    return Sns if ways is None else ways[list(SerialState).index(state)]
