"""Sessions of a node: who gets one, the rights in it, which messages belong to it, how it ends."""

from typing import Any

import pytest

from c1222.message.aptitle import ApTitle
from c1222.message.epsem import ResponseControl
from c1222.protocol.events import Released, SessionEnded, SessionStarted, VectorsAhead
from c1222.protocol.opening import decode
from c1222.protocol.policy import NodePolicy
from c1222.protocol.responder.answer_memory import Asker
from c1222.security.keys import Key, KeyStore
from c1222.security.sealing import SessionSecurity
from c1222.security.sending import SendGuard
from c1222.services import Service, session
from c1222.services.results import Bsy, Isc, Sme
from tests.c1222.protocol.responder.requests_by_hand import BAD, GOOD, LOGOFF, LOGON, NOW, READ, WRITE, Bench, codes
from tests.c1222.protocol.rig import KEY, METER, READER


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
