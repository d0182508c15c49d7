from collections import Counter

import pytest

from c1222.errors import ConnectionLost, EncodeError, Unreachable
from c1222.transport.memory import EPOCH, Mishaps, Wire

ROUGH = Mishaps(loss=0.2, duplication=0.1, reorder=0.2, corruption=0.05, delay=(0.01, 0.02), held=2.0)


def carry(wire: Wire, count: int) -> list[tuple[float, bytes]]:
    got: list[tuple[float, bytes]] = []
    wire.attach("b", lambda apdu, _source: got.append((wire.now, apdu)))
    for number in range(count):
        wire.call_at(number * 0.1, lambda n=number: wire.send(n.to_bytes(4, "big"), source="a", to="b"))
    wire.run()
    return got


def test_a_good_wire_delivers_everything_in_order() -> None:
    wire = Wire(mishaps=Mishaps(delay=(0.01, 0.02)))
    got = carry(wire, 50)
    assert [int.from_bytes(apdu) for _, apdu in got] == list(range(50))
    assert all(0.01 <= when - n * 0.1 <= 0.02 + 1e-9 for n, (when, _) in enumerate(got))
    assert wire.counters == Counter(sent=50, delivered=50)
    assert wire.utc == EPOCH + wire.now


def test_the_same_seed_is_the_same_run_and_another_is_not() -> None:
    runs = [carry(Wire(seed=seed, mishaps=ROUGH), 400) for seed in (7, 7, 8)]
    assert runs[0] == runs[1] != runs[2]


def test_mishaps_happen_as_often_as_asked() -> None:
    wire = Wire(seed=1, mishaps=ROUGH)
    got = carry(wire, 4000)
    counters = wire.counters
    assert counters["sent"] == 4000
    assert 700 < counters["lost"] < 900
    assert 250 < counters["doubled"] < 400
    assert 550 < counters["held"] < 750
    assert 100 < counters["corrupted"] < 230
    assert counters["delivered"] == len(got) == 4000 - counters["lost"] + counters["doubled"]
    numbers = [int.from_bytes(apdu) for _, apdu in got if int.from_bytes(apdu) < 4000]
    assert numbers != sorted(numbers)
    damaged = [apdu for _, apdu in got if int.from_bytes(apdu) >= 4000]
    assert damaged


def test_a_reliable_wire_knows_no_mishaps() -> None:
    wire = Wire(seed=1, mishaps=ROUGH._replace(delay=(0.0, 1.0)), reliable=True)
    assert [int.from_bytes(apdu) for _, apdu in carry(wire, 100)] == list(range(100))


def test_waiting_moves_the_clock_only_as_far_as_needed() -> None:
    wire = Wire(mishaps=Mishaps(delay=(0.5, 0.5)))
    client, server = wire.endpoint("c", "s"), wire.endpoint("s", "c")
    assert client.receive(2.0) is None
    assert wire.now == 2.0
    server.send(b"x")
    assert client.receive(2.0) == b"x"
    assert wire.now == 2.5
    assert client.receive(None) is None
    assert wire.now == 2.5
    assert client.receive(-1.0) is None
    assert wire.now == 2.5


def test_timers() -> None:
    wire = Wire()
    done: list[str] = []
    wire.call_at(1.0, lambda: done.append("one"))
    cancelled = wire.call_at(2.0, lambda: done.append("two"))
    wire.call_at(3.0, lambda: done.append("three"))
    cancelled.cancel()
    assert wire.run(until=1.5) is False
    assert (done, wire.now) == (["one"], 1.5)
    assert wire.next_due() == 3.0
    assert wire.run(done=lambda: "three" in done) is True
    assert (done, wire.now, wire.step()) == (["one", "three"], 3.0, False)


def test_endpoints_fail_as_told() -> None:
    wire = Wire(max_size=10)
    with wire.endpoint("c", "s") as client:
        with pytest.raises(EncodeError):
            client.send(bytes(11))
        client.send(b"x")  # nobody is there, and nobody tells
        assert client.receive(1.0) is None
        assert wire.counters["nobody"] == 1
        wire.call_at(1.5, lambda: setattr(client, "failure", Unreachable("port closed")))
        with pytest.raises(Unreachable):
            client.receive(5.0)
        assert wire.now == 1.5
        with pytest.raises(Unreachable):
            client.send(b"x")
        client.failure = None
    client.close()
    with pytest.raises(ConnectionLost):
        client.send(b"x")


def test_log_sees_what_is_sent() -> None:
    wire = Wire(mishaps=Mishaps(loss=1.0))
    seen: list[tuple[object, ...]] = []
    wire.log = lambda *what: seen.append(what)
    wire.send(b"x", source="a", to="b")
    assert seen == [(0.0, "a", "b", b"x")]
