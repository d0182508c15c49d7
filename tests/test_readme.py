"""The README's commands and examples, run as they stand."""

import contextlib
import importlib.util
import io
import os
import re
import shlex
import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests import readme_blocks
from tests.conftest import absent

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
    if "polars" in code and importlib.util.find_spec("polars") is None:
        absent("polars")
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


@pytest.mark.skipif(shutil.which("bash") is None, reason="a shell for the README's blocks")
def test_the_shell_blocks_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, one after the other; port 1153 may be taken here, so another stands for it."""
    program, folder = tmp_path / "bin" / "c1222", tmp_path / "empty"
    program.parent.mkdir()
    folder.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom c1222.cli import main\nmain()\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shown = [output for _, output in readme_blocks.run(folder, port)]
    assert "read back" in shown[0]
    assert any("POLY-TOU" in output and "SUMMATIONS" in output for output in shown), shown
    assert len(shown) == 1 + sum(readme_blocks.why_not(block) is None for block in readme_blocks.blocks())
    written = {path.name for path in folder.iterdir()}
    assert written == {
        "c1222-demo.pcap", "c1222-demo.toml", "c1222_decryption_table", "clear.pcapng", "devices", "keys.toml", "messages.jsonl", "profile.csv",
        "meters.toml", "readings.db", "registers.jsonl", "usage.xml",
    }  # fmt: skip
    assert len((folder / "registers.jsonl").read_text("utf-8").splitlines()) == 621
    assert len((folder / "messages.jsonl").read_text("utf-8").splitlines()) > 20
    assert (folder / "usage.xml").read_text("utf-8").startswith("<?xml")


def test_few_blocks_are_not_run() -> None:
    assert [block.split()[0] for block in readme_blocks.blocks() if readme_blocks.why_not(block)] == [
        "python3",
        "python3",
        "tcpdump",
    ]


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
