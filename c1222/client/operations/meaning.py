"""Verbs that return meaning: who the meter is, registers, load profile, events, and its clock.

What the tables mean is said by `c1219.views`; here it is decided which of them to read. Tables of the configuration are
read once; data are read each time. A table of the configuration that the meter refuses is left out, and a finding says
so.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from c1219.errors import DecodeError
from c1219.views.clock import Clock, timekeeping
from c1219.views.clock import clock as clock_view
from c1219.views.event_log import EventLog
from c1219.views.event_log import events as events_view
from c1219.views.identity import Identity
from c1219.views.identity import identity as identity_view
from c1219.views.load_profile import LoadProfile, needed
from c1219.views.load_profile import load_profile as load_profile_view
from c1219.views.records import CALENDAR, CLOCK, SOURCES
from c1219.views.registers import Registers
from c1219.views.registers import registers as registers_view
from c1222.client.operations.read_so_far import ReadSoFar
from c1222.client.operations.reading import PartialRead
from c1222.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from c1219.device import Device
    from c1219.errors import Finding
    from c1219.tabular.readings import MeterOrigin
    from c1219.views.event_log import Log
    from c1219.views.load_profile import Need
    from c1222.client.errors import ReadInterrupted
    from c1222.client.operations.conversation import Conversation
    from c1222.client.operations.loading import TableLoader
    from c1222.client.operations.procedures import ProcedureResult, ProcedureRunner
    from c1222.client.operations.read_so_far import Progress
    from c1222.client.operations.transfer import Transfer
    from c1222.client.steps import Operation

__all__ = ["MeaningVerbs", "read_now"]

_REGISTERS: Final = (23, 28)
_LOGS: Final[Mapping[Log, int]] = {"history": 74, "event": 76}
_SET_DATE_AND_TIME: Final = 10


class MeaningVerbs:
    """Identity, registers, load profile, events, clock."""

    conversation: Conversation
    device: Device
    loader: TableLoader
    procedures: ProcedureRunner
    transfer: Transfer

    def identity(self) -> Operation[Identity]:
        """Say who the meter is: manufacturer, model, serial number, versions, nameplate (ST0, ST1, ST2, ST5, ST6).

        Returns:
            See `c1219.views.identity.Identity`.

        Raises:
            Refusal: the meter refused ST0; PeerSilent, Unreachable, ConnectionLost, SessionLost: there is no answer.
        """
        findings = yield from self.loader.load_view((1, 2, 5, 6), ())
        view = identity_view(self.device)
        title = self.conversation.initiator.called
        return view._replace(
            ap_title=view.ap_title or (None if title is None else str(title)),
            findings=_with(findings, view.findings),
        )

    def registers(
        self,
        *tables: int,
        zone: dt.tzinfo | None = None,
        local_counters: bool = False,
        progress: Progress | None = None,
        resume: ReadInterrupted | None = None,
    ) -> Operation[Registers]:
        """Read registers, each with quantity, unit, value and time.

        Args:
            tables: which: 23 current, 24 previous season, 25 previous demand reset, 26 self reads, 28 present values;
                23 and 28, as far as the meter has them, when none is given.
            zone: where the meter is, if known; overrides what its tables say.
            local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
            progress: see `read`.
            resume: see `read`.

        Returns:
            See `c1219.views.registers.Registers`.

        Raises:
            what `read` raises, when the meter refuses a register table, or there is no answer.
        """
        wanted = tables or _REGISTERS
        settled = (*SOURCES, 21, 22, *((27,) if 28 in wanted else ()), *CALENDAR)
        so_far = ReadSoFar(progress, None if resume is None else resume.gathered)
        findings = yield from self.loader.load_view(wanted, settled, so_far, required=bool(tables), clock=True)
        view = registers_view(self.device, zone=zone, local_counters=local_counters)
        rows = tuple(row for row in view.rows if int(row.path[2:4]) in wanted)
        others = {f"ST{number}" for number in range(23, 29) if number not in wanted}
        kept = [finding for finding in view.findings if finding.path.partition(".")[0] not in others]
        return Registers(rows, _with(findings, kept), read_now(view.origin, self.conversation), view.sources)

    def load_profile(
        self,
        number: int = 1,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        *,
        zone: dt.tzinfo | None = None,
        local_counters: bool = False,
        progress: Progress | None = None,
        resume: ReadInterrupted | None = None,
    ) -> Operation[LoadProfile]:
        """Read the intervals of a load profile set between two times, and no octets but those that hold them.

        Args:
            number: of the set, 1..4.
            since: only intervals that end after this; naive means local time of the meter. None for all.
            until: only intervals that start before this. None for all.
            zone: where the meter is, if known; overrides what its tables say.
            local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
            progress: see `read`.
            resume: see `read`.

        Returns:
            See `c1219.views.load_profile.LoadProfile`; no rows, and findings, where the meter has no such set.

        Raises:
            what `read` raises.
        """
        table = 63 + number
        options: Any = {"zone": zone, "local_counters": local_counters}
        findings = yield from self.loader.load_view((63,), (*SOURCES, 61, 62, *CALENDAR), clock=True)
        self.device.drop(table)  # an earlier image would tell where blocks were then
        need = needed(self.device, number, since, until, ends={}, **options)
        so_far = ReadSoFar(progress, None if resume is None else resume.gathered)
        if need.estimated and need.ends and (since is not None or until is not None):
            ends = yield from self._block_ends(number, need)
            need = needed(self.device, number, since, until, ends=ends, **options)
        parts = [PartialRead(table, piece.offset, piece.count) for piece in need.pieces]
        octets = yield from self.transfer.fetch(parts, so_far)
        pieces = {part.offset or 0: data for part, data in zip(parts, octets, strict=True)}
        view = load_profile_view(self.device, number, pieces=pieces, since=since, until=until, **options)
        view.findings = _with(findings, need.findings, view.findings)
        view.origin = read_now(view.origin, self.conversation)
        return view

    def _block_ends(self, number: int, need: Need) -> Operation[dict[int, dt.datetime | None]]:
        """Read when the blocks of a set ended."""
        table = 63 + number
        octets = yield from self.transfer.fetch([PartialRead(table, piece.offset, piece.count) for piece in need.ends])
        ends: dict[int, dt.datetime | None] = {}
        for piece, data in zip(need.ends, octets, strict=True):
            for block in piece.blocks:
                element = self.device.layout(f"ST{table}.LP_DATA_SETS{number}[{block}].BLK_END_TIME")
                own = data[element.offset - piece.offset :][: element.size]
                try:
                    time = element.decode(own)
                except DecodeError:
                    time = None
                ends[block] = time if isinstance(time, dt.datetime) else None
        return ends

    def events(
        self,
        *logs: Log,
        seen: Mapping[Log, int] | None = None,
        zone: dt.tzinfo | None = None,
        local_counters: bool = False,
        progress: Progress | None = None,
        resume: ReadInterrupted | None = None,
    ) -> Operation[EventLog]:
        """Read the history log and the event log, in order, with codes and arguments in words.

        Args:
            logs: ``"history"``, ``"event"``; both, as far as the meter has them, when none is given.
            seen: newest sequence number of each log that is known already, to tell what was lost since.
            zone: where the meter is, if known; overrides what its tables say.
            local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.
            progress: see `read`.
            resume: see `read`.

        Returns:
            See `c1219.views.event_log.EventLog`.

        Raises:
            what `read` raises.
        """
        wanted: tuple[Log, ...] = logs or ("history", "event")
        tables = [_LOGS[log] for log in wanted]
        so_far = ReadSoFar(progress, None if resume is None else resume.gathered)
        findings = yield from self.loader.load_view(
            tables, (71, 72, *CALENDAR), so_far, required=bool(logs), clock=True
        )
        here = tuple(log for log in wanted if _LOGS[log] in self.device)
        view = events_view(self.device, logs=here, seen=seen, zone=zone, local_counters=local_counters)
        view.findings = _with(findings, view.findings)
        view.origin = read_now(view.origin, self.conversation)
        return view

    def clock(self, *, zone: dt.tzinfo | None = None, local_counters: bool = False) -> Operation[Clock]:
        """Read the meter's clock, and say how far it is from ours, and where its calendar stands.

        Args:
            zone: where the meter is, if known; overrides what its tables say.
            local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.

        Returns:
            See `c1219.views.clock.Clock`; ``drift`` is the meter's time minus ours, half the round trip taken off.

        Raises:
            what `read` raises.
        """
        yield from self.loader.load_view((), CALENDAR)
        sent = self.conversation.clock.utc
        findings = yield from self.loader.load_view((52, 55, 56), ())
        now = dt.datetime.fromtimestamp((sent + self.conversation.clock.utc) / 2, dt.UTC)
        view = clock_view(self.device, now=now, zone=zone, local_counters=local_counters)
        return view._replace(findings=_with(findings, view.findings), origin=read_now(view.origin, self.conversation))

    def set_clock(
        self, time: dt.datetime | None = None, *, zone: dt.tzinfo | None = None, local_counters: bool = False
    ) -> Operation[ProcedureResult]:
        """Set the meter's date and time (procedure 10); its qualifier stays as it is.

        Args:
            time: aware: put into the form that the meter's clock has; naive: what the meter shall show. Now when None.
            zone: where the meter is, if known; overrides what its tables say.
            local_counters: with TM_FORMAT 3 and 4 the meter counts local time, not UTC.

        Returns:
            The result; ``response`` has the clock before and after, where the meter tells it.

        Raises:
            StateError: the meter's tables do not tell its zone: give ``zone``, or a naive time.
            what `procedure` raises.
        """
        yield from self.loader.load_view(CLOCK, CALENDAR)
        times = timekeeping(self.device, zone=zone, local_counters=local_counters)
        if time is None:
            time = dt.datetime.fromtimestamp(self.conversation.clock.utc, dt.UTC)
        wall = time if time.tzinfo is None else times.shown(time)
        if wall is None:
            raise StateError("the meter's tables do not tell its time zone: give a zone, or a naive time")
        wall = (wall + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        qualifier = self._qualifier()
        if qualifier is not None:
            qualifier = qualifier._replace(DAY_OF_WEEK=wall.isoweekday() % 7)
        else:
            qualifier = (wall.isoweekday() % 7, False, times.utc, False, False, False)
        return (yield from self.procedures.run(_SET_DATE_AND_TIME, (True, True, False), wall, qualifier))

    def _qualifier(self) -> Any:
        """Return TIME_DATE_QUAL of the meter's clock, None if it is not known."""
        for table in (52, 55):
            image = self.device.get(table)
            qualifier = None if image is None else getattr(image.value, "TIME_DATE_QUAL", None)
            if isinstance(qualifier, tuple):
                return qualifier
        return None


def read_now(origin: MeterOrigin, conversation: Conversation) -> MeterOrigin:
    """Return an origin with what the tables do not tell: the title, that the meter is read now, whether with a MAC.

    Args:
        origin: as the tables tell it.
        conversation: with the meter.
    """
    initiator = conversation.initiator
    node = origin.node if initiator.called is None else str(initiator.called)
    now = dt.datetime.fromtimestamp(conversation.clock.utc, dt.UTC)
    verified = True if initiator.mode else None  # of an answer that is not, nothing is taken
    return origin._replace(meter=origin.meter or node or "", node=node, read_at=now, verified=verified)


def _with(*findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(finding for some in findings for finding in some))
