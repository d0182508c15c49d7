"""``c1222 decode`` with filters and ``--summary``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from c1222 import KeyStore, summarize
from c1222.capture.message import CapturedMessage
from c1222.cli.decode import command
from c1222.cli.decode_summary import show_summary
from c1222.cli.demo import command as demo
from c1222.message.aptitle import DEFAULT_BASE
from c1222.services import ErrorResponse, session, tables
from tests.c1219.views.example_meter import TABLES
from tests.c1222.capture.conversation import HEAD_END, METER, OTHER, Conversation
from tests.c1222.capture.summary.talk import Talk

SCHEMA = json.loads((Path(__file__).parents[3] / "specs" / "summary.schema.json").read_text("utf-8"))


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.toml"
    path.write_text('[[key]]\nid = 2\nhex = "01020304050607080102030405060708"\n')
    return str(path)


def run(*arguments: str, **options: object) -> Result:
    return CliRunner().invoke(command, arguments, **options)  # type: ignore[arg-type]


@pytest.fixture
def capture(tmp_path: Path) -> str:
    talk = Conversation()
    for number, octets in TABLES.items():
        talk.read(number, octets)
    talk.read(1, TABLES[1], meter=OTHER)
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.octets)
    return str(path)


def test_what_filters_hide_is_counted(capture: str, keys: str) -> None:
    everything = run(capture, "--keys", keys, "--format", "jsonl")
    lines = everything.stdout.splitlines()
    found = run(capture, "--keys", keys, "--format", "jsonl", "--table", "ST23")
    assert found.exit_code == 0
    shown = found.stdout.splitlines()
    assert len(shown) == 2
    assert set(shown) < set(lines)  # decoded with what was hidden
    assert json.loads(shown[1])["services"][0]["value"]
    assert f"hidden by filters: {len(lines) - 2} messages" in found.stderr
    assert "hidden" not in everything.stderr


def test_filters_in_text_and_together(capture: str, keys: str) -> None:
    text = run(capture, "--keys", keys, "--node", str(OTHER.absolute()), "--service", "read", "--verified").stdout
    assert text.count("\n#") + text.startswith("#") == 2
    assert "ST1" in text
    assert str(METER) not in text
    assert run(capture, "--keys", keys, "--node", str(OTHER), "--unverified").stdout == ""
    later = run(capture, "--keys", keys, "--since", "2030-01-01")
    assert (later.stdout, later.exit_code) == ("", 0)
    assert run(capture, "--keys", keys, "--until", "2030-01-01", "--format", "jsonl").stdout.count("\n") > 10


def test_errors_alone(tmp_path: Path, keys: str) -> None:
    talk = Talk()
    talk.send(0, 1)
    talk.send(1, 2, answers=1, services=[ErrorResponse(0x06)])
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.file)
    found = run(str(path), "--keys", keys, "--errors")
    assert "read bsy" in found.stdout
    assert found.stdout.count("#") == 1
    assert found.exit_code == 0  # the node is busy; nothing is wrong with the message


def test_the_exit_code_is_of_what_is_shown(capture: str) -> None:
    assert run(capture).exit_code == 1
    assert run(capture, "--verified").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--table", "x"], "names no table"),
        (["--service", "reed"], "there is no service 'reed'"),
        (["--since", "soon"], "is no time"),
        (["--node", "meter"], "meter"),
        (["--registers", "--table", "ST23"], "--node is its one filter"),
        (["--registers", "--summary"], "--summary apart"),
        (["--format", "json"], "json is for --summary"),
        (["--summary", "--format", "csv"], "a summary is text or json"),
        (["--summary", "--no-tables"], "are for messages"),
    ],
)
def test_what_does_not_go(capture: str, arguments: list[str], text: str) -> None:
    result = run(capture, *arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert result.stdout == ""


# --- summary


def test_the_summary_of_the_demo(tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    assert CliRunner().invoke(demo, ["--pcap", str(path)]).exit_code == 0
    key_file = str(tmp_path / "x.toml")
    found = run(str(path), "--keys", key_file, "--summary", "--format", "json")
    assert found.exit_code == 0
    value = json.loads(found.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(value)
    assert value == summarize(path, keys=KeyStore.from_file(key_file)).as_dict()
    [conversation] = value["conversations"]
    assert conversation["requests"] == conversation["responses"] == value["totals"]["requests"] > 10
    assert conversation["response_times"]["answers"] == conversation["responses"]
    assert value["security"]["verified"] == value["totals"]["messages"]
    assert value["totals"]["unanswered"] == value["totals"]["unpaired"] == 0
    assert {"read", "read-offset", "logon", "security"} <= {one["service"] for one in value["services"]}
    line = run(str(path), "--keys", key_file, "--summary", "--format", "jsonl").stdout
    assert line.count("\n") == 1
    assert json.loads(line) == value
    text = run(str(path), "--keys", key_file, "--summary").stdout
    assert "cleartext passwords  none" in text
    assert max(map(len, text.splitlines())) <= 80
    bare = run(str(path), "--summary")
    assert bare.exit_code == 1
    assert "(not readable)" in bare.stdout
    assert "2 nodes, for want of keys" in bare.stdout


def test_a_summary_of_what_filters_let_through(capture: str, keys: str) -> None:
    found = run(capture, "--keys", keys, "--summary", "--format", "json", "--node", str(OTHER))
    assert json.loads(found.stdout)["totals"]["messages"] == 2
    assert "hidden by filters:" in found.stderr


def test_text_names_what_needs_attention(tmp_path: Path, keys: str) -> None:
    talk = Talk()
    password = session.SecurityRequest.of("hunter2", 2)
    octets = talk.send(0, 1)
    talk.octets(1, octets)
    talk.send(2, 2, answers=1, ahead=7200)
    talk.send(3, 3, mode=0, services=[password, tables.ReadRequest(1)])
    talk.send(4, 4, answers=3, services=[ErrorResponse(0x06)], ahead=7200)
    talk.send(5, 5, iv=(1_700_000_000).to_bytes(4))
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.file)
    text = run(str(path), "--keys", keys, "--summary").stdout
    rows = {" ".join(line.split()) for line in text.splitlines()}
    head, meter = str(HEAD_END), str(METER)
    assert "1 retransmission; 0 undecodable; 0 not readable for want of a key" in rows
    assert "4 requests, 1 unanswered; 2 responses, 0 whose request was not seen" in rows
    assert "bsy device busy read 1" in {row.lower() for row in rows}
    assert f"cleartext passwords {head} to {meter}: 1" in rows
    assert f"repeated IVs {head}, key 2: 1 message" in rows
    assert f"{meter}: 2 h 0 min ahead" in text
    assert f"back to cleartext {head} to {meter}: 1 message in cleartext since" in rows
    assert "hunter2" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_summary_that_is_interrupted_is_of_what_was_read(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk()
    talk.send(0, 1)

    def messages() -> Iterator[CapturedMessage]:
        yield from talk.decoder()
        raise KeyboardInterrupt

    show_summary(messages(), [], "jsonl", base=DEFAULT_BASE)
    shown = capsys.readouterr()
    assert json.loads(shown.out)["totals"]["messages"] == 1
    assert "interrupted" in shown.err


def test_many_rows_are_cut_short_and_counted(tmp_path: Path, keys: str) -> None:
    talk = Conversation()
    for number in range(1, 31):
        talk.read(1, b"x", meter=type(METER)(f".7.{number}"))
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.octets)
    text = run(str(path), "--keys", keys, "--summary").stdout
    assert "and 10 more, which JSON has" in text
    assert "and 11 more, which JSON has" in text  # nodes
