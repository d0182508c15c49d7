"""One association of a client, without I/O: an APDU comes in, the answer goes out."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Final

from c1219.caches import BoundedDict
from c1219.cosem.data import Data, DataType, enum, octet_string, structure, u8, u16
from c1219.errors import C1219Error
from c1222.errors import C1222Error
from c1222.gateway.apdus import (
    AARQ,
    GET,
    NO_SECURITY,
    PASSWORD,
    RLRE,
    RLRQ,
    AccessResult,
    AssociationDiagnostic,
    Conformance,
    ExceptionReason,
    GetRequest,
    accepted,
    block,
    exception,
    parse_association,
    parse_get,
    refused,
    response,
)  # fmt: skip
from c1222.gateway.axdr import encode
from c1222.gateway.logical_device import SERVER_SAP

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.gateway.apdus import AssociationRequest, Descriptor, Selection
    from c1222.gateway.logical_device import LogicalDevice

__all__ = ["MAX_PDU", "Association"]

MAX_PDU: Final = 1024
"""Octets of an APDU that we say we take."""
_LEAST_PDU: Final = 32
_BLOCK_HEAD: Final = 14
"""Octets of a block besides its part of the value, at most."""
_ANY_PDU: Final = 0xFFFF
_OFFERED: Final = Conformance.GET | Conformance.BLOCK_TRANSFER_GET | Conformance.SELECTIVE_ACCESS
_CONTEXT_NAME: Final = bytes.fromhex("60857405080101")
_MECHANISM_NAME: Final = bytes.fromhex("608574050802")
_ASSOCIATED: Final = 2
_KEPT: Final = 512
_KEPT_SIZE: Final = 4096
"""Answers that are kept for the next time, and octets of the largest of them."""


class Association:
    """One client.

    Args:
        device: gives the logical device when an association begins; it may read a meter.
        password: what LLS must say; None if only clients without security are taken.

    Attributes:
        closing: the connection should be closed after the answer.
    """

    def __init__(self, device: Callable[[], LogicalDevice], password: bytes | None = None) -> None:
        self.closing = False
        self._open = device
        self._password = password
        self._device: LogicalDevice | None = None
        self._own: dict[int, Data] = {}
        self._granted = 0
        self._max_pdu = 0
        self._blocks: bytes | None = None
        self._block = 0
        self._answers: BoundedDict[tuple[Descriptor, Selection | None], bytes] = BoundedDict(_KEPT)

    def __repr__(self) -> str:
        return f"<association, {'open' if self._device is not None else 'not open'}>"

    def receive(self, apdu: bytes, source: int = 16, target: int = SERVER_SAP) -> bytes | None:
        """Return the answer to an APDU; None if there is none to give.

        Args:
            apdu: what the client sent.
            source: SAP of the client.
            target: SAP that it is for.

        Raises:
            DecodeError: it is no APDU that a client sends.
        """
        tag = apdu[0] if apdu else None
        if target != SERVER_SAP:
            self.closing = True
            return None
        if tag == AARQ:
            return self._associate(parse_association(apdu), source)
        if tag == RLRQ:
            self._device, self._blocks = None, None
            return RLRE
        if tag == GET:
            return self._get(apdu)
        return exception(ExceptionReason.SERVICE_NOT_SUPPORTED)

    def _associate(self, asked: AssociationRequest, client: int) -> bytes:
        self._device, self._blocks = None, None
        self._answers.clear()
        reason = self._refusal(asked)
        if reason is not None:
            self.closing = True
            return refused(reason)
        try:
            self._device = self._open()
        except (C1222Error, C1219Error):
            self.closing = True
            return refused(AssociationDiagnostic.NO_REASON)
        self._granted = asked.conformance & _OFFERED
        self._max_pdu = asked.max_pdu or _ANY_PDU
        self._own = {
            3: _partners(client), 4: octet_string(_CONTEXT_NAME), 5: self._context(),
            6: octet_string(_MECHANISM_NAME + bytes((asked.mechanism,))), 8: enum(_ASSOCIATED),
        }  # fmt: skip
        return accepted(self._granted, MAX_PDU, asked.mechanism)

    def _refusal(self, asked: AssociationRequest) -> AssociationDiagnostic | None:
        if not asked.plain_context:
            return AssociationDiagnostic.CONTEXT_NOT_SUPPORTED
        if self._password is None:
            return None if asked.mechanism == NO_SECURITY else AssociationDiagnostic.MECHANISM_NOT_RECOGNISED
        if asked.mechanism == NO_SECURITY:
            return AssociationDiagnostic.AUTHENTICATION_REQUIRED
        if asked.mechanism != PASSWORD:
            return AssociationDiagnostic.MECHANISM_NOT_RECOGNISED
        right = hmac.compare_digest(asked.password or b"", self._password)
        return None if right else AssociationDiagnostic.AUTHENTICATION_FAILURE

    def _context(self) -> Data:
        bits = Data(DataType.BIT_STRING, f"{self._granted:024b}")
        sizes = u16(MAX_PDU), u16(self._max_pdu)
        return structure(bits, *sizes, u8(6), Data(DataType.INT8, 0), octet_string(b""))

    def _get(self, apdu: bytes) -> bytes:
        if self._device is None:
            return exception(ExceptionReason.OPERATION_NOT_POSSIBLE)
        request = parse_get(apdu)
        if request is None:
            return exception(ExceptionReason.SERVICE_NOT_SUPPORTED)
        if not isinstance(request, GetRequest):
            return self._next(request.invoke, request.block)
        self._blocks = None
        key = request.descriptor, request.selection
        value: bytes | AccessResult | None = self._answers.get(key)
        if value is None:
            value = self._value(*key)
            if isinstance(value, bytes) and len(value) <= _KEPT_SIZE:
                self._answers[key] = value
        answer = response(request.invoke, value)
        if len(answer) <= self._max_pdu or isinstance(value, AccessResult):
            return answer
        if not self._granted & Conformance.BLOCK_TRANSFER_GET or self._max_pdu < _LEAST_PDU:
            return response(request.invoke, AccessResult.OTHER)
        self._blocks, self._block = value, 0
        return self._next(request.invoke, 0)

    def _value(self, descriptor: Descriptor, selection: Selection | None) -> bytes | AccessResult:
        if self._device is None:
            return AccessResult.OTHER
        if selection is not None and not self._granted & Conformance.SELECTIVE_ACCESS:
            return AccessResult.OTHER
        try:
            value = self._device.get(descriptor, selection, self._own)
        except (C1222Error, C1219Error):  # the meter does not answer, or not that
            return AccessResult.TEMPORARY_FAILURE
        return value if isinstance(value, AccessResult) else encode(value)

    def _next(self, invoke: int, number: int) -> bytes:
        """Return the block after the one that the client has."""
        if self._blocks is None or number != self._block:
            self._blocks = None
            return block(invoke, number, AccessResult.BLOCK_UNAVAILABLE, last=True)
        size = self._max_pdu - _BLOCK_HEAD
        part, rest = self._blocks[:size], self._blocks[size:]
        self._block += 1
        self._blocks = rest or None
        return block(invoke, self._block, part, last=not rest)


def _partners(client: int) -> Data:
    """Return who the partners of an association are.

    Args:
        client: SAP of the client; COSEM keeps 7 bits of it.
    """
    return structure(Data(DataType.INT8, client & 0x7F), u16(SERVER_SAP))
