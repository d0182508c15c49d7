"""How long it takes from a capture file to APDUs. Run with ``--benchmark-enable``; a round is 20,000 packets."""

from __future__ import annotations

import gzip
import importlib.util
import io
import struct
from collections import deque
from pathlib import Path

import pytest

from c1222.capture.files.reader import CaptureReader
from c1222.capture.files.writer import PcapWriter, tcp_packet
from c1222.capture.network.framing import is_apdu
from c1222.capture.network.layers import Layers
from c1222.capture.network.streams import Apdu, Streams

COUNT = 20_000


def load_maker():
    spec = importlib.util.spec_from_file_location("make_capture", Path(__file__).with_name("make_capture.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


maker = load_maker()


def drain(items) -> int:
    last = deque(enumerate(items, 1), maxlen=1)
    return last[0][0] if last else 0


@pytest.fixture(scope="module")
def pcap() -> bytes:
    file = io.BytesIO()
    maker.make(file, COUNT)
    return file.getvalue()


@pytest.fixture(scope="module")
def pcapng(pcap: bytes) -> bytes:
    blocks = [
        struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28),
        struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20),
    ]
    for packet in CaptureReader(io.BytesIO(pcap)):
        data = packet.data + b"\0" * (-len(packet.data) % 4)
        time, total = packet.time_ns // 1000, len(data) + 32
        head = struct.pack("<IIIIIII", 6, total, 0, time >> 32, time & 0xFFFFFFFF, len(packet.data), packet.length)
        blocks += [head, data, struct.pack("<I", total)]
    return b"".join(blocks)


@pytest.fixture(scope="module")
def tcp() -> bytes:
    file = io.BytesIO()
    with PcapWriter(file) as writer:
        for n in range(COUNT):
            end, at = f"10.1.1.{n % 200 + 1}:40000", n // 200 * 98
            writer.write(n, tcp_packet(end, "10.0.0.1:1153", maker.plain(n), sequence=at, ident=n & 0xFFFF))
    return file.getvalue()


def test_packets_of_pcap(benchmark, pcap):
    assert benchmark(lambda: drain(CaptureReader(io.BytesIO(pcap)))) == COUNT


def test_packets_of_pcapng(benchmark, pcapng):
    assert benchmark(lambda: drain(CaptureReader(io.BytesIO(pcapng)))) == COUNT


def test_packets_of_pcap_gzipped(benchmark, pcap):
    stored = gzip.compress(pcap)
    assert benchmark(lambda: drain(CaptureReader(io.BytesIO(stored)))) == COUNT


def test_udp_payloads_with_ends(benchmark, pcap):
    def run() -> int:
        count = 0
        for segment in Layers().segments(CaptureReader(io.BytesIO(pcap))):
            if segment.payload and segment.flow.src and segment.flow.dst:
                count += 1
        return count

    assert benchmark(run) == COUNT


def test_udp_payloads_by_the_full_decoder(benchmark, pcap):
    def run() -> int:
        layers = Layers()
        return drain(layers.segment(packet) for packet in CaptureReader(io.BytesIO(pcap)))

    assert benchmark(run) == COUNT


def test_udp_apdus(benchmark, pcap):
    run = lambda: drain(Streams().items(Layers().segments(CaptureReader(io.BytesIO(pcap)))))  # noqa: E731
    assert benchmark(run) == COUNT


def test_tcp_apdus(benchmark, tcp):
    run = lambda: drain(Streams().items(Layers().segments(CaptureReader(io.BytesIO(tcp)))))  # noqa: E731
    assert benchmark(run) == COUNT


def test_what_is_made_is_what_it_says():
    file = io.BytesIO()
    maker.make(file, 50, meters=7)
    items = list(Streams().items(Layers().segments(CaptureReader(io.BytesIO(file.getvalue())))))
    assert [item.octets for item in items if isinstance(item, Apdu)] == [maker.plain(n) for n in range(50)]
    assert all(len(item.octets) == 98 and is_apdu(item.octets) and not item.findings for item in items)
    assert len({end for item in items for end in (item.src, item.dst)}) == 8
