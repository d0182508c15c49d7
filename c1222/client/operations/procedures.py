"""The verb that runs procedures: ST7 is written, ST8 tells what came of it."""

from __future__ import annotations

from functools import partial
from secrets import randbelow
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from c1219.codes.results import ResponseSelector, ResultCode, result_text
from c1219.errors import C1219Error, EncodeError, UnknownTable
from c1219.tableid import procedure_id
from c1222.client.errors import ProcedureRefused, ProcedureUnanswered, WriteUnknown
from c1222.client.operations.conversation import expect_ok
from c1222.client.steps import Pause
from c1222.errors import DecodeError
from c1222.services import ErrorResponse, TableData
from c1222.services.tables import ReadRequest, WriteRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from c1219.device import Device
    from c1219.engine.layout import Layout
    from c1219.schema import Procedure
    from c1219.tableid import TableId
    from c1222.client.operations.conversation import Conversation
    from c1222.client.operations.loading import TableLoader
    from c1222.client.steps import Operation
    from c1222.services.malformed import Answer

__all__ = ["POLLS", "POLL_PAUSE", "ProcedureResult", "ProcedureRunner", "ProcedureVerbs"]

POLLS: Final = 20
"""How often ST8 is read; Elster MeteringSDK's number [1]."""
POLL_PAUSE: Final = 0.5
"""Seconds between; Elster MeteringSDK's number [1]."""

_INITIATE, _RESPONSE = 7, 8


class ProcedureResult(NamedTuple):
    """What ST8 says of a procedure.

    Attributes:
        procedure: its label, ``SP10`` or ``MP3``.
        name: its name; the label where that is not known.
        code: RESULT_CODE, 0..255.
        text: the code in words.
        response: RESP_DATA: a record where its form is known, otherwise octets; None without any.
    """

    procedure: str
    name: str
    code: int
    text: str
    response: Any

    @property
    def is_done(self) -> bool:
        """Whether the procedure has run to its end."""
        return self.code == ResultCode.COMPLETED


class _Run(NamedTuple):
    """A procedure that runs: which, sequence number, and how to wait for it."""

    id: TableId
    sequence: int
    name: str
    polls: int
    pause: float


class ProcedureRunner:
    """Writes ST7 and reads ST8, and numbers what it runs.

    Args:
        conversation: exchanges services with the meter.
        loader: loads what the forms of parameters depend on.
        device: the tables read so far.
    """

    __slots__ = ("_conversation", "_device", "_loader", "_sequence")

    def __init__(self, conversation: Conversation, loader: TableLoader, device: Device) -> None:
        self._conversation = conversation
        self._loader = loader
        self._device = device
        self._sequence = randbelow(0x100)

    def run(
        self,
        which: int | str,
        *parameters: Any,
        as_json: bool = False,
        polls: int = POLLS,
        pause: float = POLL_PAUSE,
    ) -> Operation[ProcedureResult]:
        """Run a procedure, and wait for its result; see `ProcedureVerbs.procedure`."""
        yield from self._loader.prepare(["ST7"])
        one, known = self._find(which)
        self._sequence = (self._sequence + 1) & 0xFF
        label = one.procedure_label
        name = label if known is None else f"{label}, {known.name}"
        run = _Run(one, self._sequence, name, polls, pause)
        if known is not None and known.depends_on:
            yield from self._loader.load([table for table in known.depends_on if table not in self._device])
        selected = (one.number, one.manufacturer, ResponseSelector.ON_COMPLETION)
        octets = self._device.encode(
            _INITIATE, (selected, run.sequence, self._parameters(run, known, parameters, as_json=as_json))
        )
        return (yield from self._run(run, octets))

    def _find(self, which: int | str) -> tuple[TableId, Procedure | None]:
        """Return which it is, and the declaration if there is one."""
        device = self._device
        try:
            one = procedure_id(which)
        except UnknownTable:
            wanted = str(which).casefold()
            for procedure in device.registry.procedures(device.device_class):
                if procedure.name.casefold() == wanted:
                    return procedure.id, procedure
            raise
        try:
            return one, device.procedure(one.number, manufacturer=one.manufacturer)
        except UnknownTable:
            return one, None

    def _parameters(
        self, run: _Run, known: Procedure | None, parameters: tuple[Any, ...], *, as_json: bool
    ) -> bytes | None:
        """Return the octets of the parameters."""
        if len(parameters) == 1 and isinstance(parameters[0], (bytes, bytearray, memoryview)):
            return bytes(parameters[0])
        layout = None
        if known is not None:
            layout = self._device.procedure_layout(run.id.number, "parameters", manufacturer=run.id.manufacturer)
        if layout is None:
            if parameters:
                raise UnknownTable(f"{run.name} takes no parameters that are declared: give them as octets")
            return None
        if len(parameters) == 1 and isinstance(parameters[0], dict):
            return layout.encode(layout.from_json(_completed(layout, parameters[0])))
        if as_json:
            present = [part for part in layout.root.parts if part.node.size]
            if len(present) != len(parameters):
                names = ", ".join(part.name for part in present)
                raise EncodeError(run.name, f"{len(present)} parameters are needed, not {len(parameters)}: {names}")
            named = {part.name: value for part, value in zip(present, parameters, strict=True)}
            return layout.encode(layout.from_json(_completed(layout, named)))
        return layout.encode(parameters)

    def _run(self, run: _Run, octets: bytes) -> Operation[ProcedureResult]:
        """Write ST7 and read ST8 in one message."""
        write, read = WriteRequest(_INITIATE, TableData(octets)), ReadRequest(_RESPONSE)
        try:
            answers = yield from self._conversation.exchange(write, read)
        except WriteUnknown as error:
            if isinstance(error.reason, DecodeError):  # an answer to one of the two: ST8 knows
                return (yield from self._wait_for(run, None))
            error.finish = partial(self._started, run)
            raise
        return (yield from self._started(run, answers))

    def _started(self, run: _Run, answers: Sequence[Answer]) -> Operation[ProcedureResult]:
        """Take the answers to the first message."""
        answer = answers[0] if answers else None
        expect_ok(answer, WriteRequest(_INITIATE, TableData(b"")), detail=f"ST7: {run.name}")
        return (yield from self._wait_for(run, answers[1] if len(answers) > 1 else None))

    def _wait_for(self, run: _Run, answer: Answer) -> Operation[ProcedureResult]:
        """Poll ST8 until there is a result.

        Args:
            run: the procedure.
            answer: to the read that went with ST7.
        """
        read = ReadRequest(_RESPONSE)
        result: ProcedureResult | None = None
        for poll in range(max(run.polls, 1)):
            if poll:
                yield Pause(run.pause)
                (answer,) = yield from self._conversation.exchange(read)
            if poll == 0 and (answer is None or isinstance(answer, ErrorResponse)):
                (answer,) = yield from self._conversation.exchange(
                    read
                )  # perhaps only refused for being in one message with ST7
            result = self._result(run, expect_ok(answer, read)) or result
            if result is not None and result.code != ResultCode.NOT_FULLY_COMPLETED:
                break
        if result is None:
            raise ProcedureUnanswered(run.name, run.polls)
        if ResultCode.INVALID_PARAMETER <= result.code <= ResultCode.UNRECOGNIZED_PROCEDURE:
            raise ProcedureRefused(run.name, result)
        return result

    def _result(self, run: _Run, response: Any) -> ProcedureResult | None:
        """Return what ST8 says, None if it is about another procedure."""
        try:
            record = self._device.decode(_RESPONSE, response.data).value
        except C1219Error:
            return None
        about = record.PROC
        if (about.TBL_PROC_NBR, bool(about.STD_VS_MFG_FLAG), record.SEQ_NBR) != (
            run.id.number, run.id.manufacturer, run.sequence,
        ):  # fmt: skip
            return None
        code = int(record.RESULT_CODE)
        name = run.name.partition(", ")[2] or run.id.procedure_label
        return ProcedureResult(run.id.procedure_label, name, code, result_text(code), record.RESP_DATA)


class ProcedureVerbs:
    """Run procedures."""

    procedures: ProcedureRunner

    def procedure(
        self,
        which: int | str,
        *parameters: Any,
        as_json: bool = False,
        polls: int = POLLS,
        pause: float = POLL_PAUSE,
    ) -> Operation[ProcedureResult]:
        """Run a procedure, and wait for its result.

        Args:
            which: ``10``, ``"SP10"``, ``"MP3"``, or its name, ``"Reset List Pointers"``; 2048 and up are the
                manufacturer's.
            parameters: its parameters, in the order of its declaration; or one dict in terms of JSON; or its octets.
            as_json: the parameters are in terms of JSON. What is left out of a bit field is 0; a text or list names its
                flags that are set.
            polls: how often ST8 is read for the result.
            pause: seconds between.

        Returns:
            The result, in words. A procedure that has not finished after all polls has code 1, "accepted".

        Raises:
            ProcedureRefused: it did not run; the error says why.
            ProcedureUnanswered: ST8 never held its result.
            WriteUnknown: nobody knows whether ST7 is written; see `repeat`.
            Refusal: the meter refused access to ST7 or ST8.
            c1219.C1219Error: there is no procedure of this name, or the parameters have no form on the wire.
        """
        return (yield from self.procedures.run(which, *parameters, as_json=as_json, polls=polls, pause=pause))


def _completed(layout: Layout, given: dict[str, Any]) -> dict[str, Any]:
    """Return parameters in terms of JSON with all flags: those that are left out are false, named ones true."""
    try:
        cleared = layout.to_json(layout.decode(bytes(layout.size)))
    except C1219Error:
        return given  # zeros are no value of it
    return {name: _flagged(cleared.get(name), value) for name, value in given.items()}


def _flagged(cleared: Any, given: Any) -> Any:
    """Return the value of a bit field.

    Args:
        cleared: all its fields in terms of JSON, with flags that are not set.
        given: some of them; or names of flags that are set.
    """
    if not isinstance(cleared, dict):
        return given
    if isinstance(given, str):
        given = given.replace(",", " ").split()
    if isinstance(given, list) and all(cleared.get(name) is False for name in given):
        given = dict.fromkeys(given, True)
    return {**cleared, **given} if isinstance(given, dict) and given.keys() <= cleared.keys() else given
