"""A line with two directions, a virtual clock and planned damage: what two ends send reaches the other, or does not."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from c1222.serial.link_events import Transmit

BIT = 10 / 9600


@dataclass
class Damage:
    """How likely it is, per octet, that it is lost, flipped or doubled, and per transmission that octets go before."""

    seed: int = 0
    lost: float = 0.0
    flipped: float = 0.0
    doubled: float = 0.0
    noise: float = 0.0
    echo: bool = False

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def apply(self, octets: bytes) -> bytes:
        out = bytearray()
        if self.dice.random() < self.noise:
            out += self.dice.randbytes(self.dice.randrange(1, 12))
        for octet in octets:
            throw = self.dice.random()
            if throw < self.lost:
                continue
            throw -= self.lost
            if throw < self.flipped:
                octet ^= 1 << self.dice.randrange(8)
            out.append(octet)
            if self.flipped <= throw < self.flipped + self.doubled:
                out.append(octet)
        return bytes(out)


class End:
    """An end: takes octets and instants, gives events, has a deadline; `owner` is told what is no transmission."""

    def __init__(self, machine: Any, owner: Callable[[Any, float], list[Any] | None]) -> None:
        self.machine, self.owner = machine, owner
        self.incoming: deque[tuple[float, int]] = deque()
        self.free_at = 0.0


class Wire:
    """Runs two ends against each other until nothing is due, or the time is over."""

    def __init__(self, asks: End, answers: End, damage: Damage) -> None:
        self.ends = (asks, answers)
        self.damage = damage
        self.now = 0.0
        self.carried = 0

    def do(self, end: End, events: list[Any]) -> None:
        """Carry out events, and what the owner makes of them."""
        pending = deque(events)
        while pending:
            event = pending.popleft()
            if not isinstance(event, Transmit):
                pending.extendleft(reversed(end.owner(event, self.now) or []))
                continue
            other = self.ends[end is self.ends[0]]
            start = max(event.at, end.free_at)
            for target in (other, end) if self.damage.echo and end is self.ends[0] else (other,):
                at = start
                for octet in self.damage.apply(event.octets):
                    at += BIT
                    target.incoming.append((at, octet))
                    self.carried += 1
            end.free_at = start + len(event.octets) * BIT

    def step(self, until: float) -> bool:
        """Go to the next instant at which something happens; tell whether there was one."""
        due = [
            at
            for end in self.ends
            for at in (end.incoming[0][0] if end.incoming else None, end.machine.deadline)
            if at is not None
        ]
        at = min(due, default=None)
        if at is None or at > until:
            self.now = max(self.now, until)
            return False
        self.now = max(self.now, at)
        for end in self.ends:
            octets = bytearray()
            while end.incoming and end.incoming[0][0] <= self.now:
                octets.append(end.incoming.popleft()[1])
            if octets:
                self.do(end, end.machine.receive(bytes(octets), self.now))
            elif end.machine.deadline is not None and end.machine.deadline <= self.now:
                self.do(end, end.machine.tick(self.now))
        return True

    def run(self, until: float, done: Callable[[], bool] = lambda: False) -> None:
        """Run until something is true or an instant is reached."""
        while not done() and self.step(until):
            pass
