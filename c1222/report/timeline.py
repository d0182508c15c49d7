"""What was asked for when, and what went wrong: counts by span of time, in bounded memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from c1222.capture.message import UNTIMED
from c1222.security.sealing import Verdict
from c1222.services import SERVICE_ERRORS, SERVICE_NAMES

if TYPE_CHECKING:
    from c1222.capture.message import CapturedMessage

__all__ = ["MAX_ERRORS", "MAX_SPANS", "Timeline", "TrafficError"]

MAX_SPANS: Final = 1200
"""Spans of time that are counted apart; when there are more, several become one."""
_FIRST_NS: Final = 10**6
_GROWTH: Final = {10**10: 6, 6 * 10**10: 10, 6 * 10**11: 6, 36 * 10**11: 6, 216 * 10**11: 4}
"""How many spans become one, by their length, so that lengths are those of a clock: 10 s, 1 min, 10 min, 1 h, 6 h, 1 d;
of other lengths ten."""
MAX_ERRORS: Final = 200
"""Errors that are listed; more are counted."""
_UNREADABLE: Final = "not readable"
_OPENED: Final = frozenset({Verdict.VERIFIED, Verdict.CLEARTEXT})
_NAMES: Final = tuple(SERVICE_NAMES.get(code) or f"service {code:02X}" for code in range(256))
_ERRORS: Final = {code: f"{error.name}: {error.title}" for code, error in SERVICE_ERRORS.items()}


class TrafficError(NamedTuple):
    """A service that was refused, or a message that is none or could not be verified.

    Attributes:
        time_ns: when.
        frame: in which frame.
        node: who refused, or sent it: ApTitle or address.
        peer: to whom.
        service: what was asked for; "" if that is not known.
        what: the response code, or the finding.
    """

    time_ns: int
    frame: int
    node: str
    peer: str
    service: str
    what: str


class Timeline:
    """Requests by service, and errors, over time.

    Args:
        max_spans: spans of time counted apart.
        max_errors: errors listed.

    Attributes:
        width_ns: length of a span in nanoseconds.
        errors: the first errors.
        more_errors: errors that are not listed.
    """

    def __init__(self, *, max_spans: int = MAX_SPANS, max_errors: int = MAX_ERRORS) -> None:
        self._max_spans, self._max_errors = max_spans, max_errors
        self.width_ns = _FIRST_NS
        self._spans: dict[int, Counter[str]] = {}
        self._failed: Counter[int] = Counter()
        self._first: int | None = None
        self._last = 0
        self.errors: list[TrafficError] = []
        self.more_errors = 0

    def add(self, message: CapturedMessage) -> None:
        """Take a message, the next one of the capture."""
        errors = self._errors_of(message)
        for what, service in errors:
            if len(self.errors) < self._max_errors:
                node, peer = (
                    str(title) if title is not None and not title.is_empty else address
                    for title, address in ((message.calling, message.src), (message.called, message.dst))
                )
                self.errors.append(TrafficError(message.time_ns, message.frame, node, peer, service, what))
            else:
                self.more_errors += 1
        if message.time_ns == UNTIMED:
            return
        span = self._span(message.time_ns)
        if errors:
            self._failed[span] += len(errors)
        if message.is_message and not message.is_response:
            names = [_NAMES[octets[0]] for octets in message.service_octets]
            if not names and message.verdict not in _OPENED:
                names = [_UNREADABLE]
            counts = self._spans.get(span)
            if counts is None:
                counts = self._spans[span] = Counter()
            for name in names:
                counts[name] += 1

    @staticmethod
    def _errors_of(message: CapturedMessage) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        if message.is_message and message.is_response:
            for index, octets in enumerate(message.service_octets):
                if octets[0] in _ERRORS:
                    asked = message.asked or ()
                    service = asked[index].service if index < len(asked) else None
                    found.append((_ERRORS[octets[0]], service or ""))
        found += [(finding.text, "") for finding in message.findings if finding.level == "error"]
        return found

    def _span(self, time_ns: int) -> int:
        span = time_ns // self.width_ns
        if self._first is None:
            self._first = self._last = span
        self._first, self._last = min(self._first, span), max(self._last, span)
        while self._last - self._first >= self._max_spans:
            self._widen()
        return time_ns // self.width_ns

    def _widen(self) -> None:
        fewer = _GROWTH.get(self.width_ns, 10)
        self.width_ns *= fewer
        spans: dict[int, Counter[str]] = {}
        for span, counts in self._spans.items():
            spans.setdefault(span // fewer, Counter()).update(counts)
        self._spans = spans
        failed: Counter[int] = Counter()
        for span, count in self._failed.items():
            failed[span // fewer] += count
        self._failed = failed
        self._first, self._last = (self._first or 0) // fewer, self._last // fewer

    @property
    def slots(self) -> range:
        """Numbers of the spans from the first to the last; a span starts at its number times `width_ns`."""
        return range(0) if self._first is None else range(self._first, self._last + 1)

    @property
    def services(self) -> list[str]:
        """Services that were asked for, the most frequent first."""
        total: Counter[str] = Counter()
        for counts in self._spans.values():
            total.update(counts)
        return sorted(total, key=lambda name: (-total[name], name))

    def requests(self, *services: str) -> list[int]:
        """Return how often services were asked for, by span."""
        none: Counter[str] = Counter()
        return [sum(self._spans.get(span, none)[name] for name in services) for span in self.slots]

    def failures(self) -> list[int]:
        """Return how many errors there were, by span."""
        return [self._failed[span] for span in self.slots]
