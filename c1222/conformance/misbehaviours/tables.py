"""Tables that are not what ST0 or their layouts say, parts that are not those of the whole, and clocks."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from c1219.tableid import table_label
from c1222.conformance.misbehaviours.misbehaviour import serving
from c1222.services import TableData, UnpairedResponse
from c1222.services.identify import (
    DeviceClass,
    DeviceIdentity,
    IdentifyResponse,
    SecurityMechanism,
    SessionControl,
)
from c1222.services.results import Err, Iar, Sns
from c1222.services.tables import (
    ReadIndexRequest,
    ReadOffsetRequest,
    ReadOffsetResponse,
    ReadRequest,
    ReadResponse,
    TableResponse,
)

if TYPE_CHECKING:
    from c1222.conformance.misbehaviours.misbehaviour import Subject
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response

__all__ = [
    "absent_claimed",
    "beyond_made_up",
    "clock_ahead",
    "clock_stopped",
    "limits_exceeded",
    "long_st0",
    "no_clock",
    "no_mechanism",
    "no_table_err",
    "octets_behind_features",
    "offset_shifted",
    "other_class",
    "other_identity",
    "other_standard",
    "part_refused",
    "second_index",
    "sessionless_denied",
    "set_inconsistent",
    "short_tables",
    "two_clocks",
    "unclaimed_served",
    "wrong_checksum",
]

_CLOCKS: Final = frozenset({52, 55})
_CUT: Final = frozenset({11, 21, 23, 27})
_DAY: Final = 86_400


def _is_read(request: Request, *tables: int) -> bool:
    return isinstance(request, ReadRequest) and request.table in tables


@serving("wrong-checksum", "The checksum of table data is wrong", "Reads again, then reports an error.", "C-TABLE-06")
def wrong_checksum(request: Request, context: Context, node: Subject) -> Response:
    """One bit changed."""
    response = node.serve(request, context)
    if isinstance(response, TableResponse):
        data = response.table_data
        response = response.replace(table_data=TableData(data.data, bytes(octet ^ 1 for octet in data.checksums)))
    return response


@serving("absent-claimed", "ST0 claims ST2, which is not there", "Says that the table cannot be read.", "C-TABLE-02")
def absent_claimed(request: Request, context: Context, node: Subject) -> Response:
    """Refused."""
    if getattr(request, "table", None) == 2:
        raise Iar
    return node.serve(request, context)


@serving(
    "unclaimed-served",
    "Tables that ST0 does not claim are four zeros",
    "Reads what ST0 claims.",
    "C-TABLE-03",
    "C-ERR-01",
)
def unclaimed_served(request: Request, context: Context, node: Subject) -> Response:
    """Zeros instead of iar."""
    try:
        return node.serve(request, context)
    except Iar:
        if not isinstance(request, ReadRequest):
            raise
        return ReadResponse(TableData(bytes(4)))


@serving("short-tables", "Some tables lack an octet", "Says which; shows what there is.", "C-TABLE-04", "C-TABLE-05")
def short_tables(request: Request, context: Context, node: Subject) -> Response:
    """ST11, ST21, ST23 and ST27."""
    response = node.serve(request, context)
    if _is_read(request, *_CUT) and isinstance(response, ReadResponse):
        return ReadResponse(TableData(response.data[:-1]))
    return response


@serving("limits-exceeded", "ST20 allows nothing", "Goes by ST21.", "C-TABLE-08")
def limits_exceeded(request: Request, context: Context, node: Subject) -> Response:
    """Zeros."""
    response = node.serve(request, context)
    if _is_read(request, 20) and isinstance(response, ReadResponse):
        return ReadResponse(TableData(bytes(len(response.data))))
    return response


@serving("set-inconsistent", "ST0 claims tables as writable that it does not claim", "Says so.", "C-TABLE-07")
def set_inconsistent(request: Request, context: Context, node: Subject) -> Response:
    """All bits of STD_TBLS_WRITE set."""
    response = node.serve(request, context)
    layout = node.meter.tables.layout("ST0")
    if _is_read(request, 0) and isinstance(response, ReadResponse) and layout is not None:
        element = layout.element("STD_TBLS_WRITE")
        end = element.offset + element.size
        return ReadResponse(TableData(response.data[: element.offset] + b"\xff" * element.size + response.data[end:]))
    return response


@serving("offset-shifted", "Reads by offset begin one octet late", "Cannot know; reads whole tables.", "C-READ-01")
def offset_shifted(request: Request, context: Context, node: Subject) -> Response:
    """The octets behind."""
    response = node.serve(request, context)
    if isinstance(request, ReadOffsetRequest) and isinstance(response, ReadOffsetResponse):
        whole = node.meter.tables.get(table_label(request.table)) or b""
        start = request.offset + 1
        return ReadOffsetResponse(TableData((whole[start : start + request.count] + b"\0")[: request.count]))
    return response


@serving("second-index", "Reads by index give the element behind", "Cannot know; reads by offset.", "C-READ-02")
def second_index(request: Request, context: Context, node: Subject) -> Response:
    """One further."""
    if isinstance(request, ReadIndexRequest):
        request = request.replace(indices=(*request.indices[:-1], request.indices[-1] + 1))
    return node.serve(request, context)


@serving("part-refused", "Access by offset is offered, and refused", "Reads whole tables.", "C-READ-03")
def part_refused(request: Request, context: Context, node: Subject) -> Response:
    """The service is not known."""
    if isinstance(request, ReadOffsetRequest):
        raise Sns
    return node.serve(request, context)


@serving("no-table-err", "A table that is not there gets err", "Says that it cannot be read.", "C-ERR-01")
def no_table_err(request: Request, context: Context, node: Subject) -> Response:
    """Instead of iar."""
    try:
        return node.serve(request, context)
    except Iar:
        if isinstance(request, ReadRequest):
            raise Err from None
        raise


@serving("beyond-made-up", "Beyond the end of a table there are zeros", "Knows how long it is.", "C-ERR-02", "C-ERR-03")
def beyond_made_up(request: Request, context: Context, node: Subject) -> Response:
    """As many as wanted."""
    try:
        return node.serve(request, context)
    except Iar:
        if not isinstance(request, ReadOffsetRequest):
            raise
        whole = node.meter.tables.get(table_label(request.table)) or b""
        part = whole[request.offset : request.offset + request.count]
        return ReadOffsetResponse(TableData(part.ljust(request.count, b"\0")))


@serving("other-standard", "Identify tells C12.18", "Goes on, with a warning.", "C-IDENT-01")
def other_standard(request: Request, context: Context, node: Subject) -> Response:
    """00."""
    response = node.serve(request, context)
    return response.replace(standard=0) if isinstance(response, IdentifyResponse) else response


@serving("no-mechanism", "Identify names no security mechanism", "Goes on.", "C-IDENT-03", secured=True)
def no_mechanism(request: Request, context: Context, node: Subject) -> Response:
    """Left out."""
    response = node.serve(request, context)
    if isinstance(response, IdentifyResponse):
        kept = tuple(one for one in response.features if not isinstance(one, SecurityMechanism))
        return response.replace(features=kept)
    return response


@serving("other-class", "Identify tells another device class than ST0", "Goes by ST0.", "C-IDENT-04")
def other_class(request: Request, context: Context, node: Subject) -> Response:
    """Four other letters."""
    response = node.serve(request, context)
    if isinstance(response, IdentifyResponse):
        changed = tuple(DeviceClass.of(b"XXXX") if isinstance(one, DeviceClass) else one for one in response.features)
        return response.replace(features=changed)
    return response


@serving("clock-stopped", "The clock stands", "Says that it does, or how late it is.", "C-TIME-03")
def clock_stopped(request: Request, context: Context, node: Subject) -> Response:
    """The first read again."""
    response = node.serve(request, context)
    if isinstance(request, ReadRequest) and request.table in _CLOCKS and isinstance(response, ReadResponse):
        first: Response = node.scratch.setdefault(f"clock {request.table}", response)
        return first
    return response


@serving(
    "clock-ahead", "The clock is a day ahead", "Says so; stamps what it reads with its own time, too.", "C-TIME-04"
)
def clock_ahead(request: Request, context: Context, node: Subject) -> Response:
    """Set once."""
    if node.scratch.setdefault("set", False) is False:
        node.scratch["set"] = True
        node.meter.advance(context.utc)
        node.meter.set_clock(node.meter.device + _DAY)
    return node.serve(request, context)


@serving("no-clock", "The clock tables are octets FF", "Says that there is no time.", "C-TIME-01")
def no_clock(request: Request, context: Context, node: Subject) -> Response:
    """No date, whatever the format."""
    response = node.serve(request, context)
    if isinstance(request, ReadRequest) and request.table in _CLOCKS and isinstance(response, ReadResponse):
        return ReadResponse(TableData(b"\xff" * len(response.data)))
    return response


@serving("two-clocks", "ST55 is an hour ahead of ST52", "Goes by ST52, and reports it.", "C-TIME-02")
def two_clocks(request: Request, context: Context, node: Subject) -> Response:
    """An hour added."""
    response = node.serve(request, context)
    layout = node.meter.tables.layout("ST55")
    if _is_read(request, 55) and isinstance(response, ReadResponse) and layout is not None:
        value = layout.decode(response.data)
        later = value._replace(CLOCK_CALENDAR=value.CLOCK_CALENDAR + dt.timedelta(hours=1))
        return ReadResponse(TableData(layout.encode(later)))
    return response


@serving("long-st0", "ST0 has an octet more than it says", "Says so; takes what it says.", "C-TABLE-01")
def long_st0(request: Request, context: Context, node: Subject) -> Response:
    """A zero at its end."""
    response = node.serve(request, context)
    if _is_read(request, 0) and isinstance(response, ReadResponse):
        return ReadResponse(TableData(response.data + b"\0"))
    return response


@serving("octets-behind-features", "Octets follow the features of Identify", "Leaves them aside.", "C-IDENT-02")
def octets_behind_features(request: Request, context: Context, node: Subject) -> Response:
    """Two, behind the end mark."""
    response = node.serve(request, context)
    return UnpairedResponse(response.encode()[1:] + b"\1\2") if isinstance(response, IdentifyResponse) else response


@serving("other-identity", "Identify tells another identity than ST5", "Goes by ST5.", "C-IDENT-05")
def other_identity(request: Request, context: Context, node: Subject) -> Response:
    """Nobody."""
    response = node.serve(request, context)
    if isinstance(response, IdentifyResponse):
        changed = tuple(
            DeviceIdentity.of("NOBODY") if isinstance(one, DeviceIdentity) else one for one in response.features
        )
        return response.replace(features=changed)
    return response


@serving("sessionless-denied", "Identify denies that messages may stand alone", "Opens sessions.", "C-IDENT-06")
def sessionless_denied(request: Request, context: Context, node: Subject) -> Response:
    """Bit 7 cleared."""
    response = node.serve(request, context)
    if isinstance(response, IdentifyResponse):
        changed = tuple(
            SessionControl.of(one.sessions, sessionless=False) if isinstance(one, SessionControl) else one
            for one in response.features
        )
        return response.replace(features=changed)
    return response
