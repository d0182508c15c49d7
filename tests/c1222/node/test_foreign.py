"""Programs of others ask a node: what they said, octet for octet, gets the right answer each time."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

import c1222
from c1222.protocol.policy import TCP_LINK, UDP_LINK
from c1222.vectors.model import Family, parse
from c1222.vectors.verification import verify
from tests.c1222.node.rig import POLYPHASE, Rig, profile

PATH = Path(__file__).parents[3] / "specs" / "vectors" / "foreign.json"
KEYS = {2: bytes.fromhex("01020304050607080102030405060708")}
ST1 = profile(POLYPHASE).tables["ST1"]


@cache
def foreign() -> Family:
    return parse(PATH.read_bytes())


def requests(group: str) -> list[bytes]:
    return [bytes.fromhex(case.input["request"]) for one, case in foreign().cases() if one.id == group]


def rig(**options: Any) -> Rig:
    return Rig(POLYPHASE, keys=KEYS, cleartext=True, utc=1_796_000_000.0, **options)


def ask(node: Rig, apdu: bytes, source: object, *, reliable: bool = False) -> list[dict[str, Any]]:
    """Send octets from somewhere; return the services of the answer."""
    link = TCP_LINK if reliable else UDP_LINK
    node.passes(0.25)
    node.fleet.receive(apdu, source=source, now=node.now, utc=node.utc, link=link)
    (answer,) = [out.apdu for out in node.fleet.apdus_to_send()]
    request = c1222.decode(apdu, keys=KEYS)
    return [service.as_dict() for service in c1222.decode(answer, keys=KEYS, request=request).services]


def test_the_file_holds() -> None:
    report = verify([foreign()])
    assert (report.differing, report.remarked) == (0, 0)
    assert report.judged == foreign().size > 30


GROUPS = ["elster-sessions", "elster-sessionless", "c12test-sessions", "itron", "termineter"]


@pytest.mark.parametrize("reliable", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("group", GROUPS)
def test_each_request_is_answered_as_the_file_says(group: str, reliable: bool) -> None:
    """Each comes from an end of its own, as these programs have it, but termineter's, which keeps its connection."""
    node = rig(simulate=False)
    for one, case in foreign().cases():
        if one.id == group:
            source = group if group == "termineter" else case.id
            found = ask(node, bytes.fromhex(case.input["request"]), source, reliable=reliable)
            assert case.output is not None
            assert found == case.output["response"]["services"], case.comment


def test_a_session_in_one_apdu() -> None:
    """Frame by frame what c12test asks: logon of user 2 for 60 s, a password, one table, logoff."""
    node = rig(simulate=False)
    tables = [1, 2, 5, 6, 21, 52]
    for number, apdu in zip(tables, requests("c12test-sessions"), strict=True):
        services = [service.as_dict() for service in c1222.decode(apdu).services]
        assert [service["service"] for service in services] == ["logon", "security", "read", "logoff"]
        assert (services[0]["user_id"], services[0]["timeout"], services[2]["table"]) == (2, 60, number)
        answer = ask(node, apdu, f"port {number}")
        assert [one["result"] for one in answer] == ["ok"] * 4
        assert bytes.fromhex(answer[2]["data"]) == profile(POLYPHASE).tables[f"ST{number}"]
        assert node.fleet.sessions() == 0
    assert all(c1222.decode(apdu).calling_invocation_id == 0 for apdu in requests("c12test-sessions"))


def test_the_same_session_from_another_port_is_carried_out_again() -> None:
    """The clock, at sixty times the speed, is never one of before; from the same port it is a repetition."""
    node = rig(rate=60.0)
    read_clock = requests("elster-sessions")[0]
    shown = []
    for port in range(3):
        shown.append(ask(node, read_clock, port)[2]["data"])
        assert ask(node, read_clock, port)[2]["data"] == shown[-1], "a repetition gets the answer of before"
        node.passes(3)
    assert len(set(shown)) == 3


def test_no_write_that_was_acknowledged_is_lost() -> None:
    node = rig(simulate=False)
    first, other, again = requests("elster-sessions")[2:5]
    assert first == again
    for number, (apdu, letter) in enumerate([(first, b"A"), (other, b"B"), (again, b"A")]):
        assert [one["result"] for one in ask(node, apdu, number, reliable=True)] == ["ok"] * 4
        assert node.meter.tables["ST6"][:20] == letter * 20


def test_demand_is_reset_as_often_as_it_is_asked() -> None:
    node = rig()
    reset = requests("elster-sessions")[5]
    before = node.device()[23].value.NBR_DEMAND_RESETS
    for number in (1, 2):
        answer = ask(node, reset, number, reliable=True)
        assert bytes.fromhex(answer[2]["data"])[0] == before + number - 1
        assert answer[4]["data"] == "0900000001", "done: demand reset"
        assert node.device()[23].value.NBR_DEMAND_RESETS == before + number
        node.passes(16 * 60)  # no two resets within a quarter of an hour, says ST13


def test_an_encrypted_message_of_many_reads() -> None:
    node = Rig(POLYPHASE, keys=KEYS, simulate=False, utc=float(0x6B0C5343))
    (apdu,) = requests("c12test-secured")
    answer = ask(node, apdu, "port")
    assert [one["result"] for one in answer[:3]] == ["ok"] * 3
    assert [bytes.fromhex(one["data"]) for one in answer[1:3]] == [ST1, profile(POLYPHASE).tables["ST5"]]
    assert len(answer) == 6
    assert ask(node, apdu, "port")[1] == answer[1], "a repetition"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_a_write_in_segments(order: tuple[int, ...]) -> None:
    node = rig(simulate=False)
    segments = next(case.input["segments"] for one, case in foreign().cases() if one.id == "itron-segments")
    for place in order[:-1]:
        node.fleet.receive(bytes.fromhex(segments[place]), source="s", now=node.now, utc=node.utc)
        assert not node.fleet.apdus_to_send()
    node.fleet.receive(bytes.fromhex(segments[order[-1]]), source="s", now=node.now, utc=node.utc)
    (answer,) = [out.apdu for out in node.fleet.apdus_to_send()]
    assert b"Segmented Power" in answer
    assert node.meter.tables["ST6"][:20] == b"Segmented Power".ljust(20)


@pytest.mark.parametrize(("place", "identifier"), [(0, 0x1005), (1, 5), (2, 0x1007)])
def test_short_invocation_ids_come_back(place: int, identifier: int) -> None:
    apdu = requests("itron")[place]
    assert c1222.decode(apdu).calling_invocation_id == identifier
    node = rig(simulate=False)
    node.fleet.receive(apdu, source="s", now=node.now, utc=node.utc)
    (answer,) = [out.apdu for out in node.fleet.apdus_to_send()]
    found = c1222.decode(answer)
    assert found.called_invocation_id == identifier
    assert str(found.called) == ".123.4"
    assert found.calling == c1222.decode(apdu).called, "as it was called"
