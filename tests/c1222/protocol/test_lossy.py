"""Exchanges over a wire that loses, doubles, holds back and damages: everything happens once, and nothing hangs."""

import os
from random import Random

import pytest

from c1222.message.epsem import SecurityMode
from c1222.protocol.events import Completed, Failed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.exchange import Exchange
from c1222.protocol.policy import NodePolicy, Options, Timing
from c1222.services import ErrorResponse, TableData, session, tables
from c1222.services.results import Bsy
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.protocol.rig import KEY, MANY, Node, Peer, Store

EXCHANGES = int(os.environ.get("C1222_EXCHANGES", "1500"))
ROUGH = Mishaps(loss=0.2, duplication=0.1, reorder=0.2, corruption=0.0, delay=(0.01, 0.3), held=8.0)
PATIENT = Timing(timeout=1.0, growth=1.15, longest=10.0, attempts=25, busy_pause=0.5, busy_tries=200)


class Ledger(Store):
    """Writes append to table 40; reads tell how long it is. Busy now and then."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = Random(seed)
        self.executed: list[bytes] = []

    def __call__(self, request, context):  # type: ignore[no-untyped-def]
        if self.chance.random() < 0.02:
            raise Bsy
        if isinstance(request, tables.WriteRequest):
            self.executed.append(request.data)
        if isinstance(request, tables.ReadOffsetRequest):
            return tables.ReadOffsetResponse(TableData(request.offset.to_bytes(4, "big") * request.count))
        return super().__call__(request, context)


class Customer:
    """Does its exchanges one after the other: reads and writes of numbers of its own, in sessions or without."""

    def __init__(self, peer: Peer, name: int, count: int, *, sessions: bool, seed: int) -> None:
        self.peer = peer
        self.name = name
        self.left = count
        self.sessions = sessions
        self.chance = Random(seed)
        self.in_session = 0
        self.written: list[bytes] = []
        self.checked = 0
        self.failed: list[Failed] = []
        peer.done = self.finished

    def begin(self) -> None:
        if self.left == 0:
            return
        self.left -= 1
        chance = self.chance.random()
        if self.sessions and self.in_session == 0:
            self.in_session = self.chance.randrange(2, 30)
            self.peer.start(session.LogonRequest.of(2, "USER", 3600))
            return
        if self.sessions:
            self.in_session -= 1
            if self.in_session == 0:
                self.peer.start(session.LogoffRequest())
                return
        if chance < 0.5:
            data = self.name.to_bytes(2, "big") + len(self.written).to_bytes(4, "big")
            self.written.append(data)
            self.peer.start(tables.WriteRequest(40, TableData(data)))
        else:
            offset = self.chance.randrange(1 << 24)
            self.peer.start(tables.ReadOffsetRequest(1, offset, 3), tables.ReadOffsetRequest(1, offset ^ 1, 2))

    def finished(self, event: Completed | Failed) -> None:
        if isinstance(event, Failed):
            self.failed.append(event)
        else:
            self.check(event.exchange)
        self.begin()

    def check(self, exchange: Exchange) -> None:
        assert not any(isinstance(response, ErrorResponse) for response in exchange.responses), exchange.responses
        assert len(exchange.responses) == len(exchange.services)
        for service, response in zip(exchange.services, exchange.responses, strict=True):
            if isinstance(service, tables.ReadOffsetRequest):
                assert isinstance(response, tables.ReadOffsetResponse)
                assert response.data == service.offset.to_bytes(4, "big") * service.count
        self.checked += 1


@pytest.mark.parametrize("sessions", [False, True], ids=["sessionless", "sessions"])
@pytest.mark.parametrize("mode", list(SecurityMode)[:3], ids=lambda mode: mode.label)
def test_every_write_once_every_answer_right_nothing_hung(mode: SecurityMode, sessions: bool) -> None:
    damage = 0.05 if mode else 0.0  # in cleartext nothing but a table's checksum would notice
    wire = Wire(seed=mode * 2 + sessions, mishaps=ROUGH._replace(corruption=damage))
    keys = KEY if mode else None
    ledger = Ledger(seed=mode)
    policy = NodePolicy(stranger_failures=MANY, max_answers=2000, max_answer_octets=1 << 22)
    node = Node(wire, keys=keys, policy=policy, store=ledger)
    customers = []
    peers = 5
    for name in range(peers):
        identity = Identity(f".123.4.{name + 1}", keys)
        options = Options(outstanding=1 if sessions else 3)
        peer = Peer(
            wire,
            ("reader", name),
            identity=identity,
            mode=mode,
            key_id=2 if mode else None,
            timing=PATIENT,
            options=options,
        )
        share = max(1, EXCHANGES // 6 // peers)
        customers.append(Customer(peer, name, share, sessions=sessions, seed=name))
        for _ in range(1 if sessions else 3):
            customers[-1].begin()
    wire.run(done=lambda: all(c.left == 0 and c.peer.initiator.is_idle for c in customers))
    for customer in customers:
        assert customer.peer.initiator.is_idle
        assert not customer.failed, [event.error for event in customer.failed]
        assert customer.checked == max(1, EXCHANGES // 6 // peers)
        counters = customer.peer.initiator.counters
        assert counters["sent-again"]
    assert sorted(ledger.executed) == sorted(data for customer in customers for data in customer.written)
    assert node.responder.counters["repeated"]
    late = sum(c.peer.initiator.counters["late"] for c in customers)
    assert late
    wire.run()
    assert sorted(ledger.executed) == sorted(data for customer in customers for data in customer.written)
