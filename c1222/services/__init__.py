"""EPSEM services: each request next to its response.

The front door of the room: ``decode_request`` and ``decode_response`` read the octets of one service, without the
length that stands before it in EPSEM; to make them, construct a class of a family and call its ``encode``:

    >>> from c1222.services import decode_request, decode_response, tables
    >>> tables.ReadOffsetRequest(table=1, offset=16, count=16).encode().hex()
    '3f00010000100010'
    >>> decode_request(bytes.fromhex("300001"))
    ReadRequest(table=1)
    >>> decode_response(bytes.fromhex("0000024142 7d"), decode_request(bytes.fromhex("300001"))).data
    b'AB'

The families: ``identify``; ``session`` (logon, security, logoff, terminate, disconnect, wait); ``tables`` (reads and
writes); ``network`` (register, deregister, resolve, trace); ``c1218`` (authenticate, negotiate, timing setup);
``results`` (whatever is not ok).
"""

from c1222.services import c1218, identify, network, results, session, tables
from c1222.services.codec import (
    REQUESTS,
    SERVICE_NAMES,
    RawRequest,
    align,
    decode_request,
    decode_response,
    services_that,
)
from c1222.services.responses import ErrorResponse, UnpairedResponse
from c1222.services.results import RESULT_NAMES, SERVICE_ERRORS, Refusal
from c1222.services.service import REDACTED, Effect, Request, Response, Service
from c1222.services.table_data import TableData

__all__ = [
    "REDACTED",
    "REQUESTS",
    "RESULT_NAMES",
    "SERVICE_ERRORS",
    "SERVICE_NAMES",
    "Effect",
    "ErrorResponse",
    "RawRequest",
    "Refusal",
    "Request",
    "Response",
    "Service",
    "TableData",
    "UnpairedResponse",
    "align",
    "c1218",
    "decode_request",
    "decode_response",
    "identify",
    "network",
    "results",
    "services_that",
    "session",
    "tables",
]
