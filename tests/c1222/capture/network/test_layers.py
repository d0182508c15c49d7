from __future__ import annotations

import io
import itertools
import struct
import subprocess
import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from c1222.capture.files.reader import CaptureReader, Packet
from c1222.capture.files.writer import PcapWriter, ethernet, ipv4, ipv6, tcp_packet, udp_packet
from c1222.capture.network.layers import FIN, SYN, Flow, Layers, Segment

SECOND = 1_000_000_000
A, B = "10.0.0.1:1153", "192.168.7.9:50000"
A6, B6 = "[fe80::1]:1153", "[2001:db8::9]:50000"
UDP = udp_packet(A, B, b"payload")
TCP = tcp_packet(A, B, b"payload", sequence=99, flags=SYN | FIN)
DATAGRAM = UDP[14:]
DATAGRAM6 = udp_packet(A6, B6, b"payload")[14:]
SRC6, DST6 = DATAGRAM6[8:24], DATAGRAM6[24:40]
REASONS = ("link-type", "not-ip", "not-transport", "truncated", "malformed", "nested", "fragment")


def packet(data: bytes, *, link_type: int = 1, number: int = 1, time_ns: int = 5, length: int | None = None) -> Packet:
    return Packet(number, time_ns, link_type, data, len(data) if length is None else length)


def fields(segment: Segment) -> tuple[object, ...]:
    return (*segment[:3], segment.flow.key, segment.flow.src, segment.flow.dst, *segment[4:])


def read(*packets: Packet, **limits: int) -> tuple[list[Segment], dict[str, int]]:
    layers = Layers(**limits)
    segments = list(layers.segments(packets))
    assert len(segments) + sum(layers.tally[reason] for reason in REASONS) == len(packets)
    return segments, dict(layers.tally)


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link_type", "data"),
    [
        (1, UDP),
        (1, UDP + b"\0" * 13),
        (1, ethernet(DATAGRAM, 0x0800, vlans=(5,))),
        (1, ethernet(DATAGRAM, 0x0800, vlans=(5, 6))),
        (1, ethernet(DATAGRAM, 0x0800, vlans=(5, 6, 7))),
        (1, ethernet(DATAGRAM, 0x9100)[:14] + b"\0\5\x08\0" + DATAGRAM),
        (113, b"\0\4\0\1\0\6abcdef\0\0\x08\0" + DATAGRAM),
        (113, b"\0\4\0\1\0\6abcdef\0\0\x81\0\0\5\x08\0" + DATAGRAM),
        (276, b"\x08\0\0\0\0\0\0\1\0\1\0\6abcdefgh" + DATAGRAM),
        (12, DATAGRAM),
        (14, DATAGRAM),
        (101, DATAGRAM),
        (228, DATAGRAM),
        (0, b"\2\0\0\0" + DATAGRAM),
        (0, b"\0\0\0\2" + DATAGRAM),
        (108, b"\0\0\0\2" + DATAGRAM),
    ],
)
def test_every_link_type_leads_to_the_same_segment(link_type, data):
    (segment,), _ = read(packet(data, link_type=link_type))
    assert fields(segment) == (1, 5, "udp", b"\x0a\0\0\1\xc0\xa8\7\x09\4\x81\xc3\x50", A, B, b"payload", 0, 0, 0, None)
    assert (segment.flow.source_port, segment.flow.destination_port) == (1153, 50000)


@pytest.mark.parametrize(
    ("link_type", "data"),
    [
        (1, ethernet(DATAGRAM6, 0x86DD)),
        (113, bytes(14) + b"\x86\xdd" + DATAGRAM6),
        (276, b"\x86\xdd" + bytes(18) + DATAGRAM6),
        (101, DATAGRAM6),
        (229, DATAGRAM6),
        (108, b"\0\0\0\x1e" + DATAGRAM6),
        (0, b"\x18\0\0\0" + DATAGRAM6),
        (0, b"\x1c\0\0\0" + DATAGRAM6),
        (0, b"\0\0\0\x0a" + DATAGRAM6),
    ],
)
def test_every_link_type_carries_ipv6(link_type, data):
    (segment,), _ = read(packet(data, link_type=link_type))
    assert (segment.flow.src, segment.flow.dst, segment.payload) == (A6, B6, b"payload")
    assert Flow(segment.flow.reverse_key).src == B6
    assert repr(segment.flow) == f"<Flow {A6} > {B6}>"


def test_tcp():
    (segment,), _ = read(packet(TCP))
    assert fields(segment)[6:] == (b"payload", 0, 99, SYN | FIN, None)
    assert segment.transport == "tcp"
    assert Flow(segment.flow.reverse_key).dst == A
    with_options = TCP[:46] + b"\x70" + TCP[47:54] + b"\1" * 8 + b"load"
    total = struct.pack(">H", len(with_options) - 14)
    (segment,), _ = read(packet(with_options[:16] + total + with_options[18:]))
    assert segment.payload == b"load"


# --- what gives no segment --------------------------------------------------------------------------------------------


def changed(data: bytes, at: int, octets: bytes) -> bytes:
    return data[:at] + octets + data[at + len(octets) :]


@pytest.mark.parametrize(
    ("reason", "link_type", "data"),
    [
        ("link-type", 147, UDP),
        ("not-ip", 1, ethernet(DATAGRAM, 0x0806)),
        ("not-ip", 1, ethernet(DATAGRAM, 0x8863, vlans=(1,))),
        ("not-ip", 101, b"\x30" + bytes(40)),
        ("not-ip", 0, b"\7\0\0\0" + DATAGRAM),
        ("not-transport", 1, ethernet(ipv4(bytes(4), bytes(4), 1, b"ping"), 0x0800)),
        ("not-transport", 1, ethernet(ipv6(bytes(16), bytes(16), 58, b"ping"), 0x86DD)),
        ("not-transport", 1, ethernet(ipv6(bytes(16), bytes(16), 59, b""), 0x86DD)),
        ("malformed", 1, changed(UDP, 14, b"\x55")),
        ("malformed", 1, changed(UDP, 14, b"\x44")),
        ("malformed", 1, changed(UDP, 16, b"\0\x13")),
        ("malformed", 1, changed(UDP, 16, b"\0\x1b")),
        ("malformed", 1, changed(UDP, 38, b"\0\7")),
        ("malformed", 1, changed(UDP, 38, b"\0\x20")),
        ("malformed", 1, changed(TCP, 46, b"\x40")),
        ("malformed", 1, changed(TCP, 46, b"\xf0")),
        ("malformed", 1, changed(ethernet(DATAGRAM6, 0x86DD), 14, b"\x40")),
        ("malformed", 1, ethernet(ipv6(bytes(16), bytes(16), 0, b"\x11\1\0\0"), 0x86DD)),
        ("malformed", 1, ethernet(ipv6(bytes(16), bytes(16), 44, b"\x11\1\0\0"), 0x86DD)),
    ],
)
def test_what_gives_no_segment_is_counted_by_reason(reason, link_type, data):
    assert read(packet(data, link_type=link_type)) == ([], {reason: 1})


@pytest.mark.parametrize("whole", [UDP, TCP, ethernet(DATAGRAM6, 0x86DD), ethernet(DATAGRAM, 0x0800, vlans=(1,))])
def test_a_packet_cut_anywhere_is_counted_or_says_what_is_missing(whole):
    for size in range(len(whole)):
        segments, tally = read(packet(whole[:size], length=len(whole)))
        if size < len(whole) - 7:
            assert (segments, tally) == ([], {"truncated": 1})
        else:
            (segment,) = segments
            assert segment.missing == len(whole) - size
            assert segment.payload == b"payload"[: 7 - segment.missing]


def test_lengths_left_to_the_network_card_mean_all_that_is_there():
    for data in (changed(changed(UDP, 16, b"\0\0"), 38, b"\0\0"), changed(TCP, 16, b"\0\0")):
        (segment,), _ = read(packet(data))
        assert (segment.payload, segment.missing) == (b"payload", 0)
    data = changed(changed(ethernet(DATAGRAM6, 0x86DD), 18, b"\0\0"), 58, b"\0\0")
    (segment,), _ = read(packet(data))
    assert segment.payload == b"payload"


def test_findings_tell_count_and_first_frame():
    layers = Layers()
    list(
        layers.segments(
            [packet(b"", number=3), packet(UDP, link_type=147, number=4), packet(UDP, link_type=8, number=5)]
        )
    )
    truncated, link_type = layers.findings()
    assert (truncated.level, truncated.code) == ("warning", "truncated")
    assert truncated.text.endswith(": 1, first at frame 3 (link header)")
    assert (link_type.level, link_type.code) == ("error", "link-type")
    assert link_type.text == "packets of a link type that is not read: 2, first at frame 4 (link type 147)"


# --- IPv6 extension headers and fragments -----------------------------------------------------------------------------


def test_ipv6_extension_headers_are_passed_over():
    udp = DATAGRAM6[40:]
    chain = b"\x2b\0" + bytes(6) + b"\x3c\1" + bytes(14) + b"\x33\0" + bytes(6) + b"\x11\4" + bytes(22) + udp
    (segment,), _ = read(packet(ethernet(ipv6(SRC6, DST6, 0, chain), 0x86DD)))
    assert (segment.flow.src, segment.payload) == (A6, b"payload")


def fragments4(payload: bytes, cuts: list[int], *, ident: int = 7) -> list[bytes]:
    udp = udp_packet(A, B, payload)[34:]
    edges = [0, *(cut * 8 for cut in cuts if cut * 8 < len(udp)), len(udp)]
    source, destination = DATAGRAM[12:16], DATAGRAM[16:20]
    return [
        ethernet(ipv4(source, destination, 17, udp[start:end], ident=ident, fragment=(start, end < len(udp))), 0x0800)
        for start, end in itertools.pairwise(edges)
    ]


def fragments6(payload: bytes, cuts: list[int], *, ident: int = 7, later: int = 99) -> list[bytes]:
    # a destination options header in front of UDP, inside what is fragmented
    inner = b"\x11\0" + bytes(6) + udp_packet(A6, B6, payload)[54:]
    edges = [0, *(cut * 8 for cut in cuts if cut * 8 < len(inner)), len(inner)]
    frames = []
    for start, end in itertools.pairwise(edges):
        head = struct.pack(">BBHI", 60 if start == 0 else later, 0, start | (end < len(inner)), ident)
        frames.append(ethernet(ipv6(SRC6, DST6, 44, head + inner[start:end]), 0x86DD))
    return frames


@given(
    st.binary(min_size=40, max_size=300),
    st.lists(st.integers(1, 20), min_size=1, max_size=6, unique=True).map(sorted),
    st.randoms(use_true_random=False),
    st.sampled_from([fragments4, fragments6]),
)
def test_fragments_in_any_order_some_twice_give_the_datagram(payload, cuts, random, cut):
    frames = cut(payload, cuts)
    order = list(range(len(frames)))
    random.shuffle(order)
    last = order.pop()
    order += random.choices(order or [last], k=2) if order else []
    order.append(last)
    packets = [packet(frames[at], number=n, time_ns=n) for n, at in enumerate(order, 1)]
    (segment,), tally = read(*packets)
    ends = (A, B) if cut is fragments4 else (A6, B6)
    assert (segment.flow.src, segment.flow.dst, segment.payload) == (*ends, payload)
    assert (segment.frame, segment.time_ns) == (len(order), len(order))
    if len(frames) > 1:
        assert segment.frames == tuple(range(1, len(order) + 1))
        assert tally == {"fragment": len(order) - 1, **({"fragment-overlap": 2} if len(order) > len(frames) else {})}


def test_where_fragments_overlap_the_first_octets_stay():
    udp = udp_packet(A, B, bytes(24))[34:]
    ends = DATAGRAM[12:16], DATAGRAM[16:20]
    parts = [(16, True, b"\1" * 8), (8, True, b"\2" * 16), (24, False, b"\3" * 8), (0, True, udp[:8])]
    frames = [ethernet(ipv4(*ends, 17, data, ident=1, fragment=(at, more)), 0x0800) for at, more, data in parts]
    (segment,), tally = read(*(packet(frame, number=n) for n, frame in enumerate(frames, 1)))
    assert segment.payload == b"\2" * 8 + b"\1" * 8 + b"\3" * 8
    assert tally["fragment-overlap"] == 1


def test_fragments_of_different_datagrams_do_not_mix():
    first, second = fragments4(b"a" * 32, [2], ident=1), fragments4(b"b" * 32, [2], ident=2)
    frames = [first[0], second[1], second[0], first[1]]
    segments, _ = read(*(packet(frame, number=n) for n, frame in enumerate(frames, 1)))
    assert [(s.payload, s.frames) for s in segments] == [(b"b" * 32, (2, 3)), (b"a" * 32, (1, 4))]


def test_a_datagram_that_stays_incomplete_is_given_up_by_packet_time_number_and_pieces():
    old, new = fragments4(b"x" * 40, [2], ident=1), fragments4(b"y" * 40, [2], ident=2)
    late = [
        packet(old[0]),
        packet(new[0], number=2, time_ns=6 + 60 * SECOND),
        packet(old[1], number=3, time_ns=60 * SECOND),
    ]
    assert read(*late) == ([], {"fragment": 3, "fragment-timeout": 3})
    many = [packet(fragments4(b"x" * 40, [2], ident=n)[0], number=n) for n in range(1, 6)]
    assert read(*many, max_datagrams=2) == ([], {"fragment": 5, "fragment-evicted": 3, "fragment-timeout": 2})
    pieces = [packet(frame, number=n) for n, frame in enumerate(fragments4(b"x" * 80, [1, 2, 3, 4]), 1)]
    assert read(*pieces, max_fragments=3) == ([], {"fragment": 5, "fragment-evicted": 1, "fragment-timeout": 1})


@pytest.mark.parametrize(("offset", "more", "size"), [(0, True, 7), (65528, False, 16), (0, True, 0), (65528, True, 8)])
def test_a_fragment_that_fits_no_datagram_is_malformed(offset, more, size):
    frame = ethernet(ipv4(bytes(4), bytes(4), 17, bytes(size), fragment=(offset, more)), 0x0800)
    assert read(packet(frame)) == ([], {"malformed": 1})


def test_a_fragment_behind_the_last_gives_up_the_datagram():
    parts = [(16, False, bytes(8)), (32, True, bytes(8))]
    frames = [ethernet(ipv4(bytes(4), bytes(4), 17, data, fragment=(at, more)), 0x0800) for at, more, data in parts]
    assert read(*map(packet, frames)) == ([], {"fragment": 2, "fragment-conflict": 1})


def test_a_cut_fragment_is_not_used():
    frame = fragments4(b"x" * 40, [2])[0]
    assert read(packet(frame[:-1], length=len(frame))) == ([], {"truncated": 1})


def test_the_memory_of_flows_is_bounded():
    layers = Layers(max_flows=10)
    packets = [packet(udp_packet(f"10.0.{n}.1:1153", B, b"x"), number=n) for n in range(100)]
    assert [s.flow.src for s in layers.segments(packets)] == [f"10.0.{n}.1:1153" for n in range(100)]
    assert len(layers._flows) <= 10


# --- every packet is a segment or is counted ---------------------------------------------------------------------------

FRAMES = [
    UDP,
    UDP + b"padding",
    udp_packet(A, B, b""),
    udp_packet(A, B, bytes(1400)),
    TCP,
    ethernet(DATAGRAM6, 0x86DD),
    ethernet(DATAGRAM, 0x0800, vlans=(3,)),
    ethernet(ipv4(bytes(4), bytes(4), 17, DATAGRAM[20:], options=b"\1" * 8), 0x0800),
    fragments4(b"x" * 40, [2])[0],
    fragments6(b"x" * 40, [2])[0],
    ethernet(ipv6(bytes(16), bytes(16), 0, b"\x11\0" + bytes(6) + DATAGRAM6[40:]), 0x86DD),
]


def counted(packets: list[Packet]) -> None:
    layers = Layers()
    segments = list(layers.segments(packets))
    assert len(segments) + sum(layers.tally[reason] for reason in REASONS) == len(packets)


@given(st.lists(st.tuples(st.integers(0, 45), st.integers(0, 255)), min_size=1, max_size=3), st.integers(0, 60))
@example([(38, 0)], 0)
@example([(20, 0x80)], 0)
def test_mutated_packets_are_counted(changes, size):
    packets = []
    for number, frame in enumerate(FRAMES, 1):
        data = bytearray(frame)
        for at, value in changes:
            data[at % len(data)] = value
        packets.append(packet(bytes(data[: len(data) - size if size < 30 else size]), number=number, length=len(data)))
    counted(packets)


def test_packets_with_any_value_of_any_header_octet_are_counted():
    frame = udp_packet(A, B, b"0123456789")
    packets = [
        packet(changed(frame, at, bytes([value])), number=at * 256 + value)
        for at in (12, 13, 14, 15, 16, 17, 20, 21, 23, 38, 39)
        for value in range(256)
    ]
    packets += [packet(frame[:size]) for size in range(len(frame))]
    counted(packets)


@given(st.sampled_from([0, 1, 12, 101, 108, 113, 228, 229, 276, 147]), st.binary(max_size=120))
@example(1, bytes(12) + b"\x81\0" * 30)
def test_any_octets_give_a_segment_or_a_count(link_type, data):
    counted([packet(data, link_type=link_type)])


# --- other implementations --------------------------------------------------------------------------------------------


def mixed_frames() -> list[bytes]:
    frames = []
    for n in range(1, 60):
        payload = bytes([n]) * n
        frames += [
            udp_packet(f"10.0.0.{n}:1153", B, payload, ident=n),
            tcp_packet(A6, B6, payload, sequence=n * 100, flags=0x10),
            ethernet(udp_packet(A6, B6, payload)[14:], 0x86DD, vlans=(n, n + 1)),
            *fragments4(payload + bytes(30), [3], ident=n),
            # tshark 4.0 goes by the next header of the last fragment, RFC 8200 by that of the first
            *fragments6(payload + bytes(30), [2, 3], ident=n, later=60),
        ]
    return frames


def our_rows(octets: bytes) -> list[tuple[str, str, str]]:
    segments = Layers().segments(CaptureReader(io.BytesIO(octets)))
    return [(s.flow.src, s.flow.dst, s.payload.hex()) for s in segments]


@pytest.mark.tshark
def test_tshark_finds_the_same_payloads(tshark, tmp_path):
    path = tmp_path / "x.pcap"
    with PcapWriter(path) as writer:
        for n, frame in enumerate(mixed_frames()):
            writer.write(n * SECOND, frame)
    names = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport"]
    names += ["udp.payload", "tcp.payload"]
    command = [tshark, "-r", str(path), "-T", "fields", "-Y", "udp or tcp"]
    command += ["-d", "udp.port==1153,data", "-d", "tcp.port==1153,data"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    theirs = []
    for line in done.stdout.splitlines():
        ip, ip6, dst, dst6, usrc, udst, tsrc, tdst, udp, tcp = line.split("\t")
        ends = [f"{ip}:" if ip else f"[{ip6}]:", f"{dst}:" if dst else f"[{dst6}]:"]
        theirs.append((ends[0] + (usrc or tsrc), ends[1] + (udst or tdst), udp or tcp))
    ours = our_rows(path.read_bytes())
    assert ours == theirs
    assert len(ours) == 5 * 59


def test_scapy_builds_packets_that_we_read():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("scapy")
        from scapy.layers.inet import IP, TCP, UDP, fragment
        from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, fragment6
        from scapy.layers.l2 import CookedLinux, Dot1Q, Ether
        from scapy.packet import Raw

        body = bytes(range(200))
        v4, v6 = IP(src="1.2.3.4", dst="5.6.7.8", id=3), IPv6(src="fe80::5", dst="fe80::6")
        udp = UDP(sport=1153, dport=9) / Raw(body)
        ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        cases = [
            (1, [ether / v4 / udp]),
            (1, [ether / Dot1Q(vlan=5) / Dot1Q(vlan=6) / v4 / udp]),
            (1, [ether / v6 / IPv6ExtHdrHopByHop() / udp]),
            (1, list(fragment(ether / v4 / udp, fragsize=64))),
            (1, [ether / part for part in fragment6(v6 / IPv6ExtHdrFragment(id=9) / udp, 120)]),
            (113, [CookedLinux() / v6 / udp]),
            (101, [v4 / TCP(sport=1153, dport=9, seq=77, options=[("NOP", None)] * 4) / Raw(body)]),
        ]
        wires = [(link_type, [bytes(part) for part in parts]) for link_type, parts in cases]
    for link_type, parts in wires:
        (segment,), _ = read(*(packet(part, link_type=link_type, number=n) for n, part in enumerate(parts, 1)))
        assert segment.payload == body
        assert segment.flow.src in {"1.2.3.4:1153", "[fe80::5]:1153"}
        assert len(parts) == 1 or segment.frames == tuple(range(1, len(parts) + 1))


def test_dpkt_reads_the_same_segments():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dpkt = pytest.importorskip("dpkt")
        for frame in (UDP, TCP, ethernet(DATAGRAM, 0x0800, vlans=(3,)), ethernet(DATAGRAM6, 0x86DD)):
            theirs = dpkt.ethernet.Ethernet(frame).data.data
            (segment,), _ = read(packet(frame))
            assert segment.payload == theirs.data
            assert (segment.flow.source_port, segment.flow.destination_port) == (theirs.sport, theirs.dport)
            assert segment.transport == type(theirs).__name__.lower()
