"""Faults of a serial line, of the plan of a node: what becomes of the octets that a meter sends and hears."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from c1222.serial.packet import TOGGLE, LinkOctet, crc16

if TYPE_CHECKING:
    from c1222.message.aptitle import ApTitle
    from c1222.node.network.faults import FaultPlan

__all__ = ["LineFaults"]

_SOME: Final = 5


class LineFaults:
    """What goes wrong on one line.

    Args:
        plan: the plan.
        title: of the meter at the line.
    """

    def __init__(self, plan: FaultPlan, title: ApTitle) -> None:
        self._plan, self._title = plan, title
        self._random = Random(str(title))  # noqa: S311 - chance for tests

    def came(self, octets: bytes) -> bytes:
        """Return what is sent back at once of what came in."""
        return octets if self._plan and self._plan.of_line(self._title, "echo") else b""

    def sent(self, octets: bytes) -> tuple[bytes, float]:
        """Return what goes out for a packet or an acknowledgement, and how many seconds later."""
        if not self._plan:
            return octets, 0.0
        if len(octets) == 1:
            late = self._plan.of_line(self._title, "late-ack") if octets[0] == LinkOctet.ACK else []
            return octets, sum(fault.seconds for fault in late)
        if self._plan.of_line(self._title, "stuck-toggle"):
            octets = _with_toggle_down(octets)
        for fault in self._plan.of_line(self._title, "lost-octets"):
            for _ in range(fault.octets or 1):
                place = self._random.randrange(len(octets))
                octets = octets[:place] + octets[place + 1 :]
        for fault in self._plan.of_line(self._title, "noise"):
            octets = self._random.randbytes(fault.octets or _SOME) + octets
        return octets, 0.0


def _with_toggle_down(packet: bytes) -> bytes:
    changed = packet[:2] + bytes((packet[2] & ~TOGGLE,)) + packet[3:-2]
    return changed + crc16(changed).to_bytes(2, "little")
