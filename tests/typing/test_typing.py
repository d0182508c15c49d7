"""A user's files, as type checkers see them through `py.typed`."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ACCEPTED, REFUSED = HERE / "accepted.py", HERE / "refused.py"
MISTAKES = {
    number
    for number, line in enumerate(REFUSED.read_text("utf-8").splitlines(), 1)
    if line and not line.startswith(('"""', "import"))
}


def mypy(path: Path, tmp_path: Path) -> set[int]:
    """Return the lines that mypy finds errors in, with its strict settings and none of the project's."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(path)]
    out = subprocess.run(command, capture_output=True, text=True, check=False)
    assert out.returncode in {0, 1}, out.stderr
    return {int(number) for number in re.findall(rf"{re.escape(path.name)}:(\d+): error:", out.stdout, re.MULTILINE)}


def basedpyright(path: Path, tmp_path: Path) -> set[int]:
    """Return the lines that basedpyright finds errors in."""
    settings = tmp_path / "pyrightconfig.json"
    settings.write_text(json.dumps({"typeCheckingMode": "standard", "include": [str(path)]}), "utf-8")
    command = [
        sys.executable,
        "-m",
        "basedpyright",
        "-p",
        str(settings),
        "--outputjson",
        "--pythonpath",
        sys.executable,
    ]
    out = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = json.loads(out.stdout)
    assert rows["summary"]["filesAnalyzed"] == 1, out.stderr
    return {row["range"]["start"]["line"] + 1 for row in rows["generalDiagnostics"] if row["severity"] == "error"}


CHECKERS = [
    pytest.param(
        check,
        id=check.__name__,
        marks=pytest.mark.skipif(importlib.util.find_spec(check.__name__) is None, reason="in the extra dev"),
    )
    for check in (mypy, basedpyright)
]


@pytest.mark.parametrize("check", CHECKERS)
def test_what_users_write_is_accepted(check, tmp_path: Path) -> None:
    assert check(ACCEPTED, tmp_path) == set()


@pytest.mark.parametrize("check", CHECKERS)
def test_every_mistake_is_found(check, tmp_path: Path) -> None:
    assert check(REFUSED, tmp_path) == MISTAKES
