"""A message of a serial line: one service or its answer, as a message of a capture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

from c1222.capture.message import CapturedMessage
from c1222.message.epsem import SecurityMode, encode_body
from c1222.protocol.message import Message
from c1222.security.sealing import Verdict

if TYPE_CHECKING:
    from c1222.serial.packet import SerialPacket

__all__ = ["CLIENT", "SERIAL", "SerialMessage", "device_end"]

SERIAL: Final = "serial"
"""What stands for the transport."""
CLIENT: Final = "client"
"""The end that asks; a device is called by its identity."""
_REQUESTS_FROM: Final = 0x20


def device_end(identity: int) -> str:
    """Return what the end that answers is called: ``device:0`` with C12.18."""
    return f"device:{identity}"


class SerialMessage(CapturedMessage):
    """One service of C12.18 or C12.21, or the answer to one.

    It has no titles, no numbers and no security: those members are None, and its mode is cleartext.

    Attributes:
        identity: of the device, out of the packets.
        toggle: toggle bit of the first packet.
    """

    __slots__ = ("identity", "toggle")

    identity: int
    toggle: int

    @classmethod
    def heard(
        cls,
        octets: bytes,
        first: SerialPacket,
        frames: tuple[int, ...],
        time_ns: int,
    ) -> Self:
        """Make one of its packets.

        Args:
            octets: the service, at least one octet.
            first: the first of its packets.
            frames: numbers of its packets.
            time_ns: when the last of them was there, or `UNTIMED`.
        """
        self = cls.received(None, octets, ((0, len(octets)),))
        for part in Message.PARTS:
            setattr(self, part, None)
        self.security_mode = SecurityMode.CLEARTEXT
        self.octets = octets
        self.identity, self.toggle = first.identity, first.toggle
        ends = CLIENT, device_end(first.identity)
        self.src, self.dst = ends[::-1] if self.is_response else ends
        self.frame, self.segments = frames[-1], frames if len(frames) > 1 else None
        self.time_ns, self.transport = time_ns, SERIAL
        self.reply_to = self.request_verified = None
        return self

    def answer_to(self, request: SerialMessage) -> None:
        """Say what it answers, before its services are asked for."""
        self.reply_to, self._asked = request.frame, request.request_body

    @property
    def is_message(self) -> bool:
        """That it is one."""
        return True

    @property
    def body(self) -> bytes:
        """The service."""
        return self._body

    @property
    def is_response(self) -> bool:
        """Whether it answers, which its first octet tells."""
        return self._body[0] < _REQUESTS_FROM

    @property
    def verdict(self) -> Verdict:
        """That it is in cleartext."""
        return Verdict.CLEARTEXT

    @property
    def request_body(self) -> bytes:
        """The service with its length, as a response needs it to be read."""
        return encode_body((self._body,))

    def _path(self, index: int, path: str) -> str:  # noqa: ARG002 - there is one service
        return f"service.{path}"

    def _offset(self, index: int, offset: int | None) -> int | None:  # noqa: ARG002
        return offset

    def _frames(self) -> dict[str, Any]:
        return {**super()._frames(), "link": {"identity": self.identity, "toggle": self.toggle}}

    def __repr__(self) -> str:
        kind = "answers" if self.is_response else "asks"
        return f"<SerialMessage {self.src} {kind} {self.dst} [{', '.join(str(one.service) for one in self.services)}]>"
