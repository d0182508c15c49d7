"""Captures made of datagrams, and what is read from them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import c1222
from c1222 import Message
from c1222.capture.decoder import CaptureDecoder, CapturedMessage, decode_capture
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.message.epsem import SecurityMode
from c1222.services import TableData, tables
from tests.c1222.capture.conversation import HEAD_END, KEY, METER

if TYPE_CHECKING:
    from collections.abc import Iterable


ENDS = ("192.0.2.1:50000", "198.51.100.7:1153")
START_NS = 1_700_000_000_000_000_000


def capture(packets: Iterable[bytes], **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    with PcapWriter(file, **options) as writer:
        for number, packet in enumerate(packets):
            writer.write(START_NS + number * 1_000_000, packet)
    file.seek(0)
    return file


def datagrams(*apdus: bytes) -> io.BytesIO:
    return capture(udp_packet(*ENDS, apdu) for apdu in apdus)


def read(source: Any, keys: Any = KEY, **options: Any) -> tuple[list[CapturedMessage], CaptureDecoder]:
    decoder = decode_capture(source, keys=keys, **options)
    return list(decoder), decoder


def codes(found: Iterable[c1222.Finding]) -> list[str]:
    return [finding.code for finding in found]


def message(number: int, *, answers: int | None = None, iv: int = 1, **parts: Any) -> Message:
    """Make a message between head end and meter, encrypted unless told otherwise."""
    ends = (METER, HEAD_END) if answers is None else (HEAD_END, METER)
    services = [tables.ReadRequest(1)] if answers is None else [tables.ReadResponse(TableData(b"ST1"))]
    usual: dict[str, Any] = {
        "called": ends[0],
        "calling": ends[1],
        "calling_invocation_id": number,
        "called_invocation_id": answers,
        "services": services,
        "security_mode": SecurityMode.CIPHERTEXT_AUTHENTICATION,
        "key_id": 2,
        "iv": (1_700_000_000 + iv).to_bytes(4),
    }
    return Message(**usual | parts)


def sealed(number: int, **parts: Any) -> bytes:
    return c1222.encode(message(number, **parts), keys=KEY)
