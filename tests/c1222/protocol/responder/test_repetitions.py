"""A request is carried out once: repetitions, replays and what is remembered of them."""

import pytest

from c1222.message.acse import decode_acse
from c1222.message.aptitle import ApTitle
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK, NodePolicy
from c1222.security.keys import Key, KeyStore
from c1222.security.receiving import ReplayGuard
from c1222.services import TableData, tables
from c1222.services.results import Bsy, Iar
from tests.c1222.protocol.responder.requests_by_hand import NOW, READ, WRITE, Bench, codes
from tests.c1222.protocol.rig import KEY, READER


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
