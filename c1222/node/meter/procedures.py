"""ST7 and ST8: procedures that are called, and what became of the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from c1219.codes.events import EventCode
from c1219.codes.results import ResponseSelector, ResultCode
from c1219.errors import C1219Error
from c1219.secrecy import may_be_secret
from c1219.tableid import TableId, table_id
from c1222.node.meter.meter import CALL_HEAD, Call, Done
from c1222.node.meter.standard_procedures import STANDARD, parameters_of
from c1222.services.results import Iar

if TYPE_CHECKING:
    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.meter.rights import Grant
    from c1222.protocol.responder.execution import Context

__all__ = ["call"]

_ANYBODY: Final = frozenset({18, 19})
"""Procedures that nobody needs rights for: log in and log out."""


def call(meter: SimulatedMeter, octets: bytes, context: Context, grant: Grant) -> None:
    """Carry out what was written to ST7, and put the outcome into ST8.

    Others may read ST7 afterwards: parameters that hold a password or key are not kept in it.

    Args:
        meter: the meter that carries it out.
        octets: as written to ST7.
        context: of the request.
        grant: what the peer may do.

    Raises:
        Iar: too few octets, or more parameters than ST0 allows.
    """
    longest = CALL_HEAD + meter.tables.find("ST0.MAX_PROC_PARM_LENGTH", 0)
    if not CALL_HEAD <= len(octets) <= longest:
        raise Iar(f"ST7 has {CALL_HEAD} to {longest} octets")
    called = TableId.from_bytes(octets[:2], "big" if meter.offer.big else "little")
    meter.later = None
    done = _execute(meter, called.plain, octets[CALL_HEAD:], context, grant)
    meter.counters["procedures"] += 1
    meter.must_save()
    registry = meter.tables.shape.device.registry
    secret = may_be_secret(table_id("ST7"), octets, registry=registry)
    meter.tables.put("ST7", octets[:CALL_HEAD] if secret else octets)
    post = called.selector in (ResponseSelector.ON_COMPLETION, ResponseSelector.NOW_AND_ON_COMPLETION)
    if post or (called.selector == ResponseSelector.ON_EXCEPTION and done.result):
        meter.tables.put("ST8", octets[:CALL_HEAD] + bytes((done.result,)) + done.response)
    if done.later is not None:
        meter.later = [context.utc + done.later, int(done.final)]


def _execute(meter: SimulatedMeter, number: TableId, octets: bytes, context: Context, grant: Grant) -> Done:
    procedure = meter.procedures.get(number, STANDARD.get(number))
    if procedure is None or number not in meter.offer.procedures:
        return Done(ResultCode.UNRECOGNIZED_PROCEDURE)
    if number not in _ANYBODY and not meter.rights.may_write(number.procedure_label, grant):
        meter.counters["refused-procedures"] += 1
        return Done(ResultCode.NO_AUTHORIZATION)
    try:
        parameters = parameters_of(meter, number, octets)
    except C1219Error:
        return Done(ResultCode.INVALID_PARAMETER)
    user = context.access.user_id or 0
    meter.log(EventCode.PROCEDURE_INVOKED, (number.flagged,), user=user)
    return procedure(Call(meter, parameters, octets, context, user))
