"""A wire in memory with a clock of its own: what is lost, doubled, reordered, late or damaged follows from a seed.

Nothing here sleeps. Time stands still while code runs and jumps to the next thing due, so that hours of time-outs pass
in an instant and every run with the same seed is the same run. For tests and for trying things out.
"""

from __future__ import annotations

from collections import Counter, deque
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from c1222.errors import ConnectionLost, EncodeError, Unreachable
from c1222.transport.udp import ADVISED_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from types import TracebackType

__all__ = ["EPOCH", "MemoryEndpoint", "Mishaps", "Timer", "Wire"]

EPOCH: Final = 1_600_000_000.0
"""UTC seconds at which the clock of a wire starts: 2020-09-13 12:26:40Z."""


class Mishaps(NamedTuple):
    """The faults of a wire: how often, and how long.

    Attributes:
        loss: share of APDUs that never arrive, 0..1.
        duplication: share that arrives twice.
        reorder: share that is held back, so that later ones arrive first.
        corruption: share that arrives with one bit changed.
        delay: shortest and longest time on the way, seconds.
        held: longest time that a held-back or doubled APDU is late, seconds.
    """

    loss: float = 0.0
    duplication: float = 0.0
    reorder: float = 0.0
    corruption: float = 0.0
    delay: tuple[float, float] = (0.001, 0.01)
    held: float = 1.0


_NONE: Final = Mishaps()


class Timer:
    """A call that a wire makes later, unless it is cancelled."""

    __slots__ = ("_action", "when")

    def __init__(self, when: float, action: Callable[[], None]) -> None:
        self.when = when
        self._action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Cancel the call."""
        self._action = None

    @property
    def is_pending(self) -> bool:
        """Whether it is still to be made."""
        return self._action is not None

    def fire(self) -> None:
        """Make the call, unless it was made or cancelled."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Wire:
    """Carries APDUs between addresses, which are any hashable values.

    Args:
        seed: of the random numbers.
        mishaps: what happens on the way. May be replaced at any time.
        reliable: a wire like TCP: everything arrives once and in order, whatever ``mishaps`` says but its delay.
        max_size: largest APDU to carry, octets.
        utc: UTC seconds when the clock shows 0.

    Attributes:
        now: the clock, seconds from 0.
        counters: what was sent, delivered, lost, doubled, held, corrupted, and what had no receiver.
        log: called with every APDU that is sent: time, source, destination, octets. For traces.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        mishaps: Mishaps = _NONE,
        reliable: bool = False,
        max_size: int = ADVISED_SIZE,
        utc: float = EPOCH,
    ) -> None:
        self.now = 0.0
        self.mishaps = mishaps
        self.reliable = reliable
        self.max_size = max_size
        self.counters: Counter[str] = Counter()
        self.log: Callable[[float, Hashable, Hashable, bytes], None] | None = None
        self._epoch = utc
        self._random = Random(seed)  # noqa: S311 - chance for tests
        self._due: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._receivers: dict[Hashable, Callable[[bytes, Hashable], None]] = {}
        self._arrival: dict[tuple[Hashable, Hashable], float] = {}

    @property
    def utc(self) -> float:
        """The true time here, UTC seconds."""
        return self._epoch + self.now

    def attach(self, address: Hashable, receive: Callable[[bytes, Hashable], None]) -> None:
        """Have a function called with the octets and the source of what is sent to an address."""
        self._receivers[address] = receive

    def detach(self, address: Hashable) -> None:
        """Remove a receiver: what is on the way there is lost, as when its process dies."""
        self._receivers.pop(address, None)

    def call_at(self, when: float, action: Callable[[], None]) -> Timer:
        """Call a function at a time of this wire's clock."""
        timer = Timer(max(when, self.now), action)
        heappush(self._due, (timer.when, next(self._order), timer))
        return timer

    def send(self, apdu: bytes, *, source: Hashable, to: Hashable) -> None:
        """Put one APDU on the wire.

        Raises:
            EncodeError: it is too large for the wire.
        """
        if len(apdu) > self.max_size:
            raise EncodeError(f"an APDU of {len(apdu)} octets, the wire takes {self.max_size}")
        self.counters["sent"] += 1
        if self.log is not None:
            self.log(self.now, source, to, apdu)
        mishaps, chance = self.mishaps, self._random
        when = self.now + chance.uniform(*mishaps.delay)
        if self.reliable:
            when = self._arrival[source, to] = max(when, self._arrival.get((source, to), 0.0))
        else:
            # All five are drawn every time: one APDU more or less lost does not change the fate of those after it.
            lost, doubled, held, damaged, late = (chance.random() for _ in range(5))
            bit = chance.randrange(8 * len(apdu)) if apdu else 0
            if lost < mishaps.loss:
                self.counters["lost"] += 1
                return
            if doubled < mishaps.duplication:
                self.counters["doubled"] += 1
                self._carry(apdu, source, to, when + late * mishaps.held)
            if damaged < mishaps.corruption:
                self.counters["corrupted"] += 1
                apdu = _flip(apdu, bit)
            if held < mishaps.reorder:
                self.counters["held"] += 1
                when += late * mishaps.held
        self._carry(apdu, source, to, when)

    def _carry(self, apdu: bytes, source: Hashable, to: Hashable, when: float) -> None:
        self.call_at(when, lambda: self._deliver(apdu, source, to))

    def _deliver(self, apdu: bytes, source: Hashable, to: Hashable) -> None:
        receive = self._receivers.get(to)
        if receive is None:
            self.counters["nobody"] += 1
            return
        self.counters["delivered"] += 1
        receive(apdu, source)

    def next_due(self) -> float | None:
        """Return when the next thing happens; None if nothing is due any more."""
        while self._due and not self._due[0][2].is_pending:
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def step(self) -> bool:
        """Move the clock to the next thing due and do it. Return whether there was one."""
        when = self.next_due()
        if when is None:
            return False
        self.now = max(self.now, when)
        heappop(self._due)[2].fire()
        return True

    def run(self, *, until: float | None = None, done: Callable[[], bool] = lambda: False) -> bool:
        """Deliver and time out what is due, one thing after the other.

        Args:
            until: stop at this time of the clock; None goes on until nothing is due.
            done: asked before every step; stops the run when true.

        Returns:
            Whether ``done`` stopped the run.
        """
        while not done():
            when = self.next_due()
            if when is None or (until is not None and when > until):
                if until is not None:
                    self.now = max(self.now, until)
                return False
            self.step()
        return True

    def endpoint(self, address: Hashable, peer: Hashable) -> MemoryEndpoint:
        """Return a blocking endpoint at an address, for clients; while it waits, the wire does its work."""
        return MemoryEndpoint(self, address, peer)


class MemoryEndpoint:
    """One end of a wire, with the methods of the blocking endpoints. Waiting moves the clock of the wire.

    Args:
        wire: what it is an end of.
        address: its own address.
        peer: whom it talks to.

    Attributes:
        reliable: as the wire is.
        max_size: as the wire has it.
        failure: set it to have :meth:`send` and :meth:`receive` raise it, as for a closed port or a lost connection.
    """

    def __init__(self, wire: Wire, address: Hashable, peer: Hashable) -> None:
        self.wire = wire
        self.address = address
        self.peer = peer
        self.reliable = wire.reliable
        self.max_size = wire.max_size
        self.failure: Unreachable | ConnectionLost | None = None
        self._inbox: deque[bytes] = deque()
        wire.attach(address, lambda apdu, _source: self._inbox.append(apdu))

    def send(self, apdu: bytes) -> None:
        """Send one APDU to the peer.

        Raises:
            EncodeError: it is too large for the wire.
            Unreachable: if ``failure`` says so.
            ConnectionLost: the endpoint is closed, or ``failure`` says so.
        """
        if self.failure is not None:
            raise self.failure
        self.wire.send(apdu, source=self.address, to=self.peer)

    def receive(self, timeout: float | None) -> bytes | None:
        """Wait for one APDU.

        Args:
            timeout: how long on the wire's clock, seconds; None until nothing is due any more.

        Raises:
            Unreachable: if ``failure`` says so.
            ConnectionLost: the endpoint is closed, or ``failure`` says so.
        """
        until = None if timeout is None else self.wire.now + max(timeout, 0.0)
        self.wire.run(until=until, done=lambda: bool(self._inbox) or self.failure is not None)
        if self._inbox:
            return self._inbox.popleft()
        if self.failure is not None:
            raise self.failure
        return None

    def close(self) -> None:
        """Leave the wire. May be called twice."""
        if self.failure is None:
            self.wire.detach(self.address)
            self.failure = ConnectionLost("the endpoint is closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _flip(octets: bytes, bit: int) -> bytes:
    changed = bytearray(octets)
    if changed:
        changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)
