"""Worked examples, published messages and captured ones: octets to values and back."""

import doctest
import json
from pathlib import Path

import pytest

from c1222 import services
from c1222.services import Request, Response, align, decode_request, decode_response
from tests.c1222.services.examples import KNOWN_REQUESTS, KNOWN_RESPONSES

MESSAGES = Path(__file__).parents[3] / "specs/vectors/messages.json"


@pytest.mark.parametrize(("octets", "value"), KNOWN_REQUESTS, ids=[octets for octets, _ in KNOWN_REQUESTS])
def test_request(octets: str, value: Request) -> None:
    wire = bytes.fromhex(octets)
    decoded = decode_request(wire)
    assert decoded == value
    assert decoded.encode() == value.encode() == wire
    assert decoded.findings == ()


@pytest.mark.parametrize(
    ("octets", "request_", "value"), KNOWN_RESPONSES, ids=[octets for octets, _, _ in KNOWN_RESPONSES]
)
def test_response(octets: str, request_: Request | None, value: Response) -> None:
    wire = bytes.fromhex(octets)
    decoded = decode_response(wire, request_)
    assert decoded == value
    assert decoded.encode() == value.encode() == wire
    assert decoded.service == value.service == (request_.service if request_ else None)
    assert decoded.findings == ()


def test_published_messages() -> None:
    messages = json.loads(MESSAGES.read_text("utf-8"))["messages"]
    seen = 0
    for message in messages:
        for octets in message.get("services") or ():
            if octets.startswith("0000000000"):
                continue  # filler of a boundary case, no service
            wire = bytes.fromhex(octets)
            decode = decode_request if wire[0] >= 0x20 else decode_response
            decoded = decode(wire)
            assert decoded.encode() == wire
            assert decoded.service != "unknown"
            seen += 1
    assert seen >= 25


@pytest.mark.parametrize(
    ("asked", "answered"), [("std-ex8-req", "std-ex8-rsp"), ("ipv4-req", "ipv4-rsp"), ("ipv6-req", "ipv6-rsp")]
)
def test_published_exchanges(asked: str, answered: str) -> None:
    messages = {entry["id"]: entry for entry in json.loads(MESSAGES.read_text("utf-8"))["messages"]}
    requests = [decode_request(bytes.fromhex(octets)) for octets in messages[asked]["services"]]
    octets = [bytes.fromhex(part) for part in messages[answered]["services"]]
    places = align(requests, octets)
    assert None not in places
    responses = [decode_response(part, requests[place]) for part, place in zip(octets, places, strict=True)]
    assert [response.service for response in responses] == [requests[place].service for place in places]
    assert all(response.result == "ok" and not response.findings for response in responses)
    assert places[-1] == len(requests) - 1


def test_json_of_the_request_in_the_design() -> None:
    decoded = decode_request(bytes.fromhex("3F00010000100010"))
    assert json.dumps(decoded.as_dict()) == (
        '{"code": 63, "service": "read-offset", "kind": "request", "table": 1, "offset": 16, "count": 16}'
    )


def test_json_of_a_response() -> None:
    request = decode_request(bytes.fromhex("300002"))
    decoded = decode_response(bytes.fromhex("0000024142 7D"), request)
    assert json.dumps(decoded.as_dict()) == (
        '{"code": 0, "kind": "response", "result": "ok", "service": "read", "data": "4142", "checksum_ok": true}'
    )


def test_the_examples_of_the_front_door() -> None:
    result = doctest.testmod(services)
    assert result.failed == 0
    assert result.attempted >= 4
