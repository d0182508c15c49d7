"""The streams and exchanges of specs/vectors/serial, through both ends of a link."""

from __future__ import annotations

import pytest

from c1222.errors import DecodeError
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import LineQuiet, LinkDown, MessageAcknowledged, MessageArrived, Transmit
from c1222.serial.link_state import LinkState
from c1222.serial.packet import HEADER, MAX_PACKET_SIZE, CrcOrder, read_packet
from c1222.serial.profile import C1218_TIMING, PLAIN, Echo, LinkProfile
from tests.c1222.serial.vectors import CONTENT, EXCHANGES, PACKETS, STREAMS, data_of

ACK, NAK = b"\x06", b"\x15"
IDENTIFY = bytes.fromhex("EE0000000001201310")


def sent(events: list) -> list[bytes]:
    return [event.octets for event in events if isinstance(event, Transmit)]


def messages(events: list) -> list[bytes]:
    return [event.message for event in events if isinstance(event, MessageArrived)]


def asking(profile: LinkProfile = PLAIN) -> SerialLink:
    link = SerialLink(LinkRole.ASKS, profile)
    assert sent(link.send(b"\x20", 0.0)) == [IDENTIFY]
    return link


def awaiting() -> SerialLink:
    link = asking()
    assert link.receive(ACK, 0.1) == [MessageAcknowledged()]
    return link


def answering(packets: int = 1) -> SerialLink:
    link = SerialLink(LinkRole.ANSWERS)
    link.agree(64, packets)
    return link


IDENTITY = bytes.fromhex("0000010000")
READ_104 = data_of(PACKETS["multi-0"]) + data_of(PACKETS["multi-1"])
EXPECTED = {
    # stream: the end that hears it, what it sends, the messages it gets, what it counts
    "glued-ack-packet": (asking, [ACK], [IDENTITY], {}),
    "noise-before": (asking, [ACK], [IDENTITY], {"noise": 3}),
    "packet-instead-of-ack": (asking, [ACK, ACK], [IDENTITY], {"unexpected": 1}),
    "dup-same-toggle-crc": (awaiting, [ACK, ACK], [b"\0"], {"duplicate": 1}),
    "same-toggle-other-crc": (answering, [ACK, ACK], [b"\0", IDENTITY], {"toggle-fault": 1}),
    "alternate-identical": (answering, [ACK, ACK], [b"\0", b"\0"], {}),
    "crc-then-good": (answering, [NAK, ACK], [b"\x20"], {"damaged": 1}),
    "truncated": (awaiting, [NAK], [], {"damaged": 1}),
    "missing-last-crc-octet": (awaiting, [ACK], [IDENTITY], {}),
    "ee-inside-data": (awaiting, [ACK], [bytes.fromhex("000004EEEE061509")], {}),
    "reident-duplicate": (answering, [ACK, ACK], [b"\x20", b"\x20"], {}),
    "length-too-long": (answering, [NAK], [], {"damaged": 1}),
    "multi-complete": (lambda: answering(2), [ACK, ACK], [READ_104], {}),
    "multi-duplicate-part": (lambda: answering(2), [ACK, ACK, ACK], [READ_104], {"duplicate": 1}),
    "multi-gap": (lambda: answering(3), [ACK, ACK], [], {"series-broken": 1, "toggle-fault": 1}),
    "multi-restart": (lambda: answering(2), [ACK, ACK, ACK], [READ_104], {"toggle-fault": 1}),
}


def test_every_stream_is_tested() -> None:
    assert set(STREAMS) == {*EXPECTED, "echo-probe", "echo-ack"}
    assert len(STREAMS) == 18


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("split", [False, True], ids=["glued", "split"])
def test_streams(name: str, split: bool) -> None:
    make, wanted, arrived, counts = EXPECTED[name]
    link = make()
    octets = STREAMS[name]
    pieces = [octets[at : at + 1] for at in range(len(octets))] if split else [octets]
    events = [event for number, piece in enumerate(pieces) for event in link.receive(piece, 0.2 + number * 0.001)]
    quiet_at = 0.2 + len(pieces) * 0.001 + C1218_TIMING.inter_character
    events += link.tick(quiet_at)
    assert (sent(events), messages(events), dict(link.counts)) == (wanted, arrived, counts)


@pytest.mark.parametrize("echo", [Echo.AUTO, Echo.ON])
def test_stream_with_the_echo_of_a_packet(echo: Echo) -> None:
    link = asking(PLAIN._replace(echo=echo))
    events = link.receive(STREAMS["echo-probe"], 0.1)
    assert (sent(events), messages(events)) == ([ACK], [IDENTITY])
    assert link.echoed == len(IDENTIFY)


def test_stream_with_the_echo_of_an_acknowledgement() -> None:
    link = asking(PLAIN._replace(echo=Echo.AUTO))
    link.receive(IDENTIFY, 0.1)
    *before, echoed = STREAMS["echo-ack"]
    events = link.receive(bytes(before), 0.2)
    assert (sent(events), messages(events)) == ([ACK], [b"\0"])
    assert link.receive(bytes([echoed]), 0.3) == []
    assert link.echoed == len(IDENTIFY) + 1
    request = sent(link.send(b"\x21", 0.4))[0]
    assert link.receive(request, 0.5) == []
    assert link.receive(ACK, 0.6) == [MessageAcknowledged()]


def test_an_end_that_echoes_nothing_is_not_mistaken_for_one() -> None:
    link = asking(PLAIN._replace(echo=Echo.AUTO))
    assert link.receive(ACK, 0.1) == [MessageAcknowledged()]
    assert link.echoed == 0


@pytest.mark.parametrize(
    "name", ["len-57", "len-64", "len-0", "reserved-ctrl-bits", "multi-first-bit-alone", "single-seq-1"]
)
def test_packets_that_an_end_refuses(name: str) -> None:
    link = answering()
    events = link.receive(bytes.fromhex(PACKETS[name]["octets"]), 0.1) + link.tick(1.0)
    assert (sent(events), messages(events)) == ([NAK], [])


def test_a_first_part_that_is_the_last_is_a_message() -> None:
    link = answering(2)
    entry = PACKETS["multi-first-wrong-seq"]
    assert messages(link.receive(bytes.fromhex(entry["octets"]), 0.1)) == [data_of(entry)]


def test_a_part_without_a_first_is_acknowledged_and_dropped() -> None:
    link = answering(3)
    events = link.receive(bytes.fromhex(PACKETS["multi-missing"]["octets"]), 0.1)
    events += link.receive(bytes.fromhex(PACKETS["multi-missing"]["octets"]), 0.2)
    assert (sent(events), messages(events)) == ([ACK] * 2, [])
    assert dict(link.counts) == {"series-broken": 1, "duplicate": 1}


@pytest.mark.parametrize(("order", "taken"), [(CrcOrder.LOW, False), (CrcOrder.EITHER, True), (CrcOrder.HIGH, True)])
def test_a_swapped_crc(order: CrcOrder, taken: bool) -> None:
    link = SerialLink(LinkRole.ANSWERS, PLAIN._replace(crc_order=order))
    events = link.receive(bytes.fromhex(PACKETS["bad-crc-high-first"]["octets"]), 0.1)
    assert sent(events) == [ACK if taken else NAK]
    assert link.counts["swapped-crc"] == (order != CrcOrder.HIGH)


@pytest.mark.parametrize(("identity", "heard"), [(5, True), (0, False), (64, False)])
def test_identity(identity: int, heard: bool) -> None:
    packet = bytes.fromhex(PACKETS["identity-05"]["octets"])
    link = SerialLink(LinkRole.ANSWERS, PLAIN._replace(identity=identity))
    assert (sent(link.receive(packet, 0.1)) == [ACK]) == heard
    strict = asking(PLAIN._replace(any_identity=False))
    assert sent(strict.receive(ACK + packet, 0.1)) == [ACK], "who asks all devices takes the answer of any"


FAULTS = {  # exchange: where our end would not do what the other program did
    "toggle-fault": 8,  # it repeats the service
}
LIMITS = {"series-gap": (1024, 16)}
TOGGLES = {"series-gap": 1, "nak-prods": 1}
PROFILES = {"c1221-session": {"identity": 2}, "c1221-data-format-1": {"data_format": 1}}
UNLISTED = {"duplicate-response": 3}  # our acknowledgement of this step is not listed, as the description says


class Player:
    """One end, told by the other program's octets what to say; what it sends is what that program sent."""

    def __init__(self, name: str, role: LinkRole, **profile: object) -> None:
        settings = {"turn_around": 0.0, "echo": Echo.OFF, **PROFILES.get(name, {}), **profile}
        self.link = SerialLink(role, LinkProfile(**settings))  # type: ignore[arg-type]
        self.link.restart(toggle=TOGGLES.get(name, 0))
        self.link.agree(*LIMITS.get(name, (64, 1)))
        self.now = 0.0
        self.out: list[bytes] = []
        self.messages: list[bytes] = []
        self.said = b""
        self.acknowledged = False

    def take(self, events: list) -> None:
        for event in events:
            if isinstance(event, Transmit):
                self.out.append(event.octets)
            elif isinstance(event, MessageArrived):
                self.messages.append(event.message)
                if self.said == b"\x20" and len(event.message) < 5 and self.link.state == LinkState.IDLE:
                    self.link.read_on(self.now)
            elif isinstance(event, LinkDown):
                assert isinstance(event.error, DecodeError)
                self.link.drain(self.now)
                self.now = self.link.deadline or self.now
                assert self.link.tick(self.now) == [LineQuiet(0)]

    def hear(self, octets: bytes) -> None:
        self.now += 0.01
        self.take(self.link.receive(octets, self.now))

    def say(self, message: bytes) -> None:
        self.said = message
        self.take(self.link.send(message, self.now))

    def wait(self) -> None:
        assert self.link.deadline is not None
        self.now = self.link.deadline
        self.take(self.link.tick(self.now))

    def agree(self, request: bytes, answer: bytes) -> None:
        if request[0] & 0xF0 == 0x60 and answer[0] == 0:
            self.link.agree(int.from_bytes(answer[1:3], "big"), answer[3])


def message_from(steps: list[tuple[str, bytes]], end: str) -> bytes:
    """Return the message that starts with the first step; parts follow after acknowledgements."""
    message = b""
    for who, octets in steps:
        if who == end and octets[0] == 0xEE:
            packet, _ = read_packet(octets, max_size=MAX_PACKET_SIZE) or pytest.fail("cut off")
            message += packet.data
            if not packet.sequence:
                return message
    raise AssertionError(steps)


@pytest.mark.parametrize("name", EXCHANGES)
def test_exchanges_from_the_end_that_asks(name: str) -> None:
    player = Player(name, LinkRole.ASKS, check_toggle=name != "toggle-ignored")
    steps = EXCHANGES[name][: FAULTS.get(name)]
    for number, (who, octets) in enumerate(steps):
        if who == "D":
            player.hear(octets)
            if UNLISTED.get(name) == number:
                assert player.out.pop() == ACK
            if octets[:1] == b"\xee" and player.messages:
                player.agree(player.said, player.messages[-1])
        elif octets == NAK and name == "nak-prods":
            assert player.out.pop(0) == ACK  # we do not prod, and have the answer
        else:
            if not player.out and player.link.state == LinkState.IDLE:
                player.say(message_from(steps[number:], "C"))
            elif not player.out:
                player.wait()
            assert player.out.pop(0) == octets
    assert player.out == []
    assert player.link.state != LinkState.DOWN
    if name == "toggle-fault":
        assert player.link.counts["toggle-fault"] == 1


BOTH = ["published-elster-trace", "c1218-session", "c1218-session-termineter", "c1221-session", "c1221-data-format-1",
        "bad-crc-response", "lost-last-crc-octet", "nak-prods"]  # fmt: skip


@pytest.mark.parametrize("name", BOTH)
def test_exchanges_from_the_end_that_answers(name: str) -> None:
    player = Player(name, LinkRole.ANSWERS)
    steps = EXCHANGES[name]
    for number, (who, octets) in enumerate(steps):
        if who == "C":
            player.hear(octets)
            continue
        if not player.out:
            good = (
                steps[number + 2 :]
                if name in {"bad-crc-response", "lost-last-crc-octet"} and number == 2
                else steps[number:]
            )
            player.say(message_from(good, "D"))
            player.agree(player.messages[-1], player.said)
        ours = player.out.pop(0)
        assert ours[: len(octets) - 1] == octets[:-1]
        assert ours == octets or number == 2, "what the line damaged on purpose"
    assert player.out == [ACK] * sum(octets[0] == 0xEE for who, octets in steps[-1:] if who == "C")


def test_all_exchanges_are_here() -> None:
    assert len(EXCHANGES) == 15
    assert [row["id"] for row in CONTENT["exchanges"]] == list(EXCHANGES)
    assert HEADER == 6
