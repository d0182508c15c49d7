"""Requests and answers over a serial line, from each end: acknowledgements, repetitions, failures, series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from c1222.serial.packet import cut
from c1222.vectors.families.serial.streams import ACK, ANSWER, NAK, REQUEST, damaged, hear, packet

if TYPE_CHECKING:
    from c1222.vectors.author import Author

__all__ = ["NAME", "PURPOSE", "cases"]

NAME = "serial-exchanges"
PURPOSE = "Requests and answers over a serial line, from each end, with what goes wrong on the way"
_WAIT: dict[str, Any] = {"wait": True}


def say(message: bytes) -> dict[str, Any]:
    """Return the step in which a message is to be sent."""
    return {"say": message.hex()}


def cases(author: Author) -> None:
    _asking(author)
    _answering(author)


def _asking(author: Author) -> None:
    rng = author.rng
    author.group("asks", "link.play", "The end that asks.", role="asks")
    ask, answered = say(REQUEST), hear(ACK, packet(ANSWER))
    second = say(b"\x30" + rng.randbytes(2)), hear(ACK, packet(b"\x05", 1))
    author.valid("two exchanges; each end flips its toggle", steps=[ask, answered, *second])
    author.valid("the request refused, and sent again", "Repetition", steps=[ask, hear(NAK), answered])
    author.valid("the acknowledgement lost, and the request sent again", "Repetition", steps=[ask, _WAIT, answered])
    author.valid("refused four times", "Retries", steps=[ask, *[hear(NAK)] * 4])
    author.valid("silence four times", "Retries", steps=[ask, *[_WAIT] * 4])
    author.valid("no answer, though it was acknowledged", "Retries", steps=[ask, hear(ACK), _WAIT])
    author.valid(
        "the answer is refused until it is right", "Crc16",
        steps=[ask, hear(ACK), hear(damaged(packet(ANSWER))), hear(damaged(packet(ANSWER))), hear(packet(ANSWER))],
    )  # fmt: skip
    message = rng.randbytes(130)
    parts = cut(b"\0" + message, 0, packets=3)
    author.valid(
        "an answer of three packets", "SeriesOfPackets", steps=[ask, hear(ACK), *map(hear, parts)], packets=3
    )  # fmt: skip
    author.valid(
        "of which one is missing", "SeriesBroken", steps=[ask, hear(ACK), hear(parts[0]), hear(parts[2])], packets=3
    )
    author.valid(
        "a request of three packets, the second refused once", "SeriesOfPackets", packets=3,
        steps=[say(b"\x40" + message), hear(ACK), hear(NAK), hear(ACK), hear(ACK, packet(b"\0"))],
    )  # fmt: skip
    author.valid(
        "an answer whose toggle does not flip is taken", "ToggleFault",
        steps=[ask, answered, second[0], hear(ACK, packet(b"\x05"))],
    )  # fmt: skip
    author.invalid("another request while the line is down", "OneAtATime", steps=[ask, *[_WAIT] * 4, ask])


def _answering(author: Author) -> None:
    rng = author.rng
    author.group("answers", "link.play", "The end that answers.", role="answers")
    request, write = packet(REQUEST), packet(b"\x40" + rng.randbytes(9), 1)
    identified = [hear(request), say(ANSWER), hear(ACK)]
    author.valid("two exchanges", steps=[*identified, hear(write), say(b"\0"), hear(ACK)])
    author.valid("the answer refused, and sent again", "Repetition", steps=[*identified[:2], hear(NAK), hear(ACK)])
    author.valid("its acknowledgement lost, and sent again", "Repetition", steps=[*identified[:2], _WAIT, hear(ACK)])
    author.valid("silence four times", "Retries", steps=[*identified[:2], *[_WAIT] * 4])
    author.valid(
        "the request again before it is answered: acknowledged, and not carried out again", "Repetition",
        steps=[*identified, hear(write), hear(write), say(b"\0"), hear(ACK)],
    )  # fmt: skip
    author.valid(
        "the request again after its answer: the same answer, and not carried out again", "AnswerInDoubt",
        steps=[*identified, hear(write), say(b"\0"), hear(ACK), hear(write), hear(ACK)],
    )  # fmt: skip
    author.valid(
        "the next request in place of an acknowledgement", "ImpliedAcknowledgement",
        steps=[*identified[:2], hear(write)],
    )  # fmt: skip
    author.valid("Identify again: a new session", "IdentifyAgain", steps=[*identified, hear(request), say(ANSWER)])
    message = b"\0" + rng.randbytes(120)
    author.valid(
        "an answer of three packets, of which one is refused", "SeriesOfPackets", packets=3,
        steps=[hear(request), say(message), hear(ACK), hear(NAK), hear(ACK), hear(ACK)],
    )  # fmt: skip
    author.valid("silence ends the session", "Retries", steps=[*identified, _WAIT])
    author.valid(
        "data format 1: the answer is the acknowledgement", "DataFormat", data_format=1,
        steps=[hear(bytes.fromhex("ee000100000120571b")), say(ANSWER)],
    )  # fmt: skip
    author.invalid(
        "an answer while another is being sent", "OneAtATime", steps=[hear(request), say(ANSWER), say(ANSWER)]
    )
