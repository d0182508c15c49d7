"""Requests and answers that are too large, and the segments of strangers."""

from typing import Any

import pytest

from c1222.errors import StateError
from c1222.message.acse import Acse
from c1222.message.aptitle import ApTitle
from c1222.message.segmentation import cut
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK, Link, NodePolicy, OnRefusal
from c1222.protocol.segments import MAX_INCOMPLETE
from c1222.security.sending import SendGuard
from c1222.services import TableData, network, tables
from c1222.services.results import Rqtl, Rstl, Sgerr
from tests.c1222.protocol.responder.requests_by_hand import READ, WRITE, Bench, codes
from tests.c1222.protocol.rig import KEY, METER


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
