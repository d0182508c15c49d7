"""Links and tunnels around a datagram, in any order; tshark is the judge of what the octets are."""

from __future__ import annotations

import functools
import itertools
import random
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.files.reader import Packet
from c1222.capture.files.writer import PcapWriter, ethernet, ipv4, udp_packet
from c1222.capture.network.layers import MAX_HEADERS, Layers, Segment
from tests.c1222.capture.network import encapsulations as wraps
from tests.c1222.capture.network.encapsulations import IP4, IP6, LINKS, WRAPS, linked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

A, B = "10.0.0.1:1153", "192.168.7.9:50000"
A6, B6 = "[2001:db8::1]:1153", "[2001:db8::9]:50000"
INNER = {IP4: (udp_packet(A, B, b"payload")[14:], A), IP6: (udp_packet(A6, B6, b"payload")[14:], A6)}
REASONS = ("link-type", "not-ip", "not-transport", "truncated", "malformed", "nested", "fragment")


def read(frames: Iterable[bytes], link_type: int = 1, **limits: int) -> tuple[list[Segment], Layers]:
    layers = Layers(**limits)
    packets = [Packet(number, number, link_type, data, len(data)) for number, data in enumerate(frames, 1)]
    segments = list(layers.segments(packets))
    assert len(segments) + sum(layers.tally[reason] for reason in REASONS) == len(packets)
    return segments, layers


def wrapped(chain: Iterable[Callable[[int, bytes], tuple[int, bytes]]], kind: int, data: bytes) -> tuple[int, bytes]:
    return functools.reduce(lambda inner, wrap: wrap(*inner), chain, (kind, data))


@given(
    st.lists(st.sampled_from(WRAPS), max_size=6),
    st.sampled_from(sorted(INNER)),
    st.sampled_from(range(len(LINKS))),
)
def test_whatever_a_datagram_is_wrapped_in_it_comes_out(chain, kind, link):
    data, source = INNER[kind]
    link_type, frame = linked(link, *wrapped(chain, kind, data))
    (segment,), _ = read([frame], link_type)
    assert (segment.flow.src, segment.payload, segment.missing, segment.frames) == (source, b"payload", 0, None)


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_packet_cut_anywhere_in_its_tunnels_is_counted_or_says_what_is_missing(wrap):
    frame = ethernet(*reversed(wrap(IP4, INNER[IP4][0])))
    for size in range(len(frame)):
        segments, layers = read([frame[:size]])
        if size < len(frame) - 7:
            assert not segments or segments[0].flow.src.startswith("172.16.0.3:")  # VXLAN without all of its header
            assert segments or layers.tally["truncated"] == 1
        else:
            assert segments[0].missing == len(frame) - size


@given(
    st.lists(st.sampled_from(WRAPS), max_size=4),
    st.sampled_from(range(len(LINKS))),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 60),
)
def test_mutated_tunnels_give_a_segment_or_a_count(chain, link, changes, cut):
    link_type, frame = linked(link, *wrapped(chain, IP4, INNER[IP4][0]))
    octets = bytearray(frame)
    for at, value in changes:
        octets[at % len(octets)] = value
    read([bytes(octets), bytes(octets[:-cut])], link_type)


def test_the_depth_is_limited():
    for count in (MAX_HEADERS - 2, MAX_HEADERS - 1, 500):
        segments, layers = read([ethernet(*reversed(wrapped([wraps.ip_in_ip] * count, IP4, INNER[IP4][0])))])
        assert (len(segments), layers.tally["nested"]) == ((1, 0) if count < MAX_HEADERS else (0, 1)), count
    for limit, count in ((3, 0), (4, 1)):
        segments, _ = read([ethernet(*reversed(wrapped([wraps.vxlan] * 3, IP4, INNER[IP4][0])))], max_headers=limit)
        assert len(segments) == count
    (finding,) = layers.findings()
    assert (finding.level, finding.code) == ("warning", "nested")
    assert finding.text == f"packets with more headers than the limit: 1, first at frame 1 (limit {MAX_HEADERS})"


def fragments(payload: bytes, source: bytes, destination: bytes, protocol: int, size: int, ident: int) -> list[bytes]:
    edges = [*range(0, len(payload), size), len(payload)]
    return [
        ipv4(source, destination, protocol, payload[start:end], ident=ident, fragment=(start, end < len(payload)))
        for start, end in itertools.pairwise(edges)
    ]


@given(st.binary(min_size=100, max_size=400), st.randoms(use_true_random=False))
def test_fragments_within_tunnels_and_around_them(payload, shuffle):
    udp = udp_packet(A, B, payload)[34:]
    inner = fragments(udp, bytes((10, 0, 0, 1)), bytes((192, 168, 7, 9)), 17, 64, 7)
    frames = [ethernet(*reversed(wraps.erspan_2(IP4, part))) for part in inner]
    shuffle.shuffle(frames)
    (segment,), _ = read(frames)
    assert (segment.flow.src, segment.payload) == (A, payload)
    assert segment.frames == tuple(range(1, len(frames) + 1))

    frames = []
    for ident, part in enumerate(inner):
        outer = fragments(part, bytes((172, 16, 0, 1)), bytes((172, 16, 0, 2)), 4, 48, ident)
        frames += [ethernet(piece, IP4) for piece in outer]
    shuffle.shuffle(frames)
    (segment,), _ = read(frames)
    assert (segment.flow.src, segment.payload, segment.frame) == (A, payload, len(frames))
    assert segment.frames == tuple(range(1, len(frames) + 1))


def test_fragments_of_two_tunnels_with_the_same_addresses_inside_do_not_mix():
    ends = bytes((10, 0, 0, 1)), bytes((192, 168, 7, 9))
    first, second = (fragments(udp_packet(A, B, text * 40)[34:], *ends, 17, 64, 7) for text in (b"a", b"b"))
    ways = (lambda part: wraps.gre(IP4, part), lambda part: wraps.ip_in_ipv6(IP4, part))
    tunnels = [
        [ethernet(*reversed(way(part))) for part in parts] for way, parts in zip(ways, (first, second), strict=True)
    ]
    mixed = [frame for pair in zip(*tunnels, strict=True) for frame in pair]
    assert [segment.payload for segment in read(mixed)[0]] == [b"a" * 40, b"b" * 40]


def test_an_inner_length_beyond_its_tunnel_contradicts_it():
    for inner in (INNER[IP4][0], INNER[IP6][0]):
        kind = 4 if inner[0] >> 4 == 4 else 41
        _, layers = read([ethernet(ipv4(bytes(4), bytes(4), kind, inner[:-1]), IP4) + bytes(20)])
        assert layers.tally["malformed"] == 1
    _, layers = read([ethernet(b"\x11\0\0\1\0\xff" + wraps.ppp(*reversed((INNER[IP4][0], IP4))), 0x8864)])
    assert layers.tally["truncated"] == 0


@pytest.mark.parametrize(
    ("reason", "frame"),
    [
        ("not-ip", ethernet(ipv4(bytes(4), bytes(4), 47, b"\0\0\x08\6" + bytes(28)), IP4)),  # ARP in GRE
        ("not-ip", ethernet(ipv4(bytes(4), bytes(4), 47, b"\0\2\x08\0" + bytes(28)), IP4)),
        ("not-ip", ethernet(ipv4(bytes(4), bytes(4), 47, b"\x40\0\x08\0" + bytes(28)), IP4)),
        ("not-ip", ethernet(ipv4(bytes(4), bytes(4), 47, b"\x20\x81\x88\x0b\0\0\0\1\0\0\0\5"), IP4)),
        ("malformed", ethernet(ipv4(bytes(4), bytes(4), 47, b"\xb0\0\x08\0\0\0"), IP4)),
        ("malformed", ethernet(b"\x12\0\0\1\0\4\0\x21ab", 0x8864)),
        ("not-ip", ethernet(b"\x11\0\0\1\0\4\xc0\x21ab", 0x8864)),  # LCP
        ("not-ip", ethernet(b"\x42\x42\3" + bytes(35), 38)),  # a bridge's spanning tree
        ("not-ip", ethernet(b"\xaa\xaa\3\0\0\x0c\x20\0" + bytes(30), 38)),  # CDP
        ("truncated", ethernet(b"\0\0\x10\x40", 0x8847)),
        ("malformed", ethernet(ipv4(bytes(4), bytes(4), 137, b"\0\0\x10\x40"), IP4)),
    ],
)
def test_what_leads_nowhere_is_counted(reason, frame):
    segments, layers = read([frame])
    assert (segments, layers.tally[reason]) == ([], 1)


def test_bridged_ip_in_llc_and_compressed_ppp():
    assert len(read([ethernet(b"\6\6\3" + INNER[IP4][0], 3 + len(INNER[IP4][0]))])[0]) == 1
    assert len(read([b"\x21" + INNER[IP4][0], b"\xff\3\x57" + INNER[IP6][0]], 9)[0]) == 2
    session = wraps.pppoe(IP4, INNER[IP4][0])[1]
    assert len(read([session], 51)[0]) == 1
    head = bytes.fromhex("100022eb00000006 2001 0002 0000004d 0000 0800".replace(" ", ""))
    assert len(read([ethernet(ipv4(bytes(4), bytes(4), 47, head + INNER[IP6][0]), IP4)])[0]) == 1


def test_what_goes_to_the_port_of_vxlan_without_its_flag_is_a_datagram():
    (segment,), _ = read([udp_packet(A, "192.0.2.1:4789", b"\x60" + bytes(60))])
    assert segment.payload == b"\x60" + bytes(60)


# where tshark 4.0 stops: it knows fewer kinds of payload of GRE and Cisco HDLC than of Ethernet
_STOPS = ("gre:data", "chdlc:data")
_GUESSES = "pwethheuristic"  # whether a pseudowire has a control word, by the makers of addresses


@pytest.mark.tshark
@pytest.mark.parametrize("link", range(len(LINKS)))
def test_tshark_finds_the_same_payloads(link, tshark, tmp_path):
    rng = random.Random(link)
    path = tmp_path / "x.pcap"
    ours: list[tuple[str, str, str]] = []
    link_type = LINKS[link][0]
    chains = [[wrap] for wrap in WRAPS] + [rng.choices(WRAPS, k=rng.randrange(5)) for _ in range(120)]
    with PcapWriter(path, link_type=link_type) as writer:
        for number, chain in enumerate(chains, 1):
            kind = rng.choice([IP4, IP6])
            ends = (f"10.0.0.{number}:1153", B) if kind == IP4 else (f"[2001:db8::{number:x}]:1153", B6)
            datagram = udp_packet(*ends, rng.randbytes(number))[14:]
            _, frame = linked(link, *wrapped(chain, kind, datagram))
            writer.write(number, frame)
            (segment,), _ = read([frame], link_type)
            ours.append((segment.flow.src, segment.flow.dst, segment.payload.hex()))
    names = ["ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "udp.srcport", "udp.dstport", "udp.payload", "frame.protocols"]
    command = [tshark, "-r", str(path), "-T", "fields", "-E", "occurrence=l", "-d", "udp.port==1153,data"]
    for name in names:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    judged = 0
    for line, expected in zip(done.stdout.splitlines(), ours, strict=True):
        ip, ip6, dst, dst6, sport, dport, payload, protocols = line.split("\t")
        if protocols.endswith(_STOPS) or (_GUESSES in protocols and not protocols.endswith("udp:data")):
            continue
        judged += 1
        four = protocols.endswith(":ip:udp:data")
        ends = (f"{ip}:{sport}", f"{dst}:{dport}") if four else (f"[{ip6}]:{sport}", f"[{dst6}]:{dport}")
        assert (*ends, payload) == expected, protocols
    assert judged > len(ours) // 2
