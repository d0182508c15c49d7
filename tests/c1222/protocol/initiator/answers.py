"""Services that are asked for, and answers made by hand."""

from collections.abc import Sequence

from c1222.message.epsem import SecurityMode
from c1222.protocol.composing import encode
from c1222.protocol.message import Message
from c1222.protocol.opening import decode
from c1222.services import Service, TableData, session, tables
from c1222.transport.memory import Mishaps, Wire
from tests.c1222.protocol.rig import KEY

READ = tables.ReadRequest(1)
WRITE = tables.WriteRequest(5, TableData(b"hello"))
LOGON = session.LogonRequest.of(2, "USER", 60)
LOGOFF = session.LogoffRequest()
STEADY = Mishaps(delay=(0.01, 0.01))
SECURED = {"keys": KEY, "mode": 2, "key_id": 2}


class Silence:
    """Takes what is sent, for tests that answer by hand."""

    def __init__(self, wire: Wire, address: str = "node") -> None:
        self.wire = wire
        self.heard: list[tuple[float, bytes]] = []
        wire.attach(address, lambda apdu, _: self.heard.append((wire.now, apdu)))

    @property
    def last(self) -> Message:
        return decode(self.heard[-1][1], keys=KEY)


def answer_to(
    request: Message,
    said: Sequence[Service],
    *,
    mode: SecurityMode | None = None,
    keys: object = KEY,
    **changes: object,
) -> bytes:
    """Make an answer as a node would, with changes."""
    mode = request.security_mode if mode is None else mode
    fields: dict[str, object] = {
        "called": request.calling,
        "calling": request.called,
        "calling_invocation_id": 77,
        "called_invocation_id": request.calling_invocation_id,
        "services": said,
        "security_mode": mode,
        "key_id": 2 if mode else None,
        "iv": (request.iv or b"\x5f\x5e\x10\x00") if mode else None,
    }
    return encode(Message(**{**fields, **changes}), keys=keys)  # type: ignore[arg-type]


OK_READ = (tables.ReadResponse(TableData(b"MANUFACTURER SN ")),)
