"""Captures message by message, each at a time of its own, and what they amount to."""

from __future__ import annotations

import io
from typing import Any, Final

import c1222
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.capture.summary import CaptureSummary
from c1222.message.epsem import SecurityMode
from c1222.services import TableData, tables
from tests.c1222.capture.conversation import HEAD_END, KEY, METER
from tests.c1222.capture.packets import ENDS

START: Final = 1_700_000_000
SECOND: Final = 10**9
MODES: Final[dict[int, dict[str, Any]]] = {
    0: {"security_mode": SecurityMode.CLEARTEXT, "key_id": None, "iv": None},
    1: {"security_mode": SecurityMode.CLEARTEXT_AUTHENTICATION},
    2: {"security_mode": SecurityMode.CIPHERTEXT_AUTHENTICATION},
}


class Talk:
    """A capture that grows. By default a read of ST1 and what it brings, with the time of sending as vector."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._writer = PcapWriter(self._file)

    def send(
        self,
        at: float,
        number: int,
        *,
        answers: int | None = None,
        mode: int = 2,
        ahead: int = 0,
        ends: tuple[str, str] = ENDS,
        key: c1222.Key = KEY,
        **parts: Any,
    ) -> bytes:
        """Add a message and return its octets.

        Args:
            at: seconds after the start.
            number: its invocation id.
            answers: that of the request.
            mode: security mode.
            ahead: seconds by which the sender's clock is ahead.
            ends: addresses of head end and meter.
            key: what it is secured under.
            **parts: other parts of the message.
        """
        vector = {"iv": (START + int(at) + ahead).to_bytes(4)} if mode else {}
        way = (METER, HEAD_END) if answers is None else (HEAD_END, METER)
        usual: dict[str, Any] = {
            "called": way[0],
            "calling": way[1],
            "services": [tables.ReadRequest(1)] if answers is None else [tables.ReadResponse(TableData(b"ST1"))],
            "key_id": key.id,
        }
        made = c1222.Message(
            calling_invocation_id=number, called_invocation_id=answers, **{**usual, **vector, **MODES[mode], **parts}
        )
        octets = c1222.encode(made, keys=key)
        self.octets(at, octets, ends=ends if answers is None else ends[::-1])
        return octets

    def octets(self, at: float, octets: bytes, *, ends: tuple[str, str] = ENDS) -> None:
        """Add octets as they are."""
        self._writer.write(START * SECOND + round(at * SECOND), udp_packet(*ends, octets))

    @property
    def file(self) -> bytes:
        """The capture."""
        return self._file.getvalue()

    def decoder(self, keys: Any = KEY) -> CaptureDecoder:
        """Decode it."""
        return CaptureDecoder(io.BytesIO(self.file), keys=keys)

    def summary(self, keys: Any = KEY, **limits: int) -> CaptureSummary:
        """Sum it up."""
        found = CaptureSummary(**limits)
        for one in self.decoder(keys):
            found.add(one)
        return found
