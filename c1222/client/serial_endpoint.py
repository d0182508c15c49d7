"""A serial line as the endpoint of a blocking client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.message.ber import MAX_APDU_OCTETS
from c1222.serial.link_events import ChangeRate

if TYPE_CHECKING:
    from c1222.transport.lines.blocking import Line

__all__ = ["SerialEndpoint"]


class SerialEndpoint:
    """What a `SerialInitiator` gives out goes to a line, and what the line brings back.

    Args:
        line: the line; closed with this.

    Attributes:
        reliable: True: who is at the other end of a line is known.
        max_size: no limit of its own.
    """

    reliable = True
    max_size = MAX_APDU_OCTETS

    def __init__(self, line: Line) -> None:
        self._line = line

    def send(self, item: bytes | ChangeRate) -> None:
        """Send octets, or change the rate once all is sent."""
        if isinstance(item, ChangeRate):
            self._line.set_rate(item.rate)
        else:
            self._line.send(item)

    def receive(self, timeout: float | None) -> bytes | None:
        """Wait for octets, so many seconds."""
        return self._line.receive(timeout)

    def close(self) -> None:
        """Close the line."""
        self._line.close()
