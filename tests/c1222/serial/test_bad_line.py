"""Thousands of exchanges on a line that loses, flips and doubles octets: what a client says of them is so.

By default a part of them; ``C1222_EXCHANGES=10000`` makes them all.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

import pytest

from c1222.errors import C1222Error
from c1222.serial.opening import SerialLogon
from c1222.serial.session import ServiceAnswered, ServiceFailed
from c1222.serial.session_state import SerialState
from c1222.services import Request, Response, TableData
from c1222.services.results import Isc
from c1222.services.tables import ReadRequest, ReadResponse, WriteRequest
from tests.c1222.serial.test_session import Bench
from tests.c1222.serial.wire import Damage

EXCHANGES = int(os.environ.get("C1222_EXCHANGES", "300"))
LOGON = SerialLogon(2, "USER", "PASSWORD", packet_size=64, packets=4)
WRITABLE, REFUSING = 7, 3
"""Numbers of tables."""


def said(event: ServiceAnswered | ServiceFailed) -> str:
    """What the client says of a write: done, refused, or unknown where the meter may have done it."""
    if isinstance(event, ServiceAnswered):
        return "done" if event.response.result == "ok" else "refused"
    assert event.unknown, "a write without an answer is unknown"
    return "unknown"


@dataclass
class Session:
    """A client that writes and reads, opens its session anew after each doubt, and keeps account."""

    bench: Bench
    counts: Counter[str] = field(default_factory=Counter)
    values: dict[bytes, str] = field(default_factory=dict)
    """What was written, and what is known of it."""

    def open(self) -> None:
        for _ in range(40):
            if self.bench.session.state != SerialState.BASE:
                return
            try:
                self.bench.recover()
                self.bench.open(LOGON)
            except C1222Error:
                self.counts["session not opened"] += 1
        pytest.fail("no session in forty attempts")

    def exchange(self, number: int) -> None:
        """Read, or write a new value to a table that takes it or to one that refuses it."""
        self.open()
        if number % 2 and number % 10 != 9:
            self.read(WRITABLE)
            return
        value = number.to_bytes(4, "big") * (1 + number % 40)
        table = WRITABLE if number % 2 == 0 else REFUSING
        self.values[value] = said(self.bench.ask(WriteRequest(table, TableData(value))))
        self.counts[self.values[value]] += 1
        if self.values[value] == "unknown":
            self.settle(table, value)

    def read(self, table: int) -> bytes | None:
        event = self.bench.ask(ReadRequest(table))
        if isinstance(event, ServiceFailed):
            self.counts["read failed"] += 1
            return None
        response = event.response
        assert isinstance(response, ReadResponse)
        assert response.checksum_ok
        assert response.data == self.bench.meter.tables[table], "a wrong value"
        self.counts["read"] += 1
        return bytes(response.data)

    def settle(self, table: int, value: bytes) -> None:
        """Read back until it is known whether a write was done."""
        for _ in range(40):
            self.open()
            found = self.read(table)
            if found is not None:
                self.values[value] = "done" if found == value else "not done"
                self.counts[f"settled: {self.values[value]}"] += 1
                return
        pytest.fail("no read-back in forty attempts")


def refuse_writes(bench: Bench) -> None:
    carry_out = bench.device._carry_out

    def carried(request: Request) -> Response:
        if isinstance(request, WriteRequest) and request.table == REFUSING:
            raise Isc
        return carry_out(request)

    bench.device._carry_out = carried


@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_every_write_is_settled_and_every_value_right(rate: float) -> None:
    damage = Damage(seed=20, lost=rate / 3, flipped=rate / 3, doubled=rate / 3)
    session = Session(Bench(damage, packet_size=64, packets=4))
    session.bench.meter.tables |= {WRITABLE: b"before", REFUSING: b"as it was"}
    refuse_writes(session.bench)
    for number in range(EXCHANGES):
        session.exchange(number)
    written = Counter(session.bench.meter.written)
    assert set(written.values()) <= {1}, "done twice"
    for value, state in session.values.items():
        assert (state == "done") == (written[value] == 1)
    assert set(written) <= set(session.values)
    print(f"{EXCHANGES} exchanges, {rate:.1%}: {dict(session.counts)}, link: {dict(session.bench.session.link.counts)}")
    assert session.counts["done"] > EXCHANGES * (0.39 if rate < 0.01 else 0.2)
