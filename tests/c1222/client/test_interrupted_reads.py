"""Reads that are interrupted and resumed, by both pumps over a wire in memory."""

from __future__ import annotations

import pytest

from c1222.client.errors import ReadInterrupted
from c1222.errors import ConnectionLost, PeerSilent
from c1222.services import Request, Response, tables
from c1222.services.results import Bsy
from tests.c1222.client.failures import both, cut, heal, known_value, lose, says
from tests.c1222.client.rig import Bench


@both
def test_a_connection_lost_in_the_middle_of_a_read_and_resumed(kind: str) -> None:
    bench = Bench(kind, reliable=True, chunk=500)
    bench.meter.read(61)
    pieces = 0

    def lose(request: Request) -> Response | None:
        nonlocal pieces
        if isinstance(request, tables.ReadOffsetRequest):
            pieces += 1
            if pieces == 12:
                bench.lose_connection(ConnectionLost("the connection is lost: closed by the peer"))
        return None

    bench.store.plan.append(lose)
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.read(64)
    error = caught.value
    says(error, "after 5500 of 17808 octets", "closed by the peer", "Connect again", "`resume`")
    assert isinstance(error.reason, ConnectionLost)
    assert error.__cause__ is error.reason
    assert b"".join(octets for _, octets in sorted(error.pieces[64].items())) == bench.store.tables[64][:5500]
    meter = bench.connect(device=bench.meter.device)
    seen: list[tuple[int, int | None]] = []
    value = meter.read(64, resume=error, progress=lambda done, total: seen.append((done, total)))
    assert value == known_value(bench, 64)
    assert pieces == 12 + (17808 - 5500 + 499) // 500
    assert seen[-1] == (17808, 17808)


@both
def test_silence_in_the_middle_of_a_load_profile_and_resumed(kind: str) -> None:
    bench = Bench(kind, attempts=2)
    whole = bench.meter.load_profile(1)
    reads = 0

    def count(request: Request) -> Response | None:
        nonlocal reads
        reads += isinstance(request, tables.ReadOffsetRequest) and request.table == 64
        if reads == 5 and isinstance(request, tables.ReadOffsetRequest):
            lose(bench)
        return None

    bench.store.plan.append(count)
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.load_profile(1)
    assert isinstance(caught.value.reason, PeerSilent)
    assert caught.value.gathered.done >= 4 * 1000
    heal(bench)
    assert bench.meter.load_profile(1, resume=caught.value).rows == whole.rows
    assert reads <= 17


@both
def test_a_refusal_in_the_middle_of_a_read_keeps_what_came(kind: str) -> None:
    bench = Bench(kind, busy_tries=0)
    bench.meter.read(61)
    reads = 0

    def busy(request: Request) -> Response | None:
        nonlocal reads
        reads += isinstance(request, tables.ReadOffsetRequest)
        if reads == 3:
            raise Bsy
        return None

    bench.store.plan.append(busy)
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.read(64)
    assert isinstance(caught.value.reason, Bsy)
    assert bench.meter.read(64, resume=caught.value) == known_value(bench, 64)


@both
def test_several_tables_interrupted_between_messages(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    wanted = [23, 24, 25, 26, 28, 12, 16, 54]
    bench.meter.read(*wanted)
    bench.store.requests.clear()
    cut(bench, lambda: any(getattr(request, "table", 0) == 26 for request in bench.store.requests))
    with pytest.raises(ReadInterrupted) as caught:
        bench.meter.read(*wanted)
    got = set(caught.value.pieces)
    assert got
    assert 54 not in got
    bench.store.plan.clear()
    heal(bench)
    bench.store.requests.clear()
    values = bench.meter.read(*wanted, resume=caught.value)
    assert values == [known_value(bench, table) for table in wanted]
    assert not got & {getattr(request, "table", 0) for request in bench.store.requests}


@both
def test_dimension_tables_are_not_what_is_resumed(kind: str) -> None:
    bench = Bench(kind, attempts=1)
    cut(bench, lambda: any(getattr(request, "table", 0) == 21 for request in bench.store.requests))
    with pytest.raises(PeerSilent):
        bench.meter.read(23)
