"""gzip, bzip2, xz and Zstandard: whole, cut, damaged, in several members, larger than anybody wants."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from c1222.capture.files.compression import READ_SIZE, CaptureError
from c1222.capture.files.reader import CaptureReader
from c1222.capture.files.source import OctetSource
from tests.c1222.capture.packets import datagrams

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda octets: gzip.compress(octets, mtime=0),
    "bzip2": bz2.compress,
    "xz": lambda octets: lzma.compress(octets, preset=0),
    "zstd": lambda octets: zstd.compress(octets, options={zstd.CompressionParameter.checksum_flag: 1}),
}
each = pytest.mark.parametrize("name", PACKERS)


def read(source: OctetSource) -> bytes:
    octets, buffer = b"", source.more(b"", 0, 1)
    while buffer:
        octets += buffer
        buffer = source.more(buffer, len(buffer), 1)
    return octets


def inflate(stored: bytes) -> tuple[bytes, CaptureError | None]:
    source = OctetSource(io.BytesIO(stored))
    octets = read(source)
    assert source.damage is not None or source.octets_read == len(stored)
    return octets, source.damage


class Trickle:
    """A file that gives a few octets at a time."""

    def __init__(self, octets: bytes, step: int) -> None:
        self._file, self._step = io.BytesIO(octets), step

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._step))


@each
@pytest.mark.parametrize("octets", [b"", b"x", b"abc" * 5000, bytes(READ_SIZE * 2 + 5)])
def test_all_that_was_compressed_comes_out(name, octets):
    pack = PACKERS[name]
    assert inflate(pack(octets)) == (octets, None)
    assert inflate(pack(octets) + pack(b"") + pack(b"more")) == (octets + b"more", None)
    short = octets[:5000]
    for step in (1, 3):
        source = OctetSource(Trickle(pack(short) + pack(b"more"), step))
        assert (read(source), source.damage) == (short + b"more", None)


def test_padding_of_xz_and_skipped_frames_of_zstandard():
    packed = PACKERS["xz"](b"one")
    assert inflate(packed + bytes(8) + packed + bytes(4)) == (b"oneone", None)
    skipped = b"\x5e\x2a\x4d\x18\4\0\0\0skip"
    packed = PACKERS["zstd"](b"one")
    assert inflate(skipped + packed + skipped + packed + skipped) == (b"oneone", None)


@each
def test_a_file_that_ends_early_gives_what_is_there(name):
    octets = bytes(range(256)) * 3000
    stored = PACKERS[name](octets)
    for cut in (1, 4, 9, len(stored) // 2, len(stored) - 7):
        there, damage = inflate(stored[:-cut])
        assert octets.startswith(there)
        assert damage.path == name
        assert (damage.reason, damage.offset) == ("the compressed data end early", len(there))


@each
@pytest.mark.parametrize("tail", [b"x", b"xyz", b"\x1f", b"pcap" * 20])
def test_what_follows_the_compressed_data_is_told(name, tail):
    octets, damage = inflate(PACKERS[name](b"octets") + tail)
    assert octets == b"octets"
    assert damage.reason == f"what follows the compressed data is not {name}"


@each
def test_a_damage_costs_little_of_what_is_before_it(name):
    octets = bytes(range(256)) * 300
    stored = bytearray(PACKERS[name](octets))
    stored[-6] ^= 0xFF
    there, damage = inflate(bytes(stored))
    assert octets.startswith(there)
    assert damage is not None
    assert damage.path == name


def test_gzip_is_inflated_to_the_last_octet_that_is_there():
    stored = gzip.compress(bytes(READ_SIZE + 3000))
    for cut in range(40, 0, -1):
        there = zlib.decompressobj(31).decompress(stored[:-cut])
        assert len(inflate(stored[:-cut])[0]) == len(there)
    octets = bytes(range(256)) * 300
    stored = gzip.compress(octets, 1)[:-4] + bytes(4)
    assert inflate(stored)[0] == octets


@given(st.sampled_from(sorted(PACKERS)), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3))
def test_whatever_is_changed_nothing_but_damage_is_told(name, changes):
    stored = bytearray(PACKERS[name](datagrams(b"one", b"two").getvalue()))
    for at, value in changes:
        stored[at % len(stored)] = value
    inflate(bytes(stored))


@each
def test_captures_are_read_and_their_damage_is_a_finding(name):
    octets = datagrams(*(n.to_bytes(40) for n in range(2000))).getvalue()
    stored = PACKERS[name](octets)
    whole = list(CaptureReader(io.BytesIO(octets)))
    reader = CaptureReader(io.BytesIO(stored))
    assert (list(reader), reader.findings()) == (whole, [])
    reader = CaptureReader(io.BytesIO(stored[:-5]))
    packets = list(reader)
    assert packets == whole[: len(packets)]
    finding = reader.findings()[0]
    assert (finding.level, finding.code, finding.path) == ("error", f"damaged-{name}", name)
    with pytest.raises(CaptureError) as caught:
        CaptureReader(io.BytesIO(stored[:12]))
    assert caught.value.path == name


@each
def test_a_small_file_that_holds_much_is_inflated_bit_by_bit(name):
    if name == "gzip":
        maker = zlib.compressobj(9, zlib.DEFLATED, 31)
    else:
        maker = {"bzip2": bz2.BZ2Compressor, "xz": lzma.LZMACompressor, "zstd": zstd.ZstdCompressor}[name]()
    block = bytes(READ_SIZE)
    stored = b"".join(maker.compress(block) for _ in range(48)) + maker.flush()
    assert len(stored) < READ_SIZE // 10
    tracemalloc.start()
    source = OctetSource(io.BytesIO(stored))
    buffer, size = source.more(b"", 0, 1), 0
    while buffer:
        size += len(buffer)
        buffer = source.more(buffer, len(buffer), 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 48 * READ_SIZE
    assert peak < 16 * READ_SIZE  # of which xz takes 8 for its window


def test_what_wants_too_much_memory_is_refused():
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 28}]
    assert "Memory" in inflate(lzma.compress(b"x", filters=filters))[1].reason
    window = {zstd.CompressionParameter.window_log: 28, zstd.CompressionParameter.content_size_flag: 0}
    maker = zstd.ZstdCompressor(options=window)
    octets, damage = inflate(maker.compress(bytes(1000)) + maker.flush())
    assert octets == b""
    assert damage.path == "zstd"


def test_without_its_library_zstandard_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "backports", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    with pytest.raises(CaptureError, match=r"to inflate zstd, install c1222\[zstd\]"):
        CaptureReader(io.BytesIO(PACKERS["zstd"](b"x")))


@pytest.mark.parametrize("program", ["bzip2", "xz", "zstd", "gzip"])
def test_what_the_programs_of_that_name_write(program, tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(datagrams(b"one", b"two").getvalue())
    try:
        subprocess.run([program, "-k", path], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip(f"{program} is not here")
    (packed,) = set(tmp_path.iterdir()) - {path}
    assert list(CaptureReader(packed)) == list(CaptureReader(path))
