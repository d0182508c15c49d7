"""Octets in hex as people paste them; the programs that print dumps are the judges of their forms."""

from __future__ import annotations

import io
import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

import c1222
from c1222.capture.files.hextext import BadLine, Pasted, is_hex_text, pasted
from c1222.capture.files.reader import MAX_BAD_LINES, CaptureError, CaptureReader
from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.capture.jsonl import as_dict, to_json
from c1222.capture.message import UNTIMED
from tests.c1222.capture.packets import ENDS, KEY, codes, read
from tests.traffic import exchange

ASKED, ANSWERED = exchange(2), exchange(3)


def octets(text: str) -> list[tuple[int, bytes] | tuple[int, str]]:
    return [(item[0], item[1]) for item in pasted(text.splitlines())]


def decoded(text: str, **options: object) -> list[c1222.Message]:
    return read(io.BytesIO(text.encode()), **options)[0]


@pytest.mark.parametrize(
    "line",
    [
        ASKED.hex(),
        ASKED.hex().upper(),
        ASKED.hex(" "),
        ASKED.hex(":"),
        ASKED.hex("-"),
        ASKED.hex(" ", 2),
        "0x" + ASKED.hex(),
        ", ".join(f"0x{octet:02X}" for octet in ASKED) + ",",
        '"' + "".join(f"\\x{octet:02x}" for octet in ASKED) + '"',
        "\ufeff" + ASKED.hex() + "  # the request",
    ],
)
def test_lines_of_digits(line):
    assert octets(f"# what was asked\n\n{line}\r\n{ANSWERED.hex()}\n") == [(3, ASKED), (4, ANSWERED)]


@pytest.mark.parametrize("width", [2, 3, 7, 16, 30, 37])
@pytest.mark.parametrize("form", ["{}", "{},"])
def test_an_apdu_goes_on_until_its_length_is_reached(width, form):
    rows = [ASKED[at : at + width] for at in range(0, len(ASKED), width)]
    text = "\n".join(form.format(row.hex(" ")) for row in rows)
    assert octets(text + "\n" + ANSWERED.hex()) == [(1, ASKED), (len(rows) + 1, ANSWERED)]


def test_a_line_too_short_does_not_take_the_next():
    assert octets(f"{ASKED[:20].hex()}\n{ANSWERED.hex()}") == [(1, ASKED[:20]), (2, ANSWERED)]
    first, second = decoded(f"{ASKED[:20].hex()}\n{ANSWERED.hex()}")
    assert (first.is_message, second.is_message) == (False, True)
    assert codes(first.findings) == ["malformed"]


def rows_of(data: bytes, form: str, width: int = 16) -> str:
    rows = []
    for at in range(0, len(data), width):
        row = data[at : at + width]
        text = "".join(chr(octet) if 0x20 < octet < 0x7F else "." for octet in row)
        rows.append(form.format(at=at, hex=row.hex(" "), two=row.hex(" ", -2), text=text))
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    "form",
    ["{at:04x}  {hex:<47}   {text}", "{at:04x}   {hex}", "{at:08x}: {two:<39}  {text}", "{at:06X} {hex}"],
)
@given(st.binary(min_size=1, max_size=200))
def test_rows_of_dumps(form, data):
    text = rows_of(data, form)
    assert octets(text + text) == [(1, data), (text.count("\n") + 1, data)]
    assert octets(text + "\n" + ASKED.hex()) == [(1, data), (text.count("\n") + 2, ASKED)]


@pytest.mark.parametrize(
    "command", [["xxd"], ["xxd", "-c", "8"], ["xxd", "-g", "1"], ["hexdump", "-C"], ["od", "-A", "x", "-t", "x1"]]
)
@pytest.mark.parametrize("data", [ASKED, bytes(100) + b"ab cd ef 01 23" * 4, b"\x60" + bytes(7), b"0123 4567 89 ab"])
def test_what_programs_print(command, data):
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not here")
    text = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
    assert octets(text) == [(1, data)]


@pytest.mark.tshark
@pytest.mark.parametrize("options", [[], ["-P"]])
def test_frames_that_tshark_prints(options, tshark, tmp_path):
    back = ENDS[::-1]
    frames = [udp_packet(*ENDS, ASKED), udp_packet(*back, ANSWERED), tcp_packet(*ENDS, ASKED[:30], sequence=1)]
    frames.append(tcp_packet(*ENDS, ASKED[30:], sequence=31))
    path = tmp_path / "x.pcap"
    with PcapWriter(path) as writer:
        for number, frame in enumerate(frames):
            writer.write(number, frame)
    text = subprocess.run([tshark, "-r", path, "-x", *options], capture_output=True, check=True, text=True).stdout
    assert [item.octets for item in pasted(text.splitlines()) if isinstance(item, Pasted)] == frames
    assert not [item for item in pasted(text.splitlines()) if isinstance(item, BadLine) and not item.foreign]
    messages, decoder = read(io.BytesIO(text.encode()))
    assert [(each.octets, each.src, each.transport, each.time_ns) for each in messages] == [
        (ASKED, ENDS[0], "udp", UNTIMED),
        (ANSWERED, ENDS[1], "udp", UNTIMED),
        (ASKED, ENDS[0], "tcp", UNTIMED),
    ]
    assert messages[1].reply_to == messages[0].frame
    assert {finding.level for finding in decoder.findings()} <= {"note"}


def test_apdus_in_hex_have_neither_time_nor_addresses():
    messages = decoded(f"{ASKED.hex(' ')}\n# comment\n{ANSWERED.hex()}")
    assert [(each.frame, each.authenticated, each.reply_to) for each in messages] == [(1, True, None), (3, True, 1)]
    for each in messages:
        line = as_dict(each)
        assert [line[name] for name in ("time_ns", "src", "dst", "transport")] == [None] * 4
        assert json.loads(to_json(each)) == line


def test_frames_and_datagrams_in_hex():
    datagram = udp_packet(*ENDS, ASKED)[14:]
    six = udp_packet("[2001:db8::1]:9", "[2001:db8::2]:1153", ASKED)[14:]
    messages = decoded("\n".join(each.hex() for each in (udp_packet(*ENDS, ASKED), datagram, six)))
    assert [each.src for each in messages] == [ENDS[0], ENDS[0], "[2001:db8::1]:9"]
    assert [each.time_ns for each in messages] == [UNTIMED] * 3


def test_several_apdus_in_a_line_and_what_follows_them():
    first, second = decoded((ASKED + ANSWERED + b"x").hex())
    assert codes(first.findings) == ["several-apdus"]
    assert codes(second.findings) == ["several-apdus", "trailing-octets"]
    assert second.noted[1].text == "1 octets follow the APDUs in its line"


def test_bad_lines_are_told_with_their_numbers_and_the_others_decoded():
    lines = ["6", "hello world", ASKED.hex()[:-1], ASKED.hex(), "00000000  zz", ANSWERED.hex(), "0x60 0xzz"]
    messages, decoder = read(io.BytesIO("\n".join(lines).encode()))
    assert [each.frame for each in messages] == [4, 6]
    found = decoder.findings()
    assert {(finding.level, finding.code) for finding in found} == {("error", "bad-line")}
    assert [finding.path for finding in found] == [f"hex.line[{number}]" for number in (1, 2, 3, 5, 7)]
    assert found[2].text == "line 3 is not read: an odd number of digits"
    reader = CaptureReader(io.BytesIO((ASKED.hex() + "\nzz" * 200_000).encode()))
    assert len(list(reader)) == 1
    assert len(reader.findings()) == MAX_BAD_LINES + 1
    assert "more lines that are no hex: 199900" in reader.findings()[-1].text


def test_offsets_that_do_not_fit_are_told():
    text = "0000  60 2e\n0010  aa bb\n0000  60 00\n"
    assert octets(text) == [(1, b"\x60\x2e"), (2, "offset 10 where 2 was to come"), (3, b"\x60\0")]
    (bad,) = pasted(["0000000 2e60 0ca2"])
    assert bad == BadLine(1, "no octets of two digits each behind the offset")


@pytest.mark.parametrize(
    ("start", "expected"),
    [(b"602ea2", True), (b"# x\n\n 60:2e\n", True), (b"hello, world, this is no capture", False), (b"", False),
     (b"\xa1\xb2\xc3\xd4" * 6, False), (b"60 2e\0", False), (b"# nothing\n", False), (b"12", False)],
)  # fmt: skip
def test_what_is_taken_for_hex(start, expected):
    assert is_hex_text(start) is expected


@given(st.text(alphabet="0123456789abcdef xX:#*\n\\|().->→Frame", max_size=300))
def test_any_text_is_read_or_told(text):
    source = io.BytesIO((ASKED.hex() + "\n" + text).encode())
    messages, decoder = read(source)
    assert messages[0].octets == ASKED
    decoder.findings()
    try:
        list(CaptureReader(io.BytesIO(text.encode())))
    except CaptureError as error:
        assert error.path == "capture"  # noqa: PT017 - other texts are read


def test_long_lines_and_much_text_take_little_memory():
    reader = CaptureReader(io.BytesIO((ASKED.hex() + "\n").encode() + b"60" * 3_000_000 + b"\n" + ASKED.hex().encode()))
    packets = list(reader)
    assert packets[0].data == packets[-1].data == ASKED
    messages, _ = read(io.BytesIO((ASKED.hex() + "\n").encode() * 3000), keys=KEY)
    assert len(messages) == 3000
