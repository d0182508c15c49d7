"""A message out of the packets of a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c1222.errors import DecodeError, LimitExceeded
from c1222.serial.packet import FIRST_PACKET, MULTI_PACKET

if TYPE_CHECKING:
    from c1222.serial.packet import SerialPacket

__all__ = ["Series"]


class Series:
    """Puts parts together: the first one says how many follow, each must be the next one, 0 is the last [V].

    Args:
        max_message: most octets of a message.
        max_restarts: how often a sender may begin anew before its message is given up.
    """

    __slots__ = ("_expected", "_held", "_max_message", "_max_restarts", "_restarts")

    def __init__(self, max_message: int, max_restarts: int = 8) -> None:
        self._max_message = max_message
        self._max_restarts = max_restarts
        self._held = bytearray()
        self._expected = -1
        self._restarts = 0

    def drop(self) -> None:
        """Forget the parts that are here."""
        self._held.clear()
        self._expected = -1
        self._restarts = 0

    def take(self, packet: SerialPacket, packets: int) -> bytes | None:
        """Take the next packet; return the message if it is whole, None if parts are to come.

        Args:
            packet: not a repetition.
            packets: how many a message may have.

        Raises:
            DecodeError: a part is missing, or there is no series that it goes on.
            LimitExceeded: more packets or octets than agreed on, or a sender that begins again and again.
        """
        if not packet.control & MULTI_PACKET:
            self.drop()
            return packet.data
        if packet.control & FIRST_PACKET:
            self._restarts += 1
            self._held.clear()
            self._expected = packet.sequence
            if packet.sequence >= packets or self._restarts > self._max_restarts:
                count, again = packet.sequence + 1, self._restarts - 1
                self.drop()
                text = f"{count} packets announced, {packets} agreed on" if not again else f"begun {again} times anew"
                raise LimitExceeded("packet.sequence", 3, text)
        expected = self._expected
        if expected < 0 or packet.sequence != expected:
            self.drop()
            text = f"part {packet.sequence} of a series, and " + (
                f"{expected} is next" if expected >= 0 else "no first"
            )
            raise DecodeError("packet.sequence", 3, text)
        if len(self._held) + len(packet.data) > self._max_message:
            self.drop()
            raise LimitExceeded("packet.data", 6, f"a message of more than {self._max_message} octets")
        self._held += packet.data
        self._expected -= 1
        if self._expected >= 0:
            return None
        message = bytes(self._held)
        self.drop()
        return message
