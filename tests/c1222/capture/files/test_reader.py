"""Files of pcap and pcapng, and files that are neither."""

from __future__ import annotations

import gzip
import io
import struct
import warnings

import pytest

from c1222.capture.files.reader import CaptureError, CaptureReader, Packet
from c1222.capture.files.source import READ_SIZE
from c1222.errors import DecodeError, RemoteError
from tests.c1222.capture.files.capture_octets import (
    FRAMES,
    PCAP,
    PCAPNG,
    SECOND,
    block,
    enhanced,
    interface,
    obsolete,
    option,
    pcap,
    read,
    section,
    simple,
)

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
