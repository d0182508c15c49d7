"""Captures that come compressed, over a pipe, or without end."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc

import pytest

from c1222.capture.files.reader import CaptureReader
from tests.c1222.capture.files.capture_octets import (
    FRAMES,
    PCAP,
    PCAPNG,
    Trickle,
    enhanced,
    interface,
    pcap,
    read,
    section,
)


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
