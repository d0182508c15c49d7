"""A simulated meter at a line, without sockets: bursts of requests, a store that fails, handlers that do."""

from __future__ import annotations

from typing import Any

import pytest

from c1222.errors import StateError
from c1222.node.network.serial_station import SerialStation
from c1222.node.settings import Settings, make_fleet
from c1222.serial.link_events import Transmit
from c1222.serial.packet import cut, read_packet
from c1222.services import decode_response
from c1222.services.identify import IdentifyRequest
from c1222.services.session import LogonRequest, SecurityRequest
from c1222.services.tables import ReadRequest, TableData, WriteOffsetRequest
from tests.c1222.client.line_rig import UTC
from tests.c1222.node.rig import profile


class Talker:
    """Sends packets by hand, and reads what comes back."""

    def __init__(self) -> None:
        self.fleet = make_fleet(Settings(profile=profile(), simulate=False), utc=UTC)
        self.station = SerialStation(next(iter(self.fleet.stations.values())), self.fleet)
        self.toggle, self.now = 1, 0.0

    def packet(self, request: Any) -> bytes:
        self.toggle ^= 1
        return cut(request.encode(), self.toggle)[0]

    def hear(self, octets: bytes) -> list[bytes]:
        self.now += 0.01
        events = self.station.receive(octets, self.now, UTC)
        return [event.octets for event in events if isinstance(event, Transmit)]

    def ask(self, request: Any) -> Any:
        acknowledgement, packet = self.hear(self.packet(request))
        assert acknowledgement == b"\x06"
        self.hear(b"\x06")
        found = read_packet(packet, max_size=8191)
        assert found is not None
        return decode_response(found[0].data, request)

    def log_on(self) -> None:
        for request in (IdentifyRequest(), LogonRequest.of(4, timeout=None), SecurityRequest.of("master-demo")):
            assert self.ask(request).code == 0


def test_who_asks_twice_at_once_gets_the_answer_to_the_last_alone() -> None:
    talker = Talker()
    talker.log_on()
    before = talker.station._station.meter.tables.get("ST6")
    assert before is not None
    first, second = talker.packet(WriteOffsetRequest(6, 0, TableData(bytes(8)))), talker.packet(ReadRequest(5))
    *acknowledgements, packet = talker.hear(first + second)
    assert acknowledgements == [b"\x06"] * 2
    found = read_packet(packet, max_size=8191)
    assert found is not None
    assert decode_response(found[0].data, ReadRequest(5)).table_data.data == talker.station._station.meter.tables.get(
        "ST5"
    )
    assert talker.station._station.meter.tables.get("ST6") == before
    assert talker.station.link.counts["superseded"] == 1
    assert talker.hear(second) == [b"\x06"]  # still the same answer under way
    talker.hear(b"\x06")
    assert talker.hear(second) == [b"\x06", packet]  # and the same octets again


def test_nothing_is_answered_when_the_store_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    talker = Talker()
    talker.log_on()

    def fail() -> None:
        raise StateError("no room left")

    monkeypatch.setattr(talker.fleet.store, "flush", fail)
    assert talker.hear(talker.packet(ReadRequest(1))) == []
    assert str(talker.station.failure) == "no room left"


def test_a_handler_that_fails_is_an_answer_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    talker = Talker()
    talker.log_on()
    station = talker.station._station

    class Broken:
        meter = station.meter

        def __call__(self, _request: Any, _context: Any) -> Any:
            raise ZeroDivisionError

    monkeypatch.setattr(talker.station, "_station", Broken())
    assert talker.ask(ReadRequest(1)).result == "err"
    assert talker.fleet.counters["handler-failed"] == 1
