"""``c1222 decode``: streams, exit codes, options; as a program in pipes."""

import fcntl
import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.cli.decode import command
from c1222.services import TableData, session, tables
from tests.c1222.capture.conversation import KEY, Conversation
from tests.traffic import exchange

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "specs" / "captures"
SHARED = ROOT.parent / "shared" / "captures"
REAL = ("c1222_std_example8.pcap", "c1222overIPv4.cap", "c1222_over_ipv6.pcap")
PROGRAM = [sys.executable, "-bb", "-W", "error", "-c", "from c1222.cli import main; main()", "decode"]


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.toml"
    path.write_text(f'[[key]]\nid = 2\nhex = "{KEY.octets.hex()}"\n')
    return str(path)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    talk = Conversation()
    talk.ask(
        [session.SecurityRequest.of("s3same", 2), tables.ReadRequest(5)],
        [session.SecurityResponse(), tables.ReadResponse(TableData(b"owner"))],
    )
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.octets)
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A capture whose text is more than a pipe holds."""
    path = tmp_path / "large.pcap"
    with PcapWriter(path) as writer:
        for number in range(8000):
            ends = ("10.0.0.1:50000", "10.1.0.1:1153")
            writer.write(1_700_000_000_000_000_000 + number, udp_packet(*ends, exchange(number // 2 % 2)))
    return path


def run(*arguments: object, **options: Any) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments], **options)


def program(*arguments: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
    given = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(given, capture_output=True, cwd=ROOT, check=False, timeout=60, **options)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_real_captures_are_six_verified_messages() -> None:
    if not SHARED.is_dir():
        pytest.skip("the captures of others are not here")
    files = [SHARED / name for name in REAL]
    result = run(*files, "--keys", SHARED / "keys.toml", "--format", "jsonl")
    shown = lines(result)
    assert result.exit_code == 0
    assert [each["authenticated"] for each in shown] == [True] * 6
    assert [each["findings"] for each in shown] == [[]] * 6
    assert [each["reply_to"] is None for each in shown] == [True, False] * 3
    assert [each["time_ns"] for each in shown] == sorted(each["time_ns"] for each in shown)
    assert [each["frame"] for each in shown] == sorted({each["frame"] for each in shown})
    assert {each["file"] for each in shown} == set(map(str, files))
    data = [service["data"] for each in shown for service in each["services"] if "data" in service]
    assert {b"12345678", b"13022906"} <= {bytes.fromhex(each)[-8:] for each in data}
    text = run(*files, "--keys", SHARED / "keys.toml")
    assert text.exit_code == 0
    assert text.stdout.count("ciphertext-authentication: verified") == 6
    assert "6 messages: 6 verified\n" in text.stderr


def test_samples_come_with_their_keys() -> None:
    result = run("sample:example8", "--format", "jsonl")
    assert (result.exit_code, [each["authenticated"] for each in lines(result)]) == (0, [True, True])
    assert result.stderr == "2 messages: 2 verified\n"
    listed = run("sample:")
    assert listed.exit_code == 2
    assert "samples: example8, meters, published" in listed.stderr
    assert "no sample 'x'" in run("sample:x").stderr
    # among other files they have none
    mixed = run("sample:example8", SAMPLES / "example8.pcap", "--format", "jsonl")
    assert (mixed.exit_code, [each["authenticated"] for each in lines(mixed)]) == (1, [None] * 4)


def test_results_and_remarks_go_to_different_streams(capture: Path, keys: str) -> None:
    text = run(capture, "--keys", keys)
    assert text.exit_code == 0
    assert text.stdout.startswith("#1  2023-")
    assert "2 messages" not in text.stdout
    assert text.stderr.startswith("2 messages: 2 verified")


def test_exit_codes(capture: Path, keys: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(f'[[key]]\nid = 2\nhex = "{"00" * 16}"\n')
    cut, empty, no_capture = tmp_path / "cut.pcap", tmp_path / "empty.pcap", tmp_path / "no.pcap"
    octets = capture.read_bytes()
    cut.write_bytes(octets[:-1])
    empty.write_bytes(b"")
    no_capture.write_bytes(b"hello, world, this is no capture")
    bad_keys = tmp_path / "bad.toml"
    bad_keys.write_text('[[key]]\nid = 2\nhex = "00"\n')
    for form in ("text", "jsonl"):
        for code, arguments, said in (
            (0, (capture, "--keys", keys), "2 verified"),
            (1, (capture,), "2 not checked"),
            (1, (capture, "--keys", wrong), "2 with a wrong MAC"),
            (1, (cut, "--keys", keys), "error: "),
            (1, (cut, capture, "--keys", keys), "error: "),
            (2, (empty,), "the file is empty"),
            (2, (no_capture,), "neither pcap nor pcapng"),
            (2, (tmp_path / "nowhere.pcap",), "No such file"),
            (2, (tmp_path,), "directory"),
            (2, (capture, "--keys", bad_keys), "a key has 16 octets"),
            (2, (capture, "--keys", tmp_path / "nowhere.toml"), "nowhere.toml"),
            (2, (capture, "--port", "65536"), "65536"),
            (2, (), "Missing argument"),
        ):
            result = run(*arguments, "--format", form)
            assert (result.exit_code, said in result.stderr) == (code, True), (arguments, result.stderr)
    assert run(capture, "--format", "xml").exit_code == 2


def test_three_findings_for_three_failures(capture: Path, keys: str, tmp_path: Path) -> None:
    octets = bytearray(capture.read_bytes())
    octets[-6] ^= 1
    damaged = tmp_path / "damaged.pcap"
    damaged.write_bytes(octets)
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(f'[[key]]\nid = 2\nhex = "{"00" * 16}"\n')
    found = []
    for arguments in ((damaged, "--keys", keys), (capture, "--keys", wrong), (capture,)):
        shown = lines(run(*arguments, "--format", "jsonl"))[-1]
        assert shown["services"] == []
        found += [(each["code"], each["text"]) for each in shown["findings"] if each["level"] == "error"]
    assert [code for code, _ in found] == ["damaged", "wrong-key", "no-key"]
    assert KEY.octets.hex() not in str(found)


def test_passwords(capture: Path, keys: str) -> None:
    for form in ("text", "jsonl"):
        hidden = run(capture, "--keys", keys, "--format", form).output
        assert "s3same" not in hidden
        assert b"s3same".hex() not in hidden
        assert "<redacted>" in hidden
        shown = run(capture, "--keys", keys, "--format", form, "--show-secrets").stdout
        assert "s3same" in shown or b"s3same".hex() in shown
        assert KEY.octets.hex() not in shown


def test_several_files_and_gzip(capture: Path, keys: str, tmp_path: Path) -> None:
    squeezed = tmp_path / "talk.pcap.gz"
    squeezed.write_bytes(gzip.compress(capture.read_bytes()))
    result = run(capture, squeezed, "--keys", keys, "--format", "jsonl")
    assert result.exit_code == 0
    shown = [(each["frame"], each["file"], each["file_frame"], each["reply_to"]) for each in lines(result)]
    assert [(frame, file_frame) for frame, _, file_frame, _ in shown] == [(1, 1), (2, 1), (3, 2), (4, 2)]
    assert [file for _, file, _, _ in shown] == [str(capture), str(squeezed)] * 2
    assert result.stderr == "4 messages: 4 verified\n"
    # where one of them cannot be read, nothing is
    result = run(capture, tmp_path / "nowhere.pcap", "--keys", keys, "--format", "jsonl")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere.pcap: No such file" in result.stderr
    (tmp_path / "no.pcap").write_bytes(b"\0" * 30)
    result = run(capture, tmp_path / "no.pcap", "--keys", keys)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{tmp_path / 'no.pcap'}: " in result.stderr


def test_octets_in_hex(keys: str, tmp_path: Path) -> None:
    asked, answered = exchange(2), exchange(3)
    path = tmp_path / "lines.txt"
    path.write_text(f"# from the log\n{asked.hex(' ')}\n\nnonsense\n{answered.hex()}\n")
    result = run(path, "--keys", keys, "--format", "jsonl")
    shown = lines(result)
    assert result.exit_code == 1, "a line was not read"
    assert "line 4 is not read: no hex" in result.stderr
    assert [(each["frame"], each["authenticated"], each["reply_to"]) for each in shown] == [
        (2, True, None),
        (5, True, 2),
    ]
    assert [{each[name] for name in ("time_ns", "src", "dst", "transport")} for each in shown] == [{None}] * 2
    by_option = run("--apdu", asked.hex(":"), "--apdu", "0x" + answered.hex(), "--keys", keys, "--format", "jsonl")
    assert by_option.exit_code == 0
    assert [each["frame"] for each in lines(by_option)] == [1, 2]
    assert [each["services"] for each in lines(by_option)] == [each["services"] for each in shown]
    text = run("--apdu", asked.hex(), "--keys", keys)
    assert text.stdout.startswith("#1  in hex\n    .4 asks .1.100.2")
    piped = program("-", "--keys", keys, input=path.read_bytes())
    assert (piped.returncode, piped.stdout.count(b"verified")) == (1, 2)
    for arguments, said in (
        ((), "Missing argument"), ((path, "--apdu", "60"), "exclude"), (("--apdu", "zz"), "nor hex"),
        (("--apdu", "60"), "the APDU is cut"),
    ):  # fmt: skip
        result = run(*arguments)
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_ports(tmp_path: Path) -> None:
    path = tmp_path / "ports.pcap"
    plain = exchange(0)
    with PcapWriter(path) as writer:
        for number, port in enumerate((1153, 2000, 3000)):
            writer.write(number, udp_packet("10.0.0.1:50000", f"10.0.0.2:{port}", plain))
        writer.write(9, udp_packet("10.0.0.1:50000", "10.0.0.2:3000", b"something else"))
        writer.write(10, tcp_packet("10.0.0.1:50000", "10.0.0.2:2000", b"something else"))

    def frames(*options: str) -> list[int]:
        return [each["frame"] for each in lines(run(path, "--format", "jsonl", *options))]

    assert frames() == [1, 2, 3]
    assert frames("--only-ports") == [1]
    assert frames("--port", "2000", "--only-ports") == [1, 2, 5]
    assert frames("--port", "2000", "--port", "3000") == [1, 2, 3, 4, 5]
    assert run(path, "--only-ports").exit_code == 0
    assert "segments of other ports that are no C12.22 by their look: 4" in run(path, "--only-ports").stderr
    assert run(path, "--port", "3000").exit_code == 1


def test_standard_input(capture: Path, keys: str) -> None:
    from_file = program(capture, "--keys", keys, "--format", "jsonl")
    assert from_file.returncode == 0
    for octets in (capture.read_bytes(), gzip.compress(capture.read_bytes())):
        piped = program("-", "--keys", keys, "--format", "jsonl", input=octets)
        assert (piped.returncode, piped.stdout) == (0, from_file.stdout)
    nothing = program("-", input=b"")
    assert (nothing.returncode, nothing.stdout) == (2, b"")
    assert b"the file is empty" in nothing.stderr


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_a_reader_that_leaves_ends_it_without_a_word(large: Path, keys: str, form: str) -> None:
    given = [*PROGRAM, str(large), "--keys", keys, "--format", form, "--no-tables"]
    with subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()  # as head does
        errors = process.stderr.read()
        assert process.wait(60) == 141
    assert errors == b""


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_an_interrupt_ends_it_without_a_traceback(large: Path, keys: str, form: str) -> None:
    given = [*PROGRAM, str(large), "--keys", keys, "--format", form, "--no-tables"]
    with subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()  # it is at work, and soon waits for the pipe
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        errors = process.stderr.read()
        assert process.wait(60) == 130
    assert errors.strip().endswith(b"interrupted")
    assert b"Traceback" not in errors


def test_an_interrupt_while_it_waits_for_standard_input(keys: str) -> None:
    given = [*PROGRAM, "-", "--keys", keys]
    with subprocess.Popen(
        given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write((SAMPLES / "example8.pcap").read_bytes()[:200])
        process.stdin.flush()
        for _ in range(1000):  # once the octets are taken, it waits for more
            if not int.from_bytes(fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)), sys.byteorder):
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
        assert process.wait(60) == 130
    assert b"Traceback" not in errors


@pytest.mark.parametrize("terminal", [True, False])
def test_a_progress_bar_on_a_terminal_and_none_otherwise(large: Path, keys: str, terminal: bool) -> None:
    code = "import c1222.cli.progress as it; it.FIRST_BAR = 0; from c1222.cli import main; main()"
    given = [sys.executable, "-c", code, "decode", str(large), "--keys", keys, "--format", "jsonl", "--no-tables"]
    ours, theirs = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(given, stdout=subprocess.PIPE, stderr=theirs, cwd=ROOT, check=True, env=environment)
    shown = os.read(ours, 1 << 16)
    os.close(theirs)
    os.close(ours)
    assert done.stdout.count(b"\n") == 8000
    assert (b"decoding" in shown) is terminal
    assert (b"\x1b" in shown) is terminal
    assert b"8000 messages" in shown


def test_what_comes_through_a_pipe_is_shown_as_it_comes() -> None:
    octets = (SAMPLES / "example8.pcap").read_bytes()
    first_two = len(octets) - 1
    with subprocess.Popen(
        [*PROGRAM, "-", "--format", "jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(octets[:first_two])
        process.stdin.flush()
        line = process.stdout.readline()  # while the file is still being written
        assert json.loads(line)["frame"] == 1
        process.stdin.write(octets[first_two:])
        process.stdin.close()
        assert len(process.stdout.readlines()) == 1
