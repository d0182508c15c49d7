"""Registering with a relay, from the node's side: ask, retry, renew before the registration runs out.

Origin: waits and their growth, and when to renew, from Itron's stack [1]. Ours: only an answer that quotes our
request is taken, from whatever address, and with keys the registration is secured. The delay that an answer names, for
the time after a power-up, is not kept: a node registers as soon as it starts.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from c1219.codes.results import ResultCode
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.protocol.events import Completed, Failed
from c1222.protocol.initiator.initiator import Initiator
from c1222.protocol.policy import UDP_LINK, Options, Timing
from c1222.services import ErrorResponse
from c1222.services.network import (
    ConnectionType,
    DeregisterRequest,
    NodeType,
    RegisterRequest,
    RegisterResponse,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.protocol.identity import Identity
    from c1222.protocol.initiator.exchange import Exchange

__all__ = ["Registration"]

_ATTEMPT: Final = Timing(timeout=15.0, growth=1.0, attempts=4, busy_tries=0)
"""One attempt: given up after 60 s."""
_WAIT: Final = (60.0, 300.0)
_GROWTH: Final = (1, 2, 4)
_EARLY: Final = 300
_LONGEST_PERIOD: Final = 0xFFFFFF


class Registration:
    """Keeps one node registered. Without a socket, a thread or a clock.

    Args:
        identity: the node's.
        relay: title of the master relay; None when it is not known.
        device_class: 4 octets.
        native_address: the node's own, as it reports it.
        serial_number: its electronic serial number.
        mode: how requests are secured.
        key_id: which key, in modes 1 and 2.
        period: seconds between registrations that the node wishes, at most.
        seed: what random waits follow from.
        ended: called with a RESULT_CODE when an attempt that `register` or `deregister` asked for has ended.

    Attributes:
        title: the title the relay gave; None while not registered.
        expires: when the registration runs out, on the clock of ``now``; None for never.
        result: response code of the last attempt; None when there was no answer.
        content: the node's title as it stands in answers to it.
        renamed: called with the title to use from now on, when the relay gives another one; it returns whether the
            node can go by that. If it cannot, the node is not registered, and asks again later.
    """

    def __init__(
        self,
        identity: Identity,
        relay: ApTitle | str | None = None,
        *,
        device_class: bytes,
        native_address: bytes = b"",
        serial_number: ApTitle | None = None,
        mode: SecurityMode | int = SecurityMode.CLEARTEXT,
        key_id: int | None = None,
        period: int = _LONGEST_PERIOD,
        seed: int = 0,
        ended: Callable[[int], None] | None = None,
    ) -> None:
        options = Options(ed_class=device_class)
        self._initiator = Initiator(
            identity, relay, mode=mode, key_id=key_id, link=UDP_LINK, timing=_ATTEMPT, options=options
        )
        self._identity = identity
        self._class = device_class
        self._address = native_address
        self._serial = ApTitle(".") if serial_number is None else serial_number
        self._period = period
        self._random = Random(seed)  # noqa: S311 - waits that spread load
        self._ended = ended
        self.renamed: Callable[[ApTitle], bool] | None = None
        self._asked = False
        self._exchange: Exchange | None = None
        self._next: float | None = 0.0
        self._tries = 0
        self.title: ApTitle | None = None
        self.expires: float | None = None
        self.result: int | None = None
        title = identity.title
        self.content = b"" if title is None else title.absolute(identity.keys.base_oid).content

    @property
    def is_registered(self) -> bool:
        """Whether a relay knows the node."""
        return self.title is not None

    def register(self) -> bool:
        """Register now, whatever the time; return whether that is possible."""
        self._next = 0.0
        self._asked = True
        return True

    def deregister(self, *, now: float, utc: float) -> bool:
        """Leave the relay; return whether that is possible."""
        if self.title is None:
            return False
        self._asked = True
        self._next = None
        self._exchange = self._initiator.request(DeregisterRequest(self.title), now=now, utc=utc)
        return True

    def tick(self, *, now: float, utc: float) -> None:
        """Send, repeat or renew the registration if that is due."""
        self._initiator.tick(now=now, utc=utc)
        if self._next is not None and now >= self._next and self._exchange is None:
            self._next = None
            node = NodeType.END_DEVICE
            connection = ConnectionType.CONNECTIONLESS | ConnectionType.ACCEPTS_CONNECTIONLESS
            title = self._identity.title or ApTitle(".")
            request = RegisterRequest(node, connection, self._class, title, self._serial, self._address, self._period)
            self._exchange = self._initiator.request(request, now=now, utc=utc)
        self._look(now)

    def receive(self, apdu: bytes, *, now: float, utc: float) -> None:
        """Take an answer that came in. Nothing it holds makes this raise."""
        self._initiator.receive(apdu, now=now, utc=utc)
        self._look(now)

    def apdus_to_send(self, *, now: float, utc: float) -> list[bytes]:
        """Return the APDUs to send to the relay, once."""
        self.tick(now=now, utc=utc)
        return self._initiator.apdus_to_send()

    def next_deadline(self) -> float | None:
        """Return when to call `tick`, on the clock of ``now``; None for never, as things are."""
        deadlines = [one for one in (self._initiator.next_deadline(), self._next) if one is not None]
        return min(deadlines, default=None)

    def _look(self, now: float) -> None:
        for event in self._initiator.events():
            if isinstance(event, (Completed, Failed)) and event.exchange is self._exchange:
                self._exchange = None
                response = event.responses[0] if isinstance(event, Completed) and event.responses else None
                leaving = isinstance(event.exchange.services[0], DeregisterRequest)
                if leaving:
                    self._left(ok=response is not None and not response.code)
                elif isinstance(response, RegisterResponse):
                    self._registered(response, now)
                else:
                    self.result = response.code if isinstance(response, ErrorResponse) else None
                    self._failed(now)

    def _registered(self, response: RegisterResponse, now: float) -> None:
        self.result = 0
        other = not self._identity.same(response.ap_title, self._identity.title)
        if self.renamed is not None and other and not self.renamed(response.ap_title):
            self.title = self.expires = None
            self._failed(now, ResultCode.CONFLICTS_WITH_SETUP)
            return
        self.title = response.ap_title
        self._tries = 0
        self.expires = now + response.period if response.period else None
        early = _EARLY if response.period > _EARLY else 0
        self._next = None if self.expires is None else self.expires - early
        self._tell(ResultCode.COMPLETED)

    def _left(self, *, ok: bool) -> None:
        if ok:
            self.title = self.expires = None
        self._tell(ResultCode.COMPLETED if ok else ResultCode.CONFLICTS_WITH_SETUP)

    def _failed(self, now: float, result: ResultCode = ResultCode.TIMING_CONSTRAINT) -> None:
        growth = _GROWTH[min(self._tries, len(_GROWTH) - 1)]
        self._tries += 1
        self._next = now + self._random.uniform(*_WAIT) * growth
        if self.expires is not None and now >= self.expires:
            self.title = self.expires = None
        self._tell(result)

    def _tell(self, result: int) -> None:
        if self._asked and self._ended is not None:
            self._ended(result)
        self._asked = False
