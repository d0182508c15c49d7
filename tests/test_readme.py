"""The README's commands and examples, run as they stand."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [
    (code, BLOCKS[index + 1][1] if index + 1 < len(BLOCKS) and BLOCKS[index + 1][0] == "text" else None)
    for index, (language, code) in enumerate(BLOCKS)
    if language == "python"
]
SET_UP = [code.strip() for language, code in BLOCKS if language == "sh" and code.startswith("python3 -m venv")]


@pytest.mark.parametrize(("code", "expected"), PYTHON)
def test_python_examples(code: str, expected: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    if expected is not None:
        assert out.getvalue() == expected


def test_the_first_two_commands_do_all_the_set_up() -> None:
    assert len(SET_UP) == 2
    assert [language for language, _ in BLOCKS[:2]] == ["sh", "sh"]
    assert README.index(SET_UP[0]) < 700


def test_the_main_job_of_the_first_command_runs(tmp_path: Path) -> None:
    command = SET_UP[0].split("&&")[-1].split()[1:]
    out = subprocess.run(
        [sys.executable, "-c", "from c1222.cli import main; main()", *command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=60,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "NO_COLOR": "1"},
    )
    assert out.returncode == 0, out.stderr
    assert out.stdout


def commands() -> list[list[str]]:
    lines = "\n".join(code for language, code in BLOCKS if language == "sh").replace("\\\n", " ").splitlines()
    found = [part.strip() for line in lines for part in line.split("|") if part.strip().startswith("c1222 ")]
    return [shlex.split(re.sub(r">.*", "", part), comments=True)[1:] for part in found]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_and_option_named_exists(words: list[str]) -> None:
    import click

    from c1222.cli import _group

    group: click.Command = _group()
    context = click.Context(group)
    rest = words
    while isinstance(group, click.Group):
        command = group.get_command(context, rest[0])
        assert command is not None, rest
        group, rest = command, rest[1:]
    known = {option for parameter in group.params for option in parameter.opts}
    assert {word.split("=")[0] for word in rest if word.startswith("--")} <= known
