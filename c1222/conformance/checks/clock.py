"""The clock of the node: whether it goes, and how far it is from ours."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.errors import C1219Error
from c1219.tableid import table_id
from c1222.conformance.rules import Mark, NotApplicable, Remark, Rule, check, note, odd, wrong
from c1222.conformance.session import get
from c1222.conformance.survey import survey
from c1222.services.tables import ReadRequest, TableResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.probe import Probe

__all__ = ["agree", "goes", "right", "shown"]

_CLOCKS: Final = ("ST52", "ST55")
_NEAR: Final = 900
_TOGETHER: Final = 3


def _clocks(probe: Probe) -> dict[str, dt.datetime | None]:
    """Read the clock tables again, both in one message; as on the wire, None where there is no such time.

    Raises:
        NotApplicable: there is none that can be read.
    """
    found = survey(probe)
    labels = [label for label in _CLOCKS if label in found.used]
    if not labels:
        raise NotApplicable("ST0 claims neither ST52 nor ST55")
    reply = get(probe, *(ReadRequest(table_id(label)) for label in labels))
    shown: dict[str, dt.datetime | None] = {}
    for label, answer in zip(labels, reply.responses, strict=True):
        if isinstance(answer, TableResponse):
            shown[label] = _time(found.device.layout_of, label, answer.data, found.find)
            found.device.put(label, answer.data)
    if not shown:
        raise NotApplicable("the clock tables cannot be read")
    return shown


def _time(layout_of: Any, label: str, octets: bytes, prepare: Any) -> dt.datetime | None:
    prepare(label)
    try:
        value = layout_of(label, octets).decode(octets).CLOCK_CALENDAR
    except C1219Error:
        return None
    return value if isinstance(value, dt.datetime) else None


@check(
    "C-TIME-01",
    "The clock shows a time that exists",
    Rule("CLOCK_CALENDAR of ST52 and ST55 is a date and time.", "Connexo, NIST, EPRI", Mark.VERIFIED),
    "C-TABLE-01",
)
def shown(probe: Probe) -> Iterator[Remark]:
    """ST52 and ST55."""
    for label, time in _clocks(probe).items():
        if time is None:
            yield wrong(f"{label}: no time")
        else:
            yield note(f"{label}: {time:%Y-%m-%d %H:%M:%S}")


@check(
    "C-TIME-02",
    "ST52 and ST55 show the same time",
    Rule("There is one clock.", "Connexo, NIST", Mark.ONE_SOURCE),
    "C-TIME-01",
)
def agree(probe: Probe) -> Iterator[Remark]:
    """Both, read in one message."""
    times = [time for time in _clocks(probe).values() if time is not None]
    if len(times) < 2:
        raise NotApplicable("there is one clock table only")
    if abs((times[0] - times[1]).total_seconds()) > _TOGETHER:
        yield wrong(f"ST52 shows {times[0]}, ST55 {times[1]}")


@check(
    "C-TIME-03",
    "The clock goes",
    Rule("Time passes.", "the tables' meaning", Mark.VERIFIED),
    "C-TIME-01",
)
def goes(probe: Probe) -> Iterator[Remark]:
    """Twice, with a pause between; an accelerated clock is odd."""
    clock = probe.clock
    start = clock.now
    before, first = next(iter(_clocks(probe).values())), clock.now
    probe.pause(max(2.0, min(probe.target.patience, 4.0)))
    second = clock.now
    after, end = next(iter(_clocks(probe).values())), clock.now
    if before is None or after is None:
        raise NotApplicable("no time is shown")
    gone = (after - before).total_seconds()
    if gone <= 0:
        yield wrong(f"in {second - first:.0f} s the clock went {gone:+.0f} s")
    elif not second - first - _TOGETHER <= gone <= end - start + _TOGETHER:
        yield odd(f"in {second - first:.0f} s the clock went {gone:+.0f} s")


@check(
    "C-TIME-04",
    "The clock is near ours",
    Rule("A clock of use is within 15 minutes.", "the window of vectors, by analogy", Mark.UNSURE),
    "C-TIME-01",
)
def right(probe: Probe) -> Iterator[Remark]:
    """The time of the tables, with their zone."""
    found = survey(probe)
    for label in ("ST51", "ST53", "ST54"):
        if label in found.used:
            found.find(label)
    _clocks(probe)
    time = found.device.clock().time
    if time is None:
        raise NotApplicable("the tables do not tell how the clock stands to UTC")
    drift = time.timestamp() - probe.clock.utc
    yield note(f"{drift:+.0f} s from ours")
    if abs(drift) > _NEAR:
        yield wrong(f"the clock is {drift:+.0f} s from ours")
