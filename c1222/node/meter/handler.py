"""What a meter answers to each service: the handler that its responder calls.

Which response code means what, where the standard's text is not known: a table that does not exist, cannot be written,
or has no such octets or element is iar, and so is a partial read that asks for none; a wrong checksum and a wrong
password are err; partial access that ST0 does not offer, and a pending table that cannot be, are onp; a locked table is
dlk. The count of a read by index counts elements (as IEEE 1703-2012 has it [1]) unless the profile says octets (as an
older C12.18 text has it [1]).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from c1219.codes.events import EventCode
from c1219.errors import C1219Error
from c1219.tableid import TableId, table_id
from c1222.errors import ServiceError
from c1222.message.aptitle import ApTitle
from c1222.node.meter import procedures
from c1222.node.meter.pending import EVENT_SIZE
from c1222.services import identify, network, session, tables
from c1222.services.results import Dlk, Err, Iar, Isc, Onp, Sns
from c1222.services.table_data import TableData

if TYPE_CHECKING:
    from collections.abc import Callable

    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.meter.rights import Grant
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response

__all__ = ["MeterHandler"]

_VIRTUAL: Final = frozenset({"ST7", "ST8"})
_NO_RESPONSE: Final = bytes(4)
_READS: Final = (tables.ReadRequest, tables.ReadOffsetRequest, tables.ReadIndexRequest)
_ASIDE: Final[dict[type, str | None]] = {
    **dict.fromkeys((identify.IdentifyRequest, session.LogonRequest, session.SecurityRequest, session.WaitRequest)),
    **dict.fromkeys((session.TerminateRequest, session.DisconnectRequest, network.TraceRequest)),
    session.LogoffRequest: "ST76",
}
"""Services that show nothing that moves, and at most write to a log."""
_MECHANISM: Final = ApTitle("2.16.124.113620.1.22.2.1")


class MeterHandler:
    """Answers for a meter. What an ok confirms is in the store before the answer is made.

    Args:
        meter: the meter with the tables.
        secured: whether the node has keys, for Identify.
    """

    __slots__ = ("_secured", "meter")

    def __init__(self, meter: SimulatedMeter, *, secured: bool = False) -> None:
        self.meter = meter
        self._secured = secured

    def __call__(self, request: Request, context: Context, /) -> Response:
        """Carry out a service; see `c1222.protocol.responder.execution.Handler`."""
        handle = self._HANDLERS.get(type(request))
        if handle is None:
            raise Sns(str(request.service))
        meter = self.meter
        if isinstance(request, _READS):
            meter.look(context.utc, TableId(request.table).label)
        elif type(request) in _ASIDE:
            meter.look(context.utc, _ASIDE[type(request)])
        else:
            meter.advance(context.utc)
        try:
            response = handle(self, request, context)
        except ServiceError:
            meter.save_if_needed()
            raise
        except Exception:
            meter.reload(context.utc)  # what was partially applied must neither be seen nor kept
            raise
        meter.save_if_needed()
        return response

    def _grant(self, context: Context) -> Grant:
        grant: Grant | None = context.access.rights
        return self.meter.rights.initial if grant is None else grant

    def _identify(self, _request: Any, _context: Context) -> Response:
        meter = self.meter
        features: list[identify.Feature] = []
        if self._secured:
            features.append(identify.SecurityMechanism(_MECHANISM))
        features.append(identify.SessionControl.of(meter.options.max_sessions, sessionless=True))
        features.append(identify.DeviceClass.of(meter.device_class))
        identification = meter.tables.find("ST5.IDENTIFICATION")
        if identification:
            features.append(identify.DeviceIdentity.of(str(identification)))
        return identify.IdentifyResponse(3, 1, 0, tuple(features))

    # Sessions and rights.

    def _logon(self, request: session.LogonRequest, _context: Context) -> Response:
        longest = self.meter.options.session_timeout
        return session.LogonResponse(min(request.timeout or longest, longest))

    def _security(self, request: session.SecurityRequest, context: Context) -> Response:
        user = context.access.user_id if request.user_id is None else request.user_id
        if self.meter.rights.check(request.password) is None:
            self.meter.advance(context.utc)  # wrong ones are logged
        grant = self.meter.check_password(request.password, user or 0)
        if grant is None:
            raise Err("wrong password")
        context.access.rights = grant
        return session.SecurityResponse()

    def _logoff(self, _request: Any, context: Context) -> Response:
        self.meter.log(EventCode.COMMUNICATION_ENDED_NORMALLY, user=context.access.user_id or 0)
        return session.LogoffResponse()

    def _terminate(self, _request: Any, _context: Context) -> Response:
        return session.TerminateResponse()

    def _disconnect(self, _request: Any, _context: Context) -> Response:
        return session.DisconnectResponse()

    def _wait(self, _request: Any, _context: Context) -> Response:
        return session.WaitResponse()

    def _trace(self, request: network.TraceRequest, _context: Context) -> Response:
        titles = (*request.ap_titles, self.meter.title)
        return network.TraceResponse(titles, relative_tag=request.relative_tag)

    # Reading.

    def _read(self, request: tables.ReadRequest, context: Context) -> Response:
        return tables.ReadResponse(TableData(self._readable(request.table, context)))

    def _read_default(self, _request: Any, context: Context) -> Response:
        label = self.meter.options.default_table
        if label is None:
            raise Sns("this meter has no default table")
        return tables.ReadDefaultResponse(TableData(self._readable(table_id(label), context)))

    def _read_offset(self, request: tables.ReadOffsetRequest, context: Context) -> Response:
        octets = self._readable(request.table, context)
        if not self.meter.offer.by_offset:
            raise Onp("no access by offset")
        end = request.offset + request.count
        if not request.count or end > len(octets):
            raise Iar(f"{len(octets)} octets, asked for {request.offset} to {end}")
        return tables.ReadOffsetResponse(TableData(octets[request.offset : end]))

    def _read_index(self, request: tables.ReadIndexRequest, context: Context) -> Response:
        octets = self._readable(request.table, context)
        if not request.count:
            raise Iar("nothing is asked for")
        start, end = self._span(request.table, request.indices, request.count, len(octets))
        return tables.ReadIndexResponse(TableData(octets[start:end]))

    def _readable(self, table: int, context: Context) -> bytes:
        """Return the octets of a table that the peer may read."""
        meter = self.meter
        label, pending = self._place(table)
        if not meter.rights.may_read(label, self._grant(context)):
            meter.counters["refused-reads"] += 1
            raise Isc(f"{label} may not be read")
        if pending:
            octets = meter.pending.get(label)
            if octets is None:
                raise Iar(f"no {label} is pending")
            return octets
        if meter.simulation:
            meter.simulation.refresh(label, context.utc)
        octets = meter.tables.get(label)
        return (_NO_RESPONSE if label == "ST8" else b"") if octets is None else octets

    def _place(self, table: int) -> tuple[str, bool]:
        """Return the label of a table that exists, and whether its pending copy is meant."""
        one = TableId(table)
        if one.beyond:
            raise Iar(f"table {table:04X}")
        label = one.label
        if label not in self.meter.offer.used or (label not in self.meter.tables and label not in _VIRTUAL):
            raise Iar(f"there is no {label}")
        return label, one.flag

    def _span(self, table: int, indices: tuple[int, ...], count: int, size: int) -> tuple[int, int]:
        """Return where the elements of an index access begin and end."""
        one = TableId(table)
        layout = self.meter.tables.layout(one.label)
        if not self.meter.offer.by_index or layout is None or one.flag:
            raise Onp("no access by index")
        try:
            start = layout.at_index(indices).offset
            end = start + count
            if not self.meter.options.index_counts_octets:
                end = start
                for number in range(count):
                    element = layout.at_index((*indices[:-1], indices[-1] + number))
                    end = element.offset + element.size
        except C1219Error as error:
            raise Iar(str(error)) from None
        if end > size:
            raise Iar(f"{size} octets, asked for {start} to {end}")
        return start, end

    # Writing.

    def _write(self, request: tables.WriteRequest, context: Context) -> Response:
        self._change(request, context, None)
        return tables.WriteResponse()

    def _write_offset(self, request: tables.WriteOffsetRequest, context: Context) -> Response:
        if not self.meter.offer.by_offset:
            raise Onp("no access by offset")
        self._change(request, context, request.offset)
        return tables.WriteOffsetResponse()

    def _write_index(self, request: tables.WriteIndexRequest, context: Context) -> Response:
        label, _ = self._place(request.table)
        start, _ = self._span(request.table, request.indices, 0, len(self.meter.tables.get(label) or b""))
        self._change(request, context, start)
        return tables.WriteIndexResponse()

    def _change(self, request: tables.Carrier, context: Context, offset: int | None) -> None:
        """Write a table, or octets of it."""
        meter, table = self.meter, int(getattr(request, "table", 0))
        label, pending = self._place(table)
        self._check_write(label, request, context)
        data, user = request.data, context.access.user_id or 0
        if label == "ST7" and not pending:
            if offset is not None:
                raise Onp("ST7 is written as a whole")
            if not context.is_test:
                procedures.call(meter, data, context, self._grant(context))
            return
        before = meter.pending.get(label) if pending else meter.tables.get(label)
        if offset is not None:
            if before is None or offset + len(data) > len(before):
                raise Iar(f"{label} has {len(before or b'')} octets, written {offset} to {offset + len(data)}")
            data = before[:offset] + data + before[offset + len(data) :]
        body = data[EVENT_SIZE:] if pending else data
        layout = meter.tables.layout(label)
        fits = layout is not None and layout.fitting(len(body)) is not None
        if not fits and len(body) != len(meter.tables.get(label) or b""):
            raise Iar(f"{label} has not {len(body)} octets")
        if context.is_test:
            return
        if pending:
            meter.pending.put(label, data, meter.device)
        else:
            meter.put(label, data, user=user)
        meter.counters["writes"] += 1
        meter.log(EventCode.TABLE_WRITTEN, (table,), user=user)
        meter.must_save()

    def _check_write(self, label: str, request: tables.Carrier, context: Context) -> None:
        """Check that a table can be written, by this peer, now, and that its octets came over whole."""
        meter = self.meter
        if label not in meter.offer.writable and label != "ST7":
            raise Iar(f"{label} cannot be written")
        if not meter.rights.may_write(label, self._grant(context)):
            meter.counters["refused-writes"] += 1
            raise Isc(f"{label} may not be written")
        if meter.is_locked(label):
            raise Dlk(f"{label} is locked")
        if not request.checksum_ok:
            meter.counters["wrong-checksum"] += 1
            raise Err("the checksum of the table data is wrong")

    _HANDLERS: ClassVar[dict[type, Callable[[MeterHandler, Any, Context], Response]]] = {
        identify.IdentifyRequest: _identify,
        session.LogonRequest: _logon,
        session.SecurityRequest: _security,
        session.LogoffRequest: _logoff,
        session.TerminateRequest: _terminate,
        session.DisconnectRequest: _disconnect,
        session.WaitRequest: _wait,
        network.TraceRequest: _trace,
        tables.ReadRequest: _read,
        tables.ReadDefaultRequest: _read_default,
        tables.ReadOffsetRequest: _read_offset,
        tables.ReadIndexRequest: _read_index,
        tables.WriteRequest: _write,
        tables.WriteOffsetRequest: _write_offset,
        tables.WriteIndexRequest: _write_index,
    }
