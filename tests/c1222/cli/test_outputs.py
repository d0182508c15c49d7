"""Files that commands write are opened before the work starts."""

import os
import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from c1222.cli.outputs import Output


def run(path: str | None, *, works: bool = True) -> Result:
    @click.command()
    def command() -> None:
        output = Output(path)
        click.echo("working")
        if not works:
            raise click.ClickException("it does not work")
        output.write("Zähler")

    return CliRunner().invoke(command, [])


def test_what_was_there_is_replaced_by_the_result(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for before in (None, "a longer text than the result"):
        if before is not None:
            path.write_text(before)
        assert run(str(path)).exit_code == 0
        assert path.read_text("utf-8") == "Zähler"


@pytest.mark.skipif(os.name != "posix", reason="the modes of POSIX")
def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    fresh, old = tmp_path / "fresh", tmp_path / "old"
    old.touch(0o644)
    for path in (fresh, old):
        assert run(str(path)).exit_code == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_result_all_is_as_it_was(tmp_path: Path) -> None:
    fresh, old = tmp_path / "fresh", tmp_path / "old"
    old.write_text("before")
    for path in (fresh, old):
        assert run(str(path), works=False).exit_code == 1
    assert not fresh.exists()
    assert old.read_text() == "before"


def test_no_file_is_no_output() -> None:
    assert run(None).exit_code == 0


@pytest.mark.parametrize(
    ("path", "says"),
    [("no/such/x", "No such file or directory"), ("file/x", "Not a directory"), (".", "Is a directory")],
)
def test_a_file_that_cannot_be_opened_is_said_before_the_work(
    path: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    result = run(path)
    assert result.exit_code == 2
    assert result.stderr == f"c1222: {path}: {says}\n"
    assert result.stdout == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_file_that_cannot_be_written_is_said() -> None:
    result = run("/dev/full")
    assert result.exit_code == 2
    assert result.stderr == "c1222: /dev/full: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="a device that takes anything")
def test_a_device_can_be_written_to() -> None:
    assert run("/dev/null").exit_code == 0
    assert Path("/dev/null").exists()
