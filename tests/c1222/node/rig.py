"""A fleet of meters with a clock that the test moves, and somebody who asks them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from c1219.device import Device
from c1222.node.meter.meter import SimulatedMeter
from c1222.node.meter.profile import Profile
from c1222.node.network.fleet import Fleet
from c1222.node.store.store import MemoryStore, Store
from c1222.protocol.events import Completed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import UDP_LINK, Link, NodePolicy
from c1222.security.keys import KeyStore
from c1222.services import Request, Response, session, tables

DEVICES = Path(__file__).parents[3] / "specs" / "devices"
KEY = bytes(range(16))
UTC = 1_795_363_200.0
"""2026-11-22 16:00:00 UTC: shortly before the profiles' clocks stand, or at the same time."""
POLYPHASE, SINGLE, BIG = "polyphase-tou", "single-phase", "big-endian"
MASTER = {POLYPHASE: "master-demo", SINGLE: "master-demo", BIG: "maître-démo".encode()}
READER = {POLYPHASE: "reader-demo", SINGLE: "reader-demo", BIG: "lecteur-démo".encode()}


def profile(name: str = POLYPHASE, **node: Any) -> Profile:
    """A sample profile, with other things in its ``node`` object. The plain ones are made once."""
    return _made(name, **node) if node else _plain(name)[0]


@cache
def _plain(name: str) -> tuple[Profile, object]:
    made = _made(name)
    return made, made.shapes.get(made.tables)  # which keeps the shape


def _made(name: str, **node: Any) -> Profile:
    device = Device.from_json((DEVICES / f"{name}.json").read_text("utf-8"))
    device.node.update(node)
    return Profile(device)


class Rig:
    """A fleet and a clock. Times are moved by hand."""

    def __init__(
        self,
        name: str = POLYPHASE,
        *,
        count: int = 1,
        keys: KeyStore | dict[int, bytes] | None = None,
        store: Store | None = None,
        utc: float = UTC + 86_400,
        faults: Any = None,
        cleartext: bool | None = None,
        node: dict[str, Any] | None = None,
        policy: NodePolicy | None = None,
        made: Profile | None = None,
        **meter: Any,
    ) -> None:
        self.name = name
        self.now = 1000.0
        self.utc = utc
        self.keys = keys or {}
        self.store = MemoryStore() if store is None else store
        policy = (policy or NodePolicy())._replace(cleartext=cleartext)
        self.fleet = Fleet(self.store, KeyStore.of(keys), policy=policy, faults=faults)
        self.profile = made or profile(name, **(node or {}))
        meter.setdefault("history_days", 0)
        for number in range(count):
            self.fleet.add(SimulatedMeter(self.profile, self.store, utc=utc, number=number, **meter), expected=count)
        self.released: list[Any] = []

    @property
    def meters(self) -> list[SimulatedMeter]:
        return [station.meter for station in self.fleet.stations.values()]

    @property
    def meter(self) -> SimulatedMeter:
        return self.meters[0]

    def passes(self, seconds: float) -> None:
        self.now += seconds
        self.utc += seconds

    def caller(self, title: str = ".9.1", **options: Any) -> Caller:
        return Caller(self, title, **options)

    def device(self, meter: SimulatedMeter | None = None) -> Device:
        """The tables of a meter as they are now."""
        meter = meter or self.meter
        meter.advance(self.utc)
        if meter.simulation:
            for label in ("ST23", "ST28", "ST52", "ST55", "ST56"):
                meter.simulation.refresh(label, self.utc)
        return Device(dict(meter.tables.all()))


class Caller:
    """Somebody who asks a meter of a rig, and gets the responses at once."""

    def __init__(
        self,
        rig: Rig,
        title: str = ".9.1",
        *,
        called: str | None = "",
        mode: int = 0,
        key_id: int | None = None,
        source: Any = "somewhere",
        link: Link = UDP_LINK,
        **initiator: Any,
    ) -> None:
        self.rig = rig
        self.source = source
        self.link = link
        to = str(rig.meter.title) if called == "" else called
        keys = rig.keys if mode else None
        self.initiator = Initiator(Identity(title, keys), to, mode=mode, key_id=key_id, link=link, **initiator)
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.user: tuple[Any, int] | None = None

    def log_in(self, who: dict[str, Any] = MASTER, user: int = 4) -> Caller:
        """Give a password with every message from now on."""
        self.user = (who[self.rig.name], user)
        return self

    def ask(self, *services: Request, **options: Any) -> tuple[Response, ...]:
        """Send a message and return the responses; nothing when there is no answer."""
        rig = self.rig
        if self.user is not None and not self.initiator.session.is_active:
            services = (session.SecurityRequest.of(self.user[0], self.user[1]), *services)
        exchange = self.initiator.request(*services, now=rig.now, utc=rig.utc, **options)
        for apdu in self.initiator.apdus_to_send():
            self.send(apdu)
        for event in self.initiator.events():
            if isinstance(event, Completed):
                responses: Any = event.responses
                return responses[1:] if self.user is not None and len(responses) == len(services) else responses
        self.initiator.cancel(exchange, now=rig.now, utc=rig.utc)
        return ()

    def send(self, apdu: bytes) -> list[bytes]:
        """Send octets, and return what came back."""
        rig = self.rig
        self.sent.append(apdu)
        rig.fleet.receive(apdu, source=self.source, now=rig.now, utc=rig.utc, link=self.link)
        back = [out.apdu for out in rig.fleet.apdus_to_send() if out.source == self.source]
        rig.released += rig.fleet.released()
        self.received += back
        for answer in back:
            self.initiator.receive(answer, now=rig.now, utc=rig.utc)
        return back

    def one(self, *services: Request, **options: Any) -> Response:
        """Ask for one service and return its response."""
        responses = self.ask(*services, **options)
        assert responses, "no answer"
        return responses[-1]

    def read(self, table: int) -> bytes:
        response = self.one(tables.ReadRequest(table))
        assert isinstance(response, tables.ReadResponse), response
        return response.data

    def write(self, table: int, octets: bytes) -> Response:
        return self.one(tables.WriteRequest(table, tables.TableData(octets)))

    def call(self, number: int, parameters: bytes = b"", *, sequence: int = 7, selector: int = 0) -> tuple[int, bytes]:
        """Call a procedure; return result and response, from ST8."""
        order = "big" if self.rig.meter.offer.big else "little"
        head = (number | selector << 12).to_bytes(2, order) + bytes((sequence,))
        written = self.write(7, head + parameters)
        assert isinstance(written, tables.WriteResponse), written
        answer = self.read(8)
        assert answer[:3] == head, "ST8 holds the response of another procedure"
        return answer[3], answer[4:]
