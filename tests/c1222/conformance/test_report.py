"""Reports as JSON and JUnit, and what they do not show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from c1222.conformance.evidence import FIRST, LAST, Evidence, Log, hex_of
from c1222.conformance.misbehaviours import MISBEHAVIOURS
from c1222.conformance.misbehaviours.misbehaviour import Misbehaviour
from c1222.conformance.report import as_dict, junit
from c1222.conformance.rules import CheckVerdict, Mark, Remark, Rule, check
from c1222.conformance.run import Report, Result
from c1222.conformance.survey import survey
from c1222.message.segmentation import cut
from c1222.services import TableData
from c1222.services.tables import ReadRequest, ReadResponse
from tests.c1222.conformance.rig import KEY, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from c1222.conformance.misbehaviours.misbehaviour import Leave, Subject
    from c1222.protocol.responder.execution import Context
    from c1222.services import Request, Response

SCHEMA = json.loads((Path(__file__).parents[3] / "specs" / "conformance-report.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module", params=["wrong-checksum", "silent", "mac-unchecked", "other-form"])
def report(request: pytest.FixtureRequest) -> Report:
    return Bench(wrong=MISBEHAVIOURS[request.param]).run()


def test_json_is_as_its_schema_says(report: Report) -> None:
    content = json.loads(json.dumps(as_dict(report)))
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(content)
    assert sum(content["counts"].values()) == len(content["checks"])
    assert content["started"].endswith("+00:00")


def test_junit_counts_as_the_report_does(report: Report) -> None:
    root = ET.fromstring(junit(report))
    cases = root.findall("./testsuite/testcase")
    assert int(root.get("tests", "")) == len(cases) == len(report.results)
    assert int(root.get("failures", "")) == len(root.findall(".//failure")) == report.count(CheckVerdict.FAIL)
    assert int(root.get("skipped", "")) == len(root.findall(".//skipped")) == report.count(CheckVerdict.SKIPPED)
    warnings = [one for one in root.findall(".//system-out") if (one.text or "").startswith("WARNING")]
    assert len(warnings) == report.count(CheckVerdict.WARNING)
    for suite in root.findall("testsuite"):
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
    for failure in root.findall(".//failure"):
        assert failure.get("message")
        assert "rests on" in (failure.text or "")


def test_junit_holds_whatever_a_node_says() -> None:
    one = check("C-RUN-99", "title", Rule("", "", Mark.VERIFIED))(lambda _probe: iter(()))
    result = Result(one, CheckVerdict.FAIL, (Remark("wrong", "\x00\x1b[31m<&>\ud800\uffff é"),))
    text = junit(Report("a", "b", "cleartext", 0.0, (result,)))
    failure = ET.fromstring(text).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "??[31m<&>?? é"


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_secrets_are_nowhere(mode: int) -> None:
    password = b"master-demo".ljust(20)
    bench = Bench(mode=mode)
    told: list[str] = []
    report = bench.run()
    told += [json.dumps(as_dict(report)), junit(report), repr(bench.probe.target), repr(report)]
    if mode < 2:
        assert any(password in octets for octets in bench.heard), "it was sent"
    for text in told:
        assert password.hex() not in text
        assert b"master-demo".hex() not in text
        assert "master-demo" not in text
        assert KEY.octets.hex() not in text


def test_tables_of_passwords_are_concealed() -> None:
    secret = b"secret-of-somebody--"

    def serve(request: Request, context: Context, node: Subject) -> Response:
        if isinstance(request, ReadRequest) and request.table == 42:
            return ReadResponse(TableData(secret))
        return node.serve(request, context)

    bench = Bench(mode=0, wrong=Misbehaviour("open", "", "", (), serve=serve))
    report = bench.run("C-TABLE")
    assert survey(bench.probe).octets("ST42") == secret
    content = json.dumps(as_dict(report))
    failed = next(one for one in report.results if one.check.id == "C-TABLE-04")
    assert any("ST42" in remark.text for remark in failed.remarks), "it is too short, so that it is evidence"
    assert any("xx" * 20 in one.hex for one in failed.evidence)
    assert secret.hex() not in content


def _in_segments(answer: bytes, _node: Subject) -> Iterator[tuple[bytes, float]]:
    for place, part in enumerate(cut(answer, 60)):
        yield part, place / 1000


@pytest.mark.parametrize(
    ("leave", "note"),
    [(MISBEHAVIOURS["doubled"].leave, "an answer to an earlier request"), (_in_segments, "a segment")],
)
def test_late_answers_and_segments_that_may_hold_secrets_are_concealed(leave: Leave, note: str) -> None:
    secret = b"secret-of-somebody--"

    def serve(request: Request, context: Context, node: Subject) -> Response:
        if isinstance(request, ReadRequest) and request.table == 42:
            return ReadResponse(TableData(secret * 3))
        return node.serve(request, context)

    bench = Bench(mode=0, wrong=Misbehaviour("open", "", "", (), serve=serve, leave=leave))
    for request in (ReadRequest(42), ReadRequest(1), ReadRequest(1)):
        bench.probe.ask(request)
    kept, _ = bench.probe.log.take()
    noted = [one.hex for one in kept if one.note == note]
    assert len(noted) >= 2
    assert all("xx" in octets for octets in noted)
    assert secret[:8].hex() not in "".join(one.hex for one in kept)


def test_what_cannot_be_taken_apart_is_concealed_whole() -> None:
    assert hex_of(b"\x60\x03abc", secret=True) == "xx" * 5
    assert hex_of(b"\x60\x03abc", secret=False) == "6003616263"
    assert hex_of(bytes(3000), secret=False).endswith("00…")


def test_evidence_is_bounded() -> None:
    log = Log()
    for number in range(100):
        log.add(Evidence("sent", float(number), ""))
    kept, left_out = log.take()
    assert [one.time for one in kept[:FIRST]] == [0.0, 1.0, 2.0, 3.0]
    assert kept[-1].time == 99.0
    assert len(kept) == FIRST + LAST
    assert left_out == 100 - FIRST - LAST
    assert log.take() == ((), 0)


def test_evidence_shows_what_was_asked_and_answered() -> None:
    report = Bench(wrong=MISBEHAVIOURS["no-table-err"]).run("C-ERR-01")
    content = as_dict(report)
    found = next(one for one in content["checks"] if one["id"] == "C-ERR-01")
    directions = [message["direction"] for message in found["evidence"]]
    assert directions[:2] == ["sent", "received"]
    assert any(service.get("result") == "err" for one in found["evidence"] for service in one["services"])
    assert found["evidence"][1]["authenticated"] is True
