"""Octets in order to APDUs: one after the other, nothing between them, and how to find the next after a loss."""

from __future__ import annotations

import functools
import re
from collections import deque
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, cast

from c1222.errors import DecodeError, Finding, Level
from c1222.message.ber import APDU_TAG, MAX_APDU_OCTETS, Octets, apdu_size, read_length

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.capture.network.layers import Flow

__all__ = ["Apdu", "Framer", "StreamRemark", "fills", "is_apdu", "make_apdu"]

_FIRST: Final = frozenset(b"\xa1\xa2\xa6\xa8")  # context, called title, calling title, calling invocation id
_LAST: Final = 0xBE  # user information
_MAX_ELEMENTS: Final = 24  # ten are defined
_CANDIDATE: Final = re.compile(rb"\x60(?:[\x00-\x7f]|\x81.|\x82..|\x83...|\x84....)[\xa1\xa2\xa6\xa8]", re.DOTALL)
_CANDIDATE_SIZE: Final = 7  # octets of the longest match


class Apdu(NamedTuple):
    """One APDU as it went over the wire.

    Attributes:
        frame: number of the frame that completed it.
        time_ns: time of that frame, nanoseconds since 1970-01-01 UTC.
        src: sender as ``address:port``, IPv6 as ``[address]:port``.
        dst: receiver, written like the sender.
        transport: ``"udp"``, ``"tcp"`` or ``"serial"``.
        octets: the APDU, tag 60 and length included.
        frames: all frames that contributed, in rising order.
        findings: remarks on how it was carried.
        sequence: TCP sequence number of its first octet; 0 in UDP.
    """

    frame: int
    time_ns: int
    src: str
    dst: str
    transport: Literal["udp", "tcp", "serial"]
    octets: bytes
    frames: tuple[int, ...]
    findings: tuple[Finding, ...] = ()
    sequence: int = 0


class StreamRemark(NamedTuple):
    """What stands in the place of octets that gave no APDU.

    Attributes:
        frame: number of the frame where this became known.
        time_ns: time of that frame.
        src: sender of the octets.
        dst: their receiver.
        transport: ``"udp"``, ``"tcp"`` or ``"serial"``.
        finding: what happened; the offset counts from the start of the datagram, or from the first octet of the stream
            that is in the capture.
    """

    frame: int
    time_ns: int
    src: str
    dst: str
    transport: Literal["udp", "tcp", "serial"]
    finding: Finding


_Fields = tuple[int, int, str, str, Literal["udp", "tcp", "serial"], bytes, tuple[int, ...], tuple[Finding, ...], int]
make_apdu = cast("Callable[[_Fields], Apdu]", functools.partial(tuple.__new__, Apdu))
"""The same as ``Apdu(*fields)`` at half the cost, which every message pays."""


def is_apdu(octets: Octets) -> bool:
    """Tell an APDU from other protocols by its look.

    True when the octets are exactly one APDU: tag 60, a length that fits, elements that fill it, the first of them one
    that an APDU can start with, the last user information. This is what tells C12.22 on a port that is not its own.
    """
    return fills(octets, len(octets)) and _walk(octets, len(octets))


def fills(octets: Octets, max_size: int) -> bool:
    """Tell whether the octets start like an APDU of exactly their length."""
    try:
        return apdu_size(octets, max_size=max_size) == len(octets)
    except DecodeError:
        return False


def _walk(octets: Octets, size: int) -> bool:
    """Tell whether the elements of the APDU of ``size`` octets at the start make sense, as far as they are there."""
    available = min(size, len(octets))
    try:
        pos = read_length(octets, 1, size)[1]
        if pos >= available or octets[pos] not in _FIRST:
            return False
        for _ in range(_MAX_ELEMENTS):
            tag = octets[pos]
            if not 0x80 <= tag <= 0xBF:
                return False
            if pos + 10 > available < size:  # the length may not be whole yet
                return True
            length, content = read_length(octets, pos + 1, size)
            pos = content + length
            if pos == size:
                return tag == _LAST
            if pos >= available:
                return True
    except DecodeError:
        pass
    return False


class Framer:
    """Cuts one direction of a stream into APDUs.

    In step, the next octet is expected to start an APDU. Out of step (the capture began in the middle, octets are
    missing, something else came), octets are skipped up to what is an APDU by its look; what was skipped is a remark.

    Args:
        flow: the ends of the stream.
        max_apdu_size: octets of the largest APDU accepted.

    Attributes:
        frame: number of the frame that is being read, for remarks; the owner sets it.
        time_ns: its time.
        origin: sequence number of position 0; the owner sets it.
    """

    __slots__ = (
        "_buffer",
        "_flow",
        "_in_step",
        "_marks",
        "_max",
        "_need",
        "_skipped",
        "_start",
        "_why",
        "frame",
        "origin",
        "time_ns",
    )

    def __init__(self, flow: Flow, *, max_apdu_size: int = MAX_APDU_OCTETS) -> None:
        self._start = 0  # position in the stream of the first octet of the buffer
        self._flow = flow
        self._max = max_apdu_size
        self._buffer = bytearray()
        self._marks: deque[tuple[int, tuple[int, ...], int]] = deque()  # where octets end, their frames, time
        self._in_step = True
        self._need = 0  # octets without which nothing can be done
        self._skipped = 0  # octets in a row before `start`
        self._why: tuple[Level, str, str] = ("warning", "", "")
        self.frame = self.time_ns = self.origin = 0

    @property
    def unread(self) -> int:
        """Octets of which it is not known yet what they are."""
        return len(self._buffer)

    @property
    def held(self) -> int:
        """Octets of memory in use, about."""
        return len(self._buffer) + 128 * len(self._marks)

    def append(self, data: bytes, frames: tuple[int, ...], time_ns: int) -> None:
        """Add the octets that follow those before.

        Args:
            data: the octets.
            frames: numbers of the frames that brought them.
            time_ns: time of the last of these.
        """
        self._buffer += data
        self._marks.append((self._start + len(self._buffer), frames, time_ns))

    def restart(self, position: int, *, in_step: bool) -> None:
        """Go on at another position of the stream, after ``finish``.

        Args:
            position: of the octet that is appended next.
            in_step: that octet is known to start an APDU.
        """
        self._start = position
        self._in_step = in_step
        self._why = (
            "warning",
            "mid-stream",
            "the capture holds the end of an APDU, or of something else, without its start",
        )

    def remark(self, finding: Finding) -> StreamRemark:
        """Make a remark on this stream at the frame that is being read."""
        return StreamRemark(self.frame, self.time_ns, self._flow.src, self._flow.dst, "tcp", finding)

    def take(self) -> list[Apdu | StreamRemark]:
        """Return the APDUs that are whole, and remarks on what was skipped."""
        return self._cut(final=False) if len(self._buffer) >= self._need else []

    def finish(self) -> list[Apdu | StreamRemark]:
        """Return what can still be made of the octets held: none follows them."""
        items = self._cut(final=True)
        self._end_skip(items)
        return items

    def _cut(self, *, final: bool) -> list[Apdu | StreamRemark]:
        items: list[Apdu | StreamRemark] = []
        self._need = 0
        while self._buffer:
            if not self._in_step:
                if not self._find(items, final=final):
                    break
                self._end_skip(items)
            try:
                size = apdu_size(self._buffer, max_size=self._max)
            except DecodeError as error:
                self._out_of_step(("error", "not-an-apdu", error.reason))
                continue
            if size is not None and size <= len(self._buffer):
                items.append(self._apdu(size))
            elif final:
                self._out_of_step(_incomplete(len(self._buffer), size))
            else:
                self._need = size or len(self._buffer) + 1
                break
        return items

    def _out_of_step(self, why: tuple[Level, str, str]) -> None:
        self._in_step = False
        self._why = why
        self._skip(1)

    def _find(self, items: list[Apdu | StreamRemark], *, final: bool) -> bool:
        """Skip to what is an APDU by its look; False when more octets are needed to tell, or none is there."""
        buffer = self._buffer
        while found := _CANDIDATE.search(buffer):
            self._skip(found.start())
            try:
                size = apdu_size(buffer, max_size=self._max) or 0
            except DecodeError:
                size = 0
            if size and _walk(buffer, size):
                if size <= len(buffer):
                    self._in_step = True
                    return True
                if not final:
                    self._need = size
                    return False
                if self._why[1] != "incomplete-apdu":
                    self._end_skip(items)
                    self._why = _incomplete(len(buffer), size)
            self._skip(1)  # what lies within what was taken for an APDU is looked at again
        tail = -1 if final else buffer.find(APDU_TAG, max(0, len(buffer) - _CANDIDATE_SIZE + 1))
        self._skip(len(buffer) if tail < 0 else tail)
        return False

    def _skip(self, count: int) -> None:
        del self._buffer[:count]
        self._start += count
        self._skipped += count
        while self._marks and self._marks[0][0] <= self._start:
            self._marks.popleft()

    def _end_skip(self, items: list[Apdu | StreamRemark]) -> None:
        if self._skipped:
            level, code, text = self._why
            text = f"{text}; octets skipped: {self._skipped}"
            items.append(self.remark(Finding(level, code, "tcp", self._start - self._skipped, text)))
            self._skipped = 0

    def _apdu(self, size: int) -> Apdu:
        octets = bytes(self._buffer[:size])
        sequence = self.origin + self._start & 0xFFFFFFFF
        del self._buffer[:size]
        self._start += size
        marks = self._marks
        end, numbers, time_ns = marks[0]
        if len(numbers) > 1 or end < self._start:
            frames = set(numbers)
            last = numbers[-1]
            while end < self._start:
                marks.popleft()
                end, numbers, time = marks[0]
                frames.update(numbers)
                if numbers[-1] > last:
                    last, time_ns = numbers[-1], time
            numbers = tuple(sorted(frames))
        if end == self._start:
            marks.popleft()
        return make_apdu((numbers[-1], time_ns, self._flow.src, self._flow.dst, "tcp", octets, numbers, (), sequence))


def _incomplete(there: int, size: int | None) -> tuple[Level, str, str]:
    of = "" if size is None else f" of {size}"
    return "error", "incomplete-apdu", f"an APDU is incomplete, {there}{of} octets are there"
