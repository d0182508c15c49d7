"""What one poll of a meter brings, and what is said of it in one line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from c1222.collect.state import MeterState

__all__ = ["Harvest", "Outcome", "PollVerdict", "RawPart"]

Outcome = Literal["ok", "part", "silent", "busy", "refused", "wrong-password", "wrong-key", "failed"]
"""How the poll of a meter ended: ``part``: something of it is missing; ``failed``: what came cannot be used, or our own
side is not set up for it."""


class RawPart(NamedTuple):
    """Octets as they came.

    Attributes:
        table: label.
        offset: of the first octet in the table.
        octets: the octets.
    """

    table: str
    offset: int
    octets: bytes


class PollVerdict(NamedTuple):
    """How the poll of one meter ended.

    Attributes:
        name: of the meter in the list.
        meter: as rows name it; "" if it is not known.
        outcome: how it ended.
        readings: new rows of readings.
        events: new rows of events.
        lost: intervals and events that the meter no longer has.
        tries: how often it was asked.
        seconds: how long it took in all.
        text: what went wrong, in words; "" for nothing.
        exchanged: it is another meter than before.
    """

    name: str
    meter: str
    outcome: Outcome
    readings: int = 0
    events: int = 0
    lost: int = 0
    tries: int = 1
    seconds: float = 0.0
    text: str = ""
    exchanged: bool = False

    @property
    def line(self) -> str:
        """It in one line, for people."""
        words = [f"{self.name}: {self.outcome}"]
        if self.outcome in {"ok", "part"}:
            words.append(f"{self.readings} readings, {self.events} events")
        if self.exchanged:
            words.append(f"another meter than before, {self.meter}")
        if self.lost:
            words.append(f"{self.lost} lost")
        if self.tries > 1:
            words.append(f"{self.tries} tries")
        if self.text:
            words.append(self.text)
        return ", ".join(words)


@dataclass(slots=True)
class Harvest:
    """What one poll of a meter brings.

    Attributes:
        name: of the meter in the list.
        state: what is known of it afterwards.
        read_at: when.
        readings: rows of ``c1219.readings/1``.
        events: rows of ``c1219.events/1``.
        raw: the octets, where they are kept.
        repeats: rows that are in the store already may be among them.
        lost: intervals and events that the meter no longer has.
        exchanged: it is another meter than before.
        complete: the parts that were read.
        problems: what could not be read, and why.
        error: why it ended early; None if it did not.
        verdict: how it ended, once that is known.
    """

    name: str
    state: MeterState
    read_at: dt.datetime
    readings: list[Sequence[Any]] = field(default_factory=list)
    events: list[Sequence[Any]] = field(default_factory=list)
    raw: list[RawPart] = field(default_factory=list)
    repeats: bool = False
    lost: int = 0
    exchanged: bool = False
    complete: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    error: Exception | None = None
    verdict: PollVerdict | None = None

    def followed_by(self, later: Harvest) -> Harvest:
        """Return what two polls of the meter brought, one after the other."""
        return Harvest(
            self.name,
            later.state,
            later.read_at,
            self.readings + later.readings,
            self.events + later.events,
            self.raw + later.raw,
            repeats=self.repeats or later.repeats,
            lost=self.lost + later.lost,
            exchanged=self.exchanged or later.exchanged,
            complete=self.complete | later.complete,
            problems=later.problems,
            error=later.error,
        )
