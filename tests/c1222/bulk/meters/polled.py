"""Captures of meters that are polled: tables of the sample meters, whole or in pieces."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import c1222
from c1219 import Device
from c1219.tableid import table_id
from c1222.message.aptitle import ApTitle
from c1222.message.epsem import SecurityMode
from c1222.protocol.message import Message
from c1222.services import TableData, tables
from tests.traffic import HEAD_END, KEY

SAMPLES = {
    path.stem: Device.from_json(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parents[4] / "specs" / "devices").glob("*.json"))
}
PROFILES = ("ST64", "ST65", "ST66", "ST67")


class Read(NamedTuple):
    """A table, or a piece of it, that is read or written."""

    label: str
    octets: bytes
    offset: int | None = None
    written: bool = False


def polled(title: str, read: Read, number: int, mode: SecurityMode = SecurityMode.CLEARTEXT) -> list[bytes]:
    """Return a request and its response."""
    table = table_id(read.label)
    data = TableData(read.octets)
    if read.written:
        request = (
            tables.WriteRequest(table, data)
            if read.offset is None
            else tables.WriteOffsetRequest(table, read.offset, data)
        )
        response = tables.WriteResponse() if read.offset is None else tables.WriteOffsetResponse()
    elif read.offset is None:
        request, response = tables.ReadRequest(table), tables.ReadResponse(data)
    else:
        request = tables.ReadOffsetRequest(table, read.offset, len(read.octets))
        response = tables.ReadOffsetResponse(data)
    ends = [ApTitle(title), HEAD_END]
    return [
        c1222.encode(
            Message(
                called=ends[answers],
                calling=ends[1 - answers],
                called_invocation_id=0x01000000 + number if answers else None,
                calling_invocation_id=0x20000000 + number if answers else 0x01000000 + number,
                services=[service],
                security_mode=mode,
                key_id=KEY.id,
                iv=(2 * number + answers).to_bytes(4),
            ),
            keys=KEY,
        )
        for answers, service in enumerate((request, response))
    ]


def whole(device: Device, *labels: str) -> list[Read]:
    """Return reads of tables, of all that are no load profile unless they are named."""
    chosen = labels or tuple(label for label in device if label not in PROFILES)
    return [Read(label, device[label].raw) for label in chosen if label in device]


def in_pieces(device: Device, label: str, size: int) -> list[Read]:
    octets = device[label].raw
    return [Read(label, octets[at : at + size], at) for at in range(0, len(octets), size)]
