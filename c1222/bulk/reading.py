"""From capture files to batches of APDUs: whole, in order, with how they were carried."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from c1219.caches import BoundedDict
from c1219.tabular.schema import RowColumn, RowSchema
from c1222.bulk.datagrams import Packets, walk
from c1222.bulk.merging import merged, numbered_words
from c1222.capture.apdus import CaptureApdus
from c1222.capture.files.reader import CaptureReader
from c1222.capture.network.framing import Apdu
from c1222.capture.network.layers import end_text
from c1222.capture.network.streams import C1222_PORT
from c1222.message.ber import MAX_APDU_OCTETS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from c1222.capture.apdus import Source
    from c1222.capture.files.reader import Packet
    from c1222.capture.network.framing import StreamRemark
    from c1222.errors import Finding

__all__ = ["BATCH_OCTETS", "BATCH_ROWS", "FRAMES", "CapturedFrames", "frames"]

BATCH_ROWS: Final = 131_072
"""Rows of a batch."""
BATCH_OCTETS: Final = 1 << 25
"""Octets of APDUs after which a batch is not filled any further."""

_MAX_TEXTS: Final = 65_536  # of addresses and ports, kept from one batch to the next

FRAMES: Final = RowSchema(
    "c1222.frames/1",
    "One APDU of a capture, or what stands in the place of octets that gave none.",
    (
        RowColumn("time_ns", "int64", "nanoseconds since 1970-01-01 UTC"),
        RowColumn("src", "word", "sender, `address:port` or `[address]:port`"),
        RowColumn("dst", "word", "receiver, likewise"),
        RowColumn("transport", "word", "`udp` or `tcp`"),
        RowColumn("frame", "int64", "number of the frame that completed it, from 1, by time through all files",
                  null=False),
        RowColumn("file", "word", "name of the file that the frame is in"),
        RowColumn("apdu", "binary", "the APDU, tag and length included"),
        RowColumn("findings", "json", "remarks on how it was carried; null for none"),
    ),
    key=("frame",),
)  # fmt: skip


class CapturedFrames:
    """Batches of the APDUs of a capture; iterate it once. See `frames`, which takes the same."""

    def __init__(
        self,
        paths: Source | Sequence[Source],
        *,
        ports: Collection[int] = (C1222_PORT,),
        by_content: bool = True,
        max_apdu_size: int = MAX_APDU_OCTETS,
        rows: int = BATCH_ROWS,
    ) -> None:
        self._apdus = CaptureApdus(paths, ports=ports, by_content=by_content, max_apdu_size=max_apdu_size)
        single = paths[0] if isinstance(paths, list | tuple) and len(paths) == 1 else paths
        self._file = os.fspath(single) if isinstance(single, str | os.PathLike) else getattr(single, "name", None)
        self._rows = max(rows, 1)
        self._ports = frozenset(ports)
        self._max_size = max_apdu_size

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        texts = BoundedDict(_MAX_TEXTS, _ipv4_end)
        batch = _Batch(self._apdus, self._file, texts)
        for packets in self._packets():
            at = 0
            while at < len(packets.starts):
                octets = np.cumsum(packets.sizes[at : at + self._rows - batch.packets])
                end = at + min(int(np.searchsorted(octets, BATCH_OCTETS - batch.octets)) + 1, len(octets))
                some = packets.taken(slice(at, end))
                batch.add(some, some.usual(self._ports, self._max_size))
                at = end
                if batch.packets >= self._rows or batch.octets >= BATCH_OCTETS:
                    yield from batch.made()
                    batch = _Batch(self._apdus, self._file, texts)
        batch.add_items(self._apdus.finish())
        yield from batch.made()

    def _packets(self) -> Iterator[Packets]:
        reader = self._apdus.reader
        if isinstance(reader, CaptureReader) and reader.format == "pcap":
            yield from map(Packets.of_run, reader.runs(walk))
            return
        packets = iter(reader)
        while some := _several(packets, self._rows):
            yield Packets.of(some)

    @property
    def octets_read(self) -> int:
        """Octets of the files that were read so far."""
        return self._apdus.reader.octets_read

    def findings(self) -> list[Finding]:
        """Return what was wrong with the files, and what was skipped; complete once all batches were taken."""
        return self._apdus.findings()

    def close(self) -> None:
        """Close the files."""
        self._apdus.reader.close()


class _Batch:
    """The rows of a batch, while it is filled.

    Attributes:
        packets: how many were added.
        octets: of them.
    """

    def __init__(self, apdus: CaptureApdus, file: str | None, texts: BoundedDict[int, str]) -> None:
        self.packets = self.octets = 0
        self._apdus = apdus
        self._file = file
        self._texts = texts
        self._rows: list[tuple[Any, ...]] = []
        self._alone: list[NDArray[np.bool_]] = []
        self._usual: list[tuple[Packets, NDArray[np.bool_]]] = []

    def add(self, packets: Packets, usual: NDArray[np.bool_]) -> None:
        """Add what packets complete.

        Args:
            packets: the next packets.
            usual: of each whether it is one whole APDU.
        """
        self.packets += len(usual)
        self.octets += int(packets.sizes.sum())
        self._usual.append((packets, usual))
        at = 0
        for place in np.flatnonzero(~usual).tolist():
            self._alone.append(np.zeros(place - at, np.bool_))
            self.add_items(self._apdus.of_packet(packets.packet(place)))
            at = place + 1
        self._alone.append(np.zeros(len(usual) - at, np.bool_))

    def add_items(self, items: Sequence[Apdu | StreamRemark]) -> None:
        """Add what is in rows of its own."""
        self._rows += map(self._row, items)
        self._alone.append(np.ones(len(items), np.bool_))

    def made(self) -> Iterator[pa.RecordBatch]:
        """Yield the batch, unless it is empty."""
        alone = np.concatenate(self._alone)
        if len(alone):
            yield merged(FRAMES, self._columns(), self._rows, alone)

    def _columns(self) -> dict[str, pa.Array]:
        """Return the columns of usual packets."""
        if not self._usual:
            return {}
        ends = [some.ends(usual) for some, usual in self._usual]
        found = pa.array(np.concatenate([end for both in zip(*ends, strict=True) for end in both])).dictionary_encode()
        texts = pa.array(
            [end_text((end >> 16).to_bytes(4), end & 0xFFFF) for end in found.dictionary.to_pylist()], pa.string()
        )
        number = found.indices.to_numpy()
        count = len(number) // 2
        columns = {
            "time_ns": pa.array(np.concatenate([some.time_ns[usual] for some, usual in self._usual])),
            "src": pa.DictionaryArray.from_arrays(pa.array(number[:count]), texts),
            "dst": pa.DictionaryArray.from_arrays(pa.array(number[count:]), texts),
            "transport": numbered_words(np.zeros(count, np.int64), ["udp"]),
            "frame": pa.array(np.concatenate([some.frame[usual] for some, usual in self._usual])),
            "apdu": pa.concat_arrays([some.apdus(usual) for some, usual in self._usual]),
        }
        if any(some.packets for some, _ in self._usual):
            files = [
                getattr(some.packets[place].number, "file", self._file)
                for some, usual in self._usual
                for place in np.flatnonzero(usual).tolist()
            ]
            columns["file"] = pa.array(files, pa.string())
        elif self._file is not None:
            columns["file"] = numbered_words(np.zeros(count, np.int64), [self._file])
        return columns

    def _row(self, item: Apdu | StreamRemark) -> tuple[Any, ...]:
        timed = self._apdus.timed
        frame, time_ns, src, dst, transport, *_ = item
        apdu, findings = (item.octets, item.findings) if isinstance(item, Apdu) else (None, (item.finding,))
        return (
            time_ns if timed else None,
            src or None,
            dst or None,
            transport if timed or src else None,
            frame,
            getattr(frame, "file", self._file),
            apdu,
            [finding._asdict() for finding in findings] or None,
        )


def _ipv4_end(number: int) -> str:
    return end_text((number >> 16).to_bytes(4), number & 0xFFFF)


def _several(packets: Iterator[Packet], count: int) -> list[Packet]:
    """Return the next packets, as many as a batch may have."""
    some: list[Packet] = []
    octets = 0
    for packet in packets:
        some.append(packet)
        octets += len(packet.data)
        if len(some) >= count or octets >= BATCH_OCTETS:
            break
    return some


def frames(
    paths: Source | Sequence[Source],
    *,
    ports: Collection[int] = (C1222_PORT,),
    by_content: bool = True,
    max_apdu_size: int = MAX_APDU_OCTETS,
    rows: int = BATCH_ROWS,
) -> CapturedFrames:
    """Read the APDUs of a capture in batches, in constant memory.

    Args:
        paths: a file, or several that are one capture, as for `c1222.decode_capture`.
        ports: UDP and TCP ports of C12.22.
        by_content: also take on other ports what is an APDU by its look.
        max_apdu_size: octets of the largest APDU accepted.
        rows: of a batch, at most.

    Returns:
        An iterator of batches with the columns of `FRAMES`, in the order of capture. Segments of C12.22 are still
        apart: `c1222.bulk.decode` puts them together.

    Raises:
        CaptureError: a file is no capture.
        OSError: a file cannot be opened or read.
    """
    return CapturedFrames(paths, ports=ports, by_content=by_content, max_apdu_size=max_apdu_size, rows=rows)
