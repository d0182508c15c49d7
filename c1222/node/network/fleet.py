"""All meters of one process, without sockets: which one a message is for, and when answers may leave.

The title that a message calls selects the meter; a message without one is for the first, the directly attached. The
answers of many requests wait for one flush of the store, after which all that they tell is durable.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from c1219.errors import C1219Error
from c1222.errors import C1222Error, DecodeError, StateError
from c1222.message.aptitle import ApTitle
from c1222.message.envelope import is_secured, read_apdu
from c1222.node.network.faults import FaultPlan, altered
from c1222.node.network.station import Shared, Station
from c1222.node.store.store import StoredVectors
from c1222.protocol.events import BudgetUsedUp, HandlerFailed, Refused, Released
from c1222.protocol.policy import NodePolicy
from c1222.protocol.responder.admission import make_throttle
from c1222.protocol.responder.arrival import Receiver
from c1222.protocol.responder.throttle import Origin, Throttle
from c1222.protocol.segments import Segments
from c1222.protocol.state import REPEATABLE
from c1222.security.keys import KeyStore
from c1222.security.receiving import ReplayGuard
from c1222.security.sending import SendGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from c1222.message.envelope import Envelope
    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.store.store import Store
    from c1222.protocol.events import ResponderEvent
    from c1222.protocol.responder.arrival import Arrival

__all__ = ["Delivery", "Fleet"]

_SWEEP: Final = 60
_MUCH: Final = 3600.0
_SEEN_IN_ALL: Final = 262_144
_SEEN_AT_LEAST: Final = 2048


class _Asking(Protocol):
    """What asks in the name of a meter."""

    def receive(self, apdu: bytes, *, now: float, utc: float) -> None:
        """Take an answer."""


class Delivery(NamedTuple):
    """An APDU to send.

    Attributes:
        source: where the request came from, which is where this goes to.
        apdu: the octets.
        delay: seconds to hold it back.
    """

    source: Hashable
    apdu: bytes
    delay: float = 0.0


class Fleet(Receiver):
    """Meters that share a store, keys, and what they allow.

    Args:
        store: where they are kept.
        keys: of all of them; a key with a title is for that meter.
        policy: what they allow.
        faults: what goes wrong; nothing when None.

    Attributes:
        stations: the meters by title, in the order they were added.
        guard: gives out the vectors of all.
        throttle: counts the failed authentications of all.
        segments: holds the incomplete messages to all.
        answers: what takes answers to a title that asked something, by the content of the title.
        counters: what was received and dropped, by reason.
        listener: called with what the responders tell, and the meter.
    """

    def __init__(
        self,
        store: Store,
        keys: KeyStore | None = None,
        *,
        policy: NodePolicy | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.store = store
        self.keys = KeyStore() if keys is None else keys
        self.policy = NodePolicy() if policy is None else policy
        self.faults = FaultPlan() if faults is None else faults
        self.guard = SendGuard(StoredVectors(store))
        self.throttle = make_throttle(self.policy)
        self.segments = Segments(self.policy.max_size)
        self._shared = Shared(store, self.keys, self.guard, self.policy, self.faults, self.throttle, self.segments)
        self._broadcasts = Throttle(strangers=self.policy.broadcasts, known=self.policy.broadcasts, max_known=0)
        self.stations: dict[ApTitle, Station] = {}
        self.counters: Counter[str] = Counter()
        self.answers: dict[bytes, _Asking] = {}
        self.listener: Callable[[ResponderEvent, SimulatedMeter], None] | None = None
        self._by_content: dict[bytes, Station] = {}
        self._out: list[Delivery] = []
        self._released: list[Hashable] = []
        self._late: list[tuple[float, Arrival]] = []
        self._connected: dict[Hashable, set[Station]] = {}  # whom each connection asked
        self._period_ends: float | None = None
        self._sweep: list[Station] = []
        store.hold()

    def add(self, meter: SimulatedMeter, *, expected: int = 1) -> Station:
        """Add a meter.

        Args:
            meter: the meter.
            expected: how many there will be in all: they share the room for requests remembered.

        Raises:
            StateError: there is one of that title, or the store cannot be read.
        """
        content = meter.title.absolute_content(self.keys.base_oid)
        if content in self._by_content:
            raise StateError(f"there are two meters with the title {meter.title}")
        seen = min(self.policy.max_seen, max(_SEEN_AT_LEAST, _SEEN_IN_ALL // max(1, expected)))
        replay = ReplayGuard(window=self.policy.window, max_seen=seen)
        for taken in self.store.taken(meter.name):
            try:
                calling = bytes.fromhex(taken.calling)
                title = ApTitle.from_content(calling, relative=False) if calling else None
                vector = taken.vector.to_bytes(4)
            except (C1222Error, ValueError, OverflowError):
                raise StateError(f"{meter.name}: a request that the store remembers is damaged") from None
            replay.restore(title, taken.key_id, vector, taken.invocation_id, in_session=taken.in_session)
        station = Station(meter, self._shared, replay)
        station.answered = self.store.answers(meter.name)
        self.stations[meter.title] = station
        self._by_content[content] = station
        return station

    def __len__(self) -> int:
        return len(self.stations)

    # What comes in.

    def take(self, arrival: Arrival) -> bool:
        """Take an APDU that came in, and return whether a meter took it for one to answer; see `Receiver.receive`."""
        self.counters["received"] += 1
        self._end_period(arrival.now)
        try:
            acse = read_apdu(arrival.apdu, max_size=self.policy.max_size)
            if acse.is_response and self.answers:
                self._answered(acse, arrival)
                return False
            stations = self._find(acse)
            # One request to many meters must not bring many answers to its alleged sender.
            silent = len(stations) > 1 and not is_secured(acse)
        except DecodeError:
            self.counters["malformed"] += 1
            return False
        if not stations:
            self.counters["not-ours"] += 1
            return False
        if len(stations) > 1 and not self._may_reach(len(stations), arrival):
            self.counters["broadcasts-throttled"] += 1
            return False
        taken = [self._hand_over(station, acse, arrival, silent=silent) for station in stations]
        return any(taken)

    def _may_reach(self, count: int, arrival: Arrival) -> bool:
        """Return whether a request to so many meters is heard: one datagram of a stranger must not cost seconds."""
        origin, now = Origin(arrival.link.reliable, arrival.peer), arrival.now
        budget = origin._replace(way=(origin.way, self.throttle.is_known(origin, now)))
        if self._broadcasts.is_blocked(budget, now):
            return False
        self._broadcasts.failed(budget, now, count)
        return True

    def _answered(self, acse: Envelope, arrival: Arrival) -> None:
        """Hand an answer to what asked; a title that asked nothing gets none."""
        called = acse.called
        asking = None if called is None else self.answers.get(called.absolute_content(self.keys.base_oid))
        if asking is None:
            self.counters["answer"] += 1
        else:
            asking.receive(arrival.apdu, now=arrival.now, utc=arrival.utc)

    def _find(self, acse: Envelope) -> list[Station]:
        """Return the stations that a message is for."""
        called = acse.called
        if called is None:
            return list(self.stations.values())[:1]
        if called.is_empty:  # a title that is there and names nobody
            return []
        station = self._by_content.get(called.absolute_content(self.keys.base_oid))
        if station is not None:
            return [station]
        if not called.is_broadcast_form:
            return []
        prefix = called.absolute_content(self.keys.base_oid)[:-1]
        return [station for content, station in self._by_content.items() if content.startswith(prefix)]

    def _hand_over(self, station: Station, acse: Envelope, arrival: Arrival, *, silent: bool) -> bool:
        times = 1
        for fault in self.faults.of_request(station.meter.title) if self.faults else ():
            if fault.kind == "drop":
                return False
            if fault.kind == "duplicate":
                times = 2
            elif fault.kind == "delay":
                self._late.append((arrival.now + fault.seconds, arrival))
                return False
        taken = [self._take(station, acse, arrival, silent=silent) for _ in range(times)]
        return any(taken)

    def _take(self, station: Station, acse: Envelope, arrival: Arrival, *, silent: bool) -> bool:
        responder, source = station.responder, arrival.source
        if station.answered:
            before = station.answered.get(_digest(arrival))
            if before is not None:
                self.counters["repeated"] += 1
                self._out += [Delivery(source, before)] * bool(before)
                return True
        if arrival.link.reliable:
            self._connected.setdefault(source, set()).add(station)
        station.asked.clear()
        taken = responder.take_apdu(acse, arrival)
        self._note_events(station)
        out = responder.apdus_to_send()
        if (
            not arrival.link.reliable  # a connection does not outlast a restart
            and len(out) <= 1
            and any(request.service not in REPEATABLE for request in station.asked)
        ):
            answer = out[0].apdu if out else b""
            self.store.keep_answer(station.meter.name, _digest(arrival), answer)
        for one in out:
            if not silent:
                self._send(station, one.source, one.apdu)
        if station.meter.take_restart():
            responder.close_sessions()
        return taken

    def _end_period(self, now: float) -> None:
        """Forget the answers kept for long enough."""
        # How long the node was away, and whether its clock is right, it cannot know: those of before count from now.
        if self._period_ends is None:
            self._period_ends = now + self.policy.answer_window
        elif now >= self._period_ends:
            self._period_ends = now + self.policy.answer_window
            with suppress(StateError):  # the next flush fails then, too
                self.store.end_period()
            for station in self.stations.values():
                station.answered = {}

    def _note_events(self, station: Station) -> None:
        for event in station.responder.events():
            if isinstance(event, Refused):
                self.counters[event.reason] += 1
            elif isinstance(event, Released):
                self._released.append(event.source)
            elif isinstance(event, HandlerFailed):
                self.counters["handler-failed"] += 1
            elif isinstance(event, BudgetUsedUp):
                self.counters["budget-used-up"] += 1
            if self.listener is not None:
                self.listener(event, station.meter)

    def _send(self, station: Station, source: Hashable, apdu: bytes) -> None:
        delay, times = 0.0, 1
        for fault in self.faults.of_answer(station.meter.title, station.asked) if self.faults else ():
            if fault.kind == "drop":
                return
            if fault.kind == "duplicate":
                times = 2
            elif fault.kind == "delay":
                delay += fault.seconds
            else:
                apdu = altered(apdu, fault, self.keys)
        self._out += [Delivery(source, apdu, delay)] * times

    # What there is to do.

    def apdus_to_send(self) -> list[Delivery]:
        """Make durable what the answers tell, and return them in order, once.

        Raises:
            StateError: the store failed: nothing may be sent any more.
        """
        self.store.flush()
        self.store.hold()
        out, self._out = self._out, []
        return out

    def released(self) -> list[Hashable]:
        """Return the sources whose connections are to be closed, once."""
        released, self._released = self._released, []
        return released

    def lost(self, source: Hashable) -> None:
        """Take note of a connection that has ended: its sessions end, and what it asked is no longer repeated."""
        self._late = [late for late in self._late if late[1].source != source]
        for station in self._connected.pop(source, ()):
            station.responder.lost(source)

    def tick(self, *, now: float, utc: float) -> None:
        """End idle sessions and bring a part of the meters up to date; call about every second."""
        self._end_period(now)
        due = [late for late in self._late if late[0] <= now]
        self._late = [late for late in self._late if late[0] > now]
        for _, arrival in due:
            acse = read_apdu(arrival.apdu, max_size=self.policy.max_size)
            for station in self._find(acse):
                self._take(station, acse, arrival._replace(now=now, utc=utc), silent=False)
        for station in self.stations.values():
            if len(station.responder.sessions):
                station.responder.tick(now=now)
                self._note_events(station)
        self._sweep = self._sweep or list(self.stations.values())
        for _ in range(-(-len(self.stations) // _SWEEP)):
            if self._sweep:
                meter = self._sweep.pop().meter
                behind = meter.behind(utc)
                try:
                    meter.advance(utc)
                    meter.save()
                except C1219Error:  # its clock shows what tables have no form for: the others go on
                    self.counters["not-advanced"] += 1
                if behind > _MUCH:
                    break  # one that takes so long is enough for now: requests wait

    def next_deadline(self) -> float | None:
        """Return when `tick` has something to do that cannot wait, on the clock of ``now``; None for nothing."""
        deadlines = [late[0] for late in self._late]
        deadlines += [
            deadline
            for station in self.stations.values()
            if (deadline := station.responder.next_deadline()) is not None
        ]
        return min(deadlines, default=None)

    def rename(self, station: Station, title: ApTitle) -> bool:
        """Let a meter go by another title, as a relay gave it, and no longer by the one it had.

        Returns:
            False, and nothing is changed, when another meter has that title.
        """
        base, identity = self.keys.base_oid, station.responder.identity
        if self._by_content.get(title.absolute(base).content, station) is not station:
            self.counters["title-taken"] += 1
            return False
        if identity.title is not None:
            self._by_content.pop(identity.title.absolute(base).content, None)
        self._by_content[title.absolute(base).content] = station
        identity.title = title
        return True

    def sessions(self) -> int:
        """Return how many sessions are open in all."""
        return sum(len(station.responder.sessions) for station in self.stations.values())

    def close(self) -> None:
        """Save all meters and close the store.

        Raises:
            StateError: that failed.
        """
        try:
            for station in self.stations.values():
                station.meter.save()
        finally:
            self.store.close()


def _digest(arrival: Arrival) -> bytes:
    """Return what tells a request from others, over a restart too: its octets, and where they came from."""
    return hashlib.sha256(repr(arrival.source).encode() + b"\n" + arrival.apdu).digest()
