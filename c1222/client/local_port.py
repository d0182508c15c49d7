"""A device of C12.22 reached through its local port, in place of its communication module: an endpoint for a client.

endpoint = LocalPortEndpoint("serial:///dev/ttyUSB0")
with c1222.connect(endpoint, called=".123.8437", calling=".123.4", key=key) as meter: ...
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Final

from c1222.errors import C1222Error, ConnectionLost, EncodeError
from c1222.serial.link_events import ChangeRate, LinkDown, Transmit
from c1222.serial.localport.conversation import ANSWER_WITHIN, ApduArrived, PortAnswered, PortConversation, PortFailed
from c1222.serial.localport.port import KEEP_ALIVE, LocalPort
from c1222.serial.localport.services import PortNegotiateRequest, SendMessageRequest
from c1222.transport.lines.blocking import open_line
from c1222.transport.lines.line_url import PORT_OPTIONS, parse_line_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.serial.localport.conversation import PortEvent
    from c1222.transport.lines.blocking import Line

__all__ = ["LocalPortEndpoint"]

_CODE: Final = 2
"""Octets of Send message besides the APDU and the address: code, length of the address."""


class LocalPortEndpoint:
    """Passes APDUs to the device at a local port and takes those that it passes on. Give it to ``c1222.connect``.

    Args:
        line: address of the line, ``serial:///dev/ttyUSB0``, ``c1218+tcp://host:port`` or another of that kind; or a
            line that is open.
        packet_size: octets of a packet to agree on; 64 leaves Negotiate out.
        packets: packets of a message to agree on.
        address: native address that goes with APDUs.
        port: the link, for other identities and CRCs than the usual ones.
        clock: seconds on a clock that only goes forward.

    Attributes:
        reliable: True: who is at the other end of a line is known.
        max_size: octets of the largest APDU that fits what was agreed on.

    Raises:
        InvalidUrl: it is no such address; Unreachable: there is no way there; StateError: an extra is not installed.
        PeerSilent: nobody answers.
    """

    reliable = True

    def __init__(
        self,
        line: str | Line,
        *,
        packet_size: int = 1024,
        packets: int = 16,
        address: bytes = b"",
        port: LocalPort | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line: Line = open_line(parse_line_url(line, PORT_OPTIONS)) if isinstance(line, str) else line
        self._clock, self._address = clock, address
        self._talk = PortConversation(LocalPort(keep_alive=KEEP_ALIVE) if port is None else port)
        self._came: deque[bytes] = deque()
        self._failure: C1222Error | None = None
        self._answered = True
        self._talk.port.start(clock())
        if packet_size > self._talk.port.packet_size:
            try:
                self._do(self._talk.ask(PortNegotiateRequest(packet_size, packets, b"", 1), clock()))
                self._answered = False
                self._pump(clock() + ANSWER_WITHIN, lambda: self._answered)
            except BaseException:
                self.close()
                raise

    @property
    def max_size(self) -> int:
        """Octets of the largest APDU."""
        return self._talk.port.max_message - _CODE - len(self._address)

    def send(self, apdu: bytes) -> None:
        """Pass an APDU on.

        Raises:
            EncodeError: it is too large.
            ConnectionLost: the line is gone; PeerSilent, SessionLost: the device is.
        """
        if len(apdu) > self.max_size:
            raise EncodeError(f"an APDU of {len(apdu)} octets, the limit is {self.max_size}")
        self._do(self._talk.ask(SendMessageRequest(self._address, apdu), self._clock()))

    def receive(self, timeout: float | None) -> bytes | None:
        """Wait for an APDU, so many seconds, None for ever.

        Raises:
            ConnectionLost: the line is gone; PeerSilent, SessionLost: the device is.
        """
        self._pump(None if timeout is None else self._clock() + timeout, lambda: bool(self._came))
        return self._came.popleft() if self._came else None

    def close(self) -> None:
        """Close the line. May be called twice."""
        self._line.close()

    def _pump(self, until: float | None, done: Callable[[], bool]) -> None:
        while True:
            if self._failure is not None:
                failure, self._failure = self._failure, None
                raise failure
            if done():
                return
            deadline = self._talk.deadline
            waits = [at for at in (until, deadline) if at is not None]
            octets = self._line.receive(max(min(waits) - self._clock(), 0.0) if waits else None)
            now = self._clock()
            self._do(self._talk.receive(octets, now) if octets else self._talk.tick(now))
            if not octets and until is not None and now >= until:
                return

    def _do(self, events: list[PortEvent]) -> None:
        for event in events:
            if isinstance(event, Transmit):
                self._line.send(event.octets)
            elif isinstance(event, ChangeRate):
                self._line.set_rate(event.rate)
            elif isinstance(event, ApduArrived):
                self._came.append(event.apdu)
            elif isinstance(event, PortAnswered):
                self._answered = True
            elif isinstance(event, PortFailed):
                self._answered = True
                self._failure = event.error
            elif isinstance(event, LinkDown) and self._failure is None:
                self._failure = ConnectionLost(str(event.error))
