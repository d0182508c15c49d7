"""Registration, resolving, tracing and notifications, by both pumps over a wire in memory."""

from __future__ import annotations

import pytest

from c1222.services.network import NodeType, RegisterRequest
from c1222.services.results import Iar
from tests.c1222.client.rig import READER, Bench

pytestmark = pytest.mark.parametrize("kind", ["sync", "aio"])


def test_register_resolve_trace_and_deregister(kind: str) -> None:
    bench = Bench(kind, key=None, mode=0, node_key=None)
    meter = bench.meter
    known_as = meter.register(serial_number="1.3.6.1.4.1.33507.7", device_class=b"ITR1", ap_title=".5.6", period=600)
    assert (str(known_as.ap_title), known_as.period) == (".5.6", 3600)
    request = bench.store.requests[0]
    assert isinstance(request, RegisterRequest)
    assert (request.node_type, request.period, request.device_class) == (NodeType.END_DEVICE, 600, b"ITR1")
    assert meter.resolve(".5.6") == bytes.fromhex("7f0000010481")
    assert [str(title) for title in meter.trace()] == [READER, READER]
    assert str(meter.deregister()) == READER
    assert str(meter.deregister(".5.6")) == ".5.6"


def test_notifications_are_not_answered(kind: str) -> None:
    bench = Bench(kind, ed_class=b"DEMO")
    bench.meter.notify(7, b"\x1a\0\0\x02\0")
    bench.wire.run()
    assert bench.wire.counters["sent"] == 1
    write = bench.store.writes[0]
    assert write.data == b"\x1a\0\0\x02\0"  # type: ignore[attr-defined]
    bench.meter.notify("ST6", b"XY", offset=4, urgent=True, confirmed=True)
    assert bench.store.tables[6][4:6] == b"XY"
    assert bench.wire.counters["sent"] == 1 + 4  # silence is success, so it takes all attempts
    with pytest.raises(Iar):
        bench.meter.notify(2000, b"", confirmed=True)
