"""Programs at the end of two pipes: those that answer, and those that crash, stall, babble or are not there."""

import json
import sys
from pathlib import Path

import pytest

from c1222.vectors.inputs import Answer
from c1222.vectors.operations import answer_line
from c1222.vectors.verify import program as module
from c1222.vectors.verify.program import Program, ProgramFailed, Unsupported
from c1222.vectors.verify.verification import verify
from tests.c1222.vectors.committed import family, thinned

GOOD = "import sys; from c1222.vectors.operations import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"


def script(folder: Path, *lines: str) -> str:
    path = folder / "program.py"
    path.write_text("import json, sys, time\n" + "\n".join(lines) + "\n")
    return f"{sys.executable} {path}"


def answering(folder: Path, *body: str) -> str:
    """Return a program that does something for every case, known as `case`."""
    return script(folder, "for line in sys.stdin:", "    case = json.loads(line)", *(f"    {line}" for line in body))


def tell(expression: str) -> str:
    return f"print(json.dumps({expression}), flush=True)"


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[4]))


def test_a_good_program_has_no_differences() -> None:
    few = [thinned(family(name), 2) for name in ("eax-prime", "canonical-header", "types-text", "partial-reads")]
    with Program(f"{sys.executable} -c '{GOOD}'") as program:
        report = verify(few, program)
    assert (report.differing, report.remarked) == (0, 0)
    assert report.judged == sum(one.size for one in few)


def test_what_a_program_can_say(tmp_path: Path) -> None:
    command = answering(
        tmp_path,
        "said = {'a': {'output': {'x': 1}, 'intermediate': {'y': 2}}, 'b': {'refused': 'no'},",
        "        'c': {'unsupported': 'c'}, 'd': {'error': 'what'}, 'e': {'output': {}, 'intermediate': 7}}",
        tell("{'id': case['id'], **said[case['operation']]}"),
    )
    with Program(command) as program:
        assert program.answer("1", "a", {}) == Answer({"x": 1}, {"y": 2})
        assert program.answer("2", "b", {}) == Answer(None, refusal="no")
        with pytest.raises(Unsupported):
            program.answer("3", "c", {})
        with pytest.raises(ProgramFailed, match="it says: what"):
            program.answer("4", "d", {})
        assert program.answer("5", "e", {}) == Answer({}, {})
        assert program.restarts == 0


def test_a_program_that_supports_little_is_judged_by_that(tmp_path: Path) -> None:
    command = answering(tmp_path, tell("{'id': case['id'], 'unsupported': case['operation']}"))
    few = thinned(family("epsem"), 2)
    with Program(command) as program:
        (outcome,) = verify([few], program).outcomes
    assert (outcome.judged, outcome.unsupported, outcome.differing) == (0, few.size, 0)


BAD = [
    (("sys.exit(3)",), "it had ended with 3|output ended"),
    (("sys.stdout.write('{'); sys.stdout.flush(); sys.exit()",), "output ended"),
    (("print('hello', flush=True)",), "no JSON object"),
    (("print('[1]', flush=True)",), "no JSON object"),
    (("print('[' * 100000, flush=True)",), "no JSON object"),
    ((tell("{'id': 'x', 'refused': ''}"),), "is for 'x'"),
    ((tell("{'id': case['id']}"),), "has neither"),
    ((tell("{'id': case['id'], 'output': [1]}"),), "has neither"),
    (("time.sleep(60)",), "no answer within 0.5 s"),
    (("sys.stdin.close(); time.sleep(60)",), "no answer within 0.5 s"),
]


@pytest.mark.parametrize(("body", "reason"), BAD)
def test_what_goes_wrong_is_said_and_survived(tmp_path: Path, body: tuple[str, ...], reason: str) -> None:
    command = answering(tmp_path, "if case['id'] == 'bad':", *(f"    {line}" for line in body), "    continue",
                        tell("{'id': case['id'], 'output': {}}"))  # fmt: skip
    with Program(command, time_out=10) as program:
        assert program.answer("good", "x", {}) == Answer({})
        program._time_out = 0.5 if "sleep" in body[0] else 10  # the start is not what is timed here
        with pytest.raises(ProgramFailed, match=reason):
            program.answer("bad", "x", {})
        program._time_out = 10
        assert program.restarts == 1
        assert program.answer("good", "x", {}) == Answer({})


def test_a_program_that_reads_nothing_does_not_hold_us_up(tmp_path: Path) -> None:
    with Program(script(tmp_path, "time.sleep(60)"), time_out=0.3, max_restarts=1) as program:
        with pytest.raises(ProgramFailed, match="no answer"):
            program.answer("1", "x", {"octets": "00" * 2_000_000})  # more than a pipe holds
        with pytest.raises(ProgramFailed, match="no answer"):
            program.answer("2", "x", {})
        assert program.gave_up
        with pytest.raises(ProgramFailed, match="given up after 1 restarts"):
            program.answer("3", "x", {})


def test_a_line_without_end_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LINE_OCTETS", 1000)
    with (
        Program(answering(tmp_path, "sys.stdout.write('x' * 5000); sys.stdout.flush()")) as program,
        pytest.raises(ProgramFailed, match="too long"),
    ):
        program.answer("1", "x", {})


def test_a_crash_is_a_difference_and_the_rest_is_judged(tmp_path: Path) -> None:
    command = answering(
        tmp_path,
        "from c1222.vectors.operations import answer_line",
        "if case['id'] == 'mac-flips-001': sys.exit(1)",
        tell("answer_line(line.encode())"),
    )
    whole = family("eax-prime")
    one = whole._replace(groups=tuple(group for group in whole.groups if group.id == "mac-flips"))
    with Program(command) as program:
        (outcome,) = verify([one], program).outcomes
    assert (outcome.judged, outcome.differing) == (one.size, 1)
    assert outcome.differences[0].field == "answer"
    assert outcome.differences[0].case == "mac-flips-001"


def test_a_program_that_always_crashes_is_given_up(tmp_path: Path) -> None:
    few = thinned(family("epsem"), 5)
    with Program(script(tmp_path, "sys.exit(1)"), max_restarts=2) as program:
        (outcome,) = verify([few], program).outcomes
        assert program.gave_up
    assert outcome.differing == few.size
    assert "given up" in outcome.differences[-1].text


@pytest.mark.parametrize("command", ["", "/nowhere/program", "'", "/"])
def test_a_program_that_cannot_be_started(command: str) -> None:
    with pytest.raises(ProgramFailed):
        Program(command)


def test_a_file_that_lies_is_told_from_a_program_that_is_wrong(tmp_path: Path) -> None:
    whole = family("ap-titles")
    (group, case) = next(iter(whole.cases()))
    lying = case._replace(output={"octets": "8001"})
    one = whole._replace(groups=(group._replace(cases=(lying,)),))
    with Program(f"{sys.executable} -c '{GOOD}'") as program:
        (outcome,) = verify([one], program).outcomes
    assert [found.text.partition(":")[0] for found in outcome.differences] == ["the file disagrees with this library"]
    with Program(answering(tmp_path, tell("{'id': case['id'], 'output': {'octets': '8001'}}"))) as program:
        (outcome,) = verify([one], program).outcomes
    assert len(outcome.differences) == 2, "the program agrees with the file, and both are wrong"


def test_the_hint_is_the_first_value_on_the_way_that_differs(tmp_path: Path) -> None:
    whole = family("eax-prime")
    (group, case) = next(iter(whole.cases()))
    one = whole._replace(groups=(group._replace(cases=(case,)),))
    steps = {**case.intermediate, "Q": "00" * 16, "header_tag": "00" * 16}
    said = {"output": {"ciphertext": "", "mac": "00000000"}, "intermediate": steps}
    with Program(answering(tmp_path, tell(f"{{'id': case['id'], **{said!r}}}"))) as program:
        (outcome,) = verify([one], program).outcomes
    (found,) = outcome.differences
    assert found.field == "output.mac"
    assert found.hint.startswith("intermediate.Q: octet 0: 00, not ")
    assert str(found).startswith("eax-prime: boundaries: boundaries-001 (header of 17 octets, body of 0): output.mac: ")


@pytest.mark.parametrize(
    "line", [b"", b"\n", b"null", b"[]", b"7", b"{", b"{}", b'{"id": "1"}', b"\xff", b"[" * 100_000,
             b'{"id": "1", "operation": "epsem.decode", "input": 7}', b'{"id": "1", "operation": "epsem.decode", "input": {}}']
)  # fmt: skip
def test_lines_that_are_not_understood(line: bytes) -> None:
    said = answer_line(line)
    assert set(said) == {"id", "error"}
    json.dumps(said)


def test_an_operation_that_is_not_known() -> None:
    for operation in ("epsem.guess", None, 7, "x" * 1000):
        said = answer_line(json.dumps({"id": "1", "operation": operation, "input": {}}).encode())
        assert set(said) == {"id", "unsupported"}
        assert len(said["unsupported"]) < 100
