"""Answers made by hand: which count, which do not, and what their services become."""

import pytest

from c1222.errors import (
    ConnectionLost,
    DecodeError,
    SecurityRefused,
    Unreachable,
)
from c1222.message.acse import decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.protocol.events import (
    Completed,
    Failed,
    SessionClosed,
)
from c1222.protocol.identity import Identity
from c1222.protocol.message import Message
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK, Options, Timing
from c1222.protocol.state import ExchangeState
from c1222.security.keys import Key, KeyStore
from c1222.services import ErrorResponse, session
from c1222.services.malformed import MalformedService
from c1222.services.results import Iar, Sme, Uat
from c1222.transport.memory import Wire
from tests.c1222.protocol.initiator.answers import LOGON, OK_READ, READ, SECURED, WRITE, Silence, answer_to
from tests.c1222.protocol.rig import KEY, READER, Node, Peer


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
