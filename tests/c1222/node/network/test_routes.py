"""The ways back of a relay, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from c1219.codes.results import ResultCode
from c1222.message.aptitle import ApTitle
from c1222.node.network.registration import Registration
from c1222.node.network.relay import Relay
from c1222.node.network.routes import ROUTE_LASTS, Routes
from c1222.protocol.events import Completed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.responder.responder import Responder
from c1222.security.keys import Key, KeyStore
from c1222.services import network, tables
from c1222.services.results import Isc

UTC = 1.8e9
NODE, HOST, STRANGER = ("192.0.2.10", 1153), ("192.0.2.99", 50_000), ("203.0.113.7", 4000)


def register(
    relay: Relay,
    title: str,
    source: Any,
    *,
    serial: str = ".",
    peer: Any = None,
    now: float = 0.0,
    calling: str | None = None,
    key: Key | None = None,
) -> Any:
    """Register, in cleartext without a key; return the answer, which must go to who asked."""
    calling = calling or (title if title != "." else ".5")
    asking = Initiator(Identity(calling, key), ".1", mode=2 if key else 0, key_id=key and key.id)
    request = network.RegisterRequest(
        network.NodeType.END_DEVICE,
        network.ConnectionType.CONNECTIONLESS,
        b"DEMO",
        ApTitle(title),
        ApTitle(serial),
        b"",
        600,
    )
    asking.request(request, now=now, utc=UTC)
    (apdu,) = asking.apdus_to_send()
    relay.receive(apdu, source=source, now=now, utc=UTC, peer=peer)
    (out,) = relay.apdus_to_send()
    assert out.source == source
    asking.receive(out.apdu, now=now, utc=UTC)
    (event,) = asking.events()
    assert isinstance(event, Completed)
    return event.responses[0]


class Asked:
    """A request from .77 to .9 that waits for its answer."""

    def __init__(self) -> None:
        self.host = Initiator(Identity(".77"), ".9")
        self.node = Responder(Identity(".9"), lambda _request, _context: tables.ReadResponse(b"\1"))
        self.host.request(tables.ReadRequest(1), now=0.0, utc=UTC)
        (self.request,) = self.host.apdus_to_send()

    def answer(self) -> bytes:
        self.node.receive(self.request, source="relay", now=0.0, utc=UTC)
        (out,) = self.node.apdus_to_send()
        return out.apdu


def to(relay: Relay, apdu: bytes, source: Any, now: float = 1.0) -> list[Any]:
    """Return where a message went that came to a relay."""
    relay.receive(apdu, source=source, now=now, utc=UTC, peer=source[0])
    return [out.source for out in relay.apdus_to_send()]


def test_a_stranger_does_not_get_the_answers_to_others() -> None:
    relay, asked = Relay(".1"), Asked()
    register(relay, ".9", NODE)
    assert to(relay, asked.request, HOST) == [NODE]
    assert to(relay, asked.request, STRANGER) == [NODE]  # the very octets, from elsewhere
    assert to(relay, Asked().request, STRANGER) == [NODE]  # its title in a message of the stranger's
    assert relay.counters["route-taken"] == 3  # the title twice, and the request once
    assert to(relay, asked.answer(), NODE) == [HOST]


def test_who_was_there_first_keeps_strangers_requests_from_no_other() -> None:
    relay, asked, other = Relay(".1"), Asked(), Asked()
    register(relay, ".9", NODE)
    to(relay, other.request, STRANGER)  # first of all, with the title of the host
    to(relay, asked.request, HOST)
    assert to(relay, asked.answer(), NODE) == [HOST]
    assert to(relay, other.answer(), NODE) == [STRANGER]


def test_an_address_may_go_on_from_another_port() -> None:
    relay, asked = Relay(".1"), Asked()
    register(relay, ".9", NODE)
    again = (HOST[0], HOST[1] + 1)
    assert to(relay, asked.request, HOST) == to(relay, asked.request, again) == [NODE]
    assert to(relay, asked.answer(), NODE) == [again]


def test_a_title_that_is_used_no_more_is_free() -> None:
    routes = Routes()
    assert routes.learn(b"a", HOST, "host", 0.0)
    assert routes.learn(b"a", HOST, "host", 200.0)
    assert not routes.learn(b"a", STRANGER, "stranger", 200.0 + ROUTE_LASTS - 1)
    assert routes.find(b"a", 200.0 + ROUTE_LASTS - 1) == HOST
    assert routes.find(b"a", 200.0 + ROUTE_LASTS) is None
    assert routes.learn(b"a", STRANGER, "stranger", 200.0 + ROUTE_LASTS)
    assert routes.find(b"a", 200.0 + ROUTE_LASTS) == STRANGER


def test_one_address_takes_no_room_from_others() -> None:
    routes = Routes(max_routes=10, max_of_peer=4)
    routes.learn("host", HOST, "host", 0.0)
    for number in range(100):
        routes.learn(number, STRANGER, "stranger", 0.0)
    assert len(routes) == 5
    assert routes.find("host", 0.0) == HOST
    assert [number for number in range(100) if routes.find(number, 0.0)] == [96, 97, 98, 99]
    for number in range(9):
        routes.learn(f"of {number}", STRANGER, number, 0.0)
    assert len(routes) == 10
    assert routes.find("host", 0.0) is None  # used longest ago


def test_what_is_in_use_outlasts_what_is_not() -> None:
    routes = Routes(max_routes=3)
    for number in range(10):
        routes.learn("host", HOST, "host", float(number))
        routes.learn(number, STRANGER, number, float(number))
    assert len(routes) == 3
    assert routes.find("host", 9.0) == HOST


def test_ways_are_forgotten_with_their_connection_and_in_time() -> None:
    routes = Routes()
    routes.learn("a", "connection 1", "p", 0.0)
    routes.learn("b", "connection 2", "p", 1.0)
    routes.learn("c", "connection 1", "p", 2.0)
    routes.lost("connection 1")
    assert [routes.find(what, 2.0) for what in "abc"] == [None, "connection 2", None]
    routes.learn("d", "connection 3", "q", 3.0)
    routes.expire(1.0 + ROUTE_LASTS)
    assert len(routes) == 1
    assert routes.find("d", 4.0) == "connection 3"
    routes.lost("connection 3")
    assert len(routes) == len(routes._of_peer) == len(routes._of_source) == 0


def test_registrations_are_bounded_for_each_address_and_in_all() -> None:
    relay = Relay(".1", max_nodes=5, max_nodes_of_peer=3)
    for number in range(3):
        assert register(relay, f".9.{number}", STRANGER, peer="s").code == 0
    refused = register(relay, ".9.3", STRANGER, peer="s")
    assert refused.code == Isc.code
    assert register(relay, ".9.0", STRANGER, peer="s").code == 0, "again, for one that is there"
    assert register(relay, ".8", HOST, peer="h").code == 0
    assert register(relay, ".9.1", HOST, peer="h").code == 0, "moved, which makes room where it was"
    assert register(relay, ".9.3", STRANGER, peer="s").code == 0
    assert register(relay, ".7", NODE, peer="n").code == Isc.code, "no room at all"
    assert register(relay, ".7", NODE, peer="n", now=601.0).code == Isc.code
    relay.tick(now=601.0, utc=UTC)
    assert not relay._of_peer
    assert register(relay, ".7", NODE, peer="n", now=601.0).code == 0
    assert len(relay.nodes) == 1


def test_the_title_given_to_a_serial_number_stays_its_own() -> None:
    relay = Relay(".1")
    given = register(relay, ".", NODE, serial=".7").ap_title
    assert register(relay, ".", HOST, serial=".8").ap_title != given
    assert register(relay, ".", HOST, serial=".7").ap_title == given
    assert register(relay, ".55", NODE, serial=".7").ap_title == ApTitle(".55")
    assert register(relay, ".", NODE, serial=".7").ap_title == ApTitle(".55"), "the last"
    relay.tick(now=601.0, utc=UTC)
    assert relay._by_serial == {}
    assert register(relay, ".", NODE, serial=".7").ap_title not in {given, ApTitle(".55")}


@pytest.mark.parametrize("possible", [True, False])
def test_a_title_that_a_node_cannot_go_by(possible: bool) -> None:
    ended: list[int] = []
    asked: list[ApTitle] = []

    def renamed(title: ApTitle) -> bool:
        asked.append(title)
        return possible

    given = network.RegisterResponse(ApTitle(".9"), 0, 600, network.RegistrationInfo(0))
    relay = Responder(Identity(".1"), lambda _request, _context: given)
    registration = Registration(Identity(".5"), ".1", device_class=b"DEMO", ended=ended.append)
    registration.renamed = renamed
    registration.register()
    (apdu,) = registration.apdus_to_send(now=0.0, utc=UTC)
    relay.receive(apdu, source=NODE, now=0.0, utc=UTC)
    (out,) = relay.apdus_to_send()
    registration.receive(out.apdu, now=0.0, utc=UTC)
    assert asked == [ApTitle(".9")]
    assert registration.is_registered is possible
    assert registration.title == (ApTitle(".9") if possible else None)
    assert registration.expires == (600.0 if possible else None)
    assert ended == [ResultCode.COMPLETED if possible else ResultCode.CONFLICTS_WITH_SETUP]
    due = registration.next_deadline()
    assert due is not None
    assert due == 300.0 if possible else 60.0 <= due <= 300.0


def test_with_the_key_of_one_node_no_other_is_registered() -> None:
    keys = {title: Key(2, title.encode().rjust(16), title) for title in (".8", ".9")}
    relay = Relay(".1", KeyStore(keys.values()))
    assert register(relay, ".9", NODE, key=keys[".9"]).code == 0
    assert register(relay, ".8", STRANGER, calling=".9", key=keys[".9"]).code == Isc.code
    assert register(relay, ".", STRANGER, serial=".7", calling=".9", key=keys[".9"]).ap_title == ApTitle(".1.1")
    assert [str(node.title) for node in relay.nodes.values()] == [".9", ".1.1"]
