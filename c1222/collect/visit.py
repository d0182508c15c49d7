"""One poll of one meter: what is new in it, read with as few octets as that takes. A generator over the core."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.errors import C1219Error
from c1219.rules.profile_set import SETS, set_label
from c1219.tableid import table_id, table_label
from c1219.views.origin import origin
from c1222.client.errors import ChecksumWrong, CutShort, ReadInterrupted
from c1222.collect.harvest import Harvest, RawPart
from c1222.collect.new_events import LOGS, new_events
from c1222.collect.state import Gap, MeterState, ProfileMark, configuration
from c1222.errors import C1222Error, DecodeError
from c1222.protocol.events import Completed
from c1222.services import Refusal
from c1222.services.tables import ReadOffsetRequest, ReadRequest, TableResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from c1219.views.load_profile import Interval, LoadProfile
    from c1222.client.operations.operations import Operations
    from c1222.client.steps import Operation

    _T = TypeVar("_T")

__all__ = ["GAP_TRIES", "WHAT", "WantedParts", "recorded", "visit"]

WHAT: Final = ("registers", "load-profile", "events")
"""What can be asked for."""
GAP_TRIES: Final = 2
"""How often missing intervals are asked for, before they count as lost."""
_OF_ONE: Final = (Refusal, CutShort, ChecksumWrong, DecodeError, C1219Error)
"""What goes wrong with one part, and leaves the others."""


class WantedParts(NamedTuple):
    """What to read.

    Attributes:
        registers: ST23 and ST28.
        load_profile: all sets that the meter has.
        events: both logs.
        since: of a meter that is not known yet, only intervals that end after this; None for all.
        raw: keep the octets too.
    """

    registers: bool = True
    load_profile: bool = True
    events: bool = True
    since: dt.datetime | None = None
    raw: bool = False

    @classmethod
    def of(cls, what: Sequence[str], *, since: dt.datetime | None = None, raw: bool = False) -> WantedParts:
        """Return it for names of `WHAT`.

        Raises:
            ValueError: one is something else, or there is none.
        """
        wrong = [name for name in what if name not in WHAT]
        if wrong or not what:
            raise ValueError(f"{', '.join(wrong) or 'nothing'}: what can be read is {', '.join(WHAT)}")
        return cls("registers" in what, "load-profile" in what, "events" in what, since, raw)


def visit(
    operations: Operations, name: str, wanted: WantedParts, state: MeterState, zone: dt.tzinfo | None = None
) -> Operation[Harvest]:
    """Read what is new in a meter. What comes before a failure is kept: the failure is in the harvest.

    Args:
        operations: the verbs of the meter; its device holds the tables of the state.
        name: of the meter in the list.
        wanted: what to read.
        state: what is known of the meter.
        zone: where the meter is, if known.
    """
    now = dt.datetime.fromtimestamp(operations.conversation.clock.utc, dt.UTC)
    poll = _Visit(operations, wanted, zone, Harvest(name, state, now))
    steps = poll.read()
    yield from recorded(steps, poll.harvest.raw.append) if wanted.raw else steps
    return poll.harvest


class _Visit:
    """One poll of one meter."""

    def __init__(self, operations: Operations, wanted: WantedParts, zone: dt.tzinfo | None, harvest: Harvest) -> None:
        self.operations, self.wanted, self.zone, self.harvest = operations, wanted, zone, harvest
        self.device = operations.device

    def read(self) -> Operation[None]:
        harvest, wanted = self.harvest, self.wanted
        try:
            yield from self._who()
            if wanted.registers:
                yield from self._part("registers", self._registers)
            if wanted.load_profile:
                for number in SETS:
                    if self._has(table_id(set_label(number))):
                        yield from self._part(f"load-profile {number}", lambda number=number: self._profile(number))  # type: ignore[misc]
            if wanted.events:
                for log, table in LOGS.items():
                    if self._has(table):
                        yield from self._part(f"{log} log", lambda log=log: self._events(log))  # type: ignore[misc]
        except C1222Error as error:
            harvest.error = error
        harvest.state = harvest.state._replace(tables=configuration(self.device))

    def _part(self, what: str, read: Callable[[], Operation[None]]) -> Operation[None]:
        try:
            yield from read()
            self.harvest.complete.add(what)
        except ReadInterrupted as error:
            if not isinstance(error.reason, _OF_ONE):
                raise error.reason from error
            self.harvest.problems.append(f"{what}: {error.reason}")
        except Refusal as error:
            if error.transient:
                raise
            self.harvest.problems.append(f"{what}: {error}")
        except _OF_ONE as error:
            self.harvest.problems.append(f"{what}: {error}")

    def _has(self, table: int) -> bool:
        return self.operations.transfer.lists(table) is not False

    def _who(self) -> Operation[None]:
        """Read which meter it is, its clock, and where its load profile stands; another one is a meter of its own."""
        yield from self._heads()
        harvest, before = self.harvest, self.harvest.state
        meter = origin(self.device).meter or str(self.operations.conversation.initiator.called or harvest.name)
        if before.meter and before.meter != meter:
            harvest.exchanged = True
            for label in tuple(self.device):
                self.device.drop(label)
            before = MeterState()
            yield from self._heads()
        harvest.state = before._replace(meter=meter)

    def _heads(self) -> Operation[None]:
        loader = self.operations.loader
        if 0 not in self.device:
            yield from loader.load(["ST0"])
        clock = 52 if self._has(52) else 55
        yield from loader.load_view((1, 5, clock, *((63,) if self.wanted.load_profile else ())), ())

    def _registers(self) -> Operation[None]:
        view = yield from self.operations.registers(zone=self.zone)
        self.harvest.readings += view.table_rows()

    def _profile(self, number: int) -> Operation[None]:
        harvest, state = self.harvest, self.harvest.state
        mark = state.profiles.get(number)
        gaps = [gap for gap in state.gaps if gap.set == number]
        status = self._status(number)
        if mark is not None and not gaps and status is not None and mark.status == status[0]:
            return  # nothing has happened since
        since = self.wanted.since if mark is None else min([mark.end, *(gap.start for gap in gaps)])
        view = yield from self.operations.load_profile(number, since, zone=self.zone)
        rows = _dated(view)
        if mark is not None and rows and _has_zone(mark.end) != _has_zone(rows[0].end):
            mark, gaps, harvest.repeats = None, [], True  # whether its zone is known has changed: no times to compare
        status = self._status(number)
        if mark is not None and status is not None and _fewer(rows, mark, status, self._per_block(number)):
            # The clock was set back, or a block ended early: times do not tell what is new.
            view = yield from self.operations.load_profile(number, None, zone=self.zone)
            rows = _dated(view)
            harvest.repeats = True
        harvest.repeats = harvest.repeats or bool(gaps)
        view.rows = tuple(rows)
        harvest.readings += view.table_rows()
        if not rows:
            if mark is not None and status is not None:
                self._keep(number, mark._replace(status=status[0]), state.gaps)
            return
        newest = max(rows, key=lambda row: (row.block, row.end))
        found = _gaps(number, rows, mark, dt.timedelta(minutes=view.minutes), gaps)
        harvest.lost += sum(_count(gap, view.minutes) for gap in found if gap.tries >= GAP_TRIES)
        kept = tuple(gap for gap in found if gap.tries < GAP_TRIES)
        others = tuple(gap for gap in state.gaps if gap.set != number)
        octets, block, intervals = status or ("", newest.block, 0)
        assert newest.end is not None  # noqa: S101 - only rows with an end are kept
        self._keep(number, ProfileMark(newest.end, block, intervals, octets), (*others, *kept))

    def _keep(self, number: int, mark: ProfileMark, gaps: tuple[Gap, ...]) -> None:
        state = self.harvest.state
        self.harvest.state = state._replace(profiles={**state.profiles, number: mark}, gaps=gaps)

    def _status(self, number: int) -> tuple[str, int, int] | None:
        """Return what ST63 says of a set: its octets in hex, the newest block, and its valid intervals."""
        image = self.device.get(63)
        if image is None:
            return None
        try:
            element = self.device.layout(f"ST63.LP_STATUS_SET{number}")
            record = element.decode(image.raw[element.offset : element.offset + element.size])
            octets = image.raw[element.offset : element.offset + element.size].hex()
            return octets, int(record.LAST_BLOCK_SEQ_NBR), int(record.NBR_VALID_INT)
        except (C1219Error, AttributeError, TypeError):
            return None

    def _per_block(self, number: int) -> int:
        image = self.device.get(61)
        return int(getattr(image and image.value, f"NBR_BLK_INTS_SET{number}", None) or 0)

    def _events(self, log: Any) -> Operation[None]:
        harvest, state = self.harvest, self.harvest.state
        view, newest = yield from new_events(self.operations, log, state.logs.get(log), self.zone)
        if view is not None:
            harvest.events += view.table_rows()
            harvest.lost += sum(lost.count or 0 for lost in view.lost)
        if newest is not None:
            harvest.state = state._replace(logs={**state.logs, log: newest})


def recorded(operation: Operation[_T], keep: Callable[[RawPart], None]) -> Operation[_T]:
    """Run a verb, and keep the octets of tables that come.

    Args:
        operation: the verb.
        keep: takes each part.
    """
    step = next(operation)
    try:
        while True:
            try:
                outcome = yield step
            except C1222Error as error:
                step = operation.throw(error)
                continue
            if isinstance(outcome, Completed):
                asked = getattr(step, "services", ())
                for service, answer in zip(asked, outcome.responses, strict=False):
                    if isinstance(service, (ReadRequest, ReadOffsetRequest)) and isinstance(answer, TableResponse):
                        offset = service.offset if isinstance(service, ReadOffsetRequest) else 0
                        keep(RawPart(table_label(service.table), offset, answer.table_data.data))
            step = operation.send(outcome)
    except StopIteration as stop:
        result: _T = stop.value
        return result


def _dated(view: LoadProfile) -> list[Interval]:
    """Return the rows whose end is known: the others have no place in a series."""
    return [row for row in view.rows if row.end is not None]


def _has_zone(time: dt.datetime | None) -> bool:
    return time is not None and time.tzinfo is not None


def _fewer(rows: list[Interval], mark: ProfileMark, status: tuple[str, int, int], per_block: int) -> bool:
    """Tell whether fewer intervals are newer than a mark than the meter has recorded since."""
    _, block, intervals = status
    recorded_since = (block - mark.block) * per_block + intervals - mark.intervals
    newer = {row.end for row in rows if row.end is not None and row.end > mark.end}
    return len(newer) < recorded_since


def _gaps(
    number: int, rows: list[Interval], mark: ProfileMark | None, step: dt.timedelta, before: list[Gap]
) -> list[Gap]:
    """Return the holes between intervals that follow each other in time."""
    if not step:
        return []
    ends = sorted({row.end for row in rows if row.end is not None})
    tries = {(gap.start, gap.end): gap.tries for gap in before}
    found = []
    starts = [gap.start for gap in before] + ([] if mark is None else [mark.end])
    earlier = min([*starts, ends[0]])
    for end in ends:
        if end - earlier > step:
            place = earlier, end - step
            found.append(Gap(number, *place, tries.get(place, 0) + 1))
        earlier = end
    return found


def _count(gap: Gap, minutes: int) -> int:
    return round((gap.end - gap.start) / dt.timedelta(minutes=minutes))
