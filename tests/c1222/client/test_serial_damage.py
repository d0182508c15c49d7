"""The verbs over a line that damages octets: what is reported is so, nothing hangs, and octets of strangers do no harm."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1219.device import Device
from c1222.client.errors import HalfWritten, WriteUnknown
from c1222.client.serial_initiator import SerialInitiator
from c1222.client.serial_line import line_of
from c1222.errors import C1222Error, RemoteError, StateError
from c1222.message.epsem import ResponseControl
from c1222.protocol.events import Completed, Failed
from c1222.protocol.policy import TCP_TIMING
from c1222.services.session import LogonRequest
from c1222.services.tables import ReadRequest
from tests.c1222.client.line_rig import line_meter
from tests.c1222.client.rig import DEVICES

MASTER = {"user_id": 4, "password": "master-demo"}
KNOWN = Device.from_json((DEVICES / "polyphase-tou.json").read_text("utf-8"))


class Damage:
    """Loses, flips and doubles octets, by chance."""

    def __init__(self, seed: int, rate: float) -> None:
        self.dice, self.rate = random.Random(seed), rate

    def __call__(self, octets: bytes) -> bytes:
        out = bytearray()
        for octet in octets:
            throw = self.dice.random() / self.rate
            if throw >= 3:
                out.append(octet)
            elif throw >= 2:
                out += bytes((octet, octet))
            elif throw >= 1:
                out.append(octet ^ 1 << self.dice.randrange(8))
        return bytes(out)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_reported_is_so(seed: int) -> None:
    meter, line = line_meter(options={"packet_size": "64", "packets": "4", "echo": "off"}, **MASTER)
    line.to_meter, line.to_client = Damage(seed, 0.0007), Damage(seed + 100, 0.0007)
    tables = line.station._station.meter.tables
    certain: bytes | None = tables.get("ST6")
    done = 0
    for number in range(60):
        before = line.clock.now
        name = bytes(f"owner {seed} {number}".ljust(20), "ascii")
        try:
            assert meter.read_octets(23) == KNOWN[23].raw
            held = tables.get("ST6")
            assert held is not None
            changed = name + held[20:]
            meter.write_octets(6, changed)
            certain = changed
            done += 1
        except (WriteUnknown, HalfWritten):
            certain = None
        except RemoteError:
            pass  # of the read, or the session could not be opened: nothing was written
        assert certain is None or tables.get("ST6") == certain, number
        assert line.clock.now - before < 600
    assert done > 20
    line.to_meter = line.to_client = bytes
    meter.close()


@given(
    st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([b"\x06", b"\x15", b"\xee\0\0\0\xff\xff"])), max_size=30)
)
def test_octets_of_strangers_never_raise(pieces: list[bytes]) -> None:
    initiator = SerialInitiator(line_of({}), TCP_TIMING)
    now = 0.0
    initiator.request(LogonRequest.of(2), ReadRequest(1), now=now, utc=0.0)
    for piece in pieces:
        initiator.receive(piece, now=now, utc=0.0)
        now += 0.3
        initiator.tick(now=now, utc=0.0)
        initiator.apdus_to_send()
    ends = [event for event in initiator.events() if isinstance(event, (Completed, Failed))]
    for _ in range(200):
        deadline = initiator.next_deadline()
        if ends or deadline is None:
            break
        now = max(now, deadline)
        initiator.tick(now=now, utc=0.0)
        ends += [event for event in initiator.events() if isinstance(event, (Completed, Failed))]
    assert len(ends) == 1


def test_a_verb_that_is_cancelled_leaves_the_line_in_order() -> None:
    meter, line = line_meter(**MASTER)
    meter.read(1)
    initiator, clock = meter._conversation.initiator, line.clock
    exchange = initiator.request(ReadRequest(23), ReadRequest(1), now=clock.now, utc=0.0)
    meter._send()
    initiator.cancel(exchange, now=clock.now, utc=0.0)
    assert exchange.is_over
    assert meter.read_octets(5) == KNOWN[5].raw
    waiting = initiator.request(ReadRequest(23), now=clock.now, utc=0.0)
    behind = initiator.request(ReadRequest(1), now=clock.now, utc=0.0)
    initiator.cancel(behind, now=clock.now, utc=0.0)
    initiator.cancel(behind, now=clock.now, utc=0.0)
    assert not waiting.is_over
    initiator.cancel(waiting, now=clock.now, utc=0.0)
    meter.close()


def test_what_has_no_form_at_a_line_is_refused() -> None:
    initiator = SerialInitiator(line_of({}), TCP_TIMING)
    with pytest.raises(StateError):
        initiator.request(now=0.0, utc=0.0)
    with pytest.raises(StateError):
        initiator.request(ReadRequest(1), now=0.0, utc=0.0, qualifier=4, response_control=ResponseControl.NEVER)
    exchange = initiator.request(ReadRequest(1), now=0.0, utc=0.0, in_session=True)
    assert exchange.is_over
    with pytest.raises(StateError):
        initiator.repeat(exchange, now=0.0)


def test_a_port_that_is_lost_ends_what_waits() -> None:
    initiator = SerialInitiator(line_of({}), TCP_TIMING)
    for table in (1, 2):
        initiator.request(ReadRequest(table), now=0.0, utc=0.0)
    first = initiator.request(LogonRequest.of(2), now=0.0, utc=0.0)
    second = initiator.request(ReadRequest(1), now=0.0, utc=0.0)
    initiator.lost(C1222Error("gone"), now=0.0)
    assert str(first.error) == str(second.error) == "gone"
    assert not initiator.apdus_to_send()
    again = initiator.request(LogonRequest.of(2), now=0.0, utc=0.0)
    initiator.tick(now=0.1, utc=0.0)
    assert initiator.apdus_to_send()
    assert not again.is_over
