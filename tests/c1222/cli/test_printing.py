"""What reaches the terminal: every command, fed by a meter whose texts are hostile, in encodings that lack letters."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from c1219 import Device
from c1219.registry import table_id
from c1222 import Key
from c1222.cli import COMMANDS, printing
from c1222.cli.connection import PASSWORD_VARIABLE
from c1222.message.aptitle import ApTitle
from c1222.node import Profile, RunningNode, running
from c1222.services import session
from c1222.transport.lines import ports
from c1222.transport.lines.ports import SerialPortName
from tests.c1222.capture.conversation import HEAD_END, Conversation

ROOT = Path(__file__).parents[3]
HOSTILE = "\x1b]0;x\x07\n#9 ok\r\x7f=A1\x08"
"""Sets a window title, begins a line of its own, deletes."""
KEY = Key(2, bytes(range(16)))


def hostile() -> Device:
    """A device whose every text is hostile, as far as it has room."""
    device = Device.from_json((ROOT / "specs/devices/polyphase-tou.json").read_bytes())
    changed = 0
    for label in list(device):
        if device.declaration(label).secret or label == "ST0":
            continue
        for path, value in list(device.bind(label).partial(0, device[label].raw).value.items()):
            if isinstance(value, str):
                element = device.layout(path)
                text = (HOSTILE * 9).encode()[: element.size]
                raw = bytearray(device[label].raw)
                raw[element.offset : element.offset + element.size] = text.ljust(element.size)
                device.put(label, bytes(raw))
                changed += isinstance(device.value(path), str)
    assert changed > 10
    return device


@pytest.fixture(scope="module")
def device() -> Device:
    return hostile()


@pytest.fixture(scope="module")
def file(device: Device, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("hostile") / "device.json"
    path.write_text(device.to_json(), "utf-8")
    return str(path)


@pytest.fixture(scope="module")
def node(device: Device) -> Iterator[RunningNode]:
    with running(Profile(device), keys=KEY, simulate=False) as made:
        yield made


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    path.write_text(f'[[key]]\nid = 2\nhex = "{KEY.octets.hex()}"\n', "utf-8")
    return str(path)


def harmless(text: str) -> str:
    """Hold an output against what may be printed; return it."""
    assert all(line.isprintable() for line in text.split("\n")), [
        line for line in text.split("\n") if not line.isprintable()
    ][:3]
    assert not [line for line in text.split("\n") if line.strip().startswith("#9 ok")]
    return text


def run(name: str, *arguments: str) -> str:
    result = CliRunner().invoke(
        import_module(f"c1222.cli.{name}").command, arguments, env={PASSWORD_VARIABLE: "master-demo"}
    )
    assert result.exit_code in (0, 1), result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    harmless(result.stderr)
    return harmless(result.stdout)


@pytest.mark.parametrize("view", ["--identity", "--clock", "--registers", "--events", "--access", "--load-profile=1"])
def test_device(file: str, view: str) -> None:
    run("device", file, view)
    json.loads(run("device", file, view, "--format", "json"))
    if view in {"--registers", "--events", "--load-profile=1"}:
        assert "," in run("device", file, view, "--format", "csv")


def test_the_text_is_there_escaped(file: str) -> None:
    assert "\\x1b]" in run("device", file, "--identity")
    assert "\\u001b]" in run("device", file, "--identity", "--format", "json")
    assert "\\u001b]" in run("tables", "show", "5", "--device", file)


def test_green_button(file: str) -> None:
    ET.fromstring(run("device", file, "--load-profile", "1", "--format", "espi"))


def test_every_table(device: Device, file: str) -> None:
    for form in ("text", "json"):
        run("tables", "list", "--device", file, "--format", form)
    for label in device:
        if any(isinstance(value, str) for value in device.bind(label).partial(0, device[label].raw).value.values()):
            for form in ("text", "json"):
                run("tables", "show", label, "--device", file, "--format", form)


@pytest.mark.parametrize("form", ["text", "json"])
def test_talking_to_it(node: RunningNode, keys: str, form: str) -> None:
    to = (node.url, "--called", node.title, "--calling", ".9.77", "--keys", keys, "--format", form)
    assert "1b]" in run("read", *to, "1", "5", "6", "ST6.OWNER_NAME", "identity", "clock", "registers", "events")
    run("read", *to, "load-profile")
    assert "1b]" in run("identify", *to, "--tables")
    run("procedure", *to, "4", "1")


def test_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    port = SerialPortName("/dev/ttyUSB0", f"probe {HOSTILE}", HOSTILE)
    monkeypatch.setattr(ports, "serial_ports", lambda: [port])
    assert "probe" in run("ports")
    assert json.loads(run("ports", "--format", "json"))[0]["url"] == "serial:///dev/ttyUSB0"


def test_collecting(node: RunningNode, keys: str, tmp_path: Path) -> None:
    listed = tmp_path / "meters.toml"
    entry = f'[[meter]]\nname = "a"\nurl = "{node.url}"\ncalled = "{node.title}"\ncalling = ".9.79"\nkeys = "{keys}"\n'
    listed.write_text(entry + f'password = {{ env = "{PASSWORD_VARIABLE}" }}\n', "utf-8")
    to = ("all", "--meters", str(listed), "--store", f"sqlite:///{tmp_path}/x.db")
    for form in ("text", "jsonl"):
        run("collect", *to, "--format", form)


def test_conformance(node: RunningNode, keys: str) -> None:
    to = (node.url, "--called", node.title, "--calling", ".9.78", "--keys", keys, "--notes", "--only", "C-TABLE")
    run("conformance", *to)
    json.loads(run("conformance", *to, "--json", "-"))


@pytest.mark.parametrize("form", ["text", "jsonl"])
@pytest.mark.parametrize("no_tables", [True, False])
def test_decode(device: Device, tmp_path: Path, form: str, no_tables: bool) -> None:
    talk = Conversation()
    title = ApTitle(".123.8437")
    for label in device:
        talk.read(table_id(label), device[label].raw, meter=title, key=None)
        talk.write(table_id(label), device[label].raw, meter=title, key=None)
    talk.send([session.LogonRequest(2, HOSTILE.encode("latin-1")[:10], 60)], called=title, calling=HEAD_END, key=None)
    path = tmp_path / "hostile.pcap"
    path.write_bytes(talk.octets)
    shown = run("decode", str(path), "--format", form, *(["--no-tables"] if no_tables else []))
    assert "1b]" in shown
    if form == "jsonl":
        assert len([json.loads(line) for line in shown.splitlines()]) == 4 * len(list(device)) + 1


def test_report(file: str, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert run("report", file, "-o", str(page)) == ""
    content = page.read_text("utf-8")
    assert "\\x1b]" in content
    assert not set(content) & set(HOSTILE) - {"\n"} - set(map(chr, range(32, 127)))


def test_keys(keys: str, tmp_path: Path) -> None:
    assert run("keys", keys) == "  2  any node\n"
    named = tmp_path / "named.toml"
    named.write_text(Path(keys).read_text("utf-8") + 'ap_title = ".1\\u001b]"\n', "utf-8")
    harmless(CliRunner().invoke(import_module("c1222.cli.keys").command, [str(named)]).stderr)


def test_nothing_else_prints() -> None:
    """Every command prints through one module."""
    doors = {
        "print",
        "click.echo",
        "click.secho",
        "sys.stdout.write",
        "sys.stderr.write",
        "console.print",
        "rich.print",
    }
    found = [
        (path.relative_to(ROOT).as_posix(), ast.unparse(each))
        for path in sorted((ROOT / "c1222").rglob("*.py"))
        for each in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(each, ast.Call) and ast.unparse(each.func) in doors
    ]
    others = [(where, what) for where, what in found if where != "c1222/cli/printing.py"]
    assert {where for where, _ in others} == {"c1222/cli/__init__.py"}
    assert all("write" in what for _, what in others)
    assert len(others) == 3


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("device", "sample:big-endian", "--identity"),
        ("device", "sample:big-endian", "--format", "json"),
        ("device", "sample:polyphase-tou", "--load-profile", "1", "--format", "espi"),
        ("tables", "show", "0"),
        ("decode", "sample:example8"),
        ("--help",),
        ("nothing-of-this-name-\u2588",),
    ],
    ids=" ".join,
)
def test_what_an_encoding_lacks_is_replaced(arguments: tuple[str, ...], encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C.UTF-8"}
    code = "from c1222.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, cwd=ROOT, env=environment, check=False
    )
    assert b"Traceback" not in done.stderr
    assert done.returncode == (2 if "nothing" in arguments[0] else 0), done.stderr
    shown = done.stdout.decode("utf-8" if "espi" in arguments else encoding)
    if "json" in arguments:
        text = CliRunner().invoke(import_module("c1222.cli.device").command, arguments[1:]).stdout
        assert json.loads(shown) == json.loads(text)
    if "espi" in arguments:
        ET.fromstring(done.stdout)


def test_bars_become_ascii(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        printing.prepare_streams()
        printing.say("▁▄█ ½ 😀")
        printing.say_json({"A": "½ 😀"})
    shown = (tmp_path / "out").read_text("ascii").splitlines()
    assert shown[0] == ".-# \\u00bd \\ud83d\\ude00"
    assert json.loads("\n".join(shown[1:])) == {"A": "½ 😀"}


def test_every_command_is_tried_here() -> None:
    """A new command has to be added to the tests above."""
    tried = {
        "device",
        "tables",
        "read",
        "identify",
        "procedure",
        "conformance",
        "decode",
        "report",
        "keys",
        "collect",
        "ports",
    }
    of_our_own = {
        "bulk",
        "demo",
        "gateway",
        "node",
        "vectors",
        "write",
    }  # print nothing that a stranger sent, but errors
    assert set(COMMANDS) == tried | of_our_own
