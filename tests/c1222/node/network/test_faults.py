"""Faults happen when the plan says, and look as it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.errors import StateError
from c1222.message.aptitle import ApTitle
from c1222.node.network.faults import KINDS, FaultPlan
from c1222.protocol.opening import decode
from c1222.security.sealing import Verdict
from c1222.services import ErrorResponse, session, tables
from tests.c1222.node.rig import KEY, Rig

if TYPE_CHECKING:
    from pathlib import Path

PLAN = """
seed = 7

[[fault]]
kind = "drop"
service = "read"
table = "ST1"
title = ".123.8437"
nth = [2]

[[fault]]
kind = "delay"
on = "request"
seconds = 2.5
every = 3
limit = 1
"""


def rig(*faults: dict[str, object], seed: int = 0, mode: int = 0) -> tuple[Rig, object]:
    plan = FaultPlan.from_dict({"seed": seed, "fault": list(faults)})
    made = Rig(keys={2: KEY} if mode else None, faults=plan, simulate=False)
    return made, made.caller(mode=mode, key_id=2 if mode else None)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_plan_is_read_from_toml_and_json(tmp_path: Path, mark: bytes) -> None:
    toml = tmp_path / "plan.toml"
    toml.write_bytes(mark + PLAN.encode())
    plan = FaultPlan.from_file(toml)
    as_json = tmp_path / "plan.json"
    as_json.write_bytes(mark + json.dumps({"seed": 7, "fault": [{"kind": "drop"}]}).encode())
    assert FaultPlan.from_file(as_json)
    assert not FaultPlan()
    made = Rig(faults=plan, count=2, simulate=False)
    first = made.caller()
    assert [len(first.ask(tables.ReadRequest(number))) for number in (1, 1, 0)] == [1, 0, 0]
    assert plan.counters == {"drop": 1, "delay": 1}


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "explode"},
        {"kind": "drop", "colour": "red"},
        {"kind": "drop", "on": "both"},
        {"kind": "wrong-mac", "on": "request"},
        {"kind": "drop", "on": "request", "service": "read"},
        {"kind": "drop", "probability": "often"},
        {"kind": "drop", "probability": -1},
        {"kind": "drop", "every": 0},
        {"kind": "drop", "limit": True},
        {"kind": "drop", "nth": [0]},
        {"kind": "drop", "nth": 3},
        {"kind": "result", "result": "ok"},
        {"kind": "result", "result": 6},
        {"kind": "truncate", "octets": -1},
        {"kind": "drop", "table": "no table"},
        {"kind": "drop", "table": []},
        {"kind": "drop", "title": "no title"},
        {"kind": "drop", "title": 5},
        "drop",
    ],
)
def test_what_is_no_fault_is_refused_with_its_place(fault: object) -> None:
    with pytest.raises(StateError, match="fault 2"):
        FaultPlan.from_dict({"fault": [{"kind": "drop"}, fault]})


@pytest.mark.parametrize("content", [[], {"faults": []}, {"fault": {}}, {"seed": "x"}, {"seed": -1}])
def test_what_is_no_plan_is_refused(content: object) -> None:
    with pytest.raises(StateError):
        FaultPlan.from_dict(content)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("fault = [")
    (tmp_path / "bad.json").write_bytes(b"\xff")
    for name in ("none.toml", "bad.toml", "bad.json"):
        with pytest.raises(StateError, match=name):
            FaultPlan.from_file(tmp_path / name)


@given(seed=st.integers(0, 1 << 32))
def test_chance_follows_from_the_seed(seed: int) -> None:
    plans = [FaultPlan.from_dict({"seed": seed, "fault": [{"kind": "drop", "probability": 0.3}]}) for _ in range(2)]
    title = ApTitle(".1")
    first, second = ([bool(plan.of_answer(title, ())) for _ in range(40)] for plan in plans)
    assert first == second


def test_chance_is_about_as_often_as_it_says() -> None:
    plan = FaultPlan.from_dict({"fault": [{"kind": "drop", "probability": 0.3}]})
    struck = sum(bool(plan.of_answer(ApTitle(".1"), ())) for _ in range(2000))
    assert 500 < struck < 700


def test_every_and_limit() -> None:
    _made, caller = rig({"kind": "drop", "every": 3, "limit": 2})
    assert [len(caller.ask(tables.ReadRequest(1))) for _ in range(12)] == [1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1]


def test_a_dropped_request_is_not_carried_out_and_a_dropped_answer_is() -> None:
    for on, written in (("request", False), ("answer", True)):
        made, caller = rig({"kind": "drop", "on": on, "nth": [1]})
        caller.log_in()
        assert caller.ask(tables.WriteOffsetRequest(6, 0, tables.TableData(b"X"))) == ()
        assert (made.meter.tables["ST6"][:1] == b"X") is written


def test_a_doubled_request_is_carried_out_once_and_answered_twice() -> None:
    _, caller = rig({"kind": "duplicate", "on": "request"})
    caller.ask(tables.ReadRequest(1))
    assert len(caller.received) == 2
    assert caller.received[0] == caller.received[1]
    _, caller = rig({"kind": "duplicate"})
    caller.ask(tables.ReadRequest(1))
    assert len(caller.received) == 2


def test_delays() -> None:
    made, caller = rig({"kind": "delay", "on": "request", "seconds": 2})
    assert caller.ask(tables.ReadRequest(1)) == ()
    assert made.fleet.next_deadline() == made.now + 2
    made.passes(1)
    made.fleet.tick(now=made.now, utc=made.utc)
    assert made.fleet.apdus_to_send() == []
    made.passes(1.5)
    made.fleet.tick(now=made.now, utc=made.utc)
    assert len(made.fleet.apdus_to_send()) == 1
    assert made.fleet.next_deadline() is None
    made, caller = rig({"kind": "delay", "seconds": 1.5})
    caller.initiator.request(tables.ReadRequest(1), now=made.now, utc=made.utc)
    for apdu in caller.initiator.apdus_to_send():
        made.fleet.receive(apdu, source="s", now=made.now, utc=made.utc)
    assert [out.delay for out in made.fleet.apdus_to_send()] == [1.5]


@pytest.mark.parametrize(
    ("kind", "counter"),
    [
        ("wrong-mac", "wrong-mac"),
        ("truncate", "malformed"),
        ("wrong-titles", "wrong-titles"),
        ("no-called-id", "no-answer"),
        ("cleartext", "downgrade"),
    ],
)
def test_answers_that_a_client_must_not_take(kind: str, counter: str) -> None:
    _made, caller = rig({"kind": kind, "nth": [1]}, mode=2)
    assert caller.ask(tables.ReadRequest(1)) == ()
    assert caller.initiator.counters[counter] == 1
    assert len(caller.ask(tables.ReadRequest(1))) == 1, "the next one is right"


def test_what_is_changed_before_sealing_has_a_right_mac() -> None:
    for kind in ("wrong-titles", "no-called-id"):
        _made, caller = rig({"kind": kind}, mode=2)
        caller.ask(tables.ReadRequest(1))
        assert decode(caller.received[0], keys={2: KEY}).verdict is Verdict.VERIFIED


def test_services_can_be_refused_unheard() -> None:
    made, caller = rig({"kind": "result", "service": "write", "result": "dlk"}, {"kind": "result", "table": 5})
    caller.log_in()
    refused = caller.write(6, bytes(230))
    assert isinstance(refused, ErrorResponse)
    assert refused.error().name == "dlk"
    assert made.meter.tables["ST6"] == made.profile.tables["ST6"]
    assert caller.initiator.timing.busy_tries
    assert caller.ask(tables.ReadRequest(5)) == (), "busy: it will be asked again"


def test_wrong_checksums() -> None:
    _made, caller = rig({"kind": "wrong-checksum", "table": 1})
    assert not caller.one(tables.ReadRequest(1)).checksum_ok
    assert caller.one(tables.ReadRequest(0)).checksum_ok
    assert isinstance(caller.one(session.TerminateRequest()), session.TerminateResponse)


def test_truncation_to_a_number_of_octets() -> None:
    _made, caller = rig({"kind": "truncate", "octets": 5})
    caller.ask(tables.ReadRequest(1))
    assert len(caller.received[0]) == 5


def test_all_kinds_are_documented() -> None:
    from c1222.node.network import faults

    assert faults.__doc__
    assert {
        line.split()[0] for line in faults.__doc__.splitlines() if line.split()[:1] and line.split()[0] in KINDS
    } == KINDS
