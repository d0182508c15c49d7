"""From capture files to batches of APDUs: nothing is lost, and nothing is held for long."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from c1222 import bulk, decode_capture
from c1222.bulk import reading
from c1222.bulk.reading import FRAMES
from c1222.capture.apdus import CaptureApdus
from c1222.capture.files.compression import CaptureError
from c1222.capture.files.writer import udp_packet
from c1222.capture.network.framing import Apdu
from tests.c1222.bulk.test_decoding import CAPTURES, EVEN, NAMES, SENT, capture, datagrams, packets_of


def rows_of(batches: Any) -> list[dict[str, Any]]:
    return [row for batch in batches for row in batch.to_pylist()]


def wanted_of(octets: bytes) -> list[tuple[Any, ...]]:
    return [
        (
            item.time_ns,
            item.src,
            item.dst,
            item.transport,
            item.frame,
            item.octets if isinstance(item, Apdu) else None,
            [finding._asdict() for finding in (item.findings if isinstance(item, Apdu) else (item.finding,))],
        )
        for item in CaptureApdus(io.BytesIO(octets))
    ]


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_rows_are_what_the_reader_of_captures_gives(rows: int) -> None:
    odd = [
        udp_packet("10.0.0.1:50000", "10.1.0.1:1153", octets) for octets in (b"", b"\x60", EVEN[0] + EVEN[1], b"x" * 50)
    ]
    cut = [datagrams(EVEN[:1])[0][:-3], datagrams(EVEN[:1])[0] + b"\0\0", b"", b"x" * 20]
    octets = capture([*datagrams(EVEN[:40]), *packets_of(SENT[:60]), *odd, *cut])
    batches = list(bulk.frames(io.BytesIO(octets), rows=rows))
    assert all(batch.schema.metadata == {b"schema": FRAMES.name.encode()} for batch in batches)
    found = [
        (
            *(row[name] for name in ("time_ns", "src", "dst", "transport", "frame", "apdu")),
            json.loads(row["findings"] or "[]"),
        )
        for row in rows_of(batches)
    ]
    assert found == wanted_of(octets)
    assert max(batch.num_rows for batch in batches) <= max(rows, 2)


def test_files_and_numbers_of_frames(tmp_path: Path) -> None:
    first, second = tmp_path / "a.pcap", tmp_path / "b.pcap"
    first.write_bytes(capture(datagrams(EVEN[:4])))
    second.write_bytes(capture(datagrams(EVEN[4:8])))
    rows = rows_of(bulk.frames([first, second]))
    assert [row["frame"] for row in rows] == list(range(1, 9))
    assert {row["file"] for row in rows} == {str(first), str(second)}
    assert {row["file"] for row in rows_of(bulk.frames(first))} == {str(first)}
    together = [message.frame for message in decode_capture([first, second])]
    assert [row["frame"] for row in rows_of(bulk.decode(bulk.frames([first, second])))] == together


def test_octets_in_hex_have_no_time(tmp_path: Path) -> None:
    path = tmp_path / "pasted.txt"
    path.write_text(f"{EVEN[0].hex()}\n{EVEN[1].hex()}\n", "utf-8")
    rows = rows_of(bulk.frames(path))
    assert [(row["time_ns"], row["src"], row["transport"], row["apdu"]) for row in rows] == [
        (None, None, None, octets) for octets in EVEN[:2]
    ]


def test_batches_are_bounded_by_octets_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BATCH_OCTETS", 1000)
    batches = list(bulk.frames(io.BytesIO(capture(datagrams(EVEN)))))
    assert sum(batch.num_rows for batch in batches) == len(EVEN)
    assert max(batch.num_rows for batch in batches) < 20


def test_what_is_skipped_is_told(tmp_path: Path) -> None:
    read = bulk.frames(io.BytesIO(capture([b"x" * 60, *datagrams(EVEN[:2])])))
    assert len(rows_of(read)) == 2
    assert read.findings()
    path = tmp_path / "no.pcap"
    path.write_bytes(b"\xff\xfe no capture")
    with pytest.raises(CaptureError):
        bulk.frames(path)


@pytest.mark.parametrize("name", NAMES)
def test_sample_captures(name: str) -> None:
    octets = (CAPTURES / name).read_bytes()
    assert [row["apdu"] for row in rows_of(bulk.frames(CAPTURES / name))] == [row[5] for row in wanted_of(octets)]
