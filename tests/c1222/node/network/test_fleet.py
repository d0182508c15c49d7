"""Many meters in one process: who gets what, and at whose cost."""

from __future__ import annotations

import pytest

from c1222.errors import StateError
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import ResponseControl
from c1222.node.meter.meter import SimulatedMeter
from c1222.node.network.fleet import Fleet
from c1222.node.store.store import MemoryStore
from c1222.protocol.composing import encode
from c1222.protocol.message import Message
from c1222.protocol.opening import decode
from c1222.protocol.policy import TCP_LINK, NodePolicy
from c1222.protocol.responder.throttle import Rate
from c1222.security.keys import Key, KeyStore
from c1222.services import ErrorResponse, session, tables
from c1222.services.tables import TableData
from tests.c1222.node.network.owner_name import owner
from tests.c1222.node.rig import BIG, KEY, MASTER, POLYPHASE, Rig, profile


def test_titles_select_the_meter_in_either_form() -> None:
    rig = Rig(count=3, simulate=False)
    serials = []
    for number, meter in enumerate(rig.meters):
        for title in (str(meter.title), str(meter.title.absolute())):
            data = rig.caller(f".9.{number}", called=title).read(1)
            serials.append(data[16:])
    assert len(set(serials)) == 3
    assert serials[0::2] == serials[1::2]


def test_titles_and_serial_numbers_are_counted_up() -> None:
    made = profile()
    assert [str(made.title_of(n)) for n in (0, 1, 999)] == [".123.8437", ".123.8438", ".123.9436"]
    assert made.own_tables(0) == {}
    assert made.own_tables(7)["ST5"] != made.tables["ST5"]
    ends_in_zero = profile(POLYPHASE, ap_title="1.3.6.1.4.1.33507.1919.12345678.0")
    assert str(ends_in_zero.title_of(2)) == "1.3.6.1.4.1.33507.1919.12345680.0"
    digits = profile(BIG)
    assert digits.own_tables(3)["ST5"] != digits.tables["ST5"]


def test_a_message_without_a_title_is_for_the_first() -> None:
    rig = Rig(count=2, simulate=False)
    response = rig.caller(called=None).one(tables.ReadRequest(1))
    assert response.data == rig.profile.tables["ST1"]


def test_a_message_for_nobody_here_is_dropped_and_counted() -> None:
    rig = Rig()
    assert rig.caller(called=".123.1").ask(tables.ReadRequest(1)) == ()
    assert rig.fleet.counters["not-ours"] == 1


@pytest.mark.parametrize("octets", [b"", b"\x60", b"\x60\x80", bytes(100), b"\xff" * 20, b"\x60\x03\xa8\x01\x00"])
def test_rubbish_is_dropped_and_counted(octets: bytes) -> None:
    rig = Rig()
    rig.fleet.receive(octets, source="s", now=rig.now, utc=rig.utc)
    assert rig.fleet.apdus_to_send() == []
    assert rig.fleet.counters["malformed"] == 1


def test_answers_are_not_answered() -> None:
    rig = Rig()
    caller = rig.caller()
    caller.ask(tables.ReadRequest(1))
    answer = caller.received[0]
    rig.fleet.receive(answer, source="s", now=rig.now, utc=rig.utc)
    assert rig.fleet.apdus_to_send() == []


def test_broadcasts_reach_all_and_bring_no_flood_of_answers() -> None:
    rig = Rig(count=3, keys={2: KEY}, cleartext=True)
    for meter in rig.meters:
        meter.tables.set("ST43.TABLE_DEFAULT.ACCESS_TABLE_DEFAULT.FLAG2", True)
    clear = rig.caller(called=".123.0")
    assert clear.ask(tables.WriteRequest(5, TableData(b"ALL".ljust(20)))) == ()
    assert [meter.tables["ST5"][:3] for meter in rig.meters] == [b"ALL"] * 3
    assert clear.received == []
    sealed = rig.caller(".9.2", called=".123.0", mode=2, key_id=2)
    sealed.ask(tables.ReadRequest(1))
    assert {str(decode(answer, keys={2: KEY}).calling) for answer in sealed.received} == {
        ".123.8437",
        ".123.8438",
        ".123.8439",
    }
    never = rig.caller(".9.3", called=".123.0", mode=2, key_id=2)
    never.ask(tables.ReadRequest(1), response_control=ResponseControl.NEVER)
    assert never.received == []


def test_a_broadcast_is_known_in_either_form_under_the_configured_base() -> None:
    rig = Rig(count=2, simulate=False, keys=KeyStore(base_oid="1.2.3"))
    for caller, called in enumerate((".123.0", "1.2.3.123.0", "1.2.4.123.0")):
        rig.caller(f".9.{caller}", called=called).ask(tables.ReadRequest(1))
    assert [sum(station.responder.counters.values()) for station in rig.fleet.stations.values()] == [2, 2]


def test_a_renamed_meter_goes_by_its_new_title_alone() -> None:
    rig = Rig(count=2, simulate=False)
    rig.fleet.rename(next(iter(rig.fleet.stations.values())), ApTitle(".55.7"))
    for number, (called, answers) in enumerate(
        ((".55.7", [".55.7"]), (".55.0", [".55.7"]), (".123.8437", []), (".123.0", [".123.8438"]))
    ):
        caller = rig.caller(f".9.{number}", called=called)
        caller.ask(tables.ReadRequest(1))
        assert [str(decode(answer).calling) for answer in caller.received] == answers


def test_an_exact_title_goes_before_a_broadcast() -> None:
    made = profile(POLYPHASE, ap_title="1.3.6.1.4.1.33507.1919.12345678.0")
    rig = Rig(made=made, count=2, simulate=False)
    first, second = rig.fleet.stations.values()
    assert rig.fleet.rename(second, ApTitle("1.3.6.1.4.1.33507.1919.12345678.5"))  # whom that would be a broadcast to
    caller = rig.caller(called="1.3.6.1.4.1.33507.1919.12345678.0")
    assert caller.read(1) == first.meter.tables.all()["ST1"]
    assert second.responder.counters == {}


def test_two_meters_cannot_have_one_title() -> None:
    rig = Rig()
    with pytest.raises(StateError, match="two meters"):
        rig.fleet.add(SimulatedMeter(rig.profile, MemoryStore(), utc=rig.utc))


def test_cleartext_is_refused_where_there_are_keys_unless_allowed() -> None:
    assert Rig(keys={2: KEY}).caller().ask(tables.ReadRequest(1)) == ()
    assert Rig(keys={2: KEY}, cleartext=True).caller().ask(tables.ReadRequest(1))
    assert Rig(cleartext=False).caller().ask(tables.ReadRequest(1)) == ()


@pytest.mark.parametrize("mode", [1, 2])
def test_secured_modes(mode: int) -> None:
    rig = Rig(keys={2: KEY})
    caller = rig.caller(mode=mode, key_id=2).log_in()
    assert caller.read(23)
    answer = decode(caller.received[0], keys={2: KEY})
    assert answer.authenticated
    assert answer.security_mode == mode


def forged(rig: Rig, title: str = ".9.1") -> bytes:
    initiator = rig.caller(title, mode=2, key_id=2).initiator
    initiator.request(tables.ReadRequest(1), now=rig.now, utc=rig.utc)
    (apdu,) = initiator.apdus_to_send()
    return apdu[:-1] + bytes((apdu[-1] ^ 1,))


def test_a_flood_of_forgeries_from_everywhere_costs_a_known_peer_nothing() -> None:
    rig = Rig(keys={2: KEY}, count=2)
    known = rig.caller(".9.1", mode=2, key_id=2, source="head-end")
    assert known.read(1)
    bad = forged(rig)
    for second in range(3):
        for number in range(10_000):
            rig.now += 0.0001
            rig.utc += 0.0001
            address = f"10.{second}.{number >> 8}.{number & 255}"
            rig.fleet.receive(bad, source=address, now=rig.now, utc=rig.utc, peer=address)
            if number % 1000 == 500:
                assert known.read(1)
        rig.fleet.apdus_to_send()
    counters = rig.fleet.counters
    policy = rig.fleet.policy.stranger_failures
    assert policy.at_once <= counters["wrong-mac"] <= policy.at_once + 3 * policy.per_second + 1
    assert counters["throttled"] == 30_000 - counters["wrong-mac"]
    assert counters["budget-used-up"] == 1
    assert len(rig.fleet.throttle) == 1
    # The meters of a fleet share the budget: another meter is no new chance.
    newcomer = rig.caller(".9.2", called=str(rig.meters[1].title), mode=2, key_id=2, source="newcomer")
    assert newcomer.ask(tables.ReadRequest(1)) == ()
    rig.passes(1)
    newcomer = rig.caller(".9.3", called=str(rig.meters[1].title), mode=2, key_id=2, source="newcomer")
    assert newcomer.ask(tables.ReadRequest(1))


def test_forgeries_in_the_name_of_a_known_peer_do_not_shut_it_out() -> None:
    rig = Rig(keys={2: KEY})
    known = rig.caller(".9.1", mode=2, key_id=2, source="head-end")
    assert known.read(1)
    bad = forged(rig)
    for _ in range(15):
        for _ in range(10):
            rig.fleet.receive(bad, source="head-end", now=rig.now, utc=rig.utc, peer="head-end")
        assert known.read(1)
    assert rig.fleet.counters["wrong-mac"] == 150


def test_ticks_end_idle_sessions_and_keep_meters_up_to_date() -> None:
    rig = Rig(count=3)
    caller = rig.caller()
    caller.ask(session.LogonRequest.of(1, "R", 60))
    assert rig.fleet.sessions() == 1
    assert rig.fleet.next_deadline() == rig.now + 60
    rig.passes(61)
    for _ in range(3):
        rig.fleet.tick(now=rig.now, utc=rig.utc)
    assert rig.fleet.sessions() == 0
    assert all(int(meter.simulation.flows.last) == int(rig.utc) for meter in rig.meters)


def test_a_lost_connection_ends_its_sessions() -> None:
    rig = Rig()
    one = rig.caller(source="one", link=TCP_LINK)
    one.ask(session.LogonRequest.of(1, "R", 60))
    rig.caller(".9.2", source="two", link=TCP_LINK).ask(session.LogonRequest.of(1, "R", 60))
    one.send(one.sent[-1])
    assert rig.fleet.counters == {"received": 3}
    rig.fleet.lost("one")
    rig.fleet.lost("one")
    rig.fleet.lost("never heard")
    assert rig.fleet.sessions() == 1
    one.send(one.sent[-1])
    assert rig.fleet.sessions() == 2, "the memory of repetitions has ended, too"


def test_a_handler_that_fails_is_counted_and_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    told = []
    rig.fleet.listener = lambda event, meter: told.append((event, meter))

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(SimulatedMeter, "put", fail)
    rig.meter.tables.set("ST5.IDENTIFICATION", "BY HALVES")
    response = rig.caller().log_in().one(owner(b"X"))
    assert isinstance(response, ErrorResponse)
    assert rig.meter.tables["ST5"] == rig.profile.tables["ST5"], "it is what the store says"
    assert rig.fleet.counters["handler-failed"] == 1
    assert told
    assert told[0][1] is rig.meter


def test_many_meters_share_what_they_have_in_common() -> None:
    rig = Rig(count=50)
    shapes = {id(meter.tables.shape) for meter in rig.meters}
    assert len(shapes) == 1
    caller = rig.caller(called=str(rig.meters[7].title)).log_in()
    st62 = bytearray(rig.profile.tables["ST62"])
    st62[rig.device().layout("ST62.INT_FMT_CDE1").offset] = 4
    caller.write(62, bytes(st62))
    assert len({id(meter.tables.shape) for meter in rig.meters}) == 2
    assert isinstance(rig.fleet, Fleet)
    assert ApTitle(".123.8444") in rig.fleet.stations
    assert MASTER


def test_a_relay_gives_no_meter_the_title_of_another() -> None:
    rig = Rig(count=2, simulate=False)
    first, second = rig.fleet.stations.values()
    assert not rig.fleet.rename(first, second.meter.title.absolute())
    assert rig.fleet.counters["title-taken"] == 1
    assert rig.caller(".9.1", called=str(first.meter.title)).read(1) == first.meter.tables.all()["ST1"]
    assert rig.caller(".9.2", called=str(second.meter.title)).read(1) == second.meter.tables.all()["ST1"]
    assert rig.fleet.rename(first, first.meter.title)
    assert rig.fleet.rename(first, ApTitle(".55.1"))
    assert rig.fleet.rename(second, first.meter.title)  # which nobody has any more
    assert rig.caller(".9.3", called=".55.1").read(1) == first.meter.tables.all()["ST1"]
    assert rig.caller(".9.4", called=str(first.meter.title)).read(1) == second.meter.tables.all()["ST1"]


def test_an_empty_title_names_nobody_and_none_the_first_meter() -> None:
    rig = Rig(count=2, simulate=False)
    assert rig.caller(".9.1", called=None).ask(tables.ReadRequest(1))
    assert rig.caller(".9.2", called=".").ask(tables.ReadRequest(1)) == ()
    assert rig.fleet.counters["not-ours"] == 1


def test_the_key_of_one_meter_opens_no_other() -> None:
    own = [Key(2, bytes((number,)) * 16, f".123.{8437 + number}") for number in range(2)]
    rig = Rig(count=2, simulate=False, keys=KeyStore(own))
    titles = [station.meter.title for station in rig.fleet.stations.values()]
    for number, (called, calling, key) in enumerate(
        [(titles[1], titles[0], own[0]), (titles[0], titles[1], own[1]), (titles[0], ApTitle(".9"), own[0])]
    ):
        message = Message(
            called=called,
            calling=calling,
            calling_invocation_id=1,
            services=(tables.ReadRequest(1),),
            security_mode=2,
            key_id=2,
            iv=int(rig.utc).to_bytes(4),
        )
        sealed = encode(message, keys=key)
        rig.fleet.receive(sealed, source="thief", now=rig.now, utc=rig.utc)
        assert len(rig.fleet.apdus_to_send()) == (number == 2)
    assert rig.fleet.counters["wrong-mac"] == 2


@pytest.mark.parametrize("mode", [0, 2])
def test_requests_to_many_meters_have_a_budget(mode: int) -> None:
    """One datagram of 60 octets is looked at by all of them, even if each refuses it."""
    policy = NodePolicy(broadcasts=Rate(6, 1.0))
    rig = Rig(count=3, simulate=False, keys={2: KEY}, policy=policy)

    def ask(number: int, *, called: str = ".123.0", source: str = "stranger", forged: bool = True) -> int:
        secured = {"key_id": 2, "iv": int(rig.utc).to_bytes(4)} if mode or not forged else {}
        sealed = encode(
            Message(
                called=ApTitle(called),
                calling=ApTitle(".9"),
                calling_invocation_id=number,
                services=(tables.ReadRequest(1),),
                security_mode=2 if secured else 0,
                **secured,
            ),
            keys={2: KEY},
        )
        before = sum(rig.fleet.counters[reason] for reason in ("cleartext", "wrong-mac"))
        octets = sealed[:-1] + bytes((sealed[-1] ^ forged,)) if secured else sealed
        rig.fleet.receive(octets, source=source, now=rig.now, utc=rig.utc)
        heard = len(rig.fleet.apdus_to_send())
        return heard + sum(rig.fleet.counters[reason] for reason in ("cleartext", "wrong-mac")) - before

    assert ask(1, called=".123.8437", source="known", forged=False) == 1
    assert [ask(number) for number in range(2, 6)] == [3, 3, 0, 0]
    assert rig.fleet.counters["broadcasts-throttled"] == 2
    assert ask(6, called=".123.8437") == 1, "to one meter it costs little"
    assert ask(7, source="known", forged=False) == 3, "strangers use up nothing of who is known"
    rig.passes(3)
    assert [ask(number) for number in (8, 9)] == [3, 0]
