"""Polls of many meters: at once, as often as that helps, each into the store when it is done.

A meter is done with when the store has what it brought; until then it is polled anew by the next run, which begins
where the store ends. So nothing is lost, and nothing is there twice, whenever a run ends.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import logging
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

from c1219.device import Device
from c1222.client.aio import Network
from c1222.client.errors import LogonRefused, PasswordRefused, ReadInterrupted
from c1222.collect.harvest import Harvest, PollVerdict
from c1222.collect.state import MeterState
from c1222.collect.stores.opening import open_sink
from c1222.collect.stores.sink import PollPlan, StoreError
from c1222.collect.visit import WHAT, WantedParts, visit
from c1222.errors import (
    C1222Error,
    ConnectionLost,
    InvalidKey,
    PeerSilent,
    SecurityRefused,
    SessionLost,
    UnknownKey,
    Unreachable,
    in_words,
)
from c1222.protocol.identity import Identity
from c1222.security.sending import SendGuard
from c1222.services import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from c1222.collect.harvest import Outcome
    from c1222.collect.meters import NamedMeter
    from c1222.collect.stores.sink import Sink

__all__ = ["CONCURRENCY", "STORE_SECONDS", "TRIES", "RunReport", "outcome_of", "run", "run_async"]

CONCURRENCY: Final = 256
"""Meters polled at once. Those that are silent take a place until they are given up."""
TRIES: Final = 2
"""How often a meter that is silent or busy is polled in one run."""
SILENT_SECONDS: Final = 15.0
"""How long to leave a silent meter alone before the next try."""
BUSY_SECONDS: Final = 60.0
"""How long to leave a busy meter alone before the next try."""
STORE_SECONDS: Final = 120.0
"""How long to wait for a store that is locked, full, or not reached."""
BATCH: Final = 512
"""Meters that the store takes at a time, at most."""
BATCH_SECONDS: Final = 2.0
"""How long the first of them waits for others."""
_STORE_PAUSE: Final = 1.0
_SILENT: Final = (PeerSilent, Unreachable, ConnectionLost, SessionLost)
_KEY: Final = (UnknownKey, InvalidKey, SecurityRefused)

_log = logging.getLogger("c1222.collect")


@dataclass(slots=True)
class RunReport:
    """What a run did.

    Attributes:
        run: its number in the store.
        group: the meters' group.
        what: what was read.
        begun: when.
        meters: how many there are.
        done_before: of these, by an earlier part of the same run.
        outcomes: how many polls ended how.
        readings: rows of readings.
        events: rows of events.
        lost: intervals and events that meters no longer have.
        seconds: how long it took.
        stopped: it was ended before all meters were polled.
        unsaved: meters whose rows the store did not take: the next run reads them again.
        trouble: what is wrong with the store; "" for nothing.
        verdicts: of all meters polled.
    """

    run: int
    group: str
    what: tuple[str, ...]
    begun: dt.datetime
    meters: int
    done_before: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    readings: int = 0
    events: int = 0
    lost: int = 0
    seconds: float = 0.0
    stopped: bool = False
    unsaved: int = 0
    trouble: str = ""
    verdicts: list[PollVerdict] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: all; 1: part of it; 3: nothing was obtained."""
        obtained = self.done_before + self.outcomes["ok"] + self.outcomes["part"]
        if self.done_before + self.outcomes["ok"] == self.meters and not self.trouble:
            return 0
        return 1 if obtained or self.stopped or self.trouble else 3

    def as_dict(self) -> dict[str, Any]:
        """Return it in terms of JSON; ``verdicts`` has those that are not ok."""
        return {
            "schema": "c1222.collect/1",
            "run": self.run,
            "group": self.group,
            "what": list(self.what),
            "begun": self.begun.isoformat(),
            "seconds": round(self.seconds, 3),
            "meters": self.meters,
            "done_before": self.done_before,
            "outcomes": dict(self.outcomes),
            "readings": self.readings,
            "events": self.events,
            "lost": self.lost,
            "stopped": self.stopped,
            "unsaved": self.unsaved,
            "trouble": self.trouble,
            "verdicts": [verdict._asdict() for verdict in self.verdicts if verdict.outcome != "ok"],
        }


def run(meters: Iterable[NamedMeter], what: Sequence[str] = WHAT, store: str | Sink = "", **options: Any) -> RunReport:
    """Poll meters into a store, and return what came of it; see `run_async`.

    Args:
        meters: the meters.
        what: what to read.
        store: where to.
        options: as for `run_async`.

    Raises:
        what `run_async` raises.
    """
    return asyncio.run(run_async(meters, what, store, **options))


async def run_async(
    meters: Iterable[NamedMeter],
    what: Sequence[str] = WHAT,
    store: str | Sink = "",
    *,
    group: str = "",
    since: dt.datetime | None = None,
    keep_raw: bool = False,
    concurrency: int = CONCURRENCY,
    rate: float | None = None,
    tries: int = TRIES,
    silent_seconds: float = SILENT_SECONDS,
    busy_seconds: float = BUSY_SECONDS,
    store_seconds: float = STORE_SECONDS,
    stop: asyncio.Event | None = None,
    tell: Callable[[PollVerdict], None] = lambda _verdict: None,
) -> RunReport:
    """Poll meters into a store: what is new in each since the store last heard of it.

    Over UDP all share one socket, one more for IPv6. A run of the same group and the same ``what`` that did not come to
    its end is gone on with.

    Args:
        meters: the meters.
        what: what to read: ``registers``, ``load-profile``, ``events``.
        store: its address, see `open_sink`, or a `Sink`.
        group: what the meters are called together.
        since: of meters that the store does not know, only intervals that end after this.
        keep_raw: keep the octets of tables beside the rows.
        concurrency: meters polled at once.
        rate: polls begun in a second, at most; None for as many as go.
        tries: how often a meter that is silent or busy is polled. One that refuses key or password is polled once.
        silent_seconds: pause before a silent meter is polled again.
        busy_seconds: pause before a busy meter is polled again.
        store_seconds: how long to wait for a store that is locked, full, or not reached, before the run is ended.
        stop: when set, no further poll is begun; those under way come to their end.
        tell: called with the verdict on each meter, once the store has what it brought.

    Raises:
        StoreError: the store cannot be opened.
        ValueError: `what` has something else.
    """
    wanted = WantedParts.of(what, since=since, raw=keep_raw)
    everyone = list(meters)
    writing = ThreadPoolExecutor(1, "store")
    try:
        loop = asyncio.get_running_loop()
        sink = await loop.run_in_executor(writing, open_sink, store) if isinstance(store, str) else store
        plan = PollPlan(group or ",".join(sorted(meter.name for meter in everyone))[:200], tuple(what))
        begun = await loop.run_in_executor(writing, sink.begin, plan)
        report = RunReport(begun.run, plan.group, plan.what, dt.datetime.now(dt.UTC), len(everyone))
        polling = _Polling(
            report, wanted, begun.states, concurrency=concurrency, rate=rate, tries=tries,
            pauses={"silent": silent_seconds, "busy": busy_seconds}, stop=stop or asyncio.Event(),
        )  # fmt: skip
        todo = [meter for meter in everyone if meter.name not in begun.done]
        report.done_before = len(everyone) - len(todo)
        writer = _Writer(sink, writing, report, polling.stop, store_seconds, tell)
        started = time.monotonic()
        saving = asyncio.create_task(writer.run())
        try:
            await polling.run(todo, writer.queue)
        finally:
            await writer.queue.put(None)
            await saving
        report.seconds = time.monotonic() - started
        complete = not report.stopped and not report.trouble
        try:
            await loop.run_in_executor(writing, sink.end, begun.run, report.as_dict() if complete else None)
        except StoreError as error:
            report.trouble = report.trouble or str(error)
        return report
    finally:
        writing.shutdown()


@dataclass(order=True, slots=True)
class _Job:
    """A poll to do."""

    due: float
    number: int
    meter: NamedMeter = field(compare=False)
    tries: int = field(compare=False, default=0)
    seconds: float = field(compare=False, default=0.0)
    before: Harvest | None = field(compare=False, default=None)


class _Polling:
    """The polls of one run."""

    def __init__(
        self,
        report: RunReport,
        wanted: WantedParts,
        states: Mapping[str, MeterState],
        *,
        concurrency: int,
        rate: float | None,
        tries: int,
        pauses: Mapping[str, float],
        stop: asyncio.Event,
    ) -> None:
        self.stop = stop
        self._report, self._wanted, self._states = report, wanted, states
        self._concurrency, self._rate, self._tries, self._pauses = max(1, concurrency), rate, max(1, tries), pauses
        self._jobs: list[_Job] = []
        self._under_way = 0
        self._changed = asyncio.Event()
        self._next_start = 0.0
        self._guard = SendGuard()
        self._identities: dict[Hashable, Identity] = {}
        self._network = Network(calling=None)

    async def run(self, meters: Sequence[NamedMeter], queue: asyncio.Queue[Harvest | None]) -> None:
        numbers = count()
        self._jobs = [_Job(0.0, next(numbers), meter) for meter in meters]
        watch = asyncio.create_task(self._watch())
        try:
            async with self._network:
                workers = min(self._concurrency, len(meters))
                await asyncio.gather(*[self._work(queue, numbers) for _ in range(workers)])
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch
        self._report.stopped = bool(self._jobs)

    async def _watch(self) -> None:
        await self.stop.wait()
        self._changed.set()

    async def _work(self, queue: asyncio.Queue[Harvest | None], numbers: Any) -> None:
        while (job := await self._next()) is not None:
            try:
                harvest = await self._poll(job)
                outcome = outcome_of(harvest)
                again = outcome in self._pauses and job.tries < self._tries and not self.stop.is_set()
                if again:
                    due = time.monotonic() + self._pauses[outcome]
                    heapq.heappush(self._jobs, _Job(due, next(numbers), job.meter, job.tries, job.seconds, harvest))
                else:
                    harvest.verdict = _verdict(harvest, job)
                    await queue.put(harvest)
            finally:
                self._under_way -= 1
                self._changed.set()

    async def _next(self) -> _Job | None:
        """Wait for the next poll to do; None when there is none any more."""
        while not self.stop.is_set():
            now = time.monotonic()
            if self._jobs and self._jobs[0].due <= now and self._next_start <= now:
                self._under_way += 1
                if self._rate is not None:
                    self._next_start = max(now, self._next_start) + 1 / self._rate
                return heapq.heappop(self._jobs)
            if not self._jobs and not self._under_way:
                return None
            pause = max(self._jobs[0].due, self._next_start) - now if self._jobs else None
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), pause)
        return None

    async def _poll(self, job: _Job) -> Harvest:
        meter, before = job.meter, job.before
        job.tries += 1
        started = time.monotonic()
        try:
            state = before.state if before is not None else self._states.get(meter.name, MeterState())
            try:
                harvest = await self._visit(meter, state, before)
            except C1222Error as error:
                harvest = Harvest(meter.name, state, dt.datetime.now(dt.UTC), error=error)
        except Exception as error:  # noqa: BLE001 - a mistake of ours over what one meter says must not end the run
            _log.exception("%s", meter.name)
            harvest = Harvest(meter.name, MeterState(), dt.datetime.now(dt.UTC), error=error)
        job.seconds += time.monotonic() - started
        return harvest if before is None else before.followed_by(harvest)

    async def _visit(self, meter: NamedMeter, state: MeterState, before: Harvest | None) -> Harvest:
        arguments = meter.arguments()
        if state.tables:
            arguments["device"] = Device(cast("Mapping[int | str, bytes]", state.tables))
        wanted, zone = self._wanted, meter.zone
        if before is not None and "registers" in before.complete:
            wanted = wanted._replace(registers=False)
        if meter.url.partition(":")[0].lower() != "udp":
            async with meter.connect_async(**arguments) as connected:
                return await connected.run(lambda verbs: visit(verbs, meter.name, wanted, state, zone))
        asker = arguments.pop("calling", None), arguments.pop("key", None), arguments.pop("id_bits", 32)
        client = await self._network.meter(meter.url, **arguments, identity=self._identity(*asker))
        async with client:
            return await client.run(lambda verbs: visit(verbs, meter.name, wanted, state, zone))

    def _identity(self, calling: Any, key: Any, id_bits: Any) -> Identity:
        """Return who asks: one for all meters that are asked under the same title and keys."""
        place = calling, id_bits, key
        if place not in self._identities:
            self._identities[place] = Identity(calling, key, guard=self._guard, id_bits=id_bits)
        return self._identities[place]


class _Writer:
    """Gives to the store what polls bring, many at a time."""

    def __init__(
        self,
        sink: Sink,
        thread: ThreadPoolExecutor,
        report: RunReport,
        stop: asyncio.Event,
        patience: float,
        tell: Callable[[PollVerdict], None],
    ) -> None:
        self.queue: asyncio.Queue[Harvest | None] = asyncio.Queue(2 * BATCH)  # a slow store holds polls up
        self._sink, self._thread, self._report, self._stop = sink, thread, report, stop
        self._patience, self._tell = patience, tell

    async def run(self) -> None:
        more = True
        while more:
            batch, more = await self._batch()
            if not batch:
                continue
            if self._report.trouble or not await self._put(batch):
                self._report.unsaved += len(batch)
                continue
            for harvest in batch:
                self._count(harvest)

    async def _batch(self) -> tuple[list[Harvest], bool]:
        """Return what there is to write, and whether there may be more."""
        batch: list[Harvest] = []
        deadline: float | None = None
        while len(batch) < BATCH:
            try:
                pause = None if deadline is None else deadline - time.monotonic()
                one = await asyncio.wait_for(self.queue.get(), pause)
            except TimeoutError:
                break
            if one is None:
                return batch, False
            batch.append(one)
            deadline = deadline or time.monotonic() + BATCH_SECONDS
        return batch, True

    async def _put(self, batch: list[Harvest]) -> bool:
        give_up = time.monotonic() + self._patience
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._sink.put, self._report.run, batch)
            except StoreError as error:
                if error.passing and time.monotonic() < give_up:
                    _log.warning("the store: %s", error)
                    await asyncio.sleep(_STORE_PAUSE)
                    continue
                self._report.trouble = str(error)
            except Exception as error:  # noqa: BLE001 - a store of somebody else: polls must not wait for it for ever
                _log.exception("the store")
                self._report.trouble = f"the store: {error!r}"
            else:
                return True
            self._stop.set()
            return False

    def _count(self, harvest: Harvest) -> None:
        report, verdict = self._report, harvest.verdict
        if verdict is None:
            return
        report.verdicts.append(verdict)
        report.outcomes[verdict.outcome] += 1
        report.readings += verdict.readings
        report.events += verdict.events
        report.lost += verdict.lost
        _log.log(
            logging.INFO if verdict.outcome == "ok" else logging.WARNING, "%s", verdict.line, extra={"verdict": verdict}
        )
        self._tell(verdict)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0]


def outcome_of(harvest: Harvest) -> Outcome:
    """Return how a poll ended: what to do about it follows."""
    error = harvest.error
    if isinstance(error, ReadInterrupted):
        error = error.reason
    if error is None:
        if not harvest.problems:
            return "ok"
        return "part" if harvest.complete else "refused"
    if isinstance(error, (PasswordRefused, LogonRefused)):
        return "wrong-password"
    if isinstance(error, _KEY):
        return "wrong-key"
    if isinstance(error, _SILENT):
        return "silent"
    if isinstance(error, Refusal):
        return "busy" if error.transient else "refused"
    return "failed"


def _verdict(harvest: Harvest, job: _Job) -> PollVerdict:
    outcome = outcome_of(harvest)
    if outcome in {"silent", "busy", "failed", "refused"} and harvest.complete:
        outcome = "part"
    words = [*([in_words(harvest.error)] if harvest.error is not None else []), *harvest.problems]
    return PollVerdict(
        harvest.name, harvest.state.meter, outcome, len(harvest.readings), len(harvest.events), harvest.lost,
        job.tries, round(job.seconds, 3), "; ".join(map(_first_sentence, words)), harvest.exchanged,
    )  # fmt: skip
