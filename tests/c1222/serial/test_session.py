"""Sessions of C12.18 and C12.21: as others held them, and over a line that is bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c1222.errors import InvalidTag, PeerSilent, StateError
from c1222.serial.link import LinkRole, SerialLink
from c1222.serial.link_events import ChangeRate, LineQuiet, LinkDown, MessageAcknowledged
from c1222.serial.link_state import LinkState
from c1222.serial.opening import SerialLogon, open_session
from c1222.serial.profile import C1221_TIMING, PLAIN, Echo
from c1222.serial.responder import SerialResponder
from c1222.serial.session import SerialSession, ServiceAnswered, ServiceFailed
from c1222.serial.session_state import SERIAL_SESSION, SerialState, serial_way
from c1222.services import SERVICE_NAMES, Request, Response, TableData
from c1222.services.c1218 import NegotiateRequest, NegotiateResponse
from c1222.services.identify import IdentifyRequest, IdentifyResponse
from c1222.services.responses import ErrorResponse
from c1222.services.results import Err, Isss, Onp, Refusal, Sns
from c1222.services.session import LogoffRequest, LogonRequest, SecurityRequest, TerminateRequest, WaitRequest
from c1222.services.tables import ReadOffsetRequest, ReadRequest, ReadResponse, WriteRequest
from tests.c1222.serial.vectors import CONTENT, EXCHANGES
from tests.c1222.serial.wire import Damage, End, Wire

FAST = PLAIN._replace(turn_around=0.0, echo=Echo.OFF)
ST1 = bytes.fromhex(CONTENT["table_checksums"][4]["data"])
KEY, TICKET = (bytes.fromhex(CONTENT["des_tickets"][0][name]) for name in ("key", "ticket"))


class Meter:
    """Tables in memory, and what was written how often."""

    def __init__(self) -> None:
        self.tables = {1: ST1, 5: b"METER-0001".ljust(20), 64: bytes(n % 256 for n in range(2048))}
        self.written: list[bytes] = []

    def __call__(self, request: Request) -> Response:
        if isinstance(request, (ReadRequest, ReadOffsetRequest)):
            data = self.tables[request.table]
            if isinstance(request, ReadOffsetRequest):
                data = data[request.offset : request.offset + request.count]
            assert request.answer is not None
            return request.answer(TableData(data))
        if isinstance(request, WriteRequest):
            self.written.append(request.data)
            self.tables[request.table] = request.data
        elif isinstance(request, SecurityRequest) and request.password.rstrip(b" \0") != b"PASSWORD":
            raise Err
        assert request.answer is not None
        return request.answer()


class Bench:
    """Both ends on a line."""

    def __init__(self, damage: Damage = Damage(), **options: Any) -> None:  # noqa: B008
        timing = options.pop("timing", None)
        extra = () if timing is None else (timing,)
        profile = FAST._replace(identity=options.pop("identity", 0))
        self.meter = Meter()
        self.session = SerialSession(SerialLink(LinkRole.ASKS, profile, *extra))
        options.setdefault("packet_size", 128)
        options.setdefault("packets", 4)
        self.device = SerialResponder(
            SerialLink(LinkRole.ANSWERS, profile, *extra), IdentifyResponse(0, 1, 0), self.meter, **options
        )
        self.heard: list[Any] = []
        self.rates: list[tuple[str, int]] = []
        self.wire = Wire(End(self.session, self._owner("C")), End(self.device, self._owner("D")), damage)

    def _owner(self, who: str) -> Callable[[Any, float], None]:
        def owner(event: Any, now: float) -> None:
            if isinstance(event, ChangeRate):
                self.rates.append((who, event.rate))
            elif who == "C":
                self.heard.append(event)

        return owner

    def ask(self, request: Request) -> Any:
        self.heard.clear()
        self.wire.do(self.wire.ends[0], self.session.ask(request, self.wire.now))
        self.wire.run(self.wire.now + 100.0, self._ended)
        assert self._ended(), "hangs"
        self.wire.run(self.wire.now + 0.05)
        return next(e for e in self.heard if isinstance(e, (ServiceAnswered, ServiceFailed)))

    def _ended(self) -> bool:
        return any(isinstance(event, (ServiceAnswered, ServiceFailed)) for event in self.heard)

    def open(self, logon: SerialLogon) -> IdentifyResponse:
        steps = open_session(logon)
        try:
            request = next(steps)
            while True:
                event = self.ask(request)
                request = steps.throw(event.error) if isinstance(event, ServiceFailed) else steps.send(event.response)
        except StopIteration as done:
            return done.value

    def recover(self) -> None:
        self.heard.clear()
        self.session.recover(self.wire.now)
        self.wire.run(self.wire.now + 60, lambda: any(isinstance(e, (LineQuiet, LinkDown)) for e in self.heard))
        assert any(isinstance(event, LineQuiet) for event in self.heard)


LOGON = SerialLogon(2, "USER", "PASSWORD", packet_size=128, packets=4, rates=(9600,))


def played(name: str, bench: Bench) -> list[tuple[str, bytes]]:
    """Record what both ends send from here on."""
    sent: list[tuple[str, bytes]] = []
    carry = bench.wire.damage.apply
    bench.wire.damage.apply = lambda octets: (sent.append(("", octets)), carry(octets))[1]  # type: ignore[method-assign]
    return sent


def test_a_session_of_c1218_as_recorded() -> None:
    bench = Bench()
    sent = played("c1218-session", bench)
    assert bench.open(LOGON).standard_name == "C12.18"
    assert bench.ask(ReadRequest(1)).response.data == ST1
    assert bench.ask(ReadRequest(5)).response.data == b"METER-0001".ljust(20)
    bench.ask(LogoffRequest())
    bench.ask(TerminateRequest())
    assert [octets for _, octets in sent] == [octets for _, octets in EXCHANGES["c1218-session"]]
    assert bench.session.state == bench.device.state == SerialState.BASE


def test_a_session_of_c1221_as_recorded() -> None:
    bench = Bench(timing=C1221_TIMING, identity=2, keys={2: KEY}, ticket=lambda size: TICKET[:size])
    bench.device._identify = IdentifyResponse(2, 1, 0)
    sent = played("c1221-session", bench)
    bench.open(SerialLogon(2, "USER", key=(2, KEY), packet_size=128, packets=4, timing=(30, 1, 4, 3)))
    assert bench.device.is_authenticated
    for request in (ReadRequest(1), ReadRequest(5), LogoffRequest(), TerminateRequest()):
        bench.ask(request)
    recorded = [octets for _, octets in EXCHANGES["c1221-session"]]
    differ = [number for number, octets in enumerate(recorded) if sent[number][1] != octets]
    assert len(sent) == len(recorded)
    assert [recorded[number][6:-2].hex() for number in differ] == ["0000800400"]
    assert [sent[number][1][6:-2].hex() for number in differ] == ["0000800406"], "we name the rate in force"


def test_large_tables_and_sizes() -> None:
    bench = Bench(packet_size=1024, packets=16)
    bench.open(SerialLogon(2, "USER", "PASSWORD"))
    assert bench.session.link.max_message == 16 * 1016
    assert bench.ask(ReadRequest(64)).response.data == bench.meter.tables[64]
    assert bench.ask(WriteRequest(7, TableData(bytes(3000)))).response.result == "ok"
    assert bench.meter.written == [bytes(3000)]


def test_what_does_not_fit_is_refused_and_read_by_offset() -> None:
    bench = Bench(packet_size=64, packets=1)
    bench.open(SerialLogon(2, "USER", "PASSWORD", packets=0))
    assert bench.ask(ReadRequest(64)).response.result == "onp"
    assert bench.ask(ReadOffsetRequest(64, 2, 52)).response.data == bytes(range(2, 54))
    assert bench.ask(ReadOffsetRequest(64, 0, 53)).response.error().code == Onp.code


def test_the_rate_changes_at_both_ends_after_the_acknowledgement_and_back() -> None:
    bench = Bench(rates=(19200, 57600))
    bench.open(LOGON._replace(rates=(9600, 19200, 115200)))
    assert sorted(bench.rates) == [("C", 19200), ("D", 19200)]
    bench.ask(TerminateRequest())
    assert sorted(bench.rates[2:]) == [("C", 9600), ("D", 9600)]
    assert bench.session.link.packet_size == bench.device.link.packet_size == 64


@pytest.mark.parametrize("service", ["negotiate", "timing-setup", "security"])
def test_what_a_device_has_not_is_left_out(service: str) -> None:
    steps = open_session(LOGON._replace(timing=(30, 1, 4, 3)))
    request, asked = next(steps), []
    for _ in range(5):
        asked.append(request.service)
        assert request.answer is not None
        ok = {"identify": IdentifyResponse(0, 1, 0), "negotiate": NegotiateResponse(64, 1)}.get(
            request.service, ErrorResponse(Sns.code)
        )
        ok = LogonRequest.answer() if request.service == "logon" else ok  # type: ignore[misc]
        try:
            request = steps.send(ErrorResponse(Sns.code) if request.service == service else ok)
        except StopIteration:
            break
    assert asked == ["identify", "timing-setup", "negotiate", "logon", "security"]


def test_a_session_that_was_left_open_is_ended_first() -> None:
    steps = open_session(LOGON)
    next(steps)
    assert steps.send(ErrorResponse(Isss.code)) == TerminateRequest()
    assert steps.send(TerminateRequest.answer()) == IdentifyRequest()  # type: ignore[misc]


def test_a_wrong_password_is_tried_once() -> None:
    bench = Bench()
    with pytest.raises(Err):
        bench.open(LOGON._replace(password="wrong"))
    assert "PASSWORD" not in repr(LOGON)


def test_a_device_that_does_not_show_its_key_is_refused() -> None:
    bench = Bench(keys={2: KEY}, ticket=lambda size: TICKET)
    with pytest.raises(Err):
        bench.open(SerialLogon(2, key=(2, b"12345678")))
    bench = Bench(keys={2: KEY}, ticket=lambda size: TICKET)
    bench.device._authenticated = lambda request: request.answer(request.data)  # type: ignore[method-assign]
    with pytest.raises(InvalidTag, match="did not show"):
        bench.open(SerialLogon(2, key=(2, KEY)))


def test_every_service_has_its_place() -> None:
    names = {name for name in SERVICE_NAMES.values() if name not in {"register", "deregister", "resolve", "trace"}}
    assert set(SERIAL_SESSION) == names
    assert serial_way("trace", SerialState.SESSION) is Sns
    assert serial_way("read", SerialState.BASE) is Isss
    assert serial_way("logoff", SerialState.SESSION) == SerialState.IDENTIFIED


def test_out_of_turn() -> None:
    bench = Bench()
    with pytest.raises(StateError, match="read is not possible while base"):
        bench.session.ask(ReadRequest(1), 0.0)
    bench.session.ask(IdentifyRequest(), 0.0)
    with pytest.raises(StateError, match="one at a time"):
        bench.session.ask(IdentifyRequest(), 0.0)
    bench = Bench()
    bench.ask(IdentifyRequest())
    with pytest.raises(StateError, match="for C12"):
        bench.session.ask(LogonRequest.of(2, "USER", 60), 0.0)


def test_a_device_out_of_turn_says_isss() -> None:
    bench = Bench()
    bench.session.state = SerialState.SESSION
    assert bench.ask(ReadRequest(1)).response.result == "isss"


def test_silence_ends_the_session_and_wait_keeps_it() -> None:
    bench = Bench()
    bench.open(LOGON)
    began = bench.session.keep_alive_at
    assert began is not None
    assert bench.ask(WaitRequest(60)).response.result == "ok"
    bench.wire.run(bench.wire.now + 50)
    assert bench.device.state == SerialState.SESSION
    bench.wire.run(bench.wire.now + 20)
    assert bench.device.state == SerialState.BASE


def test_what_is_agreed_on_with_data_format_1_holds_as_well() -> None:
    link = SerialLink(LinkRole.ANSWERS, FAST._replace(data_format=1))
    device = SerialResponder(link, IdentifyResponse(2, 1, 0), Meter(), packet_size=256, packets=16)
    for who, octets in EXCHANGES["c1221-data-format-1"][:4]:
        if who == "C":
            device.receive(octets, 0.0)
    assert (link.packet_size, link.packets) == (256, 16)


def test_the_answer_of_an_older_session_is_passed_over() -> None:
    session = SerialSession(SerialLink(LinkRole.ASKS, FAST))
    session.ask(IdentifyRequest(), 0.0)
    pieces = [octets for who, octets in EXCHANGES["stale-answer"][1:6] if who == "D"]
    events = [event for number, piece in enumerate(pieces) for event in session.receive(piece, 0.1 * number)]
    assert [e for e in events if isinstance(e, ServiceAnswered)] == [
        ServiceAnswered(IdentifyRequest(), IdentifyResponse(0, 1, 0))
    ]


@pytest.mark.parametrize(("code", "size", "packets"), [(0x08, 128, 4), (6, 8, 4), (6, 128, 0)])
def test_an_agreement_that_cannot_be_is_no_answer(code: int, size: int, packets: int) -> None:
    bench = Bench()
    bench.ask(IdentifyRequest())
    bench.device._negotiated = lambda request: NegotiateResponse(size, packets, code)  # type: ignore[method-assign]
    event = bench.ask(NegotiateRequest(128, 4, b"\x06"))
    assert isinstance(event, ServiceFailed)


def test_after_a_doubt_nothing_is_asked_until_it_is_over() -> None:
    bench = Bench()
    bench.open(LOGON)
    device, bench.wire.damage = bench.device.link, Damage(lost=1.0)
    failed = bench.ask(WriteRequest(7, TableData(b"x")))
    assert (failed.unknown, type(failed.error)) == (True, PeerSilent)
    with pytest.raises(StateError, match="recover first"):
        bench.session.ask(IdentifyRequest(), bench.wire.now)
    bench.wire.damage = Damage()
    before = bench.wire.now
    bench.recover()
    assert bench.wire.now - before >= 7.0
    bench.open(LOGON)
    assert bench.meter.written == []
    assert device.state == LinkState.IDLE


def test_an_identify_that_comes_again_is_answered_again() -> None:
    bench = Bench()
    link = SerialLink(LinkRole.ASKS, FAST)
    octets = link.send(b"\x20", 0.0)[0].octets  # type: ignore[union-attr]
    first = bench.device.receive(octets, 0.0)
    again = bench.device.receive(octets, 2.0)
    assert MessageAcknowledged(implied=True) in again
    assert bench.device.state == SerialState.IDENTIFIED
    assert first[-1].octets[6:-2] == again[-1].octets[6:-2] == b"\0\0\1\0\0"  # type: ignore[union-attr]


@settings(max_examples=10, deadline=None)
@given(
    st.builds(
        Damage,
        seed=st.integers(0, 2**32),
        lost=st.sampled_from([0.0, 0.001, 0.01]),
        flipped=st.sampled_from([0.0, 0.001, 0.01]),
        doubled=st.sampled_from([0.0, 0.001]),
        noise=st.sampled_from([0.0, 0.2]),
    )
)
def test_every_write_is_done_refused_or_unknown(damage: Damage) -> None:
    bench = Bench(damage, packet_size=64, packets=4)
    bench.session.link.restart()
    said: dict[bytes, str] = {}
    for number in range(4):
        value = bytes([number]) * (20 + 30 * number)
        try:
            if bench.session.state == SerialState.BASE:
                bench.recover()
                bench.open(LOGON._replace(packet_size=64))
        except (PeerSilent, Refusal, ValueError):
            continue
        event = bench.ask(WriteRequest(7, TableData(value)))
        said[value] = "unknown" if isinstance(event, ServiceFailed) else event.response.result
        if bench.session.state == SerialState.SESSION:
            read = bench.ask(ReadRequest(7))
            if (
                isinstance(read, ServiceAnswered)
                and isinstance(read.response, ReadResponse)
                and read.response.checksum_ok
            ):
                assert read.response.data == bench.meter.tables[7]
    for value, result in said.items():
        assert bench.meter.written.count(value) <= 1, "done twice"
        assert result != "ok" or bench.meter.written.count(value) == 1, "said to be done, and is not"
