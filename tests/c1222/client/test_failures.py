"""A meter that is silent, restarts or is far away, by both pumps over a wire in memory."""

from __future__ import annotations

import pytest

from c1222.client.errors import WriteUnknown
from c1222.errors import ConnectionLost, PeerSilent, SessionLost, Unreachable
from c1222.services import session
from c1222.transport.memory import Mishaps
from tests.c1222.client.failures import both, known_value, says
from tests.c1222.client.rig import KEY, METER, PASSWORD, Bench, Tiny

# --- nobody answers


@both
def test_silence(kind: str) -> None:
    bench = Bench(kind, mode=0)
    bench.wire.detach("node")
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, METER, "within 41 s", "asked 4 times", "is on", "address and called title")
    assert bench.wire.counters["sent"] == 4
    bench = Bench(kind, timeout=1, attempts=2)
    bench.wire.detach("node")
    with pytest.raises(PeerSilent) as caught:
        bench.meter.read(1)
    says(caught.value, "within 2.5 s", "asked 2 times", "key, key id and both clocks")


@both
def test_a_port_that_is_closed(kind: str) -> None:
    bench = Bench(kind)
    if kind == "sync":
        send = bench.endpoint.send

        def refuse(apdu: bytes) -> None:
            send(apdu)
            raise Unreachable("no way to the peer: Connection refused")

        bench.endpoint.send = refuse  # type: ignore[method-assign]
        bench.wire.detach("node")
    else:
        bench.wire.attach("node", lambda *_: bench.inner.lost(Unreachable("no way to the peer: Connection refused")))
    with pytest.raises(Unreachable) as caught:
        bench.meter.read(1)
    says(caught.value, "Connection refused", "host and port", "node listens")
    assert bench.wire.now < 5  # sooner than silence
    assert bench.wire.counters["sent"] == 2  # one report may be forged or old


@both
def test_a_link_that_stays_dead_ends_the_wait(kind: str) -> None:
    bench = Bench(kind)
    bench.wire.detach("node")
    if kind == "sync":
        bench.endpoint.failure = Unreachable("no route")
        with pytest.raises(Unreachable, match="no route"):
            bench.meter.read(1)
    else:
        bench.wire.attach("node", lambda *_: bench.inner.lost(ConnectionLost("the socket is closed")))
        with pytest.raises(ConnectionLost, match="Connect again"):
            bench.meter.read(1)


# --- sessions


@both
@pytest.mark.parametrize("mode", [1, 2])
def test_a_node_that_restarts_in_a_session(kind: str, mode: int) -> None:
    bench = Bench(kind, session=True, user_id=7, password=PASSWORD, mode=mode)
    bench.meter.read(1)
    bench.restart_node()
    with pytest.raises(SessionLost) as caught:
        bench.meter.read(5)
    says(caught.value, "session", "restarted", "Log on again")
    assert bench.meter.read(5).IDENTIFICATION == "METER-008437"  # a new session is opened
    logons = [request for request in bench.store.requests if isinstance(request, session.LogonRequest)]
    assert len(logons) == 2


@both
def test_a_write_into_a_session_that_the_node_forgot(kind: str) -> None:
    bench = Bench(kind, session=True, user_id=7, password=PASSWORD)
    bench.meter.read(1)
    bench.restart_node()
    with pytest.raises(WriteUnknown) as caught:
        bench.meter.write_octets(5, bytes(20))
    says(caught.value, "session", "forgotten")
    assert not bench.store.writes


@both
def test_closing_does_not_wait_long_for_a_meter_that_is_gone(kind: str) -> None:
    bench = Bench(kind, session=True)
    bench.meter.read(1)
    bench.wire.detach("node")
    started = bench.wire.now
    bench.meter.close()
    assert bench.wire.now - started <= 3


@both
def test_rough_weather(kind: str) -> None:
    """Loss, duplication and reordering: every verb still gives what it should, and every write happens once."""
    rough = Mishaps(loss=0.15, duplication=0.1, reorder=0.2, delay=(0.01, 0.2), held=3.0)
    bench = Bench(kind, store=Tiny(), mishaps=rough, session=True, password=PASSWORD, timeout=1.0, attempts=20)
    expected = known_value(bench, 64)
    assert bench.meter.read(64) == expected
    for number in range(20):
        bench.meter.write("ST6.OWNER_NAME", f"owner {number}")
        assert bench.meter.read("ST6.OWNER_NAME") == f"owner {number}"
    assert len(bench.store.writes) == 20
    for _ in range(5):
        bench.meter.procedure(4, 1)
    assert len(bench.store.procedures) == 5
    assert KEY.octets.hex() not in repr(bench.inner)
