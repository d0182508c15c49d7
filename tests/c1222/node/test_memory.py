"""What a node remembers, under any interleaving of restarts, wrong clocks, sessions and replays.

A model of what is documented says of every message whether it is to be carried out: a secured one once, if its vector is
within the window of the node's clock; in a session whenever that is open; a repetition in cleartext never. How many
steps: the environment variable C1222_STEPS, a few thousand by default.
"""

from __future__ import annotations

import itertools
import os
import random
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from c1222.message.epsem import SecurityMode
from c1222.node.store.sqlite import SQLiteStore
from c1222.node.store.store import MemoryStore, Store
from c1222.protocol.composing import compose
from c1222.protocol.identity import Identity
from c1222.protocol.policy import NodePolicy
from c1222.protocol.responder.throttle import Rate
from c1222.security.receiving import ACCEPTANCE_WINDOW
from c1222.security.sending import SendGuard
from c1222.services import Request, Response, session, tables
from c1222.services.tables import TableData
from tests.c1222.node.rig import KEY, MASTER, POLYPHASE, UTC, Rig

if TYPE_CHECKING:
    from pathlib import Path

    from c1222.protocol.responder.execution import Context
    from c1222.security.sealing import SessionSecurity

STEPS = int(os.environ.get("C1222_STEPS", "10000"))
KEYS = {2: KEY}
YEAR = 365 * 86_400
SENDERS = 3
WRONG = (0.0, 0.0, 0.0, -910.0, 910.0, -7 * 3600.0, 7 * 3600.0, -YEAR * 10.0, YEAR * 10.0, 5 - UTC)
PASSWORD = session.SecurityRequest.of(MASTER[POLYPHASE], 4)
LOGON = (session.LogonRequest.of(4, "M", 600), session.SecurityRequest.of(MASTER[POLYPHASE]))
ENDLESS = Rate(10**9, 0.0)
POLICY = NodePolicy(
    stranger_failures=ENDLESS, known_failures=ENDLESS, password_failures=ENDLESS, max_answers=10**6, max_seen=24
)


class Sent(NamedTuple):
    """A message that was sent."""

    apdu: bytes
    source: str
    mode: int


class Vectors:
    """Durable vectors of a sender."""

    def __init__(self) -> None:
        self.saved: dict[str, int] = {}

    def load(self, scope: str) -> int | None:
        return self.saved.get(scope)

    def save(self, scope: str, vector: int) -> None:
        self.saved[scope] = vector


class Sender:
    """One who writes, with a clock that may be a little off.

    The last one knows nothing of vectors: each is the time, so that sessions share them. Its ids grow. Within a second
    it may be refused, once a session under that vector is forgotten.
    """

    def __init__(self, number: int) -> None:
        self.title = f".9.{number}"
        self.source = f"address {number}"
        self.vectors = Vectors()
        self.security: SessionSecurity | None = None
        self.idle_at = 0.0
        self.behind = 0.0
        self.ids = itertools.count(1000 * number + 1)
        self.is_careless = number == SENDERS - 1
        self.start()

    def start(self) -> None:
        guard = SendGuard(None if self.is_careless else self.vectors)
        self.identity = Identity(self.title, KEYS, guard=guard, ids=self.ids)
        self.security = None


class World:
    """A node, its senders, whoever replays, and the model of what is to happen."""

    def __init__(self, seed: int, open_store: Any) -> None:
        self.chance = random.Random(seed)
        self.open_store = open_store
        self.now = 0.0
        self.utc = UTC + 86_400
        self.wrong = 0.0
        self.written = 0
        self.sent: list[Sent] = []
        self.done: Counter[bytes] = Counter()
        self.clear_done: dict[tuple[bytes, str], float] = {}
        self.counts: Counter[str] = Counter()
        self.senders = [Sender(number) for number in range(SENDERS)]
        self.start()

    def start(self) -> None:
        self.rig = Rig(
            keys=KEYS,
            store=self.open_store(),
            utc=self.utc + self.wrong,
            policy=POLICY,
            cleartext=True,
            simulate=False,
        )
        (station,) = self.rig.fleet.stations.values()

        def handler(request: Request, context: Context) -> Response:
            response = station(request, context)
            if isinstance(request, tables.WriteOffsetRequest) and not response.code:
                self.done[context.message.octets] += 1
            return response

        station.responder.handler = handler
        self.responder = station.responder
        for sender in self.senders:
            sender.security = None  # its session is gone

    def put(self, sent: Sent) -> bool:
        """Let a message arrive, and return whether it was carried out."""
        before = self.done[sent.apdu]
        self.rig.fleet.receive(sent.apdu, source=sent.source, now=self.now, utc=self.utc + self.wrong)
        self.rig.fleet.apdus_to_send()
        happened = self.done[sent.apdu] - before
        assert happened <= 1
        if sent.mode:
            assert self.done[sent.apdu] <= 1, "carried out twice"
        elif happened:
            key = (sent.apdu, sent.source)
            since = self.now - self.clear_done.get(key, -1e9)
            assert since >= POLICY.answer_window, f"a repetition was carried out after {since} s"
            self.clear_done[key] = self.now
        return bool(happened)

    def send(self, sender: Sender, *services: Request, mode: int = 2, inside: bool = False) -> tuple[Sent, Any]:
        message, apdu = compose(
            sender.identity,
            self.rig.meter.title,
            services,
            utc=self.utc - sender.behind,
            mode=SecurityMode(mode),
            key_id=2 if mode else None,
            session=sender.security if inside else None,
        )
        sent = Sent(apdu, sender.source, mode)
        self.sent.append(sent)
        return sent, message

    def within(self, message: Any) -> bool:
        return abs(int.from_bytes(message.iv) - (self.utc + self.wrong)) <= ACCEPTANCE_WINDOW

    def write(self) -> Request:
        self.written += 1
        return tables.WriteOffsetRequest(6, 0, TableData(b"%020d" % self.written))

    # What may happen.

    def sessionless(self) -> None:
        sender = self.chance.choice(self.senders)
        if sender.security is not None:
            return self.in_session()
        sent, message = self.send(sender, PASSWORD, self.write())
        assert self.put(sent) is self.within(message) or sender.is_careless, "not as documented"
        return None

    def clear(self) -> None:
        sender = self.chance.choice(self.senders)
        if sender.security is None:
            sent, _ = self.send(sender, PASSWORD, self.write(), mode=0)
            # A Logon refused by a wrong clock, and replayed later, opens a session; what is less secured is refused in it.
            assert self.put(sent) or len(self.responder.sessions)

    def logon(self) -> None:
        sender = self.chance.choice(self.senders)
        if sender.security is None:
            if sender.is_careless:
                sender.start()
            sent, message = self.send(sender, *LOGON, self.write())
            if self.put(sent):
                assert self.within(message)
                sender.security, sender.idle_at = message.session_security, self.now + 600
            else:
                assert sender.is_careless or not self.within(message) or len(self.responder.sessions), (
                    "not as documented"
                )

    def in_session(self) -> None:
        sender = self.chance.choice(self.senders)
        if sender.security is not None:
            sent, message = self.send(sender, self.write(), inside=True)
            assert not message.carries_authentication
            assert self.put(sent) is (self.now < sender.idle_at), "not as documented"
            sender.idle_at, sender.security = (
                (self.now + 600, sender.security) if self.now < sender.idle_at else (0.0, None)
            )

    def logoff(self) -> None:
        sender = self.chance.choice(self.senders)
        if sender.security is not None:
            sent, _ = self.send(sender, session.LogoffRequest(), inside=True)
            self.put(sent)
            sender.security = None

    def replay(self) -> None:
        if self.sent:
            back = min(len(self.sent), 1 + int(self.chance.expovariate(1 / self.chance.choice((3, 20, 100, 1000)))))
            sent = self.sent[-back]
            elsewhere = sent.mode and self.chance.random() < 0.7
            done, requests = self.done[sent.apdu], self.responder.counters["requests"]
            happened = self.put(sent._replace(source="elsewhere") if elsewhere else sent)
            self.counts["replays"] += 1
            if done and sent.mode:
                assert not happened
            if sent.mode and self.responder.counters["requests"] > requests:
                # Refused for a wrong clock and delivered later: a session goes on with its vector.
                next(sender for sender in self.senders if sender.source == sent.source).security = None

    def restart(self) -> None:
        if self.chance.random() < 0.5:
            self.rig.fleet.close()
        self.start()
        self.counts["restarts"] += 1

    def step_clock(self) -> None:
        self.wrong = self.chance.choice(WRONG)
        self.counts["clock steps"] += 1

    def set_right(self) -> None:
        self.wrong = 0.0

    def pass_time(self) -> None:
        seconds = self.chance.choices((0.1, 0.3, 3.0, 121.0, 700.0, 2000.0), (20, 10, 4, 4, 1, 1))[0]
        self.now += seconds
        self.utc += seconds
        self.rig.fleet.tick(now=self.now, utc=self.utc + self.wrong)

    def sender_restarts(self) -> None:
        sender = self.chance.choice(self.senders)
        if sender.security is None:
            sender.start()

    def senders_clock(self) -> None:
        self.chance.choice(self.senders[:-1]).behind = self.chance.choice((0.0, 0.0, 1.5, 60.0, -60.0))


WEIGHTS = {
    World.sessionless: 10,
    World.clear: 6,
    World.logon: 10,
    World.in_session: 16,
    World.logoff: 10,
    World.replay: 50,
    World.restart: 2,
    World.step_clock: 3,
    World.set_right: 4,
    World.pass_time: 14,
    World.sender_restarts: 1,
    World.senders_clock: 2,
}


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_nothing_is_carried_out_twice_and_what_is_fresh_is_taken(kind: str, tmp_path: Path) -> None:
    kept = MemoryStore()
    opened: list[SQLiteStore] = []

    def open_store() -> Store:
        if kind == "memory":
            return kept
        for store in opened:
            if store._db is not None:
                store._db.close()  # as when the process is killed
        opened[:] = [SQLiteStore(tmp_path / "s")]
        return opened[0]

    world = World(7, open_store)
    for step in range(STEPS // 2):
        (happens,) = world.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))
        try:
            happens(world)
        except AssertionError as error:
            raise AssertionError(f"step {step}, {happens.__name__}: {error}") from error
    print(f"{kind}: {STEPS // 2} steps, {world.written} writes sent, {world.done.total()} done, {dict(world.counts)}")
    assert world.done.total() > STEPS // 20
