"""What holds for all that came in the run, whatever was checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1222.conformance.rules import Mark, Remark, Rule, check, note, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = ["sound", "unique"]

_SHOWN: Final = 10


@check(
    "C-RUN-01",
    "Every answer of the run was sound",
    Rule("Ids, titles, security and encoding of every answer are right.", "captures; Elster, Itron", Mark.VERIFIED),
)
def sound(probe: Probe) -> Iterator[Remark]:
    """What was wrong about answers as a whole; things that happen now and then show here."""
    for text, times in probe.problems.most_common(_SHOWN):
        yield wrong(f"{text} ({times} times)")
    for reason, times in sorted(probe.counters.items()):
        yield note(f"{reason}: {times}")


@check(
    "C-RUN-02",
    "The node never sealed two messages alike",
    Rule("No (key, N) is used twice: vector, ids and titles differ.", "EAX' (2011); Elster", Mark.VERIFIED),
    secured=True,
)
def unique(probe: Probe) -> Iterator[Remark]:
    """Vectors, ids and titles of all answers that carried a vector."""
    again = [nonce for nonce, times in probe.nonces.items() if times > 1]
    yield note(f"{len(probe.nonces)} answers")
    if again:
        yield wrong(f"{len(again)} times key, vector, ids and titles were those of an earlier message")
