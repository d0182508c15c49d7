"""A device out of traffic: the tables of one meter as they were seen, where each comes from, and its procedures."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from c1219.device import Device
from c1219.errors import C1219Error
from c1219.tableid import TableId
from c1222.capture.message import UNTIMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from c1222.errors import Finding

__all__ = ["CapturedDevice", "CapturedProcedure", "Seen", "SeenOctets", "TableSeen", "instant"]


_HEAD: Final = 3
"""Octets before the parameters in ST7, and before the result in ST8: which procedure, and the sequence number."""


def instant(time_ns: int) -> dt.datetime | None:
    """Return a time of a capture, nanoseconds since 1970 UTC, as an aware time; None for `UNTIMED`."""
    if time_ns == UNTIMED:
        return None
    return dt.datetime.fromtimestamp(time_ns // 1000 / 1_000_000, dt.UTC)


class Seen(Protocol):
    """What is told of a message by those who keep what it shows: its time, as `instant` takes it, and its frame."""

    @property
    def time_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""

    @property
    def frame(self) -> int:
        """Number of the frame that completed it."""


class TableSeen(NamedTuple):
    """Where a table comes from.

    Attributes:
        since: when the first of its octets were seen, of those that are here; None for octets written in hex.
        last: when octets of it were seen last, the same or others; None likewise.
        frames: numbers of the frames that brought them, the last few.
        verified: True if they come from messages whose MAC is right; None if no MAC was expected; False if a MAC was
            there that could not be checked, or if only one of request and response was verified.
    """

    since: dt.datetime | None
    last: dt.datetime | None
    frames: tuple[int, ...]
    verified: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON."""
        return {
            "since": None if self.since is None else self.since.isoformat(),
            "last": None if self.last is None else self.last.isoformat(),
            "frames": list(self.frames),
            "verified": self.verified,
        }


class SeenOctets(NamedTuple):
    """ST7 as it was written, or ST8 as it was read."""

    label: str
    octets: bytes
    time_ns: int
    frame: int
    verified: bool | None

    def __repr__(self) -> str:  # a procedure may have been given a password
        return f"<{self.label} in frame {self.frame}, {len(self.octets)} octets>"


class CapturedProcedure(NamedTuple):
    """A procedure that somebody started, or whose result somebody read.

    Attributes:
        number: of the procedure; a manufacturer's has 2048 added. None where ST0, which tells the order of octets, was
            not seen.
        name: what it is called; None if it is not declared.
        sequence: the number that ties the result to the start.
        started: when it was started; None if that was not seen.
        answered: when its result was seen last.
        parameters: their record; None if there are none, or they are not known.
        result: the result code; None if it was not seen.
        response: the record of what it answered.
        frames: frames of start and results.
        verified: as in `TableSeen`, of all of them.
    """

    number: int | None
    name: str | None
    sequence: int
    started: dt.datetime | None
    answered: dt.datetime | None
    parameters: Any
    result: int | None
    response: Any
    frames: tuple[int, ...]
    verified: bool | None


class CapturedDevice(Device):
    """The tables of one meter, as far as a capture showed them. A snapshot: what is seen later is not in it.

    Attributes:
        title: of the node, as it was seen first; its address if it has none.
        seen: where each table comes from, by label; tables that the user supplied are not in it.
        findings: what is odd about what was seen of this node.
    """

    title: str
    seen: Mapping[str, TableSeen]
    findings: tuple[Finding, ...]
    _procedure_octets: tuple[SeenOctets, ...]

    def with_origin(
        self, title: str, seen: Mapping[str, TableSeen], procedures: Iterable[SeenOctets], findings: Iterable[Finding]
    ) -> CapturedDevice:
        """Set where the tables come from, and return the device."""
        self.title = title
        self.seen = dict(seen)
        self.findings = tuple(findings)
        self._procedure_octets = tuple(procedures)
        self.node["captured"] = {label: one.as_dict() for label, one in self.seen.items()}
        return self

    @property
    def procedures(self) -> tuple[CapturedProcedure, ...]:
        """The procedures that were started and answered, in order; the last of them, if there were many."""
        procedures: dict[int, CapturedProcedure] = {}  # by which of the octets they began with
        latest: dict[tuple[Any, int], int] = {}
        for index, one in enumerate(self._procedure_octets):
            if len(one.octets) < _HEAD:
                continue
            number, name = self._named(one.octets)
            key = (one.octets[:2] if number is None else number, one.octets[2])
            first = latest.get(key, index) if one.label == "ST8" else index
            latest[key] = first
            procedure = procedures.get(first) or CapturedProcedure(
                number, name, one.octets[2], None, None, None, None, None, (), one.verified
            )
            procedures[first] = self._grown(procedure, one)
        return tuple(procedures.values())

    def _grown(self, procedure: CapturedProcedure, one: SeenOctets) -> CapturedProcedure:
        """Add to a procedure what was seen of it."""
        try:
            value = self.decode(one.label, one.octets).value
        except C1219Error:
            value = None
        frames = (*procedure.frames, one.frame)
        verified = procedure.verified if procedure.verified == one.verified else False
        time = instant(one.time_ns)
        if one.label == "ST7":
            parameters = getattr(value, "PARM", None)
            return procedure._replace(started=time, parameters=parameters, frames=frames, verified=verified)
        return procedure._replace(
            answered=time,
            result=one.octets[_HEAD] if len(one.octets) > _HEAD else None,
            response=getattr(value, "RESP_DATA", None),
            frames=frames,
            verified=verified,
        )

    def _named(self, octets: bytes) -> tuple[int | None, str | None]:
        """Return number and name of the procedure at the start of ST7 or ST8."""
        try:
            order = "big" if self[0].value.FORMAT_CONTROL_1.DATA_ORDER else "little"
        except (C1219Error, AttributeError):
            return None, None
        one = TableId.from_bytes(octets[:2], order).plain  # type: ignore[arg-type]  # one of the two
        try:
            return one, self.procedure(one.number, manufacturer=one.manufacturer).name
        except C1219Error:
            return one, None
