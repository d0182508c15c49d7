"""Registering, resolving, tracing and leaving, end to end over a wire in memory: node, relay, and a host that asks."""

from __future__ import annotations

import itertools
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest

from c1219.codes.results import ResultCode
from c1222.message.aptitle import ApTitle
from c1222.node.network.registration import Registration
from c1222.node.network.relay import PERIOD, Relay, native_address
from c1222.protocol.events import Completed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.services import ErrorResponse, identify, network, session, tables
from c1222.services.results import Iar, Isc, Sns, Uat
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.node.rig import KEY, Rig

if TYPE_CHECKING:
    from c1222.node.network.fleet import Fleet
    from c1222.services import Request, Response

RELAY, NODE, HOST = ("192.0.2.1", 1153), ("192.0.2.10", 1153), ("192.0.2.99", 50_000)
CLASS = b"DEMO"
CALM = Mishaps()


class Net:
    """A relay, a node with its registration, and a host, on one wire."""

    def __init__(self, *, mishaps: Mishaps = CALM, keys: dict[int, bytes] | None = None, **registration: Any) -> None:
        self.wire = Wire(seed=1, mishaps=mishaps)
        self.relay = Relay(".1", None if keys is None else Identity(None, keys).keys)
        self.rig = Rig(utc=self.wire.utc + 2e8, keys=keys, cleartext=True)
        self.fleet: Fleet = self.rig.fleet
        station = next(iter(self.fleet.stations.values()))
        mode = {"mode": 2, "key_id": 2} if keys else {}
        self.registration = Registration(station.responder.identity, ".1", device_class=CLASS, **mode, **registration)
        self.fleet.answers[self.registration.content] = self.registration
        self.wire.attach(RELAY, self._to_relay)
        self.wire.attach(NODE, self._to_node)
        self.wire.attach(HOST, self._to_host)
        self.host: dict[str, Initiator] = {}

    def _to_relay(self, apdu: bytes, source: Any) -> None:
        self.relay.receive(apdu, source=source, now=self.wire.now, utc=self.wire.utc)
        for out in self.relay.apdus_to_send():
            self.wire.send(out.apdu, source=RELAY, to=out.source)

    def _to_node(self, apdu: bytes, source: Any) -> None:
        self.fleet.receive(apdu, source=source, now=self.wire.now, utc=self.wire.utc)
        for out in self.fleet.apdus_to_send():
            self.wire.send(out.apdu, source=NODE, to=out.source)

    def _to_host(self, apdu: bytes, _source: Any) -> None:
        for initiator in self.host.values():
            initiator.receive(apdu, now=self.wire.now, utc=self.wire.utc)

    def node_works(self, seconds: float) -> None:
        """Let time pass, with the node's registration at work."""
        end = self.wire.now + seconds
        while self.wire.now < end:
            for apdu in self.registration.apdus_to_send(now=self.wire.now, utc=self.wire.utc):
                self.wire.send(apdu, source=NODE, to=RELAY)
            self.relay.tick(now=self.wire.now, utc=self.wire.utc)
            due = [self.registration.next_deadline(), self.wire.next_due(), end]
            self.wire.run(until=max(min(one for one in due if one is not None), self.wire.now + 0.01))
        self.relay.tick(now=self.wire.now, utc=self.wire.utc)

    def ask(self, called: str, *services: Request, title: str = ".77") -> tuple[Response, ...]:
        """Have the host ask somebody through the relay."""
        initiator = self.host.setdefault(f"{title}>{called}", Initiator(Identity(title), called))
        exchange = initiator.request(*services, now=self.wire.now, utc=self.wire.utc)
        end = self.wire.now + 30
        while self.wire.now < end:
            for apdu in initiator.apdus_to_send():
                self.wire.send(apdu, source=HOST, to=RELAY)
            for event in initiator.events():
                if isinstance(event, Completed):
                    return event.responses
            self.wire.run(until=self.wire.now + 0.5)
            initiator.tick(now=self.wire.now, utc=self.wire.utc)
        initiator.cancel(exchange, now=self.wire.now, utc=self.wire.utc)
        return ()


def test_a_node_registers_and_is_found() -> None:
    net = Net(serial_number=ApTitle("1.3.6.1.4.1.33507.7"))
    net.node_works(1)
    assert net.registration.is_registered
    assert str(net.registration.title) == ".123.8437"
    (resolved,) = net.ask(".1", network.ResolveRequest(ApTitle(".123.8437")))
    assert resolved.native_address == ip_address(NODE[0]).packed + (1153).to_bytes(2)
    (identified,) = net.ask(".1", identify.IdentifyRequest())
    assert identified.standard == 3
    (traced,) = net.ask(".1", network.TraceRequest((ApTitle(".77"),)))
    assert [str(title) for title in traced.ap_titles] == [".77", ".1"]


def test_messages_pass_through_the_relay_in_both_directions() -> None:
    net = Net()
    net.node_works(1)
    (read,) = net.ask(".123.8437", tables.ReadRequest(1))
    assert read.data == net.rig.profile.tables["ST1"]
    (traced,) = net.ask(".123.8437", network.TraceRequest((ApTitle(".77"),)))
    assert [str(title) for title in traced.ap_titles] == [".77", ".123.8437"]
    assert net.relay.counters["passed-on"] == 4


def test_sealed_messages_pass_as_they_are() -> None:
    net = Net(keys={2: KEY})
    net.node_works(1)
    assert net.registration.is_registered
    initiator = Initiator(Identity(".77", {2: KEY}), ".123.8437", mode=2, key_id=2)
    net.host["sealed"] = initiator
    initiator.request(tables.ReadRequest(1), now=net.wire.now, utc=net.wire.utc)
    for apdu in initiator.apdus_to_send():
        net.wire.send(apdu, source=HOST, to=RELAY)
    net.wire.run(until=net.wire.now + 1)
    (event,) = initiator.events()
    assert isinstance(event, Completed)
    assert event.message.authenticated


def test_nobody_of_that_title() -> None:
    net = Net()
    (refused,) = net.ask(".123.1", tables.ReadRequest(1))
    assert isinstance(refused, ErrorResponse)
    assert refused.code == Uat.code
    (refused,) = net.ask(".1", network.ResolveRequest(ApTitle(".123.1")))
    assert refused.code == Uat.code
    (refused,) = net.ask(".1", tables.ReadRequest(1))
    assert refused.code == Sns.code


def test_a_node_leaves() -> None:
    ended: list[int] = []
    net = Net(ended=ended.append)
    assert not net.registration.deregister(now=net.wire.now, utc=net.wire.utc)
    net.node_works(1)
    (refused,) = net.ask(".1", network.DeregisterRequest(ApTitle(".123.8437")))
    assert refused.code == Isc.code, "only in its own name"
    assert net.registration.deregister(now=net.wire.now, utc=net.wire.utc)
    net.node_works(1)
    assert not net.registration.is_registered
    assert net.relay.nodes == {}
    assert ended == [ResultCode.COMPLETED]
    assert net.registration.next_deadline() is None, "it stays away"


def test_registrations_are_renewed_before_they_run_out() -> None:
    net = Net()
    net.node_works(1)
    first = net.registration.expires
    assert first == pytest.approx(PERIOD, abs=1)
    net.node_works(PERIOD - 400)
    assert net.relay.counters["registered"] == 1
    net.node_works(300)
    assert net.relay.counters["registered"] == 2
    assert net.registration.expires > first


def test_a_relay_that_is_away_is_asked_again_ever_more_seldom() -> None:
    net = Net()
    net.wire.detach(RELAY)
    times: list[float] = []
    net.wire.log = lambda now, source, to, _apdu: times.append(now) if source == NODE else None
    net.node_works(7200)
    starts = [time for time, before in zip(times, [-100.0, *times], strict=False) if time - before > 16]
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert len(times) == 4 * len(starts), "each attempt sends the same octets four times"
    assert all(60 + 60 <= gap <= 60 + 4 * 300 for gap in gaps)
    assert gaps[0] <= 60 + 300
    assert max(gaps[2:]) > 60 + 300
    net.wire.attach(RELAY, net._to_relay)
    net.node_works(1300)
    assert net.registration.is_registered


def test_loss_and_duplication_do_not_matter() -> None:
    net = Net(mishaps=Mishaps(loss=0.4, duplication=0.3, reorder=0.2))
    net.node_works(3000)
    assert net.registration.is_registered
    assert len(net.relay.nodes) == 1


def test_registrations_run_out() -> None:
    net = Net(period=600)
    net.node_works(1)
    assert len(net.relay.nodes) == 1
    net.registration._next = None
    net.node_works(700)
    assert net.relay.nodes == {}
    assert net.relay.counters["run-out"] == 1


def test_a_title_stays_with_the_serial_number_that_has_it() -> None:
    net = Net(serial_number=ApTitle(".7"))
    net.node_works(1)

    def register(title: str, serial: str, *, tag: int = 0x80) -> Response:
        request = network.RegisterRequest(
            network.NodeType.END_DEVICE,
            network.ConnectionType.CONNECTIONLESS,
            CLASS,
            ApTitle(title),
            ApTitle(serial),
            b"",
            0xFFFFFF,
            relative_tag=tag,
        )
        return net.ask(".1", request, title=title if title != "." else ".5")[0]

    assert register(".123.8437", ".8").code == Isc.code
    assert register(".1", ".8").code == Iar.code, "the relay's own"
    assert register(".", ".").code == Iar.code, "neither title nor serial number"
    given = register(".", ".9")
    assert str(given.ap_title) == ".1.1"
    assert str(register(".", ".9").ap_title) == ".1.1", "the same one again"
    assert str(register(".", ".10", tag=0x0D).ap_title) == ".1.2"
    assert given.period == PERIOD
    assert given.info & network.RegistrationInfo.DIRECT_MESSAGING


def test_a_registration_only_takes_what_answers_it() -> None:
    net = Net()
    (apdu,) = net.registration.apdus_to_send(now=0.0, utc=net.wire.utc)
    other = Net()
    other.registration._initiator.identity.next_id(net.wire.utc)
    (foreign,) = other.registration.apdus_to_send(now=0.0, utc=net.wire.utc)
    relay = Relay(".1")
    relay.receive(foreign, source=NODE, now=0.0, utc=net.wire.utc)
    for out in relay.apdus_to_send():
        net.registration.receive(out.apdu, now=1.0, utc=net.wire.utc)
    assert not net.registration.is_registered
    relay.receive(apdu, source=NODE, now=0.0, utc=net.wire.utc)
    for out in relay.apdus_to_send():
        net.registration.receive(out.apdu, now=1.0, utc=net.wire.utc)
    assert net.registration.is_registered


@pytest.mark.parametrize("octets", [b"", b"\x60", b"\xff" * 30])
def test_rubbish_at_the_relay(octets: bytes) -> None:
    relay = Relay(".1")
    relay.receive(octets, source=NODE, now=0.0, utc=0.0)
    assert relay.apdus_to_send() == []
    assert relay.counters["malformed"] == 1


def test_the_relay_forgets_ways_over_lost_connections() -> None:
    net = Net()
    net.node_works(1)
    net.ask(".123.8437", session.TerminateRequest())
    assert len(net.relay._routes) == 2, "the title and the request; a registered node needs no other way"
    net.relay.lost(HOST)
    assert len(net.relay._routes) == 0
    assert net.relay.released() == []
    net.relay.close()


@pytest.mark.parametrize(
    ("source", "octets"),
    [
        (("10.0.0.1", 1153), "0a0000010481"),
        (("::1", 5, 0, 0), "00000000000000000000000000000001" + "0005"),
        (("fe80::1%eth0", 1), "fe800000000000000000000000000001" + "0001"),
        (("a socket", ("10.0.0.1", 1153)), "0a0000010481"),
        (("nonsense", 1), ""),
        ("nonsense", ""),
        (None, ""),
    ],
)
def test_native_addresses(source: Any, octets: str) -> None:
    assert native_address(source).hex() == octets
