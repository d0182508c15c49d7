"""Procedures, by both pumps over a wire in memory."""

from __future__ import annotations

from typing import Any

import pytest

from c1219.errors import EncodeError, UnknownTable
from c1222.client.errors import ProcedureRefused, ProcedureUnanswered
from c1222.services import Request, Response, TableData, tables
from c1222.services.results import Onp
from tests.c1222.client.rig import Bench

pytestmark = pytest.mark.parametrize("kind", ["sync", "aio"])


def test_procedures_by_number_label_and_name(kind: str) -> None:
    bench = Bench(kind)
    for which in (4, "4", "SP4", "reset list pointers"):
        result = bench.meter.procedure(which, 1)
        assert (result.procedure, result.name, result.code, result.text) == ("SP4", "Reset List Pointers", 0, "done")
        assert result.is_done
    assert {(number, octets) for number, _, octets in bench.store.procedures} == {(4, b"\x01")}
    sequence = [number for _, number, _ in bench.store.procedures]
    assert len(set(sequence)) == 4
    bench.meter.procedure("MP3", b"\x01\x02")
    assert bench.store.procedures[-1][0] == 0x803
    assert bench.store.procedures[-1][2] == b"\x01\x02"
    bench.meter.procedure(2048 + 3)
    assert bench.store.procedures[-1][2] == b""


def test_parameters_in_the_order_of_the_declaration_or_as_json(kind: str) -> None:
    bench = Bench(kind)
    bench.meter.procedure(5, 1, 300)
    assert bench.store.procedures[-1][2] == bytes([1, 0x2C, 0x01])
    bench.meter.procedure(
        9,
        {
            "ACTION_FLAG": {
                "DEMAND_RESET_FLAG": True,
                "SELF_READ_FLAG": True,
                "SEASON_CHANGE_FLAG": False,
                "NEW_SEASON": 0,
            }
        },
    )
    assert bench.store.procedures[-1][2] == b"\x03"
    for wrong in ((), (1, 2), ("x",)):
        with pytest.raises(EncodeError):
            bench.meter.procedure(4, *wrong)
    with pytest.raises(UnknownTable, match="no parameters"):
        bench.meter.procedure(0, 1)
    with pytest.raises(UnknownTable, match="no procedure is called"):
        bench.meter.procedure("No Such Thing")
    with pytest.raises(UnknownTable, match="outside"):
        bench.meter.procedure(4096)


def test_a_procedure_that_takes_its_time(kind: str) -> None:
    bench = Bench(kind)

    def unfinished(request: Request) -> Response | None:
        if isinstance(request, tables.ReadRequest) and request.table == 8 and bench.wire.now < 4:
            octets = bench.store.tables[8]
            return tables.ReadResponse(TableData(octets[:3] + b"\x01"))
        return None

    bench.store.plan.append(unfinished)
    result = bench.meter.procedure(4, 1)
    assert result.code == 0
    assert bench.wire.now >= 4
    bench.store.plan.clear()
    bench.store.results = [1] * 10
    assert bench.meter.procedure(4, 1, polls=3, pause=0.1).text == "accepted, not finished"


@pytest.mark.parametrize(("code", "words"), [(2, "parameter"), (3, "setup"), (4, "later"), (5, "rights"), (6, "ST0")])
def test_a_procedure_that_is_refused(kind: str, code: int, words: str) -> None:
    bench = Bench(kind)
    bench.store.results = [code]
    with pytest.raises(ProcedureRefused, match=words) as caught:
        bench.meter.procedure(4, 1)
    assert caught.value.result.code == code
    assert "Reset List Pointers" in str(caught.value)


def test_the_result_of_another_procedure_is_not_taken(kind: str) -> None:
    bench = Bench(kind)

    def foreign(request: Request) -> Response | None:
        if isinstance(request, tables.ReadRequest) and request.table == 8:
            return tables.ReadResponse(TableData(bytes([4, 0, bench.store.tables[8][2] ^ 1, 0])))
        return None

    bench.store.plan.append(foreign)
    with pytest.raises(ProcedureUnanswered):
        bench.meter.procedure(4, 1, polls=3)


def test_a_meter_that_wants_st8_in_a_message_of_its_own(kind: str) -> None:
    bench = Bench(kind)
    original = bench.node.responder.handler

    class Alone:
        def __call__(self, request: Request, context: Any) -> Response:
            if len(context.message.services) > 1 and isinstance(request, tables.ReadRequest):
                raise Onp
            return original(request, context)

    bench.node.responder.handler = Alone()
    assert bench.meter.procedure(4, 1).is_done
    assert len(bench.store.procedures) == 1
