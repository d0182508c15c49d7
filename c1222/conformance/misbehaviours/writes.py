"""Writes and procedures that are not done as they are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.tableid import table_label
from c1222.conformance.misbehaviours.misbehaviour import arriving, opened, remade, serving
from c1222.message.epsem import ResponseControl
from c1222.services import TableData
from c1222.services.results import Iar, Onp
from c1222.services.tables import (
    Carrier,
    ReadRequest,
    ReadResponse,
    WriteOffsetRequest,
    WriteOffsetResponse,
    WriteRequest,
    WriteResponse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.misbehaviours.misbehaviour import Subject
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response

__all__ = [
    "anything_writable",
    "checksum_ignored",
    "cut_writes",
    "no_partial_writes",
    "other_sequence",
    "result_later",
    "silent_writes_lost",
    "test_ignored",
    "write_lost",
    "write_refused_late",
]

_PROCEDURE: Final = 7
_SEQUENCE_AT: Final = 2


@serving("write-lost", "Writes are answered with ok, and not done", "Reads back what matters.", "C-WRITE-01")
def write_lost(request: Request, context: Context, node: Subject) -> Response:
    """Put back at once; but for procedures."""
    if not isinstance(request, WriteRequest) or request.table == _PROCEDURE:
        return node.serve(request, context)
    label = table_label(request.table)
    before = node.meter.tables.get(label)
    response = node.serve(request, context)
    if before is not None:
        node.meter.tables.put(label, before)
    return response


@serving("checksum-ignored", "Data with a wrong checksum are written", "Sends right ones.", "C-WRITE-03")
def checksum_ignored(request: Request, context: Context, node: Subject) -> Response:
    """The checksum made right."""
    if isinstance(request, (WriteRequest, WriteOffsetRequest)):
        request = request.replace(table_data=TableData(request.data))
    return node.serve(request, context)


@serving("cut-writes", "What is written beyond the end of a table is cut off", "Knows how long it is.", "C-WRITE-04")
def cut_writes(request: Request, context: Context, node: Subject) -> Response:
    """Ok, and as much as there is room for."""
    if isinstance(request, WriteOffsetRequest):
        room = len(node.meter.tables.get(table_label(request.table)) or b"") - request.offset
        if room <= 0:
            return WriteOffsetResponse()
        request = request.replace(table_data=TableData(request.data[:room]))
    return node.serve(request, context)


@serving("anything-writable", "Tables that ST0 does not claim as writable get ok", "Goes by ST0.", "C-WRITE-06")
def anything_writable(request: Request, context: Context, node: Subject) -> Response:
    """Ok instead of iar."""
    try:
        return node.serve(request, context)
    except Iar:
        if isinstance(request, WriteRequest) and table_label(request.table) not in node.meter.offer.writable:
            return WriteResponse()
        raise


@serving("write-refused-late", "A write of the wrong size is refused, and done in part", "Reads back.", "C-WRITE-09")
def write_refused_late(request: Request, context: Context, node: Subject) -> Response:
    """Iar, with the first octets changed."""
    try:
        return node.serve(request, context)
    except Iar:
        label = table_label(request.table) if isinstance(request, WriteRequest) and request.table else ""
        whole = node.meter.tables.get(label) if label else None
        if isinstance(request, Carrier) and whole and len(request.data) < len(whole):
            node.meter.tables.put(label, request.data[:-1] + b"!" + whole[len(request.data) :])
        raise


@serving("other-sequence", "ST8 has another sequence number than ST7", "Takes no such result.", "C-WRITE-10")
def other_sequence(request: Request, context: Context, node: Subject) -> Response:
    """One more."""
    response = node.serve(request, context)
    if isinstance(request, ReadRequest) and request.table == _PROCEDURE + 1 and isinstance(response, ReadResponse):
        octets = bytearray(response.data)
        octets[_SEQUENCE_AT] = octets[_SEQUENCE_AT] + 1 & 0xFF
        return ReadResponse(TableData(bytes(octets)))
    return response


@arriving("test-ignored", "Test messages change it", "Tests where that does no harm.", "C-WRITE-07", "C-ECHO-09")
def test_ignored(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Without A7."""
    yield remade(apdu, node.keys, calling_ae_qualifier=None)


@serving("no-partial-writes", "Parts of tables cannot be written", "Writes whole tables.", "C-WRITE-02")
def no_partial_writes(request: Request, context: Context, node: Subject) -> Response:
    """Onp."""
    if isinstance(request, WriteOffsetRequest):
        raise Onp
    return node.serve(request, context)


@serving("result-later", "In the message that writes ST7, ST8 is still the old one", "Reads it again.", "C-WRITE-11")
def result_later(request: Request, context: Context, node: Subject) -> Response:
    """As it was before the write."""
    if isinstance(request, WriteRequest) and request.table == _PROCEDURE:
        node.scratch["message"], node.scratch["old"] = context.message, node.meter.tables.get("ST8") or bytes(4)
    response = node.serve(request, context)
    is_result = isinstance(request, ReadRequest) and request.table == _PROCEDURE + 1
    return ReadResponse(TableData(node.scratch["old"])) if is_result and _is_same(context, node) else response


def _is_same(context: Context, node: Subject) -> bool:
    return node.scratch.get("message") is context.message


@arriving("silent-writes-lost", "What wants no answer is not carried out", "Asks for answers.", "C-WRITE-08")
def silent_writes_lost(apdu: bytes, node: Subject) -> Iterator[bytes]:
    """Dropped."""
    if opened(apdu, node.keys).response_control is not ResponseControl.NEVER:
        yield apdu
