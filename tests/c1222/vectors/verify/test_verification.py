"""Vectors held against this library: it passes, and no lie in a file stays unseen."""

import copy
import json
import random
from collections import Counter
from typing import Any

import pytest

from c1222.vectors import published
from c1222.vectors.generation import FAMILIES
from c1222.vectors.inputs import Input
from c1222.vectors.model import BadCase, Family, parse
from c1222.vectors.operations import OPERATIONS, answer
from c1222.vectors.verify.comparison import parts
from c1222.vectors.verify.verification import VerificationReport, verify
from tests.c1222.vectors.committed import FOLDER, SPECS, families, family, thinned


def test_the_library_passes_strictly() -> None:
    report = verify(families())
    assert (report.differing, report.remarked, report.first) == (0, 0, None)
    assert report.judged == sum(one.size for one in families()) > 7000


def test_published_vectors_pass_and_are_told_apart() -> None:
    found = [published.read((SPECS / "vectors" / name).read_bytes()) for name in ("eax-prime.json", "messages.json")]
    report = verify(found)
    assert (report.differing, report.remarked) == (0, 0)
    assert {one.origin for one in found} == {"published"}
    operations = {group.operation: len(group.cases) for one in found for group in one.groups}
    assert operations["eax-prime.open"] == 18
    assert operations["canonical-header"] == operations["message.open"] == operations["message.seal"] == 15
    assert operations["segments.cut"] == operations["segments.join"] == 1
    refused = [case.id for one in found for _, case in one.cases() if case.result == "invalid"]
    assert sorted(refused) == [
        "eax-prime.open/errata-C12.22-2008-annex",
        "eax-prime.open/forgery-A",
        "eax-prime.open/forgery-B",
    ]


def test_the_published_serial_line_passes() -> None:
    found = published.read((SPECS / "vectors" / "serial" / "packets.json").read_bytes())
    report = verify([found])
    assert (report.differing, report.remarked) == (0, 0)
    assert {group.operation: len(group.cases) for group in found.groups} == {"packet.decode": 84, "link.play": 33}
    results = [case.result for _, case in found.cases()]
    assert [results.count(result) for result in ("valid", "invalid")] == [100, 4]


def tampered(name: str, change: Any) -> VerificationReport:
    content = json.loads((FOLDER / f"{name}.json").read_bytes())
    change(content)
    return verify([parse(json.dumps(content).encode())])


def corrupt(value: Any) -> Any:
    """Change a value as little as can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return -value - 1
    if isinstance(value, str):
        return ("1" if value[:1] != "1" else "2") + value[1:]
    if isinstance(value, list):
        return [*value[:-1], corrupt(value[-1])] if value else [0]
    if isinstance(value, dict):
        name = min(value, default="more")
        return {**value, name: corrupt(value.get(name))}
    return "something"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_output_is_computed_anew(name: str) -> None:
    def change(content: Any) -> None:
        for group in content["groups"]:
            for case in group["cases"]:
                case["output"] = corrupt(case["output"]) if case["result"] == "valid" else case.get("output")
                if case["output"] is None:
                    del case["output"]

    (outcome,) = tampered(name, change).outcomes
    valid = sum(case.result == "valid" for _, case in family(name).cases())
    assert outcome.differing + outcome.remarked == valid


def test_a_result_that_lies_is_found() -> None:
    def change(content: Any) -> None:
        for group in content["groups"]:
            for case in group["cases"]:
                if case["result"] == "valid":
                    case["result"] = "invalid"
                    del case["output"]
                elif case["result"] == "invalid":
                    case.update(result="valid", output={})
                    case.pop("at", None)

    (outcome,) = tampered("eax-prime", change).outcomes
    assert outcome.differing == sum(case.result != "acceptable" for _, case in family("eax-prime").cases())
    texts = {difference.text.partition(" (")[0] for difference in outcome.differences}
    assert texts == {"refused, but valid", "taken, but invalid"}


def test_values_on_the_way_are_computed_anew_too() -> None:
    def change(content: Any) -> None:
        step = content["groups"][0]["cases"][0]["intermediate"]
        step["Q"] = corrupt(step["Q"])

    (outcome,) = tampered("eax-prime", change).outcomes
    assert outcome.differing == 1
    assert outcome.differences[0].field == "intermediate.Q"
    assert outcome.differences[0].text.startswith("octet 0: ")


def test_what_is_unsure_is_a_remark() -> None:
    def change(content: Any) -> None:
        for group in content["groups"]:
            for case in group["cases"]:
                if "SessionWithoutAuthentication" in case.get("flags", ()) and case["result"] == "valid":
                    case["output"] = corrupt(case["output"])

    (outcome,) = tampered("canonical-header", change).outcomes
    assert outcome.differing == 0
    assert outcome.remarked > 10


def test_acceptable_cases_may_be_refused_but_not_taken_otherwise() -> None:
    whole = family("acse")
    acceptable = [(group, case) for group, case in whole.cases() if case.result == "acceptable"]
    assert len(acceptable) > 10
    for group, case in acceptable:
        one = group._replace(cases=(case._replace(output=None),))
        assert verify([whole._replace(groups=(one,))]).differing == 0, "nothing is said about its output"
        one = group._replace(cases=(case._replace(output=corrupt(copy.deepcopy(case.output))),))
        report = verify([whole._replace(groups=(one,))])
        assert report.differing + report.remarked == 1


def test_the_first_octet_that_differs_is_told() -> None:
    assert list(parts("00ff10", "00ff11", "output.apdu")) == [
        ("output.apdu", "octet 2: 11, not 10; 00 ff 11, not 00 ff 10")
    ]
    assert list(parts("00ff", "00ff10", "x")) == [("x", "3 octets, 2 wanted; the first 2 are equal")]
    assert list(parts("00ff10", "01", "x")) == [("x", "octet 0 (1 octets, 3 wanted): 01, not 00; 01, not 00 ff 10")]
    assert list(parts("00FF".lower(), "00FF", "x")) == []
    assert list(parts({"a": [1, {"b": None}]}, {"a": [1, {"b": 0}]}, "")) == [("a[1].b", "0, not None")]
    assert list(parts([1], [1, 2], "x")) == [("x", "2 entries, 1 wanted")]
    assert list(parts({"a": 1}, {"b": 1}, "")) == [("a", "is missing"), ("b", "is not wanted")]
    assert list(parts(1, True, "x")) == [("x", "True, not 1")]
    assert list(parts("A", "a", "x")) == [("x", "'a', not 'A'")]
    assert list(parts(1.5, "1.5", "x")) == [("x", "'1.5', not 1.5")]
    assert list(parts(1.0, 1, "x")) == []


def unknown_operation(whole: Family) -> Family:
    return whole._replace(groups=tuple(group._replace(operation="epsem.guess") for group in whole.groups))


def test_operations_that_are_not_known_are_not_judged() -> None:
    report = verify([unknown_operation(family("epsem"))])
    assert report.judged == 0
    assert report.outcomes[0].unsupported == family("epsem").size


def test_differences_are_counted_beyond_those_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c1222.vectors.verify.verification.MAX_KEPT", 3)

    def change(content: Any) -> None:
        for case in content["groups"][0]["cases"]:
            case["output"] = corrupt(case["output"])

    (outcome,) = tampered("eax-prime", change).outcomes
    assert len(outcome.differences) == 3
    assert outcome.differing > 100


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_input_that_is_none_is_the_fault_of_the_file(operation: str) -> None:
    with pytest.raises(BadCase, match="input"):
        answer(operation, {})
    seen = 0
    for one in families():
        for group in thinned(one, 1).groups:
            if group.operation != operation:
                continue
            whole = {**group.input, **group.cases[0].input}
            for name in whole:
                for wrong in (None, 7.5, [], {}, "zz", -1, True, [{}], {"a": "zz"}, [None]):
                    try:
                        answer(operation, {**whole, name: wrong})
                    except BadCase:
                        seen += 1
    assert seen


def test_octets_at_random_are_answered_or_refused_with_a_reason_and_each_time_alike() -> None:
    rng = random.Random(3)
    outcomes: Counter[str] = Counter()
    for one in families():
        for group, case in thinned(one, 6).cases():
            whole = {**group.input, **case.input}
            names = [name for name, value in whole.items() if isinstance(value, str) and len(value) > 7]
            for name in names:
                octets = bytearray(whole[name].encode())
                place = rng.randrange(len(octets))
                octets[place] = rng.choice(sorted(set(b"0123456789abcdef") - {octets[place]}))
                changed = {**whole, name: octets.decode()}
                try:
                    found = answer(group.operation, changed)
                except BadCase:
                    outcomes["bad"] += 1
                    continue
                assert found == answer(group.operation, changed)
                assert bool(found.refusal) is (found.output is None)
                json.dumps(found.output, allow_nan=False)
                outcomes["refused" if found.output is None else "answered"] += 1
                if group.operation in ("eax-prime.open", "eax-prime.verify"):
                    assert found.output is None, "a MAC holds for one key, header and text"
                elif group.operation in ("type.decode", "table.decode") and found.output is not None:
                    again_as_octets(group.operation, changed, found.output)
    assert min(outcomes["refused"], outcomes["answered"]) > 100


def again_as_octets(operation: str, case: dict[str, Any], output: dict[str, Any]) -> None:
    """What a value is encoded to stands for a value with the same octets, if it can be encoded."""
    rest = {name: value for name, value in case.items() if name != "octets"}
    encode = operation.replace("decode", "encode")
    back = answer(encode, {**rest, "value": output["value"]})
    if back.output is not None:
        value = (answer(operation, {**rest, **back.output}).output or {})["value"]
        assert answer(encode, {**rest, "value": value}) == back


def test_no_such_operation() -> None:
    with pytest.raises(BadCase, match="no operation"):
        answer("epsem.guess", {})
    assert "name" not in Input({"name": None})
