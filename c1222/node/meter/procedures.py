"""ST7 and ST8: procedures that are called, and what became of the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from c1219.codes.events import EventCode
from c1219.codes.results import ResponseSelector, ResultCode
from c1219.errors import C1219Error
from c1219.registry import table_id
from c1219.secrecy import may_be_secret
from c1222.node.meter.standard_procedures import Call, Done, parameters_of
from c1222.services.results import Iar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from c1222.node.meter.meter import SimulatedMeter
    from c1222.node.meter.rights import Grant
    from c1222.node.meter.standard_procedures import Procedure
    from c1222.protocol.responder.execution import Context

__all__ = ["Calls"]

_CALL_HEAD, _RESPONSE_HEAD = 3, 4
_ANYBODY: Final = frozenset({18, 19})
"""Procedures that nobody needs rights for: log in and log out."""


class Calls:
    """The procedures of one meter.

    Args:
        meter: whose.
        procedures: by number; those of a manufacturer have 2048 added.
        later: what the attribute was when it was saved.

    Attributes:
        later: true time at which the result of the last one changes, and to what; None when it is final.
    """

    __slots__ = ("_meter", "_procedures", "later")

    def __init__(
        self, meter: SimulatedMeter, procedures: Mapping[int, Procedure], later: list[Any] | None = None
    ) -> None:
        self._meter = meter
        self._procedures = procedures
        self.later = later

    def call(self, octets: bytes, context: Context, grant: Grant) -> None:
        """Carry out what was written to ST7, and put the outcome into ST8.

        Others may read ST7 afterwards: parameters that hold a password or key are not kept in it.

        Args:
            octets: as written to ST7.
            context: of the request.
            grant: what the peer may do.

        Raises:
            Iar: too few octets, or more parameters than ST0 allows.
        """
        meter = self._meter
        longest = _CALL_HEAD + meter.tables.find("ST0.MAX_PROC_PARM_LENGTH", 0)
        if not _CALL_HEAD <= len(octets) <= longest:
            raise Iar(f"ST7 has {_CALL_HEAD} to {longest} octets")
        proc = int.from_bytes(octets[:2], "big" if meter.offer.big else "little")
        number, selector = proc & 0x0FFF, proc >> 12
        self.later = None
        done = self._execute(number, octets[_CALL_HEAD:], context, grant)
        meter.counters["procedures"] += 1
        meter.must_save()
        registry = meter.tables.shape.device.registry
        secret = may_be_secret(table_id("ST7"), octets, registry=registry)
        meter.tables.put("ST7", octets[:_CALL_HEAD] if secret else octets)
        post = selector in (ResponseSelector.ON_COMPLETION, ResponseSelector.NOW_AND_ON_COMPLETION)
        if post or (selector == ResponseSelector.ON_EXCEPTION and done.result):
            meter.tables.put("ST8", octets[:_CALL_HEAD] + bytes((done.result,)) + done.response)
        if done.later is not None:
            self.later = [context.utc + done.later, int(done.final)]

    def _execute(self, number: int, octets: bytes, context: Context, grant: Grant) -> Done:
        meter = self._meter
        name = f"MP{number & 0x7FF}" if number & 0x800 else f"SP{number}"
        procedure = self._procedures.get(number)
        if procedure is None or number not in meter.offer.procedures:
            return Done(ResultCode.UNRECOGNIZED_PROCEDURE)
        if number not in _ANYBODY and not meter.rights.may_write(name, grant):
            meter.counters["refused-procedures"] += 1
            return Done(ResultCode.NO_AUTHORIZATION)
        try:
            parameters = parameters_of(meter, number, octets)
        except C1219Error:
            return Done(ResultCode.INVALID_PARAMETER)
        user = context.access.user_id or 0
        meter.log(EventCode.PROCEDURE_INVOKED, (number | 0x1000,), user=user)
        return procedure(Call(meter, parameters, octets, context, user))

    def bring_up_to_date(self, utc: float) -> None:
        """Put the final result into ST8, if it is time.

        Args:
            utc: true time.
        """
        if self.later is not None and utc >= self.later[0]:
            self._finish(self.later[1])

    def _finish(self, result: int) -> None:
        tables = self._meter.tables
        self.later = None
        octets = tables.get("ST8")
        if octets is not None and len(octets) >= _RESPONSE_HEAD:
            tables.put("ST8", octets[:_CALL_HEAD] + bytes((result,)) + octets[_RESPONSE_HEAD:])

    def ask_network(self, what: str) -> bool:
        """Have the node register or deregister; return whether it can. `network_answered` tells the outcome."""
        network = self._meter.network
        return network is not None and network(what)

    def network_answered(self, result: int) -> None:
        """Put the outcome of registering or deregistering, as a RESULT_CODE, into ST8."""
        self._finish(result)
        self._meter.save()
