"""What outlasts a restart of a fleet, and what is never sent too early."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from c1222.errors import StateError
from c1222.message.acse import decode_acse
from c1222.node.meter.meter import SimulatedMeter
from c1222.node.store.sqlite import SQLiteStore
from c1222.node.store.store import MemoryStore, Taken
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK
from c1222.services import ErrorResponse, session, tables
from tests.c1222.node.network.owner_name import owner
from tests.c1222.node.rig import BIG, KEY, UTC, Rig, profile

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_sent_before_the_store_has_it(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "s")
    rig = Rig(store=store)
    caller = rig.caller().log_in()
    caller.initiator.request(session.SecurityRequest.of("master-demo", 4), owner(b"DURABLE"), now=rig.now, utc=rig.utc)
    for apdu in caller.initiator.apdus_to_send():
        rig.fleet.receive(apdu, source="s", now=rig.now, utc=rig.utc)
    assert store._db.in_transaction, "the change is there, and not yet durable"
    assert len(rig.fleet.apdus_to_send()) == 1
    assert not store._db.in_transaction
    store.close()


def test_when_the_store_fails_nothing_is_sent(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "s")
    rig = Rig(store=store)
    caller = rig.caller().log_in()
    store._db.execute("PRAGMA query_only = ON")
    with pytest.raises(StateError):
        caller.ask(owner(b"LOST"))
    assert caller.received == []
    store._db.close()


def test_written_tables_outlast_a_restart_and_belong_to_their_meter(tmp_path: Path) -> None:
    rig = Rig(store=SQLiteStore(tmp_path / "s"), count=2)
    for number, meter in enumerate(rig.meters):
        caller = rig.caller(f".9.{number}", called=str(meter.title)).log_in()
        assert not isinstance(caller.one(owner(b"METER %d" % number)), ErrorResponse)
    rig.fleet.close()
    again = Rig(store=SQLiteStore(tmp_path / "s"), count=2, utc=rig.utc + 10)
    found = [
        again.caller(f".9.{n}", called=str(meter.title)).log_in().read(6)[:20].rstrip()
        for n, meter in enumerate(again.meters)
    ]
    assert found == [b"METER 0", b"METER 1"]
    again.fleet.close()


def test_a_store_of_another_profile_is_refused() -> None:
    store = MemoryStore()
    rig = Rig(store=store)
    rig.meter.save()
    other = profile(BIG, ap_title=".123.8437")
    with pytest.raises(StateError, match="another profile"):
        SimulatedMeter(other, store, utc=UTC)


def test_a_request_is_not_carried_out_again_after_a_restart(tmp_path: Path) -> None:
    rig = Rig(store=SQLiteStore(tmp_path / "s"), keys={2: KEY})
    caller = rig.caller(mode=2, key_id=2).log_in()
    assert not isinstance(caller.one(owner(b"ONCE")), ErrorResponse)
    recorded = caller.sent[-1]
    other = rig.caller(".9.2", mode=2, key_id=2).log_in()
    assert not isinstance(other.one(owner(b"LATER")), ErrorResponse)
    rig.fleet.close()
    again = Rig(store=SQLiteStore(tmp_path / "s"), keys={2: KEY}, utc=rig.utc + 2)
    again.fleet.receive(recorded, source="thief", now=again.now, utc=again.utc)
    assert again.fleet.apdus_to_send() == []
    again.fleet.receive(recorded, source=caller.source, now=again.now, utc=again.utc)
    assert [out.apdu for out in again.fleet.apdus_to_send()] == [caller.received[-1]], "the answer of then"
    again.passes(120)
    again.fleet.receive(recorded, source=caller.source, now=again.now, utc=again.utc)
    assert again.fleet.apdus_to_send() == []
    assert again.fleet.counters["replayed"] == 2
    assert again.meter.tables["ST6"][:5] == b"LATER"
    again.fleet.close()


def test_a_repeated_write_in_cleartext_is_carried_out_once_even_over_a_restart() -> None:
    store = MemoryStore()
    rig = Rig(store=store)
    caller = rig.caller().log_in()
    caller.write(7, b"\x09\x00\x01\x01")
    recorded, answer = caller.sent[-1], caller.received[-1]
    for wrong in (5, -86_400 * 365, 86_400 * 365):
        again = Rig(store=store, utc=rig.utc + wrong)
        again.fleet.receive(recorded, source=caller.source, now=again.now, utc=again.utc)
        assert [out.apdu for out in again.fleet.apdus_to_send()] == [answer]
        assert again.meter.counters["procedures"] == 0
        again.fleet.receive(recorded, source=f"another {wrong}", now=again.now, utc=again.utc)
        assert again.meter.counters["procedures"] == 1, "which is a request of its own"


def test_what_came_over_a_connection_is_no_repetition_after_a_restart() -> None:
    store = MemoryStore()
    rig = Rig(store=store)
    caller = rig.caller(link=TCP_LINK).log_in()
    caller.write(7, b"\x09\x00\x01\x01")
    again = Rig(store=store, utc=rig.utc + 5)
    again.fleet.receive(caller.sent[-1], source=caller.source, now=again.now, utc=again.utc, link=TCP_LINK)
    assert again.meter.counters["procedures"] == 1


def test_vectors_grow_over_restarts_even_if_the_clock_is_set_back(tmp_path: Path) -> None:
    seen: set[tuple[str, bytes, int]] = set()
    for utc in (UTC, UTC + 1, UTC + 1, UTC - 5000, UTC - 5000, UTC + 3):
        rig = Rig(store=SQLiteStore(tmp_path / "s"), keys={2: KEY}, utc=utc)
        for number in range(3):
            # A peer whose clock is off by so much that the answer has a vector of the node's own.
            rig.utc = utc + number
            caller = rig.caller(f".9.{number}", mode=2, key_id=2)
            caller.ask(tables.ReadRequest(1))
            for answer in caller.received:
                message = decode(answer, keys={2: KEY})
                pair = (str(message.calling), message.iv, message.calling_invocation_id)
                assert pair not in seen
                seen.add(pair)
        rig.fleet.close()
    assert len(seen) == 18


YEARS = 10 * 365 * 86_400


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("wrong", [-YEARS, -910, 910, YEARS])
def test_a_wrong_clock_at_a_restart_lets_nothing_be_carried_out_again(
    wrong: int, durable: bool, tmp_path: Path
) -> None:
    memory = MemoryStore()

    def start(utc: float) -> Rig:
        return Rig(store=SQLiteStore(tmp_path / "s") if durable else memory, keys={2: KEY}, utc=utc, simulate=False)

    rig = start(UTC)
    caller = rig.caller(mode=2, key_id=2).log_in()
    caller.write(7, b"\x0a\x00\x01")
    assert rig.meter.counters["procedures"] == 1
    rig.fleet.close()
    rig = start(UTC + wrong)
    for utc in (UTC + wrong, UTC + 150):
        rig.fleet.receive(caller.sent[-1], source="thief", now=rig.now, utc=utc)
        rig.passes(1000)
    assert rig.meter.counters["procedures"] == 0
    assert rig.fleet.apdus_to_send() == []
    rig.utc = UTC + 150
    caller.rig = rig
    assert isinstance(caller.write(7, b"\x0a\x00\x02"), tables.WriteResponse), "what is fresh is taken"
    rig.fleet.close()


def test_what_a_session_did_is_not_done_in_one_after_a_restart() -> None:
    store = MemoryStore()
    rig = Rig(store=store, keys={2: KEY}, simulate=False)
    caller = rig.caller(mode=2, key_id=2)
    logon = (session.LogonRequest.of(4, "M", 600), session.SecurityRequest.of("master-demo", 4))
    caller.ask(*logon)
    caller.write(7, b"\x0a\x00\x01")
    recorded = caller.sent[-1]
    assert not decode(recorded, keys={2: KEY}, session=decode(caller.sent[0], keys={2: KEY})).carries_authentication
    again = Rig(store=store, keys={2: KEY}, utc=rig.utc, simulate=False)
    other = again.caller(mode=2, key_id=2)  # another process, which knows no vectors: in the same second
    other.initiator.identity._ids = {32: itertools.count(decode_acse(recorded).calling_invocation_id + 1)}
    other.ask(*logon)
    assert again.fleet.sessions() == 1
    again.fleet.receive(recorded, source="thief", now=again.now, utc=again.utc)
    assert again.meter.counters["procedures"] == 0
    assert again.fleet.counters["replayed"] == 1


def test_a_damaged_request_in_the_store_is_told() -> None:
    for damaged in (Taken("xy", 2, 5, 1), Taken("85", 2, 2**40, 1), Taken("00", 2, -1, 1)):
        store = MemoryStore()
        store.remember(Rig().meter.name, damaged)
        with pytest.raises(StateError, match="damaged"):
            Rig(store=store)
