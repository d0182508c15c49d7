"""Which messages a node takes: the address, the security, the keys, and no flood of failures."""

from typing import Any

import pytest

from c1222.message.acse import decode_acse
from c1222.message.aptitle import ApTitle
from c1222.message.ber import tlv
from c1222.message.epsem import SecurityMode
from c1222.protocol.events import BudgetUsedUp, Refused
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK, Link, NodePolicy, OnRefusal
from c1222.protocol.responder.throttle import Rate
from c1222.security.keys import Key, KeyStore
from c1222.security.sealing import SessionSecurity
from c1222.services import Service, session
from c1222.services.results import Iar, Isc, Sme
from tests.c1222.protocol.responder.requests_by_hand import BAD, GOOD, LOGOFF, LOGON, NOW, READ, WRITE, Bench, codes
from tests.c1222.protocol.rig import KEY, MANY, METER, READER


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
