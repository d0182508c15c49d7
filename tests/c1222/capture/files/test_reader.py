from __future__ import annotations

import gzip
import io
import os
import struct
import subprocess
import time
import tracemalloc
import warnings
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from c1222.capture.files.reader import CaptureError, CaptureReader, Packet
from c1222.capture.files.source import READ_SIZE
from c1222.capture.files.writer import PcapWriter, udp_packet
from c1222.errors import C1222Error, DecodeError, RemoteError

SECOND = 1_000_000_000
SHARED = Path(__file__).parents[5] / "shared" / "captures"


# --- what pcapng files are made of ------------------------------------------------------------------------------------


def block(order: str, kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order: str = "<", *, major: int = 1, options: bytes = b"") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1) + options)


def interface(order: str = "<", *, link: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, snaplen) + options)


def enhanced(order: str, which: int, time: int, data: bytes, length: int | None = None, options: bytes = b"") -> bytes:
    head = struct.pack(order + "IIIII", which, time >> 32, time & 0xFFFFFFFF, len(data), length or len(data))
    return block(order, 6, head + data + b"\0" * (-len(data) % 4) + options)


def simple(order: str, data: bytes, length: int | None = None) -> bytes:
    return block(order, 3, struct.pack(order + "I", length or len(data)) + data)


def obsolete(order: str, which: int, time: int, data: bytes) -> bytes:
    head = struct.pack(order + "HHIIII", which, 0xFFFF, time >> 32, time & 0xFFFFFFFF, len(data), len(data))
    return block(order, 2, head + data)


def read(octets: bytes, **limits: int) -> tuple[list[Packet], list[str]]:
    reader = CaptureReader(io.BytesIO(octets), **limits)
    packets = list(reader)
    return packets, [finding.code for finding in reader.findings()]


def pcap(frames: list[tuple[int, bytes]], **kind) -> bytes:
    file = io.BytesIO()
    with PcapWriter(file, **kind) as writer:
        for time_ns, frame in frames:
            writer.write(time_ns, frame)
    return file.getvalue()


FRAMES = [(1_700_000_000 * SECOND + 123_456_789, b"first frame"), (1_700_000_001 * SECOND, b"2nd"), (5, b"")]
PCAP = pcap(FRAMES)
PCAPNG = section() + interface() + enhanced("<", 0, 5, b"abc") + enhanced("<", 0, 6, b"defg") + simple("<", b"hi")


class Trickle(io.RawIOBase):
    """A stream that cannot seek and gives a few octets at a time."""

    def __init__(self, octets: bytes, step: int = 3) -> None:
        self._file = io.BytesIO(octets)
        self._step = step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, self._step) if size >= 0 else self._step)


# --- pcap -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("nanoseconds", [True, False])
def test_pcap_of_every_byte_order_and_resolution(byte_order, nanoseconds):
    packets, findings = read(pcap(FRAMES, byte_order=byte_order, nanoseconds=nanoseconds, link_type=101))
    cut = 1 if nanoseconds else 1000
    assert packets == [
        Packet(number, time_ns // cut * cut, 101, data, len(data)) for number, (time_ns, data) in enumerate(FRAMES, 1)
    ]
    assert findings == []


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_with_the_longer_record_headers_of_the_modified_format(order):
    head = struct.pack(f"{order}IHHIIII", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    records = b"".join(
        struct.pack(f"{order}IIIIIHBB", 7, 8, len(data), 99, 3, 0, 0, 0) + data for data in (b"one", b"", b"three")
    )
    packets, findings = read(head + records)
    assert packets == [Packet(n, 7 * SECOND + 8000, 1, data, 99) for n, data in enumerate((b"one", b"", b"three"), 1)]
    assert findings == []


def test_pcap_keeps_the_original_length_and_drops_the_length_of_the_check_sequence():
    octets = bytearray(pcap([(1, b"x" * 50)], snaplen=20))
    octets[23] = 0x54  # check sequence present, 5 words, above the link type
    (packet,), _ = read(bytes(octets))
    assert packet == Packet(1, 1, 1, b"x" * 20, 50)


def test_another_version_is_read_with_a_warning():
    octets = bytearray(PCAP)
    octets[6] = 3
    packets, findings = read(bytes(octets))
    assert len(packets) == 3
    assert findings == ["version"]


def test_a_cut_anywhere_delivers_all_that_is_whole_and_says_so():
    ends = [24]
    for _, data in FRAMES:
        ends.append(ends[-1] + 16 + len(data))
    whole, _ = read(PCAP)
    for size in range(len(PCAP)):
        if size < 24:
            with pytest.raises(CaptureError):
                read(PCAP[:size])
            continue
        reader = CaptureReader(io.BytesIO(PCAP[:size]))
        packets = list(reader)
        assert packets == whole[: sum(end <= size for end in ends) - 1]
        if size in ends:
            assert reader.findings() == []
        else:
            (finding,) = reader.findings()
            assert (finding.level, finding.code, finding.offset) == ("error", "cut-short", size)
            assert finding.path == f"pcap.packet[{len(packets) + 1}]"


def test_an_absurd_length_ends_the_reading_and_keeps_what_was_before():
    octets = PCAP + struct.pack("<IIII", 1, 1, 0x7FFFFFFF, 0x7FFFFFFF) + b"rest"
    reader = CaptureReader(io.BytesIO(octets))
    assert len(list(reader)) == 3
    (finding,) = reader.findings()
    assert (finding.level, finding.code, finding.path) == ("error", "absurd-length", "pcap.packet[4]")
    assert finding.offset == len(PCAP)


def test_the_packet_limit_is_an_argument():
    assert read(PCAP, max_packet_size=11)[1] == []
    packets, findings = read(PCAP, max_packet_size=10)
    assert (packets, findings) == ([], ["absurd-length"])
    frames = [(n * SECOND + 1_700_000_000 * SECOND, b"x" * (30 if n == 2 else 10)) for n in range(5)]
    packets, findings = read(pcap(frames), max_packet_size=20)
    assert [packet.time_ns // SECOND % 10 for packet in packets] == [0, 1, 3, 4]
    assert findings == ["damaged"]


# --- pcapng -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_with_every_kind_of_packet_block(order):
    octets = (
        section(order, options=option(order, 4, b"a program"))
        + interface(order, snaplen=5)
        + enhanced(order, 0, 1_700_000_000_000_001, b"abcde", 77, option(order, 1, b"remark"))
        + block(order, 4, b"names")
        + block(order, 0x80000BAD, b"whatever")
        + obsolete(order, 0, 3, b"old")
        + simple(order, b"simpl", 9)
    )
    reader = CaptureReader(io.BytesIO(octets))
    assert list(reader) == [
        Packet(1, 1_700_000_000_000_001_000, 1, b"abcde", 77),
        Packet(2, 3000, 1, b"old", 3),
        Packet(3, 3000, 1, b"simpl", 9),
    ]
    assert reader.tally == {"unknown-block": 2, "untimed-packet": 1}
    assert reader.packets == 3
    assert reader.format == "pcapng"


def test_each_interface_has_its_own_resolution_offset_and_link_type():
    order = ">"
    resolutions = [
        (b"\x06", 5, 5_000),
        (b"\x09", 5, 5),
        (b"\x00", 5, 5 * SECOND),
        (b"\x0c", 5_999, 5),
        (b"\x80", 3, 3 * SECOND),
        (b"\x8a", 512, SECOND // 2),
        (b"\xbf", 3 << 62, SECOND * 3 // 2),
        (b"\x7f", 12, 0),
    ]
    octets = section(order)
    for link, (resolution, _, _) in enumerate(resolutions):
        octets += interface(order, link=link, options=option(order, 9, resolution) + option(order, 0, b""))
    offset = option(order, 2, b"eth0") + option(order, 14, struct.pack(">q", -100))
    octets += interface(order, link=147, options=offset)
    for which, (_, stamp, _) in enumerate(resolutions):
        octets += enhanced(order, which, stamp, b"x")
    octets += enhanced(order, len(resolutions), 101_000_000, b"x")
    packets, findings = read(octets)
    assert [(p.link_type, p.time_ns) for p in packets] == [
        *((link, time_ns) for link, (_, _, time_ns) in enumerate(resolutions)),
        (147, SECOND),
    ]
    assert findings == []


def test_sections_change_byte_order_and_forget_the_interfaces():
    octets = (
        section("<")
        + interface("<", link=1)
        + interface("<", link=101)
        + enhanced("<", 1, 1, b"a")
        + section(">")
        + interface(">", link=113)
        + enhanced(">", 0, 2, b"b")
        + enhanced(">", 1, 3, b"no such interface")
        + section("<")
        + simple("<", b"no interface at all")
    )
    reader = CaptureReader(io.BytesIO(octets))
    assert list(reader) == [Packet(1, 1000, 101, b"a", 1), Packet(2, 2000, 113, b"b", 1)]
    assert reader.tally == {"unknown-interface": 2}
    assert reader.packets == 4


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (struct.pack("<III", 6, 11, 0), "absurd-length"),
        (struct.pack("<III", 6, 33, 0) + b"\0" * 21, "absurd-length"),
        (struct.pack("<II", 6, 32) + b"\0" * 20 + struct.pack("<I", 36), "absurd-length"),
        (struct.pack("<II", 0x0A0D0D0A, 28) + b"\0" * 20, "malformed-section"),
        (section(major=2), "malformed-section"),
        (struct.pack("<III", 0x0A0D0D0A, 1 << 30, 0x1A2B3C4D), "absurd-length"),
        (struct.pack("<III", 0x0A0D0D0A, 1 << 16, 0x1A2B3C4D), "cut-short"),
        (struct.pack("<II", 6, 64) + b"\0" * 40, "cut-short"),
        (b"\6\0\0\0\x40", "cut-short"),
        (block("<", 0x0A0D0D0A, struct.pack("<IHH", 0x1A2B3C4D, 1, 0)), "malformed-section"),
        (struct.pack("<II", 6, 1 << 30) + b"\0" * 40, "absurd-length"),
        (struct.pack("<II", 6, 1 << 23) + b"\0" * 40, "oversized-packet"),
    ],
)
def test_damage_at_the_end_keeps_what_was_before(bad, code):
    reader = CaptureReader(io.BytesIO(PCAPNG + bad))
    assert [p.data for p in reader] == [b"abc", b"defg", b"hi"]
    finding = next(finding for finding in reader.findings() if finding.code == code)
    assert finding.level == "error"
    if code != "oversized-packet":
        assert finding.path.startswith("pcapng.block[")
        assert len(PCAPNG) <= finding.offset <= len(PCAPNG + bad)


@pytest.mark.parametrize(
    ("bad", "reason", "number"),
    [
        (enhanced("<", 7, 0, b"x"), "unknown-interface", 2),
        (block("<", 6, struct.pack("<IIIII", 0, 0, 0, 999, 999) + b"xxxx"), "malformed-packet", 2),
        (block("<", 6, b"short"), "malformed-packet", 2),
        (block("<", 3, b""), "malformed-packet", 2),
        (block("<", 2, b""), "malformed-packet", 2),
        (block("<", 1, b""), "malformed-block", 1),
        (enhanced("<", 0, 0, b"x" * 5000), "oversized-packet", 2),
        (interface(options=struct.pack("<HH", 9, 99)), "malformed-block", 1),
        (enhanced("<", 0, 0, b"x" * 300_000), "oversized-packet", 2),
        (enhanced("<", 0, 0, b"x" * (READ_SIZE + 300_000)), "oversized-packet", 2),
        (block("<", 99, b"x" * (READ_SIZE * 3)), "oversized-block", 1),
        (block("<", 1, struct.pack("<HHI", 1, 0, 0) + b"x" * 300_000), "oversized-block", 1),
        (interface(), "too-many-interfaces", 1),
    ],
)
def test_a_bad_block_is_counted_and_the_next_is_read(bad, reason, number):
    octets = section() + interface() + bad + enhanced("<", 0, 9, b"next")
    reader = CaptureReader(
        io.BytesIO(octets),
        max_packet_size=4000 if len(bad) < 6000 else 262_144,
        max_interfaces=1 if reason == "too-many-interfaces" else 9,
    )
    assert list(reader) == [Packet(number, 9000, 1, b"next", 4)]
    assert reader.tally[reason] == 1
    assert [finding.code for finding in reader.findings()] == [reason]


# --- damage in the middle ---------------------------------------------------------------------------------------------


def numbered(count: int) -> list[tuple[int, bytes]]:
    return [(1_700_000_000 * SECOND + n * SECOND, b"%04d" % n * (n % 7 + 1)) for n in range(count)]


def damaged_pcapng(order: str) -> tuple[bytes, list[int]]:
    octets, starts = section(order) + interface(order), []
    for time_ns, data in numbered(40):
        starts.append(len(octets))
        octets += enhanced(order, 0, time_ns // 1000, data)
    return octets, starts


@pytest.mark.parametrize("byte_order", ["little", "big"])
@pytest.mark.parametrize("length", [0xFFFFFFFF, 1 << 20])
def test_a_pcap_is_read_on_behind_a_record_with_an_absurd_length(byte_order, length):
    octets = pcap(numbered(40), byte_order=byte_order)
    at = 24 + sum(16 + len(data) for _, data in numbered(20))
    broken = octets[: at + 8] + length.to_bytes(4, byte_order) + octets[at + 12 :]
    reader = CaptureReader(io.BytesIO(broken))
    packets = list(reader)
    assert [p.data for p in packets] == [data for n, (_, data) in enumerate(numbered(40)) if n != 20]
    assert [p.number for p in packets] == list(range(1, 40))
    (finding,) = reader.findings()
    assert (finding.level, finding.code) == ("error", "damaged")
    assert f"pcap.packet[21] at octet {at}" in finding.text
    assert f"octets skipped: {16 + 4 * 7}" in finding.text


@pytest.mark.parametrize("byte_order", ["little", "big"])
def test_octets_lost_from_a_pcap_do_not_cost_what_is_far_behind(byte_order):
    octets = pcap(numbered(400), byte_order=byte_order)
    for at in (3000, 3005, 3011, 3020):
        packets, findings = read(octets[:at] + octets[at + 33 :])
        assert [packet.data for packet in packets[-140:]] == [data for _, data in numbered(400)[-140:]]
        assert findings == ["damaged"]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", [0, 5, 36, 1 << 20, 0xFFFFFFFC])
def test_a_pcapng_is_read_on_behind_a_block_with_a_wrong_length(order, value):
    octets, starts = damaged_pcapng(order)
    at = starts[20] + 4
    reader = CaptureReader(io.BytesIO(octets[:at] + struct.pack(order + "I", value) + octets[at + 4 :]))
    packets = [packet.data for packet in reader]
    if value == 1 << 20:  # believed, until the file ends inside
        assert packets == [data for _, data in numbered(20)]
        assert [finding.code for finding in reader.findings()] == ["cut-short", "oversized-packet"]
    else:
        assert packets == [data for n, (_, data) in enumerate(numbered(40)) if n != 20]
        (finding,) = reader.findings()
        assert (finding.level, finding.code) == ("error", "damaged")
        assert f"pcapng.block[23] at octet {starts[20]}" in finding.text


def test_much_damage_takes_little_time():
    octets = bytearray(pcap(numbered(4000)))
    at = 24
    for n, (_, data) in enumerate(numbered(4000)):
        if n % 3 == 2:
            octets[at + 11] = 0xFF
        at += 16 + len(data)
    begin = time.process_time()
    packets, findings = read(bytes(octets))
    assert time.process_time() - begin < 2  # 0.02 s here
    assert findings == ["damaged"]
    assert len(packets) == 2667


# --- what is no capture -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\xd4",
        b"\xd4\xc3\xb2\xa1",
        b"hello, world, this is text",
        b"\x0a\x0d\x0d\x0a\x1c\0\0\0\1\2\3\4" + b"\0" * 16,
        b"\x1f\x8b",
        gzip.compress(b"", mtime=0),
        gzip.compress(b"plain text, gzipped", mtime=0),
        gzip.compress(PCAP, mtime=0)[:12],
        b"\x1f\x8b\x08\0" + b"\xff" * 30,
    ],
)
def test_a_file_that_is_no_capture_is_a_typed_error(octets):
    with pytest.raises(CaptureError) as caught:
        CaptureReader(io.BytesIO(octets))
    assert isinstance(caught.value, DecodeError)
    assert isinstance(caught.value, RemoteError)
    assert caught.value.path in {"capture", "pcap", "pcapng", "gzip"}


def test_a_path_is_closed_after_an_error_and_at_the_end_of_the_packets(tmp_path):
    path = tmp_path / "none.pcap"
    path.write_bytes(b"this is no capture file at all")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CaptureError):
            CaptureReader(path)
        path.write_bytes(PCAP)
        assert len(list(CaptureReader(str(path)))) == 3
        with CaptureReader(path) as reader:
            next(iter(reader))
    with pytest.raises(FileNotFoundError):
        CaptureReader(tmp_path / "missing.pcap")


def test_a_file_object_is_left_open():
    file = io.BytesIO(PCAP)
    with CaptureReader(file) as reader:
        list(reader)
    assert not file.closed


# --- gzip, streams, memory --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [PCAP, PCAPNG], ids=["pcap", "pcapng"])
@pytest.mark.parametrize("step", [1, 5, 1000])
def test_streams_that_give_little_at_a_time_and_cannot_seek(octets, step):
    whole, findings = read(octets)
    for stored in (octets, gzip.compress(octets, mtime=0)):
        reader = CaptureReader(Trickle(stored, step))
        assert list(reader) == whole
        assert [finding.code for finding in reader.findings()] == findings
        assert reader.octets_read == len(stored)


def test_gzip_of_several_members_is_one_file():
    octets = b"".join(gzip.compress(PCAP[at : at + 20], mtime=0) for at in range(0, len(PCAP), 20))
    assert read(octets) == read(PCAP)
    assert list(CaptureReader(Trickle(octets, 1))) == read(PCAP)[0]


def test_gzip_larger_than_a_block_inflates_in_parts():
    octets = pcap([(n, bytes(200_000)) for n in range(30)])
    packets, findings = read(gzip.compress(octets, mtime=0))
    assert len(packets) == 30
    assert findings == []


@pytest.mark.parametrize("damage", ["cut", "checksum", "tail"])
def test_damaged_gzip_delivers_what_was_inflated(damage):
    stored = gzip.compress(PCAP, mtime=0)
    stored = {"cut": stored[:-9], "checksum": stored[:-8] + b"\0" * 8, "tail": stored + b"xy"}[damage]
    reader = CaptureReader(io.BytesIO(stored))
    packets = list(reader)
    assert packets == read(PCAP)[0][: len(packets)]
    assert len(packets) >= 2
    assert reader.findings()[0].code == "damaged-gzip"
    assert reader.findings()[0].path == "gzip"


def test_standard_input_and_a_pipe(monkeypatch):
    end, other = os.pipe()
    with os.fdopen(other, "wb") as writer:
        writer.write(PCAP)
    with os.fdopen(end, "rb") as reader:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(reader))
        assert list(CaptureReader("-")) == read(PCAP)[0]


def test_a_pipe_that_stays_open_gives_its_packets_at_once():
    end, other = os.pipe()
    with os.fdopen(other, "wb", buffering=0) as writer, os.fdopen(end, "rb") as file:
        writer.write(PCAP[: 24 + 16 + len(FRAMES[0][1])])
        packets = iter(CaptureReader(file))
        assert next(packets).data == FRAMES[0][1]
        writer.write(PCAP[24 + 16 + len(FRAMES[0][1]) :])
        assert next(packets).data == FRAMES[1][1]


class Repeat(io.RawIOBase):
    """A stream of one head and any number of copies of one block."""

    def __init__(self, head: bytes, block: bytes, count: int) -> None:
        self._blocks = iter([head, *[block] * count])

    def read(self, size: int = -1) -> bytes:
        return next(self._blocks, b"")


@pytest.mark.parametrize(
    "octets", [PCAP, section() + interface() + enhanced("<", 0, 5, b"abc") * 3], ids=["pcap", "pcapng"]
)
def test_memory_does_not_grow_with_the_file(octets):
    head = 24 if octets is PCAP else len(section() + interface())

    def peak(count: int) -> int:
        reader = CaptureReader(Repeat(octets[:head], octets[head:] * 1000, count))
        tracemalloc.start()
        assert sum(1 for _ in reader) == 3000 * count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak(8) < peak(2) * 1.2


# --- no input gets past the documented errors -------------------------------------------------------------------------


def check(octets: bytes) -> None:
    try:
        reader = CaptureReader(io.BytesIO(octets), max_packet_size=5000)
    except CaptureError:
        return
    numbers = [packet.number for packet in reader]
    assert numbers == sorted(set(numbers))
    skipped = ("malformed-packet", "oversized-packet", "unknown-interface")
    assert len(numbers) + sum(reader.tally[reason] for reason in skipped) == reader.packets
    for finding in reader.findings():
        assert finding.text


@given(st.sampled_from([PCAP[:4], PCAP[:24], section(), section(">"), b"\x1f\x8b\x08", b""]), st.binary(max_size=300))
@example(section(), struct.pack("<II", 1, 20) + b"\0" * 8 + struct.pack("<I", 20))
def test_any_octets_give_packets_findings_or_a_typed_error(start, octets):
    check(start + octets)


@given(
    st.sampled_from(
        [PCAP, PCAPNG, pcap(FRAMES, byte_order="big"), gzip.compress(PCAP, mtime=0), gzip.compress(PCAPNG, mtime=0)]
    ),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
    st.integers(0, 400),
)
def test_mutated_files_give_packets_findings_or_a_typed_error(octets, changes, size):
    mutated = bytearray(octets[:size] if size % 3 == 0 else octets)
    for at, value in changes:
        if mutated:
            mutated[at % len(mutated)] = value
    check(bytes(mutated))


def test_every_error_of_a_capture_is_of_the_house():
    assert issubclass(CaptureError, C1222Error)


# --- other implementations --------------------------------------------------------------------------------------------


def sample_frames() -> list[tuple[int, bytes]]:
    return [
        (1_700_000_000 * SECOND + n * 1001, udp_packet("10.0.0.1:1153", "10.0.0.2:40000", bytes([n] * n), ident=n))
        for n in range(50)
    ]


def tshark_packets(tshark: str, path: Path) -> list[tuple[int, int, int, str]]:
    fields = ["frame.number", "frame.time_epoch", "frame.len", "udp.payload"]
    command = [tshark, "-r", str(path), "-T", "fields", *(part for name in fields for part in ("-e", name))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = []
    for line in done.stdout.splitlines():
        number, stamp, length, payload = line.split("\t")
        seconds, _, fraction = stamp.partition(".")
        rows.append((int(number), int(seconds or 0) * SECOND + int(fraction.ljust(9, "0")), int(length), payload))
    return rows


@pytest.mark.tshark
@pytest.mark.parametrize("kind", ["pcap", "pcap-us", "pcap-big", "pcap-gz", "pcapng", "pcapng-big"])
def test_tshark_reads_the_same_packets(tshark, tmp_path, kind):
    frames = sample_frames()
    if kind.startswith("pcapng"):
        order = ">" if kind.endswith("big") else "<"
        resolutions = [b"\x06", b"\x09", b"\x8a"]
        octets = section(order)
        for resolution in resolutions:
            octets += interface(
                order, options=option(order, 9, resolution) + option(order, 14, struct.pack(order + "q", 7))
            )
        for n, (time_ns, frame) in enumerate(frames):
            units = [time_ns // 1000, time_ns, time_ns * 1024 // SECOND]
            octets += enhanced(order, n % 3, units[n % 3], frame)
    else:
        octets = pcap(frames, nanoseconds=kind != "pcap-us", byte_order="big" if kind == "pcap-big" else "little")
    path = tmp_path / f"x.{kind}"
    path.write_bytes(gzip.compress(octets, mtime=0) if kind.endswith("gz") else octets)
    ours = [(p.number, p.time_ns, p.length, p.data[42:].hex()) for p in CaptureReader(path)]
    assert ours == tshark_packets(tshark, path)


def test_dpkt_reads_the_same_packets():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dpkt = pytest.importorskip("dpkt")
    for octets in (pcap(sample_frames()), pcap(sample_frames(), byte_order="big", nanoseconds=False)):
        theirs = dpkt.pcap.Reader(io.BytesIO(octets))
        ours = list(CaptureReader(io.BytesIO(octets)))
        both = zip(ours, theirs, strict=True)
        assert all(p.data == data and abs(p.time_ns - int(stamp * SECOND)) < 1000 for p, (stamp, data) in both)
        assert len(ours) == 50


@pytest.mark.parametrize("name", ["c1222_over_ipv6.pcap", "c1222_std_example8.pcap", "c1222overIPv4.cap"])
def test_real_captures_are_read_as_tshark_reads_them(tshark, name):
    if not (SHARED / name).exists():
        pytest.skip("the captures are not here")
    with CaptureReader(SHARED / name) as reader:
        ours = [(p.number, p.time_ns, p.length) for p in reader]
    assert reader.findings() == []
    assert ours == [row[:3] for row in tshark_packets(tshark, SHARED / name)]
