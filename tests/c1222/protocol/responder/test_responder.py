"""What a node answers, to requests made by hand and to an initiator on a wire."""

from itertools import product

import pytest

from c1222.message.acse import decode_acse
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.epsem import ResponseControl
from c1222.protocol.events import HandlerFailed
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK, NodePolicy
from c1222.security.canonical import other_prefix
from c1222.security.keys import Key, KeyStore
from c1222.security.sending import SendGuard
from c1222.services import ErrorResponse, RawRequest, tables
from c1222.services.results import Dlk, Iar, Rstl, Sns
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.protocol.responder.requests_by_hand import LOGOFF, LOGON, NOW, READ, WRITE, Bench, codes
from tests.c1222.protocol.rig import KEY, METER, READER, Node


class TestAnswers:
    @pytest.mark.parametrize("absolute", [False, True])
    def test_quotes_the_id_and_echoes_the_titles_as_they_came(self, absolute: bool) -> None:
        bench = Bench(keys=KEY)
        called, calling = ApTitle(METER), ApTitle(READER)
        if absolute:
            called, calling = called.absolute(), calling.absolute()
        for mode in (1, 2):
            request = bench.request(READ, mode=mode, called=called, calling=calling, calling_invocation_id=mode)
            (apdu,) = bench.hear(request)
            asked, answer = decode_acse(request), decode_acse(apdu)
            assert answer.called_invocation_id == mode
            assert answer.called is not None
            assert answer.calling is not None
            assert (answer.called.tlv(), answer.calling.tlv()) == (calling.tlv(), called.tlv())
            assert answer.span("called-AP-title")[0] < answer.span("called-AP-invocation-id")[0]  # type: ignore[index]
            assert asked.authentication is not None
            assert answer.authentication is not None
            assert answer.authentication.key_id == 2
            assert answer.authentication.iv == asked.authentication.iv

    def test_is_secured_as_the_question(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(cleartext=True))
        for mode in range(3):
            (apdu,) = bench.hear(bench.request(READ, mode=mode))
            answer = decode(apdu, keys=KEY)
            assert answer.security_mode == mode
            assert answer.authenticated is (True if mode else None)
            assert answer.response_control is (ResponseControl.ALWAYS if mode else ResponseControl.NEVER)

    def test_under_the_key_of_the_question(self) -> None:
        keys = KeyStore([KEY, Key(3, bytes(16))])
        bench = Bench(keys=keys)
        (apdu,) = bench.hear(bench.request(READ, mode=2, key_id=3))
        assert decode(apdu, keys=keys).key_id == 3

    def test_has_its_own_true_time_when_the_clocks_disagree(self) -> None:
        bench = Bench(keys=KEY)
        (apdu,) = bench.hear(bench.request(READ, mode=2, iv=(NOW - 500).to_bytes(4)))
        assert decode(apdu, keys=KEY).iv == NOW.to_bytes(4)

    @pytest.mark.parametrize("mode", [0, 2])
    def test_its_id_begins_with_the_time_within_the_second(self, mode: int) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(cleartext=True))
        bench.now = 0.5
        (apdu,) = bench.hear(bench.request(READ, mode=mode, calling_invocation_id=0x10000))
        assert decode(apdu, keys=KEY).calling_invocation_id >> 16 == 0x3000

    def test_has_the_questions_vector_when_the_clocks_agree(self) -> None:
        bench = Bench(keys=KEY)
        for seconds, taken_over in ((-3, 0), (-2, -2), (2, 2), (3, 2)):  # vectors never go back
            (apdu,) = bench.hear(bench.request(READ, mode=2, iv=(NOW + seconds).to_bytes(4), calling=ApTitle(".7")))
            bench.responder.identity.guard = SendGuard()
            found = decode(apdu, keys=KEY).iv
            assert int.from_bytes(found or b"") - NOW == (taken_over if abs(seconds) <= 2 else 0)

    def test_no_pair_of_vector_and_id_twice(self) -> None:
        bench = Bench(keys=KEY)
        seen = set()
        for step in range(50):
            bench.now = step * 0.3 if step < 25 else step * 0.01
            request = bench.request(READ, mode=2, calling=ApTitle(f".123.{step % 3}"))
            answer = decode(bench.hear(request)[0], keys=KEY)
            seen.add((answer.iv, answer.calling_invocation_id))
        assert len(seen) == 50

    def test_echoes_test_and_notification_but_not_urgent(self) -> None:
        bench = Bench()
        for bits, echoed in ((0, None), (1, 1), (2, None), (4, 4), (7, 5), (None, None)):
            (apdu,) = bench.hear(bench.request(READ, calling_ae_qualifier=bits))
            assert decode_acse(apdu).calling_ae_qualifier == echoed
        assert [context.is_test for context in bench.store.contexts] == [False, True, False, False, True, False]
        assert [context.is_notification for context in bench.store.contexts] == [False, False, False, True, True, False]

    def test_echoes_the_application_context(self) -> None:
        bench = Bench(keys=KEY)
        for context, mode in product(("2.16.124.113620.1.22", "2.16.124.113620.1.22.0"), (0, 2)):
            bench.responder.policy = NodePolicy(cleartext=True)
            bench = Bench(keys=KEY, policy=NodePolicy(cleartext=True))
            (apdu,) = bench.hear(bench.request(READ, mode=mode, application_context=context))
            assert decode(apdu, keys=KEY).application_context == context

    def test_a_context_with_the_arc_0_that_others_double(self) -> None:
        bench = Bench(keys=KEY)
        octets = bench.request(READ, mode=1, application_context=str(DEFAULT_BASE))
        acse = decode_acse(octets)
        prefix, authentication = other_prefix(acse), acse.authentication
        assert prefix is not None
        assert authentication is not None
        assert authentication.iv is not None
        _, start, end = acse.user_information
        header = prefix + bytes((KEY.id,)) + authentication.iv
        mac = KEY.eax.mac(header + octets[start + 1 : end - 4])
        assert mac != octets[-4:]
        (apdu,) = bench.hear(octets[:-4] + mac)
        answer = decode(apdu, keys=KEY, request=decode(octets, keys=KEY))
        assert (answer.authenticated, codes(answer.services)) == (True, [0])

    def test_without_titles_on_a_direct_line(self) -> None:
        bench = Bench()
        (apdu,) = bench.hear(bench.request(READ, called=None, calling=None))
        answer = decode_acse(apdu)
        assert answer.called is None
        assert str(answer.calling) == METER
        bench = Bench(title=None)
        (apdu,) = bench.hear(bench.request(READ))
        assert decode_acse(apdu).calling is None

    def test_one_response_for_each_request(self) -> None:
        bench = Bench()
        responses = bench.ask(READ, tables.ReadRequest(999), WRITE, RawRequest(0x7E), LOGOFF, READ)
        assert codes(responses) == [0, Iar.code, 0, Sns.code, 0x0A, 0]

    def test_malformed_services_get_iar_and_the_rest_goes_on(self) -> None:
        bench = Bench()

        class Odd:
            kind = "request"

            def encode(self) -> bytes:
                return bytes.fromhex("3f 00 01")

        (apdu,) = bench.hear(bench.request(READ, Odd(), READ))  # type: ignore[arg-type]
        assert [octets[0] for octets in decode(apdu).service_octets] == [0, Iar.code, 0]

    def test_responses_among_requests_are_nothing_to_answer(self) -> None:
        bench = Bench()
        assert codes(bench.ask(ErrorResponse(3), READ)) == [0]
        assert bench.store.calls == 1

    def test_a_message_without_services(self) -> None:
        bench = Bench()
        assert codes(bench.ask()) == [Iar.code]
        assert bench.counters == {"refused-iar": 1}

    def test_error_responses_carry_what_the_handler_raised(self) -> None:
        bench = Bench()
        bench.store.next = [Dlk("locked"), Rstl.of(512)]
        responses = bench.ask(READ, READ)
        assert codes(responses) == [Dlk.code, Rstl.code]
        assert responses[1].details == {"max_size": 512}

    def test_whatever_else_the_handler_raises_is_told_here_and_err_there(self) -> None:
        bench = Bench()
        bench.store.next = [KeyError("oops"), None]  # type: ignore[list-item]
        assert codes(bench.ask(READ, READ, READ)) == [1, 1, 0]
        events = bench.events(HandlerFailed)
        assert [type(event.error) for event in events] == [KeyError, TypeError]
        assert events[0].request == READ


class TestResponseControl:
    def test_never_is_never(self) -> None:
        bench = Bench(link=TCP_LINK)
        never = {"response_control": ResponseControl.NEVER}
        assert bench.ask(WRITE, **never) == []
        assert bench.ask(tables.ReadRequest(999), **never) == []
        assert bench.ask(**never) == []
        assert bench.store.writes == [(5, b"hello")]
        secured = Bench(keys=KEY, link=TCP_LINK)
        assert secured.ask(WRITE, **never) == []
        assert secured.ask(WRITE, mode=2, keys=Key(2, bytes(16)), **never) == []
        assert secured.store.writes == []

    def test_on_exception_only_errors(self) -> None:
        bench = Bench()
        control = {"response_control": ResponseControl.ON_EXCEPTION}
        assert bench.ask(WRITE, **control) == []
        assert codes(bench.ask(READ, tables.ReadRequest(999), **control)) == [0, Iar.code]

    def test_reserved_is_dropped(self) -> None:
        bench = Bench(link=TCP_LINK)
        assert bench.ask(WRITE, response_control=ResponseControl.RESERVED) == []
        assert bench.counters == {"reserved-response-control": 1}
        assert bench.store.calls == 0

    def test_a_notification_is_carried_out_once(self) -> None:
        bench = Bench(keys=KEY)
        note = bench.request(
            WRITE, mode=2, response_control=ResponseControl.NEVER, ed_class=b"TEMP", calling_ae_qualifier=4
        )
        assert bench.hear(note) == bench.hear(note) == []
        assert bench.store.writes == [(5, b"hello")]
        assert bench.store.contexts[0].is_notification
        assert bench.store.contexts[0].message.ed_class == b"TEMP"


def test_events_are_bounded() -> None:
    bench = Bench()
    for _ in range(3000):
        bench.responder.receive(b"", now=0, utc=0)
    assert len(bench.responder.events()) <= 1000
    assert bench.responder.events() == []
    assert bench.counters["malformed"] == 3000


def test_reprs() -> None:
    bench = Bench(keys=KEY)
    bench.ask(LOGON, mode=2)
    (one,) = bench.responder.sessions
    assert "010203" not in repr(bench.responder) + repr(one) + repr(bench.responder.events())
    assert "1 sessions" in repr(bench.responder)


def test_over_a_wire_a_node_is_no_different() -> None:
    wire = Wire(mishaps=Mishaps(delay=(0.0, 0.0)))
    node = Node(wire)
    node.tick()
    assert node.events == []
