from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.files.reader import CaptureReader
from c1222.capture.files.writer import (
    PcapngWriter,
    PcapWriter,
    ethernet,
    ipv4,
    ipv6,
    private_file,
    tcp_packet,
    udp_packet,
)
from c1222.errors import EncodeError

V4 = ("10.0.0.1:1153", "192.168.255.2:50000")
V6 = ("[fe80::1]:1153", "[2001:db8::ffff]:50000")


def sum16(octets: bytes) -> int:
    total = sum(struct.unpack(f">{len(octets + b'0') // 2}H", octets + b"\0" * (len(octets) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(st.binary(max_size=200), st.sampled_from([V4, V6]), st.booleans())
def test_checksums_sum_up_as_rfc_1071_says(payload, ends, tcp):
    frame = tcp_packet(*ends, payload, sequence=7) if tcp else udp_packet(*ends, payload)
    if ends is V4:
        assert sum16(frame[14:34]) == 0xFFFF
        addresses, datagram = frame[26:34], frame[34:]
    else:
        addresses, datagram = frame[22:54], frame[54:]
    pseudo = addresses + struct.pack(">II", len(datagram), 6 if tcp else 17)
    assert sum16(pseudo + datagram) == 0xFFFF


def test_a_checksum_is_never_zero_which_would_mean_none():
    checksum = udp_packet(*V4, b"\0\0")[40:42]
    frame = udp_packet(*V4, checksum)
    assert frame[40:42] == b"\xff\xff"


def test_a_path_is_written_and_closed(tmp_path):
    path = tmp_path / "x.pcap"
    with PcapWriter(path, snaplen=4) as writer:
        writer.write(1_500_000_000_123_456_789, b"abcdef")
    assert path.read_bytes().hex() == (
        "4d3cb2a1 0200 0400 00000000 00000000 04000000 01000000 002f6859 15cd5b07 04000000 06000000 61626364".replace(
            " ", ""
        )
    )


@pytest.mark.parametrize("time_ns", [-1, 1 << 63])
def test_a_time_that_pcap_cannot_hold_is_refused(time_ns):
    with pytest.raises(EncodeError):
        PcapWriter(io.BytesIO()).write(time_ns, b"")


@pytest.mark.parametrize(
    ("source", "destination"),
    [("10.0.0.1", V4[1]), ("host:1", V4[1]), ("10.0.0.1:x", V4[1]), ("10.0.0.1:65536", V4[1]), (V4[0], V6[1])],
)
def test_ends_that_are_none_are_refused(source, destination):
    with pytest.raises(EncodeError):
        udp_packet(source, destination, b"")


def test_what_is_too_long_is_refused():
    assert len(udp_packet(*V4, bytes(65507))) == 65549
    for build in (udp_packet, tcp_packet):
        for ends in (V4, V6):
            with pytest.raises(EncodeError):
                build(*ends, bytes(65528))


@pytest.mark.tshark
def test_tshark_finds_nothing_to_complain_about(tshark, tmp_path):
    whole = udp_packet(*V4, bytes(120))
    ends, udp = (whole[26:30], whole[30:34]), whole[34:]
    frames = [
        udp_packet(*V4, b"odd"),
        udp_packet(*V6, b"even"),
        tcp_packet(*V4, b"abc", sequence=0xFFFFFFFF, acknowledged=5),
        tcp_packet(*V6, b"", flags=2),
        ethernet(ipv4(*ends, 17, udp, options=b"\1" * 4), 0x0800, vlans=(7, 9)),
        ethernet(ipv6(bytes(16), bytes(16), 59, b""), 0x86DD),
        ethernet(ipv4(*ends, 17, udp[:64], ident=9, fragment=(0, True)), 0x0800),
        ethernet(ipv4(*ends, 17, udp[64:], ident=9, fragment=(64, False)), 0x0800),
    ]
    path = tmp_path / "x.pcap"
    with PcapWriter(path) as writer:
        for n, frame in enumerate(frames):
            writer.write(n, frame)
    command = [tshark, "-r", str(path), "-T", "fields", "--disable-protocol", "c1222"]
    for transport in ("ip", "udp", "tcp"):
        command += ["-o", f"{transport}.check_checksum:TRUE"]
    for field in (
        "frame.protocols",
        "ip.checksum.status",
        "udp.checksum.status",
        "tcp.checksum.status",
        "_ws.malformed",
    ):
        command += ["-e", field]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    good = "1"
    assert [row.split("\t")[1:] for row in rows] == [
        [good, good, "", ""],
        ["", good, "", ""],
        [good, "", good, ""],
        ["", "", good, ""],
        [good, good, "", ""],
        ["", "", "", ""],
        [good, "", "", ""],
        [good, good, "", ""],
    ]
    assert rows[4].startswith("eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip:udp")


def test_pcapng_with_several_links_and_comments() -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file, comment="a file")
    sent = [(1_700_000_000_123_456_789, b"abc", 1), (0, b"", 101), ((1 << 64) - 1, b"defgh", 1)]
    for time_ns, octets, link_type in sent:
        writer.write(time_ns, octets, link_type=link_type, length=9, comment="a packet")
    writer.write(5, b"x")
    assert file.getvalue().count(b"a packet") == 3
    file.seek(0)
    reader = CaptureReader(file)
    read = [(packet.time_ns, packet.data, packet.link_type, packet.length) for packet in reader]
    assert read == [*((*each, 9) for each in sent), (5, b"x", 1, 1)]
    assert reader.findings() == []
    for time_ns in (-1, 1 << 64):
        with pytest.raises(EncodeError):
            writer.write(time_ns, b"")
    with pytest.raises(EncodeError):
        writer.write(0, b"", link_type=0x10000)


def test_private_files_are_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with private_file(path) as file:
        file.write(b"before")
        assert not path.exists()
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"before", 0o600)
    with pytest.raises(TypeError), private_file(path) as file:
        file.write("after")  # type: ignore[arg-type]
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
