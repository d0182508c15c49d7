"""Doors where somebody answers: a node, a relay, and clients and checks whose node says what it should not."""

from __future__ import annotations

import atexit
import json
import socket
from contextlib import ExitStack, suppress
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from c1222.conformance.catalogue import CHECKS
from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour
from c1222.conformance.report import as_dict, junit
from c1222.conformance.run import BROKEN
from c1222.node.network.relay import Relay
from c1222.node.network.runner import RunningNode, running
from c1222.protocol.events import Completed, HandlerFailed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import TCP_LINK, UDP_LINK
from c1222.services import Request, identify, session, tables
from c1222.services.tables import TableData
from tests.c1222.client.rig import Bench
from tests.c1222.client.test_hostile import verbs
from tests.c1222.conformance.rig import Bench as Checks
from tests.c1222.node.network.test_relay import Net
from tests.c1222.node.rig import KEY, MASTER, POLYPHASE, Rig, profile
from tests.fuzz.driver import Door

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c1222.conformance.misbehaviours.misbehaviour import Subject

ANSWER_SECONDS: Final = 10.0
"""How long a node that listens may take for a good request."""

WORK: Final[tuple[tuple[Request, ...], ...]] = (
    (identify.IdentifyRequest(),),
    (tables.ReadRequest(1), tables.ReadOffsetRequest(6, 0, 20), tables.ReadIndexRequest(22, (0, 1), 2)),
    (tables.WriteRequest(6, TableData(b"X" * 230)), tables.WriteOffsetRequest(6, 0, TableData(b"Y" * 20))),
    (tables.WriteRequest(7, TableData(bytes((9, 0, 1, 7)))), tables.ReadRequest(8), tables.ReadRequest(23)),
    (tables.WriteRequest(0x1036, TableData(b"\2DEMO\1" + bytes(114))), tables.ReadRequest(0x1036)),
    (session.LogonRequest.of(4, "M", 60), session.WaitRequest(30), session.LogoffRequest()),
    (session.TerminateRequest(), session.DisconnectRequest()),
)


def pieces(octets: bytes) -> Iterator[bytes]:
    """Yield what stands behind sizes of two octets."""
    at = 0
    while at + 2 <= len(octets):
        size = int.from_bytes(octets[at : at + 2], "big")
        yield octets[at + 2 : at + 2 + size]
        at += 2 + size


def joined(parts: Sequence[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def sent(mode: int) -> list[bytes]:
    """What somebody who knows the password asks a meter: each message by itself, and all one after the other."""
    rig = Rig(keys={2: KEY}, cleartext=True, simulate=False)
    caller = rig.caller(mode=mode, key_id=2 if mode else None).log_in(MASTER)
    for services in WORK:
        caller.ask(*services)
    return caller.sent


@cache
def _node_seeds() -> tuple[bytes, ...]:
    clear, secured = sent(0), sent(2)
    return (*(joined([one]) for one in clear + secured), joined(clear), joined(secured))


def node(octets: bytes) -> None:
    """Messages that come to a new node, one a second."""
    rig = Rig(keys={2: KEY}, cleartext=True, made=profile())
    failed: list[HandlerFailed] = []
    rig.fleet.listener = lambda event, _meter: failed.append(event) if isinstance(event, HandlerFailed) else None
    for number, apdu in enumerate(pieces(octets)):
        if number == 20:
            break
        rig.passes(1)
        rig.fleet.receive(apdu, source="s", now=rig.now, utc=rig.utc, link=TCP_LINK if number % 2 else UDP_LINK)
        assert len(rig.fleet.apdus_to_send()) <= 1, "one message in, at most one out"
        rig.fleet.tick(now=rig.now, utc=rig.utc)
        if failed:
            raise failed[0].error
    assert isinstance(rig.caller(".9.8").one(identify.IdentifyRequest()), identify.IdentifyResponse)


@cache
def _node() -> RunningNode:
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(running(profile(POLYPHASE), simulate=False))


def sockets(octets: bytes) -> None:
    """A datagram or, if the first octet is odd, a stream; the node answers a good request all the same."""
    served = _node()
    if octets[:1] and octets[0] & 1:
        with suppress(OSError), socket.create_connection((served.host, int(served.tcp_url.rpartition(":")[2]))) as line:
            line.sendall(octets[1:])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(ANSWER_SECONDS)
        line.connect((served.host, served.port))
        if octets[:1] and not octets[0] & 1:
            line.send(octets[1:60_000])
        asker = Initiator(Identity(".9.1"), served.title)
        asker.request(identify.IdentifyRequest(), now=0.0, utc=1e9)
        for apdu in asker.apdus_to_send():
            line.send(apdu)
        while not any(isinstance(event, Completed) for event in asker.events()):
            asker.receive(line.recv(65_536), now=0.0, utc=1e9)


def relay(octets: bytes) -> None:
    """Messages to a relay, and to the node that waits for its registration."""
    net = Net()
    own = Relay(".1")
    for apdu in pieces(octets):
        own.receive(apdu, source=("192.0.2.1", 1), now=0.0, utc=net.wire.utc)
        assert len(own.apdus_to_send()) <= 1, "one message in, at most one out"
        net.registration.receive(apdu, now=0.0, utc=net.wire.utc)
        assert not net.registration.is_registered


@cache
def _relay_seeds() -> tuple[bytes, ...]:
    net = Net()
    registers = net.registration.apdus_to_send(now=0.0, utc=net.wire.utc)
    return (joined(registers), joined([*registers, *sent(0)]), *_node_seeds())


# Answers changed on their way: an input says which, where, how many octets go, and which come instead.


class Changes:
    """What becomes of the answers of a good node.

    Args:
        octets: records of five octets and more: number of the answer, place (two octets), octets left out, octets put
            in, and those.
    """

    def __init__(self, octets: bytes) -> None:
        self.count = 0
        self.changes: dict[int, list[tuple[int, int, bytes]]] = {}
        at = 0
        while at + 5 <= len(octets):
            number, place, left_out, size = octets[at], octets[at + 1 : at + 3], octets[at + 3], octets[at + 4]
            change = (int.from_bytes(place, "big"), left_out, octets[at + 5 : at + 5 + size])
            self.changes.setdefault(number, []).append(change)
            at += 5 + size

    def __call__(self, answer: bytes) -> bytes:
        changed = bytearray(answer)
        for place, left_out, put_in in self.changes.get(self.count % 256, ()):
            place %= len(changed) + 1
            changed[place : place + left_out] = put_in
        self.count += 1
        return bytes(changed)


@cache
def _change_seeds() -> tuple[bytes, ...]:
    chance = Random(1)
    found = [b""]
    for _ in range(30):
        records = b""
        for _ in range(chance.randrange(1, 12)):
            size = chance.choice((0, 1, 1, 1, 2, 4))
            head = bytes((chance.randrange(40), 0, chance.randrange(90), chance.choice((0, 1, 1, 1, size)), size))
            records += head + chance.randbytes(size)
        found.append(records)
    return tuple(found)


def _client(kind: str, octets: bytes) -> None:
    """Every verb ends, in a value or in a typed error."""
    bench = Bench(kind, mode=0, key=None, node_key=None, busy_tries=1, busy_pause=0.1)
    change = Changes(octets[1:])
    send = bench.wire.send

    def changed(apdu: bytes, *, source: object, to: object) -> None:
        send(change(apdu) if source == "node" else apdu, source=source, to=to)

    bench.wire.send = changed  # type: ignore[method-assign, assignment]
    verbs(bench.meter, Random(octets[0] if octets else 0))


def client(octets: bytes) -> None:
    _client("sync", octets)


def aio_client(octets: bytes) -> None:
    _client("aio", octets)


def checks(octets: bytes) -> None:
    """A check, chosen by the first octet, comes to a verdict, and its report can be written and read."""
    change = Changes(octets[1:])

    def leave(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
        yield change(answer), 0.0

    bench = Checks(mode=0, wrong=Misbehaviour("", "", "", (), leave=leave))
    report = bench.run(CHECKS[(octets[0] if octets else 0) % len(CHECKS)].id)
    assert [one for result in report.results for one in result.remarks if one.text.startswith(BROKEN)] == []
    json.dumps(as_dict(report), allow_nan=False)
    ET.fromstring(junit(report))


PEERS: Final[dict[str, Door]] = {
    "node": Door(node, (), _node_seeds, 2.0),
    "sockets": Door(
        sockets, (), lambda: [b"\0" + one[2:] for one in _node_seeds()] + [b"\1" + one[2:] for one in _node_seeds()]
    ),
    "relay": Door(relay, (), _relay_seeds),
    "client": Door(client, (), _change_seeds, 2.0),
    "aio-client": Door(aio_client, (), _change_seeds, 2.0),
    "checks": Door(checks, (), _change_seeds, 2.0),
}
