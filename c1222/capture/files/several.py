"""One capture in several files: their packets by time, as ``mergecap`` puts them together.

A file is open from the time of its first packet to its end, so memory and open files grow with those that overlap in
time, not with how many there are. Within a file the order of the file stays, whatever its times are.
"""

from __future__ import annotations

import heapq
import os
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

from c1222.capture.files.compression import CaptureError
from c1222.capture.files.reader import CaptureReader, Packet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1222.capture.files.reader import BarePacket
    from c1222.errors import Finding

__all__ = ["FrameNumber", "SeveralFiles"]


class FrameNumber(int):
    """Number of a frame in the order of all files, from 1, which also tells where the frame is.

    Attributes:
        file: name of its file.
        frame: its number in that file, from 1.
    """

    file: str
    frame: int

    @classmethod
    def of(cls, number: int, file: str, frame: int) -> Self:
        """Make one."""
        self = cls(number)
        self.file, self.frame = file, frame
        return self


class _File:
    """One of the files; its reader is there while the file is open."""

    def __init__(self, name: str, source: str | os.PathLike[str] | IO[bytes]) -> None:
        self.name = name
        self.octets_read = 0
        self.findings: list[Finding] = []
        self._source = source
        self._again = isinstance(source, str | os.PathLike) and Path(source).is_file()
        self._reader: CaptureReader | None = None
        self._first: Packet | None = None
        try:
            self._reader = CaptureReader(source)
        except CaptureError as error:
            raise CaptureError(f"{name}: {error.path}", error.offset, error.reason) from None
        if self._reader.format == "hex":
            self.close()
            raise CaptureError(f"{name}: hex", 0, "octets in hex have no time: decode them by themselves")
        self._packets = iter(self._reader)
        self._first = next(self._packets, None)
        self.starts_ns = None if self._first is None else self._first.time_ns
        if self._again and self._first is not None:
            self.close()  # until its time comes

    def packets(self) -> Iterator[Packet]:
        """Yield the packets, and keep what is found."""
        if self._first is not None:
            if self._reader is None:
                self._reader = CaptureReader(self._source)
                self._packets = iter(self._reader)
            else:
                yield self._first
            for packet in self._packets:
                self.octets_read = self._reader.octets_read
                yield packet
        self.finish()

    def finish(self) -> None:
        """Keep what is found, and close the file."""
        if self._reader is not None:
            self.octets_read = self._reader.octets_read
            self.findings = self._reader.findings()
            self.close()

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class SeveralFiles:
    """Reads the packets of several capture files, once, by time; their numbers are `FrameNumber`.

    Iterating yields ``Packet`` and never raises on damaged content, unless a file is gone by the time it is needed.

    Attributes:
        format: that there are several; what each of them is does not matter.

    Args:
        sources: paths, ``"-"`` for standard input, or binary file objects.

    Raises:
        CaptureError: one of the files is no capture; its path begins with the name of the file.
        OSError: a file cannot be opened or read.
    """

    format: Final = "several"

    def __init__(self, sources: Sequence[str | os.PathLike[str] | IO[bytes]]) -> None:
        self._files: list[_File] = []
        try:
            for number, source in enumerate(sources, 1):
                self._files.append(_File(_name(source, number), source))
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Packet]:
        files = [file for file in self._files if file.starts_ns is not None]
        files.sort(key=lambda file: file.starts_ns or 0)
        for file in self._files:
            if file.starts_ns is None:
                file.finish()
        numbers, order = count(1), count()
        waiting = files[::-1]
        open_files: list[tuple[int, int, Packet, _File, Iterator[Packet]]] = []
        while waiting or open_files:
            if waiting and (not open_files or (waiting[-1].starts_ns or 0) < open_files[0][0]):
                file = waiting.pop()
                packets = file.packets()
                place = next(order)
            else:
                _, place, packet, file, packets = heapq.heappop(open_files)
                yield packet._replace(number=FrameNumber.of(next(numbers), file.name, packet.number))
            following = next(packets, None)
            if following is not None:
                heapq.heappush(open_files, (following.time_ns, place, following, file, packets))

    def bare(self) -> Iterator[BarePacket]:
        """Return the packets as they are, which a reader of one file gives without names."""
        return iter(self)

    def close(self) -> None:
        """Close all files."""
        for file in self._files:
            file.close()

    @property
    def octets_read(self) -> int:
        """Octets taken from the files so far, before inflating; for a progress bar."""
        return sum(file.octets_read for file in self._files)

    def findings(self) -> list[Finding]:
        """Return what was wrong with the files, and what was skipped; complete once all packets are read."""
        return [
            finding._replace(path=f"{file.name}: {finding.path}") for file in self._files for finding in file.findings
        ]


def _name(source: str | os.PathLike[str] | IO[bytes], number: int) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else f"file {number}"
