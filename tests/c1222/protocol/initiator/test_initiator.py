"""The side that asks, against a responder on a wire, against answers made by hand, and against silence."""

from typing import Any

import pytest

from c1222.errors import (
    EncodeError,
    PeerSilent,
    StateError,
    UnknownKey,
)
from c1222.message.acse import Acse, decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import ResponseControl
from c1222.message.segmentation import cut
from c1222.protocol.events import (
    Completed,
    Failed,
    Overdue,
    Resting,
    SizeLearned,
)
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.opening import decode
from c1222.protocol.policy import Link, NodePolicy, Options, Timing
from c1222.protocol.state import ExchangeState, SessionState
from c1222.security.sending import SendGuard
from c1222.services import ErrorResponse, TableData, session, tables
from c1222.services.results import Bsy, Dnr, Iar, Rqtl, Rstl
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.protocol.initiator.answers import LOGOFF, LOGON, OK_READ, READ, SECURED, WRITE, Silence, answer_to
from tests.c1222.protocol.rig import KEY, METER, READER, Node, Peer


def slice_of_answer(octets: bytes, offset: int, total: int, **changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "called": ApTitle(READER),
        "calling": ApTitle(METER),
        "calling_invocation_id": 3,
    } | changes
    return Acse.build(user_information=octets, called_ae_qualifier=total, indirect_reference=offset, **fields).octets


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
