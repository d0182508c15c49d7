"""A message of a capture, and the counts of all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from c1222.capture.network.framing import Apdu, StreamRemark
from c1222.capture.network.layers import ends
from c1222.message.lazy import Lazy
from c1222.protocol.message import Message

if TYPE_CHECKING:
    from c1222.errors import DecodeError, Finding

__all__ = ["EPOCH", "UNPAIRED", "UNTIMED", "CapturedMessage", "Counters", "Remembered", "file_members"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where times of captures start."""
UNTIMED: Final = -1
"""Stands for the time of a message that has none, since its octets were written in hex."""

Remembered = tuple[int, bytes, bool]
"""What is kept of a request for its response: frame, services with their lengths, whether it was verified."""
UNPAIRED: Final[tuple[int | None, bytes, bool | None]] = (None, b"", None)
"""The same for a message that answers no request that is known."""


class CapturedMessage(Message):
    """A message with where and when it was seen.

    Octets that are no message are one too, with no services and a finding that says why; their other parts are None.

    Attributes:
        frame: number of the frame that completed it, from 1; where a capture has several files, by time through all of
            them.
        time_ns: nanoseconds since 1970-01-01 UTC; `UNTIMED` for octets written in hex.
        src: sender as ``address:port``, IPv6 as ``[address]:port``; empty for an APDU written in hex.
        dst: receiver, written like the sender.
        transport: ``udp``, ``tcp`` or ``serial``; empty for an APDU written in hex.
        reply_to: frame of the request it answers, or None.
        segments: the frames of its segments, or None.
        noted: remarks on how it was carried.
        request_verified: whether the request it answers was verified; None where that is not known.
    """

    __slots__ = ("flow", "frame", "reply_to", "request_verified", "time_ns", "transport")

    frame: int
    time_ns: int
    transport: str
    reply_to: int | None
    request_verified: bool | None
    segments: tuple[int, ...] | None = None
    noted: tuple[Finding, ...] = ()
    flow: bytes
    """What ``src`` and ``dst`` are made of, where nobody may ask for them."""

    @Lazy
    def src(self) -> str:
        """The sender."""
        src, self.dst = ends(self.flow)
        return src

    @Lazy
    def dst(self) -> str:
        """The receiver."""
        self.src, dst = ends(self.flow)
        return dst

    @property
    def file(self) -> str | None:
        """Name of the file that ``frame`` is in, where a capture has several files; otherwise None."""
        return getattr(self.frame, "file", None)

    @property
    def file_frame(self) -> int | None:
        """Number of that frame in its file, from 1; None where there is one file."""
        return getattr(self.frame, "frame", None)

    def without_time(self) -> Self:
        """Say that the octets were written in hex, and return the message."""
        self.time_ns = UNTIMED
        if not self.src:
            self.transport = ""
        return self

    @property
    def is_message(self) -> bool:
        """Whether the octets are a message at all."""
        return self.envelope is not None

    @classmethod
    def unreadable(cls, item: Apdu | StreamRemark, findings: tuple[Finding, ...]) -> CapturedMessage:
        """Make the stand-in for octets that are no message."""
        self = cls.received(None)
        for part in Message.PARTS:
            setattr(self, part, None)
        self.frame, self.time_ns, self.src, self.dst, self.transport = item[:5]
        self.octets = item.octets if isinstance(item, Apdu) else b""
        self.reply_to = self.request_verified = None
        self.noted = self.findings = findings
        return self

    def _malformed(self, error: DecodeError) -> None:
        """Return None: the error stands among the findings."""

    def _find(self) -> tuple[Finding, ...]:
        return tuple(dict.fromkeys((*self.noted, *super()._find())))

    def _where(self) -> dict[str, Any]:
        return {
            "frame": self.frame,
            **file_members(self),
            "time_ns": None if self.time_ns == UNTIMED else self.time_ns,
            "src": self.src or None,
            "dst": self.dst or None,
            "transport": self.transport or None,
        }

    def _frames(self) -> dict[str, Any]:
        return {"reply_to": self.reply_to, "segments": None if self.segments is None else list(self.segments)}

    def __repr__(self) -> str:
        return super().__repr__() if self.is_message else f"<CapturedMessage malformed, frame {self.frame}>"


def file_members(message: CapturedMessage) -> dict[str, Any]:
    """Return the members of the JSON of a message that tell where its frame is, of a capture in several files."""
    return {} if message.file is None else {"file": message.file, "file_frame": message.file_frame}


class Counters:
    """What a decoder met.

    Attributes:
        messages: messages, undecodable ones included.
        undecodable: octets that are no message, with a finding of level error.
        skipped: times that octets were passed over with a warning, such as the rest of an APDU at the start of a TCP
            stream; they count as no message.
        verified: messages whose MAC is right.
        refused: messages whose MAC is wrong or missing.
        unchecked: secured messages without a known key, or of a session that is not known.
        cleartext: messages without security.
        responses: messages that answer a request.
        unpaired: of these, those whose request was not seen.
        segments: parts of larger messages.
    """

    __slots__ = (
        "cleartext",
        "refused",
        "responses",
        "segments",
        "skipped",
        "unchecked",
        "undecodable",
        "unpaired",
        "verified",
    )

    def __init__(self) -> None:
        self.undecodable = self.segments = 0
        self.verified = self.refused = self.unchecked = self.cleartext = 0
        self.responses = self.unpaired = self.skipped = 0

    @property
    def messages(self) -> int:
        """The sum of what a message may be."""
        return self.undecodable + self.verified + self.refused + self.unchecked + self.cleartext

    def as_dict(self) -> dict[str, int]:
        """Return them by name."""
        return {name: getattr(self, name) for name in sorted(("messages", *self.__slots__))}
