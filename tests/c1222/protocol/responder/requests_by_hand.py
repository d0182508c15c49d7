"""A responder, and requests made by hand."""

from collections.abc import Sequence
from typing import Any

from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.protocol.composing import encode
from c1222.protocol.identity import Identity
from c1222.protocol.message import Message
from c1222.protocol.opening import decode
from c1222.protocol.policy import UDP_LINK, Link
from c1222.protocol.responder.responder import Responder
from c1222.services import Service, TableData, session, tables
from c1222.transport.memory import EPOCH
from tests.c1222.protocol.rig import KEY, METER, READER, Store

READ = tables.ReadRequest(1)
WRITE = tables.WriteRequest(5, TableData(b"hello"))

LOGON = session.LogonRequest.of(2, "USER", 60)
LOGOFF = session.LogoffRequest()

GOOD, BAD = session.SecurityRequest.of("secret", 2), session.SecurityRequest.of("wrong", 2)

NOW = int(EPOCH)


class Bench:
    """A responder, and requests made by hand."""

    def __init__(self, *, keys: Any = None, title: str | None = METER, link: Link = UDP_LINK, **options: Any) -> None:
        self.store = Store()
        guard = options.pop("guard", None)
        self.responder = Responder(Identity(title, keys, guard=guard), self.store, **options)
        self.link = link
        self.now = 0.0
        self.keys = keys
        self.ids = iter(range(1000, 10**6))

    def request(self, *services: Service, mode: int = 0, keys: Any = None, **changes: Any) -> bytes:
        fields: dict[str, Any] = {
            "called": ApTitle(METER),
            "calling": ApTitle(READER),
            "calling_invocation_id": next(self.ids),
            "services": services,
            "security_mode": SecurityMode(mode),
            "key_id": 2 if mode else None,
            "iv": int(NOW + self.now).to_bytes(4) if mode else None,
        }
        return encode(Message(**{**fields, **changes}), keys=keys or self.keys or KEY)

    def hear(self, apdu: bytes, source: Any = "reader", **options: Any) -> list[bytes]:
        self.responder.receive(
            apdu, source=source, now=self.now, utc=NOW + self.now, link=options.pop("link", self.link), **options
        )
        out = self.responder.apdus_to_send()
        assert all(one.source == source for one in out)
        return [one.apdu for one in out]

    def ask(self, *services: Service, **changes: Any) -> list[Any]:
        """Ask and return the responses; the one of a refusal in cleartext too."""
        request = self.request(*services, **changes)
        out = self.hear(request)
        if not out:
            return []
        asked = decode(request, keys=self.keys or KEY, session=changes.get("session"))
        answer = decode(out[0], keys=self.keys or KEY, request=asked, session=changes.get("session"))
        assert answer.called_invocation_id == asked.calling_invocation_id
        return list(answer.services)

    @property
    def counters(self) -> dict[str, int]:
        return dict(self.responder.counters)

    def events(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.responder.events() if isinstance(event, kind)]


def codes(responses: Sequence[Any]) -> list[int]:
    return [response.code for response in responses]
