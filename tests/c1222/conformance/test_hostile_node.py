"""A node that says nonsense costs no report: every check comes to a verdict, and the report can be written."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from c1222.conformance.catalogue import CHECKS
from c1222.conformance.misbehaviours.misbehaviour import Leave, Misbehaviour, Serve, remade
from c1222.conformance.report import as_dict, junit
from c1222.conformance.run import BROKEN, run
from c1222.services import TableData, UnpairedResponse
from c1222.services.malformed import MalformedService
from c1222.services.tables import ReadResponse
from tests.c1222.conformance.rig import PASSWORDS, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.misbehaviours.misbehaviour import Subject
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response, Service


def wrong_octets(rate: float, chance: Random) -> Leave:
    def leave(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
        octets = bytearray(answer)
        if chance.random() < rate:
            for _ in range(chance.randint(1, 3)):
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        yield bytes(octets), 0.0

    return leave


def wrong_services(rate: float, chance: Random) -> Leave:
    def one(service: Service) -> list[Service]:
        if chance.random() >= rate:
            return [service]
        octets = bytearray(service.encode())
        match chance.randrange(4):
            case 0:
                return []
            case 1:
                del octets[chance.randint(1, len(octets)) :]
            case 2:
                octets += bytes(chance.randrange(5))
            case _:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        return [MalformedService(bytes(octets))]

    def change(services: list[Service]) -> list[Service]:
        return [made for service in services for made in one(service)] or [UnpairedResponse()]

    def leave(answer: bytes, node: Subject) -> Iterator[tuple[bytes, float]]:
        yield remade(answer, node.keys, change), 0.0

    return leave


def wrong_tables(rate: float, chance: Random) -> Serve:
    def serve(request: Request, context: Context, node: Subject) -> Response:
        response = node.serve(request, context)
        if not isinstance(response, ReadResponse) or not response.data or chance.random() >= rate:
            return response
        octets = bytearray(response.data)
        match chance.randrange(4):
            case 0:
                octets = bytearray(chance.randbytes(len(octets)))
            case 1:
                del octets[chance.randrange(len(octets)) :]
            case 2:
                octets = bytearray(b"\xff" * len(octets))
            case _:
                octets[chance.randrange(len(octets))] = chance.randrange(256)
        return ReadResponse(TableData(bytes(octets)))

    return serve


@pytest.mark.parametrize("seed", range(24))
def test_every_check_comes_to_a_verdict(seed: int) -> None:
    chance = Random(seed)
    rate = chance.choice([0.02, 0.1, 0.3, 0.8])
    hooks: dict[str, Any] = [
        {"leave": wrong_octets(rate, chance)},
        {"leave": wrong_services(rate, chance)},
        {"serve": wrong_tables(rate, chance)},
    ][seed % 3]
    bench = Bench(
        chance.choice(list(PASSWORDS)), mode=chance.choice([0, 0, 2]), wrong=Misbehaviour("", "", "", (), **hooks)
    )
    report = bench.run()
    assert len(report.results) == len(CHECKS)
    assert [one for result in report.results for one in result.remarks if one.text.startswith(BROKEN)] == []
    json.dumps(as_dict(report))
    ET.fromstring(junit(report))


def test_a_check_that_breaks_is_told_and_the_rest_goes_on() -> None:
    def look(_probe: object) -> Iterator[Any]:
        yield from ()
        raise KeyError("oops")

    checks = [check if check.id != "C-ECHO-01" else check._replace(look=look) for check in CHECKS]  # type: ignore[arg-type]
    report = run(Bench().probe, checks)
    broken = next(result for result in report.results if result.check.id == "C-ECHO-01")
    assert broken.verdict == "warning"
    assert broken.remarks[0].text == f"{BROKEN}: KeyError: 'oops'"
    assert report.failed == ()
