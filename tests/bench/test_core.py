"""One read, asked and answered with no I/O: what the core costs at each end, encoding and crypto included.

python -m pytest tests/bench/test_core.py --benchmark-enable
"""

from typing import Any

import pytest

from c1222.protocol.events import Completed
from c1222.protocol.identity import Identity
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.responder.responder import Responder
from c1222.services import Request, TableData, session, tables
from tests.c1222.protocol.rig import KEY, METER, READER

pytestmark = pytest.mark.benchmark(group="core")
READ = tables.ReadRequest(1)


def answer(request: Request, _context: object) -> Any:
    if isinstance(request, session.LogonRequest):
        return session.LogonResponse(0)
    return tables.ReadResponse(TableData(b"MANUFACTURER SN "))


@pytest.mark.parametrize("in_session", [False, True], ids=["sessionless", "session"])
@pytest.mark.parametrize("mode", [0, 1, 2])
def test_a_read(benchmark: Any, mode: int, in_session: bool) -> None:
    keys = KEY if mode else None
    node = Responder(Identity(METER, keys), answer)
    meter = Initiator(Identity(READER, keys), METER, mode=mode, key_id=2 if mode else None)
    clock = iter(range(10**9))

    def ask(request: Request) -> Any:
        now = next(clock) * 0.001
        meter.request(request, now=now, utc=1.6e9 + now)
        for apdu in meter.apdus_to_send():
            node.receive(apdu, source="reader", now=now, utc=1.6e9 + now)
        for out in node.apdus_to_send():
            meter.receive(out.apdu, now=now, utc=1.6e9 + now)
        return meter.events()[-1]

    if in_session:
        ask(session.LogonRequest.of(2, "USER", 0))
    assert isinstance(benchmark(ask, READ), Completed)
