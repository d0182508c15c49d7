"""The side that asks, against a responder on a wire, against answers made by hand, and against silence."""

from collections.abc import Sequence
from typing import Any

import pytest

from c1222.errors import (
    ConnectionLost,
    DecodeError,
    EncodeError,
    PeerSilent,
    SecurityRefused,
    SessionLost,
    StateError,
    UnknownKey,
    Unreachable,
)
from c1222.message.acse import Acse, decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.message.segmentation import cut
from c1222.protocol.events import (
    Completed,
    Failed,
    Overdue,
    Resting,
    SessionClosed,
    SessionOpened,
    SizeLearned,
)
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.messages import Message, decode, encode
from c1222.protocol.policy import TCP_LINK, Link, NodePolicy, Options, Timing
from c1222.protocol.state import ExchangeState, SessionState
from c1222.security.keys import Key, KeyStore
from c1222.security.sending import SendGuard
from c1222.services import ErrorResponse, Service, TableData, session, tables
from c1222.services.malformed import MalformedService
from c1222.services.results import Bsy, Dnr, Iar, Rqtl, Rstl, Sme, Uat
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.protocol.rig import KEY, METER, READER, Node, Peer

READ = tables.ReadRequest(1)
WRITE = tables.WriteRequest(5, TableData(b"hello"))
LOGON = session.LogonRequest.of(2, "USER", 60)
LOGOFF = session.LogoffRequest()
STEADY = Mishaps(delay=(0.01, 0.01))
SECURED = {"keys": KEY, "mode": 2, "key_id": 2}


class Silence:
    """Takes what is sent, for tests that answer by hand."""

    def __init__(self, wire: Wire, address: str = "node") -> None:
        self.wire = wire
        self.heard: list[tuple[float, bytes]] = []
        wire.attach(address, lambda apdu, _: self.heard.append((wire.now, apdu)))

    @property
    def last(self) -> Message:
        return decode(self.heard[-1][1], keys=KEY)


def answer_to(
    request: Message,
    said: Sequence[Service],
    *,
    mode: SecurityMode | None = None,
    keys: object = KEY,
    **changes: object,
) -> bytes:
    """Make an answer as a node would, with changes."""
    mode = request.security_mode if mode is None else mode
    fields: dict[str, object] = {
        "called": request.calling,
        "calling": request.called,
        "calling_invocation_id": 77,
        "called_invocation_id": request.calling_invocation_id,
        "services": said,
        "security_mode": mode,
        "key_id": 2 if mode else None,
        "iv": (request.iv or b"\x5f\x5e\x10\x00") if mode else None,
    }
    return encode(Message(**{**fields, **changes}), keys=keys)  # type: ignore[arg-type]


def slice_of_answer(octets: bytes, offset: int, total: int, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "called": ApTitle(READER),
        "calling": ApTitle(METER),
        "calling_invocation_id": 3,
    } | changes
    return Acse.build(user_information=octets, called_ae_qualifier=total, indirect_reference=offset, **fields).octets


OK_READ = (tables.ReadResponse(TableData(b"MANUFACTURER SN ")),)


@pytest.fixture
def wire() -> Wire:
    return Wire(mishaps=STEADY)


class TestSending:
    def test_one_message_for_several_services(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        exchange = peer.ask(READ, WRITE, READ)
        assert exchange.state is ExchangeState.DONE
        assert [response.service for response in exchange.responses] == ["read", "write", "read"]
        assert len(node.heard) == len(node.said) == 1
        assert peer.of(Completed)[0].message.calling == ApTitle(METER)

    def test_the_same_octets_are_sent_again_with_growing_waits(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, timing=Timing(2.0, 2.0, 5.0, attempts=4), **SECURED)
        exchange = peer.ask(WRITE, tag="mine")
        assert [round(when, 6) for when, _ in silence.heard] == [0.01, 2.01, 6.01, 11.01]
        assert len({apdu for _, apdu in silence.heard}) == 1
        assert wire.now == 16.0
        assert exchange.tag == "mine"
        assert exchange.state is ExchangeState.SILENT
        (failed,) = peer.of(Failed)
        assert isinstance(failed.error, PeerSilent)
        assert "4 times" in str(failed.error)
        assert failed.unknown
        assert [event.attempt for event in peer.of(Overdue)] == [2, 3, 4]
        assert peer.initiator.counters["sent-again"] == 3
        assert peer.initiator.next_deadline() is None
        assert peer.initiator.is_idle

    def test_growth_without_end_ends_at_the_longest_wait(self) -> None:
        assert Timing(5.0, 10.0, 60.0).wait(10_000) == 60.0

    def test_no_attempt_after_the_peer_may_have_forgotten(self, wire: Wire) -> None:
        silence = Silence(wire)
        peer = Peer(wire, timing=Timing(30.0, 1.0, attempts=100), options=Options(repeat_within=100.0))
        peer.ask(WRITE)
        assert [round(when) for when, _ in silence.heard] == [0, 30, 60, 90]
        assert wire.now == 120.0

    def test_a_late_answer_counts_as_any_other_while_it_is_waited_for(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, timing=Timing(1.0, attempts=5))
        wire.mishaps = Mishaps(delay=(0.9, 0.9))
        exchange = peer.ask(WRITE)
        assert exchange.state is ExchangeState.DONE
        assert len(node.store.writes) == 1
        wire.run(until=wire.now + 10)
        assert peer.initiator.counters["late"] == 1
        assert node.responder.counters["repeated"] == 1
        assert len(node.store.writes) == 1

    def test_ids_grow_and_are_read_alike_signed_and_unsigned(self, wire: Wire) -> None:
        identity = Identity(READER, ids=iter([0x7F, 0x100, 0x7FFF]))
        node, peer = Node(wire), Peer(wire, identity=identity)
        for _ in range(3):
            peer.ask(READ)
        ids = [decode_acse(apdu).calling_invocation_id for apdu in node.heard]
        assert ids == [0x7F, 0x100, 0x7FFF]
        identity = Identity(READER, id_bits=16)
        drawn = [identity.next_id(0.0) for _ in range(40_000)]
        assert all(0 < value < 0x8000 and not (0x80 <= value <= 0xFF) for value in drawn)

    def test_titles_context_class_and_qualifier_as_told(self, wire: Wire) -> None:
        node = Node(wire, title="2.16.124.113620.1.22.0.123.8437")
        options = Options(ed_class=b"TEMP", application_context="2.16.124.113620.1.22")
        peer = Peer(wire, called=ApTitle(METER).absolute(), title=READER, options=options)
        exchange = peer.ask(READ, qualifier=5)
        assert exchange.state is ExchangeState.DONE
        request = decode(node.heard[0])
        assert request.ed_class == b"TEMP"
        assert request.calling_ae_qualifier == 5
        assert request.application_context == "2.16.124.113620.1.22"
        assert not request.called.is_relative  # type: ignore[union-attr]
        answer = decode(node.said[0])
        assert answer.calling_ae_qualifier == 5
        assert answer.application_context == "2.16.124.113620.1.22"
        assert (str(answer.called), str(answer.calling)) == (str(request.calling), str(request.called))

    def test_a_request_that_does_not_fit_fails_and_the_next_goes_on(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, link=Link(max_size=100))
        failed = peer.start(tables.WriteRequest(5, TableData(bytes(200))))
        assert isinstance(failed.error, EncodeError)
        assert peer.of(Failed) == [Failed(failed, failed.error, unknown=False)]
        assert peer.ask(READ).state is ExchangeState.DONE
        assert len(node.heard) == 1

    def test_what_makes_no_sense_is_refused_at_once(self, wire: Wire) -> None:
        with pytest.raises(StateError):
            Initiator(Identity(READER, KEY), METER, mode=2)
        with pytest.raises(StateError):
            Initiator(Identity(READER, KEY), METER, mode=3, key_id=2)
        with pytest.raises(UnknownKey):
            Initiator(Identity(READER, KEY), METER, mode=2, key_id=3)
        with pytest.raises(EncodeError):
            Initiator(Identity(READER), "meter")
        peer = Peer(wire, options=Options(max_queue=2))
        with pytest.raises(StateError):
            peer.start()
        for _ in range(3):
            peer.start(READ)
        with pytest.raises(StateError):
            peer.start(READ)

    def test_vectors_are_the_true_time_and_no_pair_is_used_twice(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        for _ in range(5):
            peer.ask(READ)
            wire.now += 0.4
        sent = [decode(apdu, keys=KEY) for apdu in node.heard]
        assert [int.from_bytes(m.iv or b"") - 1_600_000_000 for m in sent] == [0, 0, 0, 1, 1]
        pairs = [(m.iv, m.calling_invocation_id) for m in sent]
        assert len(set(pairs)) == 5

    def test_a_clock_set_back_and_a_restart_do_not_repeat_a_pair(self, tmp_path: object, wire: Wire) -> None:
        class Store(dict[str, int]):
            load = dict.get

            def save(self, scope: str, vector: int) -> None:
                self[scope] = vector

        store = Store()
        seen: set[tuple[bytes | None, int]] = set()
        for restart, utc in enumerate((1000.0, 1000.0, 500.0)):
            identity = Identity(READER, KEY, guard=SendGuard(store), ids=iter(range(10, 100)))
            initiator = Initiator(identity, METER, mode=2, key_id=2, options=Options(outstanding=9))
            for _ in range(3):
                initiator.request(READ, now=0.0, utc=utc)
            for apdu in initiator.apdus_to_send():
                message = decode(apdu, keys=KEY)
                assert (message.iv, message.calling_invocation_id) not in seen, restart
                seen.add((message.iv, message.calling_invocation_id))
        assert len(seen) == 9


class TestTurns:
    def test_one_at_a_time_unless_told_otherwise(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        for _ in range(3):
            peer.start(READ)
        wire.run(until=0.015)
        assert len(node.heard) == 1
        wire.run(until=1)
        assert len(peer.of(Completed)) == 3

    def test_several_at_a_time_outside_of_sessions(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, options=Options(outstanding=2))
        exchanges = [peer.start(READ) for _ in range(3)]
        wire.run(until=0.015)
        assert len(node.heard) == 2
        wire.run(until=1)
        assert [event.exchange for event in peer.of(Completed)] == exchanges

    def test_a_logon_waits_for_those_before_and_stops_those_behind(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, options=Options(outstanding=8))
        for request in (READ, LOGON, READ, READ):
            peer.start(request)
        for count in (1, 2, 3, 4):
            wire.run(done=lambda n=count: len(node.heard) == n)
            assert len(peer.of(Completed)) == count - 1
        wire.run(until=1)
        assert len(peer.of(Completed)) == 4

    def test_cancelled_wherever_it_is(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        initiator = peer.initiator
        waiting, queued, last = peer.start(READ), peer.start(READ), peer.start(READ)
        initiator.cancel(queued, now=0, utc=0)
        initiator.cancel(waiting, now=0, utc=wire.utc)
        initiator.cancel(waiting, now=0, utc=wire.utc)
        peer.pump()
        wire.run(until=1)
        assert [event.exchange for event in peer.of(Completed)] == [last]
        assert not peer.of(Failed)
        assert peer.initiator.counters["late"] == 1
        node.store.next = [Bsy()]
        resting = peer.start(READ)
        wire.run(until=2)
        assert resting.state is ExchangeState.RESTING
        initiator.cancel(resting, now=wire.now, utc=wire.utc)
        assert initiator.is_idle
        assert isinstance(resting.error, StateError)


class TestResponseControl:
    def test_never_is_done_when_it_is_sent(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        exchange = peer.start(WRITE, response_control=ResponseControl.NEVER)
        assert peer.of(Completed) == [Completed(exchange, (), None)]
        wire.run(until=1)
        assert node.store.writes == [(5, b"hello")]
        assert node.said == []
        peer.hear(answer_to(decode(node.heard[0]), [tables.WriteResponse()]))
        assert peer.reasons() == ["late"]

    def test_never_with_a_session_opens_none(self, wire: Wire) -> None:
        peer = Peer(wire)
        peer.start(LOGON, response_control=ResponseControl.NEVER)
        assert peer.initiator.session.state is SessionState.IDLE

    def test_on_exception_silence_is_success(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, timing=Timing(2.0, attempts=2))
        exchange = peer.ask(WRITE, response_control=ResponseControl.ON_EXCEPTION)
        assert peer.of(Completed) == [Completed(exchange, (), None)]
        assert wire.now == 5.0
        assert len(node.store.writes) == 1
        assert node.said == []

    def test_on_exception_an_error_is_answered(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        node.store.next = [Iar()]
        exchange = peer.ask(WRITE, response_control=ResponseControl.ON_EXCEPTION)
        assert exchange.responses[0].code == Iar.code  # type: ignore[union-attr]


class TestMatching:
    @pytest.fixture
    def silence(self, wire: Wire) -> Silence:
        return Silence(wire)

    def start(self, wire: Wire, silence: Silence, *services: object, **options: object) -> tuple[Peer, Message]:
        peer = Peer(wire, **{**SECURED, **options})  # type: ignore[arg-type]
        peer.start(*(services or (READ,)))  # type: ignore[arg-type]
        wire.run(done=lambda: bool(silence.heard))
        return peer, silence.last

    def test_the_right_answer(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence)
        peer.hear(answer_to(request, OK_READ))
        assert peer.of(Completed)[0].responses == OK_READ

    def test_titles_may_come_in_the_other_form(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence)
        assert request.called is not None
        peer.hear(answer_to(request, OK_READ, calling=request.called.absolute()))
        assert peer.of(Completed)

    def test_under_another_base_too(self, wire: Wire, silence: Silence) -> None:
        base = ApTitle("1.3.6.1.4.1.33507")
        keys = KeyStore([KEY], base_oid=base)
        peer = Peer(wire, identity=Identity(READER, keys), mode=2, key_id=2)
        peer.start(READ)
        wire.run(done=lambda: bool(silence.heard))
        request = decode(silence.heard[-1][1], keys=keys)
        assert request.authenticated
        absolute = ApTitle("1.3.6.1.4.1.33507.123.8437")
        peer.hear(answer_to(request, OK_READ, keys=keys, calling=absolute))
        assert peer.of(Completed)

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"called_invocation_id": None}, "no-answer"),
            ({"called_invocation_id": 5}, "unasked"),
            ({"calling": ApTitle(".123.9")}, "wrong-titles"),
            ({"called": ApTitle(".123.9")}, "wrong-titles"),
            ({"calling": None}, "wrong-titles"),
            ({"mode": SecurityMode.CLEARTEXT}, "downgrade"),
            ({"mode": SecurityMode.CLEARTEXT_AUTHENTICATION}, "downgrade"),
            ({"keys": Key(2, bytes(16))}, "wrong-mac"),
            ({"keys": Key(3, bytes(16)), "key_id": 3}, "no-key"),
            ({"carries_authentication": False, "iv": b"\1\2\3\4"}, "no-session"),
            ({"services": [READ]}, "request-in-answer"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_anything_else_is_dropped_and_the_wait_goes_on(
        self, wire: Wire, silence: Silence, changes: dict[str, object], reason: str
    ) -> None:
        peer, request = self.start(wire, silence)
        peer.hear(answer_to(request, OK_READ, **changes))  # type: ignore[arg-type]
        assert peer.reasons() == [reason]
        assert peer.initiator.counters[reason] == 1
        assert not peer.of(Completed)
        assert not peer.of(Failed)
        peer.hear(answer_to(request, OK_READ))
        assert peer.of(Completed)[0].responses == OK_READ

    def test_another_known_key_will_do(self, wire: Wire, silence: Silence) -> None:
        other = Key(3, bytes(16))
        peer, request = self.start(wire, silence, keys=KeyStore([KEY, other]))
        peer.hear(answer_to(request, OK_READ, keys=other, key_id=3))
        assert peer.of(Completed)

    def test_a_better_secured_answer_will_do(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence, mode=1)
        peer.hear(answer_to(request, OK_READ, mode=SecurityMode.CIPHERTEXT_AUTHENTICATION))
        assert peer.of(Completed)

    def test_a_secured_answer_to_a_cleartext_request_must_be_right_too(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence, mode=0, key_id=None, keys=None)
        peer.hear(answer_to(request, OK_READ, mode=SecurityMode.CIPHERTEXT_AUTHENTICATION))
        assert peer.reasons() == ["no-key"]
        peer.hear(answer_to(request, OK_READ))
        assert peer.of(Completed)

    def test_every_bit_counts(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence)
        good = answer_to(request, OK_READ)
        for bit in range(8 * len(good)):
            damaged = bytearray(good)
            damaged[bit // 8] ^= 1 << bit % 8
            peer.hear(bytes(damaged))
        for end in range(len(good)):
            peer.hear(good[:end])
        assert not peer.of(Completed)
        assert not peer.of(Failed)
        peer.hear(good)
        assert peer.of(Completed)[0].responses == OK_READ

    def test_elements_outside_of_the_mac_are_refused(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence)
        good = answer_to(request, OK_READ)
        acse = decode_acse(good)
        start = acse.span("called-AP-title")[0]  # type: ignore[index]
        peer.hear(tlv(0x60, good[start : acse.spans[0xBE][0]] + tlv(0xA9, b"\2\1\1") + good[acse.spans[0xBE][0] :]))
        assert peer.reasons() == ["unknown-elements"]

    def test_late_and_doubled_answers_are_told_from_strange_ones(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence)
        good = answer_to(request, OK_READ)
        for _ in range(3):
            peer.hear(good)
        assert len(peer.of(Completed)) == 1
        assert peer.reasons() == ["late", "late"]

    def test_a_stale_answer_with_a_window(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence, options=Options(window=60))
        peer.hear(answer_to(request, OK_READ, iv=(1_600_000_000 - 100).to_bytes(4)))
        assert peer.reasons() == ["stale"]
        peer.hear(answer_to(request, OK_READ, iv=(1_600_000_000 - 50).to_bytes(4)))
        assert peer.of(Completed)

    def test_an_answer_without_the_id_if_told_to(self, wire: Wire, silence: Silence) -> None:
        lenient = {"mode": 0, "key_id": None, "options": Options(lenient=True)}
        peer, request = self.start(wire, silence, **lenient)
        peer.hear(answer_to(request, OK_READ, called_invocation_id=None))
        assert peer.of(Completed)
        peer.hear(answer_to(request, OK_READ, called_invocation_id=None))
        assert peer.reasons() == ["no-answer"]
        peer, request = self.start(wire, silence, options=Options(lenient=True))
        peer.hear(answer_to(request, OK_READ, called_invocation_id=None))
        assert peer.reasons() == ["no-answer"]

    def test_a_node_without_a_title_takes_what_quotes_its_id(self, wire: Wire, silence: Silence) -> None:
        peer, request = self.start(wire, silence, title=None, called=None, mode=0, key_id=None, keys=None)
        peer.hear(answer_to(request, OK_READ, called=ApTitle(".7"), calling=ApTitle(".9")))
        assert peer.of(Completed)

    def test_garbage(self, wire: Wire, silence: Silence) -> None:
        peer, _ = self.start(wire, silence)
        for octets in (b"", b"\x60", b"GET /", bytes(100), tlv(0x60, b"\xa8\x03\x02\x01\x05")):
            peer.hear(octets)
        assert peer.reasons() == ["malformed"] * 5

    def test_drops_are_not_heaped_up(self, wire: Wire, silence: Silence) -> None:
        peer, _ = self.start(wire, silence)
        for _ in range(5000):
            peer.initiator.receive(b"", now=0, utc=0)
        assert peer.initiator.counters["malformed"] == 5000
        assert len(peer.initiator.events()) <= 1000


class TestAnswers:
    """Answers that do not have one response for each request."""

    def run(self, wire: Wire, asked: list[object], said: list[object]) -> Peer:
        silence, peer = Silence(wire), Peer(wire, timing=Timing(1.0, attempts=1))
        peer.start(*asked)  # type: ignore[arg-type]
        wire.run(done=lambda: bool(silence.heard))
        peer.hear(answer_to(decode(silence.heard[0][1]), said))  # type: ignore[arg-type]
        return peer

    def test_no_response_to_security_means_ok(self, wire: Wire) -> None:
        peer = self.run(wire, [session.SecurityRequest.of("x", 2), READ], [*OK_READ])
        assert peer.of(Completed)[0].responses == (session.SecurityResponse(), *OK_READ)

    def test_one_refusal_for_all(self, wire: Wire) -> None:
        refusal = ErrorResponse(Uat.code)
        assert self.run(wire, [READ, WRITE, READ], [refusal]).of(Completed)[0].responses == (refusal,) * 3

    def test_stopped_at_an_error(self, wire: Wire) -> None:
        peer = self.run(wire, [READ, WRITE, READ], [*OK_READ, ErrorResponse(Iar.code)])
        assert peer.of(Completed)[0].responses == (*OK_READ, ErrorResponse(Iar.code), None)

    def test_more_responses_than_requests(self, wire: Wire) -> None:
        peer = self.run(wire, [READ], [*OK_READ, *OK_READ])
        assert peer.of(Completed)[0].responses == OK_READ

    def test_too_few_to_tell_is_an_error(self, wire: Wire) -> None:
        peer = self.run(wire, [READ, READ, READ], [*OK_READ])
        (failed,) = peer.of(Failed)
        assert isinstance(failed.error, DecodeError)
        assert str(failed.error) == "epsem at octet 0: 1 responses to 3 requests do not tell which is which"
        assert failed.unknown
        assert failed.exchange.responses == ()
        assert peer.of(Completed) == []

    def test_none_at_all_is_an_error(self, wire: Wire) -> None:
        (failed,) = self.run(wire, [READ], []).of(Failed)
        assert str(failed.error) == "epsem at octet 0: 0 responses to 1 requests do not tell which is which"
        assert failed.unknown

    def test_a_refusal_of_the_whole_message_stands_alone_or_for_its_own_request(self, wire: Wire) -> None:
        refusal, other = ErrorResponse(Sme.code), ErrorResponse(Iar.code)
        peer = self.run(wire, [READ, WRITE, READ], [refusal, *OK_READ])
        assert peer.of(Failed)[0].unknown  # nothing tells whose the second is
        peer = self.run(wire, [READ, WRITE, READ], [refusal, other])
        assert peer.of(Completed)[0].responses == (refusal, other, None)

    def test_octets_that_are_no_response_are_kept(self, wire: Wire) -> None:
        class Odd:
            kind = "response"

            def encode(self) -> bytes:
                return bytes.fromhex("00 00 05 41")

        peer = self.run(wire, [READ], [Odd()])
        (response,) = peer.of(Completed)[0].responses
        assert isinstance(response, MalformedService)
        assert response.octets == bytes.fromhex("00 00 05 41")
        assert (response.code, response.kind) == (0, "response")
        assert isinstance(response.fault, DecodeError)


class TestBusy:
    def test_rests_and_asks_anew(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        node.store.next = [Bsy(), Dnr()]
        exchange = peer.ask(READ)
        assert exchange.responses == OK_READ
        assert exchange.busy == 2
        assert peer.initiator.counters["busy"] == 2
        assert [round(event.until, 2) for event in peer.of(Resting)] == [2.02, 4.04]
        ids = [decode_acse(apdu).calling_invocation_id for apdu in node.heard]
        assert len(set(ids)) == 3  # new messages: the same octets would get the same answer
        assert not node.responder.counters["repeated"]

    def test_gives_up_after_so_many_tries_with_what_the_peer_said(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, timing=Timing(busy_tries=3, busy_pause=10.0))
        node.store.next = [Bsy() for _ in range(9)]
        exchange = peer.ask(READ)
        assert exchange.responses[0].code == Bsy.code  # type: ignore[union-attr]
        assert len(node.heard) == 4
        assert round(wire.now) == 30

    def test_what_was_done_is_not_asked_again_and_reads_behind_it_are(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        node.store.next = [*OK_READ, tables.WriteResponse(), Bsy(), tables.WriteResponse()]
        exchange = peer.ask(READ, WRITE, WRITE, WRITE, READ)
        again = decode(node.heard[1])
        assert [service.service for service in again.services] == ["write", "read"]
        assert [response.code for response in exchange.responses] == [0] * 5  # type: ignore[union-attr]

    def test_what_got_no_answer_because_the_peer_stopped_is_asked_again(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire)
        peer.start(READ, READ, WRITE)
        wire.run(done=lambda: bool(silence.heard))
        peer.hear(answer_to(silence.last, [*OK_READ, ErrorResponse(Bsy.code)]))
        wire.run(done=lambda: len(silence.heard) == 2)
        assert [service.service for service in silence.last.services] == ["read", "write"]

    def test_security_goes_before_it_anew_outside_of_sessions(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        security = session.SecurityRequest.of("secret", 2)
        node.store.next = [session.SecurityResponse(), tables.WriteResponse(), Bsy()]
        peer.ask(security, WRITE, READ)
        assert [service.service for service in decode(node.heard[1]).services] == ["security", "read"]
        peer.ask(LOGON)
        node.store.next = [session.SecurityResponse(), Bsy()]
        peer.ask(session.SecurityRequest.of("secret"), READ)
        assert [service.service for service in decode(node.heard[-1]).services] == ["read"]

    @pytest.mark.parametrize("starts", [(300, 200, 100), (0x7FF0, 0x7FE0, 2), (100, 200, 300)])
    @pytest.mark.parametrize("begin", [0.0, 0.97])
    @pytest.mark.parametrize("busy_pause", [0.01, 2.0])
    def test_programs_of_one_title_have_sessions_within_a_second(
        self, wire: Wire, starts: tuple[int, ...], begin: float, busy_pause: float
    ) -> None:
        node = Node(wire, keys=KEY)
        wire.run(until=begin)
        for start in starts:  # with a short pause, one clock is as good as one that stands still
            identity = Identity(READER, KEY, ids=iter(range(start, start + 100)))
            peer = Peer(
                wire, ("reader", start), identity=identity, mode=2, key_id=2, timing=Timing(busy_pause=busy_pause)
            )
            for services in ((LOGON,), (WRITE,), (READ,), (LOGOFF,)):
                exchange = peer.ask(*services)
                assert exchange.state is ExchangeState.DONE
                assert not any(response.code for response in exchange.responses)
            assert peer.initiator.counters["sent-again"] == 0
        assert len(node.store.writes) == 3
        assert "replayed" not in node.responder.counters

    def test_a_busy_logon_keeps_its_place(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, options=Options(outstanding=5), **SECURED)
        node.store.next = [Bsy()]
        logon, read = peer.start(LOGON), peer.start(READ, in_session=True)
        wire.run(done=lambda: read.is_over)
        assert (logon.state, read.state) == (ExchangeState.DONE, ExchangeState.DONE)
        assert logon.busy == 1
        assert peer.initiator.session.state is SessionState.OPEN

    def test_one_that_rests_in_a_session_keeps_its_place(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        node.store.next = [Bsy()]
        first, second = peer.start(WRITE), peer.start(READ)
        wire.run(done=lambda: second.is_over)
        assert [event.exchange for event in peer.of(Completed)][1:] == [first, second]

    def test_one_that_rests_lets_others_go_first_outside_of_sessions(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        node.store.next = [Bsy()]
        first, second = peer.start(READ), peer.start(READ)
        wire.run(done=lambda: first.is_over)
        assert [event.exchange for event in peer.of(Completed)] == [second, first]
        assert node.responder.counters["requests"] == 3

    def test_one_that_is_rested_but_not_free_to_go_waits_without_a_deadline(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, timing=Timing(10.0, attempts=1))
        node.store.next = [Bsy()]
        first = peer.start(READ)
        wire.run(until=1.0)
        wire.detach("node")
        second = peer.start(READ)
        wire.run(until=5.0)
        assert first.state is ExchangeState.RESTING
        assert peer.initiator.next_deadline() == 11.0
        wire.attach("node", node.receive)
        wire.run(done=lambda: first.is_over)
        assert (first.state, second.state) == (ExchangeState.DONE, ExchangeState.SILENT)


class TestSizes:
    def test_limits_are_learned(self, wire: Wire) -> None:
        node, peer = Node(wire, policy=NodePolicy(max_request=100, max_response=120)), Peer(wire)
        node.store.tables[1] = bytes(300)
        exchange = peer.ask(READ)
        assert exchange.responses[0].code == Rstl.code  # type: ignore[union-attr]
        assert (peer.initiator.max_request, peer.initiator.max_response) == (None, 120)
        exchange = peer.ask(tables.WriteRequest(5, TableData(bytes(300))))
        assert exchange.responses[0].code == Rqtl.code  # type: ignore[union-attr]
        assert (peer.initiator.max_request, peer.initiator.max_response) == (100, 120)
        assert peer.of(SizeLearned) == [SizeLearned(None, 120), SizeLearned(100, 120)]
        assert node.store.writes == []

    def test_a_refusal_without_a_size_teaches_nothing(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        node.store.next = [Rstl()]
        peer.ask(READ)
        assert not peer.of(SizeLearned)

    def test_segments_both_ways(self, wire: Wire) -> None:
        link = Link(max_size=100, segments=True)
        node, peer = Node(wire, keys=KEY, link=link), Peer(wire, link=link, **SECURED)
        wire.mishaps = Mishaps(delay=(0.01, 0.5), duplication=0.5, reorder=0.3)
        exchange = peer.ask(tables.WriteRequest(1, TableData(bytes(range(256)) * 3)), READ)
        assert exchange.responses[1].data == bytes(range(256)) * 3  # type: ignore[union-attr]
        assert len(node.heard) > 8
        assert len(node.said) > 8
        assert max(map(len, node.heard + node.said)) <= 100
        assert len(node.store.writes) == 1

    def test_a_broken_segment_is_dropped(self, wire: Wire) -> None:
        link = Link(max_size=60, segments=True)
        silence, peer = Silence(wire), Peer(wire, link=link)
        peer.start(READ)
        peer.hear(slice_of_answer(b"abc", 4, 5))
        assert peer.reasons() == ["malformed"]
        assert silence is not None

    @pytest.mark.parametrize(
        ("titles", "reason"),
        [
            ({"called": ApTitle(".123.5"), "calling": ApTitle(METER)}, "wrong-titles"),
            ({"called": ApTitle(READER), "calling": ApTitle(".123.5")}, "wrong-titles"),
            ({"called": ApTitle(READER), "calling": None}, "wrong-titles"),
            ({"called": ApTitle(READER), "calling": ApTitle(METER)}, None),
        ],
    )
    def test_only_segments_of_who_was_asked_are_held(self, wire: Wire, titles: Any, reason: str | None) -> None:
        silence, peer = Silence(wire), Peer(wire, link=Link(max_size=60, segments=True))
        apdu = slice_of_answer(b"abc", 0, 500, **titles)
        peer.hear(apdu)
        assert peer.reasons() == [reason or "unasked"]
        peer.start(READ)
        peer.hear(apdu)
        assert peer.reasons()[1:] == [reason] * bool(reason)
        assert silence is not None

    def test_so_many_incomplete_answers_are_held(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, link=Link(max_size=60, segments=True))
        peer.start(READ)
        for number in range(20):
            peer.hear(slice_of_answer(b"abc", 0, 30_000, calling_invocation_id=number))
        assert peer.initiator._reassembler is not None
        assert len(peer.initiator._reassembler) == 4
        assert silence is not None

    def test_wrong_slices_do_not_keep_the_true_answer_away(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, link=Link(max_size=100, segments=True), **SECURED)
        exchange = peer.start(READ)
        wire.run(done=lambda: bool(silence.heard))
        answer = answer_to(silence.last, OK_READ)
        first, *rest = cut(answer, 40)
        number = decode_acse(answer).calling_invocation_id
        for wrong in (slice_of_answer(b"abc", 0, total, calling_invocation_id=number) for total in (50, len(answer))):
            peer.hear(wrong)
        for part in (first, *rest):
            peer.hear(part)
        assert exchange.is_over
        assert peer.reasons() == []


class TestSession:
    def test_opens_serves_and_ends(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        peer.ask(LOGON)
        peer.ask(session.SecurityRequest.of("secret"), in_session=True)
        peer.ask(WRITE, in_session=True)
        peer.ask(LOGOFF, in_session=True)
        assert peer.of(SessionOpened) == [SessionOpened(60)]
        assert peer.of(SessionClosed) == [SessionClosed("ended")]
        carried = [decode_acse(apdu).authentication is not None for apdu in node.heard]
        assert carried == [True, False, False, False]
        assert [decode_acse(apdu).authentication is not None for apdu in node.said] == carried
        assert node.store.contexts[-2].access.rights == "all"
        peer.ask(READ)
        assert decode_acse(node.heard[-1]).authentication is not None

    def test_authentication_in_every_message_if_told_so(self, wire: Wire) -> None:
        options = Options(authentication_in_session=True)
        node, peer = Node(wire, keys=KEY), Peer(wire, options=options, **SECURED)
        peer.ask(LOGON)
        exchange = peer.ask(READ)
        assert exchange.responses == OK_READ
        assert all(decode_acse(apdu).authentication for apdu in (*node.heard, *node.said))

    def test_in_one_message(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        exchange = peer.ask(LOGON, session.SecurityRequest.of("secret"), READ, LOGOFF)
        assert [response.code for response in exchange.responses] == [0] * 4  # type: ignore[union-attr]
        assert peer.initiator.session.state is SessionState.IDLE
        assert len(node.responder.sessions) == 0

    def test_one_message_ends_a_session_and_opens_another(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        peer.ask(LOGON)
        exchange = peer.ask(LOGOFF, session.LogonRequest.of(3, "OTHER", 30))
        assert [response.code for response in exchange.responses] == [0, 0]  # type: ignore[union-attr]
        changes = [event for event in peer.events if isinstance(event, (SessionOpened, SessionClosed))]
        assert changes == [SessionOpened(60), SessionClosed("ended"), SessionOpened(30)]
        assert peer.ask(READ, in_session=True).responses == OK_READ
        assert peer.ask(READ, in_session=True).responses == OK_READ
        assert [one.access.user_id for one in node.responder.sessions] == [3]

    def test_a_logon_that_cannot_be_sent_opens_nothing(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, link=Link(max_size=40))
        exchange = peer.start(LOGON, READ, READ, READ)
        assert isinstance(exchange.error, EncodeError)
        assert peer.initiator.session.state is SessionState.IDLE
        assert peer.ask(READ).state is ExchangeState.DONE
        assert len(node.heard) == 1

    def test_a_second_logon_fails_here(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        exchange = peer.ask(LOGON)
        assert isinstance(exchange.error, StateError)
        assert len(node.heard) == 1
        assert peer.initiator.session.state is SessionState.OPEN

    def test_a_refused_logon(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        exchange = peer.ask(session.LogonRequest.of(99, "NOBODY"))
        assert exchange.responses[0].code == 1  # type: ignore[union-attr]
        assert peer.initiator.session.state is SessionState.IDLE
        refused = peer.ask(READ, in_session=True)
        assert isinstance(refused.error, SessionLost)
        assert not peer.of(Failed)[-1].unknown
        assert len(node.heard) == 1

    def test_idle_for_too_long(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        wire.run(until=59)
        peer.ask(READ, in_session=True)
        wire.run(until=118)
        assert peer.initiator.session.is_active
        wire.run(until=120)
        assert peer.of(SessionClosed) == [SessionClosed("idle")]
        node.tick()
        assert len(node.responder.sessions) == 0
        assert isinstance(peer.ask(READ, in_session=True).error, SessionLost)
        assert peer.initiator.next_deadline() is None

    def test_wait_stretches_it_once(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        peer.ask(session.WaitRequest(100))
        wire.run(until=150)
        assert peer.ask(READ, in_session=True).state is ExchangeState.DONE
        assert len(node.responder.sessions) == 1
        wire.run(until=215)
        assert peer.of(SessionClosed) == [SessionClosed("idle")]
        node.tick()
        assert len(node.responder.sessions) == 0

    def test_no_limit(self, wire: Wire) -> None:
        _, peer = Node(wire), Peer(wire)
        peer.ask(session.LogonRequest.of(2, "USER", 0))
        assert peer.initiator.next_deadline() is None
        wire.run(until=1e6)
        assert peer.ask(READ, in_session=True).state is ExchangeState.DONE

    def test_a_logon_without_an_answer(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, timing=Timing(1.0, attempts=1), **SECURED)
        exchange = peer.ask(LOGON)
        assert peer.initiator.session.state is SessionState.IDLE
        node = Node(wire, keys=KEY)
        peer.initiator.repeat(exchange, now=wire.now)
        peer.pump()
        wire.run(done=lambda: exchange.is_over)
        assert peer.initiator.session.state is SessionState.OPEN
        peer.ask(READ)
        assert decode_acse(node.heard[-1]).authentication is None
        assert len(silence.heard) == 1

    def test_an_end_without_an_answer_is_an_end_and_terminate_clears_up(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire, timing=Timing(1.0, attempts=1))
        peer.ask(LOGON)
        wire.mishaps = Mishaps(loss=1.0)
        peer.ask(LOGOFF)
        assert peer.initiator.session.state is SessionState.IDLE
        wire.mishaps = STEADY
        assert peer.ask(LOGON).responses[0].code == 0x0A  # type: ignore[union-attr]
        assert peer.ask(session.TerminateRequest()).responses[0].code == 0  # type: ignore[union-attr]
        assert peer.ask(LOGON).responses[0].code == 0  # type: ignore[union-attr]
        assert len(node.responder.sessions) == 1

    def test_a_refused_end_leaves_it_open(self, wire: Wire) -> None:
        node, peer = Node(wire), Peer(wire)
        peer.ask(LOGON)
        node.store.next = [Iar()]
        peer.ask(LOGOFF)
        assert peer.initiator.session.state is SessionState.OPEN
        node.responder.close_sessions()
        peer.ask(LOGOFF)  # out of sequence: there is none
        assert peer.initiator.session.state is SessionState.IDLE

    def test_the_node_was_restarted(self, wire: Wire) -> None:
        _, peer = Node(wire, keys=KEY), Peer(wire, **SECURED)
        peer.ask(LOGON)
        restarted = Node(wire, keys=KEY)
        exchange = peer.ask(WRITE, in_session=True)
        (failed,) = peer.of(Failed)
        assert isinstance(failed.error, SessionLost)
        assert failed.unknown
        assert "forgotten" in str(failed.error)
        assert wire.now < 2.5  # it took a second opinion, no more
        assert exchange.attempts == 2
        assert peer.of(SessionClosed) == [SessionClosed("lost")]
        assert restarted.store.writes == []
        peer.ask(LOGON)
        assert peer.ask(WRITE, in_session=True).state is ExchangeState.DONE
        assert len(restarted.store.writes) == 1

    def test_ids_that_begin_anew_bring_a_vector_of_their_own(self, wire: Wire) -> None:
        identity = Identity(READER, KEY, ids=iter([100, 101, 5, 6]))
        node, peer = Node(wire, keys=KEY), Peer(wire, identity=identity, mode=2, key_id=2)
        for request in (LOGON, READ, READ, READ):
            assert peer.ask(request).state is ExchangeState.DONE
        assert [decode_acse(apdu).authentication is not None for apdu in node.heard] == [True, False, True, False]


class TestHints:
    """What nobody vouches for may end the wait early, but never counts as an answer."""

    def test_a_refusal_in_clear_needs_a_second_opinion(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, **SECURED)
        exchange = peer.start(WRITE)
        wire.run(done=lambda: len(silence.heard) == 1)
        sme = answer_to(silence.last, [ErrorResponse(Sme.code)], mode=SecurityMode.CLEARTEXT)
        peer.hear(sme)
        peer.hear(sme)
        assert peer.reasons() == ["downgrade"] * 2
        assert exchange.state is ExchangeState.WAITING
        wire.run(done=lambda: len(silence.heard) == 2)
        assert wire.now < 1.1
        assert exchange.hints == 1
        peer.hear(sme)  # a copy of the first is no second opinion
        wire.run(until=wire.now + 2)
        assert exchange.state is ExchangeState.WAITING
        again = answer_to(
            silence.last, [ErrorResponse(Sme.code)], mode=SecurityMode.CLEARTEXT, calling_invocation_id=78
        )
        peer.hear(again)
        wire.run(done=lambda: exchange.is_over)
        assert exchange.state is ExchangeState.SILENT
        assert isinstance(exchange.error, SecurityRefused)
        assert "sme" in str(exchange.error)
        assert peer.of(Failed)[0].unknown

    def test_of_each_attempt_one_hint_counts(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, **SECURED)
        exchange = peer.start(WRITE)
        wire.run(done=lambda: len(silence.heard) == 1)
        for number in range(5):
            peer.hear(
                answer_to(
                    silence.last, [ErrorResponse(Sme.code)], mode=SecurityMode.CLEARTEXT, calling_invocation_id=number
                )
            )
        assert exchange.hints == 1

    def test_with_a_hint_silence_is_no_success(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, timing=Timing(1.0, attempts=1))
        exchange = peer.start(WRITE, response_control=ResponseControl.ON_EXCEPTION)
        peer.initiator.lost(Unreachable("port closed"), now=wire.now)
        wire.run(done=lambda: exchange.is_over)
        assert isinstance(exchange.error, Unreachable)
        assert len(silence.heard) == 1

    def test_a_genuine_answer_after_a_hint_counts(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, **SECURED)
        peer.start(READ)
        wire.run(done=lambda: len(silence.heard) == 1)
        peer.hear(answer_to(silence.last, [ErrorResponse(Sme.code)], mode=SecurityMode.CLEARTEXT))
        peer.hear(answer_to(silence.last, OK_READ))
        assert peer.of(Completed)[0].responses == OK_READ

    def test_a_wrong_answer_in_clear_is_no_hint(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, **SECURED)
        exchange = peer.start(READ)
        wire.run(done=lambda: len(silence.heard) == 1)
        peer.hear(answer_to(silence.last, OK_READ, mode=SecurityMode.CLEARTEXT))
        assert exchange.hint is None
        assert peer.initiator.next_deadline() == 5.0

    def test_over_a_connection_one_is_enough(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire, link=TCP_LINK, **SECURED)
        exchange = peer.start(READ)
        wire.run(done=lambda: len(silence.heard) == 1)
        peer.hear(answer_to(silence.last, [ErrorResponse(Uat.code)], mode=SecurityMode.CLEARTEXT))
        wire.run(done=lambda: exchange.is_over)
        assert wire.now < 0.1
        assert isinstance(exchange.error, SecurityRefused)

    def test_the_network_says_nobody_is_there(self, wire: Wire) -> None:
        silence, peer = Silence(wire), Peer(wire)
        exchange = peer.start(READ)
        peer.initiator.lost(Unreachable("port closed"), now=wire.now)
        peer.pump()
        wire.run(done=lambda: len(silence.heard) == 2)
        assert round(wire.now, 2) == 1.01
        peer.initiator.lost(Unreachable("port closed"), now=wire.now)
        peer.pump()
        wire.run(done=lambda: exchange.is_over)
        assert round(wire.now, 2) == 1.01
        assert isinstance(exchange.error, Unreachable)

    def test_the_connection_is_lost(self, wire: Wire) -> None:
        _, peer = Node(wire, link=TCP_LINK), Peer(wire, link=TCP_LINK)
        peer.ask(LOGON)
        waiting, queued = peer.start(WRITE), peer.start(READ)
        error = ConnectionLost("closed")
        peer.initiator.lost(error, now=wire.now)
        peer.pump()
        assert peer.of(Failed) == [Failed(waiting, error, unknown=True), Failed(queued, error, unknown=False)]
        assert peer.of(SessionClosed) == [SessionClosed("lost")]
        assert peer.initiator.is_idle


class TestRepeat:
    def test_the_same_octets_once_more_are_safe(self, wire: Wire) -> None:
        node, peer = Node(wire, keys=KEY), Peer(wire, timing=Timing(1.0, attempts=2), **SECURED)
        wire.run(until=1)
        lost: list[bytes] = []
        wire.attach("reader", lambda apdu, _: lost.append(apdu))
        exchange = peer.ask(WRITE)
        assert exchange.state is ExchangeState.SILENT
        assert len(node.store.writes) == 1
        assert len(lost) == 2
        wire.attach("reader", peer.receive)
        peer.initiator.repeat(exchange, now=wire.now)
        peer.pump()
        wire.run(done=lambda: exchange.is_over)
        assert exchange.state is ExchangeState.DONE
        assert exchange.error is None
        assert exchange.responses == (tables.WriteResponse(),)
        assert len(node.store.writes) == 1
        assert len(set(node.heard)) == 1

    def test_not_when_it_might_be_forgotten_is_not_silent_or_lost_its_session(self, wire: Wire) -> None:
        peer = Peer(wire, timing=Timing(1.0, attempts=1))
        exchange = peer.ask(WRITE)
        with pytest.raises(StateError, match="remembers"):
            peer.initiator.repeat(exchange, now=wire.now + 200)
        done = peer.start(WRITE, response_control=ResponseControl.NEVER)
        with pytest.raises(StateError):
            peer.initiator.repeat(done, now=wire.now)
        wire.run(until=wire.now + 1)
        node = Node(wire)
        peer.ask(LOGON)
        wire.detach("node")
        exchange = peer.ask(WRITE, in_session=True)
        wire.run(until=wire.now + 70)
        assert peer.of(SessionClosed)
        with pytest.raises(StateError, match="session"):
            peer.initiator.repeat(exchange, now=exchange.started)
        assert node.store.writes == []


def test_reprs_show_no_secret() -> None:
    initiator = Initiator(Identity(READER, KEY), METER, mode=2, key_id=2)
    exchange = initiator.request(session.SecurityRequest.of("swordfish", 2), now=0, utc=1e9)
    texts = [
        repr(initiator),
        repr(exchange),
        repr(initiator.identity),
        repr(initiator.events()),
        repr(exchange.request),
    ]
    assert not any("swordfish" in text or "0102030405060708" in text for text in texts)
