"""The forms of logs: every sample of the page gives the same messages; what is no log is an error, or a finding."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.files.source import CaptureError
from c1222.capture.message import UNTIMED
from c1222.capture.serial.decoder import decode_serial_log
from c1222.capture.serial.log import MAX_BAD_LINES, Recorded, SerialLog
from c1222.cli.decode import command
from c1222.errors import C1222Error
from tests.c1222.serial.vectors import EXCHANGES

PAGE = (Path(__file__).parents[4] / "specs" / "serial-logs.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
HEX = [text.encode() for kind, text in BLOCKS if kind == "hex"]
OUTPUT = next(text for kind, text in BLOCKS if kind == "text")
SERVICES = [octets[6:-2] for _, octets in EXCHANGES["c1218-session"][:20] if octets[0] == 0xEE]
IDENTIFY = bytes.fromhex("EE0000000001201310")


def file_of(dump: str) -> bytes:
    """Do what ``xxd -r`` does."""
    return b"".join(bytes.fromhex(line[10:49].replace(" ", "")) for line in dump.splitlines())


RAW, CLIENT, DEVICE, PCAP = (file_of(text) for kind, text in BLOCKS if kind == "xxd")


def decoded(*files: bytes) -> tuple[list[Any], Any]:
    sources = [io.BytesIO(octets) for octets in files]
    decoder = decode_serial_log(sources[0] if len(sources) == 1 else sources)
    return list(decoder), decoder


def recorded(text: str) -> list[Recorded]:
    return list(SerialLog(io.BytesIO(text.encode())))


def test_the_page_has_all_forms() -> None:
    assert len(HEX) == 4
    assert len(BLOCKS) == 9


@pytest.mark.parametrize(
    "files",
    [*((text,) for text in HEX), (RAW,), (CLIENT, DEVICE), (DEVICE, CLIENT), (PCAP,), (gzip.compress(RAW),)],
    ids=["hex", "directions", "times", "dates", "raw", "two", "two-reversed", "pcap", "gzip"],
)
def test_samples(files: tuple[bytes, ...]) -> None:
    messages, decoder = decoded(*files)
    assert [message.octets for message in messages] == SERVICES
    assert [message.reply_to for message in messages[1::2]] == [message.frame for message in messages[::2]]
    assert [finding.code for finding in decoder.findings() if finding.code != "password-tries"] == (
        ["no-times"] if len(files) == 2 else []
    )
    assert (decoder.counters.messages, decoder.counters.responses, decoder.counters.unpaired) == (10, 5, 0)


def test_the_output_on_the_page(tmp_path: Path) -> None:
    path = tmp_path / "probe.log"
    path.write_bytes(HEX[3])
    result = CliRunner().invoke(command, ["--serial-log", str(path)])
    assert result.exit_code == 0, result.stderr
    assert result.stdout == OUTPUT


def test_times() -> None:
    timed = [decoded(file)[0] for file in (HEX[3], PCAP)]
    assert [message.time_ns for message in timed[0]] == [message.time_ns for message in timed[1]]
    assert timed[0][0].time_ns == 1772360107170000000
    assert {message.time_ns for message in decoded(HEX[2])[0]} == {UNTIMED}


@pytest.mark.parametrize(
    ("line", "way", "at", "time_ns"),
    [
        ("06", None, None, UNTIMED),
        ("> 06", ">", None, UNTIMED),
        ("<06", "<", None, UNTIMED),
        ("-->  06", ">", None, UNTIMED),
        ("[RX] 06", "<", None, UNTIMED),
        ("txd: 0x06", ">", None, UNTIMED),
        ("12.5 < 06", "<", 12.5, UNTIMED),
        ("< 12,5 06", "<", 12.5, UNTIMED),
        ("t=3 TX 06", ">", 3.0, UNTIMED),
        ("3s TX 06", ">", 3.0, UNTIMED),
        ("(7) > 06", ">", 7.0, UNTIMED),
        ("1772360107.25 06", None, 1772360107.25, 1772360107250000000),
        ("2026-03-01 10:15:07.25 RX 06", "<", 1772360107.25, 1772360107250000000),
        ("2026-03-01T11:15:07,25+01:00 RX 06", "<", 1772360107.25, 1772360107250000000),
        ("00:00:02.5 < 06", "<", 946684802.5, UNTIMED),
        ("< 2026-03-01T10:15:07Z 06 # said", "<", 1772360107.0, 1772360107000000000),
    ],
)
def test_lines(line: str, way: str | None, at: float | None, time_ns: int) -> None:
    assert recorded(line) == [Recorded(way, b"\x06", at, time_ns)]


def test_octets_that_look_like_times() -> None:
    assert recorded("15:06:06\n06 15\n")[0].octets == bytes.fromhex("150606")
    assert recorded("06:15 < 06")[:1] == []  # neither a time nor octets


def test_a_line_without_direction_goes_on_in_that_of_the_line_before() -> None:
    assert [piece.way for piece in recorded("> ee00\n0000\n< 06\n")] == [">", ">", "<"]


def test_lines_that_are_not_read_are_told() -> None:
    log = SerialLog(io.BytesIO(b"hello\n" * (MAX_BAD_LINES + 5) + b"> 06\n>\n> 0\n2026-13-01T10:00:00Z > 06\n"))
    assert [piece.octets for piece in log] == [b"\x06", b"\x06"]
    findings = log.findings()
    assert len(findings) == MAX_BAD_LINES + 1
    assert findings[-1].text.startswith("more lines that are no octets in hex: 8,")
    assert {finding.level for finding in findings} == {"error"}


def test_two_logs_with_times_are_put_together_by_time() -> None:
    lines = HEX[2].decode().splitlines(keepends=True)
    sent, told = ("".join(line for line in lines if way in line).encode() for way in ("TX", "RX"))
    messages, decoder = decoded(told, sent)
    assert [message.octets for message in messages] == SERVICES
    assert "no-times" not in {finding.code for finding in decoder.findings()}


def pcap(link_type: int, *packets: bytes) -> bytes:
    head = bytes.fromhex("d4c3b2a1020004000000000000000000ffff0000") + link_type.to_bytes(4, "little")
    return head + b"".join(bytes(8) + len(packet).to_bytes(4, "little") * 2 + packet for packet in packets)


def test_captures_of_something_else() -> None:
    messages, decoder = decoded(pcap(1, IDENTIFY))
    assert messages == []
    assert [(finding.code, finding.level) for finding in decoder.findings()] == [("other-link", "error")]
    messages, decoder = decoded(pcap(147, IDENTIFY, b">" + IDENTIFY, b""))
    assert [message.octets for message in messages] == [b"\x20"]
    (finding,) = decoder.findings()
    assert (finding.code, finding.text[-4:]) == ("no-direction", "(ee)")


def test_what_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="the file is empty"):
        decode_serial_log(io.BytesIO())
    with pytest.raises(CaptureError, match="3 files"):
        decode_serial_log([io.BytesIO(b"\x06")] * 3)
    with pytest.raises(CaptureError):
        decode_serial_log(io.BytesIO(PCAP[:20]))
    with pytest.raises(OSError, match="No such file"):
        decode_serial_log(str(tmp_path / "none"))


@given(st.binary(max_size=300), st.sampled_from([b"", b"> ", IDENTIFY, PCAP[:24], PCAP[:60], HEX[3][:90]]))
def test_any_octets(octets: bytes, start: bytes) -> None:
    try:
        messages, decoder = decoded(start + octets)
    except C1222Error:
        return
    for message in messages:
        message.as_dict()
    decoder.findings()
