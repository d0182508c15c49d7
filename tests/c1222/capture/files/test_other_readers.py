"""Captures as tshark and dpkt read them."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import warnings
from pathlib import Path

import pytest

from c1222.capture.files.reader import CaptureReader
from c1222.capture.files.writer import udp_packet
from tests.c1222.capture.files.capture_octets import SECOND, enhanced, interface, option, pcap, section

SHARED = Path(__file__).parents[5] / "shared" / "captures"


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
