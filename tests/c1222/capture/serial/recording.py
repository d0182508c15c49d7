"""A meter that is read over a line, and what a sniffer of that line would have seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from c1219 import Device
from c1222.serial.opening import SerialLogon
from c1222.services import Request, Response, TableData
from c1222.services.results import Err, Iar
from c1222.services.session import SecurityRequest
from c1222.services.tables import ReadOffsetRequest, ReadRequest, WriteRequest
from tests.c1222.serial.test_session import Bench
from tests.c1222.serial.wire import Damage

DEVICES = Path(__file__).parents[4] / "specs" / "devices"
LOGON = SerialLogon(2, "USER", "PASSWORD", packet_size=128, packets=20, rates=(9600,))


class Sent(NamedTuple):
    """What one end sent, and when."""

    at: float
    end: str
    octets: bytes


class Recording:
    """A session with a meter of a device file, and all that was sent."""

    def __init__(self, damage: Damage | None = None, device: str = "polyphase-tou.json", **options: Any) -> None:
        self.device = Device.from_json((DEVICES / device).read_text("utf-8"))
        self.sent: list[Sent] = []
        self.bench = Bench(damage or Damage(), packets=20, **options)
        self.bench.device._carry_out = self._carry_out
        wire = self.bench.wire
        do = wire.do

        def recorded(end: Any, events: list[Any]) -> None:
            carry, wire.damage.apply = wire.damage.apply, self._listen(end, wire.damage.apply)
            try:
                do(end, events)
            finally:
                wire.damage.apply = carry  # type: ignore[method-assign]

        wire.do = recorded  # type: ignore[method-assign]

    def _listen(self, end: Any, carry: Any) -> Any:
        who = "C" if end is self.bench.wire.ends[0] else "D"

        def heard(octets: bytes) -> bytes:
            self.sent.append(Sent(self.bench.wire.now, who, octets))
            return carry(octets)

        return heard

    def _carry_out(self, request: Request) -> Response:
        assert request.answer is not None
        if isinstance(request, (ReadRequest, ReadOffsetRequest)):
            if request.table not in self.device:
                raise Iar
            octets = self.device[request.table].raw
            if isinstance(request, ReadOffsetRequest):
                octets = octets[request.offset : request.offset + request.count]
            return request.answer(TableData(octets))
        if isinstance(request, WriteRequest):
            raise Iar
        if isinstance(request, SecurityRequest) and request.password.rstrip(b" ") != b"PASSWORD":
            raise Err
        return request.answer()

    def read(self, *tables: int) -> None:
        """Open a session if there is none, and read tables."""
        if self.bench.session.state == "base":
            self.bench.open(LOGON)
        for table in tables:
            self.bench.ask(ReadRequest(table))

    @property
    def raw(self) -> bytes:
        """All octets, both directions."""
        return b"".join(sent.octets for sent in self.sent)

    @property
    def text(self) -> str:
        """A log with times of a day and directions."""
        return "".join(
            f"2026-03-01T10:{int(at) // 60:02}:{at % 60:09.6f}Z {'>' if end == 'C' else '<'} {octets.hex(' ')}\n"
            for at, end, octets in self.sent
        )
