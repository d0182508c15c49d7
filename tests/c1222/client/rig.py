"""A meter without a clock or a store of its own, and both clients at the other end of a wire in memory."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from c1219.device import Device
from c1219.registry import table_id
from c1222.client.aio_meter import AsyncMeter
from c1222.client.operations.operations import Operations
from c1222.client.sync import connect
from c1222.protocol.policy import TCP_LINK, UDP_LINK, Link, NodePolicy
from c1222.security.keys import Key
from c1222.services import Request, Response, TableData, identify, network, session, tables
from c1222.services.results import Err, Iar, Isc, Onp
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.protocol.rig import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from c1222.errors import C1222Error
    from c1222.protocol.responder.execution import Context

T = TypeVar("T")

KEY = Key(2, bytes.fromhex("01020304050607080102030405060708"))
METER, READER = ".123.8437", ".123.4"
PASSWORD = "secret"
DEVICES = Path(__file__).parents[3] / "specs" / "devices"


def profile(name: str = "polyphase-tou") -> dict[int, bytes]:
    """Return the tables of a device file by identifier."""
    content = json.loads((DEVICES / f"{name}.json").read_text("utf-8"))
    return {table_id(key): bytes.fromhex(octets) for key, octets in content["tables"].items()}


class Tiny:
    """A handler that serves tables; with a plan of faults."""

    def __init__(self, tables_: dict[int, bytes] | None = None) -> None:
        self.tables = dict(profile() if tables_ is None else tables_)
        self.requests: list[Request] = []
        self.writes: list[Request] = []
        self.offsets = True
        self.needs_password: set[int] = set()
        self.plan: list[Callable[[Request], Response | None]] = []
        self.procedures: list[tuple[int, int, bytes]] = []
        self.results: list[int] = []
        self.not_about_it = 0

    def __call__(self, request: Request, context: Context) -> Response:
        self.requests.append(request)
        for fault in tuple(self.plan):
            response = fault(request)
            if response is not None:
                return response
        match request:
            case identify.IdentifyRequest():
                return identify.IdentifyResponse(3, 1, 0)
            case session.LogonRequest():
                if request.user_id == 99:
                    raise Err
                return session.LogonResponse(request.timeout)
            case session.SecurityRequest():
                if request.password != PASSWORD.encode().ljust(20):
                    raise Err
                context.access.rights = "all"
                return session.SecurityResponse()
            case network.RegisterRequest():
                return network.RegisterResponse(request.ap_title, 10, 3600, network.RegistrationInfo.DIRECT_MESSAGING)
            case network.DeregisterRequest():
                return network.DeregisterResponse(request.ap_title)
            case network.ResolveRequest():
                return network.ResolveResponse(bytes.fromhex("7f0000010481"))
            case network.TraceRequest():
                return network.TraceResponse((*request.ap_titles, *request.ap_titles))
        if isinstance(request, tables.TableAccess):
            return self.access(request, context)
        assert request.answer is not None
        return request.answer()

    def access(self, request: tables.TableAccess, context: Context) -> Response:
        if request.table not in self.tables:
            raise Iar
        if request.table in self.needs_password and context.access.rights != "all":
            raise Isc
        data = self.tables[request.table]
        match request:
            case tables.ReadRequest():
                return tables.ReadResponse(TableData(data))
            case tables.ReadOffsetRequest():
                if not self.offsets:
                    raise Onp
                if request.offset > len(data):
                    raise Iar
                return tables.ReadOffsetResponse(TableData(data[request.offset : request.offset + request.count]))
            case tables.WriteRequest():
                self.writes.append(request)
                if request.table == 7:
                    self.procedure(request.data)
                self.tables[request.table] = request.data
                return tables.WriteResponse()
            case tables.WriteOffsetRequest():
                if not self.offsets:
                    raise Onp
                self.writes.append(request)
                end = request.offset + len(request.data)
                self.tables[request.table] = data[: request.offset] + request.data + data[end:]
                return tables.WriteOffsetResponse()
        raise AssertionError(request)

    def procedure(self, octets: bytes) -> None:
        self.procedures.append((octets[0] | (octets[1] & 0x0F) << 8, octets[2], octets[3:]))
        result = self.results.pop(0) if self.results else 0
        self.tables[8] = octets[:3] + bytes([result])


class Bench:
    """A wire, a node at one end, and a meter at the other: blocking or asyncio.

    Attributes:
        meter: its verbs, whichever pump runs them.
    """

    def __init__(
        self,
        kind: str,
        *,
        store: Tiny | None = None,
        node_key: Key | None = KEY,
        policy: NodePolicy | None = None,
        reliable: bool = False,
        node_link: Link | None = None,
        mishaps: Mishaps | None = None,
        **settings: Any,
    ) -> None:
        self.kind = kind
        self.store = Tiny() if store is None else store
        size = TCP_LINK.max_size if reliable else UDP_LINK.max_size
        self.wire = Wire(seed=1, reliable=reliable, max_size=size, mishaps=mishaps or Mishaps())
        link = TCP_LINK if reliable else UDP_LINK
        self.node = Node(self.wire, keys=node_key, store=self.store, policy=policy, link=node_link or link)  # type: ignore[arg-type]
        self.link = link
        self.settings = {"called": METER, "calling": READER, "key": KEY, **settings}
        self.address = 0
        self.connect()

    def connect(self, **settings: Any) -> Any:
        """Begin anew, as a client that connects again."""
        self.address += 1
        given = {**self.settings, **settings}
        if self.kind == "sync":
            self.endpoint = self.wire.endpoint(self.address, "node")
            self.inner: Any = connect(self.endpoint, clock=self.wire, **given)
            self.meter: Any = self.inner
        else:
            self.inner = None
            asyncio.run(self._open(Operations(self.link, **given)))
            self.meter = Driven(self)
        return self.meter

    async def _open(self, operations: Operations) -> None:
        address = self.address
        self.inner = AsyncMeter(operations, lambda apdu: self.wire.send(apdu, source=address, to="node"), self.wire)
        self.wire.attach(address, lambda apdu, _source: self.inner.receive(apdu))

    def lose_connection(self, error: C1222Error) -> None:
        """Have the link fail, as a connection does."""
        if self.kind == "sync":
            self.endpoint.failure = error  # type: ignore[assignment]
        else:
            self.inner.lost(error)

    def restart_node(self) -> None:
        """Lose all that the node only remembers."""
        old = self.node
        self.node = Node(
            self.wire, keys=old.responder.identity.keys, store=self.store, policy=old.responder.policy, link=old.link
        )  # type: ignore[arg-type]


class Driven:
    """A meter of the asyncio client whose verbs run while the wire does."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._bench.inner, name)
        if not asyncio.iscoroutinefunction(value):
            return value
        return lambda *args, **options: asyncio.run(drive(self._bench.wire, value(*args, **options)))

    def __repr__(self) -> str:
        return repr(self._bench.inner)


async def drive(wire: Wire, work: Coroutine[Any, Any, T]) -> T:
    """Run something while a wire in memory runs: time passes when there is nothing else to do."""
    task = asyncio.ensure_future(work)
    while True:
        for _ in range(4):
            await asyncio.sleep(0)
        if task.done():
            return task.result()
        assert wire.step(), "nothing is due any more, and the verb still waits"


def known(store: Tiny) -> Device:
    """Return what the meter has, as a device."""
    return Device(store.tables)
