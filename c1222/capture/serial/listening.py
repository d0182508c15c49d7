"""From packets of both ends to messages: repetitions dropped, parts put together, each answer next to its request.

Who sent a packet is told by what it says, a request or an answer, and not by what a log calls its direction: what one
program calls TX another one receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.capture.message import Counters
from c1222.capture.network.framing import Apdu, make_apdu
from c1222.capture.serial.message import SERIAL, SerialMessage
from c1222.capture.tally import Tally
from c1222.errors import DecodeError, Finding, Level
from c1222.serial.line import DamagedPacket, LineNoise
from c1222.serial.localport.services import SendMessageRequest
from c1222.serial.packet import FIRST_PACKET, MAX_DATA, MAX_PACKETS, MULTI_PACKET, LinkOctet, SerialPacket
from c1222.serial.series import Series
from c1222.services import Effect, decode_request, decode_response
from c1222.services.identify import IdentifyRequest
from c1222.services.responses import ErrorResponse

if TYPE_CHECKING:
    from c1222.serial.line import LineItem

__all__ = ["SerialListener", "SerialPairing", "answers"]

_ANSWERS_BELOW: Final = 0x20
_IDENTIFY: Final = IdentifyRequest().encode()
_CLIENT, _DEVICE = 0, 1
_OK: Final = b"\0"
_PORT_ENDS: Final = ("port:1", "port:2")
"""The ends of a local port, in which either may ask: which of them is the device does not show."""

_REASONS: Final[dict[str, tuple[Level, str] | None]] = {
    "packets": None,
    "acknowledged": None,
    "repeated": ("note", "packets that were sent again"),
    "refused": ("note", "packets refused with 15"),
    "toggle-fault": ("warning", "packets whose toggle bit did not flip, taken as new"),
    "swapped-crc": ("warning", "packets whose CRC has its high octet first"),
    "empty": ("note", "empty packets, which supervise a line of C12.22"),
    "damaged": ("warning", "packets that were damaged or cut off"),
    "noise": ("note", "times that octets between packets mean nothing"),
    "delivered": None,
    "series-broken": ("warning", "messages of several packets that lack some"),
}


def answers(octets: bytes, asked: bytes) -> bool:
    """Tell whether octets can be the answer to a request.

    Args:
        octets: of the answer.
        asked: of the request.
    """
    try:
        request = decode_request(asked)
        response = decode_response(octets, request)
    except DecodeError:
        return False
    return not response.trailing or isinstance(response, ErrorResponse) or isinstance(request, IdentifyRequest)


class _End:
    """What is known of one end: its last packet, and the message it is sending."""

    def __init__(self) -> None:
        self.last: SerialPacket | None = None
        self.series = Series(MAX_DATA * MAX_PACKETS)
        self.first: SerialPacket | None = None
        self.frames: tuple[int, ...] = ()


class SerialListener:
    """Takes what was found on a line, in order.

    Attributes:
        tally: packets and what became of them.
    """

    def __init__(self) -> None:
        self.tally = Tally("serial", _REASONS)
        self._ends = (_End(), _End())
        self._sending: dict[str | None, int] = {}
        self._spoke_last = _DEVICE
        self._passed_on = 0

    def take(self, item: LineItem, way: str | None, time_ns: int) -> SerialMessage | Apdu | None:
        """Take what comes next; return the message that it completes, or the APDU that a local port passes on.

        Args:
            item: packet, acknowledgement, damage or noise.
            way: the direction that it was recorded for, None where both are in one.
            time_ns: when it was there, or `UNTIMED`.
        """
        tally, number = self.tally, self.tally["packets"] + 1
        if isinstance(item, SerialPacket):
            tally.note("packets", number)
            return self._packet(item, number, way, time_ns)
        if isinstance(item, DamagedPacket):
            tally.note("damaged", number, str(item.error))
        elif isinstance(item, LineNoise):
            tally.note("noise", number, f"{item.count} octets")
        else:
            tally.note("acknowledged" if item == LinkOctet.ACK else "refused", number)
        return None

    def _packet(self, packet: SerialPacket, number: int, way: str | None, time_ns: int) -> SerialMessage | Apdu | None:
        tally = self.tally
        if packet.swapped_crc:
            tally.note("swapped-crc", number)
        if not packet.data:
            tally.note("empty", number)
            return None
        if packet.control & MULTI_PACKET and not packet.control & FIRST_PACKET:
            sender = self._sending.get(way, _CLIENT)
        else:
            sender = self._sending[way] = _DEVICE if packet.data[0] < _ANSWERS_BELOW else _CLIENT
        end, spoke_last = self._ends[sender], self._spoke_last
        last, end.last, self._spoke_last = end.last, packet, sender
        # Identify with the same octets is a new one, unless nobody has answered.
        if packet == last and (packet.data != _IDENTIFY or spoke_last == sender):
            tally.note("repeated", number)
            return None
        if last is not None and packet.toggle == last.toggle and packet.data != _IDENTIFY:
            tally.note("toggle-fault", number)
        if packet.control & FIRST_PACKET or not packet.control & MULTI_PACKET:
            end.first, end.frames = packet, ()
        try:
            message = end.series.take(packet, MAX_PACKETS)
        except DecodeError as error:
            tally.note("series-broken", number, error.reason)
            return None
        end.frames = (*end.frames, number)
        if message is None or end.first is None:
            return None
        if end.first.data_format:
            if message[0] == SendMessageRequest.code:
                self._passed_on += 1
                return _apdu(message, end.frames, way, time_ns)
            if message == _OK and self._passed_on:
                self._passed_on -= 1
                tally.note("delivered", number)
                return None
        return SerialMessage.heard(message, end.first, end.frames, time_ns)

    def findings(self) -> list[Finding]:
        """Return what is odd about the line; complete once all was taken."""
        return self.tally.findings()


def _apdu(message: bytes, frames: tuple[int, ...], way: str | None, time_ns: int) -> Apdu | None:
    """Return the APDU in a message of a local port; None if there is none."""
    try:
        request = SendMessageRequest.decode(message)
    except DecodeError:
        return None
    src, dst = _PORT_ENDS if way != "<" else _PORT_ENDS[::-1]
    return make_apdu((frames[-1], time_ns, src, dst, SERIAL, request.apdu, frames, (), 0))


class SerialPairing:
    """Puts each answer next to its request.

    Attributes:
        counters: messages, as of a capture.
        tries: how many passwords and proofs of keys were presented.
        refused: how many of them were refused.
    """

    def __init__(self) -> None:
        self.counters = Counters()
        self.tries = self.refused = 0
        self._asked: SerialMessage | None = None

    def take(self, message: SerialMessage) -> None:
        """Take the next message, and tell it what it answers."""
        counters, asked = self.counters, self._asked
        counters.cleartext += 1
        if not message.is_response:
            self._asked = message
        else:
            counters.responses += 1
            if asked is not None and answers(message.octets, asked.octets):
                message.answer_to(asked)
                self._asked = None
            else:
                counters.unpaired += 1
                if asked is not None:
                    text = f"it cannot be the answer to frame {asked.frame}; perhaps to an older request"
                    message.noted = (Finding("warning", "late-answer", "service", 0, text),)
        self._count_tries(message)

    def findings(self) -> list[Finding]:
        """Return how often a password was tried."""
        if not self.tries:
            return []
        text = f"passwords and proofs of keys presented: {self.tries}, refused: {self.refused}"
        return [Finding("note", "password-tries", "serial.session", None, text)]

    def _count_tries(self, message: SerialMessage) -> None:
        for service in message.services:
            request = getattr(service, "request", service)
            if getattr(request, "effect", None) == Effect.PROVES:
                self.tries += not message.is_response
                self.refused += isinstance(service, ErrorResponse)
