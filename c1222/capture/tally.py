"""Counts of what was skipped and why: nothing is dropped without a number and the frame where it began."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from c1222.errors import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Tally"]


class Tally(Counter[str]):
    """How often each reason applied, and where first.

    A plain mapping of reason to count otherwise; a reason that never applied counts 0. The reasons are declared with
    the level and words of their finding, so memory does not grow with what a hostile file can think of.

    Args:
        path: which step on the way from file to APDU this is, for the findings.
        reasons: for each reason the level and the words of its finding; None for what is only counted.
    """

    def __init__(self, path: str, reasons: Mapping[str, tuple[Level, str] | None]) -> None:
        super().__init__()
        self._path = path
        self._reasons = reasons
        self._first: dict[str, tuple[int, str]] = {}

    def note(self, reason: str, frame: int, detail: str = "") -> None:
        """Count one more.

        Args:
            reason: one of the declared reasons.
            frame: number of the frame concerned.
            detail: what makes this one special; kept of the first only.
        """
        self[reason] += 1
        if reason not in self._first:
            self._first[reason] = (frame, detail)

    def findings(self) -> list[Finding]:
        """Return one finding for each reason that applied and has words, in the order of their first frames."""
        findings = []
        for reason, (frame, detail) in sorted(self._first.items(), key=lambda item: item[1][0]):
            declared = self._reasons[reason]
            if declared is not None:
                level, words = declared
                text = f"{words}: {self[reason]}, first at frame {frame}" + (f" ({detail})" if detail else "")
                findings.append(Finding(level, reason, self._path, None, text))
        return findings
