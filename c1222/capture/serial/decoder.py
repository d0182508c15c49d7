"""From logs of serial lines to messages.

for message in c1222.decode_serial_log("probe.log"):
    print(message.time_ns, message.services)

The messages are those of a capture: `c1222.TableReader` decodes their tables, `c1222.CapturedDevices` puts the tables
of meters together, `c1222.CaptureSummary` and `c1222.MessageFilter` take them.
"""

from __future__ import annotations

import heapq
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from c1222.capture.decoder import MessageDecoder
from c1222.capture.files.source import CaptureError
from c1222.capture.message import UNTIMED
from c1222.capture.serial.listening import SerialListener, SerialPairing, answers
from c1222.capture.serial.log import SerialLog
from c1222.capture.serial.message import SerialMessage
from c1222.capture.serial.packets import HeardLine
from c1222.errors import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from c1222.capture.apdus import Source
    from c1222.capture.message import CapturedMessage, Counters
    from c1222.capture.network.framing import Apdu
    from c1222.capture.serial.log import Recorded
    from c1222.security.keys import Keys

__all__ = ["SerialLogDecoder", "decode_serial_log"]

_WAYS: Final = (">", "<")


class SerialLogDecoder:
    """Decodes the log of one line; iterate it once.

    Args:
        source: path of the log, ``-`` for standard input, or a binary file object; or a list of one or two: two are one
            direction each, in any order. Where two files have no times, each answer is put to the next request that it
            can be an answer to.
        keys: for APDUs of a local port: a store, a single key, or octets by key id.

    Attributes:
        reader: the log: how much of it was read.

    Raises:
        CaptureError: a file is empty, there are more than two, or two files of which one has both directions.
        OSError: a file cannot be opened or read.
    """

    def __init__(self, source: Source | Sequence[Source], *, keys: Keys = None) -> None:
        sources: Sequence[Source] = list(source) if isinstance(source, list | tuple) else [source]  # type: ignore[list-item]
        if not 1 <= len(sources) <= len(_WAYS):
            raise CaptureError("serial-log", 0, f"{len(sources)} files: a line has one log, or one for each direction")
        self._logs: list[SerialLog] = []
        try:
            for one, way in zip(sources, _WAYS, strict=False):
                self._logs.append(SerialLog(one, way=way if len(sources) > 1 else None))
        except BaseException:
            self.close()
            raise
        self._listener, self._pairing = SerialListener(), SerialPairing()
        self._apdus = MessageDecoder(keys=keys, early_ns=0)
        self._pairing.counters = self._apdus.counters
        self._without_times = False
        self.reader = self

    @property
    def octets_read(self) -> int:
        """Octets taken from the files so far."""
        return sum(log.octets_read for log in self._logs)

    @property
    def counters(self) -> Counters:
        """What was met so far."""
        return self._pairing.counters

    def __iter__(self) -> Iterator[CapturedMessage]:
        for message in self._in_order():
            if isinstance(message, SerialMessage):
                self._pairing.take(message)
            yield message

    def _in_order(self) -> Iterator[CapturedMessage]:
        if len(self._logs) == 1:
            return self._messages(self._logs[0])
        pieces = [iter(log) for log in self._logs]
        first = [next(one, None) for one in pieces]
        directions = [chain([] if head is None else [head], one) for head, one in zip(first, pieces, strict=True)]
        if all(head is None or head.at is not None for head in first):
            return self._messages(heapq.merge(*directions, key=lambda piece: piece.at or 0.0))
        self._without_times = True
        return _in_turn(*map(self._messages, directions))

    def close(self) -> None:
        """Close the files."""
        for log in self._logs:
            log.close()

    def findings(self) -> list[Finding]:
        """Return what concerns the log as a whole; complete once all messages were taken."""
        found = [finding for log in self._logs for finding in log.findings()]
        if self._without_times:
            text = "the files have no times: each answer is put to the next request that it can be an answer to"
            found.append(Finding("note", "no-times", "serial-log", None, text))
        return [*found, *self._listener.findings(), *self._pairing.findings(), *self._apdus.findings()]

    def _messages(self, pieces: Iterable[Recorded]) -> Iterator[CapturedMessage]:
        lines: dict[str | None, HeardLine] = {}
        take, time_ns = self._listener.take, UNTIMED
        for way, octets, at, time_ns in pieces:
            line = lines.setdefault(way, HeardLine())
            now = 0.0 if at is None else at
            late = line.deadline is not None and now >= line.deadline
            for item in chain(line.finish() if late else (), line.feed(octets, now)):
                yield from self._made(take(item, way, time_ns))
        for way, line in lines.items():
            for item in line.finish():
                yield from self._made(take(item, way, time_ns))

    def _made(self, found: SerialMessage | Apdu | None) -> Iterator[CapturedMessage]:
        if isinstance(found, SerialMessage):
            yield found
        elif found is not None:
            yield from self._apdus.messages([found])


def _in_turn(one: Iterator[CapturedMessage], other: Iterator[CapturedMessage]) -> Iterator[CapturedMessage]:
    """Yield the messages of two directions, each answer behind the next request that it can be an answer to."""
    asks, told = _Ahead(one), _Ahead(other)
    if (first := asks.peek()) is None or first.is_response:
        asks, told = told, asks
    while (request := asks.take()) is not None:
        yield request
        while (answer := told.peek()) is not None:
            fits = answers(answer.octets, request.octets)
            following = asks.peek()
            if not fits and following is not None and answers(answer.octets, following.octets):
                break  # the request was not answered
            told.take()
            yield answer
            if fits:
                break
    while (answer := told.take()) is not None:
        yield answer


class _Ahead:
    """Messages, the next of which can be looked at."""

    def __init__(self, messages: Iterator[CapturedMessage]) -> None:
        self._messages = messages
        self._next: list[CapturedMessage] = []

    def peek(self) -> CapturedMessage | None:
        """Return the next one, and leave it there."""
        if not self._next:
            self._next = list(islice(self._messages, 1))
        return self._next[0] if self._next else None

    def take(self) -> CapturedMessage | None:
        """Return the next one."""
        found = self.peek()
        self._next = []
        return found


def decode_serial_log(source: Source | Sequence[Source], *, keys: Keys = None) -> SerialLogDecoder:
    """Decode the log of a serial line lazily, in constant memory.

    ``for message in decode_serial_log("probe.log"): ...``

    Args:
        source: path of the log, ``-`` for standard input, or a binary file object; or a list of one or two: two are one
            direction each, in any order. ``specs/serial-logs.md`` has the forms.
        keys: for APDUs of a local port: a store, a single key, or octets by key id.

    Raises:
        CaptureError: a file is empty, there are more than two, or a capture cut in its header.
        OSError: a file cannot be opened or read.
    """
    return SerialLogDecoder(source, keys=keys)
