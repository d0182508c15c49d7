"""The octets of capture files, made block by block, and what a reader makes of them."""

from __future__ import annotations

import io
import struct

from c1222.capture.files.reader import CaptureReader, Packet
from c1222.capture.files.writer import PcapWriter

SECOND = 1_000_000_000


def block(order: str, kind: int, body: bytes) -> bytes:
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order: str = "<", *, major: int = 1, options: bytes = b"") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1) + options)


def interface(order: str = "<", *, link: int = 1, snaplen: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link, 0, snaplen) + options)


def enhanced(order: str, which: int, time: int, data: bytes, length: int | None = None, options: bytes = b"") -> bytes:
    head = struct.pack(order + "IIIII", which, time >> 32, time & 0xFFFFFFFF, len(data), length or len(data))
    return block(order, 6, head + data + b"\0" * (-len(data) % 4) + options)


def simple(order: str, data: bytes, length: int | None = None) -> bytes:
    return block(order, 3, struct.pack(order + "I", length or len(data)) + data)


def obsolete(order: str, which: int, time: int, data: bytes) -> bytes:
    head = struct.pack(order + "HHIIII", which, 0xFFFF, time >> 32, time & 0xFFFFFFFF, len(data), len(data))
    return block(order, 2, head + data)


def read(octets: bytes, **limits: int) -> tuple[list[Packet], list[str]]:
    reader = CaptureReader(io.BytesIO(octets), **limits)
    packets = list(reader)
    return packets, [finding.code for finding in reader.findings()]


def pcap(frames: list[tuple[int, bytes]], **kind) -> bytes:
    file = io.BytesIO()
    with PcapWriter(file, **kind) as writer:
        for time_ns, frame in frames:
            writer.write(time_ns, frame)
    return file.getvalue()


FRAMES = [(1_700_000_000 * SECOND + 123_456_789, b"first frame"), (1_700_000_001 * SECOND, b"2nd"), (5, b"")]
PCAP = pcap(FRAMES)

PCAPNG = section() + interface() + enhanced("<", 0, 5, b"abc") + enhanced("<", 0, 6, b"defg") + simple("<", b"hi")


class Trickle(io.RawIOBase):
    """A stream that cannot seek and gives a few octets at a time."""

    def __init__(self, octets: bytes, step: int = 3) -> None:
        self._file = io.BytesIO(octets)
        self._step = step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, self._step) if size >= 0 else self._step)


def numbered(count: int) -> list[tuple[int, bytes]]:
    return [(1_700_000_000 * SECOND + n * SECOND, b"%04d" % n * (n % 7 + 1)) for n in range(count)]
