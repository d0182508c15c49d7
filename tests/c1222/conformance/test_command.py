"""``c1222 conformance``, both ways."""

from __future__ import annotations

import csv
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from c1222.cli.conformance import command
from c1222.cli.connection import PASSWORD_VARIABLE
from c1222.conformance.catalogue import CHECKS
from c1222.conformance.line.catalogue import LINE_CHECKS
from c1222.conformance.misbehaviours import MISBEHAVIOURS
from c1222.conformance.target import Target
from c1222.node import RunningNode, running
from tests.c1222.conformance.rig import DEVICES, KEY

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    with running(DEVICES / "polyphase-tou.json", keys=KEY, history_days=0) as made:
        yield made


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("keys") / "keys.toml"
    path.write_text(f'[[key]]\nid = 2\nhex = "{KEY.octets.hex()}"\n', "utf-8")
    return str(path)


def invoke(*arguments: str, password: str | None = "master-demo") -> Result:
    return CliRunner().invoke(command, arguments, env={PASSWORD_VARIABLE: password, "COLUMNS": "160"})


def check(node: RunningNode, keys: str | None, *arguments: str, password: str | None = "master-demo") -> Result:
    to = ["--called", node.title, "--calling", ".123.77", "--quiet", "0.03", "--patience", "0"]
    return invoke(node.url, *to, *(["--keys", keys] if keys else []), *arguments, password=password)


def test_the_length_of_invocation_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    targets: list[Target] = []
    monkeypatch.setattr("c1222.cli.conformance._run", lambda _url, target, *_: targets.append(target) or sys.exit(9))
    for bits in ("16", "32"):
        arguments = ("udp://127.0.0.1:1", "--called", ".1", "--calling", ".2", "--id-bits", bits)
        assert invoke(*arguments).exit_code == 9
    assert [target.id_bits for target in targets] == [16, 32]


def test_a_good_node(node: RunningNode, keys: str, tmp_path: Path) -> None:
    as_json, as_xml = tmp_path / "report.json", tmp_path / "report.xml"
    result = check(node, keys, "--only", "C-IDENT", "--only", "C-ECHO", "--json", str(as_json), "--junit", str(as_xml))
    assert result.exit_code == 0, result.output
    assert re.search(r"C-IDENT-01 +pass +\[V\] +Identify is answered, and tells C12.22", result.stdout)
    assert "note" not in result.stdout
    assert ", 0 fail, " in result.stdout
    content = json.loads(as_json.read_text("utf-8"))
    assert content["contact"] is True
    assert content["counts"]["fail"] == 0
    assert ET.fromstring(as_xml.read_text("utf-8")).get("failures") == "0"


def test_notes_are_shown_on_demand(node: RunningNode, keys: str) -> None:
    assert "note: C12.22 1.0" in check(node, keys, "--only", "C-IDENT-01", "--notes").stdout


def test_json_to_standard_output_stands_alone(node: RunningNode, keys: str) -> None:
    result = check(node, keys, "--only", "C-LINK", "--json", "-")
    assert json.loads(result.stdout)["schema"] == "c1222.conformance/1"
    assert "C-LINK-01" in result.stderr


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_rows_to_standard_output_stand_alone(node: RunningNode, keys: str, form: str) -> None:
    result = check(node, keys, "--only", "C-LINK", "--format", form)
    lines = result.stdout.splitlines()
    rows = [json.loads(line) for line in lines] if form == "jsonl" else list(csv.DictReader(lines))
    assert [(row["node"], row["verdict"]) for row in rows] == [(node.title, "pass")] * len(rows)
    assert [row["check"] for row in rows] == [check.id for check in CHECKS if check.family == "LINK"]
    assert "C-LINK-01" in result.stderr


def test_rows_to_a_file(node: RunningNode, keys: str, tmp_path: Path) -> None:
    path = tmp_path / "checks.parquet"
    result = check(node, keys, "--only", "C-LINK", "--format", "parquet", "--output", str(path))
    assert "C-LINK-01" in result.stdout
    table = pq.read_table(path)
    assert table.schema.metadata[b"schema"] == b"c1222.checks/1"
    assert table.column("verdict").to_pylist() == ["pass"] * table.num_rows != []


def test_json_and_rows_do_not_mix(node: RunningNode, keys: str) -> None:
    result = check(node, keys, "--only", "C-LINK", "--json", "-", "--format", "csv")
    assert result.exit_code == 2
    assert "name a file for one of them" in result.stderr


def test_without_the_key_the_node_is_silent(node: RunningNode) -> None:
    result = check(node, None, "--only", "C-LINK", "--timeout", "0.05", "--attempts", "1")
    assert result.exit_code == 3
    assert "does not answer" in result.stderr


def test_nobody_there(keys: str, node: RunningNode) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        to = ["--called", ".1", "--calling", ".2", "--timeout", "0.05", "--attempts", "2", "--keys", keys]
        result = invoke(f"udp://127.0.0.1:{port}", *to)
    assert result.exit_code == 3
    assert re.findall(r"^C-\w+-\d\d +\w+", result.stdout, re.MULTILINE) == ["C-LINK-01  fail"]
    assert f"1 fail, {len(CHECKS) - 1} skipped" in result.stdout
    result = invoke(f"tcp://127.0.0.1:{port}", *to)
    assert result.exit_code == 3


def test_wrong_password_is_a_failure(node: RunningNode, keys: str) -> None:
    result = check(node, keys, "--only", "C-TABLE-02", password="nonsense")
    assert result.exit_code == 1
    assert "the password is refused" in result.stdout
    assert "nonsense" not in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "URL is missing"),
        (("udp://127.0.0.1:1",), "--called is missing"),
        (("nowhere", "--called", ".1", "--calling", ".2"), "not an address"),
        (("udp://127.0.0.1:1", "--called", "x", "--calling", ".2"), "ApTitle"),
        (("udp://127.0.0.1:1", "--called", ".1", "--calling", ".2", "--mode", "2"), "needs --keys"),
        (("udp://127.0.0.1:1", "--called", ".1", "--calling", ".2", "--only", "X"), "no check begins with 'X'"),
        (("--misbehave", "silent"), "--profile"),
        (("--listen", "udp://127.0.0.1:0", "--profile", "sample:single-phase"), "--misbehave"),
        (("--profile", "sample:single-phase", "--misbehave", "nothing"), "there is no case 'nothing'"),
        (("--profile", "sample:single-phase", "--misbehave", "wrong-mac"), "takes --keys"),
        (("--listen", "x", "--profile", "sample:single-phase", "--misbehave", "silent"), "not an address"),
    ],
)
def test_usage(arguments: tuple[str, ...], told: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert told in result.stderr


def test_files_that_cannot_be_written(node: RunningNode, keys: str, tmp_path: Path) -> None:
    result = check(node, keys, "--only", "C-LINK", "--json", str(tmp_path / "no" / "file"))
    assert result.exit_code == 2
    assert "No such file" in result.stderr


def test_the_list_has_all() -> None:
    result = invoke("--list")
    assert result.exit_code == 0
    listed = {line.split()[0] for line in result.stdout.splitlines() if line}
    assert listed == {one.id for one in (*CHECKS, *LINE_CHECKS)} | set(MISBEHAVIOURS)


def test_a_node_that_misbehaves_is_noticed(keys: str) -> None:
    arguments = ["--listen", "udp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--keys", keys]
    code = "import sys; from c1222.cli import main; sys.argv[0] = 'c1222'; main()"
    given = [*arguments, "--profile", str(DEVICES / "single-phase.json"), "--misbehave", "wrong-checksum"]
    with subprocess.Popen(
        [sys.executable, "-c", code, "conformance", *given], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as served:
        assert served.stdout is not None
        try:
            lines = [served.stdout.readline() for _ in range(4)]
            title = lines[0].partition(":")[0]
            assert "checksum" in lines[0]
            for line in lines[2:]:
                url = line.split()[-1]
                to = ["--called", title, "--calling", ".123.77", "--quiet", "0.03", "--keys", keys]
                result = invoke(url, *to, "--only", "C-TABLE-06", "--only", "C-ECHO-01")
                assert result.exit_code == 1, result.output
                assert re.search(r"C-TABLE-06 +fail", result.stdout)
                assert re.search(r"C-ECHO-01 +pass", result.stdout)
        finally:
            served.terminate()
