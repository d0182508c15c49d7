"""Captures of what a head end and meters say to each other, made message by message."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from c1222 import ApTitle, Key, Message, encode
from c1222.capture.decoder import CaptureDecoder
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.message.epsem import SecurityMode
from c1222.services import TableData, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1222.services import Service

KEY: Final = Key(2, bytes.fromhex("01020304050607080102030405060708"))
HEAD_END: Final = ApTitle(".123.4")
METER: Final = ApTitle(".123.8437")
OTHER: Final = ApTitle(".123.9999")
_ENDS: Final = ("192.0.2.1:50000", "198.51.100.7:1153")


class Conversation:
    """A capture that grows; by default all messages are encrypted under KEY."""

    def __init__(self) -> None:
        self._file = io.BytesIO()
        self._writer = PcapWriter(self._file)
        self._number = 0

    def send(
        self,
        services: Sequence[Service],
        *,
        called: ApTitle,
        calling: ApTitle,
        answers: int | None = None,
        key: Key | None = KEY,
        qualifier: int | None = None,
        number: int | None = None,
    ) -> int:
        """Add a message; return its number."""
        self._number += 1
        number = self._number if number is None else number
        secured: dict[str, Any] = {}
        if key is not None:
            iv = (1_700_000_000 + self._number).to_bytes(4, "big")
            secured = {"security_mode": SecurityMode.CIPHERTEXT_AUTHENTICATION, "key_id": key.id, "iv": iv}
        message = Message(
            called=called, calling=calling, calling_invocation_id=number, called_invocation_id=answers,
            services=services, calling_ae_qualifier=qualifier, **secured,
        )  # fmt: skip
        ends = _ENDS if answers is None else _ENDS[::-1]
        octets = encode(message, keys=key)
        self._writer.write(1_700_000_000_000_000_000 + self._number * 10**9, udp_packet(*ends, octets))
        return number

    def ask(
        self,
        requests: Sequence[Service],
        responses: Sequence[Service],
        *,
        meter: ApTitle = METER,
        key: Key | None = KEY,
    ) -> None:
        """Add requests of the head end and the responses to them."""
        number = self.send(requests, called=meter, calling=HEAD_END, key=key)
        self.send(responses, called=HEAD_END, calling=meter, answers=number, key=key)

    def read(self, table: int, octets: bytes, *, checksum: bytes | None = None, **ends: Any) -> None:
        """Add a read of a whole table and its octets."""
        self.ask([tables.ReadRequest(table)], [tables.ReadResponse(TableData(octets, checksum))], **ends)

    def read_offset(self, table: int, offset: int, octets: bytes, **ends: Any) -> None:
        """Add a read by offset and its octets."""
        request = tables.ReadOffsetRequest(table, offset, len(octets))
        self.ask([request], [tables.ReadOffsetResponse(TableData(octets))], **ends)

    def read_index(self, table: int, indices: tuple[int, ...], octets: bytes, **ends: Any) -> None:
        """Add a read by index and its octets."""
        self.ask([tables.ReadIndexRequest(table, indices, 1)], [tables.ReadIndexResponse(TableData(octets))], **ends)

    def write(self, table: int, octets: bytes, **ends: Any) -> None:
        """Add a write of a whole table that succeeds."""
        self.ask([tables.WriteRequest(table, TableData(octets))], [tables.WriteResponse()], **ends)

    @property
    def octets(self) -> bytes:
        """The capture file."""
        return self._file.getvalue()

    def decoder(self, keys: Any = KEY) -> CaptureDecoder:
        """Decode it."""
        return CaptureDecoder(io.BytesIO(self.octets), keys=keys)
