"""What CONTRIBUTING shows a newcomer, run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

from tests.test_architecture import RANK

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return found


def test_the_first_table() -> None:
    run = [sys.executable, "-c", block("python")]
    assert subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout == block("text")


def test_the_file_of_the_first_table_is_neither_linted_nor_committed() -> None:
    (name,) = re.findall(r"into a file `(\w+\.py)` beside", PAGE)
    assert f"/{name}" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_every_session_that_is_named_exists_and_every_session_is_named() -> None:
    sessions = re.findall(r"^@nox\.session\ndef (\w+)", (ROOT / "noxfile.py").read_text("utf-8"), re.MULTILINE)
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert set(re.findall(r"nox -s (\w+)", PAGE)) == set(sessions) - {"lint", "types", "coverage"}
    assert {name for line in re.findall(r"nox -s ([a-z ]+)", ci) for name in line.split()} <= set(sessions)


def test_the_line_of_rooms_is_the_one_that_is_enforced() -> None:
    (line,) = re.findall(r"^`(cli → .*)`$", PAGE, re.MULTILINE)
    floors = [set(floor.split(", ")) for floor in line.split(" → ")]
    assert floors[::-1] == [{room for room, rank in RANK.items() if rank == number} for number in range(7)]


def test_paths_exist() -> None:
    named = re.findall(r"`((?:c1219|c1222|specs|tests|\.ci)/[\w./-]*)`", PAGE)
    assert len(named) > 12
    for path in named:
        assert (ROOT / path).exists(), path
