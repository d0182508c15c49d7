"""Every command under poor conditions, and with addresses and files that are no use: words and an exit code, no traceback."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from c1222.cli import COMMANDS, _group
from c1222.conformance.misbehaviours import MISBEHAVIOURS

ROOT = Path(__file__).parents[3]
NOBODY = "udp://127.0.0.1:9 --called .1 --calling .2 --timeout 0.05 --attempts 1"
LINES = {
    "demo --messages 1": 0,
    "conformance --list": 0,
    "bulk sample:none --out out": 2,
    "collect all --meters meters.toml --store store.db": 2,
    "gateway sample:single-phase --listen dlms+tcp://192.0.2.1:1": 2,
    "ports --help": 0,
    f"conformance {NOBODY} --only C-LINK-01": 3,
    "decode sample:example8": 0,
    "decode sample:example8 --format jsonl": 0,
    "decode -": 2,
    "device sample:single-phase": 0,
    "device sample:big-endian --identity": 0,
    f"identify {NOBODY}": 3,
    "keys {root}/specs/captures/keys.toml": 0,
    "node --profile sample:single-phase --listen udp://192.0.2.1:1": 2,
    f"procedure {NOBODY} 4": 3,
    f"read {NOBODY} ST1": 3,
    "report sample:single-phase -o report.html": 0,
    "tables list": 0,
    "tables show 23 --device sample:single-phase": 0,
    "vectors verify {root}/specs/vectors/eax-prime.json": 0,
    "vectors respond": 0,
    f"write {NOBODY} ST6 -": 3,
    "--help": 0,
    "read --help": 0,
}
"""Command lines, with the exit code of each."""
SILENT = {"vectors respond", "report sample:single-phase -o report.html"}
"""Those that print no result."""
DRIVER = """
import importlib, os, shlex, sys
from c1222.cli import COMMANDS, main
for name in COMMANDS:
    importlib.import_module(f"c1222.cli.{name}")
codes = []
for line in sys.argv[2:]:
    process = os.fork()
    if not process:
        sys.argv = ["c1222", *shlex.split(line)]
        main()
    codes.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
with open(sys.argv[1], "w") as file:
    file.write(" ".join(map(str, codes)))
"""
SURROUNDINGS = {
    "no HOME": ("env -u HOME -u USER -u LOGNAME", {}),
    "no environment": ("env -i", {}),
    "no folder to write to": ("cd /sys &&", {"demo --messages 1": 2, "report sample:single-phase -o report.html": 2}),
    "a pipe that nobody reads": ("", {}),
    "a full disk": (
        "",
        {line: 2 for line, code in LINES.items() if (not code and line not in SILENT) or "C-LINK" in line},
    ),
    "no standard input": ("", {}),
    "no standard output": ("", {}),
    "no standard streams": ("", {}),
    "a terminal that can do nothing": ("env TERM=dumb", {}),
    "no standard error": ("", {}),
    "Windows-1252": ("env PYTHONIOENCODING=cp1252", {}),
    "ASCII": ("env PYTHONIOENCODING=ascii:strict", {}),
    "the C locale": ("env LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0", {}),
}
"""What stands before the program, and the exit codes that differ."""
REDIRECTIONS = {
    "a pipe that nobody reads": "| true",
    "a full disk": ">/dev/full",
    "no standard input": "<&-",
    "no standard output": ">&-",
    "no standard error": ">/dev/null 2>&-",
    "no standard streams": "<&- >&- 2>&-",
}


def test_every_command_is_tried() -> None:
    assert {line.split()[0] for line in LINES if line[0] != "-"} == set(COMMANDS)


@pytest.mark.skipif(not (Path("/sys").is_dir() and Path("/dev/full").exists()), reason="folders and devices of Linux")
@pytest.mark.parametrize("name", SURROUNDINGS)
def test_poor_conditions(name: str, tmp_path: Path) -> None:
    before, differing = SURROUNDINGS[name]
    folder, codes, errors = tmp_path / "folder", tmp_path / "codes", tmp_path / "errors"
    folder.mkdir()
    lines = [line.format(root=ROOT) for line in LINES]
    program = shlex.join(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{DRIVER}", str(codes), *lines]
    )
    script = f"{before} {program} 2>{shlex.quote(str(errors))} {REDIRECTIONS.get(name, '>/dev/null')}"
    subprocess.run(["sh", "-c", script], cwd=folder, stdin=subprocess.DEVNULL, check=False, timeout=120)
    said = errors.read_text("utf-8", "replace")  # nothing where standard error is closed: then the codes tell
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert "Errno" not in said
    found = dict(zip(LINES, map(int, codes.read_text().split()), strict=True))
    expected = LINES | differing
    if name == "a pipe that nobody reads":  # what is written before the reader has left is written well
        found = {line: expected[line] if code == 141 else code for line, code in found.items()}
    assert found == expected


@pytest.fixture(scope="module")
def taken() -> str:
    """An address that is in use, by UDP and TCP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(tcp.getsockname())
        yield f"127.0.0.1:{tcp.getsockname()[1]}"


NODE = "node --profile sample:single-phase"
WHO = "--called .1 --calling .2 --timeout 0.05 --attempts 1"
ASKING = {
    "identify": "identify {url} {who}",
    "read": "read {url} {who} ST1",
    "write": "write {url} {who} ST6.OWNER_NAME x",
    "procedure": "procedure {url} {who} 4 1",
    "conformance": "conformance {url} {who} --only C-LINK-01",
}
BAD_FILES = [
    "decode {file}",
    "decode sample:example8 --keys {file}",
    "decode sample:example8 --device {file}",
    "decode sample:example8 --declarations {file}",
    "device {file}",
    "tables list --device {file}",
    "tables show 23 --declarations {file}",
    "vectors verify {file}",
    "vectors generate --seed 1 --out {file}/x",
    "demo --pcap {file}/x.pcap",
    "node --profile {file}",
    NODE + " --keys {file}",
    NODE + " --faults {file}",
    NODE + " --store {file}/x",
    "read udp://127.0.0.1:9 --called .1 --calling .2 --keys {file} ST1",
    "read udp://127.0.0.1:9 --called .1 --calling .2 --password-file {file} ST1",
    "read udp://127.0.0.1:9 --called .1 --calling .2 --device {file} ST1",
    "read udp://127.0.0.1:9 --called .1 --calling .2 --save {file}/x ST1",
    "conformance udp://127.0.0.1:9 --called .1 --calling .2 --json {file}/x",
    "conformance udp://127.0.0.1:9 --called .1 --calling .2 --junit {file}/x",
    "conformance --listen udp://127.0.0.1:0 --misbehave " + next(iter(MISBEHAVIOURS)) + " --profile {file}",
]


def said(line: str) -> tuple[int, str]:
    result = CliRunner().invoke(_group(), shlex.split(line))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert "Errno" not in result.output
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "url", ["udp://no-such-host.invalid", "tcp://no-such-host.invalid", "tcp://127.0.0.1:9", "ftp://x"]
)
@pytest.mark.parametrize("line", ASKING.values(), ids=ASKING)
def test_addresses_that_are_no_use(line: str, url: str) -> None:
    code, text = said(line.format(url=url, who=WHO))
    assert code == (2 if url.startswith("ftp") else 3)
    host = url.partition("://")[2]
    assert host in text
    assert text.count("127.0.0.1") == url.count("127.0.0.1") or "conformance" in line


@pytest.mark.parametrize("scheme", ["udp", "tcp", "UDP"])
@pytest.mark.parametrize("line", [NODE, NODE + " --as-relay"])
def test_an_address_that_is_taken(line: str, scheme: str, taken: str) -> None:
    code, text = said(f"{line} --listen {scheme}://{taken}")
    assert code == 2
    assert text == f"c1222: {taken}: Address already in use\n"


@pytest.mark.parametrize("kind", ["missing", "folder", "binary"])
@pytest.mark.parametrize("line", BAD_FILES)
def test_files_that_are_no_use(line: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("binary").write_bytes(bytes(range(256)))
    if "{file}/x" in line and kind != "binary":
        pytest.skip("such a file can be made" if kind == "folder" else "folders that are made, or not: see the outputs")
    if "--password-file" in line and kind == "binary":
        pytest.skip("a password may be any octets")
    code, text = said(line.format(file=kind))
    assert code == 2, text
    assert kind in text
