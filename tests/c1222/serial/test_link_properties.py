"""What holds on any line: no hang, no wrong answer, nothing done twice, no memory without bound."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import Finding
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import LineQuiet, LinkDown, MessageAcknowledged, MessageArrived, Transmit
from c1222.serial.link_state import LINK, LinkChange, LinkState, next_link_state
from c1222.serial.packet import MAX_PACKET_SIZE, SerialPacket, cut
from c1222.serial.profile import C1218_TIMING, C1221_TIMING, PLAIN, Echo
from tests.c1222.serial.wire import Damage, End, Wire

FAST = PLAIN._replace(turn_around=0.0)
LONGEST = C1218_TIMING.response * 4 + C1218_TIMING.traffic * 16 + 60
"""No exchange of a few packets lasts longer, whatever the line does."""


class Deeds:
    """Who answers: carries out a numbered request and says so; the answer is as long as the request."""

    def __init__(self, link: SerialLink) -> None:
        self.link = link
        self.done: list[int] = []

    def __call__(self, event: Any, now: float) -> list[Any] | None:
        if not isinstance(event, MessageArrived):
            return None
        number = int.from_bytes(event.message[1:3], "big")
        self.done.append(number)
        return self.link.send(b"\0" + event.message[1:], now)


class Asker:
    """Who asks: one request after the other, and what became of each."""

    def __init__(self) -> None:
        self.outcome: Any = None

    def __call__(self, event: Any, now: float) -> None:
        if isinstance(event, (MessageArrived, LinkDown)):
            self.outcome = event


def ask_all(damage: Damage, lengths: list[int], *, size: int = 64, packets: int = 4) -> tuple[list[Any], list[int]]:
    profile = FAST._replace(echo=Echo.ON if damage.echo else Echo.OFF)
    asks, answers = SerialLink(LinkRole.ASKS, profile), SerialLink(LinkRole.ANSWERS, FAST)
    asker, deeds = Asker(), Deeds(answers)
    wire = Wire(End(asks, asker), End(answers, deeds), damage)
    for link in (asks, answers):
        link.agree(size, packets)
    outcomes = []
    for number, length in enumerate(lengths):
        asker.outcome = None
        request = b"\x40" + number.to_bytes(2, "big") + bytes(octet % 251 for octet in range(length))
        wire.do(wire.ends[0], asks.send(request, wire.now))
        began = wire.now
        wire.run(began + LONGEST, lambda: asker.outcome is not None)
        assert asker.outcome is not None, "hangs"
        if isinstance(asker.outcome, MessageArrived):
            assert asker.outcome.message == b"\0" + request[1:], "a wrong answer"
            outcomes.append(True)
        else:
            outcomes.append(asker.outcome)
            asks.drain(wire.now)
            wire.run(wire.now + 7.0, lambda: asks.state == LinkState.IDLE)
            wire.run(wire.now + 7.0)
            asks.restart(), answers.restart()
            for link in (asks, answers):
                link.agree(size, packets)
    return outcomes, deeds.done


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        Damage,
        seed=st.integers(0, 2**32),
        lost=st.sampled_from([0.0, 0.001, 0.01, 0.05]),
        flipped=st.sampled_from([0.0, 0.001, 0.01, 0.05]),
        doubled=st.sampled_from([0.0, 0.001, 0.01]),
        noise=st.sampled_from([0.0, 0.1, 0.5]),
        echo=st.booleans(),
    ),
    st.lists(st.integers(0, 200), min_size=1, max_size=8),
)
def test_on_a_bad_line_nothing_is_done_twice_and_no_answer_is_wrong(damage: Damage, lengths: list[int]) -> None:
    outcomes, done = ask_all(damage, lengths)
    assert sorted(set(done)) == sorted(done), "done twice"
    for number, outcome in enumerate(outcomes):
        assert outcome is not True or number in done, "said to be done, and is not"
        assert outcome is True or isinstance(outcome, LinkDown)


def test_an_echo_out_of_step_is_no_answer() -> None:
    outcomes, done = ask_all(Damage(seed=23, doubled=0.001, noise=0.5, echo=True), [23, 0, 23])
    assert done == sorted(set(done))
    assert len(outcomes) == 3


def test_on_a_good_line_everything_is_done() -> None:
    lengths = [0, 53, 54, 200, 0, 0]
    assert ask_all(Damage(), lengths) == ([True] * 6, list(range(6)))
    assert ask_all(Damage(echo=True), lengths) == ([True] * 6, list(range(6)))


def test_one_octet_in_a_thousand() -> None:
    outcomes, done = ask_all(Damage(seed=7, lost=0.0004, flipped=0.0003, doubled=0.0003), [20] * 400)
    assert sorted(set(done)) == sorted(done)
    assert outcomes.count(True) > 390


@given(st.binary(min_size=1, max_size=400), st.integers(1, 40), st.sampled_from(LinkRole))
def test_any_octets_in_any_pieces(octets: bytes, step: int, role: LinkRole) -> None:
    link = SerialLink(role, FAST)
    now = 0.0
    if role == LinkRole.ASKS:
        link.send(b"\x20", now)
    for at in range(0, len(octets), step):
        now += 0.1
        for event in link.receive(octets[at : at + step], now):
            assert isinstance(event, (Transmit, MessageAcknowledged, MessageArrived, LinkDown, Finding))
    for _ in range(40):
        if link.deadline is None:
            break
        now = max(now, link.deadline)
        link.tick(now)
    assert link.deadline is None, "something is still waited for"


def test_an_end_that_never_stops_talking_holds_nothing_up() -> None:
    link = SerialLink(LinkRole.ASKS, FAST)
    link.send(b"\x20", 0.0)
    link.receive(b"\x06", 0.1)
    now, events = 0.1, []
    while not any(isinstance(event, LinkDown) for event in events):
        now += 0.05
        events += link.receive(b"\xee\x00\x00\x00\xff\xff" * 20, now)
        assert now < 7.0
    link.drain(now)
    began, events = now, []
    while not events:
        now += 0.05
        events += link.receive(b"\xee" * 50, now)
        assert now < began + 7.0
    assert isinstance(events[0], LinkDown)
    assert "does not get quiet" in str(events[0].error)


def test_65535_announced_holds_nothing() -> None:
    link = SerialLink(LinkRole.ANSWERS, FAST)
    link.receive(bytes.fromhex("EE000000FFFF"), 0.0)
    for number in range(1000):
        link.receive(bytes(1000), 0.001 * number)
    assert len(link._reader._held) <= MAX_PACKET_SIZE
    assert [event.octets for event in link.tick(2.0) if isinstance(event, Transmit)] == [b"\x15"]
    assert [
        event.message
        for event in link.receive(SerialPacket(b"\x20").encode(), 2.1)
        if isinstance(event, MessageArrived)
    ]


@pytest.mark.parametrize("timing", [C1218_TIMING, C1221_TIMING])
def test_an_acknowledgement_that_never_comes(timing: Any) -> None:
    link = SerialLink(LinkRole.ASKS, FAST, timing)
    first = link.send(b"\x20", 0.0)
    again = []
    while not any(isinstance(event, LinkDown) for event in again):
        assert link.deadline is not None
        again += link.tick(link.deadline)
    assert [event.octets for event in again[:-1]] == [first[0].octets] * timing.retries
    assert again[-1].acknowledged is False
    assert link.deadline is None


def test_an_answer_that_never_comes_is_told_from_a_request_that_never_arrived() -> None:
    link = SerialLink(LinkRole.ASKS, FAST)
    link.send(b"\x40", 0.0, answer_within=20.0)
    link.receive(b"\x06", 1.0)
    assert link.tick(20.9) == []
    (down,) = link.tick(21.0)
    assert down.acknowledged is True
    assert "20 s" in str(down.error)


def test_a_late_answer_is_dropped_before_it_is_asked_again() -> None:
    link = SerialLink(LinkRole.ASKS, FAST)
    link.send(b"\x30", 0.0)
    link.receive(b"\x06", 0.1)
    link.tick(6.1)
    link.drain(6.1)
    assert link.receive(SerialPacket(b"\0late").encode(), 6.2) == []
    assert link.tick(6.7) == [LineQuiet(13)]
    assert link.send(b"\x31", 6.7)


def test_a_second_answer_is_acknowledged_and_never_taken() -> None:
    link = SerialLink(LinkRole.ASKS, FAST)
    link.send(b"\x30", 0.0)
    link.receive(b"\x06", 0.1)
    link.receive(SerialPacket(b"\0one").encode(), 0.2)
    second = SerialPacket(b"\0two", control=0x20).encode()
    assert [type(event) for event in link.receive(second, 0.3)] == [Transmit]
    link.send(b"\x31", 0.4)
    assert [type(event) for event in link.receive(second, 0.5)] == [Transmit]
    assert link.state == LinkState.SENDING


def test_a_series_that_begins_again_and_again_ends() -> None:
    link = SerialLink(LinkRole.ASKS, FAST)
    link.agree(64, 4)
    link.send(b"\x30", 0.0)
    link.receive(b"\x06", 0.1)
    events: list[Any] = []
    now = 0.1
    for number in range(50):
        now += 1.0
        part = cut(bytes([number]) * 100, number & 1, packets=4)[0]
        events += link.receive(part, now)
    assert [type(event) for event in events if isinstance(event, LinkDown)] == [LinkDown]
    assert now > 9.0


def test_who_answers_goes_back_to_the_start_after_silence() -> None:
    link = SerialLink(LinkRole.ANSWERS, FAST)
    link.agree(1024, 16, 19200)
    link.receive(SerialPacket(b"\x30").encode(), 0.0)
    link.send(b"\0", 0.0)
    link.receive(b"\x06", 1.0)
    assert link.tick(6.9) == []
    events = link.tick(7.0)
    assert isinstance(events[0], LinkDown)
    assert (link.packet_size, link.packets, link.rate) == (64, 1, 9600)
    assert events[1].rate == 9600


def test_a_request_that_is_repeated_is_answered_with_the_same_octets() -> None:
    link = SerialLink(LinkRole.ANSWERS, FAST)
    request = SerialPacket(b"\x40write").encode()
    assert [type(event) for event in link.receive(request, 0.0)] == [Transmit, MessageArrived]
    (answer,) = link.send(b"\0", 0.0)
    link.receive(b"\x06", 0.1)
    again = link.receive(request, 2.0)
    assert [event.octets for event in again] == [b"\x06", answer.octets]
    link.receive(b"\x06", 2.1)


def test_a_request_that_comes_again_before_its_answer_does_not_get_the_last_one() -> None:
    link = SerialLink(LinkRole.ANSWERS, FAST)
    link.receive(SerialPacket(b"\x30").encode(), 0.0)
    link.send(b"\0", 0.0)
    link.receive(b"\x06", 0.1)
    request = SerialPacket(b"\x40write", control=0x20).encode()
    link.receive(request, 0.2)
    assert [event.octets for event in link.receive(request, 2.2) if isinstance(event, Transmit)] == [b"\x06"]
    assert link.state == LinkState.IDLE
    assert len(link.send(b"\0", 2.3)) == 1


def test_a_new_request_says_that_the_answer_was_received() -> None:
    link = SerialLink(LinkRole.ANSWERS, FAST)
    link.receive(SerialPacket(b"\x30").encode(), 0.0)
    link.send(b"\0", 0.0)
    events = link.receive(SerialPacket(b"\x31", control=0x20).encode(), 0.1)
    assert events[0] == MessageAcknowledged(implied=True)
    assert events[-1] == MessageArrived(b"\x31")


def test_nobody_is_prodded_while_an_acknowledgement_is_awaited() -> None:
    link = SerialLink(LinkRole.ASKS, FAST)
    link.send(b"\x30", 0.0)
    assert not [e for e in link.receive(bytes.fromhex("EE0000000001201311"), 0.1) if isinstance(e, Transmit)]


def test_a_slow_line_is_given_the_time_that_the_octets_take() -> None:
    link = SerialLink(LinkRole.ASKS, FAST)
    link.agree(1024, 1, 300)
    link.send(bytes(1016), 0.0)
    assert link.deadline == pytest.approx(1024 * 10 / 300 + 2.0)


def test_the_turn_around_is_kept() -> None:
    link = SerialLink(LinkRole.ANSWERS, PLAIN._replace(turn_around=0.06))
    (event, _) = link.receive(SerialPacket(b"\x20").encode(), 5.0)
    assert event.at == pytest.approx(5.06)


def test_the_table_is_whole() -> None:
    assert set(LINK) == set(LinkState)
    assert {change for row in LINK.values() for change in row} == set(LinkChange)
    with pytest.raises(Exception, match="answer received is not possible while the link is idle"):
        next_link_state(LinkState.IDLE, LinkChange.ANSWERED)
