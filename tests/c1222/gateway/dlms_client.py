"""A small client of ours for tests: octets of requests, and answers joined from blocks."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from c1219.cosem.data import Data
from c1219.cosem.names import LogicalName
from c1222.gateway.axdr import decode
from c1222.gateway.wrapper import frame, take_frame
from c1222.message.ber import tlv
from tests.c1219.cosem.cases import CASES

AARQ = bytes.fromhex(CASES["exchanges"][0]["request"])


def associate(
    conformance: int = 0x401E5D, max_pdu: int = 0xFFFF, password: bytes | None = None, mechanism: int = 1
) -> bytes:
    """Return an AARQ."""
    initiate = bytes.fromhex("01000000065f1f0400") + conformance.to_bytes(3) + max_pdu.to_bytes(2)
    content = tlv(0xA1, tlv(0x06, bytes.fromhex("60857405080101")))
    if password is not None:
        content += bytes.fromhex("8a020780") + tlv(0x8B, bytes.fromhex("608574050802") + bytes((mechanism,)))
        content += tlv(0xAC, tlv(0x80, password))
    return tlv(0x60, content + tlv(0xBE, tlv(0x04, initiate)))


def get(interface: int, name: str, attribute: int, selection: bytes = b"") -> bytes:
    """Return a GET request; `selection` is selector and parameter."""
    head = bytes.fromhex("c001c1") + interface.to_bytes(2) + LogicalName.parse(name).octets + bytes((attribute,))
    return head + (b"\1" + selection if selection else b"\0")


def value(ask: Callable[[bytes], bytes | None], request: bytes) -> Data | int:
    """Return the value that is answered, joined from its blocks, or the number of the reason why there is none."""
    answer = ask(request)
    assert answer is not None
    octets, number = b"", 0
    while answer[1] == 2:
        number += 1
        assert int.from_bytes(answer[4:8]) == number
        if answer[8]:
            return answer[9]
        length, at = answer[9], 10
        if length >= 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(answer[10 : 10 + size]), 10 + size
        octets += answer[at : at + length]
        assert len(answer) == at + length
        if answer[3]:
            return decode(octets, max_items=100_000)
        answer = ask(bytes.fromhex("c002c1") + number.to_bytes(4))
        assert answer is not None
    return answer[4] if answer[3] else decode(answer[4:], max_items=100_000)


class TcpClient:
    """A client on TCP."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, 10)
        self._unread = bytearray()

    def ask(self, apdu: bytes) -> bytes:
        self.socket.sendall(frame(16, 1, apdu))
        while (found := take_frame(self._unread, max_apdu=0xFFFF)) is None:
            octets = self.socket.recv(65536)
            if not octets:
                raise ConnectionError("closed")
            self._unread += octets
        answer, size = found
        del self._unread[:size]
        assert (answer.source, answer.target) == (1, 16)
        return answer.apdu

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
