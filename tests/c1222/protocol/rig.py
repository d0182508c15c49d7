"""Initiators and responders at the ends of a wire in memory, driven by its clock."""

from collections.abc import Callable
from typing import Any

from c1222.protocol.events import Completed, Dropped, Failed, InitiatorEvent, ResponderEvent
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.exchange import Exchange
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import UDP_LINK, Link, NodePolicy
from c1222.protocol.responder.execution import Context
from c1222.protocol.responder.responder import Responder
from c1222.protocol.responder.throttle import Rate
from c1222.security.keys import Key
from c1222.security.receiving import ReplayGuard
from c1222.security.sending import SendGuard
from c1222.services import Request, Response, TableData, identify, session, tables
from c1222.services.results import Err, Iar, Isc
from c1222.transport.memory import Timer, Wire

KEY = Key(2, bytes.fromhex("01020304050607080102030405060708"))
Finished = Callable[[Completed | Failed], None]
MANY = Rate(10**9, 0.0)
METER, READER = ".123.8437", ".123.4"
PASSWORD = b"secret".ljust(20)


class Store:
    """A meter's tables; counts what is carried out."""

    def __init__(self) -> None:
        self.tables: dict[int, bytes] = {1: b"MANUFACTURER SN ", 5: bytes(20)}
        self.writes: list[tuple[int, bytes]] = []
        self.calls = 0
        self.next: list[Exception | Response] = []
        self.contexts: list[Context] = []

    def __call__(self, request: Request, context: Context) -> Response:
        self.calls += 1
        self.contexts.append(context)
        if self.next:
            planned = self.next.pop(0)
            if isinstance(planned, Exception):
                raise planned
            return planned
        match request:
            case session.LogonRequest():
                if request.user_id == 99:
                    raise Err
                return session.LogonResponse(request.timeout)
            case session.SecurityRequest():
                if request.password != PASSWORD:
                    raise Isc
                context.access.rights = "all"
                return session.SecurityResponse()
            case tables.ReadRequest():
                if request.table not in self.tables:
                    raise Iar
                return tables.ReadResponse(TableData(self.tables[request.table]))
            case tables.ReadOffsetRequest():
                data = self.tables[request.table][request.offset : request.offset + request.count]
                return tables.ReadOffsetResponse(TableData(data))
            case tables.WriteRequest():
                self.writes.append((request.table, request.data))
                self.tables[request.table] = request.data
                return tables.WriteResponse()
            case identify.IdentifyRequest():
                return identify.IdentifyResponse(3, 1, 0)
        assert request.answer is not None
        return request.answer()


class Node:
    """A responder at an address of a wire."""

    def __init__(
        self,
        wire: Wire,
        address: Any = "node",
        *,
        title: str | None = METER,
        keys: Any = None,
        policy: NodePolicy | None = None,
        link: Link = UDP_LINK,
        guard: SendGuard | None = None,
        replay: ReplayGuard | None = None,
        store: Store | None = None,
    ) -> None:
        self.wire = wire
        self.address = address
        self.link = link
        self.store = Store() if store is None else store
        self.responder = Responder(
            Identity(title, keys, guard=guard), self.store, policy=policy or NodePolicy(), replay=replay
        )
        self.events: list[ResponderEvent] = []
        self.heard: list[bytes] = []
        self.said: list[bytes] = []
        wire.attach(address, self.receive)

    def receive(self, apdu: bytes, source: Any) -> None:
        wire = self.wire
        self.heard.append(apdu)
        self.responder.receive(apdu, source=source, now=wire.now, utc=wire.utc, link=self.link)
        for out in self.responder.apdus_to_send():
            self.said.append(out.apdu)
            wire.send(out.apdu, source=self.address, to=out.source)
        self.events += self.responder.events()

    def tick(self) -> None:
        self.responder.tick(now=self.wire.now)
        self.events += self.responder.events()


class Peer:
    """An initiator at an address of a wire, with a timer for its deadlines."""

    def __init__(self, wire: Wire, address: Any = "reader", to: Any = "node", **options: Any) -> None:
        self.wire = wire
        self.address = address
        self.to = to
        keys = options.pop("keys", None)
        title = options.pop("title", READER)
        called = options.pop("called", METER)
        identity = options.pop("identity", None) or Identity(title, keys, guard=options.pop("guard", None))
        self.initiator = Initiator(identity, called, **options)
        self.events: list[InitiatorEvent] = []
        self.done: Finished | None = None
        self._timer: Timer | None = None
        wire.attach(address, self.receive)

    def receive(self, apdu: bytes, _source: Any) -> None:
        self.initiator.receive(apdu, now=self.wire.now, utc=self.wire.utc)
        self.pump()

    def tick(self) -> None:
        self.initiator.tick(now=self.wire.now, utc=self.wire.utc)
        deadline = self.initiator.next_deadline()
        assert deadline is None or deadline > self.wire.now, "a tick leaves nothing due, or its owner spins"
        self.pump()

    def pump(self) -> None:
        for apdu in self.initiator.apdus_to_send():
            self.wire.send(apdu, source=self.address, to=self.to)
        for event in self.initiator.events():
            self.events.append(event)
            if self.done is not None and isinstance(event, (Completed, Failed)):
                self.done(event)
        if self._timer is not None:
            self._timer.cancel()
        deadline = self.initiator.next_deadline()
        self._timer = None if deadline is None else self.wire.call_at(deadline, self.tick)

    def start(self, *services: Request, **options: Any) -> Exchange:
        exchange = self.initiator.request(*services, now=self.wire.now, utc=self.wire.utc, **options)
        self.pump()
        return exchange

    def ask(self, *services: Request, **options: Any) -> Exchange:
        """Ask, and let the wire run until the exchange is over."""
        exchange = self.start(*services, **options)
        self.wire.run(done=lambda: exchange.is_over)
        return exchange

    def hear(self, apdu: bytes) -> None:
        """Let it receive octets from nowhere."""
        self.receive(apdu, None)

    def reasons(self) -> list[str]:
        """Return why octets were dropped."""
        return [event.reason for event in self.of(Dropped)]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]
