from __future__ import annotations

import io
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from c1222.capture.files.reader import CaptureReader
from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.capture.network.layers import SYN, Flow, Layers, Segment
from c1222.capture.network.streams import MAX_APDUS, Apdu, StreamRemark, Streams
from c1222.errors import Finding
from c1222.message.ber import tlv

METER, HEAD = "10.0.0.1:1153", "10.0.0.2:50000"
OTHER = "10.0.0.1:9999"
SHARED = Path(__file__).parents[5] / "shared" / "captures"


def apdu(number: int, size: int = 40) -> bytes:
    user = tlv(0xBE, tlv(0x28, tlv(0x81, bytes([0x80]) + bytes([number & 0xFF]) * size)))
    return tlv(0x60, bytes.fromhex("a20580037bc175a60480027b04") + user)


def flow(source: str, destination: str) -> Flow:
    return Flow(udp_packet(source, destination, b"")[26:38])


def udp(payload: bytes, source: str = METER, destination: str = HEAD, *, frame: int = 1, missing: int = 0) -> Segment:
    return Segment(frame, frame * 10, "udp", flow(source, destination), payload, missing, 0, 0, None)


def tcp(
    payload: bytes, source: str = METER, destination: str = HEAD, *, frame: int = 1, sequence: int = 0, flags: int = 16
) -> Segment:
    return Segment(frame, frame * 10, "tcp", flow(source, destination), payload, 0, sequence, flags, None)


def codes(items: list[Apdu | StreamRemark]) -> list[object]:
    return [item.octets if isinstance(item, Apdu) else item.finding.code for item in items]


A, B = apdu(1), apdu(2, 200)


# --- UDP --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "octets", [A, B, apdu(1, 0), apdu(1, 105), apdu(1, 106), apdu(1, 3000), b"\x60\0", b"\x60\x81\0"]
)
def test_a_datagram_is_an_apdu(octets):
    assert list(Streams().items([udp(octets)])) == [Apdu(1, 10, METER, HEAD, "udp", octets, (1,), ())]
    assert Streams().push(udp(octets)) == [Apdu(1, 10, METER, HEAD, "udp", octets, (1,), ())]


@pytest.mark.parametrize("ends", [(METER, HEAD), (OTHER, HEAD)])
@pytest.mark.parametrize("apdus", [(A, B), (A, A, A), (apdu(1, 3000), A)])
def test_several_apdus_in_a_datagram_are_all_read_and_told(apdus, ends):
    items = Streams().push(udp(b"".join(apdus), *ends))
    assert codes(items) == list(apdus)
    starts = [sum(map(len, apdus[:index])) for index in range(len(apdus))]
    assert [item.findings for item in items] == [
        (
            Finding(
                "note", "several-apdus", "udp", start, f"APDU {n} of {len(apdus)} in one datagram, which is to hold one"
            ),
        )
        for n, start in enumerate(starts, 1)
    ]


@pytest.mark.parametrize("tail", [b"x", b"\x60", B[:-1], b"\x60\x84\xff\xff\xff\xff"])
def test_what_follows_several_apdus_is_told_of_the_last(tail):
    items = Streams().push(udp(A + B + tail))
    assert codes(items) == [A, B]
    assert [[finding.code for finding in item.findings] for item in items] == [
        ["several-apdus"],
        ["several-apdus", "trailing-octets"],
    ]
    assert items[1].findings[1].text == f"{len(tail)} octets follow the APDUs in its datagram"
    assert Streams().push(udp(A + B + tail, OTHER)) == []


def test_the_apdus_of_a_datagram_are_limited():
    items = Streams().push(udp(b"\x60\0" * 30_000))
    assert len(items) == MAX_APDUS
    assert items[-1].findings[1].text == f"{60_000 - 2 * MAX_APDUS} octets follow the APDUs in its datagram"


def test_an_apdu_from_fragments_names_all_frames():
    segment = udp(A, frame=9)._replace(frames=(3, 7, 9))
    assert next(iter(Streams().items([segment]))).frames == (3, 7, 9)


@pytest.mark.parametrize("octets", [A + b"\0", A[:1] + b"\x10" + A[2:]])
def test_what_follows_the_apdu_in_its_datagram_is_told(octets):
    (item,) = Streams().items([udp(octets)])
    (finding,) = item.findings
    assert item.octets == octets[: len(item.octets)]
    assert (finding.level, finding.code, finding.offset) == ("warning", "trailing-octets", len(item.octets))
    assert f"{len(octets) - len(item.octets)} octets" in finding.text


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (A[:-1], "incomplete-apdu"),
        (b"\x60", "incomplete-apdu"),
        (b"\x60\x82\1", "incomplete-apdu"),
        (b"\x61" + A[1:], "not-an-apdu"),
        (b"\x60\x80" + A, "not-an-apdu"),
        (b"\x60\x83\1\0\0" + A, "not-an-apdu"),
        (b"\x60\x81\x81" + bytes(128), "incomplete-apdu"),  # 131 octets, as if 81 were a length
    ],
)
def test_a_datagram_that_is_no_apdu_is_a_remark(octets, code):
    (item,) = Streams().items([udp(octets)])
    assert item[:5] == (1, 10, METER, HEAD, "udp")
    assert (item.finding.level, item.finding.code) == ("error", code)


def test_a_datagram_captured_in_part_says_so():
    (item,) = Streams().items([udp(A[:20], missing=len(A) - 20)])
    assert (
        f"20 of {len(A)} octets are in the datagram, captured without its last {len(A) - 20} octets"
        in item.finding.text
    )
    (item,) = Streams().items([udp(A, missing=3)])
    assert item.findings[0].code == "trailing-octets"
    (item,) = Streams().items([udp(b"", missing=30)])
    assert item.finding.code == "incomplete-apdu"


def test_which_ports_are_c1222():
    for ends in ((METER, HEAD), (HEAD, METER)):
        assert codes(Streams().push(udp(b"x", *ends))) == ["not-an-apdu"]
    streams = Streams()
    assert codes(streams.push(udp(b"x", OTHER))) == []
    assert codes(streams.push(udp(A, OTHER))) == [A]
    assert codes(streams.push(udp(A + b"x", OTHER))) == []
    assert codes(streams.push(udp(b"", OTHER))) == []
    assert streams.tally == {"other-port": 2, "no-payload": 1}
    assert [finding.code for finding in streams.findings()] == ["other-port"]
    assert "9999" in streams.findings()[0].text
    assert codes(Streams(ports=[9999]).push(udp(b"x", OTHER))) == ["not-an-apdu"]
    assert codes(Streams(ports=[9999], by_content=False).push(udp(A))) == []
    assert codes(Streams(by_content=False).push(udp(A, OTHER))) == []


def test_the_size_limit_holds():
    for octets in (A, B):
        small, enough = Streams(max_apdu_size=len(octets) - 1), Streams(max_apdu_size=len(octets))
        assert codes(list(small.items([udp(octets)]))) == ["not-an-apdu"]
        assert codes(list(enough.items([udp(octets)]))) == [octets]


# --- TCP --------------------------------------------------------------------------------------------------------------


def test_both_directions_of_a_connection_are_read_apart():
    streams = Streams()
    items = streams.push(tcp(A[:20]))
    items += streams.push(tcp(B, HEAD, METER, frame=2, sequence=77))
    items += streams.push(tcp(A[20:], frame=3, sequence=20))
    assert items == [
        Apdu(2, 20, HEAD, METER, "tcp", B, (2,), (), 77),
        Apdu(3, 30, METER, HEAD, "tcp", A, (1, 3), ()),
    ]


def test_a_connection_on_another_port_is_known_by_an_apdu_at_the_start_of_a_segment():
    streams = Streams()
    assert streams.push(tcp(b"", OTHER, flags=SYN)) == []
    assert streams.push(tcp(b"hello", OTHER)) == []
    assert streams.push(tcp(A[:-1], OTHER, sequence=100)) == []
    assert streams.push(tcp(b"\x60\x80", OTHER, sequence=100)) == []
    assert streams.tally == {"other-port": 4}
    assert codes(streams.push(tcp(A + B[:9], OTHER, sequence=200))) == [A]
    assert codes(streams.push(tcp(B[9:], OTHER, sequence=200 + len(A) + 9))) == [B]
    assert codes(streams.push(tcp(A[:9], HEAD, OTHER, sequence=5))) == []
    assert codes(streams.push(tcp(A[9:], HEAD, OTHER, sequence=14))) == [A]
    assert codes(Streams(by_content=False).push(tcp(A, OTHER))) == []


def test_acknowledgements_alone_open_nothing():
    streams = Streams()
    assert list(streams.items([tcp(b""), tcp(b"", OTHER)])) == []
    assert streams.tally == {"no-payload": 2}
    assert streams.findings() == []


def test_the_number_of_streams_is_bounded_and_the_oldest_goes_first():
    streams = Streams(max_streams=3)
    for n in range(10):
        streams.push(tcp(A[:9], f"10.0.0.{n}:1153", frame=n))
    assert len(streams._directions) == 3
    assert streams.tally["stream-evicted"] == 7
    assert codes(streams.push(tcp(A[9:], "10.0.0.9:1153", sequence=9))) == [A]
    remarks = [item for item in streams.finish() if isinstance(item, StreamRemark)]
    assert sorted(remark.src for remark in remarks) == ["10.0.0.7:1153", "10.0.0.8:1153"]


def test_a_stream_in_use_is_not_the_oldest():
    streams = Streams(max_streams=2)
    streams.push(tcp(A[:9], "10.0.0.1:1153"))
    streams.push(tcp(A[:9], "10.0.0.2:1153"))
    streams.push(tcp(A[9:20], "10.0.0.1:1153", sequence=9))
    (remark,) = streams.push(tcp(A[:9], "10.0.0.3:1153"))
    assert remark.src == "10.0.0.2:1153"


def test_a_direction_awaited_and_never_seen_is_forgotten_without_a_word():
    streams = Streams(max_streams=1)
    assert codes(streams.push(tcp(A, OTHER))) == [A]
    assert streams.tally == {}
    assert streams.finish() == []
    assert codes(streams.push(tcp(A, OTHER)) + streams.finish()) == [A]


def test_what_an_evicted_stream_held_is_told():
    streams = Streams(max_streams=1)
    streams.push(tcp(A[:9], "10.0.0.1:1153"))
    (remark,) = streams.push(tcp(B[:9], "10.0.0.2:1153", frame=2))
    assert (remark.src, remark.finding.code) == ("10.0.0.1:1153", "incomplete-apdu")


def test_the_octets_held_are_bounded_over_all_streams():
    streams = Streams(max_held_octets=10_000)
    for n in range(100):
        streams.push(tcp(apdu(1, 5000)[:1000], f"10.0.0.{n}:1153", frame=n))
        assert streams._held <= 10_000
    assert streams.tally["stream-evicted"] > 85
    streams.finish()
    assert streams._held == 0


def test_memory_is_bounded_whatever_comes():
    def peak(count: int) -> int:
        streams = Streams(max_streams=50, max_held_octets=50_000)
        tracemalloc.start()
        for n in range(count):
            source = f"10.0.{n // 250 % 250}.{n % 250}:1153"
            streams.push(tcp(b"\x60\x82\x40\0\xa2" + bytes(500), source, frame=n, sequence=n * 1000))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak(1500) < peak(300) * 1.3


# --- whole captures ---------------------------------------------------------------------------------------------------


def apdus_and_streams(source: io.BytesIO | Path) -> tuple[list[Apdu | StreamRemark], Streams]:
    streams = Streams()
    with CaptureReader(source) as reader:
        return list(streams.items(Layers().segments(reader))), streams


def write(target: io.BytesIO | Path, frames: list[bytes]) -> None:
    with PcapWriter(target) as writer:
        for n, frame in enumerate(frames, 1):
            writer.write(n * 1_000_000, frame)


def test_from_file_to_apdus():
    file = io.BytesIO()
    six = ("[fe80::1]:40000", "[fe80::2]:1153")
    write(file, [udp_packet(METER, HEAD, A), tcp_packet(*six, B[:50]), tcp_packet(*six, B[50:], sequence=50)])
    items, streams = apdus_and_streams(io.BytesIO(file.getvalue()))
    assert items == [
        Apdu(1, 1_000_000, METER, HEAD, "udp", A, (1,), ()),
        Apdu(3, 3_000_000, *six, "tcp", B, (2, 3), ()),
    ]
    assert streams.findings() == []


REAL = [
    (
        "c1222_over_ipv6.pcap",
        [(6, 104, "[fe80::21e:ecff:fe30:9474]:42787"), (8, 155, "[fe80::203:47ff:feeb:3faf]:1153")],
    ),
    ("c1222_std_example8.pcap", [(1, 81, "10.1.1.1:1153"), (2, 74, "10.1.1.1:1153")]),
    ("c1222overIPv4.cap", [(1, 73, "192.168.1.101:1577"), (2, 111, "192.168.100.124:1153")]),
]


@pytest.mark.parametrize(("name", "expected"), REAL)
def test_real_captures(name, expected):
    if not (SHARED / name).exists():
        pytest.skip("the captures are not here")
    items, streams = apdus_and_streams(SHARED / name)
    assert [(item.frame, len(item.octets), item.src) for item in items] == expected
    assert streams.findings() == []


@pytest.mark.tshark
def test_tshark_puts_the_same_streams_together(tshark, tmp_path):
    frames = []
    sequences = {}
    for n in range(120):
        ends = (f"10.0.0.{n % 5 + 1}:1153", HEAD)
        at = sequences.get(ends, 2**32 - 500)
        whole = apdu(n, 7 * n % 300)
        frames += [
            tcp_packet(*ends, whole[cut : cut + 90], sequence=at + cut, ident=n) for cut in range(0, len(whole), 90)
        ]
        sequences[ends] = at + len(whole)
    frames[7], frames[12] = frames[12], frames[7]  # out of order
    frames.insert(20, frames[15])  # a retransmission
    write(tmp_path / "x.pcap", frames)
    command = [tshark, "-r", str(tmp_path / "x.pcap"), "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", "c1222"]
    command += ["-T", "fields", "-e", "frame.number", "-e", "ip.src"]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    items, _ = apdus_and_streams(tmp_path / "x.pcap")
    assert all(isinstance(item, Apdu) for item in items)
    assert len(items) == 120
    assert {tuple(row.split("\t")) for row in rows} == {(str(item.frame), item.src[:8]) for item in items}
