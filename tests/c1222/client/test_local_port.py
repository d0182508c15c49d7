"""A client at a local port: a simulated node behind a device, the time that of a line in memory."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Any

import pytest

import c1222
from c1222.client.local_port import LocalPortEndpoint
from c1222.conformance.misbehaviours.specimen import Specimen
from c1222.errors import EncodeError, InvalidUrl, PeerSilent
from c1222.protocol.policy import TCP_LINK
from c1222.security.keys import KeyStore
from c1222.serial.link_events import Transmit
from c1222.serial.localport.conversation import ApduArrived, PortConversation, grant
from c1222.serial.localport.port import LocalPort
from c1222.serial.localport.services import SendMessageRequest
from tests.c1222.conformance.rig import PASSWORDS, UTC
from tests.c1222.conformance.rig import profile as profile_of


class Device:
    """A line in memory with a node at its end, behind a local port."""

    def __init__(self, packet_size: int = 512, packets: int = 8, *, silent: bool = False) -> None:
        self.now = 0.0
        self.node = Specimen(profile_of("polyphase-tou"), keys=KeyStore(), misbehaviour=None, utc=UTC)
        self.talk = PortConversation(LocalPort(), grant(packet_size, packets))
        self.silent = silent
        self.apdus = 0
        self._due: list[tuple[float, int, bytes]] = []
        self._order = count()

    def clock(self) -> float:
        return self.now

    def send(self, octets: bytes) -> None:
        if not self.silent:
            self._do(self.talk.receive(octets, self.now))

    def _do(self, events: list[Any]) -> None:
        for event in events:
            if isinstance(event, Transmit):
                heapq.heappush(self._due, (self.now + 0.01, next(self._order), event.octets))
            elif isinstance(event, ApduArrived):
                self.apdus += 1
                utc = UTC + self.now
                self.node.receive(event.apdu, source=event.address, now=self.now, utc=utc, link=TCP_LINK)
                for delivery in self.node.apdus_to_send():
                    self._do(self.talk.ask(SendMessageRequest(event.address, delivery.apdu), self.now))

    def receive(self, timeout: float | None) -> bytes | None:
        until = float("inf") if timeout is None else self.now + timeout
        while True:
            due = self._due[0][0] if self._due else float("inf")
            deadline = self.talk.deadline
            if deadline is not None and deadline <= min(due, until):
                self.now = max(self.now, deadline)
                self._do(self.talk.tick(self.now))
                continue
            if due > until:
                self.now = until
                return None
            self.now = max(self.now, due)
            return heapq.heappop(self._due)[2]

    def set_rate(self, rate: int) -> None:
        raise AssertionError(rate)

    def close(self) -> None:
        self.silent = True


def test_a_session_with_a_meter() -> None:
    device = Device()
    endpoint = LocalPortEndpoint(device, clock=device.clock)
    assert endpoint.max_size == 8 * 504 - 2
    with c1222.connect(endpoint, called=".123.8437", calling=".123.4") as meter:
        meter.logon(user_id=4, password=PASSWORDS["polyphase-tou"])
        assert meter.read(1).MANUFACTURER
        rows = list(meter.registers())
    assert any(row.unit == "Wh" for row in rows)
    assert device.apdus > 3


def test_without_negotiation_an_apdu_must_fit_one_packet() -> None:
    device = Device()
    endpoint = LocalPortEndpoint(device, packet_size=64, clock=device.clock)
    assert endpoint.max_size == 54
    with pytest.raises(EncodeError, match="the limit is 54"):
        endpoint.send(bytes(55))


def test_a_device_that_does_not_negotiate() -> None:
    device = Device(packet_size=64, packets=1)
    assert LocalPortEndpoint(device, clock=device.clock).max_size == 54


def test_nobody_there() -> None:
    device = Device(silent=True)
    with pytest.raises(PeerSilent, match="4 attempts"):
        LocalPortEndpoint(device, clock=device.clock)
    assert device.now < 20


def test_an_address_that_is_none() -> None:
    with pytest.raises(InvalidUrl):
        LocalPortEndpoint("udp://127.0.0.1")
