"""One capture in several files: by time, with streams, fragments, sessions and pairs that go on in the next."""

from __future__ import annotations

import gzip
import json
import pickle
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import c1222
from c1222.capture.files.several import FrameNumber, SeveralFiles
from c1222.capture.files.source import CaptureError
from c1222.capture.files.writer import PcapWriter, tcp_packet, udp_packet
from c1222.capture.jsonl import as_dict, to_json
from c1222.capture.text import message_lines
from tests.c1222.capture.packets import ENDS, KEY
from tests.traffic import exchange

if TYPE_CHECKING:
    from pathlib import Path

BACK = ENDS[::-1]
FRAMES = [udp_packet(*(BACK if n % 2 else ENDS), exchange(n)) for n in range(12)]


def write(path: Path, packets: list[tuple[int, bytes]]) -> Path:
    with PcapWriter(path) as writer:
        for time_ns, packet in packets:
            writer.write(time_ns, packet)
    return path


def shown(paths: object, **options: object) -> list[tuple[int, str | None, int | None, int | None]]:
    return [(m.frame, m.file, m.file_frame, m.reply_to) for m in c1222.decode_capture(paths, keys=KEY, **options)]


def test_files_are_taken_in_the_order_of_time(tmp_path):
    later = write(tmp_path / "a.pcap", [(10, FRAMES[1])])
    first = write(tmp_path / "b.pcap", [(1, FRAMES[0])])
    expected = [(1, str(first), 1, None), (2, str(later), 1, 1)]
    assert shown([later, first]) == shown((str(first), str(later))) == expected
    assert shown([first]) == shown(first) == [(1, None, None, None)]


def test_files_that_overlap_are_merged(tmp_path):
    requests = write(tmp_path / "a.pcap", [(n, FRAMES[n]) for n in range(0, 12, 2)])
    responses = write(tmp_path / "b.pcap", [(n, FRAMES[n]) for n in range(1, 12, 2)])
    found = shown([responses, requests])
    assert [frame for frame, *_ in found] == list(range(1, 13))
    assert [reply_to for *_, reply_to in found] == [n if n % 2 else None for n in range(12)]
    assert [(file, number) for _, file, number, _ in found] == [
        (str(responses if n % 2 else requests), n // 2 + 1) for n in range(12)
    ]


def test_streams_go_on_in_the_next_file(tmp_path):
    octets = exchange(0)
    halves = [tcp_packet(*ENDS, octets[:30], sequence=1), tcp_packet(*ENDS, octets[30:], sequence=31)]
    paths = [write(tmp_path / f"{n}.pcap", [(n, half)]) for n, half in enumerate(halves)]
    decoder = c1222.decode_capture(paths)
    (message,) = decoder
    assert (message.frame, message.file, message.file_frame) == (2, str(paths[1]), 1)
    assert [finding for finding in decoder.findings() if finding.level == "error"] == []


def test_json_and_text_say_in_what_file_a_frame_is(tmp_path):
    paths = [write(tmp_path / f"{n}.pcap", [(n, FRAMES[n])]) for n in range(2)]
    for message in c1222.decode_capture(paths, keys=KEY):
        line = as_dict(message)
        assert json.loads(to_json(message)) == line
        assert list(line)[1:5] == ["frame", "file", "file_frame", "time_ns"]
        assert (line["file"], line["file_frame"]) == (str(paths[message.frame - 1]), 1)
        assert next(iter(message_lines(message))).startswith(f"#{message.frame} ({line['file']} 1)  1970-")
    (alone,) = c1222.decode_capture(paths[0])
    assert "file" not in as_dict(alone)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=30))
def test_no_packet_is_lost_and_files_keep_their_order(tmp_path_factory, places):
    folder = tmp_path_factory.mktemp("files")
    packets: dict[int, list[tuple[int, bytes]]] = {n: [] for n in range(4)}
    for number, (where, time_ns) in enumerate(places):
        packets[where].append((time_ns, bytes([number])))
    paths = [write(folder / f"{n}.pcap", packets[n]) for n in packets]
    found = list(SeveralFiles(paths))
    assert [packet.number for packet in found] == list(range(1, len(places) + 1))
    for where, path in enumerate(paths):
        own = [packet for packet in found if packet.number.file == str(path)]
        assert [packet.data for packet in own] == [data for _, data in packets[where]]
        assert [packet.number.frame for packet in own] == list(range(1, len(own) + 1))
    if all([time_ns for time_ns, _ in each] == sorted(time_ns for time_ns, _ in each) for each in packets.values()):
        assert [packet.time_ns for packet in found] == sorted(packet.time_ns for packet in found)


@pytest.mark.tshark
def test_mergecap_puts_them_in_the_same_order(tshark, tmp_path):
    paths = [write(tmp_path / f"{n}.pcap", [(n + 3 * at, FRAMES[n + at]) for at in range(6)]) for n in (0, 1, 4)]
    merged = tmp_path / "merged.pcap"
    subprocess.run([tshark.replace("tshark", "mergecap"), "-w", merged, *paths], check=True, capture_output=True)
    ours = list(SeveralFiles(paths))
    theirs = list(c1222.capture.files.reader.CaptureReader(merged))
    assert [packet.time_ns for packet in ours] == [packet.time_ns for packet in theirs]
    assert sorted(packet.data for packet in ours) == sorted(packet.data for packet in theirs)


def test_only_files_that_overlap_are_open_at_once(tmp_path, monkeypatch):
    paths = [write(tmp_path / f"{n}.pcap", [(n * 10, FRAMES[0]), (n * 10 + 1, FRAMES[1])]) for n in range(50)]
    files = SeveralFiles(paths[::-1])
    most = 0
    for _ in files:
        most = max(most, sum(file._reader is not None for file in files._files))
    assert most <= 2
    assert files.octets_read == sum(path.stat().st_size for path in paths)


def test_findings_name_their_file(tmp_path):
    good = write(tmp_path / "good.pcap", [(1, FRAMES[0])])
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(write(tmp_path / "x.pcap", [(2, FRAMES[1]), (3, FRAMES[2])]).read_bytes()[:-1])
    squeezed = tmp_path / "early.pcap.gz"
    squeezed.write_bytes(gzip.compress(good.read_bytes())[:-3])
    empty = write(tmp_path / "empty.pcap", [])
    decoder = c1222.decode_capture([good, cut, squeezed, empty], keys=KEY)
    assert len(list(decoder)) == 3
    assert [(finding.code, finding.path) for finding in decoder.findings()] == [
        ("cut-short", f"{cut}: pcap.packet[2]"),
        ("damaged-gzip", f"{squeezed}: gzip"),
    ]


def test_a_file_that_is_no_capture_is_named(tmp_path):
    good = write(tmp_path / "good.pcap", [(1, FRAMES[0])])
    bad, text = tmp_path / "bad.pcap", tmp_path / "lines.txt"
    bad.write_bytes(b"\0no capture")
    text.write_text(exchange(0).hex())
    with pytest.raises(CaptureError, match=r"bad\.pcap"):
        c1222.decode_capture([good, bad])
    with pytest.raises(CaptureError, match=r"lines.txt.*no time"):
        c1222.decode_capture([good, text])
    with pytest.raises(FileNotFoundError):
        c1222.decode_capture([good, tmp_path / "nowhere"])


def test_numbers_of_frames_are_numbers():
    number = FrameNumber.of(7, "a.pcap", 3)
    again = pickle.loads(pickle.dumps(number))
    assert (again, again.file, again.frame, f"{number}", json.dumps(number)) == (7, "a.pcap", 3, "7", "7")
