"""Octets that arrive at one end of a serial line, and what has to come of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.serial.packet import LinkOctet, SerialPacket, cut
from c1222.services.identify import IdentifyRequest, IdentifyResponse

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "serial-streams"
PURPOSE = "Octets that arrive at one end of a serial line, and what it sends and takes"
ACK, NAK = bytes((LinkOctet.ACK,)), bytes((LinkOctet.NAK,))
REQUEST = IdentifyRequest().encode()
ANSWER = IdentifyResponse(0, 1, 0).encode()
_NOISE = b"\x00\x55\x7f\xff"
_ASKED = {"say": REQUEST.hex()}


def hear(*octets: bytes) -> dict[str, Any]:
    """Return the step in which octets arrive."""
    return {"hear": b"".join(octets).hex()}


def packet(data: bytes, toggle: int = 0, *, identity: int = 0) -> bytes:
    """Return the octets of a single packet."""
    return SerialPacket(data, identity, 0x20 * toggle).encode()


def damaged(octets: bytes) -> bytes:
    """Return octets whose last bit is wrong."""
    return octets[:-1] + bytes((octets[-1] ^ 1,))


def cases(author: Author) -> None:
    rng = author.rng
    author.group(
        "asks", "link.play", "The end that asks, which has sent Identify. Time is 10 ms a step, or as `wait` takes.",
        role="asks",
    )  # fmt: skip
    answer = packet(ANSWER)

    def asked(comment: str, *octets: bytes, flags: tuple[str, ...] = (), steps: Any = (), **rest: Any) -> None:
        author.valid(comment, *flags, steps=[_ASKED, hear(*octets), *steps], **rest)

    wait = {"wait": True}
    asked("acknowledgement and answer in one", ACK, answer)
    asked("noise before", bytes(rng.choices(_NOISE, k=3)), ACK, answer, flags=("LineNoise",))
    asked("noise between", ACK, b"\x55\xff", answer, flags=("LineNoise",))
    asked("a packet where an acknowledgement is due", answer, ACK, answer, flags=("AnswerInDoubt",))
    asked("the answer damaged, and again", ACK, damaged(answer), answer, flags=("Crc16",))
    asked("the answer cut off, and again", ACK, answer[:-1], flags=("Truncated",), steps=(wait, hear(answer)))
    asked("the last octet of the CRC missing, and again", ACK, answer[:-1], answer, flags=("MissingCrcOctet",))
    asked("the answer twice", ACK, answer, answer, flags=("Repetition",))
    asked("its own packet, then the answer", packet(REQUEST), ACK, answer, flags=("LineEcho",), echo=True)
    asked("as many octets of echo as were sent", packet(REQUEST) + ACK, answer + ACK, flags=("LineEcho",), echo=True)
    asked("an answer of another device", ACK, packet(ANSWER, identity=7), identity=2)
    asked("65535 octets announced", ACK, bytes.fromhex("ee000000ffff"), bytes(50), flags=("PacketSize",), steps=(wait,))
    steps = [{"say": bytes(57).hex()}]
    author.invalid("a message larger than a packet", "PacketSize", steps=steps)
    author.invalid("a second message before the first is answered", "OneAtATime", steps=[_ASKED, _ASKED])
    author.group("answers", "link.play", "The end that answers.", role="answers")
    _answering(author)


def _answering(author: Author) -> None:
    rng = author.rng
    request = packet(REQUEST)

    def heard(comment: str, *octets: bytes, flags: tuple[str, ...] = (), wait: bool = False, **rest: Any) -> None:
        author.valid(comment, *flags, steps=[hear(*octets), *([{"wait": True}] if wait else [])], **rest)

    heard("a request", request)
    heard("a request that is damaged, and again", damaged(request), request, flags=("Crc16",))
    heard("a request that is cut off", request[:7], flags=("Truncated",), wait=True)
    read = packet(b"\x30" + rng.randbytes(2))
    heard("a request twice", read, read, flags=("Repetition",))
    heard("Identify twice is asked for twice", request, request, flags=("IdentifyAgain",))
    other = packet(b"\x30" + rng.randbytes(2))
    heard("another request with the same toggle", read, other, flags=("ToggleFault",))
    heard("the same request with the other toggle", read, packet(SerialPacket(read[6:-2]).data, 1))
    heard(
        "a packet that looks as if it held another",
        packet(b"\x40\0\x07\0\x09" + request + b"\0"),
        flags=("NoStuffing",),
    )
    heard("an octet more than fits", packet(bytes(57)), flags=("PacketSize",), wait=True)
    heard("an empty packet", SerialPacket(b"").encode(), flags=("EmptyPacket",))
    heard("data format 1, where services are spoken", SerialPacket(b"\x20", control=1).encode(), flags=("DataFormat",))
    heard("a request for another device", packet(REQUEST, identity=7), identity=2)
    heard("a request for all devices", packet(REQUEST), identity=2)
    message = b"\x40" + rng.randbytes(139)
    parts = cut(message, 0, packets=3)
    heard("a request of three packets", *parts, packets=3, flags=("SeriesOfPackets",))
    heard("one of its parts twice", parts[0], parts[1], parts[1], parts[2], packets=3, flags=("Repetition",))
    heard("a part missing", parts[0], parts[2], packets=3, flags=("SeriesBroken",))
    heard("begun anew", parts[0], parts[1], *cut(message, 0, packets=3), packets=3, flags=("SeriesBroken",))
    heard("a part without a first", parts[1], packets=3, flags=("SeriesBroken",))
    heard("more packets than agreed on", *parts, packets=2, flags=("SeriesBroken",))
    author.invalid("an answer larger than a packet", "PacketSize", steps=[hear(request), {"say": bytes(57).hex()}])
