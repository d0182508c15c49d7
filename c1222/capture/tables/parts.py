"""Where the octets in a message belong: whose table, which one, and where in it; and what a message shows of tables.

The node whose tables a message is about is the responder: the calling node of a response, the called node of a request.
A notification (a write with the NOTIFICATION bit) is about its sender, who has tables where the receiver has none: a
reading of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.caches import BoundedDict
from c1222.message.flat import FlatApdu
from c1222.services import REQUESTS
from c1222.services import tables as wire
from c1222.services.table_data import CHUNK, checksum

if TYPE_CHECKING:
    from c1222.capture.message import CapturedMessage
    from c1222.message.aptitle import ApTitle
    from c1222.services import Request

__all__ = [
    "BEFORE_DATA", "CARRIERS", "MAX_BODY", "MAX_REQUESTS_KNOWN", "NOTIFICATION", "WRITTEN", "Answers", "Asked", "Part",
    "Shown", "TablesShown", "concerns_tables", "notifies", "part_of", "title_of_node",
]  # fmt: skip

NOTIFICATION: Final = 0x04
"""Bit of the calling AE qualifier."""
CARRIERS: Final = (wire.TableResponse, wire.WriteRequest, wire.WriteIndexRequest, wire.WriteOffsetRequest)
"""Services that carry octets of tables."""
WRITTEN: Final = (wire.WriteResponse, wire.WriteIndexResponse, wire.WriteOffsetResponse)
"""Services that say that octets were written."""
_WRITES: Final = frozenset(code for code, kind in REQUESTS.items() if issubclass(kind, CARRIERS))
_OF_TABLES: Final = frozenset(
    code
    for code, kind in REQUESTS.items()
    if kind.answer is not None and issubclass(kind.answer, (wire.TableResponse, *WRITTEN))
)
MAX_REQUESTS_KNOWN: Final = 4096
"""Bodies of requests remembered with what they ask for; a head end asks thousands of meters for the same."""
BEFORE_DATA: Final = 3
"""Octets of a response before the data of a table: code and count."""
MAX_BODY: Final = 256
"""Octets of such a body; longer ones bring table data, and come once."""


class Part(NamedTuple):
    """Where octets belong: a whole table, or from an offset or an index path on.

    Attributes:
        table: identifier on the wire.
        offset: of a piece; None for a whole table.
        indices: of a piece by index; None otherwise.
    """

    table: int
    offset: int | None = None
    indices: tuple[int, ...] | None = None


class Shown(NamedTuple):
    """Octets that a table has, by what was read, written with success, or sent as a notification.

    Attributes:
        part: where they belong.
        octets: the octets.
        intact: their checksum is right.
        written: they were written.
    """

    part: Part
    octets: bytes
    intact: bool
    written: bool


def part_of(service: Any) -> Part | None:
    """Return where the octets of a service belong, None if it carries none or the table is not known."""
    if isinstance(service, wire.TableResponse):
        service = service.request
    elif not isinstance(service, CARRIERS):
        return None
    return _asked_for(service)


def _asked_for(request: Any) -> Part | None:
    if isinstance(request, wire.ReadOffsetRequest | wire.WriteOffsetRequest):
        return Part(request.table, offset=request.offset)
    if isinstance(request, wire.ReadIndexRequest | wire.WriteIndexRequest):
        return Part(request.table, indices=request.indices)
    if isinstance(request, wire.ReadRequest | wire.WriteRequest):
        return Part(request.table)
    return None


def concerns_tables(message: CapturedMessage) -> bool:
    """Tell by the codes alone whether a message may carry octets of tables, or say that some were written."""
    envelope = message.envelope
    if envelope.quoted is not None if isinstance(envelope, FlatApdu) else message.is_response:
        return any(request.code in _OF_TABLES for request in message.asked)
    for octets in message.service_octets:  # noqa: SIM110  a generator costs more than what it does here
        if octets[0] in _WRITES:
            return True
    return False


def notifies(message: CapturedMessage) -> bool:
    """Tell whether a message is a notification."""
    return bool((message.calling_ae_qualifier or 0) & NOTIFICATION)


def title_of_node(message: CapturedMessage) -> tuple[ApTitle | None, str]:
    """Return whose tables a message is about: title, as it stands there, and address."""
    if message.is_response or notifies(message):
        return message.calling, message.src
    return message.called, message.dst


class Asked(NamedTuple):
    """A table that was asked for, or a piece of it.

    Attributes:
        part: which.
        request: the request.
        conceals: whether its octets may be passwords or keys; None if they decide that.
    """

    part: Part
    request: wire.TableAccess
    conceals: bool | None


class Answers:
    """Finds the octets of tables in responses to plain reads, whose services need not be decoded for that."""

    def __init__(self) -> None:
        self._plans: BoundedDict[bytes, tuple[Asked | None, ...] | None] = BoundedDict(MAX_REQUESTS_KNOWN)

    def of(self, message: CapturedMessage) -> list[tuple[Asked, bytes, bool] | None] | None:
        """Return for each service of a response what was asked for, its octets, and whether their checksum is right.

        A service that brings no octets of a table is None. The whole is None if a service takes a closer look, and
        empty if no request was about tables.
        """
        asked = message.asked_body
        try:
            plan = self._plans[asked]
        except KeyError:
            plan = _reads(message.asked)
            if len(asked) <= MAX_BODY:
                self._plans[asked] = plan
        if not plan:
            return None if plan is None else []
        parts = message.service_octets
        if len(parts) != len(plan):
            return None
        found: list[tuple[Asked, bytes, bool] | None] = []
        for octets, target in zip(parts, plan, strict=True):
            if target is None or octets[:1] != b"\0":
                found.append(None)
            elif (data := _plain(octets)) is not None:
                found.append((target, data, checksum(data) == octets[-1]))
            else:
                return None
        return found


def _reads(requests: tuple[Request, ...]) -> tuple[Asked | None, ...] | None:
    """Return what each of these requests asks for; None if one is about tables and no plain read, empty if none is."""
    found: list[Asked | None] = []
    for request in requests:
        if isinstance(request, wire.ReadRequest | wire.ReadOffsetRequest):
            part = Part(request.table, getattr(request, "offset", None))
            conceals = request.conceals
            found.append(Asked(part, request, conceals if conceals is request.conceals_octets(b"") else None))
        elif request.code in _OF_TABLES:
            return None
        else:
            found.append(None)
    return tuple(found) if any(found) else ()


def _plain(octets: bytes) -> bytes | None:
    """Return the table data of a response that brings all in one chunk and nothing besides; otherwise None."""
    size = len(octets) - BEFORE_DATA - 1  # that of the checksum
    return octets[BEFORE_DATA:-1] if size >= 0 and (octets[1] << 8 | octets[2]) == size != CHUNK else None


class TablesShown:
    """Finds what messages show of tables: reads, writes that were answered ok, notifications."""

    def __init__(self) -> None:
        self._plans: BoundedDict[bytes, tuple[tuple[Part, Shown | None] | None, ...]] = BoundedDict(MAX_REQUESTS_KNOWN)

    def of_response(self, message: CapturedMessage) -> list[Shown]:
        """Return what a response shows; refusals show nothing."""
        asked = message.asked_body
        plan = self._plans.get(asked)
        if plan is None:
            if not asked:
                return []
            plan = tuple(map(_plan, message.asked))
            if not any(plan):
                plan = ()
            if len(asked) <= MAX_BODY:
                self._plans[asked] = plan
        if not plan:
            return []
        parts = message.service_octets
        if len(parts) != len(plan):  # which answers which takes a closer look
            return [shown for service in message.services if (shown := _shown(service)) is not None]
        found = []
        for index, (octets, target) in enumerate(zip(parts, plan, strict=True)):
            if target is None or octets[:1] != b"\0":
                continue
            part, written = target
            if written is not None:
                found.append(written)
            elif part.indices is None and (data := _plain(octets)) is not None:
                found.append(Shown(part, data, checksum(data) == octets[-1], False))
            elif (shown := _shown(message.services[index])) is not None:
                found.append(shown)
        return found

    def of_notification(self, message: CapturedMessage) -> list[Shown]:
        """Return what a notification shows."""
        if not concerns_tables(message):
            return []
        found = []
        for service in message.services:
            part = part_of(service)
            if part is not None:
                carrier: Any = service
                found.append(Shown(part, carrier.data, carrier.checksum_ok, False))
        return found


def _plan(request: Request) -> tuple[Part, Shown | None] | None:
    """Return where what is answered to a request belongs, and what is written with it."""
    part = _asked_for(request)
    if part is None:
        return None
    if isinstance(request, wire.Write):
        return part, Shown(part, request.data, request.checksum_ok, True)
    return part, None


def _shown(service: Any) -> Shown | None:
    """Return what a response service shows, None if that is nothing."""
    if isinstance(service, wire.TableResponse):
        part = part_of(service)
        return None if part is None else Shown(part, service.data, service.checksum_ok, False)
    if isinstance(service, WRITTEN) and service.request is not None:
        plan = _plan(service.request)
        return None if plan is None else plan[1]
    return None
