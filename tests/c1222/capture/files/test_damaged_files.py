"""Files that are damaged in the middle, or changed anyhow."""

from __future__ import annotations

import gzip
import io
import struct
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from c1222.capture.files.reader import CaptureError, CaptureReader
from c1222.errors import C1222Error
from tests.c1222.capture.files.capture_octets import (
    FRAMES,
    PCAP,
    PCAPNG,
    enhanced,
    interface,
    numbered,
    pcap,
    read,
    section,
)

# --- damage in the middle ---------------------------------------------------------------------------------------------


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
