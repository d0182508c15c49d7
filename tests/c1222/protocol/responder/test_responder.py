"""The side that answers, against an initiator on a wire and against requests made by hand."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest

from c1222.errors import StateError
from c1222.message.acse import Acse, decode_acse
from c1222.message.aptitle import DEFAULT_BASE, ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import ResponseControl, SecurityMode
from c1222.message.segmentation import cut
from c1222.protocol.events import (
    BudgetUsedUp,
    HandlerFailed,
    Refused,
    Released,
    SessionEnded,
    SessionStarted,
    VectorsAhead,
)
from c1222.protocol.identity import Identity
from c1222.protocol.messages import Message, decode, encode
from c1222.protocol.policy import TCP_LINK, UDP_LINK, Link, NodePolicy, OnRefusal
from c1222.protocol.responder.answer_memory import Asker
from c1222.protocol.responder.responder import Responder
from c1222.protocol.responder.throttle import Rate
from c1222.protocol.segments import MAX_INCOMPLETE
from c1222.security.canonical import other_prefix
from c1222.security.keys import Key, KeyStore
from c1222.security.receiving import ReplayGuard
from c1222.security.sealing import SessionSecurity
from c1222.security.sending import SendGuard
from c1222.services import ErrorResponse, RawRequest, Service, TableData, network, session, tables
from c1222.services.results import Bsy, Dlk, Iar, Isc, Rqtl, Rstl, Sgerr, Sme, Sns
from c1222.transport.memory import EPOCH, Mishaps, Wire
from tests.c1222.protocol.rig import KEY, MANY, METER, READER, Node, Store

READ = tables.ReadRequest(1)
WRITE = tables.WriteRequest(5, TableData(b"hello"))
LOGON = session.LogonRequest.of(2, "USER", 60)
LOGOFF = session.LogoffRequest()
GOOD, BAD = session.SecurityRequest.of("secret", 2), session.SecurityRequest.of("wrong", 2)
NOW = int(EPOCH)


class Bench:
    """A responder, and requests made by hand."""

    def __init__(self, *, keys: Any = None, title: str | None = METER, link: Link = UDP_LINK, **options: Any) -> None:
        self.store = Store()
        guard = options.pop("guard", None)
        self.responder = Responder(Identity(title, keys, guard=guard), self.store, **options)
        self.link = link
        self.now = 0.0
        self.keys = keys
        self.ids = iter(range(1000, 10**6))

    def request(self, *services: Service, mode: int = 0, keys: Any = None, **changes: Any) -> bytes:
        fields: dict[str, Any] = {
            "called": ApTitle(METER),
            "calling": ApTitle(READER),
            "calling_invocation_id": next(self.ids),
            "services": services,
            "security_mode": SecurityMode(mode),
            "key_id": 2 if mode else None,
            "iv": int(NOW + self.now).to_bytes(4) if mode else None,
        }
        return encode(Message(**{**fields, **changes}), keys=keys or self.keys or KEY)

    def hear(self, apdu: bytes, source: Any = "reader", **options: Any) -> list[bytes]:
        self.responder.receive(
            apdu, source=source, now=self.now, utc=NOW + self.now, link=options.pop("link", self.link), **options
        )
        out = self.responder.apdus_to_send()
        assert all(one.source == source for one in out)
        return [one.apdu for one in out]

    def ask(self, *services: Service, **changes: Any) -> list[Any]:
        """Ask and return the responses; the one of a refusal in clear too."""
        request = self.request(*services, **changes)
        out = self.hear(request)
        if not out:
            return []
        asked = decode(request, keys=self.keys or KEY, session=changes.get("session"))
        answer = decode(out[0], keys=self.keys or KEY, request=asked, session=changes.get("session"))
        assert answer.called_invocation_id == asked.calling_invocation_id
        return list(answer.services)

    @property
    def counters(self) -> dict[str, int]:
        return dict(self.responder.counters)

    def events(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.responder.events() if isinstance(event, kind)]


def codes(responses: Sequence[Any]) -> list[int]:
    return [response.code for response in responses]


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


class TestNotForUs:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"called": ApTitle(".123.9")}, "not-ours"),
            ({"called_invocation_id": 7}, "answer"),
            ({"application_context": "1.2.3"}, "other-context"),
        ],
        ids=["title", "answer", "context"],
    )
    def test_dropped_and_counted(self, changes: dict[str, Any], reason: str) -> None:
        bench = Bench(link=TCP_LINK)
        assert bench.hear(bench.request(READ, **changes)) == []
        assert bench.counters == {reason: 1}
        (event,) = bench.events(Refused)
        assert (event.reason, event.source) == (reason, "reader")

    @pytest.mark.parametrize(
        "octets", [b"", b"\x60", b"hello", bytes(70), tlv(0x60, b"\xa8\x03\x02\x01\x05"), tlv(0x60, bytes(40000))]
    )
    def test_garbage(self, octets: bytes) -> None:
        bench = Bench(link=TCP_LINK)
        assert bench.hear(octets) == []
        assert bench.counters == {"malformed": 1}

    @pytest.mark.parametrize("services", [(READ,), (READ, WRITE)], ids=["read", "write"])
    def test_a_qualifier_that_is_no_number_is_found_before_anything_is_carried_out(
        self, services: tuple[Service, ...]
    ) -> None:
        bench = Bench(link=TCP_LINK)
        good = bench.request(*services, calling_ae_qualifier=2)
        assert good.count(b"\xa7\x03\x02\x01\x02") == 1
        assert bench.hear(good.replace(b"\xa7\x03\x02\x01\x02", b"\xa7\x03\x80\x01\x02")) == []
        assert bench.counters == {"malformed": 1}
        assert not bench.store.calls

    def test_every_octet_may_be_anything(self) -> None:
        for mode in (0, 2):
            bench = Bench(keys=KEY, policy=NodePolicy(stranger_failures=MANY, cleartext=mode == 0))
            request = bench.request(READ, WRITE, mode=mode)
            for at in range(len(request)):
                for value in (0, 0x7F, 0x80, 0xFF, request[at] ^ 1):
                    if value != request[at]:
                        bench.hear(request[:at] + bytes((value,)) + request[at + 1 :])
                bench.hear(request[:at])
            assert (bench.store.calls > 0) is (mode == 0)

    def test_a_broadcast_is_carried_out_and_answered_under_our_own_title(self) -> None:
        bench = Bench()
        (apdu,) = bench.hear(bench.request(READ, called=ApTitle(".123.0")))
        assert str(decode_acse(apdu).calling) == METER
        assert bench.hear(bench.request(READ, called=ApTitle(".124.0"))) == []

    def test_a_broadcast_is_known_in_either_form_under_the_configured_base(self) -> None:
        keys = KeyStore(base_oid="1.2.3")
        for title, other in ((".123.8", "1.2.3.123.0"), ("1.2.3.123.8", ".123.0")):
            bench = Bench(title=title, keys=keys)
            assert len(bench.hear(bench.request(READ, called=ApTitle(other)))) == 1
            assert bench.hear(bench.request(READ, called=ApTitle("1.2.4.123.0"))) == []


class TestSecurity:
    def test_cleartext_is_refused_where_there_are_keys_unless_allowed(self) -> None:
        for keys, policy, served in (
            (None, NodePolicy(), True),
            (KEY, NodePolicy(), False),
            (KEY, NodePolicy(cleartext=True), True),
            (None, NodePolicy(cleartext=False), False),
        ):
            bench = Bench(keys=keys, policy=policy)
            assert bool(bench.ask(READ)) is served
            assert bench.counters == ({"requests": 1} if served else {"cleartext": 1})

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"keys": Key(2, bytes(16))}, "wrong-mac"),
            ({"keys": Key(9, bytes(16)), "key_id": 9}, "no-key"),
            ({"calling": None}, "no-titles"),
            ({"called": None}, "no-titles"),
            ({"mechanism": "1.2.3"}, "other-mechanism"),
            ({"iv": (NOW - 901).to_bytes(4)}, "too-old"),
            ({"iv": (NOW + 902).to_bytes(4)}, "too-new"),
            ({"mode": 0, "iv": None}, "cleartext"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_refused_in_silence_over_udp_and_with_sme_over_tcp(self, changes: dict[str, Any], reason: str) -> None:
        changes = {"mode": 2, **changes}
        silent = Bench(keys=KEY)
        assert silent.ask(WRITE, **changes) == []
        assert silent.counters == {reason: 1}
        told = Bench(keys=KEY, link=TCP_LINK)
        (apdu,) = told.hear(told.request(WRITE, **changes))
        answer = decode(apdu)
        assert answer.security_mode is SecurityMode.CLEARTEXT
        assert codes(answer.services) == [Sme.code]
        assert silent.store.calls == told.store.calls == 0
        policy = Bench(keys=KEY, link=Link(on_refusal=OnRefusal.ANSWER))
        assert codes(policy.ask(WRITE, **changes)) == [Sme.code]

    def test_the_edges_of_the_window_are_in(self) -> None:
        bench = Bench(keys=KEY)
        for seconds in (-900, 900):
            assert codes(bench.ask(READ, mode=2, iv=(NOW + seconds).to_bytes(4))) == [0]

    @pytest.mark.parametrize(("utc", "vector"), [(2**32 + 5, 2**32 - 1), (-5, 0)])
    def test_what_could_not_be_answered_is_not_carried_out(self, utc: int, vector: int) -> None:
        bench = Bench(keys=KEY)
        request = bench.request(WRITE, mode=2, iv=vector.to_bytes(4))
        bench.now = utc - NOW
        assert bench.hear(request) == []
        assert bench.counters == {"no-vector": 1}
        assert bench.store.calls == 0
        bench.now = vector - NOW
        assert bench.hear(request)
        assert bench.store.calls == 1

    def test_a_recovery_session_passes_if_allowed_but_only_once(self) -> None:
        old = {"mode": 2, "iv": (1000).to_bytes(4), "recovery_session": True}
        assert Bench(keys=KEY).ask(WRITE, **old) == []
        bench = Bench(keys=KEY, policy=NodePolicy(recovery=True, answer_window=10))
        request = bench.request(WRITE, **old)
        assert bench.hear(request)
        bench.now = 20
        assert bench.hear(request) == []
        assert bench.counters["replayed"] == 1
        assert bench.store.writes == [(5, b"hello")]

    def test_unknown_elements_are_outside_of_the_mac(self) -> None:
        bench = Bench(keys=KEY)
        request = bench.request(WRITE, mode=2)
        acse = decode_acse(request)
        first, last = acse.span("called-AP-title")[0], acse.span("user-information")[0]  # type: ignore[index]
        changed = tlv(0x60, request[first:last] + tlv(0xA9, b"\2\1\1") + request[last:])
        assert bench.hear(changed) == []
        assert bench.counters == {"unknown-elements": 1}
        assert bench.hear(request)

    def test_every_bit_counts(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(stranger_failures=MANY))
        request = bench.request(WRITE, mode=2)
        for bit in range(8 * len(request)):
            damaged = bytearray(request)
            damaged[bit // 8] ^= 1 << bit % 8
            for apdu in bench.hear(bytes(damaged)):  # that a session is unknown is said, and nothing else
                assert codes(decode(apdu).services) == [Sme.code]
        assert bench.store.calls == 0
        bench.hear(request)
        assert bench.store.calls == 1


class TestOnce:
    @pytest.mark.parametrize("mode", range(3))
    def test_the_same_octets_get_the_same_answer_and_nothing_happens(self, mode: int) -> None:
        bench = Bench(keys=KEY if mode else None)
        request = bench.request(WRITE, tables.ReadRequest(999), mode=mode)
        first = bench.hear(request)
        assert len(first) == 1
        bench.now = 100
        assert bench.hear(request) == first
        assert bench.store.calls == 2
        assert bench.counters == {"requests": 1, "repeated": 1}

    def test_in_cleartext_the_same_octets_from_elsewhere_are_a_request_of_its_own(self) -> None:
        bench = Bench()
        ours, theirs = (
            bench.request(tables.WriteRequest(5, TableData(data)), calling_invocation_id=0) for data in (b"A", b"B")
        )
        for request, source in ((ours, 1), (theirs, 2), (ours, 3), (ours, 3)):
            (answer,) = bench.hear(request, source=source)
            assert codes(decode(answer, request=decode(request)).services) == [0]
        assert [data for _, data in bench.store.writes] == [b"A", b"B", b"A"]
        assert bench.counters == {"requests": 3, "repeated": 1}

    def test_secured_the_same_octets_from_elsewhere_get_no_answer(self) -> None:
        bench = Bench(keys=KEY)
        request = bench.request(WRITE, mode=2)
        first = bench.hear(request)
        assert bench.hear(request, source="whom somebody names") == []
        assert bench.hear(request) == first
        assert bench.counters == {"requests": 1, "replayed": 1, "repeated": 1}

    def test_what_a_connection_asked_is_forgotten_with_it(self) -> None:
        bench = Bench(link=TCP_LINK)
        request, other = bench.request(WRITE), bench.request(WRITE)
        bench.hear(request, source="one")
        bench.hear(other, source="two")
        bench.responder.lost("one")
        assert len(bench.responder._answers) == 1
        bench.hear(request, source="one")
        bench.hear(other, source="two")
        assert bench.counters == {"requests": 3, "repeated": 1}

    def test_in_cleartext_an_id_with_other_octets_is_refused(self) -> None:
        bench = Bench()
        bench.hear(bench.request(WRITE, calling_invocation_id=5))
        assert codes(bench.ask(READ, READ, calling_invocation_id=5)) == [Iar.code] * 2
        assert bench.store.calls == 1
        assert bench.ask(READ, calling_invocation_id=5, calling=ApTitle(".123.5"))
        assert codes(bench.ask(READ, READ, calling_invocation_id=5)) == [Iar.code] * 2
        bench.now = 121
        assert codes(bench.ask(READ, calling_invocation_id=5)) == [0]

    def test_a_forged_message_takes_no_ids_place(self) -> None:
        bench = Bench(keys=KEY)
        forged = bench.request(WRITE, mode=2, keys=Key(2, bytes(16)), calling_invocation_id=5)
        bench.hear(forged)
        request = bench.request(WRITE, mode=2, calling_invocation_id=5)
        (answer,) = bench.hear(request)
        bench.hear(forged)
        assert bench.hear(request) == [answer]
        assert bench.store.calls == 1

    def test_an_id_may_come_again_under_another_vector(self) -> None:
        bench = Bench(keys=KEY)
        for seconds in range(3):
            assert codes(bench.ask(READ, mode=2, calling_invocation_id=7, iv=(NOW + seconds).to_bytes(4))) == [0]

    def test_the_same_pair_with_other_octets_is_taken_for_a_replay(self) -> None:
        bench = Bench(keys=KEY, link=TCP_LINK)
        bench.hear(bench.request(WRITE, mode=2, calling_invocation_id=7))
        assert bench.hear(bench.request(READ, mode=2, calling_invocation_id=7)) == []
        assert bench.counters["replayed"] == 1

    def test_a_replay_when_the_answer_is_forgotten(self) -> None:
        bench = Bench(keys=KEY)
        request = bench.request(WRITE, mode=2)
        bench.hear(request)
        for bench.now in (121, 880, 2000):
            assert bench.hear(request) == []
        bench.ask(READ, mode=2)  # now it is forgotten, and too old
        assert bench.hear(request) == []
        assert bench.counters == {"requests": 2, "replayed": 3, "too-old": 1}
        assert len(bench.store.writes) == 1

    def test_a_replay_after_a_restart(self) -> None:
        bench = Bench(keys=KEY)
        request = bench.request(WRITE, mode=2)
        bench.hear(request)
        closed = Bench(keys=KEY, policy=NodePolicy(accept_from=NOW + 1))
        assert closed.hear(request) == []
        assert closed.counters == {"too-old": 1}
        assert codes(closed.ask(READ, iv=(NOW + 1).to_bytes(4), mode=2)) == [0], "from then on all is well"
        guard = ReplayGuard(window=900)
        guard.restore(ApTitle(READER).absolute(), 2, NOW.to_bytes(4), decode_acse(request).calling_invocation_id)
        restored = Bench(keys=KEY, replay=guard)
        assert restored.hear(request) == []
        assert restored.counters == {"replayed": 1}

    @pytest.mark.parametrize("base", ["1.2.3", None])
    def test_a_replay_with_the_other_form_of_the_title(self, base: str | None) -> None:
        """The MAC stays right, since N holds absolute titles; see `canonical_header`."""
        keys = KeyStore([KEY]) if base is None else KeyStore([KEY], base_oid=base)
        bench = Bench(keys=keys)
        for mode in (1, 2):
            number = 7 + mode
            forms = [
                bench.request(WRITE, mode=mode, calling=calling, calling_invocation_id=number)
                for calling in (ApTitle(READER), ApTitle(READER).absolute(keys.base_oid))
            ]
            assert [bool(bench.hear(form)) for form in forms] == [True, False]
        assert bench.counters == {"requests": 2, "replayed": 2}
        assert len(bench.store.writes) == 2

    def test_no_room_to_remember_a_write_in_cleartext(self) -> None:
        bench = Bench(policy=NodePolicy(max_answers=3))
        for _ in range(3):
            assert codes(bench.ask(WRITE)) == [0]
        assert codes(bench.ask(WRITE)) == [Bsy.code]
        assert len(bench.store.writes) == 3
        assert codes(bench.ask(READ)) == [0]  # harmless to carry out twice
        bench.now = 121
        assert codes(bench.ask(WRITE)) == [0]

    def test_secured_writes_need_no_room(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(max_answers=3))
        requests = [bench.request(WRITE, mode=2) for _ in range(10)]
        for request in requests:
            assert bench.hear(request)
        assert bench.hear(requests[0]) == []
        assert bench.counters["replayed"] == 1
        assert bench.hear(requests[-1])
        assert bench.store.calls == 10


class TestKeysOfTitles:
    OWN, CALLERS, SHARED = Key(2, b"O" * 16, METER), Key(2, b"C" * 16, READER), Key(2, b"S" * 16)

    @pytest.mark.parametrize("changes", [{}, {"services": [LOGON]}, {"called": ApTitle(METER).absolute()}])
    def test_the_key_of_one_node_opens_no_other(self, changes: dict[str, Any]) -> None:
        bench = Bench(keys=KeyStore([self.OWN, self.CALLERS]))
        assert bench.ask(WRITE, mode=2, keys=self.CALLERS, **changes) == []
        assert (bench.store.calls, len(bench.responder.sessions)) == (0, 0)
        assert bench.counters == {"wrong-mac": 1}
        bench = Bench(keys=KeyStore([self.CALLERS]))
        assert bench.hear(bench.request(WRITE, mode=2)) == []
        assert bench.counters == {"no-key": 1}

    @pytest.mark.parametrize("key", [OWN, CALLERS, SHARED])
    @pytest.mark.parametrize("callers_keys", [False, True])
    def test_an_answer_is_sealed_with_the_key_of_its_request(self, key: Key, callers_keys: bool) -> None:
        bench = Bench(
            keys=KeyStore([self.OWN, self.CALLERS, self.SHARED]), policy=NodePolicy(callers_keys=callers_keys)
        )
        for mode in (1, 2):
            out = bench.hear(bench.request(LOGON, mode=mode, keys=key))
            if key is self.CALLERS and not callers_keys:
                assert out == []
                continue
            (apdu,) = out
            assert decode(apdu, keys=key).authenticated
            inside = SessionSecurity(2, NOW.to_bytes(4))
            asked = bench.request(READ, mode=mode, keys=key, iv=inside.iv, carries_authentication=False)
            (apdu,) = bench.hear(asked)
            assert decode(apdu, keys=key, session=inside).authenticated
            assert bench.hear(bench.request(LOGOFF, mode=mode, keys=key))


class TestTwoProgramsOfOneTitle:
    """They know nothing of each other, and open sessions with one node within a second."""

    def open(self, bench: Bench, first: int, iv: int = NOW) -> tuple[int, SessionSecurity]:
        bench.ids = iter(range(first, first + 100))
        security = SessionSecurity(2, iv.to_bytes(4))
        (answer,) = bench.ask(session.LogonRequest.of(2, "USER", 600), mode=2, iv=security.iv)
        return answer.code, security

    def inside(self, bench: Bench, security: SessionSecurity, *services: Service) -> bytes:
        return bench.request(*services, mode=2, key_id=security.key_id, iv=security.iv, carries_authentication=False)

    def first_session(self, bench: Bench) -> list[bytes]:
        """Open the session of the first program, whose ids begin at 1000, and end it; return what was said in it."""
        code, security = self.open(bench, 1000)
        said = [self.inside(bench, security, *services) for services in ((WRITE,), (READ,), (LOGOFF,))]
        assert code == 0
        assert all(bench.hear(apdu) for apdu in said)
        assert len(bench.responder.sessions) == 0
        return said

    @pytest.mark.parametrize("first", [2, 999, 1000, 1003])
    def test_no_session_is_opened_whose_messages_would_be_refused(self, first: int) -> None:
        bench = Bench(keys=KEY)
        said = self.first_session(bench)
        if first == 1000:  # the very header of the first Logon
            bench.ids = iter([first])
            assert bench.ask(LOGON, mode=2) == []
            return
        code, _ = self.open(bench, first)
        assert (code, len(bench.responder.sessions)) == (Bsy.code, 0)
        code, security = self.open(bench, first + 1, NOW + 1)
        assert (code, len(bench.responder.sessions)) == (0, 1)
        bench.now = 121
        assert [bench.hear(apdu, source="attacker") for apdu in said] == [[], [], []]
        assert bench.hear(self.inside(bench, security, WRITE))
        assert len(bench.store.writes) == 2

    def test_ids_above_those_before_are_taken_under_the_same_vector(self) -> None:
        bench = Bench(keys=KEY)
        said = self.first_session(bench)
        code, security = self.open(bench, 1004)
        assert code == 0
        bench.now = 50
        assert [bench.hear(apdu, source="attacker") for apdu in said] == [[], [], []]
        assert bench.hear(self.inside(bench, security, WRITE))
        assert len(bench.store.writes) == 2

    def test_a_session_goes_on_under_no_such_vector(self) -> None:
        bench = Bench(keys=KEY)
        self.first_session(bench)
        code, security = self.open(bench, 500, NOW - 1)
        assert code == 0
        assert codes(bench.ask(WRITE, mode=2)) == [Bsy.code]  # under NOW, with an id of 501
        assert codes(bench.ask(WRITE, mode=2, iv=security.iv)) == [0]
        assert codes(bench.ask(WRITE, mode=2, iv=(NOW + 1).to_bytes(4))) == [0]
        assert len(bench.store.writes) == 3

    def test_messages_without_a_session_need_no_later_vector(self) -> None:
        bench = Bench(keys=KEY)
        self.first_session(bench)
        bench.ids = iter([10])
        assert codes(bench.ask(WRITE, mode=2)) == [0]


class TestSessionsInCleartext:
    def test_one_address_has_so_many(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(cleartext=True, max_sessions=5, max_cleartext_sessions=2))

        def log_on(number: int, peer: str, mode: int = 0) -> int:
            request = bench.request(LOGON, calling=ApTitle(f".77.{number}"), mode=mode)
            (apdu,) = bench.hear(request, source=(peer, number), peer=peer)
            return decode(apdu, keys=KEY, request=decode(request, keys=KEY)).services[0].code

        assert [log_on(number, "one") for number in range(3)] == [0, 0, Bsy.code]
        assert [log_on(number, "another") for number in range(10, 12)] == [0, 0]
        assert log_on(20, "one", mode=2) == 0  # who has the key is not held to it
        assert log_on(21, "one", mode=2) == Bsy.code
        bench.now = 61
        assert log_on(2, "one") == 0


class TestThrottle:
    def test_a_peer_that_failed_too_often_is_not_heard(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(stranger_failures=Rate(3, 0.1)), link=TCP_LINK)
        wrong = Key(2, bytes(16))
        for _ in range(3):
            assert codes(bench.ask(READ, mode=2, keys=wrong)) == [Sme.code]
        assert bench.ask(READ, mode=2) == []
        assert bench.counters == {"wrong-mac": 3, "budget-used-up": 1, "throttled": 1}
        bench.now = 9.0
        assert bench.ask(READ, mode=2) == []
        bench.now = 10.1
        assert codes(bench.ask(READ, mode=2)) == [0]

    def test_unknown_addresses_share_a_budget_and_known_ones_have_their_own(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(stranger_failures=Rate(3, 0.1), known_failures=Rate(5, 0.1)))
        wrong = Key(2, bytes(16))
        assert bench.hear(bench.request(READ, mode=2), source="known")
        for number in range(4):
            bench.hear(bench.request(READ, mode=2, keys=wrong), source=number)
        assert bench.counters == {"requests": 1, "wrong-mac": 3, "budget-used-up": 1, "throttled": 1}
        assert bench.hear(bench.request(READ, mode=2), source="newcomer") == []
        for _ in range(4):
            bench.hear(bench.request(READ, mode=2, keys=wrong), source="known")
            assert bench.hear(bench.request(READ, mode=2), source="known")
        bench.hear(bench.request(READ, mode=2, keys=wrong), source="known")
        assert bench.hear(bench.request(READ, mode=2), source="known") == []
        used_up = [event for event in bench.responder.events() if isinstance(event, BudgetUsedUp)]
        assert used_up == [BudgetUsedUp(2, False, "authentication"), BudgetUsedUp("known", True, "authentication")]

    def test_connections_and_datagrams_have_budgets_of_their_own(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(stranger_failures=Rate(1, 0.1)))
        bench.hear(bench.request(READ, mode=2, keys=Key(2, bytes(16))))
        assert bench.hear(bench.request(READ, mode=2)) == []
        bench.link = TCP_LINK
        assert bench.hear(bench.request(READ, mode=2))

    @pytest.mark.parametrize("later", [500, 1500], ids=["replayed", "too-old"])
    def test_what_is_replayed_makes_nobody_known_and_counts(self, later: int) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(stranger_failures=Rate(2, 0.001)))
        captured = bench.request(READ, mode=2)
        bench.hear(captured, source="true sender")
        bench.now += later
        for number in range(3):
            bench.hear(captured, source=number)
        assert bench.responder.counters["replayed"] + bench.responder.counters["too-old"] == 2
        assert bench.counters["throttled"] == 1
        assert bench.hear(bench.request(READ, mode=2), source="true sender")

    def test_cleartext_needs_no_budget(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(cleartext=True, stranger_failures=Rate(1, 0.1)))
        bench.hear(bench.request(READ, mode=2, keys=Key(2, bytes(16))))
        assert bench.ask(READ, mode=2) == []
        assert codes(bench.ask(READ)) == [0]

    def test_the_owner_says_who_a_peer_is(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(stranger_failures=Rate(1, 0.0)))
        bench.hear(bench.request(READ, mode=2), source=("1.1.1.2", 6), peer="1.1.1.2")
        bench.hear(bench.request(READ, mode=2, keys=Key(2, bytes(16))), source=("1.1.1.1", 5), peer="1.1.1.1")
        assert bench.hear(bench.request(READ, mode=2), source=("1.1.1.1", 6), peer="1.1.1.1") == []
        assert bench.hear(bench.request(READ, mode=2), source=("1.1.1.2", 6), peer="1.1.1.2")

    def test_wrong_passwords_count(self) -> None:
        bench = Bench(policy=NodePolicy(password_failures=Rate(2, 0.1)))
        assert codes(bench.ask(BAD, READ)) == [Isc.code, Isc.code]
        assert codes(bench.ask(session.LogonRequest.of(99))) == [1]
        assert bench.ask(GOOD, READ) == []
        assert bench.counters == {"requests": 2, "refused-user": 2, "budget-used-up": 1, "throttled": 1}
        assert codes(bench.ask(READ)) == [0]  # it needs no password

    def test_wrong_passwords_of_strangers_are_not_held_against_who_gave_a_right_one(self) -> None:
        bench = Bench(policy=NodePolicy(password_failures=Rate(2, 0.1)))
        assert bench.hear(bench.request(GOOD), source="known")
        for number in range(3):
            bench.hear(bench.request(BAD), source=number)
        assert bench.hear(bench.request(GOOD), source="newcomer") == []
        assert bench.hear(bench.request(GOOD), source="known")

    def test_wrong_passwords_in_cleartext_are_not_held_against_who_has_a_key(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(cleartext=True, password_failures=Rate(2, 0.1)))
        for _ in range(3):
            bench.ask(BAD)
        assert bench.ask(GOOD) == []
        assert codes(bench.ask(GOOD, mode=2)) == [0]

    def test_other_refusals_do_not_count(self) -> None:
        bench = Bench(policy=NodePolicy(password_failures=Rate(1, 0.1)))
        bench.store.next = [Iar()]
        bench.ask(GOOD)
        assert codes(bench.ask(GOOD)) == [0]


class TestGates:
    @pytest.mark.parametrize("gate", [BAD, session.LogonRequest.of(99)], ids=["security", "logon"])
    def test_a_failed_gate_leaves_the_rest_without_rights(self, gate: Any) -> None:
        bench = Bench()
        responses = bench.ask(READ, gate, WRITE, GOOD, READ)
        assert responses[0].code == 0
        assert responses[1].code in {1, Isc.code}
        assert codes(responses[2:]) == [Isc.code] * 3
        assert bench.store.writes == []

    def test_rights_last_one_message_outside_of_sessions(self) -> None:
        bench = Bench()
        bench.ask(GOOD, READ)
        bench.ask(READ)
        rights = [(context.access.rights, context.access.user_id) for context in bench.store.contexts]
        assert rights == [("all", 2), ("all", 2), (None, None)]

    def test_and_until_logoff_in_one(self) -> None:
        bench = Bench()
        for services in ((LOGON,), (session.SecurityRequest.of("secret"),), (READ,), (LOGOFF, READ)):
            bench.ask(*services)
        rights = [(context.access.rights, context.access.user_id) for context in bench.store.contexts[-3:]]
        assert rights[0] == ("all", 2)
        assert bench.store.contexts[-1].access.rights is None
        assert bench.store.contexts[-1].session is None

    def test_a_logon_does_not_inherit_what_security_granted_before_it(self) -> None:
        bench = Bench()
        bench.ask(GOOD, session.LogonRequest.of(7, "OTHER", 60))
        bench.ask(READ)
        assert bench.store.contexts[-1].access.rights is None
        assert bench.store.contexts[-1].access.user_id == 7


class TestSessions:
    def test_one_for_each_pair_up_to_a_limit(self) -> None:
        bench = Bench(policy=NodePolicy(max_sessions=2))
        titles = [ApTitle(f".123.{n}") for n in range(3)]
        assert [codes(bench.ask(LOGON, calling=title)) for title in titles] == [[0], [0], [Bsy.code]]
        assert codes(bench.ask(LOGON, calling=titles[0])) == [0x0A]
        assert codes(bench.ask(LOGOFF, LOGON, LOGON, calling=titles[0])) == [0, 0, 0x0A]
        assert len(bench.responder.sessions) == 2
        started, ended = [], []
        for event in bench.responder.events():
            (started if isinstance(event, SessionStarted) else ended).append(event)
        assert len(started) == 3
        assert [(event.session.calling, event.reason) for event in ended] == [(titles[0], "logoff")]

    def test_those_without_a_title_are_known_by_where_they_come_from(self) -> None:
        bench = Bench()
        for source in ("a", "b"):
            bench.hear(bench.request(LOGON, calling=None), source=source)
        assert len(bench.responder.sessions) == 2

    def test_a_session_without_a_time_of_its_own(self) -> None:
        bench = Bench()
        bench.store.next = [session.LogonResponse()]
        bench.ask(LOGON)
        assert bench.responder.next_deadline() is None

    def test_idle_ends_it_and_is_told_when(self) -> None:
        bench = Bench()
        bench.ask(LOGON)
        assert bench.responder.next_deadline() == 60
        bench.now = 50
        bench.ask(READ)
        bench.now = 60
        bench.responder.tick(now=60)
        assert len(bench.responder.sessions) == 1
        assert bench.responder.next_deadline() == 110
        bench.now = 110
        assert codes(bench.ask(LOGOFF)) == [0x0A]
        ended = bench.events(SessionEnded)
        assert [event.reason for event in ended] == ["idle"]
        assert bench.counters["session-idle"] == 1

    @pytest.mark.parametrize("request_", [LOGOFF, session.TerminateRequest(), session.DisconnectRequest()])
    def test_ends(self, request_: Any) -> None:
        bench = Bench()
        bench.ask(LOGON)
        assert codes(bench.ask(request_)) == [0]
        events = bench.responder.events()
        assert [event.reason for event in events if isinstance(event, SessionEnded)] == [request_.service]
        released = [event for event in events if isinstance(event, Released)]
        assert [event.source for event in released] == (["reader"] if request_.service == "disconnect" else [])

    @pytest.mark.parametrize("last", [session.TerminateRequest(), session.DisconnectRequest()])
    def test_released_by_whatever_end_of_a_message_says_so(self, last: Any) -> None:
        bench = Bench()
        assert codes(bench.ask(LOGON, session.DisconnectRequest(), last)) == [0, 0, 0]
        assert len(bench.events(Released)) == 1

    def test_closed_by_the_owner(self) -> None:
        bench = Bench()
        for title, source in ((".1", "a"), (".2", "b"), (".3", "b")):
            bench.hear(bench.request(LOGON, calling=ApTitle(title)), source=source)
        bench.responder.close_sessions("b")
        assert [str(one.calling) for one in bench.responder.sessions] == [".1"]
        bench.responder.close_sessions()
        assert len(bench.responder.sessions) == 0
        assert [event.reason for event in bench.events(SessionEnded)] == ["closed"] * 3

    def test_less_security_than_the_logon_had_is_refused(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(cleartext=True))
        bench.ask(LOGON, mode=2)
        for mode in (0, 1):
            assert bench.ask(WRITE, mode=mode) == []
        assert bench.counters["downgrade"] == 2
        assert codes(bench.ask(WRITE, mode=2)) == [0]

    def opened(self, bench: Bench) -> SessionSecurity:
        logon = bench.request(LOGON, mode=2)
        bench.hear(logon)
        found = decode(logon, keys=KEY).session_security
        assert found is not None
        return found

    def test_messages_without_a_vector_must_count_upwards(self) -> None:
        bench = Bench(keys=KEY)
        security = self.opened(bench)
        requests = {
            number: bench.request(
                WRITE, mode=2, carries_authentication=False, iv=security.iv, calling_invocation_id=number
            )
            for number in (1, 2, 3)
        }
        assert len(bench.hear(requests[2])) == 1
        assert bench.hear(requests[1]) == []
        assert len(bench.hear(requests[3])) == 1
        assert bench.counters["replayed"] == 1
        assert len(bench.hear(requests[2])) == 1
        assert bench.counters["repeated"] == 1
        assert len(bench.store.writes) == 2

    def test_a_later_vector_may_begin_anew_and_an_earlier_one_is_over(self) -> None:
        bench = Bench(keys=KEY)
        first = self.opened(bench)

        def inside(iv: bytes, number: int) -> bytes:
            return bench.request(WRITE, mode=2, carries_authentication=False, iv=iv, calling_invocation_id=number)

        old = inside(first.iv, 50)
        assert bench.hear(old)
        bench.now = 5
        bench.hear(bench.request(WRITE, mode=2, response_control=ResponseControl.NEVER))
        later = (NOW + 5).to_bytes(4)
        assert bench.hear(inside(later, 3))
        bench.responder._answers.forget(Asker("reader", ApTitle(READER).absolute().content))
        assert bench.hear(old) == []
        assert bench.hear(inside(first.iv, 51)) == []
        assert bench.hear(inside(later, 4))
        assert bench.counters["replayed"] == 2

    def test_nothing_of_one_session_is_taken_in_the_next_one_under_its_vector(self) -> None:
        bench = Bench(keys=KEY)
        logon = session.LogonRequest.of(2, "USER", 600)

        def inside(service: Service, number: int) -> bytes:
            return bench.request(
                service, mode=2, carries_authentication=False, iv=NOW.to_bytes(4), calling_invocation_id=number
            )

        bench.hear(bench.request(logon, mode=2, calling_invocation_id=10))
        old = inside(WRITE, 11)
        assert bench.hear(old)
        assert bench.hear(inside(LOGOFF, 12))
        assert bench.hear(bench.request(logon, mode=2, calling_invocation_id=13))
        bench.now = 121  # no answer is remembered any more
        assert bench.hear(old, source="thief") == []
        assert bench.hear(inside(WRITE, 12)) == []
        assert bench.hear(inside(WRITE, 14))
        assert bench.counters["replayed"] == 2
        assert len(bench.store.writes) == 2

    @pytest.mark.parametrize("lead", [900, 901, 10 * 365 * 86_400])
    def test_vectors_far_ahead_of_the_clock_are_told_once(self, lead: int) -> None:
        guard = SendGuard()
        bench = Bench(keys=KeyStore([KEY, Key(3, bytes(16))]), guard=guard)
        guard.issue(SendGuard.scope(ApTitle(METER), 2), 1, NOW + lead, called=ApTitle(READER).absolute().content)
        for key_id in (2, 3):
            for _ in range(3):
                bench.hear(bench.request(READ, mode=2, key_id=key_id))
        told = bench.events(VectorsAhead)
        assert [(event.key_id, event.lead) for event in told] == ([] if lead == 900 else [(2, lead)])
        assert bench.counters.get("vectors-ahead", 0) == 3 * len(told)

    def test_the_vector_of_the_answer_will_do_too(self) -> None:
        guard = SendGuard()
        bench = Bench(keys=KEY, guard=guard)
        called = ApTitle(READER).absolute().content
        guard.issue(SendGuard.scope(ApTitle(METER), 2), 1, NOW + 7, called=called)  # this node's vectors run ahead
        (apdu,) = bench.hear(bench.request(LOGON, mode=2))
        answered = decode(apdu, keys=KEY).session_security
        assert answered is not None
        assert answered.iv == (NOW + 7).to_bytes(4)
        (apdu,) = bench.hear(bench.request(READ, mode=2, carries_authentication=False, iv=answered.iv))
        answer = decode(apdu, keys=KEY, session=answered)
        assert answer.authenticated
        assert not answer.carries_authentication

    def test_without_a_session_the_peer_is_told_even_over_udp(self) -> None:
        bench = Bench(keys=KEY)
        (apdu,) = bench.hear(bench.request(WRITE, mode=2, carries_authentication=False, iv=NOW.to_bytes(4)))
        assert codes(decode(apdu).services) == [Sme.code]
        assert bench.counters == {"no-session": 1}
        for _ in range(50):
            bench.hear(bench.request(WRITE, mode=2, carries_authentication=False, iv=NOW.to_bytes(4)))
        assert "throttled" not in bench.counters

    def test_in_cleartext_a_peer_may_number_each_session_from_one(self) -> None:
        bench = Bench()
        for turn in range(3):
            assert codes(bench.ask(LOGON)) == [0]
            for number in (1, 2):
                assert codes(bench.ask(WRITE, calling_invocation_id=number)) == [0], turn
            assert codes(bench.ask(LOGOFF, calling_invocation_id=3)) == [0]
        assert len(bench.store.writes) == 6

    def test_in_cleartext_a_copy_of_the_logon_says_nothing_about_how_a_peer_counts(self) -> None:
        bench = Bench()
        for turn in range(1, 3):
            logon = bench.request(LOGON)
            assert bench.hear(logon) == bench.hear(logon)
            assert codes(bench.ask(WRITE, calling_invocation_id=1)) == [0]
            assert codes(bench.ask(LOGOFF, calling_invocation_id=2)) == [0]
            assert len(bench.store.writes) == turn

    def test_in_cleartext_a_copy_from_the_session_before_is_a_copy(self) -> None:
        bench = Bench()
        bench.ask(LOGON)
        write = bench.request(WRITE)
        answer = bench.hear(write)
        bench.ask(LOGOFF)
        bench.ask(LOGON)
        assert bench.hear(write) == answer
        bench.ask(READ)
        assert bench.hear(write) == answer
        assert len(bench.store.writes) == 1


class TestSizes:
    def test_a_large_request_is_refused_with_the_limit(self) -> None:
        bench = Bench(keys=KEY, policy=NodePolicy(max_request=200))
        large = tables.WriteRequest(5, TableData(bytes(300)))
        (response,) = bench.ask(large, mode=2)
        assert (response.code, response.details) == (Rqtl.code, {"max_size": 200})
        request = bench.request(large, mode=2)
        assert bench.hear(request) == bench.hear(request) != []
        assert bench.counters == {"refused-rqtl": 2, "repeated": 1}
        assert bench.store.calls == 0

    @pytest.mark.parametrize("how", ["policy", "link"])
    def test_large_reads_are_refused_with_the_limit_and_writes_keep_their_answers(self, how: str) -> None:
        policy = NodePolicy(max_response=200 if how == "policy" else None)
        bench = Bench(policy=policy, link=Link(max_size=200 if how == "link" else 5000))
        bench.store.tables[1] = bytes(90)
        responses = bench.ask(READ, WRITE, READ, WRITE, READ)
        assert codes(responses) == [0, 0, Rstl.code, 0, Rstl.code]
        assert responses[2].details == {"max_size": 200}
        bench.store.tables[1] = bytes(300)
        assert codes(bench.ask(READ)) == [Rstl.code]

    def test_the_largest_reads_are_refused_first(self) -> None:
        bench = Bench(link=Link(max_size=300))
        bench.store.tables |= {1: bytes(20), 2: bytes(400), 3: bytes(10), 4: bytes(150), 5: bytes(150), 6: bytes(7)}

        def asked(*numbers: int) -> list[int]:
            return codes(bench.ask(*[tables.ReadRequest(number) for number in numbers]))

        no = Rstl.code
        assert asked(1, 2, 3, 6) == [0, no, 0, 0]
        assert asked(2, 4, 3, 5, 1) == [no, 0, 0, no, 0]  # of those that are as large, the last
        assert asked(5, 1, 4) == [0, 0, no]
        bench.store.tables |= {2: bytes(240), 3: b"", 1: bytes(40)}
        assert asked(3, 2, 1) == [0, no, 0]

    def test_what_was_done_is_told_even_if_it_is_large(self) -> None:
        title = ApTitle(".".join(["2", *["5000000"] * 20]))
        bench = Bench(link=Link(max_size=150))
        bench.store.tables[1] = bytes(60)
        register = network.RegisterRequest(
            network.NodeType(0), network.ConnectionType(0), b"TEMP", title, title, b"", 1
        )
        known = network.RegisterResponse(title, 0, 60, network.RegistrationInfo(0))
        bench.store.next = [known]
        assert codes(bench.ask(register, READ)) == [0, Rstl.code]
        bench.store.next = [known, known]
        assert codes(bench.ask(register, register)) == [Rstl.code]

    def test_when_nothing_can_be_left_out_the_refusal_stands_for_all(self) -> None:
        bench = Bench(link=Link(max_size=100))
        assert codes(bench.ask(*[WRITE] * 100)) == [Rstl.code]
        assert len(bench.store.writes) == 100

    def test_an_answer_that_cannot_be_sent_at_all(self) -> None:
        bench = Bench(link=Link(max_size=20))
        assert bench.ask(READ) == []
        assert bench.counters == {"requests": 1, "unanswered": 1}
        assert (
            bench.hear(bench.request(READ, called=ApTitle(".9")), link=Link(max_size=20, on_refusal=OnRefusal.ANSWER))
            == []
        )
        secured = Bench(keys=KEY, link=Link(max_size=20, on_refusal=OnRefusal.ANSWER))
        assert secured.ask(READ) == []
        assert secured.counters == {"cleartext": 1, "unanswered": 1}

    def test_a_vector_that_cannot_be_saved_leaves_it_without_an_answer(self) -> None:
        class Broken:
            def load(self, scope: str) -> int | None:
                return None

            def save(self, scope: str, vector: int) -> None:
                raise StateError("the disk is full")

        bench = Bench(keys=KEY, guard=SendGuard(Broken()))
        assert bench.ask(READ, mode=2) == []
        assert bench.counters == {"requests": 1, "unanswered": 1}

    def test_segments_that_contradict_themselves(self) -> None:
        segment = bytes.fromhex("6018a303020110a803020103be0c280a0201208105" + "0102030405")
        silent, told = Bench(), Bench(link=TCP_LINK)
        assert silent.hear(segment) == []
        (apdu,) = told.hear(segment)
        (response,) = decode(apdu).services
        assert response.code == Sgerr.code
        assert response.details == {"offset": 32, "apdu_size": 16}  # type: ignore[attr-defined]
        assert silent.counters == told.counters == {"malformed-segment": 1}


class TestSegmentsOfStrangers:
    def parts(self, bench: Bench) -> list[bytes]:
        return cut(bench.request(WRITE, READ, READ, READ, mode=2), 60)

    def flood(self, bench: Bench, count: int, peer: Any = None) -> None:
        for number in range(count):
            octets = Acse.build(
                called=ApTitle(METER),
                calling=ApTitle(".9"),
                calling_invocation_id=number,
                called_ae_qualifier=30_000,
                indirect_reference=0,
                user_information=b"abc",
            ).octets
            bench.hear(octets, source=("flood", number), peer=peer or f"stranger {number}")

    def test_one_address_pushes_out_nobody_else(self) -> None:
        bench = Bench(keys=KEY)
        first, *rest = self.parts(bench)
        bench.hear(first)
        self.flood(bench, 500, peer="one")
        assert [bench.hear(part) for part in rest][-1]

    def test_nobody_pushes_out_who_is_known(self) -> None:
        bench = Bench(keys=KEY)
        assert bench.ask(READ, mode=2)
        first, *rest = self.parts(bench)
        bench.hear(first)
        self.flood(bench, 500)
        assert [bench.hear(part) for part in rest][-1]

    def test_what_all_hold_is_bounded(self) -> None:
        bench = Bench(keys=KEY)
        self.flood(bench, 500)
        held = bench.responder._segments
        assert held is not None
        assert len(held._strangers) == MAX_INCOMPLETE

    def test_wrong_slices_in_the_senders_name_cost_one_try_at_most(self) -> None:
        bench = Bench(keys=KEY)
        parts = self.parts(bench)
        for part in parts:
            if part is not parts[-1]:
                bench.hear(part[:-1] + bytes((part[-1] ^ 1,)))
            bench.hear(part)
        assert bench.counters == {"requests": 1}
        parts = self.parts(bench)
        for part in parts[:-1]:
            bench.hear(part)
            bench.hear(part[:-1] + bytes((part[-1] ^ 1,)))
        bench.hear(parts[-1])
        assert bench.counters == {"requests": 1, "wrong-mac": 1}
        for part in parts:
            bench.hear(part)
        assert bench.counters == {"requests": 2, "wrong-mac": 1}

    def test_who_spoofs_must_know_the_port(self) -> None:
        bench = Bench(keys=KEY)
        for part in self.parts(bench):
            bench.hear(part, source=("a", 1), peer="a")
            bench.hear(part[:-1] + bytes((part[-1] ^ 1,)), source=("a", 2), peer="a")
        assert bench.counters == {"requests": 1}


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
