"""Devices that do anything: answer twice, late, with wrong toggles, nothing, noise; and rates that do not change."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import C1222Error
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import LineQuiet, LinkDown, Transmit
from c1222.serial.packet import MAX_PACKET_SIZE, SerialPacket, cut
from c1222.serial.session import SerialSession, ServiceAnswered, ServiceFailed
from c1222.serial.session_state import SerialState
from c1222.services import TableData
from c1222.services.tables import ReadRequest, ReadResponse, WriteRequest
from tests.c1222.serial.test_session import FAST, LOGON, Bench

ACK, NAK = b"\x06", b"\x15"
DATA = b"METER-0001"
READ_OK = ReadRequest.answer(TableData(DATA)).encode()  # type: ignore[misc]
WRITE_OK = b"\0"
STALE = ReadRequest.answer(TableData(b"an older one")).encode()  # type: ignore[misc]
LONGEST = 120.0
"""Seconds within which any exchange ends, whatever the device does."""


def deeds(data: bytes) -> dict[str, Any]:
    """Return what a device may send for a packet, by name: octets out of its toggle."""
    other = SerialPacket(STALE).encode
    return {
        "acknowledge": lambda _: ACK,
        "refuse": lambda _: NAK,
        "answer": lambda toggle: ACK + SerialPacket(data, control=toggle).encode(),
        "answer without acknowledgement": lambda toggle: SerialPacket(data, control=toggle).encode(),
        "answer twice": lambda toggle: ACK + SerialPacket(data, control=toggle).encode() * 2,
        "answer twice with both toggles": lambda toggle: (
            ACK + SerialPacket(data, control=toggle).encode() + SerialPacket(data, control=toggle ^ 0x20).encode()
        ),
        "wrong crc": lambda toggle: ACK + SerialPacket(data, control=toggle).encode()[:-1] + b"\0",
        "half": lambda toggle: ACK + SerialPacket(data, control=toggle).encode()[:7],
        "empty packet": lambda _: ACK + bytes.fromhex("ee00000000003e4c"),
        "65535 announced": lambda _: ACK + bytes.fromhex("ee000000ffff"),
        "a part of a series": lambda toggle: ACK + cut(bytes(100), toggle >> 5, packets=4)[1],
        "a first part alone": lambda toggle: ACK + cut(bytes(100), toggle >> 5, packets=4)[0],
        "stale": lambda _: ACK + other(),
        "noise": lambda _: bytes(range(0x20, 0x40)),
        "talk": lambda _: b"\xee\0\0\0" * 300,
        "nothing": lambda _: b"",
    }


class Device:
    """Does one deed after the other; says what it did."""

    def __init__(self, plan: list[str], data: bytes) -> None:
        self.plan, self.deeds, self.toggle = plan, deeds(data), 0
        self.done: list[str] = []

    def __call__(self, octets: bytes) -> bytes:
        if len(octets) == 1 or not self.plan:
            return b""
        deed = self.plan.pop(0)
        self.done.append(deed)
        self.toggle ^= 0x20
        return bytes(self.deeds[deed](self.toggle))


def asked(request: Any, device: Device, pieces: int) -> tuple[Any, SerialSession, float]:
    """Ask once, and return what came of it, the session, and how long it took."""
    session = SerialSession(SerialLink(LinkRole.ASKS, FAST))
    session.state = SerialState.SESSION
    session.link.agree(64, 4)
    now = 0.0
    pending = session.ask(request, now)
    while True:
        came = b""
        for event in pending:
            if isinstance(event, (ServiceAnswered, ServiceFailed)):
                return event, session, now
            if isinstance(event, Transmit):
                came += device(event.octets)
        pending = []
        for at in range(0, len(came), pieces):
            now += 0.01
            pending += session.receive(came[at : at + pieces], now)
            assert len(session.link._reader._held) <= MAX_PACKET_SIZE
        if not came:
            assert session.deadline is not None, "hangs"
            now = max(now, session.deadline)
            assert now < LONGEST, "hangs"
            pending += session.tick(now)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(sorted(deeds(b"\0"))), max_size=8), st.integers(1, 40), st.booleans())
def test_whatever_a_device_does(plan: list[str], pieces: int, writes: bool) -> None:
    request = WriteRequest(7, TableData(b"new")) if writes else ReadRequest(5)
    device = Device(list(plan), WRITE_OK if writes else READ_OK)
    event, session, now = asked(request, device, pieces)
    assert now < LONGEST
    if isinstance(event, ServiceFailed):
        assert event.unknown == writes
        assert isinstance(event.error, C1222Error)
        with pytest.raises(C1222Error):
            session.ask(ReadRequest(5), now)
    elif writes:
        assert any(deed.startswith(("answer", "stale")) for deed in device.done), "nobody said that it is done"
    elif event.response.result == "ok":
        assert isinstance(event.response, ReadResponse)
        assert event.response.data in {DATA, b"an older one"}
        assert event.response.data == DATA or "stale" in device.done


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["device stays", "client stays", "both change"]))
def test_a_rate_that_does_not_change_at_one_end(seed: int, which: str) -> None:
    bench = Bench(rates=(19200,))
    dice = random.Random(seed)
    for link, stays in ((bench.device.link, "device stays"), (bench.session.link, "client stays")):
        if which == stays:
            agree = link.agree
            link.agree = lambda size, packets, rate=None, agree=agree: agree(size, packets)  # type: ignore[method-assign]

    def carried(octets: bytes) -> bytes:
        """Carry octets between ends whose ports have the same rate: what was sent before a change is gone by then."""
        rates = {"C": 9600, "D": 9600} | dict(bench.rates)
        return octets if rates["C"] == rates["D"] else dice.randbytes(len(octets))

    bench.wire.damage.apply = carried  # type: ignore[method-assign]
    logon = LOGON._replace(rates=(19200,))
    if which == "both change":
        bench.open(logon)
        assert bench.session.link.rate == 19200
        return
    with pytest.raises(C1222Error):
        bench.open(logon)
    bench.recover()
    bench.wire.run(bench.wire.now + 7.0)
    bench.open(LOGON._replace(rates=()))
    assert bench.ask(ReadRequest(5)).response.data == b"METER-0001".ljust(20)


def test_a_line_that_never_gets_quiet_is_said_to_be_down() -> None:
    session = SerialSession(SerialLink(LinkRole.ASKS, FAST))
    session.recover(0.0)
    now, events = 0.0, []
    while not events:
        now += 0.1
        events += session.receive(b"\xee\x06\x15", now)
        assert now < 20
    assert isinstance(events[0], LinkDown)
    assert not any(isinstance(event, LineQuiet) for event in events)
