"""Logs of serial lines, in the forms that sniffers write: octets, with what is told of their direction and time.

Raw octets, both ways in one file or one file a direction; text with octets in hex, with or without times and
directions; pcap and pcapng of LINKTYPE_USER0, the direction as first octet. ``specs/serial-logs.md`` has a sample of
each. Any of them may be compressed.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.capture.files.hextext import MAX_LINE, is_text
from c1222.capture.files.reader import CaptureReader, is_pcap
from c1222.capture.files.source import READ_SIZE, CaptureError, OctetSource
from c1222.capture.message import UNTIMED
from c1222.capture.tally import Tally
from c1222.errors import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.capture.apdus import Source

__all__ = ["MAX_BAD_LINES", "Recorded", "SerialLog"]

MAX_BAD_LINES: Final = 100
"""Lines that are no octets reported one by one."""
_USER0: Final = 147
_WAYS: Final = {
    "<": "<", "<-": "<", "<--": "<", "rx": "<", "rxd": "<",
    ">": ">", "->": ">", "-->": ">", "tx": ">", "txd": ">",
}  # fmt: skip
_WAY: Final = re.compile(r"[\[(]?(<-{0,2}|-{0,2}>|(?i:[tr]xd?)(?![^\s:\])]))[\])]?[\s:]*")
_TIME: Final = re.compile(
    r"(?:[\[(]\s*)?(?P<relative>t=)?(?:(?P<date>\d{4}-\d\d-\d\d)[T ])?"
    r"(?:(?P<hours>\d{1,2}):(?P<minutes>\d\d):(?P<seconds>\d\d)|(?P<plain>\d{1,12}))"
    r"(?:[.,](?P<fraction>\d{1,9})\d*)?(?P<zone>Z|[+-]\d\d:?\d\d)?(?P<unit>s)?\s*[\])]?(?:[\s:]+|$)"
)
_SEPARATORS: Final = re.compile(r"0[xX]|\\x|[\s:,;|._\-\"'{}\[\]]+")
_DIGITS: Final = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_SECOND: Final = 10**9
_EPOCH_FROM: Final = 10**9 * _SECOND
"""Plain seconds from 2001 on are taken as seconds since 1970: no log of a line is that long."""

_REASONS: Final[dict[str, tuple[Level, str] | None]] = {
    "bad-line": ("error", "more lines that are no octets in hex"),
    "no-direction": ("error", "packets of a capture whose first octet is no direction, skipped"),
    "other-link": ("error", "packets of a capture of another link type than USER0, skipped"),
    "no-zone": ("note", "times with a date and without a zone, taken as UTC"),
}


class Recorded(NamedTuple):
    """Octets as they were recorded.

    Attributes:
        way: which direction they belong to, a label; None where both are in one.
        octets: the octets.
        at: seconds on the log's own clock; None where it has none.
        time_ns: nanoseconds since 1970-01-01 UTC, or `UNTIMED`.
    """

    way: str | None
    octets: bytes
    at: float | None = None
    time_ns: int = UNTIMED


class SerialLog:
    """Reads one file of a log, once, front to back.

    Args:
        source: path of the file, ``-`` for standard input, or a binary file object.
        way: the direction of all that has no other.

    Attributes:
        form: ``raw``, ``text`` or ``pcap``.

    Raises:
        CaptureError: the file is empty, or a capture cut in its header.
        OSError: the file cannot be opened or read.
    """

    def __init__(self, source: Source, *, way: str | None = None) -> None:
        self._way = way
        self._tally = Tally("serial-log", _REASONS)
        self._lines: list[Finding] = []
        self._capture: CaptureReader | None = None
        self._source = OctetSource(source)
        try:
            self._start = self._source.more(b"", 0, 4096)
            if not self._start:
                raise self._source.damage or CaptureError("serial-log", 0, "the file is empty")
        except BaseException:
            self.close()
            raise
        self.form = "pcap" if is_pcap(self._start) else "text" if is_text(self._start) else "raw"
        if self.form == "pcap":
            self._capture = CaptureReader(_Rest(self._source, self._start))  # type: ignore[arg-type]  # reads it all

    def __iter__(self) -> Iterator[Recorded]:
        try:
            if self._capture is not None:
                yield from self._packets(self._capture)
            elif self.form == "text":
                yield from self._text()
            else:
                buffer = self._start
                while buffer:
                    yield Recorded(self._way, buffer)
                    buffer = self._source.more(buffer, len(buffer), 1)
        finally:
            self.close()

    @property
    def octets_read(self) -> int:
        """Octets taken from the file so far, before inflating."""
        return self._source.octets_read

    def close(self) -> None:
        """Close the file if it was opened here."""
        self._source.close()

    def findings(self) -> list[Finding]:
        """Return what was not read; complete once all is read."""
        damage = self._source.damage
        first = [] if damage is None else [damage.finding(f"damaged-{damage.path}")]
        capture = [] if self._capture is None else self._capture.findings()
        return [*first, *capture, *self._lines, *self._tally.findings()]

    def _packets(self, capture: CaptureReader) -> Iterator[Recorded]:
        for packet in capture:
            if packet.link_type != _USER0:
                self._tally.note("other-link", packet.number, f"LINKTYPE {packet.link_type}")
                continue
            way = _way_of_octet(packet.data[:1])
            if way is None:
                self._tally.note("no-direction", packet.number, packet.data[:1].hex())
                continue
            yield Recorded(way, packet.data[1:], packet.time_ns / _SECOND, packet.time_ns)

    def _text(self) -> Iterator[Recorded]:
        way, at, time_ns = self._way, None, UNTIMED
        for number, line in enumerate(self._source.lines(self._start, MAX_LINE), 1):
            text = line.lstrip("\ufeff").split("#")[0].strip()
            if not text:
                continue
            told: str | None = None
            moment: re.Match[str] | None = None
            while True:
                if told is None and (found := _WAY.match(text)) is not None:
                    told = _WAYS[found[1].lower()]
                elif moment is None and (found := _TIME.match(text)) is not None and _is_time(found, text):
                    moment = found
                else:
                    break
                text = text[found.end() :]
            digits = _SEPARATORS.sub("", text)
            if not _DIGITS.fullmatch(digits):
                self._bad_line(number, "no octets" if not digits else "no octets in hex, of two digits each")
                continue
            if told is not None:
                way = told
            if moment is not None:
                at, time_ns = self._instant(moment, number)
            elif told is not None:
                at, time_ns = None, UNTIMED
            yield Recorded(way, bytes.fromhex(digits), at, time_ns)

    def _instant(self, found: re.Match[str], number: int) -> tuple[float | None, int]:
        fraction = int((found["fraction"] or "0").ljust(9, "0"))
        if found["plain"] is not None:
            since = int(found["plain"]) * _SECOND + fraction
            return since / _SECOND, since if since >= _EPOCH_FROM and not found["relative"] else UNTIMED
        clock = f"{int(found['hours']):02}:{found['minutes']}:{found['seconds']}"
        try:
            moment = datetime.fromisoformat(f"{found['date'] or '2000-01-01'}T{clock}{found['zone'] or 'Z'}")
        except ValueError:
            self._bad_line(number, "a time that cannot be; the octets are taken")
            return None, UNTIMED
        since = int(moment.timestamp()) * _SECOND + fraction
        if found["date"] is None:
            return since / _SECOND, UNTIMED
        if found["zone"] is None:
            self._tally.note("no-zone", number)
        return since / _SECOND, since

    def _bad_line(self, number: int, reason: str) -> None:
        if len(self._lines) >= MAX_BAD_LINES:
            self._tally.note("bad-line", number)
            return
        text = f"line {number} is not read: {reason}" if "taken" not in reason else f"line {number}: {reason}"
        self._lines.append(Finding("error", "bad-line", f"serial-log.line[{number}]", None, text))


def _is_time(found: re.Match[str], text: str) -> bool:
    """Tell a time from octets: a plain number is one with a fraction, ``t=`` or ``s``; a clock, if octets follow."""
    if found["plain"] is not None and found["date"] is None:
        return bool(found["fraction"] or found["relative"] or found["unit"] or text[0] in "[(")
    return found.end() < len(text)


def _way_of_octet(octet: bytes) -> str | None:
    """Return the direction that the first octet of a packet in a capture tells: 0 or 1, ``<`` or ``>``."""
    return {b"\0": ">", b"\1": "<", b">": ">", b"<": "<"}.get(octet)


class _Rest:
    """A file that begins with octets that were read already."""

    def __init__(self, source: OctetSource, start: bytes) -> None:
        self._source, self._start = source, start

    def read(self, size: int = READ_SIZE) -> bytes:  # noqa: ARG002 - what is there is given, as read1 does
        start, self._start = self._start, b""
        if start:
            return start
        return self._source.more(b"", 0, 1)
