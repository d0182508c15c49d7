"""c1222 vectors: what it prints, and how it exits."""

import csv
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from c1222.cli import COMMANDS
from c1222.cli.vectors import command
from c1222.vectors.published import read
from tests.c1222.vectors.committed import FOLDER, SPECS, family, thinned

RESPONDER = Path(__file__).parents[1] / "vectors" / "broken_responder.py"


def run(*arguments: str, **options: bytes) -> Result:
    return CliRunner().invoke(command, arguments, **options)  # type: ignore[arg-type]


def small(folder: Path, *names: str, most: int = 2) -> str:
    for name in names:
        (folder / f"{name}.json").write_bytes(thinned(family(name), most).encode())
    return str(folder)


def test_it_is_among_the_commands() -> None:
    assert "vectors" in COMMANDS
    assert sorted(command.commands) == ["generate", "respond", "verify"]  # type: ignore[attr-defined]


def test_generate_writes_a_flat_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c1222.vectors.generation.FAMILIES", ("epsem", "ap-titles"))
    result = run("generate", "--seed", "1", "--out", str(tmp_path / "new" / "folder"))
    assert result.exit_code == 0
    found = sorted((tmp_path / "new" / "folder").iterdir())
    assert [path.name for path in found] == ["ap-titles.json", "epsem.json"]
    assert all(path.read_bytes() == (FOLDER / path.name).read_bytes() for path in found)
    assert result.stdout.splitlines()[0].endswith(f"epsem.json: {family('epsem').size} cases")


def test_generate_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (str(tmp_path / "file"), str(tmp_path / "file" / "below")):
        assert run("generate", "--seed", "1", "--out", out).exit_code == 2
    assert run("generate", "--out", str(tmp_path)).exit_code == 2


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_verify_in_rows(tmp_path: Path, form: str) -> None:
    result = run("verify", small(tmp_path, "types-text", "eax-prime"), "--format", form)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    rows = [json.loads(line) for line in lines] if form == "jsonl" else list(csv.DictReader(lines))
    assert [row["family"] for row in rows] == ["eax-prime", "types-text"]
    for row in rows:
        count = sum(1 for _ in read((tmp_path / f"{row['family']}.json").read_bytes()).cases())
        assert [int(row[name]) for name in ("cases", "judged", "differences")] == [count, count, 0]
    assert "cases judged, 0 differences" in result.stderr


def test_verify_passes_all(tmp_path: Path) -> None:
    result = run("verify", "--strict", str(SPECS / "vectors"), small(tmp_path, "types-text", "eax-prime", "messages"))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:-1]] == [
        "published-eax-prime",
        "published-messages",
        "eax-prime",
        "messages",
        "types-text",
    ]
    assert lines[-1].endswith("cases judged, 0 differences, 0 remarks")
    assert result.stderr == ""


def test_verify_prints_where_it_differs(tmp_path: Path) -> None:
    path = tmp_path / "eax-prime.json"
    path.write_bytes(thinned(family("eax-prime"), 3).encode())
    content = json.loads(path.read_bytes())
    case = content["groups"][0]["cases"][0]
    mac = case["output"]["mac"]
    case["output"]["mac"] = wrong = mac[:4] + ("00" if mac[4:6] != "00" else "11") + mac[6:]
    path.write_text(json.dumps(content))
    result = run("verify", str(path))
    assert result.exit_code == 1
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("difference"))
    text = f"octet 2: {mac[4:6]}, not {wrong[4:6]}"
    assert line.startswith(f"difference: eax-prime: boundaries: boundaries-001 ({case['comment']}): output.mac: {text}")
    assert "look at eax-prime first" in result.stdout


def test_verify_prints_the_first_differences_or_all(tmp_path: Path) -> None:
    content = json.loads((FOLDER / "ap-titles.json").read_bytes())
    for case in content["groups"][0]["cases"]:
        case["output"]["octets"] = "00"
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(content))
    count = len(content["groups"][0]["cases"])
    result = run("verify", str(path))
    assert result.stdout.count("difference: ") == 11
    assert f"difference: {count - 10} more of ap-titles" in result.stdout
    result = run("verify", "--all", str(path))
    assert result.stdout.count("difference: ") == count


def test_remarks_count_only_when_they_shall(tmp_path: Path) -> None:
    content = json.loads((FOLDER / "segments.json").read_bytes())
    group = next(group for group in content["groups"] if group["id"] == "join")
    case = next(case for case in group["cases"] if case["output"]["apdu"])
    case["output"]["apdu"] = "00"
    path = tmp_path / "segments.json"
    path.write_text(json.dumps(content))
    result = run("verify", str(path))
    assert (result.exit_code, result.stdout.count("remark: ")) == (0, 1)
    assert run("verify", "--strict", str(path)).exit_code == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"schema": "c1222.device/1"}', b'{"schema": "c1222.vectors/1"}', b"\xff\xfe\xfd"]
)
def test_files_that_are_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    result = run("verify", str(path))
    assert result.exit_code == 2
    assert str(path) in result.stderr
    assert result.stdout == ""


def test_paths_that_are_none(tmp_path: Path) -> None:
    assert run("verify", str(tmp_path / "absent.json")).exit_code == 2
    assert run("verify", str(tmp_path)).exit_code == 2, "an empty folder"
    assert run("verify").exit_code == 2


def test_input_that_is_none(tmp_path: Path) -> None:
    content = json.loads((FOLDER / "epsem.json").read_bytes())
    content["groups"][0]["cases"][0]["input"] = {}
    path = tmp_path / "epsem.json"
    path.write_text(json.dumps(content))
    result = run("verify", str(path))
    assert result.exit_code == 2
    assert "input.octets is missing" in result.stderr


def test_against_a_program_with_a_mistake(tmp_path: Path) -> None:
    folder = small(tmp_path, "eax-prime", "canonical-header", "ap-titles", most=4)
    result = run("verify", folder, "--against", f"{sys.executable} {RESPONDER} calling-title-left-in-place")
    assert result.exit_code == 1
    assert "look at canonical-header first" in result.stdout
    assert "difference: canonical-header: presence: " in result.stdout
    assert "eax-prime: " not in result.stdout


def test_against_the_responder_itself(tmp_path: Path) -> None:
    folder = small(tmp_path, "eax-prime", "tables")
    main = "import sys; sys.argv[1:] = ['vectors', 'respond']; from c1222.cli import main; main()"
    result = run("verify", "--strict", folder, "--against", f'{sys.executable} -c "{main}"')
    assert (result.exit_code, result.stderr) == (0, "")


def test_against_programs_that_are_none(tmp_path: Path) -> None:
    folder = small(tmp_path, "epsem", most=3)
    result = run("verify", folder, "--against", "/nowhere/program")
    assert result.exit_code == 2
    assert "/nowhere/program" in result.stderr
    result = run("verify", folder, "--against", f"{sys.executable} -c 'raise SystemExit(1)'")
    assert result.exit_code == 1
    assert "given up after 5 restarts" in result.stderr
    silent = "import time; time.sleep(60)"
    result = run("verify", folder, "--timeout", "0.05", "--against", f"{sys.executable} -c '{silent}'")
    assert result.exit_code == 1
    assert "no answer within 0.05 s" in result.stdout


def test_nothing_judged_is_no_success(tmp_path: Path) -> None:
    folder = small(tmp_path, "epsem", most=1)
    nothing = (
        "import json, sys\nfor line in sys.stdin:\n"
        "    print(json.dumps({'id': json.loads(line)['id'], 'unsupported': ''}), flush=True)\n"
    )
    (tmp_path / "nothing.py").write_text(nothing)
    result = run("verify", folder, "--against", f"{sys.executable} {tmp_path / 'nothing.py'}")
    assert result.exit_code == 1
    assert "0 of 4 cases judged" in result.stdout


def test_respond_answers_line_by_line() -> None:
    lines = b'{"id": "1", "operation": "title.decode", "input": {"octets": "80037bc175"}}\nnonsense\n'
    result = run("respond", input=lines)
    assert result.exit_code == 0
    first, second = map(json.loads, result.stdout.splitlines())
    assert first["output"] == {"title": ".123.8437", "relative": True}
    assert second["id"] is None
    assert "error" in second
