"""From capture files to batches of APDUs: whole, in order, with how they were carried."""

from __future__ import annotations

import os
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from c1219.tabular.schema import RowColumn, RowSchema
from c1222.bulk.datagrams import ALL_HEADERS, FLOW, usual_datagrams
from c1222.bulk.merging import merged, numbered_words
from c1222.capture.apdus import CaptureApdus
from c1222.capture.network.framing import Apdu
from c1222.capture.network.layers import ends as flow_ends
from c1222.capture.network.streams import C1222_PORT
from c1222.message.ber import MAX_APDU_OCTETS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from c1222.capture.apdus import Source
    from c1222.capture.files.reader import Packet
    from c1222.capture.network.framing import StreamRemark
    from c1222.errors import Finding

__all__ = ["BATCH_OCTETS", "BATCH_ROWS", "FRAMES", "CapturedFrames", "frames"]

BATCH_ROWS: Final = 65_536
"""Rows of a batch."""
BATCH_OCTETS: Final = 1 << 25
"""Octets of APDUs after which a batch is not filled any further."""

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
        packets: list[Packet] = []
        octets = 0
        for packet in self._apdus.reader:
            packets.append(packet)
            octets += len(packet.data)
            if len(packets) >= self._rows or octets >= BATCH_OCTETS:
                yield from self._batch(packets)
                packets, octets = [], 0
        yield from self._batch(packets, last=True)

    def _batch(self, packets: list[Packet], *, last: bool = False) -> Iterator[pa.RecordBatch]:
        """Yield what the next packets complete: a batch, unless that is nothing."""
        usual = usual_datagrams(packets, self._ports, self._max_size)
        alone: list[bool] = []
        rows: list[tuple[Any, ...]] = []
        for packet, is_usual in zip(packets, usual.tolist(), strict=True):
            if is_usual:
                alone.append(False)
            else:
                items = self._apdus.of_packet(packet)
                rows += map(self._row, items)
                alone += [True] * len(items)
        if last:
            more = self._apdus.finish()
            rows += map(self._row, more)
            alone += [True] * len(more)
        if alone:
            columns = self._columns(list(compress(packets, usual.tolist())))
            yield merged(FRAMES, columns, rows, np.array(alone, np.bool_))

    def _columns(self, packets: list[Packet]) -> dict[str, pa.Array]:
        """Return the columns of usual packets."""
        flows, number = np.unique(
            np.frombuffer(b"".join([packet.data[FLOW] for packet in packets]), f"V{FLOW.stop - FLOW.start}"),
            return_inverse=True,
        )
        ends = [flow_ends(flow.tobytes()) for flow in flows]
        return {
            "time_ns": pa.array([packet.time_ns for packet in packets], pa.int64()),
            "src": numbered_words(number, [src for src, _ in ends]),
            "dst": numbered_words(number, [dst for _, dst in ends]),
            "transport": numbered_words(np.zeros(len(packets), np.int64), ["udp"]),
            "frame": pa.array([packet.number for packet in packets], pa.int64()),
            "file": pa.array([getattr(packet.number, "file", self._file) for packet in packets], pa.string()),
            "apdu": pa.array([packet.data[ALL_HEADERS:] for packet in packets], pa.binary()),
        }

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
