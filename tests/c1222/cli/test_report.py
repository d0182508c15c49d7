"""``c1222 report``: what it takes, what it says, its exit codes."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from c1222.cli.report import command
from tests.c1222.capture.conversation import KEY, Conversation
from tests.c1222.cli.conftest import Talk
from tests.c1222.report.pages import ROOT, Elements

AT = ("--made", "2026-11-30T12:00:00+00:00")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, list(map(str, arguments)))


def test_a_sample_capture(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = run("sample:registers", "-o", page, *AT)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert "sample:registers · made 2026-11-30 12:00:00+00:00" in Elements(page.read_text("utf-8")).text
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    first = page.read_bytes()
    assert run("sample:registers", "-o", page, *AT).exit_code == 0
    assert page.read_bytes() == first


def test_device_files_are_several_meters(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    file = ROOT / "specs" / "devices" / "single-phase.json"
    result = run("sample:polyphase-tou", file, "-o", page, "--title", "Two <meters>")
    assert result.exit_code == 0, result.stderr
    elements = Elements(page.read_text("utf-8"))
    assert elements.count("details", **{"class": "meter"}) == 2
    assert "Two <meters>" in elements.text
    assert "Who talks to whom" not in elements.text


def test_a_capture_and_a_device_file(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    assert run("sample:registers", "sample:single-phase", "-o", page).exit_code == 0
    text = Elements(page.read_text("utf-8")).text
    assert "Who talks to whom" in text
    assert ".123.8401" in text


def test_a_capture_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    talk, capture, page = Conversation(), tmp_path / "x.pcap", tmp_path / "r.html"
    talk.read(1, b"x" * 32)
    capture.write_bytes(talk.octets)
    result = run(capture, "-o", page)
    assert result.exit_code == 1
    assert "could not be opened" in Elements(page.read_text("utf-8")).text


def test_a_meter_is_read(talk: Talk, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = talk("report", "-o", str(page))
    assert result.exit_code == 0, result.stderr
    text = page.read_text("utf-8")
    elements = Elements(text)
    assert "active energy delivered" in elements.text
    assert elements.count("figure") >= 4
    assert "Access rights" in elements.text
    assert "master-demo" not in text
    assert KEY.octets.hex() not in text


def test_a_meter_that_refuses_rights(talk: Talk, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = talk("report", "-o", str(page), password=None, secured=False)
    assert result.exit_code in {1, 3}
    assert "isc" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing.json",), "nothing.json"),
        (("nothing.pcap",), "nothing.pcap"),
        (("sample:nothing",), "there is no sample"),
        (("udp://127.0.0.1:9", "sample:meters"), "a URL stands alone"),
        (("udp://127.0.0.1:9",), "a network needs --called"),
        (("sample:meters", "--called", ".1"), "are for the URL"),
        (("sample:meters", "--made", "yesterday"), "is no time"),
        (("sample:meters", "--zone", "Nowhere/Else"), "Nowhere/Else"),
    ],
)
def test_what_cannot_be_done(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    result = run(*arguments, "-o", page)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not page.exists()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("c1222.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = run("sample:meters", "-o", tmp_path / "r.html")
    assert result.exit_code == 2
    assert "install c1222[report]" in result.stderr


def test_what_the_demonstration_wrote(tmp_path: Path) -> None:
    from c1222.cli.demo import command as demo

    capture, page = tmp_path / "x.pcap", tmp_path / "r.html"
    assert CliRunner().invoke(demo, ["--pcap", str(capture)]).exit_code == 0
    assert run(capture, "--keys", capture.with_suffix(".toml"), "-o", page).exit_code == 0
    elements = Elements(page.read_text("utf-8"))
    assert "x.pcap · made" in elements.text
    assert elements.count("figure") >= 4
