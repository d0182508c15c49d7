"""The local port: packets as Itron's stack sends them, both ends on a line, good and bad; stuffing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import DecodeError, EncodeError, PeerSilent, SessionLost
from c1222.serial.link_events import ChangeRate, LinkDown, MessageAcknowledged, MessageArrived, Transmit
from c1222.serial.localport.conversation import ApduArrived, PortAnswered, PortConversation, PortFailed, grant
from c1222.serial.localport.port import KEEP_ALIVE, MAX_WAITING, LocalPort
from c1222.serial.localport.services import (
    PORT_SERVICES,
    GetPortStatusRequest,
    LinkControlRequest,
    PortConfigurationRequest,
    PortConfigurationResponse,
    PortNegotiateRequest,
    PortNegotiateResponse,
    SendMessageRequest,
    SendMessageResponse,
    SendShortMessageRequest,
    read_port_request,
    read_port_response,
)
from c1222.serial.localport.stuffing import TRANSPARENCY, PortReader, stuffed
from c1222.serial.packet import SerialPacket, read_packet
from c1222.services import RawRequest
from tests.c1222.serial.vectors import PACKETS
from tests.c1222.serial.wire import Damage, End, Wire

ACK, NAK = b"\x06", b"\x15"
# Made by Itron's stack, in that order; the CRCs were computed again.
NEGOTIATE = bytes.fromhex("EE000100000863005702" + "06080B" + "0165B9")
NEGOTIATED = bytes.fromhex("EE002100000700005702" + "0B01009D88")
CONFIGURE = bytes.fromhex("EE0021000001" + "72510A")
CONTROL = bytes.fromhex("EE0001000002" + "7309635D")
EMPTY = bytes.fromhex(PACKETS["lp-keepalive"]["octets"])
STATUS = bytes.fromhex(PACKETS["lp-getstatus"]["octets"])


def sent(events: list[Any]) -> list[bytes]:
    return [event.octets for event in events if isinstance(event, Transmit)]


def data_of(octets: bytes) -> bytes:
    found = read_packet(octets, max_size=8191)
    assert found is not None
    return found[0].data


def test_requests_and_responses_as_itron_has_them() -> None:
    negotiate = read_port_request(data_of(NEGOTIATE))
    assert negotiate == PortNegotiateRequest(87, 2, bytes.fromhex("06080b"), 1)
    assert negotiate.encode() == data_of(NEGOTIATE)
    negotiated = read_port_response(data_of(NEGOTIATED), negotiate)
    assert negotiated == PortNegotiateResponse(87, 2, 0x0B, 1, 0)
    assert negotiated.encode() == data_of(NEGOTIATED)
    assert read_port_request(data_of(CONFIGURE)) == PortConfigurationRequest()
    assert read_port_request(data_of(CONTROL)) == LinkControlRequest(9)
    assert read_port_request(data_of(STATUS)) == GetPortStatusRequest(1)
    assert read_port_request(bytes.fromhex(PACKETS["lp-stuffed-plain"]["data"])) == SendMessageRequest(
        b"", bytes.fromhex("11ee1b22")
    )


@pytest.mark.parametrize("octets", [b"", b"\0", b"\x61\0\x40\1", b"\x74", b"\x74\5ab", b"\x75"])
def test_what_is_no_request(octets: bytes) -> None:
    with pytest.raises(DecodeError):
        read_port_request(octets)


def test_services_are_those_known() -> None:
    assert set(PORT_SERVICES) == {*range(0x60, 0x6C), 0x72, 0x73, 0x74, 0x75, 0x77}
    assert isinstance(read_port_request(b"\x76"), RawRequest)
    with pytest.raises(DecodeError):
        read_port_response(b"\x74\0", SendMessageRequest(b"", b"\x60\0"))
    answer = read_port_response(bytes.fromhex("00000102" + "07112233"), PortConfigurationRequest())
    assert answer == PortConfigurationResponse(0, 1, 2, bytes.fromhex("07112233"))


def test_both_ends_send_the_octets_of_itron() -> None:
    module, device = LocalPort(), LocalPort()
    assert sent(module.send(data_of(NEGOTIATE), 0.0)) == [NEGOTIATE]
    assert sent(device.receive(NEGOTIATE, 0.1)) == [ACK]
    assert MessageAcknowledged() in module.receive(ACK, 0.2)
    device._toggle = 1  # in the print the device has sent before
    assert sent(device.send(data_of(NEGOTIATED), 0.3)) == [NEGOTIATED]
    events = module.receive(NEGOTIATED, 0.4)
    assert sent(events) == [ACK]
    assert MessageArrived(data_of(NEGOTIATED)) in events
    assert sent(module.send(b"\x72", 0.5)) == [CONFIGURE]
    assert sent(LocalPort().send(data_of(CONTROL), 0.0)) == [CONTROL]


def test_the_line_is_supervised_by_empty_packets() -> None:
    port = LocalPort(keep_alive=KEEP_ALIVE)
    port.start(0.0)
    port._toggle = 1
    assert port.deadline == KEEP_ALIVE
    assert sent(port.tick(KEEP_ALIVE)) == [EMPTY]
    assert port.receive(ACK, 2.6) == []
    other = LocalPort()
    assert other.receive(EMPTY, 0.0) == [Transmit(ACK, 0.0)]
    assert other.counts["empty"] == 1
    assert isinstance(other.tick(5.9), list)
    (down, *_) = other.tick(6.0)
    assert isinstance(down, LinkDown)
    assert isinstance(down.error, SessionLost)


def test_an_end_that_is_not_there() -> None:
    port = LocalPort()
    port.agree(256, 4, 19200)
    port.send(b"\x72", 0.0)
    events: list[Any] = []
    while port.deadline is not None:
        events += port.tick(port.deadline)
    assert len(sent(events)) == 3
    assert isinstance(events[-2], LinkDown)
    assert isinstance(events[-2].error, PeerSilent)
    assert events[-1] == ChangeRate(9600)
    assert (port.packet_size, port.packets) == (64, 1)


def test_messages_wait_for_each_other_and_not_without_end() -> None:
    port = LocalPort()
    assert len(port.send(b"\x72", 0.0)) == 1
    for _ in range(MAX_WAITING):
        assert port.send(b"\x72", 0.0) == []
    with pytest.raises(EncodeError, match="wait already"):
        port.send(b"\x72", 0.0)
    with pytest.raises(EncodeError, match="57 octets"):
        port.send(bytes(57), 0.0)


@pytest.mark.parametrize(("octets", "answer"), [(NEGOTIATE[:-1] + b"\0", NAK), (SerialPacket(b"\x20").encode(), NAK)])
def test_what_is_refused(octets: bytes, answer: bytes) -> None:
    port = LocalPort()
    assert sent(port.receive(octets, 0.0)) == [answer]


def test_a_repetition_is_acknowledged_and_not_taken_twice() -> None:
    port = LocalPort()
    first, again = port.receive(STATUS, 0.0), port.receive(STATUS, 0.1)
    assert [type(event) for event in first] == [Transmit, MessageArrived]
    assert again == [Transmit(ACK, 0.1)]


def test_the_last_repetition_is_one_though_the_link_began_anew() -> None:
    port = LocalPort()
    port.receive(STATUS, 0.0)
    assert isinstance(port.tick(6.0)[0], LinkDown)
    assert port.receive(STATUS, 6.1) == [Transmit(ACK, 6.1)]
    assert len(port.receive(STATUS, 20.0)) == 3, "down, acknowledged, and a message of somebody who begins anew"


# --- stuffing


def test_stuffing_as_itron_does_it() -> None:
    entry = PACKETS["lp-stuffed-plain"]
    plain, on_line = bytes.fromhex(entry["octets"]), bytes.fromhex(entry["stuffed"])
    assert stuffed(plain) == on_line
    port = LocalPort()
    acknowledged, arrived = port.receive(on_line, 0.0)
    assert arrived == MessageArrived(bytes.fromhex(entry["data"]))
    answer, _ = read_packet(acknowledged.octets, max_size=64) or pytest.fail("no packet")
    assert (answer.acknowledgement, answer.data) == (1, b"")
    asking = LocalPort(transparency=True)
    asking.send(b"\x72", 0.0)
    assert MessageAcknowledged() in asking.receive(acknowledged.octets, 0.1)


@given(st.lists(st.binary(min_size=1, max_size=56), min_size=1, max_size=4), st.integers(1, 30), st.booleans())
def test_stuffed_packets_in_any_pieces(messages: list[bytes], step: int, mixed: bool) -> None:
    line = b""
    for number, data in enumerate(messages):
        plain = SerialPacket(data, control=0x01 | (0 if mixed and number % 2 else TRANSPARENCY)).encode()
        line += (stuffed(plain) if plain[2] & TRANSPARENCY else plain) + ACK
    reader, found = PortReader(0.5), []
    for at in range(0, len(line), step):
        found += reader.feed(line[at : at + step], 0.001 * at)
    assert [item.data for item in found if isinstance(item, SerialPacket)] == messages
    assert len(found) == 2 * len(messages)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_octets(octets: bytes, step: int) -> None:
    talk = PortConversation(LocalPort(keep_alive=KEEP_ALIVE))
    now = 0.0
    talk.ask(PortConfigurationRequest(), now)
    for at in range(0, len(octets), step):
        now += 0.05
        talk.receive(octets[at : at + step], now)
    for _ in range(40):
        if talk.deadline is None:
            break
        now = max(now, talk.deadline)
        talk.tick(now)
    assert len(talk.port._reader._held) <= 8191


# --- both ends


class Bench:
    def __init__(self, damage: Damage, **options: Any) -> None:
        self.heard: dict[str, list[Any]] = {"module": [], "device": []}
        self.module = PortConversation(LocalPort(keep_alive=KEEP_ALIVE, **options))
        self.device = PortConversation(LocalPort(**options), grant(256, 4))
        ends = [End(self.module, self._owner("module")), End(self.device, self._owner("device"))]
        self.wire = Wire(*ends, damage)
        self.wire.do(ends[0], list(self.module.port.start(0.0)))

    def _owner(self, who: str) -> Any:
        return lambda event, now: self.heard[who].append(event)

    def ask(self, who: str, request: Any) -> Any:
        talk, end = (self.module, 0) if who == "module" else (self.device, 1)
        before = len(self.heard[who])
        self.wire.do(self.wire.ends[end], list(talk.ask(request, self.wire.now)))
        self.wire.run(
            self.wire.now + 60,
            lambda: any(isinstance(event, (PortAnswered, PortFailed)) for event in self.heard[who][before:]),
        )
        return next(event for event in self.heard[who][before:] if isinstance(event, (PortAnswered, PortFailed)))


@pytest.mark.parametrize("transparency", [False, True])
def test_apdus_both_ways(transparency: bool) -> None:
    bench = Bench(Damage(), transparency=transparency)
    agreed = bench.ask("module", PortNegotiateRequest(1024, 16, b"", 1))
    assert agreed.response == PortNegotiateResponse(256, 4, 0, 1, 0)
    bench.wire.run(bench.wire.now + 0.5)
    assert bench.module.port.max_message == bench.device.port.max_message == 4 * 248
    apdu = b"\x60" + bytes(range(256)) * 3
    for who, other in (("module", "device"), ("device", "module")):
        assert bench.ask(who, SendMessageRequest(b"\1\2", apdu)).response == SendMessageResponse()
        assert ApduArrived(apdu, b"\1\2") in bench.heard[other]
    bench.wire.run(bench.wire.now + 30)
    assert not [event for heard in bench.heard.values() for event in heard if isinstance(event, LinkDown)]
    assert bench.device.port.counts["empty"] > 5


def test_what_is_not_known_is_iar_and_short_messages_are_not_answered() -> None:
    bench = Bench(Damage())
    assert bench.ask("module", PortConfigurationRequest()).response.result == "iar"
    assert bench.ask("device", PortNegotiateRequest(32, 1, b"", 1)).response.result == "iar"
    bench.wire.do(bench.wire.ends[0], list(bench.module.ask(SendShortMessageRequest(b"", b"hi"), bench.wire.now)))
    assert bench.ask("module", SendMessageRequest(b"", b"\x60\0")).response == SendMessageResponse()
    assert [event.apdu for event in bench.heard["device"] if isinstance(event, ApduArrived)] == [b"hi", b"\x60\0"]


def test_a_grant_that_was_not_asked_for_is_none() -> None:
    bench = Bench(Damage())
    bench.device._answer = lambda request: PortNegotiateResponse(4096, 1, 0, 1, 0)
    assert isinstance(bench.ask("module", PortNegotiateRequest(256, 4, b"", 1)), PortFailed)
    assert bench.module.port.packet_size == 64


def test_a_late_answer_is_not_that_to_the_next_request() -> None:
    talk = PortConversation(LocalPort())
    talk.ask(SendMessageRequest(b"", b"\x60\0"), 0.0)
    talk.receive(ACK, 0.1)
    (failed,) = (event for event in talk.tick(20.0) if isinstance(event, PortFailed))
    assert isinstance(failed.error, SessionLost), "nothing was heard for 6 s"
    assert talk.ask(SendMessageRequest(b"", b"\x60\1a"), 20.1) == []
    late = talk.receive(SerialPacket(b"\0", control=0x01).encode(), 21.0)
    assert [type(event) for event in late] == [Transmit]
    assert talk.port.counts["unasked"] == 1
    assert talk.deadline is not None
    assert sent(talk.tick(30.0))[-1][6:-2] == b"\x74\0\x60\1a"


@settings(max_examples=25, deadline=None)
@given(
    st.builds(
        Damage,
        seed=st.integers(0, 2**32),
        lost=st.sampled_from([0.0, 0.002, 0.01]),
        flipped=st.sampled_from([0.0, 0.002, 0.01]),
        doubled=st.sampled_from([0.0, 0.002]),
        noise=st.sampled_from([0.0, 0.2]),
    )
)
def test_on_a_bad_line_no_apdu_arrives_twice_or_wrong(damage: Damage) -> None:
    bench = Bench(damage)
    for who, other in (("module", "device"), ("device", "module")) * 4:
        number = len(bench.heard[who])
        apdu = b"\x60" + number.to_bytes(2, "big") + (b"M" if who == "module" else b"D") * 40
        outcome = bench.ask(who, SendMessageRequest(b"", apdu))
        came = [event.apdu for event in bench.heard[other] if isinstance(event, ApduArrived)]
        assert came.count(apdu) <= 1
        assert isinstance(outcome, PortFailed) or came.count(apdu) == 1
        assert all(one[0] == 0x60 and len(one) == 43 for one in came)
